"""Cells of a spreadsheet, both ways, and what its columns seem to hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from kb.errors import InvalidRecord
from kb.formats import Notice
from kb.headings import COLUMN_NAMES
from kb.records import Agent, Copy, Record
from kb.rows import EXPORTED, SURE, Columns, from_row, guarded, guess, known_headings, to_row
from tests.kb.notices import notices, told

ALL = Columns(EXPORTED, tuple(COLUMN_NAMES[name] for name in EXPORTED))


@given(notices)
def test_a_row_reads_back_equal(notice: Notice) -> None:
    fields, warnings = from_row(ALL, to_row(notice))
    assert fields == told(notice)
    assert warnings == []


@given(notices)
def test_no_cell_is_a_formula(notice: Notice) -> None:
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in to_row(notice))


@pytest.mark.parametrize("title", ["=1+1", "'=1+1", "''-2", "@nous", "-", "+33", "'", "'ici'"])
def test_what_looks_like_a_formula_comes_back_as_it_was(title: str) -> None:
    fields, _ = from_row(Columns(("title",)), [guarded(title)])
    assert fields["title"] == title


def test_headings_of_an_export_are_all_surely_known() -> None:
    columns = guess([COLUMN_NAMES[name] for name in EXPORTED], [])
    assert columns.names == EXPORTED
    assert all(one.confidence == 1 for one in columns.guesses)


def agents_of(cell: str) -> tuple[Agent, ...]:
    return from_row(Columns(("title", "agents")), ["T", cell])[0].get("agents", ())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Roy, Léa", [Agent("Roy, Léa")]),
        ("Roy, Léa\nAubéry, Maryse", [Agent("Roy, Léa"), Agent("Aubéry, Maryse")]),
        (
            "Roy, Léa (Dir.) ; Ville Caraïbe",
            [Agent("Roy, Léa", "editor"), Agent("Ville Caraïbe", kind="body")],
        ),
        ("Platon (personne)", [Agent("Platon")]),
        ("Villes, quartiers (collectivité, éditeur)", [Agent("Villes, quartiers", "publisher", "body")]),
        ("Roy, Léa (née en 1970)", [Agent("Roy, Léa (née en 1970)")]),
        (r"A \; B", [Agent("A ; B", kind="body")]),
        ("", []),
    ],
)
def test_agents_are_told_with_marks(cell: str, expected: list[Agent]) -> None:
    assert agents_of(cell) == tuple(expected)


@pytest.mark.parametrize(
    "agent",
    [
        Agent("Platon"),
        Agent("Villes, quartiers", "publisher", "body"),
        Agent("Roy, Léa (dir.)"),
        Agent("Groupe (collectivité)", "editor", "body"),
    ],
)
def test_an_agent_that_could_be_mistaken_is_marked(agent: Agent) -> None:
    row = to_row(Notice(Record(id="c:1", title="T", agents=(agent,))))
    assert from_row(ALL, row)[0]["agents"] == (agent,)


def test_several_columns_of_one_sort_go_together_in_order() -> None:
    columns = guess(["Titre", "Auteur 1", "Auteur 2", "Mot-clé 1", "Mot-clé 2"], [])
    assert columns.names == ("title", "agents", "agents", "keywords", "keywords")
    fields, _ = from_row(columns, ["T", "Roy, Léa", "Aubéry, Maryse", "ville", "lien social, école"])
    assert fields["agents"] == (Agent("Roy, Léa"), Agent("Aubéry, Maryse"))
    assert fields["keywords"] == ("ville", "lien social, école")


def test_lines_of_an_abstract_stay_and_those_of_a_title_do_not() -> None:
    fields, _ = from_row(Columns(("title", "abstract")), ["Un\r\ntitre", " a  b \r\nc "])
    assert (fields["title"], fields["abstract"]) == ("Un titre", "a b\nc")


def test_an_isbn_that_a_spreadsheet_spoilt_is_told_so() -> None:
    _, warnings = from_row(Columns(("title", "isbn")), ["T", "9,78207E+12"])
    assert warnings == ["ISBN non valable : « 9,78207E+12 » (nombre abrégé par le tableur)"]


def test_other_identifiers_and_the_host_have_their_columns() -> None:
    columns = Columns(("title", "identifiers", "doi", "host", "host_record"))
    fields, _ = from_row(
        columns, ["T", "ark=12148/x ; sans", "https://doi.org/10.1000/ab", "Un livre", "VC/3"]
    )
    assert fields["identifiers"] == {"ark": "12148/x", "doi": "10.1000/ab"}
    assert fields["hosts"] == (("record", "VC/3"), ("title", "Un livre"))


def test_copies_that_are_alike_are_a_number_and_others_are_told_in_full() -> None:
    def cell(*copies: Copy, cote: str | None = "C 1") -> str:
        row = to_row(Notice(Record(id="c:1", title="T", call_number=cote, copies=copies)))
        return row[EXPORTED.index("copies")]

    assert cell(Copy("C 1"), Copy("C 1")) == "2"
    assert cell() == "0"
    assert cell(cote=None) == ""
    assert cell(Copy("C 1", "97", None, "onsite")) == "[cote] C 1 [code] 97 [état] consultation sur place"


def test_a_row_without_title_or_too_long_is_refused() -> None:
    for cells in ([" "], ["T", "x"]):
        with pytest.raises(InvalidRecord):
            from_row(Columns(("title",)), cells)


# -- guesses


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("TITRE", "title"),
        ("Titre du document", "title"),
        ("Tittre principal", "title"),
        ("Publication Year", "date"),
        ("Mots-clefs", "keywords"),
        ("Editeurr", "publisher"),
        ("Résumé analytique", "abstract"),
        ("N° de notice", "record"),
        ("Nb. pages", "extent"),
        ("Auteur(s)", "agents"),
    ],
)
def test_headings_are_known_in_two_languages_and_with_mistakes(heading: str, name: str) -> None:
    [one] = guess([heading], []).guesses
    assert one.name == name
    assert one.confidence >= SURE


@pytest.mark.parametrize("heading", ["Couleur", "Date d’acquisition", "Date de saisie", "Ecrit", ""])
def test_other_headings_are_left_out(heading: str) -> None:
    columns = guess(["Titre", heading], [["A", "12/03/2010"]] * 9)
    assert columns.names[1] is None
    assert columns.unknown(["Titre", heading]) == ([heading] if heading else [])


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (["978-2-07-061239-0", "9782070612390", "2-07-061239-2"], "isbn"),
        (["2325-9671", "0317-8471", "1932-6203"], "issn"),
        (["1998", "2003", "[2010]", "2011"], "date"),
        (["Roy, Léa", "Aubéry, Maryse", "Lamonge, Gérard ; Roy, Léa"], "agents"),
        (["https://a.fr/b", "http://c.fr", "https://d.fr/?e=1"], "url"),
        (["Un texte. " * 30] * 3, "abstract"),
        (["1998", "vert", "bleu"], None),
        (["1998"], None),
    ],
)
def test_a_column_that_says_nothing_is_known_by_its_cells(cells: list[str], name: str | None) -> None:
    columns = guess(["Titre", "Colonne"], [["T", cell] for cell in cells])
    assert columns.names[1] == name
    assert columns.guesses[1].reason


def test_of_two_columns_the_surer_one_counts_and_the_other_is_told_why() -> None:
    columns = guess(["Tittre principal", "Titre"], [])
    assert columns.names == (None, "title")
    assert columns.guesses[0].reason == "la colonne « Titre » le dit déjà"


def test_a_heading_that_its_cells_belie_is_doubted() -> None:
    [_, one] = guess(["Titre", "ISBN"], [["T", "rouge"]] * 5).guesses
    assert one.confidence < SURE
    assert "aucune cellule n’est un ISBN" in one.reason


def test_a_line_of_headings_is_known_and_a_sentence_is_none() -> None:
    assert known_headings(["Cote", "Titre", "Auteur"]) == {"call_number", "title", "agents"}
    assert known_headings(["Titre " * 20, "Le catalogue du centre"]) == frozenset()


# -- JSON


def test_columns_cross_as_json() -> None:
    columns = guess(["Titre", "ISBN", "Couleur"], [["T", "x", "y"]] * 4)
    assert Columns.from_json(columns.to_json()) == columns
    assert Columns.from_json('{"names": ["title", null]}') == Columns(("title", None))


@pytest.mark.parametrize(
    "said",
    [
        "x",
        "[]",
        "{}",
        '{"names": "title"}',
        '{"names": ["colour"]}',
        '{"names": [3]}',
        '{"names": [["title"]]}',
        '{"names": [], "more": 1}',
        '{"names": [], "headings": [1]}',
        '{"names": [], "guesses": [{"name": null}]}',
        json.dumps({"names": [], "guesses": [{"name": None, "confidence": 2, "reason": ""}]}),
        "[" * 100_000,
    ],
)
def test_json_that_is_no_columns_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Columns.from_json(said)


def test_columns_without_titles_are_refused() -> None:
    with pytest.raises(InvalidRecord):
        Columns.of(["Auteur"])
