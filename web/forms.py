"""Forms: the fields that a person may fill in, and nothing else that a request may carry.

Hides WTForms. A field that is not declared here is never read. Messages are French, typed plainly; templates
set the no-break spaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from kb import records
from kb.accounts import GIVEN_ROLES, LONGEST_EMAIL, LONGEST_NAME, SCOPES
from kb.errors import InvalidValue, WeakPassword
from kb.passwords import LONGEST
from web.messages import ACCESS, RIGHTS, ROLES, explain
from web.typography import spaced


def _needed(what: str) -> InputRequired:
    return InputRequired(message=what)


def _text(label: str, empty: str, longest: int, **keys: Any) -> StringField:
    limit = Length(max=longest, message=f"Au plus {longest} caractères.")
    return StringField(label, validators=[_needed(empty), limit], render_kw=keys)


def _password(label: str, kind: str, empty: str = "Indiquez un mot de passe.") -> PasswordField:
    limit = Length(max=4 * LONGEST, message="Ce mot de passe est trop long.")
    return PasswordField(label, validators=[_needed(empty), limit], render_kw={"autocomplete": kind})


def _email() -> StringField:
    keys = {"autocomplete": "username", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
    return _text("Adresse électronique", "Indiquez une adresse électronique.", LONGEST_EMAIL, **keys)


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """(value, words) as options."""
    return [SelectChoice(value, words) for value, words in pairs]


def _ticks(label: str, pairs: list[tuple[str, str]], empty: str = "") -> SelectMultipleField:
    return SelectMultipleField(
        label,
        choices=choices(pairs),
        validators=[_needed(empty)] if empty else [],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class Form(FlaskForm):
    """A form whose fields can be told what the knowledge base thinks of their values."""

    def blame(self, error: InvalidValue) -> None:
        """Show the error under its field, or above the form when it has none."""
        message = (
            explain(error)
            if isinstance(error, WeakPassword)
            else spaced(error.why[:1].upper() + error.why[1:] + ".")
        )
        field = self._fields.get(error.field)
        if field is not None:
            field.errors = [*field.errors, message]
        else:
            self.form_errors.append(message)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """(id of the field, message) of all that is wrong, for the summary."""
        found = [
            (self[name].id, str(message)) for name, said in self.errors.items() if name for message in said
        ]
        return found + [("", str(message)) for message in self.form_errors]


class Plain(Form):
    """A button and nothing to fill in."""


class SignInForm(Form):
    """Address and password."""

    email = _email()
    password = _password("Mot de passe", "current-password")


class CodeForm(Form):
    """The code of the second factor."""

    code = _text(
        *("Code", "Indiquez le code à six chiffres.", 40),
        autocomplete="one-time-code",
        inputmode="text",
        spellcheck="false",
    )


class ForgottenForm(Form):
    """The address to send a link to."""

    email = _email()


class _Twice(Form):
    """A new password, typed twice."""

    def validate_again(self, field: PasswordField) -> None:
        """Refuses two different ones."""
        if field.data != self["password"].data:
            raise ValidationError("Les deux mots de passe ne sont pas les mêmes.")


class NewPasswordForm(_Twice):
    """A password chosen by a link."""

    password = _password("Nouveau mot de passe", "new-password")
    again = _password("Le même, encore une fois", "new-password", "Tapez-le une deuxième fois.")


class ChangePasswordForm(_Twice):
    """Another password."""

    current = _password("Mot de passe actuel", "current-password", "Indiquez votre mot de passe actuel.")
    password = _password("Nouveau mot de passe", "new-password")
    again = _password("Le même, encore une fois", "new-password", "Tapez-le une deuxième fois.")


class ConfirmForm(Form):
    """The password, before something that matters."""

    current = _password("Mot de passe", "current-password", "Indiquez votre mot de passe.")


class FactorForm(ConfirmForm):
    """The first code of an authenticator, with the password."""

    code = _text(
        "Code à six chiffres", "Indiquez le code.", 12, autocomplete="one-time-code", inputmode="numeric"
    )


_ROLE_CHOICES = [(str(role), ROLES[role]) for role in GIVEN_ROLES]


class InviteForm(Form):
    """Somebody new."""

    email = _email()
    name = _text("Nom", "Indiquez un nom.", LONGEST_NAME, autocomplete="off")
    roles = _ticks("Rôles", _ROLE_CHOICES, "Choisissez au moins un rôle.")


class PersonForm(Form):
    """What may be changed of somebody."""

    name = _text("Nom", "Indiquez un nom.", LONGEST_NAME, autocomplete="off")
    roles = _ticks("Rôles", _ROLE_CHOICES, "Choisissez au moins un rôle.")
    active = BooleanField("Compte ouvert : cette personne peut se connecter")


class EraseForm(Form):
    """A tick, so that nobody is erased by a slip."""

    sure = BooleanField(
        "Oui, effacer ce compte pour toujours",
        validators=[_needed("Cochez la case pour confirmer l’effacement.")],
    )


class FindAskerForm(Form):
    """Somebody who asked."""

    who = _text("Nom ou adresse", "Indiquez un nom ou une adresse.", LONGEST_EMAIL, autocomplete="off")


class EraseAskerForm(Form):
    """A tick, so that nobody is erased by a slip."""

    sure = BooleanField(
        "Oui, effacer cette personne pour toujours",
        validators=[_needed("Cochez la case pour confirmer l’effacement.")],
    )


class KeyForm(Form):
    """A key for another centre."""

    name = _text("Centre ou machine", "Indiquez à qui sert cette clé.", LONGEST_NAME, autocomplete="off")
    scopes = _ticks("Droits", [(str(right), RIGHTS[right]) for right in SCOPES])


class AccessForm(Form):
    """Who may read a record."""

    access = RadioField(
        "Qui peut le lire",
        choices=choices((code, ACCESS[code]) for code in records.ACCESS),
        validators=[_needed("Choisissez qui peut lire ce document.")],
    )


class TrailForm(FlaskForm):
    """Which lines of the trail to show; read from the address, so it needs no token."""

    class Meta:
        """No token: nothing is changed."""

        csrf = False

    qui = SelectField("Qui", validate_choice=False)
    quoi = SelectField("Quoi", validate_choice=False)
    objet = StringField("Sur quoi", render_kw={"placeholder": "notice:…, personne:…", "autocomplete": "off"})
    du = DateField("Du", validators=[Optional()])
    au = DateField("Au", validators=[Optional()])

    @property
    def dates(self) -> tuple[date | None, date | None]:
        """First and last day; None when not given or not a date."""
        return (None if self.du.errors else self.du.data, None if self.au.errors else self.au.data)
