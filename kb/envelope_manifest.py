"""The manifest of an envelope: who sends it, what is in it, and the digest of each member.

Hides its JSON, what is signed of it, and the one error by which an envelope is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from kb import envelope_lines as lines
from kb.errors import KBError
from kb.sharing import Audience
from kb.signing import fingerprint, verify

FORMAT = 1
"""The version of the form; a file of a higher one is refused."""

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
RECORDS, DELETIONS, THESAURUS = "records.jsonl", "deletions.jsonl", "thesaurus.jsonl"
CONTENT = (RECORDS, DELETIONS, THESAURUS)
_PREFIX = b"carbet envelope manifest 1\0"
_CENTRE = re.compile(r"[a-z0-9-]{1,100}")


class Kind(StrEnum):
    """All that the sender shares, or what has changed since a position of its feed."""

    FULL = "full"
    CHANGES = "changes"


class Refusal(StrEnum):
    """Why an envelope is not taken."""

    NOT_AN_ENVELOPE = "not-an-envelope"
    DAMAGED = "damaged"  # cut, or not what was signed
    FORGED = "forged"  # the signature is not that of the key which it names
    UNKNOWN_SENDER = "unknown-sender"  # nobody has said yet that this key is trusted
    OTHER_KEY = "other-key"  # the centre is known, with another key
    TOO_LARGE = "too-large"
    NEWER_FORMAT = "newer-format"
    BAD_CONTENT = "bad-content"  # signed, but not what may be in an envelope


@dataclass(frozen=True, slots=True)
class Sender:
    """Who an envelope says it is from, and the key that has signed it."""

    centre: str
    name: str
    key: str

    @property
    def fingerprint(self) -> str:
        """What the centre reads over the telephone if the key is its own."""
        return fingerprint(self.key)


class EnvelopeError(KBError):
    """An envelope is not taken. ``member`` and ``line`` (from 1; 0: none) say where; ``sender``, for
    UNKNOWN_SENDER and OTHER_KEY, is who has signed it, so that a person can decide."""

    def __init__(
        self,
        reason: Refusal,
        detail: str = "",
        member: str = "",
        line: int = 0,
        sender: Sender | None = None,
    ) -> None:
        place = f"{member}, line {line}: " if line else f"{member}: " if member else ""
        super().__init__(f"{reason}: {place}{detail}")
        self.reason = reason
        self.detail = detail
        self.member = member
        self.line = line
        self.sender = sender

    def __reduce__(self) -> tuple[type[EnvelopeError], tuple[Any, ...]]:
        return type(self), (self.reason, self.detail, self.member, self.line, self.sender)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the sender's change feed and its time (UTC); 0 and None before everything."""

    seq: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the manifest says of an envelope: the sender with its public key, when it was made, and that it
    holds what happened after ``since`` up to ``until``, as far as ``audience`` may be told."""

    centre: str
    name: str
    key: str
    made: datetime
    kind: Kind
    audience: Audience
    until: Position
    since: Position = Position()

    @property
    def sender(self) -> Sender:
        """Who has signed it."""
        return Sender(self.centre, self.name, self.key)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines of each kind an envelope holds."""

    records: int = 0
    deletions: int = 0
    thesaurus: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What the manifest promises of a member: its digest, its size in bytes and the number of its lines."""

    sha256: str
    size: int
    lines: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a manifest says; ``content`` by the names of the members."""

    head: Head
    counts: Counts
    content: Mapping[str, Content]


_FIELDS = {
    *("format", "centre", "name", "key", "made", "kind", "audience", "from", "until", "counts", "members")
}
_COUNTS = tuple(field.name for field in fields(Counts))


