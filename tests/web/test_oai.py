"""What the provider at /oai answers: by the protocol, to whom, page after page, and to clients of others."""

from __future__ import annotations

import dataclasses
import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from lxml import etree
from werkzeug.test import TestResponse

from ingest import oai_reading
from kb import config as settings
from kb.accounts import Right, Role
from kb.carbetxml import SCHEMA, from_xml
from kb.database import Store
from kb.errors import InvalidRecord, StorageError
from kb.feed import SETTLING
from kb.limits import Limit
from kb.mirrors import Origin as Source
from kb.records import Agent, Copy, Evidence, Page, Record, State, Subject
from kb.sharing import Shared, outward
from kb.tables import changes
from kb.thesaurus import Concept, Thesaurus
from tests.benchmarks.oai import CLIENTS, Copied, Life, fill, shown
from tests.web.conftest import ClosingClient, served
from web import create_app, oai, oai_records
from web.oai_answers import id_of, identifier_of

OAI, DC = "{http://www.openarchives.org/OAI/2.0/}", "{http://purl.org/dc/elements/1.1/}"
MARC, NETWORK = "{http://www.loc.gov/MARC21/slim}", "{https://carbet.example/ns/network/1}"
SITE, HOST = "https://fonds.exemple.fr", "fonds.exemple.fr"
THEME = "https://exemple.fr/voc/T02"


# -- the order and the number of elements that the protocol's schema asks for


def _sequence(*some: tuple[str, str, str]) -> str:
    """Elements as (name, type, how often: "" once, "?" perhaps, "+" often, "*" perhaps often)."""
    often = {
        "": "",
        "?": 'minOccurs="0"',
        "+": 'maxOccurs="unbounded"',
        "*": 'minOccurs="0" maxOccurs="unbounded"',
    }
    inner = "".join(f'<x:element name="{n}" type="{t}" {often[o]}/>' for n, t, o in some)
    return f"<x:sequence>{inner}</x:sequence>"


def _type(name: str, inner: str) -> str:
    return f'<x:complexType name="{name}">{inner}</x:complexType>'


def _with_attributes(name: str, base: str, *some: str) -> str:
    inner = "".join(f'<x:attribute name="{one}" type="x:string"/>' for one in some)
    return _type(name, f'<x:simpleContent><x:extension base="{base}">{inner}</x:extension></x:simpleContent>')


_TEXT, _TIME = "x:string", "x:dateTime"
_ANY = '<x:sequence><x:any namespace="##other" processContents="skip"/></x:sequence>'
_RESPONSES = f"""
<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns="{OAI[1:-1]}" targetNamespace="{OAI[1:-1]}"
    elementFormDefault="qualified">
  <x:element name="OAI-PMH"><x:complexType><x:sequence>
    <x:element name="responseDate" type="{_TIME}"/><x:element name="request" type="request"/>
    <x:choice>
      <x:element name="error" type="error" maxOccurs="unbounded"/>
      <x:element name="Identify" type="itself"/><x:element name="ListMetadataFormats" type="formats"/>
      <x:element name="ListSets" type="sets"/><x:element name="GetRecord" type="one"/>
      <x:element name="ListIdentifiers" type="headers"/><x:element name="ListRecords" type="records"/>
    </x:choice></x:sequence></x:complexType></x:element>
  {
    _with_attributes(
        "request",
        "x:anyURI",
        "verb",
        "identifier",
        "metadataPrefix",
        "from",
        "until",
        "set",
        "resumptionToken",
    )
}
  {_with_attributes("error", _TEXT, "code")}
  {_with_attributes("token", _TEXT, "completeListSize", "cursor")}
  {
    _type(
        "itself",
        _sequence(
            ("repositoryName", _TEXT, ""),
            ("baseURL", "x:anyURI", ""),
            ("protocolVersion", _TEXT, ""),
            ("adminEmail", "email", "+"),
            ("earliestDatestamp", _TIME, ""),
            ("deletedRecord", _TEXT, ""),
            ("granularity", _TEXT, ""),
            ("compression", _TEXT, "*"),
            ("description", "other", "*"),
        ),
    )
}
  {_type("formats", _sequence(("metadataFormat", "format", "+")))}
  {
    _type(
        "format",
        _sequence(
            ("metadataPrefix", _TEXT, ""), ("schema", "x:anyURI", ""), ("metadataNamespace", "x:anyURI", "")
        ),
    )
}
  {_type("sets", _sequence(("set", "set", "+"), ("resumptionToken", "token", "?")))}
  {_type("set", _sequence(("setSpec", "code", ""), ("setName", _TEXT, "")))}
  {_type("one", _sequence(("record", "record", "")))}
  {_type("headers", _sequence(("header", "header", "*"), ("resumptionToken", "token", "?")))}
  {_type("records", _sequence(("record", "record", "*"), ("resumptionToken", "token", "?")))}
  {_type("record", _sequence(("header", "header", ""), ("metadata", "other", "?")))}
  {
    _type(
        "header",
        _sequence(("identifier", "x:anyURI", ""), ("datestamp", _TIME, ""), ("setSpec", "code", "*"))
        + '<x:attribute name="status" type="x:string" fixed="deleted"/>',
    )
}
  {_type("other", _ANY)}
  <x:simpleType name="email"><x:restriction base="{_TEXT}"><x:pattern value="\\S+@(\\S+\\.)+\\S+"/>
    </x:restriction></x:simpleType>
  <x:simpleType name="code"><x:restriction base="{_TEXT}"><x:pattern value="[a-z]+:[A-Za-z0-9_-]+"/>
    </x:restriction></x:simpleType>
</x:schema>"""
RESPONSES = etree.XMLSchema(etree.fromstring(_RESPONSES))


