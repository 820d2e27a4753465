"""À valider: what waits, what is doubtful in it, what a librarian decides, and the way back."""

from __future__ import annotations

import dataclasses
import re

import pytest

from kb.accounts import Role
from kb.records import Agent, Evidence, File, Origin, Page, Quality, Record, State, Subject
from web import gestures
from web.curation_forms import stamp

HOUSE = "https://carbet.example/thesaurus/"
TEXT = "La médiation sociale se fait au pied des immeubles. " * 8


@pytest.fixture
def desk(house):
    """A librarian at an empty line."""
    for waiting in house.parts.reviews.waiting(1000):
        house.parts.reviews.close(waiting.record)
    return Desk(house)


class Desk:
    """Puts records in the line, and speaks as a librarian's browser does."""

    def __init__(self, house):
        self.house, self.parts = house, house.parts
        self.client = house.client(Role.LIBRARIAN)
        self.themes = [concept.uri for concept in self.parts.thesaurus.concepts("themes")[:4]]

    def put(self, title="Médiation sociale au Lamentin", *, found=None, pages=True, batch=None, **fields):
        """A record of a file, read by the machine, with two themes proposed."""
        at = TEXT.index("médiation")
        said = Evidence(1, at, at + 17, TEXT[at : at + 17])
        subjects = (
            Subject(concept=self.themes[0], score=0.9, evidence=(said,)),
            Subject(concept=self.themes[1], score=0.45),
        )
        file = File(sha256="0" * 64, name="Rapport.txt", media_type="text/plain", size=10, pages=1)
        plain = {
            "agents": (Agent("Césaire, Anne"),),
            "date": "2010-03",
            "type": "rapport",
            "subjects": subjects,
            "files": (file,),
            "source": "depot/Rapport.txt",
        }
        id = self.parts.store.new_id("ville-caraibe")
        record = Record(id=id, title=title, **(plain | fields))
        self.parts.store.save(record, (Page(1, TEXT),) if pages is True else pages or ())
        self.parts.reviews.open(
            id, {"title": "metadata", "date": "first page"} if found is None else found, batch
        )
        return id

    def get(self, id):
        return self.parts.store.get(id)

    def waits(self, id):
        return self.parts.reviews.get(id) is not None

    def states(self, id):
        return {subject.concept: subject.state for subject in self.get(id).subjects}

    def form(self, id, **changes):
        """The fields of the page of a record, as a browser sends them back."""
        page = self.client.get(f"/a-valider/{id}.json").json
        chosen = {f"theme:{p['concept']}": p["state"] for g in page["groups"] for p in g["proposals"]}
        return {
            **page["fields"],
            **chosen,
            "updated": page["state"],
            "theme": "",
            "do": "validate",
            **changes,
        }

    def send(self, id, form=None, query="", **changes):
        return self.house.post(self.client, f"/a-valider/{id}{query}", **(form or self.form(id, **changes)))

    def tick(self, verdict, *ids, query="", **changes):
        shown = {f"state:{id}": stamp(self.get(id)) for id in ids} | changes
        return self.house.post(self.client, f"/a-valider{query}", record=list(ids), do=verdict, **shown)

    def undo(self):
        key = re.search(r'name="key" value="(\w+)"', self.client.get("/a-valider").text)
        return self.house.post(self.client, "/a-valider/annuler", key=key[1] if key else "")

    def listed(self, query=""):
        return self.client.get(f"/a-valider.json{query}").json


# -- the list


def test_what_waits_is_listed_oldest_first_with_what_is_doubtful(desk):
    sure = desk.put()
    unsure = desk.put(
        "Rapport final v2",
        found={"title": "file name", "date": "metadata"},
        agents=(Agent("Ville Caraïbe", "publisher", "body"),),
        language="und",
        type="document",
        pages=(Page(1, "zrtx", quality=Quality.GARBLED, grade=0.1),),
    )
    page = desk.listed()
    assert [row["id"] for row in page["rows"]] == [sure, unsure]
    assert (page["total"], page["rows"][0]["doubts"], page["rows"][0]["proposed"]) == (2, [], 2)
    assert [doubt["text"].replace("\u00a0", " ") for doubt in page["rows"][1]["doubts"]] == [
        "titre tiré du nom du fichier",
        "aucun auteur trouvé",
        "date : celle du fichier",
        "type non reconnu",
        "langue incertaine",
        "page 1 peu lisible",
    ]
    text = desk.client.get("/a-valider").text
    assert "Anne Césaire" in text
    assert "mars 2010" in text