def sealed(manifest: Manifest, sign: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """The bytes of ``manifest.json`` and of ``manifest.sig``. Raises ValueError when the key that signs is
    not the one that the head names."""
    raw = _written(manifest)
    signature = sign(_PREFIX + raw)
    if not verify(manifest.head.key, signature, _PREFIX + raw):
        raise ValueError("the key that signs is not the one that the head names")
    return raw, signature


def _written(manifest: Manifest) -> bytes:
    head = manifest.head
    said = {
        "format": FORMAT,
        "centre": head.centre,
        "name": head.name,
        "key": head.key,
        "made": lines.said(head.made),
        "kind": head.kind,
        "audience": head.audience,
        "from": _position_said(head.since),
        "until": _position_said(head.until),
        "counts": asdict(manifest.counts),
        "members": {name: {"sha256": c.sha256, "size": c.size} for name, c in manifest.content.items()},
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def _position_said(position: Position) -> dict[str, Any]:
    return {"position": position.seq, "at": None if position.at is None else lines.said(position.at)}


def unsealed(raw: bytes, signature: bytes, trusted: Mapping[str, str]) -> Manifest:
    """Inverse of ``sealed``, if a key that is trusted signed it. Raises EnvelopeError."""
    said, sender = _signed(raw, signature)
    _check_trust(sender, trusted)
    try:
        return _manifest(said, sender)
    except ValueError as error:
        raise EnvelopeError(Refusal.BAD_CONTENT, str(error), MANIFEST) from error


def _signed(manifest: bytes, signature: bytes) -> tuple[dict[str, Any], Sender]:
    """What the manifest says, and who, having made sure that the key which it names has signed it."""
    try:
        said = lines.parsed(manifest)
        version = lines.count(said.get("format"))
        if version > FORMAT:
            raise EnvelopeError(Refusal.NEWER_FORMAT, f"format {version}", MANIFEST)
        sender = Sender(
            lines.text(said.get("centre")), lines.text(said.get("name")), lines.text(said.get("key"))
        )
    except ValueError as error:
        raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, str(error), MANIFEST) from error
    if not verify(sender.key, signature, _PREFIX + manifest):
        raise EnvelopeError(Refusal.FORGED, "not signed by the key that it names", SIGNATURE)
    return said, sender


def _check_trust(sender: Sender, trusted: Mapping[str, str]) -> None:
    known = trusted.get(sender.centre)
    if known is None:
        detail = f"nobody trusts {sender.centre!r:.120} yet"
        raise EnvelopeError(Refusal.UNKNOWN_SENDER, detail, sender=sender)
    if known != sender.key:
        detail = f"{sender.centre!r:.120} is known with another key"
        raise EnvelopeError(Refusal.OTHER_KEY, detail, sender=sender)


def _manifest(said: dict[str, Any], sender: Sender) -> Manifest:
    """What is said, each field checked. Raises ValueError."""
    lines.only(said, _FIELDS)
    if not _CENTRE.fullmatch(sender.centre):
        raise ValueError(f"{sender.centre!r:.120} is no code of a centre")
    head = Head(
        centre=sender.centre,
        name=sender.name,
        key=sender.key,
        made=lines.moment(said["made"]),
        kind=Kind(lines.text(said["kind"])),
        audience=Audience(lines.text(said["audience"])),
        since=_position(said["from"]),
        until=_position(said["until"]),
    )
    told = lines.only(said["counts"], set(_COUNTS))
    counts = Counts(*(lines.count(told[name]) for name in _COUNTS))
    members = lines.only(said["members"], set(CONTENT))
    content = {name: _promise(members[name], told[kind]) for name, kind in zip(CONTENT, _COUNTS, strict=True)}
    return Manifest(head, counts, content)


def _position(raw: object) -> Position:
    said = lines.only(raw, {"position", "at"})
    return Position(lines.count(said["position"]), None if said["at"] is None else lines.moment(said["at"]))


def _promise(raw: object, number: int) -> Content:
    said = lines.only(raw, {"sha256", "size"})
    return Content(lines.text(said["sha256"]), lines.count(said["size"]), number)
