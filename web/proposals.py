"""What the machine found for a record, as a librarian is asked about it: what is doubtful, where each field
was read, and each theme with its words and pages.

Hides which findings are doubtful and how sureness is said in words. Nothing here changes a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ingest import holdings
from ingest.frontmatter import FILE_NAME, FIRST_PAGE, HEADING, METADATA
from kb.french import fold
from kb.records import Evidence, Origin, Page, Quality, Record, State, Subject
from kb.thesaurus import Concept, Thesaurus, local_name
from search.snippets import Piece
from web import notices
from web.record_page import around
from web.typography import NBSP, spaced

UNKNOWN_TYPE, UNKNOWN_LANGUAGE = "document", "und"
PERSON = "person"
"""Where a field was read when a librarian wrote it."""

_SHOWN = 2  # reasons in sight; the others unfold
_VERY, _QUITE = (
    0.8,
    0.6,
)  # scores from which a theme is called very, quite probable: thirds of what is proposed

DOUBTS: Mapping[str, str] = MappingProxyType(
    {
        "titre": "titre",
        "auteurs": "auteurs",
        "date": "date",
        "type": "type",
        "langue": "langue",
        "lecture": "lecture",
        "themes": "thèmes",
    }
)
"""What can be doubtful -> its French word."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a librarian should look at first, and why. ``code`` is one of ``DOUBTS``."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Words that made a theme, in their context; page 0 is the notice itself, which has no ``url``."""

    page: int
    url: str | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A theme on a record: who says so and how surely, what was decided, and on what words."""

    concept: str
    label: str
    standing: str
    state: str
    reasons: tuple[Reason, ...]
    more: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The themes of one kind."""

    label: str
    proposals: tuple[Proposal, ...]


# -- doubts


def doubts(record: Record, found: Mapping[str, str], first: Page | None) -> tuple[Doubt, ...]:
    """What is doubtful in a record, by where its fields were read and by its ``first`` page."""
    return tuple(Doubt(code, spaced(text)) for code, text in _doubts(record, found, first) if text)


def _doubts(record: Record, found: Mapping[str, str], first: Page | None) -> Iterator[tuple[str, str]]:
    read = found if holdings.came_from_file(record) else {}  # a catalogue's own words are nobody's guess
    yield "titre", _doubtful_title(read.get("title", ""), first)
    if not any(agent.role != "publisher" for agent in record.agents):
        yield "auteurs", "" if found.get("agents") == PERSON else "aucun auteur trouvé"
    if record.date is None:
        yield "date", "" if found.get("date") == PERSON else "aucune date trouvée"
    else:
        yield "date", _DOUBTFUL_DATES.get(read.get("date", ""), "")
    if record.type == UNKNOWN_TYPE:
        yield "type", "" if found.get("type") == PERSON else "type non reconnu"
    if record.language == UNKNOWN_LANGUAGE:
        yield "langue", "langue incertaine"
    yield "lecture", _UNREAD.get(first.quality, "") if first else ""
    yield "themes", "" if record.live_subjects else "aucun thème proposé"


def _doubtful_title(where: str, first: Page | None) -> str:
    if where == FILE_NAME:
        return "titre tiré du nom du fichier"
    recognised = first is not None and first.recognised is not None
    return "titre lu sur une image" if where == FIRST_PAGE and recognised else ""


_DOUBTFUL_DATES = {METADATA: "date : celle du fichier", FILE_NAME: "date tirée du nom du fichier"}
_UNREAD = {
    Quality.GARBLED: "page 1 peu lisible",
    Quality.SPLIT: "page 1 peu lisible : mots coupés",
    Quality.SCAN: "page 1 : image dont le texte n’est pas encore lu",
    Quality.EMPTY: "page 1 sans texte",
}
_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        METADATA: "d’après les propriétés du fichier",
        FIRST_PAGE: "d’après la première page",
        HEADING: "d’après les intertitres",
        FILE_NAME: "d’après le nom du fichier",
        PERSON: "correction à la main",
    }
)
_UNTOLD: Mapping[str, str] = MappingProxyType(
    {
        "title": "d’après le document",
        "agents": "d’après le document",
        "date": "d’après le document",
        "type": "d’après le titre et la première page",
        "language": "d’après le texte",
    }
)


def source(record: Record, found: Mapping[str, str], field: str) -> str:
    """Where a field was read, in words."""
    if found.get(field) == PERSON:
        return _SOURCES[PERSON]
    if _is_missing(record, field):
        return "rien trouvé"
    if not holdings.came_from_file(record):
        return "d’après le catalogue"
    where = found.get(field)
    return _UNTOLD[field] if where is None else _SOURCES.get(where, where)


def _is_missing(record: Record, field: str) -> bool:
    match field:
        case "type":
            return record.type == UNKNOWN_TYPE
        case "language":
            return record.language == UNKNOWN_LANGUAGE
        case _:
            return not getattr(record, field)


def waiting(record: Record) -> int:
    """How many themes nobody has decided on."""
    return sum(subject.state is State.PROPOSED for subject in record.subjects)


# -- themes


def groups(
    record: Record, thesaurus: Thesaurus, texts: Mapping[int, str], states: Mapping[str, State]
) -> tuple[Group, ...]:
    """The themes of a record by kind, the surest first; ``texts`` by page number, ``states`` by URI where
    something else was chosen than what the record says."""
    told = {0: holdings.text_of(record).front, **texts}
    by_kind: dict[str, list[Proposal]] = {}
    ordered = sorted(record.subjects, key=lambda subject: -subject.score)
    for subject in ordered:
        kind = kind_of(subject.concept, thesaurus)
        chosen = states.get(subject.concept, subject.state)
        by_kind.setdefault(kind, []).append(_proposal(record, subject, chosen, thesaurus, told))
    known = list(dict.fromkeys([*_KINDS.values(), *sorted(by_kind)]))
    return tuple(Group(kind, tuple(by_kind[kind])) for kind in known if kind in by_kind)


_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "theme": "Thèmes",
        "territory": "Lieux",
        "scheme": "Dispositifs et organismes",
        "activity": "Activités",
        "issue": "Enjeux",
    }
)
_GONE = "Hors du thésaurus"


def kind_of(uri: str, thesaurus: Thesaurus) -> str:
    """The kind of a concept in words: its facet, else the title of its scheme."""
    if uri not in thesaurus:
        return _GONE
    scheme = thesaurus.get(uri).scheme
    if facet := notices.facet_of(scheme):
        return _KINDS[facet]
    return thesaurus.schemes[scheme].label if scheme in thesaurus.schemes else "Autres"


def label_of(uri: str, thesaurus: Thesaurus) -> str:
    """The words of a concept; the last part of its URI when the vocabulary has it no more."""
    return thesaurus.get(uri).label if uri in thesaurus else local_name(uri)


def pages_quoted(record: Record) -> set[int]:
    """Numbers of the pages whose text ``groups`` needs."""
    return {evidence.page for subject in record.subjects for evidence in subject.evidence if evidence.page}


def _proposal(
    record: Record, subject: Subject, chosen: State, thesaurus: Thesaurus, texts: Mapping[int, str]
) -> Proposal:
    reasons = tuple(_reason(record, evidence, texts) for evidence in subject.evidence)
    return Proposal(
        concept=subject.concept,
        label=label_of(subject.concept, thesaurus),
        standing=_standing(subject),
        state=str(chosen),
        reasons=reasons[:_SHOWN],
        more=reasons[_SHOWN:],
    )


def _standing(subject: Subject) -> str:
    """Who put a theme there, and how surely."""
    if subject.origin is Origin.LIBRARIAN:
        return "ajouté à la main"
    if subject.origin is Origin.SOURCE:
        return "d’après les mots-clés"
    sure = subject.score
    words = "très probable" if sure >= _VERY else "assez probable" if sure >= _QUITE else "à vérifier"
    return f"{words}, {round(100 * sure)}{NBSP}%"


def _reason(record: Record, evidence: Evidence, texts: Mapping[int, str]) -> Reason:
    url = notices.page_url(record.id, evidence.page, evidence.text) if evidence.page else None
    return Reason(evidence.page, url, around(evidence, texts.get(evidence.page, "")))


# -- finding a concept to add


@dataclass(frozen=True, slots=True)
class Term:
    """A concept to choose: what to type for it, and what tells it from others."""

    concept: str
    label: str
    detail: str


_MOST_TERMS = 12


def named(words: str, thesaurus: Thesaurus) -> tuple[Concept, ...]:
    """The concepts that have ``words`` as one of their labels, or that a ``Term`` tells so: one when that is
    clear, several to choose from, () for none."""
    found = tuple(filter(_is_subject, thesaurus.lookup(words)))
    if not found and (told := re.fullmatch(r"(.+) \((.+)\)", words.strip())):
        found = tuple(c for c in thesaurus.lookup(told[1]) if kind_of(c.uri, thesaurus) == told[2])
    exact = [concept for concept in found if fold(concept.label) == fold(words)]
    return (exact[0],) if len(exact) == 1 else found


def terms(words: str, thesaurus: Thesaurus) -> tuple[Term, ...]:
    """Concepts that have a label with a word that begins with ``words``, at most a dozen, those named so
    first."""
    folded = fold(words)
    return tuple(term(concept, thesaurus, folded) for concept in _completions(words, thesaurus))


def term(concept: Concept, thesaurus: Thesaurus, folded: str = "") -> Term:
    """A concept to choose; ``folded`` is what was typed, so that the label that has it is told."""
    kind = kind_of(concept.uri, thesaurus)
    shared = len([other for other in thesaurus.lookup(concept.label) if other.label == concept.label]) > 1
    label = f"{concept.label} ({kind})" if shared else concept.label
    other = next((said for said in concept.labels[1:] if folded and _begins(fold(said), folded)), "")
    also = f" : {other}" if other and not _begins(fold(concept.label), folded) else ""
    return Term(concept.uri, label, spaced(kind + also))


def _completions(words: str, thesaurus: Thesaurus) -> tuple[Concept, ...]:
    folded = fold(words).strip()
    if len(folded) < 2:
        return ()
    ranked = []
    for concept in filter(_is_subject, thesaurus):
        labels = [fold(label) for label in (concept.label, *concept.alt, *concept.notations)]
        places = [place for place, label in enumerate(labels) if _begins(label, folded)]
        if places:
            ranked.append((folded not in labels, places[0] > 0, labels[0], concept))
    return tuple(found[-1] for found in sorted(ranked, key=lambda found: found[:3])[:_MOST_TERMS])


def _begins(label: str, folded: str) -> bool:
    return label.startswith(folded) or f" {folded}" in label or f"'{folded}" in label


def _is_subject(concept: Concept) -> bool:
    """Whether records are tagged with it: types of documents have a field of their own."""
    return concept.scheme != "types"
