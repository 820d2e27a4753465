"""Deposits in a real browser: fifty files with their progress, axe, keyboard, no JavaScript, lost servers."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect

from ingest.clerk import Clerk
from ingest.isolation import Sandbox
from kb.accounts import Role
from kb.jobs import BatchState

pytestmark = pytest.mark.browser

TEXT = "Les habitants ont été consultés par la commune avant que les travaux ne commencent.\n" * 4


class Quiet:
    """Proposes no subjects."""

    def suggest(self, texts):
        return [[] for _ in texts]


class Reading:
    """The clerk at work in a thread of its own, as long as a test lets it."""

    def __init__(self, house, sandbox):
        self.jobs = house.parts.jobs
        reception = house.parts.reception
        self.clerk = Clerk(house.parts.store, Quiet(), sandbox, None, centre="vc", reception=reception)
        self.goes_on, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self):
        while not self.ended.wait(0.02):
            if self.goes_on.is_set():
                self.clerk.work_once()

    def end(self):
        self.ended.set()
        self.thread.join()


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def reading(house, sandbox):
    made = Reading(house, sandbox)
    made.goes_on.set()
    yield made
    made.end()


@pytest.fixture
def page(house, browser, home):
    """A librarian's browser; ``script`` tells whether it runs scripts."""
    contexts = []

    def opened(path, *, script=True, **options):
        context = browser.new_context(java_script_enabled=script, **options)
        contexts.append(context)
        token = house.parts.sessions.open(house.people[Role.LIBRARIAN], "Essai")
        context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
        made = context.new_page()
        made.goto(home + path)
        return made

    yield opened
    for context in contexts:
        context.close()


def papers(count, told="Note"):
    """Files to choose: ``count`` good ones, and one that is damaged."""
    good = [
        {"name": f"note-{n}.txt", "mimeType": "text/plain", "buffer": f"{told} numéro {n}\n\n{TEXT}".encode()}
        for n in range(count)
    ]
    return [
        *good,
        {"name": "abime.pdf", "mimeType": "application/pdf", "buffer": f"%PDF-1.4 {told}".encode()},
    ]


def test_fifty_files_are_sent_read_and_told_while_one_looks_on(page, inspect, reading, home):
    reading.goes_on.clear()
    sender, problems = page("/depot"), []
    sender.on("pageerror", lambda error: problems.append(str(error)))
    sender.on("console", lambda message: problems.append(message.text))
    sender.set_input_files("#fichiers", papers(50, "Cinquante"))
    sender.click("text=Déposer >> nth=-1")
    sender.wait_for_url("**/depot/*")
    status, bar = sender.locator("#ou-en-est"), sender.locator("#avancement progress")
    expect(status).to_contain_text("0 fichier lu sur 51")
    inspect(sender)
    second = page(sender.url.removeprefix(home))
    reading.goes_on.set()
    expect(bar).not_to_have_attribute("value", "0", timeout=15_000)
    sender.reload()  # what is told is on the server
    for looking in (sender, second):
        expect(looking.locator("#ou-en-est")).to_contain_text("51 fichiers lus", timeout=30_000)
        expect(looking.locator(".tallies")).to_contain_text("50 Publiés")
        expect(looking.locator(".refuses")).to_contain_text("abime.pdf")
        expect(looking.locator("#annonce")).to_contain_text("51 fichiers lus")  # read aloud
    sender.locator(".tally", has_text="Refusés").click()
    assert sender.url.endswith("#g-refuses"), sender.url
    sender.goto(sender.url.partition("#")[0] + "?groupe=refuses")
    inspect(sender)
    sender.goto(f"{home}/depot")
    inspect(sender)
    assert problems == []


def test_the_page_that_changes_keeps_the_focus_and_what_is_unfolded(page, reading, house):
    reading.goes_on.clear()
    depositor = page("/depot")
    depositor.set_input_files("#fichiers", papers(3, "Focus"))
    depositor.click("text=Déposer >> nth=-1")
    depositor.wait_for_url("**/depot/*")
    depositor.locator("text=Arrêter").focus()
    reading.goes_on.set()
    expect(depositor.locator("#ou-en-est")).to_contain_text("4 fichiers lus", timeout=15_000)
    assert depositor.evaluate("document.activeElement.textContent") == "Arrêter"


