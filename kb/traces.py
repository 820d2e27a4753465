"""What one known person leaves in texts: their name, address and telephone number, however they are typed.

Hides how a name is told from the same word that means something else. It serves forgetting, so it takes too
much rather than too little: « le Marin » goes with Mme Marin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.askers import Asker
from kb.french import fold
from kb.name_lexicon import CIVILITIES, STOP
from kb.name_words import is_ordinary

_SHORTEST = 3  # letters of a part of a name: « Ly » alone would take half of a text
_PHONE_DIGITS = 9  # of a French number without its 0 or its country
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_UNSEEN = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")  # of no width
_PIECE = re.compile(r"[^\W\d_]+")


class Traces:
    """What tells who one person is."""

    def __init__(self, person: Asker) -> None:
        pieces = _PIECE.findall(fold(person.name or ""))
        self._names = frozenset(
            piece for piece in pieces if len(piece) >= _SHORTEST and piece not in STOP | CIVILITIES
        )
        patterns = [*_address(person.email), *_phone(person.phone)]
        self._marks = [(re.compile(pattern, re.IGNORECASE), words) for pattern, words in patterns]

    def removed(self, text: str) -> str:
        """The text without them, and without characters that nobody sees: one inside a name hides it."""
        text = _UNSEEN.sub("", text)
        for mark, words in self._marks:
            text = mark.sub(words, text)
        return _WORD.sub(self._unnamed, text) if self._names else text

    def stand_in(self, text: str) -> bool:
        """Whether the text tells who they are."""
        return self.removed(text) != _UNSEEN.sub("", text)

    def _unnamed(self, word: re.Match[str]) -> str:
        """« Marin » for a person of that name, and « marin » only if it is no word of French."""
        said = word[0]
        pieces = _PIECE.findall(fold(said))
        own = [piece for piece in pieces if piece in self._names]
        if not own or (all(map(is_ordinary, own)) and not said[:1].isupper()):
            return said
        if len(own) == len(pieces):
            return "[nom]"
        return _PIECE.sub(lambda piece: "[nom]" if fold(piece[0]) in self._names else piece[0], said)


def _address(email: str | None) -> Iterable[tuple[str, str]]:
    if email:
        # In Markdown a sign may be escaped: « anne\_marie@... ».
        yield "".join(c if c.isalnum() else rf"\\?{re.escape(c)}" for c in email), "[courriel]"


def _phone(phone: str | None) -> Iterable[tuple[str, str]]:
    """The last nine digits, whatever stands before and between them."""
    digits = re.sub(r"\D", "", phone or "")[-_PHONE_DIGITS:]
    if digits:
        between = r"[\s.,/()\-]{0,3}"
        yield (
            rf"(?<!\d)(?:\+|00)?(?:\d{{1,3}}{between})?\(?0?\)?{between}{between.join(digits)}(?!\d)",
            "[téléphone]",
        )
