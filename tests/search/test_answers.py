from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import french
from kb.thesaurus import Concept, Thesaurus
from search.answers import MEANT, Proposals, propose
from search.engine import Entry
from search.gist import gist, stated
from search.memory import MemoryEngine
from search.restricted import Restricted
from search.windows import Asked, best


@dataclass(frozen=True, slots=True)
class Told:
    title: str
    abstract: str | None = None


class Shelf:
    """Records for a memory engine, and their texts for whoever may read them."""

    def __init__(self) -> None:
        self.engine = MemoryEngine()
        self.records: dict[str, Told] = {}
        self.texts: dict[tuple[str, int], str] = {}
        self.closed: set[str] = set()

    def put(
        self,
        id: str,
        title: str,
        *pages: str,
        type: str = "guide",
        abstract: str | None = None,
        access: str = "public",
    ) -> None:
        self.records[id] = Told(title, abstract)
        self.texts |= {(id, number): page for number, page in enumerate(pages, 1)}
        with self.engine.writer() as writer:
            writer.put(
                Entry(
                    id=id,
                    fields={"title": title} | ({"abstract": abstract} if abstract else {}),
                    pages=tuple(enumerate(pages, 1)),
                    facets={"type": (type,), "access": (access,)},
                )
            )

    def get_many(self, ids: Sequence[str]) -> dict[str, Told]:
        return {id: self.records[id] for id in ids if id in self.records}

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        return {key: self.texts[key] for key in wanted if key in self.texts and key[0] not in self.closed}


def concept(code: str, label: str, *, scheme: str = "dispositifs", **more: object) -> Concept:
    return Concept(uri=f"https://t.example/{code}", scheme=scheme, label=label, **more)  # type: ignore[arg-type]


THESAURUS = Thesaurus(
    [
        concept("D-GUP", "Gestion urbaine de proximité", alt=("GUP",), note="Entretien du cadre de vie."),
        concept("D-CONV", "Convention de gestion urbaine de proximité", alt=("convention de GUP",)),
        concept("D-FACE", "Fondation agir contre l’exclusion", scheme="organismes", alt=("FACE",)),
        concept("C-1", "Le Lamentin", scheme="territories"),
        concept("C-2", "Robert", scheme="territories", trap=True, cues=("commune",)),
        concept("D-CLS1", "Contrat local de sécurité", alt=("CLS",), cues=("police",)),
        concept("D-CLS2", "Contrat local de santé", alt=("CLS",), cues=("soins",)),
    ]
)


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.put(
        "q:1",
        "Comment créer un conseil citoyen dans une petite commune ?",
        "Le conseil citoyen se compose de deux collèges. Comptez six mois de préparation.",
        type="question",
        abstract="Bonjour, nous voudrions créer un conseil citoyen dans notre commune. Quelles étapes ?",
    )
    shelf.put(
        "q:2",
        "Quelle aide pour un poste d’adulte-relais ?",
        "L’État verse une aide forfaitaire par poste d’adulte-relais. La convention dure trois ans.",
        type="question",
    )
    shelf.put(
        "g:1",
        "Guide de la gestion urbaine de proximité",
        "La gestion urbaine de proximité associe bailleurs et communes. Elle améliore le cadre de vie.",
        "Une convention de gestion urbaine de proximité engage le bailleur. Elle dit qui nettoie les halls.",
        "La gestion urbaine de proximité se finance par l’abattement de taxe foncière.",
    )
    shelf.put(
        "g:2",
        "Actes du séminaire",
        "Le conseil citoyen de Dillon siège depuis 2016. " + "Les débats ont porté sur autre chose. " * 30,
    )
    for number in range(8):
        shelf.put(
            f"n:{number}", f"Note {number}", f"Une note sans rapport, la numéro {number}, sur les transports."
        )
    return shelf


def ask(shelf: Shelf, text: str, **more: object) -> Proposals:
    return propose(text, engine=shelf.engine, texts=shelf, thesaurus=THESAURUS, **more)  # type: ignore[arg-type]


