from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from ingest import arrivals
from ingest.arrivals import find, problem_of
from ingest.holdings import text_of, with_subjects
from ingest.isolation import Limits, Sandbox
from ingest.outcomes import Outcome, Status
from ingest.pipeline import ingest
from ingest.tagging import Suggestion, Tagger, Text
from kb.config import Config
from kb.database import Store
from kb.errors import Reason, StorageError
from kb.records import Evidence, Origin, Record, State

Inbox = Callable[[str, bytes | str], Path]
Run = Callable[..., list[Outcome]]

THEME = "https://example.org/themes/"


@pytest.fixture
def run(store: Store, tagger: Tagger, sandbox: Sandbox) -> Run:
    def taken(*paths: Path, **options: Any) -> list[Outcome]:
        return list(ingest(paths, store, tagger, centre="vc", **{"sandbox": sandbox, **options}))

    return taken


def page(title: str, text: str) -> str:
    return f"<html><head><title>{title}</title></head><body><p>{text}</p></body></html>"


def drawing() -> bytes:
    """A picture without a word on it."""
    written = io.BytesIO()
    picture = Image.new("L", (600, 800), 255)
    picture.paste(90, (100, 200, 500, 260))
    picture.save(written, "PNG")
    return written.getvalue()


def test_a_document_is_kept_whole(run: Run, store: Store, make: Any, inbox: Inbox) -> None:
    path = inbox(
        "guide.pdf", make.pdf("Guide de la médiation sociale\n" + make.text, make.text, first_size=24)
    )
    (outcome,) = run(path)
    assert (outcome.status, outcome.path, outcome.pages, outcome.reason) == (Status.PUBLISHED, path, 2, None)
    record = store.get(outcome.ids[0])
    assert (record.title, record.type, record.language) == ("Guide de la médiation sociale", "guide", "fr")
    assert [p.number for p in store.pages(record.id)] == [1, 2]
    (file,) = record.files
    assert (file.name, file.media_type, file.pages, file.size) == (
        "guide.pdf",
        "application/pdf",
        2,
        path.stat().st_size,
    )
    assert store.originals.path(file.sha256).read_bytes() == path.read_bytes()
    assert record.source == str(path)


def test_subjects_are_proposed_with_their_evidence(run: Run, store: Store, make: Any, inbox: Inbox) -> None:
    (outcome,) = run(inbox("a.html", page("La médiation sociale", make.text * 3)))
    (subject, *_) = store.get(outcome.ids[0]).subjects
    assert (subject.concept, subject.origin, subject.state) == (THEME + "T06", Origin.MACHINE, State.PROPOSED)
    assert 0 < subject.score <= 1
    for evidence in subject.evidence:
        if evidence.page:
            assert (
                store.page(outcome.ids[0], evidence.page).text[evidence.start : evidence.end] == evidence.text
            )


def test_a_second_run_changes_nothing_and_says_so(run: Run, store: Store, make: Any, inbox: Inbox) -> None:
    inbox("a.html", page("Titre un", make.text))
    inbox("b.csv", "titre;cote;exemplaires\nUn livre;C 1;2\nUn autre;;1\n")
    inbox("c.mrc", make.unimarc(("001", "7"), ("200", "1 $aNotice"), ("801", " 0$bVC")))
    folder = inbox("d.png", drawing()).parent
    first = run(folder)
    before = (store.position(), len(store))
    second = run(folder)
    assert [o.status for o in first] == [Status.PUBLISHED] * 3 + [Status.WAITING]
    assert [o.status for o in second] == [Status.UNCHANGED] * 3 + [Status.WAITING]
    assert [o.ids for o in second] == [o.ids for o in first]
    assert (store.position(), len(store)) == before


def test_the_same_bytes_under_two_names_are_one_record(
    run: Run, store: Store, make: Any, inbox: Inbox
) -> None:
    inbox("a.html", page("Titre", make.text))
    folder = inbox("b.html", page("Titre", make.text)).parent
    first, second = run(folder)
    assert (first.status, second.status, first.ids) == (Status.PUBLISHED, Status.UNCHANGED, second.ids)
    assert len(store) == 1


