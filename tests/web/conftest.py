"""A small fund, ingested once for all the tests of the pages from the demonstration fund's own files."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

import corpus
from ingest import pipeline
from kb import config as settings
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


@pytest.fixture(scope="session")
def address(app: Flask) -> Iterator[str]:
    """The pages, served on this machine for a browser."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()
