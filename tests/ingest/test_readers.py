"""What every reader keeps to, and which one reads what."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from ingest import readers
from ingest.drafts import Draft, from_wire, to_wire
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


def samples(make: Any, folder: Path) -> dict[str, Path]:
    """A good file for each row of the table of readers."""
    folder.mkdir(exist_ok=True)

    def written(name: str, content: bytes | str) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    title = "Mener une médiation sociale"
    return {
        "pdf": written("a.pdf", make.pdf(f"{title}\n{make.text}", make.text, first_size=24)),
        "html": written("a.html", f"<html><title>{title}</title><body><p>{make.text}</p></body></html>"),
        "docx": make.docx(folder / "a.docx", make.paragraph(title) + make.paragraph(make.text)),
        "odt": make.odt(folder / "a.odt", f"<text:h>{title}</text:h><text:p>{make.text}</text:p>"),
        "text": written("a.txt", f"{title}\n\n{make.text}"),
        "markdown": written("a.md", f"# {title}\n\n{make.text}"),
        "doc": written("a.doc", make.doc(f"{title}\r{make.text}\r")),
        "rtf": written("a.rtf", make_rtf(title, make.text)),
        "pptx": make.pptx(folder / "a.pptx", (title, make.text, "Dire merci")),
        "odp": make.odp(folder / "a.odp", (title, make.text, "Dire merci")),
        "xlsx": make.xlsx(folder / "a.xlsx", [title], [make.text]),
        "ods": make.ods(folder / "a.ods", [title], [make.text]),
        "epub": make.epub(folder / "a.epub", (title, make.text)),
        "eml": written("a.eml", make.eml(title, make.text)),
        "image": image(make, folder / "Mener une médiation sociale.png"),
        "marcxml": written("a.xml", MARCXML.format(title=title)),
        "ris": written("a.ris", f"TY  - BOOK\nTI  - {title}\nAU  - Roy, Léa\nER  - \n"),
        "bibtex": written("a.bib", f"@book{{roy, title = {{{title}}}, author = {{Roy, Léa}}}}\n"),
        "csl": written(
            "a.json", json.dumps([{"id": "1", "type": "book", "title": title, "abstract": make.text * 2}])
        ),
        "dublincore": written("b.xml", DUBLIN_CORE.format(title=title)),
        "csv": written("a.csv", f"titre;auteurs\n{title};Roy, Léa\n"),
        "unimarc": written("a.mrc", make.unimarc(("001", "1"), ("200", f"1 $a{title}"))),
    }


MARCXML = (
    '<collection xmlns="http://www.loc.gov/MARC21/slim"><record><leader>00000nam  2200000   450 </leader>'
    '<controlfield tag="001">1</controlfield><datafield tag="200" ind1="1" ind2=" ">'
    '<subfield code="a">{title}</subfield></datafield></record></collection>'
)


DUBLIN_CORE = (
    '<?xml version="1.0" encoding="UTF-8"?><records xmlns:dc="http://purl.org/dc/elements/1.1/"><record>'
    "<dc:title>{title}</dc:title><dc:description>"
    + "Les habitants du quartier ont dit leurs attentes. " * 6
    + "</dc:description></record></records>"
)


def make_rtf(title: str, text: str) -> bytes:
    return b"{\\rtf1\\ansi\\ansicpg1252 " + f"{title}\\par {text}".encode("cp1252") + b"\\par}"


def image(make: Any, path: Path) -> Path:
    make.scan(make.text)[0].resize((300, 400)).save(path)
    return path


CATALOGUES = ("csv", "unimarc", "marcxml", "ris", "bibtex", "csl", "dublincore")


@pytest.mark.parametrize("name", sorted(readers.READERS))
def test_every_reader_finds_the_title_and_its_drafts_cross(name: str, make: Any, tmp_path: Path) -> None:
    path = samples(make, tmp_path / "in")[name]
    assert readers.format_of(path) == name
    draft = one(path)
    assert draft.title == "Mener une médiation sociale"
    assert draft.media_type
    assert from_wire(to_wire(draft)) == draft
    assert readers.is_catalogue(draft) == (name in CATALOGUES)
    assert not readers.is_catalogue(draft) or draft.media_type in readers.CATALOGUE_TYPES
    if name == "image":
        assert [page.quality for page in draft.pages] == [Quality.SCAN]
    elif not readers.is_catalogue(draft):
        assert draft.language == "fr"
        assert "consultés par la commune" in " ".join(page.text.replace("\n", " ") for page in draft.pages)
        assert [page.number for page in draft.pages] == list(range(1, len(draft.pages) + 1))
        assert all(page.grade > 0.9 for page in draft.pages)


@pytest.mark.parametrize("name", sorted(set(readers.READERS) - {"text", "markdown", "csv"}))
def test_every_reader_but_those_of_texts_knows_its_file_under_another_name(
    name: str, make: Any, tmp_path: Path
) -> None:
    path = samples(make, tmp_path / "in")[name]
    assert readers.format_of(path.rename(path.with_suffix(".xyz"))) == name


@pytest.mark.parametrize("name", sorted(readers.READERS))
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_cut_short_ends_with_a_reason_or_with_what_is_left(
    name: str, share: float, make: Any, tmp_path: Path
) -> None:
    path = samples(make, tmp_path / "in")[name]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    reasons, drafts = set(), []
    try:
        drafts = list(readers.read(path))
    except IngestError as error:
        reasons.add(error.reason)
    assert reasons <= {Reason.DAMAGED, Reason.BAD_RECORDS, Reason.EMPTY, Reason.NO_TEXT}
    assert all(draft.title for draft in drafts)
    assert reasons or drafts


@pytest.mark.parametrize("name", ["vide.pdf", "vide.docx", "vide.txt", "vide.csv", "vide.html", "vide"])
def test_an_empty_file_says_so(name: str, inbox: Inbox) -> None:
    assert reason_of(inbox(name, b"")) is Reason.EMPTY
    assert reason_of(inbox(name, b" \n\n ")) is Reason.EMPTY


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("image.gif", b"GIF89a" + b"\0" * 50),
        ("prog", b"\x7fELF" + b"\0" * 50),
        ("style.css", b"body { color: red }"),
        ("programme.py", b"print('@book')"),
    ],
)
def test_what_no_reader_reads_is_refused(name: str, content: bytes, inbox: Inbox) -> None:
    assert reason_of(inbox(name, content)) is Reason.UNSUPPORTED


def test_other_zip_files_are_refused(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "dessin.odg"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.graphics")
    assert reason_of(path) is Reason.UNSUPPORTED
    archive = make.zipped(tmp_path / "a.xyz", ("a.txt", b"bonjour"))
    assert readers.format_of(archive) == readers.CONTAINER
    assert reason_of(archive) is Reason.UNSUPPORTED


def test_a_word_file_under_a_password_is_locked(make: Any, inbox: Inbox) -> None:
    package = make.compound({"EncryptedPackage": b"x", "EncryptionInfo": b"y"})
    assert reason_of(inbox("secret.docx", package)) is Reason.LOCKED
    assert reason_of(inbox("secret.doc", make.doc(make.text, flags=0x0100))) is Reason.LOCKED
    assert reason_of(inbox("classeur.xls", make.compound({"Workbook": b"x"}))) is Reason.UNSUPPORTED


def test_noise_under_a_known_name_is_damaged(inbox: Inbox) -> None:
    noise = bytes(range(1, 256)) * 20
    assert reason_of(inbox("bruit.pdf", noise)) is Reason.DAMAGED
    assert reason_of(inbox("bruit.docx", noise)) is Reason.DAMAGED
    assert reason_of(inbox("bruit.txt", noise)) is Reason.DAMAGED


# -- PDF


def encrypted(content: bytes, user: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt(user, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_under_a_password_is_locked_and_one_under_none_is_read(make: Any, inbox: Inbox) -> None:
    content = make.pdf("Mener une médiation\n" + make.text)
    assert reason_of(inbox("clef.pdf", encrypted(content, "secret"))) is Reason.LOCKED
    assert one(inbox("libre.pdf", encrypted(content, ""))).pages[0].text.startswith("Mener une médiation")


def test_a_pdf_of_images_has_pages_that_are_scans(make: Any, tmp_path: Path) -> None:
    first, second = make.scan(make.text, make.text)
    first.save(tmp_path / "scan.pdf", save_all=True, append_images=[second], resolution=150)
    draft = one(tmp_path / "scan.pdf")
    assert [(page.quality, page.text, page.grade) for page in draft.pages] == [(Quality.SCAN, "", 0.0)] * 2
    assert draft.warnings == ("2 page(s) sans texte sur 2",)
    assert draft.title == "Scan"


def test_a_pdf_on_which_nothing_is_drawn_is_empty(make: Any, inbox: Inbox) -> None:
    assert reason_of(inbox("vide.pdf", make.pdf("", ""))) is Reason.EMPTY


def test_pages_without_text_are_counted_in_a_warning(make: Any, inbox: Inbox) -> None:
    draft = one(inbox("mixte.pdf", make.pdf(make.text, "", make.text)))
    assert len(draft.pages) == 3
    assert draft.warnings == ("1 page(s) sans texte sur 3",)
    assert draft.pages[1].grade == 0
    assert [page.quality for page in draft.pages] == [Quality.GOOD, Quality.EMPTY, Quality.GOOD]


def test_the_largest_line_of_a_pdf_is_its_title_when_metadata_are_worthless(make: Any, inbox: Inbox) -> None:
    page = "Faire vivre un conseil citoyen\nSeptembre 2016\n" + make.text
    draft = one(
        inbox("x.pdf", make.pdf(page, title="Microsoft Word - doc1.doc", author="user", first_size=24))
    )
    assert (draft.title, draft.agents, draft.date) == ("Faire vivre un conseil citoyen", (), "2012-03-15")
    draft = one(
        inbox("x.pdf", make.pdf(page.replace("2016", "2011"), title="Un vrai titre", author="Roy, Léa"))
    )
    assert (draft.title, draft.agents[0].name, draft.date) == ("Un vrai titre", "Roy, Léa", "2011-09")


def test_a_pdf_with_a_broken_table_is_still_read(make: Any, inbox: Inbox) -> None:
    content = make.pdf("Mener une médiation\n" + make.text)
    broken = content.replace(b"startxref\n", b"startxref\n99")
    assert "médiation" in one(inbox("casse.pdf", broken)).pages[0].text


# -- HTML


PAGE = """<!DOCTYPE html><html lang="fr"><head><title>Clause d’insertion | Site</title>
<meta name="DC.creator" content="Léa Roy"><meta name="DC.date" content="2019-09-11">
<meta name="DC.subject" content="insertion"><meta name="DC.subject" content="emploi">
<meta name="description" content="Comment faire"></head><body>
<header>Bandeau</header><nav>Menu</nav><main><h1>La clause d’insertion</h1><p>Premier <b>alinéa</b>.</p>
<h2>Suite</h2><table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>
<script>var x</script><!-- caché --></main><aside>À lire</aside><footer>Pied</footer></body></html>"""


def test_only_the_main_text_of_a_page_is_kept(inbox: Inbox) -> None:
    draft = one(inbox("p.html", PAGE))
    assert draft.pages[0].text == "La clause d’insertion\n\nPremier alinéa.\n\nSuite\n\nA | B\n\n1 | 2"


def test_a_page_says_its_title_authors_date_and_subjects(inbox: Inbox) -> None:
    draft = one(inbox("p.html", PAGE))
    assert (draft.title, draft.date, draft.language) == ("La clause d’insertion", "2019-09-11", "fr")
    assert (draft.agents[0].name, draft.keywords) == ("Roy, Léa", ("insertion", "emploi"))
    assert (draft.abstract, draft.type) == ("Comment faire", "page-web")
    assert [(h.title, h.level, h.page) for h in draft.outline] == [
        ("La clause d’insertion", 1, 1),
        ("Suite", 2, 1),
    ]


@pytest.mark.parametrize("charset", ["utf-8", "cp1252", "utf-16"])
def test_declared_and_undeclared_character_sets_are_read(charset: str, inbox: Inbox) -> None:
    declared = "" if charset == "utf-16" else f'<meta charset="{charset}">'
    markup = f"<html><head>{declared}</head><body><p>L’œuvre d’été à Schœlcher coûte 3 €</p></body></html>"
    assert one(inbox("p.html", markup.encode(charset))).pages[0].text == "L’œuvre d’été à Schœlcher coûte 3 €"


def test_a_page_nested_a_thousand_deep_is_read(inbox: Inbox) -> None:
    assert "fond" in one(inbox("p.html", "<div>" * 2000 + "le fond" + "</div>" * 2000)).pages[0].text


# -- DOCX and ODT


HEADINGS = (
    '<w:style w:styleId="Titre1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="Titre"><w:name w:val="Title"/></w:style>'
)


def test_a_docx_gives_paragraphs_and_tables_in_order_and_no_deleted_text(make: Any, tmp_path: Path) -> None:
    body = (
        make.paragraph("Le titre", "Titre")
        + make.paragraph("Avant", "Titre1")
        + "<w:tbl><w:tr><w:tc>" + make.paragraph("a") + "</w:tc><w:tc>" + make.paragraph("b")
        + "</w:tc></w:tr></w:tbl><w:p><w:del><w:r><w:delText>supprimé</w:delText></w:r></w:del>"
        + "<w:ins><w:r><w:t>ajouté</w:t></w:r></w:ins></w:p>"
        + "<w:sdt><w:sdtContent>" + make.paragraph("encadré") + "</w:sdtContent></w:sdt>"
    )  # fmt: skip
    draft = one(make.docx(tmp_path / "a.docx", body, styles=HEADINGS))
    assert draft.pages[0].text == "Le titre\n\nAvant\n\na | b\n\najouté\n\nencadré"
    assert draft.title == "Le titre"


def test_page_breaks_of_a_docx_make_its_pages(make: Any, tmp_path: Path) -> None:
    broken = "<w:p><w:r><w:t>fin</w:t><w:lastRenderedPageBreak/><w:t>début</w:t></w:r></w:p>"
    manual = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>' + make.paragraph("troisième", "Titre1")
    draft = one(make.docx(tmp_path / "a.docx", broken + manual, styles=HEADINGS))
    assert [page.text for page in draft.pages] == ["fin", "début", "troisième"]
    assert [(h.title, h.page) for h in draft.outline] == [("troisième", 3)]


def test_a_docx_without_page_breaks_is_cut_into_passages(make: Any, tmp_path: Path) -> None:
    draft = one(make.docx(tmp_path / "a.docx", make.paragraph(make.text) * 30))
    assert 2 <= len(draft.pages) <= 5
    assert all(len(page.text) < 3000 for page in draft.pages)


def test_footnotes_of_a_docx_stand_where_they_are_called(make: Any, tmp_path: Path) -> None:
    body = '<w:p><w:r><w:t>Le dispositif</w:t><w:footnoteReference w:id="2"/><w:t> existe.</w:t></w:r></w:p>'
    notes = f'<w:footnote w:id="2">{make.paragraph("Créé en 2007")}</w:footnote>'
    draft = one(make.docx(tmp_path / "a.docx", body, notes=notes))
    assert draft.pages[0].text == "Le dispositif (Créé en 2007) existe."


def test_core_properties_of_a_docx_are_read(make: Any, tmp_path: Path) -> None:
    core = (
        '<cp:p xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
        "<dc:title>Bilan du contrat</dc:title><dc:creator>Léa Roy</dc:creator>"
        "<cp:keywords>CUCS, bilan</cp:keywords>"
        "<dcterms:created>2008-01-02T10:00:00Z</dcterms:created>"
        "<dcterms:modified>2013-01-02T10:00:00Z</dcterms:modified></cp:p>"
    )
    draft = one(make.docx(tmp_path / "a.docx", make.paragraph(make.text), core=core))
    assert (draft.title, draft.agents[0].name, draft.date) == ("Bilan du contrat", "Roy, Léa", "2013-01-02")
    assert draft.keywords == ("CUCS", "bilan")


def test_a_zip_bomb_is_not_inflated(make: Any, tmp_path: Path) -> None:
    path = make.docx(tmp_path / "bombe.docx", "<w:p/>" * 17_000_000)
    assert path.stat().st_size < 200_000
    assert reason_of(path) is Reason.TOO_LARGE


def test_entities_are_not_expanded(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    make.docx(path, make.paragraph("texte"))
    bomb = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("_rels/.rels", "<Relationships/>")
        package.writestr(
            "word/document.xml",
            f'{bomb}<w:document xmlns:w="{W}"><w:p><w:r><w:t>texte &b; &f; utile</w:t></w:r></w:p>'
            "</w:document>",
        )
    text = one(path).pages[0].text
    assert "lol" not in text
    assert "root" not in text


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def test_an_odt_gives_its_text_with_tables_notes_and_soft_pages(make: Any, tmp_path: Path) -> None:
    body = (
        "<text:tracked-changes><text:p>supprimé</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Agenda 21</text:h><text:p>Un<text:s/>deux<text:note>'
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>la note</text:p></text:note-body>"
        "</text:note> trois<text:soft-page-break/> quatre</text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    draft = one(make.odt(tmp_path / "a.odt", body))
    assert [page.text for page in draft.pages] == ["Agenda 21\n\nUn deux (la note ) trois", "quatre\n\na | b"]
    assert draft.title == "Agenda 21"


def test_a_locked_odt_says_so(make: Any, tmp_path: Path) -> None:
    manifest = "<manifest><encryption-data/></manifest>"
    assert reason_of(make.odt(tmp_path / "a.odt", "<text:p>x</text:p>", manifest=manifest)) is Reason.LOCKED


# -- text and Markdown


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman", "cp850"]
)
def test_old_and_new_character_sets_of_text_are_recognised(charset: str, make: Any, inbox: Inbox) -> None:
    text = "Éveil à la citoyenneté : où en est-on ? Été 2009, là-bas. " + make.text
    assert one(inbox("a.txt", text.encode(charset))).pages[0].text == text


def test_form_feeds_in_a_text_are_page_ends(inbox: Inbox) -> None:
    draft = one(inbox("a.txt", "Première page\fDeuxième page\f"))
    assert [page.text for page in draft.pages] == ["Première page", "Deuxième page"]


def test_settings_at_the_head_of_markdown_are_metadata(make: Any, inbox: Inbox) -> None:
    front = "---\ntitle: Conduire une GUP\nauthors: Léa Roy; Ville Caraïbe\ndate: 2011-06\n---\n"
    draft = one(inbox("a.md", f"{front}# Autre\n\n**Gras** et [lien](http://x.fr)\n\n{make.text}"))
    assert (draft.title, draft.date, len(draft.agents)) == ("Conduire une GUP", "2011-06", 2)
    assert draft.pages[0].text.startswith("Autre\n\nGras et lien")
    assert draft.type == "document"


@pytest.mark.parametrize(
    "crumbs",
    [
        '<nav><a href="/">Accueil</a> Guides</nav>',
        '<ol class="fr-breadcrumb__list"><li><a href="/">Accueil</a></li><li>La clause</li></ol>',
        '<p id="fil-ariane">Vous êtes ici : <a href="/">Accueil</a> La clause</p>',
        '<div aria-label="Fil d’Ariane"><span>Accueil</span><span>La clause</span></div>',
        '<p class="meta"><a href="/">Accueil</a> › <a href="/g">Guides</a> › La clause d’insertion</p>',
        '<ul><li><a href="/g">Guides</a></li><li>La clause d’insertion</li></ul>',
        '<p><a href="#texte">Aller au contenu principal</a></p>',
        '<div class="share-bar">Partager sur : <a href="x">Facebook</a> <a href="y">Courriel</a></div>',
    ],
)
def test_breadcrumbs_skip_links_and_share_bars_are_no_text(crumbs: str, make: Any, inbox: Inbox) -> None:
    body = f"<main>{crumbs}<h1>La clause d’insertion</h1><p>Publié le 3 mai 2012</p><p>{make.text}</p></main>"
    draft = one(inbox("p.html", f'<body class="has-breadcrumb social-share">{body}</body>'))
    assert draft.pages[0].text.startswith("La clause d’insertion\n\nPublié le 3 mai 2012\n\nLes habitants")


@pytest.mark.parametrize(
    "said",
    [
        '<p><a href="/">Accueil</a> : les familles sont reçues le matin.</p>',
        '<p><a href="/l">Loi de 2014</a> / décret de 2015</p>',
        '<section id="partage-des-taches"><p>Le partage des tâches dans la famille a changé.</p></section>',
        '<div class="social">L’action sociale de la commune</div>',
        '<div class="with-breadcrumb"><h2>Un titre</h2><p>Un texte.</p></div>',
    ],
)
def test_what_only_looks_like_furniture_of_a_page_is_text(said: str, make: Any, inbox: Inbox) -> None:
    plain = one(inbox("p.html", f"<main>{said}<h1>La clause d’insertion</h1><p>{make.text}</p></main>"))
    assert not plain.pages[0].text.startswith("La clause")


DRAWING = '<w:r><w:drawing><a:blip xmlns:a="urn:a"/></w:drawing></w:r>'
IMAGE = '<draw:image xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"/>'


def test_a_document_of_pictures_has_no_text_and_is_not_empty(make: Any, inbox: Inbox, tmp_path: Path) -> None:
    pictures = {
        "docx": make.docx(tmp_path / "a.docx", f"<w:p>{DRAWING}</w:p>"),
        "odt": make.odt(tmp_path / "a.odt", f"<text:p>{IMAGE}</text:p>"),
        "html": inbox("a.html", "<html><title>Scan</title><body><img src='page1.jpg'></body></html>"),
    }
    assert {name: reason_of(path) for name, path in pictures.items()} == dict.fromkeys(
        pictures, Reason.NO_TEXT
    )
    nothing = {
        "docx": make.docx(tmp_path / "b.docx", "<w:p/>"),
        "odt": make.odt(tmp_path / "b.odt", "<text:p/>"),
        "html": inbox("b.html", "<html><title>Rien</title><body><p></p></body></html>"),
    }
    assert {name: reason_of(path) for name, path in nothing.items()} == dict.fromkeys(nothing, Reason.EMPTY)


def test_a_document_with_text_and_pictures_is_read(make: Any, tmp_path: Path) -> None:
    path = make.docx(tmp_path / "a.docx", f"<w:p>{DRAWING}</w:p>" + make.paragraph(make.text))
    assert "Les habitants" in one(path).pages[0].text
