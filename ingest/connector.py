"""The one way out: everything that Carbet fetches by HTTP or HTTPS is fetched by ``Connector.get``.

Hides from its callers sockets, TLS, redirects and compression, and keeps three promises. Nobody makes us
reach a machine of the inside: addresses are checked where the connection is made, and the connection goes to
the very address that was checked. Nobody holds us: one deadline covers name, connection, TLS, headers, body
and redirects. Nobody fills our memory: sizes are counted after decompression, as it goes.

No proxy is used, whatever the environment says: it would connect in our place, unchecked.
"""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import certifi
import httpcore

from ingest.addresses import Address, NotFollowed, Openings, PrivateAddress, follow, read_address, tell
from kb.errors import ConnectionFailed, Fault

# A server that says nothing for so many seconds is taken for dead, however much time the request has. Slow
# repositories need tens of seconds to prepare a first list.
_SILENCE = 60.0
# An idle connection is given up after so many seconds: common servers close theirs after 5 to 15 seconds.
_IDLE = 15.0
# Addresses of one host that are tried; big sites give up to eight, and one that is reached is enough.
_TRIED = 6
_REDIRECTS = {301, 302, 303, 307, 308}
# Headers that may follow a redirect to another origin; whatever else the caller sent might be a secret.
_HARMLESS = {"accept", "accept-language", "if-modified-since", "if-none-match"}
_SECRET = {"authorization", "cookie", "proxy-authorization"}
# Those that the connector alone may write: they decide where a message goes, where it ends, how it is packed.
_OURS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade", "te"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")

