"""Pairs of records that may be one work, as a librarian settles them, and where merged addresses lead."""

from __future__ import annotations

import dataclasses
import re
from itertools import count

import pytest
from flask import render_template

from ingest.duplicates import Kind
from kb import merging
from kb.accounts import Role
from kb.audit import Action, Wanted
from kb.doubts import Decision
from kb.records import Page, Record
from web.notices import page_url, record_url

WORDS = [
    "quartier",
    "habitants",
    "mairie",
    "projet",
    "école",
    "emploi",
    "logement",
    "santé",
    "jeunes",
    "médiateur",
    "réunion",
    "bilan",
]
_SEEDS = count(1)


def text(seed: int, length: int = 400) -> str:
    """Words in an order of their own."""
    return " ".join(f"{WORDS[(seed * 7 + n * n) % 10]}{(seed * 31 + n) % 97}" for n in range(length))


def keep(house, title: str, *texts: str, **more: object) -> Record:
    store = house.parts.store
    record = Record(id=store.new_id("ville-caraibe"), title=title, **more)
    store.save(record, [Page(n, said) for n, said in enumerate(texts, start=1)])
    return store.get(record.id)


@pytest.fixture
def pair(house):
    """Two records of nearly one text, the second one newer by its date, and the number of their pair."""
    seed = next(_SEEDS)
    first = keep(house, f"Rapport {seed}", text(seed), date="2010", notes=("Don",))
    second = keep(house, f"Rapport {seed}", text(seed) + " version revue", date="2012", notes=("Courriel",))
    return first, second, house.parts.doubts.add(Kind.EDITION, second.id, first.id, 0.9)


@pytest.fixture(scope="module")
def librarian(house):
    return house.client(Role.LIBRARIAN)


def seen(client, id: int) -> str:
    found = re.search(r'name="vu" value="(\w+)"', client.get(f"/doublons/{id}").text)
    return found[1] if found else ""


def settle(house, client, id: int, decision: str, **more: object):
    return house.post(client, f"/doublons/{id}", decision=decision, vu=seen(client, id), **more)


# -- the list and the page of a pair


def test_the_list_tells_pairs_of_one_title_apart_and_stays_within_its_pages(house, librarian, pair):
    first, second, id = pair
    said = librarian.get("/doublons").text
    assert f'href="/doublons/{id}"' in said
    assert f"n° {first.id.partition(':')[2]} · 2010" in said
    assert f"n° {second.id.partition(':')[2]} · 2012" in said
    for page in ("9999999999999999999999", "-3", "0", "deux", "7"):
        shown = librarian.get(f"/doublons.json?page={page}")
        assert shown.status_code == 200
        assert shown.json["doubts"], page


def test_long_lists_have_pages(house, librarian):
    records = [keep(house, f"Bulletin {n}") for n in range(8)]
    for n, one in enumerate(records):
        for other in records[:n]:
            house.parts.doubts.add(Kind.PAPER, one.id, other.id, 0.1)
    first = librarian.get("/doublons.json").json
    last = librarian.get(f"/doublons.json?page={first['of']}").json
    assert (len(first["doubts"]), first["previous_url"], first["next_url"]) == (20, None, "/doublons?page=2")
    assert last["next_url"] is None
    assert {one["id"] for one in first["doubts"]}.isdisjoint(one["id"] for one in last["doubts"])
    for record in records:
        house.parts.store.delete(record.id)


def test_the_page_of_a_pair_says_why_and_puts_the_likeliest_decision_first(house, librarian, pair):
    first, second, id = pair
    told = librarian.get(f"/doublons/{id}.json").json
    assert "passages" in told["reason"]
    assert "2012" in told["reason"]
    assert told["choices"][0]["code"] == "replace"
    assert told["choices"][0]["label"].endswith(second.id.partition(":")[2])
    assert (told["kept"], told["newer"]) == (first.id, second.id)
    assert {one["label"] for one in told["differences"]} == {"Date", "Notes"}
    [passage] = told["passages"]
    assert [place["url"] for place in passage["places"]] == [page_url(second.id, 1)]


def test_codes_are_told_in_words_where_records_differ(house, librarian):
    one = keep(house, "Étude A", type="etude", language="fr", date="2010-03")
    other = keep(house, "Étude A", type="guide", language="en", date="2011")
    id = house.parts.doubts.add(Kind.NONE, one.id, other.id, 0)
    said = librarian.get(f"/doublons/{id}").text
    for words in ("mars 2010", "français", "anglais", "Guide"):
        assert words in said


