"""What figures say in French: tiles with a comparison, plain sentences.

Hides plurals, comparisons and roundings. What is an estimate says so, and what nothing is known about is not
said at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kb.activity import Figures
from web.activity_period import Period
from web.labels import Labels
from web.typography import NBSP, counted, decimal, number, spaced

NONE = "–"
"""In the place of a figure that there is none of."""

_NAMED = 3
_MANY = {"theme": "thèmes", "actor": "publics", "territory": "territoires"}
"""Facet -> what several of its codes are called."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure: what it is, its value in words, what helps to read it."""

    label: str
    value: str
    note: str = ""


def compared(now: int, before: int, than: str) -> str:
    """ "12 de plus qu’en 2025"."""
    if now == before:
        return f"autant {than}"
    return f"{number(abs(now - before))} de {'plus' if now > before else 'moins'} {than}"


def percent(share: float) -> str:
    """A share from 0 to 1 as "87 %"; only what is whole is told as 0 or 100."""
    written = round(100 * share)
    if 0 < share < 1:
        written = min(99, max(1, written))
    return f"{written}{NBSP}%"


def hours(minutes: int) -> str:
    """ "45 min", "1 h 20", "35 h": whole hours from ten hours on."""
    if minutes < 60:
        return f"{minutes}{NBSP}min"
    if minutes >= 600:
        return f"{number(round(minutes / 60))}{NBSP}h"
    whole, rest = divmod(minutes, 60)
    return f"{whole}{NBSP}h" + (f"{NBSP}{rest:02}" if rest else "")


def working_days(value: float, *, worked: bool = True) -> str:
    """ "2 jours ouvrés", "1,5 jour ouvré"; what is answered on the day took 0."""
    plural = "s" if value >= 2 else ""
    amount = number(int(value)) if value == int(value) else decimal(value)
    return f"{amount}{NBSP}jour{plural}" + (f" ouvré{plural}" if worked else "")


def tiles(some: Figures, before: Figures, period: Period) -> tuple[Tile, ...]:
    """The key figures; compared with the time before where there was anything to compare with."""
    shares = f"{percent(some.answered / some.received)} des questions reçues" if some.received else ""
    return (
        Tile(
            "Questions reçues", number(some.received), _than(some.received, before.received, before, period)
        ),
        Tile("Réponses", number(some.answered), shares),
        Tile("Délai médian", _delay(some.median_days), _delay_before(before, period)),
        Tile(
            "Neuf réponses sur dix", _delay(some.days_90), "dans ce délai ou avant" if some.answered else ""
        ),
        Tile(
            spaced(f"Répondu en {working_days(some.promised, worked=False)} ou moins"),
            NONE if some.within is None else percent(some.within),
            _out_of(some),
        ),
        Tile("Temps passé", _spent(some), _noted(some)),
        Tile(
            "Réponses passées réutilisées",
            number(some.reused),
            _than(some.reused, before.reused, before, period),
        ),
        Tile(
            "Temps économisé, estimation",
            NONE if some.saved_minutes is None else hours(some.saved_minutes),
            "le temps médian des autres, moins le leur"
            if some.saved_minutes is not None
            else "il faut des temps notés des deux sortes",
        ),
    )


def _than(now: int, then: int, before: Figures, period: Period) -> str:
    return compared(now, then, period.than) if before.received else ""


def _delay(days: float | None) -> str:
    return NONE if days is None else working_days(days)


def _delay_before(before: Figures, period: Period) -> str:
    if before.median_days is None:
        return ""
    then = period.than.removeprefix("que ").removeprefix("qu’")
    return f"contre {working_days(before.median_days, worked=False)} {then}"


def _out_of(some: Figures) -> str:
    """What the share of answers in time is of, and what it does not tell: who still waits for one."""
    share = f"{number(some.in_time)} sur {counted(some.answered, 'réponse')}" if some.answered else ""
    return ", et ".join(filter(None, (share, _overdue(some))))


def _overdue(some: Figures) -> str:
    return f"{counted(some.overdue, 'question')} en retard" if some.overdue else ""


def _spent(some: Figures) -> str:
    return hours(some.minutes) if some.timed else NONE


def _noted(some: Figures) -> str:
    return f"noté pour {counted(some.timed, 'question')} sur {number(some.received)}" if some.received else ""


# -- sentences


