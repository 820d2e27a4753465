"""A Cahier or a review cut into its articles: where each begins and ends, its title, its authors.

Hides which headings of an outline are articles, and how an author is told from a title in what a contents
page announces. Every proposal says where it was read and how sure it is: a librarian decides.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from rapidfuzz import fuzz

from ingest import bylines, contents
from ingest.contents import Entry
from ingest.drafts import Heading
from ingest.foliation import FOUND, NEARLY, Clue, Foliation, Place
from kb.french import fold
from kb.records import Agent, Page, Record

OUTLINE, CONTENTS = "outline", "contents"

_FEWEST = 2  # articles below which nothing is cut
_SURE, _LIKELY, _GUESS = 0.95, 0.75, 0.4  # the title is where it should be; nearly, or further down; nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article proposed. ``first`` and ``last`` count pages of the file, both in; ``label_pages`` is how
    they are printed ("11-27"). ``start``: the character of its first page where it begins; ``end``: that of
    its last page where the next one begins, None at the page's end. ``evidence`` and ``warnings`` are
    French; ``confidence`` 0 to 1."""

    title: str
    first: int
    last: int
    authors: tuple[Agent, ...] = ()
    label_pages: str = ""
    start: int = 0
    end: int | None = None
    evidence: str = ""
    confidence: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """The articles of a document in order. ``source``: "outline", "contents", or "" when none was found."""

    articles: tuple[Article, ...] = ()
    source: str = ""
    warnings: tuple[str, ...] = ()


def propose(title: str, pages: Sequence[Page], outline: Sequence[Heading]) -> Proposal:
    """The articles of a document of this title, from its outline or else from its contents page.

    Where both are good the outline says where articles begin, and the contents page who wrote them; where
    they do not cut alike the contents page, which is written for readers, is believed.
    """
    announced = _with_names_below(contents.entries(pages))
    foliation = Foliation(pages, [_clue(entry) for entry in announced])
    listed = _listed(announced, foliation)
    marked = _marked(title, outline, foliation)
    if _count(marked) >= _FEWEST and not _is_better(listed, marked):
        return _proposal([_signed(start, listed) for start in marked], OUTLINE, foliation)
    if _count(listed) >= _FEWEST:
        return _proposal(listed, CONTENTS, foliation)
    return Proposal(warnings=("Ni les signets ni un sommaire ne disent où commencent les articles.",))


def records_of(
    parent: Record,
    pages: Sequence[Page],
    chosen: Sequence[Article],
    new_id: Callable[[], str],
    *,
    type: str | None = None,
) -> list[tuple[Record, tuple[Page, ...]]]:
    """A record for each article chosen, with the text of its pages numbered from 1; the host keeps all of
    its own. Whoever may read the host may read them. ``type`` is by default an article of a Cahier if the
    host is one, else of a review."""
    kind = type or ("article-cahier" if parent.type == "cahier" else "article")
    inherited = {name: getattr(parent, name) for name in ("date", "language", "publisher", "place", "access")}
    return [
        (
            Record(
                id=new_id(),
                title=article.title,
                type=kind,
                agents=article.authors,
                host=parent.id,
                host_pages=article.label_pages or None,
                **inherited,
            ),
            _pages_of(article, pages),
        )
        for article in chosen
    ]


def _pages_of(article: Article, pages: Sequence[Page]) -> tuple[Page, ...]:
    """Its pages, without the end of the article before and the beginning of the one after."""
    found = []
    own = [page for page in pages if article.first <= page.number <= article.last]
    for number, page in enumerate(own, start=1):
        start = article.start if page.number == article.first else 0
        end = article.end if page.number == article.last else None
        text = page.text if (start, end) == (0, None) else page.text[start:end].strip()
        raw = page.raw if text == page.text else None
        label = page.label or str(page.number)
        found.append(dataclasses.replace(page, number=number, text=text, label=label, raw=raw))
    return tuple(found)


# -- where articles begin


