"""The other forms in which a record or a list of results is had: which there are, where, and what a page
says of them to other tools.

Hides which exporter of ``kb.export`` stands behind an address. ``web.twins`` answers at these addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Response, request
from markupsafe import Markup

from kb.accounts import VISITOR, seen_with
from kb.errors import NotFound
from kb.export import EXPORTERS, Exporter, notices
from kb.formats import Notice
from kb.records import Record
from kb.sharing import outward
from web import metas
from web.fund import Fund
from web.guard import fund, identity, site
from web.metas import Meta
from web.notices import record_url
from web.rendering import parts
from web.state import SearchState

MOST = 1000
"""Records in one file of a list: more than anybody reads, and about 0.3 s of one core in UNIMARC. The whole
fund leaves by ``kb export`` or by OAI-PMH."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form: the end of its addresses and of its files, its exporter, its name on pages."""

    ending: str
    exporter: Exporter
    label: str

    @property
    def media_type(self) -> str:
        """As ``Content-Type`` says it."""
        declared = self.exporter.media_type
        return declared if declared.endswith(("xml", "json", "marc")) else f"{declared}; charset=utf-8"

    def alone(self, notice: Notice) -> bytes:
        """A file of one notice; Dublin Core without the element that only gathers several. Raises
        InvalidRecord."""
        if self.exporter is EXPORTERS["dublin-core"]:
            return _XML + self.exporter.one(notice)
        return b"".join(self.exporter.write([notice]))

    def remark(self, lines: Iterable[str]) -> bytes:
        """What people may read at the end of a file; nothing where the format has no place for it."""
        text = "\n".join(lines)
        if self.ending.endswith("xml"):
            return f"\n<!-- {text.replace('--', '- -')} -->\n".encode()
        if self.exporter is EXPORTERS["bibtex"]:  # all is comment between entries, which an @ begins
            return f"\n{text.replace('@', '(a)')}\n".encode()
        return b""


_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'


_RIS = Form("ris", EXPORTERS["ris"], "RIS (Zotero)")
_BIBTEX = Form("bib", EXPORTERS["bibtex"], "BibTeX")
_CSL = Form("csl.json", EXPORTERS["csl-json"], "CSL-JSON")
_UNIMARC = Form("mrc", EXPORTERS["unimarc"], "UNIMARC")
_UNIMARC_XML = Form("xml", EXPORTERS["unimarcxml"], "UNIMARC en XML")
_DUBLIN_CORE = Form("dc.xml", EXPORTERS["dublin-core"], "Dublin Core")
_CSV = Form("csv", EXPORTERS["csv"], "Tableur (CSV)")

RECORD_FORMS = {form.ending: form for form in (_RIS, _BIBTEX, _CSL, _UNIMARC, _UNIMARC_XML, _DUBLIN_CORE)}
LIST_FORMS = {form.ending: form for form in (_RIS, _BIBTEX, _CSL, _CSV, _UNIMARC, _UNIMARC_XML)}


@dataclass(frozen=True, slots=True)
class Twin:
    """A form of what a page shows, with its address."""

    label: str
    url: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForTools:
    """What the page of a record says to other tools; ``canonical`` is its whole address."""

    canonical: str
    metas: tuple[Meta, ...]
    json_ld: Markup
    twins: tuple[Twin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListForTools:
    """The files and feeds of a list of results; ``most`` records at most stand in a file."""

    twins: tuple[Twin, ...]
    atom: str
    rss: str
    most: int


def outward_notices(fund: Fund, ids: Iterable[str]) -> Iterator[Notice]:
    """The records of these ids that may be seen, as they go out, in order; hosts that may not be seen are not
    told of."""
    held = notices(parts().store, ids, seen_with(fund.rights))
    return (Notice(outward(one.record).record, one.subjects, one.host) for one in held)


def outward_notice(fund: Fund, id: str) -> Notice:
    """One of them. Raises NotFound."""
    for notice in outward_notices(fund, [id]):
        return notice
    raise NotFound("record", id)


def for_tools(id: str) -> ForTools:
    """What is said of one record that who asks may see."""
    notice, root, url = outward_notice(fund(), id), site(), record_url(id)
    return ForTools(
        canonical=root + url,
        metas=metas.metas(notice, root),
        json_ld=metas.as_script(metas.schema_org(notice, root, _provider(notice.record))),
        twins=tuple(_twin(form, url) for form in RECORD_FORMS.values()),
    )


def kept_a_while(response: Response, seconds: int) -> Response:
    """The response, told apart by its content; what everybody is told may be kept that long, by all."""
    response.vary.update(("Cookie", "Authorization"))
    if identity() is VISITOR:
        response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response


def _provider(record: Record) -> str:
    """Name of the centre that holds a record."""
    return parts().labels.of("centre", record.centre)


def _twin(form: Form, url: str, query: str = "") -> Twin:
    return Twin(form.label, f"{url}.{form.ending}{query}", form.exporter.media_type)


def list_for_tools(state: SearchState) -> ListForTools:
    """What is said of the results of a search, on whatever page of them."""
    query = query_string(state)
    return ListForTools(
        twins=tuple(_twin(form, "/recherche", query) for form in LIST_FORMS.values()),
        atom=f"/recherche.atom{feed_query(state)}",
        rss=f"/recherche.rss{feed_query(state)}",
        most=MOST,
    )


def query_string(state: SearchState) -> str:
    """The search and its order, without the place in the list."""
    return state.changed(page=1, size=20).query_string()


def feed_query(state: SearchState) -> str:
    """The search alone: a feed has its own order."""
    return state.changed(page=1, size=20, sort="pertinence").query_string()
