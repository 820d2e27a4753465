"""The secret of this installation: one file of random keys, newest first, in the data folder.

Hides where it is and what is derived from it. Signing cookies, encrypting second factors and blinding
addresses each get a key of their own (HMAC-SHA256 of a purpose, as RFC 5869 expands). After a rotation the
former key still reads what it wrote; ``KEPT`` says how many are kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from kb.errors import ConfigError, StorageError

FILE = "secret.key"
KEPT = 3
_BYTES = 32


class Keyring:
    """The keys of a data folder, read once."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._keys = _read(self._path) if self._path.exists() else _first(self._path)
        self._cipher = MultiFernet([Fernet(base64.urlsafe_b64encode(k)) for k in self._derived("encryption")])

    def _derived(self, purpose: str) -> list[bytes]:
        return [hmac.digest(key, purpose.encode(), "sha256") for key in self._keys]

    def signing(self) -> list[str]:
        """Keys for signed cookies, the one to sign with first."""
        return [key.hex() for key in self._derived("cookies")]

    def blind(self, text: str) -> str:
        """A digest that tells whether two texts are the same, and nothing else: 64 hexadecimal digits."""
        return hmac.new(self._derived("blinding")[0], text.encode(), hashlib.sha256).hexdigest()

    def encrypt(self, text: str) -> str:
        """What ``decrypt`` reads again."""
        return self._cipher.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """The text. Raises ConfigError when no key that is kept wrote it."""
        try:
            return self._cipher.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise ConfigError(f"{FILE}: no key that is kept here can read a stored secret") from error

    def recrypt(self, token: str) -> str:
        """The same text under the newest key."""
        return self.encrypt(self.decrypt(token))

    def rotated(self) -> Keyring:
        """The keyring with a new key in front, written to its file."""
        _write(self._path, [secrets.token_bytes(_BYTES), *self._keys][:KEPT])
        return Keyring(self._path.parent)


def _first(path: Path) -> list[bytes]:
    """Make the file, unless another process was quicker: all of them then use that one's."""
    with suppress(FileExistsError):
        _write(path, [secrets.token_bytes(_BYTES)], replace=False)
    return _read(path)


def _read(path: Path) -> list[bytes]:
    try:
        keys = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not keys or any(len(key) != _BYTES for key in keys):
        raise ConfigError(f"{path}: expected keys of {2 * _BYTES} hexadecimal digits")
    return keys


def _write(path: Path, keys: list[bytes], *, replace: bool = True) -> None:
    """Whole or not at all, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=FILE, dir=path.parent)  # made with mode 0600
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("".join(key.hex() + "\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        try:
            if replace:
                Path(name).replace(path)
            else:
                os.link(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageError(str(error)) from error
