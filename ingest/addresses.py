"""Which addresses Carbet goes to: hides from the connector how URLs lie and which networks are not public.

A URL is read strictly and once, so that no two parts of the program can understand it differently. What is
decided in the end is never a name but the numeric addresses that it stands for: ``Openings.admit`` is asked
with those, at the moment of connecting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin

import idna

from kb.errors import ConfigError

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class NotFollowed(ValueError):
    """This is not a URL that we follow: its scheme, its host or its port, or how it is written."""


class PrivateAddress(ValueError):
    """This host is, or stands for, an address that is not on the public Internet and was not opened."""


def _networks(text: str) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(word) for word in text.split())


# IANA's IPv4 Special-Purpose Address Registry (RFC 6890 and its updates), multicast (RFC 5771), class E.
# Written out because what ``ipaddress.is_global`` says changes with each release of Python.
_SPECIAL_4 = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
    " 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15"
    " 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
)
# Of IPv6 only what IANA gives out as global unicast (RFC 4291, 2.4) can be public; that alone leaves out
# loopback, mapped, compatible, NAT64, unique local, link-local, site-local and multicast addresses.
_UNICAST_6 = IPv6Network("2000::/3")
# Within it: IETF assignments (Teredo, benchmarking, ORCHID), 6to4, documentation (RFC 3849, RFC 9637), AS112.
_SPECIAL_6 = _networks("2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20")
# Prefixes whose last 32 bits are an IPv4 address: compatible, NAT64 (one for all, one for local use).
_LOW_BITS = _networks("::/96 64:ff9b::/96 64:ff9b:1::/48")
# Where clouds tell a machine its own secrets; the first is a public address, the others are in private ranges
# (Azure, Alibaba, Amazon, Google).
_METADATA = _networks("168.63.129.16/32 100.100.100.200/32 fd00:ec2::/32 fd20:ce::/32")
# What a host that is opened by its name may stand for: never link-local, multicast or reserved addresses.
_PRIVATE_USE = _networks("10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7")

# RFC 6761, 6.3, and the names that Linux distributions write in /etc/hosts.
_LOOPBACK_NAMES = {"localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback", "loopback"}
_LOOPBACK_ENDS = (".localhost", ".localdomain", ".localdomain4", ".localdomain6")

# Longest URL taken. Servers commonly stop at 8 KB; the longest resumption tokens known are under 2 KB.
_LONGEST = 8_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<place>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?", re.I | re.A
)
_PLACE = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# How the URL standard (WHATWG, "ends in a number") tells that a host is meant as an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Parameters of OAI-PMH and SRU that help to understand a failure and are never secret.
_TOLD = {
    *("verb", "metadataPrefix", "set", "from", "until", "identifier"),
    *("operation", "version", "query", "startRecord", "maximumRecords", "recordSchema"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL that was read: ``host`` is ASCII in lower case or a numeric address without brackets.

    ``target`` is the path with the query, in ASCII, as it stands in the request line. Fragments are gone.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what must stay the same for a secret to go along (RFC 6454)."""
        return self.scheme, self.host, self.port

    @property
    def place(self) -> str:
        """Host, and port unless it is the usual one, as in a URL and in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in its one spelling."""
        return f"{self.scheme}://{self.place}{self.target}"


def read_address(url: str) -> Address:
    """Read a URL strictly: absolute, http or https, no user, no blank, control character or backslash.

    Raises ``NotFollowed``. That the address may be gone to is not decided here, but by ``Openings.admit``.
    """
    _check_characters(url)
    parts = _URL.fullmatch(url)
    if parts is None:
        raise NotFollowed("not an absolute URL of http or https")
    if "@" in parts["place"]:
        raise NotFollowed("a user name in a URL")
    place = _PLACE.fullmatch(parts["place"])
    if place is None:
        raise NotFollowed("host or port cannot be read")
    scheme = parts["scheme"].lower()
    port = int(place["port"] or _DEFAULT_PORTS[scheme])
    if port > 65535:
        raise NotFollowed(f"no such port: {port}")
    host = _read_host(place["name"]) if place["six"] is None else str(_read_six(place["six"]))
    return Address(
        scheme=scheme,
        host=host,
        port=port,
        target=_in_ascii((parts["path"] or "/") + (parts["query"] or "")),
    )


