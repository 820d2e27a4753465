"""Serving: the application in several processes, each keeping the index up with the database."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import click
from flask import Flask

from ingest import confinement
from kb import config as settings
from kb import passwords
from kb.config import Config
from kb.errors import PortTaken
from search import finder
from web import create_app, logs
from web.worker import FileProcess, KeepUp, Postman

THREADS = 64
"""Requests held at once by a process. They share one interpreter, so that a few would be enough to work; but
a body that comes slowly holds its thread, and with few of them eight slow forms would stop a server."""

END_SECONDS = 10
"""How long requests that are being answered may take once the server shall end."""


def application() -> Flask:
    """What each serving process runs: the settings come from the folder named by KB_DATA."""
    # Else those of a server that was killed would go on, keep its port, and read no files.
    confinement.die_with_parent(os.getppid())
    # Ctrl+C is for the parent, which ends this one: told twice, it never ended.
    os.setpgid(0, 0)
    logs.configure(logging.INFO)
    app = create_app(settings.load(Path(os.environ["KB_DATA"])))
    passwords.prepare()
    finder.find("prêt", engine=app.extensions["parts"].engine)  # loads the word tables: a second, once
    for work in (KeepUp, Postman):
        work(app.extensions["parts"]).start()
    return app


def serve(config: Config, host: str, port: int) -> None:
    """Serve until interrupted. Raises PortTaken."""
    from granian import Granian
    from granian.constants import Interfaces

    check_free(host, port)
    os.environ["KB_DATA"] = str(config.data)
    click.echo(f"Carbet vous attend : http://{host}:{port}/   (Ctrl+C pour arrêter)", err=True)
    server = Granian(
        "web.server:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=config.processes,
        blocking_threads=THREADS,
        workers_kill_timeout=END_SECONDS,
        log_enabled=False,
    )
    files = FileProcess(config)
    if config.background:
        files.start()
    try:
        server.serve()
    finally:
        files.stop()


def check_free(host: str, port: int) -> None:
    """Raises PortTaken when nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port) from error