def sentences(
    some: Figures, before: Figures, period: Period, labels: Labels, published: int
) -> tuple[str, ...]:
    """The figures in a few paragraphs, for somebody who has not seen the charts: what came and what became
    of it, what it was about, what it took."""
    if not some.received:
        return (spaced(f"{period.during}, le centre n’a reçu aucune question."),)
    paragraphs = (
        (_came(some, before, period), *_left(some), *_remaining(some)),
        tuple(_about(some, labels)),
        (*_cost(some), *_public(published)),
    )
    return tuple(spaced(" ".join(paragraph)) for paragraph in paragraphs if paragraph)


def _came(some: Figures, before: Figures, period: Period) -> str:
    than = f", {compared(some.received, before.received, period.than)}" if before.received else ""
    return f"{period.during}, le centre a reçu {counted(some.received, 'question')}{than}."


def _left(some: Figures) -> Iterator[str]:
    if not some.answered or some.median_days is None or some.within is None:
        return
    have = "a" if some.answered < 2 else "ont"
    whole = "Toutes" if some.answered == some.received > 1 else number(some.answered)
    yield f"{whole} {have} reçu une réponse."
    if some.answered > 1:
        yield (
            f"La moitié des réponses sont parties en {working_days(some.median_days)} ou moins, "
            f"neuf sur dix en {working_days(some.days_90 or 0, worked=False)} ou moins."
        )
    wait = "attend encore la sienne" if some.overdue < 2 else "attendent encore la leur"
    late = f", et {_overdue(some)} {wait}" if some.overdue else ""
    yield (
        f"Le centre s’engage à répondre en {working_days(some.promised)} : il l’a fait pour "
        f"{percent(some.within)} des réponses{late}."
    )


def _remaining(some: Figures) -> Iterator[str]:
    parts = []
    if some.open:
        late = f", dont {number(some.overdue)} en retard" if some.overdue and not some.answered else ""
        parts.append(f"{counted(some.open, 'question')} {_are(some.open)} encore en cours{late}")
    if some.closed_without:
        ended = "close" if some.closed_without < 2 else "closes"
        have = "a été" if some.closed_without < 2 else "ont été"
        parts.append(f"{counted(some.closed_without, 'question')} {have} {ended} sans réponse")
    if parts:
        yield f"{' ; '.join(parts)}."


def _are(count: int) -> str:
    return "est" if count < 2 else "sont"


def _about(some: Figures, labels: Labels) -> Iterator[str]:
    if some.themes:
        yield f"Les questions portent d’abord sur {_listed(some.themes, 'theme', labels)}."
    if some.actors:
        yield f"Ceux qui demandent sont d’abord {_listed(some.actors, 'actor', labels)}."
    if some.territories:
        yield f"Les territoires les plus cités sont {_listed(some.territories, 'territory', labels)}."


def _listed(counts: Mapping[str, int], facet: str, labels: Labels) -> str:
    """The first of them with their counts: "« Santé » (12), « Culture » (8) et « Logement » (5)". Those of
    one count are all named or none of them: "« Santé » (12) et 4 autres à égalité (5)"."""
    words: list[str] = []
    for n, equal in groupby(counts, key=lambda code: counts[code]):
        codes = list(equal)
        if len(words) + len(codes) > _NAMED:
            others = "autres" if words else _MANY[facet]
            words += [f"{number(len(codes))} {others} à égalité ({number(n)})"] if len(words) < _NAMED else []
            break
        words += [f"« {label(facet, code, labels)} » ({number(n)})" for code in codes]
    return joined(words)


def joined(words: Sequence[str]) -> str:
    """ "a, b et c"."""
    return " et ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def label(facet: str, code: str, labels: Labels) -> str:
    """What a code is called; the code itself when the vocabulary has it no more."""
    concept = labels.concept(code)
    return concept.label if concept else labels.of(facet, code)


def _cost(some: Figures) -> Iterator[str]:
    if some.timed:
        yield (
            f"L’équipe y a passé {hours(some.minutes)}, temps noté pour {counted(some.timed, 'question')} "
            f"sur {number(some.received)}."
        )
    if some.reused:
        gain = f", ce qui a fait gagner environ {hours(some.saved_minutes)}" if some.saved_minutes else ""
        yield f"Une réponse passée a servi de nouveau {number(some.reused)} fois{gain}."


def _public(published: int) -> Iterator[str]:
    if published:
        have = "a été publiée" if published < 2 else "ont été publiées"
        yield f"{counted(published, 'réponse')} {have}, sans rien qui désigne la personne, et servent à tous."
