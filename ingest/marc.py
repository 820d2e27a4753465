"""UNIMARC in ISO 2709 to drafts, one a record.

Hides pymarc and how one bad record is kept from spoiling the others. The character set is decided by the
bytes: a record that is not UTF-8 is refused with its reason, whatever it declares, since accents turned to
noise are worse than a record that is missing.
"""

from __future__ import annotations

import dataclasses
import unicodedata
import warnings as python_warnings
from collections.abc import Iterator
from pathlib import Path

import pymarc
from pymarc.exceptions import PymarcException

from ingest.drafts import Draft
from ingest.isolation import beat
from kb import unimarc
from kb.errors import InvalidRecord, Reason, UnreadableDocument

MEDIA_TYPE = "application/marc"

_END_OF_RECORD = b"\x1d"
_SHORTEST = 40  # bytes: a leader and one field of the directory
_MOST_TOLD = 50  # warnings about bad records: more tell nothing new


def read(path: Path) -> Iterator[Draft]:
    """A draft for each record that can be read; the last one carries the warnings about those that cannot.
    Raises UnreadableDocument: BAD_RECORDS when none can."""
    faults: list[str] = []
    held: Draft | None = None
    for number, raw in enumerate(_records(path.read_bytes()), start=1):
        beat()
        try:
            draft = _draft(raw, number)
        except InvalidRecord as error:
            faults.append(f"notice {number} : {error.why}")
            continue
        if held is not None:
            yield held
        held = draft
    if held is None:
        raise UnreadableDocument(Reason.BAD_RECORDS, "; ".join(faults[:3]) or "no record")
    yield _with_faults(held, faults)


def _with_faults(draft: Draft, faults: list[str]) -> Draft:
    told = faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        told.append(f"et {len(faults) - _MOST_TOLD} autres notices illisibles")
    return dataclasses.replace(draft, warnings=(*draft.warnings, *told))


def _records(content: bytes) -> Iterator[bytes]:
    """Records by their end mark: the lengths in leaders are often wrong."""
    for part in content.split(_END_OF_RECORD):
        raw = part.lstrip(b"\r\n\0 \x1a\xef\xbb\xbf")
        if raw.strip(b"\r\n\0 \x1a"):
            yield raw + _END_OF_RECORD


def _draft(raw: bytes, number: int) -> Draft:
    """Raises InvalidRecord with a French reason."""
    leader, fields = _fields(raw)
    if not unimarc.is_unimarc(fields):
        other = any(field.tag == "245" for field in fields)
        raise InvalidRecord("record", "MARC 21, et non UNIMARC" if other else "sans titre (200 $a)")
    return Draft(
        **unimarc.from_unimarc(leader, fields), media_type=MEDIA_TYPE, place_in_file=f"notice {number}"
    )


def _fields(raw: bytes) -> tuple[str, list[unimarc.Field]]:
    if len(raw) < _SHORTEST:
        raise InvalidRecord("record", "trop courte")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRecord(
            "record", "écrite dans un autre jeu de caractères qu’UTF-8 (ISO 5426 ?)"
        ) from None
    try:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            # Leader/9 set so that pymarc decodes as UTF-8: UNIMARC leaves it blank and tells it in 100 $a.
            record = pymarc.Record(data=raw[:9] + b"a" + raw[10:], force_utf8=True, utf8_handling="strict")
    except (PymarcException, ValueError, IndexError, UnicodeError, TypeError) as error:
        raise InvalidRecord("record", f"structure ISO 2709 fautive ({type(error).__name__})") from error
    return raw[:24].decode("latin-1"), [_field(field) for field in record.fields]


def _field(field: pymarc.Field) -> unimarc.Field:
    if field.control_field:
        return unimarc.Field(field.tag, _regular(field.data or ""))
    return unimarc.Field(field.tag, "", tuple((s.code, _regular(s.value)) for s in field.subfields))


def _regular(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip()
