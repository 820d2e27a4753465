"""Catalogues in ISO 2709 and XML: character sets, faults, what is refused and how it is given back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import marc, readers
from ingest.drafts import Draft
from ingest.holdings import Catalogue, record_of
from kb import iso2709, marc21, unimarc
from kb.errors import Reason, UnreadableDocument
from kb.records import Agent, Copy, Record, State, Subject

Inbox = Callable[[str, bytes | str], Path]

SLIM = "http://www.loc.gov/MARC21/slim"
RECORD = Record(
    id="ville-caraibe:12",
    title="Évaluer & « décider » <ensemble>",
    type="guide",
    subtitle="récits d’habitants",
    agents=(Agent("Aubéry, Maryse"), Agent("Ville Caraïbe", "publisher", "body")),
    date="2010-06",
    language="gcf",
    series="Cahiers",
    issue="3",
    extent="84 p. ; 24 cm",
    abstract="Un.\n\nDeux.",
    notes=("Bibliogr.",),
    call_number="EVA 1",
    copies=(Copy("EVA 1", "97201"), Copy("EVA 1"), Copy("EVA 1")),
    host_pages="3-9",
    keywords=("atelier", "École -- Martinique"),
    identifiers={"isbn": "9782070612390", "doi": "10.1234/x", "record": "VC/7"},
)
FORMATS = pytest.mark.parametrize("write", [unimarc.to_unimarc, marc21.to_marc21], ids=["unimarc", "marc21"])


def xml(*records: str, root: str = f'<collection xmlns="{SLIM}">', head: str = "") -> str:
    return f"{head}{root}{''.join(records)}</collection>"


def notice(title: str, number: str = "1") -> str:
    return (
        f'<record><leader>00000nam0 2200000   450 </leader><controlfield tag="001">{number}</controlfield>'
        f'<datafield tag="200" ind1="1" ind2=" "><subfield code="a">{title}</subfield></datafield></record>'
    )


def titles(drafts: Any) -> list[str]:
    return [draft.title for draft in drafts]


def told(path: Path) -> Draft:
    """What the reader of the file's format says of it."""
    with path.open("rb") as file:
        read = marc.read_xml if marc.is_marcxml(file.read(2048)) else marc.read
    (draft,) = read(path)
    return draft


# -- our own records


@FORMATS
@pytest.mark.parametrize("form", ["iso2709", "xml"])
def test_our_records_are_read_back_equal(write: Any, form: str, inbox: Inbox) -> None:
    leader, fields = write(RECORD)
    content = (
        iso2709.iso2709(leader, fields) if form == "iso2709" else "".join(iso2709.marcxml([(leader, fields)]))
    )
    draft = told(inbox("a.mrc", content))
    assert draft.warnings == ()
    assert Record(id=RECORD.id, **draft.record_fields()) == RECORD


@FORMATS
def test_accepted_subjects_come_in_as_key_words(write: Any, inbox: Inbox) -> None:
    uri = "https://example.org/themes/T06"
    record = dataclasses.replace(RECORD, subjects=(Subject(concept=uri, state=State.ACCEPTED),))
    content = iso2709.iso2709(*write(record, labels={uri: "Médiation sociale"}))
    assert told(inbox("a.mrc", content)).keywords == (*RECORD.keywords, "Médiation sociale")


@FORMATS
def test_a_part_and_its_host_know_each_other(write: Any, inbox: Inbox) -> None:
    host = Record(id="ville-caraibe:9", title="Cahier 3")
    content = iso2709.iso2709(*write(host)) + iso2709.iso2709(*write(RECORD, host))
    first, second = marc.read(inbox("a.mrc", content))
    assert ("record", first.identifiers["record"]) in second.hosts


# -- character sets


@pytest.mark.parametrize(
    ("title", "raw"),
    [
        ("Société à l’œuvre", "Société à l’œuvre".encode()),
        ("Société à l’œuvre", "Société à l’œuvre".encode("cp1252")),
        ("Société à l'œuvre", b"Soci\xc2et\xc2e \xc1a l'\xfauvre"),
        ("L'été", b"\x88L'\x89\xc2et\xc2e"),
        ("L'été, l’œuvre", b"\x98L'\x9c\xe9t\xe9, l\x92\x9cuvre"),
        ("Le été", b"\x88Le \x89\xe9t\xe9"),
    ],
)
def test_the_bytes_decide_whatever_is_declared(title: str, raw: bytes, make: Any, inbox: Inbox) -> None:
    for declared in ("01  ", "0103", "50  ", "    "):
        general = ("100", f"  $a20100110d2009    k  y0frey{declared}    ba")
        content = make.unimarc(general, ("200", "1 $aTITRE"))
        start = content.index(b"TITRE")
        (draft,) = marc.read(inbox("a.mrc", content[:start] + raw + content[start + 5 :]))
        assert draft.title == title
        # The title has another length than the directory says: mended, and told.
        assert draft.warnings in ((), ("notice 1 : longueurs de zones fausses",))