def test_new_bytes_at_a_known_place_update_its_record(
    run: Run, store: Store, make: Any, inbox: Inbox
) -> None:
    (first,) = run(inbox("a.html", page("Titre", make.text)))
    (second,) = run(inbox("a.html", page("Titre revu", make.text + " Fin.")))
    assert (second.status, second.ids) == (Status.UPDATED, first.ids)
    record = store.get(first.ids[0])
    assert (record.title, len(record.files), len(store)) == ("Titre revu", 1, 1)
    assert store.pages(record.id)[0].text.endswith("Fin.")


def test_what_people_decided_outlives_a_new_reading(run: Run, store: Store, make: Any, inbox: Inbox) -> None:
    path = inbox("a.html", page("Médiation sociale", make.text))
    (outcome,) = run(path)
    record = store.get(outcome.ids[0])
    refused = tuple(dataclasses.replace(s, state=State.REFUSED) for s in record.subjects)
    assert refused
    added = dataclasses.replace(
        refused[0], concept=THEME + "T12", origin=Origin.LIBRARIAN, state=State.ACCEPTED
    )
    store.save(dataclasses.replace(record, subjects=(*refused, added), call_number="AME 12"))
    run(inbox("a.html", page("Médiation sociale", make.text + " Fin.")))
    held = store.get(outcome.ids[0])
    assert {s.concept: s.state for s in held.subjects if s.concept in {r.concept for r in refused}} == {
        r.concept: State.REFUSED for r in refused
    }
    assert dataclasses.replace(added, evidence=()) in held.subjects
    assert held.call_number == "AME 12"


def test_key_words_in_a_file_s_own_properties_wait_for_a_person(
    run: Run, store: Store, make: Any, inbox: Inbox
) -> None:
    meta = '<meta name="DC.subject" content="Santé">'
    (outcome,) = run(inbox("a.html", page("Titre", make.text).replace("<head>", "<head>" + meta)))
    record = store.get(outcome.ids[0])
    (subject,) = (s for s in record.subjects if s.concept == THEME + "T12")
    assert (subject.origin, subject.state) == (Origin.SOURCE, State.PROPOSED)
    accepted = dataclasses.replace(subject, state=State.ACCEPTED)
    store.save(dataclasses.replace(record, subjects=(accepted,)))
    run(inbox("a.html", page("Titre", make.text + " Fin.")))
    (kept,) = (s for s in store.get(outcome.ids[0]).subjects if s.concept == THEME + "T12")
    assert (kept.origin, kept.state) == (Origin.SOURCE, State.ACCEPTED)
    assert [evidence.text for evidence in kept.evidence] == ["Santé"]


def test_one_bad_file_never_stops_the_others(run: Run, make: Any, inbox: Inbox) -> None:
    inbox("1-vide.pdf", b"")
    inbox("2-bruit.pdf", bytes(range(1, 256)) * 9)
    inbox("3-image.png", b"\x89PNG\r\n\x1a\n")
    inbox("4-dessin.png", drawing())
    inbox("5-table.csv", "nom\nx\n")
    inbox(".cache", "x")
    folder = inbox("6-bon.html", page("Bon", make.text)).parent
    os.mkfifo(folder / "7-tuyau")
    (folder / "8-perdu").symlink_to(folder / "absent")
    (folder / "9-lien").symlink_to(folder.parent)
    outcomes = {o.path.name: (str(o.status), o.reason) for o in run(folder, folder / "absent.pdf")}
    assert outcomes == {
        ".cache": ("refused", Reason.UNSUPPORTED),
        "1-vide.pdf": ("refused", Reason.EMPTY),
        "2-bruit.pdf": ("refused", Reason.DAMAGED),
        "3-image.png": ("refused", Reason.DAMAGED),
        "4-dessin.png": ("waiting", Reason.NO_TEXT),
        "5-table.csv": ("refused", Reason.BAD_RECORDS),
        "6-bon.html": ("published", None),
        "7-tuyau": ("refused", Reason.UNSUPPORTED),
        "8-perdu": ("refused", Reason.MISSING),
        "9-lien": ("refused", Reason.UNSUPPORTED),
        "absent.pdf": ("refused", Reason.MISSING),
    }


