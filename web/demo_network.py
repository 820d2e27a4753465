"""Three centres on one machine that harvest one another: what ``kb demo --network`` prepares and serves.

Hides where the two imaginary centres of ``corpus/network`` are kept, how the three are told of one another
(settings, keys, public keys, sources), and the processes that serve them. Done again, what stands is left as
it is; what changed (a port, a key that was revoked, a folder that was thrown away) is set right.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from pathlib import Path

import click
from werkzeug.serving import WSGIRequestHandler, make_server

from ingest import confinement
from kb import config as settings
from kb.accounts import Right
from kb.centres import Centre
from kb.config import Config
from kb.errors import ConfigError, NotFound
from web import create_app
from web.command import initialised, opened
from web.harvest_progress import harvest_with_progress
from web.parts import Parts
from web.server import check_free

HOST = "127.0.0.1"
BESIDE = "reseau"
"""Folder, in that of the first centre, where the two others have theirs."""

ABOUT = "centre.toml"
"""What is said of an imaginary centre: its settings, and by call number or file name what not all may
read."""

END_SECONDS = 20.0
"""Twice what a server gives to requests that are being answered, then it is killed."""

START_SECONDS = 60.0
_LOOK_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the three: its data folder, the port of its pages, what comes into its fund, the settings that
    it must have, and the access of what not everybody may read, by call number or file name."""

    data: Path
    port: int
    paths: tuple[Path, ...]
    settings: Mapping[str, str | int]
    access: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://{HOST}:{self.port}"


def members(data: Path, port: int, paths: tuple[Path, ...], network: Path) -> tuple[Member, ...]:
    """The centre of ``data``, whose fund comes from ``paths``, and those that have a folder in ``network``,
    each on the next port. Raises ConfigError when there are not so many ports."""
    folders = sorted(path.parent for path in network.glob(f"*/{ABOUT}"))
    ports = range(port, port + 1 + len(folders))
    if ports[-1] > 65535:
        raise ConfigError(
            f"port : il en faut {len(ports)} de suite à partir de {port}, et 65535 est le dernier"
        )
    private = ", ".join(f"{HOST}:{one}" for one in ports)
    found = [Member(data=data, port=port, paths=paths, settings=_own(port, private))]
    for one, folder in zip(ports[1:], folders, strict=True):
        said = tomllib.loads((folder / ABOUT).read_text(encoding="utf-8"))
        access = said.pop("access", {})
        made = Member(
            data=data / BESIDE / folder.name,
            port=one,
            paths=(folder / "records", folder / "documents"),
            settings=said | _own(one, private),
            access=access,
        )
        found.append(made)
    return tuple(found)


def _own(port: int, private: str) -> dict[str, str | int]:
    return {"port": port, "private_addresses": private}


def check_ports(some: Sequence[Member]) -> None:
    """Raises PortTaken when one of them cannot be served."""
    for one in some:
        check_free(HOST, one.port)


# -- what each is


def _with_line(text: str, name: str, line: str) -> str:
    """The text with the line of one setting: where it is given, else where it is commented out, else at the
    end."""
    for form in (rf"^{name} *=.*$", rf"^#{name} =.*$"):
        text, held = re.subn(form, line.replace("\\", r"\\"), text, count=1, flags=re.M)
        if held:
            return text
    return f"{text.rstrip()}\n\n{line}\n"


def write_settings(path: Path, given: Mapping[str, str | int]) -> None:
    """Give these settings these values in a ``kb.toml``, in the place where they stand; the rest stays."""
    text = former = path.read_text(encoding="utf-8")
    for name, value in given.items():
        text = _with_line(text, name, f"{name} = {json.dumps(value, ensure_ascii=False)}")
    if text != former:
        path.write_text(text, encoding="utf-8")


def restrict(parts: Parts, access: Mapping[str, str]) -> int:
    """Keep records for those who may read them, by call number or file name; how many changed. Raises
    NotFound when one is named that is not in the fund."""
    own = [
        r for r in parts.store.get_many(list(parts.store.ids())).values() if not parts.store.is_mirrored(r.id)
    ]
    named = {name: record for record in own for name in (record.call_number, *(f.name for f in record.files))}
    changed = 0
    for name, kind in access.items():
        if name not in named:
            raise NotFound("record", name)
        if named[name].access != kind:
            parts.store.save(dataclasses.replace(named[name], access=kind))
            changed += 1
    return changed


# -- what they are to one another


def introduce(some: Sequence[Member]) -> None:
    """Have each know the others, hold a key of theirs, and have them as a source."""
    with ExitStack() as stack:
        everybody = [(one, stack.enter_context(opened(one.data))) for one in some]
        for (giver, gives), (_, takes) in permutations(everybody, 2):
            takes.centres.save(_card(giver, gives))
            _have_source(takes, gives, f"{giver.url}/oai")


