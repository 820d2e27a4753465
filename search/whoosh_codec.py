"""The index as Whoosh sees it: a codec of ours, so that a Whoosh reader answers from the same files.

Hides the distance between Whoosh's stock codec, which keeps blocks of 128 postings as pickles to be gone
through one by one, and ours, which keeps columns (``whoosh_segment``). ``ArrayCodec`` is Whoosh's own
extension point (``whoosh.codec.base``). Whoosh's queries run on it, at Whoosh's speed; the engine itself
reads the columns. No file of the index holds a pickle, and there is no Whoosh table of contents.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import fields, formats
from whoosh.codec import base
from whoosh.matching import ListMatcher
from whoosh.reading import SegmentReader, TermInfo, TermNotFound

from search.engine import FIELDS
from search.whoosh_files import Array
from search.whoosh_segment import Segment, TermPostings


def whoosh_schema() -> Any:
    """The fields as Whoosh knows them: ``FIELDS`` with positions, and the id of the record, stored."""
    schema = fields.Schema(id=fields.STORED())
    for name in FIELDS:
        schema.add(name, fields.TEXT(phrase=True))
    return schema


def whoosh_reader(segment: Segment) -> Any:
    """A Whoosh reader over a segment: its documents are the units."""
    return SegmentReader(None, whoosh_schema(), _WhooshSegment(segment), codec=ArrayCodec(segment))


class _WhooshSegment(base.Segment):  # type: ignore[misc]
    """What Whoosh asks of a segment; never pickled, since there is no Whoosh table of contents."""

    def __init__(self, segment: Segment) -> None:
        super().__init__("carbet")
        self.segid = Path(segment.note.file.name).stem


class ArrayCodec(base.Codec):  # type: ignore[misc]
    """The codec of one segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def terms_reader(self, storage: Any, segment: Any) -> Any:
        """The terms and postings."""
        return _TermsReader(self._segment)

    def per_document_reader(self, storage: Any, segment: Any) -> Any:
        """Lengths, ids and deletions."""
        return _DocumentReader(self._segment)


class _TermsReader(base.TermsReader):  # type: ignore[misc]
    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return self._segment.row(term[0], term[1].decode()) >= 0

    def indexed_field_names(self) -> list[str]:
        return list(FIELDS)

    def terms(self) -> Iterator[tuple[str, bytes]]:
        for name in sorted(FIELDS):
            for number in self._segment.field(name).terms.tolist():
                yield name, self._segment.terms[number]

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        return (term for term in self.terms() if term >= (fieldname, prefix))

    def items(self) -> Iterator[tuple[tuple[str, bytes], Any]]:
        return ((term, self.term_info(*term)) for term in self.terms())

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[tuple[str, bytes], Any]]:
        return ((term, self.term_info(*term)) for term in self.terms_from(fieldname, prefix))

    def _postings(self, fieldname: str, text: bytes) -> tuple[Array, TermPostings]:
        """Units that hold a term, an own field counting for the unit of the own fields; and its postings."""
        row = self._segment.row(fieldname, text.decode())
        if row < 0:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        found = self._segment.postings(fieldname, row)
        return found.docs if fieldname == "text" else self._segment.first[found.docs], found

    def term_info(self, fieldname: str, text: bytes) -> Any:
        docs, found = self._postings(fieldname, text)
        weight = float(found.freqs.sum())
        return TermInfo(weight, len(docs), 1, 1, float(found.freqs.max()), int(docs[0]), int(docs[-1]))

    def frequency(self, fieldname: str, text: bytes) -> Any:
        return self.term_info(fieldname, text).weight() if (fieldname, text) in self else 0.0

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return len(self._postings(fieldname, text)[0]) if (fieldname, text) in self else 0

    def matcher(self, fieldname: str, text: bytes, format_: Any, scorer: Any = None) -> Any:
        docs, found = self._postings(fieldname, text)
        ends = np.cumsum(found.freqs, dtype=np.int64)
        places = np.split(found.positions.astype("<u4"), ends[:-1])
        values = [part.tobytes() for part in places]
        weights = found.freqs.astype(float).tolist()
        return ListMatcher(
            docs.tolist(),
            weights,
            values,
            _POSITIONS,
            scorer,
            term=(fieldname, text),
            terminfo=self.term_info(fieldname, text),
        )

    def close(self) -> None:
        pass


class _RawPositions(formats.Positions):  # type: ignore[misc]
    """Positions of a term in a document as raw numbers of four bytes."""

    def decode_positions(self, valuestring: bytes) -> list[int]:
        positions: list[int] = np.frombuffer(valuestring, dtype="<u4").tolist()
        return positions

    def decode_frequency(self, valuestring: bytes) -> int:
        return len(valuestring) // 4


_POSITIONS = _RawPositions()


class _DocumentReader(base.PerDocumentReader):  # type: ignore[misc]
    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def doc_count(self) -> int:
        live = self._segment.live_units
        return self._segment.units if live is None else int(live.sum())

    def doc_count_all(self) -> int:
        return self._segment.units

    def has_deletions(self) -> bool:
        return self._segment.live is not None

    def is_deleted(self, docnum: int) -> bool:
        live = self._segment.live_units
        return live is not None and not live[docnum]

    def deleted_docs(self) -> Iterator[int]:
        return (unit for unit in range(self._segment.units) if self.is_deleted(unit))

    def _lengths(self, fieldname: str) -> Array:
        lengths = self._segment.field(fieldname).lengths
        return lengths if fieldname == "text" else lengths[self._segment.unit_record]

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return int(self._lengths(fieldname)[docnum])

    def field_length(self, fieldname: str) -> int:
        return int(self._segment.field(fieldname).lengths.sum(dtype=np.int64))

    def min_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).min())

    def max_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).max())

    def stored_fields(self, docnum: int) -> dict[str, str]:
        return {"id": self._segment.ids.text(int(self._segment.unit_record[docnum]))}

    def close(self) -> None:
        pass
