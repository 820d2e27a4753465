"""What a question is about, taken out of what somebody wrote.

Hides from who looks for answers that people greet, say who they are, tell how things came about, thank,
misspell and use acronyms: what is left is a short list of notions, each with what it weighs and the words
that may stand for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from kb import french
from kb.thesaurus import Thesaurus
from search import finder
from search.engine import Engine, kin_start
from search.query import Words

MOST = 12
"""Notions of a question that are kept, the weightiest: 2 of 1,000 questions of two judged sets have more.
Letters of 100 words have some 30, most of them frequent, and each costs a pass over its postings."""

READ = 6_000
"""Characters of a question that are read: a page and a half of typing."""

CONTEXT = 0.4
"""What the words of a sentence that does not ask weigh beside those of one that does."""

_GUESSED = 0.8  # what a word that was mended weighs: it may be another one
_KIN = 0.5  # what a word of the same family is worth, as in the score of engines
_MOST_PARTS = 0.75  # of the words of a name, from which the name is said
_NEIGHBOURS = 5  # words of the fund that a misspelt one may be
_DOUBLE = re.compile(r"(.)\1+")
_SHORTEST = 4  # letters of a word that may be misspelt: shorter ones have neighbours of all sorts


@dataclass(frozen=True, slots=True)
class Notion:
    """Something that is asked about. ``weight``: 0 to 1, more for what few pages hold. ``others``: terms of
    other names for it, each name a tuple."""

    term: str
    weight: float
    others: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Gist:
    """What a question is about: its notions in the order of the text. ``text`` is what was read of it."""

    notions: tuple[Notion, ...]
    text: str

    @cached_property
    def total(self) -> float:
        """What all notions weigh together."""
        return sum(notion.weight for notion in self.notions)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """All terms that may stand for a notion, each once."""
        own = [notion.term for notion in self.notions]
        return tuple(dict.fromkeys([*own, *(t for n in self.notions for name in n.others for t in name)]))

    @cached_property
    def _meanings(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Term -> (notion, name) for which it may stand; name -1 is the notion itself."""
        found: dict[str, list[tuple[int, int]]] = {}
        for at, notion in enumerate(self.notions):
            found.setdefault(notion.term, []).append((at, -1))
            for number, name in enumerate(notion.others):
                for term in name:
                    found.setdefault(term, []).append((at, number))
        return {term: tuple(meant) for term, meant in found.items()}

    @cached_property
    def _kin(self) -> dict[str, list[tuple[str, int]]]:
        """First five letters -> (what kin begin with, notion)."""
        found: dict[str, list[tuple[str, int]]] = {}
        for at, notion in enumerate(self.notions):
            if start := kin_start(notion.term):
                found.setdefault(start[:5], []).append((start, at))
        return found

    def names(self, term: str) -> bool:
        """Whether ``term`` itself is asked about."""
        return term in self._meanings

    def degrees(self, terms: Iterable[str]) -> dict[int, float]:
        """Notion -> how surely these terms speak of it, 0 to 1; those they do not speak of are left out."""
        degrees: dict[int, float] = {}
        parts: dict[tuple[int, int], int] = {}
        for term in set(terms):
            for at, name in self._meanings.get(term, ()):
                if name < 0:
                    degrees[at] = 1.0
                else:
                    parts[at, name] = parts.get((at, name), 0) + 1
            for start, at in self._kin.get(term[:5], ()):
                if term.startswith(start):
                    degrees[at] = max(degrees.get(at, 0.0), _KIN)
        for (at, name), said in parts.items():
            if said >= _MOST_PARTS * len(self.notions[at].others[name]):
                degrees[at] = 1.0
        return degrees

    def share(self, degrees: Mapping[int, float]) -> float:
        """What these notions weigh of all, 0 to 1."""
        said = sum(self.notions[at].weight * degree for at, degree in degrees.items())
        return said / self.total if self.total else 0.0


def gist(text: str, *, engine: Engine, thesaurus: Thesaurus | None = None, most: int = MOST) -> Gist:
    """What ``text`` asks about in this fund; without notions when it says nothing."""
    read = text[:READ]
    said = _said(read)
    counts = engine.held(said)
    units = counts[""]
    notions = [
        _mended(term, form, strength, counts, engine) if not counts[term] else Notion(term, strength)
        for term, (form, strength) in said.items()
    ]
    held = counts | engine.held(n.term for n in notions if n.term not in counts)
    weighed = [replace(n, weight=n.weight * _rarity(held[n.term], units)) for n in notions]
    named = _with_names(weighed, read, thesaurus) if thesaurus else weighed
    least = sorted((n.weight for n in named), reverse=True)[:most]
    kept = [n for n in named if n.weight and n.weight >= least[-1]][:most]
    return Gist(tuple(kept), read)


