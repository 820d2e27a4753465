"""Recognition of pages that are pictures. Wants tesseract with French, which `make test` installs."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import ocr
from ingest.isolation import Limits, Sandbox
from ingest.ocr import Recognised, Recogniser
from kb.errors import Reason, UnreadableDocument, UnsupportedFormat

PDF = "application/pdf"
KEY = "ab" * 32

LINES = """Charte de la participation
Les habitants du quartier ont été consultés par la commune avant que les travaux
de rénovation ne commencent. La médiation sociale a permis de recueillir leurs
attentes dans de bonnes conditions, et le conseil citoyen s'est réuni onze fois.
L'équipe a tenu une permanence à la maison des associations, chaque mercredi."""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    assert ocr.available(), "tesseract is missing: apt-get install tesseract-ocr tesseract-ocr-fra"


@pytest.fixture
def recogniser(tmp_path: Path) -> Iterator[Recogniser]:
    with ocr.opened(tmp_path / "kept") as opened:
        assert opened is not None
        yield opened


def scan(make: Any, path: Path, *pages: str, turned: float = 0.0) -> Path:
    first, *others = make.scan(*pages, turned=turned)
    first.save(path, save_all=True, append_images=others, resolution=150)
    return path


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def recall(read: str, true: str) -> float:
    return (words(read) & words(true)).total() / words(true).total()


def test_french_text_of_a_scan_is_read_with_its_accents(
    make: Any, tmp_path: Path, recogniser: Recogniser
) -> None:
    path = scan(make, tmp_path / "a.pdf", LINES, "Deuxième page : l'été à la mairie")
    first, second = recogniser.recognise(path, KEY, [1, 2], PDF)
    assert recall(first.text, LINES) >= 0.95
    assert "rénovation" in first.text
    assert first.confidence > 0.8
    assert (second.number, second.text.replace("’", "'")) == (2, "Deuxième page : l'été à la mairie")


@pytest.mark.parametrize("turned", [3.0, 90.0, 180.0])
def test_a_page_that_lies_askew_or_on_its_side_is_read(
    turned: float, make: Any, tmp_path: Path, recogniser: Recogniser
) -> None:
    path = scan(make, tmp_path / "a.pdf", "\n".join([LINES] * 3), turned=turned)
    [page] = recogniser.recognise(path, KEY, [1], PDF)
    assert recall(page.text, "\n".join([LINES] * 3)) >= 0.9


def test_columns_are_read_one_after_the_other(make: Any, tmp_path: Path, recogniser: Recogniser) -> None:
    left = [f"gauche numéro {number} du texte" for number in range(20)]
    right = [f"droite rang {number} du propos" for number in range(20)]
    rows = "\n".join(f"{one}{' ' * 60}{other}" for one, other in zip(left, right, strict=True))
    [page] = recogniser.recognise(scan(make, tmp_path / "a.pdf", rows), KEY, [1], PDF)
    assert page.text.rindex("gauche") < page.text.index("droite")


def test_frames_of_a_tiff_are_read(make: Any, tmp_path: Path, recogniser: Recogniser) -> None:
    first, second = make.scan("Première planche", LINES)
    first.save(tmp_path / "a.tiff", save_all=True, append_images=[second])
    [page] = recogniser.recognise(tmp_path / "a.tiff", KEY, [2], "image/tiff")
    assert page.number == 2
    assert recall(page.text, LINES) >= 0.95


def test_a_blank_page_has_no_text(make: Any, tmp_path: Path, recogniser: Recogniser) -> None:
    path = scan(make, tmp_path / "a.pdf", "")
    assert list(recogniser.recognise(path, KEY, [1], PDF)) == [Recognised(1, "", 0.0)]


