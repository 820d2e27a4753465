"""What is done once a day: by whichever process looks first, each task on its own."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest
from structlog.testing import capture_logs

from kb import config as settings
from kb.questions import Asked, QuestionState
from web import kept_log, kept_mail, nightly
from web.parts import Parts

NIGHT = datetime(2026, 11, 24, 7, tzinfo=UTC)  # three in the morning in Martinique
DAY = timedelta(days=1)


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "kb.toml").write_text("")
    opened = Parts(settings.load(tmp_path, {}))
    yield opened
    opened.close()


@pytest.fixture
def tasks(monkeypatch):
    """Two tasks of which the first fails, and what was done."""
    done: list[tuple[str, datetime]] = []

    def fails(parts: Parts, now: datetime) -> int:
        done.append(("fails", now))
        raise ValueError("Ondine Zwyx habite ici")

    def works(parts: Parts, now: datetime) -> int:
        done.append(("works", now))
        return 3

    monkeypatch.setattr(nightly, "TASKS", MappingProxyType({"fails": fails, "works": works}))
    return done


def test_each_task_is_done_once_a_day_and_a_failure_stops_no_other(parts, tasks):
    with capture_logs() as logs:
        nightly.nightly(parts, NIGHT)
        nightly.nightly(parts, NIGHT + timedelta(hours=3))
    assert tasks == [("fails", NIGHT), ("works", NIGHT)]
    nightly.nightly(parts, NIGHT + DAY)
    assert len(tasks) == 4
    [failed] = [log for log in logs if log["event"] == "nightly.failed"]
    assert (failed["task"], failed["why"]) == ("fails", "ValueError")
    assert "Zwyx" not in str(logs)


def test_nothing_is_done_before_the_hour_of_the_centre(parts, tasks):
    nightly.nightly(parts, NIGHT - timedelta(hours=2))
    assert tasks == []


def test_every_task_there_is_runs_on_an_empty_desk(parts):
    with capture_logs() as logs:
        nightly.nightly(parts, NIGHT)
    assert [log for log in logs if log["event"] == "nightly.failed"] == []


def test_who_asked_long_ago_is_forgotten_at_night(parts):
    then = NIGHT - 800 * DAY
    asker = parts.askers.known("z@exemple.fr", now=then)
    held = parts.desk.receive(Asked(text="Une aide ?"), asker, now=then)
    parts.desk.move(held.id, QuestionState.CLOSED, now=then)
    parts.misses.note("jardins suspendus", date(2020, 1, 1))
    parts.config.spool.mkdir()
    (parts.config.spool / "000009.eml").write_text("Une lettre dont la ligne n’est plus là")
    nightly.nightly(parts, NIGHT)
    assert parts.desk.get(held.id).asker is None
    assert parts.askers.by_email("z@exemple.fr") is None
    assert parts.misses.most(date(2020, 1, 1), date(2020, 12, 1), 5) == []
    assert list(parts.config.spool.iterdir()) == []


def test_what_waits_undecided_is_dropped_after_a_day_at_any_hour(parts):
    mail = kept_mail.keep(parts, io.BytesIO(b"From: a@exemple.fr\n\nBonjour\n"))
    log = kept_log.keep(parts, io.BytesIO(b"Date;Question\n"), "registre.csv")
    nightly.nightly(parts)
    assert [p for p in (parts.config.data / "letters").rglob("*.eml") if mail in str(p)]
    later = datetime.now(UTC) + 2 * DAY
    nightly.nightly(parts, later.replace(hour=5))
    for folder, key in (("letters", mail), ("imports", log)):
        assert [p for p in (parts.config.data / folder).rglob("*") if key in str(p)] == []
