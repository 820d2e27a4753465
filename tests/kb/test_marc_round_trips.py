"""Records to UNIMARC and MARC 21 and back, through the bytes of ISO 2709."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb import charsets, iso2709, marc21, unimarc
from kb.charsets import Charset
from kb.errors import InvalidRecord
from kb.formats import ACCESS_SAID, STATUS_SAID
from kb.records import ACCESS, TYPES, Agent, Copy, Evidence, File, Origin, Record, State, Subject

FORMATS = [
    (unimarc, unimarc.to_unimarc, unimarc.from_unimarc),
    (marc21, marc21.to_marc21, marc21.from_marc21),
]
both = pytest.mark.parametrize(("module", "write", "read"), FORMATS, ids=["unimarc", "marc21"])
Write = Callable[..., tuple[str, list[iso2709.Field]]]
Read = Callable[..., dict[str, Any]]

CONCEPT = "https://example.org/themes/T06"


def back(leader: str, fields: list[iso2709.Field], read: Read) -> dict[str, Any]:
    """What is read in the bytes, having made sure that nothing in them had to be mended."""
    raw = iso2709.iso2709(leader, fields)
    assert int(raw[:5]) == len(raw)
    (found,) = iso2709.records(raw)
    leader, parts, faults = iso2709.parse(found)
    assert faults == []
    return read(leader, [iso2709.field(p.tag, charsets.decode(p.body, Charset.UTF_8)) for p in parts])


def expected(record: Record) -> Record:
    """What the formats can hold of it, with the number by which it is known."""
    kept = [Subject(concept=s.concept, origin=Origin.SOURCE, state=State.ACCEPTED) for s in record.subjects]
    accepted = [k for k, s in zip(kept, record.subjects, strict=True) if s.state is State.ACCEPTED]
    number = {"record": record.id.replace(":", "/")}
    return dataclasses.replace(
        record,
        subjects=tuple(accepted),
        identifiers=number | dict(record.identifiers),
        files=(),
        source=None,
        host=None,
        created=None,
        updated=None,
    )


text = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(iso2709.regular).filter(bool)
maybe = st.none() | text
paragraphs = st.lists(st.lists(text, min_size=1, max_size=2).map("\n".join), max_size=3).map("\n\n".join)
names = text | st.tuples(text, text).map(", ".join)
dates = st.dates(min_value=datetime(1000, 1, 1).date()).map(lambda day: day.isoformat())
agents = st.builds(
    Agent,
    names,
    st.sampled_from(["author", "editor", "publisher", "contributor"]),
    st.sampled_from(["person", "body"]),
)
extents = st.tuples(text, st.sampled_from([" : ", " ; ", " + ", ", "]), text).map("".join)
many = st.builds(
    Record,
    id=st.integers(1, 10**6).map("ville-caraibe:{}".format),
    title=text,
    type=st.sampled_from(sorted(TYPES)),
    subtitle=maybe,
    agents=st.lists(agents, max_size=4, unique=True).map(tuple),
    date=st.none() | st.tuples(dates, st.sampled_from([4, 7, 10])).map(lambda told: told[0][: told[1]]),
    language=st.sampled_from(["fr", "en", "gcf", "ht", "ja", "und", "es", "zh"]),
    publisher=maybe,
    place=maybe,
    series=maybe,
    issue=maybe,
    extent=maybe | extents,
    abstract=paragraphs.map(lambda said: said or None),
    notes=st.lists(text, max_size=3).map(tuple),
    call_number=maybe,
    copies=st.lists(
        st.builds(Copy, maybe, maybe, maybe, st.sampled_from(sorted(STATUS_SAID))), max_size=3
    ).map(tuple),
    host_pages=maybe,
    subjects=st.lists(
        st.builds(
            Subject,
            concept=st.integers(1, 20).map("https://example.org/themes/{}".format),
            origin=st.sampled_from(Origin),
            score=st.floats(0, 1),
            state=st.sampled_from(State),
        ),
        max_size=3,
        unique_by=lambda subject: subject.concept,
    ).map(tuple),
    keywords=st.lists(text, max_size=3, unique=True).map(tuple),
    identifiers=st.dictionaries(
        st.sampled_from(["isbn", "issn", "record", "url", "doi", "ark", "hal"]), text
    ),
    access=st.sampled_from(ACCESS),
    created=st.none() | st.just(datetime(2026, 1, 2, tzinfo=UTC)),
    updated=st.none() | st.just(datetime(2026, 1, 3, tzinfo=UTC)),
)


@both
@given(record=many)
def test_a_record_comes_back_equal(module: ModuleType, write: Write, read: Read, record: Record) -> None:
    found = back(*write(record), read)
    assert found.pop("hosts", ()) == ()
    assert Record(id=record.id, **found) == expected(record)


@both
@given(record=many, host=many)
@example(
    record=Record(id="vc:1", title="A"), host=Record(id="vc:2", title="B", identifiers={"record": "(0)"})
)
def test_the_host_is_found_by_its_number(
    module: ModuleType, write: Write, read: Read, record: Record, host: Record
) -> None:
    found = back(*write(record, host), read)
    hosts = dict(found["hosts"])
    assert hosts["record"] == expected(host).identifiers["record"]
    assert hosts["title"] == host.title
    assert found.get("host_pages") == record.host_pages


@both
def test_what_is_known_of_people_and_machines_alone_is_left_out(
    module: ModuleType, write: Write, read: Read
) -> None:
    record = Record(
        id="a:1",
        title="T",
        files=(File(sha256="a" * 64, name="t.pdf", media_type="application/pdf", size=1),),
        subjects=(
            Subject(concept=CONCEPT, state=State.ACCEPTED, score=0.4, evidence=(Evidence(1, 0, 3, "mot"),)),
            Subject(concept=CONCEPT + "1"),
            Subject(concept=CONCEPT + "2", state=State.REFUSED),
        ),
    )
    leader, fields = write(record, labels={CONCEPT: "Médiation sociale"})
    assert back(leader, fields, read)["subjects"] == (
        Subject(concept=CONCEPT, origin=Origin.SOURCE, state=State.ACCEPTED),
    )
    assert module.concept_labels(fields) == ("Médiation sociale",)
    assert "pdf" not in str(fields)


@both
@pytest.mark.parametrize("access", sorted(ACCESS_SAID))
def test_restricted_access_is_said_to_people_and_read_back(
    module: ModuleType, write: Write, read: Read, access: str
) -> None:
    leader, fields = write(Record(id="a:1", title="T", access=access))
    assert ACCESS_SAID[access] in str(fields)
    assert back(leader, fields, read)["access"] == access


@both
def test_only_fields_that_are_read_are_needed(module: ModuleType, write: Write, read: Read) -> None:
    record = Record(
        id="a:1", title="T", agents=(Agent("Roy, Léa"),), updated=datetime(2026, 1, 3, tzinfo=UTC)
    )
    _, fields = write(record)
    assert {field.tag for field in fields} - module.TAGS == {"005"}


@both
def test_a_long_abstract_is_parted_between_words(module: ModuleType, write: Write, read: Read) -> None:
    abstract = " ".join(f"étude{number}" for number in range(3000))
    found = back(*write(Record(id="a:1", title="T", abstract=abstract)), read)
    assert found["abstract"].split() == abstract.split()


@both
def test_a_record_too_long_for_the_format_is_refused(module: ModuleType, write: Write, read: Read) -> None:
    with pytest.raises(InvalidRecord, match="trop longue"):
        iso2709.iso2709(*write(Record(id="a:1", title="T", abstract="mot " * 30_000)))


@both
def test_the_date_is_read_as_others_write_it_when_they_changed_it(
    module: ModuleType, write: Write, read: Read
) -> None:
    leader, fields = write(Record(id="a:1", title="T", date="2010"))
    changed = [
        f._replace(subfields=tuple((c, v.replace("2010", "DL 2011")) for c, v in f.subfields)) for f in fields
    ]
    changed = [f for f in changed if f.tag not in ("100", "008")]
    assert read(leader, changed)["date"] == "2011"
