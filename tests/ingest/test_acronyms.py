from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.acronyms import Document, Doubt, Senses, expansions, explains
from kb import french
from kb.thesaurus import Concept, Thesaurus

CUCS = "Contrat urbain de cohésion sociale"


@pytest.mark.parametrize(
    ("text", "acronym", "words"),
    [
        (f"Le {CUCS} (CUCS) de Fort-de-France", "CUCS", CUCS),
        (f"le C.U.C.S. ({CUCS})", "C.U.C.S.", CUCS),
        ("CLSPD : conseil local de sécurité et de prévention de la délinquance", "CLSPD", None),
        ("l'ANRU (Agence nationale pour la rénovation urbaine) finance", "ANRU", None),
        ("un réseau d’écoute, d’appui et d’accompagnement des parents (REAAP)", "REAAP", None),
        ("le plan local pluriannuel pour l'insertion et l'emploi (PLIE)", "PLIE", None),
        ("la gestion urbaine de proximité, dite GUP, avance", "GUP", "gestion urbaine de proximité"),
        ("Agence nationale pour la cohésion sociale et l'égalité des chances (Acsé)", "Acsé", None),
        ("des zones de lecture rapide (ZLR), inconnues du thésaurus", "ZLR", "zones de lecture rapide"),
    ],
)
def test_long_forms_are_found_in_either_order(text: str, acronym: str, words: str | None) -> None:
    found = expansions(text)
    assert [e.acronym for e in found] == [acronym]
    assert found[0].words == text[found[0].start : found[0].end]
    assert explains(acronym, found[0].words)
    if words is not None:
        assert found[0].words == words
    if acronym == "PLIE":
        assert found[0].words.startswith("plan local")


@pytest.mark.parametrize(
    "text",
    [
        "Il est venu (OK) hier",
        "Le maire a parlé. Rénovation (CUCS)",
        "une association (ANRU) active",
        "voir la page (12) et la note (A)",
        "CUCS : le bilan des trois années",
    ],
)
def test_brackets_that_explain_nothing_are_left(text: str) -> None:
    assert expansions(text) == []


@pytest.mark.parametrize(
    ("acronym", "words", "expected"),
    [
        ("SGAR", "secrétariat général aux affaires régionales", True),
        ("Pacs", "pacte civil de solidarité", True),
        ("SGAR", "Direction des affaires culturelles", False),
        ("SGAR", "SGAR", False),
        ("A", "association", False),
    ],
)
def test_letters_must_come_in_order_at_the_beginnings_of_words(
    acronym: str, words: str, expected: bool
) -> None:
    assert explains(acronym, words) is expected


@given(st.lists(st.sampled_from(string.ascii_lowercase).map(lambda c: c + "obar"), min_size=2, max_size=6))
def test_initials_are_always_explained(words: list[str]) -> None:
    contents = [word for word in words if french.term(word)]
    assert explains("".join(word[0] for word in contents).upper(), " ".join(contents))


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for expansion in expansions(text):
        assert text[expansion.start : expansion.end] == expansion.words


def concept(code: str, label: str, *alt: str, **rest: object) -> Concept:
    return Concept(uri=f"urn:{code}", scheme="dispositifs", label=label, alt=alt, **rest)  # type: ignore[arg-type]


SECURITY = concept(
    "CLS", "Contrat local de sécurité", "CLS", homonyms=("urn:CLS-SANTE",), cues=("délinquance", "police")
)
HEALTH = concept("CLS-SANTE", "Contrat local de santé", "CLS", homonyms=("urn:CLS",), cues=("soins",))
BOARD = concept("CA-CONSEIL", "Conseil d’administration", "CA", cues=("statuts",))
CITIES = concept("CA", "Communauté d’agglomération", "CA", cues=("EPCI",))


@pytest.fixture(scope="module")
def senses() -> Senses:
    return Senses(Thesaurus([SECURITY, HEALTH, BOARD, CITIES]))


def doubt(sentence: str, acronym: str = "CLS") -> Doubt:
    return Doubt(frozenset(french.terms(sentence)), sentence, sentence.index(acronym))


def document(text: str = "", *explained: str, present: frozenset[str] = frozenset()) -> Document:
    return Document(frozenset(french.terms(text)), present, explained)


def test_the_words_near_decide(senses: Senses) -> None:
    doubts = [doubt("Le CLS contre la délinquance"), doubt("Le CLS facilite l'accès aux soins")]
    assert senses.decide([SECURITY, HEALTH], doubts, document()) == [SECURITY, HEALTH]


def test_what_the_document_explains_holds_everywhere(senses: Senses) -> None:
    doubts = [doubt("Le CLS contre la délinquance")]
    explained = document("", "contrat local de santé")
    assert senses.decide([SECURITY, HEALTH], doubts, explained) == [HEALTH]
    elsewhere = document("", "comité de lecture et de sélection")
    assert senses.decide([SECURITY, HEALTH], doubts, elsewhere) == [None]


def test_a_longer_official_name_is_still_the_concept(senses: Senses) -> None:
    explained = document("", "contrat local de santé de la Martinique")
    assert senses.decide([SECURITY, HEALTH], [doubt("Le CLS")], explained) == [HEALTH]


def test_the_concept_named_in_full_elsewhere_is_meant(senses: Senses) -> None:
    present = document(present=frozenset({HEALTH.uri}))
    assert senses.decide([SECURITY, HEALTH], [doubt("Le CLS est signé")], present) == [HEALTH]


def test_a_silent_mention_has_the_sense_of_the_others(senses: Senses) -> None:
    doubts = [doubt("Le CLS avance"), doubt("Le CLS contre la délinquance et la police")]
    assert senses.decide([SECURITY, HEALTH], doubts, document()) == [SECURITY, SECURITY]


def test_nobody_can_tell_means_no_sense(senses: Senses) -> None:
    assert senses.decide([SECURITY, HEALTH], [doubt("Le CLS avance bien")], document()) == [None]
    assert senses.decide([CITIES], [doubt("un CA de 3 millions", "CA")], document()) == [None]


@pytest.mark.parametrize(
    ("sentence", "meant"),
    [("La CA a voté le projet.", CITIES), ("Le CA a voté le projet.", BOARD), ("CA du 3 mai", None)],
)
@pytest.mark.filterwarnings("ignore")  # spaCy's model loads with warnings of its own
def test_where_neighbours_are_silent_the_determiner_speaks(
    senses: Senses, sentence: str, meant: Concept | None
) -> None:
    assert senses.decide([BOARD, CITIES], [doubt(sentence, "CA")], document()) == [meant]
