"""The charts of the service's figures, and the same figures as tables for spreadsheets.

Hides the French names of codes, which values are drawn and which are gathered in one bar, and how cases are
written without anything of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from kb.activity import Case
from kb.activity import Figures as Counts
from kb.servicelog import EFFORTS
from web import charts, desk_words
from web.activity_words import label, percent
from web.charts import Bar
from web.figures import Cell, Chart, Figures, said
from web.labels import Labels
from web.typography import counted, number, spaced

_DRAWN = 14
"""Bars of one chart, as many as there are broad themes; the table has what comes after."""

UNKNOWN = "non précisé"


def months(some: Counts, labels: Labels) -> Chart:
    """Questions by month, solid as far as the answer left in time."""
    return charts.columns(
        [
            Bar(charts.month(m.name), m.received, part=m.in_time, note=_answered(m.answered, m.in_time))
            for m in some.months
        ],
        "Questions reçues chaque mois",
        ident="mois",
        unit="question",
        parts=_in_time(some),
        summary="" if some.received else "Aucune question dans cette période.",
    )


def _in_time(some: Counts) -> tuple[str, str]:
    days = "jour ouvré" if some.promised < 2 else "jours ouvrés"
    return (
        spaced(f"répondues en {some.promised} {days} ou moins"),
        "répondues plus tard, ou pas encore",
    )


def _answered(answered: int, in_time: int) -> str:
    if not answered:
        return ""
    return spaced(f"{counted(answered, 'réponse')}, {percent(in_time / answered)} à temps")


def themes(some: Counts, labels: Labels) -> Chart:
    """Questions by theme."""
    return _ranked(
        [Bar(label("theme", code, labels), n) for code, n in some.themes.items()],
        Bar("sans thème", some.without_theme),
        ("theme", "Thèmes", "Thème"),
        "Une question peut en avoir plusieurs.",
    )


def territories(some: Counts, labels: Labels) -> Chart:
    """Questions by territory."""
    unknown = some.received - sum(some.territories.values())
    return _ranked(
        [Bar(label("territory", code, labels), n) for code, n in some.territories.items()],
        Bar(UNKNOWN, unknown),
        ("territoire", "Territoires", "Territoire"),
        f"{counted(len(some.territories), 'territoire cité', 'territoires cités')} en tout.",
    )


def actors(some: Counts, labels: Labels) -> Chart:
    """Questions by kind of asker."""
    unknown = some.received - sum(some.actors.values())
    return _ranked(
        [Bar(label("actor", code, labels), n) for code, n in some.actors.items()],
        Bar(UNKNOWN, unknown),
        ("acteur", "Qui demande", "Public"),
        "",
    )


def _ranked(bars: list[Bar], without: Bar, named: tuple[str, str, str], more: str) -> Chart:
    """The first bars drawn, all of them in the table, then those that have no code; no sum, since one
    question may be in several."""
    ident, title, along = named
    last = [without] if without.value else []
    told = f"D’abord : {_first(bars, along)}. {more}" if bars else ""
    every, drawn = (
        charts.bars(
            [*some, *last],
            title,
            ident=ident,
            unit="question",
            along=along,
            ranked=False,
            summary=spaced(told.strip()),
        )
        for some in (bars, bars[:_DRAWN])
    )
    return replace(drawn, figures=replace(every.figures, total=()))


def _first(bars: Sequence[Bar], along: str) -> str:
    """Where the most is; who stands first among equals is chance, so that only their number is told."""
    most = said(bars[0].value, "question")
    equal = sum(bar.value == bars[0].value for bar in bars)
    return f"{bars[0].label}, {most}" if equal == 1 else f"{equal} {along.lower()}s à égalité, {most} chacun"


def channels(some: Counts, labels: Labels) -> Chart:
    """Questions by the way that they came."""
    bars = [Bar(words, some.channels.get(str(channel), 0)) for channel, words in desk_words.CHANNELS.items()]
    shown = [bar for bar in bars if bar.value]
    return charts.bars(shown, "Par quel canal", ident="canal", unit="question", along="Canal")


def efforts(some: Counts, labels: Labels) -> Chart:
    """Questions by level of the READ scale."""
    noted = sum(some.efforts.values())
    bars = [
        Bar(f"{level}. {desk_words.EFFORTS[level].capitalize()}", some.efforts.get(level, 0))
        for level in EFFORTS
    ]
    told = spaced(f"Échelle READ, notée pour {counted(noted, 'question')} sur {number(some.received)}.")
    return charts.bars(
        bars if noted else [],
        "Effort",
        ident="effort",
        unit="question",
        along="Niveau",
        ranked=False,
        summary=told if noted else "Aucun niveau d’effort n’a été noté.",
    )


DRAWN: Mapping[str, Callable[[Counts, Labels], Chart]] = MappingProxyType(
    {
        "mois": months,
        "theme": themes,
        "canal": channels,
        "acteur": actors,
        "territoire": territories,
        "effort": efforts,
    }
)
"""Name of a chart in addresses -> what draws it, in the order of the page."""


def table(what: str, some: Counts, labels: Labels) -> Figures:
    """All figures of the chart of that name."""
    return _monthly(some) if what == "mois" else DRAWN[what](some, labels).figures


def _monthly(some: Counts) -> Figures:
    head = ("Mois", "Questions reçues", "Réponses", f"Réponses en {some.promised} jours ouvrés ou moins")
    rows = [(Cell(m.name), *map(_number, (m.received, m.answered, m.in_time))) for m in some.months]
    return Figures(head, tuple(rows))


def _number(value: int | None) -> Cell:
    return Cell("" if value is None else str(value), value)


def listed(cases: Iterable[Case], labels: Labels) -> Figures:
    """One row a question: reference, days, codes and their labels, minutes, effort; nothing of who asked nor
    a word of what was asked."""
    head = (
        *("référence", "reçue le", "répondue le", "jours ouvrés", "état", "canal"),
        *("code du public", "public", "code du territoire", "territoire", "codes des thèmes", "thèmes"),
        *("minutes", "effort (READ)", "réponse passée réutilisée"),
    )
    return Figures(head, tuple(_row(case, labels) for case in cases))


def _row(case: Case, labels: Labels) -> tuple[Cell, ...]:
    def named(facet: str, codes: Sequence[str | None]) -> tuple[Cell, Cell]:
        known = [code for code in codes if code]
        return Cell(" ".join(known)), Cell(", ".join(label(facet, code, labels) for code in known))

    return (
        Cell(case.reference),
        Cell(case.received.isoformat()),
        Cell(case.answered.isoformat() if case.answered else ""),
        _number(case.days),
        Cell(desk_words.STATES[case.state]),
        Cell(desk_words.CHANNELS[case.channel]),
        *named("actor", [case.actor]),
        *named("territory", [case.territory]),
        *named("theme", case.themes),
        _number(case.minutes or None),  # 0 is what a log adds up to in which no time was noted
        _number(case.effort),
        Cell("oui" if case.reused else "non"),
    )
