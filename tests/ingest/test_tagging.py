from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.tagging import LIMITS, THRESHOLD, Suggestion, Tagger, Text
from kb.thesaurus import FACET_SCHEMES, Concept, Scheme, Thesaurus

BASE = "urn:t/"


def concept(code: str, scheme: str, label: str, *alt: str, **rest: object) -> Concept:
    links = {k: tuple(BASE + v for v in rest.pop(k)) for k in ("broader", "related") if k in rest}  # type: ignore[attr-defined]
    return Concept(uri=BASE + code, scheme=scheme, label=label, alt=alt, **links, **rest)  # type: ignore[arg-type]


SCHEMES = ("themes", "issues", "activities", "dispositifs", "organismes", "territories", "types")
VOCABULARY = Thesaurus(
    [
        concept("T03", "themes", "Réussite éducative", "éducation partagée"),
        concept("T03-02", "themes", "Décrochage scolaire", broader=["T03"]),
        concept("T03-03", "themes", "Parentalité", broader=["T03"]),
        concept("T04", "themes", "Politiques de jeunesse", "jeunes"),
        concept("T08", "themes", "Rénovation urbaine", "renouvellement urbain"),
        concept("T12", "themes", "Santé"),
        concept("T01", "themes", "Évaluation"),
        *(concept(f"X{i}", "themes", f"Notion numéro{i}") for i in range(9)),
        concept("ENJ", "issues", "Participation des habitants"),
        concept("ACT", "activities", "Rencontre-débat", "séminaire"),
        concept("D-CUCS", "dispositifs", "Contrat urbain de cohésion sociale", "CUCS"),
        concept("D-PRE", "dispositifs", "Programme de réussite éducative", "PRE", related=["T03"]),
        concept("D-CLS", "dispositifs", "Contrat local de sécurité", "CLS", cues=("délinquance",)),
        concept("D-CLS-S", "dispositifs", "Contrat local de santé", "CLS", cues=("soins",)),
        concept("O-DDE", "organismes", "Direction de l’équipement", "DDE"),
        concept("O-FACE", "organismes", "Fondation agir", "FACE", trap=True, cues=("exclusion",)),
        concept("R-02", "territories", "Martinique"),
        concept("C-FDF", "territories", "Fort-de-France", "FDF", broader=["R-02"]),
        concept("C-ROBERT", "territories", "Le Robert", trap=True, broader=["R-02"]),
        concept("C-DUCOS", "territories", "Ducos", trap=True, broader=["R-02"]),
        concept("Q-FONDDOR", "territories", "Fond d’Or", broader=["R-02"]),
        concept("TYPE", "types", "Rapport"),
    ],
    [Scheme(name, BASE + "schemes/" + name, name) for name in SCHEMES],
).completed()
FILLER = "Les équipes se réunissent pour avancer ensemble sur les questions qui les occupent. " * 12


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(VOCABULARY)


def tags(tagger: Tagger, title: str, *pages: str, threshold: float | None = None) -> dict[str, Suggestion]:
    (found,) = tagger.suggest([(title, list(pages))], threshold=threshold)
    return {suggestion.concept.removeprefix(BASE): suggestion for suggestion in found}


def test_inflections_and_accents_do_not_hide_a_label(tagger: Tagger) -> None:
    text = "Les CONTRATS URBAINS de cohesion sociale. Le décrochage des élèves ; les décrochages scolaires."
    found = tags(tagger, "", text, threshold=0.0)
    assert {"D-CUCS", "T03-02"} <= found.keys()


def test_evidence_holds_the_page_and_the_characters(tagger: Tagger) -> None:
    pages = ["Rien ici.", "Un contrat urbain de cohésion sociale, puis un CUCS."]
    (found,) = tagger.suggest([Text("Le décrochage scolaire", pages, "Sur le CUCS.")], threshold=0.0)
    front = Text("Le décrochage scolaire", pages, "Sur le CUCS.").front
    for suggestion in found:
        for evidence in suggestion.evidence:
            text = front if evidence.page == 0 else pages[evidence.page - 1]
            assert text[evidence.start : evidence.end] == evidence.text
    cucs = next(s for s in found if s.concept == BASE + "D-CUCS")
    assert {(e.page, e.text) for e in cucs.evidence} == {
        (0, "CUCS"),
        (2, "contrat urbain de cohésion sociale"),
        (2, "CUCS"),
    }


