"""Commands about files that come in, and about the health of the whole."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from ingest.clerk import accept
from kb import config as settings
from kb.audit import Action, Wanted
from web.cli import main
from web.parts import Parts


def kb(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def data(tmp_path):
    assert kb("--data", tmp_path / "data", "init").exit_code == 0
    return tmp_path / "data"


@pytest.fixture
def parts(data):
    opened = Parts(settings.load(data, {}))
    yield opened
    opened.close()


def test_the_doctor_finds_nothing_in_a_sound_folder(data):
    result = kb("doctor", "--data", data)
    assert (result.exit_code, result.stdout) == (0, "Tout est là, entier et en ordre.\n")
    assert json.loads(kb("doctor", "--data", data, "--json").stdout) == []


def test_the_doctor_says_what_is_wrong_and_ends_with_one(data, parts):
    batch = parts.jobs.open_batch("essai", "deposit")
    accept(parts.jobs, parts.reception, batch, io.BytesIO(b"Un texte"), "note.txt")
    [place] = parts.reception
    parts.reception.path(place).unlink()
    result = kb("doctor", "--data", data)
    assert result.exit_code == 1
    assert "note.txt" in result.stdout
    [fault] = json.loads(kb("doctor", "--data", data, "--json").stdout)
    assert "déposez-le de nouveau" in fault["what"]


def test_the_report_tells_of_seven_days_even_without_news(data):
    result = kb("report", "--data", data)
    assert result.exit_code == 0
    assert "0\u00a0notice entrée" in result.stdout
    assert result.stdout.endswith("Rien ne vous attend. Bonne semaine.\n")


@pytest.mark.parametrize("inside", [True, False])
def test_a_folder_around_or_inside_the_data_is_not_watched(data, inside):
    folder = data / "arriving" if inside else data.parent
    folder.mkdir(exist_ok=True)
    result = kb("watch", "--data", data, folder)
    assert result.exit_code == 2
    assert "l’un dans l’autre" in result.stderr


def test_a_folder_that_is_not_there_is_not_watched(data, tmp_path):
    assert kb("watch", "--data", data, tmp_path / "rien").exit_code == 2


def test_a_watch_goes_on_until_ctrl_c_and_says_who_began_it(data, parts, tmp_path):
    folder = tmp_path / "partage"
    folder.mkdir()
    (folder / "note.txt").write_text("Un texte")
    os.utime(folder / "note.txt", (1e9, 1e9))
    program = (
        "from web import watching; watching.LOOK_SECONDS = 0.1\n"
        "from web.cli import main; main()"  # as it is, but for the patience
    )
    command = [sys.executable, "-c", program, "--data", str(data), "watch", str(folder)]
    unignored = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **unignored) as watch:
        deadline = time.monotonic() + 30
        while not parts.jobs.every():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        watch.send_signal(signal.SIGINT)
        _, said = watch.communicate(timeout=20)
    assert watch.returncode == 130
    assert "Interrompu" in said
    [job] = parts.jobs.every()
    assert parts.jobs.batch(job.batch).actor.startswith("commande:")
    opened = [line for line in parts.trail.lines(Wanted()) if line.action == Action.DEPOSIT_OPENED]
    assert [line.actor for line in opened] == [parts.jobs.batch(job.batch).actor]