def test_what_a_catalogue_says_is_not_doubted(desk):
    id = desk.put(found={"title": "file name", "date": "metadata"}, source="catalogue.csv")
    assert desk.listed()["rows"][0]["doubts"] == []
    assert desk.client.get(f"/a-valider/{id}.json").json["sources"]["title"] == "d’après le catalogue"


def test_a_title_that_was_recognised_on_a_picture_is_doubtful(desk):
    desk.put(found={"title": "first page", "date": "first page"}, pages=[Page(1, TEXT, recognised=0.9)])
    [doubt] = desk.listed()["rows"][0]["doubts"]
    assert doubt["text"] == "titre lu sur une image"


def test_the_list_is_filtered_by_doubt_and_by_deposit(desk):
    desk.put(batch=7)
    dateless = desk.put(date=None, batch=8)
    assert [row["id"] for row in desk.listed("?doute=date")["rows"]] == [dateless]
    assert desk.listed("?doute=date&depot=7")["rows"] == []
    assert desk.listed("?depot=8")["total"] == 1
    assert desk.listed("?depot=7")["rows"][0]["url"].endswith("?depot=7")
    assert desk.listed("?doute=rien&depot=x&depuis=-1")["total"] == 2
    assert "Rien de tel" in desk.client.get("/a-valider?doute=langue").text


def test_the_list_has_twenty_a_page_and_each_record_once(desk):
    ids = [desk.put(f"Titre {number}") for number in range(23)]
    first = desk.listed()
    second = desk.client.get(first["then"].replace("/a-valider", "/a-valider.json")).json
    assert [row["id"] for row in first["rows"] + second["rows"]] == ids
    assert (first["before"], second["then"]) == (None, None)


def test_a_doubt_is_looked_for_on_and_on_and_says_how_far_it_looked(desk, monkeypatch):
    monkeypatch.setattr("web.waiting._READ", 20)
    [desk.put(f"Titre {number}") for number in range(21)]
    rare = desk.put(date=None)
    first = desk.listed("?doute=date")
    assert (first["rows"], first["looked"]) == ([], 20)
    assert "parmi les 20 plus anciennes" in desk.client.get("/a-valider?doute=date").text
    then = desk.client.get(first["then"].replace("/a-valider", "/a-valider.json")).json
    assert [row["id"] for row in then["rows"]] == [rare]


def test_an_empty_line_says_so_and_what_to_do(desk):
    assert "tout ce qui est entré a été relu" in desk.client.get("/a-valider").text
    assert "dans ce dépôt" in desk.client.get("/a-valider?depot=3").text


# -- several at once


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("accept", State.ACCEPTED), ("refuse", State.REFUSED), ("seen", State.PROPOSED)],
)
def test_ticked_records_are_settled_together_and_wait_no_more(desk, verdict, state):
    ids, other = [desk.put(), desk.put()], desk.put()
    desk.tick(verdict, *ids)
    assert [set(desk.states(id).values()) for id in (*ids, other)] == [{state}, {state}, {State.PROPOSED}]
    assert [desk.waits(id) for id in (*ids, other)] == [False, False, True]
    assert {subject.origin for subject in desk.get(ids[0]).subjects} == {Origin.MACHINE}


def test_what_a_person_decided_is_left_by_a_gesture_on_the_rest(desk):
    id = desk.put()
    first, second = desk.get(id).subjects
    decided = dataclasses.replace(first, state=State.REFUSED)
    desk.parts.store.save(dataclasses.replace(desk.get(id), subjects=(decided, second)))
    desk.tick("accept", id)
    assert list(desk.states(id).values()) == [State.REFUSED, State.ACCEPTED]


def test_a_record_that_changed_meanwhile_is_left_and_named(desk):
    changed, same = desk.put("Changée entre-temps"), desk.put()
    old = stamp(desk.get(changed))
    desk.parts.store.save(dataclasses.replace(desk.get(changed), abstract="Nouveau"))
    desk.tick("accept", changed, same, **{f"state:{changed}": old})
    assert [desk.waits(changed), desk.waits(same)] == [True, False]
    assert set(desk.states(changed).values()) == {State.PROPOSED}
    assert (
        "« Changée entre-temps »".replace("« ", "«\u00a0").replace(" »", "\u00a0»")
        in desk.client.get("/a-valider").text
    )


