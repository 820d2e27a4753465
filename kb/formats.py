"""What the crosswalks of ``kb`` share: plain text, and the words that catalogues have for types of document,
languages and states of copies.

Crosswalks go from a format to *fields*: keyword arguments of ``Record`` (all but ``id`` and ``host``), and
"hosts": ways, the surest first, to find the work that this one is a part of, as (kind, value), kind being
"record", "isbn", "issn" or "title".
"""

from __future__ import annotations

import re
from typing import Any

from kb.french import fold
from kb.records import TYPES

Fields = dict[str, Any]
"""Keyword arguments of ``Record`` by name."""

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
