import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb import french
from search.cql import DEEPEST, LONGEST, MOST_BOOLEANS, Asked, SortKey, ordered, parse
from search.cql_indexes import INDEXES, MASK, RELATIONS, Kind, values
from search.diagnostics import MESSAGES, Diagnostic, Unanswerable
from search.engine import Entry
from search.memory import MemoryEngine
from search.query import (
    And,
    Between,
    Everything,
    Need,
    Not,
    Or,
    Phrase,
    Prefix,
    Request,
    Sort,
    Words,
)


def number(typed: str) -> tuple[int, str]:
    with pytest.raises(Unanswerable) as refused:
        parse(typed)
    diagnostic = refused.value.diagnostic
    return diagnostic.number, diagnostic.details


# -- clauses


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("école", Words("école")),
        ('"contrat de ville"', Words("contrat de ville")),
        ('cql.serverChoice = "contrat de ville"', Words("contrat de ville")),
        ('cql.anywhere all "contrat ville"', Words("contrat ville")),
        ("dc.title = école", Words("école", ("title",))),
        ('dc.title = "contrat de ville"', Phrase("contrat de ville", ("title",))),
        ('dc.title adj "contrat de ville"', Phrase("contrat de ville", ("title",))),
        ('dc.title any "contrat ville"', Words("contrat ville", ("title",), Need.ANY)),
        ('dc.title all "contrat ville"', Words("contrat ville", ("title",))),
        ('dc.title == "contrat de ville"', Phrase("contrat de ville", ("title",))),
        ('dc.title exact "contrat de ville"', Phrase("contrat de ville", ("title",))),
        ("dc.title <> école", Not(Phrase("école", ("title",)))),
        ('dc.subject scr "contrat de ville"', Phrase("contrat de ville", ("tags",))),
        ('dc.creator = "Aimé Césaire"', Words("Aimé Césaire", ("agents",))),
        ("dc.contributor=Césaire", Words("Césaire", ("agents",))),
        ("dc.description any école", Words("école", ("abstract",), Need.ANY)),
        ("dc.date = 2010", Between(2010, 2010)),
        ("dc.date == 2010", Between(2010, 2010)),
        ("dc.date <> 2010", Not(Between(2010, 2010))),
        ("dc.date < 2010", Between(None, 2009)),
        ("dc.date <= 2010-12-31", Between(None, 2010)),
        ("dc.date > 2010", Between(2011, None)),
        ("dc.date>=2010-01-01", Between(2010, None)),
        ('dc.date within "2008 2012"', Between(2008, 2012)),
        ('dc.date within "2008-01 2012-12"', Between(2008, 2012)),
        ('dc.date within "2012 2008"', Or(())),
        ('dc.date any "2008 2010"', Or((Between(2008, 2008), Between(2010, 2010)))),
        ("bath.isbn = 978-2-07-036822-8", Words("9782070368228", ("identifiers",))),
        ('dc.identifier = "ISBN 2-07-036822-X"', Words("9782070368228", ("identifiers", "call_number"))),
        ('dc.identifier = "Cote : AME 12"', Words("ame12", ("identifiers", "call_number"))),
        ("dc.identifier = AME*", Prefix("ame", ("identifiers", "call_number"))),
        ("cql.allRecords = 1", Everything()),
        ("cql.allRecords > anything", Everything()),
        ("cql.serverChoice = *", Everything()),
        ("média*", Prefix("média")),
        ("dc.title = jeun*", Prefix("jeun", ("title",))),
        ('"l\'éco*"', Prefix("éco")),
        ('dc.title all "contrat vil*"', And((Words("contrat", ("title",)), Prefix("vil", ("title",))))),
        ('dc.title any "le vil*"', Prefix("vil", ("title",))),
        ('"saint-den*"', And((Words("saint"), Prefix("den")))),
        ('"sous-préf*"', Prefix("préf")),
        (r'"dit \"école\" \* \\"', Words('dit "école" * \\')),
        ("dc.title = and", Words("and", ("title",))),
    ],
)
def test_clause_becomes_its_tree(typed, tree):
    assert parse(typed).query == tree


