"""Records and lists of results as files of other programs: the twins of ``/notice/<id>`` and ``/recherche``.

Hides how a file is made before the first byte leaves, so that what it lacks is told in its headers. Rights
are those of who asks; what may not be seen is not there, hosts included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from tempfile import SpooledTemporaryFile

from flask import Blueprint, Response, request
from werkzeug.wsgi import wrap_file

from kb.accounts import Right
from kb.errors import InvalidRecord, InvalidValue
from kb.french import pieces
from kb.limits import Limit
from kb.records import Record
from web import results
from web.guard import EXPORTS, fund, needs, site
from web.notices import record_url
from web.outputs import LIST_FORMS, MOST, RECORD_FORMS, Form, outward_notice, outward_notices, query_string
from web.rendering import parts
from web.state import SearchState

views = Blueprint("twins", __name__)

RECORDS = Limit("notices", 300, 600)
"""A reference manager asks for each record of a page of fifty: six such pages in ten minutes."""

_TOO_MUCH = "cette notice ne tient pas dans ce format ({why}) : choisissez-en un autre au bas de sa page"
_IN_MEMORY = 1 << 20  # bytes of a file, before it goes to disk
_LONGEST_NAME = 60


@views.get("/notice/<id>.ris")
@views.get("/notice/<id>.bib")
@views.get("/notice/<id>.csl.json")
@views.get("/notice/<id>.mrc")
@views.get("/notice/<id>.xml")
@views.get("/notice/<id>.dc.xml")
@needs(Right.VISIT, limit=RECORDS)
def record(id: str) -> Response:
    """One record in another form. A format that cannot hold it says so, by a page."""
    form = _form("/notice/<id>", RECORD_FORMS)
    notice = outward_notice(fund(), id)
    try:
        content = form.alone(notice)
    except InvalidRecord as error:
        raise InvalidValue("format", _TOO_MUCH.format(why=error.why)) from error
    name = f"{_slug(notice.record.title) or 'notice'}-{_slug(id)}.{form.ending}"
    return _as_file(Response(content), form, name, record_url(id))


@views.get("/recherche.ris")
@views.get("/recherche.bib")
@views.get("/recherche.csl.json")
@views.get("/recherche.csv")
@views.get("/recherche.mrc")
@views.get("/recherche.xml")
@needs(Right.VISIT, limit=EXPORTS)
def found() -> Response:
    """The results of a search in another form, the first ones up to a limit; what a format cannot hold is
    left out and counted."""
    form = _form("/recherche", LIST_FORMS)
    state = SearchState.from_args(request.args)
    asked = results.ask(fund(), state.changed(size=MOST), counted=(), pages=0).results
    left_out: list[str] = []
    some = outward_notices(fund(), [hit.id for hit in asked.hits])
    written = form.exporter.write(some, _noting(left_out))
    response = _spooled(_remarked(written, form, left_out))
    response.headers["X-Carbet-Total"] = str(asked.total)
    response.headers["X-Carbet-Limit"] = str(MOST)
    response.headers["X-Carbet-Left-Out"] = str(len(left_out))
    return _as_file(response, form, f"{_told(state)}.{form.ending}", f"/recherche{query_string(state)}")


def _form(before: str, forms: Mapping[str, Form]) -> Form:
    """The form that the address asked for ends in."""
    rule = request.url_rule.rule if request.url_rule else ""
    return forms[rule.removeprefix(f"{before}.")]


def _noting(left_out: list[str]) -> Callable[[Record, InvalidRecord], None]:
    return lambda record, error: left_out.append(f"{record.id} : notice {error.why}")


def _remarked(written: Iterable[bytes], form: Form, left_out: list[str]) -> Iterator[bytes]:
    """The file, then what it lacks, known once it is written, where the format lets that be said."""
    yield from written
    if left_out:
        yield form.remark(["Notices que ce format ne peut pas porter :", *left_out])


def _spooled(written: Iterable[bytes]) -> Response:
    """The whole file, kept beside memory when it is large."""
    with ExitStack() as held:
        file = held.enter_context(SpooledTemporaryFile(_IN_MEMORY))
        file.writelines(written)
        size = file.tell()
        file.seek(0)
        response = Response(wrap_file(request.environ, file), direct_passthrough=True)
        response.content_length = size
        held.pop_all()  # the server closes it, once it is sent
    return response


def _as_file(response: Response, form: Form, name: str, page: str) -> Response:
    """The response as a file to keep, which says of what page it is another form."""
    response.content_type = form.media_type
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Link"] = f'<{site()}{page}>; rel="canonical"'
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _told(state: SearchState) -> str:
    """What a file of results is called: by the words looked for, the filters chosen and the day, so that two
    of them in one folder are told apart."""
    labels = [fund().labels.of(facet, code) for facet, codes in state.filters for code in codes]
    said = _slug(" ".join((state.q, *labels))) or "tout-le-fonds"
    return f"{said}-{datetime.now(parts().calendar.zone).date()}"


def _slug(text: str) -> str:
    """Folded words joined by hyphens, cut on a word."""
    slug = "-".join(pieces(text))
    return slug if len(slug) <= _LONGEST_NAME else slug[:_LONGEST_NAME].rpartition("-")[0]
