"""How fast pages are served: /recherche with facets and passages, by two processes, while ingest runs.

    python tests/benchmarks/pages.py [--pages 20000] [--seconds 20]

Makes a fund of records of 20 pages from the sentences of the demonstration fund, serves it with ``kb serve``,
asks from four connections, and prints pages/s, p50, p95 and p99 in milliseconds, first alone, then with
``kb ingest`` beside.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

sys.path[0] = str(Path(__file__).parents[2])  # not this folder, whose files have names of our packages

import corpus  # noqa: E402
from kb import config as settings  # noqa: E402
from kb.french import fold  # noqa: E402
from kb.records import TYPES, Page, Record, State, Subject  # noqa: E402
from web.parts import Parts  # noqa: E402

PAGES_PER_RECORD = 20
CONNECTIONS = 4


def sentences(folder: Path) -> list[str]:
    """Sentences of the demonstration fund, read by the pipeline itself."""
    from ingest import pipeline

    parts = Parts(settings.load(folder, {}))
    for _ in pipeline.ingest(
        (corpus.FOLDER / "documents",), parts.store, parts.tagger, workers=2, centre="vc"
    ):
        pass
    texts = [page.text for id in parts.store.ids() for page in parts.store.pages(id)]
    parts.close()
    return [s for text in texts for s in re.split(r"(?<=[.!?;])\s+", text) if 30 < len(s) < 400]


def fill(folder: Path, pages: int, pool: list[str]) -> list[str]:
    """A fund of that many pages; words to search for."""
    rng = random.Random(7)
    parts = Parts(settings.load(folder, {}))
    subprocess.run([kb(), "--data", str(folder), "init"], check=True, capture_output=True)
    concepts = [c.uri for c in parts.thesaurus if c.scheme in ("themes", "territories", "dispositifs")]
    for start in range(0, pages // PAGES_PER_RECORD, 200):
        with parts.store.transaction():
            for number in range(start, min(start + 200, pages // PAGES_PER_RECORD)):
                record = Record(
                    id=parts.store.new_id("vc"),
                    title=" ".join(rng.choice(pool).split()[:9]) or f"Titre {number}",
                    type=rng.choice(list(TYPES)),
                    date=str(rng.randint(1990, 2025)),
                    subjects=tuple(Subject(concept=u, state=State.ACCEPTED) for u in rng.sample(concepts, 5)),
                )
                texts = (" ".join(rng.choices(pool, k=11)) for _ in range(PAGES_PER_RECORD))
                parts.store.save(record, [Page(n, text) for n, text in enumerate(texts, 1)])
    parts.sync()
    parts.close()
    words = {w for s in pool[:2000] for w in re.findall(r"\w{5,}", fold(s))}
    return sorted(words)


def kb() -> str:
    return str(Path(sys.executable).parent / "kb")


def ask(port: int, queries: list[str], until: float, times: list[float]) -> None:
    """Ask one after the other until the time is up; milliseconds of each answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    rng = random.Random(id(times))
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("GET", "/recherche?q=" + quote(rng.choice(queries)))
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status
        times.append((time.perf_counter() - began) * 1000)


def measure(name: str, port: int, queries: list[str], seconds: float, connections: int) -> None:
    """One line of figures."""
    found: list[list[float]] = [[] for _ in range(connections)]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=ask, args=(port, queries, until, times)) for times in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = sorted(t for times in found for t in times)
    p50, p95, p99 = (statistics.quantiles(every, n=100)[n] for n in (49, 94, 98))
    print(
        f"{name:28} {len(every) / seconds:7.1f} pages/s   "
        f"p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   p99 {p99:6.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        pool = sentences(Path(scratch) / "source")
        folder = Path(scratch) / "fund"
        words = fill(folder, options.pages, pool)
        rng = random.Random(11)
        queries = [" ".join(rng.sample(words, rng.choice((1, 1, 2, 2, 3)))) for _ in range(300)]
        server = subprocess.Popen([kb(), "--data", str(folder), "serve", "--port", str(port)])
        try:
            wait_for(port)
            measure("warming up", port, queries, 5, CONNECTIONS)
            measure("one connection", port, queries, options.seconds, 1)
            measure("four connections", port, queries, options.seconds, CONNECTIONS)
            arrivals = arriving(Path(scratch), pool)
            ingest = subprocess.Popen(
                [kb(), "--data", str(folder), "ingest", str(arrivals)], stderr=subprocess.DEVNULL
            )
            measure("four, ingest running beside", port, queries, options.seconds, CONNECTIONS)
            print("ingest still running at the end:", ingest.poll() is None)
            ingest.terminate()
            ingest.wait()
        finally:
            server.terminate()
            server.wait()


def arriving(scratch: Path, pool: list[str]) -> Path:
    """Text files for the ingest beside: more than it can read in the time."""
    folder = scratch / "arriving"
    folder.mkdir()
    rng = random.Random(3)
    for number in range(3000):
        (folder / f"{number}.txt").write_text(f"Titre {number}\n\n" + "\n\n".join(rng.choices(pool, k=120)))
    return folder


def wait_for(port: int) -> None:
    """Until the server answers."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    os.environ.pop("KB_DATA", None)
    main()
