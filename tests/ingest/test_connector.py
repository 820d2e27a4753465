"""What the connector fetches, what it refuses, and that nobody can hold or fill it.

All servers are on 127.0.0.1; public addresses are dialled there too.
"""

from __future__ import annotations

import datetime
import gzip
import pickle
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.connector import Connector, Fetched, Limits
from kb.errors import ConfigError, ConnectionFailed, Fault

Script = Callable[[socket.socket, bytes], None]
PUBLIC, OTHER_PUBLIC = "8.8.8.8", "9.9.9.9"


class Server:
    """Answers each request on 127.0.0.1 by ``script(connection, request)``; remembers the requests."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while not self.over.is_set():
            connection, _ = self.listener.accept()
            self.connections += 1
            self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
            self.threads[-1].start()

    def serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while not self.over.is_set() and (request := self.read(connection)):
                self.requests.append(request)
                self.script(connection, request)
        except OSError:
            pass  # the connector went away, as it should
        finally:
            connection.close()

    def read(self, connection: socket.socket) -> bytes:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            if not (more := connection.recv(4096)):
                break
            request += more
        return request

    def close(self) -> None:
        self.over.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self.threads[0].join()
        self.listener.close()
        for thread in self.threads[1:]:
            thread.join(10)
            assert not thread.is_alive()


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(script, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class World:
    """What each name stands for at each time it is asked; each address dialled is one server."""

    def __init__(self, names: dict[str, list[Sequence[str]]], port: int) -> None:
        self.names = names
        self.port = port
        self.asked: list[str] = []
        self.dialled: list[str] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.names.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def dial(self, address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        self.dialled.append(address)
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout=seconds)


def message(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def say(*answers: bytes) -> Script:
    """Give the answers in turn, the last one for ever."""
    waiting = list(answers)
    return lambda connection, _: connection.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])


def say_and_close(answer: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    return script


USUAL = Limits(seconds=5)


def fetch(
    url: str, limits: Limits = USUAL, allowed: str = "127.0.0.1", headers: dict[str, str] | None = None
) -> Fetched:
    connector = Connector(allowed=allowed)
    try:
        return connector.get(url, limits=limits, headers=headers or {})
    finally:
        connector.close()


def fails(url: str, limits: Limits = USUAL, allowed: str = "127.0.0.1") -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught:
        fetch(url, limits, allowed)
    return caught.value


def fetch_in(world: World, url: str, allowed: str = "", headers: dict[str, str] | None = None) -> Fetched:
    connector = Connector(allowed=allowed, resolve=world.resolve, dial=world.dial)
    try:
        return connector.get(url, limits=Limits(seconds=5), headers=headers or {})
    finally:
        connector.close()


# What is fetched


def test_an_answer_has_its_status_headers_and_body(serve: Serve) -> None:
    server = serve(say(message(b"<OAI/>", "404 Not Found", Content_Type="text/xml", X_A="1", x_a="2")))
    fetched = fetch(f"{server.url}/oai?verb=Identify#top", headers={"If-None-Match": '"a"'})
    assert (fetched.status, fetched.body) == (404, b"<OAI/>")
    assert (fetched.headers["content-type"], fetched.headers["x-a"]) == ("text/xml", "1, 2")
    assert fetched.url == f"{server.url}/oai?verb=Identify"
    request = server.requests[0].decode().split("\r\n")
    assert request[0] == "GET /oai?verb=Identify HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in request
    assert {"User-Agent: Carbet", "Accept: */*", 'If-None-Match: "a"'} <= set(request)


def test_bodies_may_come_in_chunks_or_until_the_end(serve: Serve) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert fetch(serve(say(chunked)).url).body == b"abc"
    assert fetch(serve(say_and_close(b"HTTP/1.0 200 OK\r\n\r\nabc")).url).body == b"abc"
    assert fetch(serve(say(b"HTTP/1.1 100 Continue\r\n\r\n" + message(b"abc"))).url).body == b"abc"


def gzipped(body: bytes) -> bytes:
    """Packed the same in every process, since tests are named by it."""
    return gzip.compress(body, mtime=0)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzipped(b"page" * 9000)),
        ("X-Gzip", gzipped(b"page" * 4000) + gzipped(b"page" * 5000)),
        ("gzip", gzipped(b"page" * 9000) + b"\0" * 512),
        ("deflate", zlib.compress(b"page" * 9000)),
        ("deflate", zlib.compress(b"page" * 9000, 0)),
        ("deflate", raw_deflate(b"page" * 9000)),
        ("identity", b"page" * 9000),
    ],
)
def test_a_packed_body_is_unpacked(serve: Serve, coding: str, packed: bytes) -> None:
    def trickle(connection: socket.socket, _: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"
        connection.sendall(head.encode())
        for byte in packed[:30]:
            connection.sendall(bytes([byte]))
        connection.sendall(packed[30:])

    server = serve(trickle)
    assert fetch(server.url).body == b"page" * 9000
    assert b"Accept-Encoding: gzip, deflate\r\n" in server.requests[0]


def test_an_empty_body_may_be_called_packed(serve: Serve) -> None:
    assert fetch(serve(say(message(Content_Encoding="gzip"))).url).body == b""


def test_not_modified_may_announce_the_size_of_what_it_does_not_send(serve: Serve) -> None:
    server = serve(say(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999\r\n\r\n"))
    assert fetch(server.url).status == 304


def test_a_connection_serves_many_requests(serve: Serve) -> None:
    server = serve(say(message(b"a"), message(b"b"), message(b"c")))
    world = World({"oai.example": [[PUBLIC], ["10.0.0.1"]]}, server.port)
    connector = Connector(resolve=world.resolve, dial=world.dial)
    assert [connector.get("http://oai.example/").body for _ in range(3)] == [b"a", b"b", b"c"]
    connector.close()
    assert (server.connections, world.asked) == (1, ["oai.example"])


def test_a_connection_closed_meanwhile_is_made_anew_and_checked_anew(serve: Serve) -> None:
    server = serve(say_and_close(message(b"a")))
    world = World({"oai.example": [[PUBLIC], [OTHER_PUBLIC], ["10.0.0.1"]]}, server.port)
    connector = Connector(resolve=world.resolve, dial=world.dial)
    assert [connector.get("http://oai.example/").body for _ in range(2)] == [b"a", b"a"]
    with pytest.raises(ConnectionFailed) as caught:
        connector.get("http://oai.example/")
    connector.close()
    assert caught.value.fault is Fault.PRIVATE
    assert world.dialled == [PUBLIC, OTHER_PUBLIC]


def test_a_kept_connection_that_dies_at_the_next_request_is_replaced(serve: Serve) -> None:
    def die_at_the_second(connection: socket.socket, _: bytes) -> None:
        if len(server.requests) == 2:
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.sendall(message(b"a"))

    server = serve(die_at_the_second)
    connector = Connector(allowed="127.0.0.1")
    assert [connector.get(server.url).body for _ in range(2)] == [b"a", b"a"]
    connector.close()
    assert (server.connections, len(server.requests)) == (2, 3)


def test_one_connector_serves_several_threads_each_with_its_deadline(serve: Serve) -> None:
    def wait_if_slow(connection: socket.socket, request: bytes) -> None:
        if b"/slow" in request:
            server.over.wait(0.6)
        connection.sendall(message(b"a"))

    server = serve(wait_if_slow)
    connector = Connector(allowed="127.0.0.1")
    outcomes: dict[str, str] = {}

    def ask(path: str, seconds: float) -> None:
        try:
            outcomes[path] = str(connector.get(server.url + path, limits=Limits(seconds=seconds)).status)
        except ConnectionFailed as error:
            outcomes[path] = error.fault

    asked = {"/slow?1": 5, "/slow?2": 0.2, **{f"/quick?{number}": 5.0 for number in range(4)}}
    threads = [threading.Thread(target=ask, args=each) for each in asked.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connector.close()
    assert outcomes == {**dict.fromkeys(asked, "200"), "/slow?2": Fault.NO_ANSWER}


def test_failures_do_not_use_up_the_connector(serve: Serve) -> None:
    server = serve(say(message(b"a" * 1000)))
    world = World(names(), server.port)
    connector = Connector(resolve=world.resolve, dial=world.dial)
    for _ in range(15):
        for url in ("http://inside.example/", "http://public.example/", "http://public.example:22/"):
            with pytest.raises(ConnectionFailed):
                connector.get(url, limits=Limits(seconds=5, size=999))
    assert len(connector.get("http://public.example/", limits=USUAL).body) == 1000
    connector.close()


# Forty tricks to make us knock at a door of the inside, and more

REFUSED_AS_WRITTEN = [
    # Spellings of 127.0.0.1 and of others that only some programs understand
    *(
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
    ),
    *("http://127.1/", "http://127.0.1/", "http://0/", "http://127.0.0.1./", "http://1.0.0.127.0/"),
    *("http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://%31%32%37.0.0.1/"),
    *("http://[fe80::1%25eth0]/", "http://[::1%lo]/", "http://[::127.1]/", "http://localhost./"),
    # URLs that read otherwise than they look
    *("http://public.example@127.0.0.1/", "http://127.0.0.1@public.example/", "http://@127.0.0.1/"),
    *("http://public.example:80@127.0.0.1:80/", "http://public.example\\@127.0.0.1/", "http:\\\\127.0.0.1/"),
    *("http://127.0.0.1\\.public.example/", "http:127.0.0.1/", "//127.0.0.1/", "http:///127.0.0.1/"),
    *("\thttp://127.0.0.1/", "http://public.example/\r\nHost: inside.example", "http://public.example%00.x/"),
    # Schemes and ports
    *("file:///etc/passwd", "gopher://public.example:6379/_FLUSHALL", "ftp://public.example/"),
    *("dict://public.example:11211/stat", "data:text/xml,<OAI/>", "jar:http://public.example!/"),
    *("http://public.example:22/", "http://public.example:25/", "http://public.example:445/"),
    *("http://public.example:65616/", "http://public.example:0/"),
]
REFUSED_AS_PRIVATE = [
    # Addresses of special networks
    *(
        "http://127.0.0.1/",
        "http://127.255.0.9/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
    ),
    *("http://169.254.169.254/", "http://168.63.129.16/", "http://100.100.100.200/", "http://100.64.0.1/"),
    *(
        "http://198.18.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://192.0.2.1/",
    ),
    *("http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[fe80::1]/", "http://[fec0::1]/"),
    *("http://[fd00:ec2::254]/", "http://[fc00::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/"),
    # IPv4 within IPv6
    *(
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[2002:7f00:1::]/",
    ),
    *("http://[2001:0:7f00:1::]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::a9fe:a9fe]/"),
    *("http://[::ffff:0:127.0.0.1]/", "http://[::ffff:8.8.8.8]/"),
    # Names
    *("http://localhost/", "http://LOCALHOST:8080/", "http://ｌocalhost/", "http://a.localhost/"),
    *("http://ip6-loopback/", "http://inside.example/", "http://metadata.example/", "http://six.example/"),
    *("http://mapped.example/", "http://mixed.example/", "http://mixed-six.example/", "http://zone.example/"),
    *("http://127.0.0.1#@public.example/", "http://inside.example?@public.example/"),
]
TRICKS = [
    *((url, Fault.ADDRESS) for url in REFUSED_AS_WRITTEN),
    *((url, Fault.PRIVATE) for url in REFUSED_AS_PRIVATE),
]
# Those that a header can say. "//host/" is no URL but a good redirect, and so is judged by its host.
REDIRECTS = [
    *(
        (url, fault)
        for url, fault in TRICKS
        if url.isascii() and url.isprintable() and not url.startswith("//")
    ),
    ("//127.0.0.1/", Fault.PRIVATE),
]


def names() -> dict[str, list[Sequence[str]]]:
    return {
        "public.example": [[PUBLIC]],
        "other.example": [[OTHER_PUBLIC]],
        "inside.example": [["10.0.0.1"]],
        "metadata.example": [["169.254.169.254"]],
        "six.example": [["fd00::1"]],
        "mapped.example": [["::ffff:10.0.0.1"]],
        "mixed.example": [[PUBLIC, "10.0.0.1"]],
        "mixed-six.example": [["2606:4700::1111", PUBLIC, "::1"]],
        "zone.example": [["fe80::1%2"]],
        "localhost": [[PUBLIC]],
        "a.localhost": [[PUBLIC]],
        "ip6-loopback": [[PUBLIC]],
        # Asked again, it would be inside.
        "rebinding.example": [[PUBLIC], ["127.0.0.1"]],
    }


def test_there_are_enough_tricks() -> None:
    assert len({url for url, _ in TRICKS}) == len(TRICKS) >= 40


@pytest.mark.parametrize(("url", "fault"), TRICKS)
def test_a_trick_is_refused(url: str, fault: Fault) -> None:
    world = World(names(), 9)
    with pytest.raises(ConnectionFailed) as caught:
        fetch_in(world, url)
    assert caught.value.fault is fault
    assert world.dialled == []


@pytest.mark.parametrize(("url", "fault"), REDIRECTS)
def test_a_redirect_to_a_trick_is_refused(serve: Serve, url: str, fault: Fault) -> None:
    server = serve(say(message(status="302 Found", Location=url)))
    world = World(names(), server.port)
    with pytest.raises(ConnectionFailed) as caught:
        fetch_in(world, "http://public.example/")
    assert caught.value.fault is fault
    assert (world.dialled, server.connections) == ([PUBLIC], 1)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_a_redirect_inside_is_refused_after_others_that_are_not(serve: Serve, status: str) -> None:
    server = serve(
        say(
            message(status=status, Location="/here"),
            message(status=status, Location="//other.example/there"),
            message(status=status, Location="http://inside.example/admin?key=abc"),
        )
    )
    world = World(names(), server.port)
    with pytest.raises(ConnectionFailed) as caught:
        fetch_in(world, "http://public.example/")
    assert caught.value.fault is Fault.PRIVATE
    assert caught.value.url == "http://inside.example/admin?key=…"
    assert set(world.dialled) == {PUBLIC, OTHER_PUBLIC}


def test_a_name_is_asked_once_and_the_checked_address_is_dialled(serve: Serve) -> None:
    world = World(names(), serve(say(message(b"a"))).port)
    assert fetch_in(world, "http://rebinding.example/").body == b"a"
    assert (world.asked, world.dialled) == (["rebinding.example"], [PUBLIC])


def test_a_name_that_turns_inside_between_redirects_is_refused(serve: Serve) -> None:
    world = World(names(), serve(say(message(status="302 Found", Location="/again"))).port)
    with pytest.raises(ConnectionFailed) as caught:
        fetch_in(world, "http://rebinding.example/")
    assert caught.value.fault is Fault.PRIVATE
    assert world.dialled == [PUBLIC]


def test_the_next_address_is_tried_when_one_does_not_answer(serve: Serve) -> None:
    world = World({"two.example": [["2606:4700::1111", PUBLIC]]}, serve(say(message(b"a"))).port)

    def dial(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        if address != PUBLIC:
            assert seconds <= 2.5
            raise httpcore.ConnectTimeout("silence")
        return world.dial(address, port, seconds)

    connector = Connector(resolve=world.resolve, dial=dial)
    assert connector.get("http://two.example/", limits=Limits(seconds=5)).body == b"a"
    connector.close()


def test_the_environment_names_no_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(say(message(b"proxy"))), serve(say(message(b"server")))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert fetch(server.url).body == b"server"


# The setting


def test_the_setting_opens_a_host_and_nothing_else(serve: Serve) -> None:
    server = serve(say(message(b"a")))
    port = server.port
    assert fetch(server.url, allowed="127.0.0.1").body == b"a"
    assert fetch(server.url, allowed=f"10.0.0.0/8, 127.0.0.1:{port}").body == b"a"
    assert fetch(f"http://localhost:{port}/", allowed="localhost").body == b"a"
    assert fails(server.url, allowed="").fault is Fault.PRIVATE
    assert fails(server.url, allowed=f"127.0.0.1:{port - 1}").fault is Fault.PRIVATE
    assert fails(server.url, allowed="localhost, 127.0.0.2, 10.0.0.0/8").fault is Fault.PRIVATE
    assert fails(f"http://127.0.0.2:{port}/", allowed="127.0.0.1").fault is Fault.PRIVATE
    assert fails(f"http://[::ffff:127.0.0.1]:{port}/", allowed="127.0.0.1").fault is Fault.PRIVATE
    assert fails("http://2130706433/", allowed="127.0.0.1").fault is Fault.ADDRESS
    assert server.connections == 3


def test_the_setting_is_asked_for_redirects_too(serve: Serve) -> None:
    server = serve(say(message(status="302 Found", Location="http://169.254.169.254/latest/meta-data/")))
    assert fails(server.url, allowed="127.0.0.1").fault is Fault.PRIVATE


def test_a_setting_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ConfigError):
        Connector(allowed="10.1.2.3/16")


# Redirects


def test_redirects_are_followed_and_the_last_url_told(serve: Serve) -> None:
    there = serve(say(message(b"there")))
    here = serve(
        say(message(b"moved", "301 Moved", Location="a/b?c"), message(status="307 T", Location=there.url))
    )
    assert fetch(f"{here.url}/x/y") == fetch(there.url)
    assert [request.split()[1] for request in here.requests] == [b"/x/y", b"/x/a/b?c"]


def test_statuses_without_a_location_are_answers(serve: Serve) -> None:
    for status in ("302 Found", "300 Multiple", "304 Not Modified"):
        assert fetch(serve(say(message(status=status))).url).status == int(status[:3])
    assert fetch(serve(say(message(b"a", "201 Created", Location="http://10.0.0.1/"))).url).body == b"a"


def test_a_redirect_may_be_said_in_utf_8_and_in_no_other_encoding(serve: Serve) -> None:
    server = serve(say(message(status="302 F", Location="/é"), message(b"a")))
    assert fetch(server.url).url == f"{server.url}/%C3%A9"
    latin = message(status="302 F", Location="/é").decode().encode("latin-1")
    assert fails(serve(say(latin)).url).fault is Fault.ADDRESS


@pytest.mark.parametrize("redirects", [0, 1, 5])
def test_redirects_in_a_circle_end(serve: Serve, redirects: int) -> None:
    server = serve(say(message(status="302 Found", Location="/")))
    failure = fails(server.url, Limits(seconds=5, redirects=redirects))
    assert failure.fault is Fault.TOO_MANY_REDIRECTS
    assert len(server.requests) == redirects + 1


def test_a_hundred_redirects_are_too_many_for_five(serve: Serve) -> None:
    server = serve(say(*(message(status="302 Found", Location=f"/{n}") for n in range(100)), message(b"a")))
    assert fails(server.url).fault is Fault.TOO_MANY_REDIRECTS
    server = serve(say(*(message(status="302 Found", Location=f"/{n}") for n in range(100)), message(b"a")))
    assert fetch(server.url, Limits(seconds=20, redirects=100)).body == b"a"


SECRETS = {"Authorization": "Bearer s3cret", "X-Key": "s3cret", "Cookie": "s3cret", "Accept": "text/xml"}


def test_secrets_stay_with_their_origin(serve: Serve) -> None:
    back = message(status="302 Found", Location="http://public.example/back")
    server = serve(
        say(
            message(status="302 Found", Location="/same"),
            message(status="302 Found", Location="http://other.example/"),
            back,
            message(b"a"),
        )
    )
    fetch_in(World(names(), server.port), "http://public.example/", headers=SECRETS)
    assert [request.count(b"s3cret") for request in server.requests] == [3, 3, 0, 0]
    assert all(b"Accept: text/xml" in request for request in server.requests)
    assert all(b"User-Agent: Carbet" in request for request in server.requests)


@pytest.mark.parametrize("location", ["http://public.example:8080/", "http://sub.public.example/"])
def test_another_port_or_host_is_another_origin(serve: Serve, location: str) -> None:
    server = serve(say(message(status="302 Found", Location=location), message(b"a")))
    world = World({**names(), "sub.public.example": [[PUBLIC]]}, server.port)
    fetch_in(world, "http://public.example/", headers=SECRETS)
    assert [b"s3cret" in request for request in server.requests] == [True, False]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Host", "inside.example"), ("content-length", "5"), ("Transfer-Encoding", "chunked")),
        *(("X-A", "a\r\nHost: b"), ("X-A", "é"), ("X A", "a"), ("X-A", ""), ("X-A", " a")),
    ],
)
def test_a_header_that_cannot_be_sent_is_an_error_of_the_caller(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        fetch("http://127.0.0.1/", headers={name: value})


# Servers that hold


def seconds_of(url: str, limits: Limits) -> float:
    start = time.monotonic()
    assert fails(url, limits).fault is Fault.NO_ANSWER
    return time.monotonic() - start


def endless(first: bytes, unit: bytes) -> Script:
    """Ends when the connector goes away: sending fails then."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        while unit:
            connection.sendall(unit)

    return script


