"""Dublin Core, both ways."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given

from kb import dublincore
from kb.errors import InvalidRecord
from kb.formats import Fields, Notice
from kb.records import Agent, Record
from tests.kb.notices import notices, told


def read(xml: str) -> Fields:
    values: dict[str, list[str]] = {}
    for element in ElementTree.fromstring(xml):
        values.setdefault(element.tag.rpartition("}")[2], []).append(element.text or "")
    return dublincore.from_dublin_core(values)


def held(notice: Notice) -> dict[str, object]:
    """What Dublin Core holds of a notice."""
    record = notice.record
    fields = told(notice, "copies", "place", "host_pages", "subtitle")
    fields["title"] = f"{record.title} : {record.subtitle}" if record.subtitle else record.title
    roles = {"author": "author", "editor": "contributor", "contributor": "contributor"}
    agents = [
        Agent(agent.name, roles[agent.role], "person" if "," in agent.name else "body")
        for agent in sorted(record.agents, key=lambda agent: agent.role != "author")
    ]
    return fields | ({"agents": tuple(agents)} if agents else {})


@given(notices)
def test_dublin_core_reads_back_equal(notice: Notice) -> None:
    assert read(dublincore.oai_dc(notice)) == held(notice)


def test_what_xml_cannot_hold_is_left_out() -> None:
    record = Record(id="c:1", title="a\x0b<b> & \ud800c", abstract="1 < 2\n]]>")
    assert read(dublincore.oai_dc(Notice(record))) == {
        "title": "a<b> & c",
        "type": "document",
        "language": "fr",
        "abstract": "1 < 2\n]]>",
        "identifiers": {"record": "c/1"},
    }


def test_values_of_others_find_their_place() -> None:
    fields = dublincore.from_dublin_core(
        {
            "title": ["  Un\n titre "],
            "alternative": ["bilan"],
            "creator": ["Roy, Léa", "Ville Caraïbe", ""],
            "date": ["s. d.", "2012-03-12T10:00:00Z"],
            "type": ["Text", "info:eu-repo/semantics/article"],
            "language": ["fre"],
            "format": ["application/pdf", "12 p."],
            "identifier": [
                *("urn:ISBN:2-07-061239-2", "ISSN 2325-9671", "https://doi.org/10.1000/ab", "https://a.fr"),
                *("oai:a.fr:12", "oai:a.fr:13", "ISBN 123"),
            ],
            "description": ["Un résumé.", "Une remarque."],
            "isPartOf": ["Un livre"],
            "rights": ["libre"],
        }
    )
    assert fields == {
        "title": "Un titre",
        "subtitle": "bilan",
        "type": "article",
        "agents": (Agent("Roy, Léa"), Agent("Ville Caraïbe", kind="body")),
        "date": "2012-03-12",
        "language": "fr",
        "extent": "12 p.",
        "abstract": "Un résumé.",
        "notes": ("Une remarque.",),
        "identifiers": {
            "isbn": "9782070612390",
            "issn": "2325-9671",
            "doi": "10.1000/ab",
            "url": "https://a.fr",
            "record": "oai:a.fr:12",
        },
        "hosts": (("title", "Un livre"),),
    }


@pytest.mark.parametrize(
    ("said", "type"),
    [
        ("Guide méthodologique", "guide"),
        ("http://purl.org/dc/dcmitype/MovingImage", "audiovisuel"),
        ("Moving Image", "audiovisuel"),
        ("doctoral thesis", "these"),
        ("Text", "document"),
    ],
)
def test_types_in_many_words(said: str, type: str) -> None:
    assert dublincore.from_dublin_core({"title": ["T"], "type": [said]})["type"] == type


def test_a_description_without_title_is_refused() -> None:
    with pytest.raises(InvalidRecord):
        dublincore.from_dublin_core({"creator": ["Roy, Léa"]})
