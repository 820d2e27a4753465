"""The copy of a question and its answer while it is made fit to publish: what looks personal in it, already
replaced, and what a person decides about each piece.

Hides how a decision finds its place in a text that was edited meanwhile. What is kept is the text as it
would be published: undecided pieces stand in it in their own words, so that they are found again each time,
and only the page shows them replaced. Of what stays on purpose, a digest is remembered
(``kb.publishing.digest``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate

from kb.anonymiser import Found, Kind
from kb.errors import InvalidValue
from kb.french import fold, single_spaced
from kb.name_lexicon import ABBREVIATED, CIVILITIES
from kb.publishing import LONGEST_TITLE, digest
from web.publish_seen import Find, found_as_seen

FIELDS = ("title", "text", "body")
"""What a copy is made of: a title, the question, the answer in Markdown."""

LONGEST_REPLACEMENT = 120

_BETWEEN = "\n\n¶\n\n"  # between the fields: no name goes on over it (as in kb.anonymiser)
_SHORTEST_TITLE = 6  # letters beside replacements: « Mme [personne A] » asks nothing, « Qui paie ? » does
_MANY = 1_000  # words from which those that come often lead no comparison: it would take seconds
_AROUND = 70  # characters shown on each side of a piece
_BRACKETS = re.compile(r"\[[^\[\]\n]*\](?!\(|\[|:)")
_TOKENS = re.compile(r"\[[^\[\]\n]*\]|[^\s\[]+|\s+|\[")
_TITLES = "mesdames|madame|messieurs|monsieur"
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[A-ZÀ-ÖØ-Þ«])")
_LAST_WORD = re.compile(r"([^\W\d_]+)\.\Z")
_SHORT_FORMS = ABBREVIATED | {"me", "mes", "dr", "drs", "pr", "prs", "mgr"}  # Maître, docteur, professeur
_GREETING = re.compile(
    r"\s*(?:(?:bonjour|bonsoir)\b[^.!?,\n]{0,40}"
    rf"|(?:{_TITLES})(?:[ ,/]+(?:{_TITLES}))?[ ]?)(?:[,.!]|\n|$)\s*",
    re.IGNORECASE,
)

Texts = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a piece stands: characters ``start`` to ``end`` of a field (its place in ``FIELDS``)."""

    field: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Words that look personal, wherever they stand in the copy; ``key`` is their digest. Where they are not
    ``sure``, only a person can tell; nor where they are ``quoted``: what is quoted has its own words, which
    were published already. Those ``kept`` were decided to stay, and show as they are; so do those ``cited``,
    authors of what the answer cites."""

    key: str
    kind: str
    words: str
    replacement: str
    sure: bool
    quoted: bool
    kept: bool
    spots: tuple[Spot, ...]
    cited: bool = False

    def shown(self, words: str) -> str:
        """What the form shows in the place of these words."""
        return words if self.kept else self.replacement


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody says of a doubt: to keep its words, or to put ``replacement`` there."""

    keep: bool
    replacement: str = ""


def first_texts(question: str, answer: str) -> Texts:
    """What a copy begins with: the question's own first question as its title, the question, the answer, both
    without the greeting that was for one person."""
    return title_of(question), _without_greeting(question), _without_greeting(answer)


def _without_greeting(text: str) -> str:
    greeting = _GREETING.match(text)
    rest = text[greeting.end() :] if greeting else ""
    return rest[0].upper() + rest[1:] if rest else text


def title_of(question: str) -> str:
    """The first sentence that asks something, else the first one, without its greeting."""
    text = single_spaced(_without_greeting(question))
    sentences = list(_sentences(text))
    asked = next((one for one in sentences if one.endswith("?")), sentences[0])
    if len(asked) <= LONGEST_TITLE:
        return asked
    return asked[: LONGEST_TITLE - 1].rpartition(" ")[0].rstrip(" ,;:") + "…"


