"""The form on which a librarian decides about a record: what was typed, what the record becomes by it, and
both values when somebody else changed the record meanwhile.

Hides the names of the fields and how their texts become fields of a record. What is not declared here is
never read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from ingest.frontmatter import agent
from kb.errors import InvalidValue
from kb.records import TYPES, Agent, Origin, Record, State, Subject, regular_date
from kb.thesaurus import Thesaurus
from web import proposals
from web.forms import Form, choices
from web.labels import LANGUAGES
from web.proposals import UNKNOWN_LANGUAGE
from web.typography import spaced, written_date

FIELDS = ("title", "agents", "date", "type", "language")
"""Fields of a record that are corrected here, in the order shown."""

_THEME = "theme:"  # and the URI: the choice made for a theme
_LONGEST_TITLE, _LONGEST_AUTHORS, _LONGEST_WORDS = 1000, 5000, 200
_MOST_ADDED = 50  # themes added in one form


_DATE_KEYS = {"autocomplete": "off", "placeholder": "2010, mars 2010, 12/03/2010"}


class ReviewForm(Form):
    """The fields of a record, a theme to add, and the state of the record that they were read from."""

    title = TextAreaField("Titre", validators=[Length(max=_LONGEST_TITLE)], render_kw={"rows": 2})
    agents = TextAreaField("Auteurs", validators=[Length(max=_LONGEST_AUTHORS)], render_kw={"rows": 3})
    date = StringField("Date", validators=[Length(max=40)], render_kw=_DATE_KEYS)
    type = SelectField("Type")
    language = SelectField("Langue")
    theme = StringField("Ajouter un thème", validators=[Length(max=_LONGEST_WORDS)])
    updated = HiddenField()
    rest = BooleanField("Accepter aussi les thèmes laissés à décider")


class TicksForm(Form):
    """What to do with the ticked lines of the list; the lines themselves are read by ``ticked``."""


def form_for(record: Record) -> ReviewForm:
    """The form, filled with what was sent, else with the record."""
    form = ReviewForm(data=told(record))
    form.type.choices = choices(TYPES.items())
    languages = dict(LANGUAGES) | {UNKNOWN_LANGUAGE: "non déterminée"}
    languages.setdefault(record.language, record.language)
    form.language.choices = choices(languages.items())
    if not form.is_submitted():
        form.updated.data = stamp(record)
    return form


def stamp(record: Record) -> str:
    """By which a form knows whether the record has changed since."""
    return record.updated.isoformat() if record.updated else ""


def told(record: Record) -> dict[str, str]:
    """The fields of a record as they are typed."""
    return {
        "title": record.title,
        "agents": "\n".join(agent.name for agent in _authors(record)),
        "date": written_date(record.date),
        "type": record.type,
        "language": record.language,
    }


def _authors(record: Record) -> list[Agent]:
    return [agent for agent in record.agents if agent.role != "publisher"]


# -- what was typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a librarian sent: texts of the fields, a state for each theme by URI, URIs of themes added, and
    whether what is left shall be accepted."""

    fields: Mapping[str, str]
    states: Mapping[str, State]
    added: tuple[str, ...]
    rest: bool = False


def typed(form: ReviewForm, sent: MultiDict[str, str], record: Record, thesaurus: Thesaurus) -> Typed:
    """What the form says of a record; choices that are none and concepts that are not are left out."""
    chosen = {s.concept: sent.get(_THEME + s.concept) for s in record.subjects}
    added = dict.fromkeys(uri for uri in sent.getlist("added")[:_MOST_ADDED] if uri in thesaurus)
    return Typed(
        fields={name: plain(name, form[name].data or "") for name in FIELDS},
        states={uri: State(said) for uri, said in chosen.items() if said in list(State)},
        added=tuple(added),
        rest=form.rest.data,
    )


def plain(name: str, text: str) -> str:
    """A field as it is compared and kept: one line, a line each for authors, no needless blanks."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return ("\n" if name == "agents" else " ").join(line for line in lines if line)


def ticked(sent: MultiDict[str, str], most: int) -> dict[str, str]:
    """Ids of the lines that were ticked -> the state in which they were shown; all that were shown, when the
    tick of the page was set."""
    shown = {name.removeprefix("state:"): value for name, value in sent.items() if name.startswith("state:")}
    wanted = list(shown) if sent.get("all") else sent.getlist("record")
    return {id: shown[id] for id in wanted[:most] if id in shown}


# -- what the record becomes


def corrected(record: Record, what: Typed) -> Record:
    """The record as the librarian wants it. Raises InvalidValue, named by its field, for what cannot be."""
    before = told(record)
    fields = {n: _READ[n](record, text) for n, text in what.fields.items() if text != plain(n, before[n])}
    return dataclasses.replace(record, **fields, subjects=_decided(record, what))


def _title(_: Record, text: str) -> str:
    if not text:
        raise InvalidValue("title", "donnez un titre")
    return text


def _agents(record: Record, text: str) -> tuple[Agent, ...]:
    """One a line; those who are there already keep what they did, publishers are not asked about."""
    held = {person.name: person for person in _authors(record)}
    wanted = [held.get(line) or agent(line) for line in text.splitlines()]
    publishers = [person for person in record.agents if person.role == "publisher"]
    return tuple(dict.fromkeys([*wanted, *publishers]))


_DATE = re.compile(
    r"\d{4}|\d{4}-\d\d(?:-\d\d)?|(?:\d\d?[/.])?\d\d?[/.]\d{4}|(?:(?:\d\d?|1er)\s+)?[^\W\d_]+\.?\s+\d{4}"
)


def _date(_: Record, text: str) -> str | None:
    """The date as ISO 8601: nothing of what was typed may get lost, so that a text with more is refused."""
    if not text:
        return None
    month = re.fullmatch(r"(\d\d?)[/.](\d{4})", text)
    date = regular_date(f"{month[2]}-{month[1]:0>2}" if month else text)
    if date is None or not _DATE.fullmatch(text) or (date.count("-") < _precision(text)):
        why = "cette date n’est pas comprise : écrivez 2010, mars 2010 ou 12/03/2010, ou laissez vide"
        raise InvalidValue("date", why)
    return date


def _precision(text: str) -> int:
    """How many parts a date has beside the year."""
    return len(re.findall(r"\w+", text)) - 1


def _same(_: Record, text: str) -> str:
    return text


_READ: Mapping[str, Callable[[Record, str], Any]] = {
    "title": _title,
    "agents": _agents,
    "date": _date,
    "type": _same,
    "language": _same,
}


def _decided(record: Record, what: Typed) -> tuple[Subject, ...]:
    """The subjects with what was decided; those of the machine stay the machine's, accepted or refused."""
    subjects = {s.concept: _with_state(s, what) for s in record.subjects}
    for uri in what.added:
        new = Subject(concept=uri, origin=Origin.LIBRARIAN)
        subjects[uri] = dataclasses.replace(subjects.get(uri, new), state=State.ACCEPTED)
    return tuple(subjects.values())


