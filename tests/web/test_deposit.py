"""Deposits: files that come in by the pages, what is told of them, and what a librarian does with them."""

from __future__ import annotations

import io
import json
import os
import re
import time
import zipfile

import pytest

from ingest.clerk import Clerk
from ingest.isolation import Sandbox
from kb import jobs as queue
from kb.accounts import Role
from kb.jobs import JobState
from web import deposit as deposits
from web.deposit_groups import GROUPS
from web.messages import STATUSES

TEXT = "Les habitants ont été consultés par la commune avant que les travaux ne commencent.\n" * 4


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


class Quiet:
    """Proposes no subjects."""

    def suggest(self, texts):
        return [[] for _ in texts]


class Counter:
    """A librarian's browser, and the clerk who reads what it sends."""

    def __init__(self, house, sandbox):
        self.house, self.parts = house, house.parts
        self.client = house.client(Role.LIBRARIAN)
        reception = house.parts.reception
        self.clerk = Clerk(house.parts.store, Quiet(), sandbox, None, centre="vc", reception=reception)

    def send(self, address, *files, **fields):
        """A form with files, (name, text or bytes) each."""
        made = [
            (io.BytesIO(content.encode() if isinstance(content, str) else content), name)
            for name, content in files
        ]
        fields = {"csrf_token": self.house.token(self.client), "fichiers": made, **fields}
        return self.client.post(address, data=fields, content_type="multipart/form-data")

    def deposit(self, *files, **fields):
        """The number of a new deposit."""
        answer = self.send("/depot", *files, **fields)
        assert answer.status_code == 303, answer.text
        return int(answer.location.rpartition("/")[2])

    def post(self, address, **fields):
        return self.house.post(self.client, address, **fields)

    def page(self, address):
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.text

    def told(self, id, **query):
        return self.client.get(f"/depot/{id}.json", query_string=query).json

    def work(self):
        while self.clerk.work_once():
            pass

    def names(self, id):
        """Names of files by group."""
        groups = self.told(id)["groups"]
        return {g["name"]: [f["name"] for m in g["motives"] for f in m["files"]] for g in groups}


@pytest.fixture
def counter(house, sandbox):
    return Counter(house, sandbox)


def test_a_deposit_tells_what_became_of_each_file(counter):
    mine = f"Un rapport du matin\n\n{TEXT}"
    id = counter.deposit(("rapport.txt", mine), ("abime.pdf", b"%PDF-1.4 nothing"), nom="Envoi de mars")
    told = counter.told(id)
    assert (told["deposit"]["state"], told["progress"]) == ("en cours", "0\u00a0fichier lu sur 2")
    counter.work()
    counter.send(f"/depot/{id}/fichiers", ("copie.txt", mine))
    counter.work()
    told = counter.told(id)
    assert (told["deposit"]["state"], told["finished"], told["share"]) == ("terminé", True, 100)
    assert counter.names(id) == {
        "refuses": ["abime.pdf"],
        "publies": ["rapport.txt"],
        "connus": ["copie.txt"],
    }
    page = counter.page(f"/depot/{id}")
    assert "Envoi de mars" in page
    assert "il semble endommagé" in page
    assert "Un rapport du matin" in page
    assert "1\u00a0notice de ce dépôt à valider" in page


def test_every_end_of_a_file_belongs_to_one_group():
    ends = [end for _, _, ends in GROUPS.values() for end in ends]
    assert sorted(ends) == sorted(STATUSES)


def test_a_deposit_without_files_says_so(counter):
    answer = counter.send("/depot")
    assert answer.location == "/depot"
    assert "Aucun fichier choisi" in counter.page("/depot")


def test_a_script_opens_a_deposit_and_then_sends_its_files(counter):
    opened = counter.post("/depot", suite="script", nom="").json
    assert counter.told(opened["id"])["deposit"]["state"] == "vide"
    file = ("note.txt", TEXT + "un")
    sent = counter.send(f"{opened['url']}/fichiers", file, suite="script").json
    again = counter.send(f"{opened['url']}/fichiers", file, suite="script").json
    assert sent == again  # the same bytes under the same name: sent again after a cut
    assert counter.told(opened["id"])["deposit"]["total"] == 1
    assert counter.post(f"{opened['url']}/fichiers", suite="script").status_code == 400


def test_a_file_for_a_deposit_that_was_given_up_is_refused_and_leaves_nothing(counter):
    id = counter.deposit(("a.txt", TEXT + "abandon"))
    counter.post(f"/depot/{id}/abandonner")
    before = list(counter.parts.reception)
    assert counter.send(f"/depot/{id}/fichiers", ("b.txt", TEXT), suite="script").status_code == 409
    assert list(counter.parts.reception) == before
    assert counter.send("/depot/999999/fichiers", ("b.txt", TEXT), suite="script").status_code == 404


