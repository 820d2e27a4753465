"""Records of other centres in our pages: one hit a work with all who hold it, read here, changed there."""

from __future__ import annotations

import dataclasses

import pytest
from bs4 import BeautifulSoup

from kb.accounts import VISITOR, Role
from kb.centres import Centre
from kb.mirrors import Origin
from kb.records import Agent, Copy, File, Page, Record
from kb.sharing import Shared
from search.query import Request
from web import activity_holdings, holders
from web.fund import Fund

NAMES = {"labo-cites": "Labo Cités", "observatoire": "Observatoire du fleuve"}
COMMON = Record(
    id="ville-caraibe:900001",
    title="Les pirogues du quartier fluvial",
    type="etude",
    date="2014",
    agents=(Agent("Dulac, Irène"),),
    abstract="Se déplacer en pirogue, se loger au bord de l’eau.",
    call_number="PIR 3",
    copies=(Copy("PIR 3", status="lent"),),
)
FILE = File(sha256="0" * 64, name="pirogues.pdf", media_type="application/pdf", size=2_300_000, pages=2)
ALONE = "observatoire:2"


def keep(house, record: Record, *pages: Page, source: int = 1) -> str:
    origin = Origin(
        centre=record.centre,
        source=source,
        identifier=f"oai:{record.id}",
        datestamp="2026-03-01",
        url=f"https://{record.centre}.exemple.fr/notice/{record.id}",
    )
    house.parts.mirrors.keep(Shared(record, pages), origin)
    return record.id


@pytest.fixture(scope="module")
def network(house):
    """A work that all three centres hold, one that the observatory alone has, and a list by the lab."""
    parts = house.parts
    for code, name in NAMES.items():
        contact = "doc@labo.exemple.fr" if code == "labo-cites" else ""
        parts.centres.save(Centre(code=code, name=name, contact=contact))
    parts.store.save(COMMON)
    theirs = dataclasses.replace(COMMON, call_number="LC 7", copies=(Copy("LC 7", location="Salle 2"),))
    keep(house, dataclasses.replace(theirs, id="labo-cites:1", keywords=("navigation",)))
    pages = (Page(1, "Le bac traverse le fleuve."), Page(2, "La pirogue est un bus."))
    bare = dataclasses.replace(COMMON, call_number=None, copies=(), files=(FILE,))
    keep(house, dataclasses.replace(bare, id="observatoire:1", abstract=None), *pages, source=0)
    alone = Record(id=ALONE, title="Pirogues et passeurs : un métier", type="rapport", date="2019")
    keep(house, dataclasses.replace(alone, files=(FILE,)), Page(1, "Les passeurs du fleuve parlent."))
    parts.sync()
    return house


