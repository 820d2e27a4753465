"""The fields of records in words, and what differs between two states of one, marked word by word.

Hides how states are kept (records, lines of the trail) and how words are aligned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Any

from ingest.differences import Piece, marked
from kb import records
from kb.records import TYPES, Origin, Record, State
from web import typed
from web.labels import LANGUAGES, Labels
from web.messages import ACCESS
from web.notices import STATUSES, natural
from web.typography import NBSP, counted, written_date

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "Titre", "subtitle": "Sous-titre", "type": "Type de document", "agents": "Auteurs",
        "date": "Date", "language": "Langue", "publisher": "Éditeur", "place": "Lieu d’édition",
        "series": "Collection", "issue": "Numéro dans la collection", "extent": "Description matérielle",
        "abstract": "Résumé", "notes": "Notes", "call_number": "Cote", "copies": "Exemplaires",
        "host": "Fait partie de", "host_pages": "Pages dans ce document", "subjects": "Termes",
        "keywords": "Mots-clés", "identifiers": "Numéros", "access": "Accès", "files": "Fichiers",
        "pages": "Texte des pages", "source": "Source",
    }
)  # fmt: skip
"""Field of a record -> its French name, in the order in which they are shown."""

_LONGEST = 6000  # characters of a text whose words are aligned: difflib's time grows with their square
_ROLES = {"editor": "direction", "publisher": "éditeur", "contributor": "contribution"}
_STATES = {State.ACCEPTED: "", State.PROPOSED: "proposé", State.REFUSED: "refusé"}


@dataclass(frozen=True, slots=True)
class Change:
    """A field in words, before and after ("" for nothing said), and both cut where they part."""

    field: str
    label: str
    before: str
    after: str
    pieces: tuple[Piece, ...]


State_ = Mapping[str, Any]
"""What a record says, by field, as its JSON form or a line of the trail has it."""


def state_of(record: Record) -> State_:
    """What a record says, times and evidence left out."""
    told = records.to_json(record)
    return {name: told[name] for name in FIELDS if name in told}


def changes(before: State_, after: State_, labels: Labels) -> tuple[Change, ...]:
    """The fields that do not say the same."""
    found = []
    for name, label in FIELDS.items():
        here, there = (parts(name, state.get(name), labels) for state in (before, after))
        if here != there:
            found.append(Change(name, label, _joined(here), _joined(there), _pieces(here, there)))
    return tuple(found)


def field_pieces(name: str, before: State_, after: State_, labels: Labels) -> tuple[Piece, ...]:
    """One field of two states, cut where they part."""
    return _pieces(*(parts(name, state.get(name), labels) for state in (before, after)))


def facts(state: State_, labels: Labels) -> tuple[tuple[str, str], ...]:
    """All that a state says: (name of the field, words)."""
    said = ((label, _joined(parts(name, state.get(name), labels))) for name, label in FIELDS.items())
    return tuple((label, words) for label, words in said if words)


def parts(field: str, value: Any, labels: Labels) -> tuple[str, ...]:
    """A field in words, a repeatable one in several."""
    match field, value:
        case _, None | "" | []:
            return ()
        case "type", _:
            return (TYPES.get(value, value),)
        case "language", _:
            return (LANGUAGES.get(value, value),)
        case "access", _:
            return (ACCESS.get(value, value),)
        case "date", _:
            return (written_date(value),)
        case "host", _:
            return (f"notice n°{NBSP}{value.partition(':')[2]}",)
        case "pages", _:
            number = str(value).partition(" ")[0]
            return (counted(int(number), "page") if number.isdigit() else str(value),)
        case "identifiers", _:
            return tuple(f"{kind.upper()}{NBSP}{number}" for kind, number in value.items())
        case _, str():
            return (value,)
        case _:
            return tuple(_item(field, item, labels) for item in value)


def _item(field: str, item: Any, labels: Labels) -> str:
    match field:
        case "agents":
            role = _ROLES.get(item.get("role", ""), "")
            return natural(item["name"]) + (f" ({role})" if role else "")
        case "subjects":
            return _subject(item, labels)
        case "copies":
            status = STATUSES.get(item.get("status", "available"), item.get("status", ""))
            said = (item.get("call_number"), item.get("barcode"), item.get("location"), status)
            return ", ".join(filter(None, said))
        case "files":
            return str(item["name"])
        case _:
            return str(item)


def _subject(item: Any, labels: Labels) -> str:
    if isinstance(item, str):
        concept, origin, state = (*item.split(" "), "", "")[:3]
    else:
        concept, origin, state = item["concept"], item.get("origin", ""), item.get("state", "")
    told = _STATES[State(state)] if state in set(State) else ""
    told = told or ("" if origin != Origin.MACHINE or state else "proposé")
    return typed.concept_label(concept, labels) + (f" ({told})" if told else "")


def _joined(items: Sequence[str]) -> str:
    return " ; ".join(items)


def _pieces(here: Sequence[str], there: Sequence[str]) -> tuple[Piece, ...]:
    """One text word by word, a list item by item."""
    if len(here) <= 1 and len(there) <= 1:
        before, after = _joined(here), _joined(there)
        if len(before) + len(after) > _LONGEST or not before or not after:
            return (Piece(before, after, False),)
        return tuple(marked(before, after))
    steps = SequenceMatcher(None, here, there, autojunk=False).get_opcodes()
    return tuple(
        Piece(_listed(here[a:b]), _listed(there[c:d]), step == "equal") for step, a, b, c, d in steps
    )


def _listed(items: Iterable[str]) -> str:
    return "".join(f"{item} ; " for item in items)
