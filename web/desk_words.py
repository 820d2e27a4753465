"""What the desk calls things: states, channels, steps, efforts, deadlines, each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from kb.french import single_spaced
from kb.questions import Channel, Question, QuestionState
from kb.servicelog import StepKind
from kb.workdays import Calendar
from web.typography import counted, written_date

STATES: Mapping[QuestionState, str] = MappingProxyType(
    {
        QuestionState.RECEIVED: "reçue",
        QuestionState.IN_HAND: "en cours",
        QuestionState.WAITING: "en attente du demandeur",
        QuestionState.ANSWERED: "répondue",
        QuestionState.PUBLISHED: "publiée",
        QuestionState.CLOSED: "close",
    }
)
"""State -> what the staff call it."""

STATES_TOLD: Mapping[QuestionState, str] = MappingProxyType(
    {
        QuestionState.RECEIVED: "Nous avons reçu votre question. Quelqu’un la prend en charge bientôt.",
        QuestionState.IN_HAND: "Nous préparons votre réponse.",
        QuestionState.WAITING: "Nous vous avons demandé une précision : votre réponse nous permettra "
        "d’avancer.",
        QuestionState.ANSWERED: "Nous vous avons répondu.",
        QuestionState.PUBLISHED: "Nous vous avons répondu. La réponse, sans votre nom, sert aussi aux "
        "autres.",
        QuestionState.CLOSED: "Cette question est close.",
    }
)
"""State -> what the asker is told."""

CHANNELS: Mapping[Channel, str] = MappingProxyType(
    {
        Channel.FORM: "formulaire",
        Channel.EMAIL: "courriel",
        Channel.TELEPHONE: "téléphone",
        Channel.VISIT: "visite",
        Channel.LETTER: "courrier postal",
    }
)
"""Channel -> its French name."""

STEPS: Mapping[StepKind, str] = MappingProxyType(
    {
        StepKind.RECEIVED: "question reçue",
        StepKind.TAKEN: "prise en charge",
        StepKind.LEFT: "rendue à la file",
        StepKind.MOVED: "état changé",
        StepKind.CHANGED: "question précisée",
        StepKind.HEARD: "message du demandeur",
        StepKind.SEEN: "message lu, rien à répondre",
        StepKind.WROTE: "message au demandeur",
        StepKind.NOTED: "note interne",
        StepKind.SAVED: "réponse enregistrée",
        StepKind.ANSWERED: "réponse envoyée",
        StepKind.REUSED: "réponse passée réutilisée",
        StepKind.PREPARED: "publication préparée",
        StepKind.READ: "seconde lecture",
        StepKind.PUBLISHED: "réponse publiée",
        StepKind.WITHDRAWN: "publication retirée",
        StepKind.REVIEWED: "réponse revue",
        StepKind.MERGED: "questions fusionnées",
        StepKind.SPENT: "temps noté",
    }
)
"""Step of the service log -> its French words."""

EFFORTS: Mapping[int, str] = MappingProxyType(
    {
        1: "de mémoire, en moins de cinq minutes, sans rien consulter",
        2: "une source connue à ouvrir ou à vérifier",
        3: "une courte recherche dans une ou deux sources",
        4: "plusieurs sources croisées, ou une explication à bâtir",
        5: "une recherche longue, avec des précisions demandées ou l’avis d’un spécialiste",
        6: "un dossier : plusieurs heures ou plusieurs jours, à plusieurs parfois",
    }
)
"""Level of the READ scale -> what it stands for here."""

_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

OPENING = 80
"""Characters of a question that a message to the staff may show at most."""


def written_day(day: date, *, year: bool = False) -> str:
    """A deadline: "jeudi 26 novembre", with its year on demand."""
    words = f"{_WEEKDAYS[day.weekday()]} {written_date(day.isoformat())}"
    return words if year else words.rpartition(" ")[0]


def opening(text: str, longest: int = OPENING) -> str:
    """The first line that says something, cut between words; "…" stands for the rest."""
    whole = single_spaced(text)
    first = next((single_spaced(line) for line in text.splitlines() if line.strip()), "")
    if len(first) > longest:
        kept = first[: longest - 1]
        return (kept.rpartition(" ")[0] or kept).rstrip(" .,;:") + "…"
    return first if first == whole else first[: longest - 1].rstrip(" .,;:") + "…"


def delay(question: Question, calendar: Calendar, now: datetime) -> str:
    """How the deadline stands, in working days: "en retard de 2 jours ouvrés"; "" once nothing is owed."""
    if not question.is_open:
        return ""
    if question.state is QuestionState.WAITING:
        return "délai suspendu"
    left = calendar.days_left(question.due, now)
    if left < 0:
        return f"en retard de {counted(-left, 'jour ouvré', 'jours ouvrés')}"
    if question.due == now.astimezone(calendar.zone).date():
        return "à rendre aujourd’hui"
    return f"encore {counted(left, 'jour ouvré', 'jours ouvrés')}" if left else "à rendre à la reprise"
