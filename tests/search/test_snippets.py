import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import french
from search.engine import Entry
from search.memory import MemoryEngine
from search.query import And, Need, Not, Or, Phrase, Prefix, Request, Words
from search.snippets import LENGTH, marker

_TYPED = "école écoles l'école ECOLE médiateurs médiatrice ville de la 1 234 C.U.C.S. sous-préfet œuvre"
_VOCABULARY = _TYPED.split()
_TEXTS = st.lists(st.sampled_from(_VOCABULARY), max_size=30).map(" ".join)
_WORDS = st.lists(st.sampled_from([*_VOCABULARY, "inconnu"]), min_size=1, max_size=3).map(" ".join)
_QUERIES = st.one_of(
    _WORDS.map(Words),
    _WORDS.map(lambda text: Words(text, need=Need.ANY)),
    _WORDS.map(Phrase),
    st.sampled_from(["éco", "med", "vil"]).map(Prefix),
    st.tuples(_WORDS.map(Words), _WORDS.map(Phrase)).map(Or),
)


def engine_of(*texts: str) -> MemoryEngine:
    engine = MemoryEngine()
    with engine.writer() as writer:
        writer.put(Entry(id="c:1", pages=tuple(enumerate(texts, start=1))))
    return engine


def marked(query, text):
    return [piece.text for piece in marker(query, engine_of(text)).whole(text) if piece.marked]


@settings(deadline=None)  # the first word loads the table of lemmas
@given(_TEXTS, _QUERIES)
def test_pages_that_match_are_marked_with_words_of_the_query_only(text, query):
    engine = engine_of(text)
    mark = marker(query, engine)
    spans = mark.spans(text)
    asked = {french.term(text[start:end]) for start, end in spans}
    hits = engine.search(Request(query=query)).hits
    if hits and hits[0].pages:
        assert spans
    if isinstance(query, Words | Phrase):
        assert asked <= set(french.terms(query.text))
    assert "".join(piece.text for piece in mark.whole(text)) == text


@settings(deadline=None)  # the first word loads the table of lemmas
@given(st.text(max_size=600), st.text(max_size=20))
def test_any_text_can_be_cut_and_marked(text, words):
    mark = marker(Words(words), engine_of(text))
    assert "".join(piece.text for piece in mark.whole(text)) == text
    assert sum(len(piece.text) for piece in mark.best(text)) <= LENGTH + 4


def test_all_forms_of_a_word_are_marked():
    assert marked(Words("ecole"), "L’École des écoles ; écolier, ECOLE") == ["École", "écoles", "ECOLE"]


def test_words_of_expressions_and_truncations_are_marked():
    query = And((Phrase("contrat de ville"), Prefix("jeun")))
    assert marked(query, "Jeunes et contrat de ville : jeunesse") == [
        "Jeunes",
        "contrat",
        "ville",
        "jeunesse",
    ]


def test_words_of_an_expression_are_marked_only_where_it_stands_whole():
    query = Or((Words("CUCS"), Phrase("contrat urbain de cohésion sociale")))
    text = "Contrat de travail, logement social. Les contrats urbains de cohésion sociale (CUCS). Urbain."
    assert marked(query, text) == ["contrats", "urbains", "cohésion", "sociale", "CUCS"]
    assert marked(Phrase("cohésion sociale"), "cohésion, sociale et cohésion très sociale") == [
        "cohésion",
        "sociale",
    ]


def test_words_asked_for_by_themselves_too_are_marked_everywhere():
    query = And((Words("contrat"), Phrase("contrat de ville")))
    assert marked(query, "Ville et contrat. Le contrat rend la ville belle. Contrat de ville") == [
        "contrat",
        "contrat",
        "Contrat",
        "ville",
    ]


def test_expression_with_elision_hyphen_or_odd_spelling_is_marked():
    assert (
        marked(Phrase("contrat d’insertion"), "contrat d'insertion\ncontrat insertion")
        == [
            "contrat",
            "insertion",
        ]
        * 2
    )
    assert marked(Phrase("sous-préfet du Marin"), "Le sous-préfet du Marin") == ["préfet", "Marin"]
    unmet = marker(Phrase("contrat de ville"), engine_of("contrat ville"))
    assert unmet.spans("un CONTRATS de vi\u00adlle") == [(3, 11), (15, 21)]


_PLAIN = st.lists(st.sampled_from(["l'école", "écoles", "la", "ville", "de", "médiateurs"]), max_size=12).map(
    " ".join
)


@settings(deadline=None)  # the first word loads the table of lemmas
@given(_PLAIN, _PLAIN)
def test_page_is_marked_for_an_expression_exactly_when_it_holds_it(text, expression):
    engine = engine_of(text)
    hits = engine.search(Request(query=Phrase(expression))).hits
    assert bool(marker(Phrase(expression), engine).spans(text)) == bool(hits and hits[0].pages)


def test_what_is_excluded_or_asked_of_another_field_is_not_marked():
    query = And((Words("ville"), Not(Words("contrat")), Words("jeunes", ("title",))))
    assert marked(query, "contrat de ville des jeunes") == ["ville"]


def test_best_passage_has_most_of_the_words_and_shows_where_it_was_cut():
    text = (
        "Rien ici, rien du tout. " * 40
        + "Le contrat concerne l’école et la ville. "
        + "Encore rien ici. " * 40
    )
    pieces = marker(Words("contrat école ville"), engine_of(text)).best(text)
    assert [piece.text for piece in pieces if piece.marked] == ["contrat", "école", "ville"]
    assert pieces[0].text.startswith("… Le ")
    assert pieces[-1].text.endswith(" …")


def test_best_passage_is_not_drawn_to_single_words_of_an_expression():
    text = (
        "Rien ici, rien du tout. " * 20
        + "Un contrat, une cohésion sociale, un centre urbain. "
        + "Rien ici, rien du tout. " * 20
        + "Le CUCS du Lamentin. "
        + "Encore rien ici. " * 20
    )
    query = Or((Words("CUCS"), Phrase("contrat urbain de cohésion sociale")))
    pieces = marker(query, engine_of(text)).best(text)
    assert [piece.text for piece in pieces if piece.marked] == ["CUCS"]


@pytest.mark.parametrize("query", [Words("absent"), Words("de la"), Not(Words("ville"))])
def test_text_without_marks_shows_its_beginning(query):
    text = "La ville.\n\n" * 60
    pieces = marker(query, engine_of(text)).best(text)
    assert len(pieces) == 1
    assert pieces[0].text.startswith("La ville. La ville.")