def test_limits_end_a_reading_with_their_reason(run: Run, make: Any, inbox: Inbox) -> None:
    path = inbox("gros.txt", (make.text + "\n\n") * 2_000)
    for limits, reason in (
        (Limits(output_bytes=100_000), Reason.TOO_LARGE),
        (Limits(idle_seconds=0), Reason.TOO_SLOW),
    ):
        with Sandbox(limits) as narrow:
            (outcome,) = run(path, sandbox=narrow)
        assert (outcome.status, outcome.reason) == (Status.REFUSED, reason)


def test_what_the_system_forbids_is_told() -> None:
    assert problem_of(PermissionError("no")).reason is Reason.NOT_ALLOWED
    assert problem_of(OSError("input/output error")).reason is Reason.DAMAGED


def test_a_document_without_text_keeps_its_original(run: Run, store: Store, inbox: Inbox) -> None:
    path = inbox("dessin.png", drawing())
    run(path)
    kept = [p for p in store.originals.folder.rglob("*") if p.is_file()]
    assert [p.read_bytes() for p in kept] == [path.read_bytes()]
    assert len(store) == 0


def test_a_folder_that_cannot_be_written_stops_the_run_and_keeps_what_was_saved(
    run: Run, store: Store, make: Any, inbox: Inbox
) -> None:
    saved = inbox("a.html", page("Premier", make.text))
    run(saved)
    sound = inbox("b.html", page("Second", make.text))
    store.originals.folder.rename(store.originals.folder.with_name("elsewhere"))
    store.originals.folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageError):
        run(sound)
    assert len(store) == 1


@pytest.fixture
def narrow_disk() -> Iterator[None]:
    """SQLite databases of 720 kB at most: an empty one takes some 440."""

    def limit(connection: Any, _: object) -> None:
        connection.execute("PRAGMA max_page_count=180")

    sa.event.listen(sa.Pool, "connect", limit)
    yield
    sa.event.remove(sa.Pool, "connect", limit)


@pytest.mark.usefixtures("narrow_disk")
def test_a_full_disk_stops_the_run_and_keeps_what_was_saved(run: Run, store: Store, inbox: Inbox) -> None:
    small = inbox("a.txt", "Les habitants du quartier ont été consultés par la commune.\n\n")
    large = inbox("b.txt", "Les habitants du quartier ont été consultés par la commune.\n\n" * 8_000)
    run(small)
    with pytest.raises(StorageError, match="full"):
        run(large)
    assert run(small)[0].status is Status.UNCHANGED
    assert len(store) == 1


def test_a_database_that_cannot_be_opened_or_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "fund" / "kb.sqlite").mkdir(parents=True)
    with pytest.raises(StorageError):
        Store.open(Config(data=tmp_path / "fund"))
    (tmp_path / "taken").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageError):
        Store.open(Config(data=tmp_path / "taken"))


