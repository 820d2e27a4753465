"""Catalogues in UNIMARC and MARC 21, in ISO 2709 or in XML, to drafts, one a record.

Hides how one bad record is kept from spoiling the others, and how the ways of writing records
(``kb.iso2709``, ``ingest.marcxml``), of writing letters (``kb.charsets``) and of saying things
(``kb.unimarc``, ``kb.marc21``) come together. A record that cannot be read without noise is refused with its
reason: accents turned to noise are worse than a record that is missing.
"""

from __future__ import annotations

import dataclasses
import itertools
import mmap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from ingest import marcxml
from ingest.drafts import Draft
from ingest.isolation import beat
from ingest.marcxml import is_marcxml
from kb import charsets, iso2709, marc21, unimarc
from kb.charsets import Charset
from kb.errors import InvalidRecord, Reason, UnreadableDocument
from kb.iso2709 import Field

__all__ = ["MARCXML_TYPE", "MEDIA_TYPE", "is_marcxml", "read", "read_xml", "rejected"]

MEDIA_TYPE = "application/marc"
MARCXML_TYPE = "application/marcxml+xml"

_MOST_TOLD = 50  # warnings about bad records: more tell nothing new
_WEIGHED = 2000  # records that decide on the usual character set of a file
_HEAD = 2048  # bytes


def read(path: Path) -> Iterator[Draft]:
    """A draft for each record of ISO 2709 that can be read; the last one carries the warnings about those
    that cannot. Raises UnreadableDocument: BAD_RECORDS when none can."""
    return _drafts(_records(path))


def read_xml(path: Path) -> Iterator[Draft]:
    """The same as ``read``, for a catalogue in XML."""
    return _drafts(_xml_records(path))


def rejected(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Records of a catalogue that ``read`` or ``read_xml`` refuses: number in the file from 1, French reason,
    and its own bytes, which written one after the other make a file of ISO 2709 (or parts of one in XML)."""
    with path.open("rb") as file:
        found = _xml_records(path) if is_marcxml(file.read(_HEAD)) else _records(path)
    for number, raw, outcome in found:
        if isinstance(outcome, InvalidRecord):
            yield number, outcome.why, raw


_Outcome = tuple[int, bytes, Draft | InvalidRecord]


def _drafts(outcomes: Iterator[_Outcome]) -> Iterator[Draft]:
    faults: list[str] = []
    held: Draft | None = None
    for number, _, outcome in outcomes:
        beat()
        if isinstance(outcome, InvalidRecord):
            faults.append(f"notice {number} : {outcome.why}")
            continue
        if held is not None:
            yield held
        held = outcome
    if held is None:
        raise UnreadableDocument(Reason.BAD_RECORDS, "; ".join(faults[:3]) or "no record")
    yield _with_faults(held, faults)


def _with_faults(draft: Draft, faults: list[str]) -> Draft:
    told = faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        told.append(f"et {len(faults) - _MOST_TOLD} autres notices illisibles")
    return dataclasses.replace(draft, warnings=(*draft.warnings, *told))


def _outcomes(raws: Iterator[bytes], draft: Callable[[bytes, int], Draft]) -> Iterator[_Outcome]:
    for number, raw in enumerate(raws, start=1):
        try:
            yield number, raw, draft(raw, number)
        except InvalidRecord as error:
            yield number, raw, error


def _content(path: Path) -> bytes | mmap.mmap:
    """The bytes of a file, left on the disk until they are looked at."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return b""
        # Closed when nothing looks at it any more: who reads half of a catalogue still holds a part of it.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


# -- XML


def _xml_records(path: Path) -> Iterator[_Outcome]:
    content = _content(path)
    draft = partial(_xml_draft, charset=marcxml.declared(content))
    yield from _outcomes(marcxml.records(content), draft)


def draft_of_xml(raw: bytes) -> Draft:
    """The draft of one record in MARCXML, in UTF-8. Raises InvalidRecord with a French reason."""
    return _xml_draft(raw, 1, None)


def _xml_draft(raw: bytes, number: int, charset: str | None) -> Draft:
    leader, fields, faults = marcxml.parse(raw, charset)
    return _draft(leader, fields, number, faults, MARCXML_TYPE)


# -- ISO 2709


def _records(path: Path) -> Iterator[_Outcome]:
    content = _content(path)
    draft = partial(_iso2709_draft, votes=_votes(content))
    yield from _outcomes(iso2709.records(content), draft)


_Votes = dict[ModuleType, dict[Charset, float]]
_SETS = {unimarc: charsets.UNIMARC_SETS, marc21: charsets.MARC21_SETS}


def _iso2709_draft(raw: bytes, number: int, votes: _Votes) -> Draft:
    leader, parts, faults = iso2709.parse(raw)
    crosswalk = _crosswalk(part.tag for part in parts)
    # What is not read may be written in any way.
    parts = [part for part in parts if part.tag in crosswalk.TAGS]
    decision = charsets.decide([part.body for part in parts], _SETS[crosswalk], votes[crosswalk])
    if decision.doubt:
        faults.append(decision.doubt)
    fields = [iso2709.field(part.tag, charsets.decode(part.body, decision.charset)) for part in parts]
    return _draft(leader, fields, number, faults, MEDIA_TYPE)


def _votes(content: bytes | mmap.mmap) -> _Votes:
    """How well each character set reads the file, for each of the two formats."""
    bodies: dict[ModuleType, list[list[bytes]]] = {unimarc: [], marc21: []}
    for raw in itertools.islice(iso2709.records(content), _WEIGHED):
        beat()
        try:
            _, parts, _ = iso2709.parse(raw)
        except InvalidRecord:
            continue  # told when its turn comes
        crosswalk = _crosswalk(part.tag for part in parts)
        bodies[crosswalk].append([part.body for part in parts if part.tag in crosswalk.TAGS])
    return {crosswalk: charsets.weigh(bodies[crosswalk], _SETS[crosswalk]) for crosswalk in bodies}


# -- both


def _crosswalk(tags: Iterator[str]) -> ModuleType:
    """By where the title is: 245 in MARC 21, 200 in UNIMARC."""
    return marc21 if "245" in tags else unimarc


_DRAFT_FIELDS = frozenset(field.name for field in dataclasses.fields(Draft))


def _draft(leader: str, fields: Sequence[Field], number: int, faults: list[str], media_type: str) -> Draft:
    """Raises InvalidRecord with a French reason."""
    if leader[5:6] == "d":
        raise InvalidRecord("record", "supprimée à la source")
    if marc21.is_marc21(fields):
        found, labels = marc21.from_marc21(leader, fields), marc21.concept_labels(fields)
    elif unimarc.is_unimarc(fields):
        found, labels = unimarc.from_unimarc(leader, fields), unimarc.concept_labels(fields)
    else:
        authority = leader[6:7] in ("x", "y", "z")
        reason = "notice d’autorité, et non de document" if authority else "sans titre (200 $a ou 245 $a)"
        raise InvalidRecord("record", reason)
    # A draft has key words and no concepts: those of ours are known by their labels when they are taken in.
    found["keywords"] = tuple(dict.fromkeys((*found.get("keywords", ()), *labels)))
    return Draft(
        **{name: value for name, value in found.items() if name in _DRAFT_FIELDS},
        media_type=media_type,
        place_in_file=f"notice {number}",
        warnings=tuple(f"notice {number} : {fault}" for fault in faults),
    )
