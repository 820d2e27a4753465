import hashlib
from pathlib import Path

import pytest

from kb.errors import NotFound
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
