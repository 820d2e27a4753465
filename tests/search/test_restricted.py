"""What can be found, counted and proposed through an engine of which only a part is seen."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kb.accounts import POLICY, Role, seen_with
from kb.records import ACCESS as KINDS
from kb.records import Page, Record
from kb.thesaurus import Thesaurus
from search import indexing, suggest
from search.around import alike, pages_matching
from search.engine import ACCESS, FACETS, SHOWN, Engine, Entry, Results
from search.finder import find
from search.memory import MemoryEngine
from search.query import And, Everything, Fuzzy, Not, Or, Phrase, Prefix, Query, Request, Sort, Words
from search.restricted import Restricted
from search.whoosh_engine import WhooshEngine

ENGINES: dict[str, Callable[[Path], Engine]] = {
    "memory": lambda folder: MemoryEngine(),
    "whoosh": WhooshEngine,
}
FILTERS = tuple[tuple[str, tuple[str, ...]], ...]


def entry(number: int, access: str | None, title: str, type: str, year: str, *pages: str) -> Entry:
    facets = {"type": (type,), "year": (year,), "language": ("fr",)}
    return Entry(
        id=f"c:{number}",
        fields={"title": title, "identifiers": f"c:{number}"},
        pages=tuple(enumerate(pages, 1)),
        facets=facets | ({ACCESS: (access,)} if access else {}),
        date=year,
        title_key=title.lower(),
    )


FUND = (
    entry(
        1, "public", "La politique de la ville", "guide", "2010", "Le quartier et ses habitants.", "L’école."
    ),
    entry(2, "public", "Le contrat de ville", "rapport", "2012", "Un contrat pour le quartier."),
    entry(3, "onsite", "Cahier du quartier", "cahier", "2010", "La ville vue du quartier."),
    entry(4, "network", "Ville et habitat", "rapport", "2015", "L’habitat dans la ville et le quartier."),
    entry(5, "staff", "Licenciement d’une salariée", "compte-rendu", "2020", "La ville ; le licenciement."),
    entry(6, "staff", "Le quartier, notes internes", "guide", "2012", "Ville, quartier, habitants."),
    entry(7, None, "Sans accès dit", "guide", "2012", "La ville, le quartier."),
)
QUERIES: tuple[Query, ...] = (
    Everything(),
    Words("ville"),
    Words("ville quartier"),
    Phrase("le quartier"),
    Prefix("habit"),
    Fuzzy("quartiet"),
    Not(Words("contrat")),
    Or((Words("licenciement"), Words("contrat"))),
    And((Words("ville"), Not(Words("habitants")))),
    Or(()),
)
PARTS = (("public", "onsite"), ("public", "onsite", "network"), ("public",), ("staff",), KINDS)


@pytest.fixture(params=ENGINES)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with contextlib.closing(ENGINES[request.param](tmp_path / "index")) as opened:
        put(opened, FUND[:4])
        put(opened, FUND[4:])
        yield opened


@pytest.fixture
def public(whole: Engine) -> Restricted:
    return Restricted(whole, ("public", "onsite"))


def put(engine: Engine, entries: tuple[Entry, ...]) -> None:
    with engine.writer() as writer:
        for one in entries:
            writer.put(one)
        writer.mark(len(entries))


def ids(results: Results) -> list[str]:
    return sorted(hit.id for hit in results.hits)


def only(codes: tuple[str, ...]) -> MemoryEngine:
    """A fund that holds nothing but the part."""
    engine = MemoryEngine()
    put(engine, tuple(one for one in FUND if set(one.facets.get(ACCESS, ())) & set(codes)))
    return engine


# -- hits, totals, counts


def test_only_the_part_is_found_and_counted(public: Restricted):
    found = public.search(Request(query=Words("ville"), facets=("type", "year", "language")))
    assert ids(found) == ["c:1", "c:2", "c:3"]
    assert found.total == 3
    assert found.facets == {
        "type": {"guide": 1, "rapport": 1, "cahier": 1},
        "year": {"2010": 2, "2012": 1},
        "language": {"fr": 3},
    }
    assert len(public) == 3


@pytest.mark.parametrize("codes", PARTS, ids=" ".join)
def test_a_part_answers_as_a_fund_that_holds_nothing_else(whole: Engine, codes: tuple[str, ...]):
    restricted, alone = Restricted(whole, codes), only(codes)
    filters: tuple[FILTERS, ...] = (
        (),
        (("type", ("guide",)),),
        (("type", ("guide", "rapport")), ("year", ("2010-2012",))),
        (("year", ("2020",)),),
    )
    for query, chosen in itertools.product(QUERIES, filters):
        asked = Request(query=query, filters=chosen, facets=SHOWN, sort=Sort.TITLE, limit=50)
        here, there = restricted.search(asked), alone.search(asked)
        assert [hit.id for hit in here.hits] == [hit.id for hit in there.hits]
        assert here.total == there.total
        assert here.facets == there.facets
    assert len(restricted) == len(alone)


def test_pages_of_results_hold_the_part_only(public: Restricted):
    found = [
        hit.id
        for offset in range(5)
        for hit in public.search(Request(query=Words("ville"), sort=Sort.NEWEST, offset=offset, limit=1)).hits
    ]
    assert found == ["c:2", "c:1", "c:3"]


def test_nothing_is_found_through_no_kind_of_access(whole: Engine):
    none = Restricted(whole, ())
    for query in QUERIES:
        found = none.search(Request(query=query, facets=SHOWN))
        assert (found.hits, found.total) == ((), 0)
        assert not any(found.facets.values())
    assert len(none) == 0


def test_an_entry_that_does_not_say_who_may_see_it_is_found_by_nobody(whole: Engine):
    assert "c:7" in ids(whole.search(Request()))
    assert "c:7" not in ids(Restricted(whole, KINDS).search(Request()))


# -- what the caller gives


@pytest.mark.parametrize(
    "given",
    [
        (("access", ("staff",)),),
        (("access", ("public", "onsite", "network", "staff")),),
        (("access", ("staff",)), ("access", ("network",))),
        (("type", ("compte-rendu", "guide")), ("access", ("staff",))),
        (("access", ()),),
    ],
)
def test_a_filter_given_by_the_caller_never_widens_the_part(public: Restricted, given: FILTERS):
    found = public.search(Request(query=Words("ville quartier licenciement"), filters=given, facets=SHOWN))
    assert set(ids(found)) <= {"c:1", "c:2", "c:3"}
    assert found.total <= 3
    everything = public.search(Request(filters=given, facets=SHOWN))
    assert set(ids(everything)) <= {"c:1", "c:2", "c:3"}
    assert "2020" not in everything.facets["year"]
    assert "compte-rendu" not in everything.facets["type"]


def test_filters_on_other_facets_still_apply(public: Restricted):
    found = public.search(Request(filters=(("type", ("guide", "compte-rendu")),), facets=("type",)))
    assert ids(found) == ["c:1"]
    assert found.facets == {"type": {"guide": 1, "rapport": 1, "cahier": 1}}


@pytest.mark.parametrize("facets", [(ACCESS,), ("type", ACCESS), (ACCESS, ACCESS), tuple(FACETS)])
def test_kinds_of_access_are_never_counted(public: Restricted, facets: tuple[str, ...]):
    found = public.search(Request(facets=facets))
    assert ACCESS not in found.facets
    assert set(found.facets) == set(facets) - {ACCESS}
    assert ACCESS not in SHOWN


def test_a_request_is_left_as_it_was(public: Restricted):
    request = Request(query=Words("ville"), filters=((ACCESS, ("staff",)),), facets=(ACCESS, "type"))
    copy = replace(request)
    public.search(request)
    assert request == copy


# -- the rest of an engine


def test_who_sees_a_part_changes_nothing_and_lists_nothing(public: Restricted, whole: Engine):
    with pytest.raises(PermissionError):
        public.writer()
    with pytest.raises(PermissionError):
        public.writer(fresh=True)
    with pytest.raises(PermissionError):
        public.ids()
    public.close()
    assert len(whole) == 7


def test_word_forms_are_those_that_the_part_has(public: Restricted, whole: Engine):
    forms = whole.forms("", 100)
    found = {form: public.search(Request(query=Words(form), limit=0)).total for form, _ in forms}
    assert dict(public.forms("", 100)) == {form: total for form, total in found.items() if total}


def test_spellings_and_position_are_those_of_the_whole(public: Restricted, whole: Engine):
    assert public.position() == whole.position()
    assert [form for form, _ in public.near("vile", 5)] == ["ville"]
    assert public.near("licenciment", 5) == []
    assert public.spellings(["ville"]) == whole.spellings(["ville"])
    assert public.held(["ville"]) == whole.held(["ville"])


def test_what_is_taken_in_later_is_seen_through_it_too(public: Restricted, whole: Engine):
    put(
        whole,
        (
            entry(8, "public", "Ville neuve", "guide", "2021"),
            entry(9, "staff", "Ville close", "guide", "2021"),
        ),
    )
    put(whole, (entry(1, "staff", "La politique de la ville", "guide", "2010"),))
    assert ids(public.search(Request(query=Words("ville")))) == ["c:2", "c:3", "c:8"]


# -- what is made of a search


def test_a_search_from_the_box_finds_the_part_only(public: Restricted):
    assert ids(find("licenciement", engine=public).results) == []
    assert ids(find("quartier", engine=public).results) == ["c:1", "c:2", "c:3"]


def test_the_pages_of_a_hidden_record_cannot_be_asked_for(public: Restricted, whole: Engine):
    assert pages_matching(Words("licenciement"), "c:5", whole) == (1,)
    assert pages_matching(Words("licenciement"), "c:5", public) == ()
    assert pages_matching(Words("quartier"), "c:1", public) == (1,)


def test_a_hidden_record_is_not_alike(public: Restricted, whole: Engine):
    record, none = Record(id="c:4", title="Quartier"), Thesaurus(())
    assert set(alike(record, engine=whole, thesaurus=none, limit=10)) == {"c:3", "c:6"}
    assert alike(record, engine=public, thesaurus=none, limit=10) == ("c:3",)
    assert alike(record, engine=public, thesaurus=none, limit=1) == ("c:3",)


def test_a_word_of_a_hidden_record_is_not_proposed_as_a_correction(public: Restricted, whole: Engine):
    corrected = suggest.did_you_mean("licensiement", engine=whole)
    assert corrected is not None
    assert corrected.text == "licenciement"
    assert suggest.did_you_mean("licensiement", engine=public) is None


def test_a_correction_and_a_dropped_word_tell_totals_of_the_part(public: Restricted):
    corrected = suggest.did_you_mean("quartiet", engine=public)
    assert corrected is not None
    assert (corrected.text, corrected.total) == ("quartier", 3)
    assert {drop.total for drop in suggest.drops("licenciement quartier", engine=public)} == {3}


def test_a_word_of_a_hidden_record_is_not_proposed_to_end_what_is_typed(public: Restricted, whole: Engine):
    assert [one.text for one in suggest.complete("licenc", engine=whole)] == ["licenciement"]
    assert suggest.complete("licenc", engine=public) == ()
    assert [one.text for one in suggest.complete("quart", engine=public)] == ["quartier"]


# -- from the database to who asks


@pytest.mark.parametrize("role", [Role.VISITOR, Role.MEMBER, Role.CENTRE, Role.AUDITOR, Role.LIBRARIAN])
def test_each_role_finds_the_records_whose_notice_it_may_see(role: Role):
    engine = MemoryEngine()
    with engine.writer() as writer:
        for number, access in enumerate(KINDS, start=1):
            record = Record(id=f"vc:{number}", title=f"Ville {access}", access=access)
            writer.put(indexing.entry(record, [Page(1, "Le quartier")], Thesaurus(())))
    seen = seen_with(POLICY[role])
    found = Restricted(engine, seen).search(Request(query=Words("quartier")))
    assert ids(found) == [f"vc:{n}" for n, access in enumerate(KINDS, start=1) if access in seen]
