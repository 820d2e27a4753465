"""The clerk: each end of a job, and that whoever lost a job saves nothing."""

from __future__ import annotations

import dataclasses
import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import clerk as clerks
from ingest import ocr
from ingest.clerk import READ, RECOGNISE, REREAD, Clerk, accept, legible, reread, tidy
from ingest.isolation import Sandbox
from ingest.ocr import Recogniser
from ingest.tagging import Suggestion, Text
from kb import jobs, upkeep
from kb.audit import Wanted, acting
from kb.database import Store
from kb.errors import Conflict, StorageError
from kb.jobs import DELAYS, LEASE_SECONDS, SLOW, BatchState, Job, Jobs, JobState
from kb.mappings import Mappings
from kb.reception import Reception
from kb.reviews import Reviews
from kb.rows import Columns


class Tags:
    """Proposes no subjects, and does what a test asks while it is asked."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None

    def suggest(self, texts: Iterable[Text]) -> list[list[Suggestion]]:
        self.meanwhile()
        return [[] for _ in texts]


class Desk:
    """A store, its queue, its reception, and a clerk."""

    def __init__(self, store: Store, folder: Path, sandbox: Sandbox, recogniser: Recogniser | None) -> None:
        self.store = store
        self.jobs = Jobs(store.database, store.trail)
        self.reception = Reception(folder)
        self.tags = Tags()
        self.clerk = Clerk(store, self.tags, sandbox, recogniser, centre="vc", reception=self.reception)
        self.batch = self.jobs.open_batch("essai", "deposit")

    def accept(self, name: str, content: bytes | str) -> int:
        raw = content.encode() if isinstance(content, str) else content
        return accept(self.jobs, self.reception, self.batch, io.BytesIO(raw), name)

    def done(self, id: int) -> Job:
        """The job, once there is nothing to do any more."""
        while self.clerk.work_once():
            pass
        return self.jobs.job(id)

    def make_due(self, seconds: float) -> None:
        """Let a job that was put off for so long be due now."""
        held = self.jobs.take("clock", now=time.time() + seconds + 1)
        assert held is not None
        self.jobs.release(held)

    def places(self) -> list[str]:
        return list(self.reception)

    def assert_sound(self) -> None:
        assert list(upkeep.examine(self.store, self.jobs, self.reception)) == []


@pytest.fixture
def desk(store: Store, tmp_path: Path, sandbox: Sandbox) -> Desk:
    return Desk(store, tmp_path / "fund" / "arriving", sandbox, None)


NOTE = "La rénovation du quartier\n\nLes habitants ont été consultés par la commune avant les travaux.\n"


def test_a_document_is_published_and_its_received_file_goes(desk: Desk) -> None:
    job = desk.done(desk.accept("note.txt", NOTE))
    assert (job.state, job.result, job.outcome["pages"]) == (JobState.DONE, "published", 1)
    [id] = job.outcome["ids"]
    assert desk.store.get(id).title == "La rénovation du quartier"
    assert desk.places() == []
    assert Reviews(desk.store.database).count(desk.batch) == 1
    desk.assert_sound()


def test_who_deposited_is_who_made_the_record(store: Store, tmp_path: Path, sandbox: Sandbox) -> None:
    with acting("personne:7"):
        desk = Desk(store, tmp_path / "arriving", sandbox, None)
    [id] = desk.done(desk.accept("note.txt", NOTE)).outcome["ids"]
    assert [line.actor for line in store.trail.lines(Wanted(object=f"notice:{id}"))] == ["personne:7"]


def test_the_same_bytes_sent_again_are_one_job_and_leave_no_file(desk: Desk) -> None:
    first = desk.accept("note.txt", NOTE)
    assert desk.accept("note.txt", NOTE) == first
    desk.done(first)
    assert desk.accept("note.txt", NOTE) == first
    assert desk.places() == []
    assert len(desk.jobs.every()) == 1


def test_the_same_bytes_under_another_name_are_already_there(desk: Desk) -> None:
    desk.done(desk.accept("note.txt", NOTE))
    job = desk.done(desk.accept("copie.txt", NOTE))
    assert (job.result, len(desk.store)) == ("unchanged", 1)
    assert desk.places() == []


def test_two_files_of_one_name_are_two_documents(desk: Desk) -> None:
    desk.accept("rapport.txt", NOTE)
    job = desk.done(desk.accept("rapport.txt", "Le budget des associations\n\nTout autre chose est dit ici."))
    assert (job.result, len(desk.store)) == ("published", 2)


def test_a_newer_file_from_the_same_place_replaces_the_text_of_its_record(desk: Desk) -> None:
    for text in (NOTE, NOTE + "\nUne phrase de plus a été ajoutée depuis."):
        stream = io.BytesIO(text.encode())
        accept(desk.jobs, desk.reception, desk.batch, stream, "note.txt", source="/partage/note.txt")
    last = desk.jobs.every()[-1]
    assert (desk.done(last.id).result, len(desk.store)) == ("updated", 1)


def test_a_damaged_file_is_refused_with_its_reason_and_kept(desk: Desk) -> None:
    job = desk.done(desk.accept("abime.pdf", b"%PDF-1.4 nothing more"))
    assert (job.result, job.outcome["reason"]) == ("refused", "damaged")
    assert len(desk.places()) == 1
    desk.assert_sound()


def test_the_members_of_a_container_are_queued_once(desk: Desk, make: Any, tmp_path: Path) -> None:
    members = [(f"dossier/{n}.txt", f"Note numéro {n}\n\n{make.text}".encode()) for n in range(3)]
    archive = make.zipped(tmp_path / "a.zip", *members).read_bytes()
    id = desk.accept("envoi.zip", archive)
    assert desk.done(id).result == "opened"
    assert desk.accept("envoi.zip", archive) == id
    desk.done(id)
    inside = [job for job in desk.jobs.every() if job.id != id]
    assert [job.result for job in inside] == ["published"] * 3
    assert all(job.name.startswith("envoi.zip/") for job in inside)
    assert (desk.places(), len(desk.store)) == ([], 3)


def test_a_container_that_did_not_give_all_up_is_kept(desk: Desk, make: Any, tmp_path: Path) -> None:
    members = [("note.txt", NOTE.encode()), ("../dehors.txt", b"Autre chose")]
    job = desk.done(desk.accept("envoi.zip", make.zipped(tmp_path / "a.zip", *members).read_bytes()))
    assert job.result == "opened"
    assert job.outcome["warnings"]
    assert [Path(place).name for place in desk.places()] == ["envoi.zip"]


def test_a_table_waits_until_somebody_says_what_its_columns_hold(desk: Desk) -> None:
    rows = "nom de l’ouvrage publié;qui;rangement\nUn livre;Roy, Léa;C 1\n"
    job = desk.done(desk.accept("fonds.csv", rows.encode()))
    assert (job.result, job.outcome["reason"]) == ("waiting", "columns")
    chosen = Columns(("title", "agents", "call_number"), tuple(rows.split("\n")[0].split(";")))
    desk.jobs.amend(job.id, {"columns": chosen.to_json()})
    desk.jobs.retry(job.id)
    [id] = desk.done(job.id).outcome["ids"]
    assert desk.store.get(id).call_number == "C 1"


def test_a_table_whose_columns_were_saved_asks_nothing(desk: Desk) -> None:
    columns = Columns(("title", "call_number"), ("Titre", "Cote"))
    Mappings(desk.store.database, desk.store.trail).save("inventaire", columns)
    job = desk.done(desk.accept("fonds.csv", b"titre;cote\nUn livre;C 1\nUn autre;C 2\n"))
    assert (job.result, job.outcome["records"]) == ("published", 2)


def test_a_text_that_is_no_table_is_refused_as_such(desk: Desk) -> None:
    job = desk.done(desk.accept("vide.csv", b"\n\n"))
    assert job.result == "refused"


def test_what_a_worker_left_when_it_was_killed_is_taken_away(desk: Desk) -> None:
    job = desk.done(desk.accept("note.txt", NOTE))
    refused = desk.done(desk.accept("abime.pdf", b"%PDF-1.4 nothing more"))
    left = desk.reception.path(job.payload["place"])
    left.parent.mkdir(parents=True)
    left.write_text(NOTE)
    tidy(desk.jobs, desk.reception)
    assert desk.places() == [refused.payload["place"]]


# -- whoever lost a job saves nothing


def test_a_clerk_that_lost_its_lease_saves_nothing(desk: Desk) -> None:
    id = desk.accept("note.txt", NOTE)
    desk.tags.meanwhile = lambda: desk.jobs.take("other", now=time.time() + LEASE_SECONDS + 1)
    assert desk.clerk.work_once()
    job = desk.jobs.job(id)
    assert (job.state, job.holder, len(desk.store)) == (JobState.RUNNING, "other", 0)
    assert Reviews(desk.store.database).count() == 0


def test_a_clerk_that_is_stopped_gives_its_job_back_at_once(desk: Desk) -> None:
    id = desk.accept("note.txt", NOTE)
    seen = []

    def stop() -> None:
        desk.clerk.stop()
        seen.append(desk.jobs.job(id))

    desk.tags.meanwhile = stop
    desk.clerk.work_once()
    assert (seen[0].state, seen[0].attempts) == (JobState.WAITING, 0)
    assert (desk.jobs.job(id).state, len(desk.store)) == (JobState.WAITING, 0)
    assert not desk.clerk.work_once()


def test_a_deposit_given_up_while_a_file_is_read_saves_it_no_more(desk: Desk) -> None:
    ids = [desk.accept("a.txt", NOTE), desk.accept("b.txt", NOTE + "Suite.")]
    desk.tags.meanwhile = lambda: desk.jobs.cancel(desk.batch)
    desk.done(ids[0])
    assert [desk.jobs.job(id).state for id in ids] == [JobState.CANCELLED] * 2
    assert len(desk.store) == 0


def test_a_file_for_a_deposit_that_was_given_up_leaves_nothing(desk: Desk) -> None:
    desk.jobs.cancel(desk.batch)
    with pytest.raises(Conflict):
        desk.accept("note.txt", NOTE)
    assert desk.places() == []


def test_a_deposit_that_is_stopped_waits_until_it_is_resumed(desk: Desk) -> None:
    id = desk.accept("note.txt", NOTE)
    desk.jobs.stop(desk.batch)
    assert not desk.clerk.work_once()
    desk.jobs.resume(desk.batch)
    assert desk.done(id).result == "published"


# -- what is tried again


def failing(error: Exception) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


def test_a_job_that_fails_is_tried_again_later_and_then_given_up(desk: Desk) -> None:
    id = desk.accept("note.txt", NOTE)
    desk.tags.meanwhile = failing(RuntimeError("odd"))
    for attempt in range(len(DELAYS)):
        desk.clerk.work_once()
        job = desk.jobs.job(id)
        assert (job.state, job.attempts) == (JobState.WAITING, attempt + 1)
        assert not desk.clerk.work_once()  # not yet due
        desk.make_due(DELAYS[attempt])
    desk.clerk.work_once()
    job = desk.jobs.job(id)
    assert (job.result, job.outcome["reason"], len(desk.store)) == ("refused", "crashed", 0)
    assert desk.places() == [job.payload["place"]]
    desk.assert_sound()


def test_a_job_that_failed_once_is_published_the_next_time(desk: Desk) -> None:
    id = desk.accept("note.txt", NOTE)
    desk.tags.meanwhile = failing(RuntimeError("odd"))
    desk.clerk.work_once()
    desk.tags.meanwhile = lambda: None
    desk.make_due(DELAYS[0])
    assert desk.done(id).result == "published"


def test_a_job_that_took_its_workers_with_it_each_time_is_given_up_unread(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", -1.0)  # they died a second ago
    id = desk.accept("note.txt", NOTE)
    for _ in range(len(DELAYS) + 1):
        assert desk.jobs.take("killed") is not None
    desk.tags.meanwhile = failing(AssertionError("it was read"))
    job = desk.done(id)
    assert (job.result, job.outcome["reason"]) == ("refused", "crashed")


def test_a_disk_that_refuses_is_nobodys_fault_and_counts_as_no_attempt(desk: Desk) -> None:
    id = desk.accept("note.txt", NOTE)
    desk.tags.meanwhile = failing(StorageError("disk full"))
    with pytest.raises(StorageError):
        desk.clerk.work_once()
    job = desk.jobs.job(id)
    assert (job.state, job.attempts) == (JobState.WAITING, 0)


def test_a_lease_is_held_however_long_the_work_takes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerks, "BEAT_SECONDS", 0.01)
    id = desk.accept("note.txt", NOTE)
    leases: list[float | None] = []

    def look_twice() -> None:
        leases.append(desk.jobs.job(id).lease)
        time.sleep(0.2)
        leases.append(desk.jobs.job(id).lease)

    desk.tags.meanwhile = look_twice
    assert desk.done(id).result == "published"
    assert leases[0] is not None
    assert leases[1] is not None
    assert leases[1] > leases[0]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job-")]


# -- pictures of pages


@pytest.fixture
def recogniser(tmp_path: Path) -> Iterator[Recogniser]:
    assert ocr.available(), "tesseract is missing: apt-get install tesseract-ocr tesseract-ocr-fra"
    with ocr.opened(tmp_path / "kept") as opened:
        assert opened is not None
        yield opened


def scan(make: Any, path: Path, *pages: str) -> bytes:
    first, *others = make.scan(*pages)
    first.save(path, save_all=True, append_images=others, resolution=150)
    return path.read_bytes()


LONG = (
    "Premier chapitre\nLe marché couvert ouvre en avril",
    "Deuxième chapitre\nUne école pour les plus petits",
    "Troisième chapitre\nDes jardins derrière la mairie",
)
PAGE = "Charte de la participation\nLes habitants du quartier\nont été consultés par la commune"


def test_a_scan_without_recogniser_waits(desk: Desk, make: Any, tmp_path: Path) -> None:
    job = desk.done(desk.accept("scan.pdf", scan(make, tmp_path / "s.pdf", PAGE)))
    assert (job.result, job.outcome["reason"]) == ("waiting", "no-text")
    assert len(desk.places()) == 1


def test_a_scan_is_put_off_to_its_recognition_behind_other_files(
    store: Store, tmp_path: Path, sandbox: Sandbox, recogniser: Recogniser, make: Any
) -> None:
    desk = Desk(store, tmp_path / "arriving", sandbox, recogniser)
    id = desk.accept("scan.pdf", scan(make, tmp_path / "s.pdf", PAGE, PAGE))
    other = desk.accept("note.txt", NOTE)
    desk.clerk.work_once()
    job = desk.jobs.job(id)
    assert (job.kind, job.priority, job.state, job.attempts) == (RECOGNISE, SLOW, JobState.WAITING, 0)
    desk.clerk.work_once()
    assert desk.jobs.job(other).result == "published"
    job = desk.done(id)
    assert (job.result, job.outcome["pages"]) == ("published", 2)
    [record] = job.outcome["ids"]
    assert "participation" in store.pages(record)[0].text.lower()
    assert store.pages(record)[0].recognised is not None
    stop_in_the_middle(desk, scan(make, tmp_path / "t.pdf", *LONG))
    again(desk, record)


def stop_in_the_middle(desk: Desk, scanned: bytes) -> None:
    """A deposit that is stopped ends the recognition at the next page; it goes on when it is resumed."""
    id = desk.accept("long.pdf", scanned)
    desk.clerk.work_once()

    def stop() -> None:
        while desk.jobs.job(id).done < 1:
            time.sleep(0.01)
        desk.jobs.stop(desk.batch)

    stopper = threading.Thread(target=stop)
    stopper.start()
    desk.clerk.work_once()
    stopper.join()
    job = desk.jobs.job(id)
    assert (job.state, job.attempts, job.kind) == (JobState.WAITING, 0, RECOGNISE)
    desk.jobs.resume(desk.batch)
    assert desk.done(id).result == "published"


def again(desk: Desk, record: str) -> None:
    """Pages of a record are recognised again when that is asked, as a deposit of its own."""
    batch = reread(desk.jobs, desk.store.get(record), [desk.store.page(record, 2)])
    [job] = desk.jobs.of(batch)
    assert (job.kind, job.priority) == (REREAD, SLOW)
    assert desk.done(job.id).result in ("updated", "unchanged")
    assert desk.jobs.batch(batch).state is BatchState.OPEN
    by_hand(desk, record)


def by_hand(desk: Desk, record: str) -> None:
    """What somebody writes on a page while its recognition waits stays."""
    page = desk.store.page(record, 2)
    [job] = desk.jobs.of(reread(desk.jobs, desk.store.get(record), [page]))
    desk.store.save_page(record, dataclasses.replace(page, text="Écrit à la main."))
    assert desk.done(job.id).result == "unchanged"
    assert desk.store.page(record, 2).text == "Écrit à la main."


def test_pages_of_a_record_that_is_gone_are_refused(desk: Desk) -> None:
    [id] = desk.done(desk.accept("note.txt", NOTE)).outcome["ids"]
    [job] = desk.jobs.of(reread(desk.jobs, desk.store.get(id), desk.store.pages(id)))
    assert desk.done(job.id).outcome["reason"] == "no-text"  # nothing is there to recognise with


# -- names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("rapport\u202efdp.exe", "rapportfdp.exe"),
        ("deux\nlignes\t.pdf", "deux lignes .pdf"),
        ("a\x00b.pdf", "ab.pdf"),
        ("  l’été « bleu ».pdf ", "l’été « bleu ».pdf"),
        ("x" * 300, "x" * 200),
        ("\ud800.pdf", ".pdf"),
        ("\u200b", "sans nom"),
    ],
)
def test_a_name_from_elsewhere_is_shown_on_one_line_in_its_order(name: str, shown: str) -> None:
    assert legible(name) == shown


def test_a_name_with_half_a_character_is_taken_in(desk: Desk) -> None:
    job = desk.done(desk.accept("caf\udce9.txt", NOTE))
    assert (job.result, job.kind) == ("published", READ)
