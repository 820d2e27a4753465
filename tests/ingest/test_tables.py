"""Spreadsheets of every sort: CSV, XLSX, ODS."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from ingest import sheets, tables
from ingest.drafts import Draft
from ingest.isolation import Sandbox
from kb.errors import Reason, UnreadableDocument
from kb.records import Agent
from kb.rows import Columns

Inbox = Callable[[str, bytes | str], Path]

HEAD = ("Cote", "Titre", "Auteurs", "Année", "ISBN")
ROWS = (
    ("PV 1", "Le temps des projets", "Aubéry, Maryse", 2003, 9782070612390),
    ("PV 2", "Habiter", "Roy, Léa / Lamonge, Gérard", 2010.0, None),
    (None, None, "Sans titre, Auteur", 2011, None),
)


def xlsx(path: Path, **content: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in content.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def cell(value: object, repeated: int = 1) -> str:
    again = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    if value is None:
        return f"<table:table-cell{again}/>"
    if isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
        return f"<table:table-cell{again} {kind}><text:p>9,78E+12</text:p></table:table-cell>"
    lines = "".join(f"<text:p>{line}</text:p>" for line in str(value).split("\n"))
    return f'<table:table-cell{again} office:value-type="string">{lines}</table:table-cell>'


def ods(path: Path, *tables_: str, prolog: str = "") -> Path:
    body = "".join(f'<table:table table:name="T{i}">{rows}</table:table>' for i, rows in enumerate(tables_))
    content = f"{prolog}<office:document-content {NAMES}><office:body><office:spreadsheet>{body}"
    content += "</office:spreadsheet></office:body></office:document-content>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", sheets.ODS)
        package.writestr("content.xml", content)
    return path


def row(*values: object, repeated: int = 1) -> str:
    again = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return f"<table:table-row{again}>{''.join(map(cell, values))}</table:table-row>"


def all_of(path: Path, columns: Columns | None = None) -> list[Draft]:
    return list(tables.read(path, columns))


# -- the three kinds say the same


@pytest.fixture(params=["csv", "xlsx", "ods"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    rows = [("Catalogue du centre",), (), HEAD, *ROWS]
    path = tmp_path / f"fonds.{request.param}"
    if request.param == "xlsx":
        return xlsx(path, Feuille=rows)
    if request.param == "ods":
        return ods(path, "".join(row(*values) for values in rows))
    lines = (";".join("" if v is None else f"{v}".removesuffix(".0") for v in values) for values in rows)
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path


def test_a_catalogue_below_a_line_of_title_is_read_the_same(catalogue: Path) -> None:
    first, second = all_of(catalogue)
    assert (first.title, first.agents) == ("Le temps des projets", (Agent("Aubéry, Maryse"),))
    assert (first.date, first.call_number) == ("2003", "PV 1")
    assert dict(first.identifiers) == {"isbn": "9782070612390"}
    assert (second.date, second.place_in_file) == ("2010", "ligne 5")
    assert second.warnings == ("ligne 6 : pas de titre",)
    assert {first.media_type, second.media_type} == {sheets.media_type(catalogue)}


def test_rows_left_out_come_back_as_a_file_to_mend(catalogue: Path) -> None:
    assert [(line, why) for line, why, _ in tables.rejected(catalogue)] == [(6, "pas de titre")]
    written = b"".join(tables.rejected_csv(catalogue))
    assert written.startswith(b"\xef\xbb\xbfCote;Titre;")
    text = written.decode("utf-8-sig")
    assert text.splitlines()[0].endswith(";Motif du rejet")
    assert text.splitlines()[1] == ";;Sans titre, Auteur;2011;;pas de titre"


def test_what_was_mended_is_read(catalogue: Path, inbox: Inbox) -> None:
    written = b"".join(tables.rejected_csv(catalogue)).decode("utf-8-sig")
    [draft] = all_of(inbox("m.csv", written.replace("\n;;Sans", "\nPV 3;Retrouvé;Sans")))
    assert (draft.title, draft.call_number) == ("Retrouvé", "PV 3")
    assert draft.warnings == ("colonne « Motif du rejet » non reconnue : laissée de côté",)


def test_it_is_known_as_a_catalogue(catalogue: Path) -> None:
    assert tables.is_catalogue(catalogue)


def test_a_preview_shows_rows_and_what_they_become(catalogue: Path) -> None:
    shown = tables.preview(catalogue, limit=2)
    assert (shown.headings, shown.count) == (HEAD, 3)
    assert shown.columns.names == ("call_number", "title", "agents", "date", "isbn")
    assert [draft.title for draft in shown.drafts] == ["Le temps des projets", "Habiter"]
    assert shown.rows[0][3] == "2003"
    last = tables.preview(catalogue).drafts[2]
    assert (last.title, last.warnings) == ("", ("ligne 6 : pas de titre",))


def test_columns_that_a_person_gave_rule(catalogue: Path) -> None:
    columns = Columns(("title", "subtitle", None, None, None), HEAD)
    drafts = all_of(catalogue, columns)
    assert [(draft.title, draft.subtitle) for draft in drafts] == [
        ("PV 1", "Le temps des projets"),
        ("PV 2", "Habiter"),
    ]
    assert tables.preview(catalogue, columns).columns == columns


# -- in a child


def test_previews_and_rejects_cross_from_a_child(catalogue: Path) -> None:
    with Sandbox() as sandbox:
        [line] = sandbox.run("ingest.tables:emit_preview", str(catalogue), "", 2)
        assert tables.preview_from_wire(line) == tables.preview(catalogue, limit=2)
        given = Columns(("title", None, None, None, None), HEAD)
        [line] = sandbox.run("ingest.tables:emit_preview", str(catalogue), given.to_json())
        assert tables.preview_from_wire(line).drafts[0].title == "PV 1"
        pieces = b"".join(sandbox.run("ingest.tables:emit_rejected", str(catalogue)))
        assert pieces == b"".join(tables.rejected_csv(catalogue))


@pytest.mark.parametrize(
    "change",
    [
        {"count": "3"},
        {"count": True},
        {"rows": [["a"]]},
        {"rows": [3], "drafts": ["{}"]},
        {"rows": [[1]], "drafts": ["{}"]},
        {"drafts": [1], "rows": [[]]},
        {"sheet": None},
        {"columns": "[]"},
        {"more": 1},
    ],
)
def test_what_no_preview_could_have_said_is_refused(change: dict[str, object]) -> None:
    columns = Columns(("title",), ("Titre",)).to_json()
    said = {"sheet": "", "columns": columns, "rows": [], "drafts": [], "count": 0}
    assert tables.preview_from_wire(json.dumps(said)).headings == ("Titre",)
    with pytest.raises(ValueError, match=r"."):
        tables.preview_from_wire(json.dumps(said | change))
    with pytest.raises(ValueError, match=r"."):
        tables.preview_from_wire("[" * 100_000)


# -- CSV


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_the_separator_is_found_below_titles_that_hold_others(separator: str, inbox: Inbox) -> None:
    lines = ("Centre; fonds, liste, 2020|21", separator.join(("Titre", "Auteur")), separator.join("ab"))
    [draft] = all_of(inbox("f.csv", "\n".join(lines)))
    assert (draft.title, draft.agents) == ("a", (Agent("b", kind="body"),))


def test_a_line_that_tells_the_separator_is_obeyed(inbox: Inbox) -> None:
    [draft] = all_of(inbox("f.csv", "sep=|\r\nTitre|Cote\r\na;b|c\r\n"))
    assert (draft.title, draft.call_number, draft.place_in_file) == ("a;b", "c", "ligne 3")


def test_a_quote_that_is_never_closed_costs_its_line_only(inbox: Inbox) -> None:
    drafts = all_of(inbox("f.csv", 'titre;cote\nA;1\n"B;2\nC;3\n"D\nd";4\n'))
    assert [(draft.title, draft.place_in_file) for draft in drafts] == [
        ("A", "ligne 2"),
        ("C", "ligne 4"),
        ("D d", "ligne 5"),
    ]
    assert drafts[-1].warnings == ("ligne 3 : guillemet jamais refermé",)


def test_a_quote_never_closed_to_the_end_is_told(inbox: Inbox) -> None:
    drafts = all_of(inbox("f.csv", 'titre;cote\nA;1\n"B;2\nC;3\n'))
    assert [draft.title for draft in drafts] == ["A", "C"]
    assert drafts[-1].warnings == ("ligne 3 : guillemet jamais refermé",)


def test_a_cell_too_long_costs_its_row_only(inbox: Inbox) -> None:
    drafts = all_of(inbox("f.csv", f"titre;note\nA;{'x' * 40_000}\nB;\n"))
    assert [draft.title for draft in drafts] == ["B"]
    assert drafts[0].warnings == ("ligne 2 : cellule de plus de 32 767 caractères",)
    [(line, _, cells)] = tables.rejected(inbox("g.csv", f"titre;note\nA;{'x' * 200_000}\nB;\n"))
    assert (line, len(cells[1])) == (2, sheets.LONGEST_CELL)


def test_headings_said_again_are_no_row(inbox: Inbox) -> None:
    drafts = all_of(inbox("f.csv", "titre;cote\nA;1\n titre ;cote\nB;2\n"))
    assert [draft.title for draft in drafts] == ["A", "B"]
    assert drafts[-1].warnings == ()


def test_a_column_without_heading_is_known_by_its_cells(inbox: Inbox) -> None:
    lines = ("titre;", "A;Roy, Léa", "B;Aubéry, Maryse", "C;Lamonge, Gérard")
    assert all_of(inbox("f.csv", "\n".join(lines)))[0].agents == (Agent("Roy, Léa"),)


def test_warnings_are_bounded(inbox: Inbox) -> None:
    told = all_of(inbox("f.csv", "titre;cote\n" + ";x\n" * 300 + "A;1\n"))[0].warnings
    assert (len(told), told[-1]) == (201, "et 100 autres lignes fautives")


def test_too_many_rows_or_columns_are_refused(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    for text in ("titre\na\nb\nc\n", "titre" + ";x" * 500 + "\n"):
        with pytest.raises(UnreadableDocument) as caught:
            all_of(inbox("f.csv", text))
        assert caught.value.reason is Reason.TOO_LARGE


def test_columns_of_another_file_are_refused(inbox: Inbox) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        all_of(inbox("f.csv", "titre;cote\nA;1\n"), Columns(("title",), ("Intitulé",)))
    assert caught.value.reason is Reason.BAD_RECORDS


def test_a_table_without_titles_is_shown_for_a_person_to_say(inbox: Inbox) -> None:
    path = inbox("f.csv", "nom;couleur\nA;bleu\n")
    shown = tables.preview(path)
    assert (shown.headings, shown.columns.names) == (("nom", "couleur"), (None, None))
    [draft] = all_of(path, Columns(("title", None), shown.headings))
    assert draft.title == "A"


# -- XLSX and ODS


def test_the_sheet_of_records_is_found_and_others_are_told(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", Accueil=[["Bienvenue"]], Vide=[], Fonds=[HEAD, *ROWS], Prêts=[HEAD])
    drafts = all_of(path)
    assert tables.preview(path).sheet == "Fonds"
    assert drafts[-1].warnings[:2] == (
        "feuille « Accueil » laissée de côté",
        "feuille « Prêts » laissée de côté",
    )
    assert tables.is_catalogue(path)


@pytest.mark.parametrize(
    "rows",
    [
        [["Titre"], ["Budget"], ["Loyers"]],
        [["Poste", "Montant", "Année"], ["Loyer", 12, 2010]],
        [["Titre", "Montant", "Année"], ["Loyer", 12, 2010]],
        [list(HEAD)],
    ],
)
def test_a_spreadsheet_that_is_a_document_is_no_catalogue(rows: list[list[object]], tmp_path: Path) -> None:
    assert not tables.is_catalogue(xlsx(tmp_path / "a.xlsx", Feuille=rows))


def test_values_are_told_as_people_write_them(tmp_path: Path) -> None:
    values = [
        True,
        3.0,
        0.1,
        datetime(2010, 3, 12),
        datetime(2010, 3, 12, 9, 30),
        date(2010, 3, 1),
        "#REF!",
        1e20,
    ]
    [sheet] = sheets.sheets(xlsx(tmp_path / "a.xlsx", Feuille=[["début", *values, "fin"]]))
    [found] = sheet.rows()
    told = ("oui", "3", "0.1", "2010-03-12", "2010-03-12 09:30:00", "2010-03-01", "", "1e+20")
    assert found.cells == ("début", *told, "fin")


def test_repeated_cells_and_rows_are_told_within_bounds(tmp_path: Path) -> None:
    hole = f"<table:table-row table:number-rows-repeated='1000'>{cell(None, 16_384)}</table:table-row>"
    wide = f"<table:table-row>{cell('Titre')}{cell('Note', 3)}{cell(None, 16_000)}</table:table-row>"
    path = ods(tmp_path / "a.ods", wide + hole + row("A", "x", repeated=3) + hole * 1000)
    [sheet] = sheets.sheets(path)
    assert [(found.line, found.cells) for found in sheet.rows()] == [
        (1, ("Titre", "Note", "Note", "Note")),
        (1002, ("A", "x")),
        (1003, ("A", "x")),
        (1004, ("A", "x")),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        row("A", repeated=9_999_999),
        f"<table:table-row>{cell('A', 16_000)}</table:table-row>",
        row("Titre")
        + f"<table:table-row table:number-rows-repeated='1048576'>{cell(None)}</table:table-row>"
        + row("A"),
    ],
)
def test_a_bomb_of_repetitions_is_refused(rows: str, tmp_path: Path) -> None:
    [sheet] = sheets.sheets(ods(tmp_path / "a.ods", rows))
    with pytest.raises(UnreadableDocument) as caught:
        list(sheet.rows())
    assert caught.value.reason is Reason.TOO_LARGE


def test_tables_within_cells_and_texts_in_parts_are_kept_apart(tmp_path: Path) -> None:
    inner = f"<table:table-cell><table:table>{row('dedans')}</table:table></table:table-cell>"
    text = "<text:p>a<text:s/>b<text:line-break/><text:span>c</text:span>d</text:p>"
    parts = f"<table:table-cell>{text}</table:table-cell>"
    path = ods(
        tmp_path / "a.ods", f"<table:table-row>{inner}{parts}</table:table-row>{row('dehors')}", row("x")
    )
    assert [[found.cells for found in sheet.rows()] for sheet in sheets.sheets(path)] == [
        [("", "a b\ncd"), ("dehors",)],
        [("x",)],
    ]


def test_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mot de passe")
    prolog = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'
    path = ods(tmp_path / "a.ods", row("Titre") + row("&e;A"), prolog=prolog)
    [draft] = all_of(path)
    assert draft.title == "A"


def test_a_zip_bomb_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_UNCOMPRESSED", 1000)
    path = ods(tmp_path / "a.ods", row("x" * 2000))
    with pytest.raises(UnreadableDocument) as caught:
        tables.read(path).__next__()
    assert caught.value.reason is Reason.TOO_LARGE


def test_damaged_files_are_told_so(tmp_path: Path, inbox: Inbox) -> None:
    whole = xlsx(tmp_path / "a.xlsx", Feuille=[HEAD, *ROWS]).read_bytes()
    other = tmp_path / "b.xlsx"
    with zipfile.ZipFile(other, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook")
    neither = tmp_path / "c.ods"
    with zipfile.ZipFile(neither, "w") as package:
        package.writestr("a.txt", "a")
    cut = ods(tmp_path / "d.ods", "<table:table-row>")
    for path in (inbox("t.xlsx", whole[: len(whole) // 2]), other, neither, cut):
        with pytest.raises(UnreadableDocument) as caught:
            all_of(path)
        assert caught.value.reason is Reason.DAMAGED
