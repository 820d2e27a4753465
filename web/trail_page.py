"""The page of the audit trail: lines with filters, and the same as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from kb.accounts import Right, Role
from kb.audit import SYSTEM, Action, Line, Wanted
from kb.records import TYPES
from web.forms import TrailForm, choices
from web.guard import EXPORTS, fund, identity, needs
from web.messages import ACCESS, ROLES
from web.rendering import parts, shown

views = Blueprint("trail", __name__)

PER_PAGE = 50
_LONGEST = 300  # characters of a value shown; the CSV has all

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        Action.CENTRE_ADDED: "centre du réseau ajouté",
        Action.CENTRE_CHANGED: "centre du réseau modifié",
        Action.SOURCE_ADDED: "moisson ajoutée",
        Action.SOURCE_CHANGED: "moisson modifiée",
        Action.SOURCE_PAUSED: "moisson suspendue",
        Action.SOURCE_RESUMED: "moisson reprise",
        Action.SOURCE_REMOVED: "moisson supprimée",
        Action.HARVESTED: "moisson ou enveloppe reçue",
        Action.ENVELOPE_WRITTEN: "enveloppe écrite",
        Action.WORD_ALIGNED: "mot-clé rapproché du thésaurus",
        Action.DOCUMENT_REQUESTED: "document demandé à un autre centre",
        Action.DEPOSIT_OPENED: "dépôt ouvert",
        Action.DEPOSIT_STOPPED: "dépôt arrêté",
        Action.DEPOSIT_RESUMED: "dépôt repris",
        Action.DEPOSIT_CANCELLED: "dépôt abandonné",
        Action.RECORD_CREATED: "notice créée",
        Action.RECORD_CHANGED: "notice changée",
        Action.RECORD_DELETED: "notice supprimée",
        Action.RECORD_MERGED: "notice fusionnée",
        Action.DOUBT_SETTLED: "doublon réglé",
        Action.MAPPING_SAVED: "correspondance de colonnes enregistrée",
        Action.MAPPING_DELETED: "correspondance de colonnes supprimée",
        Action.THESAURUS_CHANGED: "thésaurus remplacé",
        Action.PERSON_INVITED: "compte créé",
        Action.PERSON_CHANGED: "compte changé",
        Action.PERSON_ERASED: "compte effacé",
        Action.PASSWORD_SET: "mot de passe choisi",
        Action.PASSWORD_LINK: "lien de mot de passe préparé",
        Action.SIGNED_IN: "connexion",
        Action.SIGN_IN_REFUSED: "connexion refusée",
        Action.SIGNED_OUT: "session fermée",
        Action.SECOND_FACTOR_SET: "second facteur activé",
        Action.SECOND_FACTOR_REMOVED: "second facteur enlevé",
        Action.RECOVERY_CODE_USED: "code de secours utilisé",
        Action.KEY_MADE: "clé créée",
        Action.KEY_REVOKED: "clé révoquée",
        Action.MESSAGE_READ: "message du courrier lu",
        Action.MESSAGE_RETRIED: "message renvoyé",
        Action.QUESTION_STEP: "question : une étape",
        Action.ASKER_EXPORTED: "données d’un demandeur exportées",
        Action.ASKER_ERASED: "données d’un demandeur effacées",
        Action.TRAIL_EXPORTED: "journal exporté",
        Action.SECRET_ROTATED: "clé secrète changée",
    }
)
"""Action -> what a person reads."""

_FIELDS = {
    "title": "titre", "subtitle": "sous-titre", "type": "type", "agents": "auteurs", "date": "date",
    "access": "accès", "subjects": "sujets", "pages": "pages", "files": "fichiers", "abstract": "résumé",
    "roles": "rôles", "active": "compte ouvert", "name": "nom", "session": "session", "kind": "sorte",
    "sessions": "sessions", "scopes": "droits", "concepts": "concepts", "factor": "preuve", "id": "numéro",
    "keywords": "mots-clés", "copies": "exemplaires", "call_number": "cote", "publisher": "éditeur",
    "language": "langue", "identifiers": "identifiants", "notes": "notes", "source": "source",
    "extent": "étendue", "place": "lieu", "series": "collection", "issue": "numéro de collection",
    "host": "dans", "host_pages": "pages dans", "filters": "filtres",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line in words."""

    seq: int
    at: datetime
    who: str
    what: str
    object: str
    object_url: str | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Some lines, the newest first; ``older_url`` leads on."""

    lines: tuple[LineView, ...]
    csv_url: str
    older_url: str | None
    filtered: bool


@views.get("/journal")
@views.get("/journal.json")
@needs(Right.READ_TRAIL)
def trail() -> Response:
    """The lines wanted, a page at a time."""
    form = _form()
    wanted = _wanted(form)
    lines = parts().trail.lines(wanted, PER_PAGE + 1)
    names = _names() | _titles(lines)
    shown_lines = tuple(_line_view(line, names, _ways(lines)) for line in lines[:PER_PAGE])
    older = _url("/journal", avant=str(lines[PER_PAGE - 1].seq)) if len(lines) > PER_PAGE else None
    page = TrailPage(shown_lines, _url("/journal.csv"), older, bool(_given()))
    return shown("trail.html", page, section="journal", form=form)


@views.get("/journal.csv")
@needs(Right.READ_TRAIL, limit=EXPORTS)
def trail_csv() -> Response:
    """All lines wanted, as a file for a spreadsheet (UTF-8 with its mark, semicolons)."""
    wanted = _wanted(_form())
    parts().trail.note(Action.TRAIL_EXPORTED, "journal:csv", None, {"filters": _noted()})
    response = Response(_csv(parts().trail.every(wanted), _names()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="journal.csv"'
    return response


def _csv(lines: Iterator[Line], names: Mapping[str, str]) -> Iterator[str]:
    yield "\ufeff" + _row(
        "numéro", "date (UTC)", "qui", "acteur", "quoi", "sur quoi", "avant", "après", "empreinte"
    )
    for line in lines:
        yield _row(
            *(
                line.seq,
                line.at.isoformat(),
                _who(line.actor, names),
                line.actor,
                ACTIONS.get(line.action, line.action),
            ),
            *(line.object, _json(line.before), _json(line.after), line.hash),
        )


def _row(*cells: object) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerow([_harmless(str(cell)) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _json(value: Mapping[str, Any] | None) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


# -- what is wanted


def _form() -> TrailForm:
    form = TrailForm(request.args)
    names = _names()
    actors = sorted(
        ((actor, _who(actor, names)) for actor in parts().trail.actors()), key=lambda a: a[1].casefold()
    )
    form.qui.choices = choices([("", "Tout le monde"), *actors])
    actions = sorted(((str(action), words) for action, words in ACTIONS.items()), key=lambda pair: pair[1])
    form.quoi.choices = choices([("", "Tout"), *actions])
    form.validate()
    return form


def _wanted(form: TrailForm) -> Wanted:
    first, last = form.dates
    before = request.args.get("avant", "")
    return Wanted(
        actor=form.qui.data or None,
        action=form.quoi.data or None,
        object=_object((form.objet.data or "").strip()[:200]) or None,
        since=_midnight(first) if first and _usual(first) else None,
        until=_midnight(last + timedelta(days=1)) if last and _usual(last) else None,
        below=int(before) if before.isdecimal() and len(before) < 16 else None,
    )


def _usual(day: date) -> bool:
    """Whether a day can be said in every time zone; the trail has none before or after."""
    return 1900 < day.year < 9999


def _midnight(day: date) -> datetime:
    """The beginning of a day at the centre's clock, in UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(parts().config.time_zone))
    return local.astimezone(UTC)


