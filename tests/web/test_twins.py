"""Records and lists as files of other programs: read by other programs, for those who may see them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import bibtexparser
import pymarc
import pytest

from kb.accounts import Role
from kb.limits import Limit
from kb.records import Agent, Copy, Evidence, Origin, Record, State, Subject
from web.outputs import LIST_FORMS, RECORD_FORMS

WORD = "zanzibarique"
"""Only in the records of these tests."""


@pytest.fixture(autouse=True)
def unlimited(monkeypatch) -> None:
    for view in ("record", "found"):
        monkeypatch.setattr(f"web.twins.{view}.limit", Limit(view, 10_000, 600))


@pytest.fixture(scope="module")
def shelf(house) -> Iterator[dict[str, str]]:
    """A journal for all and one for the team, an article in each, a book, a report too long for MARC."""
    store = house.parts.store
    made: dict[str, str] = {}

    def put(name: str, **fields: object) -> None:
        made[name] = store.new_id("essai")
        store.save(Record(id=made[name], **fields))

    concept = next(iter(house.parts.thesaurus))
    put("journal", title="Revue & <ville>", type="periodique", identifiers={"issn": "2325-9671"})
    put("secret", title="Bulletin de l’équipe", type="periodique", access="staff")
    put(
        "article",
        title=f"Un article {WORD}",
        subtitle="premier essai",
        type="article",
        agents=(Agent("Roy, Léa"), Agent("Ville Caraïbe", kind="body")),
        date="2012-03",
        host=made["journal"],
        host_pages="3-9",
        source="/home/centre/scans/article.pdf",
        subjects=(
            Subject(concept=concept.uri, origin=Origin.LIBRARIAN, state=State.ACCEPTED),
            Subject(concept=concept.uri + "-autre", evidence=(Evidence(1, 0, 4, "mots"),)),
        ),
    )
    put(
        "lent",
        title=f"Un ouvrage {WORD}",
        type="ouvrage",
        call_number="B 12",
        copies=(Copy(call_number="B 12", barcode="30012345", status="lent"),),
    )
    put("inside", title=f"Un article caché {WORD}", type="article", host=made["secret"])
    put("staff", title=f"Une note {WORD}", type="rapport", access="staff")
    put("long", title=f"Un pavé {WORD}", type="rapport", abstract="Très long. " * 9_200)
    house.parts.sync()
    yield made
    for id in made.values():
        store.delete(id)
    house.parts.sync()


def twin(client, id: str, ending: str):
    response = client.get(f"/notice/{id}.{ending}")
    assert response.status_code == 200, response.text
    return response


def listed(client, ending: str, **more: str):
    response = client.get(f"/recherche.{ending}", query_string={"q": WORD, **more})
    assert response.status_code == 200, response.text
    return response


# -- one record


def test_ris_of_a_record_is_read_by_another_program(house, shelf) -> None:
    rispy = pytest.importorskip("rispy")
    response = twin(house.client(), shelf["article"], "ris")
    [told] = rispy.loads(response.text)
    assert told["type_of_reference"] == "JOUR"
    assert told["title"] == f"Un article {WORD} : premier essai"
    assert told["authors"] == ["Roy, Léa", "Ville Caraïbe,"]
    assert (told["start_page"], told["end_page"]) == ("3", "9")
    assert told["secondary_title"] == "Revue & <ville>"


def test_bibtex_of_a_record_is_read_by_another_program(house, shelf) -> None:
    response = twin(house.client(), shelf["article"], "bib")
    library = bibtexparser.parse_string(response.text)
    assert library.failed_blocks == []
    [entry] = library.entries
    assert entry.entry_type == "article"
    assert entry["journaltitle"] == r"Revue \& <ville>"


def test_csl_json_of_a_record(house, shelf) -> None:
    [item] = json.loads(twin(house.client(), shelf["article"], "csl.json").data)
    assert (item["type"], item["container-title"]) == ("article-journal", "Revue & <ville>")
    assert item["issued"] == {"date-parts": [[2012, 3]]}
    assert item["author"] == [{"family": "Roy", "given": "Léa"}, {"literal": "Ville Caraïbe"}]


def test_unimarc_of_a_record_is_read_by_another_program(house, shelf) -> None:
    [record] = pymarc.MARCReader(twin(house.client(), shelf["article"], "mrc").data, force_utf8=True)
    assert record is not None
    assert record["200"]["a"] == f"Un article {WORD}"
    [same] = pymarc.parse_xml_to_array(io.BytesIO(twin(house.client(), shelf["article"], "xml").data))
    assert [str(field) for field in same] == [str(field) for field in record]


def test_dublin_core_of_a_record_is_one_oai_dc_element(house, shelf) -> None:
    top = ET.fromstring(twin(house.client(), shelf["article"], "dc.xml").data)
    assert top.tag == "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
    titles = [node.text for node in top if node.tag.endswith("}title")]
    assert titles == [f"Un article {WORD} : premier essai"]


@pytest.mark.parametrize("ending", RECORD_FORMS)
def test_a_twin_says_what_it_is_of_what_it_is_a_twin_and_how_the_file_is_called(house, shelf, ending) -> None:
    response = twin(house.client(), shelf["article"], ending)
    number = shelf["article"].partition(":")[2]
    assert response.mimetype == RECORD_FORMS[ending].exporter.media_type
    assert response.headers["Content-Disposition"] == (
        f"attachment; filename=un-article-{WORD}-essai-{number}.{ending}"
    )
    assert response.headers["Link"] == f'<http://localhost/notice/essai%3A{number}>; rel="canonical"'
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("ending", [*RECORD_FORMS, "json"])
def test_the_addresses_of_twins_do_not_stand_in_each_others_way(house, shelf, ending) -> None:
    assert house.client().get(f"/notice/{shelf['article']}.{ending}").status_code == 200
    assert house.client().get(f"/notice/essai:999999.{ending}").status_code == 404


@pytest.mark.parametrize("ending", RECORD_FORMS)
def test_what_may_not_be_seen_has_no_twin_and_is_not_named_as_a_host(house, shelf, ending) -> None:
    visitor, librarian = house.client(), house.client(Role.LIBRARIAN)
    assert visitor.get(f"/notice/{shelf['staff']}.{ending}").status_code == 404
    assert twin(librarian, shelf["staff"], ending).headers["Cache-Control"] == "private, no-store"
    assert "Bulletin" not in twin(visitor, shelf["inside"], ending).text
    assert "Bulletin" in twin(librarian, shelf["inside"], ending).text


@pytest.mark.parametrize("ending", RECORD_FORMS)
def test_paths_bar_codes_and_loans_do_not_leave(house, shelf, ending) -> None:
    assert "/home/centre" not in twin(house.client(), shelf["article"], ending).text
    told = twin(house.client(Role.LIBRARIAN), shelf["lent"], ending).text
    assert "30012345" not in told
    assert "prêt" not in told


def test_a_record_that_a_format_cannot_hold_is_told_by_a_page(house, shelf) -> None:
    response = house.client().get(f"/notice/{shelf['long']}.mrc")
    assert response.status_code == 400
    assert response.mimetype == "text/html"
    assert "trop longue pour l’ISO 2709" in response.text
    assert twin(house.client(), shelf["long"], "ris")


def test_twins_of_records_are_counted(house, shelf, monkeypatch) -> None:
    monkeypatch.setattr("web.twins.record.limit", Limit("few", 2, 600))
    client = house.client()
    codes = [client.get(f"/notice/{shelf['article']}.ris").status_code for _ in range(3)]
    assert codes == [200, 200, 429]


# -- lists


def titles(response, ending: str) -> list[str]:
    match ending:
        case "ris":
            return [line[6:] for line in response.text.splitlines() if line.startswith("TI  - ")]
        case "bib":
            return [entry["title"] for entry in bibtexparser.parse_string(response.text).entries]
        case "csl.json":
            return [item["title"] for item in json.loads(response.data)]
        case "csv":
            rows = csv.DictReader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";")
            return [row["Titre"] for row in rows]
        case "mrc":
            read = pymarc.MARCReader(response.data, force_utf8=True)
        case _:
            read = pymarc.parse_xml_to_array(io.BytesIO(response.data))
    return [record["200"]["a"] for record in read if record]


@pytest.mark.parametrize("ending", LIST_FORMS)
def test_a_list_has_what_the_page_of_results_has(house, shelf, ending) -> None:
    response = listed(house.client(), ending, tri="titre")
    held = [title.partition(" : ")[0] for title in titles(response, ending)]
    marc = ending in ("mrc",)
    expected = [f"Un article {WORD}", f"Un article caché {WORD}", f"Un ouvrage {WORD}", f"Un pavé {WORD}"]
    assert sorted(held) == sorted(expected[:3] if marc else expected)
    assert response.headers["X-Carbet-Total"] == "4"
    assert response.headers["X-Carbet-Left-Out"] == ("1" if marc else "0")
    assert response.mimetype == LIST_FORMS[ending].exporter.media_type
    assert response.headers["Link"] == f'<http://localhost/recherche?q={WORD}&tri=titre>; rel="canonical"'
    assert f"filename={WORD}-2" in response.headers["Content-Disposition"]
    assert int(response.headers["Content-Length"]) == len(response.data)


def test_filters_and_order_are_those_of_the_search_and_pages_do_not_count(house, shelf) -> None:
    first = listed(house.client(), "csl.json", type="article", tri="titre", page="3", par="10")
    assert [item["id"] for item in json.loads(first.data)] == [shelf["inside"], shelf["article"]]
    assert "article-de-revue" in first.headers["Content-Disposition"]


def test_a_list_ends_at_the_limit_and_says_so(house, shelf, monkeypatch) -> None:
    monkeypatch.setattr("web.twins.MOST", 2)
    response = listed(house.client(), "csl.json")
    assert len(json.loads(response.data)) == 2
    assert (response.headers["X-Carbet-Limit"], response.headers["X-Carbet-Total"]) == ("2", "4")


def test_a_list_of_nothing_is_an_empty_file(house) -> None:
    response = house.client().get("/recherche.csl.json?q=xyzzyxyzzy")
    assert json.loads(response.data) == []
    assert response.headers["X-Carbet-Total"] == "0"


@pytest.mark.parametrize("ending", LIST_FORMS)
def test_who_may_see_more_is_given_more(house, shelf, ending) -> None:
    visitor, librarian = (
        titles(listed(house.client(r), ending), ending) for r in (Role.VISITOR, Role.LIBRARIAN)
    )
    assert f"Une note {WORD}" not in visitor
    assert f"Une note {WORD}" in librarian


def test_what_is_left_out_is_named_where_the_format_lets_it(house, shelf, monkeypatch) -> None:
    form = LIST_FORMS["xml"]
    refusing = dataclasses.replace(form.exporter, one=_refuses_long(form.exporter.one))
    monkeypatch.setitem(LIST_FORMS, "xml", dataclasses.replace(form, exporter=refusing))
    response = listed(house.client(), "xml")
    assert f"<!-- Notices que ce format ne peut pas porter :\n{shelf['long']} : notice trop" in response.text
    assert len(titles(response, "xml")) == 3
    assert response.headers["X-Carbet-Left-Out"] == "1"


def _refuses_long(one):
    from kb.errors import InvalidRecord

    def write(notice):
        if len(notice.record.abstract or "") > 100_000:
            raise InvalidRecord("record", "trop longue --> vraiment")
        return one(notice)

    return write


def test_lists_are_counted_with_the_other_exports(house, shelf, monkeypatch) -> None:
    monkeypatch.setattr("web.twins.found.limit", Limit("few-lists", 1, 600))
    client = house.client()
    assert [client.get("/recherche.ris?q=a").status_code for _ in range(2)] == [200, 429]


# -- the pages that lead there


def test_the_page_of_a_record_leads_to_its_twins(house, shelf) -> None:
    page = house.client().get(f"/notice/{shelf['article']}").text
    for ending, form in RECORD_FORMS.items():
        url = f"/notice/{shelf['article'].replace(':', '%3A')}.{ending}"
        assert f'<link rel="alternate" type="{form.exporter.media_type}" href="{url}"' in page
        assert f'<a href="{url}"' in page
    assert 'name="citation_journal_title" content="Revue &amp; &lt;ville&gt;"' in page
    assert '<script type="application/ld+json">{"@context"' in page
    assert page.count('name="DC.title"') == 1


def test_metas_do_not_name_what_may_not_be_seen(house, shelf) -> None:
    assert "Bulletin" not in house.client().get(f"/notice/{shelf['inside']}").text
    assert "Bulletin" not in house.client().get(f"/recherche?q={WORD}").text
    assert "Bulletin" in house.client(Role.LIBRARIAN).get(f"/notice/{shelf['inside']}").text


def test_the_page_of_results_leads_to_its_files_and_feeds_and_says_how_many_they_hold(
    house, shelf, monkeypatch
) -> None:
    page = house.client().get(f"/recherche?q={WORD}&type=article&par=10&tri=titre").text
    assert f'href="/recherche.ris?q={WORD}&amp;type=article&amp;tri=titre"' in page
    assert f'href="/recherche.atom?q={WORD}&amp;type=article"' in page
    assert "ces 2 résultats" in page
    assert page.count('class="Z3988"') == 2
    monkeypatch.setattr("web.outputs.MOST", 1)
    assert "les 1 premiers" in house.client().get(f"/recherche?q={WORD}").text


def test_nothing_found_is_followed_but_not_exported(house) -> None:
    page = house.client().get("/recherche?q=xyzzyxyzzy").text
    assert "/recherche.ris" not in page
    assert 'href="/recherche.atom?q=xyzzyxyzzy"' in page
