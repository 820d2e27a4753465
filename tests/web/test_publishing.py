"""Answers made public: what is decided, what leaves, who reads it, and when it is looked at again."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import merging
from kb.accounts import Role
from kb.anonymiser import Found, Kind
from kb.errors import InvalidValue
from kb.publishing import Copy, Publication, Publications, Stage, Why, digest
from kb.questions import Asked, Question, QuestionState
from kb.records import Agent, Page, Record
from kb.servicelog import StepKind
from web import (
    answer_page,
    nightly,
    publish_copy,
    publish_seen,
    publish_work,
    published_text,
    reviewing_answers,
)
from web.notices import page_url, record_url
from web.publish_copy import Decision, Texts

NOW = datetime.now(UTC)

# -- a copy, apart from any page


def names(text: str) -> Sequence[Found]:
    """Finds « Mme X » and telephone numbers: enough to decide about."""
    people: dict[str, str] = {}
    found = []
    for match in re.finditer(r"(Mme|M\.) ([A-Z]\w+)|0696[ \d]{4,}\d", text):
        if match[2]:
            letter = people.setdefault(match[2], f"[personne {'ABCDEFGHIJ'[len(people) % 10]}]")
            found.append(Found(Kind.NAME, match.start(), match.end(), match[0], letter, match[1] == "Mme"))
        else:
            found.append(Found(Kind.PHONE, match.start(), match.end(), match[0], "[téléphone]", True))
    return found


TEXTS = ("Qui aide ?", "Mme Zobda demande. M. Petit aussi.", "Bonjour Mme Zobda, voyez le 0696 12 34 56.")


def test_words_are_one_doubt_wherever_they_stand_and_one_person_has_one_replacement() -> None:
    found = publish_copy.doubts(TEXTS, (), names)
    assert [(d.words, d.replacement, d.sure, len(d.spots)) for d in found] == [
        ("Mme Zobda", "[personne A]", True, 2),
        ("M. Petit", "[personne B]", False, 1),
        ("0696 12 34 56", "[téléphone]", True, 1),
    ]
    shown = publish_copy.replaced(TEXTS, found)
    assert shown[1] == "[personne A] demande. [personne B] aussi."
    assert shown[2] == "Bonjour [personne A], voyez le [téléphone]."


def test_what_was_kept_on_purpose_is_asked_no_more_but_other_words_are() -> None:
    found = publish_copy.doubts(TEXTS, {digest("name", "Mme Zobda")}, names)
    assert [d.words for d in publish_copy.undecided(found)] == ["M. Petit", "0696 12 34 56"]
    assert publish_copy.replaced(TEXTS, found)[1] == "Mme Zobda demande. [personne B] aussi."


def test_what_was_kept_can_still_be_replaced() -> None:
    found = publish_copy.doubts(TEXTS, {digest("name", "Mme Zobda"), digest("name", "M. Petit")}, names)
    shown = publish_copy.replaced(TEXTS, found)
    said = {found[0].key: Decision(False)}
    assert publish_copy.settled(shown, TEXTS, found, said)[1] == "[personne A] demande. M. Petit aussi."
    assert publish_copy.settled(shown, TEXTS, found, {}) == TEXTS


def test_a_replacement_is_no_doubt_but_a_surely_personal_word_between_brackets_is() -> None:
    texts = ("Titre", "[M. Petit] et [Mme Zobda]", "Voir [M. Long](https://exemple.fr) et [Mme Xi](/x)")
    assert [d.words for d in publish_copy.doubts(texts, (), names)] == ["Mme Zobda", "M. Long", "Mme Xi"]


@pytest.mark.parametrize(
    "written",
    [
        *(
            "**Mme** _Zobda_",
            "Mme *Zob*da",
            "~~Mme~~ `Zobda`",
            "Mme\\\nZobda",
            "Mme  \nZobda",
            "Mme\n> Zobda",
        ),
        *(
            "Mme Zob\u200bda",
            "M\u00adme Zob\u2060da",
            "Mme\ufeff Zobda",
            "Mme Zo\U000e0041bda",
        ),
        *("Mme Zo&#98;da", "M&#x6d;e&#32;Zobda", "Mme&#8203; Zobda", "Mme [Zobda](https://exemple.fr/a)"),
        *("0696 **12** 34 56", "0696\u200b 12 34 56", "0696\\\n12 34 56"),
    ],
)
def test_no_mark_and_nothing_invisible_hides_what_is_personal(written: str) -> None:
    def seen(text: str) -> Sequence[Found]:
        return names(text.replace("\n", " "))

    texts = ("Titre", f"Question de {written} ici", f"**Voir** {written}.")
    [doubt] = publish_copy.doubts(texts, (), seen)
    assert [spot.field for spot in doubt.spots] == [1, 2]
    assert doubt.words == publish_copy.sights(doubt, texts)[0].words
    shown = publish_copy.replaced(texts, [doubt])
    assert not re.search("Zob|da|12|34", "".join(shown))
    assert publish_copy.undecided(publish_copy.doubts(texts, {doubt.key}, seen)) == ()


@given(st.text(alphabet="aZ é*_`~\\&#98;[]()<>\n\u200b/noticehps:", max_size=60))
@settings(deadline=None)
def test_every_piece_found_in_what_is_seen_has_its_place(text: str) -> None:
    """Each letter that is seen is told at a place where it is written, each place once and in order."""

    def letters(seen: str) -> Sequence[Found]:
        return [
            Found(Kind.NAME, n, n + 1, c, "x", True) for n, c in enumerate(seen) if c.isalpha() or c.isspace()
        ]

    found = publish_seen.found_as_seen(text, letters)
    assert all(f.text == text[f.start : f.end] != "" for f in found)
    assert all(one.end <= other.start or one.start == other.start for one, other in pairwise(found))


def test_no_mark_is_left_alone_by_a_piece_that_held_its_other_one() -> None:
    texts = ("Titre", "Q", "**Mme** *Zob*da et M**me Petit** puis **Mme Long** dit **non**")
    found = publish_copy.doubts(texts, (), names)
    assert (
        publish_copy.replaced(texts, found)[2]
        == "[personne A] et [personne B] puis **[personne C]** dit **non**"
    )


NAMED = st.text(alphabet="M*_me. Zobd\n\u200b", max_size=40)


@given(NAMED, NAMED)
@settings(deadline=None)
def test_pieces_never_overlap_whatever_marks_stand_around(one: str, other: str) -> None:
    text = f"{one}M**me Zobda**M**me Petit{other}_Mme_ *Long"
    found = publish_seen.found_as_seen(text, names)
    assert found
    assert all(f.text == text[f.start : f.end] != "" for f in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_what_is_quoted_is_told_apart() -> None:
    texts = ("Titre", "> Mme Zobda", "> Mme Petit a dit\n\nMme Long non")
    assert [(d.words, d.quoted) for d in publish_copy.doubts(texts, (), names)] == [
        ("Mme Zobda", False),
        ("Mme Petit", True),
        ("Mme Long", False),
    ]


def decided(posted: Texts, texts: Texts = TEXTS, **said: Decision) -> Texts:
    found = publish_copy.doubts(texts, (), names)
    keys = {d.words.replace("Mme ", "").replace("M. ", ""): d.key for d in found}
    return publish_copy.settled(posted, texts, found, {keys[name]: one for name, one in said.items()})


def test_kept_words_come_back_others_go_and_the_undecided_wait_in_their_own_words() -> None:
    shown = publish_copy.replaced(TEXTS, publish_copy.doubts(TEXTS, (), names))
    found = decided(shown, Zobda=Decision(False, "[la directrice]"), Petit=Decision(True))
    assert found[1:] == (
        "[la directrice] demande. M. Petit aussi.",
        "Bonjour [la directrice], voyez le 0696 12 34 56.",
    )


def test_decisions_find_their_place_in_a_text_that_was_edited_meanwhile() -> None:
    posted = (
        "Qui finance ?",
        "Un agent écrit. [personne B] aussi, dit-on.",
        "Voyez donc le [téléphone] ou [personne A].",
    )
    found = decided(posted, Zobda=Decision(True), Petit=Decision(True))
    assert found[0] == "Qui finance ?"
    assert found[1] == "Un agent écrit. M. Petit aussi, dit-on."
    assert "0696 12 34 56" in found[2]


def test_decisions_find_their_place_in_a_long_text_whose_every_line_was_edited() -> None:
    line = "Mme Zobda reçoit chaque mois les habitants du quartier avec le bailleur."
    texts = ("Titre", "Question", "\n\n".join([line] * 300))
    found = publish_copy.doubts(texts, (), names)
    shown = publish_copy.replaced(texts, found)
    posted = (shown[0], shown[1], shown[2].replace("chaque mois", "tous les mois"))
    kept = publish_copy.settled(posted, texts, found, {found[0].key: Decision(True)})
    assert kept[2].count("Mme Zobda reçoit tous les mois") == 300


def test_what_somebody_wrote_over_stays_as_they_wrote_it() -> None:
    posted = ("Qui aide ?", "La directrice demande. Le gardien aussi.", "Bonjour.")
    assert decided(posted, Zobda=Decision(True), Petit=Decision(True)) == posted


WORDS = st.sampled_from(
    ["Mme Zobda", "M. Petit", "0696 12 34 56", "jardin", "de la ville", "[déjà]", ",", "\n", "é"]
)
FIELD = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)


@given(st.tuples(FIELD, FIELD, FIELD), st.booleans())
@settings(deadline=None)
def test_a_copy_that_nobody_edits_says_itself_again_or_nothing_personal(texts: Texts, keep: bool) -> None:
    found = publish_copy.doubts(texts, (), names)
    shown = publish_copy.replaced(texts, found)
    assert publish_copy.doubts(shown, (), names) == ()
    said = {doubt.key: Decision(keep) for doubt in found}
    assert publish_copy.settled(shown, texts, found, said) == (texts if keep else shown)
    assert publish_copy.settled(shown, texts, found, {}) == texts
    for text, cut in zip(texts, publish_copy.in_place(texts, found), strict=True):
        assert not cut or "".join(part.text for part in cut) == text


@given(st.tuples(FIELD, FIELD, FIELD), st.tuples(FIELD, FIELD, FIELD))
@settings(deadline=None)
def test_what_is_kept_nowhere_holds_a_piece_that_was_to_go_unless_it_was_typed_again(
    base: Texts, typed: Texts
) -> None:
    found = publish_copy.doubts(base, (), names)
    said = {doubt.key: Decision(False) for doubt in found}
    assert publish_copy.settled(typed, base, found, said) == typed


def test_a_copy_begins_without_the_greeting_that_was_for_one_person() -> None:
    assert publish_copy.first_texts("Bonjour,\n\nje cherche.", "Bonjour Mme Zobda,\n\nvoici.") == (
        "Je cherche.",
        "Je cherche.",
        "Voici.",
    )


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Bonjour,\n\nNous ouvrons un jardin. Qui le finance ? Merci.", "Qui le finance ?"),
        ("Je cherche un modèle de convention.", "Je cherche un modèle de convention."),
        ("Bonjour ! Quelle aide ?", "Quelle aide ?"),
        ("Bonjour", "Bonjour"),
        ("Madame, monsieur,\nQuelle aide ?", "Quelle aide ?"),
        ("Madame Un écrit, dit-elle, à qui ?", "Madame Un écrit, dit-elle, à qui ?"),
        ("mot " * 90, ("mot " * 49).strip() + "…"),
        ("M. Félix Marceline, de la régie, cherche. Qui paie ?", "Qui paie ?"),
        ("Mme. Zobda et Dr. Petit cherchent un plan. Merci.", "Mme. Zobda et Dr. Petit cherchent un plan."),
        ("Me. A. Long demande un modèle. Merci.", "Me. A. Long demande un modèle."),
    ],
)
def test_the_title_begins_as_the_question_that_was_asked(question: str, title: str) -> None:
    assert publish_copy.title_of(question) == title


@pytest.mark.parametrize("title", ["M.", "[une personne]", "Mme [personne A] ?", "[téléphone] ?", "Et ?"])
def test_a_title_that_asks_nothing_is_refused(title: str) -> None:
    with pytest.raises(InvalidValue, match="title"):
        publish_copy.check_title(title)
    publish_copy.check_title("Qui paie ?")
    publish_copy.check_title("Qui aide [personne A] ?")


def test_no_name_goes_on_from_one_field_to_the_next() -> None:
    def greedy(text: str) -> Sequence[Found]:
        found = re.finditer(r"M\.\s+[A-Z]\w+", text)
        return [Found(Kind.NAME, m.start(), m.end(), m[0], "[une personne]", True) for m in found]

    [doubt] = publish_copy.doubts(("Voir M.", "Zobda demande M. Petit", "Oui"), (), greedy)
    assert doubt.words == "M. Petit"


def test_what_shows_only_once_the_rest_is_replaced_is_to_be_decided_from_the_start() -> None:
    def find(text: str) -> Sequence[Found]:
        hidden = re.search("Félix", text) if "Mme Zobda" not in text else None
        more = (
            [Found(Kind.NAME, hidden.start(), hidden.end(), "Félix", "[personne Z]", True)] if hidden else []
        )
        return sorted([*names(text), *more], key=lambda one: one.start)

    texts = ("Qui aide ?", "Mme Zobda et Félix demandent. Félix attend.", "Rien.")
    found = publish_copy.doubts(texts, (), find)
    more = publish_copy.unveiled(texts, found, find)
    assert [(d.words, d.sure, len(d.spots)) for d in more] == [("Félix", False, 2)]
    shown = publish_copy.replaced(texts, (*found, *more))
    assert publish_copy.doubts(shown, (), find) == ()


CITED = frozenset({publish_copy.name_of_words("Ghislaine Occolier")})


def everybody(text: str) -> Sequence[Found]:
    found = re.finditer(r"(?:Mme )?Ghislaine Occolier|Mme Occolier|Occolier, Ghislaine", text)
    return [Found(Kind.NAME, m.start(), m.end(), m[0], "[personne A]", True) for m in found]


def test_the_author_of_what_is_cited_is_kept_and_asks_for_no_decision() -> None:
    texts = ("Titre", "Question", "Ghislaine Occolier le montre (Occolier, Ghislaine). Mme Occolier appelle.")
    found = publish_copy.doubts(texts, (), everybody, CITED)
    assert [(d.words, d.kept, d.cited, d.sure) for d in found] == [
        ("Ghislaine Occolier", True, True, True),
        ("Occolier, Ghislaine", True, True, True),
        ("Mme Occolier", False, False, True),
    ]
    assert "Ghislaine Occolier le montre" in publish_copy.replaced(texts, found)[2]
    assert not publish_copy.doubts(texts, (), everybody)[0].kept


def test_a_cited_author_who_is_named_in_the_question_may_be_who_asks() -> None:
    texts = ("Titre", "Je suis Ghislaine Occolier.", "Voir Ghislaine Occolier.")
    [doubt] = publish_copy.doubts(texts, (), everybody, CITED)
    assert (doubt.kept, doubt.sure) == (False, False)


def test_the_text_that_is_searched_has_the_words_of_the_answer_without_its_addresses() -> None:
    link = "(/notice/vc:1/page/2)"
    body = f"Voir **ici** [Dupont, *Titre*]{link}.\n\n> cité\n>\n> — [Dupont]{link}\n\n- un\n- deux"
    [page] = published_text.pages(Copy(title="t", text="Quoi ?", body=body))
    assert page.text == "Quoi ?\n\nVoir ici Dupont, Titre.\n\ncité\n\nDupont\n\nun\n\ndeux"


# -- in the house


@pytest.fixture
def cited(house) -> Record:
    """A document with a page, kept to this test."""
    id = house.parts.store.new_id("vc")
    pages = [Page(1, "Le jardin est ouvert à tous les habitants du quartier.")]
    house.parts.store.save(Record(id=id, title="Les jardins partagés"), pages)
    return house.parts.store.get(id)


ASKED = (
    "Bonjour, je suis Mme Anne Zobda. Qui finance un jardin partagé au Lamentin ? Mon numéro : 0696 12 34 56."
)


def answered(
    house, body: str = "Bonjour Mme Zobda, la ville le finance.", *, consent: bool = True
) -> Question:
    desk = house.parts.desk
    asked = Asked(text=ASKED, themes=("T08",), consent=consent)
    question = desk.receive(asked, None)
    me = house.people[Role.ANSWERER]
    desk.claim(question.id, me)
    house.parts.answers.save(question.id, body, 0, person=me)
    desk.move(question.id, QuestionState.ANSWERED, person=me, kind=StepKind.ANSWERED)
    house.parts.answers.mark_sent(question.id)
    return desk.get(question.id)


def url(question: Question, more: str = "") -> str:
    return f"/guichet/{question.reference}/publication{more}"


def form_of(page: str) -> dict[str, object]:
    """What a browser sends of the form as it stands."""
    form = page[page.index('<form class="publish"') :]
    sent: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        at = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if at.get("type") in ("radio", "checkbox") and "checked" not in tag:
            continue
        if at.get("type") == "checkbox":
            sent.setdefault(at["name"], []).append(at["value"])  # type: ignore[attr-defined]
        elif "name" in at:
            sent[at["name"]] = html.unescape(at.get("value", ""))
    for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', form, re.S):
        sent[name] = html.unescape(text).lstrip("\r\n")
    return sent | {"months": "24"}


def sent(house, client, question: Question, geste: str, **changes: object):
    fields = form_of(client.get(url(question) + "?modifier=1").text) | changes
    return house.post(client, url(question), **(fields | {"geste": geste}))


def held(house, question: Question) -> Publication:
    return house.parts.publications.get(question.id)


def publish(house, question: Question, *, client: FlaskClient | None = None, **changes: object) -> str:
    client = client or house.client(Role.ANSWERER)
    sent(house, client, question, "publier", **changes)
    kept = held(house, question)
    if left := publish_work.work(house.parts, question).doubts:
        changes |= {f"decision-{d.key}": "remplacer" for d in left}
        sent(house, client, question, "publier", **changes)
        kept = held(house, question)
    assert kept.record, kept
    house.parts.sync()
    return kept.record


def public(
    house, body: str, *, access: str = "public", title: str = "Qui paie ?", now: datetime = NOW
) -> str:
    """An answer made public without any page; its record."""
    question = answered(house, body)
    copy = Copy(title=title, text="Une association demande.", body=body, access=access, themes=("T08",))
    made = house.parts.publications
    kept = made.prepare(question.id, copy, 0, person=house.people[Role.ANSWERER], now=now)
    uri = house.parts.thesaurus.by_code("T08").uri
    record = made.publish(question.id, kept.version, published_text.pages(copy), [uri], person=1, now=now)
    house.parts.sync()
    return record


def test_the_fields_begin_replaced_and_what_was_replaced_is_listed_with_its_place(house) -> None:
    page = house.client(Role.ANSWERER).get(url(answered(house))).text
    fields = form_of(page)
    for field in ("title", "text", "body"):
        assert "Zobda" not in str(fields[field])
        assert "0696" not in str(fields[field])
    assert "[téléphone]" in str(fields["text"])
    assert "<mark>0696 12 34 56</mark>" in page
    assert "Zobda</mark>" in page


def test_a_person_publishes_with_one_click_when_all_is_sure(house) -> None:
    question = answered(house)
    record = publish(house, question, title="Qui finance un jardin partagé ?")
    page = house.client().get(f"/notice/{record}")
    assert page.status_code == 200
    assert "Qui finance un jardin partagé ?" in page.text
    for text in (
        page.text,
        house.client().get(f"/notice/{record}.json").text,
        house.client().get("/questions.atom").text,
    ):
        assert "Zobda" not in text
        assert "0696" not in text
    found = house.client().get("/recherche?q=jardin+finance&type=question").text
    assert f'href="{record_url(record)}?q=' in found
    assert page_url(record, 1) not in found
    assert house.parts.desk.get(question.id).state is QuestionState.PUBLISHED


def test_nothing_is_published_while_something_is_undecided_whatever_the_form_says(house) -> None:
    question, client = answered(house), house.client(Role.ANSWERER)
    fields = form_of(client.get(url(question)).text)
    undecided = {name: text for name, text in fields.items() if not name.startswith("decision-")}
    response = house.post(client, url(question), **(undecided | {"geste": "publier"}))
    assert response.status_code == 303
    kept = held(house, question)
    assert (kept.record, kept.stage) == (None, Stage.DRAFT)
    assert "à décider" in client.get(url(question)).text
    assert house.parts.store.find("question", question.reference) == ()


def test_a_name_typed_into_the_text_is_found_before_it_is_published(house) -> None:
    question, client = answered(house), house.client(Role.ANSWERER)
    sent(house, client, question, "publier", body="Appelez Mme Nathalie Larcher au 0696 98 76 54.")
    assert held(house, question).record is None
    page = client.get(url(question)).text
    assert "0696 98 76 54" in page


def test_what_is_found_after_publish_was_asked_for_is_to_be_decided_and_nothing_says_otherwise(house) -> None:
    question, client = answered(house), house.client(Role.ANSWERER)
    assert "Tout est décidé" in client.get(url(question)).text
    sent(house, client, question, "publier", body="Appelez Mme Nathalie Larcher.")
    page = client.get(url(question)).text
    assert "des passages restent à décider" in page
    assert "Tout est décidé" not in page
    [larcher] = publish_work.work(house.parts, question).doubts
    assert f"decision-{larcher.key}" not in form_of(page)


def test_a_title_of_nothing_but_replacements_is_not_published_and_what_was_typed_stays(house) -> None:
    question, client = answered(house), house.client(Role.ANSWERER)
    response = sent(house, client, question, "publier", title="M. [une personne]", text="Autrement dit ?")
    assert response.status_code == 400
    assert "écrivez une question claire" in response.text
    assert form_of(response.text)["text"] == "Autrement dit ?"


def test_the_author_of_a_cited_work_is_published_with_one_click(house) -> None:
    id = house.parts.store.new_id("vc")
    agents = (Agent("Occolier, Ghislaine"),)
    house.parts.store.save(
        Record(id=id, title="Les jardins partagés", agents=agents), [Page(1, "Un jardin.")]
    )
    body = f"Ghislaine Occolier le montre bien ([Les jardins](/notice/{id}))."
    assert publish_work.cited_authors(house.parts, body) == CITED
    question, client = answered(house, body), house.client(Role.ANSWERER)
    page = client.get(url(question)).text
    assert "auteur d’un document cité" in page
    sent(house, client, question, "publier")
    assert held(house, question).record
    assert held(house, question).body.startswith("Ghislaine Occolier")


def test_what_is_kept_on_purpose_is_published_and_only_its_digest_is_remembered(house) -> None:
    question, client = (
        answered(house, "Voyez M. Jean Dupont, maire, au 0696 11 22 33."),
        house.client(Role.ANSWERER),
    )
    doubts = publish_work.work(house.parts, question).doubts
    keep = {f"decision-{d.key}": "garder" for d in doubts}
    sent(house, client, question, "publier", **keep)
    kept = held(house, question)
    assert kept.record is not None
    assert "0696 11 22 33" in kept.body
    assert {d.key for d in doubts} <= kept.kept
    assert not any("Dupont" in key or "0696" in key for key in kept.kept)
    assert publish_work.undecided(house.parts, kept) == 0
    fields = form_of(client.get(url(question)).text)
    assert {fields[f"decision-{d.key}"] for d in doubts if d.words in kept.body} == {"garder"}
    again = {f"decision-{d.key}": "remplacer" for d in doubts}
    sent(house, client, question, "enregistrer", **again)
    assert "0696 11 22 33" not in held(house, question).body
    assert not held(house, question).kept & {d.key for d in doubts}


def test_without_consent_only_the_staff_may_read_it(house) -> None:
    question, client = answered(house, consent=False), house.client(Role.ANSWERER)
    page = client.get(url(question)).text
    assert "pas donné son accord" in page
    assert form_of(page)["access"] == "staff"
    refused = sent(house, client, question, "publier", access="public")
    assert refused.status_code == 400
    record = publish(house, question)
    for visitor in (house.client(), house.client(Role.CENTRE), house.client(Role.MEMBER)):
        assert visitor.get(f"/notice/{record}").status_code == 404
        assert visitor.get(f"/notice/{record}/page/1").status_code == 404
        assert record not in visitor.get("/recherche.json?type=question").text
        assert record not in visitor.get("/questions.atom").text
    assert house.client(Role.LIBRARIAN).get(f"/notice/{record}").status_code == 200
    changed = house.post(house.client(Role.LIBRARIAN), f"/notice/{record}/acces", access="public")
    assert changed.status_code == 400
    assert house.parts.store.get(record).access == "staff"


def test_another_type_does_not_open_what_its_asker_did_not_agree_to(house) -> None:
    record = publish(house, answered(house, consent=False))
    store, librarian = house.parts.store, house.client(Role.LIBRARIAN)
    store.save(dataclasses.replace(store.get(record), type="rapport"))
    changed = house.post(librarian, f"/notice/{record}/acces", access="public")
    assert changed.status_code == 400
    assert house.client().get(f"/notice/{record}").status_code == 404


def test_what_was_withdrawn_comes_back_by_no_former_state_of_its_record(house) -> None:
    question = answered(house, "La ville.")
    record = publish(house, question)
    house.post(house.client(Role.ANSWERER), url(question, "/retirer"))
    librarian = house.client(Role.LIBRARIAN)
    last = house.parts.versions.of(record, 1)[0].number
    for _ in ("withdrawn", "published elsewhere"):
        back = house.post(librarian, f"/notice/{record}/revenir", version=str(last), updated="")
        assert back.status_code == 400
        assert house.client().get(f"/notice/{record}").status_code == 404
        assert publish(house, question) != record


def test_who_agrees_no_more_is_read_by_the_staff_only(house) -> None:
    question, other = answered(house, "La ville."), answered(house, "Le bailleur.")
    record, open_one = publish(house, question), publish(house, other)
    asked = Asked(text=question.text, themes=question.themes, consent=False)
    house.parts.desk.change(question.id, question.version, asked)
    assert "passe à l’équipe seule" in house.client(Role.ANSWERER).get(url(question)).text
    nightly.nightly(house.parts)
    assert house.client().get(f"/notice/{record}").status_code == 404
    assert house.client(Role.ANSWERER).get(f"/notice/{record}").status_code == 200
    assert house.client().get(f"/notice/{open_one}").status_code == 200
    assert house.parts.publications.restrict() == 0


def test_who_is_not_of_the_desk_sees_no_copy_in_preparation(house) -> None:
    question = answered(house)
    sent(house, house.client(Role.ANSWERER), question, "enregistrer")
    for role in (Role.VISITOR, Role.MEMBER, Role.LIBRARIAN, Role.AUDITOR, Role.CENTRE):
        client = house.client(role)
        for path in (url(question), url(question, ".json"), url(question, "/retirer"), "/guichet/a-revoir"):
            assert client.get(path).status_code in (303, 401, 403), (role, path)
        assert house.post(client, url(question), geste="publier").status_code in (303, 401, 403)
        assert house.post(client, url(question, "/revue"), months="6").status_code in (303, 401, 403)
    assert held(house, question).stage is Stage.DRAFT


def test_two_who_write_at_once_lose_nothing(house) -> None:
    question, client = answered(house), house.client(Role.ANSWERER)
    mine = form_of(client.get(url(question)).text)
    sent(house, client, question, "enregistrer", title="La première ?")
    response = house.post(client, url(question), **(mine | {"title": "La mienne ?", "geste": "enregistrer"}))
    assert response.status_code == 409
    assert "La mienne ?" in response.text
    assert held(house, question).title == "La première ?"
    again = form_of(response.text)
    assert house.post(client, url(question), **(again | {"geste": "enregistrer"})).status_code == 303
    assert held(house, question).title == "La mienne ?"


def test_what_is_not_right_is_shown_again_with_what_was_typed_and_decided(house) -> None:
    question, client = answered(house), house.client(Role.ANSWERER)
    [phone] = [d for d in publish_work.work(house.parts, question).doubts if d.kind == "phone"]
    response = sent(
        house,
        client,
        question,
        "publier",
        title=" ",
        text="Autrement [téléphone]",
        **{f"decision-{phone.key}": "garder"},
    )
    assert response.status_code == 400
    fields = form_of(response.text)
    assert fields["text"] == "Autrement [téléphone]"
    assert fields[f"decision-{phone.key}"] == "garder"


def test_before_the_answer_left_the_page_says_so_and_publishes_nothing(house) -> None:
    question, client = (
        house.parts.desk.receive(Asked(text="Une aide ?", consent=True), None),
        house.client(Role.ANSWERER),
    )
    page = client.get(url(question)).text
    assert "pas encore envoyée" in page
    assert 'value="publier"' not in page
    assert sent(house, client, question, "publier", body="Oui.").status_code == 409
    assert house.parts.store.find("question", question.reference) == ()


def test_themes_become_subjects_and_codes_that_are_unknown_are_told(house) -> None:
    question = answered(house)
    client = house.client(Role.ANSWERER)
    record = publish(house, question, themes=["T08", "T-INCONNU"], client=client)
    assert "T-INCONNU" in client.get(url(question)).text
    thesaurus = house.parts.thesaurus
    assert [thesaurus.get(s.concept).code for s in house.parts.store.get(record).subjects] == ["T08"]
    assert house.client().get("/recherche.json?type=question&theme=T08").json["total"] >= 1


def test_proposed_themes_say_why(house) -> None:
    question = answered(house, "La gestion urbaine de proximité, ou GUP, se fait avec le bailleur social.")
    page = house.client(Role.ANSWERER).get(url(question, ".json")).json
    ticks = {tick["label"]: tick for tick in page["ticks"]}
    assert ticks["Gestion urbaine de proximité"]["reasons"]
    code = house.parts.thesaurus.by_code("T08").label
    assert ticks[code]["checked"]


def test_the_second_reader_publishes_or_sends_back(house, monkeypatch) -> None:
    parts = house.parts
    strict = Publications(parts.store, parts.desk, centre="vc", name="Ville Caraïbe", second_reader=True)
    monkeypatch.setitem(parts.__dict__, "publications", strict)
    question = answered(house, "La ville le finance.")
    mine, other = house.client(Role.ANSWERER), house.client(Role.DIRECTOR)
    sent(house, mine, question, "relire", text="Qui paie ?", title="Qui paie ?")
    assert held(house, question).stage is Stage.TO_READ
    version = str(held(house, question).version)
    assert question.reference in mine.get("/guichet/a-revoir").text
    assert 'value="publier"' not in mine.get(url(question)).text
    assert (
        house.post(
            mine, url(question, "/relecture"), geste="publier", version=version, months="24"
        ).status_code
        == 400
    )
    back = house.post(
        other, url(question, "/relecture"), geste="renvoyer", version=version, months="24", why=""
    )
    assert back.status_code == 400
    house.post(
        other, url(question, "/relecture"), geste="renvoyer", version=version, months="24", why="Trop long"
    )
    assert held(house, question).stage is Stage.DRAFT
    assert [note.text for note in parts.desk.notes(question.id)] == ["Trop long"]
    sent(house, mine, question, "relire")
    version = str(held(house, question).version)
    house.post(other, url(question, "/relecture"), geste="approuver", version=version, months="24")
    assert held(house, question).stage is Stage.READ
    assert held(house, question).record is None
    house.post(mine, url(question, "/relecture"), geste="publier", version=version, months="6")
    kept = held(house, question)
    assert kept.record is not None
    assert kept.reader == house.people[Role.DIRECTOR]


def test_no_second_reader_is_asked_before_the_answer_left_nor_told_wrong_afterwards(
    house, monkeypatch
) -> None:
    parts = house.parts
    strict = Publications(parts.store, parts.desk, centre="vc", name="Ville Caraïbe", second_reader=True)
    monkeypatch.setitem(parts.__dict__, "publications", strict)
    mine, other = house.client(Role.ANSWERER), house.client(Role.DIRECTOR)
    texts = {"title": "Qui paie ?", "text": "Qui paie ?", "body": "La ville le finance."}
    waiting = parts.desk.receive(Asked(text="Une aide ?", consent=True), None)
    assert sent(house, mine, waiting, "relire", **texts).status_code == 409
    assert strict.to_read(10) == ()
    question = answered(house)
    sent(house, mine, question, "relire", **texts)
    parts.desk.move(question.id, QuestionState.IN_HAND)
    version = str(held(house, question).version)
    house.post(other, url(question, "/relecture"), geste="publier", version=version, months="24")
    page = other.get(url(question)).text
    assert "a changé entre-temps" not in page
    assert held(house, question).record is None


def test_an_answer_is_withdrawn_after_a_question(house) -> None:
    question = answered(house, "La ville.")
    record = publish(house, question)
    client = house.client(Role.ANSWERER)
    assert "Retirer la réponse" in client.get(url(question, "/retirer")).text
    assert house.client().get(f"/notice/{record}").status_code == 200
    house.post(client, url(question, "/retirer"))
    assert house.client().get(f"/notice/{record}").status_code == 404
    assert client.get(url(question)).status_code == 200
    assert client.get(url(question, "/retirer")).status_code == 303


# -- the page of an answer


def test_the_page_shows_the_question_the_answer_and_its_sources_with_their_pages(house, cited) -> None:
    body = f"Oui.\n\n> Le jardin est ouvert à tous\n>\n> — [Les jardins](/notice/{cited.id}/page/1)"
    record = public(house, body)
    page = house.client().get(f"/notice/{record}").text
    assert '<figure class="quotation">' in page
    assert f'href="{page_url(cited.id, 1)}"' in page
    assert "Poser une question" in page
    assert "Une association demande." in page
    back = house.client().get(f"/notice/{cited.id}").text
    assert "Cité dans" in back
    assert f'href="{record_url(record)}"' in back


def test_while_another_version_is_prepared_the_public_reads_the_one_that_is_public(house) -> None:
    record = public(house, "La première réponse.")
    kept = house.parts.publications.of_record(record)
    copy = Copy(title="Autre titre ?", text="Autre question", body="La seconde réponse.")
    house.parts.publications.prepare(kept.question, copy, kept.version, person=1)
    page = house.client().get(f"/notice/{record}").text
    assert "La première réponse." in page
    assert "seconde" not in page
    assert "Autre" not in page


def test_a_source_that_a_reader_may_not_see_is_neither_in_the_list_nor_cites_it(house, cited) -> None:
    house.parts.store.save(dataclasses.replace(cited, access="staff", title="Note secrète"))
    record = public(house, f"Oui, [voir](/notice/{cited.id}).")
    assert "Note secrète" not in house.client().get(f"/notice/{record}").text
    assert "NOTE SECRÈTE" in house.client(Role.ANSWERER).get(f"/notice/{record}").text.upper()
    kept = public(
        house, f"Oui, [voir](/notice/{house.records['public']}).", access="staff", title="Pour nous ?"
    )
    page = f"/notice/{house.records['public']}"
    assert kept
    assert "Pour nous ?" not in house.client().get(page).text
    assert "Pour nous ?" in house.client(Role.ANSWERER).get(page).text


def test_an_answer_that_is_read_on_the_spot_only_is_not_shown_elsewhere(house) -> None:
    record = public(house, "Le secret.")
    house.parts.store.save(dataclasses.replace(house.parts.store.get(record), access="onsite"))
    assert "Le secret" not in house.client().get(f"/notice/{record}").text
    assert "Le secret" not in house.client().get(f"/notice/{record}.json").text


def test_a_record_of_this_type_that_came_from_elsewhere_has_the_ordinary_page(house) -> None:
    id = house.parts.store.new_id("vc")
    house.parts.store.save(Record(id=id, title="Importée ?", type="question"), [Page(1, "Oui.")])
    page = house.client().get(f"/notice/{id}")
    assert page.status_code == 200
    assert "QAPage" not in page.text


def test_what_machines_read_cannot_end_its_element(house) -> None:
    record = public(house, "Oui.", title="</script><script>alert(1)</script> ?")
    page = house.client().get(f"/notice/{record}").text
    [said] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    told = json.loads(said)
    assert told["@type"] == "QAPage"
    assert told["mainEntity"]["name"] == "</script><script>alert(1)</script> ?"
    assert told["mainEntity"]["acceptedAnswer"]["text"] == "Oui."
    assert "<script>alert" not in page


def test_the_feed_is_well_formed_and_says_only_what_is_public(house) -> None:
    shown = public(house, "Pour tous & <b>toutes</b>.\x0b", title="Ouverte à <tous> ?")
    hidden = public(house, "Pour nous.", access="network", title="Fermée ?")
    response = house.client(Role.DIRECTOR).get("/questions.atom")
    assert response.mimetype == "application/atom+xml"
    space = {"a": "http://www.w3.org/2005/Atom"}
    top = ET.fromstring(response.data)
    entries = {entry.findtext("a:title", "", space): entry for entry in top.findall("a:entry", space)}
    assert "Fermée ?" not in entries
    entry = entries["Ouverte à <tous> ?"]
    assert entry.findtext("a:id", "", space).endswith(record_url(shown))
    assert datetime.fromisoformat(entry.findtext("a:updated", "", space))
    assert hidden not in response.text
    assert 'href="/questions.atom"' in house.client().get("/questions").text


# -- to look at again


def reasons(house, record: str, now: datetime = NOW) -> list[Why]:
    kept = house.parts.publications.of_record(record)
    return [reason.why for reason in reviewing_answers.reasons(house.parts, kept, now)]


def quoting(cited: Record) -> str:
    return f"> Le jardin est ouvert à tous\n>\n> — [Les jardins](/notice/{cited.id}/page/1)"


def test_an_answer_whose_sources_stand_has_no_reason(house, cited) -> None:
    assert reasons(house, public(house, quoting(cited))) == []


def test_a_quotation_that_left_its_page_is_noticed(house, cited) -> None:
    record = public(house, quoting(cited))
    house.parts.store.save(cited, [Page(1, "Tout autre chose est écrit ici.")])
    assert reasons(house, record) == [Why.QUOTE_GONE]


def test_a_source_that_is_deleted_or_merged_is_noticed(house, cited) -> None:
    record = public(house, f"Voir [Les jardins](/notice/{cited.id}).")
    house.parts.store.delete(cited.id)
    assert reasons(house, record) == [Why.SOURCE_GONE]
    assert merging.redirected(house.parts.store.database, cited.id) is None


def test_what_holds_is_not_asked_again_until_something_changes(house, cited) -> None:
    record = public(house, quoting(cited))
    question = house.parts.publications.of_record(record).question
    house.parts.store.save(cited, [Page(1, "Tout autre chose est écrit ici.")])
    assert reviewing_answers.notice_all(house.parts, NOW) >= 1
    assert house.parts.publications.get(question).review_why == (Why.QUOTE_GONE,)
    house.parts.publications.reviewed(question, person=1)
    reviewing_answers.notice_all(house.parts, NOW)
    assert reasons(house, record) == []
    house.parts.store.save(house.parts.store.get(cited.id), [Page(1, "Et encore autre chose.")])
    reviewing_answers.notice_all(house.parts, NOW)
    assert house.parts.publications.get(question).review_why == (Why.QUOTE_GONE,)


def test_pages_of_a_work_on_paper_are_not_missed(house) -> None:
    id = house.parts.store.new_id("vc")
    house.parts.store.save(Record(id=id, title="Sur papier", call_number="A 12"))
    assert reasons(house, public(house, f"Voir [Sur papier, p. 12](/notice/{id}/page/12).")) == []


def test_a_scheme_that_ended_is_noticed_by_title_and_themes_and_not_by_a_mention(house) -> None:
    assert reasons(house, public(house, "Oui.", title="Que devient le CUCS ?")) == [Why.SCHEME_ENDED]
    assert reasons(house, public(house, "Comme jadis dans le CUCS.", title="Que faire ?")) == []
    record = public(house, "Oui.", title="Un contrat urbain de cohésion sociale ?")
    question = house.parts.publications.of_record(record).question
    house.parts.publications.reviewed(question, person=1)
    assert reasons(house, record) == []


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2014", "2014-12-31"),
        ("2014-02", "2014-02-28"),
        ("2016-02", "2016-02-29"),
        ("2014-06-03", "2014-06-03"),
        ("2014-02-30", "2014-02-28"),
        ("2014-13", "2014-12-31"),
    ],
)
def test_what_ends_in_a_year_or_a_month_ends_on_its_last_day(end: str, last: str) -> None:
    assert reviewing_answers.last_day(end).isoformat() == last


def test_the_list_says_why_in_words_and_an_answer_that_holds_leaves_it(house, cited) -> None:
    record = public(house, quoting(cited), title="Un jardin ouvert à qui ?")
    kept = house.parts.publications.of_record(record)
    house.parts.store.save(cited, [Page(1, "Tout autre chose est écrit ici.")])
    reviewing_answers.notice_all(house.parts, NOW)
    client, reference = house.client(Role.ANSWERER), house.parts.desk.get(kept.question).reference
    page = client.get("/guichet/a-revoir").text
    assert "Un jardin ouvert à qui" in page
    assert "Citation qui n’est plus dans sa page" in page
    house.post(client, f"/guichet/{reference}/publication/revue", months="6")
    assert "Un jardin ouvert à qui" not in client.get("/guichet/a-revoir").text
    again = house.parts.publications.get(kept.question)
    assert again.review_on is not None
    assert (again.review_on - NOW.date()).days in range(175, 190)
    assert "revue le" in house.client().get(f"/notice/{record}").text


def test_an_answer_comes_back_on_its_day(house) -> None:
    record = public(house, "Oui.", now=NOW - timedelta(days=800))
    assert Why.OLD in reasons(house, record)
    assert house.parts.publications.count_to_review(NOW.date()) >= 1


def test_all_answers_that_cite_a_document_are_named(house, cited) -> None:
    for _ in range(2):
        public(house, f"Voir [Les jardins](/notice/{cited.id}).")
    found = answer_page.citing(house.parts, house.parts.store, cited.id)
    assert len(found) == 2


def test_a_page_names_the_answers_that_cite_it_and_not_those_that_cite_another(house, cited) -> None:
    house.parts.store.save(cited, [Page(1, "Un."), Page(2, "Deux.")])
    public(house, f"Voir [Les jardins, p. 2](/notice/{cited.id}/page/2).", title="Qui lit la page deux ?")
    assert "Qui lit la page deux" in house.client().get(f"/notice/{cited.id}/page/2").text
    assert "Qui lit la page deux" not in house.client().get(f"/notice/{cited.id}/page/1").text
