"""The key pair by which a centre signs what it sends, and how people know whose key it is.

Hides Ed25519 (RFC 8032), the file of the private key beside the secret of the installation (``kb.secret``),
and how a public key is said over the telephone. Keys are 64 hexadecimal digits, signatures 64 bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kb.errors import ConfigError, StorageError

FILE = "centre.key"
SIGNATURE_BYTES = 64
_KEY = re.compile(r"[0-9a-f]{64}")
_GROUPS, _DIGITS = 6, 5
"""Thirty decimal digits, near 100 bits: nobody makes a second key that says the same, and French people read
figures to each other more surely than the letters B, D, P and T."""


class CentreKey:
    """The key pair of a data folder, made when it has none. ``public`` is what others are given."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        self._private = _read(path) if path.exists() else _first(path)
        self.public = self._private.public_key().public_bytes_raw().hex()

    @property
    def fingerprint(self) -> str:
        """What people of the centre read to those who received something from it."""
        return fingerprint(self.public)

    def sign(self, message: bytes) -> bytes:
        """What ``verify`` accepts for this message and for no other."""
        return self._private.sign(message)


def regular_key(text: str) -> str | None:
    """The public key in a text that somebody pasted, blanks and capitals aside; None if it is none."""
    key = re.sub(r"[\s:-]", "", text).lower()
    return key if _KEY.fullmatch(key) else None


def fingerprint(key: str) -> str:
    """A public key as people compare it: "48213 07755 ...", six groups of five figures. Raises ValueError for
    what is no key."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r:.80} is not a public key")
    digest = hashlib.sha256(b"carbet centre key\0" + bytes.fromhex(key)).digest()
    figures = str(int.from_bytes(digest) % 10 ** (_GROUPS * _DIGITS)).zfill(_GROUPS * _DIGITS)
    return " ".join(figures[start : start + _DIGITS] for start in range(0, len(figures), _DIGITS))


def verify(key: str, signature: bytes, message: bytes) -> bool:
    """Whether who holds ``key`` signed exactly these bytes; False too for what is no key or no signature."""
    if not _KEY.fullmatch(key) or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _first(path: Path) -> Ed25519PrivateKey:
    """Make the file, unless another process was quicker: all of them then use that one's."""
    with suppress(FileExistsError):
        _write(path, Ed25519PrivateKey.generate())
    return _read(path)


def _read(path: Path) -> Ed25519PrivateKey:
    """The key, without showing any of it where it is damaged."""
    try:
        line = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}") from error
    if not _KEY.fullmatch(line):
        raise ConfigError(f"{path}: expected a key of 64 hexadecimal digits")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(line))


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    """Whole or not at all, readable by its owner only. Raises FileExistsError rather than replace one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=FILE, dir=path.parent)  # made with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(key.private_bytes_raw().hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        if not path.exists():  # the folder's own place is taken by a file
            raise StorageError(f"{path.parent} is not a folder") from None
        raise
    except OSError as error:
        raise StorageError(str(error)) from error
