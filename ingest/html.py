"""HTML pages to drafts: the main text, and what their metas say.

Hides beautifulsoup4 and lxml, how the character set is found (declared, else guessed), and what of a page is
not its text: menus, headers, footers, asides, forms, scripts, breadcrumbs, skip links, share bars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup
from bs4.element import Comment, Doctype, NavigableString, ProcessingInstruction, Tag

from ingest.cleaning import clean, has_text
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Line, Metadata, agent, completed, is_title, regular_language, split_keywords
from ingest.isolation import beat
from ingest.legibility import judge
from kb.errors import Reason, UnreadableDocument
from kb.formats import type_named
from kb.french import fold, passages
from kb.records import Agent, Page, regular_date, regular_isbn, regular_issn

MEDIA_TYPE = "text/html"

_ASIDE = (
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "footer",
    "aside",
    "form",
    "svg",
    "iframe",
    "button",
    "dialog",
)
_ROLES = ("navigation", "banner", "contentinfo", "search", "complementary", "menu")
_BLOCKS_TEXT = """
address article blockquote body caption center dd details div dl dt fieldset figcaption figure h1 h2 h3 h4
h5 h6 header hr li main ol p pre section summary table tbody tfoot thead tr ul
"""
_BLOCKS = frozenset(_BLOCKS_TEXT.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DEEPEST = (
    200  # nested elements followed, two calls each: real pages have 30, and Python's stack ends at 1,000
)


def read(path: Path) -> Iterator[Draft]:
    """One draft of an HTML page, cut into passages. Raises UnreadableDocument: EMPTY; NO_TEXT if it has
    pictures only."""
    yield draft_of(path.read_bytes(), path.name)


def draft_of(markup: bytes | str, name: str, media_type: str = MEDIA_TYPE) -> Draft:
    """The draft of a page; ``name`` is what it is called if it has no title. Raises as ``read``."""
    soup = BeautifulSoup(markup, "lxml")
    metas = _metas(soup)
    title, language = _title(soup, metas), _declared_language(soup, metas)
    main = _main(soup)
    _leave_crumbs(main, title)
    blocks = _Blocks(main)
    text = clean("\n\n".join(blocks.texts))
    if not has_text(text) and main.find(_PICTURES) is not None:
        raise UnreadableDocument(Reason.NO_TEXT, "pictures only")
    if not text:
        raise UnreadableDocument(Reason.EMPTY, "no text in the page")
    pages = tuple(Page(i, cut, None, *judge(cut)) for i, cut in enumerate(passages(text), start=1))
    lines = [Line(line) for line in text.split("\n")[:40] if line]
    draft = Draft(
        title=title,
        type=_type(metas, "page-web" if media_type == MEDIA_TYPE else "document"),
        agents=_agents(metas),
        date=_date(soup, metas),
        language=language,
        publisher=_first(metas, "dc.publisher", "dcterms.publisher", "citation_publisher", "og:site_name"),
        abstract=_first(metas, "dc.description", "dcterms.abstract", "description", "og:description"),
        keywords=_keywords(metas),
        identifiers=_identifiers(metas),
        pages=pages,
        outline=tuple(_outline(blocks.headings, pages)),
        media_type=media_type,
        found={"title": "metadata"} if title else {},
    )
    return completed(draft, Metadata(), lines, name)


# -- metas


def _metas(soup: BeautifulSoup) -> dict[str, list[str]]:
    """Contents of the metas by their name or property, in lower case."""
    found: dict[str, list[str]] = {}
    for meta in soup.find_all("meta"):
        name = _attribute(meta, "name") or _attribute(meta, "property")
        content = clean(_attribute(meta, "content"))
        if name and content:
            found.setdefault(name.lower(), []).append(content)
    return found


def _attribute(tag: Tag, name: str) -> str:
    value = tag.get(name) or ""
    return value if isinstance(value, str) else " ".join(value)


def _all(metas: dict[str, list[str]], *names: str) -> list[str]:
    return next((metas[name] for name in names if name in metas), [])


def _first(metas: dict[str, list[str]], *names: str) -> str | None:
    values = _all(metas, *names)
    return values[0] if values else None


def _title(soup: BeautifulSoup, metas: dict[str, list[str]]) -> str:
    """The title that the metas give, else the only first heading, else <title> without the site's name."""
    given = _first(metas, "dc.title", "dcterms.title", "citation_title", "og:title")
    if given and is_title(given):
        return given
    headings = [clean(tag.get_text(" ")) for tag in soup.find_all("h1", limit=2)]
    heading = re.sub(r"\s+", " ", headings[0]) if len(headings) == 1 else ""
    whole = re.sub(r"\s+", " ", clean(soup.title.get_text())) if soup.title else ""
    if heading and is_title(heading):
        return heading
    short = re.split(r"\s+[|–—-]\s+", whole)[0]
    return next((title for title in (short, whole) if is_title(title)), "")


