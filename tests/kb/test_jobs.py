"""The queue of files that came in: leases, deposits, and how jobs end."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.audit import Action, Trail, Wanted, acting
from kb.connection import Database
from kb.database import Store
from kb.errors import Conflict, NotFound
from kb.jobs import DELAYS, LEASE_SECONDS, ORDINARY, SLOW, URGENT, BatchState, Job, Jobs, JobState
from kb.records import Record

OPEN, STOPPED, CANCELLED = BatchState


@pytest.fixture
def jobs(database: Database, trail: Trail) -> Jobs:
    return Jobs(database, trail)


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(database.engine.url), tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def batch(jobs: Jobs) -> int:
    return jobs.open_batch("Envoi de mars", "deposit")


def queue(jobs: Jobs, batch: int, name: str, priority: int = ORDINARY, **payload: object) -> int:
    return jobs.add(batch, "read", name, payload, key=f"{batch}:{name}", priority=priority)


def taken(jobs: Jobs, holder: str = "a", now: float | None = None) -> Job:
    job = jobs.take(holder, now=now)
    assert job is not None
    return job


def noted(trail: Trail) -> list[tuple[str, str, str]]:
    return [(line.action, line.object, line.actor) for line in reversed(trail.lines(Wanted()))]


# -- deposits


def test_a_deposit_says_whose_it_is_and_leaves_a_line(jobs: Jobs, trail: Trail):
    start = datetime.now(UTC)
    with acting("personne:3"):
        first = jobs.open_batch("Rapports « été »", "deposit")
    second = jobs.open_batch("/srv/arrivees", "watch")
    batch = jobs.batch(first)
    assert (batch.name, batch.source, batch.actor, batch.state) == (
        *("Rapports « été »", "deposit", "personne:3"),
        OPEN,
    )
    assert start <= batch.created <= datetime.now(UTC)
    assert [one.id for one in jobs.batches(10)] == [second, first]
    assert [one.id for one in jobs.batches(1, offset=1)] == [first]
    assert noted(trail) == [
        (Action.DEPOSIT_OPENED, f"depot:{first}", "personne:3"),
        (Action.DEPOSIT_OPENED, f"depot:{second}", "systeme"),
    ]


MOVES: Mapping[str, Callable[[Jobs, int], None]] = {
    "stop": Jobs.stop,
    "resume": Jobs.resume,
    "cancel": Jobs.cancel,
}
ALLOWED = {
    (OPEN, "stop"): (STOPPED, Action.DEPOSIT_STOPPED),
    (STOPPED, "resume"): (OPEN, Action.DEPOSIT_RESUMED),
    (OPEN, "cancel"): (CANCELLED, Action.DEPOSIT_CANCELLED),
    (STOPPED, "cancel"): (CANCELLED, Action.DEPOSIT_CANCELLED),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", BatchState)
def test_a_deposit_turns_only_as_it_may(jobs: Jobs, trail: Trail, batch: int, state: BatchState, move: str):
    if state is not OPEN:
        MOVES["stop" if state is STOPPED else "cancel"](jobs, batch)
    before = trail.head()
    if allowed := ALLOWED.get((state, move)):
        with acting("personne:2"):
            MOVES[move](jobs, batch)
        assert jobs.batch(batch).state is allowed[0]
        assert noted(trail)[-1] == (allowed[1], f"depot:{batch}", "personne:2")
        assert trail.head()[0] == before[0] + 1
    else:
        with pytest.raises(Conflict):
            MOVES[move](jobs, batch)
        assert (jobs.batch(batch).state, trail.head()) == (state, before)


@pytest.mark.parametrize("ask", [*MOVES.values(), Jobs.batch, Jobs.job, Jobs.retry], ids=lambda f: f.__name__)
def test_what_never_was_is_not_found(
    jobs: Jobs, batch: int, trail: Trail, ask: Callable[[Jobs, int], object]
):
    before = trail.head()
    with pytest.raises(NotFound):
        ask(jobs, batch + 1)
    with pytest.raises(NotFound):
        jobs.amend(1, {"columns": "a"})
    assert trail.head() == before


def test_a_stopped_deposit_is_left_until_it_is_resumed(jobs: Jobs, batch: int):
    other = jobs.open_batch("Autre", "deposit")
    stopped, going = queue(jobs, batch, "a", URGENT), queue(jobs, other, "a")
    jobs.stop(batch)
    assert taken(jobs).id == going
    assert jobs.take("a") is None
    queue(jobs, batch, "b")
    assert jobs.take("a") is None
    jobs.resume(batch)
    assert taken(jobs).id == stopped


def test_who_works_on_a_stopped_deposit_is_told_and_gives_the_job_back(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a")
    job = taken(jobs)
    assert jobs.beat(job)
    jobs.stop(batch)
    assert not jobs.beat(job)
    jobs.release(job)
    assert (jobs.job(id).state, jobs.job(id).holder, jobs.job(id).lease) == (JobState.WAITING, None, None)
    assert jobs.running(batch) == ()
    jobs.resume(batch)
    assert taken(jobs, "b").id == id


def test_what_is_saved_before_the_worker_hears_of_a_stop_counts(jobs: Jobs, batch: int):
    queue(jobs, batch, "a")
    job = taken(jobs)
    jobs.stop(batch)
    jobs.finish(job, "published", {"ids": ["vc:1"]})
    assert jobs.counts(batch) == {"published": 1}


def test_a_cancelled_deposit_gives_up_what_is_not_done(jobs: Jobs, batch: int):
    done, running, queued = (queue(jobs, batch, name) for name in "abc")
    jobs.finish(taken(jobs), "published", {"ids": ["vc:1"]})
    job, other = taken(jobs), queue(jobs, jobs.open_batch("Autre", "deposit"), "a")
    jobs.cancel(batch)
    assert [jobs.job(id).state for id in (done, running, queued, other)] == [
        *(JobState.DONE, JobState.CANCELLED, JobState.CANCELLED),
        JobState.WAITING,
    ]
    assert jobs.counts(batch) == {"published": 1, "cancelled": 2}
    assert not jobs.beat(job)
    jobs.release(job)
    with pytest.raises(Conflict):
        jobs.finish(job, "published", {"ids": ["vc:2"]})
    assert (jobs.job(running).state, jobs.job(running).holder) == (JobState.CANCELLED, None)
    assert jobs.job(running).finished is not None


def test_the_job_of_a_worker_that_died_does_not_outlive_its_cancelled_deposit(jobs: Jobs, batch: int):
    queue(jobs, batch, "a")
    taken(jobs)
    jobs.cancel(batch)
    assert jobs.take("b", now=time.time() + 10 * LEASE_SECONDS) is None
    assert (jobs.running(batch), jobs.counts(batch)) == ((), {"cancelled": 1})


def test_nothing_joins_a_cancelled_deposit(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a")
    jobs.cancel(batch)
    with pytest.raises(Conflict):
        queue(jobs, batch, "b")
    with pytest.raises(Conflict):
        jobs.retry(id)
    assert queue(jobs, batch, "a") == id
    assert jobs.counts(batch) == {"cancelled": 1}


# -- the queue


def test_a_job_says_all_that_the_worker_needs(jobs: Jobs, batch: int):
    payload = {"place": "1/ab/é.pdf", "depth": 0, "columns": {"titre": ["A", None]}}
    id = jobs.add(batch, "read", "Été « 1 ».pdf", payload, key="k", priority=SLOW)
    job = jobs.job(id)
    assert (job.batch, job.kind, job.name, job.payload) == (batch, "read", "Été « 1 ».pdf", payload)
    assert (job.state, job.priority, job.attempts, job.holder, job.lease) == (
        *(JobState.WAITING, SLOW, 0),
        *(None, None),
    )
    assert (job.done, job.total, job.result, job.outcome, job.finished) == (0, 0, None, {}, None)
    assert taken(jobs).payload == payload


def test_a_job_needs_a_deposit(jobs: Jobs, batch: int):
    with pytest.raises(NotFound):
        queue(jobs, batch + 1, "a")
    assert jobs.every() == ()


def test_the_same_key_is_never_queued_twice(jobs: Jobs, batch: int):
    first = jobs.add(batch, "read", "a", {"place": "1"}, key="k")
    assert jobs.add(batch, "other", "b", {"place": "2"}, key="k", priority=URGENT) == first
    jobs.finish(taken(jobs), "published", {"ids": ["vc:1"]})
    assert jobs.add(batch, "read", "a", {}, key="k") == first
    (job,) = jobs.every()
    assert (job.name, job.kind, job.priority, job.payload, job.result) == (
        *("a", "read", ORDINARY, {"place": "1"}),
        "published",
    )
    assert jobs.add(batch, "read", "a", {}, key="k2") != first
    assert [jobs.knows(key) for key in ("k", "k2", "k3")] == [True, True, False]


def test_threads_that_queue_one_key_at_once_queue_one_job(jobs: Jobs, batch: int):
    barrier = threading.Barrier(6)

    def add(number: int) -> int:
        barrier.wait()
        return jobs.add(batch, "read", f"n{number}", {}, key="k")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(add, range(6)))) == 1
    assert len(jobs.every()) == 1


def test_jobs_are_taken_by_priority_then_as_they_came(jobs: Jobs, batch: int):
    for name, priority in (("d", SLOW), ("b", ORDINARY), ("a", URGENT), ("c", ORDINARY), ("e", SLOW)):
        queue(jobs, batch, name, priority)
    assert [taken(jobs).name for _ in range(5)] == list("abcde")
    assert jobs.take("a") is None


def test_a_job_queued_in_a_failed_transaction_is_gone(jobs: Jobs, database: Database, batch: int):
    def fail() -> None:
        with database.transaction():
            queue(jobs, batch, "a")
            assert len(jobs.every()) == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (jobs.take("a"), jobs.every()) == (None, ())


# -- leases


def test_a_job_is_its_workers_until_the_lease_runs_out(jobs: Jobs, batch: int):
    id, now = queue(jobs, batch, "a"), time.time() + 1
    job = taken(jobs, "a", now)
    assert (job.id, job.state, job.holder, job.attempts) == (id, JobState.RUNNING, "a", 1)
    assert job.lease == now + LEASE_SECONDS
    assert jobs.take("b", now=now + LEASE_SECONDS) is None
    again = taken(jobs, "b", now + LEASE_SECONDS + 0.01)
    assert (again.id, again.holder, again.attempts) == (id, "b", 2)


def test_who_says_that_it_lives_keeps_the_job(jobs: Jobs, batch: int):
    id, now = queue(jobs, batch, "a"), time.time() + 1
    job = taken(jobs, "a", now)
    assert jobs.beat(job, 3, 12, now=now + 20)
    assert (jobs.job(id).done, jobs.job(id).total) == (3, 12)
    assert jobs.beat(job, now=now + 40)
    assert (jobs.job(id).done, jobs.job(id).total) == (3, 12)
    assert jobs.take("b", now=now + 40 + LEASE_SECONDS) is None
    again = taken(jobs, "b", now + 41 + LEASE_SECONDS)
    assert (again.done, again.total) == (0, 0)


def test_a_late_worker_whose_job_nobody_took_goes_on(jobs: Jobs, batch: int):
    queue(jobs, batch, "a")
    now = time.time()
    job = taken(jobs, "a", now)
    assert jobs.beat(job, now=now + 10 * LEASE_SECONDS)
    jobs.finish(job, "published", {"ids": ["vc:1"]})
    assert jobs.counts() == {"published": 1}


LATE: Mapping[str, Callable[[Jobs, Job], object]] = {
    "finish": lambda jobs, job: jobs.finish(job, "published", {"ids": ["vc:9"]}),
    "defer": lambda jobs, job: jobs.defer(job, "recognise", SLOW),
    "postpone": lambda jobs, job: jobs.postpone(job),
}


@pytest.mark.parametrize("holder", ["b", "a"])
@pytest.mark.parametrize("late", LATE)
def test_who_lost_the_lease_can_do_nothing_any_more(jobs: Jobs, batch: int, late: str, holder: str):
    id, now = queue(jobs, batch, "a"), time.time() + 1
    lost = taken(jobs, "a", now)
    held = taken(jobs, holder, now + 2 * LEASE_SECONDS)
    with pytest.raises(Conflict):
        LATE[late](jobs, lost)
    assert not jobs.beat(lost, 5, 5)
    jobs.release(lost)
    assert jobs.job(id) == held
    jobs.finish(held, "updated", {"ids": ["vc:1"]})
    with pytest.raises(Conflict):
        LATE[late](jobs, held)
    assert (jobs.job(id).result, jobs.job(id).outcome) == ("updated", {"ids": ["vc:1"]})


def test_who_lost_the_lease_long_ago_is_not_taken_for_who_has_it_now(jobs: Jobs, batch: int):
    id, now = queue(jobs, batch, "a"), time.time() + 1
    lost = taken(jobs, "a", now)
    jobs.defer(taken(jobs, "b", now + 2 * LEASE_SECONDS), "recognise", SLOW)
    held = taken(jobs, "c", now + 2 * LEASE_SECONDS)
    assert (held.id, held.attempts) == (id, lost.attempts)
    assert not jobs.beat(lost)
    with pytest.raises(Conflict):
        jobs.finish(lost, "published", {"ids": ["vc:1"]})
    jobs.finish(held, "published", {"ids": ["vc:1"]})


def test_what_was_saved_by_who_lost_the_lease_is_rolled_back(jobs: Jobs, store: Store, batch: int):
    queue(jobs, batch, "a")
    now = time.time()
    lost = taken(Jobs(store.database, store.trail), "a", now)
    held = taken(jobs, "b", now + 2 * LEASE_SECONDS)
    mine = Jobs(store.database, store.trail)

    def save(job: Job, id: str) -> None:
        with store.transaction():
            store.save(Record(id=id, title="Un titre"))
            mine.finish(job, "published", {"ids": [id]})

    before = store.trail.head()
    with pytest.raises(Conflict):
        save(lost, "vc:1")
    assert (len(store), store.position(), store.trail.head()) == (0, 0, before)
    save(held, "vc:2")
    assert (list(store.ids()), jobs.counts()) == (["vc:2"], {"published": 1})


def test_a_job_whose_saving_fails_has_not_ended(jobs: Jobs, database: Database, batch: int):
    id = queue(jobs, batch, "a")
    job = taken(jobs)

    def fail() -> None:
        with database.transaction():
            jobs.finish(job, "published", {"ids": ["vc:1"]})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert jobs.job(id) == job
    assert jobs.beat(job)


def test_threads_that_take_at_once_never_get_the_same_job(jobs: Jobs, batch: int):
    wanted = {queue(jobs, batch, f"n{number}") for number in range(40)}
    barrier = threading.Barrier(4)

    def work(holder: str) -> list[int]:
        barrier.wait()
        mine = []
        while job := jobs.take(holder):
            mine.append(job.id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        found = [id for mine in pool.map(work, "abcd") for id in mine]
    assert len(found) == 40
    assert set(found) == wanted


def _work_off(url: str, holder: str, start: threading.Barrier, path: Path) -> None:
    database = Database(url)
    jobs = Jobs(database, Trail(database))
    start.wait(60)
    with path.open("w") as file:
        while job := jobs.take(holder):
            jobs.finish(job, "published", {"ids": [f"vc:{job.id}"]})
            print(job.id, file=file)
    database.close()


def test_two_processes_share_the_queue_without_doing_a_job_twice(
    jobs: Jobs, database: Database, batch: int, tmp_path: Path
):
    with database.transaction():
        wanted = [queue(jobs, batch, f"n{number}") for number in range(60)]
    context = multiprocessing.get_context("spawn")
    start, files = context.Barrier(2), [tmp_path / "a", tmp_path / "b"]
    url = str(database.engine.url)
    workers = [context.Process(target=_work_off, args=(url, f.name, start, f)) for f in files]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    done = [int(line) for file in files for line in file.read_text().split()]
    assert sorted(done) == wanted
    assert jobs.counts(batch) == {"published": 60}
    assert {job.attempts for job in jobs.every()} == {1}


# -- what becomes of a job


def test_a_job_that_has_ended_says_how(jobs: Jobs, batch: int):
    id, start = queue(jobs, batch, "a"), datetime.now(UTC)
    outcome = {"ids": ["vc:1"], "warnings": ["page 2 : à vérifier"], "reason": None}
    jobs.finish(taken(jobs), "published", outcome)
    job = jobs.job(id)
    assert (job.state, job.result, job.outcome) == (JobState.DONE, "published", outcome)
    assert (job.holder, job.lease) == (None, None)
    assert job.finished is not None
    assert start <= job.finished <= datetime.now(UTC)
    assert jobs.ended_since(start) == jobs.ended_since(job.finished) == (job,)
    assert jobs.ended_since(job.finished + timedelta(seconds=1)) == ()
    assert jobs.take("a", now=time.time() + 99 * LEASE_SECONDS) is None


def test_a_job_that_fails_is_tried_again_later_and_later_then_given_up(jobs: Jobs, batch: int):
    queue(jobs, batch, "a")
    now = time.time() + 1
    for attempt, delay in enumerate(DELAYS, start=1):
        job = taken(jobs, "a", now)
        assert job.attempts == attempt
        assert jobs.postpone(job, now=now)
        assert (jobs.job(job.id).state, jobs.job(job.id).holder) == (JobState.WAITING, None)
        assert jobs.take("a", now=now + delay - 0.01) is None
        now += delay
    job = taken(jobs, "a", now)
    assert not jobs.postpone(job, now=now)
    assert jobs.job(job.id) == job
    jobs.finish(job, "refused", {"reason": "crashed"})
    assert jobs.counts() == {"refused": 1}


def test_a_job_that_kills_its_workers_is_counted_each_time(jobs: Jobs, batch: int):
    queue(jobs, batch, "a")
    now = time.time() + 1
    attempts = [
        taken(jobs, f"w{turn}", now + turn * 2 * LEASE_SECONDS).attempts for turn in range(len(DELAYS) + 2)
    ]
    assert attempts == list(range(1, len(DELAYS) + 3))


def test_a_job_that_is_given_back_is_due_at_once_and_was_not_tried(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a")
    for _ in range(len(DELAYS) + 3):
        job = taken(jobs)
        assert job.attempts == 1
        jobs.release(job)
    assert (jobs.job(id).state, jobs.job(id).attempts) == (JobState.WAITING, 0)
    assert jobs.postpone(taken(jobs))


def test_a_job_can_become_another_kind_of_work(jobs: Jobs, batch: int):
    id, _ = queue(jobs, batch, "a", URGENT, place="1/a"), queue(jobs, batch, "b")
    job = taken(jobs)
    jobs.beat(job, 2, 9)
    jobs.defer(job, "recognise", SLOW)
    assert taken(jobs).name == "b"
    again = taken(jobs)
    assert (again.id, again.kind, again.priority, again.attempts) == (id, "recognise", SLOW, 1)
    assert (again.payload, again.done, again.total) == ({"place": "1/a"}, 0, 0)


def test_what_has_ended_can_be_done_once_more(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a", SLOW)
    queue(jobs, batch, "b")
    jobs.finish(taken(jobs), "published", {})
    job = taken(jobs)
    assert job.id == id
    jobs.beat(job, 4, 4)
    jobs.finish(job, "refused", {"reason": "locked"})
    queue(jobs, batch, "c")
    jobs.retry(id)
    job = jobs.job(id)
    assert (job.state, job.result, job.outcome, job.finished) == (JobState.WAITING, None, {}, None)
    assert (job.attempts, job.done, job.total) == (0, 0, 0)
    assert taken(jobs).id == id


def test_what_has_not_ended_is_not_done_once_more(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a")
    with pytest.raises(Conflict):
        jobs.retry(id)
    job = taken(jobs)
    with pytest.raises(Conflict):
        jobs.retry(id)
    assert jobs.job(id) == job


def test_threads_that_ask_for_one_more_try_at_once_start_one(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a")
    barrier = threading.Barrier(3)

    def ask(holder: str) -> Job | None:
        barrier.wait()
        try:
            jobs.retry(id)
        except Conflict:
            return None
        return jobs.take(holder)

    with ThreadPoolExecutor(3) as pool:
        job = taken(jobs)
        for _ in range(10):
            jobs.finish(job, "refused", {"reason": "locked"})
            (job,) = [job for job in pool.map(ask, "abc") if job is not None]


def test_what_the_worker_is_told_can_be_added_to(jobs: Jobs, batch: int):
    id = queue(jobs, batch, "a", place="1/a", columns="")
    jobs.amend(id, {"columns": "titre=A", "depth": 2})
    assert taken(jobs).payload == {"place": "1/a", "columns": "titre=A", "depth": 2}


def test_an_outcome_that_is_no_json_leaves_the_job_as_it_is(jobs: Jobs, batch: int):
    queue(jobs, batch, "a")
    job = taken(jobs)
    with pytest.raises(TypeError):
        jobs.finish(job, "published", {"path": Path("a")})
    assert jobs.job(job.id) == job


# -- looking


def test_jobs_are_counted_by_how_they_ended_or_where_they_stand(jobs: Jobs, batch: int):
    other = jobs.open_batch("Autre", "deposit")
    for result in ("published", "published", "refused", "waiting"):
        queue(jobs, batch, f"n{len(jobs.every())}")
        jobs.finish(taken(jobs), result, {})
    queue(jobs, other, "a")
    queue(jobs, batch, "running", URGENT)
    taken(jobs)
    assert jobs.counts(batch) == {"published": 2, "refused": 1, "waiting": 1, "running": 1}
    queue(jobs, batch, "queued")
    assert jobs.counts(batch)[JobState.WAITING] == 1
    assert jobs.counts()[JobState.WAITING] == 2
    assert jobs.counts(other + 1) == {}


def test_jobs_of_a_deposit_come_as_they_came_in(jobs: Jobs, batch: int):
    other = jobs.open_batch("Autre", "deposit")
    for name in "cab":
        queue(jobs, batch, name)
    queue(jobs, other, "d")
    for result in ("refused", "published", "waiting"):
        jobs.finish(taken(jobs), result, {})
    assert [job.name for job in jobs.of(batch)] == list("cab")
    assert [job.name for job in jobs.of(batch, limit=1, offset=1)] == ["a"]
    assert [job.name for job in jobs.of(batch, results=["refused", "waiting"])] == ["c", "b"]
    assert jobs.of(batch, results=["updated"]) == ()
    assert [job.name for job in jobs.every()] == list("cabd")
    taken(jobs)
    assert jobs.running(batch) == ()
    assert [job.name for job in jobs.running(other)] == ["d"]


def test_how_long_nobody_has_taken_what_is_due(jobs: Jobs, batch: int):
    now = time.time()
    assert jobs.oldest_due(now=now + 60) is None
    queue(jobs, batch, "a")
    assert jobs.oldest_due(now=now - 60) is None
    assert jobs.oldest_due(now=now + 60) == pytest.approx(60, abs=5)
    jobs.stop(batch)
    assert jobs.oldest_due(now=now + 60) is None
    jobs.resume(batch)
    queue(jobs, batch, "b")
    taken(jobs, "a", now + 60)
    assert jobs.oldest_due(now=now + 61) is None
    assert jobs.oldest_due(now=now + 61 + LEASE_SECONDS) == pytest.approx(61 + LEASE_SECONDS, abs=5)


def test_how_fast_a_deposit_goes(jobs: Jobs, batch: int):
    assert jobs.rate(batch, 60) == 0.0
    queue(jobs, batch, "a")
    for name in "bcd":
        queue(jobs, batch, name)
        jobs.finish(taken(jobs), "published", {})
    assert 0.0 < jobs.rate(batch, 60) <= 3.0
    assert jobs.rate(jobs.open_batch("Autre", "deposit"), 60) == 0.0


# -- whatever happens


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.sampled_from("ttttfffpdrbsockx"), max_size=30))
def test_no_job_is_lost_or_held_by_two_whatever_happens(jobs: Jobs, moves: str):
    """Two workers that take, finish, postpone, defer, release, beat and die (k), a deposit that is stopped,
    resumed (o) and cancelled (c), ends that are tried again (x): each job stays in one state with what
    belongs to it."""
    batch = jobs.open_batch("Au hasard", "deposit")
    ids = [queue(jobs, batch, name) for name in "ab"]
    held: list[Job] = []
    now = time.time() + 1
    for step, move in enumerate(moves):
        now += 1
        try:
            if move == "t" and (job := jobs.take(f"w{step}", now=now)):
                held.append(job)
            elif move == "k":
                now += 2 * LEASE_SECONDS
            elif move in "soc":
                {"s": jobs.stop, "o": jobs.resume, "c": jobs.cancel}[move](batch)
            elif move == "x":
                jobs.retry(ids[step % 2])
            elif held:
                _act(jobs, held.pop(0), move, now)
        except Conflict:
            pass
        _check(jobs, batch, ids)
    if jobs.batch(batch).state is not CANCELLED:
        jobs.cancel(batch)


def _act(jobs: Jobs, job: Job, move: str, now: float) -> None:
    if move == "f":
        jobs.finish(job, "published", {"ids": ["vc:1"]})
    elif move == "p":
        jobs.postpone(job, now=now)
    elif move == "d":
        jobs.defer(job, "recognise", SLOW)
    elif move == "r":
        jobs.release(job)
    elif move == "b":
        jobs.beat(job, 1, 2, now=now)


def _check(jobs: Jobs, batch: int, ids: list[int]) -> None:
    state = jobs.batch(batch).state
    found = jobs.of(batch)
    assert [job.id for job in found] == ids
    for job in found:
        assert (job.state is JobState.RUNNING) == (job.holder is not None) == (job.lease is not None)
        assert (job.state is JobState.DONE) == (job.result is not None)
        assert (job.finished is not None) == (job.state in (JobState.DONE, JobState.CANCELLED))
        assert job.attempts >= (job.state is JobState.RUNNING)
        assert state is not CANCELLED or job.state in (JobState.DONE, JobState.CANCELLED)
