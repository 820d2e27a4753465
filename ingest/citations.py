"""Files of citations to drafts, one a reference: RIS, BibTeX, CSL-JSON, Dublin Core in XML.

Hides how a file is recognised, its character set, and how a bad reference is told without losing the others.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lxml import etree

from ingest.drafts import Draft
from ingest.isolation import beat
from ingest.text import decoded
from kb import bibtex, csl, dublincore, ris
from kb.errors import InvalidRecord, Reason, UnreadableDocument
from kb.formats import Fields

RIS = "application/x-research-info-systems"
BIBTEX = "application/x-bibtex"
CSL_JSON = "application/vnd.citationstyles.csl+json"
DUBLIN_CORE = "application/xml"

MOST_REFERENCES = 200_000
"""References of one file, as rows of a spreadsheet."""

_LARGEST_TEXT = 50_000_000  # bytes: parsed whole, several times over within 1 GiB
_MOST_TOLD = 200  # warnings about references; the rest is counted


# -- which format


def is_ris(head: bytes) -> bool:
    """Whether a file that begins so is RIS: its first tag is TY, whatever stands before it."""
    return re.search(rb"(?:^|[\r\n\xbf])TY {1,2}- ?\S", head) is not None


def is_bibtex(head: bytes) -> bool:
    """Whether a file that begins so is BibTeX: an entry of a known type at the beginning of a line."""
    return _ENTRY.search(head) is not None


_ENTRY = re.compile(
    rf"(?:^|[\r\n\xbf])[ \t]*@(?:string|preamble|{'|'.join(sorted(bibtex.ENTRY_TYPES))})\s*[{{(]".encode(),
    re.IGNORECASE,
)


def is_csl_json(head: bytes) -> bool:
    """Whether a file that begins so is CSL-JSON: a list of objects with a type and an id, or a title."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"[") and all(name in head for name in (b'"type"', b'"title"'))


def is_dublin_core(head: bytes) -> bool:
    """Whether a file that begins so is XML which declares Dublin Core, and is no page."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    namespaces = (dublincore.ELEMENTS_NAMESPACE, dublincore.TERMS_NAMESPACE, dublincore.OAI_NAMESPACE)
    declares = any(namespace.encode() in head for namespace in namespaces)
    return start.startswith(b"<") and declares and re.search(rb"<(!doctype\s+)?html", head, re.I) is None


# -- readers


def read_ris(path: Path) -> Iterator[Draft]:
    """A draft for each RIS reference; the last one carries the warnings about those that were left out.
    Raises UnreadableDocument: BAD_RECORDS when none is good."""
    yield from _drafts(RIS, map(_of_ris, ris.references(_text(path))))


def _of_ris(reference: tuple[int, ris.Tags, str]) -> Found:
    line, tags, fault = reference
    return line, partial(ris.from_ris, tags), fault


def read_bibtex(path: Path) -> Iterator[Draft]:
    """A draft for each BibTeX entry; else as ``read_ris``."""
    yield from _drafts(BIBTEX, map(_of_bibtex, bibtex.entries(_text(path))))


def _of_bibtex(entry: bibtex.Reference) -> Found:
    return entry.line, partial(bibtex.from_bibtex, entry.kind, entry.fields), entry.fault


def read_csl_json(path: Path) -> Iterator[Draft]:
    """A draft for each item of CSL-JSON; else as ``read_ris``. Raises also UnreadableDocument: DAMAGED."""
    try:
        items = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UnreadableDocument(Reason.DAMAGED, str(error)) from error
    if not isinstance(items, list):
        raise UnreadableDocument(Reason.BAD_RECORDS, "no list of items")
    yield from _drafts(CSL_JSON, map(_of_csl, items))


def _of_csl(item: Any) -> Found:
    return 0, partial(csl.from_csl, item), "" if isinstance(item, dict) else "n’est pas une référence"


def read_dublin_core(path: Path) -> Iterator[Draft]:
    """A draft for each description in Dublin Core, wherever it stands in the XML: oai_dc, RDF, a wrapper of
    any name. Else as ``read_ris``; what comes before the place where the XML breaks is kept."""
    yield from _drafts(DUBLIN_CORE, _descriptions(path))


def draft_of_dublin_core(raw: bytes) -> Draft:
    """The draft of one description in Dublin Core, in UTF-8, whatever element holds it. Raises InvalidRecord
    with a French reason."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    root = etree.fromstring(raw, parser)
    found = [] if root is None else [values for element in root.iter() if (values := _values(element))]
    if not found:
        raise InvalidRecord("record", "n’est pas une notice en Dublin Core")
    return Draft(**dublincore.from_dublin_core(found[0]), media_type=DUBLIN_CORE, place_in_file="notice")


def _text(path: Path) -> str:
    if (size := path.stat().st_size) > _LARGEST_TEXT:
        raise UnreadableDocument(Reason.TOO_LARGE, f"{size} bytes")
    return decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


Found = tuple[int, Callable[[], Fields], str]
"""One reference: line where it begins (0 if not known), its crosswalk, and why it cannot be believed."""


def _drafts(media_type: str, found: Iterable[Found]) -> Iterator[Draft]:
    faults: list[str] = []
    held: Draft | None = None
    for number, (line, convert, fault) in enumerate(found, start=1):
        beat()
        if number > MOST_REFERENCES:
            raise UnreadableDocument(Reason.TOO_LARGE, f"more than {MOST_REFERENCES} references")
        place = f"référence {number}" + (f", ligne {line}" if line else "")
        try:
            if fault:
                raise InvalidRecord("reference", fault)
            draft = Draft(**convert(), media_type=media_type, place_in_file=place)
        except InvalidRecord as error:
            faults.append(f"{place} : {error.why}")
            continue
        if held is not None:
            yield held
        held = draft
    if held is None:
        raise UnreadableDocument(Reason.BAD_RECORDS, "; ".join(faults[:3]) or "no reference")
    told = faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        told.append(f"et {len(faults) - _MOST_TOLD} autres références fautives")
    yield dataclasses.replace(held, warnings=(*held.warnings, *told))


# -- Dublin Core


_DC = tuple(f"{{{name}}}" for name in (dublincore.ELEMENTS_NAMESPACE, dublincore.TERMS_NAMESPACE))
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def _descriptions(path: Path) -> Iterator[Found]:
    """Elements of which at least one child is one of Dublin Core. Entities are not resolved."""
    try:
        for _, element in etree.iterparse(
            str(path), events=("end",), resolve_entities=False, no_network=True
        ):
            if any(_is_dublin_core(one) for one in (element, *element.iterancestors())):
                continue  # not let go of before the description that it is a part of
            if values := _values(element):
                line = int(element.sourceline or 0)
                yield line, partial(dublincore.from_dublin_core, values), ""
            element.clear(keep_tail=False)
    except etree.XMLSyntaxError as error:
        why = f"le XML n’est plus lisible à partir de la ligne {error.lineno}"
        yield int(error.lineno or 0), dict, why


def _is_dublin_core(element: Any) -> bool:
    return isinstance(element.tag, str) and element.tag.startswith(_DC)


def _values(element: Any) -> dict[str, list[str]]:
    """Text of each child, or the address that it refers to; an RDF description has its own as identifier."""
    values: dict[str, list[str]] = {}
    for child in element:
        if _is_dublin_core(child):
            said = "".join(child.itertext("*")).strip() or child.get(f"{_RDF}resource", "")
            values.setdefault(etree.QName(child).localname, []).append(said)
    if values and (about := element.get(f"{_RDF}about")):
        values.setdefault("identifier", []).append(about)
    return values
