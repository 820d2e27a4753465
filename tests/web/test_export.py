"""The command ``kb export`` and the table of exporters behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pymarc
import pytest
from click.testing import CliRunner, Result

from ingest import citations, tables
from kb.config import Config
from kb.database import Store
from kb.errors import InvalidRecord
from kb.export import EXPORTERS, notices
from kb.formats import Notice
from kb.records import Agent, Origin, Record, State, Subject
from kb.thesaurus import Concept, Scheme, Thesaurus
from web import cli_export
from web.cli import main
from web.cli_export import FORMATS, export

URI = "https://example.org/themes/"
HOST = Record(
    id="centre:1", title="=Évaluer & comparer", type="periodique", identifiers={"issn": "2325-9671"}
)
ARTICLE = Record(
    id="centre:2",
    title="Un article",
    type="article",
    host="centre:1",
    host_pages="3-9",
    agents=(Agent("Roy, Léa"),),
    subjects=(
        Subject(concept=URI + "T1", origin=Origin.LIBRARIAN, state=State.ACCEPTED),
        Subject(concept=URI + "T2"),
        Subject(concept=URI + "T3", state=State.REFUSED),
        Subject(concept=URI + "gone", state=State.ACCEPTED),
    ),
)
STAFF = Record(id="centre:3", title="Pour l’équipe", access="staff")
PART = Record(id="centre:4", title="Partie", type="chapitre", host="centre:3")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert CliRunner().invoke(main, ["--data", str(folder), "init"]).exit_code == 0
    store = Store.open(Config(data=folder))
    concepts = [Concept(uri=URI + f"T{i}", scheme=URI, label=f"Thème {i}") for i in (1, 2, 3)]
    store.save_thesaurus(Thesaurus(concepts, [Scheme("themes", URI, "Thèmes")]))
    for record in (HOST, ARTICLE, STAFF, PART):
        store.save(record)
    store.close()
    return folder


@pytest.fixture
def kb(data: Path) -> Callable[..., Result]:
    def run(*arguments: object) -> Result:
        return CliRunner().invoke(export, [str(a) for a in arguments], obj=data)

    return run


def test_the_formats_of_the_command_are_those_of_the_table() -> None:
    assert set(FORMATS) == set(EXPORTERS)


def test_each_format_is_read_again_by_its_reader(kb: Callable[..., Result], tmp_path: Path) -> None:
    readers = {
        "csv": tables.read,
        "ris": citations.read_ris,
        "bibtex": citations.read_bibtex,
        "csl-json": citations.read_csl_json,
        "dublin-core": citations.read_dublin_core,
    }
    for name, read in readers.items():
        path = tmp_path / f"export.{EXPORTERS[name].extension}"
        done = kb("--format", name, "--output", path)
        assert (done.exit_code, done.stdout_bytes) == (0, b"")
        assert "3\u00a0notices" in done.stderr
        host, article, part = read(path)
        assert (host.title, article.title, part.title) == (HOST.title, ARTICLE.title, PART.title)
        assert (host.type, article.type) == ("periodique", "article")
        assert article.keywords == ("Thème 1",)
        assert ("title", HOST.title) in article.hosts
        assert part.hosts == ()
        assert host.warnings == article.warnings == part.warnings == ()


@pytest.mark.parametrize("name", ["unimarc", "marc21"])
def test_marc_is_read_by_another_program(name: str, kb: Callable[..., Result]) -> None:
    written = kb("--format", name).stdout_bytes
    tag = "200" if name == "unimarc" else "245"
    records = list(pymarc.MARCReader(written, force_utf8=True))
    assert [record[tag]["a"].rstrip(" :/") for record in records if record] == [
        HOST.title,
        ARTICLE.title,
        PART.title,
    ]


@pytest.mark.parametrize("name", ["marcxml", "unimarcxml"])
def test_marcxml_is_read_by_another_program(name: str, kb: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "e.xml"
    kb("--format", name, "--output", path)
    assert len(pymarc.parse_xml_to_array(str(path))) == 3


def test_restricted_records_go_out_only_when_asked_for(kb: Callable[..., Result]) -> None:
    assert b"quipe" not in kb("--format", "csl-json").stdout_bytes
    told = json.loads(kb("--format", "csl-json", "--all").stdout)
    assert [item["title"] for item in told] == [HOST.title, ARTICLE.title, STAFF.title, PART.title]
    assert told[3]["container-title"] == STAFF.title


def test_types_and_days_choose(kb: Callable[..., Result]) -> None:
    def ids(*options: str) -> list[str]:
        return [item["id"] for item in json.loads(kb("--format", "csl-json", *options).stdout)]

    assert ids("--type", "article") == ["centre:2"]
    assert ids("--type", "article", "--type", "chapitre") == ["centre:2", "centre:4"]
    assert ids("--since", "2020-01-01") == ["centre:1", "centre:2", "centre:4"]
    assert ids("--since", "2190-01-01") == []
    told = json.loads(kb("--format", "csl-json", "--type", "article").stdout)
    assert told[0]["container-title"] == HOST.title


@pytest.mark.parametrize("options", [["--format", "docx"], ["--format", "ris", "--type", "livre"], []])
def test_what_does_not_exist_is_a_usage_error(options: list[str], kb: Callable[..., Result]) -> None:
    assert kb(*options).exit_code == 2


def test_a_file_takes_its_name_only_when_it_is_whole(
    kb: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "e.ris").write_bytes(b"before")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cli_export, "_is_wanted", stopped)
        assert kb("--format", "ris", "--output", folder / "e.ris").exit_code != 0
    assert [path.name for path in folder.iterdir()] == ["e.ris"]
    assert (folder / "e.ris").read_bytes() == b"before"
    refused = kb("--format", "ris", "--output", folder / "none" / "e.ris")
    assert (refused.exit_code, "ne peut pas être écrit" in refused.stderr) == (2, True)


def test_a_record_that_a_format_cannot_hold_is_told_and_others_go_out(data: Path) -> None:
    store = Store.open(Config(data=data))
    store.save(Record(id="centre:5", title="Long", notes=tuple(f"{i} " + "x" * 9000 for i in range(20))))
    store.save(Record(id="centre:6", title="Court"))
    some = list(notices(store, store.ids()))
    store.close()
    told: list[tuple[str, str]] = []
    pieces = b"".join(EXPORTERS["unimarc"].write(some, lambda r, e: told.append((r.id, e.field))))
    assert told == [("centre:5", "record")]
    assert pieces.count(b"\x1d") == 4
    with pytest.raises(InvalidRecord):
        list(EXPORTERS["unimarc"].write(some))
    done = CliRunner().invoke(export, ["--format", "unimarc"], obj=data)
    assert done.exit_code == 1
    assert "centre:5 : notice trop longue" in done.stderr
    assert "4\u00a0notices" in done.stderr


def test_an_empty_file_is_still_of_its_format() -> None:
    for name, exporter in EXPORTERS.items():
        written = b"".join(exporter.write([]))
        if name == "csl-json":
            assert json.loads(written) == []
        assert b"".join(exporter.write([Notice(HOST)])).startswith(exporter.begin)


def test_the_csv_opens_in_french_excel_and_holds_no_formula(kb: Callable[..., Result]) -> None:
    written = kb("--format", "csv").stdout_bytes
    assert written.startswith(b"\xef\xbb\xbfTitre;Sous-titre;")
    assert b"\r\n'=\xc3\x89valuer & comparer;" in written
