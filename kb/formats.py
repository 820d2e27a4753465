"""What the crosswalks of ``kb`` share: plain text, and the words that catalogues have for types of document,
languages and states of copies.

Crosswalks go from a format to *fields*: keyword arguments of ``Record`` (all but ``id`` and ``host``), and
"hosts": ways, the surest first, to find the work that this one is a part of, as (kind, value), kind being
"record", "isbn", "issn" or "title".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.french import fold
from kb.records import TYPES, Record

Fields = dict[str, Any]
"""Keyword arguments of ``Record`` by name."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A record as it goes out, with the work that it is a part of. ``subjects`` are the labels of its
    accepted subjects, by URI."""

    record: Record
    subjects: Mapping[str, str] = field(default_factory=dict)
    host: Record | None = None

    @property
    def number(self) -> str:
        """Number under which the record is known elsewhere."""
        return source_number(self.record)

    @property
    def keywords(self) -> tuple[str, ...]:
        """Subjects and free key words, each once."""
        return tuple(dict.fromkeys((*self.subjects.values(), *self.record.keywords)))


_LANGUAGE_TEXT = """
fre:fr fra:fr eng:en spa:es ger:de deu:de ita:it por:pt dut:nl nld:nl crp:gcf cpf:gcf gcf:gcf hat:ht
francais:fr anglais:en espagnol:es portugais:pt creole:gcf italien:it allemand:de neerlandais:nl
"""
LANGUAGES = dict(pair.split(":") for pair in _LANGUAGE_TEXT.split())
"""Codes and French names of languages, folded -> BCP 47."""

_TYPE_TEXT = """
livre:ouvrage monographie:ouvrage ouvrages:ouvrage guide:guide fiche:fiche revue:periodique article:article
these:these memoire:these actes:actes numero:numero dvd:audiovisuel video:audiovisuel carte:carte plan:carte
loi:texte-officiel diagnostic:diagnostic convention:convention lettre:lettre presse:presse
"""
_TYPE_NAMES = {fold(name): code for code, name in TYPES.items()}
_TYPE_NAMES |= dict(pair.split(":") for pair in _TYPE_TEXT.split())
_TYPE_NAMES |= {"revue de presse": "presse", "dossier de presse": "presse", "appel a projets": "appel"}


def plain(value: str) -> str:
    """Without the marks of non-sorting (U+0098, U+009C) and blanks in a row."""
    return re.sub(r"\s+", " ", re.sub(r"[\u0088\u0089\u0098\u009c]", "", value)).strip()


def joined(values: Any, by: str = " : ") -> str | None:
    """Those that say something, made plain; None if none does."""
    return by.join(said for value in values if (said := plain(value))) or None


def regular_doi(said: str) -> str | None:
    """The DOI in ``said`` without the address of its resolver (ISO 26324: "10.", a number, "/", anything);
    None if there is none."""
    found = re.search(r"\b10\.\d{4,9}/\S+", said)
    return found.group() if found else None


def type_named(said: str) -> str | None:
    """Code of a document type by its code or one of its French names."""
    return said if said in TYPES else _TYPE_NAMES.get(fold(said))


def status_said(said: str | None) -> str:
    """Status of a copy from the free words of 995 $r or of a column."""
    plain = fold(said or "")
    for status, words in _STATUSES.items():
        if any(word in plain for word in words):
            return status
    return "available"


_STATUSES = {
    "onsite": ("sur place", "exclu du pret", "consultation"),
    "missing": ("manquant", "perdu", "pilon"),
    "lent": ("prete", "sorti", "en pret"),
}


# -- what catalogue formats say of our own records

OURS = "carbet"
"""Code by which a record in a format of catalogues is known as made here, and its words as exact."""

ACCESS_SAID = {
    "network": "Accès réservé au réseau des centres de ressources",
    "staff": "Accès réservé à l’équipe du centre",
    "onsite": "Consultation sur place uniquement",
}
"""Code of a restricted access -> the note that says it."""

STATUS_SAID = {
    "available": "disponible",
    "lent": "prêté",
    "onsite": "consultation sur place",
    "missing": "manquant",
}
"""Status of a copy -> words that ``status_said`` understands."""


def access_said(note: str | None) -> str | None:
    """Code of the access that one of our own notes says; None for any other note."""
    return next((code for code, said in ACCESS_SAID.items() if note and fold(note) == fold(said)), None)


def source_number(record: Record) -> str:
    """Number under which the record is known elsewhere: that of its source with its agency's code, else
    "centre/number", which means the same record everywhere."""
    return record.identifiers.get("record") or record.id.replace(":", "/")


def spoken(name: str) -> str:
    """ "Family, Given" as people say it: "Given Family"."""
    family, _, given = name.partition(", ")
    return f"{given} {family}" if given else name


_CODE_TEXT = """
afr:af ara:ar arm:hy bam:bm baq:eu bel:be ben:bn bos:bs bre:br bul:bg cat:ca chi:zh cos:co cze:cs dan:da
est:et fij:fj fin:fi ful:ff geo:ka gre:el heb:he hin:hi hrv:hr hun:hu ice:is ind:id gle:ga jpn:ja kaz:kk
khm:km kon:kg kor:ko lao:lo lat:la lav:lv lin:ln lit:lt ltz:lb mac:mk mao:mi may:ms mlg:mg mlt:mt mon:mn
nep:ne nor:no oci:oc per:fa pol:pl que:qu rum:ro run:rn rus:ru kin:rw sag:sg slo:sk slv:sl sna:sn som:so
srp:sr swa:sw swe:sv tam:ta tgl:tl tha:th tah:ty tur:tr ukr:uk urd:ur vie:vi wel:cy wol:wo yor:yo zul:zu
eus:eu zho:zh ces:cs ell:el fas:fa hye:hy isl:is kat:ka mkd:mk mri:mi msa:ms ron:ro slk:sk cym:cy
"""
_MARC_LANGUAGES = dict(pair.split(":") for pair in _CODE_TEXT.split())
_MARC_LANGUAGES |= {code: tag for code, tag in LANGUAGES.items() if len(code) == 3}
_MARC_CODES = {tag: code for code, tag in reversed(_MARC_LANGUAGES.items())} | {
    tag: code for code, tag in reversed(LANGUAGES.items()) if len(code) == 3
}
_MARC_CODES["gcf"] = "cpf"  # ISO 639-2 has no code for it but that of all French creoles


def language_said(code: str | None) -> str | None:
    """BCP 47 of a code of ISO 639-2, bibliographic or not; several run together count as the first."""
    return _MARC_LANGUAGES.get((code or "").lower()[:3], code) if code and len(code) % 3 == 0 else code


def language_code(tag: str) -> str:
    """The bibliographic code of ISO 639-2 for a tag of BCP 47, the tag itself if it has none."""
    return _MARC_CODES.get(tag, tag)


def extent_parts(extent: str) -> tuple[str | None, ...]:
    """Pages, illustrations, size and what comes with it, parted at the signs of ISBD so that they are read
    back as they were; all in the first when that is not possible."""
    found = re.fullmatch(r"(.+?)(?: : (.+?))?(?: ; (.+?))?(?: \+ (.+))?", extent, re.DOTALL)
    if found is None or any(part and part != part.strip() for part in found.groups()):
        return (extent, None, None, None)
    return found.groups()