def trickle(first: bytes, unit: bytes) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        for _second in range(100):
            connection.sendall(unit)
            time.sleep(0.05)

    return script


@pytest.mark.parametrize(
    "script",
    [
        lambda connection, _: time.sleep(1.2),
        trickle(b"", b"H"),
        trickle(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        trickle(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
        trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
        trickle(b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: a\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzipped(b"")),
    ],
    ids=[
        "silence",
        "status",
        "header",
        "headers",
        "continue",
        "length",
        "end",
        "chunks",
        "trailers",
        "members",
    ],
)
def test_a_server_that_trickles_is_left_in_time(serve: Serve, script: Script) -> None:
    assert 0.4 < seconds_of(serve(script).url, Limits(seconds=0.5)) < 2


def test_redirects_share_one_deadline(serve: Serve) -> None:
    def wait(connection: socket.socket, _: bytes) -> None:
        time.sleep(0.2)
        connection.sendall(message(status="302 Found", Location="/"))

    assert 0.4 < seconds_of(serve(wait).url, Limits(seconds=0.5, redirects=100)) < 2


def test_endless_continues_at_full_speed_are_left_in_time(serve: Serve) -> None:
    server = serve(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50))
    assert 0.4 < seconds_of(server.url, Limits(seconds=0.5)) < 2


def test_a_resolver_that_hangs_is_left_in_time() -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait(5)
        return [PUBLIC]

    connector = Connector(resolve=resolve)
    start = time.monotonic()
    with pytest.raises(ConnectionFailed) as caught:
        connector.get("http://slow.example/", limits=Limits(seconds=0.3))
    assert time.monotonic() - start < 2
    over.set()
    assert caught.value.fault is Fault.NO_ANSWER


def test_a_tls_handshake_that_hangs_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        assert 0.2 < seconds_of(url, Limits(seconds=0.3)) < 2


# Servers that fill


@pytest.mark.parametrize(
    ("first", "unit"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 9000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzipped(b"") * 500),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"a" * 500 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 5000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: " + b"a" * 500 + b"\r\n"),
    ],
    ids=["end", "chunks", "length", "nothing", "headers", "header", "trailers"],
)
def test_an_endless_answer_is_too_large(serve: Serve, first: bytes, unit: bytes) -> None:
    server = serve(endless(first, unit))
    assert fails(server.url, Limits(seconds=10, size=1_000_000)).fault is Fault.TOO_LARGE


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_refused_before_it_fills_the_memory(serve: Serve, coding: str) -> None:
    packer = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    assert len(bomb) < 400_000
    server = serve(say(message(bomb, Content_Encoding=coding)))
    tracemalloc.start()
    failure = fails(server.url, Limits(seconds=10, size=2_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert failure.fault is Fault.TOO_LARGE
    assert peak < 12_000_000


def test_a_body_of_just_the_size_is_taken(serve: Serve) -> None:
    limits = Limits(seconds=5, size=36_000)
    for answer in (message(b"page" * 9000), message(gzipped(b"page" * 9000), Content_Encoding="gzip")):
        assert len(fetch(serve(say(answer)).url, limits).body) == 36_000
    for answer in (message(b"page" * 9001), message(gzipped(b"page" * 9001), Content_Encoding="gzip")):
        assert fails(serve(say(answer)).url, limits).fault is Fault.TOO_LARGE


# Servers that lie


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html>no headers</html>\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 5000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        message(b"hello", Content_Encoding="gzip"),
        message(gzipped(b"page" * 9000)[:-9], Content_Encoding="gzip"),
        message(gzipped(b"page" * 9000)[:-4] + b"lies", Content_Encoding="gzip"),
        message(gzipped(b"page") + b"<garbage>", Content_Encoding="gzip"),
        message(b"hello", Content_Encoding="br"),
        message(gzipped(gzipped(b"a")), Content_Encoding="gzip, gzip"),
    ],
)
def test_an_answer_that_is_no_http_or_cut_off_is_broken(serve: Serve, answer: bytes) -> None:
    assert fails(serve(say_and_close(answer)).url).fault is Fault.BROKEN


