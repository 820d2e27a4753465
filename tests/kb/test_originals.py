import hashlib
import os
import time
from pathlib import Path

import pytest

from kb.errors import NotFound, StorageError
from kb.originals import Originals


def test_the_same_bytes_are_kept_once(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"texte")
    (tmp_path / "b").write_bytes(b"texte")
    originals = Originals(tmp_path / "originals")
    sha = originals.put(tmp_path / "a")
    assert sha == originals.put(tmp_path / "b") == hashlib.sha256(b"texte").hexdigest()
    assert originals.path(sha).read_bytes() == b"texte"
    assert [p.name for p in (tmp_path / "originals").rglob("*") if p.is_file()] == [sha]


@pytest.mark.parametrize("sha", ["0" * 64, "../../etc/passwd", ""])
def test_what_is_not_there_is_not_found(tmp_path: Path, sha: str):
    originals = Originals(tmp_path)
    with pytest.raises(NotFound):
        originals.path(sha)


def test_a_folder_that_refuses_is_told_from_a_file_that_cannot_be_read(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"texte")
    (tmp_path / "taken").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageError):
        Originals(tmp_path / "taken").put(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        Originals(tmp_path / "originals").put(tmp_path / "absent")


def test_an_original_that_cannot_be_put_in_its_place_leaves_nothing_beside(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"texte")
    folder = tmp_path / "originals"
    folder.mkdir()
    (folder / hashlib.sha256(b"texte").hexdigest()[:2]).write_bytes(b"in the way")
    with pytest.raises(StorageError):
        Originals(folder).put(tmp_path / "a")
    assert list(folder.glob("arriving-*")) == []


def test_copies_that_a_kill_left_are_swept_after_a_day(tmp_path: Path):
    folder = tmp_path / "originals"
    folder.mkdir()
    for name, age in (("arriving-old", 90_000), ("arriving-now", 60), ("other", 90_000)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    (tmp_path / "a").write_bytes(b"texte")
    Originals(folder).put(tmp_path / "a")
    assert sorted(p.name for p in folder.iterdir() if p.is_file()) == ["arriving-now", "other"]
