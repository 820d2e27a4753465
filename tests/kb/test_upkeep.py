"""The doctor: silent over a sound fund, and what it says of each kind of damage."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kb import tables, upkeep
from kb.config import Config
from kb.database import Store
from kb.jobs import URGENT, Job, Jobs
from kb.originals import digest
from kb.reception import Reception
from kb.records import Copy, File, Page, Quality, Record
from kb.reviews import Reviews
from kb.upkeep import Fault, examine

LONG_AGO = 7_200.0


@dataclass
class Fund:
    """A data folder with a record of each kind, and jobs in all states."""

    folder: Path
    store: Store
    jobs: Jobs
    reception: Reception
    batch: int

    def run(self, statement: str) -> None:
        """Change the tables behind everybody's back, references that lead nowhere included."""
        with closing(sqlite3.connect(self.folder / "kb.sqlite")) as connection, connection:
            assert connection.execute(statement).rowcount > 0

    def original(self, id: str) -> Path:
        return self.store.originals.path(self.store.get(id).files[0].sha256)

    def received(self, name: str) -> Path:
        return self.reception.path(self.job(name).payload["place"])

    def job(self, name: str) -> Job:
        (job,) = [job for job in self.jobs.every() if job.name == name]
        return job

    def faults(self) -> list[Fault]:
        return list(examine(self.store, self.jobs, self.reception))

    def deposit(self, name: str, batch: int | None = None) -> Job:
        """Take a file in and take its job."""
        batch = batch or self.batch
        place = self.reception.receive(io.BytesIO(name.encode()), batch, name).place
        key = f"{batch}:{name}"
        id = self.jobs.add(batch, "read", name, {"place": place}, key=key, priority=URGENT - 1)
        job = self.jobs.take("a")
        assert job is not None
        assert job.id == id
        return job

    def end(self, name: str, result: str, *ids: str, reason: str | None = None) -> None:
        job = self.deposit(name)
        self.jobs.finish(job, result, {"ids": list(ids), "reason": reason, "warnings": []})
        if result not in ("waiting", "refused"):
            self.reception.drop(job.payload["place"])


def _records(folder: Path, store: Store) -> None:
    (folder / "a.pdf").write_bytes(b"%PDF texte")
    sha256 = store.originals.put(folder / "a.pdf")
    file = File(sha256=sha256, name="a.pdf", media_type="application/pdf", size=10, pages=3)
    pages = [
        Page(1, "Première", raw="Pre-\nmière"),
        Page(2, "", quality=Quality.EMPTY),
        Page(3, "Fin", "iii"),
    ]
    store.save(Record(id="vc:1", title="Étude", type="etude", files=(file,)), pages)
    paper = Record(id="vc:2", title="Cahier n° 1", type="cahier", copies=(Copy("JEU 12"),), access="staff")
    store.save(replace(paper, identifiers={"isbn": "9782070360024"}))
    store.save(Record(id="vc:3", title="Article", host="vc:2", files=(file,)))
    scan = replace(file, name="scan.pdf")
    store.save(Record(id="vc:4", title="Plan", files=(scan,)), [Page(1, "", quality=Quality.SCAN)])
    for id in ("vc:5", "vc:6"):
        store.save(Record(id=id, title="Supprimée"), [Page(1, "a")])
    store.save(Record(id="vc:5", title="Supprimée plus tard"))
    Reviews(store.database).open("vc:1", {"title": "première page"})
    Reviews(store.database).open("vc:5", {})
    store.delete("vc:5")
    store.delete("vc:6")