def _with_state(subject: Subject, what: Typed) -> Subject:
    state = what.states.get(subject.concept, subject.state)
    if what.rest and state is State.PROPOSED:
        state = State.ACCEPTED
    return dataclasses.replace(subject, state=state)


def complete(what: Typed, added: Added) -> Typed:
    """What was typed, with the themes that its words came to."""
    return dataclasses.replace(what, added=added.concepts)


def settled(record: Record, state: State) -> Record:
    """The record with what was left to decide accepted, or refused."""
    subjects = (
        dataclasses.replace(s, state=state) if s.state is State.PROPOSED else s for s in record.subjects
    )
    return dataclasses.replace(record, subjects=tuple(subjects))


def changed(before: Record, after: Record) -> tuple[str, ...]:
    """Which of the fields asked about differ."""
    return tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))


# -- both values


@dataclass(frozen=True, slots=True)
class Both:
    """What to show when somebody else was quicker: texts and states to go on from, and in words what is there
    now of each field and theme that somebody else changed."""

    fields: Mapping[str, str]
    states: Mapping[str, State]
    notes: Mapping[str, str]


def both(base: Record | None, now: Record, mine: Typed) -> Both:
    """What was typed on ``base`` (None when it is not known any more) over what is there ``now``: what was
    changed by hand stays, what was left as it was follows the record."""
    before, there = told(base or now), told(now)
    fields, notes = {}, {}
    for name, text in mine.fields.items():
        untouched = base is not None and text == plain(name, before[name])
        fields[name] = there[name] if untouched else text
        if plain(name, there[name]) not in (text, plain(name, before[name]) if base else text):
            notes[name] = _in_words(name, there[name])
    states = dict(mine.states)
    held = {s.concept: s.state for s in (base or now).subjects}
    for subject in now.subjects:
        uri, chosen = subject.concept, mine.states.get(subject.concept)
        if subject.state not in (held.get(uri), chosen):
            notes[uri] = STATES[subject.state]
        if chosen is None or chosen is held.get(uri):
            states[uri] = subject.state
    return Both(fields, states, notes)


STATES: Mapping[State, str] = {
    State.ACCEPTED: "accepté",
    State.REFUSED: "refusé",
    State.PROPOSED: "à décider",
}
"""State of a theme -> its French word."""


def _in_words(name: str, text: str) -> str:
    if name == "agents":
        return " ; ".join(text.splitlines()) or "aucun auteur"
    return {"type": TYPES, "language": LANGUAGES}.get(name, {}).get(text, text) or "rien"


# -- a theme to add


@dataclass(frozen=True, slots=True)
class Added:
    """What came of the words of a theme to add: URIs of the themes added so far, concepts to choose from, and
    what is wrong if nothing is clear."""

    concepts: tuple[str, ...]
    candidates: tuple[proposals.Term, ...] = ()
    fault: str = ""


NOTHING_ADDED = Added(())


def with_words(words: str, added: Sequence[str], thesaurus: Thesaurus) -> Added:
    """The themes added so far, and the one that ``words`` mean if they mean one."""
    if not words.strip():
        return Added(tuple(added))
    found = proposals.named(words, thesaurus)
    if len(found) == 1:
        return Added(tuple(dict.fromkeys([*added, found[0].uri])))
    likely = tuple(proposals.term(concept, thesaurus) for concept in found) or proposals.terms(
        words, thesaurus
    )
    if any(one.concept in added for one in likely):
        return Added(tuple(added))  # chosen below the field, where the word still stands
    if not likely:
        fault = (
            f"« {words.strip()} » n’est pas dans le thésaurus : essayez un autre mot, ou effacez celui-ci."
        )
        return Added(tuple(added), fault=spaced(fault))
    fault = f"« {words.strip()} » : choisissez ci-dessous le thème voulu, ou effacez ce mot."
    return Added(tuple(added), likely, spaced(fault))