def test_a_deposit_is_stopped_resumed_and_given_up(counter):
    id = counter.deposit(("a.txt", TEXT + "arrêt"), ("b.txt", TEXT + "arrêt deux"))
    assert "Abandonner" not in counter.page(f"/depot/{id}")  # two steps: it cannot be undone
    counter.post(f"/depot/{id}/arreter")
    assert "attendent que vous repreniez" in counter.page(f"/depot/{id}")
    counter.work()
    assert counter.told(id)["deposit"]["done"] == 0
    counter.post(f"/depot/{id}/reprendre")
    assert counter.clerk.work_once()
    counter.post(f"/depot/{id}/arreter")
    counter.post(f"/depot/{id}/abandonner")
    told = counter.told(id)
    assert told["progress"] == "1\u00a0fichier lu, 1\u00a0laissé de côté"
    assert (told["deposit"]["state"], told["finished"]) == ("abandonné", True)
    assert "data-live" not in counter.page(f"/depot/{id}")


def test_what_somebody_else_did_meanwhile_is_told_and_not_an_error(counter):
    id = counter.deposit(("a.txt", TEXT + "deux fois"))
    counter.post(f"/depot/{id}/arreter")
    assert counter.post(f"/depot/{id}/arreter").status_code == 303
    assert "avait déjà changé entre-temps" in counter.page(f"/depot/{id}")
    counter.post(f"/depot/{id}/reprendre")
    [job] = counter.parts.jobs.of(id)
    counter.post(f"/depot/{id}/fichiers/{job.id}/relire")
    assert "n’est pas à relire" in counter.page(f"/depot/{id}")


def test_a_refused_file_is_read_once_more_and_can_be_had_back(counter):
    id = counter.deposit(("abime.pdf", b"%PDF-1.4 twice"))
    counter.work()
    [job] = counter.parts.jobs.of(id)
    back = counter.client.get(f"/depot/{id}/fichiers/{job.id}")
    assert back.data == b"%PDF-1.4 twice"
    assert back.headers["Content-Disposition"].startswith("attachment")
    counter.post(f"/depot/{id}/fichiers/{job.id}/relire")
    assert counter.parts.jobs.job(job.id).state is JobState.WAITING
    counter.work()
    assert counter.names(id) == {"refuses": ["abime.pdf"]}


def test_all_files_of_one_reason_are_read_once_more_together(counter):
    damaged = [(f"abime-{n}.pdf", f"%PDF-1.4 {n}".encode()) for n in range(3)]
    id = counter.deposit(*damaged, ("vide.txt", b""))
    counter.work()
    [group] = counter.told(id)["groups"]
    assert [(m["code"], len(m["files"])) for m in group["motives"]] == [("damaged", 3), ("empty", 1)]
    assert (
        counter.page(f"/depot/{id}").count("il semble endommagé") == 2
    )  # said once, and in the button's name
    counter.post(f"/depot/{id}/relire", motif="damaged")
    states = [job.state for job in counter.parts.jobs.of(id)]
    assert states == [JobState.WAITING] * 3 + [JobState.DONE]
    counter.post(f"/depot/{id}/relire", motif="columns")
    assert "0\u00a0fichier va être relu" in counter.page(f"/depot/{id}")
    counter.work()


def test_files_of_a_deposit_that_was_given_up_are_not_offered_again(counter):
    id = counter.deposit(("abime.pdf", b"%PDF-1.4 given up"))
    counter.work()
    assert "Relire" in counter.page(f"/depot/{id}")
    counter.post(f"/depot/{id}/abandonner")
    assert "Relire" not in counter.page(f"/depot/{id}")


def test_a_job_of_another_deposit_or_of_none_is_not_found(counter):
    id = counter.deposit(("abime.pdf", b"%PDF-1.4 alone"))
    other = counter.deposit(("abime.pdf", b"%PDF-1.4 other"))
    counter.work()
    [job] = counter.parts.jobs.of(other)
    assert counter.client.get(f"/depot/{id}/fichiers/{job.id}").status_code == 404
    assert counter.post(f"/depot/{id}/fichiers/{job.id}/relire").status_code == 404
    assert counter.client.get("/depot/999999").status_code == 404
    assert counter.post("/depot/999999/relire", motif="damaged").status_code == 404
    # Work on a record has no file.
    batch = counter.parts.jobs.open_batch("Relecture", "reread")
    job = counter.parts.jobs.add(batch, "reread", "Un titre", {"record": "vc:1", "numbers": [1]}, key="r:1")
    assert counter.client.get(f"/depot/{batch}/fichiers/{job}").status_code == 404
    counter.parts.jobs.cancel(batch)


def test_a_long_group_has_pages_of_its_own(counter, monkeypatch):
    monkeypatch.setattr("web.deposit_groups._SHOWN", 2)
    monkeypatch.setattr("web.deposit_groups._WHOLE", 2)
    id = counter.deposit(*((f"{n}.pdf", f"%PDF-1.4 long {n}".encode()) for n in range(5)))
    counter.work()
    assert "Voir 3\u00a0autres fichiers" in counter.page(f"/depot/{id}")
    seen, address = [], f"/depot/{id}?groupe=refuses"
    for _ in range(3):
        told = counter.client.get(address.replace("?", ".json?")).json
        [group] = told["groups"]
        seen += [file["name"] for motive in group["motives"] for file in motive["files"]]
        address = group["url"]
    assert seen == [f"{n}.pdf" for n in range(5)]
    assert group["more"] == 0
    assert counter.client.get(f"/depot/{id}?groupe=autre").status_code == 404
    assert counter.page(f"/depot/{id}?groupe=publies&page=99999999999")


