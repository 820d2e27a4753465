from __future__ import annotations

import pytest

from ingest.drafts import Draft
from ingest.frontmatter import (
    Line,
    Metadata,
    agent,
    agents_of_lines,
    agents_of_text,
    completed,
    date_of_lines,
    is_title,
    kind,
    title_of_lines,
    title_of_name,
)
from kb.records import Agent


@pytest.mark.parametrize(
    "title",
    [
        *("Microsoft Word - doc1.doc", "untitled", "Sans titre 2", "Présentation PowerPoint", "Document1"),
        *(
            "guide_v2_final.docx",
            "SCAN_20110324",
            "cnig-scan-150dpi",
            "",
            "()",
            "Mise en page 1",
            "rapport.indd",
        ),
        *("Diapositive 1", "20110324", "C:\\temp\\rapport"),
    ],
)
def test_titles_made_by_machines_are_not_believed(title: str) -> None:
    assert not is_title(title)


@pytest.mark.parametrize(
    "title", ["Standard CNIG SRU", "Faire vivre un CLSPD", "La jeunesse martiniquaise", "CUCS 2007-2009"]
)
def test_titles_that_people_give_are_believed(title: str) -> None:
    assert is_title(title)


def test_the_title_is_what_is_set_largest_over_several_lines() -> None:
    lines = [
        Line("GUIDE MÉTHODOLOGIQUE", 12),
        Line("La clause d’insertion dans les marchés", 26),
        Line("publics", 25.5),
        Line("Guide à l’usage des donneurs d’ordre", 14),
    ]
    assert title_of_lines(lines) == "La clause d’insertion dans les marchés publics"


def test_a_large_number_or_sign_is_no_title() -> None:
    assert (
        title_of_lines([Line("12", 60), Line("Rapport annuel du centre", 20)]) == "Rapport annuel du centre"
    )


def test_a_page_all_of_one_size_gives_its_first_line() -> None:
    assert (
        title_of_lines([Line(f"Ligne {letter} du texte", 11) for letter in "abcdefgh"]) == "Ligne a du texte"
    )


def test_a_long_first_line_of_unknown_size_is_no_title() -> None:
    assert title_of_lines([Line("Les habitants du quartier ont été consultés " * 4)]) is None


def test_the_beginning_of_a_paragraph_is_no_title() -> None:
    cut = "Le Centre de ressources, association des professionnels de la"
    assert title_of_lines([Line(cut), Line("Politique de la ville a trois ans.")]) is None
    assert title_of_lines([Line("Un titre court"), Line("Le texte suit.")]) == "Un titre court"


def test_a_file_name_is_made_readable() -> None:
    assert title_of_name("240305_Guide-GUP_v2.pdf") == "Guide GUP v2"
    assert title_of_name("rapport-2011-2013.txt") == "Rapport 2011-2013"
    assert title_of_name("___.pdf") == "___"


def test_people_are_named_family_first_and_bodies_as_they_are() -> None:
    assert agent("Gérald Valcin-Dorlis") == Agent("Valcin-Dorlis, Gérald")
    assert agent("DUPONT Jean-Marc") == Agent("Dupont, Jean-Marc")
    assert agent("Aubéry, Maryse") == Agent("Aubéry, Maryse")
    assert agent("Ville Caraïbe") == Agent("Ville Caraïbe", kind="body")
    assert agent("Ghislaine Petit-Frère Morvan (juriste)").name == "Petit-Frère Morvan, Ghislaine"
    assert agent("Ville Caraïbe (groupe de travail)").kind == "body"


def test_accounts_and_programs_are_no_authors() -> None:
    assert agents_of_text("user; Microsoft Office User; Administrateur; jdupont; Adobe Acrobat 9") == ()


@pytest.mark.parametrize(
    "said",
    [
        "Léa Roy ; Ville Caraïbe",
        "Léa Roy / Ville Caraïbe",
        "Léa Roy et Ville Caraïbe",
        "Léa Roy, Ville Caraïbe",
    ],
)
def test_authors_are_told_apart_whatever_stands_between(said: str) -> None:
    assert agents_of_text(said) == (Agent("Roy, Léa"), Agent("Ville Caraïbe", kind="body"))