def test_marc_8_is_read_in_marc_21(make: Any, inbox: Inbox) -> None:
    content = make.unimarc(("245", "10$aSOC")).replace(b"SOC", b"\xe2et")
    assert titles(marc.read(inbox("a.mrc", content))) == ["ét"]


def test_a_doubt_is_told_with_the_record(make: Any, inbox: Inbox) -> None:
    content = make.unimarc(("200", "1 $aBon")) + make.unimarc(("200", "1 $aÉoliennes"), encoding="cp1252")
    first, second = marc.read(inbox("a.mrc", content))
    assert first.warnings == ()
    (warning,) = second.warnings
    assert warning.startswith("notice 2 : jeu de caractères douteux")


def test_fields_that_are_not_read_spoil_nothing(make: Any, inbox: Inbox) -> None:
    content = make.unimarc(("200", "1 $aÉté"), ("990", "  $aXX")).replace(b"XX", b"\xff\xfe")
    (draft,) = marc.read(inbox("a.mrc", content))
    assert (draft.title, draft.warnings) == ("Été", ())


# -- what is refused


def test_deleted_records_and_authorities_are_no_documents(make: Any, inbox: Inbox) -> None:
    content = (
        make.unimarc(("200", "1 $aUn"), leader="dam  22")
        + make.unimarc(("250", "  $aConcept"), leader="cx   22")
        + make.unimarc(("200", "1 $aBon"))
    )
    (draft,) = marc.read(inbox("a.mrc", content))
    assert draft.warnings == (
        "notice 1 : supprimée à la source",
        "notice 2 : notice d’autorité, et non de document",
    )


def test_what_is_refused_is_given_back_as_a_file(make: Any, inbox: Inbox) -> None:
    bad = make.unimarc(("200", "1 $aВойна и мир"), encoding="cp1251")
    untitled = make.unimarc(("300", "  $aNote"))
    path = inbox("a.mrc", make.unimarc(("200", "1 $aBon")) + bad + untitled)
    found = list(marc.rejected(path))
    assert [(number, raw) for number, _, raw in found] == [(2, bad), (3, untitled)]
    (draft,) = marc.read(path)
    assert draft.warnings == tuple(f"notice {number} : {reason}" for number, reason, _ in found)
    again = inbox("b.mrc", b"".join(raw for _, _, raw in found))
    assert [reason for _, reason, _ in marc.rejected(again)] == [reason for _, reason, _ in found]


def test_nothing_is_refused_of_a_good_file(make: Any, inbox: Inbox) -> None:
    assert list(marc.rejected(inbox("a.mrc", make.unimarc(("200", "1 $aBon"))))) == []


@pytest.mark.parametrize("content", [b"", b"\x1d\x1d\r\n", b"<collection/>"])
def test_a_file_without_records_is_refused(content: bytes, inbox: Inbox) -> None:
    path = inbox("a.mrc", content)
    for read in (marc.read, marc.read_xml):
        with pytest.raises(UnreadableDocument) as caught:
            list(read(path))
        assert caught.value.reason is Reason.BAD_RECORDS


def test_who_stops_halfway_leaves_nothing_open(make: Any, inbox: Inbox) -> None:
    drafts = marc.read(inbox("a.mrc", make.unimarc(("200", "1 $aBon")) * 3))
    assert next(drafts).title == "Bon"
    drafts.close()  # type: ignore[attr-defined]


# -- XML


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (f'<?xml version="1.0"?><collection xmlns="{SLIM}">', True),
        ("<record>\n <leader>     cam0</leader>", True),
        ("\ufeff<marc:record><marc:leader>", True),
        ('<unimarc><notice><rs>n</rs><f c="001">1</f>', True),
        ("<!DOCTYPE html><p>&lt;record>&lt;leader></p>", False),
        ("<record><titre>Autre XML</titre></record>", False),
        ("texte <record><leader>", False),
        ("", False),
    ],
)
def test_catalogues_in_xml_are_recognised(head: str, answer: bool) -> None:
    assert marc.is_marcxml(head.encode()) is answer
    if answer:
        assert marc.is_marcxml(head.encode("utf-16"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(xml(notice("Évaluer")), id="namespace"),
        pytest.param(notice("Évaluer"), id="record alone"),
        pytest.param(xml(notice("Évaluer"), root="<collection>"), id="no namespace"),
        pytest.param(
            notice("Évaluer").replace("</", "</m:").replace("<", "<m:").replace("<m:/m:", "</m:"),
            id="prefix unknown",
        ),
        pytest.param(xml(f"<!-- {notice('Caché')} -->", notice("Évaluer")), id="comment"),
        pytest.param(
            f"<OAI-PMH><record><header/><metadata>{notice('Évaluer')}</metadata></record></OAI-PMH>",
            id="OAI-PMH",
        ),
        pytest.param(xml(notice("&Eacute;valuer"), head="<!DOCTYPE x>"), id="names of HTML"),
        pytest.param(xml(notice("<![CDATA[Évaluer]]>")), id="CDATA"),
        pytest.param(
            '<unimarc><notice><rs>n</rs><dt>a</dt><bl>m</bl><f c="001">1</f><f c="200" ind="1 ">'
            '<s c="a">Évaluer</s></f></notice></unimarc>',
            id="PMB",
        ),
    ],
)
def test_all_dialects_are_read(content: str, inbox: Inbox) -> None:
    for codec in ("utf-8", "utf-8-sig", "utf-16"):
        (draft,) = marc.read_xml(inbox("a.xml", content.encode(codec)))
        assert (draft.title, draft.type, draft.identifiers) == ("Évaluer", "ouvrage", {"record": "1"})
        assert draft.media_type == marc.MARCXML_TYPE


