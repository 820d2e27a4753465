"""What UNIMARC of others says, and what ours says to others. Round trips: test_marc_round_trips.py."""

from __future__ import annotations

from typing import Any

import pytest

from kb import unimarc
from kb.errors import InvalidRecord
from kb.iso2709 import Field
from kb.records import Agent, Copy, Record

LEADER = "00000nam0 2200000   450 "


def field(tag: str, said: str, indicators: str = "  ") -> Field:
    """A field of "$aTitre$esuite"."""
    return Field(tag, "", tuple((part[0], part[1:]) for part in said.split("$")[1:]), indicators)


def read(*fields: Field, leader: str = LEADER) -> dict[str, Any]:
    return unimarc.from_unimarc(leader, [field("200", "$aUn titre"), *fields])


def written(record: Record, **more: Any) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for one in unimarc.to_unimarc(record, **more)[1]:
        found.setdefault(one.tag, []).append(one)
    return found


def test_a_record_without_a_title_is_refused() -> None:
    assert not unimarc.is_unimarc([field("300", "$aNote")])
    with pytest.raises(InvalidRecord):
        unimarc.from_unimarc(LEADER, [field("300", "$aNote")])


def test_signs_of_isbd_at_the_end_are_not_said() -> None:
    said = unimarc.from_unimarc(
        LEADER, [field("200", "$aTitre /$h3,"), field("210", "$aParis :$cCentre,$dDL 2009")]
    )
    assert (said["title"], said["issue"], said["place"], said["publisher"]) == (
        "Titre",
        "3",
        "Paris",
        "Centre",
    )


def test_extent_has_illustrations_and_what_goes_with_it() -> None:
    assert read(field("215", "$a84 p.$cill.$d24 cm$e1 carte"))["extent"] == "84 p. : ill. ; 24 cm + 1 carte"


def test_agents_keep_the_order_of_the_record_and_their_roles() -> None:
    found = read(
        field("710", "$aVille$bService urbain$4070"),
        field("700", "$aRoy,$bLéa$4070"),
        field("702", "$aNoir$4727"),
        field("702", "$aBlanc$4340"),
    )
    assert found["agents"] == (
        Agent("Ville. Service urbain", "author", "body"),
        Agent("Roy, Léa"),
        Agent("Noir", "contributor"),
        Agent("Blanc", "editor"),
    )


def test_who_is_responsible_is_noted_when_only_the_title_page_tells() -> None:
    responsible = unimarc.from_unimarc(LEADER, [field("200", "$aTitre$fpar Léa Roy")])
    assert responsible["notes"] == ("Responsabilité\u00a0: par Léa Roy",)


def test_a_thesis_keeps_its_note() -> None:
    found = read(field("328", "$bThèse$cUrbanisme$ePau$d2009"))
    assert (found["type"], found["notes"]) == ("these", ("Thèse : Urbanisme : Pau : 2009",))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("$kA$rmm$oexclu du prêt", "onsite"),
        ("$kA$rconsultation sur place", "onsite"),
        ("$kA$op", "available"),
    ],
)
def test_the_status_of_a_copy_is_in_either_place(said: str, status: str) -> None:
    assert read(field("995", said))["copies"] == (Copy("A", status=status),)


def test_a_host_whose_fields_are_embedded_is_known() -> None:
    found = read(field("463", "$1001VC98$12001 $aÉvaluer$v2$1215  $ap. 3-9"))
    assert found["hosts"] == (("record", "VC98"), ("title", "Évaluer"))
    assert found["host_pages"] == "3-9"


def test_subjects_of_all_kinds_are_key_words() -> None:
    found = read(
        field("600", "$aCésaire$bAimé$xPolitique"),
        field("601", "$aAnru"),
        field("606", "$aÉcole$jStatistiques$yMartinique$2rameau"),
        field("610", "$aun$adeux"),
    )
    assert found["keywords"] == (
        "Césaire, Aimé -- Politique",
        "Anru",
        "École -- Statistiques -- Martinique",
        "un",
        "deux",
    )


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ([Field("001", "12"), field("801", "$aFR$bVC")], "VC/12"),
        ([Field("001", "12")], "12"),
        ([field("035", "$a(OCoLC)34"), field("801", "$aFR$bVC")], "OCoLC/34"),
        ([field("035", "$a34"), field("801", "$aFR$bVC")], "VC/34"),
        ([], None),
    ],
)
def test_the_number_in_the_source_has_its_agency(fields: list[Field], number: str | None) -> None:
    assert read(*fields).get("identifiers", {}).get("record") == number


def test_identifiers_of_other_kinds_are_kept() -> None:
    found = read(field("017", "$a10.1234/x$2doi"), field("073", "$a9782070612390"))
    assert found["identifiers"] == {"isbn": "9782070612390", "doi": "10.1234/x"}


@pytest.mark.parametrize(("code", "tag"), [("fre", "fr"), ("jpn", "ja"), ("freeng", "fr"), ("mis", "mis")])
def test_languages_become_tags(code: str, tag: str) -> None:
    assert read(field("101", f"$a{code}"))["language"] == tag


def test_ours_is_readable_by_others() -> None:
    record = Record(
        id="ville-caraibe:12",
        title="Évaluer",
        type="article-cahier",
        agents=(Agent("Roy, Léa"), Agent("Ville Caraïbe", "publisher", "body")),
        date="2010-06",
        host_pages="11-27",
        copies=(Copy("EVA 1", "97201", "Salle", "lent"),),
        extent="84 p. : ill. ; 24 cm",
        identifiers={"record": "VC/12"},
    )
    host = Record(id="ville-caraibe:9", title="Cahier 3", identifiers={"isbn": "9782070612390"})
    found = written(record, host=host)
    assert found["001"] == [Field("001", "VC/12")]
    assert found["100"][0].first("a") == "        d2010    k  y0frey50      ba"
    assert len(found["100"][0].first("a") or "") == 36
    assert found["200"] == [field("200", "$aÉvaluer$fLéa Roy", "1 ")]
    assert found["215"] == [field("215", "$a84 p.$cill.$d24 cm")]
    assert found["463"] == [field("463", "$0ville-caraibe/9$tCahier 3$pp. 11-27$y9782070612390", " 1")]
    assert found["608"] == [field("608", "$aArticle de Cahier$2carbet")]
    assert found["700"] == [field("700", "$aRoy$bLéa$4070", " 1")]
    assert found["712"] == [field("712", "$aVille Caraïbe$4650", "02")]
    assert found["801"][0] == field("801", "$aFR$bVC", " 0")
    assert found["801"][1] == field("801", "$aFR$bville-caraibe$2carbet", " 3")
    assert found["995"] == [field("995", "$cSalle$f97201$kEVA 1$oprêté")]
    assert unimarc.to_unimarc(record)[0][5:8] == "naa"


def test_a_part_of_a_periodical_is_linked_to_the_whole() -> None:
    host = Record(id="a:9", title="Revue", type="periodique", identifiers={"issn": "0317-8471"})
    link = written(Record(id="a:1", title="Article"), host=host)["461"][0]
    assert (link.first("t"), link.first("x")) == ("Revue", "0317-8471")


def test_the_form_that_another_catalogue_adds_to_ours_does_not_change_its_type() -> None:
    leader, fields = unimarc.to_unimarc(Record(id="a:1", title="T", type="guide"))
    assert unimarc.from_unimarc(leader, [field("608", "$aThèse$2rameau"), *fields])["type"] == "guide"
