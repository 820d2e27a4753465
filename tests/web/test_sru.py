"""SRU over the demonstration fund: what is found is held against the records themselves, what is answered
against a schema."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st
from lxml import etree

import corpus
from kb import config as settings
from kb import french
from kb.accounts import Role
from kb.errors import InvalidRecord
from kb.formats import Notice
from kb.records import TYPES, Record
from search import cql
from search.diagnostics import MESSAGES, Diagnostic
from search.engine import Hit
from search.finder import find
from search.indexing import entry
from search.memory import MemoryEngine
from search.query import Request
from web import create_app, sru, sru_xml
from web.sru_xml import MOST, Answer, Packed, Schema

_PLACES = count(1)
ZS = "{http://www.loc.gov/zing/srw/}"
DIAG = "{http://www.loc.gov/zing/srw/diagnostic/}"
ZR = "{http://explain.z3950.org/dtd/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
MARC = "{http://www.loc.gov/MARC21/slim}"

_STRING, _COUNT, _PLACE = "xs:string", "xs:nonNegativeInteger", "xs:positiveInteger"


def _fields(*named: tuple[str, str, int]) -> str:
    some = "".join(f'<xs:element name="{n}" type="{t}" minOccurs="{least}"/>' for n, t, least in named)
    return f"<xs:sequence>{some}</xs:sequence>"


def _type(name: str, inner: str) -> str:
    return f'<xs:complexType name="{name}">{inner}</xs:complexType>'


# What the schemas of SRU 1.1 and 1.2 say of the order, the number and the types of elements.
_SRU = f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{ZS[1:-1]}" targetNamespace="{ZS[1:-1]}"
    elementFormDefault="qualified">
  <xs:element name="searchRetrieveResponse" type="search"/>
  <xs:element name="explainResponse" type="explain"/>
  <xs:element name="scanResponse" type="scan"/>
  {
    _type(
        "search",
        _fields(
            ("version", _STRING, 1),
            ("numberOfRecords", _COUNT, 1),
            ("resultSetId", _STRING, 0),
            ("resultSetIdleTime", _PLACE, 0),
            ("records", "records", 0),
            ("nextRecordPosition", _PLACE, 0),
            ("echoedSearchRetrieveRequest", "echoed", 0),
            ("diagnostics", "foreign", 0),
            ("extraResponseData", "foreign", 0),
        ),
    )
}
  {_type("explain", _fields(("version", _STRING, 1), ("record", "record", 1), ("diagnostics", "foreign", 0)))}
  {_type("scan", _fields(("version", _STRING, 1), ("diagnostics", "foreign", 0)))}
  {
    _type(
        "record",
        _fields(
            ("recordSchema", _STRING, 1),
            ("recordPacking", _STRING, 1),
            ("recordData", "any", 1),
            ("recordIdentifier", _STRING, 0),
            ("recordPosition", _PLACE, 0),
            ("extraRecordData", "any", 0),
        ),
    )
}
  {
    _type(
        "echoed",
        _fields(
            ("version", _STRING, 1),
            ("query", _STRING, 1),
            ("startRecord", _PLACE, 0),
            ("maximumRecords", _COUNT, 0),
            ("recordPacking", _STRING, 0),
            ("recordSchema", _STRING, 0),
            ("recordXPath", _STRING, 0),
            ("resultSetTTL", _COUNT, 0),
            ("sortKeys", _STRING, 0),
            ("stylesheet", "xs:anyURI", 0),
        ),
    )
}
  <xs:complexType name="records"><xs:sequence>
    <xs:element name="record" type="record" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
  <xs:complexType name="any" mixed="true"><xs:sequence>
    <xs:any minOccurs="0" maxOccurs="unbounded" processContents="skip"/></xs:sequence></xs:complexType>
  <xs:complexType name="foreign"><xs:sequence>
    <xs:any namespace="##other" maxOccurs="unbounded" processContents="skip"/></xs:sequence></xs:complexType>
</xs:schema>"""
_DIAGNOSTIC = f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{DIAG[1:-1]}"
    elementFormDefault="qualified">
  <xs:element name="diagnostic"><xs:complexType>
    {_fields(("uri", "xs:anyURI", 1), ("details", _STRING, 0), ("message", _STRING, 0))}
  </xs:complexType></xs:element>