def read(response: TestResponse) -> etree._Element:
    """A response, if it is one of the protocol."""
    assert (response.status_code, response.content_type) == (200, "text/xml; charset=utf-8"), response.text
    tree = etree.fromstring(response.data)
    RESPONSES.assertValid(tree)
    return tree


def ask(client, verb: str | None = None, /, **said: str) -> etree._Element:
    given = {name.rstrip("_"): value for name, value in said.items()}
    return read(client.get("/oai", query_string=({"verb": verb} if verb else {}) | given))


def codes(tree: etree._Element) -> list[str]:
    assert all(error.text for error in tree.iter(f"{OAI}error"))
    return [error.get("code") for error in tree.iter(f"{OAI}error")]


def ids(tree: etree._Element) -> list[str]:
    """Ids in a list, in order; a deleted one with a minus."""
    return [
        ("-" if header.get("status") else "") + header.findtext(f"{OAI}identifier").split(":", 2)[2]
        for header in tree.iter(f"{OAI}header")
    ]


def token(tree: etree._Element) -> str | None:
    return tree.findtext(f".//{OAI}resumptionToken")


def values(tree: etree._Element, name: str) -> list[str]:
    return [one.text for one in tree.iter(f"{DC}{name}")]


def records(client, **said: str) -> list[str]:
    """Ids of a whole list, page after page."""
    tree = ask(client, "ListRecords", **({"metadataPrefix": "oai_dc"} | said))
    found = ids(tree)
    while more := token(tree):
        tree = ask(client, "ListRecords", resumptionToken=more)
        found += ids(tree)
    assert codes(tree) in ([], ["noRecordsMatch"])
    return found


def one(client, id: str, prefix: str = "oai_dc", host: str = HOST) -> etree._Element:
    return ask(client, "GetRecord", identifier=f"oai:{host}:{id}", metadataPrefix=prefix)


class Provider:
    """A fund of its own, known as fonds.exemple.fr."""

    def __init__(self, folder: Path) -> None:
        config = settings.load(folder, {"KB_PUBLIC_URL": SITE, "KB_CONTACT": "centre@exemple.fr"})
        self.app = create_app(dataclasses.replace(config, centre="vc", centre_name="Le centre"))
        self.app.test_client_class = ClosingClient
        self.parts = self.app.extensions["parts"]
        self.store: Store = self.parts.store
        self.client = self.app.test_client()

    def add(self, title: str = "Titre", /, *texts: str, **more: object) -> str:
        id = self.store.new_id("vc")
        pages = [Page(number, text) for number, text in enumerate(texts, 1)]
        self.store.save(Record(id=id, title=title, **more), pages)
        return id

    def fill(self, count: int, **more: object) -> list[str]:
        with self.store.transaction():
            return [self.add(f"Titre {number}", **more) for number in range(count)]

    def change(self, id: str, **fields: object) -> None:
        self.store.save(dataclasses.replace(self.store.get(id), **fields))

    def date(self, id: str, at: str) -> None:
        """Say when the last change of a record was."""
        with self.store.database.writing() as connection:
            connection.execute(sa.update(changes).where(changes.c.record == id).values(at=at))


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    made = Provider(folder)
    yield made
    made.parts.close()


@pytest.fixture
def here(tmp_path) -> Iterator[Provider]:
    with provider(tmp_path / "fonds") as made:
        yield made


@pytest.fixture
def small_pages(monkeypatch) -> None:
    monkeypatch.setattr(oai, "RECORDS_A_PAGE", 4)
    monkeypatch.setattr(oai, "HEADERS_A_PAGE", 4)


# -- what is asked


@pytest.mark.parametrize("query", ["", "verb=", "verb=Nope", "verb=identify", "verb=Identify&verb=Identify"])
def test_a_request_without_one_good_verb_is_told_so_and_not_repeated(here, query):
    tree = read(here.client.get(f"/oai?{query}"))
    assert codes(tree) == ["badVerb"]
    request = tree.find(f"{OAI}request")
    assert (request.text, dict(request.attrib)) == (f"{SITE}/oai", {})