@dataclass(frozen=True, slots=True)
class _Start:
    """Where something begins. What is ``skipped`` is no article, but ends the one before it."""

    title: str
    page: int
    place: Place
    authors: tuple[Agent, ...] = ()
    evidence: str = ""
    skipped: bool = False
    warnings: tuple[str, ...] = ()


_NO_ARTICLE = re.compile(
    r"(?:le )?sommaire\b.*|tables? des (?:matieres|illustrations|figures|annexes)|contents?|index\b.*"
    r"|(?:(?:premiere|quatrieme|1re|4e) (?:de )?)?couverture|page (?:blanche|vierge|de (?:titre|garde))"
    r"|mentions legales|ours|colophon|acheve d.imprimer.*|credits?\b.*|remerciements|publicites?|abonnements?"
    r"|bulletin d.abonnement|ont (?:contribue|participe) .*|(?:les )?(?:auteurs|contributeurs)"
    r"|bibliographie\b.*|resumes?(?: / abstracts?)?|abstracts?|liste des .{3,40}|sigles(?: et acronymes)?"
    r"|acronymes|glossaire|definitions|annexes?|suivi du document"
)
_RUBRIC = re.compile(
    r"(?:le )?(?:dossier|varia|rubriques?|reperes?|tribunes?|chroniques?|actualites?|articles?|debats?|theme"
    r"|entretiens?|portraits?|terrains?|analyses?|experiences?|initiatives?|(?:notes? de )?lectures?"
    r"|pratiques|comptes rendus|hors[ -](?:dossier|theme)|partie [ivx\d]+|ouvertures?|points? de vue|enjeux"
    r"|(?:premiere|deuxieme|seconde|troisieme|quatrieme) partie|controverses?|documents?)\b(?:\s*[:.–—-].*)?"
)
_SECTION = re.compile(r"\d+\.\d+|[a-z]\)|[a-z]\.\s")  # what is numbered below something is a part of it


def _is_no_article(title: str) -> bool:
    bare = re.sub(r"^(?:\d+|[ivx]+)[.)]?\s+", "", fold(title).strip(" .:"))
    return _NO_ARTICLE.fullmatch(bare) is not None


def _count(starts: Sequence[_Start]) -> int:
    return sum(not start.skipped for start in starts)


# -- the outline


def _marked(title: str, outline: Sequence[Heading], foliation: Foliation) -> list[_Start]:
    """The headings that are articles, each with what it is on its page."""
    inside = [heading for heading in outline if 1 <= heading.page <= foliation.last]
    found = []
    for heading in _articles_among(title, inside, foliation):
        place = foliation.find(heading.title, heading.page)
        skipped = _is_no_article(heading.title)
        authors = () if skipped else _signature(place)
        evidence = f"signet du fichier, page {heading.page}"
        found.append(_Start(heading.title, heading.page, place, authors, evidence, skipped))
    return found


def _articles_among(
    title: str, outline: Sequence[Heading], foliation: Foliation, level: int | None = None
) -> list[Heading]:
    """The headings of the highest level; for one that is the document's title or a rubric, those below."""
    level = level or min((heading.level for heading in outline), default=1)
    found: list[Heading] = []
    for heading, below in _branches(outline, level):
        only = len(outline) == 1 + len(below) and bool(below)
        named = fuzz.ratio(fold(heading.title), fold(title)) >= FOUND
        if below and (only or named or _is_rubric(heading, below, foliation)):
            found += _articles_among(title, below, foliation)
        else:
            found.append(heading)
    return found


def _branches(outline: Sequence[Heading], level: int) -> Iterator[tuple[Heading, list[Heading]]]:
    """Each heading of a level with those below it, down to the next one."""
    places = [i for i, heading in enumerate(outline) if heading.level <= level]
    for place, following in pairwise([*places, len(outline)]):
        yield outline[place], list(outline[place + 1 : following])


