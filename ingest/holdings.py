"""Drafts to records: which work is already known, what a new reading changes in it, and where it hangs.

Hides the rules of identity and those by which what people decided outlives a new reading of the file.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ingest.drafts import Draft
from ingest.tagging import KEYWORDS_JOINED, Text
from kb.database import Store
from kb.french import fold
from kb.records import Evidence, File, Origin, Page, Record, State, Subject
from kb.thesaurus import Thesaurus

_UNKNOWN_LANGUAGE = "und"
"""BCP 47 for a language that could not be told (ISO 639-2, "undetermined")."""


def record_of(draft: Draft, held: Record | None, *, id: str, source: str) -> Record:
    """The record that a draft makes, or makes of the one ``held``: what the draft says replaces what was
    there, what it does not say stays; the files, the host, the source and people's decisions stay."""
    fields = draft.record_fields()
    if draft.language is None and held is None:
        fields["language"] = "fr" if draft.place_in_file else _UNKNOWN_LANGUAGE
    if held is None:
        return Record(id=id, source=source, **fields)
    if "identifiers" in fields:
        fields["identifiers"] = dict(held.identifiers) | dict(fields["identifiers"])
    if held.type != "document" and draft.type == "document":
        fields.pop("type", None)
    return dataclasses.replace(held, **fields)


def completed(held: Record, draft: Draft) -> Record:
    """The record with what it lacked and the draft says, which tells of the same work in another form."""
    said = draft.record_fields()
    fields = {name: value for name, value in said.items() if getattr(held, name) in _NOTHING}
    if held.type == "document":
        fields["type"] = draft.type
    if held.language == _UNKNOWN_LANGUAGE and draft.language:
        fields["language"] = draft.language
    fields["identifiers"] = {**draft.identifiers, **held.identifiers}
    fields["copies"] = draft.copies or held.copies
    return dataclasses.replace(held, **fields)


_NOTHING: tuple[object, ...] = (None, "", ())


def with_file(record: Record, file: File, replaced: str | None = None) -> Record:
    """The record with one file more, in the place of the one with the hash ``replaced``."""
    others = tuple(f for f in record.files if f.sha256 not in (replaced, file.sha256))
    return dataclasses.replace(record, files=(*others, file))


# -- one work on paper and in a file


def paper_work(draft: Draft, store: Store, centre: str) -> Record | None:
    """The centre's only record without a file that tells of the document's work; None for none or several."""
    if not draft.pages:
        return None
    held = store.get_many(list(store.find("title", draft.title))).values()
    found = [r for r in held if r.centre == centre and not r.files and _is_form_of(draft, r)]
    return found[0] if len(found) == 1 else None


def came_from_file(record: Record) -> bool:
    """Whether the record was made from one of its files, and not from a catalogue: that file then rules, the
    catalogue only completes; else the other way round."""
    name = PurePath(record.source or "").name
    return any(file.name == name for file in record.files)


def _is_form_of(draft: Draft, held: Record) -> bool:
    """Whether both tell of one work, as far as they can when one is on paper and the other a file: the same
    title, if it says enough, the same year, no other type and no other ISBN."""
    title = fold(draft.title)
    isbns = {draft.identifiers.get("isbn"), held.identifiers.get("isbn")} - {None}
    return (
        title == fold(held.title)
        and sum(map(str.isalpha, title)) >= _TELLING_LETTERS
        and len(title.split()) >= _TELLING_WORDS
        and _year(draft) is not None
        and _year(draft) == held.year
        and len({draft.type, held.type} - {"document"}) <= 1
        and len(isbns) <= 1
    )


_TELLING_LETTERS, _TELLING_WORDS = 10, 2
"""Shortest title by which a work is known: « Sommaire » or « Annexe 2 » are titles of many."""


def _year(draft: Draft) -> int | None:
    return int(draft.date[:4]) if draft.date else None


# -- subjects


def with_subjects(
    record: Record, thesaurus: Thesaurus, proposed: Iterable[Subject], *, catalogued: bool
) -> Record:
    """The record with its subjects made anew: those of people stay, refused ones too; then the key words
    that the vocabulary knows; then what the machine proposes.

    Key words of a catalogue are a librarian's work and count as accepted; those in a file's properties wait
    for a person like any proposal. Evidence is that of the new reading: old places are in another text.
    """
    said = State.ACCEPTED if catalogued else State.PROPOSED
    named = _named(record, thesaurus)
    kept = (s for s in record.subjects if _decided(s, said))
    subjects = {s.concept: dataclasses.replace(s, evidence=named.get(s.concept, ())) for s in kept}
    for concept, evidence in named.items():
        subjects.setdefault(
            concept, Subject(concept=concept, origin=Origin.SOURCE, state=said, evidence=evidence)
        )
    for subject in proposed:
        held = subjects.get(subject.concept, subject)
        subjects[subject.concept] = dataclasses.replace(held, evidence=subject.evidence or held.evidence)
    return dataclasses.replace(record, subjects=tuple(subjects.values()))


