"""Views of how well pages could be read: the worst first, with a picture beside the text, and what to do."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from flask import Blueprint, Response, flash, request
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length

from ingest import clerk
from ingest.cleaning import clean
from kb.accounts import Right
from kb.errors import InvalidValue, NotFound
from kb.records import Page, Quality, Record
from web import notices
from web.forms import Form
from web.guard import fund, needs
from web.rendering import gone_to, parts, shown
from web.tending import HostPage, host_page
from web.typography import counted, spaced

views = Blueprint("legibility", __name__)

PER_PAGE = 12
_EXCERPT = 600  # characters shown beside the picture: what tells noise from text
_LONGEST = 100_000
_MOST_AGAIN = 500  # pages recognised again by one click: half an hour of work

POOR = (Quality.SCAN, Quality.GARBLED, Quality.SPLIT)
"""What somebody may want to mend; an empty page is no fault."""

_WORDS: Mapping[Quality, tuple[str, str, str]] = MappingProxyType(
    {
        Quality.SCAN: (
            "Image sans texte",
            "Images sans texte",
            "Cette page est une image que personne n’a lue : elle ne se trouve pas par ses mots. Lancez la "
            "reconnaissance des caractères, ou saisissez l’essentiel.",
        ),
        Quality.GARBLED: (
            "Texte brouillé",
            "Textes brouillés",
            "Le texte tiré du fichier n’a pas de sens : sa police est sans table, ou l’image était mauvaise. "
            "Lancez la reconnaissance des caractères sur l’image, ou déposez un meilleur fichier.",
        ),
        Quality.SPLIT: (
            "Mots coupés",
            "Mots coupés",
            "Des espaces coupent les mots : une partie ne se trouve pas. Lancez la reconnaissance des "
            "caractères, ou corrigez le texte.",
        ),
        Quality.EMPTY: (
            "Page vide",
            "Pages vides",
            "Rien n’est imprimé sur cette page : il n’y a rien à faire.",
        ),
        Quality.GOOD: ("Bien lue", "Bien lues", "Cette page se lit et se trouve bien."),
    }
)
"""Quality -> its words for one page and for several, and what it means and what to do."""


@dataclass(frozen=True, slots=True)
class QualityLink:
    """How many pages were read so, and the address of their list."""

    code: str
    label: str
    count: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class PageView:
    """One page as it was read, beside its picture."""

    record: str
    title: str
    number: int
    quality: str
    label: str
    advice: str
    picture: str | None
    host_url: str | None
    host_label: str
    excerpt: str
    sure: str | None
    url: str
    page_url: str


@dataclass(frozen=True, slots=True)
class LegibilityPage:
    """The worst pages, and how all were read."""

    qualities: tuple[QualityLink, ...]
    pages: tuple[PageView, ...]
    total: int
    number: int
    of: int
    previous_url: str | None
    next_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePage:
    """One page whole: picture, text, text as it was read first. ``seen`` is how it was when shown."""

    page: PageView
    text: str
    raw: str | None
    may_recognise: bool
    poor_pages: int
    next_url: str
    seen: str


_SHORT = Length(max=_LONGEST, message="Ce texte est trop long pour une page : au plus 100 000 caractères.")


class TextForm(Form):
    """The text of a page as somebody corrects it."""

    text = TextAreaField("Texte de la page", validators=[_SHORT], render_kw={"rows": 24})
    seen = HiddenField()


@views.get("/etat-de-lecture")
@views.get("/etat-de-lecture.json")
@needs(Right.CATALOGUE)
def legibility() -> Response:
    """The worst pages, of one quality only if asked."""
    wanted = _wanted(request.args.get("etat", ""))
    counts = parts().store.page_qualities()
    total = sum(counts.get(quality, 0) for quality in wanted)
    last = max(1, -(-total // PER_PAGE))
    number = min(max(1, request.args.get("page", 1, int)), last)
    found = parts().store.worst_pages(wanted, PER_PAGE, (number - 1) * PER_PAGE)
    held = parts().store.get_many(list(dict.fromkeys(id for id, _ in found)))
    one = f"etat={wanted[0]}&" if len(wanted) == 1 else ""
    context = LegibilityPage(
        qualities=tuple(_link(quality, counts, wanted) for quality in Quality),
        pages=tuple(_view(held[id], page) for id, page in found if id in held),
        total=total,
        number=number,
        of=last,
        previous_url=f"/etat-de-lecture?{one}page={number - 1}" if number > 1 else None,
        next_url=f"/etat-de-lecture?{one}page={number + 1}" if number < last else None,
    )
    return shown("legibility.html", context, section="travail")


def _wanted(asked: str) -> tuple[Quality, ...]:
    if not asked:
        return POOR
    if asked not in set(Quality):
        raise NotFound("quality", asked)
    return (Quality(asked),)


def _link(quality: Quality, counts: Mapping[Quality, int], wanted: Sequence[Quality]) -> QualityLink:
    one, many, _ = _WORDS[quality]
    count = counts.get(quality, 0)
    return QualityLink(
        code=quality,
        label=one if count < 2 else many,
        count=count,
        url=f"/etat-de-lecture?etat={quality}",
        current=tuple(wanted) == (quality,),
    )


def _view(record: Record, page: Page) -> PageView:
    label, _, advice = _WORDS[page.quality]
    there = host_page(fund().store, record, page.number)
    excerpt = page.text[:_EXCERPT] + ("…" if len(page.text) > _EXCERPT else "")
    sure = "" if page.recognised is None else f"reconnaissance sûre à {round(100 * page.recognised)} %"
    return PageView(
        record=record.id,
        title=record.title,
        number=page.number,
        quality=page.quality,
        label=label,
        advice=spaced(advice),
        picture=_picture(record, page.number, there),
        host_url=f"/etat-de-lecture/{there.record.id}/{there.number}" if there else None,
        host_label=there.label if there else "",
        excerpt=excerpt,
        sure=spaced(sure) or None,
        url=_url(record.id, page.number),
        page_url=notices.page_url(record.id, page.number),
    )


def _picture(record: Record, number: int, there: HostPage | None) -> str | None:
    """Address of the page's picture without its width; a part has that of its host."""
    url = notices.image_url(there.record, there.number, 0) if there else notices.image_url(record, number, 0)
    return url.rpartition("/")[0] if url else None