LIST, GET = "verb=ListRecords&metadataPrefix=oai_dc", "verb=GetRecord&metadataPrefix=oai_dc"


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("verb=Identify&set=a", 1),
        ("verb=ListRecords", 1),
        ("verb=ListIdentifiers&set=type:rapport", 1),
        ("verb=GetRecord", 2),
        (f"{GET}&identifier=oai:a:b:1&from=2020-01-01", 1),
        (f"{GET}&identifier=two words", 1),
        (f"{LIST}&metadataPrefix=oai_dc", 1),
        (f"{LIST}&nope=1&nope=2&other=", 2),
        (f"{LIST}&set=", 1),
        (f"{LIST}&set=a::b", 1),
        ("verb=ListRecords&metadataPrefix=é", 1),
        (f"{LIST}&from=2020", 1),
        (f"{LIST}&from=2020-13-01", 1),
        (f"{LIST}&from=2023-02-29", 1),
        (f"{LIST}&until=2020-01-01T00:00:00", 1),
        (f"{LIST}&until=2020-01-01T00:00:00.0Z", 1),
        (f"{LIST}&until=2020-01-01T24:00:00Z", 1),
        (f"{LIST}&until=٢٠٢٠-01-01", 1),
        (f"{LIST}&from=", 1),
        (f"{LIST}&from=2020-01-01&until=2021-01-01T00:00:00Z", 1),
        (f"{LIST}&from=2021-01-01&until=2020-01-01", 1),
        (f"{LIST}&from=x&until=y&set=é", 3),
        (f"{LIST}&resumptionToken=x", 1),
        ("verb=ListSets&metadataPrefix=oai_dc", 1),
        ("verb=ListMetadataFormats&resumptionToken=x", 1),
    ],
)
def test_all_that_is_wrong_with_arguments_is_told_at_once_and_not_repeated(here, query, faults):
    tree = read(here.client.get(f"/oai?{query}"))
    assert codes(tree) == ["badArgument"] * faults
    assert not tree.find(f"{OAI}request").attrib


def test_a_request_is_repeated_as_it_was_understood(here):
    here.add()
    said = {"metadataPrefix": "oai_dc", "from": "2020-01-01", "until": "2999-01-01", "set": "type:document"}
    tree = ask(here.client, "ListIdentifiers", **said)
    assert dict(tree.find(f"{OAI}request").attrib) == {"verb": "ListIdentifiers"} | said
    tree = ask(here.client, "GetRecord", identifier='oai:x:y:"&<', metadataPrefix="oai_dc")
    assert codes(tree) == ["badArgument"]
    tree = ask(here.client, "GetRecord", identifier="oai:x&y:'", metadataPrefix="oai_dc")
    assert tree.find(f"{OAI}request").get("identifier") == "oai:x&y:'"


def test_both_errors_of_a_request_for_nothing_in_no_format_are_told(here):
    tree = one(here.client, "vc:9", "nope")
    assert codes(tree) == ["idDoesNotExist", "cannotDisseminateFormat"]
    assert tree.find(f"{OAI}request").get("metadataPrefix") == "nope"
    tree = ask(here.client, "ListRecords", metadataPrefix="nope")
    assert codes(tree) == ["cannotDisseminateFormat", "noRecordsMatch"]


def test_a_request_by_post_gets_the_same_without_the_token_of_a_form(here):
    here.add("Écoles")
    said = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
    got, posted = (
        read(response)
        for response in (here.client.get("/oai", query_string=said), here.client.post("/oai", data=said))
    )
    assert values(posted, "title") == values(got, "title") == ["Écoles"]
    assert here.client.post("/oai", json=said).status_code == 415
    assert here.client.put("/oai", data=said).status_code == 405


def test_no_other_view_takes_a_form_without_its_token(here):
    csrf = here.app.extensions["csrf"]
    assert (csrf._exempt_views, csrf._exempt_blueprints) == ({"web.oai.answer"}, set())


# -- what the repository says of itself


def test_the_repository_says_who_it_is(here):
    here.add()
    tree = ask(here.client, "Identify")
    said = {etree.QName(e).localname: e.text for e in tree.find(f"{OAI}Identify") if len(e) == 0}
    earliest = datetime.fromisoformat(said.pop("earliestDatestamp"))
    assert datetime.now(UTC) - timedelta(minutes=1) < earliest <= datetime.now(UTC)
    assert said == {
        "repositoryName": "Le centre",
        "baseURL": f"{SITE}/oai",
        "protocolVersion": "2.0",
        "adminEmail": "centre@exemple.fr",
        "deletedRecord": "persistent",
        "granularity": "YYYY-MM-DDThh:mm:ssZ",
        "compression": "gzip",
    }
    assert [e.text for e in tree.find(".//{*}oai-identifier")] == ["oai", HOST, ":", f"oai:{HOST}:vc:1"]
    carbet = {etree.QName(e).localname: e.text for e in tree.find(f".//{NETWORK}carbet")}
    key = here.parts.centre_key.public
    assert carbet == {"centre": "vc", "key": key, "contact": "centre@exemple.fr"}
    identity = oai_reading.identity(oai_reading.read(here.client.get("/oai?verb=Identify").data))
    assert (identity.centre, identity.public_key) == ("vc", key)


def test_a_machine_without_a_name_or_an_address_of_mail_still_answers_by_the_protocol(house):
    tree = ask(house.client(), "Identify")
    assert tree.find(".//{*}oai-identifier") is None
    assert tree.findtext(f".//{OAI}adminEmail") == "carbet@localhost.invalid"
    assert tree.findtext(f".//{OAI}baseURL") == "http://localhost/oai"


def test_the_earliest_date_is_before_all_others(here):
    first, second = here.fill(2)
    here.date(first, "2020-05-06T07:08:09.900000+00:00")
    tree = ask(here.client, "Identify")
    assert tree.findtext(f".//{OAI}earliestDatestamp") == "2020-05-06T07:08:09Z"
    assert ids(ask(here.client, "ListIdentifiers", metadataPrefix="oai_dc")) == [first, second]