@pytest.mark.parametrize(
    "typed",
    [
        "DC.TITLE Any école",
        "title any école",
        "dc.title cql.any école",
        "dc.title any/stem/cql.ignoreCase école",
        '> dc = "info:srw/context-set/1/dc-v1.1" dc.title any école',
        '> "info:srw/cql-context-set/1/dc-v1.1" title any école',
        '> x = "info:srw/context-set/1/dc-v1.1" X.title any école',
        '(> x="http://purl.org/dc/elements/1.1/" (x.title any école))',
        "((dc.title   any\n école))",
    ],
)
def test_one_clause_may_be_said_in_many_ways(typed):
    assert parse(typed).query == Words("école", ("title",), Need.ANY)


def test_declared_set_is_the_only_one_asked_for_indexes_without_set_and_ends_with_its_parentheses():
    assert number('> "info:srw/cql-context-set/1/cql-v1.2" title = école') == (16, "title")
    assert number('(> x="info:srw/context-set/1/dc-v1.1" x.title=école) and x.title=ville') == (15, "x")


def test_facets_become_filters():
    asked = parse("dc.type = Rapport and école and dc.language = fre")
    assert asked == Asked(Words("école"), (("type", ("rapport",)), ("language", ("fr",))))
    assert parse('dc.type any "rapport etude"').filters == (("type", ("etude", "rapport")),)
    assert parse('dc.type = "Fiche d’expérience"').filters == (("type", ("fiche",)),)
    assert parse("(dc.type=rapport or dc.type=etude) and école").filters == (("type", ("etude", "rapport")),)
    assert parse("dc.type=rapport not école") == Asked(Not(Words("école")), (("type", ("rapport",)),))


@pytest.mark.parametrize(
    "typed",
    ["dc.type=nonsense", "dc.type=rapport and dc.type=etude", 'dc.type all "rapport etude" and école'],
)
def test_no_record_is_of_no_type_or_of_two(typed):
    assert parse(typed) == Asked(Or(()))


# -- booleans


def test_booleans_are_read_from_the_left_with_one_precedence():
    a, b, c = (Words(word, ("title",)) for word in ("a1", "b1", "c1"))
    said = {name: f"dc.title={name}1" for name in "abc"}
    assert parse("{a} or {b} and {c}".format(**said)).query == And((Or((a, b)), c))
    assert parse("{a} AND {b} Or {c}".format(**said)).query == Or((And((a, b)), c))
    assert parse("{a} or ({b} and {c})".format(**said)).query == Or((a, And((b, c))))
    assert parse("{a} not {b} not {c}".format(**said)).query == And((a, Not(b), Not(c)))


_ENTRIES = [
    Entry(
        id="c:1",
        fields={"title": "Le contrat de ville", "agents": "Césaire, Aimé", "tags": "Écoles"},
        pages=((1, "Les habitants des quartiers"), (2, "La médiation sociale à l’école")),
        facets={"type": ("rapport",), "language": ("fr",)},
        date="2010",
    ),
    Entry(
        id="c:2",
        fields={"title": "Contrat local", "agents": "Ville de Fort-de-France", "identifiers": "c:2"},
        pages=((1, "Les écoles et les habitants"),),
        facets={"type": ("etude",)},
        date="2012-03",
    ),
    Entry(
        id="c:3",
        fields={"title": "La ville", "abstract": "Contrat", "call_number": "AME 12"},
        pages=((4, "médiateur"),),
        facets={"type": ("rapport",), "language": ("es",)},
    ),
]


@pytest.fixture(scope="module")
def engine():
    engine = MemoryEngine()
    with engine.writer() as writer:
        for entry in _ENTRIES:
            writer.put(entry)
    return engine