def test_what_came_out_of_an_archive_is_listed_with_it(counter):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("dossier/note.txt", f"Une note tirée d’une archive\n\n{TEXT}")
    id = counter.deposit(("envoi.zip", made.getvalue()))
    counter.work()
    assert counter.names(id) == {"publies": ["envoi.zip/note.txt"], "ouverts": ["envoi.zip"]}


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=alert(1)>.txt", "rapport\u202ecod.txt", "{{ 7*7 }}.txt"],
)
def test_a_name_from_elsewhere_is_text_and_nothing_else(counter, name):
    id = counter.deposit((name, f"{TEXT} {name}"), nom=name)
    counter.work()
    page = counter.page(f"/depot/{id}")
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "49.txt" not in page
    assert counter.told(id)["deposit"]["done"] == 1


def test_a_deposit_without_a_name_is_called_after_its_day(counter):
    assert re.match(r"Dépôt du \d", counter.told(counter.deposit(("a.txt", TEXT)))["deposit"]["name"])
    counter.work()


def test_the_list_tells_who_what_and_what_is_to_see_to(counter):
    counter.deposit(("abime.pdf", b"%PDF-1.4 list"), nom="À revoir")
    counter.work()
    first = counter.client.get("/depot.json").json["deposits"][0]
    assert (first["name"], first["by"], first["state"]) == ("À revoir", "Personne documentaliste", "terminé")
    assert first["told"] == "1\u00a0fichier, dont 1\u00a0à revoir"
    watched = counter.parts.jobs.open_batch("Partage", "watch")
    assert counter.client.get("/depot.json").json["deposits"][0]["by"] == "dossier surveillé"
    assert counter.told(watched)["progress"] == "Aucun fichier reçu pour l’instant."


def test_the_list_has_pages(counter, monkeypatch):
    monkeypatch.setattr(deposits, "PER_PAGE", 2)
    for number in range(3):
        counter.parts.jobs.open_batch(f"Dépôt {number}", "deposit")
    first = counter.client.get("/depot.json").json
    assert (len(first["deposits"]), first["next_url"], first["previous_url"]) == (2, "/depot?page=2", None)
    assert counter.client.get("/depot.json?page=2").json["previous_url"] == "/depot?page=1"
    assert counter.client.get("/depot?page=99999999999999999999").status_code == 200


def test_a_deposit_that_nobody_reads_says_so(counter, monkeypatch):
    id = counter.deposit(("a.txt", TEXT + "personne"))
    assert not counter.told(id)["unread"]
    real = time.time
    monkeypatch.setattr(queue.time, "time", lambda: real() + 600)
    assert counter.told(id)["unread"]
    assert "le travail de fond est arrêté" in counter.page(f"/depot/{id}")
    page = counter.house.client(Role.ADMINISTRATOR).get("/administration").text
    assert "personne ne les lit" in page
    monkeypatch.undo()
    counter.work()


def test_the_state_tells_files_that_wait_and_those_to_see_to(counter):
    groups = dict(counter.house.client(Role.DIRECTOR).get("/administration.json").json["groups"])
    lines = {line["name"]: line["text"] for line in groups["Fichiers déposés"]}
    assert lines["File d’attente"] == "0 en attente, 0 en lecture"
    assert re.match(r"\d+\u00a0fichiers?$", lines["Fichiers à revoir"])


def test_a_reception_that_cannot_be_written_is_told_and_loses_nothing(counter):
    opened = counter.post("/depot", suite="script").json
    folder = counter.parts.reception.folder / str(opened["id"])
    folder.write_text("a file where a folder should be")  # refuses everybody, root too
    answer = counter.send(f"{opened['url']}/fichiers", ("a.txt", TEXT), suite="script")
    assert answer.status_code == 503
    assert "ne peut pas être écrit" in answer.text
    os.unlink(folder)
    assert counter.send(f"{opened['url']}/fichiers", ("a.txt", TEXT), suite="script").status_code == 200
    counter.work()


@pytest.mark.parametrize("role", [Role.VISITOR, Role.MEMBER, Role.AUDITOR])
def test_others_deposit_nothing(house, role):
    client = house.client(role)
    assert client.get("/depot").status_code in (303, 403)
    fields = {"csrf_token": house.token(client), "fichiers": (io.BytesIO(b"x"), "a.txt")}
    answer = client.post("/depot", data=fields, content_type="multipart/form-data")
    assert answer.status_code in (401, 403)


def test_the_json_is_plain(counter):
    id = counter.deposit(("a.txt", TEXT + "json"))
    counter.work()
    assert json.loads(counter.client.get(f"/depot/{id}.json").text)["tallies"][0]["title"]
