"""Facet codes in words, and the trees in which some of them stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kb import records
from kb.errors import NotFound
from kb.thesaurus import FACET_SCHEMES, Concept, Thesaurus

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "fr": "français",
        "en": "anglais",
        "es": "espagnol",
        "pt": "portugais",
        "de": "allemand",
        "it": "italien",
        "nl": "néerlandais",
        "gcf": "créole antillais",
        "gcr": "créole guyanais",
        "ht": "créole haïtien",
    }
)
EVER, FOREVER = "1000", "9999"
"""The ends of a span of years that has only one, as addresses say it."""

SUPPORTS: Mapping[str, str] = MappingProxyType({"paper": "Papier", "electronic": "Électronique"})


@dataclass(frozen=True, slots=True)
class Node:
    """A code of a tree facet with those below it; ``count`` is its own number of records."""

    code: str
    count: int
    below: tuple[Node, ...] = ()


class Labels:
    """Words for codes, by one vocabulary and the names of the centres."""

    def __init__(self, thesaurus: Thesaurus, centres: Mapping[str, str] = MappingProxyType({})) -> None:
        self.thesaurus = thesaurus
        self.centres = centres

    def of(self, facet: str, code: str) -> str:
        """What a person reads for a code; the code itself when it is in no list."""
        match facet:
            case "type":
                return records.TYPES.get(code, code)
            case "support":
                return SUPPORTS.get(code, code)
            case "language":
                return LANGUAGES.get(code, code)
            case "year":
                return _years(code)
            case "centre":
                return self.centres.get(code, code)
            case _ if facet in FACET_SCHEMES:
                concept = self.concept(code)
                return concept.label if concept else code
            case _:
                return code

    def concept(self, code: str) -> Concept | None:
        """The concept of a code; None when the vocabulary has it no more."""
        try:
            return self.thesaurus.by_code(code)
        except NotFound:
            return None

    def tree(self, counts: Mapping[str, int]) -> tuple[Node, ...]:
        """The counted codes as trees, commonest first. Levels that cut nothing are skipped: a root alone, or
        one that holds no more than a code right below it (everything is in the Caribbean: nobody needs
        to be told)."""
        below: dict[str, list[str]] = {}
        roots = []
        for code in counts:
            if parent := self._parent(code, counts):
                below.setdefault(parent, []).append(code)
            else:
                roots.append(code)
        # A group whose members all stand elsewhere (an arrondissement beside the EPCI) would repeat them.
        empty = {code for code in counts if code not in below and self._gathers(code, counts)}
        roots = [root for root in roots if root not in empty]
        below = {
            code: [child for child in children if child not in empty] for code, children in below.items()
        }
        while idle := [r for r in roots if _idle(r, len(roots) == 1, counts, below)]:
            lower = [child for root in idle for child in below[root]]
            roots = [r for r in (*roots, *lower) if r not in idle]
        return self._nodes(roots, counts, below)

    def _parent(self, code: str, counts: Mapping[str, int]) -> str | None:
        """Where a code stands, once: of several broader concepts (a commune is in an arrondissement and in
        a communauté d'agglomération) the one that gathers most."""
        concept = self.concept(code)
        broader = [self.thesaurus.get(u) for u in concept.broader if u in self.thesaurus] if concept else []
        counted = [parent for parent in broader if parent.code in counts]
        widest = max(counted, key=lambda p: (counts[p.code], len(p.narrower), p.code), default=None)
        return widest.code if widest else None

    def _gathers(self, code: str, counts: Mapping[str, int]) -> bool:
        concept = self.concept(code)
        return concept is not None and any(c in counts for c in self.thesaurus.codes(concept.narrower))

    def _nodes(
        self, codes: Iterable[str], counts: Mapping[str, int], below: Mapping[str, list[str]]
    ) -> tuple[Node, ...]:
        nodes = (Node(c, counts[c], self._nodes(below.get(c, ()), counts, below)) for c in codes)
        return tuple(sorted(nodes, key=lambda n: (-n.count, n.code)))


def _idle(root: str, alone: bool, counts: Mapping[str, int], below: Mapping[str, list[str]]) -> bool:
    children = below.get(root, ())
    return bool(children) and (alone or any(counts[child] == counts[root] for child in children))


def _years(code: str) -> str:
    """A span of years; one that has no end, or no beginning, says so."""
    first, _, last = code.partition("-")
    if last == FOREVER:
        return f"depuis {first}"
    return f"jusqu’en {last}" if last and first == EVER else code.replace("-", "–")
