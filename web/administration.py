"""Views for the administrator: the state of the whole, mail, settings in force."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from flask import Blueprint, Response, flash

from ingest import ocr
from kb import config as settings
from kb.accounts import Right, Role
from kb.audit import Action, Wanted
from kb.errors import IndexOutdated
from kb.jobs import JobState
from kb.mail import Mailed, Posted, Spool
from web.forms import Plain
from web.guard import needs
from web.rendering import gone_to, parts, shown
from web.typography import counted, duration, spaced, written_moment, written_size

views = Blueprint("administration", __name__)

_UNREAD_SECONDS = 120.0  # that a file may wait while nothing is read: a worker looks twice a second
_TIGHT = 0.1  # share of the disk below which somebody should make room


@dataclass(frozen=True, slots=True)
class Line:
    """A fact of the state: what, how it is, and whether somebody should look at it."""

    name: str
    text: str
    attention: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class StatePage:
    """How the whole is, in few lines; ``advice`` is what to do about it."""

    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    advice: tuple[str, ...]
    disk_share: int


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting in force, and where its value comes from."""

    name: str
    help: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """All settings."""

    settings: tuple[SettingView, ...]
    file: str


@dataclass(frozen=True, slots=True)
class MailPage:
    """The queue, the newest first."""

    messages: tuple[PostedView, ...]
    server: str