def follow(address: Address, location: str) -> Address:
    """Read where a redirect leads, which may be said relative to ``address``. Raises ``NotFollowed``."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location):
        return read_address(location)
    if location.startswith("//"):
        return read_address(f"{address.scheme}:{location}")
    _check_characters(location)
    return read_address(urljoin(address.url, location))


def tell(url: str) -> str:
    """``url`` as it may be shown and logged: no password, and of the query only parameters never secret.

    Takes anything, also what is no URL; gives at most 300 characters without control characters.
    """
    try:
        address = read_address(url)
    except NotFollowed:
        return _tell_unread(url)
    path, mark, query = address.target.partition("?")
    told = "&".join(_tell_parameter(part) for part in query.split("&"))
    return f"{address.scheme}://{address.place}{path}{mark}{told}"[:300]


def _tell_unread(url: str) -> str:
    """Without knowing where the parts begin: nothing before an at sign, nothing after a question mark."""
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:/{0,2}", url)
    start = scheme[0] if scheme else ""
    before, at, rest = url[len(start) :].rpartition("@")
    rest = re.split(r"[?#]", rest)[0]
    shown = f"{start}…{at}{rest}" if before else start + rest
    return "".join(char if char.isprintable() else "�" for char in shown[:300])


def _tell_parameter(part: str) -> str:
    name, equals, _ = part.partition("=")
    if name in _TOLD or not part:
        return part
    return f"{name}=…" if equals else "…"


def _check_characters(url: str) -> None:
    if len(url) > _LONGEST:
        raise NotFollowed(f"longer than {_LONGEST} characters")
    for char in url:
        if char == "\\" or char.isspace() or unicodedata.category(char).startswith("C"):
            raise NotFollowed(f"a character that no URL has: U+{ord(char):04X}")


def _in_ascii(target: str) -> str:
    return "".join(char if char.isascii() else quote(char) for char in target)


def _read_six(text: str) -> IPv6Address:
    if "%" in text:
        raise NotFollowed("an address with a zone")
    try:
        return IPv6Address(text)
    except ValueError as error:
        raise NotFollowed(f"not an IPv6 address: {error}") from error


def _read_host(text: str) -> str:
    """The name in ASCII, or the IPv4 address. Any other spelling of an IPv4 address is refused.

    Nobody honest writes 2130706433, 0x7f.1 or ①②⑦.0.0.1, and programs disagree on what these mean.
    """
    host = text.lower() if text.isascii() else _encode(text)
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        if not text.isascii():
            raise NotFollowed("a numeric address in disguise")
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise NotFollowed(f"not an IPv4 address as everybody writes it: {error}") from error
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise NotFollowed("not a host name")
    return host


def _encode(name: str) -> str:
    if len(name) > 253:
        raise NotFollowed("not a host name: too long")
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise NotFollowed(f"not a host name: {error}") from error


def is_public(address: IPAddress) -> bool:
    """Whether this address belongs to a machine on the public Internet, as far as its number tells."""
    if any(address in network for network in _METADATA):
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    return address in _UNICAST_6 and not any(address in network for network in _SPECIAL_6)


def embedded(address: IPAddress) -> list[IPv4Address]:
    """The IPv4 addresses that a gateway would reach for this IPv6 address.

    Mapped and compatible (RFC 4291, 2.5.5), 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052, RFC 8215).
    """
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_unspecified:
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _LOW_BITS):
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [inner for inner in found if inner is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """One entry of the setting: a network or a name, at one port or (None) at the usual ones."""

    network: IPNetwork | None = None
    name: str | None = None
    port: int | None = None

    def covers(self, host: str, address: IPAddress) -> bool:
        if self.network is not None:
            return address in self.network
        return host == self.name


class Openings:
    """The setting ``private_addresses``: what may be reached although it is private.

    Entries are separated by commas or blanks: ``127.0.0.1``, ``10.1.0.0/16``, ``fd00:1::/32``,
    ``catalogue.lan``, each also with a port: ``127.0.0.1:8001``, ``[fd00::1]:81``.

    - A network opens these addresses and no others, also for names that stand for them.
    - A name opens the private addresses that it stands for, but never link-local, multicast or reserved ones.
    - With a port, an entry opens this port only, which may then be any; without, the usual ports.

    Raises ``ConfigError`` when an entry cannot be read.
    """

    def __init__(self, text: str = "") -> None:
        self._openings = tuple(_read_opening(entry) for entry in re.split(r"[,\s]+", text) if entry)

    def admit(self, host: str, port: int, answers: Sequence[str]) -> list[IPAddress]:
        """Give the addresses that ``host`` stands for, having found every one of them allowed.

        ``answers`` are what the resolver said, or the host itself when it is numeric. One address that is not
        allowed refuses them all: who mixes them is trying something. Raises ``PrivateAddress``, and
        ``NotFollowed`` for a port that is neither 80, 443 or from 1024 on, nor opened.
        """
        if _is_loopback_name(host) and not any(opening.name == host for opening in self._openings):
            raise PrivateAddress(f"{host} is this machine")
        addresses = [ip_address(answer) for answer in answers]
        for address in addresses:
            self._check(host, port, address)
        return addresses

    def _check(self, host: str, port: int, address: IPAddress) -> None:
        for form in (address, *embedded(address)):
            if not is_public(form) and not self._opens(host, port, form):
                raise PrivateAddress(f"{host} is {address}" + (f", for {form}" if form != address else ""))
        usual = port in (80, 443) or port >= 1024
        if not usual and not any(opening.port == port for opening in self._covering(host, address)):
            raise NotFollowed(f"port {port}")

    def _opens(self, host: str, port: int, address: IPAddress) -> bool:
        return any(
            opening.port in (None, port) and (opening.network is not None or _is_for_private_use(address))
            for opening in self._covering(host, address)
        )

    def _covering(self, host: str, address: IPAddress) -> Iterable[_Opening]:
        return (opening for opening in self._openings if opening.covers(host, address))


def _is_loopback_name(host: str) -> bool:
    return host in _LOOPBACK_NAMES or host.endswith(_LOOPBACK_ENDS)


def _is_for_private_use(address: IPAddress) -> bool:
    return any(address in network for network in _PRIVATE_USE) and not any(
        address in network for network in _METADATA
    )


def _read_opening(entry: str) -> _Opening:
    try:
        return _Opening(network=ip_network(entry))
    except ValueError:
        pass  # not a bare network: a name, or something with a port
    parts = re.fullmatch(
        r"(?:\[(?P<six>[^\]]+)\]|(?P<other>[^:\[\]]+))(?::(?P<port>[1-9][0-9]{0,4}))?", entry
    )
    if parts is None or int(parts["port"] or 1) > 65535:
        raise ConfigError(f"private_addresses: cannot read {entry!r}")
    port = int(parts["port"]) if parts["port"] else None
    try:
        if parts["six"] or re.match(r"[0-9.]+(/|$)", parts["other"]):
            return _Opening(network=ip_network(parts["six"] or parts["other"]), port=port)
        return _Opening(name=_read_host(parts["other"]), port=port)
    except ValueError as error:
        raise ConfigError(f"private_addresses: cannot read {entry!r}: {error}") from error
