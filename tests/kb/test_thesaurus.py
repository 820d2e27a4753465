from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import NotFound, ThesaurusError
from kb.thesaurus import BASE, FACET_SCHEMES, Concept, Scheme, Thesaurus

TURTLE = """
@prefix : <https://carbet.example/thesaurus/> .
@prefix s: <https://carbet.example/thesaurus/schemes/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix carbet: <https://carbet.example/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

s:themes a skos:ConceptScheme ; skos:prefLabel "Thèmes"@fr .
s:dispositifs a skos:ConceptScheme ; skos:prefLabel "Dispositifs"@fr .
s:territories a skos:ConceptScheme ; skos:prefLabel "Territoires"@fr .

:T03 a skos:Concept ; skos:inScheme s:themes ; skos:prefLabel "Réussite éducative"@fr, "Education"@en ;
    skos:altLabel "éducation partagée"@fr ; skos:narrower :T03-1 ; skos:related :D-PRE .
:T03-1 a skos:Concept ; skos:inScheme s:themes ; skos:prefLabel "Décrochage scolaire"@fr ; skos:broader :T03 .
:D-PRE a skos:Concept ; skos:inScheme s:dispositifs ; skos:prefLabel "Programme de réussite éducative"@fr ;
    skos:notation "PRE" ; skos:altLabel "PRE"@fr ; skos:hiddenLabel "P.R.E."@fr ; skos:related :T03 ;
    carbet:start "2005"^^xsd:gYear .
:D-CDV a skos:Concept ; skos:inScheme s:dispositifs ; skos:prefLabel "Contrat de ville 2000-2006"@fr ;
    carbet:start "2000" ; carbet:end "2006" ; carbet:followedBy :D-CUCS .
:D-CUCS a skos:Concept ; skos:inScheme s:dispositifs ;
    skos:prefLabel "Contrat urbain de cohésion sociale"@fr ;
    skos:altLabel "CUCS"@fr ; carbet:start "2007" ; carbet:end "2014" ;
    carbet:precededBy :D-CDV ; carbet:followedBy :D-CDV15 .
:D-CDV15 a skos:Concept ; skos:inScheme s:dispositifs ; skos:prefLabel "Contrat de ville 2015"@fr ;
    carbet:start "2015" ; carbet:precededBy :D-CUCS .
:D-CLS a skos:Concept ; skos:inScheme s:dispositifs ; skos:prefLabel "Contrat local de sécurité"@fr ;
    skos:altLabel "CLS"@fr ; carbet:homonymOf :D-CLSANTE ; carbet:cue "délinquance"@fr, "police"@fr .
:D-CLSANTE a skos:Concept ; skos:inScheme s:dispositifs ; skos:prefLabel "Contrat local de santé"@fr ;
    skos:altLabel "CLS"@fr ; carbet:homonymOf :D-CLS .
:A-9722 a skos:Concept ; skos:inScheme s:territories ; skos:prefLabel "Arrondissement de La Trinité"@fr ;
    skos:narrower :C-97222 .
:E-CAP a skos:Concept ; skos:inScheme s:territories ; skos:prefLabel "CAP Nord"@fr ; skos:narrower :C-97222 ;
    skos:broader :R-02 .
:R-02 a skos:Concept ; skos:inScheme s:territories ; skos:prefLabel "Martinique"@fr ; skos:narrower :E-CAP .
:C-97222 a skos:Concept ; skos:inScheme s:territories ; skos:prefLabel "Le Robert"@fr ;
    skos:broader :A-9722, :E-CAP ; carbet:shortTrap true ; carbet:insee "97222" ; carbet:postalCode "97231" .
"""


@pytest.fixture(scope="module")
def thesaurus() -> Thesaurus:
    return Thesaurus.from_turtle(TURTLE)


def test_everything_said_of_a_concept_is_read(thesaurus: Thesaurus) -> None:
    robert = thesaurus.by_code("C-97222")
    assert robert == Concept(
        uri=BASE + "C-97222",
        scheme="territories",
        label="Le Robert",
        broader=(BASE + "A-9722", BASE + "E-CAP"),
        trap=True,
        insee="97222",
        postal=("97231",),
    )
    pre = thesaurus.get(BASE + "D-PRE")
    assert (pre.start, pre.notations, pre.hidden) == ("2005", ("PRE",), ("P.R.E.",))
    assert thesaurus.schemes["themes"] == Scheme("themes", BASE + "schemes/themes", "Thèmes")