def soup(client, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return BeautifulSoup(answer.text, "html.parser")


def told(tag) -> str:
    """The words of a tag, spaces made one."""
    return " ".join(tag.get_text(" ").split())


# -- results


def test_a_work_of_several_centres_is_one_hit_that_says_who_holds_it(network):
    page = network.client().get("/recherche.json?q=pirogues").json
    hits = {hit["id"]: hit for hit in page["hits"]}
    assert set(hits) == {"observatoire:1", ALONE}
    assert hits["observatoire:1"]["holders"] == "Ville Caraïbe et 2 autres centres"
    assert hits[ALONE]["holders"] == "Observatoire du fleuve"
    assert (hits["observatoire:1"]["call_number"], hits[ALONE]["call_number"]) == ("PIR 3", None)
    assert hits["observatoire:1"]["availability"] == "en prêt"
    assert hits[ALONE]["thumb"] is None


@pytest.mark.parametrize("q", ["LC 7", "PIR 3", "labo-cites:1", "navigation pirogues", "bac fleuve pirogues"])
def test_it_is_found_by_what_any_centre_says_of_it(network, q):
    found = network.client().get("/recherche.json", query_string={"q": q}).json["hits"]
    assert found[0]["id"] == "observatoire:1"


def test_two_holders_are_both_named(network):
    work = dataclasses.replace(COMMON, title="Vivre des mangroves", call_number=None, copies=())
    work = dataclasses.replace(work, abstract="Entre terre et mer.")
    for id in ("observatoire:3", "labo-cites:3"):
        keep(network, dataclasses.replace(work, id=id))
    network.parts.sync()
    hits = network.client().get("/recherche.json?q=vivre+mangroves").json["hits"]
    assert [hit["id"] for hit in hits if "mangroves" in hit["title"]] == ["labo-cites:3"]
    assert hits[0]["holders"] == "Labo Cités et Observatoire du fleuve"


def test_one_click_leaves_our_fund_and_one_the_whole_network(network):
    page = soup(network.client(), "/recherche?q=pirogues")
    links = page.select(".scope a")
    assert [told(link) for link in links] == ["Tout le réseau (2 notices )", "Notre fonds (1 notice )"]
    assert links[0].get("aria-current") == "true"
    own = soup(network.client(), links[1]["href"])
    assert [one.get("aria-current") for one in own.select(".scope a")] == [None, "true"]
    assert [told(link) for link in own.select(".scope a")] == [told(link) for link in links]
    assert len(own.select(".hit")) == 1
    back = soup(network.client(), own.select_one(".scope a")["href"])
    assert len(back.select(".hit")) == 2


def test_the_centres_are_a_facet_only_where_they_cut(network):
    names = [facet["name"] for facet in network.client().get("/recherche.json?q=pirogues").json["facets"]]
    assert "centre" in names
    page = network.client().get("/recherche.json?q=médiation+sociale+jeunesse").json
    assert "centre" not in [facet["name"] for facet in page["facets"]]
    assert page["scope"] == []
    chosen = network.client().get("/recherche.json?q=pirogues&centre=labo-cites").json
    labels = {v["label"]: v["chosen"] for f in chosen["facets"] if f["name"] == "centre" for v in f["values"]}
    assert labels == {"Ville Caraïbe": False, "Labo Cités": True, "Observatoire du fleuve": False}
    assert [(link["count"], link["current"]) for link in chosen["scope"]] == [(2, False), (1, False)]


def test_a_fund_without_others_shows_nothing_of_them(client):
    page = soup(client, "/recherche?q=médiation")
    assert not page.select(".scope, .holders")
    assert "Centre" not in [told(title) for title in page.select(".facet h3")]


# -- the page of a record


def test_a_record_tells_what_each_centre_has(network):
    page = soup(network.client(), f"/notice/{COMMON.id}")
    assert told(page.select_one("#exemplaires")) == "Où le trouver"
    ours, lab, observatory = page.select(".holding > li")
    assert told(ours.h3) == "Ville Caraïbe notre centre"
    assert "PIR 3 en prêt" in told(ours)
    assert "LC 7 sur papier · Salle 2" in told(lab)
    assert "moissonnée le" in told(lab)
    assert lab.select_one("a[href='/notice/labo-cites%3A1/demander']")
    assert lab.select_one("a[rel~=external]")["href"] == "https://labo-cites.exemple.fr/notice/labo-cites:1"
    assert "Fichier au centre Observatoire du fleuve : PDF, 2,3 Mo" in told(observatory).replace("\xa0", " ")
    assert "reçue par fichier le" in told(observatory)
    assert observatory.select_one("a[href='/notice/observatoire%3A1/page/1']")
    assert not observatory.select("a[href$=demander]")  # it says no address


def test_the_record_of_another_centre_is_read_without_its_file(network):
    client = network.client()
    page = soup(client, f"/notice/{ALONE}")
    assert "Notice du centre Observatoire du fleuve, moissonnée le" in told(page.select_one(".holders"))
    assert told(page.select_one("#exemplaires")) == "Au centre Observatoire du fleuve"
    assert "Entrée au fonds" not in told(page)
    assert not page.select("img.cover, a[href*='/fichier/'], a[href*='/image/']")
    read = client.get(f"/notice/{ALONE}/page/1").text
    assert "Les passeurs du fleuve" in read
    assert "Document du centre Observatoire du fleuve" in read
    assert client.get(f"/notice/{ALONE}/image/1/168").status_code == 404
    assert client.get(f"/notice/{ALONE}/fichier/0/pirogues.pdf").status_code == 404


def test_a_record_that_is_ours_alone_is_as_it_was(network):
    id = network.records["public"]
    page = soup(network.client(), f"/notice/{id}")
    assert not page.select(".holding, .holders")


def test_documents_near_are_not_the_work_itself(network):
    near = network.client().get(f"/notice/{COMMON.id}.json").json["alike"]
    assert not {card["id"] for card in near} & {"labo-cites:1", "observatoire:1", COMMON.id}


def test_what_a_reader_may_not_see_is_not_told_of(network):
    keep(network, Record(id="labo-cites:8", title="Cartes du littoral habité", date="2011", access="network"))
    staff = Record(id="ville-caraibe:900008", title="Cartes du littoral habité", date="2011", access="staff")
    network.parts.store.save(staff)
    keep(network, Record(id="observatoire:8", title="Cartes du littoral habité", date="2011"))
    network.parts.sync()
    assert len(network.parts.works.members(["observatoire:8"])["observatoire:8"]) == 3
    (hit,) = network.client().get("/recherche.json?q=littoral+habité+cartes").json["hits"]
    assert hit["holders"] == "Observatoire du fleuve"
    shown = network.client().get("/notice/observatoire:8.json").json["holders"]
    assert [holder["code"] for holder in shown] == ["observatoire"]
    seen = network.client(Role.LIBRARIAN).get("/notice/observatoire:8.json").json["holders"]
    assert seen[0]["code"] == "ville-caraibe"


# -- changing


def test_nothing_is_offered_that_would_change_it(network):
    librarian = network.client(Role.LIBRARIAN)
    page = soup(librarian, f"/notice/{ALONE}")
    assert not page.select("form[method=post][action*='notice'], a[href$=modifier], a[href*=doublons]")
    assert soup(librarian, f"/notice/{COMMON.id}").select("a[href$=modifier]")


_SAID = "Cette notice appartient à Observatoire du fleuve : elle se modifie là-bas."


@pytest.mark.parametrize(
    "path",
    [
        "modifier",
        "supprimer",
        "historique",
        "decouper",
        "../../a-valider/{id}",
        "../../etat-de-lecture/{id}/1",
    ],
)
def test_pages_that_would_change_it_say_whose_it_is(network, path):
    address = (
        f"/notice/{ALONE}/{path}" if "/" not in path else "/" + path.removeprefix("../../").format(id=ALONE)
    )
    answer = network.client(Role.LIBRARIAN).get(address)
    assert answer.status_code == 409
    assert _SAID in answer.text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/notice/{id}/acces", {"access": "staff"}),
        ("/notice/{id}/modifier", {"title": "Autre", "type": "rapport"}),
        ("/notice/{id}/supprimer", {"sure": "oui"}),
        ("/notice/{id}/exemplaire", {"faire": "exemplaire", "cote": "X 1"}),
        ("/notice/{id}/revenir", {"version": "1"}),
        ("/notice/{id}/relire", {}),
        ("/notice/{id}/decouper", {}),
        ("/a-valider/{id}", {"do": "validate"}),
        ("/etat-de-lecture/{id}/reconnaitre", {}),
    ],
)
def test_what_is_sent_to_change_it_is_refused(network, path, fields):
    before = network.parts.store.fingerprint(ALONE)
    answer = network.post(network.client(Role.LIBRARIAN), path.format(id=ALONE), **fields)
    assert answer.status_code == 409, answer.text
    assert _SAID in answer.text.replace("\xa0", " ")
    assert network.parts.store.fingerprint(ALONE) == before