def _rarity(held: int, units: int) -> float:
    """The idf of the score of engines, 1 for what nothing holds."""
    return math.log1p((units - held + 0.5) / (held + 0.5)) / math.log1p((units + 0.5) / 0.5)


def _mended(term: str, form: str, strength: float, counts: Mapping[str, int], engine: Engine) -> Notion:
    """The notion of a word that the fund does not have: that of its nearest word, if it may be misspelt."""
    if len(form) >= _SHORTEST and form.isalpha() and not french.known(form):
        near = [other for other, _ in engine.near(form, _NEIGHBOURS)]
        doubled = [other for other in near if _undoubled(other) == _undoubled(form)]
        if mended := next((term for other in doubled + near[:1] if (term := french.term(other))), ""):
            return Notion(mended, strength * _GUESSED)
    return Notion(term, strength)


def _undoubled(word: str) -> str:
    """Folded, double letters made one, the commonest slip of French: « nourir » is no « mourir »."""
    return _DOUBLE.sub(r"\1", french.fold(word))


def _with_names(notions: list[Notion], text: str, thesaurus: Thesaurus) -> list[Notion]:
    """The notions with the other names, long or short, of what the text names."""
    others: dict[str, list[tuple[str, ...]]] = {}
    named = list(finder.other_names(text, thesaurus))
    # An acronym inside a longer name has its own: "convention de GUP" is a convention de gestion urbaine too.
    inside = [one for words, _ in named for one in words.split() if one.isupper() and one != words]
    named += [other for one in inside for other in finder.other_names(one, thesaurus)]
    for words, names in named:
        runs = [tuple(term for term in french.terms(name) if term) for name in names]
        for term in french.terms(words):
            others.setdefault(term, []).extend(run for run in runs if run)
    return [replace(n, others=tuple(dict.fromkeys(others.get(n.term, ())))) for n in notions]


# -- what is said


def stated(text: str) -> frozenset[str]:
    """The terms of ``text`` that say what it is about."""
    return frozenset(_said(text[:READ]))


def _said(text: str) -> dict[str, tuple[str, float]]:
    """Term -> (word as typed, strength 0 to 1) of what ``text`` says, in its order."""
    found: dict[str, tuple[str, float]] = {}
    sentences = list(_sentences(text)) or [text]
    asking = [finder.is_question(s) or bool(_WISH.search(french.fold(s))) for s in sentences]
    for sentence, asks in zip(sentences, asking, strict=True):
        strength = 1.0 if asks or not any(asking) else CONTEXT
        for token in french.tokens(finder.without_question_words(Words(_without_wish(sentence))).text):
            if token.term and french.fold(token.form) not in _EMPTY:
                form, before = found.get(token.term, (token.form, 0.0))
                found[token.term] = form, max(before, strength)
    return found


