"""How fast born-digital PDF comes in: pages a second from files to tagged, saved records, and where it goes.

    python tests/benchmarks/ingest.py [--folder DIR] [--pages 1000] [--workers 2] [--json]

Files are those of ``--folder``, or those of the demonstration fund, copied with a changed ending until there
are enough pages, so that each copy is a new document. One round before the clock starts loads the language
model.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

sys.path[0] = str(Path(__file__).resolve().parents[2])  # "ingest" is the package, not this file

import corpus  # noqa: E402
from ingest.isolation import Sandbox  # noqa: E402
from ingest.outcomes import Outcome  # noqa: E402
from ingest.pipeline import ingest  # noqa: E402
from ingest.tagging import Suggestion, Tagger, Text  # noqa: E402
from kb.config import Config  # noqa: E402
from kb.database import Store  # noqa: E402
from kb.thesaurus import Thesaurus  # noqa: E402

TARGET = 60.0
"""Pages a second on two cores, tagging included."""


class Clock:
    """Processor seconds of the present thread by stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """``work``, its time counted under ``stage``."""

        def counted(*arguments: Any, **options: Any) -> Any:
            start = time.thread_time()
            try:
                return work(*arguments, **options)
            finally:
                self.seconds[stage] += time.thread_time() - start

        return counted


class TimedTagger:
    """The tagger, timed."""

    def __init__(self, tagger: Tagger, clock: Clock) -> None:
        self._suggest = clock.timed("tag", tagger.suggest)

    def suggest(self, texts: Iterable[Text]) -> list[list[Suggestion]]:
        """As the tagger's own."""
        suggested: list[list[Suggestion]] = self._suggest(texts)
        return suggested


def copies(files: list[Path], target: Path, pages: int, pages_of: dict[str, int]) -> int:
    """Copy files under new names with other bytes until they have ``pages`` pages; how many they have."""
    target.mkdir()
    total = number = 0
    while total < pages:
        for file in files:
            copy = target / f"{number:05}-{file.name}"
            shutil.copyfile(file, copy)
            with copy.open("ab") as end:
                end.write(b"\n%% copy %d\n" % number)
            number, total = number + 1, total + pages_of[file.name]
    return total


def measured(folder: Path, pages: int, workers: int, work: Path) -> dict[str, Any]:
    """One run over copies of the PDFs of ``folder``, after a warm one over themselves."""
    store = Store.open(Config(data=work / "fund"))
    store.save_thesaurus(Thesaurus.from_turtle((corpus.FOLDER / "thesaurus.ttl").read_text(encoding="utf-8")))
    tagger, clock = Tagger(store.thesaurus()), Clock()
    warm = list(ingest(sorted(folder.glob("*.pdf")), store, tagger, centre="bench", workers=workers))
    published = [outcome for outcome in warm if outcome.pages]
    if not published:
        sys.exit(f"no PDF with text in {folder}")
    pages_of = {outcome.path.name: outcome.pages for outcome in published}
    copies([outcome.path for outcome in published], work / "copies", pages, pages_of)
    store.save = clock.timed("save", store.save)  # type: ignore[method-assign]
    store.originals.put = clock.timed("keep originals", store.originals.put)  # type: ignore[method-assign]
    children, start = _children_seconds(), time.perf_counter()
    own = time.process_time()
    sandbox = Sandbox()
    outcomes: list[Outcome] = []
    with sandbox:
        for outcome in ingest(
            [work / "copies"],
            store,
            TimedTagger(tagger, clock),
            centre="bench",
            workers=workers,
            sandbox=sandbox,
        ):
            outcomes.append(outcome)
        wall = time.perf_counter() - start
    own = time.process_time() - own
    store.close()
    return _told(outcomes, wall, own, _children_seconds() - children, clock)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _told(outcomes: list[Outcome], wall: float, own: float, reading: float, clock: Clock) -> dict[str, Any]:
    pages = sum(outcome.pages for outcome in outcomes)
    stages = {"read and clean (children)": reading, **clock.seconds}
    stages["rest"] = own - sum(clock.seconds.values())
    total = sum(stages.values())
    return {
        "files": len(outcomes),
        "pages": pages,
        "seconds": round(wall, 2),
        "pages_per_second": round(pages / wall, 1),
        "pages_per_cpu_second": round(pages / total, 1),
        "statuses": dict(Counter(str(outcome.status) for outcome in outcomes)),
        "cpu_seconds": {stage: round(seconds, 2) for stage, seconds in stages.items()},
        "shares": {stage: round(seconds / total, 3) for stage, seconds in stages.items()},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=corpus.FOLDER / "documents")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as work:
        told = measured(options.folder, options.pages, options.workers, Path(work))
    if options.json:
        print(json.dumps(told))
        return
    print(f"{told['files']} files, {told['pages']} pages in {told['seconds']} s on {os.cpu_count()} cores, "
          f"{options.workers} workers: {told['pages_per_second']} pages/s (target {TARGET:g})")  # fmt: skip
    for stage, share in told["shares"].items():
        print(f"  {stage:28} {told['cpu_seconds'][stage]:8.2f} s of CPU {share:7.1%}")


if __name__ == "__main__":
    main()