def test_what_the_text_says_is_shown_as_text(house, librarian):
    one = keep(house, "<script>alert(1)</script>", text(77) + " <img src=x>")
    other = keep(house, "<b>gras</b>", text(77))
    said = librarian.get(f"/doublons/{house.parts.doubts.add(Kind.SAME_TEXT, one.id, other.id, 1)}").text
    assert "<img src=x>" not in said
    assert "<script>alert" not in said
    assert "<b>gras" not in said


# -- decisions


@pytest.mark.parametrize("keeps", [0, 1])
def test_attaching_leaves_one_record_under_the_number_chosen(house, librarian, pair, keeps):
    stays, goes = pair[keeps], pair[1 - keeps]
    answer = settle(house, librarian, pair[2], "attach", reste=stays.id)
    assert answer.status_code == 303
    left = house.parts.store.get(stays.id)
    assert set(left.notes) == {"Don", "Courriel"}
    assert left.date == stays.date
    assert house.parts.store.get_many([goes.id]) == {}
    assert merging.redirected(house.parts.store.database, goes.id) == stays.id


@pytest.mark.parametrize(
    ("keeps", "newer", "ends"),
    [
        (0, 1, "version revue"),
        (1, 1, "version revue"),
        (0, 0, None),
        (1, 0, None),
        (0, None, "version revue"),
    ],
)
def test_replacing_puts_the_newer_text_first_whichever_number_stays(
    house, librarian, pair, keeps, newer, ends
):
    stays, lead = pair[keeps], pair[1 if newer is None else newer]
    more = {} if newer is None else {"recente": lead.id}
    settle(house, librarian, pair[2], "replace", reste=stays.id, **more)
    left = house.parts.store.get(stays.id)
    assert left.date == lead.date
    assert house.parts.store.pages(stays.id)[0].text.endswith("version revue") is (ends is not None)


def test_the_smaller_text_becomes_a_part_of_the_larger_whichever_came_in_first(house, librarian):
    for large_first in (True, False):
        seed = next(_SEEDS)
        texts = [text(seed) + " " + text(seed + 500, 900), text(seed)]
        records = [
            keep(house, f"Texte {seed} {n}", said)
            for n, said in enumerate(texts if large_first else texts[::-1])
        ]
        large, small = records if large_first else records[::-1]
        id = house.parts.doubts.add(Kind.PART, records[1].id, records[0].id, 0.9)
        reason = librarian.get(f"/doublons/{id}.json").json["reason"]
        assert f"du n° {number(small)} sont dans le n° {number(large)}, plus long" in reason
        answer = settle(house, librarian, id, "part", pages="11-27")
        assert answer.status_code == 303
        part = house.parts.store.get(small.id)
        assert (part.host, part.host_pages) == (large.id, "11-27")
        assert house.parts.store.get(large.id).host is None
        assert house.parts.doubts.get(id).decision is Decision.KEEP_BOTH


def test_the_reverse_can_be_said_too(house, librarian, pair):
    first, second, id = pair
    told = librarian.get(f"/doublons/{id}.json").json["choices"]
    label = next(choice["label"] for choice in told if choice["code"] == "part-inverse")
    settle(house, librarian, id, "part-inverse")
    part = next(r for r in map(house.parts.store.get, (first.id, second.id)) if r.host)
    assert label.startswith(f"Le n° {part.id.partition(':')[2]} fait partie")


def test_a_whole_is_never_made_a_part_of_its_part(house, librarian, pair):
    first, second, id = pair
    store = house.parts.store
    store.save(dataclasses.replace(first, host=second.id))
    refused = settle(house, librarian, id, "part-inverse")
    assert refused.status_code == 409
    assert "en fait déjà partie" in refused.text
    assert (store.get(first.id).host, store.get(second.id).host) == (second.id, None)
    assert house.parts.doubts.get(id).decision is None


def test_keeping_both_can_be_noted_and_asked_again(house, librarian, pair):
    first, second, id = pair
    settle(house, librarian, id, "keep-both", edition="1")
    notes = house.parts.store.get(first.id).notes
    assert any("Autre édition" in note and second.id.partition(":")[2] in note for note in notes)
    said = librarian.get(f"/doublons/{id}").text
    assert "ne reviendra pas" in said
    assert 'name="decision"' not in said
    assert house.post(librarian, f"/doublons/{id}/rouvrir").status_code == 303
    assert 'name="decision"' in librarian.get(f"/doublons/{id}").text
    lines = house.parts.trail.lines(Wanted(object=f"doute:{id}"))
    assert [line.action for line in lines] == [Action.DOUBT_SETTLED] * 2


# -- conflicts


