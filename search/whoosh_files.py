"""Files of the embedded index: arrays in one file a segment, a manifest that says which files count.

Hides bytes, checksums, the lock and the order of writes from the rest of the engine. Nothing here can
run code when it is read: arrays are raw bytes of a stated type, all else is JSON. The manifest is written
last and put in place by one rename, so that whoever is killed leaves the old index or the new one; files
that no manifest names are orphans, and the next writer removes them.
"""

from __future__ import annotations

import bisect
import fcntl
import hashlib
import itertools
import json
import mmap
import os
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb.errors import IndexOutdated
from kb.french import ANALYSIS
from search.engine import FACETS, FIELDS

Array = npt.NDArray[Any]

FORMAT = 2
"""Version of the files. Another one is never read: the index is rebuilt."""

MANIFEST = "manifest.json"
_MAGIC = b"CARBET01"
_ALIGN = 64  # a cache line: arrays start where numpy's vector loops like them to
_END = struct.Struct("<QQ8s")  # offset and length of the table of contents, then the magic again


@dataclass(frozen=True, slots=True)
class FileNote:
    """One file of the index as the manifest knows it. ``size`` in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SegmentNote:
    """One segment: its file, what it counts, and the file of its deleted records if any are."""

    file: FileNote
    records: int
    pages: int
    deleted: int = 0
    deletions: FileNote | None = None

    @property
    def files(self) -> tuple[FileNote, ...]:
        """All files of the segment."""
        return (self.file, self.deletions) if self.deletions else (self.file,)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which segments make the index, and the place in the change feed that they reach."""

    generation: int = 0
    position: int = 0
    segments: tuple[SegmentNote, ...] = ()

    @property
    def names(self) -> set[str]:
        """Names of all files that count."""
        return {file.name for segment in self.segments for file in segment.files}


class Strings(Sequence[bytes]):
    """A table of UTF-8 strings, read where it lies. In sorted tables ``bisect`` finds a string."""

    __slots__ = ("_bytes", "_starts")

    def __init__(self, raw: Array, starts: Array) -> None:
        self._bytes = raw.data
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: Any) -> Any:
        return bytes(self._bytes[self._starts[index] : self._starts[index + 1]])

    def __iter__(self) -> Iterator[bytes]:
        raw, starts = bytes(self._bytes), self._starts.tolist()
        return (raw[a:b] for a, b in itertools.pairwise(starts))

    def text(self, index: int) -> str:
        """The string at ``index``."""
        return str(self._bytes[self._starts[index] : self._starts[index + 1]], "utf-8")

    def texts(self) -> list[str]:
        """All strings."""
        return [raw.decode() for raw in self]

    def find(self, text: str) -> int:
        """Where ``text`` stands in a sorted table; -1 if it does not."""
        wanted = text.encode()
        at = bisect.bisect_left(self, wanted)
        return at if at < len(self) and self[at] == wanted else -1


def string_arrays(name: str, strings: Iterable[str]) -> dict[str, Array]:
    """The two arrays that keep a table of strings."""
    raw = [string.encode() for string in strings]
    starts = np.zeros(len(raw) + 1, dtype=np.int64)
    np.cumsum([len(r) for r in raw], out=starts[1:])
    return {f"{name}.bytes": np.frombuffer(b"".join(raw), dtype=np.uint8), f"{name}.starts": starts}


