"""What an OAI-PMH request says, and all that is wrong with it before anything is looked up.

Hides which arguments go with which verb and how their values are written. Source: the Open Archives
Initiative Protocol for Metadata Harvesting 2.0, sections 3.1, 3.3, 3.6 and 4. A request is told of all its
faults at once (3.6).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from kb.errors import KBError

IDENTIFY, FORMATS, SETS = "Identify", "ListMetadataFormats", "ListSets"
RECORD, IDENTIFIERS, RECORDS = "GetRecord", "ListIdentifiers", "ListRecords"
TOKEN = "resumptionToken"


class Code(StrEnum):
    """The errors of the protocol (3.6). ``noSetHierarchy`` is not among them: there always are sets."""

    VERB = "badVerb"
    ARGUMENT = "badArgument"
    TOKEN = "badResumptionToken"
    FORMAT = "cannotDisseminateFormat"
    IDENTIFIER = "idDoesNotExist"
    NO_FORMATS = "noMetadataFormats"
    NOTHING = "noRecordsMatch"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in French for those who look at a harvest that fails."""

    code: Code
    said: str


class Refused(KBError):
    """A request that gets errors instead of an answer."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.code}: {fault.said}" for fault in faults))
        self.faults = tuple(faults)


def refused(code: Code, said: str) -> Refused:
    """For one fault."""
    return Refused([Fault(code, said)])


@dataclass(frozen=True, slots=True)
class _Rule:
    """Arguments of a verb: those that must be there, those that may, whether a token may stand instead."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    resumes: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.required, *self.optional, *((TOKEN,) if self.resumes else ()))


_LISTS = _Rule(("metadataPrefix",), ("from", "until", "set"), resumes=True)
_RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        IDENTIFY: _Rule(),
        FORMATS: _Rule(optional=("identifier",)),
        SETS: _Rule(resumes=True),
        RECORD: _Rule(("identifier", "metadataPrefix")),
        IDENTIFIERS: _LISTS,
        RECORDS: _LISTS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that can be tried. ``said`` holds the verb and the arguments as they were written; times run
    from ``since`` on and before ``before`` (UTC)."""

    said: Mapping[str, str]
    since: datetime | None = None
    before: datetime | None = None

    @property
    def verb(self) -> str:
        """One of the six."""
        return self.said["verb"]

    @property
    def token(self) -> str | None:
        """Where a list goes on; None at its beginning."""
        return self.said.get(TOKEN)


def read(pairs: Iterable[tuple[str, str]]) -> Asked:
    """The request that these arguments make. Raises Refused for badVerb and badArgument."""
    given = list(pairs)
    verbs = [value for name, value in given if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in _RULES:
        known = ", ".join(_RULES)
        raise refused(Code.VERB, f"Donnez l’argument verb une fois, avec l’un de ces mots\u00a0: {known}.")
    said, rule = dict(given), _RULES[verbs[0]]
    names = [name for name, _ in given if name != "verb"]
    since, until = (_moment(said.get(name, "")) for name in ("from", "until"))
    values = {name: value for name, value in said.items() if name in rule.known}
    found = [*_misplaced(rule, names), *_miswritten(values), *_misdated(values, since, until)]
    if found:
        raise Refused([Fault(Code.ARGUMENT, told) for told in found])
    return Asked(said=said, since=since, before=_after(until, said.get("until", "")))


def _misplaced(rule: _Rule, names: Sequence[str]) -> Iterator[str]:
    counted = Counter(names)
    for name, times in counted.items():
        if name not in rule.known:
            yield f"L’argument {name:.60} n’est pas de ceux de ce verbe."
        elif times > 1:
            yield f"L’argument {name} est donné {times} fois."
    if TOKEN in counted and rule.resumes:
        if len(counted) > 1:
            yield f"L’argument {TOKEN} se donne seul."
        return
    for name in rule.required:
        if name not in counted:
            yield f"L’argument {name} manque."


_WORD = r"[A-Za-z0-9\-_.!~*'()]+"
_FORMS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "metadataPrefix": re.compile(_WORD),
        "set": re.compile(f"{_WORD}(:{_WORD})*"),
        # What no URI has (RFC 3986, 2); of the others, whether it is one of ours says idDoesNotExist.
        "identifier": re.compile(r"[^\x00-\x20\x7f<>\"{}|\\^`]+"),
        "from": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?"),
        "until": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?"),
    }
)
"""How values are written: the protocol's schema (metadataPrefixType, setSpecType) and section 3.3.1."""
_A_DAY = len("YYYY-MM-DD")


def _miswritten(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        form = _FORMS.get(name)
        if form is None:
            continue
        if not form.fullmatch(value) or (name in ("from", "until") and _moment(value) is None):
            yield f"La valeur de {name} n’est pas écrite comme il le faut\u00a0: «\u00a0{value:.80}\u00a0»."


def _misdated(values: Mapping[str, str], since: datetime | None, until: datetime | None) -> Iterator[str]:
    if since is None or until is None or not values.keys() >= {"from", "until"}:
        return
    if len(values["from"]) != len(values["until"]):
        yield "Les valeurs de from et de until n’ont pas la même précision."
    elif since > until:
        yield "La valeur de from est après celle de until."


def _moment(text: str) -> datetime | None:
    """The beginning of a day or a second, UTC; None for what is no date."""
    if not _FORMS["from"].fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def _after(until: datetime | None, text: str) -> datetime | None:
    """The beginning of the next day or second: ``until`` is inclusive (2.7.1)."""
    if until is None:
        return None
    try:
        return until + (timedelta(days=1) if len(text) == _A_DAY else timedelta(seconds=1))
    except OverflowError:
        return None  # the end of all times
