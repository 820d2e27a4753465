"""Files spoilt at random in every format: each ends with drafts or with a reason, and the server lives on.

The same numbers give the same files. CARBET_MUTATIONS says how many there are; the figures are written to
CARBET_MUTATIONS_REPORT, if it names a file.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import readers
from ingest.drafts import from_wire
from ingest.isolation import Limits, Sandbox
from kb.errors import IngestError, Reason

COUNT = int(os.environ.get("CARBET_MUTATIONS", "300"))
REPORT = os.environ.get("CARBET_MUTATIONS_REPORT")
LIMITS = Limits(idle_seconds=20, total_seconds=60)

RTF = (
    b"{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset238 A;}}{\\info{\\title T}}"
    b"\\pard\\u233?t\\'e9 {\\b x}\\cell\\row\\page Les habitants de la ville}"
)
HTML = (
    b"<html><head><title>T</title></head><body>"
    b"<table><tr><td>a<td>b</table><p>Texte &eacute;crit</p></body></html>"
)
MARCXML = (
    b'<collection xmlns="http://www.loc.gov/MARC21/slim"><record>'
    b'<leader>00000nam  2200000   450 </leader><datafield tag="200" ind1="1" ind2=" ">'
    b'<subfield code="a">T</subfield></datafield></record></collection>'
)


DUBLIN_CORE = (
    b'<r xmlns:dc="http://purl.org/dc/elements/1.1/"><record><dc:title>Le quartier</dc:title>'
    b"<dc:date>2011</dc:date><dc:creator>Roy</dc:creator></record></r>"
)


@pytest.fixture(scope="module")
def seeds(make: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A good file of each format, by the end of its name."""
    folder = tmp_path_factory.mktemp("seeds")
    slides = [("Titre", make.text, "Notes"), ("Suite", make.text, "")]
    rows = [("Titre", "Auteurs", "Cote"), ("Le quartier", "Roy, Léa", "URB")]
    picture = make.scan(make.text)[0].resize((400, 560))
    for kind in ("png", "jpg", "tiff", "webp"):
        picture.save(folder / f"a.{kind}")
    picture.save(folder / "scan.pdf")
    made = [
        make.docx(folder / "a.docx", make.paragraph(make.text) * 3, notes="<w:footnote/>"),
        make.odt(folder / "a.odt", f"<text:h>Titre</text:h><text:p>{make.text}</text:p>"),
        make.pptx(folder / "a.pptx", *slides),
        make.odp(folder / "a.odp", *slides),
        make.xlsx(folder / "a.xlsx", *rows),
        make.ods(folder / "a.ods", *rows),
        make.epub(folder / "a.epub", ("Un", make.text), ("Deux", make.text)),
        make.zipped(folder / "a.zip", ("a.txt", make.text.encode()), ("b.pdf", make.pdf(make.text))),
    ]
    found = {path.suffix[1:]: path.read_bytes() for path in [*made, *folder.glob("a.*")]}
    return found | {
        "pdf": make.pdf(make.text, "", make.text, title="Titre"),
        "scan.pdf": (folder / "scan.pdf").read_bytes(),
        "doc": make.doc(make.text * 3, wide=True),
        "rtf": RTF,
        "html": HTML,
        "xml": MARCXML,
        "eml": make.eml("Objet", make.text, ("a.pdf", b"%PDF-"), html=f"<p>{make.text}</p>"),
        "txt": f"{make.text}\f{make.text}".encode("utf-16"),
        "md": f"---\ntitle: T\n---\n# {make.text}\n\n|a|b|\n|-|-|\n".encode(),
        "ris": b"TY  - BOOK\nTI  - Le quartier\nAU  - Roy, L\nPY  - 2011\nER  - \n" * 2,
        "bib": b"@book{roy, title = {Le {Q}uartier}, author = {Roy, L\\'ea}, year = 2011}\n" * 2,
        "json": b'[{"id": "1", "type": "book", "title": "T", "issued": {"date-parts": [[2011, 3]]}}]',
        "dc.xml": DUBLIN_CORE,
        "csv": 'titre;auteurs;année\n"Le quartier";Roy;2011\n'.encode("cp1252"),
        "mrc": make.unimarc(("001", "1"), ("200", "1 $aTitre"), ("606", "  $aVille")) * 2,
    }


