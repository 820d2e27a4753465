"""What stands beside an answer while it is written: past answers, passages, concepts, people and bodies.

Hides where each comes from: the question itself, or other words that the staff look for. Passages know their
place in their page, so that one click quotes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kb.french import fold
from kb.publishing import TYPE as ANSWER
from kb.questions import Question
from kb.records import TYPES, Record
from kb.thesaurus import Concept
from search import finder, mentions, windows
from search.gist import gist
from search.snippets import Piece
from web import notices, proposed
from web.compose_quoting import Place, place, whole
from web.fund import Fund
from web.messages import ACCESS
from web.notices import Link
from web.proposed import Shown
from web.state import LONGEST_TEXT, SearchState
from web.typography import counted

ANSWERS, PASSAGES, PEOPLE = 3, 8, 8
"""Of each kind shown at most: what a person looks through before writing."""

_PAGES = 2  # of one record
_SINCE = 800  # characters of what was said since that are looked for: a question has some 300, and leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A past answer; ``code`` tells it to ``compose_quoting.past_answer``."""

    code: str
    title: str
    url: str
    year: int | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of a page. ``code`` tells its place, "" when it cannot be quoted by a click; ``access`` who
    may read it, "" for everybody."""

    code: str
    title: str
    detail: str
    page: int
    url: str
    pieces: tuple[Piece, ...]
    thumb: str | None
    access: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A concept that the question names."""

    label: str
    note: str
    acronyms: tuple[str, ...]
    years: str
    url: str


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody, or a body, who may know; and why."""

    name: str
    why: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """All of it. ``words`` are those looked for in the place of the question, "" for the question; ``far``:
    nothing answers it well, the passages are what a search finds; ``past_first``: a past answer fits better
    than any passage."""

    words: str
    far: bool
    past_first: bool
    past: tuple[Past, ...]
    passages: tuple[Passage, ...]
    concepts: tuple[Meant, ...]
    people: tuple[Known, ...]
    all_url: str


def panel(fund: Fund, question: Question, words: str = "", *, since: str = "") -> Panel:
    """What the fund offers to answer a question, or to the words that are looked for instead. ``since`` is
    what the asker said later: read after the question, which leads."""
    words = " ".join(words[:LONGEST_TEXT].split())
    asked = words or f"{question.text}\n\n{question.context}".strip()
    whole_of_it = words or f"{asked}\n\n{since[:_SINCE]}".strip()
    found = proposed.already(fund, whole_of_it, most_answers=ANSWERS, most_passages=0 if words else PASSAGES)
    shown = [one for one in found.passages if one.kind != TYPES[ANSWER]]
    near = tuple(_placed(fund, shown))
    passages = near or tuple(_sought(fund, words or question.text))
    if not (passages or words) and since:
        passages = tuple(_sought(fund, since[:_SINCE]))
    ids = [Place.from_code(one.code).record for one in passages if one.code]
    records = fund.store.get_many(ids)
    named = mentions.concepts(f"{asked}\n{question.text}", fund.thesaurus)
    return Panel(
        words=words,
        far=not (near or words) and bool(passages),
        past_first=_best(found.answers) >= _best(shown),
        past=tuple(map(_past, found.answers)),
        passages=passages,
        concepts=tuple(map(_meant, named)),
        people=tuple(_known(fund, tuple(records.values()), question, named)),
        all_url=SearchState(q=" ".join(asked[:LONGEST_TEXT].split())).url(),
    )


def _best(found: Sequence[Shown]) -> float:
    return found[0].score if found else 0.0


def _past(one: Shown) -> Past:
    return Past(code=one.id, title=one.title, url=one.url, year=one.year, pieces=one.pieces)


# -- passages


def _placed(fund: Fund, found: Iterable[Shown]) -> Iterator[Passage]:
    """The passages proposed for the question, each with its place."""
    listed = [one for one in found if one.page]
    texts = fund.store.page_texts((one.id, one.page or 1) for one in listed)
    held = fund.store.get_many([one.id for one in listed])
    for one in listed:
        number = one.page or 1
        yield _passage(
            held[one.id], number, one.pieces, place(one.id, number, texts[one.id, number], one.text)
        )


def _sought(fund: Fund, words: str) -> Iterator[Passage]:
    """The best stretches of the pages that the search box finds for these words; published answers have a
    place of their own, so twice as many are asked for as are shown."""
    found = finder.find(
        words, engine=fund.engine, thesaurus=fund.thesaurus, limit=2 * PASSAGES, pages=_PAGES
    ).results
    records = fund.store.get_many([hit.id for hit in found.hits])
    held = {id: record for id, record in records.items() if record.type != ANSWER}
    numbers = [(hit.id, page) for hit in found.hits if hit.id in held for page in hit.pages]
    texts = fund.store.page_texts(numbers)
    asked = windows.Asked(gist(words, engine=fund.engine, thesaurus=fund.thesaurus))
    for id, page in [at for at in numbers if texts.get(at, "").strip()][:PASSAGES]:
        text = texts[id, page]
        window = windows.best(text, asked)
        at = Place(id, page, *whole(text, window.start, window.end))
        yield _passage(held[id], page, window.pieces, at)


def _passage(record: Record, page: int, pieces: tuple[Piece, ...], at: Place | None) -> Passage:
    said = (notices.authors(record, 2), str(record.year or ""))
    return Passage(
        code=at.code if at else "",
        title=record.title,
        detail=", ".join(filter(None, said)),
        page=page,
        url=notices.page_url(record.id, page),
        pieces=pieces,
        thumb=notices.image_url(record, page, 104),
        access="" if record.access == "public" else ACCESS[record.access],
    )


# -- what and who


def _meant(concept: Concept) -> Meant:
    facet = notices.facet_of(concept.scheme)
    state = SearchState().toggled(facet, concept.code) if facet else SearchState(q=concept.label)
    shorts = [label for label in concept.labels[1:] if label.isupper() and label != concept.label]
    return Meant(
        label=concept.label,
        note=concept.note or "",
        acronyms=tuple(dict.fromkeys(shorts))[:3],
        years=_years(concept),
        url=state.url(),
    )


def _years(concept: Concept) -> str:
    start, end = (said[:4] if said else "" for said in (concept.start, concept.end))
    if end:
        return f"{start}–{end}" if start else f"jusqu’en {end}"
    return f"depuis {start}" if start else ""


def _known(
    fund: Fund, records: Sequence[Record], question: Question, named: Sequence[Concept]
) -> Iterator[Known]:
    """The bodies that the documents found are about, those that the thesaurus ties to what is asked, then
    the authors; the most often met first."""
    bodies = Counter(
        subject.concept
        for record in records
        for subject in record.live_subjects
        if subject.concept in fund.thesaurus and fund.thesaurus.get(subject.concept).scheme == "organismes"
    )
    asked = {concept.uri for concept in named} | set(_themes(fund, question))
    tied = {
        concept.uri: concept
        for concept in fund.thesaurus.concepts("organismes")
        if asked & {concept.uri, *concept.related}
    }
    shown: dict[str, Known] = {}
    for uri, concept in tied.items():
        shown[uri] = _body(concept, "lié à ce qui est demandé")
    for uri, count in bodies.most_common(PEOPLE // 2):
        why = f"cité dans {counted(count, 'document trouvé', 'documents trouvés')}"
        shown.setdefault(uri, _body(fund.thesaurus.get(uri), why))
    yield from [*list(shown.values())[: PEOPLE // 2], *_authors(fund, records)][:PEOPLE]


def _body(concept: Concept, why: str) -> Known:
    """A body; one that has ended says so."""
    meant = _meant(concept)
    return Known(concept.label, f"{why}, {meant.years}" if concept.end else why, meant.url)


def _themes(fund: Fund, question: Question) -> Iterator[str]:
    for code in question.themes:
        if concept := fund.labels.concept(code):
            yield from (concept.uri, *fund.thesaurus.ancestors(concept.uri))


def _authors(fund: Fund, records: Sequence[Record]) -> Iterator[Known]:
    """Who wrote the documents found; the centre itself is left out."""
    own = fold(fund.config.centre_name)
    names = Counter(
        agent.name
        for record in records
        for agent in record.agents
        if agent.role in ("author", "editor") and fold(agent.name) != own
    )
    for name, count in names.most_common(PEOPLE // 2):
        link = Link(notices.natural(name), SearchState(q=f'auteur:"{name}"').url())
        why = f"auteur de {counted(count, 'document trouvé', 'documents trouvés')}"
        yield Known(link.label, why, link.url)