def test_a_deposit_is_made_stopped_and_given_up_by_keyboard_alone(page, reading, house, tmp_path):
    reading.goes_on.clear()
    keyboard = page("/depot")
    keyboard.set_input_files("#fichiers", papers(2, "Clavier"))  # the dialog belongs to the system
    keyboard.focus("#nom")
    keyboard.keyboard.type("Au clavier")
    keyboard.keyboard.press("Enter")
    keyboard.wait_for_url("**/depot/*")
    for words in ("Arrêter", "Reprendre", "Arrêter", "Abandonner le reste"):
        press(keyboard, words)
    expect(keyboard.locator("#ou-en-est")).to_contain_text("abandonné")
    [batch] = [b for b in house.parts.jobs.batches(5) if b.name == "Au clavier"]
    assert batch.state is BatchState.CANCELLED


def press(page, words):
    """Reach a button by Tab, see that it shows its focus, press it."""
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_without_javascript_all_is_sent_at_once_and_the_page_comes_again_by_itself(page, inspect, reading):
    reading.goes_on.clear()
    plain = page("/depot", script=False, viewport={"width": 360, "height": 800})
    plain.set_input_files("#fichiers", papers(5, "Sans"))
    plain.click("text=Déposer >> nth=-1")
    plain.wait_for_url("**/depot/*")
    assert "6 fichiers reçus" in plain.locator("[role=status]").first.inner_text().replace("\u00a0", " ")
    assert 'http-equiv="refresh"' in plain.content()
    reading.goes_on.set()
    expect(plain.locator("#ou-en-est")).to_contain_text("6 fichiers lus", timeout=25_000)
    assert 'http-equiv="refresh"' not in plain.content()
    plain.click("text=Relire >> nth=0")
    plain.locator("summary:has-text('Ajouter')").click()
    plain.set_input_files("#fichiers", papers(5, "Sans"))
    with plain.expect_response(lambda answer: answer.request.method == "POST"):
        plain.click("text=Ajouter >> nth=-1")
    # Asked beside the page, which may be coming again by itself at this moment.
    told = plain.context.request.get(f"{plain.url}.json").json()
    assert told["deposit"]["total"] == 6  # the same files are the same


def test_a_server_that_is_away_for_a_while_costs_no_file(page, house):
    sender, answers = page("/depot"), []

    def cut(route):
        answers.append(route.request.url)
        if len(answers) == 2:
            route.abort()  # the connection is lost
        elif len(answers) == 3:
            route.fulfill(status=503, body="")  # it starts again
        else:
            route.continue_()

    sender.route("**/fichiers", cut)
    sender.set_input_files("#fichiers", papers(2, "Coupure"))
    sender.clock.install()
    sender.click("text=Déposer >> nth=-1")
    for _ in range(2):
        expect(sender.locator("#envoi")).to_contain_text("nouvel essai dans")
        sender.clock.fast_forward(5000)
    sender.wait_for_url("**/depot/*")
    assert house.parts.jobs.counts(int(sender.url.rpartition("/")[2])) == {"queued": 3}


def test_who_is_signed_out_while_sending_is_told_what_is_there_and_what_to_do(page, inspect, house):
    sender, sent = page("/depot"), []

    def leave(route):
        sent.append(route.request.url)
        if len(sent) == 2:
            sender.context.clear_cookies(name="carbet")
        route.continue_()

    sender.route("**/fichiers", leave)
    sender.set_input_files("#fichiers", papers(3, "Sortie"))
    sender.click("text=Déposer >> nth=-1")
    expect(sender.locator("[role=alert]")).to_contain_text("Vous n’êtes plus connecté")
    expect(sender.locator("#envoi")).to_have_text("1 fichier reçu sur 4.")
    inspect(sender)
    assert sender.locator("text=Voir le dépôt").get_attribute("href").startswith("/depot/")
    assert len(sent) == 2  # nothing more is tried


def test_a_file_that_is_too_large_is_told_before_it_is_sent(page):
    sender = page("/depot")
    sender.eval_on_selector("#depot", "form => form.dataset.largest = '300'")
    sender.set_input_files("#fichiers", papers(1, "Gros"))
    sender.click("text=Déposer >> nth=-1")
    expect(sender.locator("[role=alert]")).to_contain_text("note-0.txt : trop volumineux")
    expect(sender.locator("#envoi")).to_have_text("1 fichier reçu sur 2.")


def test_who_follows_a_deposit_and_is_signed_out_is_told(page, reading, house):
    reading.goes_on.clear()
    batch = house.parts.jobs.open_batch("Suivi", "deposit")
    house.parts.jobs.add(batch, "read", "a.txt", {"place": "nowhere"}, key="followed")
    follower = page(f"/depot/{batch}")
    follower.context.clear_cookies(name="carbet")
    expect(follower.locator("#annonce")).to_contain_text("Vous n’êtes plus connecté", timeout=10_000)
    house.parts.jobs.cancel(batch)
