"""Records of catalogues in XML, one after the other, as bytes and then as fields.

Hides the dialects: MARCXML and MarcXchange under any prefix or none, alone or within the answer of an OAI-PMH
server, and the UNIMARC of PMB (``notice``, ``f``, ``s``). Records are cut out of the text before any of it is
parsed: one that is ill-formed spoils no other, a large file is never a tree, and no document type, hence no
entity, is seen.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from mmap import mmap
from typing import Any

from lxml import etree

from kb import charsets
from kb.errors import InvalidRecord
from kb.iso2709 import Field, regular, regular_leader

_HEAD = 2048  # bytes in which a file shows what it is

_RECORD = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<(?P<end>/?)(?:[\w.-]+:)?(?:record|notice)(?:\s[^<>]*?)?(?P<empty>/?)>",
    re.DOTALL,
)
_HOLDS_FIELDS = re.compile(rb"<(?:[\w.-]+:)?(?:leader|controlfield|datafield|f)[\s>]")
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:collection|record|notice|unimarc|OAI-PMH)[\s>]")
_TELLING = re.compile(
    rb"<(?:[\w.-]+:)?(?:leader|controlfield|datafield)[\s>]|loc\.gov/MARC21/slim|info:lc/xmlns/marcxchange"
    rb"|<f\s+c=[\"']\d{3}[\"']"
)
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_marcxml(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a catalogue in XML."""
    if head.startswith(_UTF_16):
        head = head[: len(head) & ~1].decode("utf-16", "ignore").encode()
    head = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return head.startswith(b"<") and bool(_ROOT.search(head)) and bool(_TELLING.search(head))


def records(content: bytes | mmap) -> Iterator[bytes]:
    """Each record as it is written, good or not. Elements of that name around others, as in OAI-PMH, are
    none."""
    if content[:2] in _UTF_16:
        content = content[:].decode("utf-16", "replace").encode()
    start: int | None = None
    for mark in _RECORD.finditer(content):
        if mark["end"] is None:
            continue
        if mark["empty"]:
            yield mark.group()
        elif mark["end"]:
            if start is not None:
                yield content[start : mark.end()]
            start = None
        else:
            yield from _unclosed(content, start, mark.start())
            start = mark.start()
    yield from _unclosed(content, start, len(content))


def _unclosed(content: bytes | mmap, start: int | None, end: int) -> Iterator[bytes]:
    """A record that never ends, if it is one."""
    if start is not None and _HOLDS_FIELDS.search(part := content[start:end]):
        yield part


def declared(content: bytes | mmap) -> str | None:
    """The character set that the file says it has, if Python knows it."""
    found = _DECLARED.search(content[:_HEAD])
    try:
        return codecs.lookup(found[1].decode("ascii")).name if found else None
    except LookupError:
        return None


def parse(raw: bytes, charset: str | None) -> tuple[str, list[Field], list[str]]:
    """Leader, fields, and French words on what was mended. ``charset`` is what the file declares. Raises
    InvalidRecord with a French reason."""
    text, faults = _decoded(raw, charset)
    regular_text = _mended(text)
    if regular_text != text:
        faults.append("XML fautif, réparé")
    prefixes = dict.fromkeys(re.findall(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]", regular_text))
    names = " ".join(
        f'xmlns:{prefix}="urn:{prefix}"' for prefix in prefixes if prefix not in ("xml", "xmlns")
    )
    try:
        root = etree.fromstring(f"<all {names}>{regular_text}</all>", _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidRecord(
            "record", "XML mal formé" + (f", ligne {line} de la notice" if line else "")
        ) from error
    leader, fields, more = _fields(root)
    return leader, fields, faults + more


def _decoded(raw: bytes, charset: str | None) -> tuple[str, list[str]]:
    """By the bytes: UTF-8 if they are, else what is declared, else what gives a text without noise."""
    if charsets.is_utf8(raw):
        return raw.decode("utf-8"), []
    if charset not in (None, "utf-8", "iso8859-1", "ascii"):
        try:
            return raw.decode(charset), []
        except UnicodeDecodeError:
            raise InvalidRecord(
                "record", f"illisible dans le jeu de caractères déclaré ({charset})"
            ) from None
    decision = charsets.decide([raw], charsets.XML_SETS)
    doubt = [decision.doubt] if decision.doubt else []
    return charsets.decode(raw, decision.charset), doubt


_BARE = re.compile(r"&(?!#\d+;|#x[0-9A-Fa-f]+;|[A-Za-z][A-Za-z0-9]*;)")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_NAMES = ("amp", "lt", "gt", "quot", "apos")


def _mended(text: str) -> str:
    """Without control characters, with bare ampersands escaped and the names of HTML as characters."""
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)
    text = _BARE.sub("&amp;", text)
    return _NAMED.sub(lambda m: m[0] if m[1] in _XML_NAMES else html.unescape(m[0]), text)


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _fields(root: Any) -> tuple[str, list[Field], list[str]]:
    leader, fields, faults = "", [], []
    parts = {"rs": " ", "dt": " ", "bl": " "}  # PMB's pieces of the leader: status, type, level
    for element in root.iter("{*}*"):
        kind = etree.QName(element).localname
        if kind == "leader":
            leader = element.text or ""
        elif kind in parts:
            parts[kind] = ((element.text or "").strip() or " ")[:1]
        elif kind in ("controlfield", "datafield", "f"):
            tag = (element.get("tag") or element.get("c") or "").strip()
            if len(tag) != 3:
                faults.append(f"zone sans étiquette valable «\u00a0{tag}\u00a0»")
                continue
            fields.append(_field(tag, element))
    leader = leader.strip("\n") or f"     {parts['rs']}{parts['dt']}{parts['bl']}"
    return regular_leader(leader), fields, faults


def _field(tag: str, element: Any) -> Field:
    """A field of ``controlfield``, ``datafield`` or ``f``; a subfield without a code names nothing."""
    inner = [part for part in element if etree.QName(part).localname in ("subfield", "s")]
    if not inner:
        text = regular(element.text or "")
        return Field(tag, text) if tag < "010" else Field(tag, "", (("a", text),) if text else ())
    marks = element.get("ind") or (element.get("ind1") or " ") + (element.get("ind2") or " ")
    told = [((p.get("code") or p.get("c") or "").strip(), regular("".join(p.itertext()))) for p in inner]
    return Field(tag, "", tuple((code, value) for code, value in told if code and value), marks.ljust(2)[:2])