def test_the_tick_of_the_page_stands_for_all_its_lines_without_a_script(desk):
    ids = [desk.put(), desk.put()]
    shown = {f"state:{id}": stamp(desk.get(id)) for id in ids}
    desk.house.post(desk.client, "/a-valider", all="1", do="seen", **shown)
    assert not any(map(desk.waits, ids))


def test_nothing_ticked_or_an_unknown_button_does_nothing_and_says_so(desk):
    id = desk.put()
    for verdict, ids in (("accept", []), ("burn", [id])):
        response = desk.tick(verdict, *ids)
        assert "Rien n’a été fait" in desk.client.get(response.headers["Location"]).text
    assert desk.waits(id)


def test_a_gesture_on_a_whole_page_is_undone_and_its_cookie_is_not_too_large(desk):
    ids = [desk.put(f"Titre {number}") for number in range(20)]
    desk.tick("refuse", *ids)
    assert len(desk.client.get_cookie("carbet-formulaires").value) < 4000
    desk.undo()
    assert all(map(desk.waits, ids))
    assert set(desk.states(ids[7]).values()) == {State.PROPOSED}


# -- one record


def test_a_record_is_shown_with_its_sources_and_the_words_of_each_theme_on_their_page(desk):
    id = desk.put()
    page = desk.client.get(f"/a-valider/{id}.json").json
    assert page["sources"]["title"] == "d’après les propriétés du fichier"
    assert page["sources"]["date"] == "d’après la première page"
    first = page["groups"][0]["proposals"][0]
    assert first["standing"] == "très probable, 90\u00a0%"
    assert first["reasons"][0]["url"].startswith(f"/notice/{id.replace(':', '%3A')}/page/1?q=")
    assert [p["text"] for p in first["reasons"][0]["pieces"] if p["marked"]] == ["médiation sociale"]
    text = desk.client.get(f"/a-valider/{id}").text
    assert "<mark>médiation sociale</mark>" in text
    assert page["groups"][0]["label"] == "Thèmes"


def test_words_that_are_no_longer_on_the_page_are_shown_alone(desk):
    id = desk.put(pages=(Page(1, "Un autre texte."),))
    page = desk.client.get(f"/a-valider/{id}.json").json
    assert [p["text"] for p in page["groups"][0]["proposals"][0]["reasons"][0]["pieces"]] == [
        "médiation sociale"
    ]


def test_a_theme_that_the_vocabulary_has_no_more_can_still_be_refused(desk):
    id = desk.put(subjects=(Subject(concept=HOUSE + "X99"),))
    page = desk.client.get(f"/a-valider/{id}.json").json
    assert page["groups"][0]["label"] == "Hors du thésaurus"
    desk.send(id, **{f"theme:{HOUSE}X99": "refused"})
    assert desk.states(id) == {HOUSE + "X99": State.REFUSED}


def test_validating_saves_all_closes_the_review_and_goes_to_the_next(desk):
    id, then = desk.put(), desk.put()
    accepted, refused = desk.themes[:2]
    response = desk.send(
        id,
        title="  Un   meilleur titre ",
        agents="Césaire, Anne\nVille du Lamentin",
        date="12/03/2010",
        type="etude",
        language="gcf",
        **{f"theme:{accepted}": "accepted", f"theme:{refused}": "refused"},
    )
    assert (response.status_code, response.headers["Location"]) == (
        303,
        f"/a-valider/{then.replace(':', '%3A')}",
    )
    record = desk.get(id)
    assert (record.title, record.date, record.type, record.language) == (
        "Un meilleur titre",
        "2010-03-12",
        "etude",
        "gcf",
    )
    assert [(a.name, a.kind) for a in record.agents] == [
        ("Césaire, Anne", "person"),
        ("Ville du Lamentin", "body"),
    ]
    assert desk.states(id) == {accepted: State.ACCEPTED, refused: State.REFUSED}
    assert {subject.origin for subject in record.subjects} == {Origin.MACHINE}
    assert record.subjects[0].evidence
    assert not desk.waits(id)


def test_the_next_keeps_to_the_deposit_and_to_the_doubt(desk):
    first = desk.put(batch=4, date=None)
    desk.put(batch=5, date=None)
    desk.put(batch=4)
    third = desk.put(batch=4, date=None)
    query = "?depot=4&doute=date"
    assert third.replace(":", "%3A") + query in desk.send(first, query=query).headers["Location"]
    assert desk.send(third, query=query).headers["Location"] == "/a-valider" + query


