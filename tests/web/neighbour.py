"""Other centres to harvest, on this machine: a second Carbet, and repositories of other makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

import corpus
from kb import config as settings
from kb.records import Page, Record
from kb.thesaurus import Thesaurus
from tests.web.conftest import ClosingClient, House
from web import create_app

CODE, NAME = "iles-du-nord", "Ressources Îles du Nord"
TITLES = ("La médiation sociale au port", "Les jardins du lotissement", "Un conseil citoyen qui dure")


def opened(folder: Path, **given: str) -> Flask:
    """A Carbet over an empty data folder with the vocabulary of the network."""
    folder.mkdir(exist_ok=True)
    (folder / settings.FILE).touch()
    app = create_app(settings.load(folder, {f"KB_{name.upper()}": value for name, value in given.items()}))
    app.test_client_class = ClosingClient
    app.extensions["parts"].store.save_thesaurus(Thesaurus.from_file(corpus.FOLDER / "thesaurus.ttl"))
    return app


def house_of(folder: Path) -> House:
    """A small house whose machine may ask its own neighbours."""
    made = House(opened(folder, private_addresses="127.0.0.1", contact="contact@vc.exemple.fr"))
    made.settle()
    return made


def neighbour(folder: Path, titles: Sequence[str] = TITLES) -> Flask:
    """Another centre that has Carbet, and some records."""
    app = opened(folder, centre=CODE, centre_name=NAME, contact="bonjour@iles.exemple.fr")
    store = app.extensions["parts"].store
    for title in titles:
        store.save(
            Record(id=store.new_id(CODE), title=title, type="rapport"), [Page(1, f"{title}, en détail.")]
        )
    return app


_HEAD = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-03-10T12:00:00Z</responseDate>'
)
_DC = (
    '<dc:dc xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title>'
    "<dc:creator>Anne Essai</dc:creator><dc:date>2019</dc:date></dc:dc>"
)


class Repository:
    """An OAI-PMH repository of another make: lists of ``formats``, pages of Dublin Core titles. ``asked`` are
    the arguments of each request."""

    def __init__(
        self,
        *pages: Sequence[str],
        formats: Sequence[str] = ("oai_dc",),
        path: str = "/catalogue",
        name: str = "Bibliothèque du Port",
        key: str = "port",
    ) -> None:
        self.pages = list(pages)
        self.formats = formats
        self.path = path
        self.name = name
        self.key = key
        self.asked: list[dict[str, str]] = []
        self.before_page: Callable[[int], None] = lambda number: None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """One request."""
        found = environ["PATH_INFO"] == self.path
        start_response("200 OK" if found else "404 Not Found", [("Content-Type", "text/xml; charset=utf-8")])
        if not found:
            return [b"<html><body>Rien ici</body></html>"]
        asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        self.asked.append(asked)
        told = {
            "Identify": self._identify,
            "ListMetadataFormats": self._formats,
            "ListRecords": self._records,
        }
        answer = told.get(asked["verb"], lambda _: '<error code="noSetHierarchy"/>')(asked)
        return [f"{_HEAD}{answer}</OAI-PMH>".encode()]

    def _identify(self, _: dict[str, str]) -> str:
        return (
            f"<Identify><repositoryName>{self.name}</repositoryName><baseURL>x</baseURL>"
            "<protocolVersion>2.0</protocolVersion><adminEmail>port@exemple.fr</adminEmail>"
            "<earliestDatestamp>2010-01-01</earliestDatestamp><deletedRecord>no</deletedRecord>"
            "<granularity>YYYY-MM-DD</granularity></Identify>"
        )

    def _formats(self, _: dict[str, str]) -> str:
        one = "<metadataFormat><metadataPrefix>{0}</metadataPrefix><schema>x</schema></metadataFormat>"
        return f"<ListMetadataFormats>{''.join(map(one.format, self.formats))}</ListMetadataFormats>"

    def _records(self, asked: dict[str, str]) -> str:
        number = int(asked.get("resumptionToken", "0"))
        self.before_page(number)
        wanted = asked.get("metadataPrefix", "oai_dc") == "oai_dc"
        written = [
            _record(f"{self.key}:{number}-{n}", title, wanted) for n, title in enumerate(self.pages[number])
        ]
        last = number + 1 == len(self.pages)
        token = "" if last else f"<resumptionToken>{number + 1}</resumptionToken>"
        return f"<ListRecords>{''.join(written)}{token}</ListRecords>"


def _record(number: str, title: str, wanted: bool) -> str:
    inside = _DC.format(title) if wanted else "<other/>"
    return (
        f"<record><header><identifier>oai:{number}</identifier><datestamp>2026-03-01</datestamp></header>"
        f"<metadata>{inside}</metadata></record>"
    )