class ArrayFile:
    """Named arrays of one file, mapped into memory and never copied. Raises IndexOutdated if damaged."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            start, length, magic = _END.unpack(self._map[-_END.size :])
            if magic != _MAGIC or self._map[: len(_MAGIC)] != _MAGIC:
                raise ValueError("not a file of this index")
            self._table: dict[str, tuple[str, int, int]] = json.loads(self._map[start : start + length])
        except FileNotFoundError:
            raise
        except (OSError, ValueError, struct.error) as error:
            raise IndexOutdated(f"{path.name}: {error}") from error

    def __getitem__(self, name: str) -> Array:
        kind, start, count = self._table[name]
        return np.frombuffer(self._map, dtype=np.dtype(kind), count=count, offset=start)

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def strings(self, name: str) -> Strings:
        """A table written by ``string_arrays``."""
        return Strings(self[f"{name}.bytes"], self[f"{name}.starts"])


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> FileNote:
    """Keep ``arrays`` in one new file, flushed to the disk."""
    table: dict[str, tuple[str, int, int]] = {}
    parts: list[bytes | memoryview] = [_MAGIC]
    at = len(_MAGIC)
    for name, array in arrays.items():
        parts.append(bytes(-at % _ALIGN))
        at += -at % _ALIGN
        table[name] = (array.dtype.str, at, len(array))
        if len(array):
            parts.append(np.ascontiguousarray(array).data.cast("B"))
        at += array.nbytes
    toc = json.dumps(table, separators=(",", ":")).encode()
    parts += [toc, _END.pack(at, len(toc), _MAGIC)]
    return write_file(path, parts)


def write_file(path: Path, parts: Iterable[bytes | memoryview]) -> FileNote:
    """Keep ``parts`` in one new file, flushed to the disk."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
            size += len(part)
        file.flush()
        os.fsync(file.fileno())
    return FileNote(path.name, size, digest.hexdigest())


def new_name(suffix: str) -> str:
    """A file name that no earlier index of this folder has used."""
    return f"{secrets.token_hex(8)}{suffix}"


def stamp(folder: Path) -> tuple[int, int, int] | None:
    """What changes when another manifest is in place; None if there is none. Costs one ``stat``."""
    try:
        found = os.stat(folder / MANIFEST)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_manifest(folder: Path) -> Manifest:
    """The manifest of ``folder``, an empty one if there is none. Raises IndexOutdated when it is damaged, of
    another version of the files, of the French analysis or of the fields, or names a file of another size."""
    try:
        kept = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError) as error:
        raise IndexOutdated(f"{MANIFEST}: {error}") from error
    if not isinstance(kept, dict) or kept.get("checksum") != _checksum(kept.get("index")):
        raise IndexOutdated(f"{MANIFEST}: damaged")
    if kept["index"]["versions"] != _versions():
        raise IndexOutdated("the index was made by another version")
    manifest = _manifest(kept["index"])
    for segment in manifest.segments:
        for file in segment.files:
            if (size := (folder / file.name).stat().st_size) != file.size:
                raise IndexOutdated(f"{file.name}: {size} bytes instead of {file.size}")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put ``manifest`` in place: its files first reach the disk, then it replaces the old one at once."""
    index = {**asdict(manifest), "versions": _versions()}
    kept = json.dumps({"index": index, "checksum": _checksum(index)}, indent=1).encode()
    beside = folder / f"{MANIFEST}.new"
    write_file(beside, [kept])
    sync_folder(folder)
    beside.replace(folder / MANIFEST)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Flush the names of ``folder`` to the disk: without it a rename may be lost with the power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_orphans(folder: Path, manifest: Manifest) -> None:
    """Remove what killed or finished writers left: all files that ``manifest`` does not name. For the holder
    of the lock only."""
    kept = manifest.names | {MANIFEST, _LOCK}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink(missing_ok=True)


def damaged(folder: Path, manifest: Manifest) -> list[str]:
    """Names of the files whose bytes are not those that were written. Reads all of them."""
    return [
        file.name
        for segment in manifest.segments
        for file in segment.files
        if _sha256(folder / file.name) != file.sha256
    ]


@contextmanager
def write_lock(folder: Path) -> Iterator[None]:
    """Be the only writer of ``folder``, among all threads and processes; waits as long as it takes. The
    system lets go of the lock when its holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_LOCK = "lock"


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _versions() -> dict[str, Any]:
    fields = [[name, field.exact] for name, field in FIELDS.items()]
    return {"format": FORMAT, "analysis": ANALYSIS, "fields": fields, "facets": list(FACETS)}


def _checksum(index: Any) -> str:
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()


def _manifest(index: Mapping[str, Any]) -> Manifest:
    return Manifest(
        index["generation"], index["position"], tuple(_segment(note) for note in index["segments"])
    )


def _segment(note: Mapping[str, Any]) -> SegmentNote:
    deletions = note["deletions"]
    return SegmentNote(
        FileNote(**note["file"]),
        note["records"],
        note["pages"],
        note["deleted"],
        FileNote(**deletions) if deletions else None,
    )
