"""What the pages of a publication show: the doubts in their places, the ticks, where the copy stands.

Hides how codes, states and numbers of persons become words. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from markupsafe import Markup

from kb.errors import NotFound
from kb.publishing import Publication, Stage, Why
from kb.questions import Question, QuestionState
from web import markdown, notices, publish_copy, publish_themes, reviewing_answers
from web.desk_words import STATES, opening
from web.messages import ACCESS
from web.parts import Parts
from web.publish_copy import Decision, Sight, Stretch, Texts
from web.publish_themes import Tick
from web.publish_work import Work
from web.reviewing_answers import Reason
from web.typography import written_date

STAGES: Mapping[Stage, str] = MappingProxyType(
    {
        Stage.DRAFT: "en préparation",
        Stage.TO_READ: "attend une seconde lecture",
        Stage.READ: "relue, prête à publier",
        Stage.PUBLISHED: "publiée",
        Stage.WITHDRAWN: "retirée",
    }
)
"""Where a publication stands -> what the staff call it."""

WHY: Mapping[Why, str] = MappingProxyType(
    {
        Why.OLD: "À revoir depuis le",
        Why.SOURCE_GONE: "Source disparue ou remplacée",
        Why.QUOTE_GONE: "Citation qui n’est plus dans sa page",
        Why.SCHEME_ENDED: "Dispositif terminé",
    }
)
"""Why a published answer should be looked at again -> its words."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "nom de personne",
        "phone": "téléphone",
        "email": "adresse électronique",
        "address": "adresse postale",
        "number": "numéro personnel",
        "birth": "date de naissance",
        "plate": "immatriculation",
        "link": "profil en ligne",
    }
)
"""Kind of what looks personal -> its words."""