def test_what_was_recognised_is_not_done_again(make: Any, tmp_path: Path, recogniser: Recogniser) -> None:
    path = scan(make, tmp_path / "a.pdf", LINES, "Deuxième page du dossier", "Troisième page du dossier")
    pages = recogniser.recognise(path, KEY, [1, 2, 3], PDF)
    first = next(pages)
    pages.close()  # type: ignore[attr-defined]  # killed after its first page
    kept = tmp_path / "kept" / KEY[:2] / KEY / "1.json"
    version, number, _, confidence = json.loads(kept.read_bytes())
    kept.write_text(json.dumps([version, number, "gardée", confidence]))
    texts = [page.text for page in recogniser.recognise(path, KEY, [1, 2, 3], PDF)]
    assert texts == ["gardée", "Deuxième page du dossier", "Troisième page du dossier"]
    kept.write_text('[1, 1, "coup')
    assert next(recogniser.recognise(path, KEY, [1, 2, 3], PDF)) == first
    recogniser.forget(KEY)
    assert not kept.parent.exists()


def test_progress_is_told_and_may_end_the_work(make: Any, tmp_path: Path, recogniser: Recogniser) -> None:
    path = scan(make, tmp_path / "a.pdf", "Une page", "Deux pages")
    told: list[tuple[int, int]] = []
    list(recogniser.recognise(path, KEY, [1, 2], PDF, lambda *progress: told.append(progress)))
    assert told == [(1, 2), (2, 2)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(recogniser.recognise(path, "cd" * 32, [1, 2], PDF, stop))


def test_a_page_that_cannot_be_drawn_does_not_spoil_the_others(
    make: Any, tmp_path: Path, recogniser: Recogniser
) -> None:
    path = scan(make, tmp_path / "a.pdf", "Une page du dossier", "Deux pages du dossier")
    texts = [page.text for page in recogniser.recognise(path, KEY, [1, 9, 2], PDF)]
    assert texts == ["Une page du dossier", "", "Deux pages du dossier"]


def test_a_file_of_which_no_page_can_be_drawn_is_given_up(tmp_path: Path, recogniser: Recogniser) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4 rien")
    with pytest.raises(UnreadableDocument) as caught:
        list(recogniser.recognise(path, KEY, range(1, 20), PDF))
    assert caught.value.reason is Reason.DAMAGED
    with pytest.raises(UnsupportedFormat):
        list(recogniser.recognise(path, KEY, [1], "text/plain"))


def test_a_recognition_that_lasts_too_long_is_ended(make: Any, tmp_path: Path) -> None:
    path = scan(make, tmp_path / "a.pdf", *[LINES] * 3)
    limits = Limits(idle_seconds=0.01, total_seconds=0.1)
    started = time.monotonic()
    with (
        Sandbox(limits, programs=True, preloaded=("ingest.ocr",)) as hurried,
        pytest.raises(UnreadableDocument) as caught,
    ):
        list(Recogniser(tmp_path / "kept", hurried).recognise(path, KEY, [1, 2, 3], PDF))
    assert caught.value.reason is Reason.TOO_SLOW
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("word", "confidence", "kept"),
    [
        ("quartier", 0.5, "quartier"),
        ("quartier", 0.05, ""),
        ("le", 0.3, "le"),
        ("LE", 0.2, ""),
        ("ssssee", 0.2, ""),
        ("|", 0.5, ""),
        ("&", 0.9, "&"),
        (" ", 0.95, ""),
        ("Contexte.......8", 0.01, "Contexte .... 8"),
        ("PLU...…..nnnsss", 0.1, "PLU ...."),
        ("......12", 0.0, ".... 12"),
    ],
)
def test_noise_is_dropped_and_words_are_kept(word: str, confidence: float, kept: str) -> None:
    assert ocr._sound(word, confidence) == kept


def test_what_a_child_says_of_another_page_is_not_believed() -> None:
    told = ocr._to_json(Recognised(1, "texte", 0.9)).encode()
    assert ocr._from_json(told, 1) == Recognised(1, "texte", 0.9)
    for wrong in (told, b"[]", b'[1, 2, "x", 7.0]', b"[1, 2, 3, 0.5]", b"{"):
        with pytest.raises(UnreadableDocument):
            ocr._from_json(wrong, 2)