def test_the_text_of_its_pages_stays_as_it_came(network):
    librarian = network.client(Role.LIBRARIAN)
    seen = "0" * 16
    for path in (f"/etat-de-lecture/{ALONE}/1", f"/etat-de-lecture/{ALONE}/1/vide"):
        network.post(librarian, path, text="Autre texte", seen=seen)
    assert network.parts.store.page(ALONE, 1).text == "Les passeurs du fleuve parlent."


def test_it_is_compared_with_no_record_of_ours(network):
    answer = network.post(network.client(Role.LIBRARIAN), "/doublons", une=COMMON.id, autre=ALONE)
    assert answer.status_code == 400
    assert _SAID in answer.text.replace("\xa0", " ")


def test_a_lot_has_our_own_records_and_tells_of_the_others(network):
    librarian = network.client(Role.LIBRARIAN)
    lot = librarian.get("/lot.json?q=pirogues").json
    assert ([item["id"] for item in lot["items"]], lot["ticked"], lot["left"]) == (
        [COMMON.id],
        [COMMON.id],
        1,
    )
    assert "1 notice appartient à d’autres centres" in told(soup(librarian, "/lot?q=pirogues")).replace(
        "\xa0", " "
    )
    alone = soup(librarian, "/lot?q=pirogues+passeurs+métier")
    assert "appartient à d’autres centres" in told(alone)
    assert not alone.select("form.editor")
    page = soup(librarian, "/recherche?q=pirogues")
    link = page.select_one("a[href^='/lot']")
    assert told(link) == "Modifier cette notice de notre fonds"
    assert librarian.get(link["href"].replace("/lot?", "/lot.json?")).json["left"] == 0