def test_skipping_goes_round_and_changes_nothing(desk):
    first, second, third = desk.put(), desk.put(), desk.put()
    for id, then in ((first, second), (second, third), (third, first)):
        location = desk.client.get(f"/a-valider/{id}/suivante").headers["Location"]
        assert location == f"/a-valider/{then.replace(':', '%3A')}"
    desk.tick("seen", first, second)
    assert desk.client.get(f"/a-valider/{third}/suivante").headers["Location"] == "/a-valider"
    assert desk.waits(third)


def test_what_is_kept_without_validating_goes_on_waiting_and_is_doubted_no_more(desk):
    id = desk.put(found={"title": "file name"}, agents=())
    assert [d["code"] for d in desk.listed()["rows"][0]["doubts"]] == ["titre", "auteurs"]
    response = desk.send(id, title="Un vrai titre", do="keep")
    assert response.headers["Location"] == f"/a-valider/{id.replace(':', '%3A')}"
    assert desk.get(id).title == "Un vrai titre"
    assert [d["code"] for d in desk.listed()["rows"][0]["doubts"]] == ["auteurs"]


def test_what_is_left_to_decide_can_be_accepted_with_the_rest(desk):
    id = desk.put()
    desk.send(id, rest="y", **{f"theme:{desk.themes[0]}": "refused"})
    assert list(desk.states(id).values()) == [State.REFUSED, State.ACCEPTED]


def test_publishers_and_what_authors_did_outlive_a_correction(desk):
    publisher, editor = Agent("Ville Caraïbe", "publisher", "body"), Agent("Morvan, Luc", "editor")
    id = desk.put(agents=(publisher, editor, Agent("Césaire, Anne")))
    desk.send(id, agents="Morvan, Luc")
    assert desk.get(id).agents == (editor, publisher)
    desk.send(id, agents="")
    assert desk.get(id).agents == (publisher,)


@pytest.mark.parametrize(
    ("typed", "date"),
    [("", None), ("2010", "2010"), ("mars 2010", "2010-03"), ("1er mars 2010", "2010-03-01"),
     ("03/2010", "2010-03"), ("3.12.2010", "2010-12-03"), ("2010-03-12", "2010-03-12")],
)  # fmt: skip
def test_dates_are_read_as_people_type_them(desk, typed, date):
    id = desk.put(date="1998")
    desk.send(id, date=typed)
    assert desk.get(id).date == date


@pytest.mark.parametrize(
    "typed", ["vers 2010", "31/02/2010", "12 marsupial 2010", "13/2010", "3010", "2010 2011"]
)
def test_a_date_that_cannot_be_kept_whole_is_refused_and_nothing_typed_is_lost(desk, typed):
    id = desk.put()
    response = desk.send(id, date=typed, title="Titre tapé", **{f"theme:{desk.themes[0]}": "refused"})
    assert response.status_code == 400
    assert "Cette date n’est pas comprise" in response.text
    assert f'value="{typed}"' in response.text
    assert "Titre tapé" in response.text
    assert re.search(rf'name="theme:{re.escape(desk.themes[0])}" value="refused" checked', response.text)
    assert desk.waits(id)
    assert desk.get(id).date == "2010-03"


def test_a_record_without_title_or_of_an_unknown_type_is_refused(desk):
    id = desk.put()
    assert "Donnez un titre" in desk.send(id, title=" \n ").text
    assert desk.send(id, type="roman").status_code == 400
    assert desk.send(id, language="xx").status_code == 400
    assert desk.get(id).type == "rapport"


def test_a_language_of_no_list_is_kept(desk):
    id = desk.put(language="la")
    desk.send(id)
    assert desk.get(id).language == "la"


def test_what_the_form_does_not_declare_is_not_read(desk):
    id = desk.put()
    desk.send(
        id, access="staff", abstract="x", **{f"theme:{HOUSE}T99": "accepted", f"theme:{desk.themes[0]}": "?"}
    )
    record = desk.get(id)
    assert (record.access, record.abstract) == ("public", None)
    assert desk.states(id) == dict.fromkeys(desk.themes[:2], State.PROPOSED)


# -- themes to add


def test_a_theme_is_added_by_any_of_its_labels_as_the_librarians_own(desk):
    id = desk.put()
    desk.send(id, theme="cucs")
    added = desk.get(id).subjects[-1]
    assert desk.parts.thesaurus.get(added.concept).label == "Contrat urbain de cohésion sociale"
    assert (added.origin, added.state, added.score) == (Origin.LIBRARIAN, State.ACCEPTED, 1.0)


