"""How fast past answers and passages are proposed, of a large fund, to questions short and long.

    python tests/benchmarks/answers.py --pages 100000 --answers 5000 --text FOLDER

Makes its corpus by itself (see ``corpus``) with past questions beside it, each drawn from a page; builds the
index once, kept in ``--data``. Then asks 200 questions: a sentence of a page as it stands, misspelt, or in a
letter of some 100 words with greeting, role, context and thanks. Wall-clock and CPU milliseconds of
``answers.propose``, texts read as a database keeps them; cold: what the engine keeps of postings is dropped
before each question.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # this file is named like a module of ours

from search.answers import QUESTION, propose  # noqa: E402
from search.engine import Entry  # noqa: E402
from search.whoosh_engine import WhooshEngine  # noqa: E402
from tests.benchmarks import corpus  # noqa: E402

_FIRST = 1_000_000  # numbers of past questions begin here
_SENTENCE = re.compile(r"(?<=[a-zà-ÿ]{3})[.!?;]\s+")
_LETTER = (
    "Bonjour, je suis cheffe de projet dans une commune de Martinique et je me permets de vous écrire. "
    "{before} {again} Je cherche à savoir ce qui existe : {asked} ? {after} "
    "Je vous remercie par avance de votre réponse."
)


@dataclass(frozen=True, slots=True)
class _Told:
    title: str
    abstract: str = ""


class _Shelf:
    """Titles and texts as a database keeps them."""

    def __init__(self, folder: Path) -> None:
        self._rows = sqlite3.connect(folder / "texts.db")
        self._rows.execute(
            "create table if not exists pages(id text, page int, text text, primary key(id, page))"
        )

    def keep(self, id: str, pages: Iterable[tuple[int, str]]) -> None:
        self._rows.executemany(
            "insert into pages values(?, ?, ?)", ((id, page, text) for page, text in pages)
        )

    def commit(self) -> None:
        self._rows.commit()

    def get_many(self, ids: Sequence[str]) -> dict[str, _Told]:
        firsts = self.page_texts((id, 1) for id in ids)
        return {id: _Told(firsts[id, 1].partition("\n\n")[0][:80]) for id in ids}

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        one = "select text from pages where id = ? and page = ?"
        return {(id, page): self._rows.execute(one, (id, page)).fetchone()[0] for id, page in wanted}


def main() -> None:
    """Build what is missing, measure, print."""
    options = _options()
    folder: Path = options.data
    if not (folder / "questions.json").exists():
        _build(options, folder)
    engine, shelf = WhooshEngine(folder / "index"), _Shelf(folder)
    questions: dict[str, list[str]] = json.loads((folder / "questions.json").read_text())
    print(f"{len(engine)} records")
    for _ in range(2):  # words of the analysis and postings are in memory afterwards
        _times(engine, shelf, questions, cold=False)
    for name, cold in (("warm", False), ("cold", True)):
        for kind, wall, cpu in _times(engine, shelf, questions, cold=cold):
            print(f"{name} {kind:9} wall p50 {_at(wall, 0.5):6.1f}  p95 {_at(wall, 0.95):6.1f}   "
                  f"CPU p50 {_at(cpu, 0.5):6.1f}  p95 {_at(cpu, 0.95):6.1f} ms")  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=5_000)
    parser.add_argument("--data", type=Path, default=ROOT / ".benchmark" / "answers")
    parser.add_argument("--text", type=Path, default=ROOT / "corpus" / "documents")
    return parser.parse_args()


def _build(options: argparse.Namespace, folder: Path) -> None:
    if not (folder / "works.jsonl").exists():
        corpus.make(options.text, folder, options.pages)
    shelf, rng = _Shelf(folder), random.Random(7)
    sentences: list[str] = []
    with WhooshEngine(folder / "index").writer(fresh=True) as writer:
        for work in corpus.works(folder):
            pages = tuple(enumerate(work.pages, 1))
            writer.put(Entry(id=str(work.number), pages=pages, facets={"type": ("rapport",)}, date=work.date))
            shelf.keep(str(work.number), pages)
            sentences += _asked(rng.choice(work.pages))
        for number in range(_FIRST, _FIRST + options.answers):
            title = rng.choice(sentences)
            page = f"{title}\n\n{' '.join(rng.sample(sentences, 12))}"
            facets = {"type": (QUESTION,)}
            writer.put(Entry(id=str(number), fields={"title": title}, pages=((1, page),), facets=facets))
            shelf.keep(str(number), [(1, page)])
    shelf.commit()
    questions = {kind: [ask(sentences, rng) for _ in range(67)] for kind, ask in _KINDS.items()}
    (folder / "questions.json").write_text(json.dumps(questions, ensure_ascii=False, indent=1))


def _asked(page: str) -> Iterator[str]:
    return (sentence for sentence in _SENTENCE.split(page) if 8 <= len(sentence.split()) <= 25)


def _misspelt(sentences: list[str], rng: random.Random) -> str:
    words = rng.choice(sentences).split()
    for at in rng.sample(range(len(words)), 3):
        word = words[at]
        cut = rng.randrange(len(word))
        words[at] = word[:cut] + word[cut + 1 :]
    return " ".join(words)


def _letter(sentences: list[str], rng: random.Random) -> str:
    before, again, asked, after = rng.sample(sentences, 4)
    return _LETTER.format(before=f"{before}.", again=f"{again}.", asked=asked, after=f"{after}.")


_KINDS = {
    "sentence": lambda sentences, rng: f"{rng.choice(sentences)} ?",
    "misspelt": _misspelt,
    "letter": _letter,
}


def _times(
    engine: WhooshEngine, shelf: _Shelf, questions: dict[str, list[str]], *, cold: bool
) -> list[tuple[str, list[float], list[float]]]:
    """For each kind of question, milliseconds of each: on the clock, and of CPU."""
    found = []
    for kind, texts in questions.items():
        wall, cpu = [], []
        for text in texts:
            if cold:
                engine.drop_cache()
            began, worked = time.perf_counter(), time.thread_time()
            propose(text, engine=engine, texts=shelf)
            wall.append((time.perf_counter() - began) * 1000)
            cpu.append((time.thread_time() - worked) * 1000)
        found.append((kind, wall, cpu))
    return found


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    main()
