"""Small files made on the spot, and a fund to take them into."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
from PIL import Image

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


OPEN = (
    " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (
            *(("office", "office"), ("text", "text"), ("table", "table"), ("meta", "meta")),
            *(("draw", "drawing"), ("presentation", "presentation")),
        )
    )
    + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def open_document(path: Path, kind: str, body: str) -> Path:
    """An OpenDocument file of that kind ("presentation", "spreadsheet")."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}", zipfile.ZIP_STORED)
        content = f"<office:document-content {OPEN}><office:body><office:{kind}>{body}</office:{kind}>"
        package.writestr("content.xml", f"{content}</office:body></office:document-content>")
        package.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


def odp(path: Path, *slides: tuple[str, str, str]) -> Path:
    """Slides of a title, a text and notes."""
    body = "".join(
        f'<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>{title}</text:p>'
        f"</draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>{text}</text:p></draw:text-box>"
        f"</draw:frame><presentation:notes><draw:frame><draw:text-box><text:p>{notes}</text:p>"
        "</draw:text-box></draw:frame></presentation:notes></draw:page>"
        for title, text, notes in slides
    )
    return open_document(path, "presentation", body)


def ods(path: Path, *rows: Sequence[str], sheet: str = "Feuille") -> Path:
    """One sheet of texts."""
    cells = (
        "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
        for row in rows
    )
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    return open_document(path, "spreadsheet", f'<table:table table:name="{sheet}">{body}</table:table>')


def xlsx(path: Path, *rows: Sequence[str], sheet: str = "Feuille") -> Path:
    """One sheet of texts."""
    book = openpyxl.Workbook()
    book.worksheets[0].title = sheet
    for row in rows:
        book.worksheets[0].append(list(row))
    book.save(path)
    return path


