"""Rows of a log of questions, read in a child: which sheet, which line, and what crosses the border."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from ingest import table_rows
from ingest.isolation import Sandbox
from ingest.table_rows import emit, located, read
from kb.errors import Reason, UnreadableDocument
from kb.headings import CATALOGUE, Columns
from kb.question_columns import QUESTIONS

LOG = "Registre des questions\n\nDate;Objet;Remarque\n04/03/2019;Une aide ?;x\n\n05/03/2019;Et encore ?;\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "registre.csv"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_the_headings_are_found_below_a_title_and_rows_keep_their_lines(sandbox: Sandbox, log: Path) -> None:
    found = read(sandbox, log, None, "questions", 10)
    assert found.columns.headings == ("Date", "Objet", "Remarque")
    assert found.columns.names[:2] == ("received", "text")
    assert [(row.line, row.cells[1]) for row in found.rows] == [(4, "Une aide ?"), (6, "Et encore ?")]


def test_columns_that_somebody_gave_are_taken_as_they_are(sandbox: Sandbox, log: Path) -> None:
    given = Columns(("received", "text", "context"), ("Date", "Objet", "Remarque"))
    assert read(sandbox, log, given, "questions", 10).columns == given


def test_a_log_with_too_many_rows_is_refused(sandbox: Sandbox, log: Path) -> None:
    assert len(read(sandbox, log, None, "questions", 2).rows) == 2
    with pytest.raises(UnreadableDocument) as raised:
        read(sandbox, log, None, "questions", 1)
    assert raised.value.reason is Reason.TOO_LARGE


def test_the_sheet_of_a_workbook_that_holds_what_is_wanted_is_taken(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Livres"
    for row in (("Titre", "Auteur", "Année"), ("Un livre", "Roy, Léa", 2010)):
        book.active.append(row)
    sheet = book.create_sheet("Questions")
    for row in (("Date de la demande", "Objet", "Date réponse"), ("2019-03-04", "Une aide ?", None)):
        sheet.append(row)
    path = tmp_path / "tout.xlsx"
    book.save(path)
    assert located(path, None, QUESTIONS).sheet.name == "Questions"
    assert located(path, None, QUESTIONS).others == ("Livres",)
    assert located(path, None, CATALOGUE).sheet.name == "Livres"


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["[]"],
        ['["", "{}", []]'],
        ['["", "not json", []]'],
        [json.dumps(["", Columns(("title",)).to_json(), []])],
        ['["", "{\\"names\\": []}", []]', '["x", [], ""]'],
        ['["", "{\\"names\\": []}", []]', '[1, [2], ""]'],
        ['["", "{\\"names\\": []}", []]', f'[1, {["a"] * 600}, ""]'.replace("'", '"')],
    ],
)
def test_what_a_child_could_not_have_said_is_refused(lines: list[str], log: Path) -> None:
    class Lying(Sandbox):
        """A child that says something else."""

        def run(self, *_: object, **__: object) -> Iterator[bytes]:  # type: ignore[override]
            yield from (line.encode() for line in lines)

    with Lying() as child, pytest.raises(UnreadableDocument) as raised:
        read(child, log, None, "questions", 10)
    assert raised.value.reason is Reason.CRASHED


def test_a_table_without_a_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vide.csv"
    path.write_text("\n\n")
    with pytest.raises(UnreadableDocument):
        list(emit(str(path), "", "questions"))
    assert set(table_rows.SETS) == {"catalogue", "questions"}
