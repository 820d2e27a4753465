"""The key pair of a centre."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb import secret
from kb.errors import ConfigError, StorageError
from kb.secret import Keyring
from kb.signing import FILE, CentreKey, fingerprint, regular_key, verify

# RFC 8032, 7.1, test 2.
SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNED = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_the_key_is_made_once_beside_the_secret_for_its_owner_only(tmp_path: Path):
    folder = tmp_path / "data"
    first = CentreKey(folder)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert CentreKey(folder).public == first.public
    Keyring(folder)
    assert sorted(path.name for path in folder.iterdir()) == [FILE, secret.FILE]


def test_signatures_are_those_of_the_standard(tmp_path: Path):
    (tmp_path / FILE).write_text(SEED + "\n", encoding="ascii")
    key = CentreKey(tmp_path)
    assert key.public == PUBLIC
    assert key.sign(b"\x72").hex() == SIGNED
    assert verify(PUBLIC, bytes.fromhex(SIGNED), b"\x72")


def test_only_the_key_the_message_and_the_signature_together_are_right(tmp_path: Path):
    mine, other = CentreKey(tmp_path / "a"), CentreKey(tmp_path / "b")
    signature = mine.sign(b"message")
    assert mine.public != other.public
    assert verify(mine.public, signature, b"message")
    assert not verify(other.public, signature, b"message")
    assert not verify(mine.public, signature, b"massage")
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not verify(mine.public, bytes(changed), b"message")


@pytest.mark.parametrize(
    "key", ["", "zz" * 32, "ab" * 31, "ab" * 33, PUBLIC.upper(), PUBLIC + "\n", "é" * 64]
)
def test_what_is_no_key_has_signed_nothing(key: str):
    assert not verify(key, bytes.fromhex(SIGNED), b"\x72")
    with pytest.raises(ValueError, match="public key"):
        fingerprint(key)


@pytest.mark.parametrize("signature", [b"", b"x" * 63, b"x" * 65, b"\0" * 64])
def test_what_is_no_signature_is_not_right(signature: bytes):
    assert not verify(PUBLIC, signature, b"\x72")


def test_a_key_is_said_in_six_groups_of_five_figures():
    groups = fingerprint(PUBLIC).split(" ")
    assert [len(group) for group in groups] == [5] * 6
    assert all(group.isdecimal() for group in groups)
    assert fingerprint(PUBLIC) != fingerprint(PUBLIC[:-1] + "d")


def test_the_fingerprint_of_a_centre_is_that_of_its_public_key(tmp_path: Path):
    (tmp_path / FILE).write_text(SEED, encoding="ascii")
    assert CentreKey(tmp_path).fingerprint == fingerprint(PUBLIC)


def test_a_key_that_was_pasted_is_made_regular():
    pasted = " ".join(PUBLIC.upper()[i : i + 8] for i in range(0, 64, 8)) + "\n"
    assert regular_key(pasted) == PUBLIC
    for bad in ("", PUBLIC[:-1], PUBLIC + "0", "g" * 64):
        assert regular_key(bad) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"abcd\n", b"z" * 64, SEED.encode() * 2, b"\xff" * 64])
def test_a_damaged_file_is_an_error_and_is_left_as_it_is(tmp_path: Path, content: bytes):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigError, match=FILE) as caught:
        CentreKey(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content
    assert SEED[:20] not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "data").write_text("un fichier, pas un dossier", encoding="utf-8")
    with pytest.raises(StorageError):
        CentreKey(tmp_path / "data" / "centre")
    with pytest.raises(StorageError):
        CentreKey(tmp_path / "data")


def test_those_who_start_at_once_have_one_key(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: CentreKey(tmp_path / "data").public, range(16)))
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]