def found(engine: MemoryEngine, typed: str) -> list[int]:
    asked = parse(typed)
    results = engine.search(Request(query=asked.query, filters=asked.filters, sort=asked.sort))
    ids = [int(hit.id[2:]) for hit in results.hits]
    return ids if asked.sorted else sorted(ids)


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("ECOLE", [1, 2]),
        ("dc.subject=école", [1]),
        ("dc.creator=cesaire", [1]),
        ("contrat", [1, 2, 3]),
        ('dc.title adj "contrat ville"', []),
        ('dc.title = "contrat de ville"', [1]),
        ('dc.title all "ville contrat"', [1]),
        ('dc.title any "ville contrat"', [1, 2, 3]),
        ("dc.title <> ville", [2]),
        ("médiat*", [1, 3]),
        ("habitants and école", [1, 2]),  # on pages 1 and 2 of c:1
        ("habitants and médiation", [1]),
        ('"habitants médiation"', []),  # on one page
        ("habitants not médiation", [2]),
        ("habitants not (école and médiation)", [2]),
        ("cql.allRecords=1 not (habitants and école)", [3]),
        ("médiateur or (habitants and médiation)", [1, 3]),
        ("(habitants and médiation and école) or dc.identifier=ame-12", [1, 3]),
        ("dc.date>=2010", [1, 2]),
        ("dc.date=2012 or dc.date<2011", [1, 2]),
        ("cql.allRecords=1 not dc.date>1000", [3]),
        ("contrat and dc.type=rapport", [1, 3]),
        ("contrat and dc.type=rapport and dc.language=spa", [3]),
        ("dc.type=rapport not dc.title=contrat", [3]),
        ("cql.allRecords=1 sortBy dc.date", [1, 2, 3]),
        ("cql.allRecords=1 sortBy dc.date/sort.descending", [2, 1, 3]),
        ("cql.allRecords=1 sortBy title", [1, 2, 3]),
    ],
)
def test_records_found_are_those_asked_for(engine, typed, ids):
    assert found(engine, typed) == ids


def test_record_whose_page_says_more_comes_first(engine):
    asked = parse("habitants and école")
    assert [hit.id for hit in engine.search(Request(query=asked.query)).hits] == ["c:2", "c:1"]


def held(entry: Entry, said: tuple) -> bool:
    """Whether the record holds what was drawn: the plain meaning of booleans on records."""
    if isinstance(said, str):
        texts = [*entry.fields.values(), *(text for _, text in entry.pages)]
        return french.term(said) in {term for text in texts for term in french.terms(text)}
    left, boolean, right = said
    one, other = held(entry, left), held(entry, right)
    return {"and": one and other, "or": one or other, "not": one and not other}[boolean]


def typed(said: tuple | str) -> str:
    if isinstance(said, str):
        return said
    return f"({typed(said[0])} {said[1]} {typed(said[2])})"


queries = st.recursive(
    st.sampled_from(["habitants", "école", "médiation", "contrat", "ville", "médiateur", "quartiers"]),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or", "not"]), inner),
    max_leaves=8,
)


@given(queries)
def test_booleans_combine_records_whatever_page_says_what(engine, said):
    assert found(engine, typed(said)) == [int(e.id[2:]) for e in _ENTRIES if held(e, said)]


