"""Files of citations: RIS, BibTeX, CSL-JSON, Dublin Core."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import citations
from ingest.drafts import from_wire, to_wire
from kb.errors import Reason, UnreadableDocument

Inbox = Callable[[str, bytes | str], Path]

RIS = "\r\n".join(f"TY  - BOOK\r\n{line}\r\nER  - " for line in ("TI  - Été", "PY  - 2010", "TI  - Deux"))
BIBTEX = "@book{a, title = {Été}}\n@book{b, year = 2010}\n@book{c, title = {Deux}}\n@book{d, title = {Coupé"
CSL = json.dumps(
    [{"type": "book", "title": "Été"}, {"type": "book"}, {"title": "Deux"}, 3], ensure_ascii=False
)
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
DUBLIN_CORE = (
    f"<records {DC}><r><dc:title>Été</dc:title></r>\n<r><dc:date>2010</dc:date></r>\n"
    "<r><a>x</a><dc:title>Deux</dc:title></r></records>"
)
FILES = {
    "a.ris": (citations.read_ris, RIS, citations.RIS),
    "a.bib": (citations.read_bibtex, BIBTEX, citations.BIBTEX),
    "a.json": (citations.read_csl_json, CSL, citations.CSL_JSON),
    "a.xml": (citations.read_dublin_core, DUBLIN_CORE, citations.DUBLIN_CORE),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_references_are_told_with_their_number_and_others_kept(name: str, inbox: Inbox) -> None:
    read, text, media_type = FILES[name]
    drafts = list(read(inbox(name, text)))
    assert [draft.title for draft in drafts] == ["Été", "Deux"]
    assert {draft.media_type for draft in drafts} == {media_type}
    assert [draft.place_in_file.partition(",")[0] for draft in drafts] == ["référence 1", "référence 3"]
    assert drafts[-1].warnings[0].startswith("référence 2")
    assert drafts[-1].warnings[0].endswith(" : sans titre")
    assert [from_wire(to_wire(draft)) for draft in drafts] == drafts


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_a_good_reference_is_refused(name: str, inbox: Inbox) -> None:
    read, text, _ = FILES[name]
    for said in (text.replace("Été", "").replace("Deux", "").replace("Coupé", ""), "[]", "<a/>"):
        with pytest.raises(UnreadableDocument) as caught:
            list(read(inbox(name, said)))
        assert caught.value.reason in (Reason.BAD_RECORDS, Reason.DAMAGED)


def test_where_a_reference_begins_is_told_by_its_line(inbox: Inbox) -> None:
    drafts = list(citations.read_ris(inbox("a.ris", RIS)))
    assert drafts[1].place_in_file == "référence 3, ligne 7"
    assert drafts[1].warnings == ("référence 2, ligne 4 : sans titre",)
    drafts = list(citations.read_bibtex(inbox("a.bib", BIBTEX)))
    assert drafts[1].warnings[1] == "référence 4, ligne 4 : accolade, guillemet ou virgule qui manque"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_character_set_is_read(charset: str, inbox: Inbox) -> None:
    assert next(citations.read_ris(inbox("a.ris", RIS.encode(charset)))).title == "Été"
    assert next(citations.read_bibtex(inbox("a.bib", BIBTEX.encode(charset)))).title == "Été"


def test_warnings_are_bounded(inbox: Inbox) -> None:
    text = "TY  - BOOK\nER  - \n" * 300 + "TY  - BOOK\nTI  - T\nER  - \n"
    [draft] = citations.read_ris(inbox("a.ris", text))
    assert (len(draft.warnings), draft.warnings[-1]) == (201, "et 100 autres références fautives")


def test_too_many_references_are_refused(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citations, "MOST_REFERENCES", 2)
    with pytest.raises(UnreadableDocument) as caught:
        list(citations.read_ris(inbox("a.ris", RIS)))
    assert caught.value.reason is Reason.TOO_LARGE
    monkeypatch.setattr(citations, "_LARGEST_TEXT", 10)
    with pytest.raises(UnreadableDocument) as caught:
        list(citations.read_bibtex(inbox("a.bib", BIBTEX)))
    assert caught.value.reason is Reason.TOO_LARGE


def test_json_that_is_broken_or_too_deep_is_refused(inbox: Inbox) -> None:
    for text in ("[{", "[" * 200_000):
        with pytest.raises(UnreadableDocument) as caught:
            list(citations.read_csl_json(inbox("a.json", text)))
        assert caught.value.reason is Reason.DAMAGED
    with pytest.raises(UnreadableDocument):
        list(citations.read_csl_json(inbox("a.json", '{"title": "T"}')))


# -- Dublin Core in XML


def test_rdf_and_oai_dc_are_read_wherever_they_stand(inbox: Inbox) -> None:
    rdf = (
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {DC} '
        'xmlns:dcterms="http://purl.org/dc/terms/"><rdf:Description rdf:about="https://a.fr/1">'
        "<dc:title>Un</dc:title><dc:subject><rdf:Bag><rdf:li>ville</rdf:li></rdf:Bag></dc:subject>"
        '<dcterms:issued>2010</dcterms:issued><dc:relation rdf:resource="https://b.fr"/>'
        "</rdf:Description></rdf:RDF>"
    )
    [draft] = citations.read_dublin_core(inbox("a.rdf", rdf))
    assert (draft.title, draft.keywords, draft.date) == ("Un", ("ville",), "2010")
    assert dict(draft.identifiers) == {"url": "https://a.fr/1"}
    oai = (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><metadata>'
        f'<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" {DC}>'
        "<dc:title>Deux</dc:title></oai_dc:dc></metadata></record></ListRecords></OAI-PMH>"
    )
    assert [draft.title for draft in citations.read_dublin_core(inbox("b.xml", oai))] == ["Deux"]
    bare = f"<dc:title {DC}>Seul</dc:title>"
    with pytest.raises(UnreadableDocument):
        list(citations.read_dublin_core(inbox("c.xml", bare)))


def test_what_stands_before_the_break_of_an_xml_file_is_kept(inbox: Inbox) -> None:
    drafts = list(citations.read_dublin_core(inbox("a.xml", DUBLIN_CORE.replace("</records>", "<r>"))))
    assert [draft.title for draft in drafts] == ["Été", "Deux"]
    assert "le XML n’est plus lisible à partir de la ligne 3" in drafts[-1].warnings[1]


def test_entities_are_not_resolved(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mot de passe")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    text = f"{entity}<r {DC}><r><dc:title>Un &e;titre</dc:title></r></r>"
    [draft] = citations.read_dublin_core(inbox("a.xml", text))
    assert "passe" not in draft.title
    lol = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    text = f'<!DOCTYPE x [<!ENTITY a0 "ha">{lol}]><r {DC}><dc:title>Un &a9;</dc:title></r>'
    with pytest.raises(UnreadableDocument):
        list(citations.read_dublin_core(inbox("b.xml", text)))


# -- recognisers


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (RIS.encode(), "ris"),
        (b"\xef\xbb\xbfTY  - JOUR\n", "ris"),
        (b"Record #1 of 2\nProvider: x\n1.\nTY  - JOUR\n", "ris"),
        (BIBTEX.encode(), "bibtex"),
        (b"% a comment\n  @Article (k,\n", "bibtex"),
        (b"@string{a = {b}}", "bibtex"),
        (CSL.encode(), "csl-json"),
        (DUBLIN_CORE.encode(), "dublin-core"),
        (f'<?xml version="1.0"?>\n<r {DC}>'.encode(), "dublin-core"),
        (f"<!DOCTYPE html><html {DC}>".encode(), None),
        (f"<?xml version='1.0'?><html xmlns='x' {DC}>".encode(), None),
        (b"Un texte qui parle de TY  - JOUR", None),
        (b"ecrire a roy@book{x", None),
        (b"@given(st.text())\n@media { a }", None),
        (b'[{"a": 1}]', None),
        (b'{"type": "x", "title": "y"}', None),
        (b"<records><title/></records>", None),
        (b"", None),
    ],
)
def test_files_are_recognised_by_how_they_begin(head: bytes, format: str | None) -> None:
    told = {
        "ris": citations.is_ris(head),
        "bibtex": citations.is_bibtex(head),
        "csl-json": citations.is_csl_json(head),
        "dublin-core": citations.is_dublin_core(head),
    }
    assert [name for name, is_so in told.items() if is_so] == ([format] if format else [])
