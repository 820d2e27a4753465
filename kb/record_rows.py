"""How records and pages become rows, and rows records and pages.

Hides the columns from those that keep records: ``kb.database`` our own, ``kb.mirrors`` those of other
centres.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kb import records
from kb.french import fold
from kb.records import Page, Quality, Record, Subject
from kb.tables import keys, pages
from kb.tables import records as rows


@dataclass(frozen=True, slots=True)
class Mirror:
    """What is kept beside another centre's record: the source that it came from (0 an envelope), and our own
    subjects as JSON, None for none."""

    source: int
    local: str | None = None


def record_of(row: Any) -> Record:
    """A record with the subjects that we put on it, if it is another centre's."""
    record = records.from_json(json.loads(row.body))
    local = tuple(map(records.subject_from_json, json.loads(row.local))) if row.local else ()
    return with_local(record, local)


def with_local(record: Record, local: Sequence[Subject]) -> Record:
    """The record with subjects of ours beside its own."""
    known = {subject.concept for subject in record.subjects}
    more = tuple(subject for subject in local if subject.concept not in known)
    return dataclasses.replace(record, subjects=(*record.subjects, *more)) if more else record


def of_ours() -> sa.ColumnElement[bool]:
    """Pages whose record is our own."""
    others = sa.select(rows.c.id).where(rows.c.id == pages.c.record, rows.c.source.is_not(None))
    return ~others.exists()


def write_record(
    connection: sa.Connection,
    record: Record,
    fingerprint: str,
    *,
    replaces: bool,
    mirrored: Mirror | None = None,
) -> None:
    """Write a record and its keys, in place of what was there."""
    values = {
        "centre": record.centre,
        "number": int(record.id.partition(":")[2]),
        "type": record.type,
        "title": record.title,
        "host": record.host,
        "fingerprint": fingerprint,
        "updated": record.updated.isoformat() if record.updated else None,
        "access": record.access,
        "body": json.dumps(records.to_json(record), ensure_ascii=False),
        "source": mirrored.source if mirrored else None,
        "local": mirrored.local if mirrored else None,
    }
    if replaces:
        connection.execute(rows.update().where(rows.c.id == record.id).values(values))
        connection.execute(keys.delete().where(keys.c.record == record.id))
    else:
        connection.execute(rows.insert().values(id=record.id, **values))
    if found := sorted(keys_of(record, mirrored=mirrored is not None)):
        connection.execute(keys.insert(), [{"kind": k, "value": v, "record": record.id} for k, v in found])


def keys_of(record: Record, *, mirrored: bool = False) -> set[tuple[str, str]]:
    """By what else than its id the record is found, as (kind, value). One of another centre is only found as
    a part of its host and by its key words: nothing that comes in here is joined to it."""
    if mirrored:
        hosts = {("host", record.host)} if record.host else set()
        return hosts | {
            ("keyword", key_of("keyword", word)) for word in record.keywords if fold(word).strip()
        }
    found = {("title", record.title), *record.identifiers.items()}
    found |= {("sha256", file.sha256) for file in record.files}
    found |= {("call_number", copy.call_number) for copy in record.copies if copy.call_number}
    for kind, value in (
        ("source", record.source),
        ("host", record.host),
        ("call_number", record.call_number),
    ):
        if value:
            found.add((kind, value))
    return {(kind, key_of(kind, value)) for kind, value in found}


_FOLDED = ("title", "call_number", "keyword")


def key_of(kind: str, value: str) -> str:
    """A value as it is compared."""
    return fold(value)[:500] if kind in _FOLDED else value


def write_pages(connection: sa.Connection, id: str, some: Sequence[Page]) -> None:
    """Write the pages of a record, in place of those that were there."""
    connection.execute(pages.delete().where(pages.c.record == id))
    if some:
        connection.execute(
            pages.insert(),
            [
                {
                    "record": id,
                    "number": p.number,
                    "label": p.label,
                    "grade": p.grade,
                    "text": p.text,
                    "quality": p.quality,
                    "raw": None if p.raw == p.text else p.raw,
                    "recognised": p.recognised,
                }
                for p in some
            ],
        )


SHOWN: list[Any] = [column if column.name != "raw" else sa.null().label("raw") for column in pages.c]
"""The columns of a page without its raw text, which only who mends it looks at."""


def page_of(row: Any) -> Page:
    """A page of a row."""
    quality = Quality(row.quality)
    return Page(row.number, row.text, row.label, row.grade, quality, row.raw, row.recognised)
