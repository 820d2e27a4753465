from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import iso2709
from kb.errors import InvalidRecord
from kb.iso2709 import Field

LEADER = "00000nam0 2200000   450 "
BOOK = (
    Field("001", "VC1"),
    Field("200", "", (("a", "Évaluer"), ("e", "manuel")), "1 "),
    Field("700", "", (("a", "Aubéry"), ("b", "Maryse")), " 1"),
)
RAW = iso2709.iso2709(LEADER, BOOK)


def read(raw: bytes) -> list[Field]:
    _, parts, _ = iso2709.parse(raw)
    return [iso2709.field(part.tag, part.body.decode()) for part in parts]


def faults(raw: bytes) -> list[str]:
    return iso2709.parse(raw)[2]


def test_what_is_written_is_read() -> None:
    leader, _, told = iso2709.parse(RAW)
    assert (leader[5:8], told) == ("nam", [])
    assert tuple(read(RAW)) == BOOK


def test_the_leader_tells_the_true_length_and_base() -> None:
    assert int(RAW[:5]) == len(RAW)
    assert RAW[int(RAW[12:17]) - 1 : int(RAW[12:17])] == b"\x1e"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"99999" + RAW[5:], id="length"),
        pytest.param(RAW[:12] + b"00000" + RAW[17:], id="base address"),
        pytest.param(RAW[:-2] + b"\x1d", id="last terminator"),
    ],
)
def test_what_the_leader_says_wrongly_does_no_harm(raw: bytes) -> None:
    assert tuple(read(raw)) == BOOK
    assert faults(raw) == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(RAW.replace(b"001000400000", b"001003100000"), id="a wrong length"),
        # Lengths in characters and not in bytes: each accent makes the places of what follows wrong.
        pytest.param(iso2709.iso2709(LEADER, BOOK).replace("é".encode(), "éé".encode()), id="places"),
    ],
)
def test_wrong_lengths_in_the_directory_are_mended_and_told(raw: bytes) -> None:
    assert [field.tag for field in read(raw)] == ["001", "200", "700"]
    assert read(raw)[1].first("e") == "manuel"
    assert faults(raw) == ["longueurs de zones fausses"]


@pytest.mark.parametrize("leader", [RAW[:10] + RAW[12:24], RAW[:17] + b" " + RAW[17:24]])
def test_blanks_lost_or_doubled_in_the_leader_do_no_harm(leader: bytes) -> None:
    raw = leader + RAW[24:]
    assert tuple(read(raw)) == BOOK
    assert iso2709.parse(raw)[0][5:8] == "nam"
    assert faults(raw) == ["guide ou répertoire fautif"]


def test_a_record_cut_short_keeps_its_whole_fields_and_says_what_it_lost() -> None:
    cut = RAW[: RAW.index("Évaluer".encode()) - 3]
    assert [field.tag for field in read(cut + b"\x1d")] == ["001"]
    assert faults(cut + b"\x1d") == ["notice abîmée, zones perdues : 200, 700"]


@pytest.mark.parametrize("raw", [b"", b"00026     2200025   4500\x1e\x1d", b"x" * 80])
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRecord):
        iso2709.parse(raw)


def test_records_are_parted_by_their_ends_whatever_stands_between() -> None:
    content = b"\xef\xbb\xbf" + RAW + b"\r\n" + b"00001" + RAW[5:] + b"\0\x1a\n"
    assert [len(raw) for raw in iso2709.records(content)] == [len(RAW)] * 2


def test_records_run_together_are_parted() -> None:
    others = [iso2709.iso2709(LEADER, (Field("001", number), *BOOK[1:])) for number in ("VC2", "VC3")]
    found = iso2709.records(RAW[:-1] + b"\n".join(raw[:-1] for raw in others) + b"\x1d" + RAW)
    assert [read(raw)[0].data for raw in found] == ["VC1", "VC2", "VC3", "VC1"]


def test_an_end_mark_inside_a_field_ends_nothing_when_the_length_is_right() -> None:
    raw = RAW.replace(b"manuel", b"man\x1del")
    (found, last) = iso2709.records(raw + RAW)
    assert (found, last) == (raw, RAW)


def test_a_last_record_without_its_end_is_read() -> None:
    assert [read(raw) for raw in iso2709.records(RAW + RAW[:-1])] == [list(BOOK)] * 2


def test_empty_fields_and_subfields_are_left_out() -> None:
    assert iso2709.field("300", "  \x1f\x1fa\x1fb \x1fcx").subfields == (("c", "x"),)
    assert iso2709.field("300", "").subfields == ()


def test_data_without_a_subfield_is_taken_for_the_first() -> None:
    assert iso2709.field("300", "  Une note").first("a") == "Une note"


@pytest.mark.parametrize(
    ("said", "found"),
    [("00753nam  2200265   450 ", "nam"), (" cx j22 3 45 ", "cx "), ("nam", "nam"), ("", "   ")],
)
def test_the_leader_is_found_where_blanks_moved_it(said: str, found: str) -> None:
    assert iso2709.regular_leader(said)[5:8] == found
    assert len(iso2709.regular_leader(said)) == 24


def test_control_characters_go_and_marks_of_xml_are_escaped() -> None:
    field = Field("200", "", (("a", 'R & D\x1d <"b">\ud800\x0c'),), "1&")
    xml = "".join(iso2709.marcxml([(LEADER, [Field("001", "a<b"), field])]))
    assert '<subfield code="a">R &amp; D &lt;"b"&gt;</subfield>' in xml
    assert 'ind1="1" ind2="&amp;"' in xml
    assert '<controlfield tag="001">a&lt;b</controlfield>' in xml
    assert re.search("[\x00-\x08\x0b-\x1f]", xml) is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_makes_a_record_that_needs_no_mending(first: str, second: str) -> None:
    raw = iso2709.iso2709(LEADER, [Field("200", "", (("a", first), ("e", second))), Field("001", second)])
    assert list(iso2709.records(raw)) == [raw]
    assert faults(raw) == []
    assert (read(raw)[0].first("a") or "") == iso2709.regular(first.encode("utf-8", "ignore").decode()) or (
        "\ufffe" in first or "\uffff" in first or "\x85" in first
    )


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(junk: bytes) -> None:
    for raw in iso2709.records(RAW[:40] + junk + RAW):
        try:
            read_parts = iso2709.parse(raw)[1]
        except InvalidRecord:
            continue
        assert all(len(part.tag) == 3 for part in read_parts)
