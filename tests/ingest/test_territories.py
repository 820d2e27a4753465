from __future__ import annotations

import pytest

from ingest.territories import Gazetteer, Verdict
from kb import french
from kb.thesaurus import Concept, Thesaurus

CUES = ("Martinique", "commune", "ville", "maire")


def place(code: str, label: str, *alt: str, within: str = "E-CAP", **rest: object) -> Concept:
    return Concept(
        uri=code,
        scheme="territories",
        label=label,
        alt=alt,
        broader=(within,) if within else (),
        **rest,  # type: ignore[arg-type]
    )


VOCABULARY = Thesaurus(
    [
        place("R-FRANCE", "France", within=""),
        place("R-02", "Martinique", within="R-FRANCE"),
        place("R-01", "Guadeloupe", within="R-FRANCE"),
        place("R-04", "La Réunion", "Réunion", within="R-FRANCE", trap=True),
        place("E-CAP", "CAP Nord", within="R-02"),
        place("C-FDF", "Fort-de-France", within="R-02"),
        place("C-ROBERT", "Le Robert", "commune du Robert", trap=True, cues=CUES, postal=("97231",)),
        place("C-FRANCOIS", "Le François", trap=True, cues=CUES),
        place("C-MARIN", "Le Marin", trap=True, cues=CUES),
        place("C-DUCOS", "Ducos", trap=True, cues=CUES),
        place("C-LAMENTIN", "Le Lamentin", "Lamentin", within="R-02"),
        place("C-LAMENTIN-G", "Lamentin (Guadeloupe)", "Lamentin", within="R-01", trap=True),
        place("C-JOSEPH", "Saint-Joseph", within="R-02", trap=True, postal=("97212",)),
        place("C-JOSEPH-R", "Saint-Joseph (La Réunion)", "Saint-Joseph", within="R-04", trap=True),
    ]
).completed()


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(VOCABULARY)


def judge(gazetteer: Gazetteer, text: str, name: str) -> Verdict:
    words = french.tokens(text)
    start = text.index(name)
    inside = [i for i, w in enumerate(words) if start <= w.start < start + len(name)]
    wanted = [w.term for w in words[inside[0] : inside[-1] + 1] if w.term]
    labels: dict[str, str] = {}
    for concept in VOCABULARY:
        for label in concept.labels:
            if [t for t in french.terms(label) if t] == wanted:
                labels.setdefault(concept.uri, label)
    return gazetteer.judge(labels, text, words, inside[0], inside[-1])


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("Les habitants du Robert", "Robert", "C-ROBERT"),
        ("au François, la mairie", "François", "C-FRANCOIS"),
        ("la commune du Marin", "Marin", "C-MARIN"),
        ("Le Marin accueille", "Marin", "C-MARIN"),
        ("Fort-de-France, Robert et François", "Robert", "C-ROBERT"),
        ("commune du Robert", "commune du Robert", "C-ROBERT"),
        ("Lamentin, près de Fort-de-France", "Lamentin", "C-LAMENTIN"),
        ("les jeunes du Lamentin", "Lamentin", "C-LAMENTIN"),
        ("le Lamentin en Guadeloupe", "Lamentin", "C-LAMENTIN-G"),
        ("à Saint-Joseph de La Réunion", "Saint-Joseph", "C-JOSEPH-R"),
        ("Saint-Joseph, en Martinique", "Saint-Joseph", "C-JOSEPH"),
        ("Saint-Joseph (97212)", "Saint-Joseph", "C-JOSEPH"),
        ("une équipe de La Réunion", "Réunion", "R-04"),
        ("à Ducos", "Ducos", "C-DUCOS"),
    ],
)
def test_a_place_is_told_by_its_neighbours(gazetteer: Gazetteer, text: str, name: str, code: str) -> None:
    assert judge(gazetteer, text, name) == Verdict(place=code)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Robert a dit oui", "Robert"),
        ("M. François est venu", "François"),
        ("le président François Hollande", "François"),
        ("du François Mitterrand", "François"),
        ("le marin pêcheur", "marin"),
        ("le dictionnaire Le Robert", "Robert"),
        ("la réunion du comité", "réunion"),
        ("Réunion du 12 mars", "Réunion"),
        ("Jean Ducos", "Ducos"),
        ("la rue Saint-Joseph", "Saint-Joseph"),
        ("le lycée Saint-Joseph de Fort-de-France", "Saint-Joseph"),
        ("Le Robert (97480)", "Robert"),
        ("Fort-de-France, le 12 mars 2012", "Fort-de-France"),
    ],
)
def test_people_things_and_datelines_are_no_places(gazetteer: Gazetteer, text: str, name: str) -> None:
    assert judge(gazetteer, text, name) == Verdict()


def test_a_name_without_neighbours_waits_for_the_rest_of_the_document(gazetteer: Gazetteer) -> None:
    verdict = judge(gazetteer, "Saint-Joseph est actif.", "Saint-Joseph")
    assert set(verdict.open) == {"C-JOSEPH", "C-JOSEPH-R"}
    assert gazetteer.settled([verdict.open], {"C-FDF": 2, "R-01": 1}) == ["C-JOSEPH"]
    assert gazetteer.settled([verdict.open], {"R-04": 1}) == ["C-JOSEPH-R"]
    assert gazetteer.settled([verdict.open], {"R-FRANCE": 3}) == [None]
    assert gazetteer.settled([verdict.open], {}) == [None]


def test_only_territories_are_in_the_gazetteer(gazetteer: Gazetteer) -> None:
    assert "C-FDF" in gazetteer
    assert "T03" not in gazetteer