def _agents(metas: dict[str, list[str]]) -> tuple[Agent, ...]:
    names = _all(metas, "dc.creator", "dcterms.creator", "citation_author", "author", "article:author")
    people = [agent(part) for name in names for part in re.split(r"\s*;\s*", name) if part]
    return tuple(dict.fromkeys(a for a in people if not a.name.startswith("http")))


def _date(soup: BeautifulSoup, metas: dict[str, list[str]]) -> str | None:
    names = (
        "dcterms.issued",
        "dc.date.issued",
        "citation_publication_date",
        "citation_date",
        "article:published_time",
    )
    for said in _all(metas, *names, "dc.date", "dcterms.date", "dcterms.created", "date", "dcterms.modified"):
        if date := regular_date(said):
            return date
    stamped = soup.find("time", attrs={"datetime": True})
    return regular_date(_attribute(stamped, "datetime")[:10]) if isinstance(stamped, Tag) else None


def _type(metas: dict[str, list[str]], otherwise: str) -> str:
    named = (type_named(said) for said in _all(metas, "dc.type", "dcterms.type"))
    return next((code for code in named if code), otherwise)


def _keywords(metas: dict[str, list[str]]) -> tuple[str, ...]:
    values = _all(metas, "dc.subject", "dcterms.subject", "citation_keywords", "keywords")
    return tuple(dict.fromkeys(word for value in values for word in split_keywords(value)))


def _declared_language(soup: BeautifulSoup, metas: dict[str, list[str]]) -> str | None:
    declared = _first(metas, "dc.language", "dcterms.language", "citation_language")
    root = soup.find("html")
    return regular_language(declared) or regular_language(
        _attribute(root, "lang") if isinstance(root, Tag) else ""
    )


def _identifiers(metas: dict[str, list[str]]) -> dict[str, str]:
    found = {
        "doi": _first(metas, "citation_doi", "dc.identifier.doi"),
        "isbn": regular_isbn(_first(metas, "citation_isbn") or ""),
        "issn": regular_issn(_first(metas, "citation_issn") or ""),
    }
    return {kind: value for kind, value in found.items() if value}


# -- text


def _main(soup: BeautifulSoup) -> Tag:
    """The element that holds the text, without what is beside it."""
    for tag in soup.find_all(_ASIDE):
        tag.decompose()
    for tag in soup.find_all(_is_beside):
        tag.decompose()
    for tag in soup.find_all(_is_furniture):
        tag.decompose()
    candidates = [*soup.find_all("main"), *soup.find_all(_has_main_role), *soup.find_all("article")]
    if len(candidates) == 1 or (candidates and candidates[0].name == "main"):
        main: Tag = candidates[0]
        return main
    body = soup.body or soup
    for tag in body.find_all("header", recursive=False):
        if tag.find("h1") is None:
            tag.decompose()
    return body


def _is_beside(tag: Tag) -> bool:
    return tag.get("role") in _ROLES or tag.has_attr("hidden") or tag.get("aria-hidden") == "true"


def _is_furniture(tag: Tag) -> bool:
    """Whether an element says by its names that it is a breadcrumb, a skip link or a bar of share links, and
    is as short as those are: a whole page may be named "with-breadcrumb"."""
    if tag.name == "a":
        here = _attribute(tag, "href").startswith("#")
        return here and re.match(_SKIP, fold(tag.get_text(" ", strip=True))) is not None
    if tag.name not in _FURNITURE:
        return False
    names = " ".join(_attribute(tag, name) for name in ("class", "id", "aria-label", "itemtype", "typeof"))
    if not names:
        return False
    names = fold(names)
    if re.search(_CRUMBS, names):
        return _is_short(tag)
    return re.search(_SHARE, names) is not None and _is_short(tag) and _said_beside_links(tag) <= _INVITATION


