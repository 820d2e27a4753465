"""Asking other repositories for their records by OAI-PMH 2.0, page after page, however they behave.

Hides the conversation: addresses that have a query of their own, dates in the granularity of the server, what
is asked again and after how long, and lists that never end. Nothing is written: the caller keeps what a batch
holds, and its token, to go on where it was. What one request may take in bytes and seconds is the caller's to
say, in ``get``.

Source: https://www.openarchives.org/OAI/openarchivesprotocol.html (2.0), and its guidelines for harvesters.
"""

# ruff: noqa: PT028 - ``tested`` is no test

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from ingest import oai_reading as reading
from ingest.connector import Fetched
from ingest.oai_reading import Answer, Identity, Item
from kb.errors import ConnectionFailed, Fault, HarvestError, Trouble


class Get(Protocol):
    """``Connector.get``, or the same with limits already given. Raises ConnectionFailed."""

    def __call__(self, url: str, *, headers: Mapping[str, str]) -> Fetched:
        """What is at this address, whatever its status."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: a metadata prefix, a set, and the records that changed between two moments (UTC).

    ``since`` should be the ``at`` of the first batch of the harvest before: the server's clock, not ours.
    """

    prefix: str
    set: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of records. ``token`` leads to the next, None after the last; ``at`` is when the server wrote
    it, by its own clock where that can be believed; ``size`` is what it says the whole list has; ``skipped``
    are French sentences on what could not be read. After a page that is not ``complete``, it having been cut
    off, a HarvestError follows."""

    items: tuple[Item, ...]
    token: str | None
    at: datetime
    size: int | None = None
    skipped: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is borne with.

    A page that fails is asked ``tries`` times, ``pause`` seconds apart, then twice that, and so on. A server
    that asks to wait is waited for ``waits`` times a page. All pauses of a harvest together are ``seconds``
    at most. After ``idle`` pages in a row with nothing new, or ``pages`` in all, a list is taken for endless:
    some servers filter each page after it is made and send many that are empty, but not so many; 20,000
    pages are two million records with the pages of 100 that most servers make.
    """

    tries: int = 4
    pause: float = 2.0
    waits: int = 10
    seconds: float = 3600.0
    idle: int = 25
    pages: int = 20_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a repository; ``warnings`` are French sentences, ``first`` its first page."""

    identity: Identity
    formats: tuple[str, ...]
    sets: tuple[tuple[str, str], ...]
    first: Batch
    warnings: tuple[str, ...]


USUAL = Patience()
TRIAL = Patience(tries=2, pause=1.0, waits=1, seconds=5.0, idle=3, pages=20)
"""For a person who waits in front of a page."""

Sleep = Callable[[float], None]
Clock = Callable[[], datetime]
Headers = Mapping[str, str]
_NONE: Headers = {}


def _now() -> datetime:
    return datetime.now(UTC)


# -- what is asked

_ARGUMENTS = {"verb", "metadataPrefix", "set", "from", "until", "resumptionToken", "identifier"}


def request_url(base: str, arguments: Mapping[str, str | None]) -> str:
    """The address of a request. The query that the base has of its own stays as it is, but for arguments of
    the protocol: people paste the address of a request."""
    parts = urlsplit(base.strip())
    own = [one for one in parts.query.split("&") if one and unquote(one.partition("=")[0]) not in _ARGUMENTS]
    given = {name: value for name, value in arguments.items() if value is not None}
    query = "&".join([*own, urlencode(given, quote_via=quote, safe="")])
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))


@dataclass(eq=False)
class _Again(Exception):
    """A request that may succeed later: ``wait`` seconds if the server says so, ``busy`` if it asks to be
    left alone. ``answer`` is what came all the same."""

    error: HarvestError
    wait: float | None = None
    busy: bool = False
    answer: Answer | None = None


_FAULTS: Mapping[Fault, Trouble] = {
    Fault.ADDRESS: Trouble.ADDRESS,
    Fault.PRIVATE: Trouble.ADDRESS,
    Fault.TLS: Trouble.INSECURE,
    Fault.TOO_LARGE: Trouble.TOO_LARGE,
    Fault.TOO_MANY_REDIRECTS: Trouble.HTTP,
}
"""Faults that asking again does not mend; the others are NO_ANSWER."""


@dataclass(slots=True)
class _Talk:
    """Requests to one repository, and how long it was waited for in all."""

    get: Get
    base: str
    headers: Mapping[str, str]
    patience: Patience
    sleep: Sleep
    clock: Clock
    waited: float = 0.0

    def ask(self, **arguments: str | None) -> Answer:
        """The answer, which may hold errors of the protocol, or be incomplete when asking again did not
        help. Raises HarvestError."""
        tries = waits = 0
        url = request_url(self.base, {name.rstrip("_"): value for name, value in arguments.items()})
        while True:
            try:
                return self._once(url)
            except _Again as again:
                tries, waits = tries + (not again.busy), waits + again.busy
                pause = self.patience.pause * 2 ** (tries + waits - 1) if again.wait is None else again.wait
                over = tries >= self.patience.tries or waits > self.patience.waits
                if over or self.waited + pause > self.patience.seconds:
                    if again.answer is not None:
                        return again.answer
                    raise again.error from again.__cause__
            self.waited += pause
            self.sleep(pause)

    def _once(self, url: str) -> Answer:
        fetched = self._fetch(url)
        if "verb=" not in urlsplit(fetched.url).query:
            fetched = self._follow(fetched.url, url)
        if fetched.status in (429, 503):
            error = HarvestError(Trouble.BUSY, f"status {fetched.status}", fetched.url)
            raise _Again(error, wait=_retry_after(fetched.headers, self.clock), busy=True)
        if fetched.status in (401, 403):
            raise HarvestError(Trouble.REFUSED, f"status {fetched.status}", fetched.url)
        answer = _read(fetched)
        if not (answer.complete or answer.errors):
            raise _Again(HarvestError(Trouble.BROKEN_XML, "cut off", fetched.url), answer=answer)
        return answer

    def _fetch(self, url: str, *, bare: bool = False) -> Fetched:
        try:
            return self.get(url, headers=_NONE if bare else self.headers)
        except ConnectionFailed as failed:
            trouble = _FAULTS.get(failed.fault, Trouble.NO_ANSWER)
            error = HarvestError(trouble, f"{failed.fault}: {failed.detail}", failed.url)
            if failed.fault in _FAULTS:
                raise error from failed
            raise _Again(error) from failed

    def _follow(self, place: str, url: str) -> Fetched:
        """A redirect that lost the query: ask again there. No secret goes to another host."""
        asked, found = urlsplit(url), urlsplit(place)
        there = urlunsplit((found.scheme, found.netloc, found.path, asked.query, ""))
        same = (asked.netloc, asked.scheme) == (found.netloc, found.scheme)
        return self._fetch(there, bare=not same)


def _read(fetched: Fetched) -> Answer:
    """Errors of the protocol are read whatever the status: some servers send them with 400 or 404."""
    failure = HarvestError(Trouble.HTTP, f"status {fetched.status}", fetched.url)
    try:
        answer = reading.read(fetched.body, _charset(fetched.headers), fetched.url)
        if fetched.status < 300 or answer.errors:
            return answer
    except HarvestError as error:
        if fetched.status < 300:
            if error.trouble is Trouble.BROKEN_XML:
                raise _Again(error) from error
            raise
    if fetched.status >= 500:
        raise _Again(failure)
    raise failure


def _charset(headers: Mapping[str, str]) -> str | None:
    return headers.get("content-type", "").partition("charset=")[2].split(";")[0].strip("\"' ") or None


def _retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds of Retry-After (RFC 9110, 10.2.3). A date is the server's, so it is counted from its Date."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal() and len(told) < 10:
        return float(told)
    until = _http_date(told)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(headers.get("date", "")) or clock())).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# -- what is answered

_CODES: Mapping[str, Trouble] = {
    "badResumptionToken": Trouble.BAD_TOKEN,
    "cannotDisseminateFormat": Trouble.NO_FORMAT,
}


def _check(answer: Answer, *accepted: str, token: str | None = None) -> None:
    """Raises HarvestError for the errors of an answer, but for those that are no fault. A request with a
    token has no other argument that could be bad."""
    codes = {code for code, _ in answer.errors} - set(accepted)
    if not codes:
        return
    found = next((trouble for code, trouble in _CODES.items() if code in codes), Trouble.PROTOCOL)
    if token and "badArgument" in codes:
        found = Trouble.BAD_TOKEN
    raise HarvestError(found, reading.words(answer.errors), answer.url)


def identify(
    get: Get, base: str, headers: Headers = _NONE, *, patience: Patience = USUAL, sleep: Sleep = time.sleep
) -> Identity:
    """What a repository says of itself. Raises HarvestError."""
    return _identify(_Talk(get, base, headers, patience, sleep, _now))[0]


def _identify(talk: _Talk) -> tuple[Identity, datetime | None]:
    answer = talk.ask(verb="Identify")
    _check(answer)
    _whole(answer)
    return reading.identity(answer), answer.at


def _whole(answer: Answer) -> None:
    if not answer.complete:
        raise HarvestError(Trouble.BROKEN_XML, "cut off", answer.url)


def formats(
    get: Get, base: str, headers: Headers = _NONE, *, patience: Patience = USUAL, sleep: Sleep = time.sleep
) -> tuple[str, ...]:
    """The metadata prefixes that a repository has. Raises HarvestError."""
    return _formats(_Talk(get, base, headers, patience, sleep, _now))


def _formats(talk: _Talk) -> tuple[str, ...]:
    answer = talk.ask(verb="ListMetadataFormats")
    _check(answer, "noMetadataFormats")
    _whole(answer)
    return () if answer.errors else reading.formats(answer)


def sets(
    get: Get, base: str, headers: Headers = _NONE, *, patience: Patience = USUAL, sleep: Sleep = time.sleep
) -> tuple[tuple[str, str], ...]:
    """(spec, name) of each set, () when the repository has none. Raises HarvestError."""
    return _sets(_Talk(get, base, headers, patience, sleep, _now))


def _sets(talk: _Talk) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    progress = _Progress(talk.patience)
    token: str | None = None
    while True:
        answer = talk.ask(verb="ListSets", resumptionToken=token)
        _check(answer, "noSetHierarchy", token=token)
        _whole(answer)
        if answer.errors:
            return ()
        page, token = reading.sets(answer)
        new = dict(page).keys() - found.keys()
        found |= dict(page)
        progress.turn(token, new=bool(new), url=answer.url)
        if token is None:
            return tuple(found.items())


# -- records

_REMEMBERED = 50_000
"""Records that are remembered, to know what is new: a few megabytes, and more than any list that goes round
in circles was seen to have; a larger circle ends with ``Patience.pages``."""


@dataclass(slots=True)
class _Progress:
    """Whether a list goes on, or only turns round."""

    patience: Patience
    pages: int = 0
    idle: int = 0
    tokens: set[int] = field(default_factory=set)
    seen: OrderedDict[int, None] = field(default_factory=OrderedDict)

    def fresh(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Items but those that came already, word for word; of two of one page that have one identifier, the
        later."""
        latest: dict[str, Item] = {}
        for item in items:
            before = latest.get(item.identifier)
            if before is None or item.datestamp >= before.datestamp:
                latest[item.identifier] = item
        return tuple(item for item in latest.values() if self._is_new(item))

    def _is_new(self, item: Item) -> bool:
        mark = hash((item.identifier, item.datestamp, item.deleted, item.metadata))
        if mark in self.seen:
            return False
        self.seen[mark] = None
        if len(self.seen) > _REMEMBERED:
            self.seen.popitem(last=False)
        return True

    def turn(self, token: str | None, *, new: bool, url: str) -> None:
        """Count a page. Raises HarvestError (ENDLESS). A token that comes again while records are new is the
        name of a session on the server, and no fault."""
        self.pages += 1
        self.idle = 0 if new else self.idle + 1
        if token is None:
            return
        again = hash(token) in self.tokens
        self.tokens.add(hash(token))
        if again and not new:
            raise HarvestError(Trouble.ENDLESS, "the same token again, and nothing new", url)
        if self.idle >= self.patience.idle:
            raise HarvestError(Trouble.ENDLESS, f"nothing new in {self.idle} pages", url)
        if self.pages >= self.patience.pages:
            raise HarvestError(Trouble.ENDLESS, f"more than {self.pages} pages", url)


