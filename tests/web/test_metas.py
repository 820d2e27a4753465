"""What a record says of itself to reference managers and search engines, by type."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats import Notice
from kb.records import TYPES, Agent, File, Record
from web.metas import SCHEMA_TYPES, as_script, coins, metas, schema_org

ROOT = "https://centre.example"
PDF = File(sha256="0" * 64, name="étude n° 1.pdf", size=1200, media_type="application/pdf", pages=3)
JOURNAL = Record(
    id="vc:1",
    title="Urbanités",
    type="periodique",
    identifiers={"issn": "2325-9671"},
    publisher="Presses du Sud",
)
BOOK = Record(
    id="vc:2",
    title="Habiter",
    subtitle="essais sur la ville",
    type="ouvrage",
    agents=(
        Agent("Roy, Léa"),
        Agent("Ville Caraïbe", kind="body"),
        Agent("Lam, Jo", role="editor"),
        Agent("Sol", role="contributor"),
    ),
    date="2010-03",
    publisher="Presses du Sud",
    place="Fort-de-France",
    series="Essais",
    extent="96 p. : ill. ; 24 cm",
    abstract="Un livre.",
    notes=("Acheté en 2011",),
    call_number="B 12",
    keywords=("logement",),
    identifiers={"isbn": "9782070409341", "doi": "10.1000/abc"},
)
ARTICLE = Record(
    id="vc:3",
    title="Un article",
    type="article",
    agents=(Agent("Roy, Léa"),),
    date="2012-03-09",
    issue="vol. 3, n° 2",
    host="vc:1",
    host_pages="p. 12-18",
)
SUBJECTS = {"https://v.example/T03": "Logement"}


def said(notice: Notice) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meta in metas(notice, ROOT):
        found.setdefault(meta.name, []).append(meta.content)
    return found


def kev(notice: Notice) -> dict[str, list[str]]:
    return parse_qs(coins(notice, ROOT), strict_parsing=True)


# -- metas


def test_a_book_is_told_as_a_book() -> None:
    told = said(Notice(BOOK, SUBJECTS))
    assert told["citation_title"] == ["Habiter : essais sur la ville"]
    assert told["citation_author"] == ["Roy, Léa", "Ville Caraïbe"]
    assert told["citation_editor"] == ["Lam, Jo"]
    assert told["citation_publication_date"] == ["2010/03"]
    assert told["citation_isbn"] == ["9782070409341"]
    assert told["citation_doi"] == ["10.1000/abc"]
    assert told["citation_publisher"] == ["Presses du Sud"]
    assert told["citation_series_title"] == ["Essais"]
    assert told["citation_language"] == ["fr"]
    assert told["citation_keywords"] == ["Logement", "logement"]
    assert told["citation_abstract_html_url"] == [f"{ROOT}/notice/vc%3A2"]
    assert not {"citation_journal_title", "citation_technical_report_institution"} & set(told)


def test_dublin_core_is_told_without_what_only_our_own_reader_understands() -> None:
    told = said(Notice(BOOK, SUBJECTS))
    assert told["DC.title"] == ["Habiter : essais sur la ville"]
    assert told["DC.creator"] == ["Roy, Léa", "Ville Caraïbe"]
    assert told["DC.contributor"] == ["Lam, Jo", "Sol"]
    assert told["DC.subject"] == ["Logement", "logement"]
    assert told["DC.description"] == ["Un livre."]
    assert told["DC.type"] == ["Book", "Ouvrage"]
    assert told["DC.identifier"][0] == f"{ROOT}/notice/vc%3A2"
    assert told["DCTERMS.issued"] == ["2010-03"]
    assert told["DCTERMS.isPartOf"] == ["Essais"]
    everything = " ".join(text for texts in told.values() for text in texts)
    assert "B 12" not in everything
    assert "Acheté" not in everything


def test_an_article_names_its_journal_and_its_pages() -> None:
    told = said(Notice(ARTICLE, host=JOURNAL))
    assert told["citation_journal_title"] == ["Urbanités"]
    assert (told["citation_volume"], told["citation_issue"]) == (["3"], ["2"])
    assert (told["citation_firstpage"], told["citation_lastpage"]) == (["12"], ["18"])
    assert told["citation_issn"] == ["2325-9671"]
    assert told["citation_publication_date"] == ["2012/03/09"]
    assert told["DCTERMS.isPartOf"] == ["Urbanités", f"{ROOT}/notice/vc%3A1"]


def test_an_article_in_an_issue_names_the_journal_by_the_series_of_the_issue() -> None:
    issue = Record(id="vc:4", title="Dossier : la rue", type="numero", series="Urbanités", issue="n° 12")
    told = said(Notice(Record(id="vc:5", title="A", type="article", host="vc:4"), host=issue))
    assert told["citation_journal_title"] == ["Urbanités"]
    assert told["citation_issue"] == ["12"]


@pytest.mark.parametrize(
    ("host", "name"), [("ouvrage", "citation_inbook_title"), ("actes", "citation_conference_title")]
)
def test_a_chapter_names_the_book_or_the_meeting(host: str, name: str) -> None:
    whole = Record(id="vc:6", title="Le tout", type=host, identifiers={"isbn": "9782070409341"})
    told = said(
        Notice(Record(id="vc:7", title="B", type="chapitre", host="vc:6", host_pages="7"), host=whole)
    )
    assert told[name] == ["Le tout"]
    assert told["citation_isbn"] == ["9782070409341"]
    assert told["citation_firstpage"] == ["7"]
    assert "citation_lastpage" not in told


def test_reports_and_theses_name_who_stands_behind_them() -> None:
    body = (Agent("Roy, Léa"), Agent("Ville Caraïbe", kind="body"))
    report = said(Notice(Record(id="vc:8", title="R", type="rapport", agents=body)))
    assert report["citation_technical_report_institution"] == ["Ville Caraïbe"]
    published = said(Notice(Record(id="vc:8", title="R", type="etude", agents=body, publisher="DIV")))
    assert published["citation_technical_report_institution"] == ["DIV"]
    thesis = said(Notice(Record(id="vc:9", title="T", type="these", publisher="Université")))
    assert thesis["citation_dissertation_institution"] == ["Université"]
    assert "citation_technical_report_institution" not in thesis


@pytest.mark.parametrize("access", ["onsite", "network", "staff"])
def test_a_pdf_is_named_only_if_everybody_reads_it(access: str) -> None:
    url = f"{ROOT}/notice/vc%3A10/fichier/0/%C3%A9tude%20n%C2%B0%201.pdf"
    told = said(Notice(Record(id="vc:10", title="P", files=(PDF,))))
    assert told["citation_pdf_url"] == [url]
    closed = Record(id="vc:10", title="P", files=(PDF,), access=access)
    assert "citation_pdf_url" not in said(Notice(closed))
    assert "encoding" not in schema_org(Notice(closed), ROOT, "Centre")


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2010-13", "2010"),
        ("2010-05-00", "2010/05"),
        ("2010-05-32", "2010/05"),
        ("2010", "2010"),
        (None, None),
    ],
)
def test_dates_are_told_as_far_as_they_can_be(date: str | None, told: str | None) -> None:
    found = said(Notice(Record(id="vc:1", title="D", date=date)))
    assert found.get("citation_publication_date") == ([told] if told else None)


# -- schema.org


def test_every_type_of_document_has_a_type_of_schema_org_or_is_a_creative_work() -> None:
    assert set(SCHEMA_TYPES) <= set(TYPES)
    for type in TYPES:
        told = schema_org(Notice(Record(id="vc:1", title="T", type=type)), ROOT, "Centre")
        assert told["@type"] == SCHEMA_TYPES.get(type, "CreativeWork")
    assert set(TYPES) - set(SCHEMA_TYPES) == {"lettre", "presse", "materiel", "question", "document"}


def test_what_is_only_heard_is_no_video() -> None:
    sound = File(sha256="1" * 64, name="e.mp3", size=1, media_type="audio/mpeg", pages=0)
    heard = Record(id="vc:1", title="T", type="audiovisuel", files=(sound,))
    assert schema_org(Notice(heard), ROOT, "Centre")["@type"] == "AudioObject"


def test_a_book_in_schema_org() -> None:
    told = schema_org(Notice(BOOK, SUBJECTS), ROOT, "Ville Caraïbe")
    assert told["@context"] == "https://schema.org"
    assert (told["@type"], told["name"], told["alternativeHeadline"]) == (
        "Book",
        "Habiter",
        "essais sur la ville",
    )
    assert told["author"] == [
        {"@type": "Person", "name": "Léa Roy", "familyName": "Roy", "givenName": "Léa"},
        {"@type": "Organization", "name": "Ville Caraïbe"},
    ]
    assert told["isbn"] == "9782070409341"
    assert told["numberOfPages"] == 96
    assert told["publisher"] == {
        "@type": "Organization",
        "name": "Presses du Sud",
        "location": "Fort-de-France",
    }
    assert told["isPartOf"] == {"@type": "CreativeWorkSeries", "name": "Essais"}
    [about] = told["about"]
    assert (about["@type"], about["@id"], about["name"]) == ("DefinedTerm", *next(iter(SUBJECTS.items())))
    assert told["provider"] == {"@type": "Organization", "name": "Ville Caraïbe", "url": f"{ROOT}/"}
    assert told["sameAs"] == ["https://doi.org/10.1000/abc"]
    assert "isAccessibleForFree" not in told


def test_an_article_in_schema_org_is_part_of_its_journal_and_read_for_free_when_its_file_is_public() -> None:
    told = schema_org(Notice(Record(**_fields(ARTICLE), files=(PDF,)), host=JOURNAL), ROOT, "Centre")
    assert told["isPartOf"] == {
        "@type": "Periodical",
        "@id": f"{ROOT}/notice/vc%3A1",
        "url": f"{ROOT}/notice/vc%3A1",
        "name": "Urbanités",
        "issn": "2325-9671",
    }
    assert (told["pageStart"], told["pageEnd"]) == ("12", "18")
    assert told["isAccessibleForFree"] is True
    assert told["encoding"][0]["encodingFormat"] == "application/pdf"


def _fields(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in Record.__dataclass_fields__ if name != "files"}


@given(st.text())
def test_nothing_said_ends_the_script_element(text: str) -> None:
    written = str(as_script({"name": text + "</script><!--\u2028"}))
    assert "<" not in written
    assert "\u2028" not in written
    assert json.loads(written)["name"] == text + "</script><!--\u2028"


# -- COinS


def test_the_context_object_of_a_book() -> None:
    told = kev(Notice(BOOK))
    assert told["ctx_ver"] == ["Z39.88-2004"]
    assert told["rft_val_fmt"] == ["info:ofi/fmt:kev:mtx:book"]
    assert told["rft.genre"] == ["book"]
    assert told["rft.btitle"] == ["Habiter : essais sur la ville"]
    assert (told["rft.aulast"], told["rft.aufirst"]) == (["Roy"], ["Léa"])
    assert (told["rft.au"], told["rft.aucorp"]) == (["Roy, Léa"], ["Ville Caraïbe"])
    assert (told["rft.pub"], told["rft.place"]) == (["Presses du Sud"], ["Fort-de-France"])
    assert (told["rft.date"], told["rft.tpages"]) == (["2010-03"], ["96"])
    assert told["rft_id"] == ["info:doi/10.1000/abc", f"{ROOT}/notice/vc%3A2"]


def test_the_context_object_of_an_article() -> None:
    told = kev(Notice(ARTICLE, host=JOURNAL))
    assert told["rft_val_fmt"] == ["info:ofi/fmt:kev:mtx:journal"]
    assert (told["rft.atitle"], told["rft.jtitle"]) == (["Un article"], ["Urbanités"])
    assert (told["rft.volume"], told["rft.issue"]) == (["3"], ["2"])
    assert (told["rft.spage"], told["rft.epage"], told["rft.issn"]) == (["12"], ["18"], ["2325-9671"])


@pytest.mark.parametrize(
    ("type", "format", "name", "genre"),
    [
        ("chapitre", "book", "rft.atitle", "bookitem"),
        ("actes", "book", "rft.btitle", "conference"),
        ("rapport", "book", "rft.btitle", "report"),
        ("these", "dissertation", "rft.title", None),
        ("carte", "dc", "rft.title", None),
        ("document", "dc", "rft.title", None),
    ],
)
def test_the_context_object_follows_the_type(type: str, format: str, name: str, genre: str | None) -> None:
    told = kev(Notice(Record(id="vc:1", title="Le titre", type=type, publisher="Éditeur & fils")))
    assert told["rft_val_fmt"] == [f"info:ofi/fmt:kev:mtx:{format}"]
    assert told[name] == ["Le titre"]
    assert told.get("rft.genre") == ([genre] if genre else None)
    assert "Éditeur & fils" in {told.get(f"rft.{key}", [""])[0] for key in ("pub", "publisher", "inst")}


@given(st.text(min_size=1), st.sampled_from(sorted(TYPES)), st.text())
def test_a_context_object_is_read_back_as_it_was_whatever_it_says(title: str, type: str, name: str) -> None:
    if not title.strip() or any("\ud800" <= c <= "\udfff" for c in title + name):
        return
    told = kev(Notice(Record(id="vc:1", title=title, type=type, agents=(Agent(name, kind="body"),))))
    assert [title] in [told.get(f"rft.{key}") for key in ("title", "btitle", "atitle")]
