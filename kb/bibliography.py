"""References to records as French documentalists write them, after ISO 690:2021: « NOM, Prénom. *Titre* ».

Hides citeproc-py, which applies the style ``kb/iso690.csl`` (ours), from everybody. The style says which
element follows which, with what sign between; here is what it cannot say: which of its four shapes a record
takes, what stands between brackets, and what happens where a sign of the style meets one of the record (a
title that ends with a full stop). What a record says passes through the processor between marks of the
private use area, so that words of records and signs of the style stay apart until they are written as text,
HTML or Markdown.

ISO 690 leaves spacing, capitals and italics free; those chosen here are the usual ones in French libraries.
Contributors (prefaces, translations) are left out: records do not say what they did.
"""

from __future__ import annotations

import functools
import html
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kb.citations import PARTS, extent_said
from kb.formats import Notice, extent_parts, plain
from kb.french import pieces
from kb.records import TYPES, Agent, Record

SHORTENED = 80
"""Characters of a title in a short citation, the dots included."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference, without line breaks. ``html`` knows ``<i>`` alone, the rest is escaped; ``markdown`` is
    CommonMark that shows the words of the record as they are, at the start of a block or inside it."""

    text: str
    html: str
    markdown: str


def reference(notice: Notice, *, url: str | None = None, accessed: date | None = None) -> Reference:
    """The whole reference of a record. ``url`` is where it is read online (else the one that it bears),
    ``accessed`` the day on which it was seen there; a day without an address is left out."""
    return _written(_rendered(_item(notice, url, accessed)))


def bibliography(
    notices: Iterable[Notice], *, urls: Mapping[str, str] = MappingProxyType({}), accessed: date | None = None
) -> tuple[Reference, ...]:
    """References by author, then title, accents and case aside; works without an author stand at their title.
    References that read alike are one. ``urls`` gives the address of a record by its id."""
    ordered = sorted(notices, key=_order)
    written = (reference(notice, url=urls.get(notice.record.id), accessed=accessed) for notice in ordered)
    return tuple({told.text: told for told in written}.values())


def citation(record: Record, page: int | None = None, label: str | None = None) -> Reference:
    """What stands after a quotation: « Auteur, *Titre*, 2010, p. 12 », without subtitle, the title shortened
    on a word; « s. d. » without a date. ``label``, what is printed on the page, is said rather than ``page``.
    """
    place = _clean(label) or (str(page) if page is not None else "")
    part = record.type != "texte-officiel" and _is_part(record, hosted=record.host is not None)
    title = _marked(_shortened(record))
    variables = {"title": title, "issued": _dated(record.date, full=False), **_names(record)}
    return _written(_rendered(_Item("chapter" if part else "book", variables), place=place))


def short(record: Record, page: int | None = None, label: str | None = None) -> str:
    """``citation`` as Markdown, fit for the text of a link."""
    return citation(record, page, label).markdown


def _order(notice: Notice) -> tuple[list[list[str]], list[str], str]:
    record = notice.record
    said = [pieces(name) for agent in _signed(record) if (name := _clean(agent.name))]
    title = pieces(_title(record))
    return said or [title], title, record.date or ""


# -- what the style reads

_VALUE, _END, _ITALIC, _ROMAN, _URL = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
_SIGNS = "-–&,"  # in numbers of pages, where the processor would put its own
_HIDDEN = str.maketrans(_SIGNS, "\ue005\ue006\ue007\ue008")
_SHOWN = str.maketrans("\ue005\ue006\ue007\ue008", _SIGNS)
_FORBIDDEN = re.compile("[\ue000-\ue008]|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]|[\ud800-\udfff\ufffe\uffff]")
_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")
_SPACES = (
    (re.compile(r"[ \u00a0](?=[;!?](?:\s|$))"), "\u202f"),
    (re.compile(r" (?=:(?:\s|$))|(?<=«) | (?=»)|(?<=\bp\.) (?=\d)|(?<=n°) (?=\d)|(?<=\d) (?=p\.)"), "\u00a0"),
)
_ISBD = " \u00a0\u202f:;,/="
"""Signs that catalogues leave at the ends of the elements that they part."""


