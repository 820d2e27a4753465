"""The controlled vocabulary: concepts, how they hang together, and where a word leads.

Hides the JSON form that the database keeps, how labels are folded to be looked up and, through
``kb.skos`` (loaded when Turtle is read or written), SKOS and rdflib. Everybody else sees ``Concept``
values and URIs.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from kb import french
from kb.errors import NotFound, ThesaurusError

FACET_SCHEMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "theme": ("themes",),
        "issue": ("issues",),
        "activity": ("activities",),
        "scheme": ("dispositifs", "organismes"),
        "territory": ("territories",),
    }
)
"""Facet of the search engines -> the schemes of the thesaurus whose concepts it counts."""

BASE = "https://carbet.example/thesaurus/"
_INVERSES = {
    "broader": "narrower",
    "narrower": "broader",
    "related": "related",
    "preceded_by": "followed_by",
    "followed_by": "preceded_by",
    "homonyms": "homonyms",
}
_SORTED = (
    *("alt", "hidden", "notations", "broader", "narrower", "related", "homonyms", "preceded_by"),
    *("followed_by", "cues", "postal", "exact_match", "close_match"),
)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """One notion and everything that is said of it; links are URIs.

    Tuples are kept sorted and without doubles, so that two readings of one file are equal. ``start``
    and ``end`` are ISO 8601, as precise as known. ``cues`` are words that stand near the concept's
    ambiguous labels when it is meant. ``trap``: a label is also an ordinary word or a first name.
    """

    uri: str
    scheme: str = ""
    label: str
    alt: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    notations: tuple[str, ...] = ()
    note: str | None = None
    broader: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    homonyms: tuple[str, ...] = ()
    preceded_by: tuple[str, ...] = ()
    followed_by: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    cues: tuple[str, ...] = ()
    trap: bool = False
    insee: str | None = None
    siren: str | None = None
    postal: tuple[str, ...] = ()
    exact_match: tuple[str, ...] = ()
    close_match: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _SORTED:
            values = getattr(self, name)
            if len(values) > 1:
                object.__setattr__(self, name, tuple(sorted(set(values))))

    @property
    def code(self) -> str:
        """Last part of the URI: "T03", "D-CUCS", "C-97209"."""
        return local_name(self.uri)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every form under which the concept may be written, the preferred one first."""
        return tuple(dict.fromkeys((self.label, *self.alt, *self.hidden, *self.notations)))


@dataclass(frozen=True, slots=True)
class Scheme:
    """A set of concepts: its short name ("themes"), its URI and its French title."""

    name: str
    uri: str
    label: str


