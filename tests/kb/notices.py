"""Notices of every sort, for what goes out to be read again."""

from __future__ import annotations

import dataclasses
import unicodedata

from hypothesis import strategies as st

from kb.formats import Notice, plain
from kb.records import TYPES, Agent, Copy, Record

_MARKS = " ;|,/\\'\"=+-@(){}[]$&#%_~^<>.:é"
LETTERS = st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters=_MARKS)


def _regular(text: str) -> str:
    return plain(unicodedata.normalize("NFC", text))


words = st.text(LETTERS, min_size=1, max_size=24).map(_regular).filter(bool)
maybe = st.none() | words
lines = st.lists(words, min_size=1, max_size=3).map("\n".join)
given = st.text(st.sampled_from("abcdeéèA'-. "), min_size=1, max_size=12).map(plain).filter(bool)
names = st.text(st.sampled_from("abcdeéèA'- "), min_size=1, max_size=12).map(plain).filter(bool)
persons = st.builds(lambda family, first: f"{family}, {first}", names, given)
ROLES = ("author", "editor", "contributor")
agents = st.builds(Agent, persons, st.sampled_from(ROLES), st.just("person")) | st.builds(
    Agent, words, st.sampled_from(ROLES), st.just("body")
)
_DATE = r"(19[0-9]|20[01])[0-9](-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8]))?)?"
dates = st.from_regex(_DATE, fullmatch=True)
isbns = st.from_regex(r"[0-9]{9}", fullmatch=True).map(lambda nine: f"978{nine}{_check(nine)}")
copies = st.builds(Copy, maybe, maybe, maybe, st.sampled_from(["available", "lent", "onsite", "missing"]))
identifiers = st.fixed_dictionaries(
    {},
    optional={
        "isbn": isbns,
        "issn": st.sampled_from(["2325-9671", "1932-6203", "0317-8471"]),
        "doi": st.from_regex(r"10\.[0-9]{4}/[a-z0-9.()]{1,9}[a-z]", fullmatch=True),
        "url": st.from_regex(r"https://[a-z]{1,9}\.org/[a-zA-Z0-9_%&=?~#-]{0,12}", fullmatch=True),
        "record": st.from_regex(r"[A-Z]{2}/[0-9]{1,6}", fullmatch=True),
    },
)


def _check(nine: str) -> str:
    total = sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(f"978{nine}"))
    return str(-total % 10)


def _unlike_number(extent: str | None) -> bool:
    return extent is None or not extent.isdigit()


records = st.builds(
    Record,
    id=st.just("centre:7"),
    title=words,
    type=st.sampled_from(sorted(TYPES)),
    subtitle=maybe,
    agents=st.lists(agents, max_size=4).map(tuple),
    date=st.none() | dates,
    language=st.sampled_from(["fr", "en", "gcf", "pt-BR", "und"]),
    publisher=maybe,
    place=maybe,
    series=maybe,
    issue=maybe,
    extent=maybe.filter(_unlike_number),
    abstract=st.none() | lines,
    notes=st.lists(words, max_size=3).map(tuple),
    call_number=maybe,
    copies=st.lists(copies, max_size=3).map(tuple),
    host_pages=st.none() | st.from_regex(r"[1-9][0-9]{0,2}-[1-9][0-9]{0,3}", fullmatch=True),
    keywords=st.lists(words, max_size=4, unique=True).map(tuple),
    identifiers=identifiers,
)
hosts = st.none() | st.builds(
    Record, id=st.just("centre:1"), title=words, identifiers=st.just({"isbn": "9782070612390"})
)
labels = st.dictionaries(st.sampled_from(["u:1", "u:2", "u:3"]), words, max_size=2)
notices = st.builds(Notice, records, labels, hosts)


def told(notice: Notice, *left_out: str) -> dict[str, object]:
    """The fields that a notice has, as a crosswalk gives them, but for those that a format does not hold."""
    record = notice.record
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    hosts = (("record", Notice(notice.host).number), ("title", notice.host.title)) if notice.host else ()
    values |= {
        "keywords": notice.keywords,
        "identifiers": dict(record.identifiers) | {"record": notice.number},
        "hosts": hosts,
    }
    kept = {name: value for name, value in values.items() if name not in (*_OURS, *left_out)}
    return {name: value for name, value in kept.items() if value not in (None, "", (), {})}


_OURS = ("id", "host", "subjects", "files", "source", "access", "created", "updated")