_UNTITLED = "[Sans titre]"
_Person = tuple[str, str | None]
"""Family, or body, and given name."""


@dataclass(frozen=True, slots=True)
class _Item:
    """Type and variables of CSL; names are pairs (family or body, given), dates parts from the year down."""

    shape: str
    variables: Mapping[str, Any]


def _clean(said: str | None) -> str | None:
    """On one line, with the no-break spaces of French; None for nothing."""
    text = _BLANKS.sub(" ", _FORBIDDEN.sub("", said or "")).strip()
    for pattern, space in _SPACES:
        text = pattern.sub(space, text)
    return text or None


def _element(said: str | None) -> str | None:
    """Cleaned, marked, and without signs at its ends."""
    return _marked((_clean(said) or "").strip(_ISBD))


def _marked(said: str | None, mark: str = _VALUE) -> str | None:
    return f"{mark}{said}{_END}" if said else None


def _item(notice: Notice, url: str | None, accessed: date | None) -> _Item:
    record, host = notice.record, notice.host
    shape = _shape(record, host)
    address = _clean(url) or _clean(record.identifiers.get("url"))
    media = (_MEDIA.get(record.type), "en ligne" if address else None)
    variables = {
        "title": _marked(_title(record)),
        "genre": _element(_genre(record)),
        "medium": _element(", ".join(filter(None, media))),
        "DOI": _element(record.identifiers.get("doi")),
        "URL": _marked(address, _URL),
        "accessed": (accessed.year, accessed.month, accessed.day) if accessed and address else None,
        **_names(record),
        **(_own(record, host) if shape == "book" else _shared(record, host, shape)),
    }
    return _Item(shape, variables)


def _is_part(record: Record, *, hosted: bool) -> bool:
    """Whether a record is cited as a part of another one; a volume of a set is a work of its own."""
    return record.type in PARTS or (hosted and (bool(record.host_pages) or record.type == "numero"))


def _shape(record: Record, host: Record | None) -> str:
    if host and record.type == "texte-officiel":
        return "legislation"
    if not _is_part(record, hosted=host is not None):
        return "book"
    if record.type == "chapitre" or (host and host.type not in _SERIALS):
        return "chapter"
    return "article-journal" if host or _element(record.series) else "chapter"


def _own(record: Record, host: Record | None) -> dict[str, Any]:
    """What a work of its own says of its publication; the set that it is a volume of is its series."""
    series = _element(record.series) or (_marked(_title(host)) if host else None)
    issue = _element(_issue(record))
    return {
        **_published(record),
        "issued": _dated(record.date, full=record.type in _OF_A_DAY),
        "number_of_pages": _extent(record.extent) if record.type != "periodique" else None,
        "collection_title": series,
        "collection_number" if series else "issue": issue,
    }


def _shared(record: Record, host: Record | None, shape: str) -> dict[str, Any]:
    """What a part says of its publication: its own words first, then those of the work that it is in."""
    source = host or record
    issue = _element(_issue(record) or _issue(source))
    found = {
        **_published(source),
        "issued": _dated(record.date or source.date, full=True),
        "page": _pages(record.host_pages),
        "container_title": _marked(_title(host)) if host else _element(record.series),
    }
    if shape != "chapter" or host is None:
        return found | {"issue": issue}
    directors = _names(host, "container-author", "collection-editor")
    if not directors and _people(record, "author"):  # formats of citations say the editors of the book so
        directors = {"collection-editor": _people(record, "editor")}
    series = _element(host.series)
    return found | directors | {"collection_title": series, "collection_number" if series else "issue": issue}


def _published(source: Record) -> dict[str, Any]:
    publishers = [a.name for a in source.agents if a.role == "publisher"]
    numbers = {name.upper(): _element(source.identifiers.get(name)) for name in ("isbn", "issn")}
    publisher = _element(source.publisher) or _element(", ".join(publishers))
    return {"publisher": publisher, "publisher_place": _element(source.place), **numbers}


def _names(record: Record, author: str = "author", editor: str = "editor") -> dict[str, Any]:
    found = {author: _people(record, "author"), editor: _people(record, "editor")}
    return {role: people for role, people in found.items() if people}