def with_catalogued(record: Record, thesaurus: Thesaurus, keywords: Iterable[str]) -> Record:
    """The record with its subjects, those that these key words of a catalogue name being accepted unless a
    person refused them."""
    catalogued = {concept for keyword in keywords if (concept := _concept(keyword, thesaurus))}
    subjects = (
        dataclasses.replace(s, origin=Origin.SOURCE, score=1.0, state=State.ACCEPTED)
        if s.concept in catalogued and s.state is State.PROPOSED
        else s
        for s in record.subjects
    )
    return dataclasses.replace(record, subjects=tuple(subjects))


def _named(record: Record, thesaurus: Thesaurus) -> dict[str, tuple[Evidence, ...]]:
    """Concepts that the record's key words name, each with the place of the first one that does."""
    named: dict[str, tuple[Evidence, ...]] = {}
    # Key words come last in the text of page 0; looked for one after the other, none is taken for a part of
    # another one.
    front = text_of(record).front
    at = len(front) - len(KEYWORDS_JOINED.join(record.keywords))
    for keyword in record.keywords:
        if concept := _concept(keyword, thesaurus):
            named.setdefault(concept, (Evidence(0, at, at + len(keyword), keyword),))
        at += len(keyword) + len(KEYWORDS_JOINED)
    return named


def text_of(told: Draft | Record, pages: Iterable[Page] = ()) -> Text:
    """What a tagger reads of a work, and where the evidence of its subjects counts characters."""
    title = " : ".join(part for part in (told.title, told.subtitle) if part)
    return Text(title, [page.text for page in pages], told.abstract or "", told.keywords)


def _decided(subject: Subject, said: State) -> bool:
    """Whether a person put it there, accepted it or refused it; a new reading says the rest again."""
    if subject.origin is Origin.SOURCE:
        return subject.state not in (State.PROPOSED, said)
    return subject.origin is Origin.LIBRARIAN or subject.state is not State.PROPOSED


def _concept(keyword: str, thesaurus: Thesaurus) -> str | None:
    """The one concept that a key word names, with or without its subdivisions; None for none or several."""
    for words in (keyword, keyword.partition(" -- ")[0]):
        found = thesaurus.lookup(words)
        exact = [c for c in found if fold(c.label) == fold(words)] or list(found)
        if len(exact) == 1:
            return exact[0].uri
    return None


# -- catalogues


@dataclass(slots=True)
class Entry:
    """One work of a catalogue file: its draft (copies of further rows joined), and its id once known."""

    draft: Draft
    id: str = ""
    held: Record | None = None


