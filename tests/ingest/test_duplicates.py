"""What is already known: near texts, editions, parts, works on paper."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.drafts import Draft
from ingest.duplicates import (
    Kind,
    compare,
    find,
    sequences,
    sketch,
    sketch_missing,
    sketch_of,
    title_sketch,
)
from kb.database import Store
from kb.records import Agent, File, Page, Record
from kb.sketches import Sketches

SYLLABLES = [c + v for c in "bcdfglmnprstv" for v in ("a", "é", "i", "o", "ou", "an")]


def words(seed: int, count: int) -> list[str]:
    """A text of its own, whose words come back as those of a language do."""
    random = Random(seed)
    lexicon = ["".join(random.choices(SYLLABLES, k=random.randint(1, 4))) for _ in range(800)]
    return random.choices(lexicon, weights=[1 / rank for rank in range(1, 801)], k=count)


def paged(text: list[str], size: int = 300, *, recognised: float | None = None) -> tuple[Page, ...]:
    """The words on pages of so many; lines of twelve."""
    pages = []
    for number, start in enumerate(range(0, len(text), size), start=1):
        part = text[start : start + size]
        lines = "\n".join(" ".join(part[at : at + 12]) for at in range(0, len(part), 12))
        pages.append(Page(number, lines, recognised=recognised))
    return tuple(pages)


def altered(text: list[str], share: float, seed: int = 9) -> list[str]:
    """The text with that share of its words written otherwise, here and there."""
    random = Random(seed)
    return [word + "x" if random.random() < share else word for word in text]


TEXT = words(1, 3000)
HELD = Record(id="vc:1", title="Guide de la médiation sociale", date="2023")
TOLD = Draft(title="Guide de la médiation sociale", date="2023", language="fr")


def kinds(told: Draft, pages: tuple[Page, ...], held: Record = HELD) -> Kind:
    return compare(told, pages, held, paged(TEXT)).kind


def test_the_same_text_on_other_pages_and_lines_is_the_same():
    likeness = compare(TOLD, paged([w.upper() for w in TEXT], 170), HELD, paged(TEXT))
    assert likeness.kind is Kind.SAME_TEXT
    assert likeness.resemblance == likeness.inside == likeness.around == 1.0
    assert (
        likeness.reason
        == "100\u00a0% des passages sont communs\u00a0; même titre\u00a0; même date\u00a0: 2023"
    )
    assert likeness.differences == ()


def test_a_format_that_moves_some_lines_is_the_same_text():
    moved = TEXT[40:] + TEXT[:40]
    assert kinds(TOLD, paged(altered(moved, 0.01))) is Kind.SAME_TEXT


def test_another_date_makes_another_edition_of_a_text_that_changed_a_little():
    told = dataclasses.replace(TOLD, date="2024")
    likeness = compare(told, paged(altered(TEXT, 0.015)), HELD, paged(TEXT))
    assert likeness.kind is Kind.EDITION
    assert "dates différentes\u00a0: 2024 et 2023" in likeness.reason
    assert [d.field for d in likeness.differences] == ["date"]


def test_a_date_told_more_precisely_is_no_other_one():
    assert kinds(dataclasses.replace(TOLD, date="2023-05-12"), paged(altered(TEXT, 0.015))) is Kind.SAME_TEXT


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Guide de la médiation sociale, 2e édition", "date": None},
        {"issue": "4"},
        {"subtitle": "version 2"},
    ],
)
def test_numbers_tell_editions_apart(changes: dict[str, str]):
    assert kinds(dataclasses.replace(TOLD, **changes), paged(altered(TEXT, 0.015))) is Kind.EDITION


def test_two_isbn_are_two_editions():
    told = dataclasses.replace(TOLD, identifiers={"isbn": "9782111289925"})
    held = dataclasses.replace(HELD, identifiers={"isbn": "9782296045347"})
    assert kinds(told, paged(TEXT), held) is Kind.EDITION


def test_dates_that_files_give_themselves_do_not_part_texts_that_say_one_date():
    front = ["Juin", "2019", *TEXT]
    told, held = dataclasses.replace(TOLD, date="2024-05-02"), dataclasses.replace(HELD, date="2020-01-01")
    assert compare(told, paged(front), held, paged(altered(front, 0.01))).kind is Kind.SAME_TEXT
    other = ["Mai", "2019", *TEXT]
    assert compare(told, paged(front), held, paged(other)).kind is Kind.EDITION


def test_a_text_rewritten_in_good_part_under_its_title_is_an_edition():
    assert kinds(TOLD, paged(altered(TEXT, 0.12))) is Kind.EDITION
    assert kinds(TOLD, paged(words(2, 3000))) is Kind.NONE


def test_pages_that_repeat_each_other_under_other_titles_are_two_works():
    theft = dataclasses.replace(TOLD, title="Passeport d’un mineur en cas de vol", date=None)
    loss = dataclasses.replace(HELD, title="Passeport d’un mineur en cas de perte", date=None)
    assert kinds(theft, paged(altered(TEXT, 0.05)), loss) is Kind.NONE


def test_a_file_with_another_title_but_the_same_text_is_seen():
    told = dataclasses.replace(TOLD, title="Microsoft Word - doc final 3", date=None)
    assert kinds(told, paged(TEXT)) is not Kind.NONE
    front = ["Guide", "de", "la", "médiation", "sociale", *TEXT]
    assert kinds(dataclasses.replace(told, title="Scan du bureau"), paged(front)) is Kind.SAME_TEXT


def test_a_part_is_inside_and_a_whole_is_around():
    chapter = TEXT[900:1500]
    told = Draft(title="Les métiers de la médiation")
    inside = compare(told, paged(chapter), HELD, paged(TEXT))
    assert (inside.kind, inside.inside) == (Kind.PART, 1.0)
    assert inside.around < 0.25
    assert "de ce document sont dans l’autre" in inside.reason
    around = compare(TOLD, paged(TEXT), HELD, paged(chapter))
    assert (around.kind, around.around) == (Kind.PART, 1.0)
    assert "de l’autre sont dans ce document" in around.reason


def test_a_set_phrase_of_some_lines_makes_no_likeness():
    phrase = words(5, 100)
    likeness = compare(TOLD, paged(phrase + words(6, 1500)), HELD, paged(phrase + words(7, 1500)))
    assert likeness.kind is Kind.NONE
    assert 0.01 < likeness.resemblance < 0.1


def test_short_texts_are_the_same_only_under_the_same_title():
    short = TEXT[:60]
    other = Draft(title="Guide de la médiation scolaire", date="2023")
    assert compare(TOLD, paged(short), HELD, paged(short)).kind is Kind.SAME_TEXT
    assert compare(other, paged(short), HELD, paged(short)).kind is Kind.NONE
    assert compare(TOLD, paged(short[:40]), HELD, paged(short)).kind is Kind.NONE


def test_a_recognised_text_is_compared_with_indulgence():
    misread = altered(TEXT, 0.08)
    likeness = compare(TOLD, paged(misread, recognised=0.9), HELD, paged(TEXT))
    assert likeness.kind is Kind.SAME_TEXT
    assert "reconnaissance" in likeness.reason
    assert compare(TOLD, paged(misread), HELD, paged(TEXT)).kind is Kind.EDITION


# -- works on paper

PAPER = Record(
    id="vc:1",
    title="Habiter les quartiers de demain",
    date="2011",
    agents=(Agent("Morvan, Ghislaine"),),
    call_number="HAB 3",
)
FILE = Draft(title="Habiter les quartiers de demain", date="2011-05", agents=(Agent("Morvan, G."),))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, Kind.PAPER),
        ({"title": "Habiter les quartier de demain"}, Kind.PAPER),
        ({"title": "HABITER LES QUARTIERS DE DEMAIN."}, Kind.PAPER),
        ({"title": "Habiter les quartiers d’hier"}, Kind.NONE),
        ({"title": "Habiter les quartiers de demain, tome 2"}, Kind.NONE),
        ({"date": "2012"}, Kind.PAPER),
        ({"date": "2014"}, Kind.NONE),
        ({"date": None}, Kind.PAPER),
        ({"date": None, "agents": ()}, Kind.NONE),
        ({"agents": (Agent("Belfan, Honorat"),)}, Kind.PAPER),
        ({"agents": (Agent("Belfan, Honorat"),), "title": "Habiter le quartier de demain"}, Kind.NONE),
        ({"agents": (Agent("Belfan, Honorat"),), "date": "2012"}, Kind.NONE),
        ({"type": "rapport"}, Kind.PAPER),
    ],
)
def test_a_file_is_the_form_of_a_paper_work_by_title_year_and_author(changes: dict[str, object], kind: Kind):
    told = dataclasses.replace(FILE, **changes)  # type: ignore[arg-type]
    assert compare(told, paged(TEXT), PAPER, ()).kind is kind


def test_one_isbn_is_one_work_and_two_are_two():
    isbn = {"isbn": "9782111289925"}
    told = Draft(title="Les quartiers", identifiers=isbn)
    likeness = compare(told, paged(TEXT), dataclasses.replace(PAPER, identifiers=isbn), ())
    assert (likeness.kind, likeness.score) == (Kind.PAPER, 1.0)
    assert "même ISBN" in likeness.reason
    other = dataclasses.replace(PAPER, identifiers={"isbn": "9782296045347"})
    assert compare(dataclasses.replace(FILE, identifiers=isbn), paged(TEXT), other, ()).kind is Kind.NONE


def test_another_type_and_titles_that_say_nothing_are_no_paper_form():
    report = dataclasses.replace(PAPER, type="rapport")
    assert compare(dataclasses.replace(FILE, type="guide"), paged(TEXT), report, ()).kind is Kind.NONE
    annex = dataclasses.replace(PAPER, title="Annexes")
    assert compare(dataclasses.replace(FILE, title="Annexes"), paged(TEXT), annex, ()).kind is Kind.NONE


# -- sampling


def test_hashes_are_the_same_in_every_process():
    pages = paged(["Médiation", "sociale", "en", "Martinique", "2010"])
    code = (
        "from ingest.duplicates import sequences; from kb.records import Page;"
        "print(sequences([Page(1, 'Médiation sociale en Martinique 2010')]).tolist())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(sequences(pages).tolist())
    assert len(sequences(pages)) == 2


@given(st.lists(st.sampled_from(SYLLABLES), max_size=60), st.integers(1, 60))
def test_accents_signs_and_pages_change_nothing(text: list[str], size: int):
    plain = [word.replace("é", "e") for word in text]
    other = paged([f"« {word.upper()} »" for word in plain], size)
    assert sequences(paged(text)).tolist() == sequences(other).tolist()
    assert all(0 <= value < 2**63 for value in sequences(other).tolist())


def test_a_sketch_is_the_smallest_hashes_and_grows_with_the_text():
    some, many = sequences(paged(words(1, 3000))), sequences(paged(words(1, 40_000)))
    assert sketch(some) == sorted(some.tolist())[:200]
    assert len(sketch(many)) == len(many) // 64 > 200
    assert sketch(sequences(())) == []


def test_two_sketches_tell_how_much_of_one_text_is_in_the_other():
    """Below the lower of their largest hashes both are complete."""
    whole, part = sequences(paged(words(1, 40_000))), sequences(paged(words(1, 40_000)[5000:9000]))
    one, other = sketch(whole), sketch(part)
    bound = min(max(one), max(other))
    below = {h for h in other if h <= bound}
    assert len(below & set(one)) / len(below) > 0.9
    elsewhere = sketch(sequences(paged(words(4, 4000))))
    assert len(set(elsewhere) & set(one)) / len(elsewhere) < 0.05


def test_titles_are_sampled_apart_from_texts():
    assert all(value < 0 for value in title_sketch("Habiter les quartiers de demain"))
    assert title_sketch("HABITER, les Quartiers") == title_sketch("quartiers habiter")
    assert set(title_sketch("Tome 2")) != set(title_sketch("Tome 3"))
    assert title_sketch("") == []


# -- asking the fund


def hold(store: Store, record: Record, pages: tuple[Page, ...] = ()) -> None:
    store.save(record, pages)
    Sketches(store.database).keep(record.id, sketch_of(record, pages))


def test_the_fund_is_asked_and_answers_the_same_text_first(store: Store):
    hold(store, HELD, paged(TEXT))
    hold(store, dataclasses.replace(HELD, id="vc:2", date="2020"), paged(altered(TEXT, 0.1)))
    hold(store, Record(id="vc:3", title="Tout autre chose"), paged(words(3, 3000)))
    hold(store, Record(id="vc:4", title="Extrait du guide"), paged(TEXT[300:800]))
    found = find(TOLD, paged(TEXT), store)
    assert [(id, likeness.kind) for id, likeness in found] == [
        ("vc:1", Kind.SAME_TEXT),
        ("vc:2", Kind.EDITION),
        ("vc:4", Kind.PART),
    ]
    assert [id for id, _ in find(HELD, paged(TEXT), store, itself="vc:1")] == ["vc:2", "vc:4"]


def test_a_paper_work_is_found_although_its_title_has_a_slip(store: Store):
    hold(store, dataclasses.replace(PAPER, title="Habiter les quartier de demain"))
    hold(store, Record(id="vc:2", title="Les quartiers d’hier", date="2011"))
    assert [(id, like.kind) for id, like in find(FILE, paged(TEXT), store)] == [("vc:1", Kind.PAPER)]


def test_a_paper_work_is_found_by_its_isbn_or_its_title_although_no_sample_is_kept(store: Store):
    isbn = {"isbn": "9782111289925"}
    store.save(Record(id="vc:1", title="Autre titre de couverture", identifiers=isbn))
    store.save(dataclasses.replace(PAPER, id="vc:2"))
    told = dataclasses.replace(FILE, identifiers=isbn)
    assert {id for id, _ in find(told, paged(TEXT), store)} == {"vc:1", "vc:2"}


def test_a_catalogue_record_finds_the_file_of_its_work(store: Store):
    file = File(sha256="a" * 64, name="a.pdf", media_type="application/pdf", size=1, pages=10)
    hold(store, Record(id="vc:1", title=FILE.title, date="2011", files=(file,)), paged(TEXT))
    assert [(id, like.kind) for id, like in find(FILE, (), store)] == [("vc:1", Kind.PAPER)]


def test_parts_and_their_host_are_no_doubles(store: Store):
    hold(store, HELD, paged(TEXT))
    part = Record(id="vc:2", title="Un chapitre du guide", host="vc:1")
    hold(store, part, paged(TEXT[300:800]))
    assert find(part, paged(TEXT[300:800]), store, itself="vc:2") == []
    assert find(HELD, paged(TEXT), store, itself="vc:1") == []
    stranger = dataclasses.replace(part, id="vc:3", host=None)
    assert {id for id, _ in find(stranger, paged(TEXT[300:800]), store)} == {"vc:1", "vc:2"}


def test_a_short_text_under_one_title_may_differ_by_what_surrounds_it():
    short = words(8, 100)
    assert compare(TOLD, paged([*short, *words(9, 15)]), HELD, paged(short)).kind is Kind.SAME_TEXT
    near = dataclasses.replace(TOLD, title="Guide de la médiation sociales")
    assert compare(near, paged([*short, *words(9, 15)]), HELD, paged(short)).kind is Kind.NONE


def test_records_that_were_never_sampled_are_sampled_once(store: Store) -> None:
    for number in (1, 2, 3):
        store.save(Record(id=f"vc:{number}", title=f"La médiation sociale, volume {number}"))
    sketches = Sketches(store.database)
    sketches.keep("vc:2", [5])
    last = sketch_missing(store, "", 2)
    assert last == "vc:3"
    assert sketch_missing(store, last, 2) is None
    assert sketches.of("vc:2") == [5]
    assert sketches.of("vc:1") == title_sketch("La médiation sociale, volume 1")
