"""Our engine beside others on the same text, the same queries, in one run.

    python tests/benchmarks/search.py --pages 20000 --peers tantivy,fts5,whoosh
    python tests/benchmarks/search.py --pages 200000 --each 1      # twenty centres of 10,000 records

Makes its corpus by itself (see ``corpus``), builds each index in a process of its own on one core (CPU time),
then asks the 200 queries of ten kinds, engines taking turns query by query, three rounds, median of the CPU
time of each query. ``facets``: top 20, exact total, five facets; ``full``: with the snippets of the top 20 as
well. Cold: what our engine keeps of postings is dropped before each query (files stay in the system's memory,
as for the others). Plain Whoosh takes one round of every fourth query: it needs a fifth of a second each.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # this file is named like a package of ours

from tests.benchmarks import corpus, peers  # noqa: E402

MODES = ("facets", "full")
ADDED = 1_000  # pages added to the index at the end
WHOOSH_STEP = 4
IN_MEMORY = (
    50_000  # pages read before the clock starts; of more, reading is in the figure, some 0.1 ms a page
)


def main() -> None:
    """Build what is missing, measure, print."""
    options = _options()
    if options.step:
        print(json.dumps(STEPS[options.step](options)))
        return
    folder = options.data or ROOT / ".benchmark" / f"search-{options.pages}-{options.each}"
    options.data = folder
    if not (folder / "queries.json").exists():
        corpus.make(options.text or ROOT / "corpus" / "documents", folder, options.pages, options.each)
    names = ["ours", *options.peers.split(",")] if options.peers else ["ours"]
    _keep_texts(folder)
    built = {name: _built(options, name) for name in names}
    _print_builds(built, options.pages)
    _measure(options, names)
    for step, what in (("reader", "a reader"), ("add", f"{ADDED} pages more")):
        print(f"{what}: {_step(options, step)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--each", type=int, default=corpus.PAGES_PER_RECORD, help="pages of a record")
    parser.add_argument("--peers", default="tantivy,fts5", help="of tantivy, fts5, whoosh")
    parser.add_argument("--data", type=Path, help="folder for corpus and indexes; kept for the next run")
    parser.add_argument("--text", type=Path, help="file or folder of .txt, .md, .html, .pdf, .jsonl(.gz)")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    return parser.parse_args()


def _keep_texts(folder: Path) -> None:
    """The text of all pages as a database keeps it, for engines that keep none."""
    if (folder / "texts").exists():
        return
    (folder / "texts").mkdir(parents=True)
    texts = peers.Texts(folder / "texts")
    for work in corpus.works(folder):
        texts.keep((peers.page_number(work.number, n), page) for n, page in enumerate(work.pages, 1))


# -- what runs in a process of its own


def _step(options: argparse.Namespace, step: str, engine: str = "ours") -> dict[str, Any]:
    command = [sys.executable, __file__, "--step", step, "--engine", engine, "--data", str(options.data)]
    done = subprocess.run([*command, "--pages", str(options.pages)], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _built(options: argparse.Namespace, name: str) -> dict[str, Any]:
    note = options.data / f"{name}.json"
    if not note.exists():
        shutil.rmtree(options.data / name, ignore_errors=True)
        note.write_text(json.dumps(_step(options, "build", name)))
    found: dict[str, Any] = json.loads(note.read_text())
    return found


def _build(options: argparse.Namespace) -> dict[str, Any]:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from kb import french

    french.terms("prêt")  # the tables of the analysis are loaded once a process: not what is measured
    folder = options.data / options.engine
    folder.mkdir()
    works = list(corpus.works(options.data)) if options.pages <= IN_MEMORY else corpus.works(options.data)
    start = time.process_time()
    peers.PEERS[options.engine]().build(works, folder)
    seconds = time.process_time() - start
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"pages_s": round(options.pages / seconds), "index_mb": size >> 20, "peak_mb": peak}


def _reader(options: argparse.Namespace) -> dict[str, Any]:
    engine = peers.Ours()
    asks = corpus.queries(options.data)
    start = time.perf_counter()
    engine.open(options.data / "ours")
    opened = time.perf_counter()
    engine.search(asks[0], snippets=False)
    first = time.perf_counter()
    for ask in asks:
        engine.search(ask, snippets=True)
    smaps = Path("/proc/self/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in smaps if line.startswith("Private_Dirty"))
    return {
        "open_ms": round((opened - start) * 1000),
        "first_query_ms": round((first - opened) * 1000),
        "private_mb": private >> 10,
    }


def _add(options: argparse.Namespace) -> dict[str, Any]:
    from dataclasses import replace

    folder = options.data / "grown"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(options.data / "ours", folder)
    engine = peers.Ours()
    engine.open(folder)
    engine.search({"kind": "rare", "words": ["prêt"]}, snippets=False)
    works = list(islice(corpus.works(options.data), ADDED // corpus.PAGES_PER_RECORD))
    start = time.perf_counter()
    with engine.engine.writer() as writer:
        for work in works:
            pages = [f"{page} zyxvut" for page in work.pages]
            writer.put(peers.entry(replace(work, number=work.number + 1_000_000, pages=pages)))
    total = engine.total({"kind": "rare", "words": ["zyxvut"]})
    seconds = time.perf_counter() - start
    one = []
    for work in works:
        began = time.perf_counter()
        with engine.engine.writer() as writer:
            writer.put(peers.entry(replace(work, number=work.number + 2_000_000)))
        one.append((time.perf_counter() - began) * 1000)
    engine.engine.close()
    shutil.rmtree(folder)
    return {
        "searchable_s": round(seconds, 2),
        "found": total,
        "one_record_commit_ms": round(statistics.median(one)),
        "slowest_ms": round(max(one)),
    }


STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "build": _build,
    "reader": _reader,
    "add": _add,
}


# -- the comparison


def _measure(options: argparse.Namespace, names: list[str]) -> None:
    asks = corpus.queries(options.data)
    if "fts5" in names:
        peers.expansions(corpus.works(options.data), asks)
    engines = {name: peers.PEERS[name]() for name in names}
    for name, engine in engines.items():
        engine.open(options.data / name)
    _print_totals(engines, asks)
    rounds = 1 if options.quick else 3
    for mode in MODES:
        times = _times(engines, asks, rounds, snippets=mode == "full")
        _print_times(mode, times)


def _times(
    engines: dict[str, peers.Peer], asks: list[dict[str, Any]], rounds: int, *, snippets: bool
) -> dict[str, dict[int, float]]:
    """CPU milliseconds of each query: median over the rounds, all engines in turn for one query."""
    ours = engines["ours"]
    assert isinstance(ours, peers.Ours)
    for ask in asks:
        ours.search(ask, snippets=snippets)
    found: dict[str, dict[int, list[float]]] = {"ours cold": {}, **{name: {} for name in engines}}
    for number in range(rounds):
        for i, ask in enumerate(asks):
            for name, engine in _turn(engines, i):
                if name == "whoosh" and (number or i % WHOOSH_STEP):
                    continue
                found[name].setdefault(i, []).append(_cpu(engine, ask, snippets))
    for _ in range(rounds):
        for i, ask in enumerate(asks):
            ours.engine.drop_cache()
            found["ours cold"].setdefault(i, []).append(_cpu(ours, ask, snippets))
    return {n: {i: statistics.median(t) for i, t in times.items()} for n, times in found.items()}


def _turn(engines: dict[str, peers.Peer], i: int) -> Iterator[tuple[str, peers.Peer]]:
    """All engines, another one first each time."""
    names = list(engines)
    for k in range(len(names)):
        name = names[(i + k) % len(names)]
        yield name, engines[name]


def _cpu(engine: peers.Peer, ask: dict[str, Any], snippets: bool) -> float:
    start = time.thread_time()
    engine.search(ask, snippets=snippets)
    return (time.thread_time() - start) * 1000


def _print_builds(built: dict[str, dict[str, Any]], pages: int) -> None:
    print(f"{pages} pages; one core")
    for name, figures in built.items():
        print(f"  {name:10} {figures}")
    if "tantivy" in built:
        print(f"  ours/tantivy: {built['ours']['pages_s'] / built['tantivy']['pages_s']:.2f} of its pages/s")


def _print_totals(engines: dict[str, peers.Peer], asks: list[dict[str, Any]]) -> None:
    for name in engines:
        if name in ("ours", "whoosh"):
            continue
        pairs = [(ask, engines["ours"].total(ask), engines[name].total(ask)) for ask in asks]
        other = [(ask["kind"], ask["words"], a, b) for ask, a, b in pairs if a != b]
        print(f"totals of records like {name}: {len(pairs) - len(other)} of {len(pairs)}; others {other[:3]}")


def _print_times(mode: str, times: dict[str, dict[int, float]]) -> None:
    print(f"{mode}: CPU ms a query")
    tantivy = _at(times["tantivy"], 0.95) if "tantivy" in times else None
    for name, found in times.items():
        if not found:
            continue
        p50, p95 = _at(found, 0.5), _at(found, 0.95)
        ratio = f"  p95 {p95 / tantivy:.2f} x tantivy" if tantivy else ""
        print(
            f"  {name:10} p50 {p50:8.2f}  p95 {p95:8.2f}  mean {statistics.mean(found.values()):8.2f}{ratio}"
        )
    if times.get("whoosh"):
        same = {i: times["ours"][i] for i in times["whoosh"]}
        print(f"  plain Whoosh takes {_at(times['whoosh'], 0.95) / _at(same, 0.95):.0f} x ours at p95")


def _at(times: dict[int, float], share: float) -> float:
    ordered = sorted(times.values())
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
