"""How well the tagger proposes what people chose: precision, recall and F1 at k.

Hides the shapes of judged sets: documents in JSON lines, vocabularies as SKOS Turtle or as plain lists,
subjects as labels or URIs, from one person or several. The tagger measured is the product's own.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.tagging import Tagger, Text
from kb import french
from kb.errors import InvalidRecord, NotFound
from kb.thesaurus import Concept, Thesaurus

CUTS = (3, 5, 10)
_MAKE_URI = "urn:carbet:vocabulary:"


@dataclass(frozen=True, slots=True)
class Judged:
    """A document and the subjects that each person gave it."""

    id: str
    title: str
    text: str
    subjects: tuple[tuple[str, ...], ...]


def evaluate_tagging(docs: Path, vocab: Path) -> dict[str, float]:
    """Figures of the tagger on judged documents: "precision@k", "recall@k", "f1@k" (mean over the people
    who judged a document, then over documents), "union_precision@k" (right if any of them chose it), for k
    3, 5 and 10, and "documents". Precision divides by k. Documents without any subject are left out.

    Raises NotFound when a file is missing, InvalidRecord when a line of ``docs`` cannot be read,
    ThesaurusError when the vocabulary cannot.
    """
    thesaurus = read_vocabulary(vocab)
    judged = [document for document in read_documents(docs) if any(document.subjects)]
    tagger = Tagger(thesaurus)
    texts = [Text(document.title, french.passages(document.text)) for document in judged]
    proposed = tagger.suggest(texts, max(CUTS), threshold=0.0)
    named = [[s.concept for s in suggestions] for suggestions in proposed]
    return _mean([_figures(uris, d, thesaurus) for uris, d in zip(named, judged, strict=True)])


def read_documents(path: Path) -> list[Judged]:
    """Judged documents, one JSON object a line: id, title, text, and ``subjects`` as one list, several
    lists, or a mapping of people to lists. A ".gz" is read as well."""
    found = []
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            try:
                raw = json.loads(line)
                found.append(_judged(raw, number))
            except (ValueError, TypeError, AttributeError) as error:
                raise InvalidRecord(f"{path.name} line {number}", str(error)) from error
    return found


def read_vocabulary(path: Path) -> Thesaurus:
    """The vocabulary of a file: SKOS Turtle (".ttl", gzip or not), or one concept a line.

    Lines: "label"; "URI TAB label"; further labels of the concept (synonyms) after a TAB or "|".
    Empty lines and those that begin with "#" are left out; a URI may stand in angle brackets.
    """
    if not path.is_file():
        raise NotFound("file", str(path))
    if ".ttl" in path.suffixes:
        return Thesaurus.from_file(path).completed()
    concepts: dict[str, Concept] = {}
    for line in _lines(path):
        if line.strip() and not line.startswith("#"):
            concept = _listed(line)
            concepts.setdefault(concept.uri, concept)
    return Thesaurus(concepts.values())


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise NotFound("file", str(path))
    raw = path.read_bytes()
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig").splitlines()


def _judged(raw: Mapping[str, Any], number: int) -> Judged:
    subjects = raw.get("subjects") or []
    people = list(subjects.values()) if isinstance(subjects, dict) else subjects
    if not all(isinstance(person, list) for person in people):
        people = [subjects]
    lists = tuple(tuple(_subject(s) for s in person) for person in people if person)
    return Judged(str(raw.get("id", number)), str(raw.get("title") or ""), str(raw.get("text") or ""), lists)


def _subject(raw: Any) -> str:
    """A subject as a string; of an object, its URI, else its label."""
    return str(raw.get("uri") or raw.get("label")) if isinstance(raw, dict) else str(raw)


def _listed(line: str) -> Concept:
    parts = [part.strip() for part in re.split(r"[\t|]", line) if part.strip()]
    uri = parts[0].strip("<>")
    if len(parts) > 1 and re.match(r"[a-z][a-z0-9+.-]*:\S+$", uri):
        return Concept(uri=uri, label=parts[1], alt=tuple(parts[2:]))
    return Concept(uri=_MAKE_URI + parts[0].casefold(), label=parts[0], alt=tuple(parts[1:]))


def _figures(proposed: Sequence[str], document: Judged, thesaurus: Thesaurus) -> dict[str, float]:
    people = [_concepts(subjects, thesaurus) for subjects in document.subjects if subjects]
    anyone = frozenset[str]().union(*people)
    figures: dict[str, float] = {}
    for k in CUTS:
        top = set(proposed[:k])
        precisions = [len(top & chosen) / k for chosen in people]
        recalls = [len(top & chosen) / len(chosen) for chosen in people]
        f1s = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precisions, recalls, strict=True)]
        for name, values in (("precision", precisions), ("recall", recalls), ("f1", f1s)):
            figures[f"{name}@{k}"] = sum(values) / len(values)
        figures[f"union_precision@{k}"] = len(top & anyone) / k
    return figures


def _concepts(subjects: Iterable[str], thesaurus: Thesaurus) -> frozenset[str]:
    """URIs of one person's subjects; what the vocabulary does not have stays, and is missed."""
    found = set()
    for subject in subjects:
        bare = subject.strip().strip("<>")
        known = () if bare in thesaurus else thesaurus.lookup(bare)
        found.add(known[0].uri if known else bare)
    return frozenset(found)


def _mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    keys = [f"{name}@{k}" for name in ("precision", "recall", "f1", "union_precision") for k in CUTS]
    total = len(figures)
    means = {key: round(sum(f[key] for f in figures) / total, 4) if total else 0.0 for key in keys}
    return means | {"documents": total}
