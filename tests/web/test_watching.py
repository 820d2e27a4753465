"""A watched folder: what is taken, what is left, and that nothing ends the watch."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.clerk import Clerk
from ingest.isolation import Sandbox
from kb.config import Config
from kb.database import Store
from kb.jobs import Jobs
from kb.reception import Reception
from web import watching
from web.watching import STABLE_SECONDS, Watch

TEXT = "Les habitants ont été consultés par la commune avant les travaux.\n" * 3


@pytest.fixture
def store(tmp_path):
    opened = Store.open(Config(data=tmp_path / "fund"))
    yield opened
    opened.close()


class Share:
    """A folder that is watched. Its files are old unless a test says otherwise."""

    def __init__(self, store, folder):
        self.store, self.folder = store, folder
        self.jobs = Jobs(store.database, store.trail)
        self.reception = Reception(folder.parent / "arriving")
        self.watch = self.again()
        folder.mkdir(exist_ok=True)

    def again(self):
        """A watch that has just begun."""
        self.watch = Watch(self.folder, self.jobs, self.reception, "America/Martinique")
        return self.watch

    def put(self, name, text=TEXT, age=60.0):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time.time() - age,) * 2)
        return path

    def looks(self, times=2):
        return sum(self.watch.look() for _ in range(times))

    def names(self):
        return [job.name for job in self.jobs.every()]


@pytest.fixture
def share(store, tmp_path):
    return Share(store, tmp_path / "partage")


def test_a_file_is_taken_once_it_is_stable_and_once_only(share):
    share.put("2012/rapport.txt")
    assert [share.watch.look() for _ in range(4)] == [0, 1, 0, 0]
    assert share.names() == ["2012/rapport.txt"]
    assert (share.folder / "2012/rapport.txt").exists()
    share.again()
    assert share.looks(3) == 0  # the watch began anew


def test_a_file_that_is_still_written_is_not_taken(share):
    path = share.put("long.txt", "a")
    for _ in range(4):
        assert share.watch.look() == 0
        with path.open("a") as stream:
            stream.write("suite")
        os.utime(path, (time.time() - 60,) * 2)
    share.put("frais.txt", age=0.0)
    share.looks(1)
    assert share.looks() == 1  # only the long one: the other has just been written
    assert share.watch.look(time.time() + STABLE_SECONDS) == 1


def test_a_file_of_a_server_whose_clock_is_ahead_is_taken(share):
    share.put("avance.txt", age=-3600.0)
    assert share.looks() == 1


@pytest.mark.parametrize("name", [".cache", "~$note.docx", "film.part", "a.CRDOWNLOAD", ".dossier/note.txt"])
def test_what_programs_leave_for_themselves_is_not_taken(share, name):
    share.put(name)
    with capture_logs() as said:
        assert share.looks(3) == 0
    assert said == []


def test_a_file_that_changed_replaces_the_text_of_its_record_and_one_that_goes_does_nothing(store, share):
    class Quiet:
        def suggest(self, texts):
            return [[] for _ in texts]

    path = share.put("note.txt", f"Une note sur le quartier\n\n{TEXT}")
    with Sandbox() as sandbox:
        clerk = Clerk(store, Quiet(), sandbox, None, centre="vc", reception=share.reception)
        share.looks()
        clerk.work_once()
        share.put("note.txt", f"Une note sur le quartier\n\n{TEXT}\nUne phrase de plus.", age=30)
        assert share.looks() == 1
        clerk.work_once()
    [id] = store.ids()
    assert "de plus" in store.pages(id)[0].text
    assert [job.result for job in share.jobs.every()] == ["published", "updated"]
    path.unlink()
    assert share.looks(3) == 0
    assert list(store.ids()) == [id]
    assert list(share.reception) == []


def test_a_folder_that_goes_and_comes_back_is_told_once_and_watched_on(share, tmp_path):
    share.put("a.txt")
    share.looks()
    share.folder.rename(tmp_path / "ailleurs")
    with capture_logs() as said:
        share.looks(4)
    assert [(line["event"], line["path"]) for line in said] == [("watch.left", str(share.folder))]
    (tmp_path / "ailleurs").rename(share.folder)
    share.put("b.txt")
    share.looks()
    assert share.names() == ["a.txt", "b.txt"]
    share.folder.rename(tmp_path / "ailleurs")
    with capture_logs() as said:
        share.looks(2)
    assert len(said) == 1  # it is news again


def test_a_file_that_cannot_be_read_is_told_once(share, monkeypatch):
    path, real = share.put("secret.txt"), Path.open

    def refuse(self, *arguments, **keys):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))  # root may read everything
        return real(self, *arguments, **keys)

    monkeypatch.setattr(Path, "open", refuse)
    with capture_logs() as said:
        assert share.looks(5) == 0
    assert [line["event"] for line in said] == ["watch.left"]
    assert share.jobs.batches(10) == ()  # no empty deposit for it
    monkeypatch.undo()
    assert share.looks(1) == 1


def test_a_file_changed_while_it_is_copied_is_left_for_the_next_look(share, monkeypatch):
    path, real = share.put("a.txt"), Reception.receive

    def change(self, stream, batch, name):
        received = real(self, stream, batch, name)
        path.write_text("autre chose")
        return received

    monkeypatch.setattr(Reception, "receive", change)
    assert share.looks() == 0
    assert (share.names(), list(share.reception)) == ([], [])


def test_a_day_has_one_deposit_even_if_the_watch_begins_anew(share):
    share.put("a.txt")
    share.looks()
    share.again()
    share.put("b.txt")
    share.looks()
    [batch] = share.jobs.batches(10)
    assert batch.name.startswith("Dossier surveillé «\u00a0partage\u00a0», ")
    share.jobs.cancel(batch.id)
    share.put("c.txt")
    share.looks()
    assert [b.id for b in share.jobs.batches(10)] == [batch.id + 1, batch.id]


def test_a_name_that_is_not_text_is_taken(share):
    path = Path(os.fsdecode(os.fsencode(share.folder) + b"/caf\xe9.txt"))
    path.write_text(TEXT)
    os.utime(path, (time.time() - 60,) * 2)
    assert share.looks() == 1
    assert share.names() == ["caf\ufffd.txt"]


def test_nothing_that_fails_ends_the_watch(share):
    class Enough(Exception):
        pass

    looks = []

    def wait(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            share.reception.folder.unlink()  # somebody made room
        if len(looks) == 4:
            raise Enough

    share.put("a.txt")
    share.reception.folder.write_text("a file in the way, as a disk that refuses")
    with capture_logs() as said, pytest.raises(Enough):
        watching.watch((share.folder,), share.jobs, share.reception, "UTC", wait=wait)
    assert share.names() == ["a.txt"]
    assert [line["event"] for line in said] == ["watch.failed", "watch.taken"]


def test_a_link_that_leads_out_of_the_folder_is_left_and_told(share, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(TEXT)
    os.utime(secret, (time.time() - 60,) * 2)
    (share.folder / "note.txt").symlink_to(secret)
    with capture_logs() as said:
        assert share.looks(3) == 0
    assert [line["event"] for line in said] == ["watch.left"]