def test_formats_are_told_with_schemas_that_can_be_read(here):
    tree = ask(here.client, "ListMetadataFormats")
    found = {
        f.findtext(f"{OAI}metadataPrefix"): f.findtext(f"{OAI}schema")
        for f in tree.iter(f"{OAI}metadataFormat")
    }
    assert list(found) == ["oai_dc", "marcxml", "carbet"]
    response = here.client.get(found["carbet"].removeprefix(SITE))
    assert response.data == SCHEMA.read_bytes()
    assert response.content_type.startswith("text/xml")


def test_formats_of_one_record_are_those_that_hold_it(here, monkeypatch):
    id, gone = here.add(), here.add()
    here.store.delete(gone)

    def formats(id: str) -> etree._Element:
        return ask(here.client, "ListMetadataFormats", identifier=identifier_of(id, HOST))

    assert len(formats(id).findall(f".//{OAI}metadataFormat")) == 3
    assert codes(formats(gone)) == ["noMetadataFormats"]
    assert codes(formats("vc:99")) == ["idDoesNotExist"]
    narrow(monkeypatch, "marcxml", id)
    prefixes = [one.text for one in formats(id).iter(f"{OAI}metadataPrefix")]
    assert prefixes == ["oai_dc", "carbet"]


def narrow(monkeypatch, prefix: str, *refused: str) -> None:
    """A format that cannot hold some records."""
    whole = oai_records.FORMATS[prefix]

    def write(going: oai_records.Going) -> str:
        if going.notice.record.id in refused:
            raise InvalidRecord("record", "trop longue")
        return whole.write(going)

    narrowed = dict(oai_records.FORMATS) | {prefix: dataclasses.replace(whole, write=write)}
    monkeypatch.setattr(oai, "FORMATS", narrowed)


def test_a_record_that_a_format_cannot_hold_stops_no_harvest(here, small_pages, monkeypatch):
    held = here.fill(10)
    narrow(monkeypatch, "marcxml", *held[:5], held[8])
    first = ask(here.client, "ListRecords", metadataPrefix="marcxml")
    assert ids(first) == held[5:8]  # a page with nothing in it would be none of the protocol
    assert records(here.client, metadataPrefix="marcxml") == [*held[5:8], held[9]]
    assert records(here.client) == held
    assert codes(one(here.client, held[0], "marcxml")) == ["cannotDisseminateFormat"]
    narrow(monkeypatch, "marcxml", *held)
    assert records(here.client, metadataPrefix="marcxml") == []


# -- sets


def vocabulary() -> Thesaurus:
    root = "https://exemple.fr/voc/T0"
    return Thesaurus(
        (
            Concept(uri=f"{root}", scheme="themes", label="Vie sociale", narrower=(THEME,)),
            Concept(uri=THEME, scheme="themes", label="Réussite éducative", broader=(root,)),
        )
    )


def test_sets_are_named_by_their_kind(here):
    here.store.save_thesaurus(vocabulary())
    here.add(series="Les Cahiers", type="rapport", subjects=(Subject(concept=THEME),))
    here.add(access="staff", type="these", series="Interne")
    found = {
        s.findtext(f"{OAI}setSpec"): s.findtext(f"{OAI}setName")
        for s in ask(here.client, "ListSets").iter(f"{OAI}set")
    }
    assert found == {
        "centre:vc": "Centre\u00a0: Le centre",
        "collection:les-cahiers": "Collection\u00a0: Les Cahiers",
        "theme:T0": "Thème\u00a0: Vie sociale",
        "theme:T02": "Thème\u00a0: Réussite éducative",
        "type:rapport": "Type de document\u00a0: Rapport",
    }


def test_there_is_a_set_even_in_an_empty_fund(here):
    assert [one.text for one in ask(here.client, "ListSets").iter(f"{OAI}setSpec")] == ["centre:vc"]
    assert codes(ask(here.client, "ListSets", resumptionToken="x")) == ["badResumptionToken"]
    assert codes(ask(here.client, "ListRecords", metadataPrefix="oai_dc")) == ["noRecordsMatch"]


def test_a_set_holds_its_records_and_tells_of_those_that_left_it(here, small_pages):
    reports = here.fill(6, type="rapport")
    here.add(type="these")
    assert records(here.client, set="type:rapport") == reports
    here.change(reports[1], type="these")
    here.store.delete(reports[2])
    left = [reports[0], *reports[3:], f"-{reports[1]}", f"-{reports[2]}"]
    assert records(here.client, set="type:rapport") == left
    assert records(here.client, set="type:nope") == []
    header = one(here.client, reports[0]).find(f".//{OAI}header")
    assert [one.text for one in header.findall(f"{OAI}setSpec")] == ["centre:vc", "type:rapport"]


# -- records


FULL = {
    "subtitle": "Sous-titre",
    "type": "rapport",
    "agents": (Agent("Césaire, Aimé"),),
    "date": "2019-05",
    "abstract": "Un résumé.",
    "keywords": ("ateliers",),
    "copies": (Copy(call_number="C 12", barcode="990", status="lent"),),
    "source": "/home/centre/rapport.pdf",
}