def batches(
    get: Get,
    base: str,
    wanted: Wanted,
    *,
    token: str | None = None,
    headers: Headers = _NONE,
    patience: Patience = USUAL,
    sleep: Sleep = time.sleep,
    clock: Clock = _now,
    granularity: str | None = None,
) -> Iterator[Batch]:
    """The records wanted, page after page, from ``token`` on if there is one.

    Nothing that matches is one empty batch. ``granularity`` ("day" or "second") spares the question when it
    is known. Raises HarvestError: BAD_TOKEN when the token has expired, so that the caller starts again from
    its date; CLOCK when the server's clock is more than a day before ``since``, so that it starts again
    without one; ENDLESS after the last page that brought something. The list was read to its end only if the
    iterator ends without an error.
    """
    return _pages(_Talk(get, base, headers, patience, sleep, clock), wanted, token, granularity)


def _pages(
    talk: _Talk, wanted: Wanted, token: str | None = None, granularity: str | None = None
) -> Iterator[Batch]:
    progress = _Progress(talk.patience)
    if token:
        progress.tokens.add(hash(token))
    while True:
        answer = _next(talk, token) if token else _first(talk, wanted, granularity)
        batch = _batch(answer, progress, talk.clock())
        if not token and wanted.since and batch.at < wanted.since - timedelta(days=1):
            raise HarvestError(Trouble.CLOCK, f"it is {batch.at:%Y-%m-%dT%H:%MZ} there", answer.url)
        yield batch
        _whole(answer)
        progress.turn(batch.token, new=bool(batch.items), url=answer.url)
        token = batch.token
        if token is None:
            return