def test_a_record_changed_meanwhile_is_shown_again_and_nothing_is_done(house, librarian, pair):
    first, second, id = pair
    before = seen(librarian, id)
    house.parts.store.save(dataclasses.replace(first, title="Un tout autre titre"))
    answer = house.post(librarian, f"/doublons/{id}", decision="attach", vu=before)
    assert answer.status_code == 409
    assert "a changé pendant" in answer.text
    assert "Un tout autre titre" in answer.text
    assert house.parts.doubts.get(id).decision is None
    assert len(house.parts.store.get_many([first.id, second.id])) == 2


def test_a_pair_settled_twice_is_settled_once(house, librarian, pair):
    first, _, id = pair
    stamp = seen(librarian, id)
    house.post(librarian, f"/doublons/{id}", decision="attach", vu=stamp)
    again = house.post(librarian, f"/doublons/{id}", decision="attach", vu=stamp)
    assert (again.status_code, again.location) == (303, "/doublons")
    assert "était déjà réglée" in librarian.get("/doublons").text
    assert house.parts.store.get(first.id).notes == ("Don", "Courriel")
    gone = librarian.get(f"/doublons/{id}")
    assert gone.status_code == 404
    assert "est réglée" in gone.text


def test_another_decision_after_both_were_kept_changes_nothing(house, librarian, pair):
    first, second, id = pair
    stamp = seen(librarian, id)
    house.post(librarian, f"/doublons/{id}", decision="keep-both", vu=stamp)
    assert house.post(librarian, f"/doublons/{id}", decision="attach", vu=stamp).status_code == 303
    assert len(house.parts.store.get_many([first.id, second.id])) == 2


def test_a_pair_goes_with_its_record(house, librarian, pair):
    first, _, id = pair
    stamp = seen(librarian, id)
    house.parts.store.delete(first.id)
    answer = house.post(librarian, f"/doublons/{id}", decision="attach", vu=stamp)
    assert (answer.status_code, answer.location) == (303, "/doublons")


@pytest.mark.parametrize(
    "more", [{"decision": "effacer"}, {"decision": ""}, {"reste": "ville-caraibe:1"}, {"recente": "x"}]
)
def test_what_is_not_on_the_form_is_refused(house, librarian, pair, more):
    first, second, id = pair
    answer = settle(house, librarian, id, **{"decision": "replace"} | more)
    assert answer.status_code == 400
    assert house.parts.doubts.get(id).decision is None
    assert len(house.parts.store.get_many([first.id, second.id])) == 2


# -- two records brought together by hand


def number(record: Record) -> str:
    return record.id.partition(":")[2]


def test_two_records_are_brought_together_by_any_form_of_their_numbers(house, librarian):
    one, other = keep(house, "Un"), keep(house, "Autre", text(3))
    found = set()
    for typed in (
        number(other),
        f" N° {number(other)} ",
        other.id,
        f"https://centre.exemple/notice/{other.id}",
    ):
        answer = house.post(librarian, "/doublons", une=f"n°{number(one)}", autre=typed)
        assert answer.status_code == 303
        found.add(answer.location)
    assert len(found) == 1
    assert {"Titre"} == {d["label"] for d in librarian.get(f"{found.pop()}.json").json["differences"]}


def test_a_number_that_was_merged_stands_for_the_record_that_stays(house, librarian, pair):
    first, second, _ = pair
    merging.merge(house.parts.store, first.id, second.id)
    other = keep(house, "Encore un autre")
    answer = house.post(librarian, "/doublons", une=number(second), autre=number(other))
    assert {house.parts.doubts.get(int(answer.location.rpartition("/")[2])).other} == {first.id}


@pytest.mark.parametrize(
    "typed", ["", "abc", "12a", "-4", "ville caraibe:3", "9999999999", "9" * 400, "²", "1 2"]
)
def test_bad_numbers_are_told_under_their_field(house, librarian, typed):
    one = keep(house, "Un")
    answer = house.post(librarian, "/doublons", une=number(one), autre=typed)
    assert answer.status_code == 400
    assert 'id="autre-faute"' in answer.text
    assert 'id="une-faute"' not in answer.text
    assert f'value="{number(one)}"' in answer.text


def test_a_record_is_not_compared_with_itself(house, librarian):
    one = keep(house, "Un")
    answer = house.post(librarian, "/doublons", une=number(one), autre=one.id)
    assert answer.status_code == 400
    assert "deux fois la même" in answer.text


def test_a_pair_that_was_kept_apart_is_shown_when_it_is_asked_about_again(house, librarian, pair):
    first, second, id = pair
    settle(house, librarian, id, "keep-both")
    answer = house.post(librarian, "/doublons", une=number(first), autre=number(second))
    assert answer.location == f"/doublons/{id}"


