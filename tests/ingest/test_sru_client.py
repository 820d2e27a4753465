"""Other catalogues asked by SRU: those that speak in several ways, and those that do not answer well."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from ingest.connector import Fetched
from ingest.sru import Catalogue, CatalogueError, Failing, Found, Sought

URL = "https://catalogue.exemple.fr/sru"
SRW, ZEEREX = "http://www.loc.gov/zing/srw/", "http://explain.z3950.org/dtd/2.0/"
ISBN = "9782070612758"

Answers = Callable[[dict[str, str]], str | tuple[int, str]]


class Server:
    """A server in memory; what it was asked is kept."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.asked = answers, list[dict[str, str]]()

    def __call__(self, url: str, *, limits) -> Fetched:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        told = self.answers(query)
        status, body = told if isinstance(told, tuple) else (200, told)
        return Fetched(url=url, status=status, headers={}, body=body.encode())

    def searches(self) -> list[str]:
        return [query["query"] for query in self.asked if query["operation"] == "searchRetrieve"]


def unimarc(title: str) -> str:
    return (
        '<mxc:record xmlns:mxc="info:lc/xmlns/marcxchange-v2">'
        "<mxc:leader>00000cam0 2200000   450 </mxc:leader>"
        '<mxc:controlfield tag="001">FRBNF1</mxc:controlfield><mxc:datafield tag="010" ind1=" " ind2=" ">'
        f'<mxc:subfield code="a">{ISBN}</mxc:subfield></mxc:datafield>'
        '<mxc:datafield tag="200" ind1="1" ind2=" "><mxc:subfield code="a">'
        f'{title}</mxc:subfield></mxc:datafield><mxc:datafield tag="700" ind1=" " ind2="|">'
        '<mxc:subfield code="a">Donzelot</mxc:subfield><mxc:subfield code="b">Jacques</mxc:subfield>'
        "</mxc:datafield></mxc:record>"
    )


def response(*records: str, total: int | None = None, prefix: str = "srw") -> str:
    inner = "".join(
        f"<{prefix}:record><{prefix}:recordData>{one}</{prefix}:recordData></{prefix}:record>"
        for one in records
    )
    return (
        f'<{prefix}:searchRetrieveResponse xmlns:{prefix}="{SRW}"><{prefix}:version>1.2</{prefix}:version>'
        f"<{prefix}:numberOfRecords>{len(records) if total is None else total}</{prefix}:numberOfRecords>"
        f"<{prefix}:records>{inner}</{prefix}:records></{prefix}:searchRetrieveResponse>"
    )


def diagnostic(number: int, message: str = "") -> str:
    return (
        f'<searchRetrieveResponse xmlns="{SRW}"><numberOfRecords>0</numberOfRecords><diagnostics>'
        '<diagnostic xmlns="http://www.loc.gov/zing/srw/diagnostic/">'
        f"<uri>info:srw/diagnostic/1/{number}</uri><message>{message}</message></diagnostic></diagnostics>"
        "</searchRetrieveResponse>"
    )


def explain(*indexes: str, schemas: tuple[str, ...] = ("unimarcXchange",)) -> str:
    told = "".join(
        f'<index><map><name set="{one.partition(".")[0]}">{one.partition(".")[2]}</name></map></index>'
        for one in indexes
    )
    kept = "".join(f'<schema name="{one}"/>' for one in schemas)
    return (
        f'<explainResponse xmlns="{SRW}"><record><recordData><explain xmlns="{ZEEREX}"><indexInfo>{told}'
        f"</indexInfo><schemaInfo>{kept}</schemaInfo></explain></recordData></record></explainResponse>"
    )


def asking(answers: Answers, **sought: str) -> tuple[Found, Server]:
    server = Server(answers)
    return Catalogue(server, URL).search(Sought(**sought)), server


def telling(indexes: tuple[str, ...], answer: str) -> Answers:
    return lambda query: explain(*indexes) if query["operation"] == "explain" else answer


def test_a_server_is_asked_by_the_indexes_and_schemas_that_it_tells():
    answers = telling(("bib.isbn", "bib.title", "bib.author"), response(unimarc("La ville à trois vitesses")))
    found, server = asking(answers, isbn=ISBN)
    assert [draft.title for draft in found.drafts] == ["La ville à trois vitesses"]
    assert found.drafts[0].identifiers["isbn"] == ISBN
    assert [agent.name for agent in found.drafts[0].agents] == ["Donzelot, Jacques"]
    (query,) = server.searches()
    assert query.startswith("bib.isbn")
    assert ISBN in query