def _card(member: Member, parts: Parts) -> Centre:
    """What the others keep of a centre. Mail to it leads nowhere: exemple.fr is for examples."""
    config = parts.config
    return Centre(
        code=config.centre,
        name=config.centre_name,
        about=config.centre_about,
        url=member.url,
        contact=config.contact if "@" in config.contact else f"{config.centre}@exemple.fr",
        public_key=parts.centre_key.public,
    )


def _have_source(takes: Parts, gives: Parts, url: str) -> None:
    """One source for the centre, at its present address and with a key that is good."""
    centre = gives.config.centre
    held = next((source for source in takes.sources.all() if source.centre == centre), None)
    if held is None:
        secret = _key(takes.config, gives)
        takes.sources.add(centre=centre, url=url, prefix="carbet", secret=secret, hours=1)
        return
    if held.url != url:
        takes.sources.change(held.id, url=url)
    if gives.machines.identify(takes.sources.secret(held.id) or "") is None:
        takes.sources.change(held.id, secret=_key(takes.config, gives))


def _key(taker: Config, gives: Parts) -> str:
    return gives.machines.add(taker.centre_name, [Right.READ_NETWORK])


def harvest(some: Sequence[Member]) -> int:
    """Have each harvest the others to the end, and its index hold what came; how many harvests failed."""
    failed = 0
    with _served(some):
        for one in some:
            with opened(one.data) as parts:
                for source in parts.sources.all():
                    failed += not harvest_with_progress(parts, source, lambda: False)
                parts.sync()
    return failed


class _Silent(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def _served(some: Sequence[Member]) -> Iterator[None]:
    """Serve them meanwhile, each by threads of this process, for one another only."""
    with ExitStack() as stack:
        for one in some:
            app = create_app(settings.load(one.data))
            stack.callback(app.extensions["parts"].close)
            server = make_server(HOST, one.port, app, threaded=True, request_handler=_Silent)
            stack.callback(server.server_close)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield


# -- serving them


def serve(some: Sequence[Member]) -> int:
    """Serve them, each by a ``kb serve`` of its own, until Ctrl+C or SIGTERM, or until one of them ends; all
    have ended then. The exit status: 0 when somebody asked for the end."""
    check_ports(some)
    with _told_to_end() as told:
        running = [_begun(one) for one in some]
        try:
            if _answers(some, running, told):
                _present(some)
            while not told.is_set() and all(one.poll() is None for one in running):
                told.wait(_LOOK_SECONDS)
        finally:
            _end(running)
    if told.is_set():
        return 0
    click.echo("Un des trois centres s’est arrêté : les autres ont été arrêtés avec lui.", err=True)
    return 1


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Set by the signals that end a program."""
    told = threading.Event()
    former = {
        number: signal.signal(number, lambda *_: told.set())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    }
    try:
        yield told
    finally:
        for number, act in former.items():
            signal.signal(number, act)


def _begun(member: Member) -> subprocess.Popen[bytes]:
    """In a group of its own: Ctrl+C in a terminal is for this process, which ends the others. It is killed
    when this one is, and with it all that it started."""
    command = [sys.executable, "-m", "web.cli", "--data", str(member.data), "serve"]
    command += ["--host", HOST, "--port", str(member.port)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=partial(confinement.die_with_parent, os.getpid()),
    )


def _answers(
    some: Sequence[Member], running: Sequence[subprocess.Popen[bytes]], told: threading.Event
) -> bool:
    """Wait until all three listen; False when one does not, or nobody wants it any more."""
    deadline = time.monotonic() + START_SECONDS
    waited = list(some)
    while waited and time.monotonic() < deadline:
        if told.wait(_LOOK_SECONDS) or any(one.poll() is not None for one in running):
            return False
        with socket.socket() as probe:
            if probe.connect_ex((HOST, waited[0].port)) == 0:
                waited.pop(0)
    return not waited


def _present(some: Sequence[Member]) -> None:
    lines = ["", "Trois centres, qui se moissonnent les uns les autres :"]
    for one in some:
        config = initialised(one.data)
        lines.append(f"   {config.centre_name:<16} {one.url}/   {config.centre_about}")
    first = some[0]
    lines += [
        "",
        "À regarder d’abord :",
        f"   {first.url}/recherche?q=m%C3%A9diation   la facette Centre ; un titre que plusieurs centres ont "
        "n’est montré qu’une fois",
        f"   {first.url}/reseau   le réseau : qui donne quoi, et depuis quand",
        f"   {first.url}/oai?verb=Identify   ce que les autres moissonnent",
        f"   Pour les sources et les mots-clés des autres : kb --data {first.data} users add vous@exemple.fr "
        "--name Vous --role administrateur",
        "",
        "Ctrl+C arrête les trois.",
    ]
    click.echo("\n".join(lines), err=True)


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """End them all at once, and wait until they have."""
    for one in running:
        one.terminate()
    deadline = time.monotonic() + END_SECONDS
    for one in running:
        try:
            one.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.kill()  # its children are killed with it (``confinement.die_with_parent``)
            one.wait()
