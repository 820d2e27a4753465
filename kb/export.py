"""Records as files of other programs: one table of formats, for the command and the pages.

Hides what each format needs beside the record (words for subjects, the host), and fetches it in groups:
memory stays flat whatever the number of records.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kb.bibtex import to_bibtex
from kb.csl import to_csl
from kb.database import Store
from kb.dublincore import oai_dc
from kb.errors import InvalidRecord
from kb.formats import Notice
from kb.iso2709 import Field, iso2709, marcxml
from kb.marc21 import to_marc21
from kb.records import Record, State
from kb.ris import to_ris
from kb.rows import COLUMN_NAMES, EXPORTED, to_row
from kb.thesaurus import Thesaurus
from kb.unimarc import to_unimarc

Refused = Callable[[Record, InvalidRecord], None]
"""Told of a record that a format cannot hold, and why."""

_TOGETHER = 200  # records fetched at once: some megabytes, and few queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One format: its name for people, media type, extension of its files (without a point), how one notice
    is written, and what stands before the first, between two and after the last."""

    label: str
    media_type: str
    extension: str
    one: Callable[[Notice], bytes]
    begin: bytes = b""
    between: bytes = b""
    end: bytes = b""

    def write(self, some: Iterable[Notice], refused: Refused | None = None) -> Iterator[bytes]:
        """The notices as pieces of one file. Raises InvalidRecord for one that the format cannot hold, unless
        ``refused`` is told of it and the others go on."""
        yield self.begin
        between = b""
        for notice in some:
            try:
                piece = self.one(notice)
            except InvalidRecord as error:
                if refused is None:
                    raise
                refused(notice.record, error)
                continue
            yield between + piece
            between = self.between
        yield self.end


def notices(
    store: Store,
    ids: Iterable[str],
    access: Collection[str] = ("public",),
    wanted: Callable[[Record], bool] | None = None,
) -> Iterator[Notice]:
    """The records of these ids that exist, are of one of these kinds of access and are wanted, in order,
    ready to be written. A host of another kind of access is not told of."""
    thesaurus = store.thesaurus()
    rest = iter(ids)
    while batch := list(itertools.islice(rest, _TOGETHER)):
        found = [record for record in store.get_many(batch).values() if record.access in access]
        found = [record for record in found if wanted is None or wanted(record)]
        hosts = store.get_many(sorted({record.host for record in found if record.host}))
        for record in found:
            host = hosts.get(record.host or "")
            yield Notice(record, _labels(record, thesaurus), host if host and host.access in access else None)


def _labels(record: Record, thesaurus: Thesaurus) -> dict[str, str]:
    """Words for the accepted subjects that the vocabulary still has."""
    accepted = (s.concept for s in record.subjects if s.state is State.ACCEPTED)
    return {uri: thesaurus.get(uri).label for uri in accepted if uri in thesaurus}


# -- one notice in each format


Marc = tuple[str, Sequence[Field]]


def _unimarc(notice: Notice) -> Marc:
    return to_unimarc(notice.record, notice.host, notice.subjects)


def _marc21(notice: Notice) -> Marc:
    return to_marc21(notice.record, notice.host, notice.subjects)


def _marc(label: str, convert: Callable[[Notice], Marc]) -> Exporter:
    return Exporter(
        label=label,
        media_type="application/marc",
        extension="mrc",
        one=lambda notice: iso2709(*convert(notice)),
    )


def _marcxml(label: str, convert: Callable[[Notice], Marc]) -> Exporter:
    begin, end = marcxml(())

    def one(notice: Notice) -> bytes:
        _, *record, _ = marcxml([convert(notice)])
        return "".join(record).encode()

    return Exporter(
        label=label,
        media_type="application/marcxml+xml",
        extension="xml",
        one=one,
        begin=begin.encode(),
        end=end.encode(),
    )


def _csv_line(cells: Sequence[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=";").writerow(cells)
    return written.getvalue().encode()


EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "unimarc": _marc("UNIMARC (ISO 2709)", _unimarc),
        "marc21": _marc("MARC 21 (ISO 2709)", _marc21),
        "marcxml": _marcxml("MARC 21 en XML", _marc21),
        "unimarcxml": _marcxml("UNIMARC en XML", _unimarc),
        "ris": Exporter(
            label="RIS (Zotero, EndNote)",
            media_type="application/x-research-info-systems",
            extension="ris",
            one=lambda notice: to_ris(notice).encode(),
        ),
        "bibtex": Exporter(
            label="BibTeX",
            media_type="application/x-bibtex",
            extension="bib",
            one=lambda notice: to_bibtex(notice).encode(),
        ),
        "csl-json": Exporter(
            label="CSL-JSON",
            media_type="application/vnd.citationstyles.csl+json",
            extension="json",
            one=lambda notice: json.dumps(to_csl(notice), ensure_ascii=False).encode(),
            begin=b"[\n",
            between=b",\n",
            end=b"\n]\n",
        ),
        # UTF-8 with its mark, ";" and CR LF: as French Excel opens it.
        "csv": Exporter(
            label="Tableur (CSV)",
            media_type="text/csv",
            extension="csv",
            one=lambda notice: _csv_line(to_row(notice)),
            begin="\ufeff".encode() + _csv_line([COLUMN_NAMES[name] for name in EXPORTED]),
        ),
        "dublin-core": Exporter(
            label="Dublin Core (XML)",
            media_type="application/xml",
            extension="xml",
            one=lambda notice: oai_dc(notice).encode(),
            begin=b'<?xml version="1.0" encoding="UTF-8"?>\n<records>\n',
            end=b"</records>\n",
        ),
    }
)
"""Name of a format -> how it is written. Every text is UTF-8."""