def _jobs_of(fund: Fund) -> None:
    fund.end("publiee", "published", "vc:1")
    fund.end("jointe", "updated", "vc:2")
    fund.end("connue", "unchanged", "vc:1", "vc:4")
    fund.end("ouverte", "opened")
    fund.end("verrouillee", "refused", reason="locked")
    fund.end("sans-texte", "waiting", reason="no-text")
    fund.end("supprimee", "published", "vc:5")
    fund.deposit("en-cours")
    postponed = fund.deposit("remise")
    fund.jobs.postpone(postponed)
    for name in ("relue", "a-relire"):
        fund.jobs.add(
            fund.batch, "reread", name, {"record": "vc:4", "numbers": [1]}, key=name, priority=URGENT
        )
    reread = fund.jobs.take("a")
    assert reread is not None
    fund.jobs.finish(reread, "refused", {"ids": [], "reason": "no-text"})
    stopped = fund.jobs.open_batch("Arrêté", "deposit")
    silent = fund.deposit("arretee", stopped)
    fund.jobs.beat(silent, now=time.time() - LONG_AGO)
    fund.jobs.stop(stopped)
    cancelled = fund.jobs.open_batch("Abandonné", "deposit")
    fund.deposit("abandonnee", cancelled)
    fund.jobs.cancel(cancelled)
    fund.reception.forget(cancelled)
    for place in fund.reception:
        os.utime(fund.reception.path(place), (time.time() - LONG_AGO,) * 2)
    fund.reception.receive(io.BytesIO(b"arrive"), fund.batch, "arrive.pdf")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound fund, to be copied."""
    folder = tmp_path_factory.mktemp("sound")
    opened = _opened(folder)
    _records(folder, opened.store)
    opened.batch = opened.jobs.open_batch("Envoi", "deposit")
    _jobs_of(opened)
    with opened.store.database.writing() as connection:
        connection.execute(
            tables.redirects.insert(),
            [
                {"old": "vc:6", "new": "vc:1", "at": "2025-01-01"},
                {"old": "vc:7", "new": "vc:5", "at": "2025"},
            ],
        )
        pair = {"id": 1, "kind": "edition", "record": "vc:4", "other": "vc:1", "score": 0.5}
        connection.execute(tables.doubts.insert().values(**pair, state="open", created="2025"))
        connection.execute(tables.sketches.insert().values(record="vc:1", hash=12))
    opened.store.close()
    return folder


def _opened(folder: Path) -> Fund:
    store = Store.open(Config(data=folder))
    return Fund(folder, store, Jobs(store.database, store.trail), Reception(folder / "reception"), 1)


@pytest.fixture
def fund(sound: Path, tmp_path: Path) -> Iterator[Fund]:
    shutil.copytree(sound, tmp_path / "fund")
    opened = _opened(tmp_path / "fund")
    yield opened
    opened.store.close()


def test_a_sound_fund_has_no_fault(fund: Fund):
    assert fund.faults() == []


def test_an_empty_fund_has_no_fault(tmp_path: Path):
    empty = _opened(tmp_path)
    assert empty.faults() == []
    empty.store.close()


def test_it_tells_how_far_it_is(fund: Fund):
    told: list[tuple[int, int]] = []
    list(examine(fund.store, fund.jobs, fund.reception, progress=lambda *far: told.append(far)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_it_only_looks(fund: Fund):
    def state() -> list[object]:
        with fund.store.database.reading() as connection:
            return [connection.execute(t.select()).all() for t in tables.metadata.sorted_tables]

    (before, files) = state(), sorted(fund.folder.rglob("*"))
    fund.faults()
    assert (state(), sorted(fund.folder.rglob("*"))) == (before, files)


# -- each kind of damage, and what is said of it


def change(statement: str) -> Callable[[Fund], None]:
    return lambda fund: fund.run(statement)


def remove_original(fund: Fund) -> None:
    fund.original("vc:1").unlink()


def change_original(fund: Fund) -> None:
    fund.original("vc:1").chmod(0o640)
    fund.original("vc:1").write_bytes(b"%PDF autre")


def name_no_original(fund: Fund) -> None:
    record = fund.store.get("vc:4")
    files = (replace(record.files[0], sha256="../../etc/passwd"),)
    fund.store.save(replace(record, files=files))


def lose_pages(fund: Fund) -> None:
    fund.store.save(fund.store.get("vc:1"), ())


def empty_pages(fund: Fund) -> None:
    fund.store.save(fund.store.get("vc:1"), [Page(1, " "), Page(2, "\n")])


def remove_received(name: str) -> Callable[[Fund], None]:
    return lambda fund: fund.received(name).unlink()


def make_older(fund: Fund) -> None:
    (place,) = [place for place in fund.reception if place.endswith("arrive.pdf")]
    os.utime(fund.reception.path(place), (time.time() - 3_700,) * 2)


def leave_half_a_file(fund: Fund) -> None:
    left = fund.reception.folder / "arriving-x"
    left.write_bytes(b"half")
    os.utime(left, (time.time() - 3_700,) * 2)


def fall_silent(fund: Fund) -> None:
    fund.jobs.beat(fund.job("en-cours"), now=time.time() - LONG_AGO)


def lose_the_deposit(fund: Fund) -> None:
    fall_silent(fund)
    fund.run("DELETE FROM batches WHERE id = 1")


ORIGINAL, NOTICE = "l’original « a.pdf » ", "notice vc:1"
FINGERPRINT = "la notice ne correspond plus à son empreinte"
KEYS = "ses clés (ISBN, cote, fichiers) ne sont pas celles de la notice"

DAMAGES: list[tuple[Callable[[Fund], None], list[tuple[str, str]]]] = [
    # the same original is that of three records
    (
        remove_original,
        [(NOTICE, ORIGINAL + "manque"), ("notice vc:3", ORIGINAL), ("notice vc:4", "scan.pdf")],
    ),
    (
        change_original,
        [(NOTICE, ORIGINAL + "n’est plus celui"), ("notice vc:3", ORIGINAL), ("notice vc:4", "scan.pdf")],
    ),
    (name_no_original, [("notice vc:4", "l’original « scan.pdf » manque")]),
    (
        change("DELETE FROM pages WHERE record = 'vc:1' AND number = 2"),
        [(NOTICE, FINGERPRINT), (NOTICE, "des pages manquent")],
    ),
    (change("DELETE FROM pages WHERE record = 'vc:1' AND number = 3"), [(NOTICE, FINGERPRINT)]),
    (change("UPDATE pages SET text = 'x' WHERE record = 'vc:1' AND number = 3"), [(NOTICE, FINGERPRINT)]),
    (change("UPDATE records SET fingerprint = 'x' WHERE id = 'vc:1'"), [(NOTICE, FINGERPRINT)]),
    (lose_pages, [(NOTICE, "publiée avec un fichier et sans aucune page")]),
    (empty_pages, [(NOTICE, "publiée sans texte et sans que ses pages le disent")]),
    (change("DELETE FROM keys WHERE record = 'vc:1' AND kind = 'sha256'"), [(NOTICE, KEYS)]),
    (change("INSERT INTO keys VALUES ('isbn', '9782070360024', 'vc:1')"), [(NOTICE, KEYS)]),
    (change("UPDATE keys SET value = 'x' WHERE kind = 'isbn'"), [("notice vc:2", KEYS)]),
    (
        change("UPDATE records SET access = 'public' WHERE id = 'vc:2'"),
        [("notice vc:2", "accès qui n’est pas le sien")],
    ),
    (change("UPDATE records SET host = NULL WHERE id = 'vc:3'"), [("notice vc:3", "hôte")]),
    (change("UPDATE records SET body = '{' WHERE id = 'vc:1'"), [(NOTICE, "ne peut pas être lue")]),
    (change("UPDATE records SET body = '{\"x\": 1}' WHERE id = 'vc:1'"), [(NOTICE, "ne peut pas être lue")]),
    (change("DELETE FROM changes WHERE record = 'vc:1'"), [(NOTICE, "la recherche ne la connaîtra pas")]),
    (change("UPDATE changes SET deleted = 1 WHERE record = 'vc:4'"), [("notice vc:4", "la recherche")]),
    (
        change("DELETE FROM records WHERE id = 'vc:2'"),
        [
            ("base", "la table keys renvoie à des lignes de records"),
            ("notice vc:2", "la table keys en parle"),
            ("notice vc:2", "a disparu sans avoir été supprimée"),
        ],
    ),
    (
        change("INSERT INTO reviews VALUES ('vc:99', '2025', NULL, '{}')"),
        [("base", "la table reviews renvoie"), ("notice vc:99", "la table reviews en parle")],
    ),
    (
        change("INSERT INTO sketches VALUES ('vc:99', 1), ('vc:99', 2), ('vc:98', 1)"),
        [
            ("base", "la table sketches renvoie"),
            ("notice vc:98", "la table sketches en parle"),
            ("notice vc:99", "la table sketches en parle"),
        ],
    ),
    (
        change("INSERT INTO pages (record, number, grade, text) VALUES ('vc:99', 1, 1.0, '')"),
        [("base", "la table pages renvoie"), ("notice vc:99", "la table pages en parle")],
    ),
    (change("UPDATE doubts SET record = 'vc:99'"), [("doublon 1", "une notice qui n’existe pas")]),
    (change("UPDATE doubts SET other = 'vc:5'"), [("doublon 1", "une notice qui n’existe pas")]),
    (change("UPDATE redirects SET new = 'vc:99' WHERE old = 'vc:6'"), [("notice vc:6", "renvoie à vc:99")]),
    (
        lose_the_deposit,
        [("base", "la table jobs renvoie à des lignes de batches qui n’existent pas")],
    ),
    (
        change("UPDATE jobs SET result = NULL WHERE name = 'publiee'"),
        [("« publiee »", "terminé sans résultat connu")],
    ),
    (
        change("UPDATE jobs SET result = 'x' WHERE name = 'publiee'"),
        [("« publiee »", "sans résultat connu (x)")],
    ),
    (
        change("UPDATE jobs SET outcome = '{\"ids\": []}' WHERE name = 'verrouillee'"),
        [("« verrouillee »", "refusé sans motif")],
    ),
    (
        change("UPDATE jobs SET outcome = NULL WHERE name = 'sans-texte'"),
        [("« sans-texte »", "refusé sans motif")],
    ),
    (
        change('UPDATE jobs SET outcome = \'{"ids": ["vc:1", "vc:99"]}\' WHERE name = \'connue\''),
        [("« connue »", "publié dans la notice vc:99, qui n’a jamais existé")],
    ),
    (change("UPDATE jobs SET outcome = '{}' WHERE name = 'jointe'"), [("« jointe »", "publié sans notice")]),
    (
        remove_received("verrouillee"),
        [("« verrouillee »", "refusé, et le fichier reçu n’est plus là")],
    ),
    (remove_received("en-cours"), [("« en-cours »", "en attente, mais le fichier reçu n’est plus là")]),
    (remove_received("remise"), [("« remise »", "en attente, mais le fichier reçu n’est plus là")]),
    (make_older, [("arrivée 1/", "aucun dépôt ne parle de ce fichier")]),
    (leave_half_a_file, [("arrivée arriving-x", "aucun dépôt ne parle de ce fichier")]),
    (fall_silent, [("« en-cours »", "plus personne n’y travaille")]),
    (
        change("UPDATE jobs SET lease = NULL WHERE name = 'en-cours'"),
        [("« en-cours »", "plus personne n’y travaille")],
    ),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_each_damage_is_said_and_nothing_else(
    fund: Fund, damage: Callable[[Fund], None], said: list[tuple[str, str]]
):
    damage(fund)
    faults = fund.faults()
    told = [(fault.object, fault.what) for fault in faults]
    assert len(faults) == len(said), told
    for fault, (object, what) in zip(faults, said, strict=True):
        assert object in fault.object
        assert what in fault.what


def test_an_original_that_cannot_be_read_stops_nothing(fund: Fund, monkeypatch: pytest.MonkeyPatch):
    def fail(path: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(upkeep, "digest", fail)
    said = [fault.object for fault in fund.faults() if "ne peut pas être lu (Input/output" in fault.what]
    assert said == ["notice vc:1", "notice vc:3", "notice vc:4"]


def test_a_base_whose_file_is_damaged_is_said_so(fund: Fund):
    fund.store.close()
    path = fund.folder / "kb.sqlite"
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 64] = b"\xff" * 64
    path.write_bytes(content)
    fund.store.database.engine.dispose()
    faults = fund.faults()
    assert faults
    assert {fault.object for fault in faults} == {"base"}
    assert all("reprenez la dernière sauvegarde" in fault.what for fault in faults)


# -- others write meanwhile


def test_what_changes_while_it_is_looked_at_is_no_fault(fund: Fund, monkeypatch: pytest.MonkeyPatch):
    """Each look at an original is followed by a change of its record, once; the second is deleted."""
    left = ["vc:4", "vc:3", "vc:1"]

    def change_then_digest(path: Path) -> str:
        if left:
            id = left.pop()
            record = fund.store.get(id)
            fund.store.save(replace(record, title=record.title + " revue"))
            if id == "vc:3":
                fund.store.delete(id)
        return digest(path)

    monkeypatch.setattr(upkeep, "digest", change_then_digest)
    assert fund.faults() == []
    assert left == []


def test_a_job_that_ends_while_others_are_looked_at_is_no_fault(fund: Fund):
    examined = examine(fund.store, fund.jobs, fund.reception)
    fund.received("verrouillee").unlink()
    assert "« verrouillee »" in next(examined).object
    job = fund.job("en-cours")
    fund.jobs.finish(job, "published", {"ids": ["vc:1"]})
    fund.reception.drop(job.payload["place"])
    assert list(examined) == []


def test_what_an_abandoned_deposit_had_unpacked_is_nobody_s_loss(fund: Fund) -> None:
    make_older(fund)
    assert fund.faults()
    fund.jobs.cancel(1)
    assert [fault for fault in fund.faults() if fault.object.startswith("arrivée")] == []
