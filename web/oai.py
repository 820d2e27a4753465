"""The network reads us: OAI-PMH 2.0 at ``/oai``.

Hides how lists are cut into pages, from which moment a harvester goes on, and how much is answered at once.
Source: the Open Archives Initiative Protocol for Metadata Harvesting 2.0 and its implementation guidelines.

Who has no key is told the public part, a centre with its key what the network shares (``kb.sharing``).
Deletions are told for ever. A record that a format cannot hold is left out of lists in that format, with a
line in our log, since a harvester can do nothing about it; who asks for it alone gets
cannotDisseminateFormat.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import BoundedSemaphore
from types import MappingProxyType
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, request

from kb import carbetxml
from kb.accounts import VISITOR, Right
from kb.errors import InvalidRecord, NotFound, NotSignedIn, StorageError, TooManyTries
from kb.feed import SET_KINDS, SETTLING, Listed, Window
from kb.limits import Limit
from kb.sharing import Audience, audience_with
from web import oai_answers as answers
from web import oai_requests as requests
from web.guard import address, identity, needs, site
from web.labels import Labels
from web.oai_records import FORMATS, SCHEMA_PATH, Format, Records, schema_of
from web.oai_requests import Asked, Code, Fault, Refused, refused
from web.oai_tokens import BadToken, Place, Tokens
from web.rendering import kept_for_a_day, parts

log = structlog.get_logger()
views = Blueprint("oai", __name__)

REQUESTS = Limit("oai", 1200, 600)
"""120,000 records in ten minutes: a whole fund, and no more than a server gives beside its readers."""

RECORDS_A_PAGE, HEADERS_A_PAGE = 100, 250
"""Some 150 and 60 kB in ``oai_dc``: what harvesters expect, and 40 ms of work."""

LONGEST_PAGE = 2 << 20
"""Characters after which a page ends, whatever its number of records: harvesters hold it in memory, twice or
thrice, and take it within a few seconds."""

_AT_ONCE = BoundedSemaphore(2)
"""Answers that a process makes at once: a harvest may take every turn it gets, and readers shall not wait."""
_WAIT = 5  # seconds, then a harvester comes again: many answers later
_SMALL = 600  # bytes below which nothing is gained by compressing
_QUICK = 1  # of zlib's nine levels: a page gets 8 times smaller in 0.5 ms, by the sixth 12 times in 1.3 ms
_EMAIL = re.compile(r"\S+@(\S+\.)+[^\s.]+")  # emailType of the protocol's schema


@views.route("/oai", methods=["GET", "POST"])
@needs(Right.VISIT, counted=False)
def answer() -> Response:
    """The answer to a request, or what is wrong with it: XML with status 200. Only who asks too much or with
    a bad key, and a disk that refuses, get another status (3.1.2.2), in plain text. POST is as good as GET
    (3.1.1.2) and changes nothing, so that it needs no token of a form."""
    if not _AT_ONCE.acquire(blocking=False):
        return _later(_WAIT)
    try:
        who = identity()
        parts().limits.take(REQUESTS, address() if who is VISITOR else who.actor)
        return _compressed(_answered(audience_with(who.rights)))
    except NotSignedIn:
        return _plain("Cette clé n’est pas bonne, ou ne l’est plus.", 401, {"WWW-Authenticate": _CHALLENGE})
    except TooManyTries as error:
        return _later(error.seconds)
    except StorageError as error:
        log.error("oai.failed", error=repr(error))
        return _later(60)
    finally:
        _AT_ONCE.release()


_CHALLENGE = 'Bearer realm="carbet", error="invalid_token"'


@views.get(SCHEMA_PATH)
@needs(Right.VISIT)
def schema() -> Response:
    """The schema of the format ``carbet``."""
    return kept_for_a_day(Response(carbetxml.SCHEMA.read_bytes(), content_type="text/xml; charset=utf-8"))


def _later(seconds: int) -> Response:
    return _plain(f"Trop de demandes\u00a0: revenez dans {seconds} s.", 503, {"Retry-After": str(seconds)})


def _plain(text: str, status: int, headers: Mapping[str, str]) -> Response:
    response = Response(text + "\n", status, content_type="text/plain; charset=utf-8")
    response.headers.update(headers)
    return response


def _compressed(text: str) -> Response:
    content = text.encode()
    response = Response(content_type="text/xml; charset=utf-8")
    response.vary.update(("Accept-Encoding", "Authorization", "Cookie"))
    if len(content) > _SMALL and request.accept_encodings.quality("gzip") > 0:
        content = gzip.compress(content, _QUICK, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    response.set_data(content)
    return response


def _answered(audience: Audience) -> str:
    at, said = _complete_at(), dict[str, str]()  # what is not understood is not repeated (3.2)
    try:
        asked = requests.read((*request.args.items(multi=True), *request.form.items(multi=True)))
        said = dict(asked.said)
        at, body = _ANSWERS[asked.verb](_Repository(audience, at), asked)
    except Refused as error:
        body = answers.errors(error.faults)
    return answers.response(at, f"{site()}/oai", said, body)


def _complete_at() -> datetime:
    """The moment up to which everything that happened is told by what is read from now on.

    It is what a response gives as its date, since a harvester takes that date as the ``from`` of its next
    harvest. A change has the time at which its transaction ended, and is seen up to SETTLING later: with the
    date of now, one that was dated but not yet seen would come in neither harvest.
    """
    return (datetime.now(UTC) - SETTLING).replace(microsecond=0)


# -- the verbs


@dataclass(frozen=True, slots=True)
class _Repository:
    """What is here for one audience, complete up to a moment."""

    audience: Audience
    at: datetime

    @property
    def host(self) -> str:
        """The name of the site, by which its records are known."""
        return urlsplit(site()).hostname or ""

    def records(self) -> Records:
        return Records(parts().store, self.audience, site())

    def line(self, identifier: str) -> Listed:
        """The last that happened to a record. Raises Refused."""
        id = answers.id_of(identifier, self.host)
        try:
            if id is not None:
                return parts().store.feed.get(id, self.audience)
        except NotFound:
            pass
        raise refused(Code.IDENTIFIER, "Ce dépôt n’a pas de notice sous cet identifiant.")


_Answer = tuple[datetime, str]
"""The moment up to which an answer is complete, and its XML."""


def _identify(here: _Repository, asked: Asked) -> _Answer:
    config = parts().config
    contact = config.contact if _EMAIL.fullmatch(config.contact) else ""
    emails = (email for email in (contact, config.sender) if _EMAIL.fullmatch(email))
    earliest = parts().store.feed.earliest() or here.at
    itself = answers.Itself(
        name=config.centre_name,
        base=f"{site()}/oai",
        email=next(emails, "carbet@localhost.invalid"),  # one must be said (RFC 2606: nobody's)
        earliest=min(earliest, here.at),
        host=here.host,
        centre=config.centre,
        contact=contact,
        key=parts().centre_key.public,
    )
    return here.at, answers.answer(asked.verb, answers.identify(itself))


def _list_formats(here: _Repository, asked: Asked) -> _Answer:
    known: Iterable[Format] = FORMATS.values()
    if (identifier := asked.said.get("identifier")) is not None:
        line = here.line(identifier)
        known = [one for one in known if _holds(here, line, one)]
        if not known:
            raise refused(Code.NO_FORMATS, "Cette notice n’existe plus.")
    told = (answers.metadata_format(one.prefix, schema_of(one, site()), one.namespace) for one in known)
    return here.at, answers.answer(asked.verb, told)


def _holds(here: _Repository, line: Listed, format: Format) -> bool:
    (_, going), *_ = here.records().of([line], text=False)
    try:
        return going is not None and bool(format.write(going))
    except InvalidRecord:
        return False


def _list_sets(here: _Repository, asked: Asked) -> _Answer:
    if asked.token is not None:
        raise refused(Code.TOKEN, "La liste des ensembles est donnée en une fois.")
    config = parts().config
    found = {f"centre:{config.centre}": config.centre_name} | dict(parts().store.feed.sets(here.audience))
    labels = parts().labels
    told = (
        answers.set_said(code, _set_name(code, name, labels))
        for code, name in sorted(found.items())
        if answers.is_set(code)
    )
    return here.at, answers.answer(asked.verb, told)


def _set_name(code: str, name: str, labels: Labels) -> str:
    """A set in words: its kind, then its present name, or that by which it was first known."""
    kind, _, value = code.partition(":")
    present = labels.of(kind, value)
    return f"{SET_KINDS[kind]}\u00a0: {name if present == value else present}"


def _get_record(here: _Repository, asked: Asked) -> _Answer:
    faults: list[Fault] = []
    line = format = None
    try:
        line = here.line(asked.said["identifier"])
    except Refused as error:
        faults += error.faults
    try:
        format = _format(asked.said["metadataPrefix"])
    except Refused as error:
        faults += error.faults
    if line is None or format is None:
        raise Refused(faults)
    (line, going), *_ = here.records().of([line], text=format.with_text)
    try:
        metadata = format.write(going) if going else None
    except InvalidRecord as error:
        raise refused(Code.FORMAT, f"Cette notice ne tient pas dans ce format ({error.why}).") from error
    return here.at, answers.answer(asked.verb, [answers.record(line, here.host, metadata)])


def _format(prefix: str) -> Format:
    if (format := FORMATS.get(prefix)) is None:
        raise refused(Code.FORMAT, f"Ce dépôt ne donne pas ce format, mais\u00a0: {', '.join(FORMATS)}.")
    return format


# -- lists


@dataclass(frozen=True, slots=True)
class _Page:
    """A part of a list as XML, and what is left of its window, None when it ends there."""

    inner: tuple[str, ...]
    rest: Window | None


def _list(here: _Repository, asked: Asked) -> _Answer:
    place = _begun(here, asked) if asked.token is None else _resumed(here, asked.token, asked.verb)
    page = _page(here, place)
    inner = list(page.inner)
    if page.rest is not None:
        following = replace(place, window=page.rest, cursor=place.cursor + len(inner))
        inner.append(answers.token(Tokens(parts().keyring).write(following), place.size, place.cursor))
    elif asked.token is not None:
        inner.append(answers.token("", place.size, place.cursor))
    elif not inner:
        raise refused(Code.NOTHING, _NOTHING)
    # The date of a list is that of its beginning, in all its parts: what changed since comes with the harvest
    # from that moment on, whether a harvester keeps the date of the first part or that of the last.
    return place.at, answers.answer(asked.verb, inner)


_NOTHING = "Aucune notice ne répond à cette demande."


def _begun(here: _Repository, asked: Asked) -> Place:
    """The beginning of the list that is asked for. Raises Refused."""
    faults: list[Fault] = []
    prefix, feed = asked.said["metadataPrefix"], parts().store.feed
    if prefix not in FORMATS:
        faults.append(Fault(Code.FORMAT, f"Ce dépôt donne ces formats\u00a0: {', '.join(FORMATS)}."))
    window = feed.window(here.audience, since=asked.since, before=asked.before, set=asked.said.get("set"))
    size = feed.count(window)
    if not size:
        faults.append(Fault(Code.NOTHING, _NOTHING))
    if faults:
        raise Refused(faults)
    return Place(verb=asked.verb, prefix=prefix, window=window, size=size, at=here.at)


def _resumed(here: _Repository, token: str, verb: str) -> Place:
    """Where a token leads. Raises Refused."""
    try:
        place = Tokens(parts().keyring).read(token, verb, here.audience)
    except BadToken as error:
        log.info("oai.token", why=str(error))
        raise refused(Code.TOKEN, "Ce jeton n’est pas bon\u00a0: recommencez la liste.") from error
    # A token that is ahead of the feed is of a database that was put back to an earlier day; a format may go.
    if place.window.last > parts().store.position() or place.prefix not in FORMATS:
        raise refused(Code.TOKEN, "Ce jeton n’a plus cours\u00a0: recommencez la liste.")
    return place


def _page(here: _Repository, place: Place) -> _Page:
    """The next part of a list. It is empty only at the end of the list, when all that was left has changed
    meanwhile."""
    rest: Window | None = place.window
    inner: list[str] = []
    while rest is not None and not inner:
        most = RECORDS_A_PAGE if place.verb == requests.RECORDS else HEADERS_A_PAGE
        lines = parts().store.feed.page(rest, most + 1)  # one more, to know whether there are more
        inner, last = _written(here, place, lines[:most])
        rest = replace(rest, after=last) if lines and last < lines[-1].seq else None
    return _Page(tuple(inner), rest)


def _written(here: _Repository, place: Place, lines: tuple[Listed, ...]) -> tuple[list[str], int]:
    """The lines as XML, as many as fit in a page, and the number of the last of them."""
    if place.verb == requests.IDENTIFIERS:
        return [answers.header(line, here.host) for line in lines], lines[-1].seq if lines else 0
    inner: list[str] = []
    last = length = 0
    for line, told in _records(here, FORMATS[place.prefix], lines):
        last = line.seq
        inner += [told] if told else []
        if (length := length + len(told)) > LONGEST_PAGE:
            break
    return inner, last


def _records(here: _Repository, format: Format, lines: tuple[Listed, ...]) -> Iterator[tuple[Listed, str]]:
    """The lines with their records as XML; "" for one that the format cannot hold."""
    for line, going in here.records().of(lines, text=format.with_text):
        try:
            metadata = format.write(going) if going else None
        except InvalidRecord as error:
            log.warning("oai.unwritable", id=line.id, format=format.prefix, error=str(error))
            yield line, ""
            continue
        yield line, answers.record(line, here.host, metadata)


_ANSWERS: Mapping[str, Callable[[_Repository, Asked], _Answer]] = MappingProxyType(
    {
        requests.IDENTIFY: _identify,
        requests.FORMATS: _list_formats,
        requests.SETS: _list_sets,
        requests.RECORD: _get_record,
        requests.IDENTIFIERS: _list,
        requests.RECORDS: _list,
    }
)
