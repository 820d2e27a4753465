"""Every error that Carbet raises on purpose. They carry data; ``web`` says them in French.

::

    KBError
      ConfigError            a setting is unknown or has a value that cannot be read
        PortTaken            nobody can listen at this address
      NotFound               no such record, page or file                              (404)
      InvalidRecord          a record breaks a rule of ``kb.records``                  (400)
      InvalidValue           something typed in a form or a command is not possible    (400)
        WeakPassword         too short, too long or easily guessed
      Forbidden              the person lacks the right                                (403)
        NotSignedIn          nobody has signed in, and somebody must                   (401)
        OnTheSpot            the document is read at the centre only
        SignInRefused        the address, the password or the code is not right
      TooManyTries           tried too often; ``seconds`` says when to try again       (429)
      LinkExpired            the link of an invitation or a reset was used or is old   (410)
      Conflict               somebody else changed it in between                       (409)
        EmailTaken           another account has this address
        MoveRefused          a question cannot go from its state to that one
        LastAdministrator    nobody would be left to manage people
        Mirrored             the record is another centre's, and only that centre changes it
      StorageError           the data folder cannot be written: full, read-only, rights (503)
      ThesaurusError         the vocabulary breaks a rule of SKOS or of the house
      IngestError            a file did not become a record; ``reason`` says why
        UnsupportedFormat    no reader for such a file
        UnreadableDocument   damaged, empty, locked, too slow, too large
      ConnectionFailed       another machine could not be asked, or must not be; ``fault`` says why
      EnvelopeError          an envelope is not taken; ``reason`` says why (``kb.envelope_manifest``)
      HarvestError           a repository did not give what was asked; ``trouble`` says why
      SearchError
        QuerySyntaxError     strict parsing only; the search box never raises it
        UnsupportedQuery     this engine cannot answer this query
        IndexOutdated        the index is missing, damaged or of another version       (503)
        EngineUnavailable    the engine does not answer                                (503)
"""

from __future__ import annotations

from enum import StrEnum


class KBError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(KBError):
    """A setting is unknown or its value cannot be read."""


class PortTaken(ConfigError):
    """Nobody can listen at this address: another program does, or it is not ours."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"cannot listen at {host}:{port}")
        self.host = host
        self.port = port


class NotFound(KBError):
    """No such record, page or file."""

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"no {what} {key!r}")
        self.what = what
        self.key = key


class InvalidRecord(KBError):
    """A record breaks a rule of ``kb.records``; ``field`` names where."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class InvalidValue(KBError):
    """Something typed is not possible; ``why`` says so in French, for the person who typed it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class WeakPassword(InvalidValue):
    """Too short, too long or easily guessed; ``why`` is a code of ``kb.passwords.Weakness``."""


class Forbidden(KBError):
    """The person lacks the right."""


class NotSignedIn(Forbidden):
    """Nobody has signed in, and somebody must."""


class OnTheSpot(Forbidden):
    """The document is read at the centre only."""


class SignInRefused(Forbidden):
    """The address, the password or the code is not right; which of them is not said."""


class TooManyTries(KBError):
    """Tried too often."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries, wait {seconds} s")
        self.seconds = seconds


class LinkExpired(KBError):
    """The link of an invitation or of a reset was used already, or is too old, or never was."""


class Conflict(KBError):
    """Somebody else changed it in between."""


class EmailTaken(Conflict):
    """Another account has this address."""


class MoveRefused(Conflict):
    """A question cannot go from its state to that one; ``kb.questions.MOVES`` says which can."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a question that is {before} cannot become {after}")
        self.before = before
        self.after = after


class LastAdministrator(Conflict):
    """Nobody would be left to manage people."""


class Mirrored(Conflict):
    """The record is another centre's: it is read here, and changed there."""

    def __init__(self, id: str) -> None:
        super().__init__(f"{id} belongs to another centre")
        self.id = id


