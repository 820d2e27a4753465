"""Searches that found nothing, counted: what people seek and the fund does not hold.

Hides what is kept of them: the folded words and how often in a month, nothing of who searched. What looks
personal (a number, an address, a first name beside a name) is not kept at all: a search says nothing about
who made it, but people search for people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kb.connection import Database
from kb.desk_tables import misses
from kb.french import fold
from kb.name_words import is_first_name, is_ordinary
from kb.personal_data import pieces_by_form, pieces_of_addresses

_LONGEST = 120
MOST = 2_000
"""Different texts kept of a month: a centre's readers miss some hundreds, a program that tries words out
without end fills no more than this."""

_PERSONAL = re.compile(r"@|\d(?:[\s.-]?\d){5,}|\bhttps?:|\b(?:m|mr|mme|mlle|monsieur|madame|mademoiselle)\b")
"""Addresses, long numbers, forms of address; in folded text."""

_YEARS = re.compile(r"\b(?:19|20)\d\d\s?[-/–]\s?(?:19|20)\d\d\b")
"""« contrat de ville 2015-2020 » has no long number."""

_SAINTS = frozenset({"saint", "sainte", "st", "ste"})


@dataclass(frozen=True, slots=True)
class Miss:
    """Words that found nothing, and how often."""

    text: str
    count: int


class Misses:
    """The searches without result of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, text: str, day: date) -> None:
        """Count a search; best effort: a page that is only read never waits for it."""
        words = " ".join(fold(text).split())
        if not 2 < len(words) <= _LONGEST or looks_personal(text):
            return
        month, m = f"{day:%Y-%m}", misses.c
        with self._database.reading() as connection:
            known = connection.scalar(sa.select(m.count).where(m.month == month, m.text == words))
            if known is None and _texts(connection, month) >= MOST:
                return
        if known is None:
            try:
                self._database.best_effort(misses.insert().values(month=month, text=words, count=1))
                return
            except IntegrityError:
                pass  # another process noted it meanwhile: this one is one more
        again = misses.update().where(m.month == month, m.text == words)
        self._database.best_effort(again.values(count=m.count + 1))

    def most(self, since: date, until: date, limit: int) -> Sequence[Miss]:
        """What was sought in vain most often in the months from one day to another, both included."""
        m = misses.c
        times = sa.func.sum(m.count)
        query = sa.select(m.text, times).where(m.month >= f"{since:%Y-%m}", m.month <= f"{until:%Y-%m}")
        query = query.group_by(m.text).order_by(times.desc(), m.text).limit(limit)
        with self._database.reading() as connection:
            return [Miss(text, int(count)) for text, count in connection.execute(query)]

    def forget(self, before: date) -> None:
        """Let go of the months before that day's."""
        with self._database.writing() as connection:
            connection.execute(misses.delete().where(misses.c.month < f"{before:%Y-%m}"))


def _texts(connection: sa.Connection, month: str) -> int:
    query = sa.select(sa.func.count()).select_from(misses).where(misses.c.month == month)
    return connection.scalar(query) or 0


def looks_personal(text: str) -> bool:
    """Whether words that somebody typed look as if they said something of a person. It would rather be wrong
    about a writer than keep a name: « joseph zobel » is one."""
    folded = " ".join(fold(text).split())
    if (
        _PERSONAL.search(_YEARS.sub(" ", folded))
        or any(pieces_by_form(text))
        or any(pieces_of_addresses(text))
    ):
        return True
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", folded)
    names = [is_first_name(word) and (n == 0 or words[n - 1] not in _SAINTS) for n, word in enumerate(words)]
    return any(
        names[n] and any(not is_ordinary(word) for word in (*words[max(0, n - 1) : n], *words[n + 1 : n + 2]))
        for n in range(len(words))
    )
