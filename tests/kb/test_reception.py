"""The folder of files that came in, and names from elsewhere."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kb.errors import StorageError
from kb.reception import Reception, safe_name


@pytest.fixture
def reception(tmp_path: Path) -> Reception:
    return Reception(tmp_path / "reception")


def sent(content: bytes = b"texte") -> io.BytesIO:
    return io.BytesIO(content)


def on_disk(reception: Reception) -> list[str]:
    return sorted(p.relative_to(reception.folder).as_posix() for p in reception.folder.rglob("*"))


class Broken(io.BytesIO):
    """Gives a block, then fails as told."""

    def __init__(self, failure: BaseException) -> None:
        super().__init__()
        self._failure = failure
        self._blocks = [b"half"]

    def read(self, size: int | None = -1, /) -> bytes:
        if not self._blocks:
            raise self._failure
        return self._blocks.pop()


# -- taking in


def test_what_comes_in_is_on_disk_whole(reception: Reception):
    content = os.urandom(3 << 20) + b"end"
    received = reception.receive(sent(content), 7, "Été 2014.pdf")
    assert received.place.startswith("7/")
    assert received.place.endswith("/Été 2014.pdf")
    assert (received.sha256, received.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert reception.path(received.place).read_bytes() == content
    assert list(reception) == [received.place]


def test_a_file_without_bytes_comes_in_too(reception: Reception):
    received = reception.receive(sent(b""), 1, "vide.txt")
    assert (received.size, reception.path(received.place).read_bytes()) == (0, b"")


def test_the_same_bytes_under_the_same_name_are_written_once(reception: Reception):
    first, again = (reception.receive(sent(), 1, "a.txt") for _ in range(2))
    assert first == again
    assert list(reception) == [first.place]


@pytest.mark.parametrize(
    ("content", "batch", "name"), [(b"autre", 1, "a.txt"), (b"texte", 2, "a.txt"), (b"texte", 1, "b.txt")]
)
def test_other_bytes_another_deposit_or_another_name_have_another_place(
    reception: Reception, content: bytes, batch: int, name: str
):
    first = reception.receive(sent(), 1, "a.txt").place
    other = reception.receive(sent(content), batch, name).place
    assert sorted(reception) == sorted({first, other})
    assert reception.path(first).read_bytes() == b"texte"
    assert reception.path(other).read_bytes() == content


def test_the_same_file_in_two_folders_of_one_deposit_is_done_with_twice(reception: Reception):
    first = reception.receive(sent(), 1, "2013/logo.png")
    second = reception.receive(sent(), 1, "2014/logo.png")
    reception.drop(first.place)
    assert list(reception) == [second.place]


@pytest.mark.parametrize("failure", [ValueError("cut"), KeyboardInterrupt(), ConnectionResetError("gone")])
def test_a_stream_that_is_interrupted_leaves_nothing_and_is_not_the_folders_fault(
    reception: Reception, failure: BaseException
):
    with pytest.raises(type(failure)):
        reception.receive(Broken(failure), 1, "a.pdf")
    assert on_disk(reception) == []


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path):
    (tmp_path / "taken").write_bytes(b"a file where the folder should be")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(StorageError):
            Reception(folder).receive(sent(), 1, "a.pdf")
    assert (tmp_path / "taken").read_bytes() == b"a file where the folder should be"


def test_a_place_that_cannot_be_written_leaves_nothing_beside(reception: Reception):
    reception.folder.mkdir()
    (reception.folder / "1").write_bytes(b"in the way")
    with pytest.raises(StorageError):
        reception.receive(sent(), 1, "a.pdf")
    assert on_disk(reception) == ["1"]


def test_only_the_program_may_look_at_what_came_in(reception: Reception):
    place = reception.path(reception.receive(sent(), 1, "a.pdf").place)
    for path in (reception.folder, place.parent, place):
        assert path.stat().st_mode & 0o077 == 0


def test_what_a_kill_left_half_written_is_swept_after_a_day(reception: Reception):
    reception.folder.mkdir()
    for name, age in (("arriving-old", 90_000), ("arriving-now", 60), ("other", 90_000)):
        (reception.folder / name).write_bytes(b"half")
        os.utime(reception.folder / name, (time.time() - age,) * 2)
    place = reception.receive(sent(), 1, "a.pdf").place
    assert list(reception) == [place, "arriving-now", "other"]


# -- done with


def test_what_is_done_with_leaves_no_folder_behind(reception: Reception):
    first, second = (reception.receive(sent(), 1, name).place for name in ("a.pdf", "b.pdf"))
    reception.drop(first)
    assert list(reception) == [second]
    reception.drop(second)
    reception.drop(second)
    assert on_disk(reception) == []
    assert reception.folder.is_dir()


def test_what_came_out_of_others_is_dropped_like_the_rest(reception: Reception):
    folder = reception.folder / "1" / "opened" / "ab"
    folder.mkdir(parents=True)
    (folder / "c.pdf").write_bytes(b"texte")
    assert list(reception) == ["1/opened/ab/c.pdf"]
    reception.drop("1/opened/ab/c.pdf")
    assert on_disk(reception) == []


def test_a_deposit_is_forgotten_whole_and_alone(reception: Reception):
    for batch in (1, 11):
        reception.receive(sent(), batch, "a.pdf")
    reception.forget(1)
    reception.forget(1)
    assert [place.partition("/")[0] for place in reception] == ["11"]


def test_a_folder_that_is_not_there_yet_is_empty(reception: Reception):
    assert list(reception) == []
    reception.drop("1/ab/a.pdf")


def test_files_come_in_while_others_are_done_with(reception: Reception):
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(80):  # the same file for two of them: each takes away what the other puts there
            received = reception.receive(sent(b"%d" % (number % 2)), 1, "a.txt")
            list(reception)
            reception.drop(received.place)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert on_disk(reception) == []


# -- names

NAMES = [
    ("rapport.pdf", "rapport.pdf"),
    ("L’école « hors les murs » n° 3.PDF", "L’école « hors les murs » n° 3.PDF"),
    ("e\u0301te\u0301.docx", "été.docx"),
    ("../../etc/passwd", "passwd"),
    ("/etc/passwd", "passwd"),
    ("C:\\x\\y.pdf", "y.pdf"),
    ("a\\..\\b.txt", "b.txt"),
    ("archive.tar.gz", "archive.tar.gz"),
    ("", "sans-nom"),
    (".", "sans-nom"),
    ("..", "sans-nom"),
    ("....", "sans-nom"),
    ("a/", "sans-nom"),
    (" \t ", "sans-nom"),
    ("\x00", "sans-nom"),
    (".bashrc", "bashrc"),
    (".\x00.", "sans-nom"),
    ("\u202e.cache", "cache"),
    (" . a.pdf . ", "a.pdf"),
    ("a.pdf\x00", "a.pdf"),
    ("a.pdf\n", "a.pdf"),
    ("a.pdf\u00a0", "a.pdf"),
    ("a\x00.txt", "a.txt"),
    ("a\r\nb\u2028c\u2029.txt", "abc.txt"),
    ("\x1b[31mrouge.txt", "[31mrouge.txt"),
    ("factur\u202efdp.exe", "facturfdp.exe"),
    ("a\u200b\ufeff\u00ad.pdf", "a.pdf"),
    ("caf\udce9.pdf", "caf.pdf"),
    ('a<b>c:d"e|f?g*.pdf', "a_b_c_d_e_f_g_.pdf"),
    ("con", "co_"),
    ("con .pdf", "co_.pdf"),
    (".\u00a0a", "a"),
    ("a\u3000.pdf", "a.pdf"),
    ("NUL.txt", "NU_.txt"),
    ("aux.tar.gz", "au_.tar.gz"),
    ("lpt1.pdf", "lpt_.pdf"),
    ("contrat.pdf", "contrat.pdf"),
    ("falcon.pdf", "falcon.pdf"),
    ("é" * 400 + ".pdf", "é" * 88 + ".pdf"),
    ("é" * 400, "é" * 90),
    ("a." + "b" * 400, "a." + "b" * 178),
    ("x" * 178 + "  yyy", "x" * 178),
]


@pytest.mark.parametrize(("name", "safe"), NAMES, ids=ascii)
def test_a_name_from_elsewhere_is_made_safe(name: str, safe: str):
    assert safe_name(name) == safe


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=list("./\\ ~:éC\x00\n\u202e\u2028\udce9"), max_size=30),
    st.builds("".join, st.lists(st.sampled_from([name for name, _ in NAMES]), max_size=4)),
    st.builds(lambda stem, times: stem * times, st.text(min_size=1, max_size=5), st.integers(1, 400)),
)


@settings(max_examples=400, deadline=None)
@given(name=HOSTILE)
@example(name="A\u200b\u030a")
@example(name=".\u00a00")
@example(name="con" + " " * 180 + "x")
def test_whatever_the_name_the_safe_one_is_one_visible_name(name: str):
    safe = safe_name(name)
    assert safe
    assert safe == safe_name(safe) == unicodedata.normalize("NFC", safe)
    assert len(safe.encode()) <= 200
    assert not set(safe) & set('/\\<>:"|?*')
    assert safe == safe.strip().strip(".")
    assert not any(unicodedata.category(c)[0] == "C" for c in safe)
    assert safe.splitlines() == [safe]


@settings(max_examples=200, deadline=None)
@given(stem=HOSTILE, extension=st.from_regex(r"\A\.[a-zA-Z0-9]{1,9}\Z"))
def test_whatever_the_name_its_extension_stays(stem: str, extension: str):
    assert safe_name(f"{stem}a{extension}").endswith(extension)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=HOSTILE)
def test_whatever_the_name_the_file_stays_in_the_folder(reception: Reception, name: str):
    received = reception.receive(sent(), 3, name)
    path = reception.path(received.place)
    assert path.resolve().is_relative_to((reception.folder / "3").resolve())
    assert len(Path(received.place).parts) == 3
    assert path.read_bytes() == b"texte"
    assert list(reception) == [received.place]
    reception.drop(received.place)
    assert on_disk(reception) == []