def _sentences(text: str) -> Iterator[str]:
    """Its sentences; none ends on the short form of a title (« M. Félix »), nor on an initial."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        last = _LAST_WORD.search(text, start, end.start())
        if last is None or (len(last[1]) > 1 and fold(last[1]) not in _SHORT_FORMS):
            yield text[start : end.start()]
            start = end.end()
    yield text[start:]


def check_title(title: str) -> None:
    """Raises InvalidValue for a title that asks nothing once what replaces a name is left out."""
    if sum(map(str.isalpha, _BRACKETS.sub("", title))) < _SHORTEST_TITLE:
        raise InvalidValue("title", "ce titre ne dit pas de quoi il s’agit : écrivez une question claire")


def doubts(
    texts: Texts, kept: Iterable[str], find: Find, cited: Collection[frozenset[str]] = ()
) -> tuple[Doubt, ...]:
    """What looks personal in these texts, in order of first sight; ``kept`` are digests of what stays,
    ``cited`` the names (``name_of_words``) of authors whom the answer cites.

    All fields are read as one text, as they are seen: one person has one replacement, and no mark of Markdown
    hides a name. What stands in brackets is a replacement
    already, unless it is surely personal (somebody put a name or a number between brackets).
    """
    whole, known = _BETWEEN.join(texts), frozenset(kept)
    starts = [0, *accumulate(len(text) + len(_BETWEEN) for text in texts)][: len(texts)]
    bracketed = [match.span() for match in _BRACKETS.finditer(whole)]
    groups: dict[str, list[Found]] = {}
    for found in found_as_seen(whole, find):
        if found.sure or not any(s <= found.start and found.end <= e for s, e in bracketed):
            groups.setdefault(digest(found.kind, found.text), []).append(found)
    seen = [_doubt(key, group, texts, starts, key in known) for key, group in groups.items()]
    return tuple(_as_cited(one) if name_of_words(one.words) in cited else one for one in seen)


def name_of_words(words: str) -> frozenset[str]:
    """The words of a name whatever their order, without civility; two persons may share a family name, so
    that one word alone is no name: the empty set."""
    said = frozenset(re.findall(r"[^\W\d_]+", fold(words))) - frozenset(CIVILITIES)
    return said if len(said) > 1 else frozenset()


def _as_cited(doubt: Doubt) -> Doubt:
    """A cited author stays in the answer; who is named in the question too may be who asks: to be decided."""
    if doubt.kind != Kind.NAME or doubt.kept:
        return doubt
    if all(FIELDS[spot.field] == "body" for spot in doubt.spots):
        return replace(doubt, sure=True, kept=True, cited=True)
    return replace(doubt, sure=False)


def unveiled(texts: Texts, found: Sequence[Doubt], find: Find) -> tuple[Doubt, ...]:
    """What looks personal only once the pieces ``found`` are replaced, at its places in ``texts``: it would
    be found on publishing, so it is shown before. None of it is sure."""
    shown, known = replaced(texts, found), {doubt.key for doubt in found}
    taken = {(spot.field, n) for doubt in found for spot in doubt.spots for n in range(spot.start, spot.end)}
    more = []
    for doubt in doubts(shown, (), find):
        spots = tuple(
            Spot(field, match.start(), match.end())
            for field, text in enumerate(texts)
            for match in re.finditer(rf"(?<!\w){re.escape(doubt.words)}(?!\w)", text)
            if not any((field, n) in taken for n in range(*match.span()))
        )
        if spots and doubt.key not in known:
            more.append(replace(doubt, sure=False, spots=spots))
            taken |= {(spot.field, n) for spot in spots for n in range(spot.start, spot.end)}
    return tuple(more)


def undecided(found: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Those that were not kept on purpose: nothing is published while there is one."""
    return tuple(doubt for doubt in found if not doubt.kept)


def _doubt(key: str, group: Sequence[Found], texts: Texts, starts: Sequence[int], kept: bool) -> Doubt:
    first, spots = group[0], []
    for found in group:
        field = bisect_right(starts, found.start) - 1
        start = found.start - starts[field]
        spots.append(Spot(field, start, min(found.end - starts[field], len(texts[field]))))
    return Doubt(
        key=key,
        kind=str(first.kind),
        words=first.text,
        replacement=first.replacement,
        sure=all(found.sure for found in group),
        quoted=any(_is_quoted(spot, texts) for spot in spots),
        kept=kept,
        spots=tuple(spots),
    )


def replaced(texts: Texts, found: Iterable[Doubt]) -> Texts:
    """The texts with every piece replaced that was not kept: what the fields of the form show at first."""
    title, text, body = (_written(*one) for one in _laid(texts, found))
    return title, text, body


def settled(posted: Texts, base: Texts, found: Sequence[Doubt], said: Mapping[str, Decision]) -> Texts:
    """The copy as somebody wants it: ``posted`` is ``replaced(base, found)`` with their own changes.

    Each piece that is still where it was shown becomes what was decided of it (``said``, by key), or its own
    words again as long as nothing is decided. What they wrote over stays as they wrote it.
    """
    kept = []
    for mine, (text, pieces) in zip(posted, _laid(base, found), strict=True):
        shown, places = _written(text, pieces), _places(pieces)
        where = list(_matching(shown, mine))
        moved = [(_moved(place, where), piece) for place, piece in zip(places, pieces, strict=True)]
        for place, (_, _, doubt, words) in reversed(moved):
            if place is not None:
                mine = mine[: place[0]] + _said(doubt, said.get(doubt.key), words) + mine[place[1] :]
        kept.append(mine)
    title, text, body = kept
    return title, text, body


def _said(doubt: Doubt, decision: Decision | None, words: str) -> str:
    if decision is None or decision.keep:
        return words
    return decision.replacement or doubt.replacement


