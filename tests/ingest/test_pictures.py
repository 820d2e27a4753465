from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ingest.pictures import PagePictures
from kb.errors import NotFound, Reason, UnreadableDocument


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Iterator[PagePictures]:
    opened = PagePictures(folder, 10_000_000)
    yield opened
    opened.close()


def original(make: Any, folder: Path, *pages: str) -> tuple[Path, str]:
    content = make.pdf(*pages)
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256
    path.write_bytes(content)
    return path, sha256


def test_a_page_is_drawn_at_the_width_asked(pictures: PagePictures, make: Any, tmp_path: Path) -> None:
    path, sha256 = original(make, tmp_path, make.text, make.text)
    with Image.open(pictures.picture(path, sha256, 2, 440)) as image:
        assert (image.format, image.width) == ("WEBP", 440)
        assert image.height == pytest.approx(440 * 842 / 595, abs=2)
        assert image.convert("L").getextrema()[0] < 100, "the text is drawn"


def test_a_picture_is_drawn_once(pictures: PagePictures, make: Any, tmp_path: Path) -> None:
    path, sha256 = original(make, tmp_path, "une page")
    first = pictures.picture(path, sha256, 1, 200)
    path.unlink()
    assert pictures.picture(path, sha256, 1, 200) == first


def test_a_page_that_is_not_there_is_not_found(pictures: PagePictures, make: Any, tmp_path: Path) -> None:
    path, sha256 = original(make, tmp_path, "une page")
    for number in (0, 2):
        with pytest.raises(NotFound):
            pictures.picture(path, sha256, number, 200)
    with pytest.raises(NotFound):
        pictures.picture(path, "../" + sha256, 1, 200)


def test_a_file_that_cannot_be_drawn_says_why(pictures: PagePictures, tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"no PDF at all")
    with pytest.raises(UnreadableDocument) as caught:
        pictures.picture(path, "0" * 64, 1, 200)
    assert caught.value.reason is Reason.DAMAGED


def test_the_folder_stays_below_its_limit_and_drops_what_was_shown_longest_ago(
    make: Any, tmp_path: Path
) -> None:
    path, sha256 = original(make, tmp_path, *[make.text] * 6)
    small = PagePictures(tmp_path / "small", 1)
    try:
        weight = small.picture(path, sha256, 1, 300).stat().st_size
        small._limit = int(weight * 3.5)
        shown = [small.picture(path, sha256, number, 300) for number in (1, 2, 3)]
        for age, kept in enumerate(shown):
            os.utime(kept, (age, age))
        small.picture(path, sha256, 1, 300)
        small.picture(path, sha256, 4, 300)
    finally:
        small.close()
    left = {kept.name.split("-")[1] for kept in (tmp_path / "small").rglob("*.webp")}
    assert "4" in left
    assert "2" not in left
    assert (
        sum(kept.stat().st_size for kept in (tmp_path / "small").rglob("*") if kept.is_file()) <= weight * 3.5
    )


def test_a_very_tall_page_is_cut(pictures: PagePictures, make: Any, tmp_path: Path) -> None:
    content = make.pdf("page").replace(b"/MediaBox [0 0 595 842]", b"/MediaBox [0 0 20 14400]")
    path = tmp_path / "tall.pdf"
    path.write_bytes(content)
    kept = pictures.picture(path, hashlib.sha256(content).hexdigest(), 1, 200)
    with Image.open(io.BytesIO(kept.read_bytes())) as image:
        assert image.height <= 601