_OBJECT = re.compile(
    r"(?:notice|personne|cle|courrier|thesaurus|journal|secret|question|demandeur|source|centre|moisson"
    r"|mot-cle|enveloppe):[\w:.*-]*"
)


def _object(typed: str) -> str:
    """What is typed as lines name it; a number of a record without its kind too."""
    return typed if not typed or _OBJECT.fullmatch(typed) else f"notice:{typed}"


def _noted() -> dict[str, str]:
    """The filters as a line may keep them for ever: whatever else was typed could be somebody's name."""
    given = dict(_given())
    if "objet" in given and not _OBJECT.fullmatch(given["objet"]):
        given["objet"] = "…"
    return given


_NAMES = ("qui", "quoi", "objet", "du", "au")


def _given() -> list[tuple[str, str]]:
    return [(name, value) for name in _NAMES if (value := request.args.get(name, "").strip()[:200])]


def _url(path: str, **more: str) -> str:
    pairs = [*_given(), *more.items()]
    return path + ("?" + urlencode(pairs) if pairs else "")


# -- in words


def _names() -> dict[str, str]:
    keys = {f"cle:{key.id}": f"clé « {key.name} »" for key in parts().machines.all()}
    return parts().people.names() | keys


def _titles(lines: Sequence[Line]) -> dict[str, str]:
    """The titles of the records that some lines speak of, as far as they are still there."""
    ids = [line.object.removeprefix("notice:") for line in lines if line.object.startswith("notice:")]
    return {f"notice:{id}": record.title for id, record in parts().store.get_many(ids).items()}


def _who(actor: str, names: Mapping[str, str]) -> str:
    if actor in names:
        return names[actor]
    if actor == SYSTEM:
        return "Carbet"
    kind, _, name = actor.partition(":")
    words = {
        "commande": f"ligne de commande ({name})",
        "visiteur": "un visiteur",
        "personne": "adresse inconnue",
    }
    return words.get(kind, actor)


def _ways(lines: Sequence[Line]) -> dict[str, str]:
    """Addresses of what lines speak of, where who reads them may go there."""
    ids = [line.object.removeprefix("notice:") for line in lines if line.object.startswith("notice:")]
    ways = {f"notice:{id}": f"/notice/{quote(id)}" for id in fund().store.get_many(ids)}
    if identity().may(Right.MANAGE_PEOPLE):
        ways |= {p.actor: f"/administration/personnes/{p.id}" for p in parts().people.all()}
    return ways


def _line_view(line: Line, names: Mapping[str, str], ways: Mapping[str, str]) -> LineView:
    kind = line.object.partition(":")[0]
    return LineView(
        seq=line.seq,
        at=line.at,
        who=_who(line.actor, names),
        what=ACTIONS.get(line.action, line.action),
        object=names.get(line.object) or (_who(line.object, names) if kind == "personne" else line.object),
        object_url=ways.get(line.object),
        changes=tuple(_changes(line)),
    )


def _changes(line: Line) -> Iterator[Change]:
    before, after = line.before or {}, line.after or {}
    for field in dict.fromkeys((*before, *after)):
        yield Change(
            _FIELDS.get(field, field), _said(field, before.get(field)), _said(field, after.get(field))
        )


def _said(field: str, value: Any) -> str:
    match field, value:
        case _, None | "" | []:
            return ""
        case "access", str():
            return ACCESS.get(value, value)
        case "type", str():
            return TYPES.get(value, value)
        case "roles", str():
            return ", ".join(ROLES[Role(role)] for role in value.split())
        case _, bool():
            return "oui" if value else "non"
        case _, list():
            text = ", ".join(_one(item) for item in value)
        case _, dict():
            text = ", ".join(f"{key} : {item}" for key, item in value.items())
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _one(item: Any) -> str:
    return str(item.get("name") or item.get("call_number") or item) if isinstance(item, dict) else str(item)
