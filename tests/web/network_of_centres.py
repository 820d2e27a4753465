"""Centres of a network for tests: each with a fund of its own, served on this machine, harvesting others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as checked

from ingest.harvest import Patience
from kb import config as settings
from kb.accounts import Right
from kb.centres import Centre
from kb.database import Store
from kb.envelope import Position
from kb.feed import Feed
from kb.records import Page, Record
from kb.runs import Run
from kb.sharing import Audience, Shared, audience_of, may_be_told, outward
from kb.sources import Source
from kb.thesaurus import Concept, Scheme, Thesaurus
from tests.kb.travelling import shared
from tests.web.conftest import ClosingClient, served
from web import create_app
from web.parts import Parts

THEMES = "https://exemple.fr/themes/"
BEGINNING = Position()
IMPATIENT = Patience(tries=2, pause=0.05, waits=1, seconds=5.0)


def thesaurus() -> Thesaurus:
    """Three themes."""
    labels = {"T06": "Médiation sociale", "T08": "Rénovation urbaine", "T12": "Santé"}
    concepts = [Concept(uri=THEMES + code, scheme="themes", label=label) for code, label in labels.items()]
    return Thesaurus(concepts, [Scheme("themes", THEMES[:-1], "Thèmes")])


def any_records(number: int) -> list[Shared]:
    """So many records of any shape, the same at each run."""
    found: list[Shared] = []

    @seed(6)
    @checked(
        max_examples=number,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(shared)
    def collect(one: Shared) -> None:
        found.append(one)

    collect()
    return found


class Fund:
    """One centre: its parts, its pages in a client, and, while it is served, its address."""

    def __init__(self, folder: Path, code: str, *, thesaurus: Thesaurus | None = None, **more: str) -> None:
        folder.mkdir(parents=True)
        said = {"centre": code, "centre_name": f"Centre {code}", "private_addresses": "127.0.0.1"} | more
        lines = (f'{name} = "{value}"\n' for name, value in said.items())
        (folder / settings.FILE).write_text("".join(lines), encoding="utf-8")
        self.app = create_app(settings.load(folder, {}))
        self.app.test_client_class = ClosingClient
        self.folder = folder
        self.code = code
        self.parts: Parts = self.app.extensions["parts"]
        self.address = ""
        if thesaurus is not None:
            self.store.save_thesaurus(thesaurus)

    @property
    def store(self) -> Store:
        """Its records."""
        return self.parts.store

    @property
    def feed(self) -> Feed:
        """Its change feed."""
        return self.store.feed

    @contextmanager
    def open_to_others(self) -> Iterator[Fund]:
        """Serve it meanwhile."""
        with served(self.app) as self.address:
            yield self

    def put(self, one: Shared | str, **fields: object) -> str:
        """Keep a record as one of its own, or a new one of this title; its id."""
        id = self.store.new_id(self.code)
        if isinstance(one, str):
            pages = (Page(1, f"{one}. Des mots de la page."),)
            one = Shared(Record(id=id, title=one, **fields), pages)  # type: ignore[arg-type]
        self.store.save(dataclasses.replace(one.record, id=id, **fields), one.pages)  # type: ignore[arg-type]
        return id

    def change(self, id: str, **fields: object) -> None:
        """Change fields of one of its own records."""
        self.store.save(dataclasses.replace(self.store.get(id), **fields))  # type: ignore[arg-type]

    def key_for(self, name: str) -> str:
        """A key by which another centre reads what is for the network."""
        return self.parts.machines.add(name, [Right.READ_NETWORK])

    def know(self, other: Fund) -> None:
        """Have the other in the directory, and trust its envelopes."""
        key = other.parts.centre_key.public
        self.parts.centres.save(Centre(code=other.code, name=f"Centre {other.code}", public_key=key))

    def listen_to(self, other: Fund, *, secret: str | None = None, relays: bool = False) -> Source:
        """Have the other as a source."""
        self.know(other)
        return self.parts.sources.add(
            centre=other.code, url=f"{other.address}/oai", prefix="carbet", secret=secret, relays=relays
        )

    def harvest(self, source: Source) -> Run:
        """One harvest, to its end."""
        run = self.parts.harvester(patience=IMPATIENT).harvest_one(source.id)
        assert run is not None
        return run

    def write(
        self, name: str, audience: Audience = Audience.NETWORK, *, since: Position = BEGINNING, **more: bool
    ) -> Path:
        """An envelope of what it shares."""
        path = self.folder / f"{name}.carbet"
        refused: list[str] = []
        self.parts.envelope_writer().write(
            path,
            audience=audience,
            since=since,
            refused=lambda id, error: refused.append(f"{id} {error}"),
            **more,
        )
        assert refused == []
        return path

    def read(self, path: Path, *, relays: bool = False) -> Run:
        """Take an envelope in."""
        return self.parts.envelope_reader().read(path, relays=relays)

    def shares(self, audience: Audience, owners: Iterable[str] = ()) -> dict[str, Shared]:
        """What it gives to an audience, by id, times left out; of some owners or of all."""
        told: dict[str, Shared] = {}
        for id, record in self.store.as_received(list(self.store.ids())).items():
            if may_be_told(audience_of(record), audience) and (not owners or record.centre in owners):
                told[id] = timeless(outward(record, self.store.pages(id)))
        return told

    def holds(self, owner: str) -> dict[str, Shared]:
        """What it has of another centre, as that one said it, by id, times left out."""
        records = self.store.as_received([id for id in self.store.ids() if id.startswith(f"{owner}:")])
        return {id: timeless(Shared(record, self.store.pages(id))) for id, record in records.items()}

    def close(self) -> None:
        """Let go of its files."""
        self.parts.close()


def timeless(shared: Shared) -> Shared:
    """Without the times, which each database gives its own."""
    return Shared(dataclasses.replace(shared.record, created=None, updated=None), shared.pages)