def _next(talk: _Talk, token: str) -> Answer:
    try:
        answer = talk.ask(verb="ListRecords", resumptionToken=token)
    except HarvestError as error:
        if error.trouble is Trouble.HTTP and error.detail in _GONE:
            raise HarvestError(Trouble.BAD_TOKEN, error.detail, error.url) from error
        raise
    _check(answer, "noRecordsMatch", token=token)
    return answer


_GONE = (
    "status 400",
    "status 404",
    "status 410",
)  # what servers say of a token instead of badResumptionToken


def _first(talk: _Talk, wanted: Wanted, granularity: str | None) -> Answer:
    """A server that takes no seconds, whatever it says, is asked by days: every server must take those."""
    dated = wanted.since is not None or wanted.until is not None
    if dated and granularity is None:
        granularity = _granularity(talk)
    answer = _list(talk, wanted, granularity or "day")
    refused = any(code == "badArgument" for code, _ in answer.errors)
    if refused and dated and granularity == "second":
        answer = _list(talk, wanted, "day")
    _check(answer, "noRecordsMatch")
    return answer


def _granularity(talk: _Talk) -> str:
    try:
        return _identify(talk)[0].granularity
    except HarvestError as error:
        if error.trouble in (Trouble.PROTOCOL, Trouble.NOT_OAI, Trouble.BROKEN_XML):
            return "day"
        raise


