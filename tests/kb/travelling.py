"""Records with pages for the round trips of the forms in which they travel: any, not the likely ones only."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from kb.records import (
    ACCESS,
    TYPES,
    Agent,
    Copy,
    Evidence,
    File,
    Origin,
    Page,
    Quality,
    Record,
    State,
    Subject,
)
from kb.sharing import Shared

_SPECIAL = "<>&\"' \t\n\r\x85\u2028]]>\u00a0é’🌴%\\{}#"
text = st.text(
    st.sampled_from(_SPECIAL)
    | st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    max_size=12,
)
maybe = st.none() | text
share = st.floats(0, 1)
count = st.integers(0, 10**9)
ids = st.from_regex(r"[a-z0-9-]{1,12}:[0-9]{1,9}", fullmatch=True)
moment = st.none() | st.datetimes(timezones=st.just(UTC))


def several(one: st.SearchStrategy, most: int = 2) -> st.SearchStrategy:
    return st.lists(one, max_size=most).map(tuple)


subjects = st.builds(
    Subject,
    concept=text.filter(bool),
    origin=st.sampled_from(Origin),
    score=share,
    state=st.sampled_from(State),
    evidence=several(st.builds(Evidence, count, count, count, text)),
)
files = st.builds(
    File,
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    name=text,
    media_type=text,
    size=count,
    pages=count,
)
records = st.builds(
    Record,
    id=ids,
    title=text.filter(str.strip),
    type=st.sampled_from(sorted(TYPES)),
    agents=several(st.builds(Agent, text, text, text)),
    date=st.none() | st.from_regex(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", fullmatch=True),
    language=text,
    notes=several(text),
    copies=several(st.builds(Copy, maybe, maybe, maybe, text)),
    files=several(files, 1),
    host=st.none() | ids.map(lambda id: f"hote-{id}"),
    subjects=several(subjects),
    keywords=several(text),
    identifiers=st.dictionaries(text, text, max_size=2),
    source=st.none() | st.just("https://exemple.fr/a?b=1&c=<2>"),
    access=st.sampled_from(ACCESS),
    created=moment,
    updated=moment,
    **dict.fromkeys(("subtitle", "publisher", "place", "series", "issue", "extent", "abstract"), maybe),
    **dict.fromkeys(("call_number", "host_pages"), maybe),
)
_page = st.builds(
    Page,
    st.just(1),
    text,
    st.none() | text,
    share,
    st.sampled_from(Quality),
    recognised=st.none() | share,
)


def _numbered(pages: list[Page]) -> tuple[Page, ...]:
    return tuple(
        Page(number, p.text, p.label, p.grade, p.quality, None, p.recognised)
        for number, p in enumerate(pages, start=1)
    )


shared = st.builds(Shared, records, st.lists(_page, max_size=2).map(_numbered))

FULL = Shared(
    Record(
        id="ville-caraibe:12",
        title="Observer les quartiers",
        subtitle="Guide <pratique> & méthode",
        type="guide",
        agents=(Agent("Montlouis, Nadège"), Agent("Ville Caraïbe", "publisher", "body")),
        date="2011-06",
        language="fr",
        publisher="Ville Caraïbe",
        abstract="Première ligne\r\nseconde ligne",
        notes=("Une note", "Une autre"),
        call_number="OBS 12",
        copies=(Copy("OBS 12", None, "Salle 1", "onsite"),),
        files=(File(sha256="a" * 64, name="guide.pdf", media_type="application/pdf", size=10, pages=2),),
        host="ville-caraibe:3",
        host_pages="p. 4-9",
        subjects=(
            Subject(concept="https://x/T02", score=0.8, evidence=(Evidence(1, 0, 11, "observation"),)),
            Subject(concept="https://x/T05", state=State.REFUSED, origin=Origin.LIBRARIAN),
        ),
        keywords=("observation", "quartier"),
        identifiers={"isbn": "9782070360024"},
        source="https://exemple.fr/guide",
        access="network",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        updated=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    ),
    (Page(1, "observation des quartiers", "i", 0.9), Page(2, "", None, 0.0, Quality.SCAN, None, 0.5)),
)
