"""What is compared of a notice, read once: the wording of its title, who made it, its numbers.

Hides where catalogues put one thing in many places: who is responsible in the title after « / », the title in
another language after « = », the number of an issue in the title or beside it, names in any order and form.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from ingest.title_words import Wording, body_words, plain_word, read_title
from kb.formats import regular_doi
from kb.french import fold, pieces
from kb.records import Agent, Record, regular_isbn, regular_issn

Name = tuple[str, ...]
"""Folded pieces of a person's name, the family name first and initials last; words of a body's name."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is compared of a record. ``told``: words and numbers of all fields but the title; ``pages``: the
    number of the last page, 0 if unknown; ``span``: the pages in the host; ``qualifier``: words in brackets
    at the end of the title; ``numbers``: (kind, number) of what is the work's own: isbn, doi, issn, file."""

    type: str
    title: Wording
    parallel: Wording | None
    persons: tuple[Name, ...]
    bodies: tuple[Name, ...]
    publisher: Name
    year: int | None
    date: str
    language: str
    pages: int
    span: str
    issue: frozenset[str]
    series: tuple[str, ...]
    qualifier: tuple[str, ...]
    told: frozenset[str]
    numbers: tuple[tuple[str, str], ...]


ISSUES = frozenset(("numero", "lettre", "cahier", "periodique"))
"""Types of what comes out under the number of a review."""


def read_notice(record: Record) -> Notice:
    """What is compared of a record; read once while the same is asked again and again."""
    return _noted(
        *(record.type, record.title, record.subtitle, record.agents, record.date or "", record.language),
        *(record.publisher, record.place, record.series, record.issue, record.extent, record.host_pages),
        tuple(record.identifiers.items()),
        tuple(file.sha256 for file in record.files),
    )


@functools.lru_cache(maxsize=4_096)
def _noted(
    type: str,
    title: str,
    subtitle: str | None,
    agents: tuple[Agent, ...],
    date: str,
    language: str,
    publisher: str | None,
    place: str | None,
    series: str | None,
    issue: str | None,
    extent: str | None,
    host_pages: str | None,
    identifiers: tuple[tuple[str, str], ...],
    files: tuple[str, ...],
) -> Notice:
    proper, responsible = _without_responsible(title, agents)
    proper, _, other = proper.partition(" = ")
    under, more = _without_responsible(subtitle or "", agents)
    signed = agents or tuple(_signatures(f"{responsible} ; {more}") if responsible or more else ())
    issues = read_title(f"numéro {issue}").figures if issue else frozenset()
    told = _plain_words(publisher, place, series, responsible, more, *(agent.name for agent in agents))
    return Notice(
        type=type,
        title=read_title(proper, under or None),
        parallel=read_title(other) if other else None,
        persons=tuple(filter(None, (_name(a.name) for a in signed if _is_maker(a, "person")))),
        bodies=tuple(filter(None, (_body(a.name) for a in signed if _is_maker(a, "body")))),
        publisher=_body(publisher or next((a.name for a in agents if a.role == "publisher"), "")),
        year=int(date[:4]) if date[:4].isdigit() else None,
        date=date,
        language=language[:2],
        pages=_pages(extent or ""),
        span=" ".join(_DIGITS.findall(host_pages or "")),
        issue=issues,
        series=read_title(series).words if series else (),
        qualifier=_qualifier(title),
        told=told | issues | frozenset(part.lstrip("0") for part in date.split("-")),
        numbers=(*_identifiers(identifiers, type, issues), *(("file", sha) for sha in files)),
    )


_DIGITS = re.compile(r"\d+")
_PAGES = re.compile(r"(\d+)\s?(?:p\b|pages?\b|ff?\b)")
_BRACKETS = re.compile(r"\(([^()]{3,40})\)\s*$")


def _plain_words(*fields: str | None) -> frozenset[str]:
    said = " ".join(field for field in fields if field)
    return frozenset(map(plain_word, pieces(said)))


def _pages(extent: str) -> int:
    said = _PAGES.findall(extent.lower()) or ([extent] if extent.strip().isdigit() else [])
    return max(map(int, said), default=0)


def _qualifier(title: str) -> tuple[str, ...]:
    """« (Paris) » after the title of a review, which tells it from another of that title (ISSN manual)."""
    match = _BRACKETS.search(title) if title.endswith(")") else None
    return read_title(match[1]).words if match else ()