def test_a_title_and_an_author_are_asked_together_and_quoted():
    answers = telling(("dc.title", "dc.creator"), response(unimarc("Un titre")))
    _, server = asking(answers, title='La "ville" \\ demain', author="Donzelot")
    (query,) = server.searches()
    assert "dc.title" in query
    assert "dc.creator" in query
    assert '\\"ville\\"' in query


def test_a_server_without_explain_is_tried_in_other_words_until_one_is_known():
    def answers(query: dict[str, str]) -> str | tuple[int, str]:
        if query["operation"] == "explain":
            return 404, "<html>nothing here</html>"
        if not query["query"].startswith("dc.title"):
            return diagnostic(16, "bib.title")
        return diagnostic(66) if query["recordSchema"] != "marcxml" else response(unimarc("Trouvé"))

    server = Server(answers)
    catalogue = Catalogue(server, URL)
    assert catalogue.search(Sought(title="trouvé")).drafts[0].title == "Trouvé"
    before = len(server.asked)
    catalogue.search(Sought(title="encore"))
    assert len(server.asked) == before + 1  # what the server can do is remembered


def test_an_explain_whose_inner_text_is_broken_is_as_none():
    broken = (
        f'<explainResponse xmlns="{SRW}"><record><recordPacking>string</recordPacking>'
        "<recordData>&lt;explain&gt;&lt;indexInfo</recordData></record></explainResponse>"
    )

    def answers(query: dict[str, str]) -> str:
        return broken if query["operation"] == "explain" else response(unimarc("Trouvé"))

    found, _ = asking(answers, title="trouvé")
    assert found.total == 1


def test_an_isbn_of_thirteen_digits_that_is_not_known_is_asked_by_ten():
    def answers(query: dict[str, str]) -> str:
        if query["operation"] == "explain":
            return explain("bib.isbn", "bib.title")
        return response(unimarc("Ancien")) if "2070612759" in query["query"] else response()

    found, _ = asking(answers, isbn=ISBN)
    assert found.total == 1


def test_ten_of_many_are_read_and_the_number_is_told():
    found, _ = asking(telling(("bib.title",), response(unimarc("Ville"), total=10_000)), title="ville")
    assert (found.total, len(found.drafts)) == (10_000, 1)


def test_one_unreadable_record_stops_no_other():
    answer = response(unimarc("Bon"), "<autre>chose</autre>", unimarc("Bon aussi"), prefix="zs")
    found, _ = asking(telling(("bib.title",), answer), title="bon")
    assert [draft.title for draft in found.drafts] == ["Bon", "Bon aussi"]
    assert found.unreadable == 1


def test_dublin_core_is_read_too():
    dc = (
        '<dc:dc xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>En Dublin Core</dc:title>'
        "<dc:date>2011</dc:date></dc:dc>"
    )
    found, _ = asking(telling(("dc.title",), response(dc)), title="dublin")
    assert (found.drafts[0].title, found.drafts[0].date) == ("En Dublin Core", "2011")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("<html><body>Bienvenue</body></html>", Failing.NOT_SRU),
        ("not even XML", Failing.NOT_SRU),
        ((503, "busy"), Failing.BUSY),
        ((403, "no"), Failing.REFUSED),
        ((500, "<html>error</html>"), Failing.HTTP),
        (diagnostic(2), Failing.BUSY),
        (diagnostic(3), Failing.REFUSED),
        (diagnostic(1, "Panne générale"), Failing.DIAGNOSED),
    ],
)
def test_a_server_that_gives_nothing_says_why(answer, why: Failing):
    with pytest.raises(CatalogueError) as refused:
        asking(telling(("bib.title",), answer), title="ville")  # type: ignore[arg-type]
    assert refused.value.why is why


def test_entities_are_not_resolved():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + response(unimarc("&a;&a;"))
    try:
        found, _ = asking(telling(("bib.title",), bomb), title="ville")
    except CatalogueError:
        return
    assert all("aaaa" not in draft.title for draft in found.drafts)


@pytest.mark.parametrize(
    "packed", ["&lt;explain&gt;&lt;indexInfo&gt;", "no XML", "&lt;!DOCTYPE e&gt;&lt;e/&gt;"]
)
def test_an_explain_whose_record_cannot_be_read_is_as_good_as_none(packed: str):
    told = (
        f'<explainResponse xmlns="{SRW}"><record><recordData>{packed}</recordData></record></explainResponse>'
    )
    found, server = asking(
        lambda query: told if query["operation"] == "explain" else response(unimarc("Trouvé")), isbn=ISBN
    )
    assert found.drafts[0].title == "Trouvé"
    assert len(server.searches()) == 1