def _is_rubric(heading: Heading, below: Sequence[Heading], foliation: Foliation) -> bool:
    """Whether a heading holds articles: each of the next level begins a page, as the sections of an article
    seldom do, and the heading has the name of a rubric or most of them are signed."""
    level = min(h.level for h in below)
    children = [h for h in below if h.level == level]
    if len({h.page for h in children}) < len(children) or any(_SECTION.match(h.title) for h in children):
        return False
    starts = [foliation.find(h.title, h.page) for h in children]
    signed = sum(bool(_signature(place)) for place in starts)
    named = _RUBRIC.fullmatch(fold(heading.title).strip()) is not None
    return all(p.score >= NEARLY and p.top for p in starts) and (named or signed > len(children) / 2)


# -- the contents page


def _listed(announced: Sequence[Entry], foliation: Foliation) -> list[_Start]:
    """What the contents page announces, found on its page, in its order."""
    return [_start(entry, foliation) for entry in announced]


def _with_names_below(announced: Sequence[Entry]) -> list[Entry]:
    """Entries with the names that stand below their number, which were read as the beginning of the next.
    Where the first entry begins with names, they stand above the titles and all is well."""
    found = list(announced)
    if not found or bylines.names(found[0].lines[0]):
        return found
    for place, entry in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        lines = entry.below or (following.lines if following else ())
        signed = tuple(takewhile(bylines.names, lines))
        if not signed or bylines.names(entry.lines[-1]):
            continue
        found[place] = dataclasses.replace(entry, lines=entry.lines + signed, below=())
        if following is not None and not entry.below:
            found[place + 1] = dataclasses.replace(following, lines=following.lines[len(signed) :])
    return [entry for entry in found if entry.lines]


_MOST_TITLES = 4  # ways to read one entry that are looked for on all pages


def _clue(entry: Entry) -> Clue:
    signed = [title for title, authors, dropped in bylines.splits(entry.lines) if authors and not dropped]
    return Clue(entry.printed, entry.page, (entry.text, *sorted(signed, key=len)[-_MOST_TITLES:]))


def _start(entry: Entry, foliation: Foliation) -> _Start:
    page = foliation.file_page(entry.printed)
    title, authors, place = _best_split(entry, page, foliation)
    warnings: tuple[str, ...] = ()
    for near in (page + 1, page - 1, page + 2, page - 2, page + 3, page - 3):
        if place.score >= NEARLY:
            break
        if near == entry.page:
            continue
        other = _best_split(entry, near, foliation)
        if other[2].score >= FOUND:
            title, authors, place = other
            warnings = (f"annoncé page {entry.printed}, trouvé page {foliation.label(near)}",)
            page = near
    skipped = _is_no_article(title)
    evidence = f"sommaire, page {entry.page}\u00a0: «\u00a0{_shortened(entry.text)}\u00a0»"
    return _Start(title, page, place, authors or _signature(place), evidence, skipped, warnings)


_Split = tuple[str, tuple[Agent, ...], Place]

_SIGNED = 6.0  # of 100: what names are worth, against a letter or two of the title that differ
_BROKEN = 8.0  # taken off when the title's line goes on with them on the page: they are words of the title
_DROPPED = 5.0  # taken off for each line above the title that is left out: a rubric
_SMALL_TEXT = "a au aux avec d dans de des du en et entre l la le les ou par pour sur un une"
_SMALL_WORDS = frozenset(_SMALL_TEXT.split())


def _best_split(entry: Entry, page: int, foliation: Foliation) -> _Split:
    """Title and authors of an entry, by what stands on the page; where that does not say, by the names."""
    best: _Split = (entry.text, (), Place(0.0))
    most = -1e9
    for title, authors, dropped in bylines.splits(entry.lines):
        place = foliation.find(title, page)
        seen = place.score >= NEARLY
        value = (place.score if seen else NEARLY - 2 * _SIGNED) - _DROPPED * dropped
        if authors:
            value += _SIGNED if place.whole or not seen else -_BROKEN
        if not seen and fold(title).split()[-1] in _SMALL_WORDS:
            value -= _BROKEN
        value += len(title) / 1000 * (1 if seen else -1)
        if value > most:
            best, most = (title, authors, place), value
    return best


def _signature(place: Place) -> tuple[Agent, ...]:
    """The authors below a title that was found."""
    return bylines.below(place.following) if place.score >= NEARLY else ()


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:119].rstrip() + "…"