</xs:schema>"""
RESPONSES, DIAGNOSTICS = (etree.XMLSchema(etree.fromstring(text)) for text in (_SRU, _DIAGNOSTIC))


def checked_tree(text: str) -> etree._Element:
    """The response, if it is what the schemas say."""
    tree = etree.fromstring(text.encode())
    RESPONSES.assertValid(tree)
    for one in tree.iter(f"{DIAG}diagnostic"):
        DIAGNOSTICS.assertValid(etree.fromstring(etree.tostring(one)))
    return tree


def ask(client, **said) -> etree._Element:
    response = client.get("/sru", query_string=said)
    assert (response.status_code, response.content_type) == (200, "text/xml; charset=utf-8")
    return checked_tree(response.text)


def search(client, query: str, **said) -> etree._Element:
    return ask(client, **{"operation": "searchRetrieve", "version": "1.2", "query": query} | said)


def total(tree: etree._Element) -> int:
    return int(tree.findtext(f"{ZS}numberOfRecords"))


def ids(tree: etree._Element) -> list[str]:
    return [one.text for one in tree.iter(f"{ZS}recordIdentifier")]


def found(client, query: str) -> list[str]:
    """All that is found, page after page."""
    start, told = 1, []
    while start:
        tree = search(client, query, maximumRecords=MOST, startRecord=start)
        assert faults(tree) == []
        told += ids(tree)
        start = int(tree.findtext(f"{ZS}nextRecordPosition") or 0)
    assert len(told) == total(tree)
    return sorted(told)


def faults(tree: etree._Element) -> list[tuple[int, str]]:
    told = []
    for one in tree.iter(f"{DIAG}diagnostic"):
        number = int(one.findtext(f"{DIAG}uri").removeprefix("info:srw/diagnostic/1/"))
        assert one.findtext(f"{DIAG}message") == MESSAGES[number]
        told.append((number, one.findtext(f"{DIAG}details") or ""))
    return told


@pytest.fixture
def client(house):
    """Somebody who has asked nothing yet."""
    client = house.client()
    client.environ_base["REMOTE_ADDR"] = f"10.0.0.{next(_PLACES)}"
    return client


@pytest.fixture(scope="module")
def records(house) -> list[Record]:
    """What everybody may find."""
    held = (house.parts.store.get(id) for id in house.parts.store.ids())
    return [record for record in held if record.access in ("public", "onsite")]


# -- what is found


YOUTH, POLICY, DISTRICT = (french.term(word) for word in ("jeunesse", "politique", "quartier"))


def terms(text: str | None) -> list[str]:
    return [term for term in french.terms(text or "") if term]


def title(record: Record) -> list[str]:
    return terms(f"{record.title}\n{record.subtitle or ''}")


_EXPECTED = {
    "dc.title = jeunesse": lambda r: YOUTH in title(r),
    "dc.title = JEUNESSES": lambda r: YOUTH in title(r),
    'dc.title any "jeunesse quartier"': lambda r: {YOUTH, DISTRICT} & set(title(r)),
    'dc.title all "jeunesse politique"': lambda r: {YOUTH, POLICY} <= set(title(r)),
    "dc.title=jeunesse and dc.title=politique": lambda r: {YOUTH, POLICY} <= set(title(r)),
    "dc.title=jeunesse or dc.title=quartier": lambda r: {YOUTH, DISTRICT} & set(title(r)),
    "dc.title=jeunesse not dc.title=politique": (lambda r: YOUTH in title(r) and POLICY not in title(r)),
    "dc.date = 2010": lambda r: r.year == 2010,
    "dc.date < 2010": lambda r: r.year and r.year < 2010,
    "dc.date <= 2010": lambda r: r.year and r.year <= 2010,
    "dc.date > 2010": lambda r: r.year and r.year > 2010,
    "dc.date >= 2010": lambda r: r.year and r.year >= 2010,
    "dc.date <> 2010": lambda r: r.year != 2010,
    'dc.date within "2008 2010"': lambda r: r.year and 2008 <= r.year <= 2010,
    "dc.type = rapport": lambda r: r.type == "rapport",
    'dc.type any "rapport etude" and dc.title=quartier': (
        lambda r: r.type in ("rapport", "etude") and DISTRICT in title(r)
    ),
    "cql.allRecords = 1": lambda r: True,
}


@pytest.mark.parametrize("query", _EXPECTED)
def test_records_that_the_query_describes_are_found_and_no_others(client, records, query):
    expected = sorted(record.id for record in records if _EXPECTED[query](record))
    assert expected
    assert found(client, query) == expected


def test_author_subject_and_number_of_a_record_find_it(client, house, records):
    named = next(record for record in records if record.agents and record.agents[0].kind == "person")
    family, _, given = named.agents[0].name.partition(", ")
    assert named.id in found(client, f'dc.creator = "{given} {family}"')
    assert named.id in found(client, f'dc.creator exact "{named.agents[0].name}"')
    tagged = next(record for record in records if record.live_subjects)
    label = house.parts.thesaurus.get(tagged.live_subjects[0].concept).label
    assert tagged.id in ids(search(client, f'dc.subject = "{label}"', maximumRecords=MOST))
    assert found(client, f"dc.identifier = {records[0].id}") == [records[0].id]
    booked = next(record for record in records if "isbn" in record.identifiers)
    assert booked.id in found(client, f"bath.isbn = {booked.identifiers['isbn']}")


def test_exact_asks_for_the_whole_title(client, records):
    long = next(r for r in records if len(title(r)) > 3 and '"' not in r.title and not r.subtitle)
    assert long.id in found(client, f'dc.title exact "{long.title.upper()}"')
    part = " ".join(long.title.split()[:-1])
    assert long.id in found(client, f'dc.title adj "{part}"')
    assert long.id not in found(client, f'dc.title == "{part}"')
    assert long.id in ids(search(client, f'dc.title <> "{part}" and dc.identifier={long.id}'))
    assert found(client, f'dc.title <> "{long.title}" and dc.identifier={long.id}') == []


@pytest.fixture
def titled(house) -> Iterator[dict[str, list[str]]]:
    """Nine records with each of two titles, which is the whole one of 2 and of 7: their ids."""
    store, whole, made = house.parts.store, {"Zibeline rare": [], "Zibeline commune": []}, []
    for (title, ids), many in zip(whole.items(), (2, 7), strict=True):
        for number in range(9):
            made.append(store.new_id("ville-caraibe"))
            store.save(Record(id=made[-1], title=title if number < many else f"{title} {number}"))
        ids += sorted(made[-9:][:many])
    house.parts.sync()
    yield whole
    for id in made:
        store.delete(id)
    house.parts.sync()


def test_whole_values_are_found_whether_most_records_have_more_words_or_few(client, titled):
    for title, ids in titled.items():
        assert total(search(client, f'dc.title adj "{title}"')) == 9
        assert found(client, f'dc.title exact "{title.upper()}"') == ids
        others = found(client, f'dc.title = "{title}" and dc.title <> "{title}"')
        assert len(others) == 9 - len(ids)
        assert not {*others} & {*ids}


def test_records_that_are_too_many_to_be_named_are_refused(client, titled, monkeypatch):
    monkeypatch.setattr(sru, "MOST_NAMED", 1)
    assert found(client, "dc.title exact zibeline") == []
    assert faults(search(client, 'dc.title exact "zibeline rare"')) == [(59, str(sru.MOST_WHOLE))]


def test_records_that_are_looked_at_for_whole_values_are_counted_over_the_query(client, titled, monkeypatch):
    monkeypatch.setattr(sru, "MOST_WHOLE", 10)
    rare, common = 'dc.title exact "zibeline rare"', 'dc.title exact "zibeline commune"'
    assert len(found(client, rare)) == 2
    assert faults(search(client, f"{rare} or {common}")) == [(59, "10")]
    assert faults(search(client, "dc.title exact zibeline")) == [(59, "10")]


@pytest.mark.parametrize("typed", ["école", "ecoles", "médiation sociale", "habitants du quartier", "CUCS"])
def test_words_are_found_as_in_the_search_box(client, house, typed):
    engine = house.parts.engine
    box = engine.search(Request(query=find(typed, engine=engine).understood, limit=MOST))
    public = {hit.id for hit in box.hits} - {house.records["network"], house.records["staff"]}
    assert set(ids(search(client, f'"{typed}"', maximumRecords=MOST))) == public


def _judged() -> list[str]:
    lines = (corpus.FOLDER / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["query"] for line in lines]


def test_engine_of_the_fund_answers_as_the_one_that_is_plainly_right(client, house, records):
    right = MemoryEngine()
    with right.writer() as writer:
        for record in records:
            writer.put(entry(record, house.parts.store.pages(record.id), house.parts.thesaurus))
    words = sorted({word for query in _judged() for word in query.split() if word.isalpha() and terms(word)})
    for one, two in zip(words[::9], words[1::9], strict=False):
        for query in (f"{one} and {two}", f"({one} or {two}) not dc.title={one}", f"{one[:4]}* and {two}"):
            asked = cql.parse(query)
            expected = right.search(Request(query=asked.query, limit=MOST))
            tree = search(client, query, maximumRecords=MOST)
            assert total(tree) == expected.total, query
            assert set(ids(tree)) == {hit.id for hit in expected.hits} or expected.total > MOST


# -- who asks


def test_each_finds_what_may_go_out_to_it(house):
    def seen(role: Role) -> list[str]:
        some = house.records.items()
        client = house.client(role)
        return [access for access, id in some if ids(search(client, f"dc.identifier={id}"))]

    assert seen(Role.VISITOR) == ["public", "onsite"]
    assert seen(Role.CENTRE) == ["public", "network", "onsite"]
    assert "staff" not in seen(Role.LIBRARIAN)


def test_bad_key_is_refused(house):
    response = house.client().get("/sru", headers={"Authorization": "Bearer nothing"})
    assert response.status_code == 401


def test_requests_are_counted(house):
    person = house.parts.people.get(house.people[Role.AUDITOR])
    for _ in range(sru.SEARCHES.most):
        house.parts.limits.take(sru.SEARCHES, person.actor)
    response = house.client(Role.AUDITOR).get("/sru")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_nothing_is_sent_by_post(house):
    assert house.client().post("/sru", data={"query": "ville"}).status_code in (400, 405)


# -- pages of results


def test_pages_give_each_record_once(client, records):
    start, seen = 1, []
    while start:
        tree = search(client, "cql.allRecords=1 sortBy dc.date", startRecord=start, maximumRecords=37)
        places = [int(place.text) for place in tree.iter(f"{ZS}recordPosition")]
        assert places == list(range(start, start + len(places)))
        seen += ids(tree)
        start = int(tree.findtext(f"{ZS}nextRecordPosition") or 0)
    assert sorted(seen) == sorted(record.id for record in records)


def test_number_of_records_is_what_was_asked_within_the_limit(client):
    assert len(ids(search(client, "cql.allRecords=1"))) == sru_xml.DEFAULT
    assert len(ids(search(client, "cql.allRecords=1", maximumRecords=100_000))) == MOST
    counted = search(client, "cql.allRecords=1", maximumRecords=0)
    assert total(counted) > MOST
    assert counted.find(f"{ZS}records") is None
    assert counted.find(f"{ZS}nextRecordPosition") is None


def test_nothing_found_is_an_answer(client):
    tree = search(client, "dc.title=xyzzy")
    assert (total(tree), faults(tree), tree.find(f"{ZS}records")) == (0, [], None)


def test_results_are_sorted_by_the_query_or_by_the_parameter(client, records):
    by_id = {record.id: record for record in records}

    def dates(tree) -> list[str]:
        return [by_id[id].date for id in ids(tree) if by_id[id].date]

    newest = search(client, "dc.date>1000 sortBy dc.date/sort.descending", maximumRecords=30)
    assert dates(newest) == sorted(dates(newest), reverse=True)
    assert ids(search(client, "dc.date>1000", sortKeys="date,,0", maximumRecords=30)) == ids(newest)
    oldest = search(client, "dc.date>1000", sortKeys="date,dc,1,0,highValue", maximumRecords=30)
    assert faults(oldest) == []
    assert dates(oldest) == sorted(dates(oldest))
    both = search(client, "dc.date>1000 sortBy dc.date/sort.descending", sortKeys="title", maximumRecords=30)
    assert (ids(both), faults(both)) == (ids(newest), [(94, "")])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("date,marcxml", (87, "marcxml")),
        ("date,,2", (82, "date,,2")),
        ("title,,0", (90, "descending")),
        ("title,,1,1", (91, "respectcase")),
        ("date,,1,0,omit", (92, "missingomit")),
        ("creator", (88, "creator")),
        ("date title", (84, "1")),
    ],
)
def test_order_that_cannot_be_had_is_told_beside_the_records(client, keys, told):
    tree = search(client, "jeunesse", sortKeys=keys)
    assert faults(tree) == [told]
    assert ids(tree)


# -- records


def data(tree: etree._Element) -> list[etree._Element]:
    return [one[0] for one in tree.iter(f"{ZS}recordData")]


def test_dublin_core_says_what_the_record_says(client, records):
    record = next(r for r in records if r.date and r.agents and not r.subtitle and r.type == "rapport")
    (told,) = data(search(client, f"dc.identifier={record.id}"))
    assert told.tag == "{info:srw/schema/1/dc-schema}dc"
    assert [told.findtext(f"{DC}{name}") for name in ("title", "date", "type")] == [
        *(record.title, record.date, TYPES[record.type])
    ]


@pytest.mark.parametrize("name", ["marcxml", "unimarcxml", "info:srw/schema/1/marcxml-v1.1"])
def test_marcxml_is_unimarc(client, records, name):
    record = next(r for r in records if r.agents)
    tree = search(client, f"dc.identifier={record.id}", recordSchema=name)
    (told,) = data(tree)
    assert told.tag == f"{MARC}record"
    (stated,) = told.xpath("m:datafield[@tag='200']/m:subfield[@code='a']", namespaces={"m": MARC[1:-1]})
    assert stated.text in record.title
    assert tree.findtext(f".//{ZS}record/{ZS}recordSchema") == "info:srw/schema/1/marcxml-v1.1"


def test_every_schema_gives_every_record_well_formed(client, records):
    for schema in sru_xml.SCHEMAS:
        tree = search(client, "cql.allRecords=1", recordSchema=schema.names[0], maximumRecords=MOST)
        assert faults(tree) == []
        assert len({element.tag for element in data(tree)}) == 1


def test_string_packing_holds_the_same_xml(client):
    said = {"query": "jeunesse", "recordSchema": "oai_dc", "maximumRecords": 3}
    packed = search(client, recordPacking="string", **said)
    assert {one.text for one in packed.iter(f"{ZS}recordPacking")} == {"string"}
    texts = [one.text for one in packed.iter(f"{ZS}recordData")]
    plain = [etree.tostring(one, method="c14n") for one in data(search(client, **said))]

    def alone(text: str) -> bytes:
        return etree.tostring(etree.fromstring(text), method="c14n")

    assert [alone(text) for text in texts] == [alone(text.decode()) for text in map(_own_namespaces, plain)]


def _own_namespaces(xml: bytes) -> bytes:
    """Without the namespace of the response, which the element stood in."""
    return xml.replace(b' xmlns:zs="' + ZS[1:-1].encode() + b'"', b"")


def test_loans_and_places_of_files_are_told_to_nobody(client, house, records):
    lent = next(record for record in records if record.copies)
    copy = dataclasses.replace(lent.copies[0], barcode="B123456", status="lent")
    house.parts.store.save(dataclasses.replace(lent, copies=(copy,), source="/srv/secret.pdf"))
    text = client.get("/sru", query_string={
        "operation": "searchRetrieve", "version": "1.2", "query": f"dc.identifier={lent.id}",
        "recordSchema": "marcxml"}).text  # fmt: skip
    assert "recordPosition" in text
    assert "B123456" not in text
    assert "secret" not in text


def test_hostile_text_stays_text(client, house):
    id = house.parts.store.new_id("ville-caraibe")
    text = "Zorglub ]]> <b>&amp;\"' \x0b\x00\ufffe\r fin"
    house.parts.store.save(Record(id=id, title=text, abstract=text, keywords=(text,)))
    house.parts.sync()
    for schema in sru_xml.SCHEMAS:
        for packing in ("xml", "string"):
            tree = search(client, "zorglub", recordSchema=schema.names[0], recordPacking=packing)
            assert total(tree) == 1
            held = "".join(tree.find(f".//{ZS}recordData").itertext())
            if packing == "string":
                held = "".join(etree.fromstring(held).itertext())
            assert "]]>" in held
    house.parts.store.delete(id)
    house.parts.sync()


def test_record_that_went_since_is_told_in_its_place(client, house, records):
    gone, other = (record.id for record in records[-2:])
    house.parts.store.delete(gone)
    tree = search(client, f"dc.identifier={gone} or dc.identifier={other}")
    told = {
        one.findtext(f"{ZS}recordIdentifier"): one.findtext(f"{ZS}recordSchema")
        for one in tree.iter(f"{ZS}record")
    }
    assert told == {gone: sru_xml.DIAGNOSTIC_SCHEMA, other: "info:srw/schema/1/dc-v1.1"}
    assert faults(tree) == [(64, gone)]
    house.parts.sync()


def test_record_that_a_schema_cannot_hold_is_told_in_its_place():
    def write(notice: Notice) -> str:
        raise InvalidRecord("title", "is too long")

    schema = Schema(("x",), "info:x", "X", write)
    packed = sru._packed(Hit("a:1", 1.0), Notice(Record(id="a:1", title="T")), schema)
    tree = checked_tree(sru_xml.search_response(Answer(version="1.2", total=1, records=(packed,))))
    assert faults(tree) == [(67, "info:x")]
    assert tree.findtext(f".//{ZS}recordSchema") == sru_xml.DIAGNOSTIC_SCHEMA


# -- requests


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": "2.0"}, (5, "1.2")),
        ({"version": "1.0"}, (5, "1.2")),
        ({"version": None}, (7, "version")),
        ({"query": None}, (7, "query")),
        ({"operation": None}, (7, "operation")),
        ({"startRecord": "0"}, (6, "startRecord")),
        ({"startRecord": "deux"}, (6, "startRecord")),
        ({"startRecord": "٣"}, (6, "startRecord")),
        ({"maximumRecords": "-1"}, (6, "maximumRecords")),
        ({"maximumRecords": ""}, (6, "maximumRecords")),
        ({"resultSetTTL": "x"}, (6, "resultSetTTL")),
        ({"recordSchema": "mods"}, (66, "mods")),
        ({"recordPacking": "json"}, (71, "json")),
        ({"recordXPath": "//title"}, (72, "")),
        ({"stylesheet": "http://exemple.fr/a.xsl"}, (110, "")),
        ({"colour": "red"}, (8, "colour")),
        ({"startRecord": "999999"}, (61, "")),
        (
            {"query": "dc.title="},
            (10, "character 9: a search term, or quotes around several words, is expected"),
        ),
        ({"query": "a1 prox b1"}, (39, "")),
        ({"query": ["ville", "école"]}, (6, "query")),
    ],
)
def test_what_is_wrong_with_a_request_is_told(client, changed, told):
    said = {"operation": "searchRetrieve", "version": "1.2", "query": "jeunesse"} | changed
    tree = ask(client, **{name: value for name, value in said.items() if value is not None})
    if changed.get("query", "") is None and "operation" in said:
        assert tree.tag == f"{ZS}searchRetrieveResponse"
    assert faults(tree) == [told]
    assert (total(tree), tree.find(f"{ZS}records")) == (0, None)


def test_parameters_of_others_and_the_life_of_results_are_passed_over(client):
    said = {"x-info-2-auth1.0-authenticationToken": "abc", "resultSetTTL": "300", "stylesheet": ""}
    assert faults(search(client, "jeunesse", **said)) == []


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_answer_is_of_the_version_asked_and_says_again_what_was_asked(client, version):
    query = 'dc.title any "jeunesse <&> \\"quartiers\\""'
    tree = search(client, query, version=version, startRecord=1, maximumRecords=1, recordPacking="xml")
    assert tree.findtext(f"{ZS}version") == version
    echoed = {one.tag.removeprefix(ZS): one.text for one in tree.find(f"{ZS}echoedSearchRetrieveRequest")}
    assert echoed == {"version": version, "query": query, "startRecord": "1", "maximumRecords": "1",
                      "recordPacking": "xml"}  # fmt: skip
    assert len(ids(tree)) == (version == "1.2")


def test_deep_and_long_queries_end_in_a_diagnostic(client):
    assert faults(search(client, "(" * 100 + "ville" + ")" * 100)) == [(13, "50")]
    assert faults(search(client, "ville " * 1_700)) == [(12, str(cql.LONGEST))]
    chain = "jeunesse" + " and quartier or jeunesse" * 50
    assert faults(search(client, chain)) == []


@checked(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40), st.sampled_from(["query", "recordSchema", "sortKeys", "recordPacking", "operation"])
)
def test_whatever_is_said_the_answer_is_as_the_schema_says(house, text, name):
    ask(
        house.client(Role.CENTRE),
        **{"operation": "searchRetrieve", "version": "1.2", "query": "x1", name: text},
    )


def test_scan_is_refused(client):
    tree = ask(client, operation="scan", version="1.1", scanClause="dc.title=a")
    assert (tree.tag, faults(tree)) == (f"{ZS}scanResponse", [(4, "scan")])


def test_index_that_cannot_be_read_is_told_as_such(fund, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(fund, folder)
    app = create_app(settings.load(folder, {}))
    parts = app.extensions["parts"]
    assert total(search(app.test_client(), "jeunesse")) > 0
    (parts.config.index / "manifest.json").write_bytes(b"{}")
    assert faults(search(app.test_client(), "jeunesse")) == [(2, "")]
    parts.close()


# -- explain


@pytest.mark.parametrize("said", [{}, {"operation": "explain", "version": "1.1"}, {"x-any": "1"}])
def test_server_explains_itself(client, house, said):
    tree = ask(client, **said)
    assert (tree.tag, faults(tree)) == (f"{ZS}explainResponse", [])
    (told,) = data(tree)
    assert told.tag == f"{ZR}explain"
    server = told.find(f"{ZR}serverInfo")
    assert [server.findtext(f"{ZR}{name}") for name in ("host", "port", "database")] == [
        "localhost",
        "80",
        "sru",
    ]
    assert told.findtext(f"{ZR}databaseInfo/{ZR}title") == house.parts.config.centre_name
    assert told.findtext(f"{ZR}configInfo/{ZR}setting[@type='maximumRecords']") == str(MOST)


def explained(client) -> etree._Element:
    (told,) = data(ask(client))
    return told


def test_indexes_schemas_and_orders_that_are_told_can_be_asked(client):
    told = explained(client)
    for index in told.iter(f"{ZR}index"):
        name = index.find(f"{ZR}map/{ZR}name")
        path = f"{name.get('set')}.{name.text}"
        relation = index.findtext(f"{ZR}configInfo/{ZR}supports")
        assert faults(search(client, f"{path} {relation} 2010")) == []
        if index.get("sort") == "true":
            assert faults(search(client, f"jeunesse sortBy {path}")) == []
    for schema in told.iter(f"{ZR}schema"):
        for name in (schema.get("name"), schema.get("identifier")):
            assert ids(search(client, "jeunesse", recordSchema=name))
    for one in told.iter(f"{ZR}set"):
        assert faults(search(client, f'> x = "{one.get("identifier")}" jeunesse')) == []


def test_address_told_is_that_of_the_setting(house):
    config = dataclasses.replace(house.parts.config, public_url="https://docs.exemple.fr/carbet")
    text = sru_xml.explain_response("1.2", "xml", config, f"{config.public_url}/sru", ())
    server = checked_tree(text).find(f".//{ZR}serverInfo")
    assert [one.text for one in server] == ["docs.exemple.fr", "443", "carbet/sru"]
    assert server.get("transport") == "https"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"operation": "explain"}, (7, "version")),
        ({"version": "1.2"}, (7, "operation")),
        ({"operation": "explain", "version": "3"}, (5, "1.2")),
        ({"operation": "update", "version": "1.2"}, (4, "update")),
        ({"operation": "explain", "version": "1.2", "maximumRecords": "1"}, (8, "maximumRecords")),
    ],
)
def test_what_is_wrong_is_told_beside_the_explanation(client, said, told):
    tree = ask(client, **said)
    assert (tree.tag, faults(tree)) == (f"{ZS}explainResponse", [told])


@given(st.text(max_size=80))
def test_any_text_is_well_formed_xml(text):
    answer = Answer(
        version="1.2",
        total=1,
        echoed=(("version", "1.2"), ("query", text)),
        records=(Packed(text, sru_xml.said("x", text, a=text), position=1),),
        faults=(Diagnostic(10, text),),
    )
    for packing in ("xml", "string"):
        tree = checked_tree(sru_xml.search_response(dataclasses.replace(answer, packing=packing)))
        assert tree.findtext(f".//{ZS}query") == (sru_xml._sayable(text) or None or "")
