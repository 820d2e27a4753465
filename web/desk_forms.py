"""The forms of the desk: a question as the staff type it, and the gestures on one.

Hides how words of the vocabulary become codes, and that a code which the vocabulary has no more stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from wtforms import BooleanField, DateField, FieldList, HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from kb.accounts import LONGEST_EMAIL, LONGEST_NAME, Person
from kb.errors import InvalidValue
from kb.french import fold
from kb.questions import LONGEST, LONGEST_ANSWER, Asked, Channel, Question
from kb.servicelog import MOST_MINUTES
from kb.thesaurus import Thesaurus
from web import typed
from web.desk_words import CHANNELS, EFFORTS
from web.forms import choices
from web.labels import Labels
from web.row_forms import RowForm, choice_field, line_field
from web.typography import number

MOST_THEMES = 8
_NOTHING = {"": "non précisé"}


class Day(DateField):  # type: ignore[misc]
    """A day, refused in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """What WTForms asks of a field."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError("Indiquez un jour, par exemple 26/11/2026.") from error


def _area(label: str, rows: int, longest: int = LONGEST) -> TextAreaField:
    said = f"Au plus {number(longest)} caractères."
    return TextAreaField(label, validators=[Length(max=longest, message=said)], render_kw={"rows": rows})


def _choice(label: str, pairs: Iterable[tuple[str, str]], default: str | None = None) -> Any:
    return choice_field(label, dict(pairs), default)


def _minutes(label: str) -> StringField:
    return line_field(label, 20, inputmode="numeric")


def minutes_of(field: StringField) -> int | None:
    """The minutes typed; None for nothing. Raises InvalidValue."""
    text = (field.data or "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > MOST_MINUTES:
        raise InvalidValue(field.short_name, f"indiquez un nombre de minutes entre 0 et {MOST_MINUTES}")
    return int(text)


class AskedForm(RowForm):
    """What is asked, as the staff put it."""

    text = _area("Question", 6)
    context = _area("Contexte", 3)
    channel = _choice("Reçue par", ((str(one), words) for one, words in CHANNELS.items()))
    actor = _choice("Qualité du demandeur", _NOTHING.items(), "")
    territory = _choice("Territoire", _NOTHING.items(), "")
    themes = FieldList(line_field("Thème", 200), "Thèmes", min_entries=1, max_entries=MOST_THEMES)
    wanted_by = Day("Souhaitée pour le", validators=[Optional()])
    consent = BooleanField("La personne accepte que la réponse soit publiée, sans rien qui la désigne")

    def know(self, labels: Labels, held: Question | None = None) -> None:
        """Let the lists have the words of the vocabulary, and what the question says even if it has it no
        more."""
        thesaurus = labels.thesaurus
        actors = {concept.code: concept.label for concept in thesaurus.concepts("actors")}
        places = {concept.code: concept.label for concept in thesaurus.concepts("territories")}
        if held is not None and held.actor:
            actors.setdefault(held.actor, held.actor)
        if held is not None and held.territory:
            places.setdefault(held.territory, held.territory)
        self.actor.choices = choices((_NOTHING | actors).items())
        self.territory.choices = choices((_NOTHING | _sorted(places)).items())
        while len(self.themes) < 3:
            self.themes.append_entry()

    def read(self, labels: Labels, held: Question | None = None) -> Asked | None:
        """What is asked; None when something is not right, which is then told under the fields."""
        sound = self.validate()
        if not (self.text.data or "").strip():
            self.text.errors = [*self.text.errors, "Écrivez la question."]
        themes = [self.taken(entry, lambda e=entry: theme_of(e.data, labels, held)) for entry in self.themes]  # type: ignore[misc]
        if not sound or self.faults:
            return None
        return Asked(
            text=self.text.data,
            context=self.context.data or "",
            channel=Channel(self.channel.data),
            actor=self.actor.data or None,
            territory=self.territory.data or None,
            themes=tuple(dict.fromkeys(code for code in themes if code)),
            wanted_by=self.wanted_by.data,
            consent=bool(self.consent.data),
        )


def _sorted(places: dict[str, str]) -> dict[str, str]:
    return dict(sorted(places.items(), key=lambda place: fold(place[1])))


def theme_of(text: str | None, labels: Labels, held: Question | None = None) -> str | None:
    """The code of the theme that these words name; None for nothing. Raises InvalidValue."""
    words = typed.line(text)
    if not words:
        return None
    found = [c for c in labels.thesaurus.lookup(words) if c.scheme == "themes"]
    found = [c for c in found if fold(c.label) == fold(words)] or found
    if len(found) == 1:
        return found[0].code
    if held is not None and words in held.themes:
        return words
    if found:
        said = ", ".join(f"« {concept.label} »" for concept in found[:4])
        raise InvalidValue("themes", f"Plusieurs thèmes répondent à ces mots : {said}")
    raise InvalidValue("themes", f"« {words} » n’est pas un thème : choisissez dans la liste")


def theme_words(thesaurus: Thesaurus) -> tuple[str, ...]:
    """What completes a theme that is typed."""
    return tuple(concept.label for concept in thesaurus.concepts("themes"))


def values(question: Question, labels: Labels) -> dict[str, Any]:
    """What the form shows of a question."""
    concepts = ((code, labels.concept(code)) for code in question.themes)
    return {
        "text": question.text,
        "context": question.context,
        "channel": str(question.channel),
        "actor": question.actor or "",
        "territory": question.territory or "",
        "themes": [concept.label if concept else code for code, concept in concepts],
        "wanted_by": question.wanted_by,
        "consent": question.consent,
    }


class EditForm(AskedForm):
    """A question put otherwise: ``version`` is the one looked at, ``begun`` what it said, in short."""

    version = HiddenField()
    begun = HiddenField()


class AskerFields(RowForm):
    """Who asks: nothing of it must be given."""

    name = line_field("Nom", LONGEST_NAME)
    email = line_field("Adresse électronique", LONGEST_EMAIL, inputmode="email", autocapitalize="none")
    phone = line_field("Téléphone", 40, inputmode="tel")


class FindForm(RowForm):
    """Whose questions are looked for: sent in the body, so that no address of a page holds it."""

    who = line_field("Nom ou adresse électronique", LONGEST_EMAIL)


class NewForm(AskedForm, AskerFields):
    """A question that came otherwise than by the form of visitors."""

    received = Day("Reçue le", validators=[Optional()])
    minutes = _minutes("Minutes déjà passées")
    mine = BooleanField("Je la prends en charge")
    acknowledge = BooleanField("Envoyer l’accusé de réception, si une adresse est donnée")
    mail = HiddenField()

    def day(self, today: date) -> date:
        """The day on which it came. Raises InvalidValue for one that is to come, or long ago."""
        came: date = self.received.data or today
        if came > today:
            raise InvalidValue("received", "ce jour n’est pas encore venu")
        if (today - came).days > _LONG_AGO:
            raise InvalidValue("received", "ce jour est trop ancien : vérifiez l’année")
        return came


_LONG_AGO = 365  # days; older questions are taken in by the import


class JoinForm(RowForm):
    """Where a message goes: the key of the message is in the address."""

    reference = line_field("Numéro de la question", 20)
    as_note = HiddenField()


class WriteForm(RowForm):
    """A message to the asker."""

    message = _area("Message", 8, LONGEST_ANSWER)
    way = choice_field("Par", {})
    wait = BooleanField("J’attends sa réponse : le délai s’arrête jusque-là")

    def know(self, *, address: bool) -> None:
        """Let mail be chosen only when there is an address."""
        ways = (Channel.EMAIL, Channel.TELEPHONE, Channel.VISIT, Channel.LETTER)
        words = {
            Channel.EMAIL: "courriel, envoyé d’ici",
            Channel.TELEPHONE: "téléphone (je note ce que j’ai dit)",
        }
        words |= {
            Channel.VISIT: "visite (je note ce que j’ai dit)",
            Channel.LETTER: "courrier postal (j’en garde le texte)",
        }
        self.way.choices = choices(
            (str(one), words[one]) for one in ways if address or one is not Channel.EMAIL
        )


class HeardForm(RowForm):
    """What the asker said otherwise than by mail."""

    heard = _area("Ce que la personne a dit", 4)
    heard_by = _choice(
        "Par",
        (
            (str(one), CHANNELS[one])
            for one in (Channel.TELEPHONE, Channel.VISIT, Channel.LETTER, Channel.EMAIL)
        ),
    )


class NoteForm(RowForm):
    """A word to colleagues."""

    note = _area("Note", 3)


class TimeForm(RowForm):
    """Time and effort."""

    minutes = _minutes("Minutes")
    effort = _choice(
        "Niveau d’effort",
        [("", "non précisé"), *((str(n), f"{n} : {words}") for n, words in EFFORTS.items())],
    )


class PassForm(RowForm):
    """Who has the question from now on; ``held_by`` is who had it when the page was looked at."""

    to = choice_field("Confier à", {})
    held_by = HiddenField()

    def know(self, staff: Iterable[Person], but: int | None) -> None:
        """Let those be chosen who may answer."""
        self.to.choices = choices((str(p.id), p.name) for p in staff if p.id != but)


class CloseForm(RowForm):
    """Why a question ends."""

    why = _area("Pourquoi", 2, 1000)