def test_dublin_core_says_the_record_its_host_and_where_it_is_read(here):
    here.store.save_thesaurus(vocabulary())
    host = here.add("Actes du colloque")
    accepted = Subject(concept=THEME, state=State.ACCEPTED)
    id = here.add("Intervention", host=host, subjects=(accepted,), **FULL)
    tree = one(here.client, id)
    assert values(tree, "title") == ["Intervention : Sous-titre"]
    assert values(tree, "subject") == ["Réussite éducative", "ateliers"]
    assert values(tree, "relation")[0] == "Dans : Actes du colloque"
    assert values(tree, "identifier")[-1] == f"{SITE}/notice/vc%3A2"
    assert here.client.get("/notice/vc%3A2").status_code == 200
    place = tree.find(".//{*}dc").get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation")
    assert place.split()[1] == "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"


def test_marcxml_is_unimarc_in_the_namespace_of_the_library_of_congress(here):
    id = here.add("Écoles et quartiers")
    tree = one(here.client, id, "marcxml")
    title = tree.find(f".//{MARC}record/{MARC}datafield[@tag='200']/{MARC}subfield[@code='a']")
    assert title.text == "Écoles et quartiers"
    assert tree.find(f".//{MARC}leader") is not None


def test_the_format_carbet_holds_all_that_goes_out(here):
    here.store.save_thesaurus(vocabulary())
    quoted = Subject(concept=THEME, evidence=(Evidence(1, 0, 5, "Texte"),))
    id = here.add("Titre", "Texte <1>", "", "Texte 3", subjects=(quoted,), **FULL)
    tree = one(here.client, id, "carbet")
    element = tree.find(f".//{OAI}metadata")[0]
    assert from_xml(element) == outward(here.store.get(id), here.store.pages(id))
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(
        etree.ElementTree(etree.fromstring(etree.tostring(element)))
    )
    assert element.find("{*}subject").get("label") == "Réussite éducative"
    assert "/home/centre" not in etree.tostring(tree).decode()
    assert "990" not in etree.tostring(tree).decode()


HOSTILE = [
    "]]></dc:title><!-- &amp; &nbsp; <script>",
    "contrôle \x00\x0b\x1f\ufffe\ud800 fin",
    "\U0001f334 \u2028 \x85 ’ « » \u202e",
    "un\r\ndeux\ttrois",
]


@pytest.mark.parametrize("prefix", oai_records.FORMATS)
def test_titles_that_XML_cannot_hold_are_told_without_what_it_cannot(here, prefix, monkeypatch):
    held = [
        here.add(title.encode("utf-8", "ignore").decode(), series=title[:30].replace("\ud800", ""))
        for title in HOSTILE
    ]
    tree = ask(here.client, "ListRecords", metadataPrefix=prefix)
    assert ids(tree) == held
    text = "".join(tree.itertext())
    assert "]]></dc:title><!-- &amp; &nbsp; <script>" in text
    assert "contrôle  fin" in text
    assert "\U0001f334 \u2028 \x85 ’ « » \u202e" in text
    assert "un\r\ndeux\ttrois" in text


def test_an_identifier_is_that_of_its_site_and_no_other():
    assert id_of(identifier_of("labo-cites:12", HOST), HOST) == "labo-cites:12"
    for wrong in (
        "vc:1",
        "oai:autre.fr:vc:1",
        f"oai:{HOST}:vc:x",
        f"oai:{HOST}:vc:1\n",
        f"OAI:{HOST}:vc:1",
        "",
    ):
        assert id_of(wrong, HOST) is None


def test_a_deleted_record_is_told_as_deleted_for_ever(here):
    id, other = here.fill(2)
    here.store.delete(id)
    for prefix in oai_records.FORMATS:
        tree = one(here.client, id, prefix)
        assert ids(tree) == [f"-{id}"]
        assert tree.find(f".//{OAI}metadata") is None
    assert records(here.client) == [other, f"-{id}"]
    assert codes(one(here.client, "vc:77")) == ["idDoesNotExist"]


def test_a_record_of_another_centre_is_given_on_as_it_was_received(here):
    here.store.save_thesaurus(vocabulary())
    theirs = Record(id="labo:7", title="Chez eux", subjects=(Subject(concept="https://eux.fr/1"),))
    mine = Subject(concept=THEME, state=State.ACCEPTED)
    source = Source(centre="labo", source=1, identifier="oai:labo.fr:labo:7", datestamp="2020-01-01")
    here.parts.mirrors.keep(Shared(theirs, (Page(1, "Texte"),)), source, local=[mine])
    told = from_xml(one(here.client, "labo:7", "carbet").find(f".//{OAI}metadata")[0])
    assert [s.concept for s in told.record.subjects] == ["https://eux.fr/1"]
    assert [page.text for page in told.pages] == ["Texte"]
    assert values(one(here.client, "labo:7"), "subject") == []
    assert records(here.client, set="centre:labo") == ["labo:7"]


# -- to whom


def by_access(house, role: Role) -> dict[str, str]:
    """What is told of the record of each kind of access, all of which were public once: "text", "notice" or
    "deleted"."""
    found = {}
    for access, id in house.records.items():
        tree = one(house.client(role), id, "carbet", host="localhost")
        told = tree.find(f".//{OAI}metadata")
        found[access] = "deleted" if told is None else ("text" if from_xml(told[0]).pages else "notice")
    return found


