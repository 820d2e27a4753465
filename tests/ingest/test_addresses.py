"""Which URLs are read, which addresses are public, and what the setting opens."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.addresses import (
    NotFollowed,
    Openings,
    PrivateAddress,
    embedded,
    follow,
    is_public,
    read_address,
    tell,
)
from kb.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTPS://Example.ORG:443/oai?verb=Identify#top", "https://example.org/oai?verb=Identify"),
        ("http://example.org:8080?a=b", "http://example.org:8080/?a=b"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:0::1111]:8080/x", "http://[2606:4700::1111]:8080/x"),
        ("http://bibliothèque.example/œuvre?q=é", "http://xn--bibliothque-59a.example/%C5%93uvre?q=%C3%A9"),
        ("http://serveur_oai.example/a%20b", "http://serveur_oai.example/a%20b"),
        ("http://example.org/@people?to=a@b", "http://example.org/@people?to=a@b"),
    ],
)
def test_a_url_has_one_spelling(url: str, spelled: str) -> None:
    address = read_address(url)
    assert address.url == spelled
    assert read_address(spelled) == address


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "example.org",
            "//example.org/",
            "http:example.org",
            "http:/example.org",
            "http:///x",
            "http://",
        ),
        *("ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "httpſ://example.org/"),
        *(
            "javascript:alert(1)",
            "data:text/plain,x",
            "jar:http://example.org!/",
            "dict://example.org:11211/",
        ),
        *(
            "http://user@example.org/",
            "http://user:pw@example.org/",
            "http://example.org@10.0.0.1/",
            "http://@x/",
        ),
        *(
            "http://example.org:0/",
            "http://example.org:080/",
            "http://example.org:65536/",
            "http://example.org:/",
        ),
        *(
            "http://example.org:８０/",
            "http://example.org:80:80/",
            "http://example.org:+80/",
            "http://x:1e3/",
        ),
        *("http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://0x7f.0.0.1/"),
        *("http://127.1/", "http://127.0.1/", "http://0177.0.0.1/", "http://0/", "http://127.0.0.01/"),
        *(
            "http://256.1.1.1/",
            "http://1.2.3.4.5/",
            "http://example.0x/",
            "http://127.0.0.1./",
            "http://8.8.8.8.:80/",
        ),
        *(
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
            "http://①②⑦.⓪.⓪.①/",
            "http://８.8.8.8/",
            "http://x%00/",
        ),
        *("http://localhost./", "http://example.org./", "http://.example.org/", "http://a..example.org/"),
        *(
            "http://-a.example.org/",
            "http://a-.example.org/",
            "http://ex ample.org/",
            "http://exa\tmple.org/",
        ),
        *(
            "http://example.org/\r\nHost: x",
            "http://example.org/\0",
            " http://example.org/",
            "http://example.org/ ",
        ),
        *(
            "http://example.org\\@10.0.0.1/",
            "http:\\\\example.org/",
            "http://example.org/a\\b",
            "http://x\u00ad/",
        ),
        *("http://%31%32%37.0.0.1/", "http://localho%73t/", "http://example.org\u2028/", "http://x\ud800/"),
        *(
            "http://[fe80::1%eth0]/",
            "http://[fe80::1%25eth0]/",
            "http://[::1/",
            "http://::1/",
            "http://[v1.x]/",
        ),
        *("http://[127.0.0.1]/", "http://[::1]x/", "http://[]/", "http://[::1]:/", "http://[[::1]]/"),
        *(f"http://{'a' * 64}.example/", f"http://{'a.' * 130}example/", f"http://{'é' * 300}/"),
        *("http://example.org/" + "a" * 8000, "http://☃☃\u200d.example/", "http://xn--é.example/"),
    ],
)
def test_what_is_not_plainly_a_url_is_not_followed(url: str) -> None:
    with pytest.raises(NotFollowed):
        read_address(url)


@given(st.text())
def test_anything_is_read_or_not_followed(text: str) -> None:
    try:
        address = read_address("http://" + text)
    except NotFollowed:
        return
    assert address.url.isascii()
    assert read_address(address.url) == address


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/other?x=1", "https://example.org/other?x=1"),
        ("next", "https://example.org/a/next"),
        ("?page=2", "https://example.org/a/b?page=2"),
        ("//else.example/", "https://else.example/"),
        ("http://else.example:8080/x", "http://else.example:8080/x"),
        ("/é", "https://example.org/%C3%A9"),
    ],
)
def test_a_redirect_may_be_relative(location: str, url: str) -> None:
    assert follow(read_address("https://example.org/a/b?c=d"), location).url == url


@pytest.mark.parametrize(
    "location", ["//user@10.0.0.1/", "file:///x", "//[", "/a b", "\thttp://x/", "http:///"]
)
def test_a_redirect_is_read_as_strictly(location: str) -> None:
    with pytest.raises(NotFollowed):
        follow(read_address("https://example.org/a/b"), location)


PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254"),
    *(
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
    ),
    *("192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:7f00:1::"),
    *("2001:2::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "4000::1", "5f00::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1"),
]
PUBLIC = [
    *("8.8.8.8", "1.0.0.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1"),
    *(
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a01:cb00::1",
        "2003::1",
        "2001:200::1",
    ),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_special_network_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_just_beside_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public_here(address: IPv4Address | IPv6Address) -> None:
    # A few, such as 192.0.0.9 (anycast), are global for Python and special for us; never the other way.
    assert address.is_global or not is_public(address)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("::ffff:10.0.0.1", ["10.0.0.1"]),
        ("::10.0.0.1", ["10.0.0.1"]),
        ("2002:a00:1::", ["10.0.0.1"]),
        ("2001:0:a00:1::f5ff:fffe", ["10.0.0.1", "10.0.0.1"]),
        ("64:ff9b::10.0.0.1", ["10.0.0.1"]),
        ("64:ff9b:1::10.0.0.1", ["10.0.0.1"]),
        ("::1", []),
        ("2606:4700::1111", []),
        ("10.0.0.1", []),
    ],
)
def test_the_ipv4_address_inside_is_found(outer: str, inner: list[str]) -> None:
    assert [str(address) for address in embedded(ip_address(outer))] == inner


def admits(openings: str, host: str, port: int, *answers: str) -> bool:
    try:
        admitted = Openings(openings).admit(host, port, answers or (host,))
    except PrivateAddress:
        return False
    assert admitted == [ip_address(answer) for answer in answers or (host,)]
    return True


@pytest.mark.parametrize("address", PRIVATE)
def test_without_the_setting_nothing_private_is_admitted(address: str) -> None:
    assert not admits("", "example.org", 80, address)
    assert not admits("", "example.org", 80, "8.8.8.8", address)
    assert not admits("8.8.8.8, other.example", "example.org", 80, address)


def test_a_network_opens_its_addresses_and_no_others() -> None:
    opened = "127.0.0.1, 10.1.0.0/16 fd00:1::/32,::1"
    for address in ("127.0.0.1", "10.1.0.0", "10.1.255.255", "fd00:1::5", "::1"):
        assert admits(opened, address, 80)
        assert admits(opened, "intranet.example", 8001, address)
    for address in ("127.0.0.2", "10.0.255.255", "10.2.0.0", "fd00:2::5", "192.168.0.1", "::ffff:127.0.0.1"):
        assert not admits(opened, address, 80)
    assert not admits(opened, "intranet.example", 80, "10.1.0.1", "10.2.0.1")
    assert not admits(opened, "localhost", 80, "127.0.0.1")


def test_a_gateway_that_is_opened_does_not_lead_inside() -> None:
    assert admits("64:ff9b::/96", "example.org", 80, "64:ff9b::8.8.8.8")
    assert not admits("64:ff9b::/96", "example.org", 80, "64:ff9b::10.0.0.1")
    assert admits("64:ff9b::/96, 10.0.0.1", "example.org", 80, "64:ff9b::10.0.0.1")


def test_a_name_opens_the_private_addresses_of_this_name_only() -> None:
    opened = "Catalogue.LAN"
    assert admits(opened, "catalogue.lan", 80, "10.0.0.1")
    assert admits(opened, "catalogue.lan", 8001, "192.168.0.1", "fd12::1", "8.8.8.8")
    assert not admits(opened, "autre.lan", 80, "10.0.0.1")
    assert not admits(opened, "sub.catalogue.lan", 80, "10.0.0.1")
    assert not admits(opened, "10.0.0.1", 80)
    for metadata in (
        "169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
    ):
        assert not admits(opened, "catalogue.lan", 80, metadata)


@pytest.mark.parametrize(
    "name",
    ["localhost", "a.localhost", "localhost.localdomain", "localhost6", "ip6-loopback", "x.localdomain"],
)
def test_names_of_this_machine_must_be_opened_by_name(name: str) -> None:
    assert not admits("", name, 80, "8.8.8.8")
    assert not admits("127.0.0.0/8", name, 80, "127.0.0.1")
    assert admits(name, name, 80, "127.0.0.1", "::1")


def test_ports_below_1024_are_refused_but_for_the_two_of_the_web() -> None:
    for port in (80, 443, 1024, 8080, 65535):
        assert admits("", "example.org", port, "8.8.8.8")
    for port in (1, 22, 25, 53, 81, 445, 631, 1023):
        with pytest.raises(NotFollowed):
            Openings("127.0.0.1").admit("example.org", port, ["8.8.8.8"])
        with pytest.raises(NotFollowed):
            Openings("127.0.0.1").admit("127.0.0.1", port, ["127.0.0.1"])


def test_an_entry_with_a_port_opens_this_port_only() -> None:
    opened = "127.0.0.1:8001, [fd00::1]:81 example.org:81"
    assert admits(opened, "127.0.0.1", 8001)
    assert not admits(opened, "127.0.0.1", 8002)
    assert admits(opened, "fd00::1", 81)
    assert not admits(opened, "fd00::1", 80)
    assert admits(opened, "example.org", 81, "8.8.8.8")
    with pytest.raises(NotFollowed):
        Openings(opened).admit("example.org", 82, ["8.8.8.8"])


@pytest.mark.parametrize(
    "text",
    [
        "10.1.2.3/16",
        "10.0.0.1:0",
        "10.0.0.1:99999",
        "*.lan",
        "http://lan",
        "[::1",
        "256.0.0.1",
        "a:b:c",
        "é b/",
    ],
)
def test_a_setting_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="private_addresses"):
        Openings(text)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://example.org/oai?verb=Identify&key=abc", "http://example.org/oai?verb=Identify&key=…"),
        ("http://example.org/?s3cret&token=&set=T01#frag", "http://example.org/?…&token=…&set=T01"),
        ("http://example.org/", "http://example.org/"),
        ("http://me:s3cret@example.org/?key=abc", "http://…@example.org/"),
        ("http://me:s3?cr@et@example.org/", "http://…@example.org/"),
        ("ftp://example.org/a?key=abc", "ftp://example.org/a"),
        ("http://a\r\nb/", "http://a��b/"),
        ("", ""),
    ],
)
def test_a_url_is_told_without_its_secrets(url: str, told: str) -> None:
    assert tell(url) == told


@given(st.text())
def test_anything_can_be_told(text: str) -> None:
    assert tell(text).isprintable()
    assert len(tell("http://" + text * 50)) <= 310
