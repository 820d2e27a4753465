"""Views of the key words of other centres: what each means in our vocabulary is decided once, by a librarian;
what was accepted is there for everybody as SKOS.

Hides what is kept to take the last decision back: in the signed cookie of the forms, for half an hour.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, flash, request, session

from ingest.aligning import Proposer
from kb.accounts import Right
from kb.alignments import AT_ONCE, Alignment, Meaning, Standing, Way
from kb.errors import InvalidValue
from kb.french import fold
from kb.limits import Limit
from web import word_page
from web.guard import fund, identity, needs, site
from web.proposals import label_of
from web.rendering import gone_to, parts, shown
from web.review_page import Undoable
from web.typography import counted, number, spaced
from web.word_page import BRIDGES, LABELS_AT_ONCE, PER_PAGE, Place, Trouble

views = Blueprint("words", __name__)

WORDS = Limit("words", 600, 600)
"""Decisions by one person: one a second, as keys allow."""

_KEPT, _SECONDS = "dernier mot", 30 * 60
_OVERTAKEN = "Quelqu’un d’autre a décidé de ce mot entre-temps : rien n’a été changé."


# -- the list


@views.get("/mots-cles")
@views.get("/mots-cles.json")
@needs(Right.CATALOGUE)
def words() -> Response:
    """The words that wait, that were accepted, or that were refused."""
    return _listed(Place.from_args(request.args))


def _listed(place: Place, trouble: Trouble | None = None) -> Response:
    page = word_page.page(place, parts(), fund(), _undoable(), trouble)
    return shown("words.html", page, section="travail", status=400 if trouble else 200)


# -- deciding


@dataclass(frozen=True, slots=True)
class _Deed:
    """What shall become of a word; ``meaning`` None leaves what is proposed."""

    standing: Standing
    concept: str | None = None
    meaning: Meaning | None = None


@views.post("/mots-cles/<int:id>")
@needs(Right.CATALOGUE, limit=WORDS)
def decide(id: int) -> Response:
    """Accept what is proposed for a word, refuse it, choose another term, or let it wait again."""
    place, alignments = Place.from_args(request.args), parts().alignments
    with parts().store.transaction():
        before = alignments.get(id)
        if request.form.get("vu") != word_page.seen(before):
            flash(spaced(_OVERTAKEN))
            return gone_to(place.url(word=id))
        deed = _deed(before)
        if isinstance(deed, Trouble):
            return _listed(place, deed)
        changed = alignments.decide(id, deed.standing, deed.concept, meaning=deed.meaning)
        after = alignments.get(id)
        records = alignments.holdings([after]).get(after.word)
    _remember(_told(before, after, records.records if records else 0, changed), [before], [after])
    return gone_to(_next(place))


def _deed(line: Alignment) -> _Deed | Trouble:
    action, thesaurus = request.form.get("do", "choose"), parts().thesaurus
    match action:
        case "accept":
            return _Deed(Standing.ACCEPTED)
        case "refuse":
            return _Deed(Standing.REFUSED)
        case "reopen":
            by_hand = line.meaning.way is Way.PERSON
            return _Deed(
                Standing.WAITING, meaning=Proposer(thesaurus).propose(line.said) if by_hand else None
            )
        case "choose":
            named = request.form.get("concept", "")
            found = named or word_page.meant(line, request.form.get("terme", "")[:200], thesaurus)
            return found if isinstance(found, Trouble) else _Deed(Standing.ACCEPTED, found)
        case _:
            raise InvalidValue("do", "choisissez ce qu’il faut faire de ce mot")


def _told(before: Alignment, after: Alignment, records: int, changed: int) -> str:
    """A decision in words, with what it does to records."""
    word = f"« {after.said} »"
    rest = f" Les {number(AT_ONCE)} premières sont à jour, les autres dans l’heure."
    later = rest if records > AT_ONCE else ""
    match after.standing:
        case Standing.ACCEPTED:
            term = label_of(after.meaning.concept or "", parts().thesaurus)
            reached = f" : {counted(records, 'notice')}" if records else ""
            done = "accepté" if fold(term) == after.word else f"rapproché de {term}"
            return f"{word} est {done}{reached}.{later}"
        case Standing.REFUSED if changed:
            term = label_of(before.meaning.concept or "", parts().thesaurus)
            return f"{word} est refusé : {term} est retiré de {counted(changed, 'notice')}.{later}"
        case Standing.REFUSED:
            if before.meaning.concept is None:
                return f"{word} est noté sans équivalent dans le thésaurus."
            return f"{word} est refusé : il ne sera rapproché d’aucun terme."
        case _:
            return f"{word} est de nouveau à décider.{later if changed else ''}"


def _next(place: Place) -> str:
    """Where the word stands that took the place of the one that was decided; the last one at the end."""
    at = request.form.get("place", 0, int)
    for left in (at, at - 1):
        if left >= 0 and (found := parts().alignments.listed(place.standing, 1, left)):
            return Place(place.standing, left // PER_PAGE + 1).url(word=found[0].id)
    return Place(place.standing).url()


@views.post("/mots-cles/libelles")
@needs(Right.CATALOGUE)
def accept_labels() -> Response:
    """Accept at once many of the words that are labels of the thesaurus."""
    alignments = parts().alignments
    with parts().store.transaction():
        before = alignments.accept_labels(LABELS_AT_ONCE)
        after = [alignments.get(line.id) for line in before]
    left = alignments.labels()
    if not before:
        flash("Aucun libellé du thésaurus n’attend plus.")
        return gone_to("/mots-cles")
    accepted = "accepté" if len(before) == 1 else "acceptés"
    more = f" {number(left)} attendent encore : choisissez le bouton de nouveau." if left else ""
    _remember(f"{counted(len(before), 'mot')} {accepted}.{more}", before, after)
    return gone_to("/mots-cles")


# -- taking the last decision back


def _remember(told: str, before: list[Alignment] | tuple[Alignment, ...], after: list[Alignment]) -> None:
    """Keep what was decided; a meaning that did not change is not kept twice."""
    rows = [
        [old.id, word_page.seen(new), old.standing, None if old.meaning == new.meaning else _listing(old)]
        for old, new in zip(before, after, strict=True)
    ]
    session[_KEPT] = {
        "key": secrets.token_hex(4),
        "by": identity().actor,
        "at": int(time.time()),
        "words": spaced(told),
        "rows": rows,
    }


def _listing(line: Alignment) -> list[Any]:
    return [line.meaning.concept, line.meaning.way, line.meaning.score]


def _last() -> dict[str, Any] | None:
    """What this person decided last in this browser, if it can still be taken back."""
    kept: dict[str, Any] | None = session.get(_KEPT)
    if kept is None or kept["by"] != identity().actor or time.time() - kept["at"] > _SECONDS:
        return None
    return kept


def _undoable() -> Undoable | None:
    kept = _last()
    return Undoable(kept["key"], kept["words"]) if kept else None


@views.post("/mots-cles/annuler")
@needs(Right.CATALOGUE, limit=WORDS)
def undo() -> Response:
    """Take the last decision back: words and records are as they were before it."""
    place, kept = Place.from_args(request.args), _last()
    if kept is None or request.form.get("key") != kept["key"]:
        flash(
            "Cette décision ne peut plus être annulée ici : retrouvez le mot parmi les acceptés ou refusés."
        )
        return gone_to(place.url())
    session.pop(_KEPT)
    alignments = parts().alignments
    with parts().store.transaction():
        held = {row[0]: alignments.get(row[0]) for row in kept["rows"]}
        if any(word_page.seen(held[id]) != after for id, after, *_ in kept["rows"]):
            flash(spaced(_OVERTAKEN))
            return gone_to(place.url())
        room = AT_ONCE
        for id, _, standing, meaning in kept["rows"]:
            former = Meaning(concept=meaning[0], way=Way(meaning[1]), score=meaning[2]) if meaning else None
            room -= alignments.decide(id, Standing(standing), meaning=former, most=max(0, room))
    flash("C’est annulé : tout est comme avant.")
    return gone_to(place.url(word=kept["rows"][0][0]))


# -- for everybody


@views.get(BRIDGES)
@needs(Right.VISIT)
def bridges() -> Response:
    """The words that were accepted, as SKOS in Turtle."""
    stamp = f"{site()} {parts().alignments.stamp()} {id(parts().thesaurus)}"
    kept: tuple[str, str] | None = current_app.extensions.get("bridges")
    if kept is None or kept[0] != stamp:
        kept = current_app.extensions["bridges"] = stamp, _turtle()
    response = Response(kept[1], content_type="text/turtle; charset=utf-8")
    response.add_etag()
    response.headers["Cache-Control"] = "public, no-cache"
    response.make_conditional(request)
    return response


def _turtle() -> str:
    from kb import skos  # rdflib takes long to load

    config, thesaurus = parts().config, parts().thesaurus
    lines = parts().alignments.bridges()
    words = [(f"mot-{one.id}", one.said, concept) for one in lines if (concept := one.meaning.concept)]
    known = [word for word in words if word[2] in thesaurus]
    scheme = site() + BRIDGES
    title = f"Mots-clés du réseau rapprochés du thésaurus par {config.centre_name}"
    return skos.matches_turtle(scheme, title, known, language=thesaurus.language)