def test_everybody_is_told_the_public_part_and_a_centre_what_the_network_shares(house):
    known = {"public": "text", "onsite": "notice", "staff": "deleted"}
    assert by_access(house, Role.VISITOR) == known | {"network": "deleted"}
    assert by_access(house, Role.CENTRE) == known | {"network": "text"}


def test_lists_hold_what_may_be_told_and_no_word_of_what_may_not(house, monkeypatch):
    monkeypatch.setattr(oai, "RECORDS_A_PAGE", 10)
    access = {id: house.parts.store.get(id).access for id in house.parts.store.ids()}
    for role, kinds in ((Role.VISITOR, ("public", "onsite")), (Role.CENTRE, ("public", "onsite", "network"))):
        client = house.client(role)
        told = {id for id in records(client) if not id.startswith("-")}
        assert told == {id for id, kind in access.items() if kind in kinds}
    onsite = one(house.client(), house.records["onsite"], "carbet", host="localhost")
    assert onsite.find(".//{*}evidence") is None


def test_what_may_no_more_be_told_is_told_as_deleted_to_those_who_knew_it(here):
    id, never = here.add("Titre secret"), here.add("Jamais", access="staff")
    here.change(id, access="staff")
    assert records(here.client) == [f"-{id}"]
    assert ids(one(here.client, id)) == [f"-{id}"]
    assert "secret" not in here.client.get("/oai?" + LIST).text
    assert codes(one(here.client, never)) == ["idDoesNotExist"]
    here.change(id, access="network")
    assert records(here.client) == [f"-{id}"]
    key = here.parts.machines.add("Voisin", [Right.READ_NETWORK])
    here.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    assert records(here.client) == [id]


def test_a_record_that_is_hidden_after_the_feed_was_read_does_not_go_out(here, monkeypatch):
    id, gone, kept = here.fill(3)
    whole = type(here.store.feed).page

    def page(feed, window, limit):
        lines = whole(feed, window, limit)
        here.change(id, access="staff")
        here.store.delete(gone)
        return lines

    monkeypatch.setattr(type(here.store.feed), "page", page)
    assert ids(ask(here.client, "ListRecords", metadataPrefix="carbet")) == [f"-{id}", f"-{gone}", kept]


def test_a_host_that_may_not_be_told_of_is_not(here):
    hidden = here.add("Dossier interne", access="staff")
    id = here.add("Pièce", host=hidden)
    for prefix in ("oai_dc", "marcxml"):
        assert "Dossier interne" not in etree.tostring(one(here.client, id, prefix), encoding="unicode")
    here.change(hidden, access="onsite")
    assert values(one(here.client, id), "relation")[0] == "Dans : Dossier interne"


def test_a_key_that_is_not_good_is_told_so_to_a_program(here):
    key = here.parts.machines.add("Voisin", [])
    here.parts.machines.revoke(1)
    for bad in (key, "kbc_x", ""):
        response = here.client.get("/oai?verb=Identify", headers={"Authorization": f"Bearer {bad}"})
        assert (response.status_code, response.mimetype) == (401, "text/plain")
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
        assert "Location" not in response.headers


# -- selective harvesting


@pytest.fixture
def dated(here) -> tuple[Provider, list[str]]:
    """Three records, changed at known times."""
    held = here.fill(3)
    for id, at in zip(
        held, ("2024-03-01T23:59:59.999999", "2024-03-02T00:00:00", "2024-03-02T12:00:00.5"), strict=True
    ):
        here.date(id, f"{at}+00:00")
    return here, held


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"from_": "2024-03-01"}, "012"),
        ({"from_": "2024-03-02"}, "12"),
        ({"from_": "2024-03-03"}, ""),
        ({"until": "2024-03-01"}, "0"),
        ({"until": "2024-03-02"}, "012"),
        ({"until": "2024-02-29"}, ""),
        ({"until": "9999-12-31"}, "012"),
        ({"from_": "0001-01-01"}, "012"),
        ({"from_": "2024-03-02", "until": "2024-03-02"}, "12"),
        ({"from_": "2024-03-01T23:59:59Z"}, "012"),
        ({"from_": "2024-03-02T00:00:00Z"}, "12"),
        ({"from_": "2024-03-02T00:00:01Z"}, "2"),
        ({"from_": "2024-03-02T12:00:00Z"}, "2"),
        ({"from_": "2024-03-02T12:00:01Z"}, ""),
        ({"until": "2024-03-01T23:59:59Z"}, "0"),
        ({"until": "2024-03-02T00:00:00Z"}, "01"),
        ({"until": "2024-03-02T11:59:59Z"}, "01"),
        ({"until": "2024-03-02T12:00:00Z"}, "012"),
        ({"until": "9999-12-31T23:59:59Z"}, "012"),
        ({"from_": "2024-03-02T00:00:00Z", "until": "2024-03-02T00:00:00Z"}, "1"),
    ],
)
def test_both_ends_count_in_both_granularities(dated, said, expected):
    here, held = dated
    found = records(here.client, **said)
    assert found == [held[int(number)] for number in expected]
    stamps = [
        one.text
        for one in ask(here.client, "ListIdentifiers", metadataPrefix="oai_dc").iter(f"{OAI}datestamp")
    ]
    assert stamps == ["2024-03-01T23:59:59Z", "2024-03-02T00:00:00Z", "2024-03-02T12:00:00Z"]


