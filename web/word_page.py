"""The key words of other centres in a list, as a librarian is asked about them: what is proposed and why in
words, who writes them, where the list goes on.

Hides how a place in the list is said by its address, and what has to be looked up for a page of it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlencode

from rapidfuzz import fuzz
from werkzeug.datastructures import MultiDict

from kb.alignments import AT_ONCE, Alignment, Holding, Standing, Way
from kb.french import fold
from kb.records import Record
from kb.thesaurus import Concept, Thesaurus
from search.suggest import near_concepts
from web import notices, proposals
from web.fund import Fund
from web.notices import Link
from web.parts import Parts
from web.proposals import Term
from web.review_page import Undoable
from web.state import SearchState
from web.typography import NBSP, counted, number, spaced

PER_PAGE = 25
LABELS_AT_ONCE = 200
"""Words that one click accepts: some 2 s with the records that are reached at once."""

TABS: Mapping[Standing, tuple[str, str]] = MappingProxyType(
    {
        Standing.WAITING: ("", "À décider"),
        Standing.ACCEPTED: ("acceptes", "Acceptés"),
        Standing.REFUSED: ("refuses", "Refusés"),
    }
)
"""How a word stands -> its name in addresses, and on the tab."""

BRIDGES = "/thesaurus/correspondances.ttl"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which list; pages count from 1."""

    standing: Standing = Standing.WAITING
    page: int = 1

    @classmethod
    def from_args(cls, args: MultiDict[str, str]) -> Place:
        """The place that a query string says."""
        codes = {code: standing for standing, (code, _) in TABS.items()}
        page = args.get("page", "")
        return cls(
            codes.get(args.get("etat", ""), Standing.WAITING),
            int(page) if re.fullmatch(r"[1-9]\d{0,5}", page) else 1,
        )

    def url(self, path: str = "", word: int = 0) -> str:
        """Address of this place, of something under it, or of one word of it."""
        return f"/mots-cles{path}{self.query()}" + (f"#mot-{word}" if word else "")

    def query(self) -> str:
        """This place as a query string with its question mark; "" for the first page of what waits."""
        said = {"etat": TABS[self.standing][0], "page": self.page if self.page > 1 else 0}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"?{query}" if query else ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A term that was typed for a word and is not clear: why, and what may have been meant."""

    word: int
    typed: str
    fault: str
    candidates: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRow:
    """A word: who has it, what it may mean and why. ``seen`` goes back with the decision."""

    id: int
    word: str
    standing: str
    seen: str
    place: int
    records: Link
    example: Link | None
    centres: tuple[str, ...]
    term: Term | None
    why: str
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsPage:
    """A page of words that stand alike; ``query`` is its place. ``labels`` wait and are labels of the
    thesaurus, ``labels_at_once`` of them are accepted by one click; ``late`` tells which decisions still
    reach their records."""

    standing: str
    query: str
    tabs: tuple[Link, ...]
    rows: tuple[WordRow, ...]
    total: int
    known: int
    labels: int
    labels_at_once: int
    late: str
    number: int
    of: int
    previous_url: str | None
    next_url: str | None
    undo: Undoable | None
    bridges: str = field(default=BRIDGES)


def seen(line: Alignment) -> str:
    """By which a form knows whether somebody else has decided meanwhile."""
    return f"{line.standing} {line.meaning.concept or ''}"


def page(place: Place, parts: Parts, fund: Fund, undo: Undoable | None, trouble: Trouble | None) -> WordsPage:
    """The page at a place, the last one when the list ends before."""
    alignments, counts = parts.alignments, parts.alignments.counts()
    total, labels = counts.get(place.standing, 0), alignments.labels()
    pages = max(1, -(-total // PER_PAGE))
    place = dataclasses.replace(place, page=min(place.page, pages))
    return WordsPage(
        standing=place.standing,
        query=place.query(),
        tabs=_tabs(place, counts),
        rows=_rows(place, parts, fund, trouble),
        total=total,
        known=sum(counts.values()),
        labels=labels,
        labels_at_once=min(labels, LABELS_AT_ONCE),
        late=_late(parts),
        number=place.page,
        of=pages,
        previous_url=dataclasses.replace(place, page=place.page - 1).url() if place.page > 1 else None,
        next_url=dataclasses.replace(place, page=place.page + 1).url() if place.page < pages else None,
        undo=undo,
    )


def _tabs(place: Place, counts: Mapping[Standing, int]) -> tuple[Link, ...]:
    return tuple(
        Link(label, Place(standing).url(), counts.get(standing, 0), standing is place.standing)
        for standing, (_, label) in TABS.items()
    )


def _late(parts: Parts) -> str:
    """The decisions whose records take longer than a click, in words; "" for none."""
    late = parts.alignments.late()
    held = parts.alignments.holdings(late)
    names = [f"« {line.said} »" for line in late if held[line.word].records > AT_ONCE]
    if not names:
        return ""
    others = f" et {number(len(names) - 3)} autres mots" if len(names) > 3 else ""
    return spaced(
        f"Les notices qui portent {', '.join(names[:3])}{others} sont nombreuses : elles finissent d’être "
        "mises à jour dans l’heure, sans que vous ayez rien à faire."
    )


def _rows(place: Place, parts: Parts, fund: Fund, trouble: Trouble | None) -> tuple[WordRow, ...]:
    start = (place.page - 1) * PER_PAGE
    lines = parts.alignments.listed(place.standing, PER_PAGE, start)
    held = parts.alignments.holdings(lines)
    examples = fund.store.get_many([one.example for one in held.values()])
    return tuple(
        WordRow(
            id=line.id,
            word=line.said,
            standing=line.standing,
            seen=seen(line),
            place=at,
            records=_records(line, held.get(line.word)),
            example=_example(line, held, examples),
            centres=tuple(parts.labels.of("centre", code) for code in line.centres),
            term=_term(line, parts.thesaurus),
            why=spaced(why(line, parts.thesaurus)),
            trouble=trouble if trouble and trouble.word == line.id else None,
        )
        for at, line in enumerate(lines, start=start)
    )


def _records(line: Alignment, held: Holding | None) -> Link:
    words = re.sub(r'["«»“”„‟]', " ", line.said)
    number = held.records if held else 0
    return Link(counted(number, "notice"), SearchState(q=f'theme:"{" ".join(words.split())}"').url(), number)


def _example(line: Alignment, held: Mapping[str, Holding], records: Mapping[str, Record]) -> Link | None:
    one = held.get(line.word)
    record = records.get(one.example) if one else None
    return Link(record.title, notices.record_url(record.id)) if record else None


def _term(line: Alignment, thesaurus: Thesaurus) -> Term | None:
    concept = line.meaning.concept
    return proposals.term(thesaurus.get(concept), thesaurus) if concept and concept in thesaurus else None


def why(line: Alignment, thesaurus: Thesaurus) -> str:
    """How the meaning of a word was found, in words."""
    meaning, share = line.meaning, f"{round(100 * line.meaning.score)}{NBSP}%"
    if meaning.concept is None or meaning.concept not in thesaurus:
        return "Le terme proposé n’est plus dans le thésaurus." if meaning.concept else ""
    concept = thesaurus.get(meaning.concept)
    match meaning.way:
        case Way.LABEL:
            exact = fold(line.said).strip() in map(fold, concept.labels)
            return (
                "c’est un libellé du thésaurus"
                if exact
                else f"une forme du libellé {_nearest(line, concept)}"
            )
        case Way.NEAR:
            return f"écrit presque pareil que {_nearest(line, concept)} ({share})"
        case Way.TOGETHER:
            return f"va le plus souvent avec ce thème ({share} des notices)"
        case Way.CENTRE:
            return "un autre centre l’a rapproché ainsi"
        case Way.PERSON:
            return "choisi à la main"
        case _:
            return ""


def _nearest(line: Alignment, concept: Concept) -> str:
    """The label of a concept that is written most like a word."""
    said = fold(line.said)
    nearest = max(concept.labels, key=lambda label: fuzz.token_sort_ratio(fold(label), said))
    return f"« {nearest} »"


def meant(line: Alignment, typed: str, thesaurus: Thesaurus) -> str | Trouble:
    """The URI of the one term that was typed for a word; why not, when it is none or several."""
    words = " ".join(typed.split())
    if not words:
        return Trouble(line.id, "", "Écrivez un terme du thésaurus, puis choisissez « Rapprocher ».")
    found = proposals.named(words, thesaurus)
    if len(found) == 1:
        return found[0].uri
    likely = found or _likely(words, thesaurus)
    candidates = tuple(proposals.term(concept, thesaurus) for concept in likely)
    if not candidates:
        fault = f"« {words} » n’est pas dans le thésaurus : essayez un autre mot."
    elif found:
        fault = f"« {words} » a plusieurs sens dans le thésaurus : choisissez."
    else:
        fault = f"« {words} » n’est pas dans le thésaurus. Vouliez-vous dire :"
    return Trouble(line.id, words, spaced(fault), candidates)


def _likely(words: str, thesaurus: Thesaurus) -> Sequence[Concept]:
    begun = [thesaurus.get(term.concept) for term in proposals.terms(words, thesaurus)]
    near = [c for c in near_concepts(words, thesaurus) if c.scheme != "types"]
    return list(dict.fromkeys([*begun, *near]))[:6]
