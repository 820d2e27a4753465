"""What the columns of a spreadsheet hold, guessed from their headings and their cells.

Hides the many names that French and English spreadsheets give to their columns, how typing mistakes are seen
through, and what an ISBN, a year or a name looks like in a column that says nothing of itself. What tables of
one sort may hold is a ``ColumnSet``: that of catalogues is here, that of a log of questions in
``kb.question_columns``.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from rapidfuzz import fuzz, process

from kb.errors import InvalidRecord
from kb.french import fold
from kb.records import regular_isbn, regular_issn

COLUMN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "title": "Titre",
        "subtitle": "Sous-titre",
        "type": "Type de document",
        "agents": "Auteurs",
        "bodies": "Collectivités",
        "date": "Date de publication",
        "language": "Langue",
        "publisher": "Éditeur",
        "place": "Lieu d’édition",
        "series": "Collection",
        "issue": "Numéro dans la collection",
        "extent": "Pagination",
        "abstract": "Résumé",
        "notes": "Notes",
        "keywords": "Mots-clés",
        "isbn": "ISBN",
        "issn": "ISSN",
        "doi": "DOI",
        "url": "Adresse (URL)",
        "record": "Numéro de notice",
        "identifiers": "Autres identifiants",
        "call_number": "Cote",
        "copies": "Exemplaires",
        "barcode": "Code-barres",
        "location": "Localisation",
        "condition": "État de l’exemplaire",
        "host": "Document hôte",
        "host_record": "Numéro de la notice hôte",
        "host_pages": "Pages dans le document hôte",
    }
)
"""What a column may hold -> its French name, in the order of a list to choose from and of an export."""

MANY = frozenset(("agents", "bodies", "notes", "keywords", "identifiers", "barcode"))
"""What several columns of one table may hold together ("Auteur 1", "Auteur 2")."""

SURE = 0.8
"""Confidence from which a guess needs no look of a person: a heading known as it stands, or a plain typing
mistake in it."""

_USED = 0.6  # below, a guess is told but not used: the column is left out unless a person says otherwise
_LIKE = 85  # similarity of rapidfuzz, out of 100: one letter wrong in seven
_LONG = 5  # letters of a heading below which a letter more or less makes another word ("note", "cote")
_SHARE = 0.6  # of the cells that say something, which must look alike: others hold remarks, or mistakes
_FEW = 3  # cells below which the look of a column proves nothing
_ABSTRACT = 200  # characters of a cell that is a text, at the median

_HEADING_TEXT = """
title: titre|titre propre|title|intitule|titre du document|titre document|titre de l ouvrage|titre principal
subtitle: sous titre|complement du titre|subtitle|complement de titre
type: type|type de document|nature|support type|type document|item type|document type|nature du document
agents: auteur|auteurs|auteur s|auteurs personnes|author|authors|auteur principal|nom auteur
bodies: collectivite|collectivites|auteurs collectivites|collectivite auteur|organisme|auteur collectif
bodies: organismes|auteur moral|corporate author|auteurs moraux|structure
date: annee|date|date d edition|date de publication|date de parution|annee d edition|annee de publication
date: year|publication year|publication date|annee de parution|date publication|date parution|date edition
language: langue|langues|language|langue du document
publisher: editeur|editeurs|edition|maison d edition|publisher|editeur commercial|nom de l editeur
place: lieu|lieu d edition|lieu de publication|ville|place|place of publication|ville d edition
series: collection|serie|titre de la collection|series|series title|nom de la collection
issue: numero dans la collection|volume|tome|n de collection|no de collection|numero de collection|issue
issue: numero de revue|numero du periodique|volume tome
extent: pages|pagination|nombre de pages|nb pages|importance materielle|collation|nb de pages|num pages|extent
extent: description materielle|number of pages
abstract: resume|description|analyse|abstract|resume analytique|summary|presentation
notes: note|notes|remarque|remarques|observations|commentaire|commentaires|observation|comment|comments
keywords: mots cles|mot cle|descripteurs|sujets|themes|theme|indexation|matieres|keywords|subjects|subject
keywords: descripteur|sujet|thematique|thematiques|matiere|tags|mots matieres|manual tags|mots clefs|mot clef
isbn: isbn|isbn 13|isbn 10|isbn13|isbn10|n isbn|numero isbn|code isbn
issn: issn|n issn|numero issn|issn imprime
doi: doi
url: url|adresse|lien|adresse url|lien url|link|lien internet|adresse web|uri
record: numero|numero de notice|n notice|id|identifiant|no|n de notice|record number|numero notice|identifier
identifiers: autres identifiants
call_number: cote|cote de rangement|call number|shelfmark|cote du document
copies: exemplaires|nombre d exemplaires|nb exemplaires|nb ex|nb d exemplaires|copies
barcode: code barres|codes barres|code barre|n inventaire|numero d inventaire|inventaire|n d inventaire
location: localisation|emplacement|site|rayon|location|rayonnage|lieu de rangement
condition: etat|disponibilite|statut|etat de l exemplaire|status
host: dans|depouillement de|notice mere|hote|revue|titre du periodique|extrait de|document hote|in|periodique
host: titre de la revue|publication title|journal|nom de la revue|titre revue
host_record: numero de la notice hote|numero de notice hote
host_pages: pages de l article|pages dans|pages de la partie|pages dans le document hote|page range
"""


@dataclass(frozen=True, slots=True)
class Guess:
    """What one column seems to hold (None: nothing known), how sure (0 to 1), and why, in French."""

    name: str | None
    confidence: float
    reason: str


Look = Callable[[str], bool]
"""Whether one cell looks like something."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSet:
    """What tables of one sort may hold.

    ``names``: what a column may hold -> its French name, in the order of a list to choose from. ``headings``:
    folded heading -> name. ``many``: what several columns may hold together. ``needed``: what no table goes
    without -> what to tell, in French, who has not said where it is. ``looks``: what the cells of some must
    look like, and what that is called. ``contents``: how a column is known by its cells alone, with the
    weight of that and what they are called. ``others``: folded words of headings that tell of something else.
    """

    names: Mapping[str, str]
    headings: Mapping[str, str]
    many: frozenset[str]
    needed: Mapping[str, str]
    looks: Mapping[str, tuple[Look, str]]
    contents: tuple[tuple[str, Look, float, str], ...] = ()
    long_text: str | None = None
    others: re.Pattern[str] | None = None
    long_headings: tuple[str, ...] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        long = tuple(heading for heading in self.headings if len(heading) >= _LONG)
        object.__setattr__(self, "long_headings", long)  # those in which a typing mistake can be told

    def tells_other(self, heading: str) -> bool:
        """Whether a heading tells of something that no column of this sort holds."""
        return self.others is not None and self.others.search(fold(heading)) is not None