def test_what_the_title_says_comes_first(tagger: Tagger) -> None:
    text = "La rénovation urbaine. " + FILLER + "La rénovation urbaine, le décrochage scolaire."
    found = list(tags(tagger, "Le décrochage scolaire", text, threshold=0.0))
    assert found.index("T03-02") < found.index("T08")


def test_frequent_early_and_spread_mentions_weigh_more(tagger: Tagger) -> None:
    often = tags(tagger, "", "Le décrochage scolaire. " + FILLER + "Le décrochage scolaire.", threshold=0.0)
    once = tags(tagger, "", "Le décrochage scolaire. " + FILLER, threshold=0.0)
    late = tags(tagger, "", FILLER + "Le décrochage scolaire.", threshold=0.0)
    assert often["T03-02"].score > once["T03-02"].score > late["T03-02"].score


def test_one_late_mention_is_not_proposed(tagger: Tagger) -> None:
    assert tags(tagger, "", FILLER * 3 + "Le décrochage scolaire.") == {}


def test_a_word_that_only_points_at_a_concept_is_not_enough(tagger: Tagger) -> None:
    assert "T04" not in tags(tagger, "", "Les jeunes sont là. " + FILLER + "Des jeunes passent.")


def test_a_word_of_the_same_family_says_less_than_the_label(tagger: Tagger) -> None:
    named = tags(tagger, "", "Les évaluations. " + FILLER, threshold=0.0)
    family = tags(tagger, "", "Nous évaluons. " + FILLER, threshold=0.0)
    assert family["T01"].score < named["T01"].score / 2


def test_a_broader_concept_is_implied_by_its_narrower_one(tagger: Tagger) -> None:
    found = tags(tagger, "Le décrochage scolaire", "Le décrochage scolaire. " * 3)
    assert "T03-02" in found
    assert "T03" not in found


def test_several_weak_narrower_concepts_speak_for_their_broader_one(tagger: Tagger) -> None:
    text = "Le décrochage scolaire et la parentalité. " + FILLER
    found = tags(tagger, "", text, threshold=0.0)
    alone = tags(tagger, "", "Le décrochage scolaire. " + FILLER, threshold=0.0)
    below = max(found["T03-02"].score, found["T03-03"].score)
    assert found.keys() >= {"T03-02", "T03-03"}
    assert below > THRESHOLD / 2
    assert "T03" not in alone or alone["T03"].score < alone["T03-02"].score


def test_a_scheme_speaks_for_its_theme(tagger: Tagger) -> None:
    found = tags(tagger, "Le programme de réussite de la ville : le PRE", "Le PRE avance. " * 8)
    assert found["D-PRE"].score > found["T03"].score
    assert found["T03"].evidence[0].text == "PRE"


def test_each_facet_has_its_share(tagger: Tagger) -> None:
    text = " ".join(f"La notion numéro{i}." for i in range(9)) * 3
    found = tags(tagger, text, text, "Le rapport. " * 9)
    by_facet = dict.fromkeys(FACET_SCHEMES, 0)
    for suggestion in found.values():
        scheme = VOCABULARY.get(suggestion.concept).scheme
        by_facet[next(f for f, schemes in FACET_SCHEMES.items() if scheme in schemes)] += 1
    assert by_facet["theme"] == LIMITS["theme"]
    assert all(by_facet[facet] <= limit for facet, limit in LIMITS.items())
    assert "TYPE" not in found


def test_the_limit_is_kept(tagger: Tagger) -> None:
    text = " ".join(f"La notion numéro{i}." for i in range(9))
    assert len(tagger.suggest([(text, [text])], 2)[0]) == 2


def test_an_acronym_is_not_a_word_nor_a_word_an_acronym(tagger: Tagger) -> None:
    assert "D-PRE" not in tags(tagger, "", "Un pré vert. Le pré. " * 5, threshold=0.0)
    assert "D-PRE" in tags(tagger, "", "Le P.R.E. de la ville", threshold=0.0)
    assert "O-FACE" not in tags(tagger, "", "Face à l'exclusion, la ville agit.", threshold=0.0)
    assert "O-FACE" in tags(tagger, "", "La FACE combat l'exclusion.", threshold=0.0)


def test_homonymous_acronyms_follow_their_neighbours(tagger: Tagger) -> None:
    found = tags(tagger, "", "Le CLS contre la délinquance.", threshold=0.0)
    assert "D-CLS" in found
    assert "D-CLS-S" not in found


def test_an_acronym_explained_otherwise_is_not_the_concept(tagger: Tagger) -> None:
    found = tags(tagger, "", "Le plan de relance européen (PRE) est voté. Le PRE avance.", threshold=0.0)
    assert "D-PRE" not in found


