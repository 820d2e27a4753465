"""The forms of those who ask."""

from __future__ import annotations

from datetime import date
from typing import Any

from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from kb.accounts import LONGEST_EMAIL, regular_email
from kb.errors import InvalidValue
from kb.french import fold
from kb.questions import LONGEST
from kb.thesaurus import Concept, Thesaurus
from web.desk_forms import Day
from web.forms import Form
from web.robots import StampedFields
from web.row_forms import choice_field

_FURTHEST_DAYS = 366


def _long(label: str, *, empty: str = "", rows: int) -> TextAreaField:
    limit = Length(max=LONGEST, message=f"Au plus {LONGEST:,} caractères.".replace(",", " "))
    limit.field_flags.pop("maxlength")  # browsers cut in silence what is pasted
    needed = [DataRequired(message=empty)] if empty else [Optional()]
    return TextAreaField(label, validators=[*needed, limit], render_kw={"rows": rows})


class AskForm(StampedFields, Form):
    """A question to the centre."""

    today: date

    text = _long("Votre question", empty="Écrivez votre question.", rows=4)
    context = _long("Le contexte", rows=3)
    email = StringField(
        "Votre adresse électronique",
        validators=[Length(max=LONGEST_EMAIL, message="Cette adresse est trop longue.")],
        render_kw={
            "autocomplete": "email",
            "inputmode": "email",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    actor = choice_field("Vous êtes", {}, "")
    territory = choice_field("Territoire concerné", {}, "")
    wanted_by = Day("Souhaitée pour le", validators=[Optional()])
    consent = BooleanField(
        "J’accepte que la question et la réponse, sans mon nom, soient publiées pour les autres"
    )
    sure = BooleanField("Ces informations sont nécessaires, et j’ai le droit de les donner")
    seen = HiddenField()

    @classmethod
    def of(cls, thesaurus: Thesaurus, today: date) -> AskForm:
        """The form with the kinds of actors and the places of this vocabulary; ``today`` in the centre's
        time."""
        form = cls()
        form.today = today
        form.actor.choices = [("", "Je préfère ne pas le dire"), *_labels(thesaurus.concepts("actors"))]
        form.territory.choices = territories(thesaurus)
        return form

    def validate_email(self, field: StringField) -> None:
        """Refuses an address that cannot be written to."""
        if field.data and field.data.strip():
            try:
                regular_email(field.data)
            except InvalidValue as error:
                raise ValidationError(f"{error.why[:1].upper()}{error.why[1:]}.") from error

    def validate_wanted_by(self, field: Day) -> None:
        """Refuses days that have gone, and those too far away to be meant."""
        if field.data and not 0 <= (field.data - self.today).days <= _FURTHEST_DAYS:
            raise ValidationError("Choisissez un jour à venir, dans l’année.")


class SayForm(Form):
    """Something more on a question."""

    text = _long("Votre message", empty="Écrivez votre message.", rows=4)


def _labels(concepts: tuple[Concept, ...]) -> list[tuple[str, str]]:
    return [(concept.code, concept.label) for concept in sorted(concepts, key=_by_label)]


def _by_label(concept: Concept) -> str:
    return fold(concept.label)


_GROUPS = (
    ("Ensembles", ("R-", "E-", "A-")),
    ("Communes", ("C-",)),
    ("Quartiers prioritaires", ("QP-",)),
    ("Autres quartiers", ("Q-",)),
)


def territories(thesaurus: Thesaurus) -> dict[str, Any]:
    """Places by kind, as choices of a field."""
    places = sorted(thesaurus.concepts("territories"), key=_by_label)
    grouped: dict[str, Any] = {"": [("", "Aucun en particulier")]}
    for name, starts in _GROUPS:
        chosen = [(c.code, c.label) for c in places if c.code.startswith(starts)]
        if chosen:
            grouped[name] = chosen
    return grouped
