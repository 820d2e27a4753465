"""Records travel whole from centre to centre, by OAI-PMH and by envelope, and what becomes of them too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ingest.envelope import last_written
from kb import merging
from kb.alignments import Standing
from kb.records import Copy, Evidence, Page, Record, State, Subject
from kb.runs import Ending, Run
from kb.sharing import Audience, Shared
from kb.sources import Source
from search.finder import find
from tests.web.network_of_centres import THEMES, Fund, any_records, thesaurus

HEALTH = THEMES + "T12"
SHAPES = 40


class Network:
    """A, which B harvests and relays to C; D gets the same by envelopes alone."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.a, self.b, self.c, self.d = (self._fund(folder, code, stack) for code in "abcd")
        fill(self.a)
        for fund in (self.a, self.b):
            stack.enter_context(fund.open_to_others())
        self.from_a = self.b.listen_to(self.a, secret=self.a.key_for("b"))
        self.from_b = self.c.listen_to(self.b, secret=self.b.key_for("c"), relays=True)
        self.b.know(self.a)
        self.d.know(self.b)

    @staticmethod
    def _fund(folder: Path, code: str, stack: ExitStack) -> Fund:
        made = Fund(folder / code, code, thesaurus=thesaurus())
        stack.callback(made.close)
        return made

    def harvest(self) -> tuple[Run, Run]:
        """B from A, then C from B."""
        runs = harvested(self.b, self.from_a), harvested(self.c, self.from_b)
        assert [run.state for run in runs] == [Ending.DONE] * 2
        return runs

    def send(self, name: str) -> Run:
        """From B to D, what changed since the last time."""
        since = last_written(self.b.store, Audience.NETWORK, relays=True)
        return self.d.read(self.b.write(name, since=since, relays=True), relays=True)

    def assert_equal(self) -> None:
        """All hold what A gives, and no more."""
        given = self.a.shares(Audience.NETWORK)
        for fund in (self.b, self.c, self.d):
            assert fund.holds("a") == given, fund.code


def harvested(fund: Fund, source: Source) -> Run:
    run = fund.harvest(source)
    assert run.counts.get("refused", 0) == 0, run.notes
    return run


def fill(fund: Fund) -> None:
    """Records of any shape; hosts with their parts; one with all that A alone may know."""
    for shared in any_records(SHAPES):
        fund.put(shared)
    host = fund.put("Actes de la rencontre", type="actes")
    fund.put("Une intervention", host=host, host_pages="p. 4-9", type="chapitre")
    fund.put("Une question", type="question", keywords=("Santé", "soins"))
    words = (Evidence(1, 0, 5, "santé"),)
    for access in ("public", "network", "onsite", "staff"):
        fund.put(
            Shared(
                Record(
                    id="a:1",
                    title=f"Diagnostic\x1f {access}",
                    source="/srv/partage/diagnostic.pdf",
                    copies=(Copy("D 1", "30201", "Salle 1", "lent"),),
                    subjects=(Subject(concept=HEALTH, state=State.ACCEPTED, evidence=words),),
                ),
                (
                    Page(1, "santé des\x0b habitants\x1f", raw="s a n t é"),
                    Page(2, "\x0c"),
                ),
            ),
            access=access,
        )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with ExitStack() as stack:
        yield Network(tmp_path_factory.mktemp("network"), stack)


@pytest.fixture(scope="module")
def settled(network: Network) -> Network:
    """All have heard A."""
    network.harvest()
    network.send("first")
    return network


def test_records_of_every_shape_are_the_same_after_two_ways_and_two_relays(settled: Network):
    settled.assert_equal()
    assert len(settled.b.holds("a")) > SHAPES / 2
    assert {shared.record.access for shared in settled.b.holds("a").values()} == {
        "public",
        "network",
        "onsite",
    }


def test_characters_that_xml_cannot_hold_leave_the_places_of_words_as_they_are(settled: Network):
    held = settled.d.holds("a").values()
    [shared] = [s for s in held if s.record.title == "Diagnostic public"]
    assert [page.text for page in shared.pages] == ["santé des  habitants ", " "]


def test_what_came_again_the_other_way_changes_nothing(settled: Network):
    before = settled.c.store.position(), settled.d.store.position()
    settled.c.know(settled.b)
    by_file = settled.c.read(settled.b.write("again", relays=True), relays=True)
    source = settled.d.listen_to(settled.b, secret=settled.b.key_for("d"), relays=True)
    by_harvest = harvested(settled.d, source)
    settled.d.parts.sources.remove(source.id)
    assert set(by_file.counts) == set(by_harvest.counts) | {"until"} == {"same", "until"}, by_file.counts
    assert (settled.c.store.position(), settled.d.store.position()) == before


def test_our_own_subjects_do_not_travel(settled: Network):
    b, c = settled.b, settled.c
    id = b.parts.mirrors.of("a")[0]
    given = b.holds("a")[id]
    mine = Subject(concept="https://exemple.fr/b/secret")
    assert b.parts.mirrors.retag(id, (mine,))
    settled.harvest()
    settled.send("retagged")
    assert mine in b.store.get(id).subjects
    assert c.holds("a")[id] == given == settled.d.holds("a")[id]
    assert b"exemple.fr/b/secret" not in b.write("whole", relays=True).read_bytes()
    settled.assert_equal()