def test_past_answers_and_passages_stand_apart_with_their_page(shelf: Shelf) -> None:
    found = ask(shelf, "Comment créer un conseil citoyen ?")
    assert [one.id for one in found.answers] == ["q:1"]
    assert (found.passages[0].id, found.passages[0].page) == ("g:2", 1)
    assert "Dillon siège depuis 2016" in found.passages[0].text
    assert {piece.text.lower() for piece in found.answers[0].pieces if piece.marked} >= {"conseil", "citoyen"}


@pytest.mark.parametrize(
    "typed",
    [
        "comment creer un conseil citoyen",
        "COMMENT CRÉER UN CONSEIL CITOYEN ?",
        "creer un conseil cytoyen",
        "Bonjour, je suis chef de projet au Lamentin et je cherche comment créer un conseil citoyen. Merci !",
        "Madame, Monsieur,\n\nNotre ville a signé son contrat l’an dernier et les élus hésitent encore.\n"
        "Pourriez-vous m’indiquer comment créer un conseil citoyen ?\n\n"
        "Dans l’attente de votre réponse, bien cordialement,\nJ. Dupont",
    ],
)
def test_however_it_is_typed_the_question_that_was_asked_before_is_found(shelf: Shelf, typed: str) -> None:
    assert ask(shelf, typed).answers[0].id == "q:1"


@pytest.mark.parametrize(
    "typed", ["", "  \n", "?", "ab", "Bonjour", "Bonjour,\nmerci d’avance, cordialement"]
)
def test_what_asks_nothing_gets_nothing(shelf: Shelf, typed: str) -> None:
    assert ask(shelf, typed) == Proposals()


@pytest.mark.parametrize(
    "typed", ["Quelle est la recette du colombo de poulet ?", "Quelle équipe a gagné la finale de football ?"]
)
def test_nothing_is_said_beside_the_question(shelf: Shelf, typed: str) -> None:
    found = ask(shelf, typed)
    assert (found.answers, found.passages) == ((), ())


def test_one_word_in_common_is_no_answer(shelf: Shelf) -> None:
    found = ask(shelf, "Quelle aide de la région pour rénover un bâtiment agricole après un cyclone ?")
    assert found.answers == ()


def test_a_question_asked_again_comes_before_longer_talk_of_the_same(shelf: Shelf) -> None:
    shelf.put(
        "q:3",
        "Conseil citoyen",
        "Conseil citoyen, commune, créer : le conseil citoyen. Créer un conseil citoyen, créer un conseil. "
        * 3,
        type="question",
    )
    again = ask(shelf, "Nous voudrions créer un conseil citoyen dans notre commune, quelles étapes ?")
    assert [one.id for one in again.answers] == ["q:1", "q:3"]


def test_a_past_answer_that_says_little_of_it_beside_the_best_is_left_out(shelf: Shelf) -> None:
    shelf.put("q:4", "Commune sans gare ?", "Un car la relie au bourg chaque matin.", type="question")
    assert [one.id for one in ask(shelf, "créer un conseil citoyen dans une commune").answers] == ["q:1"]
    assert [one.id for one in ask(shelf, "le car d’une commune sans gare au bourg").answers] == ["q:4"]


def test_of_equals_the_one_with_words_of_the_same_make_comes_first() -> None:
    shelf = Shelf()
    shelf.put("a", "Note", "Le quartier a son histoire, et son marché.", type="question")
    shelf.put("b", "Note", "Le quartier a sa refondation, et son marché.", type="question")
    found = propose("Qui sont les fondatrices du quartier ?", engine=shelf.engine, texts=shelf).answers
    assert [one.id for one in found] == ["b", "a"]


def test_of_equals_the_one_in_company_of_others_comes_first() -> None:
    shelf = Shelf()
    shelf.put("a", "Note", "Le tambour des voisins : vacarme, orchestre.", type="question")
    for id in ("b", "c", "d"):
        shelf.put(id, "Note", "Le tambour des voisins : lessive, panne.", type="question")
    found = propose("le tambour des voisins", engine=shelf.engine, texts=shelf).answers
    assert [one.id for one in found] == ["b", "c", "d"]