def _list(talk: _Talk, wanted: Wanted, granularity: str) -> Answer:
    since = until = None
    if wanted.since:
        since = _written(wanted.since - _OVERLAPS[granularity], granularity)
    if wanted.until:
        until = _written(wanted.until, granularity)
    return talk.ask(
        verb="ListRecords", metadataPrefix=wanted.prefix, set=wanted.set, from_=since, until=until
    )


_OVERLAPS = {"second": timedelta(minutes=5), "day": timedelta(hours=12)}
"""How far before ``since`` is asked. Seconds: a record may be stamped before it can be seen, for as long as
its transaction takes. Days: a server that writes the day of its own zone is up to twelve hours behind UTC."""


def _written(at: datetime, granularity: str) -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if granularity == "second" else f"{at:%Y-%m-%d}"


def _batch(answer: Answer, progress: _Progress, now: datetime) -> Batch:
    at = answer.at
    if at is None or at.year < _FIRST_YEAR or at > now + timedelta(days=1):
        at = now
    if answer.errors:
        return Batch((), None, at)
    found = reading.listed(answer)
    skipped = found.skipped
    if not answer.complete:
        skipped += ("La page s’arrête avant sa fin\u00a0: la suite n’est pas arrivée.",)
    return Batch(progress.fresh(found.items), found.token, at, found.size, skipped, answer.complete)


