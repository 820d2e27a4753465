"""Forms with rows that repeat: their fields, rows added and taken out without script, their faults.

Hides WTForms. Rows are added and taken out by the server too, so that nothing typed is lost without script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from wtforms import Field, FieldList, FormField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from kb.errors import InvalidValue
from web.forms import Form, choices
from web.typography import spaced

T = TypeVar("T")

ROWS = ("agents", "notes", "copies", "themes", "others")
"""The fields that repeat."""


MOST_ROWS = 300  # of one kind: more is no record but a list
_LINE, _TEXT = 1000, 20_000  # characters: the longest titles seen have 400, the longest abstracts 6 000


def _limit(longest: int) -> Length:
    return Length(max=longest, message=f"Au plus {longest} caractères.")


def line_field(label: str, longest: int = _LINE, **keys: Any) -> StringField:
    """One line of text."""
    return StringField(label, validators=[_limit(longest)], render_kw={"autocomplete": "off"} | keys)


class _Choice(SelectField):  # type: ignore[misc]
    """A list that says in French when something else was sent."""

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)
        except ValidationError as error:
            raise ValidationError("Choisissez dans la liste.") from error


def choice_field(label: str, words: Mapping[str, str], default: str | None = None) -> SelectField:
    """One of some codes, shown by their words; ``default`` is taken when none was sent."""
    listed = choices((str(code), said) for code, said in words.items())
    return _Choice(label, choices=listed, default=default)


def area_field(label: str, rows: int) -> TextAreaField:
    """Text of several lines."""
    return TextAreaField(label, validators=[_limit(_TEXT)], render_kw={"rows": rows})


class RowForm(Form):
    """A form with repeatable rows."""

    def turned(self, wish: str) -> bool:
        """Add or take out a row as the button pressed (``faire``) says; False for another button."""
        verb, _, name = wish.partition(" ")
        if verb == "ajouter" and name in ROWS and name in self:
            self[name].append_entry()
            return True
        rows = self._fields.get(name.partition("-")[0])
        if verb == "enlever" and isinstance(rows, FieldList):
            rows.entries = [entry for entry in rows.entries if entry.name != name]
            if not rows.entries:
                rows.append_entry()
            return True
        return False

    @property
    def faults(self) -> list[tuple[str, str]]:
        """(id of the field, message) of all that is wrong, those in rows too."""
        found = [(one.id, str(said)) for field in self for one in _leaves(field) for said in one.errors]
        return found + [("", str(said)) for said in self.form_errors]

    def taken(self, field: Field, make: Callable[[], T]) -> T | None:
        """What ``make`` gives; None, with its fault told under the field, when it refuses."""
        try:
            return make()
        except InvalidValue as error:
            field.errors = [*field.errors, spaced(error.why + ".")]
            return None


def _leaves(field: Field) -> Iterator[Field]:
    if isinstance(field, FieldList):
        for entry in field.entries:
            yield from _leaves(entry)
    elif isinstance(field, FormField):
        yield from field.form
    else:
        yield field
