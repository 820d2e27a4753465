"""How much of a text survives its file: word recall of one file against another that holds the same text.

    python tests/benchmarks/legibility.py REFERENCE FILE [REFERENCE FILE]... [--lost 20] [--json]

Both are read as ``kb ingest`` reads them, cleaning included; a reference may be a plain text. Recall is the
share of the reference's words, folded and counted, that the file has as well; precision the other way round.
With one file alone, what its pages are: how many of each quality, the mean grade, pages cleaned a second.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from ingest.cleaning import clean_pages  # noqa: E402
from ingest.readers import read  # noqa: E402
from kb.french import fold  # noqa: E402
from kb.records import Page  # noqa: E402

TARGET = 0.98
"""Word recall of a born-digital PDF against the document that it was made from."""

_WORD = re.compile(r"[^\W_]+")
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Recall:
    """What two files have in common, in words; ``lost`` and ``gained`` with their counts, the commonest
    first."""

    reference: str
    file: str
    words: int
    recall: float
    precision: float
    lost: tuple[tuple[str, int], ...]
    gained: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages of a file are; ``speed`` in pages cleaned a second of CPU, ``kept`` pages with their raw
    text."""

    file: str
    pages: int
    qualities: dict[str, int]
    grade: float
    kept: int
    speed: float


def pages_of(path: Path) -> list[Page]:
    """The pages of a file, cleaned."""
    return [page for draft in read(path) for page in draft.pages]


def words_of(pages: list[Page]) -> Counter[str]:
    """How often each folded word is met."""
    return Counter(word for page in pages for word in _WORD.findall(fold(page.text)))


def recall(reference: Path, file: Path, lost: int) -> Recall:
    """Compare two files that hold the same text."""
    meant, found = words_of(pages_of(reference)), words_of(pages_of(file))
    common = (meant & found).total()
    return Recall(
        reference=reference.name,
        file=file.name,
        words=meant.total(),
        recall=round(common / max(1, meant.total()), 4),
        precision=round(common / max(1, found.total()), 4),
        lost=tuple((meant - found).most_common(lost)),
        gained=tuple((found - meant).most_common(lost)),
    )


def described(file: Path) -> Pages:
    """The pages of one file."""
    pages = pages_of(file)
    raw = [Page(page.number, page.raw or page.text) for page in pages]
    seconds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        clean_pages(raw)
        seconds.append(time.process_time() - start)
    return Pages(
        file=file.name,
        pages=len(pages),
        qualities=dict(Counter(str(page.quality) for page in pages)),
        grade=round(sum(page.grade for page in pages) / max(1, len(pages)), 3),
        kept=sum(page.raw is not None for page in pages),
        speed=round(len(pages) / max(1e-9, min(seconds))),
    )


def main() -> int:
    """0 if every file keeps as many words as it must."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--lost", type=int, default=20, help="words shown")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if len(given.files) > 1 and len(given.files) % 2:
        parser.error("files come in pairs: the reference, then what is measured")
    if len(given.files) == 1:
        print(json.dumps(dataclasses.asdict(described(given.files[0])), ensure_ascii=False, indent=1))
        return 0
    pairs = zip(given.files[::2], given.files[1::2], strict=True)
    found = [recall(reference, file, given.lost) for reference, file in pairs]
    if given.json:
        print(json.dumps([dataclasses.asdict(pair) for pair in found], ensure_ascii=False, indent=1))
    else:
        for pair in found:
            _show(pair)
    return int(any(pair.recall < TARGET for pair in found))


def _show(pair: Recall) -> None:
    print(f"{pair.file}: recall {pair.recall:.2%}, precision {pair.precision:.2%} of {pair.words} words")
    for name, words in (("lost", pair.lost), ("gained", pair.gained)):
        print(f"  {name}: " + (", ".join(f"{word} ({count})" for word, count in words) or "nothing"))


if __name__ == "__main__":
    sys.exit(main())