def test_a_vocabulary_that_keeps_the_rules_has_no_fault(thesaurus: Thesaurus) -> None:
    assert thesaurus.check() == []


@pytest.mark.parametrize(
    "words", ["CUCS", "cucs", "contrat urbain de cohesion sociale", "CONTRAT URBAIN DE COHÉSION SOCIALE"]
)
def test_a_label_is_found_whatever_its_case_and_accents(thesaurus: Thesaurus, words: str) -> None:
    assert [c.code for c in thesaurus.lookup(words)] == ["D-CUCS"]


def test_a_plural_finds_the_label_and_unknown_words_find_nothing(thesaurus: Thesaurus) -> None:
    assert [c.code for c in thesaurus.lookup("contrats locaux de santé")] == ["D-CLSANTE"]
    assert thesaurus.lookup("parapluie") == ()


def test_homonyms_all_come(thesaurus: Thesaurus) -> None:
    assert {c.code for c in thesaurus.lookup("CLS")} == {"D-CLS", "D-CLSANTE"}
    assert [c.code for c in thesaurus.homonyms(BASE + "D-CLS")] == ["D-CLSANTE"]


def test_ancestors_come_over_every_path_nearest_first(thesaurus: Thesaurus) -> None:
    assert thesaurus.ancestors(BASE + "C-97222") == (BASE + "A-9722", BASE + "E-CAP", BASE + "R-02")
    assert thesaurus.with_ancestors([BASE + "C-97222", "urn:unknown"]) == (
        *(BASE + code for code in ("C-97222", "A-9722", "E-CAP", "R-02")),
        "urn:unknown",
    )
    assert thesaurus.descendants(BASE + "R-02") == (BASE + "E-CAP", BASE + "C-97222")


def test_tops_and_children_make_the_tree(thesaurus: Thesaurus) -> None:
    assert [c.code for c in thesaurus.top("themes")] == ["T03"]
    assert [c.code for c in thesaurus.children(BASE + "T03")] == ["T03-1"]
    assert {c.code for c in thesaurus.facet("scheme")} >= {"D-PRE", "D-CUCS"}
    assert thesaurus.codes([BASE + "T03", "urn:unknown"]) == ("T03",)


@pytest.mark.parametrize("code", ["D-CDV", "D-CUCS", "D-CDV15"])
def test_a_succession_is_in_order_of_time_from_any_of_its_members(thesaurus: Thesaurus, code: str) -> None:
    assert [c.code for c in thesaurus.succession(BASE + code)] == ["D-CDV", "D-CUCS", "D-CDV15"]


def test_what_is_not_there_is_said(thesaurus: Thesaurus) -> None:
    for ask in (thesaurus.get, thesaurus.by_code, thesaurus.facet):
        with pytest.raises(NotFound):
            ask("nothing")


def test_facets_name_the_schemes_that_they_count() -> None:
    assert FACET_SCHEMES["scheme"] == ("dispositifs", "organismes")


def faults_of(thesaurus: Thesaurus, code: str, **changes: object) -> str:
    concept = replace(thesaurus.by_code(code), **changes)  # type: ignore[arg-type]
    others = [c for c in thesaurus if c.code != code]
    return "\n".join(Thesaurus([*others, concept], thesaurus.schemes.values()).check())


def test_every_kind_of_fault_is_named(thesaurus: Thesaurus) -> None:
    t03 = BASE + "T03"
    assert "is also that of" in faults_of(thesaurus, "T03-1", label="réussite ÉDUCATIVE")
    assert "is not in the vocabulary" in faults_of(thesaurus, "T03", related=("urn:gone", BASE + "D-PRE"))
    assert "does not say so back" in faults_of(thesaurus, "D-PRE", related=())
    assert "broader than itself" in faults_of(thesaurus, "T03", broader=(BASE + "T03-1",))
    assert "both related to and narrower" in faults_of(thesaurus, "T03-1", related=(t03,)) + faults_of(
        Thesaurus(
            [replace(c, related=(*c.related, BASE + "T03-1")) if c.code == "T03" else c for c in thesaurus]
        ),
        "T03-1",
        related=(t03,),
    )
    assert "ends (2006) before" in faults_of(thesaurus, "D-CDV", start="2010")
    assert "starts before D-CDV" in faults_of(thesaurus, "D-CUCS", start="1999")
    assert "not ISO 8601" in faults_of(thesaurus, "D-CUCS", start="l'an 2007")
    assert "unknown scheme" in faults_of(thesaurus, "D-CUCS", scheme="elsewhere")
    assert "related itself" in faults_of(thesaurus, "T03", related=(t03,))