def _identifiers(
    identifiers: Sequence[tuple[str, str]], type: str, issue: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Regular numbers of the work itself. The ISSN of a review says nothing of which article this is."""
    for kind, value in identifiers:
        if kind == "isbn" and (isbn := regular_isbn(value)):
            yield "isbn", isbn
        elif kind == "doi" and (doi := regular_doi(value)):
            yield "doi", doi.lower()
        elif kind == "issn" and type in ISSUES and (issn := regular_issn(value)):
            if issue and type != "periodique":
                yield "issn", f"{issn} {' '.join(sorted(issue))}"
            elif type in ("periodique", "lettre"):
                yield "issn", issn


# -- who made it

_RESPONSIBLE = re.compile(
    r"(?:par|sous la|dir|coord|ed|textes? de|avec la|prep|realise|redige|etabli|auteurs?|propos)\b"
)
_NAMED = re.compile(r"\W*\w+(?:\W+\w+){0,3}\W*(?:[,;]|\bet\b|\Z)")
_SIGNED = re.compile(r"\s*(?:[,;&/]|\bet\b|\[.*?\])\s*")
_DOES = re.compile(
    r"(?:(?:sous la |\[?)?(?:direction|dir\.?|coordination|coord\.?|par|textes?|redige|realise|prepare|ed\.?)"
    r"\W*(?:de |d'|par )?)+"
)
_NOBODY = re.compile(
    r"^collectif$|\b(?:s\.?\s?n\b\.?|anonyme|divers\b|et al\b|auteurs? inconnus?|inconnu\b|non renseigne)"
)
_PARTICLES = frozenset("de du des la le les von van der den et".split())  # noqa: SIM905


def _without_responsible(title: str, agents: Sequence[Agent]) -> tuple[str, str]:
    """A title and what stands after « / », which tells who is responsible (ISBD, area 1). « Nord / Sud » is a
    title."""
    head, slash, tail = title.partition(" / ")
    if not slash:
        return title, ""
    said = fold(tail).strip(" [(")
    named = len(pieces(head)) > 1 and _NAMED.match(said)
    known = {piece for agent in agents for piece in pieces(agent.name)}
    if named or _RESPONSIBLE.match(said) or (known and known.issuperset(pieces(tail))):
        return head, tail
    return title, ""


def _signatures(responsible: str) -> Iterator[Agent]:
    """Persons in a statement of responsibility: two to four words each, with capitals."""
    for said in _SIGNED.split(responsible):
        does = _DOES.match(fold(said))
        name = said[does.end() :] if does else said
        if 1 < len(name.split()) <= 4 and name[0].isupper():
            yield Agent(name)


def _is_maker(agent: Agent, kind: str) -> bool:
    """Whether an agent counts among the authors: who wrote the preface is named here and not there."""
    return agent.role in ("author", "editor") and kind == ("body" if _is_body(agent) else "person")


def _is_body(agent: Agent) -> bool:
    """Whether an agent is a body, which some catalogues name like a person: without a comma, by many words or
    such as no person has, or by an acronym."""
    if agent.kind == "body" or "," in agent.name:
        return agent.kind == "body"
    words = pieces(agent.name)
    return len(words) > 4 or not _BODIES.isdisjoint(words) or (len(words) == 1 and agent.name.isupper())


_BODIES = frozenset(
    """agence association atelier bureau caisse centre collectivite comite commissariat commune conseil
    delegation departement direction ecole federation fondation institut laboratoire mairie ministere mission
    observatoire office prefecture regie region reseau secretariat service societe syndicat union universite
    ville""".split()  # noqa: SIM905
)
"""First words of the names of bodies."""


def _body(name: str) -> Name:
    return () if not name or _NOBODY.search(fold(name)) else body_words(name)


@functools.lru_cache(maxsize=8_192)
def _name(name: str) -> Name:
    """() for nobody. « JP » is two initials where the rest of the name is not in capitals."""
    if _NOBODY.search(fold(name)):
        return ()
    name = re.sub(r"\([^)]*\)|\b\d{4}\b.*", "", name)
    found = [piece for piece in pieces(name) if piece not in _PARTICLES]
    both = set() if name.isupper() else {fold(two) for two in re.findall(r"\b[A-ZÀ-Ý]{2}\b", name)}
    split = [letter for piece in found for letter in (tuple(piece) if piece in both else (piece,))]
    family = _family(name, found)
    return tuple(sorted(split, key=lambda piece: (len(piece) < 2, piece != family)))


def _family(name: str, found: Sequence[str]) -> str:
    """What seems to be the family name: before the comma, in capitals, or last."""
    if "," in name or name.isupper():
        return found[0] if found else ""
    shouted = re.search(r"\b[A-ZÀ-Ý]{3,}\b", name)
    return fold(shouted[0]) if shouted else next((p for p in reversed(found) if len(p) > 1), "")


@functools.lru_cache(maxsize=65_536)
def same_person(one: Name, other: Name) -> bool:
    """Whether two names are of one person, in any order, given names in full, by initials or not told."""
    left, right = list(one), list(other)
    common = 0
    for piece in one:
        twin = next((p for p in right if p == piece or _is_slip(p, piece)), None)
        if twin is not None and len(piece) > 1:
            left.remove(piece)
            right.remove(twin)
            common += len(piece) > 2
    if not common or not left or not right:
        return bool(common)
    return any(p[0] == q[0] and (len(p) == 1 or len(q) == 1 or p[:3] == q[:3]) for p in left for q in right)


def _is_slip(piece: str, other: str) -> bool:
    return min(len(piece), len(other)) > 4 and OSA.distance(piece, other, score_cutoff=1) <= 1
