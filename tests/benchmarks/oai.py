"""How fast and how faithfully the fund is harvested at /oai, by clients that are not ours.

    python tests/benchmarks/oai.py [--records 100000] [--stops 50]

Makes a fund of synthetic records, serves it by one process, and prints: records/s of a plain client in
``oai_dc`` (as it is and by gzip), memory of the server before and after, then what came of a harvest by
oaipmh-scythe and one by Sickle, in full then incremental, while a thread changes, adds, hides and deletes
records, each client stopping again and again after a random page to go on with its token, the server
started anew now and then. It ends with an error if a record came twice in a list, or if at the end what a
client holds is not what the fund shows.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import http.client
import itertools
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path[0] = str(Path(__file__).parents[2])  # not this folder, whose files have names of our packages

import oaipmh_scythe  # noqa: E402
import sickle  # noqa: E402
from oaipmh_scythe.config import RetryConfig  # noqa: E402
from oaipmh_scythe.iterator import OAIResponseIterator as ScythePages  # noqa: E402
from sickle.iterator import OAIResponseIterator as SicklePages  # noqa: E402
from sickle.oaiexceptions import NoRecordsMatch as SickleNothing  # noqa: E402

from kb import config as settings  # noqa: E402
from kb.database import Store  # noqa: E402
from kb.limits import Limit  # noqa: E402
from kb.records import TYPES, Agent, Record  # noqa: E402

OAI, DC = "{http://www.openarchives.org/OAI/2.0/}", "{http://purl.org/dc/elements/1.1/}"
CLIENTS = ("scythe", "sickle")
_TOGETHER = 1000  # records saved in one transaction
_WORDS = ("habitat", "école", "santé", "emploi", "quartier", "jeunesse", "budget", "atelier", "culture")


# -- a fund, and what happens to it


def made(store: Store, rng: random.Random, centre: str = "vc") -> Record:
    """A new record, about as long as those of a catalogue."""
    words = " ".join(rng.choices(_WORDS, k=8))
    return Record(
        id=store.new_id(centre),
        title=f"{words.capitalize()} {rng.randrange(10**6)}",
        type=rng.choice(tuple(TYPES)),
        agents=(Agent("Dupont, Zoé"), Agent("Ville de Fort-de-France", kind="body")),
        date=str(rng.randint(1980, 2025)),
        publisher="Ville Caraïbe",
        series=rng.choice((None, "Cahiers", "Repères")),
        abstract=" ".join(rng.choices(_WORDS, k=60)),
        keywords=tuple(rng.sample(_WORDS, 4)),
    )


def fill(store: Store, count: int, seed: int = 5) -> None:
    """So many records."""
    rng = random.Random(seed)
    for start in range(0, count, _TOGETHER):
        with store.transaction():
            for _ in range(min(_TOGETHER, count - start)):
                store.save(made(store, rng))


class Life(threading.Thread):
    """Changes, adds, hides, shows and deletes records until it is told to stop, some together."""

    def __init__(self, store: Store, seed: int, pause: float) -> None:
        super().__init__()
        self._store, self._rng, self._pause = store, random.Random(seed), pause
        self._ids = list(store.ids())
        self._over = threading.Event()
        self.count = 0

    def run(self) -> None:
        while not self._over.wait(self._pause):
            with self._store.transaction():
                for _ in range(self._rng.choice((1, 1, 1, 20))):
                    self._happen()

    def _happen(self) -> None:
        self.count += 1
        what = self._rng.choices(("change", "add", "delete", "hide"), (60, 20, 12, 8))[0]
        place = self._rng.randrange(len(self._ids))
        id = self._ids[place]
        if what == "add":
            record = made(self._store, self._rng)
            self._ids.append(record.id)
            self._store.save(record)
        elif what == "delete":
            self._ids[place] = self._ids[-1]
            self._ids.pop()
            self._store.delete(id)
        else:
            held = self._store.get(id)
            hidden = what == "hide" and held.access == "public"
            title = f"{held.title.rpartition(' ')[0]} {self.count}"
            self._store.save(dataclasses.replace(held, title=title, access="staff" if hidden else "public"))

    def stop(self) -> None:
        self._over.set()
        self.join()


def shown(store: Store) -> dict[str, str]:
    """Titles of what everybody may be told of, by id."""
    ids = list(store.ids())
    return {
        id: record.title
        for id, record in store.get_many(ids).items()
        if record.access in ("public", "onsite")
    }


# -- clients that others wrote


@dataclass(frozen=True, slots=True)
class Page:
    """One answer as a client read it: its date, (id, title) of its records, None for a deleted one."""

    at: str
    records: list[tuple[str, str | None]]
    token: str | None


def pages(client: str, url: str, since: str | None, token: str | None) -> Iterator[Page]:
    """What a client gets from the beginning of a list, or from a token on; it follows tokens by itself."""
    return (_by_scythe if client == "scythe" else _by_sickle)(url, since, token)


def _by_scythe(url: str, since: str | None, token: str | None) -> Iterator[Page]:
    retries = RetryConfig(max_retries=20, retry_on_transport_error=True, initial_backoff=0.2)
    with oaipmh_scythe.Scythe(url, iterator=ScythePages, retry_config=retries) as client:
        try:
            if token is not None:
                yield from map(_page, client.list_records(resumption_token=token, metadata_prefix=None))
            else:
                yield from map(_page, client.list_records(metadata_prefix="oai_dc", from_=since))
        except oaipmh_scythe.exceptions.NoRecordsMatch:
            return


def _by_sickle(url: str, since: str | None, token: str | None) -> Iterator[Page]:
    client = sickle.Sickle(url, iterator=SicklePages, max_retries=20)
    said = {"resumptionToken": token} if token is not None else {"metadataPrefix": "oai_dc"}
    if token is None and since is not None:
        said["from"] = since
    try:
        yield from map(_page, client.ListRecords(**said))
    except SickleNothing:
        return


def _page(response: Any) -> Page:
    tree = response.xml
    found = []
    for record in tree.iter(f"{OAI}record"):
        header = record.find(f"{OAI}header")
        id = ":".join(header.findtext(f"{OAI}identifier").split(":")[2:])
        deleted = header.get("status") == "deleted"
        found.append((id, None if deleted else record.findtext(f".//{DC}title")))
    token = tree.find(f".//{OAI}resumptionToken")
    return Page(tree.findtext(f"{OAI}responseDate"), found, None if token is None else token.text)


@dataclass(slots=True)
class Copied:
    """What one client holds, and where it is."""

    client: str
    held: dict[str, str | None] = field(default_factory=dict)
    since: str | None = None
    token: str | None = None
    began: str | None = None
    seen: set[str] = field(default_factory=set)
    lists: int = 0
    stops: int = 0

    def harvest(self, url: str, stop_after: int | None = None) -> bool:
        """Go on with the list, or begin the next one, which is of what changed since the last; False when
        stopped before its end."""
        for number, page in enumerate(pages(self.client, url, self.since, self.token), start=1):
            if self.token is None:
                self.began, self.seen = page.at, set()
            for id, title in page.records:
                assert id not in self.seen, f"{id} twice in one list of {self.client}"
                self.seen.add(id)
                self.held[id] = title
            self.token = page.token
            if page.token and number == stop_after:
                self.stops += 1
                return False
        self.lists += 1
        self.since, self.token = self.began or self.since, None
        return True

    def differs(self, truth: dict[str, str]) -> list[str]:
        """Ids of which the client does not say what the fund does."""
        held = {id: title for id, title in self.held.items() if title is not None}
        return sorted(id for id in held.keys() | truth.keys() if held.get(id) != truth.get(id))


# -- a server of one process


def application() -> Any:
    """What the server runs: the application, without the limit that is for one harvester in ten minutes."""
    from web import create_app, oai

    oai.REQUESTS = Limit("oai", 10**6, 600)
    return create_app(settings.load(Path(os.environ["KB_DATA"])))


def serve(port: int) -> None:
    """Serve as ``kb serve`` does, by one process, without the search."""
    from granian import Granian
    from granian.constants import Interfaces

    server: Any = Granian(
        "tests.benchmarks.oai:application",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=16,
        log_enabled=False,
    )
    server.serve()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server as another process, until the end of the block."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"KB_DATA": str(folder), "PYTHONPATH": str(root)}
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(port)], env=environment, cwd=root, start_new_session=True
    )
    try:
        wait_for(port)
        yield server
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int) -> None:
    """Until the server answers."""
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/oai?verb=Identify")
            connection.getresponse().read()
            connection.close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def memory(parent: int) -> float:
    """Megabytes that the processes of a server hold."""
    found = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if re.search(rf"^(PPid|Pid):\s+{parent}$", said, re.MULTILINE):
            resident = re.search(r"^VmRSS:\s+(\d+)", said, re.MULTILINE)
            found += int(resident[1]) / 1024 if resident else 0
    return found


# -- what is measured


def speed(port: int, encoding: str) -> None:
    """One line of figures of a plain client that reads everything."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    count = size = 0
    query = "verb=ListRecords&metadataPrefix=oai_dc"
    began = time.perf_counter()
    while query:
        connection.request("GET", f"/oai?{query}", headers={"Accept-Encoding": encoding})
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, response.status
        size += len(content)
        content = gzip.decompress(content) if response.headers["Content-Encoding"] == "gzip" else content
        count += content.count(b"<record>")
        token = re.search(rb"<resumptionToken[^>]*>([^<]+)<", content)
        query = f"verb=ListRecords&resumptionToken={quote(token[1].decode())}" if token else ""
    seconds = time.perf_counter() - began
    connection.close()
    print(
        f"oai_dc, {encoding:9} {count} records, {count / seconds:7.0f} records/s, "
        f"{size / count:6.0f} bytes a record, {seconds:.1f} s",
        flush=True,
    )