def test_a_connection_reset_is_broken(serve: Serve) -> None:
    def reset(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    assert fails(serve(reset).url).fault is Fault.BROKEN


def test_what_comes_after_the_announced_length_does_no_harm_to_the_next_request(serve: Serve) -> None:
    server = serve(say(message(b"hello") + b"and more", message(b"next")))
    connector = Connector(allowed="127.0.0.1")
    assert [connector.get(server.url, limits=Limits(seconds=5)).body for _ in range(2)] == [b"hello", b"next"]
    connector.close()


def test_nobody_there_is_refused_and_no_name_is_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert fails(f"http://127.0.0.1:{port}/").fault is Fault.REFUSED
    unknown: list[Sequence[str]] = []
    empty: list[Sequence[str]] = [()]
    for answers in (unknown, empty):
        with pytest.raises(ConnectionFailed) as caught:
            fetch_in(World({"nowhere.example": answers}, port), "http://nowhere.example/")
        assert caught.value.fault is Fault.UNKNOWN_HOST


# TLS


def write_certificate(folder: Path, host: str, days: int = 1) -> ssl.SSLContext:
    """A server that shows a certificate for ``host`` which it signed itself, in ``folder/host.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / f"{host}.pem").write_bytes(pem)
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "both.pem").write_bytes(pem + key.private_bytes(serialization.Encoding.PEM, *formats))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def test_a_certificate_signed_by_itself_is_refused(serve: Serve, tmp_path: Path) -> None:
    server = serve(say(message(b"a")), write_certificate(tmp_path, "public.example"))
    with pytest.raises(ConnectionFailed) as caught:
        fetch_in(World(names(), server.port), "https://public.example/")
    assert caught.value.fault is Fault.TLS
    assert server.requests == []


def test_a_trusted_certificate_counts_for_its_host_and_its_time_only(serve: Serve, tmp_path: Path) -> None:
    def attempt(host: str, days: int) -> str:
        server = serve(say(message(b"a")), write_certificate(tmp_path, "public.example", days))
        world = World(names(), server.port)
        authorities = str(tmp_path / "public.example.pem")
        connector = Connector(resolve=world.resolve, dial=world.dial, authorities=authorities)
        try:
            return str(connector.get(f"https://{host}/", limits=Limits(seconds=5)).status)
        except ConnectionFailed as error:
            return error.fault
        finally:
            connector.close()

    assert attempt("public.example", 1) == "200"
    assert attempt("other.example", 1) == Fault.TLS
    assert attempt("public.example", -1) == Fault.TLS


def test_the_name_of_the_host_is_said_in_the_handshake(serve: Serve, tmp_path: Path) -> None:
    context = write_certificate(tmp_path, "public.example")
    said: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: said.append(name)
    server = serve(say(message(b"a")), context)
    with pytest.raises(ConnectionFailed):
        fetch_in(World(names(), server.port), "https://public.example/")
    assert said == ["public.example"]


def test_a_server_without_tls_is_a_fault_of_tls(serve: Serve) -> None:
    server = serve(say_and_close(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    server.read = lambda connection: connection.recv(4096)  # type: ignore[method-assign]
    assert fails(server.url.replace("http:", "https:")).fault is Fault.TLS


@pytest.mark.parametrize(
    ("headers", "fault"), [({}, None), ({"Authorization": "Bearer s3cret"}, Fault.ADDRESS)]
)
def test_a_secret_request_does_not_go_from_https_to_http(
    serve: Serve, tmp_path: Path, headers: dict[str, str], fault: Fault | None
) -> None:
    moved = message(status="302 Found", Location="http://public.example/")
    secure = serve(say(moved), write_certificate(tmp_path, "public.example"))
    plain = serve(say(message(b"a")))
    world = World(names(), 0)

    def dial(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        world.port = secure.port if port == 443 else plain.port
        return world.dial(address, port, seconds)

    authorities = str(tmp_path / "public.example.pem")
    connector = Connector(resolve=world.resolve, dial=dial, authorities=authorities)
    try:
        connector.get("https://public.example/", headers=headers, limits=Limits(seconds=5))
        failure = None
    except ConnectionFailed as error:
        failure = error.fault
    connector.close()
    assert failure is fault
    assert len(plain.requests) == (fault is None)


# What is told of a failure


def test_a_failure_tells_no_secret_and_survives_a_process_boundary(serve: Serve) -> None:
    server = serve(say_and_close(b""))
    failure = fails(f"{server.url}/oai?verb=Identify&key=s3cret")
    assert failure.url == f"{server.url}/oai?verb=Identify&key=…"
    assert failure.detail
    assert "s3cret" not in str(failure)
    again = pickle.loads(pickle.dumps(failure))
    assert (again.fault, again.url, again.detail) == (failure.fault, failure.url, failure.detail)
    assert "s3cret" not in str(fails("http://me:s3cret@example.org/"))