_SENTENCE = re.compile(r"(?<=[^\W\d_]{2})[.!?…;]+\s+|(?<=\s[?!])\s+|(?<=[\d)»])[.!?…;]+\s+|\n+")
_GREETING = re.compile(
    r"^\W*(?:(?:bonjour|bonsoir|salut|hello|coucou|cher(?:e|s|es)?|madame|monsieur|mesdames|messieurs|mesdemoiselles"
    r"|collegues?|a tou(?:s|tes)|et|tous|toutes|equipe)\b[\s,;:!.]*)+"
)
_THANKS = re.compile(
    r"(?:\bje (?:vous|te) (?:en )?(?:remerci|souhait|pri)\w*"
    r"|\b(?:nous|en) vous (?:en )?(?:remerci|souhait|pri)\w*"
    r"|\bmerci (?:d'avance|beaucoup|par avance|pour|de votre|a vous|bien)\b|^\W*merci\b"
    r"|\b(?:en vous remerciant|dans l'attente|bien a vous|a bientot"
    r"|bonne (?:journee|reception|semaine)|bon courage))"
    r"[^?\n]*$"
)
_FAREWELL = re.compile(
    r"\b(?:(?:bien |tres |plus )?cordialement|(?:mes |nos |sinceres |cordiales )*salutations\b"
    r"|respectueusement"
    r"|sinceres? (?:salut|respect)\w*|amicalement|bien a vous)\b.*",
    re.DOTALL,
)
_ROLE = re.compile(
    r"\b(?:je suis|nous sommes|etant|en tant que|je travaille (?:comme|en tant que|a|au|aux|dans|pour|chez)"
    r"|j'occupe"
    r"|je m'appelle|mon nom est|j'exerce)"
    r"\s+(?:un |une |le |la |les |des |actuellement |aussi |nouveau |nouvelle )*"
    r"(?=(?P<role>\w+))[^.;?!,\n]*?"
    r"(?=\s*(?:(?:et|mais)\s+(?:je|j'|nous|on|mon|ma|notre)|,|[.;?!\n]|$))"
)
_ROLES = re.compile(
    r"(?:chef|charge|direct|coordinat|coordonn|responsable|agent|technicien|elu|adjoint|maire|mediat|educat|animat"
    r"|etudiant|stagiaire|benevole|president|salarie|professionnel|conseill|delegue|assistant|travailleu|employe"
    r"|membre|enseignant|professeur|consultant|formateur|formatrice|referent|journaliste|secretaire|tresorier"
    r"|chercheu|doctorant|juriste|architecte|urbaniste|infirmi|psychologue|documentaliste|cadre|gardien|intervenant)"
)
_WISH = re.compile(
    r"\b(?:(?:je|nous) (?:re)?cherch\w+|(?:je|nous) souhait\w+|(?:je|nous) (?:voudr|desir)\w+"
    r"|(?:j'|nous )aimeri\w+"
    r"|(?:j'ai|nous avons|j'aurais|nous aurions) besoin|(?:je me|nous nous) demand\w+|je me permets"
    r"|(?:pouvez|pourriez|pourrais|peux|auriez|avez|savez|sauriez|connaissez)[- ](?:vous|tu)"
    r"|merci de (?:me|nous|bien vouloir)|est[- ]ce que|y a[- ]t[- ]il|existe[- ]t[- ]il|qu'est[- ]ce qu\w*"
    r"|s'il (?:vous|te) plait|svp|(?:je|nous) (?:vous )?(?:sollicit|contact|ecri)\w+(?: afin de| pour)?)"
)
_EMPTY = frozenset(
    """bonjour bonsoir merci savoir connaitre indiquer dire trouver obtenir avoir recevoir transmettre
    renseigner information informations renseignement renseignements document documents documentation
    ressource ressources sujet question questions propos concernant concerne possible possibilite
    exister existe existent aider orienter conseiller eclairer suis dit tant depuis voici voila voudrais
    souhaite aimerais cherche recherche besoin afin ainsi alors aussi notamment actuellement bien tres
    plus moins tout tous toute toutes comme cela quelque quelques chose choses plusieurs certains
    certaines autre autres lors dont selon etc svp aupres cadre vouloir""".split()  # noqa: SIM905
)
"""Words with which people ask and do not say what about, beside those of ``finder``; folded forms."""


def _sentences(text: str) -> Iterator[str]:
    """The sentences of ``text`` that say something, without greeting, thanks, signature, and who writes."""
    body = _blanked(_FAREWELL, text)
    for sentence in _cut(body):
        for courtesy in (_GREETING, _THANKS):
            sentence = _blanked(courtesy, sentence)
        sentence = _without_role(sentence)
        if any(french.terms(sentence)):
            yield sentence


def _cut(text: str) -> Iterator[str]:
    start = 0
    for match in _SENTENCE.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """``text`` with what ``pattern`` finds in its folded form made blank."""
    folded = _folded(text)
    for match in reversed(list(pattern.finditer(folded))):
        text = text[: match.start()] + " " + text[match.end() :]
    return text


def _folded(text: str) -> str:
    """Folded, of the same length: a letter that folds to two keeps its first."""
    folded = french.fold(text)
    if len(folded) == len(text):
        return folded
    return "".join((french.fold(c) or " ")[0] for c in text)


def _without_role(sentence: str) -> str:
    """Without « je suis chef de projet au Lamentin »: who asks is not what is asked. « Je suis locataire »
    stays."""
    folded = _folded(sentence)
    for match in reversed(list(_ROLE.finditer(folded))):
        if _ROLES.match(match["role"]):
            sentence = sentence[: match.start()] + " " + sentence[match.end() :]
    return sentence


def _without_wish(sentence: str) -> str:
    return _blanked(_WISH, sentence)