Resolve = Callable[[str, int], Sequence[str]]
Dial = Callable[[str, int, float], httpcore.NetworkStream]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may take: seconds in all, bytes of the body once decoded, redirects followed."""

    seconds: float = 60
    size: int = 50_000_000
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer of any status: ``url`` where it came from in the end, ``headers`` by lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


_USUAL = Limits()


class _UnknownHost(Exception):
    """The resolver has no address for this name."""


class _Untrusted(Exception):
    """No secure connection: certificate or handshake."""


class _TooLarge(Exception):
    """More than ``Limits.size``."""


class _TooManyRedirects(Exception):
    """More than ``Limits.redirects``."""


_FAULTS: dict[type[Exception], Fault] = {
    NotFollowed: Fault.ADDRESS,
    PrivateAddress: Fault.PRIVATE,
    _UnknownHost: Fault.UNKNOWN_HOST,
    httpcore.TimeoutException: Fault.NO_ANSWER,
    httpcore.ConnectError: Fault.REFUSED,
    _Untrusted: Fault.TLS,
    _TooLarge: Fault.TOO_LARGE,
    _TooManyRedirects: Fault.TOO_MANY_REDIRECTS,
    httpcore.NetworkError: Fault.BROKEN,
    httpcore.ProtocolError: Fault.BROKEN,
    zlib.error: Fault.BROKEN,
}


class Connector:
    """Fetches by HTTP and HTTPS within limits, from public addresses and those that ``allowed`` opens.

    ``allowed`` is the setting ``private_addresses`` (see ``ingest.addresses.Openings``; ``ConfigError`` when
    it cannot be read), ``agent`` what we call ourselves. Connections are kept for the next request to the
    same host. One connector may serve several threads, not several processes. The other parameters are for
    tests: who resolves names, who connects to a checked address, a file of authorities in place of certifi's.
    """

    def __init__(
        self,
        *,
        allowed: str = "",
        agent: str = "Carbet",
        resolve: Resolve | None = None,
        dial: Dial | None = None,
        authorities: str = "",
    ) -> None:
        self._headers = _check_headers({"User-Agent": agent})
        self._line = _Line()
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(cafile=authorities or certifi.where()),
            keepalive_expiry=_IDLE,
            network_backend=_Guard(Openings(allowed), resolve or _resolve, dial or _dial, self._line),
        )

    def get(self, url: str, *, headers: Mapping[str, str] = {}, limits: Limits = _USUAL) -> Fetched:
        """Fetch ``url``, following redirects; a status of 400 or 500 is an answer too.

        Authorization and any other header but the harmless ones are left behind for good when a redirect
        leads to another scheme, host or port; with a secret, no redirect from https to http is followed.
        Raises ``ConnectionFailed``, and ``ValueError`` for a header that cannot be sent.
        """
        sent = self._headers | _check_headers(headers)
        secret = not _SECRET.isdisjoint(sent)
        self._line.begin(limits.seconds)
        place = url
        try:
            address = read_address(url)
            for _ in range(limits.redirects + 1):
                place = address.url
                answer = self._ask(address, sent, limits)
                location = answer.headers.get("location") if answer.status in _REDIRECTS else None
                if not location:
                    return answer
                address, sent = _go_on(address, location, sent, secret)
            raise _TooManyRedirects(f"more than {limits.redirects}")
        except tuple(_FAULTS) as error:
            raise ConnectionFailed(_name_fault(error), tell(place), str(error)[:200]) from error

    def close(self) -> None:
        """Close the connections that were kept."""
        self._pool.close()

    def _ask(self, address: Address, sent: Mapping[str, str], limits: Limits) -> Fetched:
        """One request, made again on another connection when it fails on one that was kept.

        The other side may have closed it, or left something in it; to ask twice for the same does no harm.
        """
        while True:
            self._line.opened = False
            try:
                return self._exchange(address, sent, limits)
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                if self._line.opened:
                    raise

    def _exchange(self, address: Address, sent: Mapping[str, str], limits: Limits) -> Fetched:
        url = httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target=address.target)
        named = {"Host": address.place, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        named |= {name.title(): value for name, value in sent.items()}
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._line.left(_SILENCE))
        with self._pool.stream(
            "GET", url, headers=list(named.items()), extensions={"timeout": timeouts}
        ) as response:
            headers = _join_headers(response.headers)
            leads_on = response.status in _REDIRECTS and bool(headers.get("location"))
            body = b"" if leads_on else self._read_body(response, headers, limits.size)
            return Fetched(url=address.url, status=response.status, headers=headers, body=body)

    def _read_body(self, response: httpcore.Response, headers: Mapping[str, str], size: int) -> bytes:
        """The body unpacked. What comes in is counted too: there is no end to packed nothing either."""
        announced = headers.get("content-length", "0")
        # "Not modified" announces the size of what it does not send (RFC 9110, 8.6).
        if response.status != 304 and announced.isdecimal() and int(announced) > size:
            raise _TooLarge(f"{announced} bytes announced, {size} allowed")
        unpacking = _start_unpacking(headers.get("content-encoding", "").strip().lower())
        body = bytearray()
        came = 0
        for chunk in response.iter_stream():
            self._line.left(_SILENCE)
            came += len(chunk)
            body += unpacking.feed(chunk, size - len(body)) if unpacking else chunk
            if max(came, len(body)) > size:
                raise _TooLarge(f"more than {size} bytes")
        if unpacking:
            unpacking.finish()
        return bytes(body)


def _go_on(
    address: Address, location: str, sent: dict[str, str], secret: bool
) -> tuple[Address, dict[str, str]]:
    """Where a redirect leads, and the headers that go along."""
    try:
        further = follow(address, location.encode("latin-1").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotFollowed("redirect in an unknown encoding") from error
    if secret and (address.scheme, further.scheme) == ("https", "http"):
        raise NotFollowed("redirect from https to http of a request with a secret")
    if further.origin == address.origin:
        return further, sent
    return further, {name: value for name, value in sent.items() if name in _HARMLESS or name == "user-agent"}


def _check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"this header cannot be sent: {name!r}")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"this value cannot be sent in the header {name}")
    return {name.lower(): value for name, value in headers.items()}


def _join_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case names; one that is repeated is joined by commas (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _name_fault(error: Exception) -> Fault:
    # httpcore hands on what h11 said as the argument of its own exception; 431 is "header fields too large".
    if error.args and getattr(error.args[0], "error_status_hint", None) == 431:
        return Fault.TOO_LARGE
    return next(fault for kind, fault in _FAULTS.items() if isinstance(error, kind))


class _Unpacking:
    """Undoes gzip (RFC 1952, several members too) or deflate (RFC 1950; bare RFC 1951 as some send it)."""

    def __init__(self, gzipped: bool) -> None:
        self._gzipped = gzipped
        self._stream: zlib._Decompress | None = None

    def feed(self, chunk: bytes, room: int) -> bytes:
        """What ``chunk`` unpacks to; ``_TooLarge`` as soon as that is more than ``room`` bytes."""
        made = bytearray()
        while chunk:
            if self._stream is None or self._stream.eof:
                # Some tools pad what they pack with zeros.
                chunk = chunk if self._stream is None else chunk.lstrip(b"\0")
                if not chunk:
                    break
                self._stream = zlib.decompressobj(self._choose_format(chunk[0]))
            made += self._stream.decompress(chunk, room - len(made) + 1)
            if len(made) > room:
                raise _TooLarge("unpacks to more than is allowed")
            chunk = self._stream.unused_data
        return bytes(made)

    def finish(self) -> None:
        """Raises when the packed body was cut off."""
        if self._stream is not None and not self._stream.eof:
            raise httpcore.RemoteProtocolError("the packed body is cut off")

    def _choose_format(self, first: int) -> int:
        """The ``wbits`` of zlib, whose own header has 8 in the low four bits; bare deflate never has."""
        if self._gzipped:
            return 16 + zlib.MAX_WBITS
        return zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS


def _start_unpacking(coding: str) -> _Unpacking | None:
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return _Unpacking(coding != "deflate")
    raise httpcore.RemoteProtocolError(f"packed in a way that we did not ask for: {coding[:40]!r}")


class _Line(threading.local):
    """The request of the present thread: when it must be over, and whether it opened a connection."""

    end = 0.0
    opened = False

    def begin(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self, own: float | None = None) -> float:
        """Seconds that may be waited, at most ``own``; raises ``httpcore.ReadTimeout`` when none are left."""
        rest = self.end - time.monotonic()
        if rest <= 0:
            raise httpcore.ReadTimeout("the time for the whole request is used up")
        return rest if own is None else min(own, rest)


class _Guard(httpcore.NetworkBackend):
    """Makes the connections: resolves, checks every address, connects to a checked one."""

    def __init__(self, openings: Openings, resolve: Resolve, dial: Dial, line: _Line) -> None:
        self._openings = openings
        self._resolve = resolve
        self._dial = dial
        self._line = line

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to ``host``, each of its addresses being given an equal share of the time that is left."""
        self._line.opened = True
        answers = [host] if _is_numeric(host) else self._look_up(host, port)
        addresses = self._openings.admit(host, port, answers)[:_TRIED]
        failure: Exception = _UnknownHost(f"no address for {host}")
        for number, address in enumerate(addresses):
            share = self._line.left(timeout) / (len(addresses) - number)
            try:
                return _TimedStream(self._dial(str(address), port, share), self._line)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        """Ask the resolver, which knows no time limit, in a thread that may be left behind."""
        box: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            answer: Sequence[str] | OSError = OSError("the resolver failed")
            try:
                answer = self._resolve(host, port)
            except OSError as error:
                answer = error
            finally:
                box.put(answer)

        threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
        try:
            answer = box.get(timeout=self._line.left())
        except queue.Empty:
            raise httpcore.ConnectTimeout(f"the resolver does not answer for {host}") from None
        if isinstance(answer, OSError):
            raise _UnknownHost(f"{host}: {answer}")
        return answer


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the request that uses it."""

    def __init__(self, inner: httpcore.NetworkStream, line: _Line) -> None:
        self._inner = inner
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._line.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore's own loop starts its timeout anew with each byte that is taken.
        sock = self._inner.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                sock.settimeout(self._line.left(timeout))
                rest = rest[sock.send(rest) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(error) from error
        except OSError as error:
            raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            secured = self._inner.start_tls(ssl_context, server_hostname, self._line.left(timeout))
        except httpcore.ConnectError as error:
            raise _Untrusted(str(error)) from error
        except httpcore.ReadTimeout:
            self.close()
            raise
        return _TimedStream(secured, self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _dial(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=seconds)
