"""What differs between two records and two texts, side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.differences import differences, marked, passages
from ingest.drafts import Draft
from kb.records import Agent, Copy, Page, Record

HERE = Record(
    id="vc:1",
    title="Guide de la médiation",
    agents=(Agent("Roy, Léa"), Agent("Ville des Îles", kind="body")),
    date="2023",
    keywords=("médiation", "quartier"),
    identifiers={"isbn": "1", "issn": "2"},
    copies=(Copy("MED 1"), Copy(barcode="77")),
)


def test_fields_that_differ_are_told_in_order_as_text():
    other = Record(id="vc:2", title="Guide de la médiation sociale", agents=(Agent("Roy, Léa"),), date="2024")
    told = [(d.field, d.here, d.there) for d in differences(HERE, other)]
    assert told == [
        ("title", "Guide de la médiation", "Guide de la médiation sociale"),
        ("agents", "Roy, Léa ; Ville des Îles", "Roy, Léa"),
        ("date", "2023", "2024"),
        ("copies", "MED 1 ; 77", ""),
        ("keywords", "médiation ; quartier", ""),
        ("identifiers", "isbn 1 ; issn 2", ""),
    ]


def test_a_draft_and_a_record_are_compared_and_what_is_the_same_is_left_out():
    assert differences(HERE, HERE) == ()
    assert [d.field for d in differences(Draft(title=HERE.title), Record(id="vc:3", title="Autre"))] == [
        "title",
        "language",
    ]


def test_words_that_differ_are_marked_and_the_others_not():
    pieces = marked("Guide de la Médiation sociale, 2023", "Guide de la mediation scolaire, 2024")
    assert [(p.here, p.there) for p in pieces if not p.same] == [("sociale", "scolaire"), ("2023", "2024")]
    assert pieces[0].here == "Guide de la Médiation "
    assert pieces[0].there == "Guide de la mediation "


@given(st.text(alphabet="ab,’ É\n.", max_size=40), st.text(alphabet="ab,’ É\n.", max_size=40))
def test_pieces_joined_are_both_texts_whole(here: str, there: str):
    pieces = marked(here, there)
    assert "".join(piece.here for piece in pieces) == here
    assert "".join(piece.there for piece in pieces) == there


def pages(*texts: str) -> list[Page]:
    return [Page(number, text) for number, text in enumerate(texts, start=1)]


def numbered(first: int, last: int) -> str:
    return " ".join(f"mot{n}" for n in range(first, last))


def test_texts_differ_where_words_do_with_the_page_of_each():
    here = pages(numbered(0, 50), f"{numbered(50, 80)} vingt euros {numbered(80, 120)}")
    there = pages(f"{numbered(0, 80)} trente euros {numbered(80, 120)}")
    (passage,), total = passages(here, there)
    assert (passage.page, passage.other_page, total) == (2, 1, 1)
    changed = [(p.here.strip(), p.there.strip()) for p in passage.pieces if not p.same]
    assert changed == [("vingt", "trente")]
    assert passage.pieces[0].here.endswith("mot79 ")


def test_what_only_one_text_has_stands_alone_on_its_side():
    base, more = (
        pages(numbered(0, 60)),
        pages(numbered(0, 30) + " une phrase de plus ici " + numbered(30, 60)),
    )
    (added,), _ = passages(base, more)
    assert (added.page, added.other_page) == (0, 1)
    assert [p.there.strip() for p in added.pieces if not p.same] == ["une phrase de plus ici"]
    (removed,), _ = passages(more, base)
    assert (removed.page, removed.other_page) == (1, 0)
    assert [p.here.strip() for p in removed.pieces if not p.same] == ["une phrase de plus ici"]


def test_case_accents_lines_and_pages_are_no_differences():
    assert passages(
        pages("Les élèves du\nquartier, au complet"), pages("LES ELEVES", "du quartier au complet")
    ) == (
        (),
        0,
    )
    assert passages((), ()) == ((), 0)


def test_a_paragraph_that_moved_is_told_as_no_loss():
    a, b, c = numbered(0, 40), numbered(100, 140), numbered(200, 240)
    _, total = passages(pages(f"{a} {b} {c}"), pages(f"{a} {c} {b}"))
    assert total == 0


def test_only_so_many_places_are_shown_and_all_are_counted():
    here = " ".join(f"{numbered(n * 20, n * 20 + 19)} ici{n}" for n in range(30))
    there = " ".join(f"{numbered(n * 20, n * 20 + 19)} là{n}" for n in range(30))
    shown, total = passages(pages(here), pages(there), most=5)
    assert (len(shown), total) == (5, 30)


def test_a_whole_text_that_differs_is_cut_short():
    (passage,), total = passages(pages(numbered(0, 5000)), pages(numbered(5000, 9000)))
    assert total == 1
    assert sum(len(piece.here.split()) for piece in passage.pieces) <= 420


def test_a_text_against_none_is_told_whole():
    (passage,), _ = passages(pages("un deux trois quatre cinq"), ())
    assert [p.here.strip() for p in passage.pieces] == ["un deux trois quatre cinq"]
