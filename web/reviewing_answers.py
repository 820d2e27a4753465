"""Which published answers should be looked at again, and why: looked for once a night.

Hides what is compared: the sources and quotations of the answer that is public against the fund as it is now,
and the schemes that it is about against their end. Once somebody has said that an answer holds, only what
happened since counts: nobody is asked the same thing twice.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import structlog

from kb import merging, quoting
from kb.french import pieces
from kb.publishing import Publication, Why
from kb.quoting import Fault, FaultKind
from kb.records import Record
from kb.thesaurus import Concept, Thesaurus
from web.parts import Parts
from web.typography import spaced, written_date

log = structlog.get_logger()

_SHORTEST = 3  # letters of a label that is looked for in a text: two stand for too many things
_LOST = (FaultKind.NOT_THERE, FaultKind.NO_PAGE)
_WORDS = 60  # characters of a quotation that tell it


@dataclass(frozen=True, slots=True)
class Reason:
    """Why to look again; ``detail`` says at what, in French."""

    why: Why
    detail: str


@dataclass(frozen=True, slots=True)
class _Ended:
    """A scheme that has come to its end."""

    concept: Concept
    last: date
    labels: tuple[str, ...]


def notice_all(parts: Parts, now: datetime) -> int:
    """Note on each published answer why it should be looked at again; how many have a reason. Memory stays
    flat."""
    ended, count = ended_schemes(parts.thesaurus, _today(parts, now)), 0
    for held in parts.publications.published():
        if found := {reason.why for reason in _reasons(parts, held, ended)}:
            count += 1
            if not found <= set(held.review_why):
                parts.publications.notice(held.question, found)
    log.info("answers.looked_at", noticed=count)
    return count


def reasons(parts: Parts, held: Publication, now: datetime) -> tuple[Reason, ...]:
    """All that speaks for looking again at a published answer now: what is found, what was noted and cannot
    be seen any more, its day."""
    today = _today(parts, now)
    found = list(_reasons(parts, held, ended_schemes(parts.thesaurus, today)))
    seen = {reason.why for reason in found}
    found += [Reason(why, "") for why in held.review_why if why not in seen]
    if held.review_on and held.review_on <= today:
        found.append(Reason(Why.OLD, written_date(held.review_on.isoformat())))
    return tuple(found)


def _today(parts: Parts, now: datetime) -> date:
    return now.astimezone(parts.calendar.zone).date()


def _reasons(parts: Parts, held: Publication, ended: Iterable[_Ended]) -> Iterator[Reason]:
    since = parts.publications.last_review(held.question)
    yield from _faults(parts, held.shown or "", since)
    record = parts.store.get_many([held.record or ""]).get(held.record or "")
    if record is not None:
        for scheme in _named(record, ended):
            if since is None or scheme.last > since.astimezone(parts.calendar.zone).date():
                told = f"{scheme.concept.label}, terminé en {scheme.last.year}"
                yield Reason(Why.SCHEME_ENDED, spaced(told))


# -- sources and quotations


def _faults(parts: Parts, body: str, since: datetime | None) -> Iterator[Reason]:
    site = parts.config.public_url
    cited = [source.record for source in quoting.sources(body, site) if source.record]
    if since is not None:
        cited = sorted(parts.publications.changed_since(cited, since))
    if not cited:
        return
    held = parts.store.get_many(cited)
    for fault in quoting.check(body, _page_of(parts), lambda id: id in held or id not in cited, site):
        if fault.record in cited and (reason := _reason(parts, fault)):
            yield reason


def _page_of(parts: Parts) -> Callable[[str, int], str | None]:
    def text(record: str, number: int) -> str | None:
        return parts.store.page_texts([(record, number)]).get((record, number))

    return text


def _reason(parts: Parts, fault: Fault) -> Reason | None:
    record = fault.record or ""
    if fault.kind is FaultKind.NO_RECORD:
        now = merging.redirected(parts.store.database, record)
        told = "est réunie à une autre notice" if now else "n’est plus dans le fonds"
        return Reason(Why.SOURCE_GONE, spaced(f"« {_short(fault.text)} » {told}"))
    # A work on paper has pages that only its readers turn: nothing can be said of them here.
    if fault.kind not in _LOST or not parts.store.last_page(record):
        return None
    return Reason(Why.QUOTE_GONE, spaced(f"« {_short(fault.text)} », p. {fault.page}"))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _WORDS else flat[:_WORDS].rpartition(" ")[0] + "…"


# -- schemes


def ended_schemes(thesaurus: Thesaurus, today: date) -> tuple[_Ended, ...]:
    """Schemes whose last day is past, with the labels that name them and nothing else."""
    return tuple(
        _Ended(concept, last, tuple(_labels(concept)))
        for concept in thesaurus.concepts("dispositifs")
        if concept.end and (last := last_day(concept.end)) < today
    )


def last_day(end: str) -> date:
    """The last day of what ends in a year, a month or on a day (ISO 8601); of a month or day that no calendar
    has, that of the year or the month. The vocabulary is checked for digits only."""
    year, month, day = (*map(int, end.split("-")), 0, 0)[:3]
    year, month = max(year, 1), month if 1 <= month <= 12 else 12
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(day or last, last))


def _labels(concept: Concept) -> Iterator[str]:
    if concept.trap or concept.homonyms:
        return
    for label in concept.labels:
        if len(label) >= _SHORTEST:
            yield _folded(label)


def _folded(text: str) -> str:
    return f" {' '.join(pieces(text))} "


def _named(record: Record, ended: Iterable[_Ended]) -> Iterator[_Ended]:
    """The schemes that an answer is about: those among its themes, and those that its title or its question
    name. What the answer mentions on its way is not what it is about."""
    themes = {subject.concept for subject in record.live_subjects}
    words = _folded(f"{record.title} {record.abstract or ''}")
    for scheme in ended:
        if scheme.concept.uri in themes or any(label in words for label in scheme.labels):
            yield scheme
