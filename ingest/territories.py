"""Place names in running French: which "Robert" is the commune and which is a man.

Hides the rules by which a mention of a territory's label is believed or not: its article and its
capital, the words beside it, codes, and the places near that say in which of several
homonymous communes we are. Nothing here is learnt; every rule looks at neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb import french
from kb.thesaurus import Concept, Thesaurus

_ARTICLES = {
    "le": frozenset(("le", "au", "du")),
    "la": frozenset(("la",)),
    "les": frozenset(("les", "aux", "des")),
    "l'": frozenset(),  # elided: the text before the word tells
}
_PEOPLE_TEXT = """
m mr mm mme mmes mlle monsieur madame mesdames messieurs mademoiselle docteur dr maitre pere abbe frere
soeur saint sainte oncle prenomme
"""
_NAMED_AFTER_TEXT = """
rue avenue boulevard place allee impasse eglise cathedrale chapelle paroisse couvent college lycee ecole
hopital clinique stade residence dictionnaire petit fete baie prix famille collection editions
"""
_BOOKS = frozenset(("dictionnaire", "petit", "grand", "éditions"))
_PLACE_NOUNS_TEXT = """
commune communes ville villes bourg mairie municipalite quartier cite territoire canton arrondissement
"""
_PEOPLE, _NAMED_AFTER, _PLACE_NOUNS = (
    frozenset(text.split()) for text in (_PEOPLE_TEXT, _NAMED_AFTER_TEXT, _PLACE_NOUNS_TEXT)
)
_NEAR = 90  # characters either side in which another place says where we are: about one sentence
_LIST = 30  # the same, in a list of communes
_DATELINE = re.compile(r",\s+le\s+\d")  # « Fort-de-France, le 12 mars »: where it was written
_CODE = re.compile(r"\W{1,3}(9[78]\d{3})\b")
_SURNAME = re.compile(r"-\w|[ \u00a0](?!(?:Le|La|Les|Nord|Sud|Est|Ouest)\b)[A-ZÀ-ÖØ-Ý][\w’'-]")
_CONTAINING = 2  # levels up that make a neighbourhood: commune, community, island; above, everything meets


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the neighbours of a mention say: the territory meant, or those between which only the rest
    of the document can decide; neither when it is no place."""

    place: str | None = None
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Name:
    """How a territory is written, and what stands around it."""

    article: str | None
    doubtful: bool
    codes: frozenset[str]
    home: re.Pattern[str]
    cues: frozenset[str]


