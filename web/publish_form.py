"""The forms by which an answer is made public, looked at again and taken back.

Hides WTForms, and how what was decided of each doubt is carried by a form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wtforms import HiddenField, RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import Length

from kb.publishing import ACCESS, LONGEST_TITLE, REVIEW_MONTHS
from kb.questions import LONGEST, LONGEST_ANSWER
from web.forms import choices
from web.messages import ACCESS as WHO
from web.publish_copy import LONGEST_REPLACEMENT, Decision, Doubt, Texts
from web.row_forms import RowForm, choice_field, line_field

REVIEWS: Mapping[str, str] = {"6": "dans 6 mois", "12": "dans 1 an", "24": "dans 2 ans"}
"""Months after which a published answer is looked at again -> how it is said."""

_DECIDED, _INSTEAD = "decision-", "remplacement-"


def _area(label: str, rows: int, longest: int) -> TextAreaField:
    said = f"Au plus {longest} caractères."
    return TextAreaField(label, validators=[Length(max=longest, message=said)], render_kw={"rows": rows})


class PublishForm(RowForm):
    """The copy, who may read it, its themes; ``version`` is the copy that was looked at."""

    version = HiddenField()
    title = line_field("Titre : une question claire", LONGEST_TITLE)
    text = _area("Question", 6, LONGEST)
    body = _area("Réponse", 18, LONGEST_ANSWER)
    access = RadioField("Qui peut la lire")
    themes = SelectMultipleField("Thèmes et lieux", validate_choice=False, choices=())
    months = choice_field("À revoir", REVIEWS, default=str(REVIEW_MONTHS))

    def know(self, *, consent: bool) -> None:
        """Let more than the staff read it only when who asked agreed."""
        allowed = ACCESS if consent else ACCESS[-1:]
        self.access.choices = choices((code, WHO[code]) for code in allowed)

    @property
    def texts(self) -> Texts:
        """The three texts as they were typed, their lines ended as ours are."""
        title, text, body = (
            (field.data or "").replace("\r\n", "\n").replace("\r", "\n")
            for field in (self.title, self.text, self.body)
        )
        return title, text, body


class ReadForm(RowForm):
    """What a second reader says; ``version`` is the copy that was read."""

    version = HiddenField()
    why = _area("Ce qu’il faudrait changer", 3, LONGEST)
    months = choice_field("À revoir", REVIEWS, default=str(REVIEW_MONTHS))


class LookedForm(RowForm):
    """When to look at a published answer again."""

    months = choice_field("La revoir", REVIEWS, default=str(REVIEW_MONTHS))


def decisions(found: Iterable[Doubt], sent: Mapping[str, str]) -> dict[str, Decision]:
    """What a form says of these doubts; those of which it says nothing are left out."""
    said = {}
    for doubt in found:
        choice = sent.get(_DECIDED + doubt.key)
        if choice in ("remplacer", "garder"):
            typed = " ".join(sent.get(_INSTEAD + doubt.key, "").split())[:LONGEST_REPLACEMENT]
            said[doubt.key] = Decision(choice == "garder", typed)
    return said