_FIRST_YEAR = 2001  # the protocol is not older; a date before is that of a machine without a clock


# -- trying a repository

_PREFERRED = ("carbet", "marcxml", "unimarc", "oai_dc")


def tested(
    get: Get,
    base: str,
    headers: Headers = _NONE,
    *,
    prefix: str | None = None,
    set: str | None = None,
    patience: Patience = TRIAL,
    sleep: Sleep = time.sleep,
    clock: Clock = _now,
) -> Trial:
    """What a repository gives when it is tried: who it is, its formats and sets, and the first page in
    ``prefix``, or in the richest format that it has. Raises HarvestError when there is nothing to show."""
    talk = _Talk(get, base, headers, patience, sleep, clock)
    identity, at = _identify(talk)
    warnings = _doubts(identity, base, at, clock())
    known = _tried(lambda: _formats(talk), "formats", warnings)
    groups = _tried(lambda: _sets(talk), "ensembles", warnings)
    prefix = prefix or next((one for one in _PREFERRED if one in known), "oai_dc")
    if known and prefix not in known:
        warnings.append(f"Le format «\u00a0{prefix}\u00a0» n’est pas parmi ceux que ce dépôt annonce.")
    first = next(_pages(talk, Wanted(prefix, set)))
    return Trial(identity, known, groups, first, (*warnings, *_lacks(first)))


_Found = TypeVar("_Found")


def _tried(ask: Callable[[], tuple[_Found, ...]], what: str, warnings: list[str]) -> tuple[_Found, ...]:
    """What a repository can do without."""
    try:
        return ask()
    except HarvestError as error:
        warnings.append(f"La liste des {what} n’a pas pu être lue ({error.trouble}).")
        return ()


def _doubts(identity: Identity, base: str, at: datetime | None, now: datetime) -> list[str]:
    """What a person should know of a repository before it is relied on."""
    told = []
    if identity.version != "2.0":
        told.append(
            f"Ce dépôt dit parler la version {identity.version or 'inconnue'} d’OAI-PMH, et non la 2.0."
        )
    if _place(identity.base_url) != _place(base):
        told.append(f"Ce dépôt donne une autre adresse pour lui-même\u00a0: {identity.base_url}.")
    if identity.deleted != "persistent":
        told.append(
            "Ce dépôt n’annonce pas, ou pas longtemps, les notices qu’il supprime\u00a0: faites de temps en "
            "temps une moisson complète."
        )
    if at is None:
        told.append("Ce dépôt ne date pas ses réponses\u00a0: notre horloge sert à sa place.")
    elif abs(at - now) > _CLOCKS:
        way = "avance" if at > now else "retarde"
        told.append(f"L’horloge de ce dépôt {way} de {_length(abs(at - now))}\u00a0: la sienne fait foi.")
    return told


_CLOCKS = timedelta(minutes=10)  # by which clocks may differ before it is worth a word


def _place(url: str) -> str:
    parts = urlsplit(url.strip())
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _length(difference: timedelta) -> str:
    minutes = round(difference.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes}\u00a0minutes"
    return f"{minutes // 60}\u00a0heures" if minutes < 2880 else f"{minutes // 1440}\u00a0jours"


def _lacks(first: Batch) -> list[str]:
    """What is odd about a first page."""
    if not (first.items or first.token or first.skipped):
        return ["Ce dépôt n’a donné aucune notice."]
    told = []
    if first.skipped:
        told.append(f"Des notices de la première page n’ont pas pu être lues\u00a0: {len(first.skipped)}.")
    bare = sum(1 for item in first.items if not item.deleted and item.metadata is None)
    if bare:
        told.append(f"Des notices de la première page sont vides\u00a0: {bare}.")
    return told