_FIELDS = {"title": "titre", "text": "question", "body": "réponse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtView:
    """A piece that looks personal; ``choice`` is what is decided of it: "remplacer", "garder", "". What is
    found in a copy that was kept already is new, and proposed to nobody as decided."""

    key: str
    kind: str
    words: str
    replacement: str
    sure: bool
    quoted: bool
    kept: bool
    cited: bool
    choice: str
    count: int
    where: tuple[tuple[str, Sight], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPage:
    """The copy of a question and its answer, on its way; ``left`` is the state of the question once an answer
    left, "" before."""

    reference: str
    url: str
    standing: str
    stage: str
    record_url: str | None
    published: datetime | None
    review_on: str
    may_publish: bool
    left: str
    consent: bool
    second_reader: bool
    mine: bool
    prepared_by: str
    answer_changed: bool
    doubts: tuple[DoubtView, ...]
    undecided: int
    in_place: tuple[tuple[Stretch, ...], ...]
    ticks: tuple[Tick, ...]
    ended: tuple[str, ...]
    access: str
    title: str
    text: str
    body: Markup
    themes: tuple[str, ...]


def page_of(
    parts: Parts,
    it: Work,
    me: int | None,
    *,
    said: Mapping[str, Decision] | None = None,
    texts: Texts | None = None,
    chosen: Iterable[str] | None = None,
) -> PublishPage:
    """The page of a copy; ``said``, ``texts`` and ``chosen`` are what was typed and could not be kept."""
    question, held = it.question, it.held
    title, text, body = texts or it.shown
    doubts = tuple(sorted(_doubts(it, said), key=_order))
    own = (*question.themes, *((question.territory,) if question.territory else ()))
    before = chosen if chosen is not None else held.themes if held else None
    ticks = publish_themes.ticks(parts, title=title, text=text, body=body, own=own, chosen=before)
    today = datetime.now(parts.calendar.zone).date()
    answer = parts.answers.get(question.id)
    return PublishPage(
        reference=question.reference,
        url=f"/guichet/{question.reference}/publication",
        standing=STAGES[held.stage] if held else "pas encore préparée",
        stage=str(held.stage) if held else "",
        record_url=_record_url(parts, held),
        published=held.published if held and held.record else None,
        review_on=written_date(held.review_on.isoformat()) if held and held.review_on else "",
        may_publish=question.state in (QuestionState.ANSWERED, QuestionState.PUBLISHED),
        left=STATES[question.state] if answer.sent is not None else "",
        consent=question.consent,
        second_reader=parts.publications.second_reader,
        mine=held is not None and held.person == me,
        prepared_by=name_of(parts, held.person if held else None),
        answer_changed=answer.sent is not None and not answer.is_sent,
        doubts=doubts,
        undecided=sum(not one.choice for one in doubts),
        in_place=publish_copy.in_place(it.texts, it.doubts),
        ticks=ticks,
        ended=tuple(_ended(parts, ticks, today)),
        access=ACCESS[held.access] if held else "",
        title=title,
        text=text,
        body=markdown.rendered(body, site=parts.config.public_url),
        themes=tuple(tick.label for tick in ticks if tick.checked),
    )


def _doubts(it: Work, said: Mapping[str, Decision] | None) -> Iterator[DoubtView]:
    for doubt in it.doubts:
        decision = (said or {}).get(doubt.key)
        choice = "remplacer" if doubt.sure and not doubt.quoted and said is None and it.held is None else ""
        if doubt.kept or decision is not None:
            choice = "garder" if decision is None or decision.keep else "remplacer"
        sights = publish_copy.sights(doubt, it.texts)
        yield DoubtView(
            key=doubt.key,
            kind=KINDS.get(doubt.kind, doubt.kind),
            words=doubt.words,
            replacement=(decision.replacement if decision else "") or doubt.replacement,
            sure=doubt.sure,
            quoted=doubt.quoted,
            kept=doubt.kept,
            cited=doubt.cited,
            choice=choice,
            count=len(doubt.spots),
            where=tuple((_FIELDS[sight.field], sight) for sight in sights),
        )


def _order(one: DoubtView) -> int:
    """What must be decided first, what was decided last."""
    return 2 if one.kept else int(one.sure and not one.quoted)


def _record_url(parts: Parts, held: Publication | None) -> str | None:
    """Where it is public; None too when a cataloguer deleted the record."""
    if held is None or held.record is None or not parts.store.get_many([held.record]):
        return None
    return notices.record_url(held.record)


def _ended(parts: Parts, ticks: Iterable[Tick], today: date) -> Iterator[str]:
    chosen = {tick.code for tick in ticks if tick.checked}
    for scheme in reviewing_answers.ended_schemes(parts.thesaurus, today):
        if scheme.concept.code in chosen:
            yield f"{scheme.concept.label} ({scheme.last.year})"


def name_of(parts: Parts, person: int | None) -> str:
    """The name of somebody of the staff; "" for nobody, and for who is gone."""
    try:
        return parts.people.get(person).name if person else ""
    except NotFound:
        return ""


# -- to look at again


@dataclass(frozen=True, slots=True, kw_only=True)
class DueView:
    """A published answer to look at again."""

    reference: str
    title: str
    url: str
    record_url: str | None
    published: datetime | None
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToReadView:
    """A copy that waits for its second reader."""

    reference: str
    title: str
    url: str
    prepared_by: str
    at: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePage:
    """What waits for somebody to read it again."""

    total: int
    second_reader: bool
    due: tuple[DueView, ...]
    to_read: tuple[ToReadView, ...]
    number: int
    of: int
    previous_url: str | None
    next_url: str | None


def due_views(parts: Parts, some: Iterable[Publication], now: datetime) -> Iterator[DueView]:
    """Published answers with their reasons in words, each reason once."""
    listed = tuple(some)
    asked = parts.desk.get_many([held.question for held in listed])
    for held in listed:
        reference = asked[held.question].reference
        found = reviewing_answers.reasons(parts, held, now)
        yield DueView(
            reference=reference,
            title=held.title,
            url=f"/guichet/{reference}/publication",
            record_url=_record_url(parts, held),
            published=held.published,
            reasons=tuple(_told(found)),
        )


def _told(found: Iterable[Reason]) -> Iterator[tuple[str, str]]:
    details: dict[Why, list[str]] = {}
    for reason in found:
        details.setdefault(reason.why, []).append(reason.detail)
    for why, some in details.items():
        yield WHY[why], " ; ".join(dict.fromkeys(filter(None, some)))


def to_read_views(parts: Parts, some: Iterable[Publication], me: int | None) -> Iterator[ToReadView]:
    """Copies that wait for a second reader."""
    listed = tuple(some)
    asked: Mapping[int, Question] = parts.desk.get_many([held.question for held in listed])
    for held in listed:
        reference = asked[held.question].reference
        yield ToReadView(
            reference=reference,
            title=opening(held.title, 160),
            url=f"/guichet/{reference}/publication",
            prepared_by=name_of(parts, held.person),
            at=held.at,
            mine=held.person == me,
        )
