"""What comes out of archives and messages, what is left out, and what cannot be done to us by either."""

from __future__ import annotations

import email
import email.policy
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import containers, readers, zips
from ingest.containers import Opened
from ingest.isolation import Sandbox
from kb.errors import Reason, StorageError, UnreadableDocument

Inbox = Callable[[str, bytes | str], Path]


@pytest.fixture
def unpack(sandbox: Sandbox, tmp_path: Path) -> Callable[[Path], Opened]:
    folder = tmp_path / "out"
    folder.mkdir()
    return lambda path: containers.unpack(path, sandbox, folder)


def reason_of(unpack: Callable[[Path], Opened], path: Path) -> Reason:
    with pytest.raises(UnreadableDocument) as caught:
        unpack(path)
    return caught.value.reason


def contents(opened: Opened) -> dict[str, bytes]:
    return {member.name: member.path.read_bytes() for member in opened.members}


# -- which files hold others


def test_an_archive_is_a_container_and_a_document_is_not(make: Any, tmp_path: Path, inbox: Inbox) -> None:
    archive = make.zipped(tmp_path / "a.docx", ("note.txt", b"bonjour"))
    assert containers.is_container(archive)
    documents = [
        make.docx(tmp_path / "b.docx", make.paragraph(make.text)),
        make.odt(tmp_path / "b.odt", "<text:p>x</text:p>"),
        make.pptx(tmp_path / "b.pptx", ("a", "b", "c")),
        make.xlsx(tmp_path / "b.xlsx", ["a"]),
        make.epub(tmp_path / "b.epub", ("a", "b")),
        inbox("a.pdf", make.pdf(make.text)),
        inbox("a.txt", "PK, ou pas"),
        inbox("vide.zip", b""),
    ]
    assert not any(map(containers.is_container, documents))


def test_a_damaged_archive_is_left_to_the_reader_which_says_so(make: Any, tmp_path: Path) -> None:
    path = make.zipped(tmp_path / "a.zip", ("note.txt", b"bonjour"))
    path.write_bytes(path.read_bytes()[:40])
    assert not containers.is_container(path)
    with pytest.raises(UnreadableDocument) as caught:
        readers.format_of(path)
    assert caught.value.reason is Reason.DAMAGED


def test_an_archive_that_announces_a_long_list_is_not_read_to_be_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFF0, 0, 0)
    path.write_bytes(b"PK\x03\x04" + b"\0" * 100 + end)
    assert containers.is_container(path)


def inflating(path: Path, megabytes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("mimetype", "w") as member:
        for _ in range(megabytes):
            member.write(bytes(1 << 20))
    return path


def test_no_member_is_inflated_to_tell_what_a_file_is(tmp_path: Path) -> None:
    path = inflating(tmp_path / "a.docx", 200)
    tracemalloc.start()
    try:
        assert containers.is_container(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_mark_that_cannot_be_inflated_is_damage_and_ends_nothing(
    method: int, make: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("mimetype", random.Random(1).randbytes(200))
    content = bytearray(path.read_bytes())
    start = content.find(b"mimetype") + len("mimetype")
    content[start + 9 : start + 40] = b"\xff" * 31
    path.write_bytes(content)
    assert not containers.is_container(path)


@pytest.mark.parametrize("lie", ["zip64", "mark in the record"])
def test_a_long_list_cannot_be_hidden(lie: str, tmp_path: Path) -> None:
    long = 100_000_000
    if lie == "zip64":
        record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, long, 0)
        end = record + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
        end += struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 9, 9, 400, 0, 0)
    else:
        end = struct.pack("<4sHHHH4s4sH", b"PK\x05\x06", 0, 0, 9, 9, b"PK\x05\x06", bytes(4), 0)
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(5000) + end)
    assert zips._length_of_list(path) >= long
    assert containers.is_container(path)


def test_only_a_message_with_attachments_is_a_container(make: Any, inbox: Inbox) -> None:
    assert containers.is_container(inbox("a.eml", make.eml("Objet", make.text, ("a.pdf", b"%PDF-"))))
    assert not containers.is_container(inbox("b.eml", make.eml("Objet", make.text)))
    quoted = make.eml("Objet", f"{make.text}\n\nContent-Disposition: attachment\n")
    assert containers.is_container(inbox("c.eml", quoted))  # taken for one: its only member is itself


# -- archives


def test_members_come_out_in_order_with_their_bytes(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    large = random.Random(1).randbytes(5_000_000)
    path = make.zipped(
        tmp_path / "a.zip", ("bilan.pdf", b"%PDF-"), ("dossier/", b""), ("dossier/été/plan.txt", large)
    )
    opened = unpack(path)
    assert contents(opened) == {"bilan.pdf": b"%PDF-", "dossier/été/plan.txt": large}
    assert [member.path.name for member in opened.members] == ["bilan.pdf", "plan.txt"]
    assert opened.left_out == ()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_stay_apart(make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]) -> None:
    path = make.zipped(tmp_path / "a.zip", ("a.txt", b"un"), ("a.txt", b"deux"), ("A.TXT", b"trois"))
    members = unpack(path).members
    assert [member.path.read_bytes() for member in members] == [b"un", b"deux", b"trois"]
    assert [member.name for member in members] == ["a.txt", "a (2).txt", "A.TXT"]
    assert len({member.path for member in members}) == 3