@dataclass(frozen=True, slots=True)
class PostedView:
    """A message of the queue."""

    id: int
    recipient: str
    subject: str
    state: str
    code: str
    tries: int
    error: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A message that waits in the spool."""

    id: int
    recipient: str
    subject: str
    text: str


# -- state


@views.get("/administration")
@views.get("/administration.json")
@needs(Right.SEE_SYSTEM)
def state() -> Response:
    """How the whole is."""
    disk = shutil.disk_usage(parts().config.data)
    groups = (
        ("Fonds", _fund_lines()),
        ("Fichiers déposés", _file_lines()),
        ("Personnes et courrier", _people_lines()),
        ("Machine", _machine_lines()),
    )
    share = round(100 * (1 - disk.free / disk.total))
    return shown("state.html", StatePage(groups, tuple(_advice()), share), section="administration")


def _fund_lines() -> tuple[Line, ...]:
    trail = parts().trail
    last = [line for kind in (Action.RECORD_CREATED, Action.RECORD_CHANGED)
            for line in trail.lines(Wanted(action=kind), 1)]  # fmt: skip
    newest = max(last, key=lambda line: line.seq, default=None)
    late, told = _index_state()
    lines = [
        Line("Notices", _told_notices()),
        Line("Index de recherche", told, attention=late > 0),
        Line("Thésaurus", counted(len(parts().thesaurus), "concept")),
    ]
    if newest:
        lines.append(
            Line("Dernière notice entrée ou changée", _moment(newest.at), url=f"/notice/{newest.object[7:]}")
        )
    return tuple(lines)


def _told_notices() -> str:
    """Our own, and those of others where there are any."""
    own, total = len(parts().store), 0
    if parts().works.wanted():
        total, counts = own, parts().store.counts()
        own = counts.get(parts().config.centre, 0)
    told = counted(own, "notice")
    return f"{told}, et {counted(total - own, 'notice')} d’autres centres" if total > own else told


def _file_lines() -> tuple[Line, ...]:
    counts, late = parts().jobs.counts(), parts().jobs.oldest_due()
    told = f"{counts.get(JobState.WAITING, 0)} en attente, {counts.get(JobState.RUNNING, 0)} en lecture"
    alone = late is not None and late > _UNREAD_SECONDS
    if alone:
        told += f", rien n’est lu depuis {duration(late or 0)}"
    asking = counts.get("refused", 0) + counts.get("waiting", 0)
    return (
        Line("File d’attente", spaced(told), attention=alone, url="/depot"),
        Line("Fichiers à revoir", counted(asking, "fichier"), url="/depot"),
        Line("Notices à valider", counted(parts().reviews.count(), "notice"), url="/a-valider"),
        Line("Reconnaissance des caractères", "en place" if ocr.available() else "absente (tesseract)"),
    )


def _index_state() -> tuple[int, str]:
    """How many changes the index is behind, and what to say of it."""
    try:
        late = parts().works.position() - parts().engine.position()
    except IndexOutdated:
        return 1, "à refaire"
    return late, "à jour" if late <= 0 else spaced(
        f"en retard de {counted(late, 'changement')} ; il se rattrape seul"
    )


def _moment(at: datetime) -> str:
    return written_moment(at, parts().config.time_zone)


def _people_lines() -> tuple[Line, ...]:
    people = [person for person in parts().people.all() if person.active]
    counts = parts().outbox.counts()
    failed, spooled = counts.get(Mailed.FAILED, 0), counts.get(Mailed.SPOOLED, 0)
    sent = counted(counts.get(Mailed.SENT, 0), "envoyé")
    mail = f"{counts.get(Mailed.WAITING, 0)} à envoyer, {sent}"
    mail += f", {spooled} à remettre à la main" if spooled else ""
    mail += f", {failed} en échec" if failed else ""
    keys = sum(key.revoked is None for key in parts().machines.all())
    seq, head = parts().trail.head()
    return (
        Line("Comptes ouverts", counted(len(people), "compte"), url="/administration/personnes"),
        Line("Clés de centres en service", counted(keys, "clé"), url="/administration/cles"),
        Line("Courrier", mail, attention=failed > 0, url="/administration/courrier"),
        Line("Journal", f"{counted(seq, 'ligne')}, empreinte {head[:16]}", url="/journal"),
    )


def _machine_lines() -> tuple[Line, ...]:
    config = parts().config
    disk = shutil.disk_usage(config.data)
    base = config.data / "kb.sqlite"
    where = "serveur de base de données" if config.database_url else f"fichier, {_size(base)}"
    return (
        Line("Version de Carbet", version("carbet")),
        Line("Adresse publique", config.public_url or "non réglée"),
        Line("Base de données", where),
        Line(
            "Place libre",
            f"{written_size(disk.free)} sur {written_size(disk.total)}",
            disk.free < _TIGHT * disk.total,
        ),
    )


def _size(path: Path) -> str:
    return written_size(path.stat().st_size) if path.exists() else "absente"


def _advice() -> list[str]:
    """What somebody should do, most pressing first."""
    config, disk = parts().config, shutil.disk_usage(parts().config.data)
    told = []
    if disk.free < _TIGHT * disk.total:
        told.append("Le disque est presque plein : faites de la place avant de déposer d’autres documents.")
    if (parts().jobs.oldest_due() or 0) > _UNREAD_SECONDS:
        told.append("Des fichiers déposés attendent et personne ne les lit : lancez « kb worker ».")
    if parts().outbox.counts().get(Mailed.FAILED):
        told.append("Des messages n’ont pas pu partir : ouvrez Courrier pour voir pourquoi et les renvoyer.")
    if not config.smtp_host:
        told.append(
            "Aucun serveur d’envoi n’est réglé (smtp_host) : les messages restent dans Courrier, où vous "
            "pouvez les lire et les transmettre vous-même."
        )
    if not config.secure:
        told.append(
            "Le site n’est pas servi en HTTPS (public_url) : ne l’ouvrez pas à d’autres réseaux ainsi."
        )
    bare = [
        p.name
        for p in parts().people.all()
        if p.active and Role.ADMINISTRATOR in p.roles and not p.second_factor
    ]
    if bare:
        told.append(f"Sans second facteur : {', '.join(bare)}. Il protège les comptes d’administrateur.")
    return [spaced(advice) for advice in told]


# -- settings


_ORIGINS = {"default": "par défaut", "file": "kb.toml", "environment": "environnement"}


@views.get("/administration/reglages")
@views.get("/administration/reglages.json")
@needs(Right.SEE_SYSTEM)
def in_force() -> Response:
    """The settings in force; secrets are only said to be there."""
    config = parts().config
    origins = settings.origins(config)
    told = tuple(
        SettingView(
            s.name, s.metadata["help"], _told(s.name, getattr(config, s.name)), _ORIGINS[origins[s.name]]
        )
        for s in settings.SETTINGS
    )
    return shown("settings.html", SettingsPage(told, settings.FILE), section="administration")


def _told(name: str, value: object) -> str:
    if name in settings.HIDDEN:
        return "réglé, caché ici" if value else ""
    return {True: "oui", False: "non"}[value] if isinstance(value, bool) else str(value)


# -- mail


_STATES = {
    Mailed.WAITING: "à envoyer",
    Mailed.SENT: "envoyé",
    Mailed.SPOOLED: "à remettre à la main",
    Mailed.FAILED: "en échec",
}


@views.get("/administration/courrier")
@views.get("/administration/courrier.json")
@needs(Right.SEE_SYSTEM)
def mail() -> Response:
    """Messages that left, wait, or could not leave."""
    messages = tuple(map(_posted_view, parts().outbox.lines()))
    page = MailPage(messages, parts().config.smtp_host)
    return shown("mail.html", page, section="administration", plain=Plain())


def _posted_view(posted: Posted) -> PostedView:
    return PostedView(
        posted.id,
        posted.recipient,
        posted.subject,
        _STATES[posted.state],
        str(posted.state),
        posted.tries,
        posted.error,
        posted.created,
    )


@views.get("/administration/courrier/<int:id>")
@needs(Right.MANAGE_MAIL)
def message(id: int) -> Response:
    """A message of the spool, to hand over; reading it leaves a line, since its link lets one sign in."""
    posted = parts().outbox.get(id)
    text = Spool(parts().config.spool).read(id).get_content()
    parts().trail.note(Action.MESSAGE_READ, f"courrier:{id}")
    page = MessagePage(id, posted.recipient, posted.subject, text)
    return shown("message.html", page, section="administration")


@views.post("/administration/courrier/<int:id>/reessayer")
@needs(Right.MANAGE_MAIL)
def retry(id: int) -> Response:
    """Try a message that could not leave again."""
    parts().outbox.retry(id)
    flash("Le message sera envoyé de nouveau dans un instant.")
    return gone_to("/administration/courrier")