def pptx(path: Path, *slides: tuple[str, str, str]) -> Path:
    """Slides of a title, a text (DrawingML, or plain) and notes."""
    names = (
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        f'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{RELATIONS}"'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("_rels/.rels", relations(("r", "officeDocument", "ppt/presentation.xml")))
        order = "".join(f'<p:sldId r:id="r{i}"/>' for i in range(len(slides)))
        package.writestr(
            "ppt/presentation.xml",
            f"<p:presentation {names}><p:sldIdLst>{order}</p:sldIdLst></p:presentation>",
        )
        # Parts are numbered from the last: their order is told by the list of slides only.
        parts = [f"slide{len(slides) - i}.xml" for i in range(len(slides))]
        links = [(f"r{i}", "slide", f"slides/{part}") for i, part in enumerate(parts)]
        package.writestr("ppt/_rels/presentation.xml.rels", relations(*links))
        for part, (title, text, notes) in zip(parts, slides, strict=True):
            shapes = shape(text, "body") + shape("12", "sldNum") + shape(title, "title")
            package.writestr(f"ppt/slides/{part}", f"<p:sld {names}><p:cSld>{shapes}</p:cSld></p:sld>")
            package.writestr(
                f"ppt/slides/_rels/{part}.rels", relations(("n", "notesSlide", f"../notesSlides/{part}"))
            )
            package.writestr(f"ppt/notesSlides/{part}", f"<p:notes {names}>{shape(notes, 'body')}</p:notes>")
    return path


def shape(text: str, role: str) -> str:
    """A shape of PresentationML; ``text`` may be a table of DrawingML."""
    if text.startswith("<"):
        return text
    said = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    place = f'<p:nvSpPr><p:nvPr><p:ph type="{role}"/></p:nvPr></p:nvSpPr>'
    return f"<p:sp>{place}<p:txBody>{said}</p:txBody></p:sp>"


def relations(*links: tuple[str, str, str]) -> str:
    """A part of relations: (id, kind, target)."""
    said = (
        f'<Relationship Id="{id}" Type="{RELATIONS}/{kind}" Target="{target}"/>' for id, kind, target in links
    )
    return f"<Relationships>{''.join(said)}</Relationships>"


def epub(
    path: Path, *chapters: tuple[str, str], title: str = "Mener une médiation sociale", encrypted: str = ""
) -> Path:
    """A book of chapters (title, paragraph), with its contents and properties."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        package.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="OEBPS/livre.opf"/></rootfiles></container>',
        )
        if encrypted:
            locked = f'<encryption><e><CipherReference URI="{encrypted}"/></e></encryption>'
            package.writestr("META-INF/encryption.xml", locked)
        items = "".join(f'<item id="c{i}" href="ch%20{i}.xhtml"/>' for i in range(len(chapters)))
        order = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
        package.writestr(
            "OEBPS/livre.opf",
            '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            f"<dc:title>{title}</dc:title>"
            "<dc:creator>Léa Roy</dc:creator><dc:date>2011-06-01</dc:date><dc:language>fr-FR</dc:language>"
            "<dc:publisher>Éditions du Morne</dc:publisher><dc:identifier>9782130000006</dc:identifier>"
            "<dc:subject>Habitat</dc:subject></metadata>"
            f'<manifest><item id="n" href="nav.xhtml" properties="nav"/>{items}</manifest>'
            f"<spine>{order}</spine></package>",
        )
        links = "".join(
            f'<li><a href="ch%20{i}.xhtml">{title}</a></li>' for i, (title, _) in enumerate(chapters)
        )
        package.writestr(
            "OEBPS/nav.xhtml",
            f'<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol>{links}</ol></nav></body></html>',
        )
        for i, (title, text) in enumerate(chapters):
            head = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>'
            package.writestr(f"OEBPS/ch {i}.xhtml", f"{head}<h1>{title}</h1><p>{text}</p></body></html>")
    return path


def eml(
    subject: str,
    text: str,
    *files: tuple[str, bytes],
    html: str = "",
    sender: str = "Léa Roy <lea@exemple.fr>",
) -> bytes:
    """A message with what is attached to it."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, "centre@exemple.fr", subject
    message["Date"] = "Wed, 15 Jun 2011 09:12:00 -0400"
    message["Message-ID"] = "<1@exemple.fr>"
    if text or not html:
        message.set_content(text)
    if html:
        (message.add_alternative if text else message.set_content)(html, subtype="html")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def doc(body: str, *, wide: bool = False, flags: int = 0) -> bytes:
    """A file of Word 97: ``body`` with Word's own marks, in two pieces."""
    half = len(body) // 2
    texts = body[:half], body[half:]
    encoded = [text.encode("utf-16-le" if wide else "cp1252") for text in texts]
    places = [0x800, 0x800 + len(encoded[0])]
    main = bytearray(places[1] + len(encoded[1]))
    main[0x800:] = b"".join(encoded)
    pieces = b"".join(
        struct.pack("<HIH", 0, place if wide else 0x40000000 | place * 2, 0) for place in places
    )
    table = struct.pack("<3I", 0, half, len(body)) + pieces
    table = b"\x01\x02\0ab\x02" + struct.pack("<I", len(table)) + table
    struct.pack_into("<HH6xH", main, 0, 0xA5EC, 193, 0x0200 | flags)
    struct.pack_into("<I", main, 0x4C, len(body))
    struct.pack_into("<II", main, 0x01A2, 0, len(table))
    return compound({"WordDocument": bytes(main), "1Table": table})


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file (MS-CFB) of streams, each at least as long as one that has sectors of its own."""
    free, end, chains = 0xFFFFFFFF, 0xFFFFFFFE, [0xFFFFFFFD, 0xFFFFFFFE]
    entries, body = [_entry("Root Entry", 5, end, 0, child=1)], b""
    for number, (name, content) in enumerate(streams.items(), start=1):
        content = content.ljust(4096, b"\0")
        content += b"\0" * (-len(content) % 512)
        first, count = len(chains), len(content) // 512
        chains += [*range(first + 1, first + count), end]
        right = number + 1 if number < len(streams) else free
        entries.append(_entry(name, 2, first, len(content), right=right))
        body += content
    table = struct.pack("<128I", *chains, *[free] * (128 - len(chains)))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<5H", 62, 3, 0xFFFE, 9, 6)
    head += b"\0" * 6 + struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0)
    head += struct.pack("<109I", 0, *[free] * 108)
    return head + table + b"".join(entries).ljust(512, b"\0") + body


def _entry(name: str, kind: int, first: int, size: int, *, child: int = -1, right: int = -1) -> bytes:
    named = (name + "\0").encode("utf-16-le")
    links = struct.pack("<III", 0xFFFFFFFF, right & 0xFFFFFFFF, child & 0xFFFFFFFF)
    start = named.ljust(64, b"\0") + struct.pack("<HBB", len(named), kind, 1) + links
    return start + b"\0" * 36 + struct.pack("<IQ", first, size)


def scan(*pages: str, turned: float = 0.0) -> list[Image.Image]:
    """Pages as a scanner sees them: the text drawn by pdfium at 150 dpi, in greys."""
    with pypdfium2.PdfDocument(pdf_bytes(*pages, size=12)) as document:
        drawn = [page.render(scale=150 / 72, grayscale=True).to_pil().convert("L") for page in document]
    return [page.rotate(turned, Image.Resampling.BICUBIC, expand=True, fillcolor=255) for page in drawn]


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """An archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
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
    odp = staticmethod(odp)
    ods = staticmethod(ods)
    xlsx = staticmethod(xlsx)
    pptx = staticmethod(pptx)
    epub = staticmethod(epub)
    eml = staticmethod(eml)
    doc = staticmethod(doc)
    compound = staticmethod(compound)
    scan = staticmethod(scan)
    zipped = staticmethod(zipped)
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