class StorageError(KBError):
    """The data folder cannot be written: the disk is full or read-only, or rights lack.

    No document is at fault. What was saved before stays, and the same may be tried again once there is room.
    """


class ThesaurusError(KBError):
    """The vocabulary breaks a rule; ``faults`` lists each one in English."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            "; ".join(faults[:5]) + (f" (and {len(faults) - 5} more)" if len(faults) > 5 else "")
        )
        self.faults = faults


class Reason(StrEnum):
    """Why a file did not become a record. ``web.messages`` says each in French, with what to do."""

    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    LOCKED = "locked"
    EMPTY = "empty"
    NO_TEXT = "no-text"
    TOO_SLOW = "too-slow"
    TOO_LARGE = "too-large"
    TOO_MUCH_MEMORY = "too-much-memory"
    TOO_DEEP = "too-deep"
    CRASHED = "crashed"
    MISSING = "missing"
    NOT_ALLOWED = "not-allowed"
    BAD_RECORDS = "bad-records"
    COLUMNS = "columns"


class IngestError(KBError):
    """A file did not become a record.

    ``reason`` is for programs and for the sentence shown; ``detail`` is the reader's own English
    words, for the log.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[IngestError], tuple[Reason, str]]:
        return type(self), (self.reason, self.detail)


class UnsupportedFormat(IngestError):
    """No reader for such a file."""


class UnreadableDocument(IngestError):
    """Damaged, empty, locked, too slow or too large."""


class SearchError(KBError):
    """Base of what goes wrong while searching."""


class QuerySyntaxError(SearchError):
    """Strict parsing only; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position})")
        self.position = position


class UnsupportedQuery(SearchError):
    """This engine cannot answer this query."""


class IndexOutdated(SearchError):
    """The index is missing, damaged or of another version: rebuild it."""


class EngineUnavailable(SearchError):
    """The engine does not answer."""


class Fault(StrEnum):
    """Why nothing was fetched. ``web.messages`` says each in French."""

    ADDRESS = "address"
    PRIVATE = "private"
    UNKNOWN_HOST = "unknown-host"
    NO_ANSWER = "no-answer"
    REFUSED = "refused"
    TLS = "tls"
    TOO_LARGE = "too-large"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    BROKEN = "broken"


class ConnectionFailed(KBError):
    """Nothing was fetched: ``fault`` says why, ``url`` where (without secrets), ``detail`` is for the log."""

    def __init__(self, fault: Fault, url: str, detail: str = "") -> None:
        super().__init__(f"{fault}: {url}" + (f": {detail}" if detail else ""))
        self.fault = fault
        self.url = url
        self.detail = detail

    def __reduce__(self) -> tuple[type[ConnectionFailed], tuple[Fault, str, str]]:
        return type(self), (self.fault, self.url, self.detail)


class Trouble(StrEnum):
    """Why a repository cannot be read. ``web.messages`` says each in French, with what to do."""

    NO_ANSWER = "no-answer"
    ADDRESS = "address"
    INSECURE = "insecure"
    TOO_LARGE = "too-large"
    NOT_OAI = "not-oai"
    BROKEN_XML = "broken-xml"
    BUSY = "busy"
    REFUSED = "refused"
    HTTP = "http"
    BAD_TOKEN = "bad-token"
    ENDLESS = "endless"
    NO_FORMAT = "no-format"
    PROTOCOL = "protocol"
    CLOCK = "clock"


class HarvestError(KBError):
    """A repository did not give what was asked. ``detail`` is English, for the log."""

    def __init__(self, trouble: Trouble, detail: str = "", url: str = "") -> None:
        super().__init__(f"{trouble}: {detail}" if detail else str(trouble))
        self.trouble = trouble
        self.detail = detail
        self.url = url

    def __reduce__(self) -> tuple[type[HarvestError], tuple[Trouble, str, str]]:
        return type(self), (self.trouble, self.detail, self.url)
