"""Feeds of searches, the description of the search, the map of the site and what robots are asked."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import http_date

from kb.accounts import Right, Role
from kb.records import Agent, Origin, Record, State, Subject
from web import syndication
from web.feeds import shortened
from web.guard import right_of
from web.syndication import Category, Entry, Feed

ATOM = {"a": "http://www.w3.org/2005/Atom", "o": "http://a9.com/-/spec/opensearch/1.1/"}
MAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORD = "quetzalique"
"""Only in the records of these tests."""


@pytest.fixture(scope="module")
def shelf(house) -> Iterator[dict[str, str]]:
    """Four records in the order in which they came in, their years the other way round; one for the team."""
    store, made = house.parts.store, {}
    concept = house.parts.thesaurus.by_code("T03")
    subject = Subject(concept=concept.uri, origin=Origin.LIBRARIAN, state=State.ACCEPTED)
    for number, access in enumerate(("public", "public", "staff", "public")):
        made[f"{number}"] = id = store.new_id("essai")
        store.save(
            Record(
                id=id,
                title=f"Le {number}e <titre> {WORD}",
                type="rapport",
                agents=(Agent("Roy, Léa"),),
                date=str(2010 - number),
                abstract="Un & deux. " * 100,
                access=access,
                subjects=(subject,) if number != 1 else (),
            )
        )
    house.parts.sync()
    yield made
    for id in made.values():
        store.delete(id)
    house.parts.sync()


def entries(response) -> list[str]:
    top = ET.fromstring(response.data)
    return [entry.findtext("a:title", "", ATOM) for entry in top.findall("a:entry", ATOM)]


def titles(*numbers: int) -> list[str]:
    return [f"Le {number}e <titre> {WORD}" for number in numbers]


# -- which records


def test_the_newest_come_first_by_when_they_came_in_whatever_their_year(house, shelf) -> None:
    assert entries(house.client().get(f"/recherche.atom?q={WORD}")) == titles(3, 1, 0)
    assert entries(house.client().get(f"/recherche.atom?q={WORD}&tri=ancien&page=2")) == titles(3, 1, 0)


def test_a_feed_of_a_theme_has_what_bears_it(house, shelf) -> None:
    found = entries(house.client().get("/recherche.atom?theme=T03"))
    assert found[:2] == titles(3, 0)
    assert titles(1)[0] not in found


def test_a_feed_ends_after_some_entries_and_says_how_many_there_are(house, shelf, monkeypatch) -> None:
    monkeypatch.setattr("web.feeds.NEWEST", 2)
    response = house.client().get(f"/recherche.atom?q={WORD}")
    assert entries(response) == titles(3, 1)
    assert ET.fromstring(response.data).findtext("o:totalResults", "", ATOM) == "3"


def test_newest_are_found_among_the_records_of_each_centre(house, shelf) -> None:
    """Numbers of one centre say nothing about those of another one."""
    other = Record(id="autre:999999", title=f"D’ailleurs {WORD}")
    house.parts.store.save(other)
    house.parts.sync()
    try:
        found = entries(house.client().get(f"/recherche.atom?q={WORD}"))
        assert found == [other.title, *titles(3, 1, 0)]
    finally:
        house.parts.store.delete(other.id)
        house.parts.sync()


def test_a_change_of_an_old_record_does_not_make_it_new_but_is_told(house, shelf) -> None:
    store = house.parts.store
    before = store.get(shelf["0"])
    store.save(dataclasses.replace(before, abstract="Autre résumé."))
    response = house.client().get(f"/recherche.atom?q={WORD}")
    assert entries(response) == titles(3, 1, 0)
    last = ET.fromstring(response.data).findall("a:entry", ATOM)[-1]
    assert last.findtext("a:updated", "", ATOM) >= last.findtext("a:published", "", ATOM)
    assert last.findtext("a:summary", "", ATOM) == "Rapport, 2010. Autre résumé."
    store.save(before)


def test_what_may_not_be_seen_is_in_no_feed_without_a_session(house, shelf) -> None:
    visitor, librarian = house.client(), house.client(Role.LIBRARIAN)
    for path in ("/recherche.atom", "/recherche.rss"):
        assert titles(2)[0].partition("<")[0] not in visitor.get(f"{path}?q={WORD}").text
        assert titles(2)[0].partition("<")[0] in librarian.get(f"{path}?q={WORD}").text


def test_a_search_that_finds_nothing_is_an_empty_feed(house) -> None:
    response = house.client().get("/recherche.atom?q=xyzzyxyzzy")
    assert response.status_code == 200
    assert entries(response) == []
    assert ET.fromstring(response.data).findtext("a:updated", "", ATOM) == "1970-01-01T00:00:00Z"


# -- how they are told


def test_an_entry_says_who_what_and_about_what(house, shelf) -> None:
    top = ET.fromstring(house.client().get(f"/recherche.atom?q={WORD}").data)
    entry = top.find("a:entry", ATOM)
    address = f"http://localhost/notice/{shelf['3'].replace(':', '%3A')}"
    assert entry.findtext("a:id", "", ATOM) == address
    assert entry.find("a:link", ATOM).get("href") == address
    assert entry.findtext("a:author/a:name", "", ATOM) == "Léa Roy"
    assert entry.findtext("a:summary", "", ATOM).startswith("Rapport, 2007. Un & deux. Un & deux.")
    assert entry.findtext("a:summary", "", ATOM).endswith(" …")
    terms = {c.get("term"): c.get("label") for c in entry.findall("a:category", ATOM)}
    assert terms == {"rapport": "Rapport", "T03": house.parts.thesaurus.by_code("T03").label}
    assert top.findtext("a:id", "", ATOM) == f"http://localhost/recherche.atom?q={WORD}"


@pytest.mark.parametrize("path", ["/recherche.atom", "/recherche.rss"])
def test_a_feed_is_read_by_another_program(house, shelf, path) -> None:
    feedparser = pytest.importorskip("feedparser")
    response = house.client().get(f"{path}?q={WORD}")
    told = feedparser.parse(response.data, response_headers={"content-type": response.content_type})
    assert not told.bozo, told.get("bozo_exception")
    assert told.version in ("atom10", "rss20")
    assert [entry.link.rpartition("%3A")[2] for entry in told.entries] == [
        shelf[n].partition(":")[2] for n in ("3", "1", "0")
    ]
    first = told.entries[0]
    assert first.id == first.link
    assert first.author == "Léa Roy"
    assert first.published_parsed
    assert "Un &amp; deux" in first.summary or "Un & deux" in first.summary
    labels = {tag.label or tag.term for tag in first.tags}
    assert labels == {"Rapport", house.parts.thesaurus.by_code("T03").label}
    assert told.feed.link == f"http://localhost/recherche?q={WORD}"


@pytest.mark.parametrize("path", ["/recherche.atom", "/recherche.rss"])
def test_what_has_not_changed_is_not_sent_again(house, shelf, path) -> None:
    client, url = house.client(), f"{path}?q={WORD}"
    first = client.get(url)
    same = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    since = client.get(url, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert since.status_code == 304
    long_ago = http_date(datetime.now(UTC) - timedelta(days=900))
    assert client.get(url, headers={"If-Modified-Since": long_ago}).status_code == 200
    assert client.get(url, headers={"If-None-Match": '"autre"'}).status_code == 200


def test_only_what_everybody_is_told_may_be_kept_by_all(house, shelf) -> None:
    for path in ("/recherche.atom", "/recherche.rss"):
        assert house.client().get(path).headers["Cache-Control"] == "public, max-age=900"
        assert house.client(Role.MEMBER).get(path).headers["Cache-Control"] == "private, no-store"
        assert house.client(Role.CENTRE).get(path).headers["Cache-Control"] == "private, no-cache"
        assert {"Cookie", "Authorization"} <= house.client().get(path).vary.as_set(preserve_casing=True)


def entry(**fields: object) -> Entry:
    known = {"url": "https://e.example/1", "title": "T", "published": DAY, "updated": DAY}
    return Entry(**(known | fields))


def feed(*some: Entry) -> Feed:
    root = "https://e.example"
    about = {"title": "F", "about": "A", "author": "Centre"}
    return Feed(id=root, here=f"{root}/f", page=f"{root}/p", entries=some, total=None, **about)


@given(st.text())
def test_any_text_makes_a_feed_that_is_read_again(text: str) -> None:
    told = feed(entry(title=text, summary=text, authors=(text,), categories=(Category(text, text, "x"),)))
    top = ET.fromstring(syndication.atom(told))
    kept = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).replace("\r\n", "\n")
    assert top.findtext("a:entry/a:title", "", ATOM) == kept
    item = ET.fromstring(syndication.rss(told)).find("channel/item")
    assert item.findtext("title", "") == kept


def test_plain_text_is_no_markup_in_rss_and_html_stays_markup() -> None:
    plain = ET.fromstring(syndication.rss(feed(entry(summary="a <b> & c"))))
    assert plain.findtext("channel/item/description") == "a &lt;b&gt; &amp; c"
    marked = ET.fromstring(syndication.rss(feed(entry(summary="s", html="<p>a</p>"))))
    assert marked.findtext("channel/item/description") == "<p>a</p>"
    atom = ET.fromstring(syndication.atom(feed(entry(html="<p>a</p>"))))
    assert atom.find("a:entry/a:content", ATOM).get("type") == "html"


def test_moments_are_told_as_each_format_wants_them() -> None:
    told = feed(entry(published=DAY, updated=DAY + timedelta(days=1)))
    atom, rss = ET.fromstring(syndication.atom(told)), ET.fromstring(syndication.rss(told))
    assert atom.findtext("a:updated", "", ATOM) == "2026-03-02T12:00:00Z"
    assert atom.findtext("a:entry/a:published", "", ATOM) == "2026-03-01T12:00:00Z"
    assert rss.findtext("channel/item/pubDate") == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert rss.findtext("channel/lastBuildDate") == "Mon, 02 Mar 2026 12:00:00 GMT"


@given(st.text(), st.integers(10, 60))
def test_what_is_shortened_is_never_longer(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most
    assert "\n" not in shortened(text, most)


# -- the search, told to browsers


def test_browsers_are_told_how_to_search(house) -> None:
    response = house.client().get("/opensearch.xml")
    assert response.mimetype == "application/opensearchdescription+xml"
    top = ET.fromstring(response.data)
    assert 0 < len(top.findtext("o:ShortName", "", ATOM)) <= 16
    assert len(top.findtext("o:LongName", "", ATOM)) <= 48
    urls = {url.get("type"): url.get("template") for url in top.findall("o:Url", ATOM)}
    assert urls["text/html"] == "http://localhost/recherche?q={searchTerms}"
    for kind in ("text/html", "application/atom+xml", "application/rss+xml"):
        path = urls[kind].removeprefix("http://localhost").replace("{searchTerms}", "quartier")
        assert house.client().get(path).mimetype == kind
    assert house.client().get(top.findtext("o:Image", "", ATOM)).status_code == 200
    assert 'rel="search" type="application/opensearchdescription+xml"' in house.client().get("/").text


# -- the map of the site


def locations(response) -> list[str]:
    top = ET.fromstring(response.data)
    return [node.text.removeprefix("http://localhost") for node in top.iter(f"{{{MAP['s']}}}loc")]


def mapped(client) -> list[str]:
    parts = locations(client.get("/sitemap.xml"))
    assert parts[0] == "/sitemap-pages.xml"
    return [url for part in parts[1:] for url in locations(client.get(part))]


def test_the_map_has_each_of_our_records_that_everybody_may_see_once(house, shelf, monkeypatch) -> None:
    store = house.parts.store
    open_ = ("public", "onsite")
    public = [id for id in store.ids(ours=True) if store.get(id).access in open_]
    expected = sorted(f"/notice/{id.replace(':', '%3A')}" for id in public)
    for size in (5_000, 7, 1):
        monkeypatch.setattr("web.sitemap.PART", size)
        assert sorted(mapped(house.client())) == expected
        if size == 1:
            assert max(len(locations(house.client().get(p))) for p in locations(
                house.client().get("/sitemap.xml"))[1:]) == 1  # fmt: skip
    assert f"/notice/{shelf['2'].replace(':', '%3A')}" not in expected


def test_the_map_is_the_same_whoever_asks(house, shelf) -> None:
    for path in ("/sitemap.xml", "/sitemap-notices.xml", "/sitemap-pages.xml"):
        assert house.client(Role.ADMINISTRATOR).get(path).data == house.client().get(path).data
        assert house.client().get(path).headers["Cache-Control"] == "public, max-age=3600"


def test_a_part_says_when_each_record_changed(house, shelf) -> None:
    top = ET.fromstring(house.client().get(f"/sitemap-notices.xml?apres={shelf['0']}").data)
    first = top.find("s:url", MAP)
    assert first.findtext("s:loc", "", MAP).endswith(shelf["1"].replace(":", "%3A"))
    updated = datetime.fromisoformat(first.findtext("s:lastmod", "", MAP))
    assert updated == house.parts.store.get(shelf["1"]).updated.replace(microsecond=0)


@pytest.mark.parametrize("after", ["x", "a:1 or 1", "../1", "essai:"])
def test_a_part_that_begins_nowhere_does_not_exist(house, after) -> None:
    assert house.client().get("/sitemap-notices.xml", query_string={"apres": after}).status_code == 404


def test_the_pages_of_the_map_are_there(house) -> None:
    for url in locations(house.client().get("/sitemap-pages.xml")):
        assert house.client().get(url).status_code == 200, url


# -- robots


@pytest.fixture
def robots(house) -> RobotFileParser:
    response = house.client().get("/robots.txt")
    assert response.mimetype == "text/plain"
    parser = RobotFileParser()
    parser.parse(response.text.splitlines())
    return parser


def test_robots_are_led_to_the_map(house, robots) -> None:
    assert robots.site_maps() == ["http://localhost/sitemap.xml"]


def test_robots_may_read_what_the_map_names_and_the_feeds(house, robots) -> None:
    client = house.client()
    for url in (*mapped(client), *locations(client.get("/sitemap-pages.xml")), "/recherche.atom"):
        assert robots.can_fetch("*", url), url


def test_robots_stay_out_of_searches_files_and_work_pages(house, robots) -> None:
    refused = ("/recherche?theme=T01", "/recherche?q=a", "/recherche.ris?q=a", "/recherche.csv", "/suivi/abc")
    for url in (*refused, "/guichet", "/depot/3", "/journal.csv", "/administration/personnes", "/lot"):
        assert not robots.can_fetch("*", url), url
    text = house.client().get("/robots.txt").text
    assert "Disallow: /notice/*.ris$" in text
    assert "Disallow: /notice/*/modifier\n" in text


def test_no_page_for_visitors_is_refused_by_the_first_word_of_another(house, robots) -> None:
    kept = ("/connexion", "/mot-de-passe", "/facette", "/suivi", "/recherche")
    for rule in house.app.url_map.iter_rules():
        plain = "<" not in rule.rule and "GET" in rule.methods and not rule.rule.startswith(kept)
        if plain and right_of(house.app, rule.endpoint) is Right.VISIT:
            assert robots.can_fetch("*", rule.rule), rule.rule