def _url(id: str, number: int) -> str:
    return f"/etat-de-lecture/{id}/{number}"


@views.route("/etat-de-lecture/<id>/<int:number>", methods=["GET", "POST"])
@views.get("/etat-de-lecture/<id>/<int:number>.json")
@needs(Right.CATALOGUE)
def legibility_page(id: str, number: int) -> Response:
    """One page: its picture, its text to correct."""
    form, changed = TextForm(), False
    if form.validate_on_submit():
        with parts().store.transaction():
            page = parts().store.page(id, number)
            changed = form.seen.data != _stamp(page)
            if not changed:
                _correct(id, page, form.text.data or "")
        if not changed:
            flash("Le texte de la page est enregistré.")
            return gone_to(_next_after(id, number))
        form.form_errors.append(_CHANGED)
    return _one(id, number, form, changed)


_CHANGED = (
    "Quelqu’un a changé cette page entre-temps : comparez votre texte avec le sien, puis enregistrez de "
    "nouveau."
)


def _one(id: str, number: int, form: TextForm, changed: bool) -> Response:
    fund().store.own(id)
    record, page = parts().store.get(id), parts().store.page(id, number)
    if not form.is_submitted():
        form.text.data = page.text
    form.seen.data = _stamp(page)
    poor = [p.number for p in parts().store.pages(id, raw=False) if p.quality in POOR]
    context = OnePage(
        page=_view(record, page),
        text=page.text,
        raw=page.raw if page.raw != page.text else None,
        may_recognise=notices.image_url(record, number, 0) is not None,
        poor_pages=len(poor),
        next_url=_next_after(id, number),
        seen=_stamp(page),
    )
    status = 409 if changed else 400 if form.faults else 200
    more = {"form": form, "changed": changed}
    return shown("legibility-page.html", context, section="travail", status=status, **more)


def _stamp(page: Page) -> str:
    """What was shown: another text or quality in between shows."""
    return hashlib.sha256(f"{page.quality}\n{page.text}".encode()).hexdigest()[:16]


def _correct(id: str, page: Page, text: str) -> None:
    """Keep what somebody wrote: it is sure, and what was read first stays beside it."""
    text = clean(text)
    quality = Quality.GOOD if text else Quality.EMPTY
    raw = page.text if page.raw is None else page.raw
    parts().store.save_page(
        id, dataclasses.replace(page, text=text, quality=quality, grade=1.0, raw=raw, recognised=None)
    )


def _next_after(id: str, number: int) -> str:
    """The next page of this document that was read badly, else the list."""
    poor = [p.number for p in parts().store.pages(id, raw=False) if p.quality in POOR and p.number > number]
    return _url(id, poor[0]) if poor else "/etat-de-lecture"


@views.post("/etat-de-lecture/<id>/<int:number>/<any(vide, bonne):said>")
@needs(Right.CATALOGUE)
def legibility_said(id: str, number: int, said: str) -> Response:
    """Somebody has looked: there is nothing to read, or the text is good as it is."""
    with parts().store.transaction():
        page = parts().store.page(id, number)
        if request.form.get("seen", "") != _stamp(page):
            flash("Cette page a changé entre-temps : regardez-la de nouveau.")
            return gone_to(_url(id, number))
        if said == "bonne" and not page.text:
            raise InvalidValue(
                "text", "cette page n’a pas de texte : saisissez-le, ou dites qu’il n’y a rien à lire"
            )
        _correct(id, page, "" if said == "vide" else page.text)
    flash("C’est noté : la page n’est plus à revoir.")
    return gone_to(_next_after(id, number))


@views.post("/etat-de-lecture/<id>/reconnaitre")
@needs(Right.CATALOGUE)
def legibility_again(id: str) -> Response:
    """Recognise the pages of a document that were read badly, or the one asked for (``page``)."""
    fund().store.own(id)
    record, asked = parts().store.get(id), request.form.get("page", type=int)
    held = parts().store.pages(id, raw=False)
    wanted = [page.number for page in held if (page.number == asked if asked else page.quality in POOR)]
    numbers = [number for number in wanted if notices.image_url(record, number, 0)]
    if not numbers:
        raise InvalidValue("page", "il n’y a pas ici de page dont l’image puisse être relue")
    chosen = set(numbers[:_MOST_AGAIN])
    batch = clerk.reread(parts().jobs, record, [page for page in held if page.number in chosen])
    flash(spaced(f"{counted(min(len(numbers), _MOST_AGAIN), 'page')} : la reconnaissance commence."))
    return gone_to(f"/depot/{batch}")