# -- what cannot be done


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", (10, "character 0: a search term is expected")),
        ("contrat ville", (10, "character 13: a search term, or quotes around several words, is expected")),
        (
            "dc.title any contrat ville",
            (10, "character 21: a boolean, or quotes around several words, is expected"),
        ),
        ("not ville", (10, "character 0: a search term is expected")),
        ("ville and", (10, "character 9: a search term is expected")),
        ("dc.title =", (10, "character 10: a search term, or quotes around several words, is expected")),
        ("ville sortBy", (10, "character 12: a sort key is expected")),
        ("> =", (10, "character 2: a name is expected")),
        ("/", (10, "character 0: a search term is expected")),
        ("x" * (LONGEST + 1), (12, str(LONGEST))),
        ("(ville", (13, "0")),
        ("ville)", (13, "5")),
        ("(ville))", (13, "7")),
        ("(" * 100 + "ville" + ")" * 100, (13, str(DEEPEST))),
        ('ville and "contrat', (14, "10")),
        ("foo.title = ville", (15, "foo")),
        ("dc.title foo.any ville", (15, "foo")),
        ('> x = "info:nowhere" ville', (15, "info:nowhere")),
        ("dc.publisher = ville", (16, "dc.publisher")),
        ("nom = ville", (16, "nom")),
        ("dc.title encloses ville", (19, "encloses")),
        ("dc.title any/respectCase ville", (20, "respectcase")),
        ("dc.title any/stem=2 ville", (20, "stem=2")),
        ("dc.title < ville", (22, "dc.title <")),
        ("dc.date adj 2010", (22, "dc.date adj")),
        ("dc.type <> rapport", (22, "dc.type <>")),
        ('dc.title exact "vil*"', (24, "== vil*")),
        (r"vil\le", (26, "l")),
        ("ville\\", (26, "")),
        ('""', (27, "")),
        ("dc.title = ?", (28, "?")),
        ("dc.date = 201*", (28, "*")),
        ("dc.type = rap*", (28, "*")),
        ("dc.creator = *", (29, "1")),
        ("^ville", (31, "^")),
        ('dc.title adj "contrat vil*"', (33, "adj contrat vil*")),
        ('"de la"', (35, "de la")),
        ("dc.title = …", (36, "…")),
        ("dc.identifier = …", (36, "…")),
        ("dc.date = hier", (36, "hier")),
        ("dc.date = 2010-03", (36, "2010-03: dates are compared by year")),
        ("dc.date > 2010-01-01", (36, "2010-01-01: dates are compared by year")),
        ("dc.date within 2010", (36, "dc.date within 2010")),
        (" or ".join(["ville"] * (MOST_BOOLEANS + 2)), (38, str(MOST_BOOLEANS))),
        ("ville prox contrat", (39, "")),
        ("ville prox/distance<3/unit=word contrat", (39, "")),
        ("ville and/rel.combine=sum contrat", (46, "rel.combine")),
        ("dc.type=rapport or ville", (48, "dc.type with or")),
        ("ville not dc.language=fr", (48, "dc.language with not")),
        ("*ville", (49, "*ville")),
        ("v*le", (49, "v*le")),
        ("dc.identifier = A*E", (49, "A*E")),
        ("cql.resultSetId = 12", (50, "")),
    ],
)
def test_what_cannot_be_done_has_its_number_and_details(typed, said):
    assert number(typed) == said


def test_diagnostic_says_its_address_and_message():
    assert Diagnostic(39).uri == "info:srw/diagnostic/1/39"
    assert Diagnostic(39).message == "Proximity not supported"


def test_every_index_takes_just_the_relations_that_it_declares():
    every = {relation for relations in RELATIONS.values() for relation in relations}
    for index in INDEXES.values():
        for relation in every:
            term = '"2008 2010"' if relation == "within" else "2010"
            try:
                parse(f"{index.name} {relation} {term}")
                refused = 0
            except Unanswerable as error:
                refused = error.diagnostic.number
            expected = 50 if index.kind is Kind.RESULT_SET else 0 if relation in RELATIONS[index.kind] else 22
            assert refused == expected, (index.name, relation)


