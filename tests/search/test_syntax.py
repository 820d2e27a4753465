import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb.errors import QuerySyntaxError
from search.query import And, Between, Everything, Not, Or, Phrase, Prefix, Words
from search.syntax import LONGEST, parse, unparse


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("", Everything()),
        ("contrat de ville", Words("contrat de ville")),
        ("l’école", Words("l’école")),
        ("jeunes OU parents", Or((Words("jeunes"), Words("parents")))),
        ("a1 ET b1 OU c1", Or((And((Words("a1"), Words("b1"))), Words("c1")))),
        ("(jeunes OU parents) école", And((Or((Words("jeunes"), Words("parents"))), Words("école")))),
        ("ville SAUF contrat local", And((Words("ville"), Not(Words("contrat local"))))),
        ("SAUF ville", Not(Words("ville"))),
        ("ville -contrat jeunes", And((Words("ville jeunes"), Not(Words("contrat"))))),
        ("jeunes AND ville NOT école", And((Words("jeunes"), Words("ville"), Not(Words("école"))))),
        ('jeunes "contrat de ville" Caraïbe', And((Words("jeunes Caraïbe"), Phrase("contrat de ville")))),
        ("« contrat de ville »", Phrase("contrat de ville")),
        ("“contrat de ville”", Phrase("contrat de ville")),
        ("média*", Prefix("média")),
        ("l'éco*", Prefix("éco")),
        ("sous-préf*", And((Words("sous"), Prefix("préf")))),
        ("auteur:Césaire", Words("Césaire", ("agents",))),
        ('Titre:"la ville"', Phrase("la ville", ("title",))),
        ("résumé:jeun*", Prefix("jeun", ("abstract",))),
        ("cote:AME-12", Words("AME-12", ("call_number",))),
        ("theme: logement", Words("logement", ("tags",))),
        ("année:2008-2012", Between(2008, 2012)),
        ("annee:2010", Between(2010, 2010)),
        ("annee:2008-", Between(2008, None)),
        ("annee:-2012 ville", And((Between(None, 2012), Words("ville")))),
        ("annee:2012-2008", Between(2008, 2012)),
    ],
)
def test_what_is_typed_becomes_its_tree(typed, tree):
    assert parse(typed) == parse(typed, strict=True) == tree


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ('le "contrat de ville', Words("le contrat de ville")),
        ("(jeunes", Words("jeunes")),
        ("jeunes)", Words("jeunes")),
        ("jeunes ET", Words("jeunes et")),
        ("OU trouver un logement", Words("ou trouver un logement")),
        ("SAUF", Words("sauf")),
        ("auteur:", Words("auteur")),
        ("auteur: ", Words("auteur")),
        ("annee:demain", Words("annee demain")),
        ("**", Everything()),
        ("()", Everything()),
        ('""', Everything()),
        ("jeunes ET OU ville", Or((Words("jeunes et"), Words("ville")))),
    ],
)
def test_what_is_odd_is_searched_as_words_and_refused_when_strict(typed, tree):
    assert parse(typed) == tree
    with pytest.raises(QuerySyntaxError):
        parse(typed, strict=True)


@pytest.mark.parametrize(
    "typed", ["10:30", "http://ville.fr/page", "qu'est-ce que c'est ?", "C.U.C.S. - 2008"]
)
def test_common_signs_are_no_operators(typed):
    tree = parse(typed)
    assert isinstance(tree, Words)


def test_fault_tells_where_it_is():
    with pytest.raises(QuerySyntaxError) as fault:
        parse("jeunes (ville", strict=True)
    assert fault.value.position == 7


def test_endless_text_is_cut():
    assert parse("mot " * LONGEST) == Words(" ".join(["mot"] * (LONGEST // 4)))


_TEXT = "ET OU SAUF NOT ( ) \" « » - * : auteur: annee: 2008-2012 l' ’ jeun* x de C.U.C.S. -- titre:: _ é"
_PIECES = st.sampled_from([*_TEXT.split(), " ", "annee:2010", "\u0301", "http://a"])
_TYPED = st.one_of(st.text(), st.lists(_PIECES).map(" ".join), st.lists(_PIECES).map("".join))


@settings(deadline=None)  # the first word loads the table of lemmas
@given(_TYPED)
@example("(" * 500 + "x" + ")" * 500)
@example("SAUF " * 300 + "x")
@example("-(" * 300 + "x" + ")" * 300)
@example("-- x*" * 3)
def test_any_text_is_read_and_what_is_written_back_reads_the_same(typed):
    tree = parse(typed)
    assert parse(unparse(tree)) == tree


_LEAVES = st.one_of(
    st.lists(st.sampled_from(["école", "de", "l'eau", "Fort-de-France"]), min_size=1).map(
        lambda words: Words(" ".join(words))
    ),
    st.sampled_from(["contrat de ville", "x"]).map(Phrase),
    st.just(Prefix("média")),
    st.just(Words("Césaire", ("agents",))),
    st.just(Between(2008, None)),
)
_TREES = st.recursive(
    _LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, min_size=2, max_size=4).map(lambda p: Or(tuple(p))),
        st.lists(parts, min_size=2, max_size=4).map(lambda p: And(tuple(p))),
        parts.map(Not),
    ),
)


@settings(deadline=None)  # the first word loads the table of lemmas
@given(_TREES)
def test_what_is_written_for_a_tree_is_read_as_its_normal_form(tree):
    normal = parse(unparse(tree))
    assert parse(unparse(normal), strict=True) == normal