def test_adding_shows_the_theme_before_it_is_saved(desk):
    id = desk.put()
    response = desk.send(id, theme="CUCS", do="add", title="Tapé")
    assert response.status_code == 200
    assert 'name="added" value="https://carbet.example/thesaurus/D-CUCS" checked' in response.text
    assert "Tapé" in response.text
    assert len(desk.get(id).subjects) == 2
    desk.send(id, added="https://carbet.example/thesaurus/D-CUCS")
    assert len(desk.get(id).subjects) == 3


def test_a_word_of_several_themes_asks_which_and_validates_nothing(desk):
    id = desk.put()
    response = desk.send(id, theme="DSU")
    assert response.status_code == 400
    assert "choisissez ci-dessous" in response.text
    assert "Dotation de solidarité urbaine" in response.text
    assert "Développement social urbain" in response.text
    assert desk.waits(id)


def test_what_was_chosen_for_a_word_is_added_though_the_word_still_stands(desk):
    id, chosen = desk.put(), HOUSE + "D-DSU"
    assert f'value="{chosen}"' in desk.send(id, theme="DSU").text
    assert desk.send(id, theme="DSU", added=chosen).status_code == 303
    assert [s.concept for s in desk.get(id).subjects[2:]] == [chosen]


def test_the_beginning_of_a_word_only_proposes_and_an_unknown_word_says_so(desk):
    id = desk.put()
    assert "Médiation culturelle" in desk.send(id, theme="médiation cult").text
    assert "n’est pas dans le thésaurus" in desk.send(id, theme="zzyzx").text
    assert len(desk.get(id).subjects) == 2


def test_adding_a_theme_that_was_refused_accepts_it_and_leaves_it_the_machines(desk):
    id = desk.put()
    label = desk.parts.thesaurus.get(desk.themes[0]).label
    desk.send(id, theme=label, **{f"theme:{desk.themes[0]}": "refused"})
    first = desk.get(id).subjects[0]
    assert (first.state, first.origin, len(desk.get(id).subjects)) == (State.ACCEPTED, Origin.MACHINE, 2)


def test_terms_complete_what_is_typed_and_what_they_say_is_understood(desk):
    terms = desk.client.get("/a-valider/termes.json?q=sainte-an").json["terms"]
    assert len(terms) >= 2
    for term in terms:
        id = desk.put()
        desk.send(id, theme=term["label"])
        assert desk.get(id).subjects[-1].concept == term["concept"]
    assert desk.client.get("/a-valider/termes.json?q=x").json == {"terms": []}


# -- two at once


def test_both_values_are_shown_when_somebody_else_was_quicker_and_nothing_typed_is_lost(desk):
    id = desk.put()
    mine, theirs = desk.themes[:2]
    form = desk.form(id, title="Mon titre", **{f"theme:{mine}": "accepted"})
    other = dataclasses.replace(
        desk.get(id),
        title="Leur titre",
        date="1999",
        subjects=tuple(
            dataclasses.replace(s, state=State.REFUSED) if s.concept == theirs else s
            for s in desk.get(id).subjects
        ),
    )
    desk.parts.store.save(other)
    response = desk.send(id, form)
    assert response.status_code == 409
    assert "Mon titre</textarea>" in response.text
    assert "«\u00a0Leur titre\u00a0»" in response.text
    assert 'value="1999"' in response.text  # what was not touched here follows the record
    assert "maintenant\u00a0: refusé" in response.text
    assert desk.get(id) == desk.parts.store.get(id)
    assert desk.get(id).title == "Leur titre"
    again = {**form, "updated": stamp(desk.get(id)), "date": "1999", f"theme:{theirs}": "refused"}
    assert desk.send(id, again).status_code == 303
    assert (desk.get(id).title, desk.get(id).date) == ("Mon titre", "1999")
    assert desk.states(id) == {mine: State.ACCEPTED, theirs: State.REFUSED}


def test_a_record_that_waits_no_more_says_so_and_can_still_be_corrected(desk):
    id = desk.put()
    desk.tick("seen", id)
    assert "n’attend plus" in desk.client.get(f"/a-valider/{id}").text
    desk.send(id, title="Corrigée après")
    assert desk.get(id).title == "Corrigée après"


# -- the way back


def test_a_validation_is_undone_to_the_former_version_and_waits_again(desk):
    id = desk.put(found={"title": "file name"}, batch=9)
    before = desk.get(id)
    desk.send(id, title="Autre", theme="CUCS", rest="y")
    assert "notice validée" in desk.client.get("/a-valider").text
    response = desk.undo()
    after = desk.get(id)
    assert response.headers["Location"] == f"/a-valider/{id.replace(':', '%3A')}"
    assert dataclasses.replace(after, updated=None) == dataclasses.replace(before, updated=None)
    review = desk.parts.reviews.get(id)
    assert (review.found, review.batch) == ({"title": "file name"}, 9)


