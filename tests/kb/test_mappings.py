"""Mappings of columns under a name."""

from __future__ import annotations

import pytest

from kb.audit import Action, Trail, Wanted
from kb.connection import Database
from kb.errors import InvalidValue, NotFound
from kb.mappings import Mappings
from kb.rows import Columns, guess

HEADINGS = ("Titre", "Couleur", "Cote")
COLUMNS = Columns(("title", None, "call_number"), HEADINGS)


@pytest.fixture
def mappings(database: Database, trail: Trail) -> Mappings:
    return Mappings(database, trail)


def test_a_mapping_is_kept_under_its_name_without_its_guesses(mappings: Mappings, trail: Trail) -> None:
    assert mappings.save("  Fonds  ancien ", guess(HEADINGS, [])) == "Fonds ancien"
    assert mappings.get("Fonds ancien") == COLUMNS
    line = trail.lines(Wanted())[0]
    assert (line.action, line.object) == (Action.MAPPING_SAVED, "correspondance:Fonds ancien")
    assert (line.before, line.after) == (None, {"Titre": "title", "Cote": "call_number"})


def test_a_mapping_saved_again_takes_the_place_of_the_former(mappings: Mappings, trail: Trail) -> None:
    mappings.save("Fonds", COLUMNS)
    mappings.save("Fonds", COLUMNS)
    assert len(trail.lines(Wanted())) == 1
    changed = Columns(("title", "notes", None), HEADINGS)
    mappings.save("Fonds", changed)
    assert (mappings.names(), mappings.get("Fonds")) == (("Fonds",), changed)
    line = trail.lines(Wanted())[0]
    assert line.before == {"Titre": "title", "Cote": "call_number"}
    assert line.after == {"Titre": "title", "Couleur": "notes"}


def test_names_come_as_a_french_reader_sorts_them(mappings: Mappings) -> None:
    for name in ("Zone", "école", "Dons"):
        mappings.save(name, COLUMNS)
    assert mappings.names() == ("Dons", "école", "Zone")


def test_the_same_headings_find_the_mapping_that_was_saved_last(mappings: Mappings) -> None:
    assert mappings.matching(HEADINGS) is None
    mappings.save("Un", COLUMNS)
    changed = Columns(("title", "notes", None), HEADINGS)
    mappings.save("Deux", changed)
    assert mappings.matching(HEADINGS) == ("Deux", changed)
    said = (" TITRE", "couleur", "Coté ")
    assert mappings.matching(said) == ("Deux", Columns(changed.names, said))
    for other in (HEADINGS[:2], (*HEADINGS, ""), HEADINGS[::-1], ()):
        assert mappings.matching(other) is None


def test_a_mapping_that_was_deleted_is_gone(mappings: Mappings, trail: Trail) -> None:
    mappings.save("Fonds", COLUMNS)
    mappings.delete("Fonds")
    line = trail.lines(Wanted())[0]
    assert (line.action, line.after) == (Action.MAPPING_DELETED, None)
    assert mappings.names() == ()
    for act in (mappings.get, mappings.delete):
        with pytest.raises(NotFound):
            act("Fonds")
    assert trail.lines(Wanted())[0].seq == line.seq


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("", COLUMNS),
        (" ", COLUMNS),
        ("x" * 121, COLUMNS),
        ("a\x00b", COLUMNS),
        ("Fonds", Columns(("notes",), ("Titre",))),
        ("Fonds", Columns(("title",))),
    ],
)
def test_what_cannot_be_used_is_refused(
    name: str, columns: Columns, mappings: Mappings, trail: Trail
) -> None:
    with pytest.raises(InvalidValue):
        mappings.save(name, columns)
    assert (mappings.names(), trail.lines(Wanted())) == ((), [])
