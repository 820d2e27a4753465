"""Passwords: how they are kept (argon2id) and which are refused.

Hides the hashing parameters and the lists of what everybody tries first. Rules after NIST SP 800-63B, 3.1.1:
a minimum length, no composition rules, refused when it is common, leaked, made of a pattern of the keyboard
or of what is known of the person. Everything is looked up here, without network.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kb.french import fold

SHORTEST = 12
LONGEST = 128
GUESSES = 1_000_000_000
"""Guesses, by zxcvbn's estimate, below which a password is refused: what a stolen argon2id hash withstands
for months on one machine, and what 12 letters of which 8 are a common word do not reach."""

_LOOKED_AT = 64  # characters given to the estimate, whose cost grows with the square of them

_FRENCH = (Path(__file__).parent / "common-words.txt").read_text(encoding="utf-8").split()
"""French and local words that people build passwords on, which the English lists of zxcvbn lack."""


class Weakness(StrEnum):
    """Why a password is refused. ``web.messages`` says each in French."""

    SHORT = "short"
    LONG = "long"
    GUESSABLE = "guessable"


_at_once = BoundedSemaphore(2)  # each hash takes 64 MiB: more at once would only wait for the processor
_hasher = PasswordHasher()  # RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes


def weakness(password: str, known: Iterable[str] = ()) -> Weakness | None:
    """Why this password is refused; None when it is good. ``known``: words somebody who knows the person
    would try (name, address, centre)."""
    if len(_regular(password)) < SHORTEST:
        return Weakness.SHORT
    if len(_regular(password)) > LONGEST:
        return Weakness.LONG
    return Weakness.GUESSABLE if _guesses(password, known) < GUESSES else None


def _guesses(password: str, known: Iterable[str]) -> float:
    """Fewest guesses of the password as typed, without accents, and of what it only repeats."""
    from zxcvbn import zxcvbn  # loads its lists: 60 ms that only this needs

    words = [*_FRENCH, *(word for text in known for word in _tried(text))]
    typed = _regular(password)
    forms = {form[:_LOOKED_AT] for form in (typed, fold(typed), re.sub(r"\W", "", fold(typed)))}
    return min(float(zxcvbn(form, user_inputs=words)["guesses"]) for form in forms if form)


def _tried(text: str) -> list[str]:
    """The words of a name or an address, apart and run together."""
    words = re.findall(r"\w{3,}", fold(text))
    return [*words, "".join(words), *(first + second for first, second in itertools.pairwise(words))]


def hashed(password: str) -> str:
    """The argon2id hash to keep."""
    with _at_once:
        return _hasher.hash(_regular(password))


def verified(password: str, kept: str | None) -> bool:
    """Whether the password is the one that was hashed. Takes the same time when there is none."""
    try:
        with _at_once:
            return _hasher.verify(kept or _nobody(), _regular(password)[: 4 * LONGEST]) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def prepare() -> None:
    """Make the hash of nobody now, so that the first unknown address takes no longer than the others."""
    _nobody()


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")


def _regular(password: str) -> str:
    """The same password however the keyboard composes accents (RFC 8265: NFC for passwords)."""
    return unicodedata.normalize("NFC", password)