def test_a_validation_that_changed_nothing_is_undone_too(desk):
    id = desk.put()
    versions = len(desk.parts.versions.of(id))
    desk.send(id)
    desk.undo()
    assert desk.waits(id)
    assert len(desk.parts.versions.of(id)) == versions


def test_nothing_is_undone_over_the_work_of_somebody_else(desk):
    id = desk.put()
    desk.send(id, title="Le mien")
    desk.parts.store.save(dataclasses.replace(desk.get(id), title="Le leur"))
    assert "Rien n’a été annulé" in desk.client.get(desk.undo().headers["Location"]).text
    assert (desk.get(id).title, desk.waits(id)) == ("Le leur", False)


def test_a_gesture_is_undone_once_by_who_did_it_and_not_for_ever(desk, monkeypatch):
    id = desk.put()
    desk.send(id, title="Le mien")
    page = desk.client.get("/a-valider").text
    key = re.search(r'name="key" value="(\w+)"', page)[1]
    wrong = desk.house.post(desk.client, "/a-valider/annuler", key="0" * 8)
    assert "ne peut plus être annulé" in desk.client.get(wrong.headers["Location"]).text
    monkeypatch.setattr(gestures, "_SECONDS", -1)
    assert 'name="key"' not in desk.client.get("/a-valider").text
    desk.house.post(desk.client, "/a-valider/annuler", key=key)
    assert desk.get(id).title == "Le mien"
    monkeypatch.undo()
    desk.client.set_cookie("carbet", desk.parts.sessions.open(desk.house.people[Role.DIRECTOR], "Autre"))
    assert 'name="key"' not in desk.client.get("/a-valider").text


# -- taking a record out


def test_a_record_is_taken_out_after_being_told_what_is_lost(desk):
    id, then = desk.put(), desk.put()
    part = desk.put("Une partie", host=id)
    page = desk.client.get(f"/a-valider/{id}/retirer").text
    for words in ("le texte lu, 1", "2\u00a0thèmes", "1\u00a0partie", "Rapport.txt", "tel quel"):
        assert words in page
    response = desk.house.post(desk.client, f"/a-valider/{id}/retirer", updated=stamp(desk.get(id)))
    assert response.headers["Location"] == f"/a-valider/{then.replace(':', '%3A')}"
    assert desk.client.get(f"/a-valider/{id}").status_code == 404
    assert desk.get(part).host == id
    assert desk.parts.versions.of(id)[0].record.title == "Médiation sociale au Lamentin"


def test_a_record_that_changed_meanwhile_is_not_taken_out(desk):
    id = desk.put()
    for sent in ({"updated": "avant"}, {}):
        assert desk.house.post(desk.client, f"/a-valider/{id}/retirer", **sent).status_code == 409
    assert desk.waits(id)


# -- who


@pytest.mark.parametrize("role", [Role.VISITOR, Role.MEMBER, Role.ANSWERER, Role.AUDITOR, Role.CENTRE])
def test_only_those_who_catalogue_get_in(desk, role):
    id, client = desk.put(), desk.house.client(role)
    for path in (
        "",
        ".json",
        f"/{id}",
        f"/{id}.json",
        f"/{id}/suivante",
        f"/{id}/retirer",
        "/termes.json?q=ville",
    ):
        assert client.get(f"/a-valider{path}").status_code in (303, 401, 403), path
    for path in ("", f"/{id}", f"/{id}/retirer", "/annuler"):
        refused = desk.house.post(client, f"/a-valider{path}", do="accept", record=id)
        assert refused.status_code in (401, 403), path
    assert desk.waits(id)


def test_records_of_any_access_are_looked_at(desk):
    for access in ("public", "network", "staff", "onsite"):
        id = desk.put(access=access)
        assert "<mark>" in desk.client.get(f"/a-valider/{id}").text


def test_what_does_not_exist_is_not_found(desk):
    for path in (
        "ville-caraibe:999999",
        "rien",
        "ville-caraibe:999999/suivante",
        "ville-caraibe:999999/retirer",
    ):
        assert desk.client.get(f"/a-valider/{path}").status_code == 404
    assert desk.house.post(desk.client, "/a-valider/ville-caraibe:999999", title="x").status_code == 404