class Catalogue:
    """The works of one file of records, and where each is in the fund."""

    def __init__(self, drafts: Iterable[Draft], source: str) -> None:
        """Rows that tell of one work (same title, and same number, ISBN, cote, or date and authors) make one
        entry with the copies of all."""
        self.source = source
        self.entries: list[Entry] = []
        self._places: dict[tuple[str, ...], Entry] = {}
        self._taken: set[str] = set()
        for draft in drafts:
            self._add(draft)
        self._works = Counter((fold(e.draft.title), _year(e.draft)) for e in self.entries)

    def _add(self, draft: Draft) -> None:
        keys = _keys(draft)
        if (entry := next((self._places[key] for key in keys if key in self._places), None)) is None:
            entry = Entry(draft)
            self.entries.append(entry)
        else:
            entry.draft = _joined(entry.draft, draft)
        for key in keys:
            self._places.setdefault(key, entry)

    def find(self, entry: Entry, store: Store) -> None:
        """Set the entry's id and the record held, if the fund has this work already."""
        for candidate in self._candidates(entry.draft, store):
            if candidate.id not in self._taken:
                self.settle(entry, candidate.id)
                entry.held = candidate
                return

    def settle(self, entry: Entry, id: str) -> None:
        """Give the entry its id, which no other one of this file may have."""
        entry.id = id
        self._taken.add(id)

    def _candidates(self, draft: Draft, store: Store) -> list[Record]:
        """Records that may be this work, the surest first."""
        wanted = [(k, v) for k, v in draft.identifiers.items() if k in ("record", "isbn", "issn")]
        if draft.call_number:
            wanted.append(("call_number", draft.call_number))
        wanted.append(("title", draft.title))
        ids = dict.fromkeys(id for kind, value in wanted for id in store.find(kind, value))
        if ours := _own_id(draft):
            ids = {ours: None, **ids}
        held = store.get_many(list(ids)).values()
        same = [r for r in held if self._is_same(draft, r)]
        same.sort(key=lambda r: (fold(r.title) != fold(draft.title), r.source != self.source))
        joinable = [r for r in held if r not in same and self._joins(draft, r)]
        return same + (joinable if len(joinable) == 1 else [])

    def _is_same(self, draft: Draft, held: Record) -> bool:
        if _own_id(draft) == held.id:
            return True
        same_title = fold(held.title) == fold(draft.title)
        here = held.source == self.source
        for kind in ("record", "isbn"):
            mine, theirs = draft.identifiers.get(kind), held.identifiers.get(kind)
            if mine is None or theirs is None:
                continue
            # A bare number says nothing outside its own catalogue; with its agency's code it does.
            agency, other = mine.rpartition("/")[0], theirs.rpartition("/")[0]
            comparable = kind == "isbn" or here or (agency and agency == other)
            if comparable:
                return mine == theirs
        issn = draft.identifiers.get("issn")
        if issn and issn == held.identifiers.get("issn") and same_title:
            return True
        if draft.call_number and draft.call_number == held.call_number:
            return same_title or here
        if held.files:
            return here and _is_form_of(draft, held)
        return same_title and _same_work(draft, held)

    def _joins(self, draft: Draft, held: Record) -> bool:
        """Whether the draft is the paper form of a record that has files, and neither has another one."""
        return (
            bool(held.files)
            and _is_form_of(draft, held)
            and self._works[fold(draft.title), _year(draft)] == 1
            and held.call_number in (None, draft.call_number)
            and set(held.copies) <= set(draft.copies)
        )

    def hosts(self, store: Store) -> Iterator[tuple[str, str]]:
        """(id, id of its host) of each part whose host is in this file or in the fund."""
        index = {key: e.id for e in self.entries if e.id for key in _host_keys(e.draft)}
        for entry in self.entries:
            if entry.id and (host := _found_host(entry.draft, index, store)) not in (None, entry.id):
                yield entry.id, str(host)


def _own_id(draft: Draft) -> str | None:
    """The id of the record that the draft was written from, when a fund of ours wrote it: "centre/12"."""
    centre, slash, number = draft.identifiers.get("record", "").partition("/")
    return f"{centre}:{number}" if slash and number.isdigit() else None


def _keys(draft: Draft) -> list[tuple[str, ...]]:
    """Under what two rows of one file are the same work."""
    title = fold(draft.title)
    keys: list[tuple[str, ...]] = [
        (k, v, title) for k, v in draft.identifiers.items() if k in ("record", "isbn")
    ]
    if draft.call_number:
        keys.append(("call_number", fold(draft.call_number), title))
    if not keys:
        keys.append(("title", title, draft.date or "", *(a.name for a in draft.agents), str(draft.hosts)))
    return keys


def _joined(first: Draft, second: Draft) -> Draft:
    told = f"{second.place_in_file} : même ouvrage que {first.place_in_file}, exemplaires ajoutés"
    more = tuple(copy for copy in second.copies if copy not in first.copies)
    return dataclasses.replace(
        first,
        copies=first.copies + more,
        warnings=(*first.warnings, *second.warnings, told),
    )


def _same_work(draft: Draft, held: Record) -> bool:
    """Same year, same authors, and the same shelf mark or none."""
    return (
        (draft.date or "")[:4] == (held.date or "")[:4]
        and {a.name for a in draft.agents} == {a.name for a in held.agents}
        and (draft.call_number or held.call_number) == held.call_number
    )


def _host_keys(draft: Draft) -> list[tuple[str, str]]:
    keys = list(draft.identifiers.items())
    # A part names its host by the bare number, whichever agency's code we put before it.
    if number := draft.identifiers.get("record"):
        keys.append(("record", number.rpartition("/")[2]))
    if draft.call_number:
        keys.append(("call_number", draft.call_number))
    if not draft.hosts:
        keys.append(("title", fold(draft.title)))
    return keys


def _found_host(draft: Draft, index: dict[tuple[str, str], str], store: Store) -> str | None:
    for kind, value in draft.hosts:
        if found := index.get((kind, fold(value) if kind == "title" else value)):
            return found
        values = [value]
        if kind == "record":
            values.insert(0, f"{draft.identifiers.get('record', '').rpartition('/')[0]}/{value}")
        for said in values:
            if len(known := store.find(kind, said)) == 1:
                return known[0]
    return None


def subjects_proposed(suggestions: Sequence[Any]) -> tuple[Subject, ...]:
    """A tagger's suggestions as subjects that wait for a person."""
    return tuple(
        Subject(concept=s.concept, score=round(s.score, 3), evidence=tuple(s.evidence)) for s in suggestions
    )
