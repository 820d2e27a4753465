"""Small files made on the spot, and a fund to take them into."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.isolation import Sandbox
from ingest.tagging import Tagger
from kb.config import Config
from kb.database import Store
from kb.thesaurus import Concept, Scheme, Thesaurus

THEMES = "https://example.org/themes/"

PARAGRAPH = (
    "Les habitants du quartier ont été consultés par la commune avant que les travaux de rénovation ne "
    "commencent. La médiation sociale a permis de recueillir leurs attentes dans de bonnes conditions."
)


def pdf_bytes(*pages: str, title: str = "", author: str = "", size: int = 11, first_size: int = 11) -> bytes:
    """A PDF of Helvetica lines; the first line of the first page is set in ``first_size``."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica",
    ]
    objects[2] += b" /Encoding /WinAnsiEncoding >>"
    info = f"<< /Title ({title}) /Author ({author}) /CreationDate (D:20120315091200) >>"
    objects.append(info.encode("cp1252"))
    kids = []
    for number, text in enumerate(pages):
        content = _content(text, size, first_size if number == 0 else size)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    return _with_table(objects)


def _content(text: str, size: int, first_size: int) -> bytes:
    steps = ["BT", "50 780 Td"]
    for number, line in enumerate(text.split("\n") if text else []):
        height = first_size if number == 0 else size
        escaped = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        steps += [f"/F1 {height} Tf", f"({escaped}) Tj", f"0 -{height + 6} Td"]
    return "\n".join([*steps, "ET"]).encode("cp1252")


def _with_table(objects: list[bytes]) -> bytes:
    written, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(written)
    count = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF" % (count, start)
    return written + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + trailer


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(path: Path, body: str, *, styles: str = "", core: str = "", notes: str = "") -> Path:
    """A DOCX file of that body (WordprocessingML without its root)."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Type="{relations}" Target="word/document.xml"/></Relationships>',
        )
        package.writestr(
            "word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
        )
        if styles:
            package.writestr("word/styles.xml", f'<w:styles xmlns:w="{W}">{styles}</w:styles>')
        if notes:
            package.writestr("word/footnotes.xml", f'<w:footnotes xmlns:w="{W}">{notes}</w:footnotes>')
        if core:
            package.writestr("docProps/core.xml", core)
    return path


def paragraph(text: str, style: str = "") -> str:
    """One paragraph of WordprocessingML."""
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}<w:r><w:t>{text}</w:t></w:r></w:p>"


def odt(path: Path, body: str, *, meta: str = "", manifest: str = "") -> Path:
    """An ODT file of that body (OpenDocument text without its root)."""
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("text", "text"), ("table", "table"), ("meta", "meta"))
    )
    names += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED)
        package.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:text>{body}</office:text></office:body>"
            "</office:document-content>",
        )
        package.writestr("meta.xml", f"<office:document-meta {names}>{meta}</office:document-meta>")
        package.writestr("META-INF/manifest.xml", manifest or "<manifest/>")
    return path


def unimarc(*fields: tuple[str, str], leader: str = "nam  22", encoding: str = "utf-8") -> bytes:
    """One ISO 2709 record: ("001", data) or ("200", "  $aTitre$esuite") with two indicators first."""
    directory, data = b"", b""
    for tag, said in fields:
        body = said if tag < "010" else said[:2] + said[2:].replace("$", "\x1f")
        raw = body.encode(encoding) + b"\x1e"
        directory += f"{tag}{len(raw):04d}{len(data):05d}".encode()
        data += raw
    base = 24 + len(directory) + 1
    head = f"{base + len(data) + 1:05d}{leader}{base:05d}   450 ".encode()
    return head + directory + b"\x1e" + data + b"\x1d"


class Make:
    """The makers above, for tests: folders of tests are no packages, so that they cannot be imported."""

    pdf = staticmethod(pdf_bytes)
    docx = staticmethod(docx)
    odt = staticmethod(odt)
    paragraph = staticmethod(paragraph)
    unimarc = staticmethod(unimarc)
    text = PARAGRAPH


@pytest.fixture(scope="session")
def make() -> type[Make]:
    return Make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path / "fund"))
    opened.save_thesaurus(thesaurus())
    yield opened
    opened.close()


def thesaurus() -> Thesaurus:
    """Three themes."""
    labels = {"T06": "Médiation sociale", "T08": "Rénovation urbaine", "T12": "Santé"}
    concepts = [Concept(uri=THEMES + code, scheme="themes", label=label) for code, label in labels.items()]
    return Thesaurus(concepts, [Scheme("themes", THEMES[:-1], "Thèmes")])


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger(thesaurus())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def inbox(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Writes a file to be ingested and returns its path."""
    folder = tmp_path / "inbox"

    def write(name: str, content: bytes | str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
