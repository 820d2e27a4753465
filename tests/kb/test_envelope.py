"""Signed files of records: what comes out is what went in, and nothing else is taken."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb import envelope, envelope_lines
from kb.envelope import (
    Alignment,
    Counts,
    Deletion,
    EnvelopeError,
    Head,
    Kind,
    Position,
    Refusal,
    SharedConcept,
    open_envelope,
    write,
)
from kb.errors import InvalidRecord, StorageError
from kb.records import Page, Record
from kb.sharing import Audience, Shared
from kb.signing import CentreKey
from tests.kb.travelling import FULL, ids, shared, text

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DELETIONS = [Deletion("ville-caraibe:7", NOON)]
CONCEPTS = [
    SharedConcept(
        uri="https://x/T02", label="Observation", alt=("Veille",), scheme="themes", close_match=("u:1",)
    )
]
ALIGNMENTS = [Alignment("vie de quartier", "https://x/T05")]
THESAURUS = [*CONCEPTS, *ALIGNMENTS]


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> CentreKey:
    return CentreKey(tmp_path_factory.mktemp("sender"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> CentreKey:
    return CentreKey(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def head(key: CentreKey) -> Head:
    return head_of(key)


@pytest.fixture(scope="session")
def trusted(key: CentreKey) -> dict[str, str]:
    return {"ville-caraibe": key.public, "autre": "0" * 64}


def head_of(key: CentreKey, **changes: Any) -> Head:
    values = {
        "centre": "ville-caraibe",
        "name": "Ville Caraïbe",
        "key": key.public,
        "made": NOON,
        "kind": Kind.CHANGES,
        "audience": Audience.NETWORK,
        "since": Position(41, NOON),
        "until": Position(99, NOON),
    }
    return Head(**(values | changes))


def made(key: CentreKey, items: Any = (FULL,), **changes: Any) -> bytes:
    stream = io.BytesIO()
    write(stream, head_of(key, **changes), items, DELETIONS, THESAURUS, sign=key.sign)
    return stream.getvalue()


@pytest.fixture(scope="session")
def content(key: CentreKey) -> bytes:
    return made(key)


Everything = tuple[Head, list[Shared], list[Deletion], list[SharedConcept], list[Alignment]]


def everything(content: bytes, trusted: dict[str, str]) -> Everything:
    with open_envelope(io.BytesIO(content), trusted) as opened:
        told = (list(opened.items()), list(opened.deletions()))
        return opened.head, *told, list(opened.concepts()), list(opened.alignments())


def refusal(content: bytes, trusted: dict[str, str]) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as caught:
        everything(content, trusted)
    return caught.value


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(held: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in held.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, body)
    return stream.getvalue()


def signed_again(held: dict[str, bytes], key: CentreKey, **changes: Any) -> bytes:
    """What a trusted sender of ill will could send: any members and manifest, with all that proves them."""
    manifest = json.loads(held["manifest.json"]) | changes
    for name in ("records.jsonl", "deletions.jsonl", "thesaurus.jsonl"):
        digest = hashlib.sha256(held[name]).hexdigest()
        manifest["members"][name] = {"sha256": digest, "size": len(held[name])}
    raw = json.dumps(manifest).encode()
    signature = key.sign(b"carbet envelope manifest 1\0" + raw)
    return zipped(held | {"manifest.json": raw, "manifest.sig": signature})


# -- what goes in comes out


@given(st.lists(shared, max_size=3), st.lists(st.builds(Deletion, ids, st.datetimes(timezones=st.just(UTC)))))
@example([FULL], DELETIONS)
@example([], [])
def test_what_goes_in_comes_out(key, trusted, items, deletions):
    stream = io.BytesIO()
    counts = write(stream, head_of(key), items, deletions, THESAURUS, sign=key.sign)
    assert counts == Counts(len(items), len(deletions), 2)
    told = everything(stream.getvalue(), trusted)
    assert told == (head_of(key), items, deletions, CONCEPTS, ALIGNMENTS)


@given(st.lists(st.builds(SharedConcept, uri=text, label=text, alt=st.lists(text).map(tuple), scheme=text)))
def test_concepts_come_out_as_they_went_in(concepts):
    assert [envelope_lines.thesaurus_entry(envelope_lines.thesaurus_line(c)) for c in concepts] == concepts


def test_a_file_is_written_whole_and_read_twice(tmp_path: Path, key, head, trusted):
    path = tmp_path / f"envoi{envelope.EXTENSION}"
    write(path, head, [FULL], DELETIONS, THESAURUS, sign=key.sign)
    for _ in range(2):
        with open_envelope(path, trusted) as opened:
            assert (list(opened.items()), opened.counts) == ([FULL], Counts(1, 1, 2))
            assert opened.head.sender.fingerprint == key.fingerprint
    assert [each.name for each in tmp_path.iterdir()] == ["envoi.carbet"]


def test_iterators_may_be_read_side_by_side(content, trusted):
    with open_envelope(io.BytesIO(content), trusted) as opened:
        assert next(zip(opened.items(), opened.deletions(), opened.concepts(), strict=True)) == (
            FULL,
            DELETIONS[0],
            CONCEPTS[0],
        )


def test_a_full_one_starts_before_everything(key, trusted):
    content = made(key, kind=Kind.FULL, since=Position(), audience=Audience.PUBLIC)
    assert everything(content, trusted)[0].since == Position(0, None)


def test_the_same_content_makes_the_same_bytes(content, key):
    assert made(key) == content


def test_it_is_a_zip_that_people_can_look_into(content):
    held = members(content)
    assert sorted(held) == sorted(
        ["manifest.json", "manifest.sig", "records.jsonl", "deletions.jsonl", "thesaurus.jsonl"]
    )
    manifest = json.loads(held["manifest.json"])
    assert manifest["counts"] == {"records": 1, "deletions": 1, "thesaurus": 2}
    assert manifest["from"] == {"position": 41, "at": "2026-03-04T12:00:00+00:00"}


def broken() -> Iterator[Shared]:
    yield FULL
    raise InvalidRecord("title", "the source of the records failed")


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path, key, head):
    path = tmp_path / "envoi.carbet"
    path.write_bytes(b"the one before")
    stream = io.BytesIO()
    for target in (path, stream):
        with pytest.raises(InvalidRecord):
            write(target, head, broken(), sign=key.sign)
    assert [each.name for each in tmp_path.iterdir()] == ["envoi.carbet"]
    assert path.read_bytes() == b"the one before"
    assert stream.getvalue() == b""


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, key, head):
    with pytest.raises(StorageError):
        write(tmp_path / "absent" / "envoi.carbet", head, [], sign=key.sign)
    with pytest.raises(FileNotFoundError):
        open_envelope(tmp_path / "absent.carbet", {})


def test_nobody_signs_by_another_key_than_the_head_names(head, stranger):
    stream = io.BytesIO()
    with pytest.raises(ValueError, match="key"):
        write(stream, head, [FULL], sign=stranger.sign)
    assert stream.getvalue() == b""


def test_a_record_that_nobody_would_take_is_not_sent(key):
    bad = Shared(Record(id="a:1", title="x"), (Page(1, "x", "trop long " * 5),))
    with pytest.raises(InvalidRecord) as caught:
        made(key, [bad])
    assert caught.value.field == "pages"


def test_paths_raw_text_and_halves_of_characters_stay_at_home(key, trusted):
    record = dataclasses.replace(FULL.record, source="/srv/canari.pdf", title="un\ud800 ti\0tre \\u0000")
    content = made(key, [Shared(record, (Page(1, "a\udfffb\0c", raw="canari"),))])
    assert b"canari" not in members(content)["records.jsonl"]
    (back,) = everything(content, trusted)[1]
    assert (back.record.source, back.record.title, back.pages) == (
        None,
        "un titre \\u0000",
        (Page(1, "abc"),),
    )


# -- nothing else is taken


def test_a_byte_that_was_changed_is_found_or_changes_nothing(content, trusted):
    before = everything(content, trusted)
    places = random.Random(6).sample(range(len(content)), 500)
    refused = 0
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        try:
            assert everything(bytes(changed), trusted) == before
        except EnvelopeError:
            refused += 1
    assert refused > 400  # the others are dates, versions and the like of the zip itself


def test_a_file_that_was_cut_is_refused(content, trusted):
    for length in {*range(0, len(content), 7), *range(len(content) - 40, len(content))}:
        assert refusal(content[:length], trusted).reason in (Refusal.DAMAGED, Refusal.NOT_AN_ENVELOPE)
    assert refusal(content[: len(content) // 2], trusted).reason is Refusal.DAMAGED


@pytest.mark.parametrize(
    "other", [b"", b"PK", b"%PDF-1.7\n" * 50, b"PK\5\6" + bytes(18), b"\0" * 500, b"PK\3\4" + bytes(100)]
)
def test_another_file_is_refused(other: bytes, trusted):
    assert refusal(other, trusted).reason in (Refusal.NOT_AN_ENVELOPE, Refusal.DAMAGED)


def test_a_changed_swapped_or_missing_member_is_refused(content, trusted):
    held = members(content)
    records, deletions = held["records.jsonl"], held["deletions.jsonl"]
    assert refusal(zipped(held | {"records.jsonl": records + b"\n"}), trusted).reason is Refusal.DAMAGED
    other = records.replace(b"Observer", b"Oublier.")
    assert refusal(zipped(held | {"records.jsonl": other}), trusted).reason is Refusal.DAMAGED
    swapped = held | {"records.jsonl": deletions, "deletions.jsonl": records}
    assert refusal(zipped(swapped), trusted).reason is Refusal.DAMAGED
    for name in held:
        rest = {other: body for other, body in held.items() if other != name}
        assert refusal(zipped(rest), trusted).reason is Refusal.NOT_AN_ENVELOPE
        assert refusal(zipped(rest | {f"../{name}": held[name]}), trusted).reason is Refusal.NOT_AN_ENVELOPE
        longer = zipped(rest | {f"{name}_.txt": held[name]}).replace(
            f"{name}_".encode(), f"{name}\0".encode()
        )
        assert refusal(longer, trusted).reason is Refusal.NOT_AN_ENVELOPE


def test_an_added_or_doubled_member_is_refused(content, trusted):
    held = members(content)
    assert refusal(zipped(held | {"setup.exe": b"MZ"}), trusted).reason is Refusal.NOT_AN_ENVELOPE
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("records.jsonl", held["records.jsonl"])
    assert refusal(stream.getvalue(), trusted).reason is Refusal.NOT_AN_ENVELOPE
    names = [name for name in held if name != "deletions.jsonl"]
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as archive:
        for name in names:
            archive.writestr(name, b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("records.jsonl", b"")
    assert refusal(stream.getvalue(), trusted).reason is Refusal.NOT_AN_ENVELOPE


def test_what_stands_before_or_after_the_zip_is_refused(content, trusted):
    for other in (b"MZ" + content, content + b"\n", content + content):
        assert refusal(other, trusted).reason in (Refusal.NOT_AN_ENVELOPE, Refusal.DAMAGED)
    with zipfile.ZipFile(stream := io.BytesIO(content), "a") as archive:
        archive.comment = b"run me"
    assert refusal(stream.getvalue(), trusted).reason is not None


def test_links_and_other_compressions_are_refused(content, trusted):
    held = members(content)

    def link(info: zipfile.ZipInfo) -> None:
        info.external_attr = 0o120777 << 16

    def lzma(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_LZMA

    def stored(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    assert refusal(zipped(held, link), trusted).reason is Refusal.NOT_AN_ENVELOPE
    assert refusal(zipped(held, lzma), trusted).reason is Refusal.NOT_AN_ENVELOPE
    assert everything(zipped(held, stored), trusted)[1] == [FULL]


def test_an_encrypted_member_is_refused(content, trusted):
    changed = bytearray(content)
    changed[content.rindex(b"PK\1\2") + 8] |= 1
    assert refusal(bytes(changed), trusted).reason is Refusal.NOT_AN_ENVELOPE


def test_a_signature_of_another_manifest_is_refused(content, key, trusted):
    other = members(made(key, until=Position(100, NOON)))
    replayed = members(content) | {"manifest.sig": other["manifest.sig"]}
    assert refusal(zipped(replayed), trusted).reason is Refusal.FORGED
    head_of_another = members(content) | {name: other[name] for name in ("manifest.json", "manifest.sig")}
    assert everything(zipped(head_of_another), trusted)[0].until.seq == 100  # the same content, signed twice
    fewer = members(made(key, []))
    mixed = members(content) | {name: fewer[name] for name in ("manifest.json", "manifest.sig")}
    assert refusal(zipped(mixed), trusted).reason is Refusal.DAMAGED


def test_what_the_key_signed_elsewhere_signs_no_manifest(content, key, trusted):
    held = members(content)
    bare = held | {"manifest.sig": key.sign(held["manifest.json"])}
    assert refusal(zipped(bare), trusted).reason is Refusal.FORGED


@pytest.mark.parametrize("signature", [b"", b"x" * 63, b"\0" * 64, b"x" * 65])
def test_what_is_no_signature_is_refused(signature: bytes, content, trusted):
    held = members(content) | {"manifest.sig": signature}
    assert refusal(zipped(held), trusted).reason in (Refusal.FORGED, Refusal.TOO_LARGE)


def test_a_key_that_is_not_trusted_is_told_so_that_a_person_can_decide(content, stranger, key, trusted):
    unknown = refusal(content, {"autre": key.public})
    assert unknown.reason is Refusal.UNKNOWN_SENDER
    assert unknown.sender is not None
    assert (unknown.sender.centre, unknown.sender.name) == ("ville-caraibe", "Ville Caraïbe")
    assert (unknown.sender.key, unknown.sender.fingerprint) == (key.public, key.fingerprint)
    other = refusal(made(stranger), trusted)
    assert other.reason is Refusal.OTHER_KEY
    assert other.sender is not None
    assert other.sender.fingerprint == stranger.fingerprint


def test_a_key_that_was_swapped_has_not_signed(content, stranger, key, trusted):
    held = members(content)
    swapped = held["manifest.json"].replace(key.public.encode(), stranger.public.encode())
    for keys in (trusted, {"ville-caraibe": stranger.public}, {}):
        error = refusal(zipped(held | {"manifest.json": swapped}), keys)
        assert (error.reason, error.sender) == (Refusal.FORGED, None)


def test_a_newer_form_is_said_before_anything_else(content, key, trusted):
    assert refusal(signed_again(members(content), key, format=2), trusted).reason is Refusal.NEWER_FORMAT
    strange = members(content) | {"manifest.json": b'{"format": 3, "signature": "of another kind"}'}
    assert refusal(zipped(strange), trusted).reason is Refusal.NEWER_FORMAT


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{", b"[" * 60_000, b'{"format": NaN}', b'{"format": true}', b"\xff", b"{}", b"0" * 5000],
)
def test_a_manifest_that_is_none_is_refused(manifest: bytes, content, trusted):
    held = members(content) | {"manifest.json": manifest}
    assert refusal(zipped(held), trusted).reason is Refusal.NOT_AN_ENVELOPE


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "some"},
        {"audience": "everybody"},
        {"made": "yesterday"},
        {"from": {"position": -1, "at": None}},
        {"until": {"position": True, "at": None}},
        {"until": 3},
        {"counts": {"records": 1}},
        {"more": 1},
        {"members": {}},
    ],
    ids=str,
)
def test_a_signed_manifest_that_says_something_else_is_refused(changes, content, key, trusted):
    held = members(content)
    if "members" in changes:
        raw = json.dumps(json.loads(held["manifest.json"]) | changes).encode()
        signature = key.sign(b"carbet envelope manifest 1\0" + raw)
        bad = zipped(held | {"manifest.json": raw, "manifest.sig": signature})
    else:
        bad = signed_again(held, key, **changes)
    error = refusal(bad, trusted)
    assert (error.reason, error.member) == (Refusal.BAD_CONTENT, "manifest.json")


def test_a_centre_whose_code_is_none_is_refused(key):
    content = made(key, centre="../x")
    assert refusal(content, {"../x": key.public}).reason is Refusal.BAD_CONTENT


# -- what a trusted sender may not send


def record_line(change: Callable[[dict[str, Any]], object]) -> bytes:
    raw = json.loads(envelope_lines.item_line(FULL))
    change(raw)
    return json.dumps(raw).encode() + b"\n"


BAD_LINES = {
    "not JSON": b"{\n",
    "blank": b"\n",
    "a list": b"[]\n",
    "deep": b'{"record":' + b"[" * 100_000 + b"\n",
    "deep and closed": b'{"record":{"id":' + b"[" * 900 + b"]" * 900 + b'},"pages":[]}\n',
    "not UTF-8": b'{"record":"\xff"}\n',
    "no pages": record_line(lambda raw: raw.pop("pages")),
    "more": record_line(lambda raw: raw.update(code="import os")),
    "unknown field": record_line(lambda raw: raw["record"].update(owner="moi")),
    "raw text": record_line(lambda raw: raw["pages"][0].update(raw="x")),
    "no id": record_line(lambda raw: raw["record"].pop("id")),
    "no access": record_line(lambda raw: raw["record"].pop("access")),
    "id of a path": record_line(lambda raw: raw["record"].update(id="../../etc:1")),
    "a number for text": record_line(lambda raw: raw["record"].update(title=3)),
    "null for text": record_line(lambda raw: raw["record"].update(title=None)),
    "text for a list": record_line(lambda raw: raw["record"].update(keywords="abc")),
    "a list for an object": record_line(lambda raw: raw["record"].update(identifiers=[])),
    "a path": record_line(lambda raw: raw["record"].update(source="/etc/passwd")),
    "half a character": record_line(lambda raw: raw["record"].update(title="\ud800")),
    "a zero": record_line(lambda raw: raw["pages"][0].update(text="a\0b")),
    "unknown origin": record_line(lambda raw: raw["record"]["subjects"][0].update(origin="x")),
    "NaN": record_line(lambda raw: raw["record"]["subjects"][0].update(score=float("nan"))),
    "infinite": record_line(lambda raw: raw["pages"][0].update(grade=1)).replace(
        b'"grade": 1', b'"grade": 1e999'
    ),
    "endless number": record_line(lambda raw: raw["pages"][0].update(number=1)).replace(
        b": 1,", b": " + b"1" * 5000 + b","
    ),
    "huge share": record_line(lambda raw: raw["pages"][0].update(grade=10**400)),
    "true for a number": record_line(lambda raw: raw["pages"][0].update(number=True)),
    "huge number": record_line(lambda raw: raw["record"]["files"][0].update(size=10**18)),
    "pages in disorder": record_line(lambda raw: raw["pages"].reverse()),
    "bad time": record_line(lambda raw: raw["record"].update(created="2026-13-01")),
    "time before all": record_line(lambda raw: raw["record"].update(created="0001-01-01T00:00:00+14:00")),
    "no end": record_line(lambda raw: raw)[:-1],
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_refused_with_its_number(line: bytes, content, key, trusted):
    held = members(content)
    told = {"records": 2, "deletions": 1, "thesaurus": 2}
    bad = signed_again(held | {"records.jsonl": held["records.jsonl"] + line}, key, counts=told)
    error = refusal(bad, trusted)
    assert (error.reason, error.member, error.line) == (Refusal.BAD_CONTENT, "records.jsonl", 2)
    assert pickle.loads(pickle.dumps(error)).line == 2


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused_wherever_it_stands(constant: str):
    with pytest.raises(ValueError, match=constant):
        envelope_lines.parsed(f'{{"anything": {constant}}}'.encode())


@pytest.mark.parametrize(
    ("member", "line"),
    [
        ("deletions.jsonl", {"id": "a:1"}),
        ("deletions.jsonl", {"id": "a", "at": "2026-01-01T00:00:00Z"}),
        ("deletions.jsonl", {"id": "a:1", "at": 3}),
        ("thesaurus.jsonl", {"concept": {"uri": "x"}}),
        ("thesaurus.jsonl", {"concept": {"uri": "x", "label": "x", "alt": [1]}}),
        ("thesaurus.jsonl", {"alignment": {"said": "x"}}),
        ("thesaurus.jsonl", {"alignment": [], "concept": {}}),
        ("thesaurus.jsonl", {"something": {}}),
    ],
    ids=str,
)
def test_other_lines_are_checked_as_well(member: str, line: dict[str, Any], content, key, trusted):
    told = {"records": 1, "deletions": 1, "thesaurus": 1}
    bad = signed_again(members(content) | {member: json.dumps(line).encode() + b"\n"}, key, counts=told)
    error = refusal(bad, trusted)
    assert (error.reason, error.member, error.line) == (Refusal.BAD_CONTENT, member, 1)


def test_lines_that_were_not_told_are_refused(content, key, trusted):
    held = members(content)
    for body in (b"", held["records.jsonl"] * 2):
        error = refusal(signed_again(held | {"records.jsonl": body}, key), trusted)
        assert error.reason is Refusal.BAD_CONTENT


# -- size


def test_bombs_end_early(content, key, trusted, monkeypatch):
    held = members(content)
    zeros = bytes(50_000_000)
    bombs = [
        zipped(held | {"manifest.json": zeros}),
        zipped(held | {"manifest.sig": zeros}),
        zipped(held | {"records.jsonl": zeros}),
    ]
    monkeypatch.setattr(envelope, "LONGEST_LINE", 1_000_000)
    monkeypatch.setattr(envelope, "_LARGEST_CONTENT", 60_000_000)
    signed = signed_again(held | {"records.jsonl": zeros}, key)
    del zeros
    reasons = [Refusal.TOO_LARGE, Refusal.TOO_LARGE, Refusal.DAMAGED, Refusal.TOO_LARGE]
    tracemalloc.start()
    try:
        for bomb, reason in zip([*bombs, signed], reasons, strict=True):
            assert len(bomb) < 100_000
            assert refusal(bomb, trusted).reason is reason
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert "size" in refusal(bombs[2], trusted).detail  # nothing of it was inflated
    monkeypatch.setattr(envelope, "LONGEST_LINE", 60_000_000)
    monkeypatch.setattr(envelope, "_LARGEST_CONTENT", 40_000_000)
    assert refusal(signed, trusted).reason is Refusal.TOO_LARGE


def test_a_size_that_lies_is_found(content, trusted):
    """The list of the zip says fewer bytes than there are."""
    held = members(content)
    size = len(held["records.jsonl"]).to_bytes(4, "little")
    place = content.index(size, content.index(b"PK\1\2"))
    lying = content[:place] + (10).to_bytes(4, "little") + content[place + 4 :]
    assert refusal(lying, trusted).reason is Refusal.DAMAGED


def test_a_long_list_of_members_is_not_read(content, trusted):
    many = zipped(members(content) | {f"{number:05}": b"" for number in range(3000)})
    assert refusal(many, trusted).reason is Refusal.NOT_AN_ENVELOPE
    start, size = content.index(b"PK\1\2"), len(content)
    listed = size - 22 - start
    end_64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 5, 5, listed, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, size - 22, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 5, 5, listed + 76, start, 0)
    hidden = content[:-22] + end_64 + locator + end
    assert sorted(members(hidden)) == sorted(members(content))
    assert refusal(hidden, trusted).reason is Refusal.NOT_AN_ENVELOPE
    long = zipped(members(content), lambda info: setattr(info, "comment", b"x" * 5000))
    assert refusal(long, trusted).reason is Refusal.NOT_AN_ENVELOPE


def test_what_is_too_large_is_not_written(key, monkeypatch):
    monkeypatch.setattr(envelope, "LONGEST_LINE", 300)
    with pytest.raises(EnvelopeError) as caught:
        made(key)
    assert (caught.value.reason, caught.value.line) == (Refusal.TOO_LARGE, 1)
    monkeypatch.undo()
    monkeypatch.setattr(envelope, "LARGEST_FILE", 1000)
    with pytest.raises(EnvelopeError) as caught:
        made(key)
    assert caught.value.reason is Refusal.TOO_LARGE


def test_a_file_that_is_too_large_is_not_opened(content, trusted, monkeypatch):
    monkeypatch.setattr(envelope, "LARGEST_FILE", len(content) - 1)
    assert refusal(content, trusted).reason is Refusal.TOO_LARGE


def test_a_line_longer_than_many_blocks_is_read(key, trusted):
    pages = tuple(Page(number, "mot rare " * 3000) for number in range(1, 41))
    items = [FULL, Shared(FULL.record, pages), FULL]
    assert everything(made(key, items), trusted)[1] == items


def test_a_file_that_changes_while_it_is_read_is_found(tmp_path: Path, key, head, trusted):
    path = tmp_path / "envoi.carbet"
    long = Shared(FULL.record, (Page(1, "mot " * 50_000),))
    write(path, head, [long], sign=key.sign)
    held = members(path.read_bytes())
    stored = zipped(held, lambda info: setattr(info, "compress_type", zipfile.ZIP_STORED))
    path.write_bytes(stored)
    with open_envelope(path, trusted) as opened:
        path.write_bytes(stored.replace(b"mot " * 50_000, b"mot " * 49_999 + b"mal "))
        with pytest.raises(EnvelopeError) as caught:
            list(opened.items())
    assert caught.value.reason is Refusal.DAMAGED


def test_memory_stays_flat(tmp_path: Path, key, head, trusted):
    def many() -> Iterator[Shared]:
        for number in range(10_000):
            record = Record(id=f"ville-caraibe:{number}", title=f"Titre {number}")
            yield Shared(record, (Page(1, f"{number} mots " * 20),))

    path = tmp_path / "envoi.carbet"
    tracemalloc.start()
    try:
        write(path, head, many(), sign=key.sign)
        with open_envelope(path, trusted) as opened:
            assert sum(1 for _ in opened.items()) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
