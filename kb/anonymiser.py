"""What must not be published of a person: found in French text, proposed with what to put in its place.

Hides how the rules (``kb.personal_data``, ``kb.person_names``) and spaCy's French model are put together, and
how one person gets one replacement throughout a text. Nothing is ever replaced by itself: ``find`` proposes,
somebody accepts or refuses, ``replaced`` writes. What stands in a Markdown link to a record, ``[Dupont,
2011](/notice/...)``, is a citation and left alone.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from kb.errors import InvalidRecord
from kb.french import fold
from kb.name_ends import end_of_name
from kb.name_lexicon import RELATIONS, ROLES, STOP
from kb.name_words import Word, is_first_name, is_ordinary
from kb.person_names import Mention, Names, mention_of
from kb.personal_data import Kind, pieces_by_form, pieces_of_addresses

__all__ = ["Anonymiser", "Found", "Kind", "evaluate", "read_gold", "replaced"]

_CITATION = re.compile(r"!?\[[^\]\n]*\]\((?:https?://[^\s/)]+)?/notice/[^)\s]*\)")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>)\]]+", re.IGNORECASE)
_PUBLISHED_AS = {
    Kind.PHONE: "[téléphone]",
    Kind.EMAIL: "[courriel]",
    Kind.ADDRESS: "[adresse]",
    Kind.NUMBER: "[numéro]",
    Kind.BIRTH: "[date de naissance]",
    Kind.PLATE: "[immatriculation]",
    Kind.LINK: "[lien]",
}
_FIRST = (Kind.EMAIL, Kind.LINK, Kind.BIRTH)
_ROLE = re.compile(
    r"(?:\b(?:le|la|notre|mon|ma|votre|son|sa|leur|une?|cette|les|mes)[ \u00a0]|\bl['’])([^\W\d_][\w-]*)"
    r"(?:[ \u00a0](?:(?:(?:de|du|des|de la)[ \u00a0]|de l['’]|d['’])[a-zà-ÿ-]+|adjointe?|sociale?"
    r"|g[ée]n[ée]rale?|municipale?|principale?|technique|scolaire|citoyenn?e?)){0,3},?[ \u00a0]$",
    re.IGNORECASE,
)
_SIGNS = " \t\n\u00a0,;:·"
_ROLE_REACH = 60  # characters before a name in which its role begins: « la directrice adjointe du service, »
_APART = "\n\n¶\n\n"  # between texts read together: nothing goes on over it
_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of a text that says who somebody is, and what a person may publish instead of it.

    ``start`` and ``end`` count characters; ``sure`` is False where only a person can tell.
    """

    kind: Kind
    start: int
    end: int
    text: str
    replacement: str
    sure: bool


class Anonymiser:
    """Finds personal data. ``known``: labels of places and bodies that are never names by themselves.

    May be shared between threads.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._names = Names(known)

    def find(self, text: str) -> tuple[Found, ...]:
        """Personal data of ``text`` in order, not overlapping: rules and model together.

        The first call loads the model (some 3 s); then about 15 ms for 1,000 characters.
        """
        read = _without_citations(text)
        prose = _blank(_URL, read)
        by_rule = self._names.find(prose)
        return _proposals(text, read, _joined(by_rule, self._by_model(prose)))

    def find_all(self, texts: Sequence[str]) -> tuple[tuple[Found, ...], ...]:
        """What ``find`` finds in each of several texts of one matter, read together.

        Who is named in full in one is found by the family name in the others, and has one replacement.
        """
        starts = list(accumulate((len(text) + len(_APART) for text in texts), initial=0))
        found = self.find(_APART.join(texts))
        return tuple(
            tuple(
                replace(f, start=f.start - start, end=f.end - start)
                for f in found
                if start <= f.start and f.end <= start + len(text)
            )
            for start, text in zip(starts, texts, strict=False)
        )

    def quick(self, text: str) -> tuple[Found, ...]:
        """What the rules alone find, quickly enough to be asked while somebody types."""
        read = _without_citations(text)
        return _proposals(text, read, self._names.find(_blank(_URL, read)))

    def _by_model(self, text: str) -> Iterator[Mention]:
        words = self._names.words(text)
        for start, end in _people_of_model(text):
            inside = [i for i, w in enumerate(words) if w.start < end and start < w.end]
            while inside and not _may_be_name(words[inside[0]]):
                inside.pop(0)
            while inside and not _may_be_name(words[inside[-1]], after=len(inside) > 1):
                inside.pop()
            if inside and self._names.is_person(words, inside[0], inside[-1] + 1):
                last = max(inside[-1] + 1, end_of_name(words, inside[0]))
                yield mention_of(words, inside[0], last, inside[0], False)


def _joined(by_rule: list[Mention], learnt: Iterable[Mention]) -> list[Mention]:
    """The names of rules, and of the model what they do not cover, one where both found parts of a name."""
    mentions = list(by_rule)
    for mention in learnt:
        touching = [m for m in mentions if m.start < mention.end and mention.start < m.end]
        if any(m.start <= mention.start and mention.end <= m.end for m in touching):
            continue
        mentions = [m for m in mentions if m not in touching]
        whole = [mention, *touching]
        first, last = min(m.start for m in whole), max(m.end for m in whole)
        key = frozenset().union(*(m.key for m in whole))
        mentions.append(Mention(first, last, key, any(m.sure for m in whole)))
    return mentions


def replaced(text: str, accepted: Iterable[Found]) -> str:
    """``text`` with each of ``accepted``, found in it, given up for its replacement."""
    for found in sorted(accepted, key=lambda f: f.start, reverse=True):
        text = text[: found.start] + found.replacement + text[found.end :]
    return text


def read_gold(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The texts of a gold set, one JSON object a line: ``{"text": ..., "entities": [{"kind", "text"}...]}``;
    an entity may have ``start`` and ``end`` (characters) instead of its text. Raises InvalidRecord."""
    gold = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidRecord("gold", f"line {number}: {error}") from error
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise InvalidRecord("gold", f"line {number}: no text")
        gold.append(item)
    return gold