def alternate(copies: list[Copied], folder: Path, port: int, stops: int, rng: random.Random) -> int:
    """Harvests by turns, each stopped after a random page, until there were so many stops and each client
    ended a full list and an incremental one; number of times that the server was started anew."""
    turns = itertools.cycle(copies)
    url, starts = f"http://127.0.0.1:{port}/oai", 0
    while sum(copy.stops for copy in copies) < stops or min(copy.lists for copy in copies) < 2:
        starts += 1
        with serving(folder, port):
            for copy in itertools.islice(turns, rng.randint(2, 8)):
                first = copy.lists == 0
                copy.harvest(url, stop_after=rng.randint(1, 60 if first else 5))
    return starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory() as scratch, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        folder = Path(scratch) / "fund"
        store = Store.open(settings.load(folder, {}))
        began = time.perf_counter()
        fill(store, options.records)
        print(f"{options.records} records made in {time.perf_counter() - began:.0f} s", flush=True)
        with serving(folder, port) as server:
            before = memory(server.pid)
            speed(port, "identity")
            between = memory(server.pid)
            speed(port, "gzip")
            after = memory(server.pid)
        print(f"memory of the server: {before:.0f} MB, then {between:.0f}, then {after:.0f}", flush=True)
        faithful(store, folder, port, options.stops)
        store.close()


def faithful(store: Store, folder: Path, port: int, stops: int) -> None:
    """Harvests by both clients while the fund lives; SystemExit when one does not hold it at the end."""
    copies = [Copied(client) for client in CLIENTS]
    life = Life(Store.open(settings.load(folder, {})), seed=9, pause=0.02)
    life.start()
    try:
        starts = alternate(copies, folder, port, stops, random.Random(13))
    finally:
        life.stop()
    with serving(folder, port):
        for copy in copies:
            while not copy.harvest(f"http://127.0.0.1:{port}/oai"):
                pass
            copy.harvest(f"http://127.0.0.1:{port}/oai")  # what changed since the list that went on was begun
    truth = shown(store)
    print(f"{life.count} changes meanwhile, {starts} starts of the server, {len(truth)} records at the end")
    faults = 0
    for copy in copies:
        wrong = copy.differs(truth)
        faults += len(wrong)
        print(
            f"{copy.client}: {copy.lists} lists, {copy.stops} interrupted runs, none twice in a list, "
            f"{len(wrong)} records that differ"
        )
    if faults:
        raise SystemExit("the copies are not what the fund shows")


if __name__ == "__main__":
    main()
