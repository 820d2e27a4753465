"""What is said of an answer before it leaves: how it looks, its faults, the sources that stand under it.

Hides which faults hold a letter back, and how each is put so that somebody in a hurry knows what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup, escape

from kb import bibliography, quoting
from kb.bibliography import Reference
from kb.errors import NotFound, OnTheSpot
from kb.formats import Notice
from kb.quoting import Fault, FaultKind, Source
from kb.records import Record
from web import markdown, notices
from web.fund import Fund
from web.messages import ACCESS
from web.typography import spaced

GRAVE = frozenset({FaultKind.NO_RECORD, FaultKind.NO_PAGE, FaultKind.NOT_THERE})
"""What the asker would look for in vain: sent only when somebody says so."""

_K = FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fault in words. ``repair`` tells ``geste`` what puts it right, ``url`` where to look."""

    text: str
    line: int
    grave: bool
    repair: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An answer looked at. ``sourced``: it cites something; ``grave``: something holds it back;
    ``quotations`` counts those of pages of the fund; references are HTML."""

    html: Markup
    faults: tuple[Told, ...]
    references: tuple[Markup, ...]
    sourced: bool
    grave: bool
    quotations: int


def look(fund: Fund, body: str, site: str) -> Look:
    """How an answer stands. Raises InvalidValue for too long a text."""
    found = faults(fund, body, site)
    cited = cited_records(fund, body, site)
    told = [*(_told(fault, cited) for fault in found if fault.kind is not _K.NO_SOURCE), *_reserved(cited)]
    return Look(
        html=markdown.rendered(body, site=site),
        faults=tuple(told),
        references=tuple(_html(one) for one in references(fund, body, site)),
        sourced=all(fault.kind is not _K.NO_SOURCE for fault in found),
        grave=any(fault.kind in GRAVE for fault in found),
        quotations=sum(quote.page is not None for quote in quoting.quotations(body, site)),
    )


def faults(fund: Fund, body: str, site: str) -> tuple[Fault, ...]:
    """What is wrong with its sources and quotations, as far as the person may read them."""

    def text(record: str, page: int) -> str | None:
        try:
            return fund.store.page(record, page).text
        except OnTheSpot:
            return ""
        except NotFound:
            return None

    return quoting.check(body, text, lambda id: bool(fund.store.get_many([id])), site)


def cited_records(fund: Fund, body: str, site: str) -> Mapping[str, Record]:
    """The records that it cites and that the person may see, in the order of the text."""
    ids = [source.record for source in quoting.sources(body, site) if source.record]
    return fund.store.get_many(ids)


# -- in words

_WORDS: Mapping[FaultKind, str] = MappingProxyType(
    {
        _K.UNSOURCED: "La citation de la ligne {line} ne dit pas d’où elle vient. Ajoutez sous elle une "
        "ligne qui commence par un tiret et mène au document, ou citez-la par le panneau.",
        _K.NO_RECORD: "Ligne {line} : le document « {text} » n’est pas dans le fonds, ou n’y est plus.",
        _K.NO_PAGE: "Ligne {line} : {title} n’a pas de page {page}.",
        _K.MOVED: "La citation de la ligne {line} n’est plus à la page {page} ; elle est maintenant page "
        "{found}.",
        _K.NOT_THERE: "La citation de la ligne {line} ne se trouve plus à la page {page} de {title}, ni aux "
        "pages voisines. Comparez les mots avec ceux de la page.",
        _K.UNCHECKED: "La citation de la ligne {line} n’a pas pu être vérifiée : la page {page} n’a pas de "
        "texte. Comparez-la avec l’image.",
    }
)


def _told(fault: Fault, cited: Mapping[str, Record]) -> Told:
    record = cited.get(fault.record or "")
    title = f"« {record.title} »" if record else "ce document"
    said = _WORDS[fault.kind].format(
        line=fault.line, page=fault.page, found=fault.found, text=_short(fault.text), title=title
    )
    url = notices.page_url(record.id, fault.found or fault.page or 1) if record else ""
    return Told(
        text=spaced(said),
        line=fault.line,
        grave=fault.kind in GRAVE,
        repair=f"corriger {fault.line}" if fault.kind is _K.MOVED else "",
        url=url if fault.kind is not _K.NO_PAGE else notices.record_url(record.id) if record else "",
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:60].rpartition(" ")[0] + "…"


def _reserved(cited: Mapping[str, Record]) -> Iterator[Told]:
    """Documents that the asker cannot open."""
    for record in cited.values():
        if record.access != "public":
            said = f"« {record.title} » n’est pas ouvert à tous ({ACCESS[record.access]}) : le lien ne "
            said += "mènera pas tout le monde au texte."
            yield Told(text=spaced(said), line=0, grave=False, url=notices.record_url(record.id))


# -- sources


def references(fund: Fund, body: str, site: str) -> tuple[Reference, ...]:
    """The sources of an answer: records after ISO 690, with their address here, then other sites."""
    cited = cited_records(fund, body, site)
    hosts = fund.store.get_many([record.host for record in cited.values() if record.host])
    works = [Notice(record, {}, hosts.get(record.host or "")) for record in cited.values()]
    urls = {id: f"{site.rstrip('/')}/notice/{id}" for id in cited} if site else {}
    elsewhere = (_elsewhere(source) for source in quoting.sources(body, site) if source.url)
    return (*bibliography.bibliography(works, urls=urls), *elsewhere)


def _elsewhere(source: Source) -> Reference:
    url, label = source.url or "", source.label
    named = "" if label in ("", url) else label
    text = f"{named}. {url}" if named else url
    words = re.sub(r"[\\`*_\[\]<>&#~|!]", r"\\\g<0>", named)
    return Reference(text, str(escape(text)), f"{words}. <{url}>" if named else f"<{url}>")


def _html(one: Reference) -> Markup:
    return Markup(one.html)  # nosec B704  # the words of records are escaped in it
