"""Plain text and Markdown to drafts.

Hides how the character set of a file that declares none is found, and Markdown.
"""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from ingest import html
from ingest.cleaning import clean, clean_pages
from ingest.drafts import Draft
from ingest.frontmatter import Line, Metadata, completed, split_keywords
from ingest.legibility import judge
from kb.errors import Reason, UnreadableDocument
from kb.french import passages
from kb.records import Page, regular_date

PLAIN, MARKDOWN = "text/plain", "text/markdown"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OLD = ("cp1252", "mac_roman", "cp850")  # Windows, Mac OS, DOS in French
_FRENCH_LETTERS = frozenset("éèêëàâùûüôöîïçœæÉÈÊÀÂÇÔÎŒ’‘“”«»…–—°€\u00a0")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decoded(content: bytes) -> str:
    """The text in bytes that declare no character set: by the mark at their head, else UTF-8, else the old
    set that gives the most French letters. Raises UnreadableDocument (DAMAGED) for what is not text."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, "replace")
    if wide := _wide(content):
        return content.decode(wide, "replace")
    if len(_CONTROLS.findall(content)) > len(content) / 100:
        raise UnreadableDocument(Reason.DAMAGED, "not text: control characters")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return max((content.decode(name, "replace") for name in _OLD), key=_frenchness)


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Latin text is 0."""
    head = content[:2000]
    if len(head) < 4 or head.count(0) < len(head) * 0.3:
        return None
    return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"


def _frenchness(text: str) -> int:
    sample = [c for c in text[:50_000] if not c.isascii()]
    return sum(1 if c in _FRENCH_LETTERS else -2 for c in sample)


def read(path: Path) -> Iterator[Draft]:
    """One draft of a text file: form feeds are page ends, else it is cut into passages. Raises
    UnreadableDocument: EMPTY, DAMAGED."""
    text = decoded(path.read_bytes())
    sheets = text.split("\f") if text.strip("\f").count("\f") else [text]
    if len(sheets) > 1:
        pages = clean_pages([Page(i, sheet) for i, sheet in enumerate(_trimmed(sheets), start=1)])
    else:
        pages = tuple(Page(i, cut, None, *judge(cut)) for i, cut in enumerate(passages(clean(text)), start=1))
    if not any(page.grade for page in pages):
        raise UnreadableDocument(Reason.EMPTY, "no words")
    lines = [Line(line) for line in pages[0].text.split("\n") if line]
    yield completed(Draft(pages=pages, media_type=PLAIN), Metadata(), lines, path.name)


def _trimmed(sheets: list[str]) -> list[str]:
    return sheets if sheets[-1].strip() else sheets[:-1]


# -- Markdown

_FRONT = re.compile(r"\A---[ \t]*\n(?P<lines>.*?)\n---[ \t]*\n", re.DOTALL)
_SETTING = re.compile(r"^(\w[\w -]*):[ \t]*(.*)$", re.MULTILINE)


def read_markdown(path: Path) -> Iterator[Draft]:
    """One draft of a Markdown file, with the settings at its head if it has some ("title: ...")."""
    text = decoded(path.read_bytes()).replace("\r\n", "\n")
    settings: dict[str, str] = {}
    if front := _FRONT.match(text):
        settings = {key.lower(): value.strip("\"' ") for key, value in _SETTING.findall(front["lines"])}
        text = text[front.end() :]
    page = MarkdownIt("commonmark").enable("table").render(text)
    draft = html.draft_of(f"<body>{page}</body>", path.name, MARKDOWN)
    yield _with_settings(draft, settings, path.name)


def _with_settings(draft: Draft, settings: dict[str, str], name: str) -> Draft:
    metadata = Metadata(
        title=settings.get("title") or settings.get("titre", ""),
        authors=settings.get("authors") or settings.get("author") or settings.get("auteur", ""),
        date=regular_date(settings.get("date", "")),
    )
    keywords = settings.get("keywords") or settings.get("mots-clés", "")
    bare = dataclasses.replace(
        draft,
        title="" if metadata.title else draft.title,
        agents=() if metadata.authors else draft.agents,
        date=None if metadata.date else draft.date,
        keywords=split_keywords(keywords) if keywords else draft.keywords,
    )
    return completed(bare, metadata, [], name)
