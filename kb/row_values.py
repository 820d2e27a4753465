"""What the cells of a log say: moments, durations, levels, channels, states, as people type them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from kb.french import fold
from kb.questions import Channel
from kb.records import regular_date
from kb.servicelog import EFFORTS, MOST_MINUTES

NOON = time(12)
"""When something happened of which only the day is known."""

_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets (OpenDocument 1.3, part 4, 4.3.3)
_SERIALS = range(29_221, 73_051)  # days that spreadsheets count so, of 1980 to 2099: others are other numbers
_WHOLE_DAY = 10  # characters of a date that tells its day
_CLOCK = re.compile(r"[\sTà]([01]?\d|2[0-3])\s?[:hH]\s?([0-5]\d)?(?::[0-5]\d(?:\.\d+)?)?\s*$")
_SHORT_YEAR = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-](\d\d)(?![\d/.-])")
_THIS_CENTURY = 69  # « 68 » is 2068, « 69 » 1969: as POSIX reads two digits of a year (strptime, %y)


def moment_said(said: str, zone: ZoneInfo) -> datetime | None:
    """The moment (UTC) that a cell tells in the clock of the place: a day, at noon unless an hour is told.

    Reads what ``regular_date`` reads, « 03/04/19 », « 03-04-2019 » and the number that a spreadsheet keeps
    for a date.
    """
    text = said.strip()
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?", text):
        number = float(text.replace(",", "."))
        return _moment(_EPOCH + timedelta(int(number)), NOON, zone) if int(number) in _SERIALS else None
    clock = _CLOCK.search(text)
    day = regular_date(re.sub(r"(?<!\d)(\d{1,2})-(\d{1,2})-(\d{4})", r"\1/\2/\3", _with_century(text)))
    if day is None or len(day) != _WHOLE_DAY:
        return None
    at = time(int(clock[1]), int(clock[2] or 0)) if clock else NOON
    return _moment(date.fromisoformat(day), at, zone)


def _with_century(text: str) -> str:
    def whole(found: re.Match[str]) -> str:
        century = 20 if int(found[3]) < _THIS_CENTURY else 19
        return f"{found[1]}/{found[2]}/{century}{found[3]}"

    return _SHORT_YEAR.sub(whole, text, count=1)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


_HOURS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:h|heures?)\s*(\d{1,2})?\s*(?:m|mn|min|minutes?)?\.?")
_CLOCKED = re.compile(r"(\d{1,2}):([0-5]\d)(?::[0-5]\d)?")
_MINUTES = re.compile(r"(\d+)(?:[.,]0+)?\s*(?:m|mn|min|minutes?|')?\.?")


def minutes_said(said: str) -> int | None:
    """« 45 », « 1h30 », « 0,5 h », « 01:30 » as minutes; None for what is no duration of one answer."""
    text = fold(said).strip()
    if found := _MINUTES.fullmatch(text):
        minutes = int(found[1])
    elif found := _HOURS.fullmatch(text):
        minutes = round(float(found[1].replace(",", ".")) * 60) + int(found[2] or 0)
    elif found := _CLOCKED.fullmatch(text):
        minutes = int(found[1]) * 60 + int(found[2])
    else:
        return None
    return minutes if minutes <= MOST_MINUTES else None


def effort_said(said: str) -> int | None:
    """« 3 », « READ 3 », « niveau 3 »."""
    found = re.fullmatch(r"\D{0,20}(\d)(?:[.,]0+)?(?:\s*/\s*6)?\D{0,3}", said.strip())
    return int(found[1]) if found and int(found[1]) in EFFORTS else None


CHANNELS: Mapping[str, Channel] = MappingProxyType(
    {
        **dict.fromkeys(
            ("courriel", "mail", "e-mail", "email", "mel", "message", "courrier electronique", "messagerie"),
            Channel.EMAIL,
        ),
        **dict.fromkeys(
            ("telephone", "tel", "appel", "appel telephonique", "par telephone", "phone", "sms"),
            Channel.TELEPHONE,
        ),
        **dict.fromkeys(
            ("visite", "accueil", "sur place", "presentiel", "rdv", "rendez-vous", "physique", "au centre"),
            Channel.VISIT,
        ),
        **dict.fromkeys(
            ("courrier", "lettre", "courrier postal", "poste", "fax", "par courrier"), Channel.LETTER
        ),
        **dict.fromkeys(
            ("formulaire", "site", "web", "internet", "formulaire en ligne", "site internet", "en ligne"),
            Channel.FORM,
        ),
        **{str(channel): channel for channel in Channel},
    }
)
"""Folded word -> channel."""


class Told(StrEnum):
    """What a log says of the state of a question."""

    NEW = "new"
    IN_HAND = "in_hand"
    WAITING = "waiting"
    ANSWERED = "answered"
    ENDED = "ended"  # with or without an answer
    GIVEN_UP = "given_up"


_STATE_TEXT = """
new: recue|recu|nouvelle|nouveau|a traiter|ouverte|ouvert|a faire|non commencee|received
in_hand: en cours|en cours de traitement|prise en charge|en traitement|attribuee|en main|in hand|in_hand
waiting: en attente|attente|en attente du demandeur|en attente de precision|en attente de precisions|waiting
answered: repondue|repondu|reponse envoyee|reponse donnee|answered|published|publiee
ended: close|clos
ended: cloturee|cloture|terminee|termine|traitee|traite|fait|faite|ok|resolue|resolu|finie|fini|closed
given_up: sans suite
given_up: abandonnee|abandonne|annulee|annule|sans reponse|non traitee|refusee|hors champ|reorientee
"""
STATES: Mapping[str, Told] = MappingProxyType(
    {
        word.strip(): Told(state.strip())
        for state, _, words in (line.partition(":") for line in _STATE_TEXT.strip().splitlines())
        for word in words.split("|")
    }
)
"""Folded word -> what it tells."""

YES = frozenset(("oui", "o", "x", "1", "vrai", "true", "yes", "ok"))
"""Folded words that agree."""