def test_the_date_of_a_response_leaves_time_for_what_is_dated_but_not_yet_seen(here):
    here.add()
    began = datetime.now(UTC)
    at = datetime.fromisoformat(
        ask(here.client, "ListRecords", metadataPrefix="oai_dc").findtext(f"{OAI}responseDate")
    )
    assert began - SETTLING - timedelta(seconds=1) < at <= datetime.now(UTC) - SETTLING


# -- page after page


def test_a_list_goes_on_where_its_token_says_until_an_empty_token(here, small_pages):
    held = here.fill(10)
    for verb in ("ListRecords", "ListIdentifiers"):
        tree = ask(here.client, verb, metadataPrefix="oai_dc")
        found, places = ids(tree), []
        while (more := tree.find(f".//{OAI}resumptionToken")) is not None:
            places.append((more.get("cursor"), more.get("completeListSize"), bool(more.text)))
            if not more.text:
                break
            tree = ask(here.client, verb, resumptionToken=more.text)
            assert dict(tree.find(f"{OAI}request").attrib) == {"verb": verb, "resumptionToken": more.text}
            found += ids(tree)
        assert found == held
        assert places == [("0", "10", True), ("4", "10", True), ("8", "10", False)]


def test_a_list_of_one_page_has_no_token(here, small_pages):
    held = here.fill(4)
    tree = ask(here.client, "ListRecords", metadataPrefix="oai_dc")
    assert (ids(tree), tree.find(f".//{OAI}resumptionToken")) == (held, None)


def test_a_token_keeps_the_set_the_dates_and_the_format(dated, small_pages, monkeypatch):
    here, held = dated
    monkeypatch.setattr(oai, "RECORDS_A_PAGE", 1)
    here.add(type="these")
    said = {"metadataPrefix": "marcxml", "set": "type:document", "until": "2024-03-02"}
    tree = ask(here.client, "ListRecords", **said)
    found = ids(tree)
    while more := token(tree):
        tree = ask(here.client, "ListRecords", resumptionToken=more)
        found += ids(tree)
        assert tree.find(f".//{MARC}record") is not None
    assert found == held


def test_what_changes_meanwhile_is_in_no_page_twice_and_comes_with_the_next_harvest(
    here, small_pages, monkeypatch
):
    held = here.fill(12)
    first = ask(here.client, "ListRecords", metadataPrefix="oai_dc")
    monkeypatch.setattr(oai, "SETTLING", timedelta(hours=-1))  # the other pages are read an hour later
    here.change(held[0], title="Après la première page")
    here.change(held[6], title="Avant la sienne")
    here.store.delete(held[7])
    new = here.add("Nouvelle")
    found, tree = ids(first), first
    while more := token(tree):
        tree = ask(here.client, "ListRecords", resumptionToken=more)
        found += ids(tree)
        assert tree.findtext(f"{OAI}responseDate") == first.findtext(f"{OAI}responseDate")
    assert found == [*held[:6], *held[8:]]
    since = first.findtext(f"{OAI}responseDate")
    again = records(here.client, from_=since)
    assert again[-4:] == [held[0], held[6], f"-{held[7]}", new]


def test_a_list_of_which_all_the_rest_has_changed_ends(here, small_pages):
    held = here.fill(6)
    more = token(ask(here.client, "ListRecords", metadataPrefix="oai_dc"))
    for id in held[4:]:
        here.change(id, title="Autre")
    tree = ask(here.client, "ListRecords", resumptionToken=more)
    assert (ids(tree), codes(tree), token(tree)) == ([], [], "")
    assert tree.find(f".//{OAI}resumptionToken").get("cursor") == "4"


def test_a_token_gives_the_same_page_again_after_a_restart_and_after_a_new_secret(tmp_path, small_pages):
    with provider(tmp_path / "fonds") as first:
        held = first.fill(8)
        more = token(ask(first.client, "ListRecords", metadataPrefix="oai_dc"))
        assert ids(ask(first.client, "ListRecords", resumptionToken=more)) == held[4:]
        first.parts.keyring.rotated()
    with provider(tmp_path / "fonds") as second:
        for _ in range(2):
            assert ids(ask(second.client, "ListRecords", resumptionToken=more)) == held[4:]


