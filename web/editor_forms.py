"""The forms of records: their fields, what they show of a record, and the record that they make.

Hides which field of a record a field of the form is, and what is left as it was when nothing was changed.
Empty rows say nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from wtforms import BooleanField, FieldList, FormField, HiddenField
from wtforms import Form as Rows

from kb import records
from kb.database import Store
from kb.records import Agent, Copy, Origin, Record, State, Subject
from web import typed
from web.forms import choices
from web.fund import Fund
from web.labels import LANGUAGES, Labels
from web.messages import ACCESS
from web.notices import STATUSES
from web.row_forms import MOST_ROWS, RowForm, area_field, choice_field, line_field
from web.typography import written_date

AGENT_ROLES: Mapping[str, str] = MappingProxyType(
    {"author": "Auteur", "editor": "Direction", "contributor": "Contribution", "publisher": "Éditeur"}
)
AGENT_KINDS: Mapping[str, str] = MappingProxyType({"person": "Personne", "body": "Collectivité"})
STATES: Mapping[str, str] = MappingProxyType(
    {State.ACCEPTED: "accepté", State.PROPOSED: "proposé, à valider", State.REFUSED: "refusé"}
)
REMOVED = "removed"
_OWN = ("isbn", "issn", "doi", "url")


class AgentRow(Rows):  # type: ignore[misc]
    """Somebody who made the work."""

    name = line_field("Nom", placeholder="Nom, Prénom")
    role = choice_field("Rôle", AGENT_ROLES)
    kind = choice_field("Nature", AGENT_KINDS)


class CopyRow(Rows):  # type: ignore[misc]
    """A copy on the shelves; ``bare`` marks one of which nothing was ever said."""

    call_number = line_field("Cote", 200)
    barcode = line_field("Code-barres", 100)
    location = line_field("Localisation", 200)
    status = choice_field("État", STATUSES)
    bare = HiddenField()


class SubjectRow(Rows):  # type: ignore[misc]
    """A term that stands on the record."""

    concept = HiddenField()
    state = choice_field("Décision", {**STATES, REMOVED: "à enlever"})


class NumberRow(Rows):  # type: ignore[misc]
    """A number that has no field of its own."""

    kind = line_field("Nom du numéro", 60)
    value = line_field("Numéro", 300)


def _rows(kind: type[Rows], label: str) -> FieldList:
    return FieldList(FormField(kind), label, min_entries=1, max_entries=MOST_ROWS)


class RecordForm(RowForm):
    """All of a record that people may change."""

    updated = HiddenField()
    title = line_field("Titre", required=True)
    subtitle = line_field("Sous-titre")
    type = choice_field("Type de document", records.TYPES)
    language = choice_field("Langue", {**LANGUAGES, "und": "indéterminée"})
    agents = _rows(AgentRow, "Auteurs et contributeurs")
    date = line_field("Date", 60)
    publisher = line_field("Éditeur")
    place = line_field("Lieu d’édition", 200)
    series = line_field("Collection")
    issue = line_field("Numéro dans la collection", 200)
    extent = line_field("Description matérielle", 300)
    abstract = area_field("Résumé", 8)
    notes = FieldList(area_field("Note", 2), "Notes", min_entries=1, max_entries=MOST_ROWS)
    call_number = line_field("Cote", 200)
    cote_taken = BooleanField("Garder cette cote, même déjà prise")
    copies = _rows(CopyRow, "Exemplaires")
    host = line_field("Fait partie de")
    host_pages = line_field("Pages", 100)
    subjects = FieldList(FormField(SubjectRow), "Termes de la notice", max_entries=MOST_ROWS)
    themes = FieldList(
        line_field("Terme à ajouter", 200), "Termes à ajouter", min_entries=1, max_entries=MOST_ROWS
    )
    keywords = area_field("Mots-clés libres, un par ligne", 4)
    isbn = line_field("ISBN", 60, inputmode="text")
    issn = line_field("ISSN", 60)
    doi = line_field("DOI", 300)
    url = line_field("Adresse web", 2000)
    others = _rows(NumberRow, "Autres numéros")
    access = choice_field("Qui peut le lire", ACCESS)

    def know(self, held: Record) -> None:
        """Let the choices have what the record says, even when it is in no list."""
        languages = {**LANGUAGES, "und": "indéterminée"} | {
            held.language: LANGUAGES.get(held.language, held.language)
        }
        self.language.choices = choices(languages.items())


def values(record: Record, fund: Fund) -> dict[str, Any]:
    """What the form shows of a record."""
    numbers = record.identifiers
    works = fund.store.get_many([record.host]) if record.host else {}
    blank = Copy()
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        **{name: numbers.get(name) for name in _OWN},
        "updated": record.updated.isoformat() if record.updated else "",
        "date": written_date(record.date),
        "agents": [dataclasses.asdict(agent) for agent in record.agents],
        "notes": list(record.notes),
        "copies": [
            dataclasses.asdict(copy)
            | {"bare": "1" if dataclasses.replace(copy, status=blank.status) == blank else ""}
            for copy in record.copies
        ],
        "host": typed.work_label(record.host, works),
        "subjects": [{"concept": s.concept, "state": str(s.state)} for s in record.subjects],
        "keywords": "\n".join(record.keywords),
        "others": [{"kind": k, "value": v} for k, v in numbers.items() if k not in _OWN],
    }


_PLAIN = (
    *("title", "subtitle", "type", "language", "publisher", "place", "series", "issue", "extent"),
    *("abstract", "call_number", "host_pages", "access"),
)
_LINES = ("subtitle", "publisher", "place", "series", "issue", "extent", "call_number", "host_pages")


def read(form: RecordForm, held: Record, fund: Fund, store: Store) -> Record | None:
    """The record as the form says, ``held`` being what it was made of; None when something is not right,
    which is then told under the fields. ``store`` is the whole fund, to which numbers must be new."""
    form.know(held)
    sound = form.validate()
    fields: dict[str, Any] = {
        name: typed.kept(typed.line(form[name].data), getattr(held, name)) for name in _LINES
    }
    fields |= {name: form[name].data for name in ("type", "language", "access")}
    title = typed.kept(typed.line(form.title.data), held.title)
    if not title:
        form.title.errors = [*form.title.errors, "Indiquez un titre."]
    fields |= {
        "title": title,
        "abstract": typed.kept(typed.paragraphs(form.abstract.data), held.abstract),
        "date": form.taken(form.date, lambda: typed.date_of(form.date.data, held.date)),
        "agents": _agents(form),
        "notes": _notes(form, held),
        "copies": tuple(_copies(form)),
        "host": _host(form, held, fund, store),
        "subjects": subjects(form, held, fund.labels),
        "keywords": _keywords(form, held),
        "identifiers": _identifiers(form, held),
    }
    _check_cote(form, fields["call_number"], held, store)
    return dataclasses.replace(held, **fields) if sound and not form.faults else None


def _agents(form: RecordForm) -> tuple[Agent, ...]:
    said = ((typed.line(row.form["name"].data), row.form) for row in form.agents)
    return tuple(Agent(name, row.role.data, row.kind.data) for name, row in said if name)


def _notes(form: RecordForm, held: Record) -> tuple[str, ...]:
    said = [note for entry in form.notes if (note := typed.paragraphs(entry.data))]
    known = {" ".join(note.split()): note for note in held.notes}
    return tuple(known.get(" ".join(note.split()), note) for note in said)


def _keywords(form: RecordForm, held: Record) -> tuple[str, ...]:
    known = {" ".join(word.split()): word for word in held.keywords}
    return tuple(known.get(" ".join(word.split()), word) for word in typed.lines(form.keywords.data))


def _copies(form: RecordForm) -> Iterator[Copy]:
    for entry in form.copies:
        row = entry.form
        cote, barcode, place = (typed.line(row[name].data) for name in ("call_number", "barcode", "location"))
        if cote or barcode or place or row.bare.data == "1":
            yield Copy(cote, barcode, place, row.status.data)


def _host(form: RecordForm, held: Record, fund: Fund, store: Store) -> str | None:
    if form.host.data == typed.work_label(held.host, fund.store.get_many([held.host] if held.host else [])):
        return held.host
    return form.taken(
        form.host, lambda: typed.host_of(form.host.data, store, centre=held.centre, own=held.id)
    )


def subjects(form: RecordForm, held: Record, labels: Labels) -> tuple[Subject, ...]:
    """The record's terms with what was decided of each, then those that were added."""
    said = {row.form.concept.data: row.form.state.data for row in form.subjects}
    found = {
        s.concept: decided(s, said.get(s.concept, s.state))
        for s in held.subjects
        if said.get(s.concept) != REMOVED
    }
    for concept, state in said.items():  # added in a form that was shown again
        if concept in labels.thesaurus and concept not in found and state == State.ACCEPTED:
            found[concept] = chosen(None, concept)
    return (*added_to(found, form, labels).values(),)