def test_archives_in_archives_stay_closed_once_much_came_out(
    run: Run, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_MOST_OPENED", 1000)
    inner = make.zipped(
        tmp_path / "inner.zip", ("c.html", page("Troisième", make.text).encode())
    ).read_bytes()
    documents = [(f"{name}.html", page(name, make.text * 3).encode()) for name in ("Premier", "Deuxième")]
    outcomes = run(make.zipped(tmp_path / "a.zip", documents[0], ("inner.zip", inner), documents[1]))
    told = [(outcome.path.name, outcome.status, outcome.reason) for outcome in outcomes]
    assert told == [
        ("a.zip", Status.OPENED, None),
        ("Premier.html", Status.PUBLISHED, None),
        ("inner.zip", Status.REFUSED, Reason.TOO_LARGE),
        ("Deuxième.html", Status.PUBLISHED, None),
    ]


def test_files_are_found_once_in_order_of_name(inbox: Inbox) -> None:
    folder = inbox("b/2.txt", "x").parent.parent
    inbox("a.txt", "x")
    inbox("b/1.txt", "x")
    names = [f.path.relative_to(folder).as_posix() for f in find([folder, folder / "a.txt", folder / "b"])]
    assert names == ["a.txt", "b/1.txt", "b/2.txt"]


def test_a_name_that_is_not_utf8_is_no_obstacle(run: Run, store: Store, make: Any, inbox: Inbox) -> None:
    folder = inbox("a.html", page("Titre", make.text)).parent
    os.rename(folder / "a.html", os.path.join(os.fsencode(folder), b"\xe9t\xe9.html"))
    (outcome,) = run(folder)
    assert outcome.status is Status.PUBLISHED
    assert "\ufffd" in (store.get(outcome.ids[0]).source or "")


def test_progress_and_commits_are_told(run: Run, store: Store, make: Any, inbox: Inbox) -> None:
    for number in range(5):
        folder = inbox(f"{number}.html", page(f"Titre {number}", make.text)).parent
    progress: list[tuple[int, int]] = []
    held: list[int] = []
    run(
        folder,
        progress=lambda done, total: progress.append((done, total)),
        after_commit=lambda: held.append(len(store)),
    )
    assert progress == [(n, 5) for n in range(1, 6)]
    assert held[-1] == 5


# -- catalogues


def test_rows_become_records_and_key_words_of_the_vocabulary_subjects(
    run: Run, store: Store, inbox: Inbox
) -> None:
    (outcome,) = run(inbox("f.csv", "titre;cote;mots-clés\nUn livre;AME 12;médiation sociale / métier\n"))
    record = store.get(outcome.ids[0])
    assert (record.call_number, record.language, record.files) == ("AME 12", "fr", ())
    subject = next(s for s in record.subjects if s.concept == THEME + "T06")
    assert (subject.origin, subject.state) == (Origin.SOURCE, State.ACCEPTED)
    assert record.keywords == ("médiation sociale", "métier")


def test_every_subject_has_its_reason_at_its_place(run: Run, store: Store, inbox: Inbox) -> None:
    rows = "titre;sous-titre;résumé;mots-clés\n"
    rows += (
        "Un livre;Deuxième;Sur la santé.;Santé -- histoire / santé / rénovation urbaine / médiation sociale\n"
    )
    (outcome,) = run(inbox("f.csv", rows))
    record = store.get(outcome.ids[0])
    front = text_of(record).front
    assert front.startswith("Un livre : Deuxième\nSur la santé.\nSanté -- histoire ; santé")
    assert {s.concept for s in record.subjects} == {THEME + code for code in ("T06", "T08", "T12")}
    for subject in record.subjects:
        assert subject.evidence
        assert all(front[e.start : e.end] == e.text and e.page == 0 for e in subject.evidence)


def test_a_key_word_is_a_reason_by_itself(store: Store) -> None:
    record = Record(id="vc:1", title="Titre", keywords=("santé mentale", "santé"))
    made = with_subjects(record, store.thesaurus(), (), catalogued=True)
    (subject,) = made.subjects
    assert subject.evidence == (Evidence(0, 22, 27, "santé"),)
    assert text_of(record).front[22:27] == "santé"


def test_a_changed_row_updates_its_record_and_no_other(run: Run, store: Store, inbox: Inbox) -> None:
    (first,) = run(inbox("f.csv", "titre;cote;année\nUn;C 1;2001\nDeux;C 2;2002\n"))
    (second,) = run(inbox("f.csv", "titre;cote;année\nUn, revu;C 1;2001\nDeux;C 2;2002\nTrois;C 3;2003\n"))
    assert second.ids[:2] == first.ids
    assert store.get(first.ids[0]).title == "Un, revu"
    assert len(store) == 3


class Meanwhile:
    """Proposes no subjects; something else happens the first time that it is asked."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens: list[Callable[[], object]] = [happens]

    def suggest(self, texts: Iterable[Text]) -> list[list[Suggestion]]:
        if self._happens:
            self._happens.pop()()
        return [[] for _ in texts]


ROWS = "titre;cote;résumé\nUn premier livre;C1;{0}\nUn deuxième livre;C2;{0}\nUn troisième livre;C3;{0}\n"


def test_two_catalogues_that_come_in_at_once_bring_each_work_once(
    store: Store, sandbox: Sandbox, inbox: Inbox
) -> None:
    one, two = inbox("a.csv", ROWS.format("")), inbox("b.csv", ROWS.format("") + "Un quatrième livre;C4;\n")

    def other() -> None:
        list(ingest([two], store, Meanwhile(int), centre="vc", sandbox=sandbox))

    (outcome,) = ingest([one], store, Meanwhile(other), centre="vc", sandbox=sandbox)
    assert (outcome.status, outcome.ids) == (Status.UNCHANGED, ("vc:1", "vc:2", "vc:3"))
    assert len(store) == 4


def test_a_record_that_is_deleted_while_its_row_is_tagged_comes_in_anew(
    store: Store, sandbox: Sandbox, inbox: Inbox
) -> None:
    list(ingest([inbox("a.csv", ROWS.format(""))], store, Meanwhile(int), centre="vc", sandbox=sandbox))
    again = inbox("a.csv", ROWS.format("Un résumé."))
    removing = Meanwhile(lambda: store.delete("vc:2"))
    (outcome,) = ingest([again], store, removing, centre="vc", sandbox=sandbox)
    assert outcome.ids == ("vc:1", "vc:4", "vc:3")
    assert {store.get(id).abstract for id in store.ids()} == {"Un résumé."}


def test_what_somebody_writes_while_a_row_is_tagged_stays(
    store: Store, sandbox: Sandbox, inbox: Inbox
) -> None:
    list(ingest([inbox("a.csv", ROWS.format(""))], store, Meanwhile(int), centre="vc", sandbox=sandbox))

    def write() -> None:
        store.save(dataclasses.replace(store.get("vc:3"), place="Cayenne"))

    again = inbox("a.csv", ROWS.format("Un résumé."))
    list(ingest([again], store, Meanwhile(write), centre="vc", sandbox=sandbox))
    assert (store.get("vc:3").place, store.get("vc:3").abstract) == ("Cayenne", "Un résumé.")


def test_two_rows_of_one_work_are_one_record_with_the_copies_of_both(
    run: Run, store: Store, inbox: Inbox
) -> None:
    text = "titre;cote;code-barres\nUn livre;C 1;11\nAutre;C 2;12\nUn livre;C 1;13\n"
    (outcome,) = run(inbox("f.csv", text))
    assert len(store) == 2
    assert [c.barcode for c in store.get(outcome.ids[0]).copies] == ["11", "13"]
    assert any("même ouvrage" in warning for warning in outcome.warnings)
    assert run(inbox("f.csv", text))[0].status is Status.UNCHANGED


def test_volumes_that_share_an_isbn_stay_apart_over_runs(run: Run, store: Store, inbox: Inbox) -> None:
    text = "titre;isbn\nTome 1;2-07-061239-2\nTome 2;2-07-061239-4\n"
    first, second = run(inbox("f.csv", text)), run(inbox("f.csv", text))
    assert second[0].status is Status.UNCHANGED
    assert (second[0].ids, len(store)) == (first[0].ids, 2)


def test_bare_numbers_of_two_catalogues_do_not_mix(run: Run, store: Store, inbox: Inbox) -> None:
    run(inbox("a.csv", "numéro;titre\n1;Un livre\n"))
    run(inbox("b.csv", "numéro;titre\n1;Tout autre chose\n"))
    assert len(store) == 2


def test_parts_hang_on_their_hosts_wherever_these_stand_in_the_file(
    run: Run, store: Store, make: Any, inbox: Inbox
) -> None:
    source = ("801", " 0$bVC")
    part = make.unimarc(
        ("001", "2"), ("200", "1 $aArticle"), ("463", " 0$01$tCahier$ppp. 3-9"), source, leader="naa  22"
    )
    host = make.unimarc(("001", "1"), ("200", "1 $aCahier"), source)
    (outcome,) = run(inbox("a.mrc", part + host))
    article, cahier = (store.get(id) for id in outcome.ids)
    assert (article.host, article.host_pages, cahier.host) == (cahier.id, "3-9", None)
    assert run(inbox("a.mrc", part + host))[0].status is Status.UNCHANGED
    (row,) = run(inbox("b.csv", "titre;dans\nAutre article;Cahier\n"))
    assert store.get(row.ids[0]).host == cahier.id


def test_bad_rows_come_as_warnings_of_the_file(run: Run, inbox: Inbox) -> None:
    (outcome,) = run(inbox("f.csv", "titre;année\nUn;2001\n;2002\n"))
    assert (outcome.status, len(outcome.ids), outcome.warnings) == (
        Status.PUBLISHED,
        1,
        ("ligne 3 : pas de titre",),
    )