@pytest.mark.parametrize("codec", ["iso-8859-1", "iso-8859-15", "cp1252"])
@pytest.mark.parametrize("declares", [True, False])
def test_xml_in_another_set_is_read(codec: str, declares: bool, inbox: Inbox) -> None:
    head = f'<?xml version="1.0" encoding="{codec}"?>' if declares else ""
    (draft,) = marc.read_xml(inbox("a.xml", xml(notice("Évaluer, être"), head=head).encode(codec)))
    assert draft.title == "Évaluer, être"


def test_a_false_declaration_does_no_harm(inbox: Inbox) -> None:
    content = xml(notice("Évaluer"), head='<?xml version="1.0" encoding="iso-8859-1"?>')
    assert titles(marc.read_xml(inbox("a.xml", content))) == ["Évaluer"]


def test_faulty_records_in_xml_are_told_and_given_back(inbox: Inbox) -> None:
    unclosed = notice("Ouvert").replace("</datafield>", "")
    endless = notice("Sans fin").replace("</record>", "")
    content = xml(notice("Un"), unclosed, "<record/>", endless, notice("Deux"))
    path = inbox("a.xml", content)
    *_, last = drafts = list(marc.read_xml(path))
    assert titles(drafts) == ["Un", "Deux"]
    assert [warning.partition(" : ")[0] for warning in last.warnings] == ["notice 2", "notice 3", "notice 4"]
    assert "XML mal formé, ligne 1" in last.warnings[0]
    assert [(number, raw) for number, _, raw in marc.rejected(path)] == [
        (2, unclosed.encode()),
        (3, b"<record/>"),
        (4, endless.encode()),
    ]


def test_bare_ampersands_and_control_characters_are_mended_and_told(inbox: Inbox) -> None:
    (draft,) = marc.read_xml(inbox("a.xml", xml(notice("Roy & fils \x0bR&D&#233;"))))
    assert draft.title == "Roy & fils R&Dé"
    assert draft.warnings == ("notice 1 : XML fautif, réparé",)


def test_fields_without_a_tag_or_a_code_are_told_or_left(inbox: Inbox) -> None:
    content = notice("Un").replace(
        "</record>", '<datafield tag="42"><subfield>x</subfield></datafield></record>'
    )
    (draft,) = marc.read_xml(inbox("a.xml", content))
    assert draft.warnings == ("notice 1 : zone sans étiquette valable «\u00a042\u00a0»",)


def test_entities_are_never_followed(inbox: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    head = f'<!DOCTYPE c [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY y "boum">]>'
    path = inbox("a.xml", xml(notice("&x;"), notice("&y;"), notice("Bon"), head=head))
    (draft,) = marc.read_xml(path)
    assert draft.title == "Bon"
    assert "secret" not in str(list(marc.rejected(path)))
    assert [number for number, _, _ in marc.rejected(path)] == [1, 2]


# -- again


@FORMATS
def test_a_catalogue_that_comes_again_finds_its_records(write: Any, inbox: Inbox, store: Any) -> None:
    bare = Record(id="ville-caraibe:3", title="Sans numéro")
    content = b"".join(iso2709.iso2709(*write(record)) for record in (RECORD, bare))
    drafts = list(marc.read(inbox("a.mrc", content)))
    first = Catalogue(drafts, "a.mrc")
    for number, entry in enumerate(first.entries, start=1):
        first.find(entry, store)
        assert entry.held is None
        store.save(record_of(entry.draft, None, id=f"autre:{number}", source="a.mrc"), [])
    # Under another name and with other titles: only the number can tell.
    again = Catalogue([dataclasses.replace(draft, title=f"{draft.title}, revu") for draft in drafts], "b.mrc")
    for number, entry in enumerate(again.entries, start=1):
        again.find(entry, store)
        assert entry.held is not None
        assert entry.id == f"autre:{number}"


def test_the_table_of_readers_reads_iso_2709_here(make: Any, inbox: Inbox) -> None:
    assert titles(readers.read(inbox("a.bin", make.unimarc(("200", "1 $aBon"))))) == ["Bon"]
