"""Files of records: UNIMARC and CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import marc, tables
from ingest.drafts import Draft
from kb.errors import Reason, UnreadableDocument
from kb.records import Agent, Copy

Inbox = Callable[[str, bytes | str], Path]

BOOK = (
    ("001", "VCB1"),
    ("010", "  $a978-2-07-061239-0$bbr."),
    ("100", "  $a20100110d2009    k  y0frey50      ba"),
    ("101", "0 $afre"),
    ("200", "1 $a\u0098L'\u009cévaluation partagée /$emanuel$fMaryse Aubéry"),
    ("210", "  $aFort-de-France$cVille Caraïbe$dDL 2009"),
    ("215", "  $a84 p.$d24 cm"),
    ("225", "0 $aGuides pratiques$v3"),
    ("330", "  $aUn manuel."),
    ("606", "1 $aMédiation sociale"),
    ("606", "1 $aÉcole$yMartinique"),
    ("610", "0 $aatelier"),
    ("700", " 1$aAubéry,$bMaryse$4070"),
    ("702", " 1$aRoy$bLéa$4340"),
    ("710", "02$aVille Caraïbe$4650"),
    ("801", " 0$aFR$bVC"),
    ("995", "  $f972001$kEVA 1$rconsultation sur place"),
    ("995", "  $f972002$kEVA 1"),
)


def test_the_fields_of_unimarc_find_their_place(make: Any, inbox: Inbox) -> None:
    (draft,) = marc.read(inbox("a.mrc", make.unimarc(*BOOK)))
    assert (draft.title, draft.subtitle, draft.type) == ("L'évaluation partagée", "manuel", "ouvrage")
    assert draft.agents == (
        Agent("Aubéry, Maryse"),
        Agent("Roy, Léa", "editor"),
        Agent("Ville Caraïbe", "publisher", "body"),
    )
    assert (draft.date, draft.language, draft.publisher) == ("2009", "fr", "Ville Caraïbe")
    assert (draft.place, draft.series, draft.issue) == ("Fort-de-France", "Guides pratiques", "3")
    assert (draft.extent, draft.abstract) == ("84 p. ; 24 cm", "Un manuel.")
    assert draft.keywords == ("Médiation sociale", "École -- Martinique", "atelier")
    assert dict(draft.identifiers) == {"isbn": "9782070612390", "record": "VC/VCB1"}
    assert draft.call_number == "EVA 1"
    assert draft.copies == (Copy("EVA 1", "972001", None, "onsite"), Copy("EVA 1", "972002"))


def test_a_part_knows_the_ways_to_its_host(make: Any, inbox: Inbox) -> None:
    article = (
        ("200", "1 $aUn article"),
        ("463", " 0$0VCB98$tÉvaluer$vn° 2$ppp. 11-27"),
        ("608", "  $aArticle de Cahier"),
    )
    (draft,) = marc.read(inbox("a.mrc", make.unimarc(*article, leader="naa  22")))
    assert draft.hosts == (("record", "VCB98"), ("title", "Évaluer"))
    assert (draft.host_pages, draft.type) == ("11-27", "article-cahier")


@pytest.mark.parametrize(
    ("leader", "type"),
    [("nam  22", "ouvrage"), ("nas  22", "periodique"), ("naa  22", "chapitre"), ("nem  22", "carte")],
)
def test_the_leader_tells_the_type(leader: str, type: str, make: Any, inbox: Inbox) -> None:
    (draft,) = marc.read(inbox("a.mrc", make.unimarc(("200", "1 $aT"), leader=leader)))
    assert draft.type == type


def test_accents_written_apart_are_joined(make: Any, inbox: Inbox) -> None:
    (draft,) = marc.read(inbox("a.mrc", make.unimarc(("200", "1 $aE\u0301cole"))))
    assert draft.title == "École"


def test_one_bad_record_does_not_stop_the_others(make: Any, inbox: Inbox) -> None:
    good = make.unimarc(("200", "1 $aBon"))
    content = (
        good
        + make.unimarc(("200", "1 $aВойна и мир"), encoding="cp1251")
        + make.unimarc(("300", "  $aSans titre"))
        + good[:30]
        + b"\x1d"
        + b"garbage in the midst of all this, without any sense\x1d"
        + make.unimarc(("200", "1 $aBon aussi"))
        + b"\r\n"
    )
    drafts = list(marc.read(inbox("a.mrc", content)))
    assert [(draft.title, draft.place_in_file) for draft in drafts] == [
        ("Bon", "notice 1"),
        ("Bon aussi", "notice 6"),
    ]
    told = drafts[-1].warnings
    assert [warning.partition(" : ")[0] for warning in told] == [
        "notice 2",
        "notice 3",
        "notice 4",
        "notice 5",
    ]
    assert "jeu de caractères" in told[0]
    assert "sans titre" in told[1]


def test_a_wrong_length_in_a_leader_does_no_harm(make: Any, inbox: Inbox) -> None:
    record = make.unimarc(("200", "1 $aBon"))
    drafts = list(marc.read(inbox("a.mrc", b"00042" + record[5:] + record)))
    assert [draft.title for draft in drafts] == ["Bon", "Bon"]


def test_a_file_without_a_good_record_is_refused(make: Any, inbox: Inbox) -> None:
    path = inbox("a.mrc", make.unimarc(("200", "1 $aВойна и мир"), encoding="cp1251"))
    with pytest.raises(UnreadableDocument) as caught:
        list(marc.read(path))
    assert caught.value.reason is Reason.BAD_RECORDS


# -- CSV

HEAD = (
    "Cote;Titre;Sous-titre;Auteurs;Éditeur;Lieu;Année;Pages;ISBN;Collection;Résumé;Mots-clés;Type;Exemplaires"
)
ROW = (
    "PV 1.2;Le temps des projets;récits;Aubéry, Maryse / Lamonge, Gérard;Éditions;Paris;2003;174;"
    "2-07-061239-2;Ville;Douze récits.;métier / médiation sociale;Guide méthodologique;2"
)


def rows(path: Path) -> list[Draft]:
    return list(tables.read(path))


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_row_is_read_in_any_charset_and_separator(charset: str, separator: str, inbox: Inbox) -> None:
    text = f"{HEAD}\r\n{ROW}\r\n".replace(";", separator)
    (draft,) = rows(inbox("fonds.csv", text.encode(charset)))
    assert (draft.title, draft.subtitle, draft.type) == ("Le temps des projets", "récits", "guide")
    assert draft.agents == (Agent("Aubéry, Maryse"), Agent("Lamonge, Gérard"))
    assert (draft.date, draft.extent, draft.publisher, draft.place) == ("2003", "174 p.", "Éditions", "Paris")
    assert draft.keywords == ("métier", "médiation sociale")
    assert dict(draft.identifiers) == {"isbn": "9782070612390"}
    assert draft.copies == (Copy("PV 1.2"),) * 2
    assert draft.warnings == ()


def test_commas_may_part_cells_and_quotes_hold_them_together(inbox: Inbox) -> None:
    (draft,) = rows(inbox("f.csv", 'titre,auteurs\n"Vivre, habiter","Roy, Léa"\n'))
    assert (draft.title, draft.agents) == ("Vivre, habiter", (Agent("Roy, Léa"),))


def test_bad_rows_and_cells_are_told_with_their_line(inbox: Inbox) -> None:
    text = (
        "titre;année;isbn;type;couleur\nBon;2003;;;\n;2004;;;\nTrop;2005;;;;en;trop\n\n"
        'Deux\nlignes;2006;;;\n"Long\ntitre";hier;123;inconnu;bleu\n'
    )
    drafts = rows(inbox("f.csv", text))
    assert [draft.title for draft in drafts] == ["Bon", "Deux", "lignes", "Long titre"]
    assert drafts[-1].place_in_file == "ligne 8"
    assert drafts[-1].warnings == (
        "ligne 8 : date non reconnu(e) : « hier »",
        "ligne 8 : type de document non reconnu(e) : « inconnu »",
        "ligne 8 : ISBN non valable : « 123 »",
        "colonne « couleur » non reconnue : laissée de côté",
        "ligne 3 : pas de titre",
        "ligne 4 : 7 cellules pour 5 colonnes",
    )


def test_copies_come_from_bar_codes_numbers_or_the_cote(inbox: Inbox) -> None:
    rows_said = "A;C 1;;97201, 97202;\nB;C 2;3;;perdu\nC;;;;\nD;C 4;2019;;usé\n"
    text = "titre;cote;exemplaires;code-barres;état\n" + rows_said
    a, b, c, d = rows(inbox("f.csv", text))
    assert a.copies == (Copy("C 1", "97201"), Copy("C 1", "97202"))
    assert b.copies == (Copy("C 2", status="missing"),) * 3
    assert c.copies == ()
    assert d.copies == (Copy("C 4"),)
    assert "nombre d’exemplaires" in d.warnings[0]
    assert d.notes == ("État de l’exemplaire : usé",)


@pytest.mark.parametrize("text", ["nom;couleur\nA;B\n", "titre;cote\n", "titre\n;\n"])
def test_a_table_without_titles_is_refused(text: str, inbox: Inbox) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        rows(inbox("f.csv", text))
    assert caught.value.reason is Reason.BAD_RECORDS