def test_a_record_that_others_call_their_host_can_be_deleted(network):
    host = Record(id="ville-caraibe:900002", title="Un cahier à retirer")
    network.parts.store.save(host)
    keep(network, Record(id="labo-cites:9", title="Un article d’ailleurs", host=host.id))
    answer = network.post(network.client(Role.LIBRARIAN), f"/notice/{host.id}/supprimer", sure="oui")
    assert answer.status_code == 303
    assert network.parts.store.get_many([host.id]) == {}


# -- what is said of our fund


def test_the_home_page_counts_all_and_shows_our_own_as_new(network):
    page = network.client().get("/index.json").json
    whole = Fund(network.parts, VISITOR.rights).engine.search(Request(facets=("centre",), limit=0))
    assert page["total"] == whole.total > whole.facets["centre"]["ville-caraibe"]
    shown = {card["id"].partition(":")[0] for card in (*page["latest"], *page["shelf"])}
    assert not shown & set(NAMES)


def test_figures_of_the_fund_leave_others_out(network):
    fund = Fund(network.parts)
    assert fund.ours == (("centre", ("ville-caraibe",)),)
    for theme in activity_holdings.held(fund)[:3]:
        filters = (("theme", (theme.code,)), ("centre", ("ville-caraibe",)))
        assert theme.total == fund.engine.search(Request(filters=filters, limit=0)).total
    theme = activity_holdings.held(fund)[0]
    (thin,) = activity_holdings.thinnest((theme,), {}, (), fund.thesaurus, 2026)
    found = (
        network.client(Role.LIBRARIAN).get(thin.url.replace("/recherche", "/recherche.json")).json["total"]
    )
    assert thin.documents == theme.total == found
    state = soup(network.client(Role.ADMINISTRATOR), "/administration")
    assert "d’autres centres" in told(state)


def test_our_own_of_some_works(network):
    fund = Fund(network.parts)
    ids = ["observatoire:1", ALONE, COMMON.id, "rien:1"]
    assert holders.own_of(fund, ids) == ([COMMON.id], 1)
