"""What can be changed in many records at once, and what that makes of one.

Hides how each wish of the form becomes a change of a field.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from kb import records
from kb.errors import InvalidValue
from kb.records import Record
from kb.thesaurus import Concept
from web import typed
from web.editor_forms import chosen
from web.forms import choices
from web.fund import Fund
from web.labels import LANGUAGES
from web.messages import ACCESS
from web.row_forms import RowForm, choice_field, line_field

_AS_IS = {"": "ne pas changer"}
EMPTIED = {"date": "la date", "publisher": "l’éditeur", "series": "la collection"}


class BulkForm(RowForm):
    """What to change; a field left empty changes nothing."""

    type = choice_field("Type de document", {**_AS_IS, **records.TYPES}, "")
    access = choice_field("Qui peut les lire", {**_AS_IS, **ACCESS}, "")
    language = choice_field("Langue", {**_AS_IS, **LANGUAGES}, "")
    date = line_field("Date", 60)
    publisher = line_field("Éditeur")
    series = line_field("Collection")
    emptied = SelectMultipleField(
        "Vider",
        choices=choices(EMPTIED.items()),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    theme_more = line_field("Terme du thésaurus à ajouter", 200)
    theme_less = line_field("Terme du thésaurus à enlever", 200)
    keyword_more = line_field("Mot-clé libre à ajouter", 200)
    keyword_less = line_field("Mot-clé libre à enlever", 200)
    word = line_field("Dans les titres, remplacer", 200)
    word_by = line_field("par", 200)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of each record: ``fields`` are set so, the rest is added, taken out, replaced."""

    fields: dict[str, Any]
    theme_more: Concept | None = None
    theme_less: Concept | None = None
    keyword_more: str | None = None
    keyword_less: str | None = None
    word: str | None = None
    word_by: str = ""

    def __bool__(self) -> bool:
        added = (self.theme_more, self.theme_less, self.keyword_more, self.keyword_less, self.word)
        return bool(self.fields) or any(wish is not None for wish in added)


def wishes(form: BulkForm, fund: Fund) -> Wishes | None:
    """What the form asks for; None when something is not right, told under the fields."""
    sound = form.validate()
    fields: dict[str, Any] = {
        name: form[name].data for name in ("type", "access", "language") if form[name].data
    }
    fields |= {name: said for name in ("publisher", "series") if (said := typed.line(form[name].data))}
    if date := form.taken(form.date, lambda: typed.date_of(form.date.data)):
        fields["date"] = date
    for name in form.emptied.data or ():
        if name in fields:
            form[name].errors = [*form[name].errors, "Choisissez : une valeur, ou vider."]
        fields[name] = None
    more, less = _term(form, "theme_more", fund), _term(form, "theme_less", fund)
    word, word_by = typed.line(form.word.data), typed.line(form.word_by.data) or ""
    if word_by and not word:
        form.word.errors = [*form.word.errors, "Indiquez le mot à remplacer."]
    if not sound or form.faults:
        return None
    return Wishes(
        fields,
        more,
        less,
        typed.line(form.keyword_more.data),
        typed.line(form.keyword_less.data),
        word,
        word_by,
    )


def _term(form: BulkForm, name: str, fund: Fund) -> Concept | None:
    text = typed.line(form[name].data)
    return form.taken(form[name], lambda: typed.concept_of(text, fund.thesaurus)) if text else None


def changed(record: Record, wishes: Wishes) -> Record:
    """The record with what is wanted. Raises InvalidValue when it would have no title."""
    fields = dict(wishes.fields)
    if wishes.word is not None:
        fields["title"] = _replaced(record.title, wishes.word, wishes.word_by)
    subjects = {s.concept: s for s in record.subjects}
    if wishes.theme_less is not None:
        subjects.pop(wishes.theme_less.uri, None)
    if wishes.theme_more is not None:
        uri = wishes.theme_more.uri
        subjects[uri] = chosen(subjects.get(uri), uri)
    keywords = tuple(word for word in record.keywords if word != wishes.keyword_less)
    if wishes.keyword_more is not None and wishes.keyword_more not in keywords:
        keywords = (*keywords, wishes.keyword_more)
    return dataclasses.replace(record, **fields, subjects=tuple(subjects.values()), keywords=keywords)


def _replaced(title: str, word: str, by: str) -> str:
    """The title with each whole occurrence of the words replaced, case and all as typed."""
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    found, count = pattern.subn(lambda _: by, title)
    if not count:
        return title
    said = re.sub(r" {2,}", " ", found).strip(" ")
    if not said:
        raise InvalidValue("word", "il ne resterait rien du titre")
    return said