def test_nesting_just_below_the_limits_is_answered(engine):
    assert found(engine, "(" * DEEPEST + "habitants" + ")" * DEEPEST) == [1, 2]
    chain = "habitants" + " and médiation or habitants" * (MOST_BOOLEANS // 2)
    assert found(engine, chain) == [1, 2]


def test_long_query_within_the_limit_is_answered(engine):
    words = " ".join(["habitants"] * 390)
    assert found(engine, f'cql.serverChoice any "{words}"') == [1, 2]


pieces = st.lists(
    st.sampled_from(
        [
            *("(", ")", "/", "=", "==", "<", "<>", ">=", ">", "within", "any", "all", "exact", "prox", "not"),
            *("and", "or", "sortBy", "dc.title", "dc.date", "dc.type", "cql.allRecords", "x.y", '"', '"a1"'),
            *("ville", "2010", "*", "vil*", "?", "^", "\\", "\\*", "dc", '"info:srw/context-set/1/dc-v1.1"'),
            *("/sort.descending", "/stem", "bath.isbn", "rapport", MASK, "\ud800", "\x00", "'"),
        ]
    ),
    max_size=14,
)


@settings(max_examples=400, deadline=None)
@example("\\")
@example('"\\"')
@example(">")
@given(st.one_of(st.text(max_size=60), st.text(string.printable, max_size=60), pieces.map(" ".join)))
def test_any_text_is_answered_or_refused(engine, text):
    try:
        asked = parse(text)
    except Unanswerable as error:
        asked = Asked(Everything(), faults=(error.diagnostic,))
    assert all(fault.number in MESSAGES for fault in asked.faults)
    assert engine.search(Request(query=asked.query, filters=asked.filters, sort=asked.sort)).total <= 3


# -- one whole value


def test_whole_values_are_asked_of_who_knows_them():
    asked = []

    def whole(phrase: Phrase):
        asked.append(phrase)
        return Words("c2", ("identifiers",))

    assert parse('dc.title exact "Contrat local"', whole).query == Words("c2", ("identifiers",))
    assert parse("dc.title <> local", whole).query == Not(Words("c2", ("identifiers",)))
    assert asked == [Phrase("Contrat local", ("title",)), Phrase("local", ("title",))]


def test_values_of_a_record_are_its_fields_whole_and_by_line():
    fields = {"title": "Un\nDeux", "agents": "Trois", "identifiers": "4"}
    assert list(values(fields, ("title",))) == ["Un\nDeux", "Un", "Deux"]
    assert set(values(fields, ())) == {"Un\nDeux", "Un", "Deux", "Trois"}


# -- order


@pytest.mark.parametrize(
    ("typed", "sort", "faults"),
    [
        ("dc.date", Sort.OLDEST, []),
        ("dc.date/sort.ascending", Sort.OLDEST, []),
        ("date/descending/ignoreCase", Sort.NEWEST, []),
        ("dc.title", Sort.TITLE, []),
        ("relevance/descending", Sort.RELEVANCE, []),
        ("dc.date/sort.missingHigh", Sort.OLDEST, []),
        ("dc.date/sort.descending/sort.missingLow", Sort.NEWEST, []),
        ("dc.date/sort.missingOmit", Sort.OLDEST, [(92, "sort.missingomit")]),
        ("dc.date/sort.missingValue=2000", Sort.OLDEST, [(92, "sort.missingvalue=2000")]),
        ("dc.title/sort.descending", Sort.TITLE, [(90, "descending")]),
        ("dc.title/sort.respectCase", Sort.TITLE, [(91, "sort.respectcase")]),
        ("dc.title/locale=fr", Sort.TITLE, [(82, "locale=fr")]),
        ("dc.creator", Sort.RELEVANCE, [(88, "dc.creator")]),
        ("dc.date dc.title", Sort.OLDEST, [(84, "1")]),
    ],
)
def test_order_is_the_one_asked_or_the_nearest_with_a_word_about_it(typed, sort, faults):
    asked = parse(f"ville sortBy {typed}")
    assert (asked.sort, asked.sorted) == (sort, True)
    assert [(fault.number, fault.details) for fault in asked.faults] == faults


def test_no_key_is_the_order_of_relevance():
    assert ordered([]) == (Sort.RELEVANCE, ())
    assert not parse("ville").sorted
    assert ordered([SortKey("nothing")])[0] is Sort.RELEVANCE
