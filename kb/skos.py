"""Vocabularies as SKOS in Turtle: reading what others wrote, writing what people may edit.

Hides rdflib and the names of properties from ``kb.thesaurus`` and from who tells of what free key words are
a closeMatch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rdflib import RDF, Graph, Literal, URIRef
from rdflib.namespace import SKOS
from rdflib.term import Node

from kb import thesaurus
from kb.errors import ThesaurusError
from kb.thesaurus import Concept, Scheme, Thesaurus, local_name

_PREFIXES = {
    "": thesaurus.BASE,
    "s": thesaurus.BASE + "schemes/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "carbet": "https://carbet.example/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_SKOS, _CARBET = _PREFIXES["skos"], _PREFIXES["carbet"]
# Field of Concept -> its property in Turtle, in the order in which it is written.
_LABELS = {
    "alt": _SKOS + "altLabel",
    "hidden": _SKOS + "hiddenLabel",
    "cues": _CARBET + "cue",
}
_LINKS = {
    "broader": _SKOS + "broader",
    "narrower": _SKOS + "narrower",
    "related": _SKOS + "related",
    "homonyms": _CARBET + "homonymOf",
    "preceded_by": _CARBET + "precededBy",
    "followed_by": _CARBET + "followedBy",
    "exact_match": _SKOS + "exactMatch",
    "close_match": _SKOS + "closeMatch",
}
_PLAIN = {
    "notations": _SKOS + "notation",
    "postal": _CARBET + "postalCode",
}
_SINGLE = {name: _CARBET + name for name in ("start", "end", "insee", "siren")}


def parse(text: str, language: str) -> tuple[list[Concept], list[Scheme]]:
    """The concepts and schemes of a Turtle text, with labels in ``language`` or in none; errors and
    omissions as ``Thesaurus.from_turtle`` says."""
    reading = _Reading(text, language)
    concepts = [c for uri in reading.uris("Concept") if (c := reading.concept(uri)) is not None]
    if reading.faults:
        raise ThesaurusError(sorted(reading.faults))
    return concepts, reading.schemes


def turtle(vocabulary: Thesaurus) -> str:
    """The vocabulary as Turtle: one block a concept, sorted."""
    return _Writing(vocabulary).text()


def matches_turtle(
    scheme: str, title: str, words: Iterable[tuple[str, str, str]], *, language: str = "fr"
) -> str:
    """Free key words, which have no URI of their own, as Turtle: each (name, label, URI of a concept) is a
    concept of the scheme at the address ``scheme``, and a closeMatch of that one."""
    graph = Graph()
    graph.bind("skos", SKOS)
    place = URIRef(scheme)
    graph.add((place, RDF.type, SKOS.ConceptScheme))
    graph.add((place, SKOS.prefLabel, Literal(title, lang=language)))
    for name, label, concept in words:
        word = URIRef(f"{scheme}#{name}")
        graph.add((word, RDF.type, SKOS.Concept))
        graph.add((word, SKOS.inScheme, place))
        graph.add((word, SKOS.prefLabel, Literal(label, lang=language)))
        graph.add((word, SKOS.closeMatch, URIRef(concept)))
    return graph.serialize(format="turtle")


class _Reading:
    """One Turtle text being read: the graph, and what is wrong in it."""

    def __init__(self, text: str, language: str) -> None:
        self.language = language
        self.faults: list[str] = []
        self.graph = _parsed(text)
        self._names: dict[str, str] = {}
        self.schemes = [self._scheme(uri) for uri in self.uris("ConceptScheme")]

    def uris(self, kind: str) -> list[str]:
        return sorted({str(node) for node in self.graph.subjects(RDF.type, URIRef(_SKOS + kind))})

    def _scheme(self, uri: str) -> Scheme:
        name = local_name(uri)
        if name in self._names.values():
            name = uri
        self._names[uri] = name
        labels = self._worded(uri, _SKOS + "prefLabel")
        return Scheme(name, uri, labels[0] if labels else name)

    def _values(self, uri: str, property: str) -> list[Node]:
        return list(self.graph.objects(URIRef(uri), URIRef(property)))

    def _strings(self, uri: str, property: str) -> tuple[str, ...]:
        return tuple(sorted(str(value) for value in self._values(uri, property)))

    def _worded(self, uri: str, property: str) -> tuple[str, ...]:
        return tuple(
            sorted(
                str(value)
                for value in self._values(uri, property)
                if (tag := getattr(value, "language", None)) is None
                or tag.lower().split("-")[0] == self.language
            )
        )

    def _single(self, uri: str, property: str) -> str | None:
        values = self._strings(uri, property)
        if len(values) > 1:
            self.faults.append(f"{local_name(uri)}: several values of {local_name(property)}")
        return values[0] if values else None

    def concept(self, uri: str) -> Concept | None:
        labels = self._worded(uri, _SKOS + "prefLabel")
        if not labels and self._values(uri, _SKOS + "prefLabel"):
            return None
        if len(labels) != 1:
            self.faults.append(f"{local_name(uri)}: {len(labels)} prefLabels, one is needed")
            return None
        schemes = self._strings(uri, _SKOS + "inScheme")
        notes = self._worded(uri, _SKOS + "scopeNote")
        several: dict[str, Any] = {name: self._worded(uri, p) for name, p in _LABELS.items()}
        several |= {name: self._strings(uri, p) for name, p in (_LINKS | _PLAIN).items()}
        several |= {name: self._single(uri, p) for name, p in _SINGLE.items()}
        return Concept(
            uri=uri,
            scheme=self._names.get(schemes[0], local_name(schemes[0])) if schemes else "",
            label=labels[0],
            note="\n".join(notes) if notes else None,
            trap="true" in self._strings(uri, _CARBET + "shortTrap"),
            **several,
        )


def _parsed(text: str) -> Graph:
    graph = Graph()
    try:
        graph.parse(data=text, format="turtle")
    except Exception as error:  # rdflib raises whatever its parser meets: SyntaxError, ValueError...
        raise ThesaurusError([f"not Turtle: {error}"]) from error
    return graph


class _Writing:
    """One vocabulary being written."""

    def __init__(self, vocabulary: Thesaurus) -> None:
        self.vocabulary = vocabulary

    def text(self) -> str:
        lines = [f"@prefix {name}: <{uri}> ." for name, uri in _PREFIXES.items()]
        for scheme in self.vocabulary.schemes.values():
            facts = [("a", ["skos:ConceptScheme"]), ("skos:prefLabel", [self._text(scheme.label)])]
            lines += ["", *_block(scheme.uri, facts)]
        for concept in self.vocabulary:
            lines += ["", *_block(concept.uri, self._facts(concept))]
        return "\n".join(lines) + "\n"

    def _facts(self, concept: Concept) -> list[tuple[str, list[str]]]:
        facts = [("a", ["skos:Concept"])]
        if concept.scheme:
            scheme = self.vocabulary.schemes.get(concept.scheme)
            facts.append(("skos:inScheme", [_name(scheme.uri if scheme else _scheme_uri(concept.scheme))]))
        facts.append(("skos:prefLabel", [self._text(concept.label)]))
        facts += _plural(concept, _LABELS, self._text)
        facts += _plural(concept, _PLAIN, _quoted)
        if concept.note is not None:
            facts.append(("skos:scopeNote", [self._text(concept.note)]))
        for name, uri in _SINGLE.items():
            if (value := getattr(concept, name)) is not None:
                facts.append((_name(uri), [_quoted(value)]))
        if concept.trap:
            facts.append(("carbet:shortTrap", ["true"]))
        return facts + _plural(concept, _LINKS, _name)

    def _text(self, value: str) -> str:
        return f"{_quoted(value)}@{self.vocabulary.language}"


def _scheme_uri(name: str) -> str:
    return name if ":" in name else _PREFIXES["s"] + name


def _plural(
    concept: Concept, table: Mapping[str, str], write: Callable[[str], str]
) -> list[tuple[str, list[str]]]:
    return [
        (_name(uri), [write(value) for value in values])
        for name, uri in table.items()
        if (values := getattr(concept, name))
    ]


def _block(uri: str, facts: list[tuple[str, list[str]]]) -> list[str]:
    lines = [f"    {name} {', '.join(values)} ;" for name, values in facts]
    return [_name(uri), *lines[:-1], lines[-1][:-1] + "."]


def _name(uri: str) -> str:
    for prefix, base in _PREFIXES.items():
        # Only the plainest local names are shortened: no escapes to get wrong.
        if uri.startswith(base) and re.fullmatch(
            r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", uri[len(base) :]
        ):
            return f"{prefix}:{uri[len(base) :]}"
    return "<" + re.sub(r'[\x00-\x20<>"{}|^`\\]', lambda m: f"\\u{ord(m[0]):04X}", uri) + ">"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u{ord(m[0]):04X}", escaped) + '"'
