"""A small fund, ingested once for all the tests of the pages from the demonstration fund's own files."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count, product
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wsgi import ClosingIterator

import corpus
from ingest import pipeline
from kb import config as settings
from kb import passwords, records
from kb.accounts import GIVEN_ROLES, Person, Right, Role
from kb.mail import Mailed
from kb.records import Page as TextPage
from kb.records import Record
from kb.thesaurus import Thesaurus
from web import create_app
from web.parts import Parts


@pytest.fixture(scope="session")
def fund(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the demonstration fund."""
    folder = tmp_path_factory.mktemp("fund")
    parts = Parts(settings.load(folder, {}))
    parts.store.save_thesaurus(Thesaurus.from_file(corpus.FOLDER / "thesaurus.ttl"))
    paths = (corpus.FOLDER / "documents", corpus.FOLDER / "records")
    for outcome in pipeline.ingest(paths, parts.store, parts.tagger, workers=2, centre="ville-caraibe"):
        assert outcome.ids or outcome.reason, outcome
    parts.sync()
    parts.close()
    return folder


@pytest.fixture(scope="session")
def app(fund: Path) -> Iterator[Flask]:
    built = create_app(settings.load(fund, {}))
    yield built
    built.extensions["parts"].close()


class ClosingClient(FlaskClient):
    """Reads each answer to its end and closes it, as a server does."""

    def open(self, *arguments, **options):
        return super().open(*arguments, **{"buffered": True} | options)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.test_client_class = ClosingClient
    return app.test_client()


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """argon2id with the least memory: what the real parameters cost is not what these tests look at."""
    kept = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords._nobody.cache_clear()
    yield
    passwords._hasher = kept
    passwords._nobody.cache_clear()


@pytest.fixture(scope="module")
def house(fund: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The demonstration fund with somebody in each role; what tests change stays in their module."""
    folder = tmp_path_factory.mktemp("house") / "data"
    shutil.copytree(fund, folder)
    app = create_app(settings.load(folder, {}))
    app.test_client_class = ClosingClient
    made = House(app)
    made.settle()
    yield made
    made.parts.close()


@pytest.fixture
def answered(house: House) -> Iterator[str]:
    """The record of a published answer on adultes-relais, found by search."""
    store, asked = (
        house.parts.store,
        "Comment financer un poste d’adulte-relais dans un quartier prioritaire ?",
    )
    id = store.new_id("essai")
    record = Record(id=id, title="Qui finance un poste d’adulte-relais ?", type="question", abstract=asked)
    text = f"{asked}\n\nL’État finance le poste d’adulte-relais par une convention."
    store.save(record, [TextPage(1, text)])
    house.parts.sync()
    yield id
    store.delete(id)
    house.parts.sync()


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Where it could not be installed, tests with it are passed over, but never in CI."""
    found = shutil.which("chromium")
    if found is None and not os.environ.get("CI"):
        pytest.skip("chromium is not installed and could not be: as root, apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        launched = playwright.chromium.launch(executable_path=found, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def inspect() -> Callable[[Page], None]:
    """Holds an open page to axe and to the width of the window, in all its guises."""

    def look(page: Page) -> None:
        for width, scheme in product((1280, 360), ("light", "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.evaluate("() => document.fonts.ready.then(() => true)")  # those of another one are less high
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
            assert found.violations_count == 0, (page.url, width, scheme, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
                page.url,
                width,
            )

    return look


@pytest.fixture(scope="session")
def address(app: Flask) -> Iterator[str]:
    """The pages, served on this machine for a browser."""
    with served(app) as found:
        yield found


@pytest.fixture(scope="module")
def home(house: House) -> Iterator[str]:
    """The pages of the house, served for a browser."""
    with served(house.app) as found:
        yield found


@contextmanager
def served(app: Flask) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = make_server("127.0.0.1", port, whole(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


def whole(app: Flask) -> WSGIApplication:
    """The application, its answers read to the end and closed before they are sent.

    When a browser goes away in the middle of an answer, the server of the tests may leave the file that it
    was sending open.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as parts:
            return [b"".join(parts)]

    return answer


_NUMBERS = count()
PASSWORD = "le petit lamantin bleu"


class House:
    """An application with people, keys and records of each kind of access to try rights on."""

    password = PASSWORD

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.parts: Parts = app.extensions["parts"]
        self.people: dict[Role, int] = {}
        self.records: dict[str, str] = {}

    def settle(self) -> None:
        """People for all roles, a key for a centre, one record with a PDF for each kind of access."""
        for role in GIVEN_ROLES:
            person = self.parts.people.add(f"{role}@exemple.fr", f"Personne {role}", [role])
            self.parts.credentials.set_password(person.id, PASSWORD)
            self.people[role] = person.id
        self.key = self.parts.machines.add("Centre voisin", [Right.READ_NETWORK])
        store = self.parts.store
        held = (store.get(id) for id in store.ids())
        drawn = [r for r in held if any(f.media_type == "application/pdf" and f.pages for f in r.files)]
        for access, record in zip(records.ACCESS, drawn, strict=False):
            store.save(dataclasses.replace(record, access=access))
            self.records[access] = record.id
        self.parts.sync()

    def client(self, role: Role = Role.VISITOR) -> FlaskClient:
        """A browser in which somebody of this role is signed in (for a centre: a machine with its key)."""
        client = self.app.test_client()
        if role is Role.CENTRE:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.key}"
        elif role is not Role.VISITOR:
            client.set_cookie("carbet", self.parts.sessions.open(self.people[role], "Essai"))
        return client

    def post(self, client: FlaskClient, address: str, **fields: object) -> TestResponse:
        """Send a form as a browser does: with the token of a page that it has."""
        return client.post(address, data={"csrf_token": self.token(client), **fields})

    def sign_in(self, client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
        """By the form, as a person does."""
        return self.post(client, "/connexion", email=email, password=password, **more)

    def email(self, role: Role) -> str:
        """Address of the person in this role."""
        return self.parts.people.get(self.people[role]).email

    def somebody(self, *roles: Role) -> Person:
        """Somebody new, who can sign in with the common password."""
        number = next(_NUMBERS)
        person = self.parts.people.add(
            f"quidam-{number}@exemple.fr", f"Quidam {number}", roles or [Role.MEMBER]
        )
        self.parts.credentials.set_password(person.id, PASSWORD)
        return self.parts.people.get(person.id)

    def letter(self, recipient: str) -> str:
        """The text of the last message to somebody, as it leaves."""
        found = []
        self.parts.outbox.deliver(lambda _, message: found.append(message) or Mailed.SENT)
        return [m.get_content() for m in found if m["To"] == recipient][-1]

    @staticmethod
    def token(client: FlaskClient) -> str:
        """The form token of this browser."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/mot-de-passe-oublie").text)
        assert found
        return found[1]
