"""Views by which a record is copied from another catalogue while one catalogues.

Hides which server is asked, how one field is read as an ISBN or as a title, and what is said when the server
gives nothing. Nothing is kept here: what is taken fills the form of a new record (``web.new_record``), which
its librarian saves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, current_app, request

from ingest.drafts import Draft
from ingest.sru import Catalogue, CatalogueError, Failing, Found, Sought
from kb import records
from kb.accounts import Right
from kb.errors import ConnectionFailed, InvalidValue
from kb.limits import Limit
from kb.records import Record
from web import notices, typed
from web.forms import Plain
from web.guard import fund, needs
from web.labels import LANGUAGES
from web.network_words import connection_fault
from web.notices import Link
from web.rendering import parts, shown
from web.typography import spaced

log = structlog.get_logger()
views = Blueprint("copying", __name__)

ASKED = Limit("copier", 120, 600)
"""Searches of one person in ten minutes: a pile of books takes some twenty, and another's server pays."""

_LONGEST = 300  # characters of what is typed
_AUTHORS = 4
_NUMBER = re.compile(r"(?i)(?:isbn(?:-1[03])?\s*:?\s*)?[\dX\s.–-]*")
_FEWEST = 9  # digits from which something without letters is meant as an ISBN: « 1984 » is a title

