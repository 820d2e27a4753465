"""Nothing personal or private goes out: words that stand in each such place are looked for in all that does.

Every page that a visitor may open is asked for, whatever routes there are, then all verbs and formats of
OAI-PMH, SRU, envelopes; as a visitor, and as a centre that shows its key.
"""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import etree

from kb.accounts import Right, Role
from kb.centres import Centre
from kb.mirrors import Origin
from kb.publishing import Copy as PublishedCopy
from kb.questions import Asked, Channel, QuestionState, Said
from kb.records import Agent, Copy, Evidence, File, Page, Record, State, Subject
from kb.sharing import Audience, Shared
from tests.web.network_of_centres import THEMES, Fund, thesaurus
from web import published_text
from web.guard import right_of

CANARY = re.compile("kanarix[a-z]+")
SEEN = {"kanarixpublictitle", "kanarixpublicpage", "kanarixpublished", "kanarixonsitetitle", "kanarixseries"}
"""What everybody may read: that these are found tells that the others would be."""

NETWORK = SEEN | {"kanarixnetworktitle", "kanarixnetworkpage", "kanarixthirdtitle", "kanarixthirdpage"}
ALLOWED = NETWORK | {"kanarixnetworkevidence", "kanarixthirdword"}
"""What a centre with a key may read besides."""

_OAI = "{http://www.openarchives.org/OAI/2.0/}"