class Gazetteer:
    """The territories of a vocabulary, ready to judge mentions."""

    def __init__(self, thesaurus: Thesaurus) -> None:
        self._thesaurus = thesaurus
        concepts = thesaurus.concepts("territories")
        self._homes = {c.uri: self._home(c) for c in concepts}
        self._names = {c.uri: self._name(c) for c in concepts}

    def __contains__(self, uri: str) -> bool:
        return uri in self._names

    def judge(
        self, labels: Mapping[str, str], text: str, words: Sequence[french.Token], first: int, last: int
    ) -> Verdict:
        """Which territory the words ``first`` to ``last`` (both in) of ``text`` mean, among those of
        ``labels`` (URI -> the label that the words are)."""
        start, end = words[first].start, words[last].end
        previous = french.fold(words[first - 1].form) if first else ""
        if previous in _PEOPLE or previous in _NAMED_AFTER or _DATELINE.match(text, end):
            return Verdict()
        fits = [uri for uri, label in labels.items() if _capitals_as(label, text, words, first, last)]
        if code := _CODE.match(text, end):
            fits = [uri for uri in fits if code[1] in self._names[uri].codes or not self._names[uri].codes]
            return Verdict(place=fits[0]) if fits else Verdict()
        fits = [uri for uri in fits if self._may_be(uri, labels[uri], text, words, first, end)]
        return self._choose(fits, labels, text, words, first, end, start) if fits else Verdict()

    def _choose(
        self,
        fits: list[str],
        labels: Mapping[str, str],
        text: str,
        words: Sequence[french.Token],
        first: int,
        end: int,
        start: int,
    ) -> Verdict:
        near = {
            uri: d for uri in fits if (d := _distance(self._names[uri].home, text, start, end)) is not None
        }
        if near:
            return Verdict(place=min(near, key=lambda uri: (near[uri], self._names[uri].doubtful)))
        before = {french.fold(word.form) for word in words[max(0, first - 3) : first]}
        alone_at = len(fits) == 1 and first > 0 and words[first - 1].form == "à"
        for uri in fits:
            name = self._names[uri]
            said = alone_at or name.article is not None or before & (name.cues | _PLACE_NOUNS)
            if not name.doubtful or said or not labels[uri][:1].isupper():
                return Verdict(place=uri)
        return Verdict(open=tuple(fits))

    def _may_be(
        self, uri: str, label: str, text: str, words: Sequence[french.Token], first: int, end: int
    ) -> bool:
        """Whether a doubtful name is written as a place is."""
        name, start = self._names[uri], words[first].start
        if not name.doubtful or not label[:1].isupper():
            return True
        if _SURNAME.match(text, end):
            return False
        if name.article is None:
            return not first or not _named_person(text, words[first - 1], start)
        previous = words[first - 1].form if first else ""
        if previous in _ARTICLES[name.article] or french.fold(previous) in _PLACE_NOUNS:
            return first < 2 or words[first - 2].form not in _BOOKS
        gap = text[words[first - 1].end : start] if first else ""
        if previous not in ("et", "à") and "," not in gap and "\n" not in gap and "(" not in gap:
            return False
        # « Ducos, François, Robert »: a list of communes drops the articles.
        return name.home.search(text, max(0, start - _LIST), end + _LIST) is not None

    def settled(self, open_ones: Iterable[tuple[str, ...]], sure: Mapping[str, int]) -> list[str | None]:
        """For each set of territories left open, the one whose neighbours the document surely names
        most often (``sure``: URI -> mentions), None if it names none or as many of several."""
        return [self._settle(uris, sure) for uris in open_ones]

    def _settle(self, uris: tuple[str, ...], sure: Mapping[str, int]) -> str | None:
        votes = {uri: sum(n for place, n in sure.items() if place in self._homes[uri]) for uri in uris}
        best = max(votes.values(), default=0)
        winners = [uri for uri, count in votes.items() if count == best]
        return winners[0] if best and len(winners) == 1 else None

    def _home(self, concept: Concept) -> frozenset[str]:
        """Territories that contain it, and those that they contain."""
        above, level = set[str](), {concept.uri}
        for _ in range(_CONTAINING):
            level = {b for uri in level if uri in self._thesaurus for b in self._thesaurus.get(uri).broader}
            above |= level
        tops = {uri for uri in above if not self._contains_regions(uri)}
        inside = {uri for top in tops if top in self._thesaurus for uri in self._thesaurus.descendants(top)}
        return frozenset((tops | inside) - {concept.uri})

    def _contains_regions(self, uri: str) -> bool:
        """Whether it holds other regions, so that being in it says little: Caraïbe, France."""
        below = self._thesaurus.descendants(uri) if uri in self._thesaurus else ()
        return any("R-" in self._thesaurus.get(u).code[:2] for u in below)

    def _name(self, concept: Concept) -> _Name:
        bare = re.sub(r"^(l'|les? |la )", "", french.fold(concept.label))
        folded = [french.fold(label) for label in (concept.label, *concept.alt)]
        articles = [label[: -len(bare)].strip() for label in folded if label.endswith(bare)]
        articles = [article for article in articles if article in _ARTICLES]
        around = [self._thesaurus.get(uri) for uri in self._homes[concept.uri]]
        names = {x for o in around if not o.trap for x in (o.label, *o.alt) if x[:1].isupper()}
        # « La Réunion » is sure with its article only.
        names |= {x for o in around if o.trap and " " in o.label for x in (o.label, _lowered(o.label))}
        cues = {cue for cue in concept.cues if cue[:1].isupper()}
        return _Name(
            article=articles[0] if articles and concept.trap else None,
            doubtful=concept.trap,
            codes=frozenset(code for code in (concept.insee, *concept.postal) if code),
            home=_any_of(names | cues),
            cues=frozenset(french.fold(cue) for cue in concept.cues if cue not in cues),
        )


def _capitals_as(label: str, text: str, words: Sequence[french.Token], first: int, last: int) -> bool:
    """Whether the last word has a capital wherever the label's has one: « le marin » is a sailor."""
    own = next((t for t in reversed(french.tokens(label)) if t.term), None)
    return own is None or not label[own.start].isupper() or text[words[last].start].isupper()


def _named_person(text: str, previous: french.Token, start: int) -> bool:
    """Whether the name follows a first name: « Jean Dillon », « Marie-Sainte-Anne »."""
    gap = text[previous.end : start]
    return gap == "-" or (gap in (" ", "\u00a0") and bool(previous.term) and text[previous.start].isupper())


def _lowered(label: str) -> str:
    return label[:1].lower() + label[1:]


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    listed = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)")


def _distance(names: re.Pattern[str], text: str, start: int, end: int) -> int | None:
    """Characters between ``start`` and the nearest of ``names`` that stands near, None if none does."""
    found = names.finditer(text, max(0, start - _NEAR), end + _NEAR)
    return min((abs(match.start() - start) for match in found), default=None)