def _people(record: Record, role: str) -> list[_Person]:
    """Names in two parts, both marked; a body, or a person of one name, has one."""
    found: list[_Person] = []
    for agent in record.agents:
        family, _, given = agent.name.partition(", ") if agent.kind == "person" else (agent.name, "", "")
        parts = [part for part in map(_element, (family, given)) if part]
        if agent.role == role and parts:
            found.append((parts[0], parts[1] if parts[1:] else None))
    return found


def _signed(record: Record) -> list[Agent]:
    """Those under whose names the work stands: its authors, else its editors."""
    named = [agent for agent in record.agents if _element(agent.name)]
    authors = [agent for agent in named if agent.role == "author"]
    return authors or [agent for agent in named if agent.role == "editor"]


def _title(record: Record) -> str:
    """Title and subtitle in one."""
    title, subtitle = _clean(record.title) or _UNTITLED, (_clean(record.subtitle) or "").strip(_ISBD)
    if not subtitle:
        return title
    return f"{title} {subtitle}" if title.endswith(":") else f"{title}\u00a0: {subtitle}"


def _shortened(record: Record) -> str:
    whole = _clean(record.title) or _UNTITLED
    title = whole.rstrip(_ISBD) or whole
    if len(title) <= SHORTENED:
        return title
    kept = re.sub(r"\s+\S*$", "", title[:SHORTENED]) if re.search(r"\s", title[:SHORTENED]) else title
    return f"{kept[: SHORTENED - 1].rstrip(_ISBD + '.«(')}…"


_MEDIA = {
    "carte": "carte",
    "audiovisuel": "document audiovisuel",
    "donnees": "jeu de données",
    "materiel": "matériel",
}
_UNSAID = {
    *("ouvrage", "chapitre", "cahier", "article-cahier", "article", "texte-officiel", "page-web"),
    *("periodique", "numero", "document", "presse", *_MEDIA),
}
"""Types whose name tells nothing that the form of the reference, or its medium, does not say."""
_GENRES = {"these": "Mémoire ou thèse", "convention": "Convention"}
"""Types whose name is a list: what a reference says instead."""
_OF_A_DAY = {
    "texte-officiel",
    "compte-rendu",
    "lettre",
    "presse",
    "page-web",
    "convention",
    "numero",
    "question",
}
"""Works of their own that are known by their day rather than by their year."""
_SERIALS = {"periodique", "numero", "lettre", "presse", "document"}
"""Hosts that come out in issues; of a "document" nobody has said what it is."""


def _genre(record: Record) -> str | None:
    """Name of the type, unless title or series say it: « Rapport d’activité », « Fiches d’expérience »."""
    if record.type in _UNSAID:
        return None
    said = _GENRES.get(record.type) or TYPES[record.type]
    told = _words(f"{_title(record)} {record.series or ''}")
    return None if told & {word for word in _words(said) if len(word) > 3} else said


def _words(text: str) -> set[str]:
    return {piece.removesuffix("s") for piece in pieces(text)}


def _issue(record: Record) -> str | None:
    said = _clean(record.issue)
    return f"n°\u00a0{said}" if said and re.fullmatch(r"\d[\d/ -]*", said) else said


def _pages(said: str | None) -> str | None:
    """ "pp. 12–18" -> "12-18", marked."""
    bare = re.sub(r"^(?:pp?\b\.?|pages?)\s*", "", _clean(said) or "", flags=re.IGNORECASE)
    return (_element(re.sub(r"(?<=\d)–(?=\d)", "-", bare)) or "").translate(_HIDDEN)


def _extent(said: str | None) -> str | None:
    """The pages alone, without illustrations and size."""
    return _element(extent_parts(extent_said(plain(said or "")) or "")[0])


def _dated(said: str | None, *, full: bool) -> tuple[int, ...] | None:
    """Year, month and day as far as they can be: records may hold a thirteenth month."""
    if said is None:
        return None
    year, month, day = (*map(int, said.split("-")), 0, 0)[:3]
    if not full or not 1 <= month <= 12:
        return (year,)
    return (year, month, day) if 1 <= day <= 31 else (year, month)