_FAILINGS: Mapping[Failing, str] = MappingProxyType(
    {
        Failing.NOT_SRU: "Ce serveur ne répond pas en SRU : vérifiez l’adresse dans le réglage "
        "catalogue_server.",
        Failing.BROKEN: "La réponse de ce catalogue est illisible : réessayez plus tard.",
        Failing.BUSY: "Ce catalogue est surchargé : réessayez dans quelques minutes.",
        Failing.REFUSED: "Ce catalogue refuse l’accès : demandez-le à son responsable.",
        Failing.HTTP: "Ce catalogue répond par une erreur : réessayez plus tard.",
        Failing.UNSUPPORTED: "Ce catalogue ne sait pas répondre à cette recherche : essayez par le titre, "
        "ou par l’ISBN.",
        Failing.TOO_MANY: "Il y a trop de réponses : précisez le titre, ou ajoutez l’auteur.",
        Failing.DIAGNOSED: "Ce catalogue n’a pas accepté la recherche.",
    }
)
"""Why a catalogue gave nothing -> what it means and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """One record of the other catalogue; ``held`` are records of the fund that are this work already,
    ``fields`` what it puts into the form of a new record."""

    title: str
    authors: str
    edition: str
    kind: str
    isbn: str
    held: tuple[Link, ...]
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPage:
    """What was typed and what came of it: ``fault`` stands under the field; ``asked`` whether the catalogue
    answered, ``mended`` whether its answer was faulty."""

    server: str
    q: str
    author: str
    fault: str = ""
    asked: bool = False
    total: int = 0
    found: tuple[CandidateView, ...] = ()
    unreadable: int = 0
    mended: bool = False


@views.get("/notices/copier")
@views.get("/notices/copier.json")
@needs(Right.CATALOGUE, limit=ASKED)
def copy() -> Response:
    """Look a work up in the other catalogue, by ISBN or by title."""
    q, author = (" ".join(request.args.get(name, "").split())[:_LONGEST] for name in ("q", "auteur"))
    page = _looked_up(q, author)
    return shown("copying.html", page, section="travail", plain=Plain())


def _looked_up(q: str, author: str) -> CopyPage:
    url = parts().config.catalogue_server.strip()
    server = (urlsplit(url).hostname or "") if url else ""
    if not url or not q:
        fault = "Tapez un ISBN ou un titre." if author and not q else ""
        return CopyPage(server=server, q=q, author=author, fault=fault)
    try:
        found = _catalogue(url).search(_sought(q, author))
    except InvalidValue as error:
        return CopyPage(server=server, q=q, author=author, fault=spaced(error.why))
    except (CatalogueError, ConnectionFailed) as error:
        log.warning("copying.failed", server=server, why=str(error))
        return CopyPage(server=server, q=q, author=author, fault=spaced(_trouble(error)))
    return _answered(server, q, author, found)


def _answered(server: str, q: str, author: str, found: Found) -> CopyPage:
    return CopyPage(
        server=server,
        q=q,
        author=author,
        asked=True,
        total=found.total,
        found=tuple(map(_candidate, found.drafts)),
        unreadable=found.unreadable,
        mended=found.mended,
    )


def _trouble(error: CatalogueError | ConnectionFailed) -> str:
    if isinstance(error, ConnectionFailed):
        return connection_fault(error)
    told = _FAILINGS[error.why]
    return f"{told} Il dit : « {error.said} »." if error.said else told


def _catalogue(url: str) -> Catalogue:
    """The catalogue of the settings, the same for all requests: it remembers what its server can do."""
    held = current_app.extensions.get("catalogue")
    if held is None or held[0] != url:
        held = current_app.extensions["catalogue"] = (url, Catalogue(parts().connector.get, url))
    catalogue: Catalogue = held[1]
    return catalogue


def _sought(q: str, author: str) -> Sought:
    """Raises InvalidValue for an ISBN that cannot be."""
    if not _NUMBER.fullmatch(q) or (sum(map(str.isdigit, q)) < _FEWEST and q[:4].lower() != "isbn"):
        return Sought(title=q, author=author)
    try:
        return Sought(isbn=typed.isbn_of(re.sub(r"(?i)^isbn(-1[03])?\s*:?\s*", "", q)) or "")
    except InvalidValue as error:
        # What may be done with a wrong number that a book bears is said where its record is made.
        why = error.why.partition(" Si l’ouvrage")[0].rstrip(".")
        raise InvalidValue("q", f"{why}. Vous pouvez aussi taper le titre.") from error


def _candidate(draft: Draft) -> CandidateView:
    record = Record(id="x:0", title=draft.title, agents=draft.agents, date=draft.date)
    return CandidateView(
        title=" : ".join(filter(None, (draft.title, draft.subtitle))),
        authors=notices.authors(record, _AUTHORS),
        edition=", ".join(filter(None, (draft.publisher, str(record.year or "")))),
        kind=records.TYPES.get(draft.type, "") if draft.type != "document" else "",
        isbn=draft.identifiers.get("isbn", ""),
        held=_held(draft, record.year),
        fields=tuple(_fields(draft)),
    )


def _held(draft: Draft, year: int | None) -> tuple[Link, ...]:
    """The records of the fund with the same ISBN, else with the same title and year."""
    isbn = draft.identifiers.get("isbn")
    ids = parts().store.find("isbn", isbn) if isbn else ()
    some = list(fund().store.get_many(ids).values())
    if not some:
        alike = fund().store.get_many(parts().store.find("title", draft.title)).values()
        # Two ISBNs are two works, as where a new record is made.
        some = [r for r in alike if r.year == year and not (isbn and r.identifiers.get("isbn"))]
    return tuple(Link(record.title, notices.record_url(record.id)) for record in some[:3])


def _fields(draft: Draft) -> Iterator[tuple[str, str]]:
    """What goes into the form of a new record, by the names of its fields. The shelf mark and the copies of
    another library stay there."""
    for name in ("title", "subtitle", "publisher", "place", "series", "issue", "extent", "abstract", "date"):
        if value := getattr(draft, name):
            yield name, value
    yield "type", "ouvrage" if draft.type == "document" else draft.type
    yield "language", next((code for code in LANGUAGES if code == draft.language), "fr")
    yield "access", "public"
    yield "isbn", draft.identifiers.get("isbn", "")
    authors = [agent.name for agent in draft.agents if agent.role == "author"]
    others = [agent.name for agent in draft.agents if agent.role in ("editor", "contributor")]
    yield "authors", "\n".join(authors or others)  # a collection has only who directed it
    yield "keywords", "\n".join(draft.keywords)
