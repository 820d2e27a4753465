"""The commands of ``kb envelope``: what they write, read, ask and refuse, with which exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kb.carbetxml import checked
from kb.errors import InvalidRecord
from kb.records import Page, Record
from kb.sharing import Audience, Shared
from tests.web.network_of_centres import Fund, thesaurus
from web.cli import main


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fund, Fund]]:
    """A, which has records, and B, which knows nobody."""
    folder = tmp_path_factory.mktemp("centres")
    funds = Fund(folder / "a", "a", thesaurus=thesaurus()), Fund(folder / "b", "b", thesaurus=thesaurus())
    for title in ("Un", "Deux", "Trois"):
        funds[0].put(title)
    funds[0].put("Pour le réseau", access="network")
    yield funds
    for fund in funds:
        fund.close()


def kb(fund: Fund, *arguments: object) -> Result:
    result = CliRunner().invoke(main, ["--data", str(fund.folder), "envelope", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def said(result: Result) -> Any:
    """The JSON on stdout."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def trust(fund: Fund, other: Fund, *more: str) -> Result:
    return kb(fund, "trust", other.code, other.parts.centre_key.public, *more)


def test_an_envelope_goes_from_one_centre_to_the_other_by_commands_alone(two, tmp_path: Path):
    a, b = two
    path = tmp_path / "a.carbet"
    written = said(kb(a, "write", path, "--json"))
    assert written == {
        "file": str(path),
        "kind": "full",
        "key": a.parts.centre_key.public,
        "records": 4,
        "deletions": 0,
        "until": a.store.position(),
    }

    stranger = kb(b, "read", path)
    assert stranger.exit_code == 1
    assert f"kb envelope trust a {a.parts.centre_key.public}" in stranger.stderr
    assert b.holds("a") == {}

    unknown = trust(b, a)
    assert unknown.exit_code == 2
    assert "--name" in unknown.stderr
    trusted = trust(b, a, "--name", "Centre a")
    assert trusted.exit_code == 0
    assert a.parts.centre_key.fingerprint in trusted.stderr

    read = said(kb(b, "read", path, "--json"))
    assert (read["centre"], read["counts"]["new"], read["notes"]) == ("a", 4, [])
    assert b.holds("a") == a.shares(Audience.NETWORK)
    again = kb(b, "read", path)
    assert (again.exit_code, again.stdout) == (0, "Centre a : 4\u00a0inchangées.\n")


def test_changes_go_from_the_last_one_on_each_kind_by_itself(two, tmp_path: Path):
    a, _ = two
    path = tmp_path / "changes.carbet"
    first = kb(a, "write", path, "--changes", "--public")
    assert first.exit_code == 0
    assert "C’est la première enveloppe : elle contient tout." in first.stderr
    assert "3\u00a0notices" in first.stderr
    a.change("a:1", title="Un, changé")
    later = said(kb(a, "write", path, "--changes", "--public", "--json"))
    assert (later["kind"], later["records"]) == ("changes", 1)
    relayed = said(kb(a, "write", path, "--changes", "--public", "--relays", "--json"))
    assert (relayed["kind"], relayed["records"]) == ("full", 3)


def test_a_key_is_shown_and_replaced_only_on_purpose(two):
    a, b = two
    shown = said(kb(a, "key", "--json"))
    assert shown == {
        "centre": "a",
        "key": a.parts.centre_key.public,
        "fingerprint": a.parts.centre_key.fingerprint,
    }
    assert a.parts.centre_key.fingerprint in kb(a, "key").stdout
    assert kb(b, "trust", "c", "f" * 64, "--name", "Centre c").exit_code == 0
    assert kb(b, "trust", "c", "F" * 64).exit_code == 0  # the same, as somebody may type it
    other = kb(b, "trust", "c", "e" * 64)
    assert other.exit_code == 2
    assert "Appelez ce centre" in other.stderr
    assert kb(b, "trust", "c", "e" * 64, "--replace").exit_code == 0
    assert b.parts.centres.get("c").public_key == "e" * 64


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("trust", "d", "abc", "--name", "D"), 2),
        (("trust", "b", "e" * 64, "--name", "Nous"), 1),
        (("trust", "Pas un code", "e" * 64, "--name", "D"), 1),
        (("read", "/nulle/part.carbet"), 2),
        (("write", "/nulle/part.carbet"), 1),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(two, arguments: tuple[str, ...], status: int):
    result = kb(two[1], *arguments)
    assert result.exit_code == status
    assert "Traceback" not in result.output
    assert result.stderr.strip()


def test_what_is_no_envelope_is_said_to_be_none(two, tmp_path: Path):
    for content in (b"", b"Bonjour", b"PK\3\4" + b"x" * 40):
        path = tmp_path / "x.carbet"
        path.write_bytes(content)
        result = kb(two[1], "read", path)
        assert result.exit_code == 1
        assert "Rien n’en a été pris" in result.stderr or "enveloppe" in result.stderr


def test_a_record_that_nobody_would_take_is_left_out_and_told(two, tmp_path: Path):
    a, _ = two
    id = a.put(Shared(Record(id="a:1", title="Sans première page"), (Page(2, "La deuxième."),)))
    with pytest.raises(InvalidRecord):
        checked(Shared(a.store.get(id), a.store.pages(id)))
    try:
        result = kb(a, "write", tmp_path / "whole.carbet")
    finally:
        a.store.delete(id)
    assert result.exit_code == 0
    assert f"Notice laissée, qu’aucun centre ne prendrait : {id} " in result.stderr


def test_a_third_centre_is_heard_by_a_relay_only_when_it_is_asked_for(two, tmp_path: Path):
    a, b = two
    c = Fund(tmp_path / "c", "c", thesaurus=thesaurus())
    try:
        trust(b, a, "--name", "Centre a", "--replace")
        kb(b, "read", a.write("for-b"))
        trust(c, b, "--name", "Centre b")
        path = tmp_path / "b.carbet"
        assert said(kb(b, "write", path, "--relays", "--json"))["records"] >= 4
        left = said(kb(c, "read", path, "--json"))
        assert left["counts"]["foreign"] >= 4
        assert "autre centre" in left["notes"][0]
        assert c.holds("a") == {}
        assert said(kb(c, "read", path, "--relays", "--json"))["counts"]["new"] >= 4
        assert c.holds("a") == b.holds("a")
    finally:
        c.close()
