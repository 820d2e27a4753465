"""A corpus and its queries for the search benchmark: French pages of some 2,000 characters, 50 to a record.

Real text first, cut into pages; when there is less than asked for, the rest is made of sentences drawn from
one neighbourhood of it, so that vocabulary, word frequencies and word order stay those of the source.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pypdfium2

from kb import french

CHARACTERS = 2_000
PAGES_PER_RECORD = 50
CENTRES = 20
FACETS = ("theme", "type", "year", "territory", "centre")
_SEED = 20
_SOURCES = (".txt", ".md", ".html", ".jsonl", ".gz", ".pdf")


@dataclass(frozen=True, slots=True)
class Work:
    """One record of the corpus: its pages and its facet values."""

    number: int
    pages: list[str]
    facets: dict[str, list[str]]
    date: str


def texts(source: Path) -> Iterator[str]:
    """All text under ``source`` (a file or a folder), in order of file names."""
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    for path in files:
        if path.suffix == ".pdf":
            with contextlib.closing(pypdfium2.PdfDocument(path)) as document:
                yield " ".join(page.get_textpage().get_text_bounded() for page in document)
        elif path.suffix in _SOURCES and path.is_file():
            packed = path.suffix == ".gz"
            raw = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode(
                "utf-8", "replace"
            )
            if ".jsonl" in path.name:
                yield from (" ".join(_values(json.loads(line))) for line in raw.splitlines())
            else:
                yield re.sub(r"<[^>]+>", " ", raw)


def _values(row: dict[str, Any]) -> list[str]:
    return [row[key] for key in ("title", "text", "abstract") if isinstance(row.get(key), str)]


def _pages(text: str) -> Iterator[str]:
    words = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
    start = 0
    while len(words) - start > CHARACTERS // 2:
        end = start + CHARACTERS
        cut = len(words) if end >= len(words) else words.rfind(" ", start + 1, end)
        cut = cut if cut > 0 else end
        yield words[start:cut].strip()
        start = cut


def make(source: Path, folder: Path, pages: int, each: int = PAGES_PER_RECORD) -> None:
    """Write ``works.jsonl`` and ``queries.json`` for ``pages`` pages, ``each`` of them to a record."""
    rng = random.Random(_SEED)
    stream = " ".join(texts(source))
    real = list(_pages(stream))[:pages]
    if not real:
        raise SystemExit(f"no text in {source}")
    sentences = [s for page in real for s in re.split(r"(?<=[.!?;]) +", page) if 20 < len(s) < 400]
    while len(real) < pages:
        real.append(_drawn(sentences, rng))
    runs = [real[i : i + each] for i in range(0, pages, each)]
    rng.shuffle(runs)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "works.jsonl").open("w", encoding="utf-8") as file:
        for number, run in enumerate(runs):
            file.write(json.dumps(asdict(_work(number, run, rng)), ensure_ascii=False) + "\n")
    sample = [page for run in runs[: 40 * PAGES_PER_RECORD // each] for page in run]
    (folder / "queries.json").write_text(json.dumps(_queries(sample, rng), ensure_ascii=False, indent=1))


def _drawn(sentences: list[str], rng: random.Random) -> str:
    middle, found, size = rng.randrange(len(sentences)), [], 0
    while size < CHARACTERS - 60:
        at = int(rng.gauss(middle, 4_000)) % len(sentences)
        found.append(sentences[at])
        size += len(sentences[at]) + 1
    return " ".join(found)[:CHARACTERS]


def _zipf(rng: random.Random, name: str, number: int) -> str:
    chosen = rng.choices(range(number), [1 / (i + 1) for i in range(number)])[0]
    return f"{name}{chosen:03d}"


def _work(number: int, pages: list[str], rng: random.Random) -> Work:
    year = 2026 - int(rng.expovariate(1 / 9)) % 60
    facets = {
        "theme": sorted({_zipf(rng, "T", 20), _zipf(rng, "T", 20)}),
        "type": [_zipf(rng, "t", 12)],
        "year": [str(year)],
        "territory": [_zipf(rng, "C", 100)],
        "centre": [f"c{number % CENTRES:02d}"],
    }
    return Work(number, pages, facets, f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}")


def works(folder: Path) -> Iterator[Work]:
    """The records of a corpus, one at a time."""
    with (folder / "works.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield Work(**json.loads(line))


def queries(folder: Path) -> list[dict[str, Any]]:
    """The 200 queries: ``kind``, ``words``, and ``theme``, ``series`` or ``years`` to filter by."""
    found: list[dict[str, Any]] = json.loads((folder / "queries.json").read_text())
    return found


KINDS = (
    "common", "rare", "and", "or", "phrase", "prefix", "fuzzy", "filters", "years", "newest"
)  # fmt: skip


def _queries(sample: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """Twenty of each kind, drawn from the first 2,000 pages so that each has an answer at every size."""
    tokens = [[t.form if t.term and t.form.isalpha() else "" for t in french.tokens(page)] for page in sample]
    held = Counter(form for page in tokens for form in set(page) if len(form) > 3)
    size = len(sample)
    common = sorted(form for form, n in held.items() if n > size * 0.15)
    middle = sorted(form for form, n in held.items() if size * 0.01 < n <= size * 0.08)
    rare = sorted(form for form, n in held.items() if 2 <= n <= 5)
    found: list[dict[str, Any]] = []
    for i in range(20):
        first = rng.randint(1990, 2018)
        long = rng.choice([form for form in middle if len(form) > 5])
        cut = rng.randrange(2, len(long) - 1)
        both = _together(tokens, held, size, 2 + i % 3, rng)
        found += [
            {"kind": "common", "words": [rng.choice(common)]},
            {"kind": "rare", "words": [rng.choice(rare)]},
            {"kind": "and", "words": both},
            {
                "kind": "or",
                "words": [rng.choice(middle), rng.choice(common), rng.choice(middle)][: 2 + i % 2],
            },
            {"kind": "phrase", "words": _adjacent(tokens, 2 + i % 2, rng)},
            {"kind": "prefix", "words": [rng.choice(middle)[:4]]},
            {"kind": "fuzzy", "words": [long[:cut] + long[cut + 1 :]]},
            {"kind": "filters", "words": both[:2], "theme": _zipf(rng, "T", 20)}
            | ({} if i % 2 else {"series": _zipf(rng, "s", 5)}),
            {"kind": "years", "words": [rng.choice(middle)], "years": [first, first + rng.randint(2, 8)]},
            {"kind": "newest", "words": [rng.choice(common)] if i % 2 else both[:2]},
        ]
    rng.shuffle(found)
    return found


def _together(
    tokens: list[list[str]], held: Counter[str], size: int, number: int, rng: random.Random
) -> list[str]:
    while True:
        forms = sorted({form for form in rng.choice(tokens) if held[form] > size * 0.02})
        if len({french.term(form) for form in forms}) >= number:
            words = rng.sample(forms, number)
            if len({french.term(word) for word in words}) == number:
                return words


def _adjacent(tokens: list[list[str]], number: int, rng: random.Random) -> list[str]:
    while True:
        page = rng.choice(tokens)
        at = rng.randrange(max(1, len(page) - number))
        words = page[at : at + number]
        if len(words) == number and all(len(word) > 3 for word in words):
            return words