def test_a_document_gives_two_passages_at_most(shelf: Shelf) -> None:
    found = ask(shelf, "gestion urbaine de proximité", passages=5)
    assert [one.id for one in found.passages].count("g:1") == 2
    assert len({(one.id, one.page) for one in found.passages}) == len(found.passages)


def test_an_acronym_finds_what_it_stands_for_and_tells_the_concept(shelf: Shelf) -> None:
    found = ask(shelf, "Qui finance la GUP ?")
    assert found.passages[0].id == "g:1"
    assert [(c.uri, c.note) for c in found.concepts] == [
        ("https://t.example/D-GUP", "Entretien du cadre de vie.")
    ]


def test_an_acronym_inside_a_longer_name_is_still_what_it_stands_for(shelf: Shelf) -> None:
    about = gist("des exemples de convention de GUP", engine=shelf.engine, thesaurus=THESAURUS)
    names = {notion.term: notion.others for notion in about.notions}
    assert tuple(french.terms("gestion urbaine proximité")) in names["gup"]


def test_scores_fall_from_one_at_most_and_lists_are_as_long_as_asked(shelf: Shelf) -> None:
    found = ask(shelf, "convention de gestion urbaine de proximité", passages=2)
    scores = [one.score for one in found.passages]
    assert len(scores) == 2
    assert 1 >= scores[0] >= scores[1] > 0
    assert scores[0] >= MEANT
    assert ask(shelf, "conseil citoyen", answers=0).answers == ()


def test_what_may_not_be_read_is_not_quoted(shelf: Shelf) -> None:
    shelf.closed = {"g:1", "q:1"}
    found = ask(shelf, "créer un conseil citoyen, gestion urbaine de proximité")
    assert not {"g:1", "q:1"} & {one.id for one in (*found.answers, *found.passages)}


def test_a_restricted_engine_proposes_its_part_only(shelf: Shelf) -> None:
    shelf.put("q:9", "Comment dissoudre un syndicat mixte ?", "Par arrêté.", type="question", access="staff")
    typed = "Comment dissoudre un syndicat mixte ?"
    assert ask(shelf, typed).answers[0].id == "q:9"
    part = Restricted(shelf.engine, ("public",))
    assert propose(typed, engine=part, texts=shelf).answers == ()


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80))
def test_nothing_typed_makes_it_fail(typed: str) -> None:
    shelf = Shelf()
    shelf.put("q:1", "Une question ?", "Une réponse.", type="question")
    for one in ask(shelf, typed).answers:
        assert "".join(piece.text for piece in one.pieces) == one.text


# -- what a question is about


def test_courtesy_and_self_description_are_left_out() -> None:
    typed = (
        "Bonjour Madame, je suis chargée de mission à la ville du Robert et je voudrais savoir s’il existe "
        "une aide pour les jardins partagés. Je vous remercie par avance et cordialement, A. Rose"
    )
    assert stated(typed) == stated("aide pour les jardins partagés")


def test_who_somebody_is_stays_when_it_is_no_office() -> None:
    assert "locataire" in stated("Je suis locataire et mon bailleur refuse de réparer, quel recours ?")


def test_what_is_asked_weighs_more_than_how_it_came(shelf: Shelf) -> None:
    about = gist("La commune a signé une convention. Qui nettoie les halls ?", engine=shelf.engine)
    weights = {notion.term: notion.weight for notion in about.notions}
    assert weights["hall"] > 2 * weights["convention"]


def test_rare_words_weigh_more_and_only_the_weightiest_are_kept(shelf: Shelf) -> None:
    about = gist("rapport bailleur abattement", engine=shelf.engine)
    weights = {notion.term: notion.weight for notion in about.notions}
    assert weights["rapport"] < weights["bailleur"] <= 1
    few = gist("rapport bailleur abattement", engine=shelf.engine, most=1)
    assert [notion.term for notion in few.notions] != ["rapport"]
    assert len(few.notions) == 1