def test_a_token_that_is_not_of_this_list_is_refused(tmp_path, here, small_pages):
    here.fill(8)
    good = token(ask(here.client, "ListRecords", metadataPrefix="oai_dc"))
    with provider(tmp_path / "autre") as other:
        other.fill(8)
        foreign = token(ask(other.client, "ListRecords", metadataPrefix="oai_dc"))
    head, _, signature = good.partition(".")
    swapped = f"{head[:-2]}{'AA' if head[-2:] != 'AA' else 'BB'}.{signature}"
    for bad in (foreign, swapped, good[:-1], f"{good}A", head, "", ".", "é\x00<&>", "a" * 4000):
        tree = ask(here.client, "ListRecords", resumptionToken=bad)
        assert codes(tree) == ["badResumptionToken"], bad
    assert codes(ask(here.client, "ListIdentifiers", resumptionToken=good)) == ["badResumptionToken"]
    key = here.parts.machines.add("Voisin", [Right.READ_NETWORK])
    response = here.client.get(
        "/oai",
        query_string={"verb": "ListRecords", "resumptionToken": good},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert codes(read(response)) == ["badResumptionToken"]


def test_a_token_of_a_format_or_of_a_day_that_is_no_more_is_refused(here, small_pages, monkeypatch):
    held = here.fill(8)
    good = token(ask(here.client, "ListRecords", metadataPrefix="marcxml"))
    with here.store.database.writing() as connection:
        connection.execute(sa.delete(changes).where(changes.c.record == held[-1]))
    assert codes(ask(here.client, "ListRecords", resumptionToken=good)) == ["badResumptionToken"]
    here.add()
    assert ids(ask(here.client, "ListRecords", resumptionToken=good)) == held[4:7]
    monkeypatch.setattr(oai, "FORMATS", {"oai_dc": oai_records.FORMATS["oai_dc"]})
    assert codes(ask(here.client, "ListRecords", resumptionToken=good)) == ["badResumptionToken"]


def test_a_page_ends_where_its_text_gets_long(here, monkeypatch):
    monkeypatch.setattr(oai, "LONGEST_PAGE", 10_000)
    held = [here.add("Titre", "mot " * 1000) for _ in range(7)]
    sizes, found = [], []
    tree = ask(here.client, "ListRecords", metadataPrefix="carbet")
    while True:
        sizes.append(len(ids(tree)))
        found += ids(tree)
        if not (more := token(tree)):
            break
        tree = ask(here.client, "ListRecords", resumptionToken=more)
    assert (sizes, found) == ([3, 3, 1], held)
    assert records(here.client) == held


def test_a_long_page_asks_the_database_no_more_often_than_a_short_one(here, monkeypatch):
    host = here.add("Hôte")
    here.fill(120, host=host)
    asked: list[str] = []
    sa.event.listen(here.store.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))

    def statements(count: int) -> int:
        monkeypatch.setattr(oai, "RECORDS_A_PAGE", count)
        asked.clear()
        assert len(ids(ask(here.client, "ListRecords", metadataPrefix="oai_dc"))) == count
        return len(asked)

    statements(10)
    assert statements(10) == statements(100) < 20


# -- how it is answered


def test_answers_are_compressed_for_those_who_take_it(here):
    here.fill(30)
    plain = here.client.get(f"/oai?{LIST}")
    packed = here.client.get(f"/oai?{LIST}", headers={"Accept-Encoding": "deflate, gzip;q=0.5"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert {"Accept-Encoding", "Authorization"} <= set(packed.vary) & set(plain.vary)
    assert len(packed.data) < len(plain.data) / 4
    dates = [
        etree.fromstring(data).findtext(f"{OAI}responseDate")
        for data in (plain.data, gzip.decompress(packed.data))
    ]
    assert all(dates)
    refusing = here.client.get(f"/oai?{LIST}", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refusing.headers


def test_who_comes_while_two_are_answered_is_asked_to_come_again(here):
    with oai._AT_ONCE, oai._AT_ONCE:
        response = here.client.get("/oai?verb=Identify")
    assert (response.status_code, response.mimetype, response.headers["Retry-After"]) == (
        503,
        "text/plain",
        "5",
    )
    for _ in range(3):
        assert codes(ask(here.client, "Identify")) == []


def test_who_asks_too_often_is_asked_to_come_again_later(here, monkeypatch):
    monkeypatch.setattr(oai, "REQUESTS", Limit("oai", 2, 600))
    key = here.parts.machines.add("Voisin", [])
    for _ in range(2):
        ask(here.client, "Identify")
    response = here.client.post("/oai", data={"verb": "Identify"})
    assert (response.status_code, response.mimetype) == (503, "text/plain")
    assert 0 < int(response.headers["Retry-After"]) <= 600
    keyed = here.client.get("/oai?verb=Identify", headers={"Authorization": f"Bearer {key}"})
    assert keyed.status_code == 200


def test_a_disk_that_refuses_is_told_as_a_time_to_wait(here, monkeypatch):
    def refuse(*_: object) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(here.parts.limits, "take", refuse)
    response = here.client.get("/oai?verb=Identify")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")


# -- clients of others


def test_clients_of_others_hold_the_fund_after_harvests_that_were_cut_short_while_it_lived(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(oai, "RECORDS_A_PAGE", 50)
    folder, rng = tmp_path / "fonds", random.Random(3)
    with provider(folder) as first:
        fill(first.store, 2000)
        life = Life(Store.open(first.parts.config), seed=4, pause=0.02)
    copies = [Copied(client) for client in CLIENTS]
    life.start()
    try:
        for _ in range(3):  # the server is started anew each time
            with provider(folder) as here, served(here.app) as address:
                for copy in copies:
                    copy.harvest(f"{address}/oai", stop_after=rng.randint(3, 12))
    finally:
        life.stop()
    with provider(folder) as here, served(here.app) as address:
        for copy in copies:
            while not copy.harvest(f"{address}/oai"):
                pass
            assert copy.stops >= 3
            assert copy.harvest(f"{address}/oai")
            assert copy.differs(shown(here.store)) == []
            assert {id for id, title in copy.held.items() if title is None}
    life._store.close()
    assert life.count > 50
