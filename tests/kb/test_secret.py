"""The secret of an installation."""

from __future__ import annotations

import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import pytest

from kb.errors import ConfigError, StorageError
from kb.secret import FILE, KEPT, Keyring


def test_the_file_is_made_once_for_its_owner_only(tmp_path: Path):
    folder = tmp_path / "data" / "centre"
    first = Keyring(folder)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert Keyring(folder).signing() == first.signing()
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_two_installations_have_different_secrets(tmp_path: Path):
    here, there = Keyring(tmp_path / "a"), Keyring(tmp_path / "b")
    assert here.signing() != there.signing()
    assert here.blind("ana") != there.blind("ana")
    with pytest.raises(ConfigError):
        there.decrypt(here.encrypt("un secret"))


def test_what_is_derived_shows_neither_the_key_nor_another_purpose(tmp_path: Path):
    keyring = Keyring(tmp_path)
    key = (tmp_path / FILE).read_text(encoding="ascii").strip()
    assert keyring.signing()[0] != key
    assert len({keyring.signing()[0], keyring.blind(""), keyring.blind("cookies"), key}) == 4


def test_a_blinded_text_is_the_same_each_time_and_does_not_show(keyring: Keyring):
    assert keyring.blind("192.0.2.1") == keyring.blind("192.0.2.1")
    assert keyring.blind("192.0.2.1") != keyring.blind("192.0.2.2")
    assert len(keyring.blind("é")) == 64


@pytest.mark.parametrize("text", ["", "JBSWY3DPEHPK3PXP", "été à l’école 🌴", "x" * 5000])
def test_what_is_encrypted_is_read_again_and_never_looks_the_same(keyring: Keyring, text: str):
    once, twice = keyring.encrypt(text), keyring.encrypt(text)
    assert once != twice
    assert keyring.decrypt(once) == keyring.decrypt(twice) == text
    assert not text or text not in once


def test_what_was_tampered_with_is_not_read(keyring: Keyring):
    token = keyring.encrypt("un secret")
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for bad in (changed, token[:-4], "", "rien"):
        with pytest.raises(ConfigError):
            keyring.decrypt(bad)


def test_after_a_rotation_the_former_key_still_reads_what_it_wrote(keyring: Keyring, tmp_path: Path):
    token, signing = keyring.encrypt("un secret"), keyring.signing()
    rotated = keyring.rotated()
    assert rotated.decrypt(token) == "un secret"
    assert rotated.signing()[1:] == signing
    assert rotated.signing()[0] not in signing
    assert Keyring(tmp_path).signing() == rotated.signing()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    with pytest.raises(ConfigError):
        keyring.decrypt(rotated.encrypt("nouveau"))


def test_keys_past_the_last_kept_are_thrown_away(keyring: Keyring, tmp_path: Path):
    token = keyring.encrypt("un secret")
    for _ in range(KEPT - 1):
        keyring = keyring.rotated()
        assert keyring.decrypt(token) == "un secret"
    fresh = keyring.recrypt(token)
    keyring = keyring.rotated()
    assert len((tmp_path / FILE).read_text(encoding="ascii").split()) == KEPT
    assert keyring.decrypt(fresh) == "un secret"
    with pytest.raises(ConfigError):
        keyring.decrypt(token)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"abcd\n", b"z" * 64, b"a" * 63, b"\xff\xfe" * 32, b"a" * 64 + b"\nabc\n"],
    ids=["empty", "blank", "short", "not-hexadecimal", "odd", "not-ascii", "second-short"],
)
def test_a_damaged_file_is_an_error_and_is_left_as_it_is(tmp_path: Path, content: bytes):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigError, match=FILE):
        Keyring(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_an_error_does_not_show_the_key(tmp_path: Path):
    Keyring(tmp_path)
    key = (tmp_path / FILE).read_text(encoding="ascii").strip()
    (tmp_path / FILE).write_text(key + "\n" + key[:-1], encoding="ascii")
    with pytest.raises(ConfigError) as damaged:
        Keyring(tmp_path)
    assert key[:20] not in str(damaged.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "data").write_text("un fichier, pas un dossier", encoding="utf-8")
    with pytest.raises(StorageError):
        Keyring(tmp_path / "data" / "centre")
    with pytest.raises((ConfigError, StorageError)):
        Keyring(tmp_path / "data")


def test_threads_that_start_at_once_have_one_secret(tmp_path: Path):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: tuple(Keyring(tmp_path / "data").signing()), range(32)))
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]


def _tell_signing(folder: Path, go: object, told: SimpleQueue[list[str]]) -> None:
    go.wait()  # type: ignore[attr-defined]
    told.put(Keyring(folder).signing())


def test_processes_that_start_at_once_have_one_secret(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    go, told = context.Event(), context.SimpleQueue()
    started = [context.Process(target=_tell_signing, args=(tmp_path / "data", go, told)) for _ in range(3)]
    for process in started:
        process.start()
    go.set()
    found = [told.get() for _ in started]
    for process in started:
        process.join()
    assert found[0] == found[1] == found[2] == Keyring(tmp_path / "data").signing()
