"""Answers of OAI-PMH servers as they should be, and as they are."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ingest import oai_reading as oai
from kb.errors import HarvestError, Trouble

OAI = "http://www.openarchives.org/OAI/2.0/"
DC = "http://purl.org/dc/elements/1.1/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"


def record(identifier: str, title: str = "Médiation", *, declare: bool = True) -> str:
    names = f' xmlns:oai_dc="{OAI_DC}" xmlns:dc="{DC}"' if declare else ""
    return (
        f"<record><header><identifier>{identifier}</identifier><datestamp>2026-03-01T10:00:00Z</datestamp>"
        f"<setSpec>theme:T01</setSpec></header><metadata><oai_dc:dc{names}><dc:title>{title}</dc:title>"
        f"</oai_dc:dc></metadata></record>"
    )


def page(*records: str, after: str = "", attributes: str = f' xmlns="{OAI}"', end: bool = True) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OAI-PMH{attributes}>'
        "<responseDate>2026-03-02T08:00:00Z</responseDate>"
        '<request verb="ListRecords">http://exemple.org/oai</request>'
        f"<ListRecords>{''.join(records)}{after}" + ("</ListRecords></OAI-PMH>" if end else "")
    )


def listed(text: str | bytes, charset: str | None = None) -> oai.Listed:
    return oai.listed(oai.read(text.encode() if isinstance(text, str) else text, charset))


def identifiers(found: oai.Listed) -> list[str]:
    return [item.identifier for item in found.items]


def title(item: oai.Item) -> str | None:
    assert item.metadata is not None
    found: str | None = etree.fromstring(item.metadata).findtext(f"{{{DC}}}title")
    return found


# -- good answers


def test_a_page_of_records_is_read_with_its_token_and_its_clock() -> None:
    token = '<resumptionToken completeListSize="12" cursor="0"> a/b=1&amp;c </resumptionToken>'
    answer = oai.read(page(record("oai:x:1"), record("oai:x:2"), after=token).encode())
    found = oai.listed(answer)
    assert answer.at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (answer.complete, answer.mended, answer.errors) == (True, False, ())
    assert (found.token, found.size, found.skipped) == ("a/b=1&c", 12, ())
    first = found.items[0]
    assert (first.identifier, first.datestamp, first.sets, first.deleted) == (
        "oai:x:1",
        "2026-03-01T10:00:00Z",
        ("theme:T01",),
        False,
    )
    assert title(first) == "Médiation"


def test_metadata_keep_the_namespaces_declared_far_above_them() -> None:
    names = f' xmlns="{OAI}" xmlns:dc="{DC}" xmlns:oai_dc="{OAI_DC}" xmlns:t="urn:types"'
    text = page(record("oai:x:1", declare=False), attributes=names)
    text = text.replace("<dc:title>", '<dc:title type="t:main">')  # a name inside a value needs them too
    metadata = listed(text).items[0].metadata
    assert metadata is not None
    root = etree.fromstring(metadata)
    assert root.tag == f"{{{OAI_DC}}}dc"
    assert root.nsmap["t"] == "urn:types"


@pytest.mark.parametrize("inner", ["", f"<metadata><dc xmlns='{DC}'/></metadata>"])
def test_a_deleted_record_is_deleted_whether_it_has_metadata_or_not(inner: str) -> None:
    text = page(f'<record><header status="deleted"><identifier>oai:x:3</identifier></header>{inner}</record>')
    item = listed(text).items[0]
    assert (item.deleted, item.metadata, item.datestamp) == (True, None, "")


def test_a_record_without_metadata_is_an_item_without_metadata() -> None:
    text = page("<record><header><identifier>oai:x:4</identifier></header><metadata/></record>")
    item = listed(text).items[0]
    assert (item.deleted, item.metadata) == (False, None)


def test_what_is_said_about_a_record_is_not_its_metadata() -> None:
    about = "<about><dc xmlns='urn:rights'>libre</dc></about></record>"
    found = listed(page(record("oai:x:1").replace("</record>", about)))
    assert b"libre" not in (found.items[0].metadata or b"")


def test_a_record_without_identifier_is_told_by_its_place() -> None:
    text = page(record("oai:x:1"), "<record><header/></record>")
    found = listed(text)
    assert identifiers(found) == ["oai:x:1"]
    assert found.skipped == ("Notice n°\u00a02 de la page\u00a0: elle n’a pas d’identifiant.",)


def test_headers_alone_are_items() -> None:
    text = page("<header><identifier>oai:x:1</identifier></header>").replace("ListRecords", "ListIdentifiers")
    assert identifiers(listed(text)) == ["oai:x:1"]


def test_all_errors_of_an_answer_are_read() -> None:
    text = (
        f'<OAI-PMH xmlns="{OAI}"><error code="badArgument">from\n est faux</error>'
        '<error code="noRecordsMatch"/></OAI-PMH>'
    )
    errors = oai.read(text.encode()).errors
    assert errors == (("badArgument", "from est faux"), ("noRecordsMatch", ""))
    assert oai.words(errors) == "badArgument: from est faux; noRecordsMatch"


@pytest.mark.parametrize("token", ["<resumptionToken/>", "<resumptionToken cursor='8'></resumptionToken>"])
def test_an_empty_token_is_the_end(token: str) -> None:
    assert listed(page(record("oai:x:1"), after=token)).token is None


@pytest.mark.parametrize("size", ["beaucoup", "-1", "", "9" * 400])
def test_a_size_that_is_no_number_is_none(size: str) -> None:
    found = listed(page(after=f'<resumptionToken completeListSize="{size}">t</resumptionToken>'))
    assert (found.token, found.size) == ("t", None)


# -- who a repository is


def identify(inside: str) -> oai.Identity:
    text = f'<OAI-PMH xmlns="{OAI}"><Identify>{inside}</Identify></OAI-PMH>'
    return oai.identity(oai.read(text.encode()))


def test_identify_is_read() -> None:
    found = identify(
        "<repositoryName>Centre du Sud</repositoryName><baseURL>http://exemple.org/oai</baseURL>"
        "<protocolVersion>2.0</protocolVersion><adminEmail>a@exemple.org</adminEmail><adminEmail>"
        "b@exemple.org</adminEmail><earliestDatestamp>1999-02-03</earliestDatestamp>"
        "<deletedRecord>Persistent</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity>"
        f"<description><dc xmlns='urn:d'><description xmlns='{DC}'>Un fonds.</description></dc></description>"
    )
    assert found == oai.Identity(
        name="Centre du Sud",
        base_url="http://exemple.org/oai",
        emails=("a@exemple.org", "b@exemple.org"),
        earliest="1999-02-03",
        granularity="second",
        deleted="persistent",
        description="Un fonds.",
    )


def test_what_identify_leaves_out_is_taken_for_the_least() -> None:
    found = identify("")
    assert (found.granularity, found.deleted, found.centre, found.public_key) == ("day", "no", None, None)


def test_a_carbet_says_its_code_and_its_key() -> None:
    key = "0F" * 32
    found = identify(
        f'<description><carbet xmlns="{oai.NETWORK}"><centre>centre-sud</centre><key>{key}</key>'
        "<contact>a@exemple.org</contact></carbet></description>"
    )
    assert (found.centre, found.public_key) == ("centre-sud", key.lower())


@pytest.mark.parametrize(
    ("space", "centre", "key"),
    [("urn:other", "sud", "0f" * 32), (oai.NETWORK, "Le Sud/..", "0f" * 31), (oai.NETWORK, "", "zz" * 32)],
)
def test_a_code_or_key_that_cannot_be_one_is_none(space: str, centre: str, key: str) -> None:
    found = identify(
        f'<description><carbet xmlns="{space}"><centre>{centre}</centre><key>{key}</key></carbet>'
        "</description>"
    )
    assert (found.centre, found.public_key) == (None, None)


def test_formats_and_sets_are_read_in_order() -> None:
    formats = "".join(
        f"<metadataFormat><metadataPrefix>{one}</metadataPrefix></metadataFormat>"
        for one in ("marcxml", "oai_dc", "marcxml")
    )
    text = f'<OAI-PMH xmlns="{OAI}"><ListMetadataFormats>{formats}</ListMetadataFormats></OAI-PMH>'
    assert oai.formats(oai.read(text.encode())) == ("marcxml", "oai_dc")
    text = (
        f'<OAI-PMH xmlns="{OAI}"><ListSets><set><setSpec>a:b</setSpec><setName>Été</setName></set>'
        "<set><setSpec>c</setSpec></set><resumptionToken>t</resumptionToken></ListSets></OAI-PMH>"
    )
    assert oai.sets(oai.read(text.encode())) == ((("a:b", "Été"), ("c", "c")), "t")


def test_the_answer_to_another_verb_is_refused() -> None:
    with pytest.raises(HarvestError) as caught:
        oai.identity(oai.read(page().encode()))
    assert caught.value.trouble is Trouble.PROTOCOL


# -- namespaces, prefixes, character sets


@pytest.mark.parametrize("space", ["", ' xmlns="http://www.openarchives.org/OAI/1.1/"', f' xmlns="{OAI}"'])
def test_elements_are_known_whatever_their_namespace(space: str) -> None:
    found = listed(page(record("oai:x:1"), after="<resumptionToken>t</resumptionToken>", attributes=space))
    assert (identifiers(found), found.token) == (["oai:x:1"], "t")


@pytest.mark.parametrize("declared", [f' xmlns:oai="{OAI}"', ""])
def test_elements_are_known_under_any_prefix_declared_or_not(declared: str) -> None:
    text = page(record("oai:x:1"), record("oai:x:2"), after="<resumptionToken>t</resumptionToken>")
    for name in ("record", "header", "identifier", "metadata", "ListRecords", "resumptionToken"):
        text = text.replace(f"<{name}>", f"<oai:{name}>").replace(f"</{name}>", f"</oai:{name}>")
    text = text.replace(f'<OAI-PMH xmlns="{OAI}"', f"<oai:OAI-PMH{declared}").replace("</OAI", "</oai:OAI")
    found = listed(text)
    assert (identifiers(found), found.token, found.skipped) == (["oai:x:1", "oai:x:2"], "t", ())
    assert title(found.items[1]) == "Médiation"


def test_a_prefix_of_dublin_core_that_nobody_declared_is_understood() -> None:
    assert title(listed(page(record("oai:x:1", declare=False))).items[0]) == "Médiation"


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("UTF-8", "utf-8"),
        ("ISO-8859-1", "utf-8"),
        ("UTF-8", "iso-8859-1"),
        ("ISO-8859-1", "iso-8859-1"),
        ("ISO-8859-15", "iso-8859-15"),
        ("ISO-8859-15", "utf-8"),
        ("no-such-set", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-le"),
        ("zlib", "cp1252"),
    ],
)
def test_the_bytes_say_in_which_set_they_are_not_the_declaration(declared: str, written: str) -> None:
    text = page(record("oai:x:1", "Élèves du cœur" if written != "iso-8859-1" else "Élèves du coeur"))
    body = text.replace("UTF-8", declared).encode(written)
    assert title(listed(body).items[0]) in ("Élèves du cœur", "Élèves du coeur")


def test_two_sets_in_one_page_are_both_read() -> None:
    start, end = page(record("oai:x:1", "Été"), record("oai:x:2", "Hiver à deux")).split("Hiver à deux")
    found = listed(start.encode() + "Hiver à deux".encode("cp1252") + end.encode())
    assert [title(item) for item in found.items] == ["Été", "Hiver à deux"]


def test_the_set_of_the_http_header_serves_when_the_xml_says_none() -> None:
    text = page(record("oai:x:1", "Œuvre €")).replace('<?xml version="1.0" encoding="UTF-8"?>', "")
    assert title(listed(text.encode("iso-8859-15"), "ISO-8859-15").items[0]) == "Œuvre €"


def test_a_set_that_cannot_be_one_is_left_aside() -> None:
    assert title(listed(page(record("oai:x:1", "Été")), "\0").items[0]) == "Été"


# -- what is no answer


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body><form>Mot de passe</form></body></html>",
        b'{"records": []}',
        b"<rss version='2.0'><channel/></rss>",
        b"n'importe quoi",
        b"\x1f\x8b\x08\x00\xff\xfe",
        b"<",
    ],
)
def test_another_kind_of_document_is_said_to_be_one(body: bytes) -> None:
    with pytest.raises(HarvestError) as caught:
        oai.read(body)
    assert caught.value.trouble is Trouble.NOT_OAI


@pytest.mark.parametrize("body", [b"", b" \n "])
def test_an_empty_answer_is_a_broken_one(body: bytes) -> None:
    with pytest.raises(HarvestError) as caught:
        oai.read(body)
    assert caught.value.trouble is Trouble.BROKEN_XML


def test_words_of_a_server_around_the_xml_are_left_out() -> None:
    noise = "<br />\n<b>Warning</b>: mysql_connect() in <b>/var/www</b><br />\n"
    answer = oai.read((noise + page(record("oai:x:1")) + noise).encode())
    assert (identifiers(oai.listed(answer)), answer.mended) == (["oai:x:1"], False)


def test_no_document_type_and_no_entity_is_ever_seen(tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    dtd = f'<!DOCTYPE OAI-PMH [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY y "&x;&x;">]>'
    found = listed(page(record("oai:x:1", "a&x;b&y;c")).replace("?><OAI", f"?>{dtd}<OAI"))
    assert title(found.items[0]) == "a&x;b&y;c"


# -- XML that is none


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Dupont & fils", "Dupont & fils"),
        ("a&b=1;", "a&b=1;"),
        ("l&eacute;gal&nbsp;!", "légal\u00a0!"),
        ("R&amp;D &lt; tout", "R&D < tout"),
        ("moins de < 10 ans", "moins de < 10 ans"),
        ("page\x0bune\x00", "pageune"),
        ("saut&#11;de&#xD800;ligne&#x41;&#99999999;", "sautdeligneA"),
        ("&LT;b&GT;", "<b>"),
        ("&unknown;", "&unknown;"),
        ("<![CDATA[a & b\x01 &eacute;]]> & c", "a & b &eacute; & c"),
        ("fin\ufffe", "fin"),
    ],
)
def test_signs_that_xml_forbids_are_mended(written: str, meant: str) -> None:
    answer = oai.read(page(record("oai:x:1"), record("oai:x:2", written)).encode("utf-8", "surrogatepass"))
    found = oai.listed(answer)
    assert found.skipped == ()
    assert title(found.items[1]) == meant


BROKEN = "<b>pas fermé"


def test_one_broken_record_spoils_no_other_and_is_named() -> None:
    token = '<resumptionToken completeListSize="9">a&amp;b</resumptionToken>'
    answer = oai.read(
        page(record("oai:x:1"), record("oai:x:2", BROKEN), record("oai:x:3"), after=token).encode()
    )
    found = oai.listed(answer)
    assert identifiers(found) == ["oai:x:1", "oai:x:3"]
    assert (found.token, found.size, answer.complete) == ("a&b", 9, True)
    assert answer.at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert len(found.skipped) == 1
    assert found.skipped[0].startswith("Notice «\u00a0oai:x:2\u00a0»\u00a0: XML mal formé")


def test_a_record_without_header_beside_a_broken_one_is_told_too() -> None:
    found = listed(page(record("oai:x:1", BROKEN), record("oai:x:2"), "<record>vide</record>"))
    assert identifiers(found) == ["oai:x:2"]
    assert [told.partition("\u00a0:")[0] for told in found.skipped] == [
        "Notice «\u00a0oai:x:1\u00a0»",
        "Notice n°\u00a03 de la page",
    ]


def test_a_broken_answer_without_a_list_is_not_the_end_of_one() -> None:
    with pytest.raises(HarvestError) as caught:
        listed("<OAI-PMH><autre></chose></OAI-PMH>")
    assert caught.value.trouble is Trouble.PROTOCOL


def test_records_cut_out_keep_the_namespaces_of_the_page() -> None:
    names = f' xmlns="{OAI}" xmlns:oai_dc="urn:mine" xmlns:dc="{DC}"'
    found = listed(page(record("oai:x:1", BROKEN), record("oai:x:2", declare=False), attributes=names))
    assert found.items[0].metadata is not None
    assert etree.fromstring(found.items[0].metadata).tag == "{urn:mine}dc"


def test_a_marc_record_within_a_record_is_not_one_of_the_protocol() -> None:
    marc = (
        "<record><header><identifier>oai:m:{0}</identifier></header><metadata><record xmlns='urn:marc'>"
        "<leader>x</leader><controlfield tag='001'>{0}</controlfield></record></metadata></record>"
    )
    found = listed(page(marc.format(1), record("oai:x:2", BROKEN), marc.format(3)))
    assert identifiers(found) == ["oai:m:1", "oai:m:3"]
    assert b"controlfield" in (found.items[1].metadata or b"")


def test_an_answer_that_is_cut_off_keeps_its_whole_records_and_says_so() -> None:
    whole = page(record("oai:x:1"), record("oai:x:2"), record("oai:x:3"))
    answer = oai.read(whole[: whole.index("oai:x:3") + 60].encode())
    found = oai.listed(answer)
    assert not answer.complete
    assert identifiers(found) == ["oai:x:1", "oai:x:2"]
    assert "oai:x:3" in found.skipped[0]


@pytest.mark.parametrize("cut", ["<resumptionToken>abcd", "<resumptionToken", "<resumptionToken>abc</resump"])
def test_a_token_that_is_cut_off_is_no_token(cut: str) -> None:
    answer = oai.read(page(record("oai:x:1"), after=cut, end=False).encode())
    assert oai.listed(answer).token is None
    assert not answer.complete


def test_a_record_never_closed_ends_at_the_token() -> None:
    text = page(
        record("oai:x:1"),
        record("oai:x:2").removesuffix("</record>"),
        after="<resumptionToken>t</resumptionToken>",
    )
    found = listed(text)
    assert (identifiers(found), found.token, len(found.skipped)) == (["oai:x:1"], "t", 1)


@pytest.mark.parametrize("position", range(0, 900, 37))
def test_wherever_an_answer_is_cut_no_record_is_invented(position: int) -> None:
    text = page(
        *(record(f"oai:x:{number}") for number in range(3)), after="<resumptionToken>t</resumptionToken>"
    )
    try:
        answer = oai.read(text[: 120 + position].encode())
        found = oai.listed(answer)
    except HarvestError:
        return
    assert not answer.complete or found.token == "t"
    assert all(title(item) == "Médiation" for item in found.items)


@pytest.mark.parametrize(
    "body",
    [
        "<!--" * 30_000,
        "<![CDATA[" * 20_000,
        "<record><header>" * 8_000,
        "<record " + "a" * 200_000,
        "<a>" * 50_000,
        "&" * 100_000,
        "<resumptionToken>" * 10_000,
    ],
)
def test_no_answer_takes_long_to_read(body: str) -> None:
    answer = oai.read(("<OAI-PMH><ListRecords>" + body).encode())
    assert oai.listed(answer).items == ()


@given(st.binary(max_size=400))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    start = page(record("oai:x:1")).encode()
    try:
        found = oai.listed(oai.read(start[:-40] + body + start[-40:]))
    except HarvestError:
        return
    assert identifiers(found)[:1] in (["oai:x:1"], [])


SIGNS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


@given(st.text(SIGNS, min_size=1, max_size=60))
def test_any_title_comes_back_as_it_was_sent(words: str) -> None:
    text = page(record("oai:x:1", escape(words)))
    assert title(listed(text).items[0]) == words
    broken = page(record("oai:x:0", BROKEN), record("oai:x:1", escape(words)))
    assert title(listed(broken).items[0]) == words


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-02T08:00:00Z", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T08:00:00.5+02:00", datetime(2026, 3, 2, 6, 0, 0, 500_000, tzinfo=UTC)),
        (" 2026-03-02 ", datetime(2026, 3, 2, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("hier", None),
        ("", None),
    ],
)
def test_dates_are_utc_or_none(text: str, meant: datetime | None) -> None:
    assert oai.moment(text) == meant


def test_an_error_goes_from_one_process_to_another() -> None:
    error = HarvestError(Trouble.BUSY, "status 503", "http://exemple.org/")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.trouble, copy.detail, copy.url, str(copy)) == (
        error.trouble,
        error.detail,
        error.url,
        str(error),
    )
