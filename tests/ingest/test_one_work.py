"""A work on paper and its file are one record, whichever comes first; nothing else is merged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.isolation import Sandbox
from ingest.outcomes import Outcome, Status
from ingest.pipeline import ingest
from ingest.tagging import Tagger
from kb.database import Store
from kb.records import Origin, Record, State

Run = Callable[[Path], Outcome]
Inbox = Callable[[str, bytes | str], Path]

THEME = "https://example.org/themes/"
TITLE = "La médiation sociale au quotidien"
ROWS = "titre;cote;année;type;code-barres;résumé;mots-clés\n"
ROW = f"{TITLE};AME 12;2012;Guide méthodologique;77;Un résumé de la notice.;santé\n"


@pytest.fixture
def run(store: Store, tagger: Tagger, sandbox: Sandbox) -> Run:
    def taken(path: Path) -> Outcome:
        (outcome,) = ingest([path], store, tagger, centre="vc", sandbox=sandbox)
        return outcome

    return taken


@pytest.fixture
def document(inbox: Inbox, make: Any) -> Callable[..., Path]:
    """A page that says its title, its date and its type."""

    def write(
        name: str = "guide.html", title: str = TITLE, date: str = "2012-03-15", type: str = "Guide"
    ) -> Path:
        said = {"DC.title": title, "DC.date": date, "DC.type": type, "DC.publisher": "Ville Caraïbe"}
        metas = "".join(f'<meta name="{key}" content="{value}">' for key, value in said.items() if value)
        return inbox(name, f"<html><head>{metas}</head><body><p>{make.text}</p></body></html>")

    return write


def again(run: Run, store: Store, *paths: Path) -> list[Status]:
    """Statuses of a second run, which must not have moved the fund."""
    before = (store.position(), len(store))
    statuses = [run(path).status for path in paths]
    assert (store.position(), len(store)) == before
    return statuses


def only(store: Store) -> Record:
    (id,) = store.ids()
    return store.get(id)


def test_a_file_joins_the_notice_of_the_work_on_paper(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path]
) -> None:
    rows, file = inbox("fonds.csv", ROWS + ROW), document(title=TITLE.upper())
    first, second = run(rows), run(file)
    assert (second.status, second.ids, second.pages) == (Status.UPDATED, first.ids, 1)
    assert second.warnings == (f"fichier rattaché à la notice de l’ouvrage papier n° 1, « {TITLE} »",)
    record = only(store)
    assert (record.title, record.date, record.call_number) == (TITLE, "2012", "AME 12")
    assert (record.abstract, record.publisher) == ("Un résumé de la notice.", "Ville Caraïbe")
    assert ([c.barcode for c in record.copies], [f.name for f in record.files]) == (["77"], ["guide.html"])
    assert "médiation sociale" in store.page(record.id, 1).text
    assert record.support == {"paper", "electronic"}
    assert again(run, store, rows, file) == [Status.UNCHANGED] * 2


def test_subjects_of_people_stay_when_a_file_joins_and_the_machine_s_see_its_pages(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path]
) -> None:
    run(inbox("fonds.csv", ROWS + ROW))
    record = only(store)
    added = dataclasses.replace(
        record.subjects[0], concept=THEME + "T08", origin=Origin.LIBRARIAN, state=State.ACCEPTED
    )
    store.save(dataclasses.replace(record, subjects=(*record.subjects, added)))
    run(document())
    held = {s.concept: s for s in only(store).subjects}
    assert held[THEME + "T08"].origin is Origin.LIBRARIAN
    assert (held[THEME + "T12"].origin, held[THEME + "T12"].state) == (Origin.SOURCE, State.ACCEPTED)
    assert 1 in {evidence.page for evidence in held[THEME + "T06"].evidence}


def test_a_catalogue_still_corrects_its_notice_once_a_file_has_joined_it(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path]
) -> None:
    run(inbox("fonds.csv", ROWS + ROW))
    run(document())
    run(inbox("fonds.csv", ROWS + ROW.replace("Un résumé de la notice.", "Un meilleur résumé.")))
    record = only(store)
    assert (record.abstract, len(record.files)) == ("Un meilleur résumé.", 1)
    subject = next(s for s in record.subjects if s.concept == THEME + "T06")
    assert 1 in {evidence.page for evidence in subject.evidence}


def test_a_notice_that_comes_after_joins_the_record_of_the_file(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path]
) -> None:
    file = document()
    (first, rows) = run(file), inbox("fonds.csv", ROWS + ROW)
    proposed = {s.concept: s for s in only(store).subjects}
    second = run(rows)
    assert (second.status, second.ids) == (Status.UPDATED, first.ids)
    assert second.warnings == (f"ligne 2 : ajouté à la notice du document n° 1, « {TITLE} »",)
    record = only(store)
    assert (record.date, record.publisher) == ("2012-03-15", "Ville Caraïbe")
    assert (record.call_number, record.abstract) == ("AME 12", "Un résumé de la notice.")
    assert [c.barcode for c in record.copies] == ["77"]
    held = {s.concept: s for s in record.subjects}
    assert {e for e in held[THEME + "T06"].evidence if e.page} == {
        e for e in proposed[THEME + "T06"].evidence if e.page
    }
    assert (held[THEME + "T12"].origin, held[THEME + "T12"].state) == (Origin.SOURCE, State.ACCEPTED)
    assert again(run, store, rows, file) == [Status.UNCHANGED] * 2


@pytest.mark.parametrize("columns", ["titre;année", "titre;année;auteur", "titre;année;code-barres"])
def test_a_notice_without_a_number_finds_its_record_again_either_way(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path], columns: str
) -> None:
    values = f"{TITLE};2012" + (";Jean Roy" if "auteur" in columns else ";77" if "code" in columns else "")
    rows, file = inbox("fonds.csv", f"{columns}\n{values}\n"), document()
    for paths in ((rows, file), (file, rows)):
        for path in paths:
            run(path)
        assert len(store) == 1
        assert again(run, store, *paths) == [Status.UNCHANGED] * 2
        store.delete(only(store).id)


def test_two_works_on_paper_that_could_be_the_file_s_are_left_alone(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path]
) -> None:
    rows, file = inbox("fonds.csv", ROWS + ROW + ROW.replace("AME 12", "AME 13")), document()
    run(rows)
    assert run(file).status is Status.PUBLISHED
    assert len(store) == 3
    assert again(run, store, rows, file) == [Status.UNCHANGED] * 2


@pytest.mark.parametrize("doubled", ["file", "row"])
def test_two_files_or_two_notices_that_could_be_one_work_are_left_alone(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path], doubled: str
) -> None:
    paths = [document()]
    if doubled == "file":
        paths.append(document("autre.html", date="2012-04-01"))
    paths.append(inbox("fonds.csv", ROWS + ROW + (ROW.replace("12;", "13;", 1) if doubled == "row" else "")))
    for path in paths:
        run(path)
    assert len(store) == 3
    assert again(run, store, *paths) == [Status.UNCHANGED] * len(paths)


@pytest.mark.parametrize("first", ["paper", "file"])
@pytest.mark.parametrize(
    ("title", "date", "type"),
    [
        (TITLE + " 2", "2012-03-15", "Guide"),
        (TITLE, "2013", "Guide"),
        (TITLE, "", "Guide"),
        (TITLE, "2012", "Rapport"),
    ],
)
def test_another_title_year_or_type_is_another_work(
    run: Run,
    store: Store,
    inbox: Inbox,
    document: Callable[..., Path],
    first: str,
    title: str,
    date: str,
    type: str,
) -> None:
    paths = [inbox("fonds.csv", ROWS + ROW), document(title=title, date=date, type=type)]
    for path in paths if first == "paper" else reversed(paths):
        run(path)
    assert len(store) == 2


@pytest.mark.parametrize("title", ["Sommaire", "Annexe 12", "Méthodologie"])
def test_a_title_that_says_too_little_joins_nothing(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path], title: str
) -> None:
    run(inbox("fonds.csv", f"titre;année\n{title};2012\n"))
    run(document(title=title))
    assert len(store) == 2


def test_an_unknown_type_is_no_obstacle_and_gets_known(
    run: Run, store: Store, inbox: Inbox, document: Callable[..., Path]
) -> None:
    run(inbox("fonds.csv", f"titre;année\n{TITLE};2012\n"))
    run(document())
    assert only(store).type == "guide"