def test_what_may_not_come_out_is_left_out_with_its_reason(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    link = zipfile.ZipInfo("lien")
    link.external_attr = 0o120777 << 16
    path = make.zipped(
        tmp_path / "a.zip",
        ("../../dehors.txt", b"x"),
        ("/etc/passwd", b"x"),
        ("C:/Windows/x.txt", b"x"),
        (link, b"/etc/passwd"),
        ("vide.txt", b""),
        ("bombe.txt", b"\0" * 5_000_000),
        ("__MACOSX/._a.txt", b"x"),
        (".DS_Store", b"x"),
        ("bon.txt", b"bonjour"),
    )
    opened = unpack(path)
    assert contents(opened) == {"bon.txt": b"bonjour"}
    outside = "son nom désigne un endroit hors de l’archive"
    assert opened.left_out == (
        f"« ../../dehors.txt » laissé de côté : {outside}",
        f"« /etc/passwd » laissé de côté : {outside}",
        f"« C:/Windows/x.txt » laissé de côté : {outside}",
        "« lien » laissé de côté : c’est un lien, et non un fichier",
        "« vide.txt » laissé de côté : vide",
        "« bombe.txt » laissé de côté : il grossirait de plus de cent fois une fois ouvert",
        "2 fichier(s) laissé(s) de côté : fichier de service du système",
    )
    assert {path.name for path in tmp_path.rglob("*.txt")} == {"bon.txt"}


def test_a_damaged_member_leaves_no_half_of_itself(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    noise = random.Random(1).randbytes(3_000_000)
    path = make.zipped(tmp_path / "a.zip", ("a.bin", noise), ("b.txt", b"bonjour"))
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)
    opened = unpack(path)
    assert contents(opened) == {"b.txt": b"bonjour"}
    assert opened.left_out == ("« a.bin » laissé de côté : endommagé",)
    assert not list(tmp_path.rglob("a.bin"))


def locked(path: Path) -> Path:
    """The archive with all its members marked as encrypted."""
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            content[start + place] |= 1
    path.write_bytes(content)
    return path


def test_an_archive_under_a_password_is_locked(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    path = locked(make.zipped(tmp_path / "a.zip", ("a.txt", b"bonjour"), ("b.txt", b"bonsoir")))
    assert containers.is_container(path)
    assert reason_of(unpack, path) is Reason.LOCKED


def test_an_archive_of_nothing_is_empty(make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]) -> None:
    path = make.zipped(tmp_path / "a.zip", ("dossier/", b""))
    assert reason_of(unpack, path) is Reason.EMPTY


def test_members_over_the_same_bytes_are_damage(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    content = make.zipped(tmp_path / "a.zip", ("a.txt", bytes(range(256)) * 40)).read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[start:end]
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 50, 50, 50 * len(entry), start, 0)
    path = tmp_path / "b.zip"
    path.write_bytes(content[:start] + entry * 50 + tail)
    assert reason_of(unpack, path) is Reason.DAMAGED


def test_no_more_members_than_are_allowed_come_out(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    opened = unpack(make.zipped(tmp_path / "a.zip", *((f"{i}.txt", b"x") for i in range(2_003))))
    assert len(opened.members) == 2_000
    assert opened.left_out == ("3 fichier(s) laissé(s) de côté : l’archive contient plus de 2 000 fichiers",)


@pytest.mark.parametrize("charset", ["cp850", "utf-8"])
def test_old_names_are_read_as_windows_and_mac_wrote_them(
    charset: str, make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    raw = "Été à Schoelcher.txt".encode(charset)
    path = make.zipped(tmp_path / "a.zip", ("x" * len(raw), b"bonjour"))
    path.write_bytes(path.read_bytes().replace(b"x" * len(raw), raw))
    assert [member.name for member in unpack(path).members] == ["Été à Schoelcher.txt"]


def test_names_are_safe_to_write_and_keep_their_endings(
    make: Any, tmp_path: Path, unpack: Callable[[Path], Opened]
) -> None:
    names = ["é" * 150 + ".docx", "a\x07b\u202e.pdf", ".cache.txt", "dossier\\plan.odt"]
    members = unpack(make.zipped(tmp_path / "a.zip", *((name, b"x") for name in names))).members
    assert [member.path.suffix for member in members] == [".docx", ".pdf", ".txt", ".odt"]
    assert members[1].path.name == "a b .pdf"
    assert members[2].path.name == "cache.txt"
    assert members[3].name == "dossier/plan.odt"
    assert all(len(member.path.name.encode()) <= 130 for member in members)


def test_an_archive_in_an_archive_is_a_member_until_it_is_too_deep(
    make: Any, tmp_path: Path, sandbox: Sandbox, unpack: Callable[[Path], Opened]
) -> None:
    inner = make.zipped(tmp_path / "b.zip", ("a.txt", b"bonjour")).read_bytes()
    [member] = unpack(make.zipped(tmp_path / "a.zip", ("b.zip", inner))).members
    assert containers.is_container(member.path)
    with pytest.raises(UnreadableDocument) as caught:
        containers.unpack(member.path, sandbox, tmp_path, depth=containers.DEEPEST)
    assert caught.value.reason is Reason.TOO_DEEP


# -- messages


def test_a_message_comes_out_without_its_attachments_and_then_each_of_them(
    make: Any, inbox: Inbox, unpack: Callable[[Path], Opened]
) -> None:
    files = [("Bilan été.pdf", b"%PDF-1.4"), ("../a.txt", b"bonjour")]
    opened = unpack(inbox("a.eml", make.eml("Réunion – bilan", make.text, *files)))
    assert [member.name for member in opened.members] == ["message.eml", "Bilan été.pdf", "a.txt"]
    assert contents(opened)["Bilan été.pdf"] == b"%PDF-1.4"
    alone = opened.members[0].path
    assert not containers.is_container(alone)
    [draft] = readers.read(alone)
    assert (draft.title, draft.date, draft.agents[0].name) == ("Réunion – bilan", "2011-06-15", "Roy, Léa")
    assert draft.pages[0].text == make.text


def test_a_message_that_quotes_the_mark_of_an_attachment_comes_out_once(
    make: Any, inbox: Inbox, unpack: Callable[[Path], Opened]
) -> None:
    quoted = f"{make.text}\n\nContent-Disposition: attachment\n"
    [alone] = unpack(inbox("a.eml", make.eml("Objet", quoted))).members
    assert not containers.is_container(alone.path)


def test_a_message_attached_to_another_is_a_member(
    make: Any, inbox: Inbox, unpack: Callable[[Path], Opened]
) -> None:
    inner = email.message_from_bytes(make.eml("Dedans", make.text, ("b.pdf", b"x")), policy=email.policy.SMTP)
    outer = email.message_from_bytes(make.eml("Dehors", make.text, ("a.pdf", b"x")), policy=email.policy.SMTP)
    outer.add_attachment(inner)  # type: ignore[attr-defined]
    opened = unpack(inbox("a.eml", outer.as_bytes()))
    assert [member.path.suffix for member in opened.members] == [".eml", ".pdf", ".eml"]
    assert containers.is_container(opened.members[2].path)
    assert b"Dedans" in opened.members[2].path.read_bytes()


def test_a_message_that_says_nothing_gives_its_attachments_only(
    make: Any, inbox: Inbox, unpack: Callable[[Path], Opened]
) -> None:
    opened = unpack(inbox("a.eml", make.eml("", "", ("a.pdf", b"x"))))
    assert [member.name for member in opened.members] == ["a.pdf"]


# -- a child that lies


@pytest.mark.parametrize(
    "frames",
    [
        [b"na"] * 2_001,
        [b"?"],
        [b""],
        [b"bonjour"],
        [b"na", b'x["a", "nouveau", true]'],
        [b'x["a"]'],
        [b"x[[[[[["],
        [b'x[1, "empty", true]'],
    ],
)
def test_a_child_that_says_what_it_may_not_is_not_believed(frames: list[bytes], tmp_path: Path) -> None:
    arrival = containers._Arrival(tmp_path)
    *before, last = frames
    for frame in before:
        arrival.take(frame)
    with pytest.raises(UnreadableDocument) as caught:
        arrival.take(last)
    arrival.close()
    assert caught.value.reason is Reason.CRASHED


def test_a_member_that_is_read_already_is_not_cut_when_its_archive_comes_twice(tmp_path: Path) -> None:
    first, second = containers._Arrival(tmp_path), containers._Arrival(tmp_path)
    for frame in (b"na.txt", b"bbonjour"):
        first.take(frame)
    first.close()
    second.take(b"na.txt")
    assert first.members[0].path.read_bytes() == b"bonjour"
    second.take(b"bbon")  # another one of that name, shorter: nothing of the first stays behind it
    second.close()
    assert second.members[0].path.read_bytes() == b"bon"


def test_a_disk_that_refuses_or_is_nearly_full_is_no_fault_of_the_archive(
    make: Any, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make.zipped(tmp_path / "a.zip", ("a.txt", b"bonjour"))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError):
        containers.unpack(path, sandbox, tmp_path / "file" / "out")
    monkeypatch.setattr(containers, "_RESERVE", 1 << 62)
    with pytest.raises(StorageError):
        containers.unpack(path, sandbox, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_name_that_climbs_is_written_in_its_own_folder(tmp_path: Path) -> None:
    arrival = containers._Arrival(tmp_path)
    for frame in (b"n../../../tmp/x/../..", b"bbonjour", b"n/", b"n\xff"):
        arrival.take(frame)
    arrival.close()
    climbed, nameless, odd = arrival.members
    assert climbed.path == tmp_path / "0001" / "x"
    assert (climbed.name, climbed.path.read_bytes()) == ("tmp/x", b"bonjour")
    assert (nameless.name, nameless.path) == ("sans nom", tmp_path / "0002" / "sans nom")
    assert odd.path == tmp_path / "0003" / "\ufffd"