class Secretive(Fund):
    """A centre with a word of its own in each place that is nobody else's business."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "a", thesaurus=thesaurus())
        self._records(folder)
        self._of_others()
        self._question()
        self._machine_room()
        self.key = self.parts.machines.add("kanarixkeyname", [Right.READ_NETWORK])
        self.parts.sync()

    def _record(self, access: str, **fields: object) -> str:
        """A record with canaries named after its access, and those of places that no access opens."""
        words = (Evidence(1, 0, 5, f"kanarix{access}evidence" if access != "public" else "mots"),)
        record = Record(
            id="a:1",
            title=f"kanarix{access}title",
            type="rapport",
            source=f"/srv/kanarixpath/{access}.pdf",
            copies=(Copy("D 1", "kanarixbarcode", "Salle 1", "lent"),),
            subjects=(Subject(concept=THEMES + "T12", state=State.ACCEPTED, evidence=words),),
        )
        page = Page(1, f"Le texte santé kanarix{access}page.", raw="kanarixraw")
        return self.put(Shared(record, (page,)), access=access, **fields)

    def _records(self, folder: Path) -> None:
        for access in ("public", "network", "onsite"):
            self._record(access, series="Les kanarixseries")
        hidden = {
            "agents": (Agent("Kanarixstaffagent, Ève"),),
            "notes": ("kanarixstaffnote",),
            "keywords": ("kanarixstaffword",),
            "abstract": "kanarixstaffabstract",
            "series": "kanarixstaffseries",
            "publisher": "kanarixstaffpublisher",
            "files": (File(sha256="a" * 64, name="kanarixstafffile.pdf", media_type="x/y", size=1, pages=1),),
            "identifiers": {"doi": "10.1/kanarixstaffdoi"},
        }
        self.staff = self._record("staff", **hidden)
        # Shown once, then kept to the team, and worked on since: only that it went may be told.
        self.gone = self.put("Retirée")
        self.change(self.gone, access="staff", **(hidden | {"title": "kanarixgonetitle"}))
        host = self.put("kanarixstaffhost", access="staff")
        self.part = self.put("Une partie", host=host)
        deleted = self.put("kanarixdeleted")
        self.store.delete(deleted)
        self.public = self.put(Shared(Record(id="a:1", title="Corrigée : kanarixversion")))
        self.change(self.public, title="Corrigée")

    def _of_others(self) -> None:
        """A record of a third centre, which it shares with the network alone."""
        self.parts.centres.save(Centre(code="b", name="Centre b"))
        self.parts.sources.add(
            centre="b", url="https://b.exemple.fr/oai", prefix="carbet", secret="kanarixsourcesecret"
        )
        record = Record(id="b:1", title="kanarixthirdtitle", access="network", keywords=("kanarixthirdword",))
        origin = Origin(centre="b", source=1, identifier="oai:b:1", datestamp="2026-03-01T10:00:00Z")
        mine = Subject(concept="https://exemple.fr/kanarixlocaltag")
        self.parts.mirrors.keep(
            Shared(record, (Page(1, "kanarixthirdpage"),)), origin, local=(mine,), relayed=True
        )

    def _question(self) -> None:
        """One that was published without its names, and one that waits."""
        parts, day = self.parts, datetime(2026, 3, 3, 12, tzinfo=UTC)
        me = parts.people.add("kanarixstaffmail@exemple.fr", "kanarixstaffperson", [Role.ADMINISTRATOR]).id
        asker = parts.askers.known(
            "kanarixasker@exemple.fr", "Kanarixaskername Ève", "0696 12 34 56", now=day
        )
        for number in range(2):
            asked = Asked(
                text=f"Je suis Mme Kanarixname. Qui paie ? kanarixtext{'ab'[number]}",
                context="kanarixcontext",
                consent=True,
                channel=Channel.EMAIL,
            )
            question = parts.desk.receive(asked, asker, now=day)
            said = Said(
                text="kanarixexchange",
                channel=Channel.EMAIL,
                subject="kanarixsubject",
                quoted="kanarixquoted",
            )
            parts.desk.hear(question.id, said, now=day)
            parts.desk.note(question.id, "kanarixdesknote", person=me, now=day)
        first = question.id - 1
        parts.desk.claim(first, me, now=day)
        parts.desk.write(
            first, Said(text="Bonjour Mme kanarixletter.", channel=Channel.EMAIL), person=me, now=day
        )
        parts.desk.move(first, QuestionState.ANSWERED, person=me, now=day)
        copy = PublishedCopy(title="Qui paie ? kanarixpublished", text="Qui paie ?", body="La région paie.")
        held = parts.publications.prepare(first, copy, 0, person=me, now=day)
        parts.publications.publish(
            first, held.version, published_text.pages(copy), [THEMES + "T12"], person=me, now=day
        )

    def _machine_room(self) -> None:
        parts = self.parts
        parts.outbox.put("kanarixrecipient@exemple.fr", "kanarixmailsubject", "kanarixmailtext")
        parts.misses.note("kanarixmiss", date(2026, 3, 3))
        batch = parts.jobs.open_batch("kanarixbatch", "deposit")
        parts.jobs.add(batch, "file", "kanarixjob.pdf", {"path": "kanarixpayload"}, key="k")
        parts.reviews.open(self.public, {"title": "kanarixreview"})

    def clients(self) -> dict[str, tuple[FlaskClient, set[str]]]:
        """Who asks, and what they may be told."""
        visitor, centre = self.app.test_client(), self.app.test_client()
        centre.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.key}"
        return {"visitor": (visitor, SEEN), "centre": (centre, ALLOWED)}


EXPECTED = {"visitor": SEEN, "centre": NETWORK}
"""Who asks -> what they must be told."""


@pytest.fixture(scope="module")
def fund(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secretive]:
    made = Secretive(tmp_path_factory.mktemp("canaries") / "a")
    yield made
    made.close()


def canaries(body: bytes) -> set[str]:
    """The canaries in an answer, packed or not, however they are written."""
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist())
    return set(CANARY.findall(body.decode("utf-8", "replace").lower()))


def addresses(fund: Fund) -> Iterator[str]:
    """Every address that a visitor may open, with every record in it."""
    ids = [*fund.store.ids(), "a:999"]
    values: dict[str, list[str]] = {
        "id": ids,
        "number": ["1"],
        "width": ["400"],
        "place": ["0"],
        "name": ["x.pdf"],
        "parameter": ["theme", "type", "annee", "centre", "collection", "auteur", "lieu"],
        "token": ["x"],
        "follow": ["x"],
        "version": ["x"],
    }
    for rule in fund.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or right_of(fund.app, rule.endpoint) is not Right.VISIT:
            continue
        names = sorted(rule.arguments)
        for chosen in product(*(values.get(name, ["1"]) for name in names)):
            with fund.app.test_request_context():
                built = rule.build(dict(zip(names, chosen, strict=True)))
            assert built is not None, rule
            yield built[1]
            if not names:
                yield from (f"{built[1]}?{query}" for query in QUERIES)


QUERIES = ("q=kanarix", "q=santé", "q=*", "q=rapport", "centre=b", "theme=T12", "tri=titre&q=", "page=2")


def look(client: FlaskClient, allowed: set[str], some: Iterable[str]) -> set[str]:
    """The canaries that are met at these addresses; each must be allowed."""
    met: set[str] = set()
    for address in some:
        answer = client.get(address)
        if answer.status_code == 429:  # nobody else would be given so much at once
            client.application.extensions["parts"].limits.sweep(time.time() + 1)
            answer = client.get(address)
        assert answer.status_code not in (429, 500), address
        found = canaries(answer.data) | canaries(str(answer.headers).encode())
        assert found <= allowed, (address, found - allowed)
        met |= found
    return met


@pytest.mark.parametrize("who", ["visitor", "centre"])
def test_no_page_that_everybody_may_open_tells_any(fund: Secretive, who: str):
    client, allowed = fund.clients()[who]
    assert look(client, allowed, addresses(fund)) >= EXPECTED[who]
    parts = re.findall("<loc>http://localhost(/[^<]*)", client.get("/sitemap.xml").text)
    assert parts
    look(client, allowed, parts)


def oai(client: FlaskClient) -> Iterator[str]:
    """Every request of OAI-PMH that means something."""
    yield from (f"/oai?verb={verb}" for verb in ("Identify", "ListMetadataFormats", "ListSets"))
    sets = client.get("/oai?verb=ListSets").data
    specs = [one.text for one in etree.fromstring(sets).iter(f"{_OAI}setSpec")]
    for prefix in ("oai_dc", "marcxml", "carbet"):
        for verb in ("ListRecords", "ListIdentifiers"):
            yield f"/oai?verb={verb}&metadataPrefix={prefix}"
            yield from (f"/oai?verb={verb}&metadataPrefix={prefix}&set={spec}" for spec in specs)
        for id in ("a:1", "a:2", "a:3", "a:4", "a:5", "a:6", "a:7", "a:8", "b:1"):
            identifier = f"identifier=oai:localhost:{id}"
            yield f"/oai?verb=GetRecord&metadataPrefix={prefix}&{identifier}"
            yield f"/oai?verb=ListMetadataFormats&{identifier}"


def sru() -> Iterator[str]:
    yield "/sru?operation=explain&version=1.2"
    for schema, query in product(
        ("dc", "marcxml"), ("kanarix", "rapport", "cql.serverChoice=santé", "dc.title=kanarix")
    ):
        yield f"/sru?operation=searchRetrieve&version=1.2&recordSchema={schema}&query={query}"


@pytest.mark.parametrize("who", ["visitor", "centre"])
def test_neither_oai_nor_sru_tells_any(fund: Secretive, who: str):
    client, allowed = fund.clients()[who]
    assert look(client, allowed, oai(client)) >= EXPECTED[who]
    look(client, allowed, sru())


def test_a_record_that_was_taken_back_is_told_as_gone_and_nothing_else(fund: Secretive):
    client = fund.app.test_client()
    tree = etree.fromstring(client.get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").data)
    [header] = [h for h in tree.iter(f"{_OAI}header") if h.findtext(f"{_OAI}identifier").endswith(fund.gone)]
    assert header.get("status") == "deleted"
    assert header.findall(f"{_OAI}setSpec") == []


@pytest.mark.parametrize(
    ("audience", "allowed"),
    [(Audience.PUBLIC, SEEN), (Audience.NETWORK, ALLOWED)],
    ids=["public", "network"],
)
def test_no_envelope_holds_any(fund: Secretive, audience: Audience, allowed: set[str]):
    assert canaries(fund.write(f"all-{audience}", audience, relays=True).read_bytes()) == allowed
    own = {one for one in allowed if "third" not in one}
    assert canaries(fund.write(f"own-{audience}", audience).read_bytes()) == own
