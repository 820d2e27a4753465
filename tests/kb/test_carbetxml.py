"""Whole records as XML, for other Carbet centres."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from kb.carbetxml import NAMESPACE, SCHEMA, checked, concepts_named, from_xml, to_xml
from kb.errors import InvalidRecord
from kb.records import Evidence, Page, Record, Subject
from kb.sharing import Shared
from tests.kb.travelling import FULL, shared

BEFORE = Evidence(1, -1, 3, "x")
LABELS = {"https://x/T02": ('Observation "locale"', "themes"), "https://x/T05": ("Habitat", "")}
SMALL = to_xml(Record(id="a:1", title="Un titre"))


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMA))


def written(what: Shared) -> bytes:
    return to_xml(what.record, what.pages, LABELS).encode()


def read(text: str) -> Shared:
    return from_xml(text.encode())


@given(shared)
@example(FULL)
@example(Shared(Record(id="a:1", title="fin ]]> suite <![CDATA[ &amp; &#13;")))
def test_a_record_survives_and_keeps_the_schema(schema, what: Shared):
    content = written(what)
    assert from_xml(content) == what
    schema.assertValid(etree.fromstring(content))


@given(shared, st.text(st.characters(), max_size=20))
def test_what_xml_cannot_hold_is_left_out_and_the_rest_stays(schema, what: Shared, noise: str):
    noisy = dataclasses.replace(what.record, title=f"un{noise}titre", keywords=(noise,))
    content = to_xml(noisy, [Page(1, noise, None)]).encode()
    schema.assertValid(etree.fromstring(content))
    kept = "".join(c for c in noise if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    kept = kept.encode("utf-8", "ignore").decode()
    back = from_xml(content)
    assert (back.record.title, back.record.keywords) == (f"un{kept}titre", (kept,))
    assert back.pages[0].text == kept


def test_it_is_read_as_an_element_inside_of_another_answer():
    answer = etree.fromstring(b"<metadata>" + written(FULL) + b"</metadata>")
    assert from_xml(answer[0]) == FULL


def test_a_prefix_a_declaration_and_a_byte_order_mark_change_nothing():
    head = f'<c:record xmlns:c="{NAMESPACE}" id="a:1" type="guide" access="public">'
    text = f"{head}<c:title>é</c:title></c:record>"
    for content in (text, '<?xml version="1.0" encoding="UTF-8"?>\n' + text, "\ufeff" + text):
        assert read(content).record == Record(id="a:1", title="é", type="guide")


def test_what_a_later_version_adds_is_passed_over():
    text = written(FULL).decode().replace('type="guide"', 'type="guide" colour="red"')
    text = text.replace("<title>Observer", "<future><title>non</title></future><!-- rien --><title>Observer")
    text = text.replace("quartiers</title>", "<em>tous</em>quartiers<!-- rien --></title>", 1)
    text = text.replace("<evidence", '<x:title xmlns:x="urn:x">non</x:title><evidence', 1)
    text = text.replace("</page>", "<line/></page>", 1)
    assert read(text) == FULL
    assert from_xml(etree.fromstring(text)) == FULL


def test_concepts_are_named_for_those_who_lack_them():
    assert concepts_named(written(FULL)) == LABELS
    assert concepts_named(to_xml(FULL.record).encode()) == {}


def test_a_path_of_this_machine_and_raw_text_never_go_out():
    record = dataclasses.replace(FULL.record, source="/srv/canari/guide.pdf")
    text = to_xml(record, [Page(1, "propre", raw="canari")])
    assert "canari" not in text
    assert read(text).record.source is None


def test_times_come_back_in_utc_whatever_their_zone():
    assert read(
        SMALL.replace(' type="', ' created="2026-01-02T03:00:00-04:00" type="')
    ).record.created == datetime(2026, 1, 2, 7, tzinfo=UTC)
    naive = Record(id="a:1", title="x", updated=datetime(2026, 1, 2))
    assert read(to_xml(naive)).record.updated == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("field", ["id", "type", "access"])
def test_what_must_be_there_is_named_when_it_is_not(field: str):
    element = etree.fromstring(SMALL)
    del element.attrib[field]
    with pytest.raises(InvalidRecord) as caught:
        from_xml(element)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("<title>Observer les quartiers</title>", "", "title"),
        ("<title>Observer les quartiers</title>", "<title> </title>", "title"),
        ("<title>", "<title>un</title><title>", "title"),
        ('id="ville-caraibe:12"', 'id="../12"', "id"),
        ('id="ville-caraibe:12"', 'id="ville-caraibe:١٢"', "id"),
        ('id="ville-caraibe:12"', f'id="a:{"1" * 5000}"', "id"),
        ('type="guide"', 'type="roman"', "type"),
        ('access="network"', 'access="everybody"', "access"),
        ("2011-06", "juin 2011", "date"),
        ("2011-06", "٢٠١١", "date"),
        ("ville-caraibe:3", "ville-caraibe:12", "host"),
        ("ville-caraibe:3", "ailleurs", "host"),
        ("https://exemple.fr/guide", "javascript:alert(1)", "source"),
        ("https://exemple.fr/guide", "/etc/passwd", "source"),
        ('score="0.8"', 'score="NaN"', "subjects"),
        ('score="0.8"', 'score="1.5"', "subjects"),
        ('score="0.8"', 'score="fort"', "subjects"),
        ('origin="machine"', 'origin="moi"', "subjects"),
        ('state="refused"', 'state="peut-être"', "subjects"),
        ('concept="https://x/T02"', 'concept=""', "subjects"),
        ('start="0"', 'start="-1"', "subjects"),
        ('start="0"', "", "subjects"),
        ('size="10"', 'size="1e1"', "files"),
        ('size="10"', 'size="9999999999999999999"', "files"),
        ("a" * 64, "../" + "a" * 61, "files"),
        ('number="2"', 'number="3"', "pages"),
        ('number="1"', 'number="0"', "pages"),
        ('quality="scan"', 'quality="neuf"', "pages"),
        ('recognised="0.5"', 'recognised="inf"', "pages"),
        ('grade="0.9"', 'grade="-0.9"', "pages"),
        ('label="i"', f'label="{"i" * 41}"', "pages"),
        ('created="2026', 'created="hier', "created"),
        ('updated="2026-01-02T03:04:05.000678Z"', 'updated="0001-01-01T00:00:00+14:00"', "updated"),
        ("/record/1", "/record/2", "record"),
        ("<record ", "<notice ", "record"),
        ("</title>", "</titre>", "record"),
        ("<title>", "<title>&rien;", "record"),
    ],
)
def test_a_bad_field_is_named(before: str, after: str, field: str):
    text = written(FULL).decode()
    assert before in text
    with pytest.raises(InvalidRecord) as caught:
        read(text.replace(before, after, 1))
    assert caught.value.field == field


BOMB = '<!DOCTYPE record [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE record [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE, '<!DOCTYPE record SYSTEM "http://exemple.fr/x.dtd">'])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_no_document_type_is_heard(head: str, charset: str):
    content = (head + SMALL.replace("Un titre", "&a;")).encode(charset)
    with pytest.raises(InvalidRecord):
        from_xml(content)


def test_a_document_type_is_refused_even_when_nothing_uses_it():
    with pytest.raises(InvalidRecord):
        read(OUTSIDE + SMALL)


def test_a_declaration_hides_no_document_type():
    hidden = (OUTSIDE + SMALL.replace("Un titre", "&a;")).encode("utf-7").replace(b"<", b"+ADw-")
    with pytest.raises(InvalidRecord):
        from_xml(b'<?xml version="1.0" encoding="utf-7"?>' + hidden)


def test_an_entity_in_an_element_of_another_parser_is_refused():
    parser = etree.XMLParser(resolve_entities=False)
    element = etree.fromstring(OUTSIDE + SMALL.replace("Un titre", "Un &a; titre"), parser)
    with pytest.raises(InvalidRecord) as caught:
        from_xml(element)
    assert caught.value.field == "title"


@pytest.mark.parametrize(
    "content", [b"", b"<", b"\xff\xfe", b"<record/>", b"PK\3\4", b"<a>" * 2000, b"\0", "é".encode("latin-1")]
)
def test_what_is_no_record_is_said(content: bytes):
    with pytest.raises(InvalidRecord) as caught:
        from_xml(content)
    assert caught.value.field == "record"


@given(st.binary(max_size=60), st.integers(0, len(written(FULL))))
def test_bytes_put_anywhere_are_refused_by_name_or_read(noise: bytes, place: int):
    content = written(FULL)
    try:
        back = from_xml(content[:place] + noise + content[place:])
    except InvalidRecord:
        return
    assert back == checked(back)


def test_a_long_document_is_read_whole():
    pages = tuple(Page(number, "mot & mot " * 400) for number in range(1, 3001))
    assert from_xml(to_xml(FULL.record, pages).encode()).pages == pages


def test_what_is_asked_is_asked_of_values_too():
    for bad in (
        Shared(Record(id="a:" + "1" * 19, title="x")),
        Shared(Record(id="a:1", title="x", source="C:\\docs")),
        Shared(Record(id="a:1", title="x", subjects=(Subject(concept="https://x/T", score=float("nan")),))),
        Shared(Record(id="a:1", title="x", subjects=(Subject(concept="u", evidence=(BEFORE,)),))),
        Shared(Record(id="a:1", title="x"), (Page(2, "seconde"),)),
    ):
        with pytest.raises(InvalidRecord):
            checked(bad)
    assert checked(FULL) is FULL