@pytest.mark.parametrize(
    "lines",
    [
        ["Un titre", "par Josette Valmorin"],
        ["Un titre", "Auteure : Josette Valmorin"],
        ["AUTEURS", "Josette Valmorin", "DATE", "mars 2012"],
        ["Un titre", "Rédigé par : Josette Valmorin"],
    ],
)
def test_authors_are_found_on_a_first_page(lines: list[str]) -> None:
    assert agents_of_lines(lines) == (Agent("Valmorin, Josette"),)


def test_a_line_of_names_apart_gives_people_and_bodies_but_not_its_date() -> None:
    found = agents_of_lines(["Compte rendu", "Josette Valmorin · Ville Caraïbe · 3 juin 2010"])
    assert found == (Agent("Valmorin, Josette"), Agent("Ville Caraïbe", kind="body"))


def test_an_ordinary_sentence_names_nobody() -> None:
    assert agents_of_lines(["Réunion par visioconférence", "par la commune du Lamentin"]) == ()


@pytest.mark.parametrize(
    ("lines", "date"),
    [
        (["Guide", "Juin 2011"], "2011-06"),
        (["Compte rendu de la séance du 3 juin 2010"], "2010-06-03"),
        (["IGN Manuel opérateur 02/03/2023"], "2023-03-02"),
        (["(version projet final – août 2022)"], "2022-08"),
        (["Rapport d’activité 2010", "Mars 2011"], "2011-03"),
        (["Rapport", "2009"], "2009"),
        (["Au sens de la loi du 21 février 2014", "Bilan"], None),
        (["Rapport d’activité 2010"], None),
        (["Horizon", "2095"], None),
    ],
)
def test_the_date_is_the_one_printed_as_such(lines: list[str], date: str | None) -> None:
    assert date_of_lines(lines) == date


def test_no_document_is_dated_after_its_file_was_made() -> None:
    assert date_of_lines(["Projet", "juin 2014"], latest="2011-02-01") is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Guide méthodologique – Guides Ville Caraïbe", "guide"),
        ("Cahier des charges d’une formation", "cahier-des-charges"),
        ("Cahiers Ville Caraïbe n° 1", "cahier"),
        ("COMPTE RENDU", "compte-rendu"),
        ("Étude sur le décrochage", "etude"),
        ("Appel à projets 2017", "appel"),
        ("Circulation du public", "document"),
        ("Circulaire relative au FIPD", "texte-officiel"),
        ("La ville", "document"),
    ],
)
def test_the_kind_is_read_at_the_beginning(said: str, code: str) -> None:
    assert kind(said) == code


def test_metadata_win_when_they_can_be_believed() -> None:
    metadata = Metadata(title="Un vrai titre", authors="Léa Roy", made="2012-03-15", keywords="a b; c d")
    draft = completed(Draft(), metadata, [Line("Autre chose", 20), Line("Juin 2011", 10)], "fichier.pdf")
    assert (draft.title, draft.agents, draft.date) == ("Un vrai titre", (Agent("Roy, Léa"),), "2011-06")
    assert draft.keywords == ("a b", "c d")
    assert dict(draft.found) == {"title": "metadata", "agents": "metadata", "date": "first page"}


def test_the_file_name_is_the_last_resort() -> None:
    draft = completed(Draft(), Metadata(title="Microsoft Word - x.doc"), [], "note_sur_la_gup.pdf")
    assert (draft.title, draft.found["title"]) == ("Note sur la gup", "file name")


def test_a_subject_may_tell_the_collection_and_its_number() -> None:
    draft = completed(
        Draft(), Metadata(subject="Fiche d’expérience – Fiches d’expérience n°\u00a04"), [], "x.pdf"
    )
    assert (draft.type, draft.series, draft.issue) == ("fiche", "Fiches d’expérience", "4")
