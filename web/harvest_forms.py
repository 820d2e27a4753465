"""Forms on the sources of the network: try an address, add it, change it, take it away.

Hides how a key that was typed goes from one page to the next: encrypted, as it is kept afterwards, never in
clear in a page.
"""

from __future__ import annotations

from collections.abc import Iterable

from wtforms import BooleanField, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import Length, Optional, Regexp, ValidationError

from kb.centres import CODE
from kb.errors import InvalidValue
from kb.signing import regular_key
from kb.sources import PREFIXES
from web.forms import Form, _text, choices
from web.harvest_words import FORMATS, HOURS

LONGEST_URL = 500
_ADDRESS_KEYS = {"inputmode": "url", "autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
_PLAIN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
_HOURS = [(str(hours), words.capitalize()) for hours, words in HOURS.items()]
_MOST_SETS = 300  # of a list to choose from


def _optional(label: str, longest: int, **keys: object) -> StringField:
    limit = Length(max=longest, message=f"Au plus {longest} caractères.")
    return StringField(label, validators=[Optional(), limit], render_kw=_PLAIN | keys)


def _address() -> StringField:
    return _text("Adresse", "Indiquez l’adresse du centre.", LONGEST_URL, **_ADDRESS_KEYS)


def _secret(label: str) -> PasswordField:
    sound = Regexp(r"[\x21-\x7e]{1,300}\Z", message="Une clé n’a ni espace ni accent : copiez-la de nouveau.")
    return PasswordField(label, validators=[Optional(), sound], render_kw={"autocomplete": "off"})


def _prefix() -> SelectField:
    return SelectField("Format", choices=choices((prefix, FORMATS[prefix]) for prefix in PREFIXES))


def _hours() -> SelectField:
    return SelectField("Moissonner", choices=choices(_HOURS), default="24")


def _relays() -> BooleanField:
    return BooleanField("Ce centre parle aussi pour d’autres centres")


class TryForm(Form):
    """The address of a centre, and our key there if it gave one."""

    url = _address()
    secret = _secret("Clé donnée par ce centre (facultative)")


class AddForm(Form):
    """What a trial found, to be corrected and kept. ``sealed`` is the key, encrypted."""

    url = HiddenField()
    sealed = HiddenField()
    about = HiddenField()
    public_key = HiddenField()
    name = _text("Nom du centre", "Indiquez le nom du centre.", 200, autocomplete="off")
    code = _text("Code du centre", "Indiquez un code, comme « labo-cites ».", 60, **_PLAIN)
    contact = _optional("Adresse électronique pour le joindre", 200, inputmode="email")
    site = _optional("Site public", LONGEST_URL, inputmode="url")
    hours = _hours()
    prefix = _prefix()
    set = SelectField("Partie à moissonner", validate_choice=False)
    relays = _relays()
    trusted = BooleanField("J’ai comparé cette empreinte avec le centre")

    def blame(self, error: InvalidValue) -> None:
        """What is wrong with what nobody can see in this form is said above it."""
        if error.field in ("url", "prefix"):
            error = InvalidValue("", error.why)
        super().blame(error)

    def offer_sets(self, sets: Iterable[tuple[str, str]] = ()) -> None:
        """The sets that the repository has, or the one that was chosen of them before."""
        known = [(spec, name or spec) for spec, name in sets][:_MOST_SETS]
        chosen = self.set.data
        if chosen and chosen not in dict(known):
            known.append((chosen, chosen))
        self.set.choices = choices([("", "Tout ce qu’il partage"), *known])

    def validate_code(self, field: StringField) -> None:
        """Refuses what could not begin an identifier."""
        if not CODE.fullmatch((field.data or "").strip()):
            raise ValidationError("Minuscules, chiffres et tirets seulement, comme « labo-cites ».")


class ChangeForm(Form):
    """What may be changed of a source and of its centre."""

    name = _text("Nom du centre", "Indiquez le nom du centre.", 200, autocomplete="off")
    contact = _optional("Adresse électronique pour le joindre", 200, inputmode="email")
    site = _optional("Site public", LONGEST_URL, inputmode="url")
    url = _address()
    hours = _hours()
    prefix = _prefix()
    set = _optional("Partie à moissonner", 200)
    relays = _relays()
    secret = _secret("Nouvelle clé")
    forget_secret = BooleanField("Oublier la clé enregistrée")
    public_key = _optional("Clé publique du centre, pour vérifier ses enveloppes", 200)

    def validate_public_key(self, field: StringField) -> None:
        """Refuses what is no key."""
        if field.data and regular_key(field.data) is None:
            raise ValidationError("Une clé publique a 64 chiffres ou lettres de a à f : copiez-la en entier.")


class RemoveForm(Form):
    """What becomes of the records of a source that is asked no more."""

    what = RadioField(
        "Ses notices",
        choices=choices((("keep", "Les garder, telles qu’elles sont"), ("take", "Les retirer d’ici"))),
    )