_FURNITURE = ("div", "dl", "ol", "p", "section", "span", "ul")
_CRUMBS = r"bread-?_?crumb|\b(?:fil[-_ ]?d?[-_' ]?)?ariane\b|\bfilariane|youarehere"
_SHARE = (
    r"\b(?:share|sharing|partag\w*|addtoany|addthis|sharethis)\b"
    r"|\bsocial[-_](?:links|icons|media|bar|networks?)\b"
)
_SKIP = r"(?:aller|passer|acceder|skip|jump)\b.{0,20}\b(?:contenu|content|main|menu|navigation|recherche)\b"
_SHORT = 400  # characters: a path of five long titles; a paragraph may be as short, but is not so named
_INVITATION = 40  # characters: « Partager cette page sur : »


def _is_short(tag: Tag) -> bool:
    return tag.find(list(_HEADINGS)) is None and len(tag.get_text(" ", strip=True)) <= _SHORT


def _said_beside_links(tag: Tag) -> int:
    linked = sum(len(a.get_text(" ", strip=True)) for a in tag.find_all("a"))
    return len(tag.get_text(" ", strip=True)) - linked


def _leave_crumbs(main: Tag, title: str) -> None:
    """Takes out a path to the page that no name tells: links one after the other from home, or down to the
    title, before the first heading."""
    before = []
    for tag in main.find_all([*_FURNITURE, *_HEADINGS], limit=_FIRST):
        if tag.name in _HEADINGS:
            break
        before.append(tag)
    path = next((tag for tag in before if _is_path(tag, fold(title))), None)
    if path is not None:
        path.decompose()


_FIRST = 20  # elements of a page among which its path is looked for
_STEP = r"\s*[›»>→/|]\s*"
_ITEM = rf"(?:{_STEP}|\s+)"  # between items of a list, whose marks are often drawn by the style sheet
_LAST = 200  # characters: a long title
_WHOLE = ["div", "ol", "p", "section", "ul"]  # what holds these is more than a path
_HOME = ("accueil", "home", "page d'accueil")
_PICTURES = ["img", "picture", "object", "embed", "canvas"]


def _is_path(tag: Tag, title: str) -> bool:
    links = [fold(" ".join(a.get_text(" ").split())) for a in tag.find_all("a")]
    if not links or not _is_short(tag) or tag.find(_WHOLE) is not None:
        return False
    step = _ITEM if tag.name in ("ol", "ul") else _STEP
    said = fold(" ".join(tag.get_text(" ").split()))
    found = re.fullmatch(rf"{step}".join(map(re.escape, links)) + rf"(?:{step}(.*))?", said)
    if found is None:
        return False
    last = found[1] or (links[-1] if len(links) > 1 else "")
    return 0 < len(last) <= _LAST and (last == title or links[0] in _HOME)


def _has_main_role(tag: Tag) -> bool:
    return tag.get("role") == "main"


class _Blocks:
    """The paragraphs of an element in order, and which of them are headings."""

    def __init__(self, root: Tag) -> None:
        self.texts: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self._open: list[str] = []
        self._walk(root, 0)
        self._end()

    def _walk(self, tag: Tag, depth: int) -> None:
        beat()
        for child in tag.children:
            if isinstance(child, NavigableString):
                if not isinstance(child, Comment | Doctype | ProcessingInstruction):
                    self._open.append(child if tag.name == "pre" else re.sub(r"\s+", " ", child))
            elif isinstance(child, Tag):
                self._element(child, depth + 1)

    def _element(self, tag: Tag, depth: int) -> None:
        if depth > _DEEPEST:
            self._open.append(" ".join(tag.strings))
        elif tag.name == "br":
            self._open.append("\n")
        elif tag.name in ("td", "th"):
            self._walk(tag, depth)
            self._open.append(" | ")
        elif tag.name in _BLOCKS:
            self._end()
            self._walk(tag, depth)
            self._end(_HEADINGS.get(tag.name))
        else:
            self._walk(tag, depth)

    def _end(self, level: int | None = None) -> None:
        text = "".join(self._open).strip().removesuffix("|").strip()
        self._open.clear()
        if text:
            self.texts.append(text)
            if level:
                self.headings.append((level, clean(text)))


def _outline(headings: list[tuple[int, str]], pages: tuple[Page, ...]) -> Iterator[Heading]:
    """Headings with the passage where each stands, looked for from the one before on."""
    page, place = 0, 0
    for level, title in headings:
        for number in range(page, len(pages)):
            found = pages[number].text.find(title, place if number == page else 0)
            if found >= 0:
                page, place = number, found + len(title)
                yield Heading(title, page + 1, level)
                break


def starts_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an HTML page."""
    plain = fold(head.replace(b"\0", b"").decode("latin-1")).lstrip("i»¿þÿ \t\r\n")
    return bool(
        re.match(
            r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|title|meta)\b",
            plain,
            re.DOTALL,
        )
    )
