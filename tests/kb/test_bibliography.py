"""References after ISO 690, read by eye against the practice of French libraries."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from citeproc import CitationStylesStyle
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kb import bibliography, quoting
from kb.formats import Notice
from kb.records import TYPES, Agent, Record, validate
from tests.kb.notices import notices

ROY, MAX = Agent("Roy, Léa"), Agent("Roy, Max")
CENTRE = Agent("Centre de la ville", kind="body")
SEEN = date(2026, 3, 12)


def record(**said: object) -> Record:
    return validate(Record(**{"id": "centre:7", **said}))  # type: ignore[arg-type]


def fields(**said: object) -> dict[str, object]:
    return said


REVIEW = record(id="centre:1", title="Villes", type="periodique", identifiers={"issn": "1932-6203"})
ACTS = record(
    id="centre:2",
    title="Habiter la ville",
    subtitle="actes",
    type="actes",
    agents=(dataclasses.replace(ROY, role="editor"),),
    place="Paris",
    publisher="Éditions du Port",
    date="2012-05",
    series="Rencontres",
    issue="4",
    identifiers={"isbn": "9782070612390"},
)
CAHIER = record(
    id="centre:3",
    title="Jeunes d’ici",
    type="cahier",
    agents=(CENTRE,),
    place="Le Port",
    publisher="Centre de la ville",
    date="2011",
    series="Les Cahiers",
    issue="1",
)
GAZETTE = record(id="centre:4", title="Journal officiel de la République française", type="periodique")


def spaced(text: str) -> str:
    """``~`` for a no-break space and ``^`` for a narrow one, which eyes do not tell apart."""
    return text.replace("~", "\u00a0").replace("^", "\u202f")


GOLDEN: list[tuple[dict[str, object], Record | None, str]] = [
    (
        fields(
            title="La rue",
            subtitle="un lieu commun",
            type="ouvrage",
            agents=(ROY,),
            place="Paris",
            publisher="Éditions du Port",
            date="2010-03-12",
            extent="127 p. : ill. ; 24 cm",
            series="Points de vue",
            issue="12",
            identifiers={"isbn": "9782070612390"},
        ),
        None,
        "ROY, Léa. *La rue~: un lieu commun*. Paris~: Éditions du Port, 2010, 127~p. Points de vue, n°~12. "
        "ISBN~9782070612390.",
    ),
    (
        fields(title="La rue", type="ouvrage", agents=(ROY, MAX), date="2010", extent="96"),
        None,
        "ROY, Léa et ROY, Max. *La rue*. 2010, 96~p.",
    ),
    (
        fields(title="La rue", type="ouvrage", agents=(ROY, MAX, CENTRE), publisher="Port"),
        None,
        "ROY, Léa^; ROY, Max et CENTRE DE LA VILLE. *La rue*. Port, s.~d.",
    ),
    (
        fields(title="La rue", type="ouvrage", agents=(ROY, MAX, CENTRE, Agent("Élie, Jo")), date="1999"),
        None,
        "ROY, Léa et al. *La rue*. 1999.",
    ),
    (
        fields(title="La rue", type="ouvrage", agents=(Agent("Roy, Léa", "editor"), Agent("Max", "editor"))),
        None,
        "ROY, Léa et MAX (dir.). *La rue*. s.~d.",
    ),
    (
        fields(title="La rue", type="ouvrage", agents=(ROY, Agent("Élie, Jo", "editor")), date="2001"),
        None,
        "ROY, Léa. *La rue*. Sous la direction de Jo Élie. 2001.",
    ),
    (
        fields(title="Quelle rue ?", type="ouvrage", place="Paris :", publisher="Port,", date="2001"),
        None,
        "*Quelle rue^?* Paris~: Port, 2001.",
    ),
    (
        fields(
            title="La rue.", type="ouvrage", agents=(Agent("Roy, L."),), publisher="Port S.A.", date="2001"
        ),
        None,
        "ROY, L. *La rue.* Port S.A., 2001.",
    ),
    (
        fields(
            title="Une rue",
            type="article",
            agents=(ROY,),
            date="2010-03-01",
            issue="395",
            host_pages="p. 12-18",
        ),
        REVIEW,
        "ROY, Léa. «~Une rue~». *Villes*, 1er~mars 2010, n°~395, p.~12-18. ISSN~1932-6203.",
    ),
    (
        fields(title="Une rue", type="article", date="2010-08", issue="vol. 3, n° 12", host_pages="12–18"),
        REVIEW,
        "«~Une rue~». *Villes*, août 2010, vol. 3, n°~12, p.~12-18. ISSN~1932-6203.",
    ),
    (
        fields(title="Une rue", type="article", date="2010", series="Villes", host_pages="12"),
        None,
        "«~Une rue~». *Villes*, 2010, p.~12.",
    ),
    (
        fields(title="Une rue", type="article", publisher="Port", issue="3", host_pages="12"),
        None,
        "«~Une rue~». Port, s.~d., n°~3, p.~12.",
    ),
    (
        fields(title="Grandir", type="article-cahier", agents=(ROY,), host_pages="5-19"),
        CAHIER,
        "ROY, Léa. «~Grandir~». In~: CENTRE DE LA VILLE. *Jeunes d’ici*. Le Port~: Centre de la ville, 2011, "
        "p.~5-19. Les Cahiers, n°~1.",
    ),
    (
        fields(title="Un toit", type="chapitre", agents=(MAX,), host_pages="31-44"),
        ACTS,
        "ROY, Max. «~Un toit~». In~: ROY, Léa (dir.). *Habiter la ville~: actes*. Paris~: Éditions du Port, "
        "mai 2012, p.~31-44. Rencontres, n°~4. ISBN~9782070612390.",
    ),
    (
        fields(
            title="Rapport d’activité 2010", type="rapport", agents=(CENTRE,), date="2011", extent="48 p."
        ),
        None,
        "CENTRE DE LA VILLE. *Rapport d’activité 2010*. 2011, 48~p.",
    ),
    (
        fields(
            title="L’école et le quartier", type="etude", agents=(CENTRE,), place="Le Port", date="2011-06"
        ),
        None,
        "CENTRE DE LA VILLE. *L’école et le quartier*. Étude. Le Port, 2011.",
    ),
    (
        fields(
            title="Le bidonville", type="these", agents=(ROY,), publisher="Université du Port", date="2004"
        ),
        None,
        "ROY, Léa. *Le bidonville*. Mémoire ou thèse. Université du Port, 2004.",
    ),
    (
        fields(
            title="Loi n° 2014-173 du 21 février 2014 de programmation pour la ville",
            type="texte-officiel",
            agents=(Agent("France", kind="body"),),
            date="2014-02-22",
            issue="45",
            host_pages="3138",
        ),
        GAZETTE,
        "FRANCE. Loi n°~2014-173 du 21 février 2014 de programmation pour la ville. *Journal officiel de la "
        "République française*, 22~février 2014, n°~45, p.~3138.",
    ),
    (
        fields(title="Circulaire du 1er mars 2010", type="texte-officiel", date="2010-03-01"),
        None,
        "*Circulaire du 1er mars 2010*. 1er~mars 2010.",
    ),
    (
        fields(
            title="Les conseils citoyens",
            type="page-web",
            agents=(CENTRE,),
            date="2016-12-31",
            identifiers={"url": "https://ville.example/a_b?x=1&y=2"},
        ),
        None,
        "CENTRE DE LA VILLE. *Les conseils citoyens* [en ligne]. 31~décembre 2016. Disponible sur~: "
        "https://ville.example/a_b?x=1&y=2 (consulté le 12~mars 2026).",
    ),
    (
        fields(title="Le Port", type="carte", agents=(CENTRE,), date="1998"),
        None,
        "CENTRE DE LA VILLE. *Le Port* [carte]. 1998.",
    ),
    (
        fields(title="Ma cité", type="audiovisuel", identifiers={"url": "https://v.example/1"}),
        None,
        "*Ma cité* [document audiovisuel, en ligne]. s.~d. Disponible sur~: https://v.example/1 "
        "(consulté le 12~mars 2026).",
    ),
    (
        fields(title="Comment créer une régie ?", type="question", agents=(CENTRE,), date="2026-02-03"),
        None,
        "CENTRE DE LA VILLE. *Comment créer une régie^?* Question/réponse. 3~février 2026.",
    ),
    (
        fields(
            title="Villes", type="periodique", date="1975", extent="ill.", identifiers={"issn": "1932-6203"}
        ),
        None,
        "*Villes*. 1975. ISSN~1932-6203.",
    ),
    (
        fields(title="Le bruit", type="numero", date="2010-09", issue="395"),
        REVIEW,
        "«~Le bruit~». *Villes*, septembre 2010, n°~395. ISSN~1932-6203.",
    ),
    (
        fields(title="Les nouvelles", type="lettre", publisher="Centre", date="2012-03", issue="12"),
        None,
        "*Les nouvelles*. Lettre d’information. Centre, mars 2012, n°~12.",
    ),
    (
        fields(title="L’eau", type="ouvrage", identifiers={"doi": "10.1234/a_b"}, date="2020"),
        None,
        "*L’eau*. 2020. DOI~: 10.1234/a_b.",
    ),
    (
        fields(title="La rue", type="ouvrage", publisher="Port", date="2016", issue="4"),
        record(id="centre:5", title="Tout voir", type="ouvrage", date="2010", publisher="Quai"),
        "*La rue*. Port, 2016. Tout voir, n°~4.",
    ),
    (
        fields(title="Une régie", type="fiche", date="2016", host_pages="3"),
        CAHIER,
        "«~Une régie~». In~: CENTRE DE LA VILLE. *Jeunes d’ici*. Le Port~: Centre de la ville, 2016, p.~3. "
        "Les Cahiers, n°~1.",
    ),
    (
        fields(title="Dillon", type="fiche", agents=(Agent("Centre", "publisher", "body"),), place="Port"),
        None,
        "*Dillon*. Fiche d’expérience. Port~: Centre, s.~d.",
    ),
]


@pytest.mark.parametrize(
    ("said", "host", "expected"), GOLDEN, ids=lambda v: v[:40] if isinstance(v, str) else ""
)
def test_references_by_type(said: dict[str, object], host: Record | None, expected: str) -> None:
    told = bibliography.reference(Notice(record(**said), host=host), accessed=SEEN)
    assert told.text == spaced(expected).replace("*", "")
    assert re.sub("</?i>", "*", told.html.replace("&amp;", "&")) == spaced(expected)


def test_editors_of_a_part_are_those_of_its_book_when_the_book_names_none() -> None:
    book = dataclasses.replace(ACTS, agents=(), series=None, identifiers={})
    part = record(title="Un toit", type="chapitre", agents=(MAX, Agent("Roy, Léa", "editor")))
    told = bibliography.reference(Notice(part, host=book))
    assert told.text.startswith(
        spaced("ROY, Max. «~Un toit~». In~: ROY, Léa (dir.). Habiter la ville~: actes. Paris")
    )


def test_an_address_that_is_given_comes_before_that_of_the_record() -> None:
    notice = Notice(record(title="A", identifiers={"url": "https://old.example/"}))
    told = bibliography.reference(notice, url="https://kb.example/notice/7")
    assert told.text == spaced("A [en ligne]. s.~d. Disponible sur~: https://kb.example/notice/7")
    assert told.markdown.endswith(
        spaced(r"\[en ligne\]. s.~d. Disponible sur~: <https://kb.example/notice/7>")
    )


def test_a_day_without_an_address_is_left_out() -> None:
    assert bibliography.reference(Notice(record(title="A", date="2001")), accessed=SEEN).text == "A. 2001."


def test_words_of_a_record_are_never_markup() -> None:
    told = bibliography.reference(
        Notice(record(title="*R&D* <script>", agents=(Agent("<b>, _J_"),), date="2001"))
    )
    assert told.html == "&lt;B&gt;, _J_. <i>*R&amp;D* &lt;script&gt;</i>. 2001."
    assert told.markdown == r"\<B>, \_J\_. *\*R\&D\* \<script>*. 2001."


def test_what_the_processor_takes_for_its_own_markup_is_kept() -> None:
    title = '<span class="nocase">a</span> <i>b</i>'
    assert bibliography.reference(Notice(record(title=title, date="2001"))).text == f"{title}. 2001."


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2010-13-45", "2010"),
        ("2010-00", "2010"),
        ("2010-02-00", "février 2010"),
        ("0000", "0"),
        ("0012-01-01", "1er~janvier 12"),
    ],
)
def test_dates_that_no_calendar_has(said: str, expected: str) -> None:
    told = bibliography.reference(Notice(record(title="A", type="presse", date=said)))
    assert told.text == spaced(f"A. {expected}.")


def test_a_title_of_nothing_but_signs_that_do_not_show() -> None:
    notice = Notice(record(title="\x01\ue000\ue001", date="2001", agents=(Agent(" , "), Agent(":"))))
    assert bibliography.reference(notice).text == "[Sans titre]. 2001."
    assert bibliography.short(notice.record) == r"*\[Sans titre\]*, 2001"


@pytest.mark.parametrize(
    ("type", "title", "series", "said"),
    [
        ("fiche", "Dillon", None, True),
        ("fiche", "Dillon", "Fiches d’expérience", False),
        ("these", "Dillon : thèse de doctorat", None, False),
        ("rapport", "Les rapports", None, False),
        ("appel", "Cinq à sept", None, True),
    ],
)
def test_a_genre_is_said_once(type: str, title: str, series: str | None, said: bool) -> None:
    told = bibliography.reference(Notice(record(title=title, type=type, series=series)))
    assert (f"{title.replace(' :', spaced('~:'))}. {TYPES[type]}. " in told.text) is said
    assert "Mémoire ou" not in told.text


def test_references_are_written_side_by_side() -> None:
    said = [Notice(record(title=f"Titre {n}", agents=(Agent(f"Nom {n}", "editor"),))) for n in range(40)]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(bibliography.reference, said * 3))
    assert told == [bibliography.reference(notice) for notice in said] * 3


# -- lists


def test_a_bibliography_is_in_french_order_and_without_doubles() -> None:
    said = [
        record(id="centre:1", title="Zones", agents=(Agent("Évrard, A."),)),
        record(id="centre:2", title="Écoles", agents=(Agent("Evrard, A."),)),
        record(id="centre:3", title="Eau", agents=(Agent("Évrard-Dumas, A."),)),
        record(id="centre:4", title="Évora"),
        record(id="centre:5", title="Zones", agents=(Agent("Évrard, A."),)),
        record(id="centre:6", title="Avis", agents=(Agent("Fa", kind="body"),)),
        record(id="centre:7", title="Œuvres"),
    ]
    told = bibliography.bibliography(
        map(Notice, said), urls={"centre:4": "https://v.example/4"}, accessed=SEEN
    )
    assert [one.text.partition(" [")[0] for one in told] == [
        "Évora",
        spaced("EVRARD, A. Écoles. s.~d."),
        spaced("ÉVRARD, A. Zones. s.~d."),
        spaced("ÉVRARD-DUMAS, A. Eau. s.~d."),
        spaced("FA. Avis. s.~d."),
        spaced("Œuvres. s.~d."),
    ]
    assert "https://v.example/4 (consulté le" in told[0].text
    assert bibliography.bibliography([]) == ()


# -- short citations


@pytest.mark.parametrize(
    ("said", "page", "label", "expected"),
    [
        (
            fields(title="La rue", subtitle="vue", agents=(ROY,), date="2010-03"),
            12,
            None,
            "Léa Roy, *La rue*, 2010, p.~12",
        ),
        (
            fields(title="La rue", agents=(ROY, MAX, CENTRE)),
            12,
            "xii",
            "Léa Roy, Max Roy et Centre de la ville, *La rue*, s.~d., p.~xii",
        ),
        (
            fields(title="La rue", agents=(ROY, MAX, CENTRE, MAX), date="2010"),
            None,
            None,
            "Léa Roy et al., *La rue*, 2010",
        ),
        (fields(title="Une rue", type="article", date="2010"), 3, "A-3", "«~Une rue~», 2010, p.~A-3"),
        (
            fields(title="Une fiche", type="fiche", host="centre:1", host_pages="3", date="2010"),
            0,
            " ",
            "«~Une fiche~», 2010, p.~0",
        ),
        (fields(title="Tome 4", type="ouvrage", host="centre:1"), 3, None, "*Tome 4*, s.~d., p.~3"),
        (fields(title="Loi", type="texte-officiel", host="centre:1"), None, None, "*Loi*, s.~d."),
        (
            fields(title="Bilan :", agents=(Agent("Roy, Léa", "editor"),)),
            None,
            None,
            "Léa Roy, *Bilan*, s.~d.",
        ),
        (fields(title="a [b] *c*", date="2010"), None, None, r"*a \[b\] \*c\**, 2010"),
        (fields(title="mot " * 40, date="2010"), None, None, f"*{('mot ' * 19)}mot…*, 2010"),
        (fields(title="x" * 500, date="2010"), None, None, f"*{'x' * 79}…*, 2010"),
    ],
)
def test_short_citations(said: dict[str, object], page: int | None, label: str | None, expected: str) -> None:
    assert bibliography.short(record(**said), page, label) == spaced(expected)


def test_a_short_citation_is_the_label_of_a_source() -> None:
    held = record(title="Une [rue] & <i>deux</i>", agents=(ROY,), date="2010")
    [source] = quoting.sources(f"Voir [{bibliography.short(held, 3)}](/notice/centre:7/page/3).")
    assert (source.record, source.pages) == ("centre:7", (3,))
    assert normal(source.label) == normal(bibliography.citation(held, 3).text)


# -- any record

anything = st.text(st.characters(exclude_categories=()), max_size=30)
anyone = st.builds(
    Agent, anything, st.sampled_from(["author", "editor", "publisher"]), st.sampled_from(["person", "body"])
)
wild = st.builds(
    Notice,
    st.builds(
        Record,
        id=st.just("centre:7"),
        title=anything.filter(lambda title: title.strip()),
        type=st.sampled_from(sorted(TYPES)),
        subtitle=anything,
        agents=st.lists(anyone, max_size=5).map(tuple),
        date=st.none() | st.from_regex(r"[0-9]{4}(-[0-9]{2}){0,2}", fullmatch=True),
        publisher=anything,
        place=anything,
        series=anything,
        issue=anything,
        extent=anything,
        host_pages=anything,
        identifiers=st.dictionaries(st.sampled_from(["isbn", "issn", "doi"]), anything),
    ),
    host=st.none() | st.just(ACTS) | st.just(REVIEW),
)


def normal(text: str) -> str:
    return " ".join(text.split())


def shown(markdown: str) -> str:
    """The text that a reader of CommonMark shows, which must be one paragraph."""
    opening, inline, closing = MarkdownIt("commonmark").parse(markdown)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    kinds = {child.type for child in inline.children or ()}
    assert kinds <= {"text", "text_special", "em_open", "em_close"}
    return "".join(child.content for child in inline.children or ())


def consistent(told: bibliography.Reference) -> None:
    assert told.text.strip()
    tree = ElementTree.fromstring(f"<p>{told.html}</p>")
    assert "".join(tree.itertext()) == told.text
    assert {element.tag for element in tree.iter()} <= {"p", "i"}
    assert shown(told.markdown) == told.text


def without_address(notice: Notice) -> Notice:
    kept = {kind: value for kind, value in notice.record.identifiers.items() if kind != "url"}
    return dataclasses.replace(notice, record=dataclasses.replace(notice.record, identifiers=kept))


@given(notices.map(without_address))
def test_every_reference_holds_title_and_year(notice: Notice) -> None:
    told = bibliography.reference(notice)
    consistent(told)
    assert normal(notice.record.title) in normal(told.text)
    if notice.record.year:
        assert str(notice.record.year) in told.text
    consistent(bibliography.citation(notice.record, 3))


@given(wild)
def test_no_record_is_too_strange(notice: Notice) -> None:
    consistent(bibliography.reference(validate(notice.record) and notice, accessed=SEEN))
    consistent(bibliography.citation(notice.record, 1, notice.record.issue))


@pytest.mark.parametrize(
    "title", ["1. Loi", "12) Loi", "- Loi", "+ Loi", "# Loi", "> Loi", "---", "***", "&amp;", "2010"]
)
def test_no_title_begins_a_list_or_a_heading(title: str) -> None:
    consistent(bibliography.reference(Notice(record(title=title, type="texte-officiel"), host=GAZETTE)))
    consistent(bibliography.reference(Notice(record(title="Loi", agents=(Agent(title, kind="body"),)))))


dotted = st.builds(str.__add__, st.sampled_from(["mot", "é", "Rue 3"]), st.sampled_from([*" .,:;?!…/=", ""]))


@given(
    st.builds(
        Record,
        id=st.just("centre:7"),
        title=dotted,
        type=st.sampled_from(sorted(TYPES)),
        subtitle=st.none() | dotted,
        agents=st.lists(st.builds(Agent, dotted, st.sampled_from(["author", "editor"])), max_size=5).map(
            tuple
        ),
        publisher=st.none() | dotted,
        place=st.none() | dotted | st.just(" : "),
        series=st.none() | dotted | st.just(""),
        issue=st.none() | dotted,
        extent=st.none() | dotted,
        host_pages=st.none() | dotted,
    ),
    st.sampled_from([None, ACTS, REVIEW]),
)
def test_no_sign_stands_twice_and_no_brackets_are_empty(held: Record, host: Record | None) -> None:
    told = bibliography.reference(Notice(held, host=host))
    for text in (told.text, bibliography.citation(held, 3).text):
        assert not re.search(r"([.,:;])\s*\1|[?!…]\s*\.|[(\[«]\s*[)\]»]|\s\s|\s[.,]", text)


# -- the style, and what it costs


def test_the_style_is_valid_csl() -> None:
    path = Path(bibliography.__file__).with_name("iso690.csl")
    CitationStylesStyle(str(path), validate=True)  # warns if not


def test_the_processor_is_loaded_when_it_is_needed_only() -> None:
    code = "import sys, kb.bibliography; sys.exit('citeproc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
