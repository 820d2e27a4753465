from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import charsets, iso5426
from kb.charsets import MARC21_SETS, UNIMARC_SETS, Charset
from kb.errors import InvalidRecord

TEXT = "Élèves à l'école : où sont les « quartiers » ? Ça naît, Noël, forêts brûlées"
IN_ISO_5426 = (
    b"\xc2El\xc1eves \xc1a l'\xc2ecole : o\xc1u sont les \xab quartiers \xbb ? \xd0Ca na\xc3it, No\xc8el,"
    b" for\xc3ets br\xc3ul\xc2ees"
)
IN_MARC_8 = b"\xe2El\xe1eves \xe1a l'\xe2ecole, \xf0Ca na\xe3it, No\xe8el, for\xe3ets br\xe3ul\xe2ees"


def field(body: bytes) -> list[bytes]:
    return [b"1 \x1fa" + body]


@pytest.mark.parametrize(
    ("body", "sets", "found"),
    [
        (TEXT.encode(), UNIMARC_SETS, Charset.UTF_8),
        (b"plain", UNIMARC_SETS, Charset.UTF_8),
        (IN_ISO_5426, UNIMARC_SETS, Charset.ISO_5426),
        (IN_MARC_8, MARC21_SETS, Charset.MARC_8),
        *((TEXT.encode("cp1252"), sets, Charset.WINDOWS) for sets in (UNIMARC_SETS, MARC21_SETS)),
    ],
)
def test_bytes_tell_their_set_without_a_doubt(body: bytes, sets: tuple[Charset, ...], found: Charset) -> None:
    assert charsets.decide(field(body), sets) == (found, None)


@pytest.mark.parametrize(
    ("codec", "found"), [("cp850", Charset.DOS), ("mac_roman", Charset.MAC)], ids=["DOS", "Mac"]
)
def test_sets_of_old_machines_are_found_and_told(codec: str, found: Charset) -> None:
    decision = charsets.decide(field("Les élèves à l'école, la forêt brûlée".encode(codec)), UNIMARC_SETS)
    assert decision.charset is found
    assert decision.doubt is not None


@pytest.mark.parametrize(
    "word", ["école", "à", "École", "Âge", "forêt", "Ça", "où", "naïf", "œuvre", "L’été"]
)
def test_one_word_is_enough_for_windows(word: str) -> None:
    decision = charsets.decide(field(word.encode("cp1252")), UNIMARC_SETS)
    assert charsets.decode(word.encode("cp1252"), decision.charset) == word


@pytest.mark.parametrize(
    "body", [b"\xc2ecole", b"\xc1a", b"\xc2Ecole", b"for\xc3et", b"\xd0Ca", b"o\xc1u", b"\xfauvre"]
)
def test_one_word_is_enough_for_iso_5426(body: bytes) -> None:
    assert charsets.decide(field(body), UNIMARC_SETS).charset is Charset.ISO_5426


@pytest.mark.parametrize(
    "body",
    [
        "Основы информационных технологий".encode("cp1251"),
        "Καλημέρα κόσμε".encode("iso8859-7"),
        "日本語の図書館と都市政策".encode("shift_jis"),
        TEXT.encode()[:-3] + "é".encode()[:1],
    ],
)
def test_what_would_be_noise_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRecord, match="accents illisibles"):
        charsets.decide(field(body), UNIMARC_SETS)


def test_the_other_records_of_the_file_decide_where_one_is_not_enough() -> None:
    # "Éo" in Windows-1252 is "ö" in ISO 5426.
    body = "Éoliennes".encode("cp1252")
    alone = charsets.decide(field(body), UNIMARC_SETS)
    assert alone.doubt is not None
    votes = charsets.weigh([field(IN_ISO_5426), field(body)], UNIMARC_SETS)
    assert charsets.decide(field(b"K\xc9oln"), UNIMARC_SETS, votes) == (Charset.ISO_5426, None)
    votes = charsets.weigh([field(TEXT.encode("cp1252")), field(body)], UNIMARC_SETS)
    assert charsets.decide(field(body), UNIMARC_SETS, votes) == (Charset.WINDOWS, None)


def test_two_sets_in_one_record_are_each_read_and_told() -> None:
    bodies = [TEXT.encode(), TEXT.encode("cp1252")]
    decision = charsets.decide(bodies, UNIMARC_SETS)
    assert decision.charset is Charset.WINDOWS
    assert "mêlés" in (decision.doubt or "")
    assert [charsets.decode(body, decision.charset) for body in bodies] == [TEXT, TEXT]


def test_accents_spoilt_before_they_came_are_told() -> None:
    spoilt = "école".encode().decode("cp1252").encode()
    assert "abîmés" in (charsets.decide(field(spoilt), UNIMARC_SETS).doubt or "")


def test_iso_5426_puts_diacritics_after_their_letters() -> None:
    assert iso5426.decode(IN_ISO_5426) == TEXT
    assert iso5426.decode(b"\xe1 \xea \xf1 \xfa \xfb \xa3 \xb9") == "Æ Œ æ œ ß £ ’"
    assert iso5426.decode(b"Vi\xc3\xd6et") == "Việt"


def test_marc_8_is_read_by_its_own_table() -> None:
    assert iso5426.decode(b"\xe2ecole \xb2 \xa1", iso5426.MARC_8) == "école ø Ł"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b(NWOJNA\x1b(B fin", "война fin"),
        (b"\x1b)Q\xc0\x1b)P \xc2e", "ґ é"),
        (b"\x1b)!E\xe2e\x1fa\xc2e", "é\x1faé"),
        (b"H\x1bb2\x1bsO", "H₂O"),
        (b"\x88Le\x89 temps", "\x98Le\x9c temps"),
    ],
)
def test_escapes_change_the_set_until_the_subfield_ends(raw: bytes, text: str) -> None:
    assert iso5426.decode(raw).casefold() == text.casefold()


@pytest.mark.parametrize("raw", [b"\xff", b"a\xc2", b"\xc2 a", b"\x90", b"\x1b(zabc", b"\x1b", b"\xe0"])
def test_bytes_without_a_meaning_are_errors(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"meaning|letter|unknown set"):
        iso5426.decode(raw)


@given(st.binary(max_size=60), st.sampled_from([iso5426.ISO_5426, iso5426.MARC_8]))
def test_any_bytes_are_read_or_refused(raw: bytes, upper: str) -> None:
    try:
        text = iso5426.decode(raw, upper)
    except ValueError:
        return
    assert "\ufffd" not in text or b"\x1f" in raw


FRENCH = st.text("abcdefgilmnoprstuvéèàêçâîôûëï' ", min_size=12, max_size=80).filter(
    lambda said: sum(character > "\x7f" for character in said) in range(2, 9)
)


@given(FRENCH)
def test_utf8_is_always_known(said: str) -> None:
    assert charsets.decide(field(said.encode()), UNIMARC_SETS).charset is Charset.UTF_8