Piece = tuple[int, int, Doubt, str]  # start, end, whose it is, the words there


def _laid(texts: Texts, found: Iterable[Doubt]) -> list[tuple[str, list[Piece]]]:
    """Each text with its pieces in order."""
    pieces: list[list[Piece]] = [[] for _ in texts]
    for doubt in found:
        for spot in doubt.spots:
            words = texts[spot.field][spot.start : spot.end]
            pieces[spot.field].append((spot.start, spot.end, doubt, words))
    return [(text, sorted(some, key=lambda p: p[0])) for text, some in zip(texts, pieces, strict=True)]


def _written(text: str, pieces: Sequence[Piece]) -> str:
    for start, end, doubt, words in reversed(pieces):
        text = text[:start] + doubt.shown(words) + text[end:]
    return text


def _places(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """Where the replacements stand once all are written."""
    places, shift = [], 0
    for start, end, doubt, words in pieces:
        length = len(doubt.shown(words))
        places.append((start + shift, start + shift + length))
        shift += length - (end - start)
    return places


_Shared = tuple[int, int, int]  # start in one text, start in the other, length


def _matching(shown: str, mine: str) -> Iterator[_Shared]:
    """Stretches that both texts share, in order: lines first, then words of the lines that differ."""
    ours, theirs = shown.splitlines(keepends=True), mine.splitlines(keepends=True)
    at, there = _offsets(ours), _offsets(theirs)
    for tag, a, after_a, b, after_b in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            yield at[a], there[b], at[after_a] - at[a]
        elif tag == "replace" and after_a - a == after_b - b:
            for n in range(after_a - a):
                yield from _in_common(ours[a + n], theirs[b + n], at[a + n], there[b + n])
        elif tag == "replace":
            yield from _in_common(
                shown[at[a] : at[after_a]], mine[there[b] : there[after_b]], at[a], there[b]
            )


def _in_common(some: str, others: str, here: int, there: int) -> Iterator[_Shared]:
    """Words that two pieces share; ``here`` and ``there`` are where the pieces begin."""
    ours, theirs = _TOKENS.findall(some), _TOKENS.findall(others)
    at, place = _offsets(ours), _offsets(theirs)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=len(theirs) > _MANY)
    for block in matcher.get_matching_blocks():
        if block.size:
            yield here + at[block.a], there + place[block.b], at[block.a + block.size] - at[block.a]


def _offsets(parts: Sequence[str]) -> list[int]:
    """Where each part begins in the whole, and where the last one ends."""
    return [0, *accumulate(map(len, parts))]


def _moved(place: tuple[int, int], where: Sequence[_Shared]) -> tuple[int, int] | None:
    """The place in the other text; None when somebody wrote over it."""
    start, end = place
    for here, there, length in where:
        if here <= start and end <= here + length:
            return start - here + there, end - here + there
    return None


def _is_quoted(spot: Spot, texts: Texts) -> bool:
    text = texts[spot.field]
    line = text[text.rfind("\n", 0, spot.start) + 1 : spot.start]
    return FIELDS[spot.field] == "body" and line.lstrip().startswith(">")


@dataclass(frozen=True, slots=True)
class Sight:
    """A piece in its place: some text before, its words, some after."""

    field: str
    before: str
    words: str
    after: str


def sights(doubt: Doubt, texts: Texts, most: int = 3) -> tuple[Sight, ...]:
    """The first places where a doubt stands, with the text around."""
    return tuple(_sight(spot, texts[spot.field]) for spot in doubt.spots[:most])


def _sight(spot: Spot, text: str) -> Sight:
    before, after = text[max(0, spot.start - _AROUND) : spot.start], text[spot.end : spot.end + _AROUND]
    if spot.start > _AROUND:
        before = "… " + before.partition(" ")[2]
    if spot.end + _AROUND < len(text):
        after = after.rpartition(" ")[0] + " …"
    return Sight(FIELDS[spot.field], before, text[spot.start : spot.end], after)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some text of a field; ``key`` names the doubt that it is, ``replacement`` what would stand there."""

    text: str
    key: str = ""
    replacement: str = ""


def in_place(texts: Texts, found: Iterable[Doubt]) -> tuple[tuple[Stretch, ...], ...]:
    """Each field cut where something looks personal, to be read with the pieces marked; () for a field where
    nothing does."""
    return tuple(_cut(text, pieces) if pieces else () for text, pieces in _laid(texts, found))


def _cut(text: str, pieces: Sequence[Piece]) -> tuple[Stretch, ...]:
    stretches, reached = [], 0
    for start, end, doubt, words in pieces:
        instead = "" if doubt.kept else doubt.replacement
        stretches += [Stretch(text[reached:start]), Stretch(words, doubt.key, instead)]
        reached = end
    return (*(s for s in stretches if s.text), Stretch(text[reached:]))