class Thesaurus:
    """A frozen vocabulary; equal to another when concepts and schemes are."""

    __slots__ = ("_by_code", "_concepts", "_labels", "_schemes", "language")

    def __init__(
        self, concepts: Iterable[Concept], schemes: Iterable[Scheme] = (), *, language: str = "fr"
    ) -> None:
        """Raises ThesaurusError if two concepts have one URI or two schemes one name."""
        listed = sorted(concepts, key=lambda c: (c.scheme, c.uri))
        self._concepts = {concept.uri: concept for concept in listed}
        named = sorted(schemes, key=lambda s: s.name)
        self._schemes = {scheme.name: scheme for scheme in named}
        doubles = [f"{c.uri}: twice in the vocabulary" for c in listed if self._concepts[c.uri] is not c]
        doubles += [f"{s.name}: two schemes of that name" for s in named if self._schemes[s.name] is not s]
        if doubles:
            raise ThesaurusError(doubles)
        self._by_code = {concept.code: concept for concept in reversed(listed)}
        self._labels: dict[str, tuple[Concept, ...]] | None = None
        self.language = language

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Thesaurus):
            return NotImplemented
        mine, theirs = ((t._concepts, t._schemes, t.language) for t in (self, other))
        return mine == theirs

    def __hash__(self) -> int:
        return hash((tuple(self._concepts), tuple(self._schemes)))

    def __len__(self) -> int:
        return len(self._concepts)

    def __contains__(self, uri: object) -> bool:
        return uri in self._concepts

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._concepts.values())

    @property
    def schemes(self) -> Mapping[str, Scheme]:
        """Schemes by their short names."""
        return MappingProxyType(self._schemes)

    def concepts(self, scheme: str | None = None) -> tuple[Concept, ...]:
        """Concepts of one scheme, or all; in order of scheme, then URI."""
        return tuple(c for c in self if scheme is None or c.scheme == scheme)

    def facet(self, name: str) -> tuple[Concept, ...]:
        """Concepts that an engine's facet counts; raises NotFound for a facet without schemes."""
        if name not in FACET_SCHEMES:
            raise NotFound("facet", name)
        return tuple(c for scheme in FACET_SCHEMES[name] for c in self.concepts(scheme))

    def get(self, uri: str) -> Concept:
        """The concept of that URI; raises NotFound."""
        try:
            return self._concepts[uri]
        except KeyError:
            raise NotFound("concept", uri) from None

    def by_code(self, code: str) -> Concept:
        """The concept whose URI ends with that code; raises NotFound."""
        try:
            return self._by_code[code]
        except KeyError:
            raise NotFound("concept", code) from None

    def lookup(self, words: str) -> tuple[Concept, ...]:
        """Concepts that have ``words`` as a label of any kind, case and accents aside; homonyms all
        come, those that have it as preferred label first. Failing that, the same by terms, so that
        "contrats de ville" finds "contrat de ville"."""
        if self._labels is None:
            self._labels = self._label_index()
        return self._labels.get(_folded(words)) or self._labels.get(_stemmed(words), ())

    def _label_index(self) -> dict[str, tuple[Concept, ...]]:
        found: dict[str, dict[str, Concept]] = defaultdict(dict)
        for pick in (_preferred, _others):
            for concept in self:
                for label in pick(concept):
                    found[_folded(label)][concept.uri] = concept
                    found[_stemmed(label)][concept.uri] = concept
        return {key: tuple(concepts.values()) for key, concepts in found.items()}

    def top(self, scheme: str) -> tuple[Concept, ...]:
        """Concepts of a scheme that have none broader."""
        return tuple(c for c in self.concepts(scheme) if not c.broader)

    def children(self, uri: str) -> tuple[Concept, ...]:
        """Concepts just below, in order of label."""
        return self._known(self.get(uri).narrower)

    def ancestors(self, uri: str) -> tuple[str, ...]:
        """URIs of all broader concepts over every path, nearest first, each once."""
        return self._closure(uri, "broader")

    def descendants(self, uri: str) -> tuple[str, ...]:
        """URIs of all narrower concepts, nearest first, each once."""
        return self._closure(uri, "narrower")

    def with_ancestors(self, uris: Iterable[str]) -> tuple[str, ...]:
        """The URIs and all that are broader, each once; unknown ones are kept as they are."""
        everything: dict[str, None] = {}
        for uri in uris:
            everything[uri] = None
            everything.update(dict.fromkeys(self.ancestors(uri) if uri in self else ()))
        return tuple(everything)

    def codes(self, uris: Iterable[str]) -> tuple[str, ...]:
        """Codes of those URIs that are in the vocabulary."""
        return tuple(self._concepts[uri].code for uri in uris if uri in self._concepts)

    def succession(self, uri: str) -> tuple[Concept, ...]:
        """The concept among those that came before and after it, oldest first; itself alone if it
        has neither."""
        family, queue = {uri: self.get(uri)}, [uri]
        while queue:
            concept = family[queue.pop()]
            for near in (*concept.preceded_by, *concept.followed_by):
                if near in self and near not in family:
                    family[near] = self._concepts[near]
                    queue.append(near)
        # What came before a predecessor came before its successor too: counting them puts any
        # chain in order, forks included, and ends even if the links run in a ring.
        return tuple(
            sorted(
                family.values(),
                key=lambda c: (len(self._closure(c.uri, "preceded_by")), c.start or "", c.uri),
            )
        )

    def homonyms(self, uri: str) -> tuple[Concept, ...]:
        """Concepts that share a label with this one, as the vocabulary says."""
        return self._known(self.get(uri).homonyms)

    def _known(self, uris: Iterable[str]) -> tuple[Concept, ...]:
        found = (self._concepts[uri] for uri in uris if uri in self._concepts)
        return tuple(sorted(found, key=lambda c: french.fold(c.label)))

    def _closure(self, uri: str, link: str) -> tuple[str, ...]:
        seen: dict[str, None] = {}
        level = [uri]
        while level:
            near = [n for u in level if u in self for n in getattr(self._concepts[u], link)]
            level = [n for n in dict.fromkeys(near) if n not in seen and n != uri]
            seen.update(dict.fromkeys(level))
        return tuple(seen)

    def completed(self) -> Thesaurus:
        """The same with every link said from both sides (SKOS S23 to S26): for vocabularies of
        others, who often write one side only. Links to concepts that are not there are left out."""
        links: dict[str, dict[str, set[str]]] = {uri: defaultdict(set) for uri in self._concepts}
        for concept in self:
            for name, inverse in _INVERSES.items():
                for other in getattr(concept, name):
                    if other in self:
                        links[concept.uri][name].add(other)
                        links[other][inverse].add(concept.uri)
        concepts = []
        for concept in self:
            whole: dict[str, Any] = {name: tuple(links[concept.uri][name]) for name in _INVERSES}
            concepts.append(dataclasses.replace(concept, **whole))
        return Thesaurus(concepts, self._schemes.values(), language=self.language)

    def check(self) -> list[str]:
        """Faults, in English, one a line; empty when the vocabulary keeps the rules: a preferred
        label once in a scheme, codes once, links to concepts that are there and said from both
        sides, no loop, nothing both related and broader (SKOS S27), dates in order."""
        faults = [*self._label_faults(), *self._date_faults()]
        for concept in self:
            faults += self._link_faults(concept)
            if self._loops(concept.uri):
                faults.append(f"{concept.code}: is broader than itself")
        return faults

    def _label_faults(self) -> Iterator[str]:
        labels: dict[tuple[str, str], str] = {}
        codes: dict[str, str] = {}
        for concept in self:
            if concept.scheme and concept.scheme not in self._schemes:
                yield f"{concept.code}: unknown scheme {concept.scheme!r}"
            if not concept.label.strip():
                yield f"{concept.code}: empty prefLabel"
            # Accents count here: « diplôme » and « diplômé » are two labels.
            label = " ".join(concept.label.casefold().split())
            first = labels.setdefault((concept.scheme, label), concept.code)
            if first != concept.code:
                yield f"{concept.code}: prefLabel {concept.label!r} is also that of {first}"
            if codes.setdefault(concept.code, concept.uri) != concept.uri:
                yield f"{concept.code}: code of two concepts"

    def _date_faults(self) -> Iterator[str]:
        for concept in self:
            dates = [date for date in (concept.start, concept.end) if date is not None]
            for date in dates:
                if not _DATE.fullmatch(date):
                    yield f"{concept.code}: date {date!r} is not ISO 8601"
            if len(dates) == 2 and dates[0][: len(dates[1])] > dates[1]:
                yield f"{concept.code}: ends ({dates[1]}) before it starts ({dates[0]})"
            for before in self._known(concept.preceded_by):
                if before.start and concept.start and before.start > concept.start:
                    yield f"{concept.code}: starts before {before.code}, which it follows"

    def _link_faults(self, concept: Concept) -> Iterator[str]:
        above = set(self.ancestors(concept.uri))
        for name, inverse in _INVERSES.items():
            for uri in getattr(concept, name):
                other = self._concepts.get(uri)
                if other is None:
                    yield f"{concept.code}: {name} {uri} is not in the vocabulary"
                elif uri == concept.uri:
                    yield f"{concept.code}: {name} itself"
                elif concept.uri not in getattr(other, inverse):
                    yield f"{concept.code}: {name} {other.code}, which does not say so back"
                elif name == "related" and uri in above:
                    yield f"{concept.code}: both related to and narrower than {other.code}"

    def _loops(self, uri: str) -> bool:
        return any(uri in self._concepts[a].broader for a in self.ancestors(uri) if a in self)

    def to_json(self) -> str:
        """The JSON form that the database keeps; what is empty is left out."""
        return json.dumps(
            {
                "language": self.language,
                "schemes": [[s.name, s.uri, s.label] for s in self._schemes.values()],
                "concepts": [
                    {k: v for k, v in dataclasses.asdict(c).items() if v not in ((), None, False, "")}
                    | {"label": c.label}
                    for c in self
                ],
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of ``to_json``; some 5 ms for 500 concepts."""
        raw = json.loads(text)
        concepts: list[Concept] = []
        for fields in raw["concepts"]:
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
            concepts.append(Concept(**values))
        return cls(concepts, (Scheme(*s) for s in raw["schemes"]), language=raw["language"])

    @classmethod
    def from_file(cls, path: Path, *, language: str = "fr") -> Self:
        """The vocabulary of a Turtle file, gzip-compressed or not; errors as ``from_turtle``."""
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        return cls.from_turtle(raw.decode("utf-8-sig"), language=language)

    @classmethod
    def from_turtle(cls, text: str, *, language: str = "fr") -> Self:
        """The SKOS concepts of a Turtle text, with the labels in ``language`` or in none.

        Concepts that have labels in other languages only are left out. Raises ThesaurusError if
        the text is not Turtle, or if a concept has no or several preferred labels.
        """
        from kb import skos

        concepts, schemes = skos.parse(text, language)
        return cls(concepts, schemes, language=language)

    def to_turtle(self) -> str:
        """Turtle to read and to edit: one block a concept, sorted, so that versions compare well."""
        from kb import skos

        return skos.turtle(self)


def _preferred(concept: Concept) -> tuple[str, ...]:
    return (concept.label,)


def _others(concept: Concept) -> tuple[str, ...]:
    return concept.labels[1:]


def _folded(words: str) -> str:
    return " ".join(re.sub(r"[^\w']+", " ", french.fold(words)).split())


def _stemmed(words: str) -> str:
    return " ".join(t for t in french.terms(words) if t) or _folded(words)


def local_name(uri: str) -> str:
    """Last part of a URI."""
    return uri.rstrip("/#").rpartition("/")[2].rpartition("#")[2]
