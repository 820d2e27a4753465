"""The form by which a document is asked of the centre that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from wtforms import Field, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from kb.accounts import LONGEST_EMAIL, LONGEST_NAME, Person, regular_email, regular_name
from kb.errors import InvalidValue
from kb.questions import regular_text
from web.forms import Form, choices
from web.request_letters import Letter
from web.robots import StampedFields
from web.typography import number

LONGEST_MESSAGE = 2_000
"""Characters: a page, which is what a librarian reads of a request."""

WANTED: Mapping[str, str] = MappingProxyType(
    {
        "consulter": "Le consulter sur place",
        "pret": "L’emprunter",
        "copie": "En recevoir une copie numérique",
    }
)
"""What may be asked for -> its French words."""

_TOO_LONG = f"Au plus {number(LONGEST_MESSAGE)} caractères."


class RequestForm(StampedFields, Form):
    """What is asked, of whom, and where the answer goes."""

    centre = RadioField("À quel centre le demander", validate_choice=False)
    wanted = RadioField("Ce que vous souhaitez", choices=choices(WANTED.items()), validate_choice=False)
    email = StringField(
        "Votre adresse électronique",
        validators=[
            InputRequired(message="Indiquez l’adresse à laquelle le centre vous répondra."),
            Length(max=LONGEST_EMAIL, message="Cette adresse est trop longue."),
        ],
        render_kw={
            "autocomplete": "email",
            "inputmode": "email",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    name = StringField(
        "Votre nom (facultatif)",
        validators=[Optional(), Length(max=LONGEST_NAME, message=f"Au plus {LONGEST_NAME} caractères.")],
        render_kw={"autocomplete": "name"},
    )
    message = TextAreaField("Votre message (facultatif)", validators=[Optional()], render_kw={"rows": 4})

    @classmethod
    def of(cls, holders: Iterable[tuple[str, str]], chosen: str, person: Person | None) -> RequestForm:
        """The form for these holders (code, name), one of them chosen; the fields of who is signed in are
        filled in."""
        form = cls(centre=chosen, email=person and person.email, name=person and person.name)
        form.centre.choices = choices(holders)
        if len(form.centre.choices) == 1:
            form.centre.data = chosen  # there is nothing to choose, and no field for it
        return form

    def letter(self) -> Letter:
        """What was typed, as it is written to the holder; of a form that is valid."""
        return Letter(
            wanted=WANTED[self.wanted.data],
            email=regular_email(self.email.data),
            name=regular_name(self.name.data) if _is_filled(self.name) else "",
            message=regular_text("message", self.message.data or "", needed=False),
        )

    def validate_centre(self, field: RadioField) -> None:
        """Refuses what is none of the holders."""
        if field.data not in [choice.value for choice in field.choices]:
            raise ValidationError("Choisissez un des centres.")

    def validate_wanted(self, field: RadioField) -> None:
        """Refuses what cannot be asked for, or nothing."""
        if field.data not in WANTED:
            raise ValidationError("Choisissez ce que vous souhaitez.")

    def validate_email(self, field: StringField) -> None:
        """Refuses an address that cannot be written to."""
        _check(regular_email, field)

    def validate_name(self, field: StringField) -> None:
        """Refuses what is no line of text."""
        _check(regular_name, field)

    def validate_message(self, field: TextAreaField) -> None:
        """Refuses what nobody would read. Browsers send each end of line as two characters."""
        if len(field.data.replace("\r\n", "\n")) > LONGEST_MESSAGE:
            raise ValidationError(_TOO_LONG)


def _is_filled(field: Field) -> bool:
    return bool((field.data or "").strip())


def _check(regular: Callable[[str], str], field: StringField) -> None:
    try:
        regular(field.data)
    except InvalidValue as error:
        raise ValidationError(f"{error.why[:1].upper()}{error.why[1:]}.") from error