def test_people_are_no_places(tagger: Tagger) -> None:
    found = tags(tagger, "", "Robert a dit que Fort-de-France est belle. M. Robert aussi.", threshold=0.0)
    assert "C-FDF" in found
    assert "C-ROBERT" not in found
    assert "C-ROBERT" in tags(tagger, "", "Les habitants du Robert", threshold=0.0)


def test_a_doubtful_place_follows_the_sure_ones_of_the_document(tagger: Tagger) -> None:
    assert "C-DUCOS" in tags(tagger, "", "Ducos avance. " + FILLER, "Fort-de-France.", threshold=0.0)
    assert "C-DUCOS" not in tags(tagger, "", "Ducos avance. " + FILLER, threshold=0.0)


def test_a_place_whose_name_holds_a_small_word_keeps_it(tagger: Tagger) -> None:
    assert "Q-FONDDOR" not in tags(tagger, "", "Les Fonds de la Martinique", threshold=0.0)
    assert "Q-FONDDOR" in tags(tagger, "", "Le quartier Fond d’Or", threshold=0.0)


def test_a_body_that_only_signs_is_not_a_subject(tagger: Tagger) -> None:
    signed = "Direction de l’équipement\n\n" + FILLER
    assert "O-DDE" not in tags(tagger, "", signed, signed)


def test_a_phrase_does_not_run_over_a_full_stop(tagger: Tagger) -> None:
    assert "T08" not in tags(tagger, "", "Après la rénovation. Urbaine est la vie.", threshold=0.0)


def test_a_slip_in_a_long_label_is_forgiven(tagger: Tagger) -> None:
    found = tags(tagger, "", "Le contrat urbain de cohésoin sociale", threshold=0.0)
    assert found["D-CUCS"].evidence[0].text == "contrat urbain de cohésoin sociale"


def test_keywords_count_and_may_have_slips(tagger: Tagger) -> None:
    text = Text("", [FILLER], keywords=("rénovation urbainne", "réussite éducative", "xyz"))
    (found,) = tagger.suggest([text])
    assert {s.concept.removeprefix(BASE) for s in found} == {"T08", "T03"}


def test_a_keyword_with_several_senses_counts_only_for_those_the_text_bears_out(tagger: Tagger) -> None:
    alone, borne_out = tagger.suggest(
        [
            Text("Bilan", [FILLER], "", ["CLS"]),
            Text("Bilan", ["Le contrat local de santé facilite les soins. " * 3 + FILLER], "", ["CLS"]),
        ]
    )
    assert not [s for s in alone if s.concept.startswith(BASE + "D-CLS")]
    assert [s.concept for s in borne_out if s.concept.startswith(BASE + "D-CLS")] == [BASE + "D-CLS-S"]


def test_a_keyword_is_its_own_evidence(tagger: Tagger) -> None:
    text = Text("Bilan", [FILLER], "", ["éducation partagé", "Renouvellement urbian"])
    (found,) = tagger.suggest([text])
    said = [e for s in found if s.concept == BASE + "T08" for e in s.evidence]
    assert [text.front[e.start : e.end] for e in said] == ["Renouvellement urbian"]


def test_scores_are_between_0_and_1_and_fall(tagger: Tagger) -> None:
    text = "Le décrochage scolaire, le CUCS et Fort-de-France. " * 200
    scores = [s.score for s in tags(tagger, text, text).values()]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_what_every_document_of_a_batch_names_weighs_less(tagger: Tagger) -> None:
    batch = [("", [f"La santé. La notion numéro{i % 9}."]) for i in range(40)]
    together = {s.concept: s.score for s in tagger.suggest(batch, threshold=0.0)[0]}
    alone = {s.concept: s.score for s in tagger.suggest(batch[:1], threshold=0.0)[0]}
    common, rare = (together[BASE + code] / alone[BASE + code] for code in ("T12", "X0"))
    assert common < rare <= 1


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=80),
    st.lists(
        st.lists(st.sampled_from(["CUCS", "du Robert", "CLS", "(", ")", ". ", "\n", "É", "l’"])).map(
            " ".join
        ),
        max_size=3,
    ),
)
def test_any_text_is_read_and_evidence_is_true(tagger: Tagger, title: str, pages: list[str]) -> None:
    for suggestion in tagger.suggest([(title, pages)], threshold=0.0)[0]:
        for evidence in suggestion.evidence:
            text = title if evidence.page == 0 else pages[evidence.page - 1]
            assert text[evidence.start : evidence.end] == evidence.text
