"""What is particular to slides, spreadsheets, books, messages, old Word files, rich text and images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest import mail_file, readers, scans
from ingest.drafts import Draft
from kb.errors import IngestError, Reason
from kb.records import Quality

Inbox = Callable[[str, bytes | str], Path]


def one(path: Path) -> Draft:
    (draft,) = readers.read(path)
    return draft


def reason_of(path: Path) -> Reason:
    with pytest.raises(IngestError) as caught:
        list(readers.read(path))
    return caught.value.reason


# -- slides


TABLE = (
    "<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Année</a:t></a:r></a:p></a:txBody></a:tc>"
    "<a:tc><a:txBody><a:p><a:r><a:t>Visites</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl>"
)


def test_slides_are_pages_in_the_order_of_the_show_with_their_notes(make: Any, tmp_path: Path) -> None:
    slides = [("Bilan 2011", make.text, "Remercier"), ("Suite", TABLE, "")]
    draft = one(make.pptx(tmp_path / "a.pptx", *slides))
    assert [page.text for page in draft.pages] == [
        f"Bilan 2011\n\n{make.text}\n\nRemercier",
        "Suite\n\nAnnée | Visites",
    ]
    assert [(h.title, h.page) for h in draft.outline] == [("Bilan 2011", 1), ("Suite", 2)]
    assert draft.title == "Bilan 2011"


def test_a_slide_without_words_keeps_its_number(make: Any, tmp_path: Path) -> None:
    slides = [("Un", make.text, ""), ("", "", ""), ("Trois", make.text, "")]
    for draft in (
        one(make.pptx(tmp_path / "a.pptx", *slides)),
        one(make.odp(tmp_path / "a.odp", *slides)),
    ):
        assert [page.text.partition("\n")[0] for page in draft.pages] == ["Un", "", "Trois"]
        assert draft.pages[1].quality is Quality.EMPTY
        assert [h.page for h in draft.outline] == [1, 3]


def test_notes_of_an_odp_come_after_its_text(make: Any, tmp_path: Path) -> None:
    draft = one(make.odp(tmp_path / "a.odp", ("Bilan", make.text, "Remercier la commune")))
    assert draft.pages[0].text == f"Bilan\n\n{make.text}\n\nRemercier la commune"


# -- spreadsheets


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_spreadsheet_of_figures_is_a_document(kind: str, make: Any, tmp_path: Path) -> None:
    rows = [("Fréquentation", ""), ("Mois", "Visites"), ("Janvier", "120"), ("Février", "134")]
    path = getattr(make, kind)(tmp_path / f"a.{kind}", *rows, sheet="Année 2011")
    draft = one(path)
    assert draft.pages[0].text == "Fréquentation\nMois | Visites\nJanvier | 120\nFévrier | 134"
    assert (draft.pages[0].label, draft.type, draft.outline[0].title) == (
        "Année 2011",
        "donnees",
        "Année 2011",
    )
    assert not readers.is_catalogue(draft)


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_spreadsheet_of_records_is_a_catalogue(kind: str, make: Any, tmp_path: Path) -> None:
    rows = [("Titre", "Auteurs", "Année", "Cote"), ("Le quartier", "Roy, Léa", "2011", "URB 12")]
    path = getattr(make, kind)(tmp_path / f"a.{kind}", *rows)
    draft = one(path)
    assert (draft.title, draft.call_number) == ("Le quartier", "URB 12")
    assert readers.is_catalogue(draft)


def test_a_spreadsheet_without_a_word_is_empty(make: Any, tmp_path: Path) -> None:
    assert reason_of(make.ods(tmp_path / "a.ods")) is Reason.EMPTY


# -- books


def test_a_book_gives_its_chapters_contents_and_properties(make: Any, tmp_path: Path) -> None:
    path = make.epub(
        tmp_path / "a.epub", ("Le logement", make.text * 20), ("L’école", make.text), title="La ville"
    )
    draft = one(path)
    assert (draft.title, draft.publisher, draft.date) == ("La ville", "Éditions du Morne", "2011-06-01")
    assert (draft.agents[0].name, draft.keywords, draft.language) == ("Roy, Léa", ("Habitat",), "fr")
    assert draft.identifiers == {"isbn": "9782130000006"}
    last = len(draft.pages)
    assert [(h.title, h.page, h.level) for h in draft.outline] == [
        ("Le logement", 1, 1),
        ("L’école", last, 1),
    ]
    assert last > 2
    assert draft.pages[-1].text.startswith("L’école")


def test_a_book_whose_chapters_are_encrypted_is_locked_and_one_whose_fonts_are_is_not(
    make: Any, tmp_path: Path
) -> None:
    locked = make.epub(tmp_path / "a.epub", ("Un", make.text), encrypted="OEBPS/ch%200.xhtml")
    assert reason_of(locked) is Reason.LOCKED
    assert one(make.epub(tmp_path / "b.epub", ("Un", make.text), encrypted="OEBPS/f.otf")).pages


# -- messages


def test_a_message_has_its_subject_sender_and_date(make: Any, inbox: Inbox) -> None:
    draft = one(inbox("a.eml", make.eml("RE: Réunion du conseil citoyen", make.text)))
    assert (draft.title, draft.agents[0].name) == ("Réunion du conseil citoyen", "Roy, Léa")
    assert (draft.date, draft.media_type) == ("2011-06-15", "message/rfc822")
    assert draft.pages[0].text == make.text


def test_the_plain_text_of_a_message_is_preferred_unless_there_is_none(make: Any, inbox: Inbox) -> None:
    page = f"<html><body><p>En HTML. {make.text}</p></body></html>"
    both = one(inbox("a.eml", make.eml("Objet", make.text, html=page)))
    assert both.pages[0].text == make.text
    assert one(inbox("b.eml", make.eml("Objet", "", html=page))).pages[0].text.startswith("En HTML.")


def test_a_message_in_an_unknown_character_set_is_still_read(make: Any, inbox: Inbox) -> None:
    head = b"From: a@b.fr\r\nDate: jamais\r\nSubject: Objet\r\nMIME-Version: 1.0\r\n"
    typed = b"Content-Type: text/plain; charset=x-martien\r\n\r\n"
    draft = one(inbox("a.eml", head + typed + make.text.encode("cp1252")))
    assert "consultés" in draft.pages[0].text


@pytest.mark.parametrize(
    ("name", "head", "holds"),
    [
        ("a", b"Received: x\r\n by y\r\nFrom: a@b\r\nSubject: s\r\n\r\n", True),
        ("a.txt", b"From: a@b\nTo: c\nDate: d\nSubject: s\n\n", False),
        ("lettre", b"Date : 3 mai\nObjet : bilan\nDe : Marie\n", False),
        ("notes", b"Subject: x\nDate: y\ntexte", False),
    ],
)
def test_a_message_is_told_by_its_fields(name: str, head: bytes, holds: bool) -> None:
    assert mail_file.is_message(head, name) is holds


# -- rich text


def rtf(body: str) -> bytes:
    return b"{\\rtf1\\ansi\\ansicpg1252\\deff0" + body.encode("cp1252") + b"}"


def test_rich_text_gives_its_words_and_not_what_stands_behind_them(inbox: Inbox) -> None:
    body = (
        r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset238 Arial CE;}}{\colortbl;\red0;}"
        r"{\stylesheet{\s1 heading 1;}{\s2 Title;}}{\*\generator Riched20;}{\header En-t\'eate}"
        r"{\info{\title Bilan du contrat}"
        r"{\author L\'e9a Roy}{\creatim\yr2008\mo1\dy2}{\revtim\yr2013\mo6\dy5}}"
        r"\pard\s2 Le bilan\par\pard\s1 Premi\'e8re partie\par\pard\plain L\u8217?ann\'e9e {\b grasse}, "
        r"{\f1 \'b3\'f3d\'9f}{\v cach\'e9} et {\field{\*\fldinst HYPERLINK x}{\fldrslt un lien}}"
        r"{\footnote Une note\par}.\par"
        r"\trowd\intbl a\cell b\cell\row\pard Fin\~: 100\u8239 ?%\{\}\page Page deux{\pict 0102}\par"
    )
    draft = one(inbox("a.rtf", rtf(body)))
    assert [page.text for page in draft.pages] == [
        "Le bilan\n\nPremière partie\n\nL’année grasse, łódź et un lien (Une note ).\n\na | b\n\n"
        "Fin\u00a0: 100\u202f%{}",
        "Page deux",
    ]
    assert (draft.title, draft.agents[0].name, draft.date) == ("Bilan du contrat", "Roy, Léa", "2013-06-05")
    assert [(h.title, h.page, h.level) for h in draft.outline] == [("Première partie", 1, 1)]


def test_bytes_of_a_picture_in_rich_text_are_jumped_over(make: Any, inbox: Inbox) -> None:
    picture = b"{\\pict\\bin6 }}}}}}}" + make.text.encode("cp1252")
    assert one(inbox("a.rtf", b"{\\rtf1\\ansi " + picture + b"}")).pages[0].text == make.text
    assert reason_of(inbox("b.rtf", b"{\\rtf1\\ansi{\\pict 00}}")) is Reason.NO_TEXT


def test_half_a_character_in_rich_text_harms_nothing(inbox: Inbox) -> None:
    text = one(inbox("a.rtf", rtf(r"Un \u-10179?\u-8704? deux \u-10179? trois\par \u"))).pages[0].text
    assert text.startswith("Un 😀 deux")
    assert "trois" in text


def test_groups_nested_without_end_are_damage(inbox: Inbox) -> None:
    assert reason_of(inbox("a.rtf", b"{\\rtf1 " + b"{" * 20_000)) is Reason.DAMAGED


# -- Word 97


WORDS = (
    'Bilan de l’année\rLes habitants \x13 HYPERLINK "x" \x14du quartier\x15 ont été reçus\x0bà la mairie.\r'
    "Mois\x07Visites\x07\x07Mars\x0712\x07\x07\x0cPage deux\x02 : c\x1eest\x1f fini.\r"
)


@pytest.mark.parametrize("wide", [False, True])
def test_an_old_word_file_gives_paragraphs_cells_and_pages(wide: bool, make: Any, inbox: Inbox) -> None:
    draft = one(inbox("a.doc", make.doc(WORDS, wide=wide)))
    assert [page.text for page in draft.pages] == [
        "Bilan de l’année\n\nLes habitants du quartier ont été reçus\nà la mairie.\n\n"
        "Mois | Visites\n\nMars | 12",
        "Page deux : c-est fini.",
    ]
    assert draft.title == "Bilan de l’année"


def test_an_old_word_file_without_its_table_is_damaged(make: Any, inbox: Inbox) -> None:
    whole = make.doc(make.text)
    assert reason_of(inbox("a.doc", whole[:3000])) is Reason.DAMAGED
    broken = whole.replace(b"\x02" + b"\x1c\0\0\0", b"\x07" + b"\x1c\0\0\0")
    assert broken != whole
    assert reason_of(inbox("b.doc", broken)) is Reason.DAMAGED


# -- images


@pytest.mark.parametrize(("kind", "count"), [("png", 1), ("jpg", 1), ("webp", 1), ("tiff", 3)])
def test_an_image_is_a_document_of_scans(kind: str, count: int, make: Any, tmp_path: Path) -> None:
    first, *others = make.scan(*[make.text] * count)
    path = tmp_path / f"Affiche de la fête.{kind}"
    several = {"save_all": True, "append_images": others} if others else {}
    first.save(path, **several)
    draft = one(path)
    assert [page.quality for page in draft.pages] == [Quality.SCAN] * count
    assert (draft.title, draft.media_type) == ("Affiche de la fête", f"image/{kind.replace('jpg', 'jpeg')}")


def test_half_an_image_is_damaged(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    make.scan(make.text)[0].save(path)
    path.write_bytes(path.read_bytes()[:2000])
    assert reason_of(path) is Reason.DAMAGED


def test_an_image_of_a_billion_pixels_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("1", (40_000, 25_000)).save(path)
    assert path.stat().st_size < 1_000_000
    assert reason_of(path) is Reason.TOO_LARGE


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_ink_is_dark_and_paper_white_whatever_the_mode(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    picture = Image.new("L", (400, 300), 255)
    picture.paste(20, (100, 100, 200, 150))
    if mode == "I;16":
        Image.fromarray(np.asarray(picture).astype("uint16") * 257).save(path)
    else:
        picture.convert("L" if mode == "L" else "RGB").convert(mode).save(path)
    grey = scans.picture(path, "image/tiff", 1)
    assert grey.mode == "L"
    assert grey.size == (1200, 900)
    assert grey.getpixel((10, 10)) > 240
    assert grey.getpixel((450, 375)) < 15


def test_a_page_that_stands_askew_is_straightened(make: Any, tmp_path: Path) -> None:
    rows = "\n".join(["Les habitants du quartier ont dit leurs attentes"] * 30)
    level, askew = make.scan(rows)[0], make.scan(rows, turned=3)[0]
    level.save(tmp_path / "a.png")
    askew.save(tmp_path / "b.png")

    def empty_rows(name: str) -> int:
        picture = scans.picture(tmp_path / name, "image/png", 1)
        box = picture.crop((300, 300, picture.width - 900, 2000))
        return sum(
            min(box.crop((0, y, box.width, y + 1)).get_flattened_data()) > 200 for y in range(box.height)
        )

    assert empty_rows("b.png") > 0.7 * empty_rows("a.png") > 100