# -- both together


_SAME = 85.0  # of 100: titles of an outline and of a contents page differ by a subtitle at most


def _signed(start: _Start, listed: Sequence[_Start]) -> _Start:
    """A heading with what the contents page says of it."""
    if start.skipped or _count(listed) < _FEWEST:
        return start
    same = max(listed, key=lambda other: fuzz.ratio(fold(start.title), fold(other.title)))
    if fuzz.ratio(fold(start.title), fold(same.title)) < _SAME:
        return dataclasses.replace(start, warnings=(*start.warnings, "n’est pas au sommaire"))
    evidence = f"{start.evidence}, et {same.evidence}"
    return dataclasses.replace(start, authors=same.authors or start.authors, evidence=evidence)


def _is_better(listed: Sequence[_Start], marked: Sequence[_Start]) -> bool:
    """Whether the contents page cuts otherwise than the outline, and what it announces is there."""
    here, there = _count(listed), _count(marked)
    seen = sum(start.place.score >= FOUND for start in listed if not start.skipped)
    unseen = sum(start.place.score < NEARLY for start in marked if not start.skipped)
    unlike = there > 2 * here or here > 2 * there or unseen > there / 2
    return here >= _FEWEST and seen >= 0.8 * here and unlike


def _proposal(starts: Sequence[_Start], source: str, foliation: Foliation) -> Proposal:
    within = (start for start in starts if 1 <= start.page <= foliation.last)
    inside = sorted(within, key=lambda start: start.page)  # on one page in the order in which they are told
    warnings = [
        f"«\u00a0{start.title}\u00a0» est annoncé à une page que le fichier n’a pas."
        for start in starts
        if start not in inside
    ]
    if source == CONTENTS and not foliation.known:
        warnings.append("Les numéros imprimés n’ont pas été trouvés\u00a0: ceux du fichier sont supposés.")
    ends: list[_Start | None] = [*inside[1:], None]
    articles = tuple(
        _article(start, following, foliation)
        for start, following in zip(inside, ends, strict=True)
        if not start.skipped
    )
    return Proposal(articles, source, (*warnings, *_gaps(articles, foliation)))


def _article(start: _Start, following: _Start | None, foliation: Foliation) -> Article:
    last, end = _end(start, following, foliation)
    first_label, last_label = foliation.label(start.page), foliation.label(last)
    confidence, warnings = _confidence(start.place), list(start.warnings)
    if confidence == _GUESS:
        warnings.append(f"titre introuvable page {first_label}")
    if following is not None and following.page == start.page and end is None:
        warnings.append("commence sur la même page que le suivant")
    return Article(
        title=start.title,
        first=start.page,
        last=last,
        authors=start.authors,
        label_pages=first_label if last == start.page else f"{first_label}-{last_label}",
        start=start.place.at if start.place.score >= NEARLY and not start.place.top else 0,
        end=end,
        evidence=start.evidence,
        confidence=confidence,
        warnings=tuple(warnings),
    )


def _end(start: _Start, following: _Start | None, foliation: Foliation) -> tuple[int, int | None]:
    """Last page of what begins at ``start``, and where in it the next one begins, if it does."""
    if following is None:
        return foliation.last, None
    after = following.page > start.page or following.place.at > start.place.at
    if following.place.score < NEARLY or following.place.top or not after:
        return max(start.page, following.page - 1), None
    return following.page, following.place.at


def _confidence(place: Place) -> float:
    if place.score < NEARLY:
        return _GUESS
    return _SURE if place.score >= FOUND and place.top else _LIKELY


def _gaps(articles: Sequence[Article], foliation: Foliation) -> list[str]:
    """Pages that no article has, as sentences."""
    taken = {page for article in articles for page in range(article.first, article.last + 1)}
    free = [page for page in foliation.pages if page not in taken]
    runs: list[list[int]] = []
    for page in free:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return [
        f"La page {run[0]} du fichier n’est d’aucun article."
        if len(run) == 1
        else f"Les pages {run[0]} à {run[-1]} du fichier ne sont d’aucun article."
        for run in runs
    ]
