"""Pages of plain text, written in Markdown in ``web/help``: help, accessibility, legal notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from flask import Blueprint, Response, request
from markdown_it import MarkdownIt

from kb.accounts import Right
from kb.errors import NotFound
from web.guard import needs
from web.rendering import shown
from web.typography import spaced

views = Blueprint("pages", __name__)

HELP = Path(__file__).parent / "help"

_ADDRESSES: Mapping[str, str] = MappingProxyType(
    {
        "/aide": "aide",
        "/aide/traiter-le-fonds": "traiter-le-fonds",
        "/aide/guichet": "guichet",
        "/aide/reseau": "reseau",
        "/accessibilite": "accessibilite",
        "/mentions": "mentions",
        "/donnees-personnelles": "donnees-personnelles",
        "/plan": "plan",
    }
)


@dataclass(frozen=True, slots=True)
class TextPage:
    """A page of text; ``html`` comes from our own Markdown, raw HTML in it is shown as text."""

    title: str
    html: str


@views.get("/aide")
@views.get("/aide/traiter-le-fonds")
@views.get("/aide/guichet")
@views.get("/aide/reseau")
@views.get("/accessibilite")
@views.get("/mentions")
@views.get("/donnees-personnelles")
@views.get("/plan")
@views.get("/aide.json")
@views.get("/accessibilite.json")
@views.get("/mentions.json")
@views.get("/donnees-personnelles.json")
@views.get("/plan.json")
@needs(Right.VISIT)
def text() -> Response:
    """The text of this address."""
    name = _ADDRESSES[request.path.removesuffix(".json")]
    return shown("prose.html", text_page(name), section="aide" if name == "aide" else "")


@cache
def text_page(name: str) -> TextPage:
    """A text by the name of its file; its title is its first heading. Raises NotFound."""
    path = HELP / f"{name}.md"
    if not path.is_file():
        raise NotFound("text", name)
    source = spaced(path.read_text(encoding="utf-8"))
    title = source.partition("\n")[0].lstrip("# ")
    return TextPage(title, MarkdownIt("commonmark", {"html": False}).enable("table").render(source))
