"""What a person wrote, apart from what the mail repeats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mail_quotes import split_quoted

FORMER = "Bonjour,\n\nVoici notre réponse.\n\nLe centre"
MARKED = "\n".join(f"> {line}".rstrip() for line in FORMER.split("\n"))
OUTLOOK = (
    "De : Centre <centre@exemple.fr>\nEnvoyé : jeudi 12 mars 2026 10:02\nÀ : Ana Roy\nObjet : RE: Aide\n\n"
)

ANNOUNCED = {
    "gmail": f"Le jeu. 12 mars 2026 à 10:02, Centre <centre@exemple.fr> a écrit :\n\n{MARKED}",
    "gmail folded": f"Le jeu. 12 mars 2026 à 10:02, Le centre\n<centre@exemple.fr> a écrit :\n\n{MARKED}",
    "gmail in English": f"On Thu, Mar 12, 2026 at 10:02 AM Centre <centre@exemple.fr> wrote:\n\n{MARKED}",
    "gmail of old": f"2026-03-12 10:02 GMT-04:00 Centre <centre@exemple.fr>:\n\n{MARKED}",
    "apple": f"> Le 12 mars 2026 à 10:02, Centre <centre@exemple.fr> a écrit :\n> \n{MARKED}",
    "apple unmarked": f"Le 12 mars 2026 à 10:02, Centre <centre@exemple.fr> a écrit\u00a0:\n\n{FORMER}",
    "thunderbird": f"Le 12/03/2026 à 10:02, Centre a écrit\u00a0:\n{MARKED}",
    "thunderbird of old": f"Centre a écrit :\n{MARKED}",
    "outlook": f"________________________________\n{OUTLOOK}{FORMER}",
    "outlook bold": f"*De :* Centre <c@exemple.fr>\n*Envoyé :* jeudi\n*À :* Ana\n*Objet :* Aide\n\n{FORMER}",
    "outlook of old": f"-----Message d'origine-----\n{OUTLOOK}{FORMER}",
    "outlook typographic": f"-----Message d’origine-----\n{OUTLOOK}{FORMER}",
    "outlook in English": (
        "From: Centre <c@exemple.fr>\nSent: Thursday, March 12, 2026 10:02 AM\nTo: Ana\n"
        f"Subject: RE: Aide\n\n{FORMER}"
    ),
    "orange": (
        "> Message du 12/03/26 10:02\n> De : Centre <c@exemple.fr>\n> A : ana@exemple.fr\n> Copie à : \n"
        f"> Objet : Aide\n> \n{MARKED}"
    ),
    "zimbra": (
        "----- Mail original -----\nDe: Centre <c@exemple.fr>\nÀ: Ana <ana@exemple.fr>\n"
        f"Envoyé: Jeudi 12 Mars 2026 10:02:33\nObjet: Aide\n\n{FORMER}"
    ),
    "samsung": f"-------- Message d'origine --------\nDe : Centre <c@exemple.fr>\n\n{FORMER}",
    "forwarded": f"---------- Forwarded message ---------\nDe : Centre <c@exemple.fr>\n\n{FORMER}",
    "apple forwarded": f"Début du message réexpédié :\n\nDe: Centre\nObjet: Aide\n\n{FORMER}",
    "yahoo": f"Le jeudi 12 mars 2026 à 10:02:33 UTC-4, Centre <c@exemple.fr> a écrit :\n\n{FORMER}",
}


@pytest.mark.parametrize("repeated", ANNOUNCED.values(), ids=ANNOUNCED)
def test_what_is_repeated_stands_apart(repeated: str):
    own = "Merci, c’est clair.\n\nUne autre question : qui finance ?"
    assert split_quoted(f"{own}\n\n{repeated}") == (own, repeated)


@pytest.mark.parametrize("repeated", ANNOUNCED.values(), ids=ANNOUNCED)
def test_a_message_that_only_repeats_is_all_text(repeated: str):
    assert split_quoted(repeated) == (repeated, "")


@pytest.mark.parametrize("repeated", [ANNOUNCED["gmail"], ANNOUNCED["thunderbird"], MARKED])
def test_a_reply_below_what_it_repeats_is_found(repeated: str):
    assert split_quoted(f"{repeated}\n\nMerci !") == ("Merci !", repeated)


def test_a_reply_between_the_lines_keeps_them():
    text = "Le 12 mars, le centre a écrit :\n> Quand ?\nEn mai.\n> Où ?\nÀ la mairie."
    assert split_quoted(f"{text}\n> Merci\n") == (text, "> Merci")


@pytest.mark.parametrize(
    "line",
    [
        "Envoyé de mon iPhone",
        "Envoyé depuis mon appareil Galaxy",
        "Envoyé à partir de Outlook pour Android",
        "Envoyé depuis l’application Mail Orange",
        "Télécharger Outlook pour iOS<https://exemple.org/o>",
        "Obtenez Outlook pour Android",
        "Provenance : Courrier pour Windows 10",
        "Sent from my iPad",
    ],
)
def test_what_a_telephone_adds_is_no_text(line: str):
    repeated = ANNOUNCED["outlook"]
    assert split_quoted(f"Merci\n\n{line}\n\n{repeated}") == ("Merci", f"{line}\n\n{repeated}")
    assert split_quoted(line) == (line, "")


@pytest.mark.parametrize("mark", ["-- ", "--", "—", "__"])
def test_a_signature_stands_apart(mark: str):
    signature = f"{mark}\nAna Roy\nMairie\n0596 00 00 00"
    assert split_quoted(f"Merci\n{signature}") == ("Merci", signature)
    assert split_quoted(f"Merci\n{signature}\n\n{MARKED}") == ("Merci", f"{signature}\n\n{MARKED}")


def test_what_is_long_after_two_dashes_is_no_signature():
    text = "Premier point\n--\n" + "Une ligne de plus\n" * 30 + "fin"
    assert split_quoted(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    [
        "Le maire a écrit : il faut agir.\nQue répondre ?",
        "Bonjour,\nLe 3 mars, le préfet a écrit :\nil faut agir. Que répondre ?",
        "De : la commune\nObjet : demande d’aide\n\nBonjour, que faire ?",
        "Courrier envoyé de ma part par la poste\nCordialement",
        "Ci-joint le message original de la mairie.\nMerci",
        "a > b\nc",
    ],
)
def test_sentences_that_look_like_marks_are_text(text: str):
    assert split_quoted(text) == (text, "")


_LINES = st.sampled_from(
    [
        *(
            "",
            "",
            "Bonjour",
            "Merci !",
            "> Bonjour",
            "> > Oui",
            "-- ",
            "Ana",
            "Envoyé de mon iPhone",
            "____________",
        ),
        *("Le jeu. 12 mars 2026 à 10:02, Centre", "<c@exemple.fr> a écrit :", "Ana a écrit :", "De : Ana"),
        *(
            "Envoyé : jeudi",
            "Objet : Aide",
            "À : Bob",
            "-----Message d'origine-----",
            "Début du message réexpédié :",
        ),
    ]
)


@given(st.lists(_LINES, max_size=25))
def test_no_line_is_lost_nor_made(lines: list[str]):
    text, quoted = split_quoted("\n".join(lines))
    kept = [line for line in (text + "\n" + quoted).split("\n") if line]
    assert sorted(kept) == sorted(line for line in lines if line)
    assert text.strip() or not any(lines)


@given(st.text())
def test_any_text_is_split_without_a_loss(text: str):
    own, quoted = split_quoted(text)
    assert not set(text.split()) - set((own + "\n" + quoted).split())