def evaluate(
    gold: Iterable[Mapping[str, Any]], find: Callable[[str], Sequence[Found]] | None = None
) -> dict[str, dict[str, float]]:
    """Recall and precision of each kind, and of "all", on texts as ``read_gold`` gives them.

    An entity is recalled when what was found, of whatever kind, covers the whole of it: nothing of it would
    be published. A proposal is right when it touches an entity. Shares are 1 where there was nothing to find.
    ``expected`` and ``found`` are counts. Raises InvalidRecord for an entity that is not in its text.
    """
    find = find or Anonymiser().find
    counts: dict[str, Counter[str]] = {"all": Counter()}
    for item in gold:
        text, proposals = item["text"], find(item["text"])
        entities = _entities(item)
        hidden = {i for f in proposals for i in range(f.start, f.end)}
        for kind, start, end in entities:
            for name in (kind, "all"):
                counts.setdefault(name, Counter())["expected"] += 1
                counts[name]["covered"] += all(
                    i in hidden or not text[i].isalnum() for i in range(start, end)
                )
        for proposal in proposals:
            for name in (proposal.kind.value, "all"):
                counts.setdefault(name, Counter())["found"] += 1
                counts[name]["right"] += any(s < proposal.end and proposal.start < e for _, s, e in entities)
    return {kind: _shares(count) for kind, count in sorted(counts.items())}


def _shares(count: Counter[str]) -> dict[str, float]:
    return {
        "recall": count["covered"] / count["expected"] if count["expected"] else 1.0,
        "precision": count["right"] / count["found"] if count["found"] else 1.0,
        "expected": count["expected"],
        "found": count["found"],
    }


def _entities(item: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    text, found = item["text"], []
    reached: dict[str, int] = {}
    for entity in item.get("entities", ()):
        if "start" in entity:
            start, end = int(entity["start"]), int(entity["end"])
        else:
            start = text.find(entity["text"], reached.get(entity["text"], 0))
            start = start if start >= 0 else text.find(entity["text"])
            end = reached[entity["text"]] = start + len(entity["text"])
        if not 0 <= start < end <= len(text):
            raise InvalidRecord("gold", f"entity {entity!r} is not in its text")
        found.append((str(entity["kind"]).lower(), start, end))
    return found


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: " " * len(match[0]), text)


def _without_citations(text: str) -> str:
    """The text with blanks for citations of records, but for what their words hold that no author or title
    is: a telephone number, an address to write to."""
    return _CITATION.sub(_blanked, text)


def _blanked(cited: re.Match[str]) -> str:
    label = cited[0].partition("](")[0]
    kept = [p for p in pieces_by_form(label) if p.kind in (Kind.PHONE, Kind.EMAIL)]
    return "".join(
        sign if any(p.start <= place < p.end for p in kept) else " " for place, sign in enumerate(cited[0])
    )


def _may_be_name(word: Word, after: bool = False) -> bool:
    """Whether a word may begin a name or, ``after`` another of its words, end it."""
    return (
        not word.known
        and word.folded not in ROLES
        and len(word.text) > 1
        and word.folded not in STOP
        and (
            (after and word.capital)
            or not is_ordinary(word.folded)
            or is_first_name(word.folded, seldom=True)
        )
    )


