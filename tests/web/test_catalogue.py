import re
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

SEARCH = "/recherche?q=médiation"


def told(client: FlaskClient, address: str) -> dict:
    """The JSON of the page at that address."""
    parts = urlsplit(address)
    return client.get(f"{parts.path}.json?{parts.query}").json


def first_hit(client: FlaskClient, q: str = "médiation") -> dict:
    return client.get(f"/recherche.json?q={q}").json["hits"][0]


def addresses(client: FlaskClient) -> list[str]:
    hit = first_hit(client)
    page = hit["passages"][0]["url"]
    return [
        "/",
        SEARCH,
        "/recherche?q=zzyzx",
        hit["url"],
        page,
        "/facette/territoire",
        "/themes",
        "/aide",
        "/plan",
    ]


def test_every_page_answers_with_its_safety_headers(client: FlaskClient):
    for address in [
        *addresses(client),
        "/nulle-part",
        "/notice/vc:0",
        "/static/x/carbet.css",
        "/static/x/non",
    ]:
        response = client.get(address)
        assert response.status_code in (200, 404), address
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_no_page_has_a_style_or_a_script_inside(client: FlaskClient):
    for address in addresses(client):
        body = client.get(address).text
        assert not re.search(
            r"<script(?![^>]*\ssrc=)(?! type=.application/ld\+json.>)|<style|\sstyle=|\son[a-z]+=", body
        ), address


def test_every_page_is_also_json_of_the_same_context(client: FlaskClient):
    for address in addresses(client):
        parts = urlsplit(address)
        path = "/index" if parts.path == "/" else parts.path
        told = client.get(f"{path}.json?{parts.query}")
        assert told.is_json, address
        assert told.json


def test_every_link_of_the_main_pages_leads_somewhere(client: FlaskClient):
    seen = set()
    for address in addresses(client)[:6]:
        for link in re.findall(r'(?:href|src)="(/[^"#]*)', client.get(address).text)[:60]:
            plain = link.replace("&amp;", "&")
            if plain not in seen:
                seen.add(plain)
                assert client.get(plain).status_code == 200, f"{address} -> {plain}"


def test_a_hit_shows_passages_with_the_words_marked_and_their_page(client: FlaskClient):
    hit = first_hit(client, "mediation scolaire")
    assert hit["passages"]
    marked = [p["text"].lower() for passage in hit["passages"] for p in passage["pieces"] if p["marked"]]
    assert any("médiation" in text for text in marked)
    page = client.get(hit["passages"][0]["url"])
    assert "<mark>" in page.text


def test_an_acronym_finds_its_expansion_and_the_other_way_round(client: FlaskClient):
    def found(q: str) -> set[str]:
        page = client.get("/recherche.json", query_string={"q": q, "par": 50}).json
        assert page["expanded"]
        return {hit["id"] for hit in page["hits"]}

    by_acronym, by_words = found("CUCS"), found("contrat urbain de cohésion sociale")
    assert found('CUCS SAUF "contrat urbain de cohésion sociale"') <= by_acronym
    assert by_acronym <= by_words


def test_several_values_of_a_facet_widen_and_several_facets_narrow(client: FlaskClient):
    def total(query: str) -> int:
        return client.get(f"/recherche.json?{query}").json["total"]

    assert total("type=guide&type=etude") == total("type=guide") + total("type=etude")
    assert 0 < total("type=guide&support=electronic") <= total("type=guide")


def test_counts_of_facets_are_the_totals_that_they_promise(client: FlaskClient):
    for facet in client.get(f"{SEARCH.replace('?', '.json?')}").json["facets"]:
        for value in facet["values"][:3]:
            address = value["url"].replace("/recherche", "/recherche.json")
            assert client.get(address).json["total"] == value["count"], (facet["name"], value["label"])


def test_paging_shows_every_record_once(client: FlaskClient):
    address, seen = "/recherche?par=50", []
    while address:
        page = told(client, address)
        seen += [hit["id"] for hit in page["hits"]]
        address = page["next_url"]
    assert len(seen) == len(set(seen)) == page["total"]


def test_a_page_beyond_the_last_is_the_last(client: FlaskClient):
    page = client.get("/recherche.json?q=médiation&page=400").json
    assert page["number"] == page["of"]
    assert page["hits"]


