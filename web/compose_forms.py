"""The form in which an answer is written and sent."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from kb.answers import LONGEST_REASON
from kb.questions import LONGEST_ANSWER, Channel, Question
from web.desk_words import EFFORTS
from web.forms import choices
from web.row_forms import RowForm, choice_field, line_field
from web.state import LONGEST_TEXT
from web.typography import number, spaced

WAYS = {
    Channel.EMAIL: "par courriel, envoyé d’ici",
    Channel.TELEPHONE: "dite au téléphone",
    Channel.VISIT: "remise en main propre",
    Channel.LETTER: "par courrier postal",
}
"""How an answer leaves -> words."""

NO_ADDRESS = "cette personne n’a pas laissé d’adresse électronique"


class _Effort(RadioField):  # type: ignore[misc]
    """A level, or none."""

    def pre_validate(self, form: object) -> None:
        if self.data not in (None, "", *(str(n) for n in EFFORTS)):
            raise ValidationError("Choisissez un niveau de 1 à 6.")


class AnswerForm(RowForm):
    """The text of an answer, and how it leaves. ``version`` is the saved one that it was begun from."""

    body = TextAreaField(
        "Réponse",
        filters=[lambda text: (text or "").replace("\r\n", "\n")],
        validators=[Length(max=LONGEST_ANSWER, message=f"Au plus {number(LONGEST_ANSWER)} caractères.")],
        render_kw={"rows": 18, "spellcheck": "true", "aria-describedby": "aide-texte"},
    )
    version = HiddenField()
    without_source = line_field("Sans source, parce que…", LONGEST_REASON)
    anyway = BooleanField("Envoyer quand même : j’ai vérifié ces passages")
    way = choice_field("La réponse est", {})
    minutes = StringField(
        "Temps passé, en minutes",
        validators=[Optional(), Length(max=6, message="Indiquez un nombre de minutes.")],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    effort = _Effort(
        "Effort (échelle READ)",
        choices=choices((str(n), spaced(words)) for n, words in EFFORTS.items()),
        validate_choice=False,
    )
    cherche = line_field("Chercher d’autres mots dans le fonds", LONGEST_TEXT)

    def know(self, question: Question, *, address: bool) -> None:
        """Let mail be chosen only when there is an address; the way by which the question came is the one
        proposed."""
        ways = [one for one in WAYS if address or one is not Channel.EMAIL]
        self.way.choices = choices((str(one), WAYS[one]) for one in ways)
        if not self.way.data:
            usual = question.channel if question.channel in ways and not address else ways[0]
            self.way.data = str(usual)

    @property
    def base(self) -> int:
        """The version that was looked at; -1 for what no page has sent."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