def test_of_words_that_a_misspelt_one_may_be_the_one_with_a_double_letter_is_meant() -> None:
    shelf = Shelf()
    shelf.put("a", "Nourrir", "nourrir")
    shelf.put("b", "Mourir", "mourir mourir", "mourir")
    about = gist("nourir", engine=shelf.engine)
    assert [notion.term for notion in about.notions] == [french.term("nourrir")]


def test_a_word_of_the_family_speaks_of_a_notion_by_half(shelf: Shelf) -> None:
    about = gist("transports", engine=shelf.engine)
    assert about.degrees(["transporteur"]) == {0: 0.5}
    assert about.degrees(["transport"]) == {0: 1.0}
    assert about.degrees(["trajet"]) == {}


# -- the best stretch


def window(shelf: Shelf, question: str, text: str, length: int) -> str:
    found = best(text, Asked(gist(question, engine=shelf.engine)), length)
    return text[found.start : found.end].strip()


def test_the_stretch_holds_the_sentence_that_speaks_of_most(shelf: Shelf) -> None:
    filler = "Le compte rendu suit son cours ordinaire ici. "
    answer = "La convention engage le bailleur pour trois ans. "
    text = f"{filler * 5}{answer}{filler * 5}Le bailleur parle. {filler}"
    shown = window(shelf, "Que dit la convention du bailleur ?", text, 120)
    assert answer.strip() in shown
    assert len(shown) <= 120


@pytest.mark.parametrize("inside", ["M. Dupont", "p. 12", "la loi (art. 3) du bailleur"])
def test_a_stretch_is_not_cut_after_a_short_form(shelf: Shelf, inside: str) -> None:
    text = f"Rien ici du tout. Le bailleur avec {inside} répond. Rien ici non plus."
    assert f"Le bailleur avec {inside} répond." in window(shelf, "le bailleur", text, 70)


def test_a_stretch_has_no_white_space_around(shelf: Shelf) -> None:
    found = best("\n\n  Le bailleur répond.  \n", Asked(gist("le bailleur", engine=shelf.engine)))
    assert "".join(piece.text for piece in found.pieces) == "Le bailleur répond."


def test_a_date_is_preferred_when_a_date_is_asked_for(shelf: Shelf) -> None:
    text = (
        "Le conseil citoyen est utile à tous. " + "Rien de plus à dire là-dessus aujourd’hui. " * 6
        + "Le conseil citoyen naît le 21 février 2014. " + "Rien de plus à dire là-dessus aujourd’hui. " * 6
    )  # fmt: skip
    assert "2014" in window(shelf, "Quand le conseil citoyen est-il né ?", text, 100)
    assert "utile" in window(shelf, "À qui le conseil citoyen est-il utile ?", text, 100)


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet="abé .!?\n«»0M", max_size=300), st.integers(1, 120))
def test_a_stretch_is_within_the_text_and_no_longer_than_asked(text: str, length: int) -> None:
    found = best(text, Asked(gist("abba", engine=MemoryEngine())), length)
    assert 0 <= found.start <= found.end <= len(text)
    assert found.end - found.start <= length
    assert all(found.start <= start < end <= found.end for start, end in found.spans)


# -- concepts


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("la gestion urbaine de proximite au Lamentin", ["D-GUP", "C-1"]),
        ("faire face", []),
        ("que fait FACE ?", ["D-FACE"]),
        ("mon ami robert", []),
        ("la commune du Robert", ["C-2"]),
        ("un CLS avec la police", ["D-CLS1"]),
        ("un CLS", ["D-CLS1", "D-CLS2"]),
    ],
)
def test_concepts_are_those_that_are_meant(shelf: Shelf, typed: str, codes: list[str]) -> None:
    found = {concept.code for concept in ask(shelf, typed).concepts}
    assert found == set(codes)
