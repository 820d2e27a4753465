"""Key words of other centres, as a librarian decides on them; what was accepted, as everybody reads it."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from flask import render_template
from rdflib import Graph, URIRef
from rdflib.namespace import SKOS

from ingest.aligning import Proposer
from kb.accounts import Right, Role
from kb.alignments import AT_ONCE, Alignment, Meaning, Standing, Way, Words
from kb.centres import Centre
from kb.mirrors import Origin
from kb.records import Record
from kb.sharing import Shared
from web import nightly, word_page, words
from web.fund import Fund
from web.word_page import PER_PAGE

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def librarian(house):
    house.parts.centres.save(Centre(code="labo", name="Labo des villes"))
    return house.client(Role.LIBRARIAN)


@pytest.fixture(autouse=True)
def nothing_waits(house):
    """What other tests left is refused, so that each has a list of its own."""
    yield
    alignments = house.parts.alignments
    for standing in (Standing.WAITING, Standing.ACCEPTED):
        while lines := alignments.listed(standing, 100):
            for line in lines:
                alignments.decide(line.id, Standing.REFUSED)


def came(house, *said: str, records: int = 1, meaning: Meaning | None = None) -> list[Alignment]:
    """Records of another centre with these key words; the words."""
    parts = house.parts
    met = Words(parts.store, (lambda _: meaning) if meaning else Proposer(parts.thesaurus).propose)
    with parts.store.transaction():
        for _ in range(records):
            number = next(_NUMBERS)
            record = Record(id=f"labo:{number}", title=f"Titre {number}", keywords=said)
            origin = Origin(centre="labo", source=1, identifier=str(number), datestamp="2026-01-01")
            parts.mirrors.keep(Shared(record), origin, local=met.meet("labo", said))
        met.flush()
    waiting = parts.alignments.listed(Standing.WAITING, 1000)
    return [next(line for line in waiting if line.said == word) for word in said]


def fresh(said: str) -> str:
    """A word that was never met."""
    return f"{said} {'abcdefghij'[next(_NUMBERS) % 10]}{next(_NUMBERS)}x"


@pytest.fixture
def theme(house):
    """A theme whose label is a label of nothing else."""
    found = house.parts.thesaurus
    return next(c for c in found.concepts("themes") if found.lookup(c.label) == (c,))


def near(theme) -> Meaning:
    return Meaning(concept=theme.uri, way=Way.NEAR, score=0.93)


def decide(house, client, line: Alignment, do: str, query: str = "", **more: object):
    now = house.parts.alignments.get(line.id)
    fields = {"do": do, "vu": word_page.seen(now), **more}
    return house.post(client, f"/mots-cles/{line.id}{query}", **fields)


def flashed(client) -> str:
    """What the next page says was done."""
    said = re.findall(r'role="status">([^<]+)<', client.get("/mots-cles").text)
    return " | ".join(said).replace("\u00a0", " ").replace("\u202f", " ")


def subjects(house, line: Alignment) -> list[tuple[str, str]]:
    ids = house.parts.store.find("keyword", line.word)
    return [(s.concept, s.state) for id in ids for s in house.parts.store.get(id).subjects]


# -- the list


def test_a_word_is_told_with_its_records_its_centres_and_why(house, librarian, theme):
    (line,) = came(house, fresh("Presque"), records=3, meaning=near(theme))
    (row,) = librarian.get("/mots-cles.json").json["rows"]
    assert (row["word"], row["centres"], row["records"]["count"]) == (line.said, ["Labo des villes"], 3)
    assert row["term"]["concept"] == theme.uri
    assert "écrit presque pareil" in row["why"]
    assert "93" in row["why"]
    found = librarian.get(row["records"]["url"])
    assert found.status_code == 200
    assert librarian.get(row["example"]["url"]).status_code == 200


def test_the_search_of_a_word_finds_its_records(house, librarian, theme):
    came(house, fresh("Trouvable"), records=2, meaning=near(theme))
    house.parts.sync()
    url = librarian.get("/mots-cles.json").json["rows"][0]["records"]["url"]
    assert librarian.get(url.replace("/recherche", "/recherche.json")).json["total"] == 2


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (Way.LABEL, "libellé"),
        (Way.NEAR, "écrit presque pareil que « "),
        (Way.TOGETHER, "va le plus souvent avec ce thème (62 % des notices)"),
        (Way.CENTRE, "un autre centre"),
        (Way.PERSON, "à la main"),
    ],
)
def test_each_way_of_finding_a_meaning_has_its_words(house, theme, way, said):
    meaning = Meaning(concept=theme.uri, way=way, score=0.62)
    line = Alignment(id=1, word="x", said="X", meaning=meaning, standing=Standing.WAITING, uses=1, centres=())
    assert said in word_page.why(line, house.parts.thesaurus).replace("\u00a0", " ")


def test_words_with_a_proposal_come_first_twenty_five_a_page(house, librarian, theme):
    alone = [fresh("Seul") for _ in range(PER_PAGE)]
    came(house, *alone)
    (line,) = came(house, fresh("Proposé"), meaning=near(theme))
    first = librarian.get("/mots-cles.json").json
    assert (len(first["rows"]), first["rows"][0]["word"], first["of"]) == (PER_PAGE, line.said, 2)
    assert first["next_url"] == "/mots-cles?page=2"
    last = librarian.get("/mots-cles.json?page=99").json
    assert (last["number"], len(last["rows"]), last["next_url"]) == (2, 1, None)


@pytest.mark.parametrize("query", ["?etat=acceptes", "?etat=refuses", "?etat=quoi&page=-1", ""])
def test_each_list_is_shown_and_emptiness_is_explained(librarian, query):
    answer = librarian.get(f"/mots-cles{query}")
    assert answer.status_code == 200
    assert "Mots-clés des autres centres" in answer.text


def test_a_list_without_any_word_says_where_words_come_from(house):
    fund = Fund(house.parts, frozenset(Right))
    page = word_page.page(word_page.Place(), house.parts, fund, None, None)
    bare = dataclasses.replace(page, known=0, rows=(), labels=0)
    with house.app.test_request_context("/mots-cles"):
        said = render_template("words.html", page=bare, section="travail", q="")
    assert "n’est encore arrivé" in said


def test_who_does_not_catalogue_decides_nothing(house, librarian, theme):
    (line,) = came(house, fresh("Gardé"), meaning=near(theme))
    other = house.client(Role.ANSWERER)
    assert other.get("/mots-cles").status_code == 403
    assert decide(house, other, line, "accept").status_code == 403
    assert house.parts.alignments.get(line.id).standing is Standing.WAITING


# -- deciding


def test_accepting_puts_the_term_on_the_records_and_goes_on_to_the_next_word(house, librarian, theme):
    line, other = came(house, fresh("Oui"), fresh("Puis"), records=2, meaning=near(theme))
    first, second = sorted((line, other), key=lambda one: one.word)
    answer = decide(house, librarian, first, "accept", place=0)
    assert answer.headers["Location"] == f"/mots-cles#mot-{second.id}"
    assert f"« {first.said} » est rapproché de {theme.label} : 2 notices." in flashed(librarian)
    assert set(subjects(house, first)) == {(theme.uri, "accepted")}
    answer = decide(house, librarian, second, "refuse", place=0)
    assert answer.headers["Location"] == "/mots-cles"


def test_the_word_after_the_last_one_is_the_one_before(house, librarian, theme):
    line, other = came(house, fresh("A"), fresh("B"), meaning=near(theme))
    last, before = sorted((line, other), key=lambda one: one.word, reverse=True)
    answer = decide(house, librarian, last, "accept", place=1)
    assert answer.headers["Location"] == f"/mots-cles#mot-{before.id}"


def test_refusing_a_label_takes_the_term_off_and_says_so(house, librarian, theme):
    (line,) = came(house, fresh("Non"), records=2, meaning=Meaning(concept=theme.uri, way=Way.LABEL))
    assert set(subjects(house, line)) == {(theme.uri, "proposed")}
    decide(house, librarian, line, "refuse")
    assert f"{theme.label} est retiré de 2 notices" in flashed(librarian)
    assert subjects(house, line) == []


def test_a_term_that_is_named_is_taken_instead(house, librarian, theme):
    (line,) = came(house, fresh("Autrement"))
    assert decide(house, librarian, line, "choose", terme=theme.label.upper()).status_code == 303
    held = house.parts.alignments.get(line.id)
    assert (held.meaning.concept, held.meaning.way) == (theme.uri, Way.PERSON)
    assert held.standing is Standing.ACCEPTED


def test_a_term_that_is_not_clear_is_asked_again_with_those_that_may_be_meant(house, librarian, theme):
    (line,) = came(house, fresh("Flou"))
    answer = decide(house, librarian, line, "choose", terme=theme.label[:-1])
    assert answer.status_code == 400
    assert "Vouliez-vous dire" in answer.text
    assert f'value="{theme.uri}"' in answer.text
    assert house.parts.alignments.get(line.id).standing is Standing.WAITING
    decide(house, librarian, line, "choose", concept=theme.uri)
    assert house.parts.alignments.get(line.id).meaning.concept == theme.uri


@pytest.mark.parametrize(
    ("typed", "said"), [("", "Écrivez un terme"), ("zzqx vvkw", "pas dans le thésaurus")]
)
def test_a_term_that_is_none_is_told_beside_its_field(house, librarian, typed, said):
    (line,) = came(house, fresh("Rien"))
    answer = decide(house, librarian, line, "choose", terme=typed)
    assert answer.status_code == 400
    assert said in re.search(r'class="fault"[^>]*>([^<]+)', answer.text)[1]


def test_what_is_no_term_or_no_deed_changes_nothing(house, librarian, theme):
    (line,) = came(house, fresh("Faux"), meaning=near(theme))
    assert decide(house, librarian, line, "choose", concept="https://ailleurs.fr/1").status_code == 400
    assert decide(house, librarian, line, "brûler").status_code == 400
    assert house.post(librarian, "/mots-cles/999999", do="accept").status_code == 404
    assert house.parts.alignments.get(line.id) == line


def test_who_comes_second_changes_nothing_and_is_told(house, librarian, theme):
    (line,) = came(house, fresh("Vite"), meaning=near(theme))
    house.parts.alignments.decide(line.id, Standing.REFUSED)
    house.post(librarian, f"/mots-cles/{line.id}", do="accept", vu=word_page.seen(line))
    assert "Quelqu’un d’autre" in flashed(librarian)
    assert house.parts.alignments.get(line.id).standing is Standing.REFUSED


def test_a_word_settled_long_ago_can_wait_again(house, librarian, theme):
    (line,) = came(house, fresh("Jadis"), meaning=near(theme))
    decide(house, librarian, line, "accept")
    answer = decide(house, librarian, line, "reopen", "?etat=acceptes", place=0)
    assert answer.headers["Location"] == "/mots-cles?etat=acceptes"
    assert house.parts.alignments.get(line.id) == line
    assert subjects(house, line) == []


def test_a_choice_by_hand_that_waits_again_is_looked_up_anew(house, librarian, theme):
    (line,) = came(house, fresh("Main"))
    decide(house, librarian, line, "choose", terme=theme.label)
    decide(house, librarian, line, "reopen", "?etat=acceptes")
    assert house.parts.alignments.get(line.id).meaning == line.meaning


# -- taken back


def key(client) -> str:
    return re.search(r'name="key" value="(\w+)"', client.get("/mots-cles").text)[1]


def test_the_last_decision_is_taken_back_whole(house, librarian, theme):
    (line,) = came(house, fresh("Retour"), records=2, meaning=Meaning(concept=theme.uri, way=Way.LABEL))
    before = subjects(house, line)
    other = next(c for c in house.parts.thesaurus.concepts("themes") if c.uri != theme.uri)
    decide(house, librarian, line, "choose", concept=other.uri)
    assert subjects(house, line) != before
    answer = house.post(librarian, "/mots-cles/annuler", key=key(librarian))
    assert answer.headers["Location"] == f"/mots-cles#mot-{line.id}"
    assert "C’est annulé" in flashed(librarian)
    assert subjects(house, line) == before
    assert house.parts.alignments.get(line.id) == line


def test_what_somebody_decided_since_is_not_taken_back(house, librarian, theme):
    (line,) = came(house, fresh("Trop tard"), meaning=near(theme))
    decide(house, librarian, line, "accept")
    house.parts.alignments.decide(line.id, Standing.REFUSED)
    house.post(librarian, "/mots-cles/annuler", key=key(librarian))
    assert "Quelqu’un d’autre" in flashed(librarian)
    assert house.parts.alignments.get(line.id).standing is Standing.REFUSED


def test_another_person_or_an_old_page_takes_nothing_back(house, librarian, theme, monkeypatch):
    (line,) = came(house, fresh("Mien"), meaning=near(theme))
    decide(house, librarian, line, "accept")
    house.post(librarian, "/mots-cles/annuler", key="autre")
    assert "ne peut plus être annulée" in flashed(librarian)
    kept = key(librarian)
    monkeypatch.setattr(words, "_SECONDS", -1)
    house.post(librarian, "/mots-cles/annuler", key=kept)
    assert house.parts.alignments.get(line.id).standing is Standing.ACCEPTED


# -- many at once


def test_labels_are_accepted_together_in_bounded_lots_and_taken_back_together(
    house, librarian, theme, monkeypatch
):
    monkeypatch.setattr(words, "LABELS_AT_ONCE", 2)
    label = Meaning(concept=theme.uri, way=Way.LABEL, score=1.0)
    lines = came(house, *(fresh("Libellé") for _ in range(3)), meaning=label)
    (left_out,) = came(house, fresh("Presque"), meaning=near(theme))
    assert librarian.get("/mots-cles.json").json["labels"] == 3
    house.post(librarian, "/mots-cles/libelles")
    assert "2 mots acceptés. 1 attendent encore" in flashed(librarian)
    standings = [house.parts.alignments.get(line.id).standing for line in lines]
    assert sorted(standings) == ["accepted", "accepted", "waiting"]
    house.post(librarian, "/mots-cles/annuler", key=key(librarian))
    assert [house.parts.alignments.get(line.id) for line in (*lines, left_out)] == [*lines, left_out]
    for _ in range(2):
        house.post(librarian, "/mots-cles/libelles")
    house.post(librarian, "/mots-cles/libelles")
    assert "Aucun libellé" in flashed(librarian)


def test_two_hundred_words_fit_in_what_is_kept_to_take_them_back(house, librarian, theme):
    label = Meaning(concept=theme.uri, way=Way.LABEL, score=1.0)
    lines = came(house, *(fresh("Lot") for _ in range(200)), meaning=label)
    answer = house.post(librarian, "/mots-cles/libelles")
    assert all(len(cookie) < 4093 for cookie in answer.headers.getlist("Set-Cookie"))
    house.post(librarian, "/mots-cles/annuler", key=key(librarian))
    assert house.parts.alignments.labels() == len(lines)


def test_a_word_of_many_records_is_spread_behind_the_pages(house, librarian, theme):
    parts = house.parts
    (line,) = came(house, fresh("Foule"), records=AT_ONCE + 3, meaning=near(theme))
    decide(house, librarian, line, "accept")
    assert f"{AT_ONCE} premières sont à jour" in flashed(librarian)
    assert line.said in librarian.get("/mots-cles.json").json["late"]
    assert subjects(house, line).count((theme.uri, "accepted")) == AT_ONCE
    nightly.nightly(parts, datetime.now(UTC) + timedelta(minutes=2))
    assert subjects(house, line).count((theme.uri, "accepted")) == AT_ONCE + 3
    assert librarian.get("/mots-cles.json").json["late"] == ""


# -- for everybody


def test_what_was_accepted_is_a_close_match_for_everybody(house, librarian, theme):
    visitor = house.client()
    line, other = came(house, fresh("Voisin « ici »"), fresh("Pas lui"), meaning=near(theme))
    before = visitor.get("/thesaurus/correspondances.ttl")
    decide(house, librarian, line, "accept")
    answer = visitor.get("/thesaurus/correspondances.ttl")
    assert answer.mimetype == "text/turtle"
    graph = Graph().parse(data=answer.text, format="turtle")
    (word,) = graph.subjects(SKOS.closeMatch, URIRef(theme.uri))
    assert str(graph.value(word, SKOS.prefLabel)) == line.said
    assert str(word) == f"http://localhost/thesaurus/correspondances.ttl#mot-{line.id}"
    assert other.said not in answer.text
    assert before.headers["ETag"] != answer.headers["ETag"]
    same = {"If-None-Match": answer.headers["ETag"]}
    assert visitor.get("/thesaurus/correspondances.ttl", headers=same).status_code == 304