def test_a_misspelt_word_gets_a_proposal_that_finds_something(client: FlaskClient):
    page = client.get("/recherche.json", query_string={"q": "médiaton scolaire"}).json
    assert "médiation" in page["suggestion"]["label"]
    assert told(client, page["suggestion"]["url"])["total"] > 0


@pytest.mark.parametrize(
    "query", ["q=médiation+ET+zzyzx", "q=zzyzx+quantique&type=carte", "q=médiation&de=1700&a=1701"]
)
def test_when_nothing_is_found_the_page_says_what_to_drop_and_what_that_gives(
    client: FlaskClient, query: str
):
    page = client.get(f"/recherche.json?{query}").json
    assert page["total"] == 0
    assert page["nothing"]["drops"] or "zzyzx+quantique" in query
    for drop in page["nothing"]["drops"]:
        assert told(client, drop["url"])["total"] == drop["count"] > 0


def test_a_tag_says_why_and_its_reasons_lead_to_the_page(client: FlaskClient):
    record = told(client, first_hit(client)["url"])
    assert record["subjects"]
    reasons = [reason for subject in record["subjects"] for reason in subject["reasons"]]
    assert all(any(piece["marked"] for piece in reason["pieces"]) for reason in reasons)
    with_page = next(reason for reason in reasons if reason["url"])
    assert client.get(with_page["url"]).status_code == 200


def test_a_host_lists_its_parts_and_a_part_names_its_host(client: FlaskClient):
    found = client.get("/recherche.json?type=article-cahier").json["hits"]
    part = told(client, found[0]["url"])
    host = next(fact for fact in part["facts"] if fact["name"] == "Dans")
    parts = told(client, host["texts"][0]["url"])["parts"]
    assert part["title"] in [p["title"] for p in parts]


def test_a_paper_record_shows_its_cote_and_its_shelf(client: FlaskClient):
    hit = client.get("/recherche.json?support=paper").json["hits"][0]
    assert hit["call_number"]
    copies = told(client, hit["url"])["copies"]
    assert copies[0]["availability"]


def test_pictures_are_drawn_at_known_widths_only(client: FlaskClient):
    cover = client.get("/recherche.json?type=cahier&support=electronic").json["hits"][0]["thumb"]
    picture = client.get(cover)
    assert picture.data[8:12] == b"WEBP"
    assert client.get(cover.rpartition("/")[0] + "/101").status_code == 404
    assert client.get(re.sub(r"/image/1/", "/image/999/", cover)).status_code == 404


def test_an_original_is_never_run_by_the_browser(client: FlaskClient):
    hit = client.get("/recherche.json?type=page-web&support=electronic").json
    hits = hit["hits"] or client.get("/recherche.json?q=contrat de ville&support=electronic").json["hits"]
    for found in hits:
        for link in told(client, found["url"])["files"]:
            response = client.get(link["url"])
            assert "sandbox" in response.headers["Content-Security-Policy"]
            if not link["url"].endswith((".pdf", ".txt")):
                assert response.headers["Content-Disposition"].startswith("attachment")
            wrong = client.get(link["url"] + "x")
            assert wrong.status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/recherche?q=%00%ff",
        "/recherche?q=" + "(" * 400,
        '/recherche?q="',
        "/recherche?page=-1&par=9999999&tri=x&annee=abc&de=99999",
        "/recherche?theme=" + "x" * 5000,
        "/recherche?page=400",
        "/recherche?" + "&".join(f"theme=T{i}" for i in range(500)),
    ],
)
def test_odd_addresses_are_answered_calmly(client: FlaskClient, address: str):
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "address", ["/notice/vc:0", "/notice/x", "/notice/ville-caraibe:1/page/0", "/facette/x"]
)
def test_what_does_not_exist_is_said_in_french(client: FlaskClient, address: str):
    response = client.get(address)
    assert response.status_code == 404
    assert "n’existe" in response.text


def test_html_in_a_search_is_shown_as_text(client: FlaskClient):
    body = client.get("/recherche", query_string={"q": "<script>alert(1)</script>"}).text
    assert "<script>" not in body