def headings_said(text: str, names: Mapping[str, str]) -> Mapping[str, str]:
    """Folded headings by lines of « name: heading|heading », and by the French names themselves."""
    found = {
        heading.strip(): name.strip()
        for name, _, headings in (line.partition(":") for line in text.strip().splitlines())
        for heading in headings.split("|")
    }
    return MappingProxyType(found | {_words(label): name for name, label in names.items()})


def _words(heading: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", fold(heading)))


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column of a table holds: a name of its ``ColumnSet``, None for one that is left out.

    ``headings`` are those of the table, () if it has none; ``guesses`` tell how each name was found, () when
    a person gave them.
    """

    names: tuple[str | None, ...]
    headings: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()

    @classmethod
    def of(cls, headings: Sequence[str]) -> Self:
        """Columns of a catalogue by their headings alone. Raises InvalidRecord if none holds titles."""
        return cls(guess(headings, ()).names, tuple(headings)).checked()

    def checked(self, held: ColumnSet | None = None) -> Self:
        """The columns themselves. Raises InvalidRecord if something needed is in none of them."""
        for name in (held or CATALOGUE).needed:
            if name not in self.names:
                raise InvalidRecord(name, f"no column of {name} among {', '.join(self.headings)[:200]}")
        return self

    def twice(self, held: ColumnSet) -> str | None:
        """What two columns hold and only one can."""
        said = [name for name in self.names if name]
        return next((name for name in said if said.count(name) > 1 and name not in held.many), None)

    def unknown(self, headings: Sequence[str]) -> list[str]:
        """Headings of the columns that are left out."""
        return [h for h, name in zip(headings, self.names, strict=False) if name is None and h.strip()]

    def to_json(self) -> str:
        """The columns as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes, held: ColumnSet | None = None) -> Self:
        """Inverse of ``to_json``. Raises ValueError on anything that ``to_json`` could not have written of
        columns of this sort, a catalogue's if None."""
        try:
            raw = json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(raw, dict) or not set(raw) <= {"names", "headings", "guesses"}:
            raise ValueError("no columns")
        names = (held or CATALOGUE).names
        guesses = tuple(_guess_from(item, names) for item in _listed(raw.get("guesses", [])))
        headings = tuple(_text(item) for item in _listed(raw.get("headings", [])))
        return cls(tuple(_name(item, names) for item in _listed(raw.get("names"))), headings, guesses)