# -- who may


def test_only_those_who_catalogue_get_in(house, pair):
    for role in (Role.VISITOR, Role.MEMBER, Role.ANSWERER, Role.AUDITOR):
        client = house.client(role)
        assert client.get(f"/doublons/{pair[2]}.json").status_code in (401, 403)
        assert house.post(client, f"/doublons/{pair[2]}", decision="attach").status_code in (401, 403)
    assert house.parts.doubts.get(pair[2]).decision is None


def test_restricted_records_are_settled_and_the_stricter_access_holds(house, librarian, pair):
    first, second, id = pair
    store = house.parts.store
    store.save(dataclasses.replace(first, access="network"))
    store.save(dataclasses.replace(second, access="staff"))
    assert "L’équipe seulement" in librarian.get(f"/doublons/{id}").text
    settle(house, librarian, id, "attach")
    assert store.get(first.id).access == "staff"


# -- where merged addresses lead


def merged(house, **more: object) -> tuple[Record, Record]:
    seed = next(_SEEDS)
    stays, goes = (keep(house, f"Ouvrage {seed}", text(seed), **more) for _ in range(2))
    merging.merge(house.parts.store, stays.id, goes.id)
    return stays, goes


def test_a_merged_address_answers_301_to_pages_and_programs(house):
    stays, goes = merged(house)
    client = house.client()
    ways = {
        f"/notice/{goes.id}": f"/notice/{stays.id}",
        f"/notice/{goes.id}.json": f"/notice/{stays.id}.json",
        f"/notice/{goes.id}/page/1": f"/notice/{stays.id}",
        f"/notice/{goes.id}/page/1.json": f"/notice/{stays.id}.json",
        f"/notice/{goes.id}?q=m%C3%A9diateur": f"/notice/{stays.id}?q=m%C3%A9diateur",
    }
    for address, now in ways.items():
        answer = client.get(address)
        assert (answer.status_code, answer.location) == (301, now)
    assert client.head(f"/notice/{goes.id}").status_code == 301
    assert client.get(f"/notice/{goes.id}", follow_redirects=True).status_code == 200


def test_chains_of_merges_lead_to_the_last_in_one_step(house):
    stays, goes = merged(house)
    last = keep(house, "Le dernier")
    merging.merge(house.parts.store, last.id, stays.id)
    for old in (stays, goes):
        assert house.client().get(f"/notice/{old.id}").location == f"/notice/{last.id}"


def test_only_who_may_see_the_record_is_told_where_it_went(house):
    _, goes = merged(house, access="staff")
    for role, status in (
        (Role.VISITOR, 404),
        (Role.MEMBER, 404),
        (Role.ANSWERER, 301),
        (Role.LIBRARIAN, 301),
    ):
        answer = house.client(role).get(f"/notice/{goes.id}")
        assert answer.status_code == status, role
        assert "public" not in answer.headers["Cache-Control"]
        assert answer.location is None or status == 301


def test_nothing_is_written_by_way_of_an_old_address(house, librarian):
    _, goes = merged(house)
    assert house.post(librarian, f"/notice/{goes.id}/acces", access="staff").status_code == 404


def test_when_the_record_that_stayed_goes_too_the_old_address_ends(house):
    stays, goes = merged(house)
    house.parts.store.delete(stays.id)
    assert house.client().get(f"/notice/{goes.id}").status_code == 404
    assert house.client().get("/notice/ville-caraibe:987654").status_code == 404


# -- what is told of a record on its page


def told(house, role: Role, record: Record) -> list[str]:
    headers = {}
    if role is not Role.VISITOR:
        headers["Cookie"] = f"carbet={house.parts.sessions.open(house.people[role], 'Essai')}"
    with house.app.test_request_context(headers=headers):
        page = render_template("_tend.html", page=record)
    return re.findall(r'href="([^"]+)"', page)


def test_who_catalogues_is_led_from_a_record_to_its_doubles_and_its_articles(house, pair):
    first, _, id = pair
    alone = keep(house, "Seul", "Un texte", type="cahier")
    assert told(house, Role.LIBRARIAN, first) == [f"/doublons/{id}"]
    assert told(house, Role.LIBRARIAN, alone) == [
        f"{record_url(alone.id)}/decouper",
        f"/doublons?une={number(alone)}",
    ]
    assert told(house, Role.VISITOR, first) == told(house, Role.ANSWERER, alone) == []


def test_the_number_of_a_record_is_filled_in_beforehand(librarian):
    assert 'value="12"' in librarian.get("/doublons?une=12").text