def added_to(found: dict[str, Subject], form: RowForm, labels: Labels) -> dict[str, Subject]:
    """These subjects with those typed in ``themes``, which a librarian has chosen."""
    for entry in form["themes"]:
        if text := typed.line(entry.data):
            concept = form.taken(entry, lambda text=text: typed.concept_of(text, labels.thesaurus))  # type: ignore[misc]
            if concept is not None:
                found[concept.uri] = chosen(found.get(concept.uri), concept.uri)
    return found


def chosen(held: Subject | None, concept: str) -> Subject:
    """A subject that a librarian put there, or accepted if it was there."""
    if held is None:
        return Subject(concept=concept, origin=Origin.LIBRARIAN, state=State.ACCEPTED)
    return decided(held, State.ACCEPTED)


def decided(subject: Subject, state: str) -> Subject:
    """The subject in this state."""
    return subject if subject.state == state else dataclasses.replace(subject, state=State(state))


def _identifiers(form: RecordForm, held: Record) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for name, regular in _REGULAR.items():
        before = held.identifiers.get(name)
        found[name] = form.taken(form[name], lambda n=name, r=regular, b=before: r(form[n].data, b))  # type: ignore[misc]
    for entry in form.others:
        row = entry.form
        if value := typed.line(row["value"].data):
            kind = row.kind.data if row.kind.data in held.identifiers else None
            kind = kind or form.taken(row.kind, lambda row=row: typed.kind_of(row.kind.data))  # type: ignore[misc]
            if kind in found:
                row.kind.errors = [*row.kind.errors, "Ce nom sert deux fois : donnez-en un autre."]
            elif kind:
                found[kind] = value
    said = {name: value for name, value in found.items() if value}
    order = [*(name for name in held.identifiers if name in said), *said]
    return {name: said[name] for name in dict.fromkeys(order)}


_REGULAR: Mapping[str, Callable[[str | None, str | None], str | None]] = MappingProxyType(
    {"isbn": typed.isbn_of, "issn": typed.issn_of, "doi": typed.doi_of, "url": typed.url_of}
)


def _check_cote(form: RecordForm, cote: str | None, held: Record, store: Store) -> None:
    """A shelf mark that is taken must be meant."""
    if not cote or cote == held.call_number or form.cote_taken.data:
        return
    if others := typed.holders(cote, store, held.id):
        said = f"{typed.cote_fault(cote, others)}. Changez-la, ou cochez la case pour la garder."
        form.call_number.errors = [*form.call_number.errors, said]
