"""Formats of citations, both ways."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import bibtex, csl, ris, rows
from kb.citations import PARTS
from kb.errors import InvalidRecord
from kb.formats import Fields, Notice, plain
from kb.latex import from_latex, to_latex
from kb.records import Agent, Record
from tests.kb.notices import LETTERS, ROLES, notices, told


def held(notice: Notice, *left_out: str, ordered: bool = True) -> dict[str, object]:
    """What a format of citations holds of a notice."""
    fields = told(notice, "copies", *left_out)
    identifiers = dict(notice.record.identifiers) | {"record": notice.number}
    hosts = list(fields.get("hosts", ()))  # type: ignore[call-overload]
    if notice.record.type in PARTS:
        identifiers = {k: v for k, v in identifiers.items() if k not in ("isbn", "issn")}
        numbers = notice.host.identifiers.items() if notice.host else ()
        hosts = [(k, v) for k, v in numbers if k in ("isbn", "issn")] + hosts
    if hosts:
        fields["hosts"] = tuple(hosts)
    fields["identifiers"] = identifiers
    if not ordered and "agents" in fields:
        fields["agents"] = tuple(a for role in ROLES for a in notice.record.agents if a.role == role)
    return fields


@given(notices)
def test_ris_reads_back_equal(notice: Notice) -> None:
    [(line, tags, fault)] = ris.references(ris.to_ris(notice))
    assert (line, fault) == (1, "")
    pages = "extent" if notice.record.type in PARTS else "host_pages"
    assert ris.from_ris(tags) == held(notice, pages)


@given(notices)
def test_csl_json_reads_back_equal(notice: Notice) -> None:
    item = json.loads(json.dumps(csl.to_csl(notice)))
    assert csl.from_csl(item) == held(notice, ordered=False)


@given(notices)
def test_bibtex_reads_back_equal(notice: Notice) -> None:
    [entry] = bibtex.entries(bibtex.to_bibtex(notice))
    assert entry.fault == ""
    assert bibtex.from_bibtex(entry.kind, entry.fields) == held(notice, ordered=False)


# -- what others write


def of_ris(text: str) -> Fields:
    return ris.from_ris(next(iter(ris.references(text)))[1])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Roy,Léa", Agent("Roy, Léa")),
        ("Fanning E.", Agent("Fanning, E.")),
        ("Ville Caraïbe", Agent("Ville Caraïbe", kind="body")),
        ("Villes, quartiers,", Agent("Villes, quartiers", kind="body")),
    ],
)
def test_names_in_ris(name: str, expected: Agent) -> None:
    assert of_ris(f"TY  - BOOK\nTI  - T\nAU  - {name}\nER  - \n")["agents"] == (expected,)


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("PY  - 1948/07//", "1948-07"),
        ("DA  - 2012/3/2/printemps", "2012-03-02"),
        ("Y1  - 2014//", "2014"),
        ("PY  - cop. 2010", "2010"),
        ("DA  - 2012-03-12", "2012-03-12"),
        ("PY  - s. d.", None),
    ],
)
def test_dates_in_ris(line: str, date: str | None) -> None:
    assert of_ris(f"TY  - BOOK\nTI  - T\n{line}\nER  - \n").get("date") == date


def test_references_of_a_ris_file_are_cut_apart_whatever_stands_between() -> None:
    text = (
        "\ufeff1.\nTY  - JOUR\nTI  - Un\n titre\nSN  - 2325-9671 (élec.)\nSP  -\nER  -\n\nProvider: x\n"
        "TY  - BOOK\nTI  - Sans fin\nTY  - BOOK\nTI  - Deux\nSN  - 978-2-07-061239-0\nSP  - 174\nER  - \n"
        "TY  - BOOK\nTI  - Coupée"
    )
    found = list(ris.references(text))
    assert [line for line, _, _ in found] == [2, 10, 12, 17]
    assert [fault for _, _, fault in found] == [
        "",
        "sans fin (ER) avant la référence suivante",
        "",
        "coupée : la fin (ER) manque",
    ]
    article, book = ris.from_ris(found[0][1]), ris.from_ris(found[2][1])
    assert article == {"title": "Un titre", "type": "article", "hosts": (("issn", "2325-9671"),)}
    assert book["identifiers"] == {"isbn": "9782070612390"}
    assert (book["type"], book["extent"]) == ("ouvrage", "174 p.")


@pytest.mark.parametrize("space", ["\u00a0", "\u202f"])
def test_no_break_spaces_of_a_text_stay(space: str) -> None:
    notice = Notice(Record(id="c:1", title="T", abstract=f"Quoi{space}? x", notes=(f"Voir{space}: y",)))
    [(_, tags, _)] = ris.references(ris.to_ris(notice))
    [entry] = bibtex.entries(bibtex.to_bibtex(notice))
    row = rows.from_row(rows.Columns(rows.EXPORTED), rows.to_row(notice))[0]
    for fields in (ris.from_ris(tags), csl.from_csl(csl.to_csl(notice)), row):
        assert (fields["abstract"], fields["notes"]) == (notice.record.abstract, notice.record.notes)
    assert bibtex.from_bibtex(entry.kind, entry.fields)["abstract"] == notice.record.abstract


def test_an_agent_that_a_format_does_not_hold_spoils_nothing() -> None:
    notice = Notice(Record(id="c:1", title="T", agents=(Agent("Maison", "publisher", "body"),)))
    [(_, tags, _)] = ris.references(ris.to_ris(notice))
    [entry] = bibtex.entries(bibtex.to_bibtex(notice))
    for fields in (
        ris.from_ris(tags),
        csl.from_csl(csl.to_csl(notice)),
        bibtex.from_bibtex("", entry.fields),
    ):
        assert (fields["title"], fields.get("agents")) == ("T", None)


def test_a_text_cannot_pass_for_a_tag() -> None:
    for end in "\n\r\u2028":
        notice = Notice(Record(id="c:1", title="T", abstract=f"un{end}ER  - {end}TY  - BOOK"))
        [(_, tags, fault)] = ris.references(ris.to_ris(notice).replace("\r", "\n"))
        assert fault == ""
        assert ris.from_ris(tags)["abstract"] == "un\nER -\nTY - BOOK"


def entry_of(text: str) -> Fields:
    [entry] = bibtex.entries(text)
    return bibtex.from_bibtex(entry.kind, entry.fields)


def test_a_bibtex_entry_with_macros_accents_and_months() -> None:
    fields = entry_of(
        '@string{rev = "Revue " # {des villes}}\n@preamble{"x"}\n@comment{y}\n'
        "@Article(cle2, author = {L{\\'e}a Roy and van der Berg, Jan and {Ville, Cara\\\"{\\i}be}"
        " and others},\n"
        " title = \"{L'\\'Ecole} \\& la c{\\oe}ur\\c{c}on -- \\emph{un} bilan\", journal = rev,\n"
        " year = 2010,"
        " month = mar, pages = {11--27}, volume = 3, number = {2}, issn = {2325-9671}, doi = {10.1000/a_b},\n"
        " url = {\\url{https://a.fr/x_y%20}}, keywords = {ville, {a, b}; c})"
    )
    assert fields == {
        "title": "L'École & la cœurçon – un bilan",
        "type": "article",
        "agents": (Agent("Roy, Léa"), Agent("van der Berg, Jan"), Agent("Ville, Caraïbe", kind="body")),
        "date": "2010-03",
        "issue": "vol. 3, n° 2",
        "host_pages": "11-27",
        "keywords": ("ville", "a, b", "c"),
        "identifiers": {"doi": "10.1000/a_b", "url": "https://a.fr/x_y%20"},
        "hosts": (("issn", "2325-9671"), ("title", "Revue des villes")),
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ludwig van Beethoven", Agent("van Beethoven, Ludwig")),
        ("Roy, Jr, L{\\'e}a", Agent("Roy Jr, Léa")),
        ("Jean Paul Roy", Agent("Roy, Jean Paul")),
        ("INSEE", Agent("INSEE", kind="body")),
        ("{Ville} {Caraïbe}", Agent("Caraïbe, Ville")),
        ("{Villes and quartiers}", Agent("Villes and quartiers", kind="body")),
    ],
)
def test_names_in_bibtex(name: str, expected: Agent) -> None:
    assert entry_of(f"@book{{k, title={{T}}, author={{{name}}}}}")["agents"] == (expected,)


def test_a_broken_entry_is_told_and_the_next_one_read() -> None:
    text = "@book{a, title = {Un}\n}\n@book{b, title = {Deux\n@book{c, title = {Trois}}\n@book{d, title}\n"
    found = list(bibtex.entries(text))
    assert [(one.line, bool(one.fault)) for one in found] == [(1, False), (3, True), (4, False), (5, True)]


def test_the_same_key_or_field_twice_loses_nothing() -> None:
    found = list(bibtex.entries("@book{a, title={Un}, title={X}}\n@book{a, title={Deux}}"))
    assert [one.fields["title"] for one in found] == ["Un", "Deux"]


def test_nesting_and_growth_without_end_do_no_harm() -> None:
    deep = "{" * 50_000 + "A" + "}" * 50_000
    assert entry_of(f"@book{{k, title={{{deep}}}}}")["title"] == "A"
    macros = "@string{a0 = {xxxxxxxxxx}}\n" + "".join(
        f"@string{{a{i} = {' # '.join([f'a{i - 1}'] * 10)}}}\n" for i in range(1, 12)
    )
    assert len(entry_of(macros + "@book{k, title = a11}")["title"]) == 100_000


def test_csl_json_of_others() -> None:
    fields = csl.from_csl(
        {
            "type": "article-journal",
            "title": "T",
            "author": [{"family": "Berg", "given": "Jan", "non-dropping-particle": "van der"}, "x", {}],
            "issued": {"date-parts": [["2010", "3"]]},
            "container-title": "Revue",
            "ISSN": "2325-9671",
            "keyword": "a, b; c",
            "volume": 3,
            "note": ["odd"],
            "custom": "odd",
            "page": "1-2",
        }
    )
    assert fields == {
        "title": "T",
        "type": "article",
        "agents": (Agent("van der Berg, Jan"),),
        "date": "2010-03",
        "hosts": (("issn", "2325-9671"), ("title", "Revue")),
        "keywords": ("a", "b", "c"),
        "issue": "3",
        "host_pages": "1-2",
    }
    assert csl.from_csl({"title": "T", "issued": {"raw": "12 mars 2010"}})["date"] == "2010-03-12"
    assert "date" not in csl.from_csl({"title": "T", "issued": {"date-parts": [[None], 3]}})


@given(st.text(LETTERS, max_size=40))
def test_latex_reads_back_equal(text: str) -> None:
    regular = plain(unicodedata.normalize("NFC", text))
    assert from_latex(to_latex(regular)) == regular


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\'{E}cole \`a \^{\i}le", "École à île"),
        (r"na\"{\i}f \c{C}a {\c c}a", "naïf Ça ça"),
        (r"\OE{}uvre, b\oe uf, 5~\%", "Œuvre, bœuf, 5\u00a0%"),
        (r"``oui'' --- \og non\fg", "“oui” — « non »"),
        (r"\textbf{gras} $x^2$ \unknown{y}", "gras x^2 y"),
        ("a\\\\\nb\n\nc\nd", "a\nb\nc d"),
    ],
)
def test_latex_of_others(latex: str, text: str) -> None:
    assert from_latex(latex).replace("«non»", "« non »") == text


@pytest.mark.parametrize("read", [lambda: ris.from_ris([("TY", "BOOK")]), lambda: csl.from_csl({})])
def test_a_reference_without_title_is_refused(read: Callable[[], Fields]) -> None:
    with pytest.raises(InvalidRecord):
        read()
