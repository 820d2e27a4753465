"""The report of the week: once, in the centre's week, to all who are to have it, and only with news."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from kb import config as settings
from kb.config import Config
from kb.mail import Mailed
from kb.records import Quality
from web import report
from web.parts import Parts

MONDAY = datetime(2025, 3, 10, 3, 30, tzinfo=UTC)  # in Martinique it is still Sunday, half past eleven


@pytest.fixture
def parts(tmp_path):
    opened = Parts(settings.load(tmp_path, {}))
    addressed(opened, "anne@exemple.fr, paul@exemple.fr")
    yield opened
    opened.close()


def addressed(parts, addresses):
    parts.config = dataclasses.replace(parts.config, report_to=addresses)


def ended(parts, name, result, reason=None, kind="read"):
    """A job that has come to this end."""
    batch = parts.jobs.open_batch("essai", "deposit")
    parts.jobs.add(batch, kind, name, {}, key=name)
    job = parts.jobs.take("a")
    parts.jobs.finish(job, result, {"reason": reason, "ids": []})


def letters(parts):
    found = []
    parts.outbox.deliver(lambda _, message: found.append(message) or Mailed.SENT)
    return found


def test_everybody_gets_it_once_a_week_whichever_process_looks(parts, tmp_path):
    ended(parts, "a.pdf", "published")
    other = Parts(parts.config)
    assert [report.send_weekly(p, MONDAY) for p in (parts, other, parts)] == [2, 0, 0]
    assert [letter["To"] for letter in letters(other)] == ["anne@exemple.fr", "paul@exemple.fr"]
    other.close()


def test_a_week_begins_at_the_clock_of_the_centre(parts):
    ended(parts, "a.pdf", "published")
    assert report.send_weekly(parts, MONDAY) == 2
    assert report.send_weekly(parts, MONDAY + timedelta(minutes=29)) == 0
    assert report.send_weekly(parts, MONDAY + timedelta(minutes=31)) == 2


def test_nobody_gets_it_without_addresses_or_news(parts):
    assert report.send_weekly(parts, MONDAY) == 0  # nothing came in and nothing waits
    ended(parts, "a.pdf", "published")
    addressed(parts, " , ")
    assert report.send_weekly(parts, MONDAY + timedelta(days=7)) == 0
    assert letters(parts) == []


def test_a_wrong_address_keeps_it_from_nobody_and_one_given_twice_gets_it_once(parts):
    ended(parts, "a.pdf", "published")
    addressed(parts, "pas une adresse, anne@exemple.fr,anne@exemple.fr")
    assert report.send_weekly(parts, MONDAY) == 1
    assert [letter["To"] for letter in letters(parts)] == ["anne@exemple.fr"]


def test_it_tells_what_came_in_what_did_not_and_why(parts):
    for number in range(7):
        ended(parts, f"abime-{number}.pdf", "refused", "damaged")
    ended(parts, "vide.txt", "refused", "empty")
    ended(parts, "bon.pdf", "published")
    ended(parts, "Un titre", "updated", kind="reread")
    week = report.of_week(parts, datetime.now(UTC))
    assert week.files == {"refused": 8, "published": 1}  # pages read again are no files
    text = report.written(week, parts.config)
    assert "- 8\u00a0fichiers\u00a0: refusés" in text
    assert "- 1\u00a0fichier\u00a0: publié\n" in text
    [damaged] = [line for line in text.splitlines() if "abime" in line]
    assert "abime-4.pdf et 2\u00a0autres. Fichier illisible" in damaged
    assert text.index("abime") < text.index("vide.txt")  # the most frequent reason first
    assert "Rien ne vous attend." in text


def written(**fields):
    now = datetime(2027, 3, 8, 4, tzinfo=UTC)
    given = {"records": 1, "files": {}, "refused": (), "reviews": 0, "doubts": 0, "poor": 0} | fields
    config = Config(data=None, public_url=given.pop("public_url", ""))  # type: ignore[arg-type]
    return report.written(report.Week(since=now - timedelta(days=7), until=now, **given), config)


def test_what_waits_has_links_when_the_public_address_is_known():
    text = written(reviews=1, doubts=2, public_url="https://fonds.exemple.fr/")
    assert "- 1\u00a0notice à valider\u00a0: https://fonds.exemple.fr/a-valider\n" in text
    assert "doublons possibles" in text
    assert "mal lue" not in text
    assert "à valider\n" in written(reviews=1)
    assert "http" not in written(reviews=1)


def test_it_says_which_days_at_the_clock_of_the_centre():
    assert "du 1er mars 2027 au 8 mars 2027" in written()


def test_old_pages_that_were_read_badly_are_no_news(parts):
    assert report.Week(MONDAY, MONDAY, 0, {}, (), 0, 0, 12).is_empty
    assert not report.Week(MONDAY, MONDAY, 0, {}, (), 1, 0, 0).is_empty
    assert set(report._POOR) < set(Quality)
