"""Whether two notices, each written by another centre, tell of one work.

Hides what is compared and what it weighs. What sets two works apart for certain (another tome, another year
in the title, a part and its whole) is looked for first; then what speaks for and against one work is added up
in points. ``ingest.duplicates`` compares texts and asks a person; here there are only notices, and nobody is
asked: in doubt, two works.

The points were set by what each thing is worth to a cataloguer, then looked at on pairs made by
``tests/benchmarks/same_work.py`` and on pairs invented by hand; none was fitted.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from ingest.notices import Name, Notice, read_notice, same_person
from ingest.title_words import GENERIC, Overlap, is_acronym, overlap, stands_for, telling_of_body
from kb.records import Record


@dataclass(frozen=True, slots=True)
class Sameness:
    """What two notices are to each other. ``score``: 0 to 1, 0.5 and more when ``same``, at most ``AGAINST``
    when something sets them apart for certain; ``reason``: French, short."""

    score: float
    same: bool
    reason: str


AGAINST = 0.1
"""Highest score of two notices that something sets apart: what is like both must not join them."""

MOST_MARKS = 12


def same(a: Record, b: Record) -> bool:
    """Whether two notices tell of one work."""
    return likeness(a, b).same


def likeness(a: Record, b: Record) -> Sameness:
    """What two notices are to each other, the same both ways round. Their text is not read."""
    if b.id == a.host or a.id == b.host:
        return _against("une partie et son tout")
    here, there = sorted((read_notice(a), read_notice(b)), key=_order)
    numbers = _numbers_shared(here, there)
    titles = _titles(here, there)
    if reason := _set_apart(here, there, titles, numbers):
        return _against(reason)
    points, reasons = _weigh(here, there, titles, numbers)
    score = 1 / (1 + math.exp(_ENOUGH - points))
    if points >= _ENOUGH:
        return Sameness(round(score, 3), True, ", ".join([*numbers, *reasons]))
    if (doubt := _doubt(here, there)) and points < 0:
        return _against(doubt)
    return Sameness(max(0.11, round(score, 3)), False, doubt or "trop peu d’indices communs")


def _order(notice: Notice) -> tuple[object, ...]:
    return notice.title.words, notice.type, notice.date, notice.persons, notice.bodies, notice.numbers


def _against(reason: str) -> Sameness:
    return Sameness(AGAINST / 2, False, reason)


def _doubt(here: Notice, there: Notice) -> str:
    if here.year and there.year and abs(here.year - there.year) > 1:
        return "années différentes"
    return "auteurs différents" if here.persons and there.persons and not _people(here, there) else ""


# -- what two notices have in common


def _numbers_shared(here: Notice, there: Notice) -> list[str]:
    kinds = {kind for kind, _ in set(here.numbers) & set(there.numbers)}
    return [said for kind, said in _SHARED.items() if kind in kinds]


_SHARED = {"isbn": "même ISBN", "doi": "même DOI", "issn": "même ISSN", "file": "même fichier"}
_SAME_TEXT = frozenset((_SHARED["doi"], _SHARED["file"]))


def _numbers_clash(here: Notice, there: Notice, kind: str) -> bool:
    one, other = ({value for k, value in n.numbers if k == kind} for n in (here, there))
    return bool(one and other and not one & other)


def _titles(here: Notice, there: Notice) -> Overlap:
    """What the titles have in common, parallel titles looked at as well; the closest pair."""
    if not (here.parallel or there.parallel):
        return overlap(here.title.words, there.title.words, here.told, there.told)
    ways = itertools.product(
        filter(None, (here.title, here.parallel)), filter(None, (there.title, there.parallel))
    )
    found = [overlap(one.words, other.words, here.told, there.told) for one, other in ways]
    return max(found, key=lambda way: (not way.differs, len(way.shared), -len(way.here) - len(way.there)))


def _weight(words: Iterable[str]) -> float:
    """How much words tell of a work: about how many of them do not stand in a thousand other titles."""
    distinct = set(words)
    telling = sum(1.0 if len(word) > 3 else 0.7 for word in distinct - GENERIC)
    generic = len(distinct & GENERIC)
    return telling + min(1.6, 0.4 * min(generic, 2) + 0.2 * max(generic - 2, 0))


def _tells(words: Iterable[str]) -> bool:
    """Whether any of the words is of this work rather than of a kind of works."""
    return not GENERIC.issuperset(words)


# -- what sets two works apart

_PARTS = frozenset(("article", "article-cahier", "chapitre"))
_ALONE = {type: type for type in ("periodique", "audiovisuel", "materiel", "these")}
_ALONE |= dict.fromkeys(_PARTS, "part")
"""Types that are never taken for another kind of thing."""
_COARSE = frozenset("document ouvrage rapport etude guide cahier fiche numero page-web".split())  # noqa: SIM905
"""Types by which a cataloguer in a hurry names what another one names more precisely."""


def _set_apart(here: Notice, there: Notice, titles: Overlap, numbers: Sequence[str]) -> str | None:
    """Why two notices are of two works whatever else they share, in French; None if nothing says so."""
    if "question" in (here.type, there.type):
        return "une question n’est pas un ouvrage"
    if not _kinds_agree(here.type, there.type):
        return "documents de nature différente"
    if not numbers and _languages_differ(here, there):
        return "langues différentes"
    if _editions_differ(here, there, numbers):
        return "éditions différentes"
    if not titles.shared or (titles.differs and not _variant(here, there, titles, numbers)):
        certain = _SAME_TEXT & set(numbers) and here.type not in _PARTS
        return None if certain else "titres différents"
    return _figures_differ(here, there, titles)


def _kinds_agree(type: str, other: str) -> bool:
    if "document" in (type, other) or type == other or {type, other} == {"periodique", "lettre"}:
        return True
    if "these" in (type, other):
        return bool({type, other} & {"rapport", "etude"})
    return _ALONE.get(type) == _ALONE.get(other)


def _languages_differ(here: Notice, there: Notice) -> bool:
    """A notice in two languages may be said to be in either."""
    if here.parallel or there.parallel or "un" in (here.language, there.language):
        return False
    return here.language != there.language


def _editions_differ(here: Notice, there: Notice, numbers: Sequence[str]) -> bool:
    """An edition that one does not tell is the same only when both have one number and one year."""
    one, other = here.title.edition, there.title.edition
    if one == other or (one and other and "new" in (one, other) and here.year == there.year):
        return False
    return bool(one and other) or not numbers or here.year != there.year


def _variant(here: Notice, there: Notice, titles: Overlap, numbers: Sequence[str]) -> bool:
    """Whether titles that differ may be of one work all the same: for slips of the pen in what has one
    number, or for subtitles told in two ways after one title proper."""
    if numbers and fuzz.ratio(" ".join(titles.here), " ".join(titles.there)) >= _SLIPS:
        return True
    words, others = here.title.words, there.title.words
    main, other = words[: here.title.main], others[: there.title.main]
    if len(main) == len(words) or len(other) == len(others):
        return False
    proper, under = overlap(main, other), overlap(words[len(main) :], others[len(other) :])
    same_size = here.pages > 0 and here.pages == there.pages
    return _tells(proper.shared) and not (proper.here or proper.there) and (bool(under.shared) or same_size)


_SLIPS = 70.0  # of 100: two letters wrong in a word of six


def _figures_differ(here: Notice, there: Notice, titles: Overlap) -> str | None:
    if here.title.years - there.title.years and there.title.years - here.title.years:
        return "années différentes"
    one = here.title.figures - _all_figures(there, here)
    other = there.title.figures - _all_figures(here, there)
    if (one and other) or _issues_differ(here, there):
        return "numéros différents"
    if _parts_alone(here, there) or _parts_alone(there, here):
        return "un seul a un numéro de tome ou de volume"
    alone = one | other
    if alone and not (titles.here or titles.there):
        dated = here.year is not None and here.year == there.year
        if not (dated and alone <= here.title.years | there.title.years):
            return "un seul dit un numéro ou une année"
    return _days_differ(here, there)


def _all_figures(notice: Notice, other: Notice) -> frozenset[str]:
    """All numbers of a notice; where both have one year, what they tell may be of the year before."""
    figures = notice.title.figures | notice.issue | notice.told
    if len(notice.date) >= 7:
        figures |= {_MONTHS[int(notice.date[5:7]) - 1]}
    if notice.year is not None and notice.year == other.year:
        figures |= {str(notice.year - 1)}
    return figures


_MONTH_TEXT = "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre"
_MONTHS = tuple(_MONTH_TEXT.split())
_DATED = frozenset(("compte-rendu", "lettre", "numero", "presse", "donnees", "convention", "appel"))


def _issues_differ(here: Notice, there: Notice) -> bool:
    """A number in the title of both is no number of an issue, and numbers in two series are of two kinds."""
    if not (here.issue and there.issue):
        return False
    both = here.title.figures & there.title.figures
    if here.issue <= there.issue | (there.title.figures - both):
        return False
    if there.issue <= here.issue | (here.title.figures - both):
        return False
    return not (here.series and there.series and overlap(here.series, there.series).differs)


def _parts_alone(here: Notice, there: Notice) -> bool:
    """Whether one tells the number of a tome that the other does not tell in any way."""
    loose = there.title.loose - here.title.loose
    return bool(here.title.parts - there.title.parts - there.issue - loose)


def _days_differ(here: Notice, there: Notice) -> str | None:
    """Of what comes out again and again under one title, two days of one year are two."""
    telling = _tells(here.title.words) or _tells(there.title.words)
    if here.issue & there.issue or (telling and not {here.type, there.type} & _DATED):
        return None
    agree = here.date.startswith(there.date) or there.date.startswith(here.date)
    return None if agree or here.year != there.year else "dates différentes"


# -- what speaks for one work, in points

_ENOUGH = 4.4
"""Points from which on two notices are of one work: a title of two telling words and the year."""
_NUMBER, _SAME_BYTES = 5.0, 8.0


def _weigh(here: Notice, there: Notice, titles: Overlap, numbers: Sequence[str]) -> tuple[float, list[str]]:
    """Points for and against, and French reasons for."""
    tells = _tells(titles.shared)
    equal = not (titles.here or titles.there or titles.slips)
    reasons = ["même titre" if equal else "titres voisins"]
    points = 1 + 0.8 * min(6.0, _weight(titles.shared)) - titles.slips - _left_out(here, there, titles)
    for found, said in (_years(here, there), _makers(here, there, tells), _sizes(here, there)):
        points += max(found, -3.0) if numbers else found
        reasons += [said] if said else []
    if numbers:
        points += _SAME_BYTES if _SAME_TEXT & set(numbers) else _NUMBER
    else:
        points -= 1.5 * _numbers_clash(here, there, "isbn") + 3.0 * _numbers_clash(here, there, "doi")
    if here.type != there.type and not {here.type, there.type} & _COARSE:
        points -= 2.0
    return points + _serial(here, there, numbers), reasons


def _left_out(here: Notice, there: Notice, titles: Overlap) -> float:
    """What it costs that one title says more than the other: little when that is a whole title or subtitle,
    or when the other one was cut; much when it changes what is spoken of."""
    if titles.differs:
        return 4.0
    longer, shorter, words = (here, there, titles.here) if titles.here else (there, here, titles.there)
    if not words:
        return 0.0
    if set(words) & _SIBLINGS or (set(words) & _OF_SCHEMES and set(titles.shared) & _SCHEMES):
        return 3.0
    own = [word not in titles.shared for word in longer.title.words]
    first, last = (own.index(True), len(own) - own[::-1].index(True)) if any(own) else (0, 0)
    whole = {first, last} <= longer.title.cuts and all(own[first:last])
    cut = first >= len(titles.shared) and (shorter.title.cut_short or len(shorter.title.words) > 4)
    return 0.3 if whole or cut else min(2.5, 1.0 + 0.5 * len(words))


_SIBLINGS = frozenset(
    "annexe synthese resume avenant supplement erratum provisoire etape intermediaire corrige".split()  # noqa: SIM905
)
"""What stands in the title of a work that goes with another one."""
_OF_SCHEMES = frozenset(("diagnostic", "bilan", "evaluation", "programmation", "suivi"))
_SCHEMES = frozenset(("contrat", "convention", "plan", "programme", "projet", "charte", "schema", "cucs"))
"""Of a contract there are a diagnosis and an evaluation; elsewhere such a word is a subtitle like another."""


def _years(here: Notice, there: Notice) -> tuple[float, str]:
    """One year is the time from copyright to legal deposit, but for a body from report to report as well;
    the first year of a review is seldom known."""
    if here.year is None or there.year is None:
        return 0.0, ""
    apart = abs(here.year - there.year)
    if "periodique" in (here.type, there.type):
        return (1.0, "même année") if not apart else (-0.5, "")
    if not apart:
        return 2.0, "même année"
    if apart > 1 or here.bodies or there.bodies:
        return -1.5 if apart == 1 and _people(here, there) else -8.0, ""
    return -1.5 if _people(here, there) else -3.0 if here.persons or there.persons else -8.0, ""


def _makers(here: Notice, there: Notice, tells: bool) -> tuple[float, str]:
    """Persons weigh most: a body brings out the like year after year, and under several names."""
    if found := _people(here, there):
        every = found >= max(len(here.persons), len(there.persons))
        return 3.0 if tells else 1.75, "mêmes auteurs" if every else "un auteur commun"
    if here.persons and there.persons:
        return -6.0, ""
    return _bodies(here, there, tells)


def _bodies(here: Notice, there: Notice, tells: bool) -> tuple[float, str]:
    """A body may be named as the author here and as the publisher there."""
    if _any_same(here.bodies, there.bodies):
        return 1.75, "même organisme"
    published = [(notice.publisher,) if notice.publisher else () for notice in (here, there)]
    crossed = _any_same(here.bodies, published[1]) or _any_same(published[0], there.bodies)
    if here.bodies and there.bodies:
        veiled = any(len(body) == 1 and is_acronym(body[0]) for body in (*here.bodies, *there.bodies))
        return (0.0 if crossed and tells else -1.0 if veiled else -3.0), ""
    if crossed:
        return 1.75, "même organisme"
    if _any_same(*published):
        return 1.0, "même éditeur"
    told = (here.bodies or published[0]) and (there.bodies or published[1])
    return (0.0 if not told else -0.5 if tells else -2.0), ""


def _any_same(bodies: Iterable[Name], others: Sequence[Name]) -> bool:
    return any(_same_body(one, other) for one in bodies for other in others)


def _people(here: Notice, there: Notice) -> int:
    """How many persons of one notice the other one names."""
    return sum(any(same_person(one, other) for other in there.persons) for one in here.persons)


@functools.lru_cache(maxsize=65_536)
def _same_body(one: Name, other: Name) -> bool:
    """Whether two names are of one body: one may say less than the other one, or be its acronym."""
    if stands_for(one, other) or stands_for(other, one):
        return True
    ways = (overlap(one, other), overlap(telling_of_body(one), telling_of_body(other)))
    return any(w.shared and not w.differs and w.slips <= 1 and _weight(w.shared) >= 0.7 for w in ways)


def _sizes(here: Notice, there: Notice) -> tuple[float, str]:
    if here.span and here.span == there.span:
        return 2.0, "mêmes pages"
    few, many = sorted((here.pages, there.pages))
    if few < _LEAF:
        return 0.0, ""
    if many - few <= max(1, many // 50):
        return 2.0, "même nombre de pages"
    return (-1.5, "") if few < 0.9 * many else (0.0, "")


_LEAF = 8  # pages below which a number of pages is that of many


def _serial(here: Notice, there: Notice, numbers: Sequence[str]) -> float:
    """Points by what tells reviews and their issues: ISSN, place after the title, number of the issue."""
    if "periodique" in (here.type, there.type):
        if here.qualifier and there.qualifier and overlap(here.qualifier, there.qualifier).differs:
            return -4.0
        return 0.0 if numbers else -4.0 if _numbers_clash(here, there, "issn") else 1.5
    if {here.type, there.type} & {"numero", "lettre"}:
        one, other = (n.issue | n.title.parts for n in (here, there))
        return 1.0 if one & other else -2.0 if one or other else 0.0
    return 0.0


# -- whom to compare


def marks(record: Record) -> frozenset[str]:
    """Keys of which two notices of one work share one at least: at most ``MOST_MARKS``, a few letters each.

    Its numbers and files; two of the first telling words of the title, with the year; who made it, with the
    year or with one such word; three such words. Vowels, doubled letters and ends of words do not count."""
    notice = read_notice(record)
    if notice.type == "question":
        return frozenset()
    found = [f"{kind}:{value[:24]}" for kind, value in notice.numbers][:4]
    return frozenset([*found, *_title_marks(notice)][:MOST_MARKS])


def _title_marks(notice: Notice) -> Iterator[str]:
    words = list(dict.fromkeys(map(_skeleton, notice.title.words)))
    telling = list(dict.fromkeys(_skeleton(w) for w in notice.title.words if w not in GENERIC))
    year = "" if notice.type == "periodique" else notice.year or ""
    first = list(dict.fromkeys((*telling, *words)))[:3]
    for pair in itertools.combinations(first, 2):
        if not telling or pair[0] in telling:
            yield f"t:{year} {' '.join(sorted(pair))}"
    if len(words) < 3:
        yield f"t:{year} {' '.join(sorted(words))}"
    for maker in _maker_marks(notice):
        yield f"{maker} {year}"
        yield from (f"{maker} {word}" for word in telling[:2] if word not in maker)
    if len(telling) > 2:
        yield f"w:{' '.join(sorted(telling[:3]))}"
        yield f"w:{' '.join(sorted(_longest(telling, 3)))}"


def _maker_marks(notice: Notice) -> list[str]:
    found = [f"a:{_skeleton(name[0])}" for name in notice.persons]
    bodies = (*notice.bodies, notice.publisher) if notice.publisher else notice.bodies
    found += [f"b:{_known_by(body)}" for body in bodies]
    return (found + [f"b:{_initials(body)}" for body in notice.bodies])[:3]


@functools.lru_cache(maxsize=8_192)
def _initials(body: Name) -> str:
    return body[0] if len(body) == 1 else "".join(word[0] for word in body)


@functools.lru_cache(maxsize=8_192)
def _known_by(body: Name) -> str:
    telling = [word for word in telling_of_body(body) if word not in GENERIC] or body
    return " ".join(map(_skeleton, _longest(telling, 2)))


def _longest(words: Iterable[str], count: int) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))[:count]


_SOFT = re.compile(r"[aeiouyh]")
_DOUBLED = re.compile(r"(.)\1+")


@functools.lru_cache(maxsize=65_536)
def _skeleton(word: str) -> str:
    firm = word[0] + _DOUBLED.sub(r"\1", _SOFT.sub("", word[1:]))[:5]
    return firm if len(firm) > 2 else word[:4]


def groups(records: Iterable[Record]) -> list[set[str]]:
    """Ids of the records that tell of one work, groups of two and more. The surest are joined first, and two
    that something sets apart are never in one group, whatever they share with others."""
    held = {record.id: record for record in records}
    blocks: dict[str, list[str]] = defaultdict(list)
    for record in held.values():
        for mark in marks(record):
            blocks[mark].append(record.id)
    pairs = {tuple(sorted(pair)) for ids in blocks.values() for pair in itertools.combinations(ids, 2)}
    scored = [(likeness(held[a], held[b]), a, b) for a, b in pairs]
    group = {id: {id} for id in held}
    for found, a, b in sorted(scored, key=lambda pair: (-pair[0].score, *pair[1:])):
        if not found.same or group[a] is group[b]:
            continue
        if all(likeness(held[x], held[y]).score > AGAINST for x in group[a] for y in group[b]):
            joined = group[a] | group[b]
            group.update(dict.fromkeys(joined, joined))
    return [ids for ids in {id(ids): ids for ids in group.values()}.values() if len(ids) > 1]