def _people_of_model(text: str) -> list[tuple[int, int]]:
    # Each line by itself: a signature is no sentence, and the model joins it to the next line.
    with _LOADING:
        model = _model()
    lines = [(match.start(), match[0]) for match in re.finditer(r"[^\n]*\w[^\n]*", text)]
    documents = model.pipe(line for _, line in lines)
    return [
        (offset + entity.start_char, offset + entity.end_char)
        for (offset, _), document in zip(lines, documents, strict=True)
        for entity in document.ents
        if entity.label_ == "PER"
    ]


@functools.cache
def _model() -> Any:
    """spaCy's French model, with nothing but what recognises names (3 s to load)."""
    import spacy

    return spacy.load("fr_core_news_sm", exclude=["morphologizer", "parser", "attribute_ruler", "lemmatizer"])


def _proposals(text: str, read: str, mentions: list[Mention]) -> tuple[Found, ...]:
    """The longest of the surest pieces first, then what they leave of the others."""
    pieces = sorted(
        [*pieces_by_form(read), *pieces_of_addresses(read)],
        key=lambda p: (p.kind not in _FIRST, not (p.sure or p.whole), p.start - p.end),
    )
    hidden = bytearray(len(text))
    found = [
        Found(piece.kind, start, end, text[start:end], _PUBLISHED_AS[piece.kind], piece.sure)
        for piece in pieces
        for start, end in _hide(read, piece.start, piece.end, hidden)
    ]
    kept = [
        replace(mention, start=start, end=end)
        for mention in sorted(mentions, key=lambda m: m.start - m.end)
        for start, end in _hide(read, mention.start, mention.end, hidden)
    ]
    found += _people(text, sorted(kept, key=lambda m: m.start), hidden)
    return tuple(sorted(found, key=lambda f: f.start))


def _hide(text: str, start: int, end: int, hidden: bytearray) -> list[tuple[int, int]]:
    """The parts of a stretch not hidden yet, which now are; signs alone are left."""
    free = [m.span() for m in re.finditer(rb"\x00+", hidden[start:end])]
    parts = []
    for left, right in free:
        said = text[start + left : start + right]
        head = len(said) - len(said.lstrip(_SIGNS))
        if sum(c.isalnum() for c in said) > 1 or (left, right) == (0, end - start):
            parts.append((start + left + head, start + left + len(said.rstrip(_SIGNS))))
    for first, last in parts:
        hidden[first:last] = b"\x01" * (last - first)
    return parts


def _role_before(text: str, start: int) -> tuple[int, str] | None:
    """Where « la directrice » begins before a name, and these words; None if there are none."""
    for match in _ROLE.finditer(text, max(0, start - _ROLE_REACH), start):
        if fold(match[1]) in ROLES or fold(match[1]) in RELATIONS:
            said = match[0].rstrip(" ,\u00a0")
            return match.start(), said[0].lower() + said[1:]
    return None


def _people(text: str, mentions: list[Mention], hidden: bytearray) -> Iterator[Found]:
    """One replacement for each person: the role that the text gives, else « une personne » or a letter."""
    persons = _persons(mentions)
    roles = [_role_before(text, m.start) for m in mentions]
    roles = [
        None if role and any(hidden[role[0] : m.start]) else role
        for role, m in zip(roles, mentions, strict=True)
    ]
    names = _labels(persons, roles)
    for mention, person, role in zip(mentions, persons, roles, strict=True):
        start = role[0] if role else mention.start
        yield Found(Kind.NAME, start, mention.end, text[start : mention.end], names[person], mention.sure)


def _persons(mentions: list[Mention]) -> list[int]:
    """The number of the person of each mention: « Mme Zobda » is the « Anne Zobda » named elsewhere."""
    keys: list[frozenset[str]] = []
    for key in sorted({m.key for m in mentions}, key=lambda key: (-len(key), sorted(key))):
        if not any(key <= longer for longer in keys):
            keys.append(key)
    whole = [next(longer for longer in keys if m.key <= longer) for m in mentions]
    order = list(dict.fromkeys(whole))
    return [order.index(key) for key in whole]


def _labels(persons: list[int], roles: list[tuple[int, str] | None]) -> dict[int, str]:
    labels: dict[int, str] = {}
    for person, role in zip(persons, roles, strict=True):
        if role and person not in labels and f"[{role[1]}]" not in labels.values():
            labels[person] = f"[{role[1]}]"
    others = [person for person in dict.fromkeys(persons) if person not in labels]
    if len(others) == 1:
        return labels | {others[0]: "[une personne]"}
    return labels | {person: f"[personne {_letters(n)}]" for n, person in enumerate(others)}


def _letters(number: int) -> str:
    """A to Z, then AA, AB..."""
    before = _letters(number // 26 - 1) if number >= 26 else ""
    return before + chr(ord("A") + number % 26)
