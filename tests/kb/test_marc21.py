"""What MARC 21 of others says, and what ours says to others. Round trips: test_marc_round_trips.py."""

from __future__ import annotations

from typing import Any

import pytest

from kb import marc21
from kb.errors import InvalidRecord
from kb.iso2709 import Field
from kb.records import Agent, Copy, Record

LEADER = "00000nam a2200000 i 4500"


def field(tag: str, said: str, indicators: str = "  ") -> Field:
    """A field of "$aTitle$bmore"."""
    return Field(tag, "", tuple((part[0], part[1:]) for part in said.split("$")[1:]), indicators)


def read(*fields: Field, leader: str = LEADER) -> dict[str, Any]:
    return marc21.from_marc21(leader, [*fields, field("245", "$aUn titre")])


def test_a_record_without_a_title_is_refused() -> None:
    assert not marc21.is_marc21([field("245", "$cLéa Roy")])
    with pytest.raises(InvalidRecord):
        marc21.from_marc21(LEADER, [field("500", "$aNote")])


def test_the_punctuation_of_isbd_is_not_said() -> None:
    found = marc21.from_marc21(
        LEADER,
        [
            field("100", "$aRoy, L.,$d1960-"),
            field("245", "$aLes quartiers :$bhistoire et actualité /$cLéa Roy.", "10"),
            field("260", "$aParis :$bCentre,$c2009."),
            field("300", "$a84 p. :$bill. ;$c24 cm."),
            field("490", "$aVilles ;$v3"),
            field("650", "$aÉcoles publiques$zFrance.", " 4"),
        ],
    )
    assert (found["title"], found["subtitle"]) == ("Les quartiers", "histoire et actualité")
    assert found["agents"] == (Agent("Roy, L."),)
    assert (found["place"], found["publisher"], found["date"]) == ("Paris", "Centre", "2009")
    assert (found["extent"], found["series"], found["issue"]) == ("84 p. : ill. ; 24 cm.", "Villes", "3")
    assert found["keywords"] == ("Écoles publiques -- France",)


def test_publication_is_not_taken_for_copyright() -> None:
    found = read(field("264", "$c2008", " 4"), field("264", "$aPau$bX$c2009", " 1"))
    assert (found["date"], found["place"]) == ("2009", "Pau")


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("$aRoy$4edt", "editor"),
        ("$aRoy,$etraducteur.", "contributor"),
        ("$aRoy", "author"),
        ("$aRoy$4ill", "contributor"),
    ],
)
def test_relators_are_roles(said: str, role: str) -> None:
    assert read(field("700", said))["agents"] == (Agent("Roy", role),)


def test_a_body_keeps_its_parts() -> None:
    assert read(field("110", "$aFrance.$bMinistère de la ville."))["agents"] == (
        Agent("France. Ministère de la ville", "author", "body"),
    )


@pytest.mark.parametrize(
    ("leader", "type"),
    [
        ("nam", "ouvrage"),
        ("nas", "periodique"),
        ("nab", "article"),
        ("naa", "chapitre"),
        ("nem", "carte"),
        ("ngm", "audiovisuel"),
    ],
)
def test_the_leader_tells_the_type(leader: str, type: str) -> None:
    assert read(leader=f"00000{leader} a2200000 i 4500")["type"] == type


def test_copies_are_those_of_the_standard_or_of_koha() -> None:
    assert read(field("852", "$bSalle$hEVA$i1$p972"))["copies"] == (Copy("EVA 1", "972", "Salle"),)
    assert read(field("952", "$oEVA 1$p972$bVC"))["copies"] == (Copy("EVA 1", "972", "VC"),)
    assert read(field("852", "$hEVA 1"))["call_number"] == "EVA 1"


def test_a_part_tells_its_host_and_pages() -> None:
    found = read(field("773", "$tRevue.$gVol. 12, no 3 (2009), p. 11-27$w(VC)98$x0317-8471"))
    assert found["hosts"] == (("record", "VC/98"), ("issn", "0317-8471"), ("title", "Revue"))
    assert found["host_pages"] == "11-27"


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ([Field("001", "12"), Field("003", "VC")], "VC/12"),
        ([Field("001", "12"), field("040", "$aA$cB")], "B/12"),
        ([Field("001", "12")], "12"),
        ([field("035", "$a(OCoLC)34")], "OCoLC/34"),
    ],
)
def test_the_number_in_the_source_has_its_agency(fields: list[Field], number: str) -> None:
    assert read(*fields)["identifiers"]["record"] == number


def test_date_and_language_are_found_in_the_coded_field() -> None:
    found = read(Field("008", f"100101s2009    fr {'|' * 17}jpn d"))
    assert (found["date"], found["language"]) == ("2009", "ja")


def test_ours_is_readable_by_others() -> None:
    record = Record(
        id="ville-caraibe:12",
        title="Évaluer",
        type="guide",
        agents=(Agent("Roy, Léa"), Agent("Ville Caraïbe", "publisher", "body")),
        date="2010-06",
        copies=(Copy("EVA 1", "97201", "Salle", "lent"),),
        keywords=("atelier",),
    )
    leader, fields = marc21.to_marc21(record)
    found = {one.tag: one for one in fields}
    assert (leader[5:10], len(leader)) == ("nam a", 24)
    assert found["001"].data == "ville-caraibe/12"
    assert len(found["008"].data) == 40
    assert (found["008"].data[7:11], found["008"].data[35:38]) == ("2010", "fre")
    assert found["100"] == field("100", "$aRoy, Léa$4aut", "1 ")
    assert found["245"] == field("245", "$aÉvaluer$cLéa Roy", "00")
    assert found["264"] == field("264", "$c2010-06", " 1")
    assert found["653"] == field("653", "$aatelier")
    assert found["655"] == field("655", "$aGuide méthodologique$2carbet", " 7")
    assert found["710"] == field("710", "$aVille Caraïbe$4pbl", "2 ")
    assert found["852"] == field("852", "$bSalle$hEVA 1$p97201$zprêté", "8 ")