def _listed(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")
    return value.encode("utf-8", "replace").decode("utf-8")


def _name(value: object, names: Mapping[str, str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{value!r:.40} is no name of a column")
    return value


def _guess_from(raw: object, names: Mapping[str, str]) -> Guess:
    if not isinstance(raw, dict) or set(raw) != {"name", "confidence", "reason"}:
        raise ValueError("no guess")
    confidence = raw["confidence"]
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError(f"{confidence!r:.40} is no confidence")
    return Guess(_name(raw["name"], names), float(confidence), _text(raw["reason"]))


# -- guesses


def guess(headings: Sequence[str], sample: Sequence[Sequence[str]], held: ColumnSet | None = None) -> Columns:
    """What each column of a table (of a catalogue if ``held`` is None) seems to hold, by its heading and by
    some rows of cells. Of two columns that seem to hold what only one can, the surer one counts, then the
    first."""
    held = held or CATALOGUE
    guesses = [_guess_of(heading, _cells(sample, number), held) for number, heading in enumerate(headings)]
    best: dict[str, int] = {}
    for number, one in enumerate(guesses):
        if one.name and one.name not in held.many:
            first = best.setdefault(one.name, number)
            best[one.name] = number if one.confidence > guesses[first].confidence else first
    told = tuple(
        Guess(None, 0.0, f"la colonne « {headings[best[one.name]]} » le dit déjà")
        if one.name in best and best[one.name] != number
        else one
        for number, one in enumerate(guesses)
    )
    names = tuple(one.name if one.confidence >= _USED else None for one in told)
    return Columns(names, tuple(headings), told)


def known_headings(cells: Sequence[str], held: ColumnSet | None = None) -> frozenset[str]:
    """What is said, surely, by cells that may be a line of headings, of a catalogue if ``held`` is None."""
    found = (_by_heading(cell, held or CATALOGUE) for cell in cells if len(cell) <= _LONGEST_HEADING)
    return frozenset(one.name for one in found if one.name and one.confidence >= SURE)


_LONGEST_HEADING = 60  # characters: what is longer is a sentence


def _cells(sample: Sequence[Sequence[str]], number: int) -> list[str]:
    return [row[number].strip() for row in sample if number < len(row) and row[number].strip()]


def _guess_of(heading: str, cells: Sequence[str], held: ColumnSet) -> Guess:
    by_heading = _by_heading(heading, held)
    if len(cells) >= _FEW and (look := held.looks.get(by_heading.name or "")):
        looks, what = look
        if not any(map(looks, cells)):
            doubted = round(by_heading.confidence * _USED, 2)
            return Guess(by_heading.name, doubted, f"{by_heading.reason}, mais aucune cellule n’est {what}")
    if by_heading.confidence >= _USED or (heading.strip() and held.tells_other(heading)):
        return by_heading
    return max((by_heading, _by_content(cells, held)), key=lambda one: one.confidence)


def _by_heading(heading: str, held: ColumnSet) -> Guess:
    folded = _words(heading)
    bare = re.sub(r" \d+$", "", folded)
    for words in (folded, bare):
        name = held.headings.get(words)
        if name and (words == folded or name in held.many):
            return Guess(name, 1.0, f"l’en-tête « {heading.strip()} » est connu")
    if len(folded) >= _LONG and (
        near := process.extractOne(folded, held.long_headings, scorer=fuzz.ratio, score_cutoff=_LIKE)
    ):
        reason = f"l’en-tête ressemble à « {near[0]} »"
        return Guess(held.headings[near[0]], round(near[1] / 100 * 0.95, 2), reason)
    return _by_first_words(folded, held)


def _by_first_words(folded: str, held: ColumnSet) -> Guess:
    words = folded.split()
    if not held.tells_other(folded):
        for length in range(len(words) - 1, 0, -1):
            start = " ".join(words[:length])
            if len(start) >= _LONG and start in held.headings:
                return Guess(held.headings[start], 0.65, f"l’en-tête commence par « {start} »")
    return Guess(None, 0.0, "en-tête inconnu")


def _by_content(cells: Sequence[str], held: ColumnSet) -> Guess:
    unknown = Guess(None, 0.0, "en-tête inconnu")
    return max(_looks_of(cells, held), key=lambda one: one.confidence, default=unknown)


def _looks_of(cells: Sequence[str], held: ColumnSet) -> Iterator[Guess]:
    """What the cells look like, most telling first."""
    if len(cells) < _FEW:
        return
    for name, looks_so, weight, what in held.contents:
        share = sum(map(looks_so, cells)) / len(cells)
        if share >= _SHARE:
            yield Guess(name, round(weight * share, 2), f"{share * 100:.0f} % des cellules sont des {what}")
    if held.long_text and sorted(map(len, cells))[len(cells) // 2] > _ABSTRACT:
        yield Guess(held.long_text, 0.6, "les cellules sont des textes de plusieurs lignes")


# -- catalogues


def _is_isbn(cell: str) -> bool:
    return regular_isbn(cell) is not None


def _is_issn(cell: str) -> bool:
    return len(cell) < 20 and regular_issn(cell) is not None


def _is_year(cell: str) -> bool:
    """A year alone: a full date may be that of anything."""
    return re.fullmatch(r"\D{0,5}(1[5-9]|20)\d\d\D{0,2}", cell) is not None


def _is_name(cell: str) -> bool:
    return re.match(r"[^\W\d_][\w’' -]{1,40}, ?[^\W\d_][\w.’' -]{0,30}(?:$|[;/|(])", cell) is not None


def _is_address(cell: str) -> bool:
    return re.match(r"https?://\S+$", cell) is not None


CATALOGUE = ColumnSet(
    names=COLUMN_NAMES,
    headings=headings_said(_HEADING_TEXT, COLUMN_NAMES),
    many=MANY,
    needed=MappingProxyType({"title": "indiquez quelle colonne contient les titres"}),
    looks=MappingProxyType(
        {
            "isbn": (_is_isbn, "un ISBN"),
            "issn": (_is_issn, "un ISSN"),
            "url": (_is_address, "une adresse"),
            "date": (lambda cell: re.search(r"\d{4}|\d/\d|n\.? ?d\.?", cell) is not None, "une date"),
        }
    ),
    contents=(  # an ISBN has a check digit, a year none: hence the weights
        ("isbn", _is_isbn, 0.95, "ISBN"),
        ("issn", _is_issn, 0.9, "ISSN"),
        ("url", _is_address, 0.9, "adresses"),
        ("agents", _is_name, 0.75, "noms « Nom, Prénom »"),
        ("date", _is_year, 0.7, "années"),
    ),
    long_text="abstract",
    others=re.compile(r"\b(acqui|achat|saisi|creat|creation|entree|modif|retour|pret|command|reception)"),
)
"""What a catalogue may hold; dates of what happened to a notice or a copy are not those of the work."""