# -- ways to spoil


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Some bits turned."""
    spoilt = bytearray(content)
    for _ in range(chance.choice((1, 2, 8, 64)) if spoilt else 0):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def cut(content: bytes, chance: random.Random) -> bytes:
    """An end or a middle lost."""
    start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    return chance.choice((content[:end], content[start:], content[:start] + content[end:]))


def repeated(content: bytes, chance: random.Random) -> bytes:
    """A piece said many times."""
    start = chance.randrange(len(content) + 1)
    piece = content[start : start + chance.choice((1, 8, 100, 2_000))]
    return content[:start] + piece * chance.choice((2, 10, 100, 1_000)) + content[start:]


def numbered(content: bytes, chance: random.Random) -> bytes:
    """A number made enormous, or negative, or nothing."""
    numbers = list(re.finditer(rb"\d+", content))
    if not numbers:
        return content
    found = chance.choice(numbers)
    other = chance.choice((b"0", b"-1", b"65536", b"4294967295", b"9" * 30, b""))
    return content[: found.start()] + other + content[found.end() :]


def nested(content: bytes, chance: random.Random) -> bytes:
    """An opening without its end, a thousand times."""
    openings = list(re.finditer(rb"<[^<>/!?]{1,40}>|\{[^{}]{0,20}|\[|<<|\(", content))
    if not openings:
        return content
    found = chance.choice(openings)
    return (
        content[: found.end()] + found.group() * chance.choice((50, 1_000, 20_000)) + content[found.end() :]
    )


SPOIL: tuple[Callable[[bytes, random.Random], bytes], ...] = (flipped, cut, repeated, numbered, nested)


def spoilt(seeds: dict[str, bytes], number: int) -> tuple[str, bytes]:
    """The end of the name and the content of a spoilt file."""
    chance = random.Random(number)
    kind = chance.choice(sorted(seeds))
    content = seeds[kind]
    way = chance.randrange(10)
    if way == 0:
        other = seeds[chance.choice(sorted(seeds))]
        content = content[: chance.randrange(len(content))] + other[chance.randrange(len(other)) :]
    elif way == 1:
        content = content[: chance.choice((4, 16, 64))] + chance.randbytes(
            chance.choice((0, 10, 1_000, 100_000))
        )
    elif way < 7 and content.startswith(b"PK"):
        content = inside(content, chance)
    else:
        for _ in range(chance.choice((1, 1, 3))):
            content = chance.choice(SPOIL)(content, chance)
    return kind, content


def inside(content: bytes, chance: random.Random) -> bytes:
    """A sound zip file with one spoilt part: a spoilt zip file is refused before its parts are read."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(out, "w") as again:
        victim = chance.choice(package.namelist())
        for name in package.namelist():
            part = package.read(name)
            again.writestr(name, chance.choice(SPOIL)(part, chance) if name == victim else part)
    return out.getvalue()


# -- the test


def outcome(sandbox: Sandbox, path: Path) -> str:
    """ "drafts", "members" or the reason."""
    try:
        lines = list(sandbox.run("ingest.readers:emit", str(path)))
    except IngestError as error:
        if "holds others" not in error.detail:
            return str(error.reason)
        try:
            list(sandbox.run("ingest.containers:emit", str(path)))
        except IngestError as inner:
            return str(inner.reason)
        return "members"
    assert [from_wire(line) for line in lines]
    return "drafts"


def test_every_spoilt_file_ends_with_drafts_or_a_reason(seeds: dict[str, bytes], tmp_path: Path) -> None:
    ended: Counter[str] = Counter()
    slow: list[tuple[float, int, str, str]] = []
    with Sandbox(LIMITS) as sandbox:
        assert outcome(sandbox, written(tmp_path, "txt", b"bonjour")) == "drafts"
        assert sandbox._server is not None
        server, started = sandbox._server.pid, time.monotonic()
        for number in range(COUNT):
            kind, content = spoilt(seeds, number)
            begun = time.monotonic()
            how = outcome(sandbox, written(tmp_path, kind, content))
            ended[how] += 1
            if how in (Reason.CRASHED, Reason.TOO_SLOW, Reason.TOO_MUCH_MEMORY):
                slow.append((round(time.monotonic() - begun, 2), number, kind, how))
        took = time.monotonic() - started
        assert sandbox._server.pid == server
        assert sandbox._server.poll() is None
        assert outcome(sandbox, written(tmp_path, "txt", b"bonjour")) == "drafts"
    if REPORT:
        told = {"files": COUNT, "seconds": round(took, 1), "ended": dict(ended), "bad": slow}
        Path(REPORT).write_text(json.dumps(told, indent=1))
    assert ended.total() == COUNT
    assert set(ended) <= {"drafts", "members", *map(str, Reason)}
    assert ended["drafts"] > COUNT / 10  # many were spoilt so little that something is left to read
    assert ended[Reason.TOO_SLOW] <= COUNT / 500


def test_every_format_is_among_the_seeds(seeds: dict[str, bytes], tmp_path: Path) -> None:
    met = {readers.format_of(written(tmp_path, kind, content)) for kind, content in seeds.items()}
    assert met == {*readers.READERS, readers.CONTAINER}


def written(folder: Path, kind: str, content: bytes) -> Path:
    path = folder / f"a.{kind}"
    path.write_bytes(content)
    return path
