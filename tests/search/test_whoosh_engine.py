"""What the embedded engine promises beyond the contract: files that survive, readers that follow, sizes."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whoosh import query as whoosh_query
from whoosh.searching import Searcher

from kb import french
from kb.errors import IndexOutdated
from search import whoosh_engine
from search.engine import Entry
from search.query import Everything, Fuzzy, Phrase, Prefix, Request, Words
from search.whoosh_build import chunks
from search.whoosh_engine import WhooshEngine

KILLS = int(os.environ.get("CARBET_KILLS", "5"))
"""How often a writer is killed; 50 before a release."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[WhooshEngine]:
    opened = WhooshEngine(folder)
    yield opened
    opened.close()


def entry(number: int, *pages: str, title: str = "") -> Entry:
    return Entry(id=f"c:{number}", fields={"title": title}, pages=tuple(enumerate(pages, 1)))


def put(engine: WhooshEngine, *entries: Entry, position: int = 0) -> None:
    with engine.writer() as writer:
        for one in entries:
            writer.put(one)
        writer.mark(position)


def found(engine: WhooshEngine, word: str) -> list[str]:
    return [hit.id for hit in engine.search(Request(query=Words(word), limit=1000)).hits]


def segments(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.seg"))


# -- what is on the disk


def test_no_file_holds_a_pickle_and_all_are_named(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"), entry(2, "le quartier"))
    with engine.writer() as writer:
        writer.delete("c:1")
    manifest = json.loads((folder / "manifest.json").read_text())["index"]
    note = manifest["segments"][0]
    named = {note["file"]["name"], note["deletions"]["name"], "manifest.json", "lock"}
    assert {path.name for path in folder.iterdir()} == named
    assert (folder / note["file"]["name"]).read_bytes().startswith(b"CARBET01")


def test_a_file_of_another_size_is_noticed_at_opening(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    with next(folder.glob("*.seg")).open("ab") as file:
        file.write(b"x")
    with pytest.raises(IndexOutdated, match="bytes instead of"):
        WhooshEngine(folder).search(Request())


def test_a_missing_file_is_noticed_at_opening(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    next(folder.glob("*.seg")).unlink()
    with pytest.raises(IndexOutdated, match="missing"):
        WhooshEngine(folder).position()
    with pytest.raises(IndexOutdated, match="missing"), WhooshEngine(folder).writer():
        pass


def test_a_flipped_bit_is_found_by_the_checksums(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    assert engine.damaged() == []
    path = next(folder.glob("*.seg"))
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(raw)
    assert engine.damaged() == [path.name]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"index": {}, "checksum": "x"}', b"\x80\x04."])
def test_a_damaged_manifest_is_outdated(engine: WhooshEngine, folder: Path, content: bytes) -> None:
    put(engine, entry(1, "la ville"))
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(IndexOutdated):
        WhooshEngine(folder).search(Request())


def test_an_index_of_another_analysis_is_outdated(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(engine, entry(1, "la ville"))
    monkeypatch.setattr("search.whoosh_files.ANALYSIS", "another")
    with pytest.raises(IndexOutdated, match="version"):
        WhooshEngine(folder).position()


def test_a_fresh_writer_mends_what_cannot_be_opened(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    (folder / "manifest.json").write_bytes(b"rubbish")
    again = WhooshEngine(folder)
    with again.writer(fresh=True) as writer:
        writer.put(entry(2, "la ville"))
        writer.mark(3)
    assert (found(again, "ville"), again.position()) == (["c:2"], 3)


def test_a_truncated_segment_of_the_right_size_is_outdated(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    path = next(folder.glob("*.seg"))
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(IndexOutdated):
        WhooshEngine(folder).search(Request())


# -- writers


def test_orphans_of_a_killed_writer_are_removed_by_the_next(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    for name in ("0123456789abcdef.seg", "manifest.json.new", "0123.del"):
        (folder / name).write_bytes(b"x")
    put(engine, entry(2, "la ville"))
    assert len(list(folder.iterdir())) == 4  # two segments, manifest, lock


def test_writers_of_one_folder_take_turns(folder: Path) -> None:
    def write(number: int) -> None:
        for i in range(5):
            put(WhooshEngine(folder), entry(number * 10 + i, "la ville"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(WhooshEngine(folder)) == 15


def test_small_commits_are_merged(engine: WhooshEngine, folder: Path) -> None:
    for number in range(70):
        put(engine, entry(number, "la ville", f"page {number}"), position=number)
    assert len(segments(folder)) < 2 * whoosh_engine.TIER
    assert len(found(engine, "ville")) == 70
    assert engine.search(Request(query=Phrase("page 42"))).hits[0].pages == (2,)


def test_a_segment_mostly_dead_is_rewritten(engine: WhooshEngine, folder: Path) -> None:
    put(engine, *(entry(number, "la ville") for number in range(6)))
    before = segments(folder)
    with engine.writer() as writer:
        for number in range(4):
            writer.delete(f"c:{number}")
    assert segments(folder) != before
    assert list(folder.glob("*.del")) == []
    with engine.writer() as writer:
        for number in range(6):
            writer.delete(f"c:{number}")
    assert segments(folder) == []
    assert engine.search(Request()).total == 0


def test_a_writer_with_much_text_writes_several_segments(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whoosh_engine, "SEGMENT_WORDS", 10)
    put(
        engine,
        *(entry(number, "une ville et un quartier de la ville") for number in range(6)),
        entry(0, "rien"),
    )
    assert len(segments(folder)) > 1
    assert found(engine, "quartier") == ["c:1", "c:2", "c:3", "c:4", "c:5"]


def test_a_failed_commit_leaves_the_lock_free(engine: WhooshEngine) -> None:
    def fail() -> None:
        with engine.writer() as writer:
            writer.put(entry(1, "la ville"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    put(engine, entry(2, "la ville"))
    assert found(engine, "ville") == ["c:2"]


def _commit_for_ever(folder: Path, ready: Connection) -> None:
    """Commits that hold c:1 and c:2 with the same number in the text, the feed at that number, and leave as
    many of the other entries out."""
    engine = WhooshEngine(folder)
    number = engine.position()
    while True:
        number += 1
        with engine.writer() as writer:
            writer.put(entry(1, f"essai {number}"))
            writer.put(entry(2, f"essai {number}"))
            writer.delete(f"c:{FIRST_OTHER + number}")
            writer.mark(number)
        ready.send(number)


FIRST_OTHER = 1_000
MOMENTS = (".seg", ".new", ".del")
"""New file that is waited for before a kill: the segment, the next manifest, the deletions."""


def test_killed_at_any_moment_the_index_is_the_old_or_the_new_one(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = 20 * KILLS + 200  # more than half of them live on, so that their segment is not rewritten
    put(WhooshEngine(folder), *(entry(FIRST_OTHER + number, "reste") for number in range(1, others + 1)))
    for kill in range(KILLS):
        ours, theirs = context.Pipe()
        child = context.Process(target=_commit_for_ever, args=(folder, theirs))
        child.start()
        last = ours.recv()
        before = set(os.listdir(folder))
        moment = MOMENTS[kill % len(MOMENTS)]
        while not any(name.endswith(moment) for name in set(os.listdir(folder)) - before):
            if ours.poll():
                last, before = ours.recv(), set(os.listdir(folder))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        while ours.poll():
            try:
                last = ours.recv()
            except EOFError:
                break
        engine = WhooshEngine(folder)
        position = engine.position()
        assert position in (last, last + 1)
        assert sorted(found(engine, str(position))) == ["c:1", "c:2"]
        assert (len(engine), engine.damaged()) == (2 + others - position, [])
        put(engine, entry(3, "après"), position=position)
        with engine.writer() as writer:
            writer.delete("c:3")
        names = json.loads((folder / "manifest.json").read_text())["index"]["segments"]
        assert len(segments(folder)) == len(names)


# -- readers


def test_another_object_sees_a_commit_at_its_next_question(engine: WhooshEngine, folder: Path) -> None:
    reader = WhooshEngine(folder)
    assert found(reader, "ville") == []
    put(engine, entry(1, "la ville"), position=4)
    assert (found(reader, "ville"), reader.position(), len(reader)) == (["c:1"], 4, 1)


def test_unchanged_segments_are_not_opened_again(engine: WhooshEngine, folder: Path) -> None:
    put(engine, entry(1, "la ville"))
    engine.search(Request())
    before = engine._current().segments
    put(engine, entry(2, "la ville"))
    assert engine._current().segments[0] is before[0]


def test_a_reader_goes_on_while_a_fresh_index_is_swapped_in(engine: WhooshEngine, folder: Path) -> None:
    put(engine, *(entry(number, "la ville") for number in range(5)))
    old = engine._current()
    with WhooshEngine(folder).writer(fresh=True) as writer:
        writer.put(entry(9, "la ville"))
    assert [segment.ids.text(0) for segment in old.segments] == ["c:0"]  # files gone, still mapped
    assert found(engine, "ville") == ["c:9"]


def test_threads_search_while_another_writes(engine: WhooshEngine) -> None:
    put(engine, entry(0, "la ville"))
    faults: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            ids = found(engine, "ville")
            if sorted(ids) != sorted(f"c:{n}" for n in range(len(ids))):
                faults.append(str(ids))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 25):
        put(engine, entry(number, "la ville"))
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(found(engine, "ville")) == 25


def test_the_cache_is_bounded_and_changes_no_answer(folder: Path) -> None:
    engine = WhooshEngine(folder, cache_bytes=0)
    put(engine, entry(1, "la ville", "un quartier de la ville"), entry(2, "un quartier"))
    small = [engine.search(Request(query=Words(w))) for w in ("ville", "quartier", "ville quartier") * 2]
    large = WhooshEngine(folder)
    assert small == [
        large.search(Request(query=Words(w))) for w in ("ville", "quartier", "ville quartier") * 2
    ]


# -- sizes


def test_positions_and_frequencies_beyond_two_bytes(engine: WhooshEngine) -> None:
    put(engine, entry(1, "ville " * 70_000 + "quartier prioritaire"), entry(2, "prioritaire quartier"))
    assert [hit.id for hit in engine.search(Request(query=Phrase("quartier prioritaire"))).hits] == ["c:1"]
    put(engine, *(entry(number, "mot") for number in range(10, 20)))
    for number in range(30, 40):
        put(engine, entry(number, "mot"))  # merged with the large one or not, the phrase stays
    assert [hit.id for hit in engine.search(Request(query=Phrase("quartier prioritaire"))).hits] == ["c:1"]


def test_words_too_long_for_the_deletion_index_are_still_near(engine: WhooshEngine) -> None:
    for length in (39, 40, 41, 60):
        put(engine, entry(length, "b" * length + "a"))
        for word in ("b" * length, "b" * length + "c", "b" * length + "ad"):
            hits = engine.search(Request(query=Fuzzy(word))).hits
            assert f"c:{length}" in [hit.id for hit in hits], (length, word)


def test_a_prefix_of_very_many_words(engine: WhooshEngine) -> None:
    put(engine, *(entry(n, " ".join(f"a{chr(97 + i % 26)}{n}x{i}" for i in range(200))) for n in range(20)))
    assert engine.search(Request(query=Prefix("a"))).total == 20


@given(st.text(st.sampled_from(" \n\t\u00a0\u202f_'’.-019aéÉœlquC\u0301\u00ad\u200b東"), max_size=40))
def test_the_words_of_a_text_are_those_of_its_chunks(text: str) -> None:
    whole = [(token.form, token.term) for token in french.tokens(text)]
    assert whole == [(t.form, t.term) for chunk in chunks(text) for t in french.tokens(chunk)]


# -- Whoosh itself over the same files


def test_whoosh_answers_its_own_queries_from_the_same_segments(engine: WhooshEngine) -> None:
    put(
        engine,
        entry(1, "la politique de la ville", "un quartier"),
        entry(2, "ville et politique", title="Quartier"),
    )
    with engine.writer() as writer:
        writer.put(entry(3, "la ville"))
        writer.delete("c:2")
    asked = {
        Words("ville"): whoosh_query.Term("text", "ville"),
        Words("politique ville"): whoosh_query.And(
            [whoosh_query.Term("text", term) for term in ("politique", "ville")]
        ),
        Phrase("politique de la ville"): whoosh_query.Phrase("text", ["politique", "ville"], slop=3),
        Prefix("vil"): whoosh_query.Prefix("text", "vil"),
        Everything(): whoosh_query.Every(),
    }
    for ours, theirs in asked.items():
        hits: set[str] = set()
        for reader in engine.whoosh_readers():
            with Searcher(reader) as searcher:
                hits |= {hit["id"] for hit in searcher.search(theirs, limit=None)}
        assert hits == {hit.id for hit in engine.search(Request(query=ours)).hits}, ours