def test_changes_deletions_restrictions_and_merges_are_followed(settled: Network):
    a = settled.a
    changed, deleted, hidden, narrowed, kept, gone = (a.put(f"Suivi {n}") for n in range(6))
    shown = a.put("Montré plus tard", access="staff")
    settled.harvest()
    settled.send("before")
    settled.assert_equal()
    assert shown not in settled.c.holds("a")
    assert {changed, deleted, hidden, narrowed, kept, gone} <= settled.d.holds("a").keys()

    a.change(changed, title="Mieux dit")
    a.store.delete(deleted)
    a.change(hidden, access="staff")
    a.change(narrowed, access="onsite")
    a.change(shown, access="public")
    merging.merge(a.store, kept, gone)
    runs = settled.harvest()
    sent = settled.send("after")
    settled.assert_equal()
    for fund in (settled.b, settled.c, settled.d):
        assert not {deleted, hidden, gone} & fund.holds("a").keys()
        assert fund.holds("a")[narrowed].pages == ()
        assert fund.holds("a")[changed].record.title == "Mieux dit"
        assert shown in fund.holds("a")
    assert [run.counts["deleted"] for run in (*runs, sent)] == [3, 3, 3]
    assert sent.notes == ()


def test_what_is_restricted_and_shown_again_comes_again(settled: Network):
    id = settled.a.put("Va et vient")
    for access in ("public", "staff", "network", "public"):
        settled.a.change(id, access=access)
        settled.harvest()
        settled.send(f"va-{access}")
        settled.assert_equal()


def test_without_a_key_only_what_everybody_may_see_comes(network: Network, tmp_path: Path):
    with ExitStack() as stack:
        e = network._fund(tmp_path, "e", stack)
        source = e.listen_to(network.a)
        harvested(e, source)
        assert e.holds("a") == network.a.shares(Audience.PUBLIC)
        assert "network" not in {shared.record.access for shared in e.holds("a").values()}
        # With a key, what the network shares comes too, though it had not changed since.
        e.parts.sources.change(source.id, secret=network.a.key_for("e"))
        assert e.parts.sources.get(source.id).since is None
        harvested(e, source)
        assert e.holds("a") == network.a.shares(Audience.NETWORK)


def test_a_revoked_key_ends_the_harvest_says_why_and_takes_nothing_away(settled: Network, tmp_path: Path):
    with ExitStack() as stack:
        e = settled._fund(tmp_path, "e", stack)
        source = e.listen_to(settled.a, secret=settled.a.key_for("e-revoked"))
        harvested(e, source)
        held = e.holds("a")
        key = next(k for k in settled.a.parts.machines.all() if k.name == "e-revoked")
        settled.a.parts.machines.revoke(key.id)
        run = e.harvest(source)
        assert (run.state, run.trouble) == (Ending.FAILED, "refused")
        assert e.holds("a") == held


# -- what they are here: found, tagged, counted


def search(fund: Fund, text: str, **filters: str):
    wanted = tuple((name, (code,)) for name, code in filters.items())
    fund.parts.sync()
    return find(text, engine=fund.parts.engine, filters=wanted, facets=("centre", "theme")).results


def test_a_mirrored_record_is_found_by_its_page_its_owner_and_the_themes_of_who_found_it(settled: Network):
    a, b = settled.a, settled.b
    text = "La médiation sociale dans le quartier : les médiateurs de la médiation sociale. Zanbara."
    id = a.put(Shared(Record(id="a:1", title="Bilan annuel"), (Page(1, text),)))
    a.put("Zanbara, un mot sans page")
    settled.harvest()
    found = search(b, "zanbara", centre="a")
    assert found.total == 2
    assert found.facets["centre"]["a"] == 2
    assert a.store.get(id).subjects == ()
    [subject] = b.parts.mirrors.local([id])[id]
    assert subject.concept == THEMES + "T06"
    assert [hit.id for hit in search(b, "zanbara", theme="T06").hits] == [id]
    assert search(b, "zanbara", centre="b").total == 0


def test_each_centre_is_counted_by_what_is_seen_of_it(settled: Network):
    counted = search(settled.b, "").facets["centre"]
    settled.b.put("Une notice de b, sans double")
    after = search(settled.b, "").facets["centre"]
    assert after["b"] == counted.get("b", 0) + 1
    assert after["a"] == counted["a"] <= len(settled.b.holds("a"))


def test_a_key_word_finds_by_the_theme_that_it_was_said_to_mean_and_no_more_once_refused(settled: Network):
    a, b = settled.a, settled.b
    id = a.put("Une étude", keywords=("bien-être des habitants", "Santé"))
    settled.harvest()
    words = {line.said: line for line in b.parts.alignments.listed(Standing.WAITING, 500)}
    assert id in {hit.id for hit in search(b, "étude", theme="T12").hits}  # a label counts at once
    b.parts.alignments.decide(words["bien-être des habitants"].id, Standing.ACCEPTED, THEMES + "T06")
    assert id in {hit.id for hit in search(b, "étude", theme="T06").hits}
    b.parts.alignments.decide(words["bien-être des habitants"].id, Standing.REFUSED)
    assert id not in {hit.id for hit in search(b, "étude", theme="T06").hits}
    b.parts.alignments.decide(words["Santé"].id, Standing.REFUSED)
    settled.harvest()
    assert id not in {hit.id for hit in search(b, "étude", theme="T12").hits}
    settled.send("aligned")
    settled.assert_equal()


def test_what_is_gone_there_is_found_here_no_more(settled: Network):
    id = settled.a.put("Quelque chose de périssable")
    settled.harvest()
    assert [hit.id for hit in search(settled.b, "périssable").hits] == [id]
    settled.a.change(id, access="staff")
    settled.harvest()
    assert search(settled.b, "périssable").hits == ()