def test_links_said_from_one_side_are_completed(thesaurus: Thesaurus) -> None:
    one_sided = [replace(c, narrower=(), followed_by=()) for c in thesaurus]
    loose = Thesaurus(one_sided, thesaurus.schemes.values())
    assert loose.check() != []
    assert loose.completed() == thesaurus


def test_two_preferred_labels_and_broken_turtle_are_refused() -> None:
    with pytest.raises(ThesaurusError, match="2 prefLabels"):
        Thesaurus.from_turtle(TURTLE + ':T03 skos:prefLabel "Autre"@fr .')
    with pytest.raises(ThesaurusError, match="not Turtle"):
        Thesaurus.from_turtle("this is : not turtle at all {")
    with pytest.raises(ThesaurusError, match="twice"):
        Thesaurus([Concept(uri="urn:a", label="a"), Concept(uri="urn:a", label="b")])


def test_a_foreign_vocabulary_is_read_in_one_language(tmp_path: Path) -> None:
    foreign = """
    @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
    <urn:x/c1> a skos:Concept ; skos:prefLabel "Health"@en, "Santé"@fr-FR ; skos:narrower <urn:x/c2> .
    <urn:x/c2> a skos:Concept ; skos:prefLabel "Nurse"@en, "Infirmier"@fr ; skos:altLabel "Nurses"@en .
    <urn:x/c3> a skos:Concept ; skos:prefLabel "Only English"@en ; skos:broader <urn:x/c1> .
    """
    path = tmp_path / "foreign.ttl.gz"
    path.write_bytes(gzip.compress(foreign.encode()))
    french = Thesaurus.from_file(path).completed()
    assert [(c.label, c.alt) for c in french] == [("Santé", ()), ("Infirmier", ())]
    assert french.check() == []
    assert french.ancestors("urn:x/c2") == ("urn:x/c1",)
    assert {c.label for c in Thesaurus.from_file(path, language="en")} == {"Health", "Nurse", "Only English"}


def test_exported_turtle_is_readable_and_stable(thesaurus: Thesaurus) -> None:
    text = thesaurus.to_turtle()
    assert Thesaurus.from_turtle(text) == thesaurus
    assert Thesaurus.from_turtle(text).to_turtle() == text
    assert (
        ':C-97222\n    a skos:Concept ;\n    skos:inScheme s:territories ;\n    skos:prefLabel "Le Robert"@fr'
        in text
    )


words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
dates = st.none() | st.dates().map(str) | st.integers(1900, 2100).map(str)


@st.composite
def vocabularies(draw: st.DrawFn) -> Thesaurus:
    uris = draw(
        st.lists(
            st.from_regex(r"[a-zA-Z0-9_.~é-]{1,8}", fullmatch=True).map(lambda s: BASE + s),
            unique=True,
            max_size=5,
        )
    )
    links = st.lists(st.sampled_from(uris), max_size=3).map(tuple) if uris else st.just(())
    several = st.lists(words, max_size=3).map(tuple)
    concept = st.fixed_dictionaries(
        {"label": words, "note": st.none() | words, "start": dates, "end": dates, "trap": st.booleans()}
        | {"scheme": st.sampled_from(["", "themes"]), "insee": st.none() | words}
        | dict.fromkeys(("alt", "hidden", "notations", "cues", "postal"), several)
        | dict.fromkeys(("broader", "narrower", "related", "homonyms", "preceded_by", "close_match"), links)
    )
    concepts = [Concept(uri=uri, **draw(concept)) for uri in uris]
    return Thesaurus(concepts, [Scheme("themes", BASE + "schemes/themes", draw(words))])


@settings(max_examples=60, deadline=None)
@given(vocabularies())
def test_turtle_and_json_give_back_the_same_vocabulary(vocabulary: Thesaurus) -> None:
    assert Thesaurus.from_turtle(vocabulary.to_turtle()) == vocabulary
    assert Thesaurus.from_json(vocabulary.to_json()) == vocabulary


@given(vocabularies())
@settings(max_examples=60, deadline=None)
def test_questions_end_whatever_the_links(vocabulary: Thesaurus) -> None:
    for concept in vocabulary:
        assert concept in vocabulary.succession(concept.uri)
        assert len(set(vocabulary.ancestors(concept.uri))) == len(vocabulary.ancestors(concept.uri))
    vocabulary.check()