# -- the processor


class _Marks:
    """A formatter of citeproc-py that leaves words as they are and puts marks where italics begin and end."""

    preformat = Oblique = Bold = Light = Underline = Superscript = Subscript = SmallCaps = staticmethod(str)

    @staticmethod
    def Italic(text: object) -> str:
        """The name is citeproc-py's."""
        return f"{_ITALIC}{text}{_ROMAN}"


_ONE_AT_A_TIME = threading.Lock()
"""The processor keeps what it has rendered of a reference in the style itself, which is shared."""


@functools.cache
def _style() -> Any:
    from citeproc import CitationStylesStyle  # type: ignore[import-untyped]

    return CitationStylesStyle(str(Path(__file__).with_name("iso690.csl")), validate=False)


def _rendered(item: _Item, *, place: str | None = None) -> str:
    """The marked text of a reference; of a citation, when ``place`` is given ("" for the whole work)."""
    from citeproc import Citation, CitationItem, CitationStylesBibliography, Locator, source

    said = source.Reference("r", item.shape)
    for name, value in item.variables.items():  # one by one: names with hyphens, which are not looked up else
        if isinstance(value, tuple):
            said[name] = source.Date(**dict(zip(("year", "month", "day"), value, strict=False)))
        elif isinstance(value, list):
            said[name] = [source.Name(family=family, given=given) for family, given in value]
        elif value:
            said[name] = value
    known = source.BibliographySource()
    known.add(said)
    page = Locator("page", f"{_VALUE}{place.translate(_HIDDEN)}{_END}") if place else None
    cited = Citation([CitationItem("r", locator=page) if page else CitationItem("r")])
    with _ONE_AT_A_TIME:
        works = CitationStylesBibliography(_style(), known, _Marks)
        works.register(cited)
        marked = works.bibliography()[0] if place is None else works.cite(cited, str)
    return str(marked).translate(_SHOWN)


# -- from marks to words

_RUN = re.compile(
    f"([{_VALUE}{_URL}])([^{_END}]*){_END}|([{_ITALIC}{_ROMAN}])|([^{_VALUE}{_URL}{_ITALIC}{_ROMAN}]+)"
)


def _runs(marked: str) -> Iterator[tuple[str, str]]:
    """Marks and words in turn: (kind, words), kind being a mark, or "" for signs of the style.

    A sign of the style that repeats the last one of a value is left out, and so is its full stop after any
    mark that ends a sentence, and after an address, which would take it in.
    """
    last, kind = "", ""
    for run in _RUN.finditer(marked):
        if run[3]:
            yield run[3], ""
            continue
        words = run[2] if run[1] else run[4]
        if not run[1]:
            sign = words.lstrip("\u00a0")[:1]
            ended = last in _ENDINGS or kind == _URL
            if (sign == last and sign in _STOPS) or (sign == "." and ended):
                words = words.lstrip("\u00a0")[1:]
        if words:
            last, kind = words[-1], run[1] or ""
            yield kind, words


_STOPS, _ENDINGS = frozenset(".,;:"), frozenset("!?…")


def _written(marked: str) -> Reference:
    runs = list(_runs(marked))
    text = "".join(words for _, words in runs)
    tags = {_ITALIC: "<i>", _ROMAN: "</i>"}
    tagged = "".join(tags.get(kind) or html.escape(words, quote=False) for kind, words in runs)
    return Reference(text, tagged, _begun("".join(_as_markdown(kind, words) for kind, words in runs)))


def _as_markdown(kind: str, words: str) -> str:
    if kind in (_ITALIC, _ROMAN):
        return "*"
    if kind == _URL and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*", words):
        return f"<{words}>"
    return re.sub(r"[\\`*_\[\]<~|]|&(?=[#A-Za-z])", r"\\\g<0>", words)


def _begun(line: str) -> str:
    """At the start of a block, where a mark or a number would begin a list, a title or a rule."""
    return re.sub(r"^(\d{1,9}(?=[.)])|(?=[-+#>]))", lambda found: f"{found[1]}\\", line)
