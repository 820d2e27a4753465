"""The figures of the service, its report and its tables, against what was put into the log."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

import corpus
from kb import activity, config
from kb.accounts import Role
from kb.desk_tables import publications
from kb.errors import InvalidValue
from kb.misses import Miss
from kb.questions import Asked, Channel, Question, QuestionState, Said
from kb.servicelog import StepKind
from kb.thesaurus import Thesaurus
from web import activity_holdings, activity_period, activity_words, create_app
from web.activity_charts import DRAWN
from web.activity_holdings import Columns, Held, theme_of, thinnest
from web.labels import Labels
from web.typography import NBSP

S = QuestionState
MARCH = datetime(2024, 3, 4, 14, tzinfo=UTC)  # a Monday, ten in the morning in Martinique
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = date(2026, 3, 10)
SECRETS = ("Lagrosillière", "anne.lagrosilliere@exemple.fr", "0696 11 22 33", "potager des flamboyants")


def ask(house, at: datetime, *themes: str, **asked: object) -> Question:
    person = house.parts.askers.known(SECRETS[1], f"Anne {SECRETS[0]}", SECRETS[2], now=at)
    told = Asked(text=f"Pour un {SECRETS[3]} ?", themes=themes, **asked)  # type: ignore[arg-type]
    return house.parts.desk.receive(told, person, now=at)


def answer(house, question: Question, at: datetime, minutes: int | None = None, effort: int | None = None):
    desk = house.parts.desk
    desk.move(question.id, S.IN_HAND, now=at)
    desk.move(question.id, S.ANSWERED, kind=StepKind.ANSWERED, now=at, minutes=minutes, effort=effort)


@pytest.fixture(scope="module")
def asked(house) -> dict[str, Question]:
    """Four questions in March 2024, one in February."""
    desk = house.parts.desk
    found = {
        "february": ask(house, MARCH - 14 * DAY, "T12"),
        "quick": ask(house, MARCH, "T12", actor="ACTEUR-elu", territory="C-97209", channel=Channel.VISIT),
        "slow": ask(house, MARCH + DAY, "T03", "T12", actor="ACTEUR-elu"),
        "closed": ask(house, MARCH + 2 * DAY, "T14", channel=Channel.TELEPHONE),
        "late": ask(house, MARCH + 3 * DAY),
    }
    answer(house, found["quick"], MARCH + HOUR, minutes=20, effort=2)
    desk.log.add(found["quick"].id, StepKind.REUSED, reused="x", now=MARCH + HOUR)
    desk.note(found["slow"].id, f"Elle s’appelle {SECRETS[0]}", now=MARCH + 2 * DAY)
    answer(house, found["slow"], MARCH + 9 * DAY, minutes=80, effort=5)
    desk.hear(
        found["late"].id, Said(text=f"C’est pour {SECRETS[3]}", channel=Channel.EMAIL), now=MARCH + 4 * DAY
    )
    desk.move(found["closed"].id, S.CLOSED, now=MARCH + 3 * DAY)
    for text, times in (("trottinette cargo", 3), ("sante mentale", 1)):
        for _ in range(times):
            house.parts.misses.note(text, MARCH.date())
    house.parts.misses.note("=cmd|calc", MARCH.date())
    return found


@pytest.fixture
def director(house, asked) -> FlaskClient:
    """Somebody new each time: tables are counted by who takes them."""
    client = house.client()
    client.set_cookie("carbet", house.parts.sessions.open(house.somebody(Role.DIRECTOR).id, "Essai"))
    return client


def soup(client: FlaskClient, address: str) -> BeautifulSoup:
    answered = client.get(address)
    assert answered.status_code == 200, answered.text
    return BeautifulSoup(answered.text, "lxml")


def tiles(page: BeautifulSoup) -> dict[str, tuple[str, str]]:
    found = page.select(".activity-tiles > div")
    return {
        one.dt.text: (one.strong.text, one.span.text if one.span else "")
        for one in found
        if one.dt and one.strong
    }


def rows(client: FlaskClient, address: str) -> list[list[str]]:
    answered = client.get(address)
    assert answered.status_code == 200
    assert answered.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answered.get_data().decode("utf-8-sig")), delimiter=";"))


# -- the page


def test_the_key_figures_of_a_month_are_those_of_its_questions(director: FlaskClient) -> None:
    found = tiles(soup(director, "/activite?mois=2024-03"))
    assert found["Questions reçues"] == ("4", "3 de plus qu’en février 2024")
    assert found["Réponses"] == ("2", f"50{NBSP}% des questions reçues")
    assert found["Délai médian"][0] == f"3{NBSP}jours ouvrés"
    assert found["Neuf réponses sur dix"][0] == f"6{NBSP}jours ouvrés"
    assert found[f"Répondu en 3{NBSP}jours ou moins"] == (
        f"50{NBSP}%",
        f"1 sur 2{NBSP}réponses, et 1{NBSP}question en retard",
    )
    assert found["Temps passé"] == (f"1{NBSP}h{NBSP}40", f"noté pour 2{NBSP}questions sur 4")
    assert found["Réponses passées réutilisées"][0] == "1"
    assert found["Temps économisé, estimation"][0] == f"1{NBSP}h"


def test_each_chart_stands_with_its_table_and_its_csv(director: FlaskClient) -> None:
    page = soup(director, "/activite?mois=2024-03")
    ids = [found["id"] for found in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    links = {link["href"] for link in page.select(".chart-figures a[download]")}
    assert links == {f"/activite/{what}.csv?mois=2024-03" for what in (*DRAWN, "fonds")}
    for link in links:
        assert len(rows(director, link)) > 1, link


def test_questions_whose_answer_is_missing_are_listed_and_mark_the_fund(director: FlaskClient, asked) -> None:
    page = soup(director, "/activite?mois=2024-03")
    listed = {one.a["href"]: one.select_one(".state").text for one in page.select(".activity-missing li")}
    assert listed == {
        f"/guichet/{asked['late'].reference}": "en retard",
        f"/guichet/{asked['closed'].reference}": "close sans réponse",
    }
    culture = [row for row in rows(director, "/activite/fonds.csv?mois=2024-03") if row[0] == "T14"]
    assert [row[4] for row in culture if row[2] == "2024"] == ["1"]
    assert page.select(".activity-broad .chart-mark")


def test_a_period_without_questions_says_so_and_so_does_a_desk_without_any(
    director: FlaskClient, tmp_path
) -> None:
    page = soup(director, "/activite?annee=1999")
    assert "Aucune question reçue dans cette période" in page.text
    assert not page.select(".activity-tiles")
    assert "n’a reçu aucune question" in soup(director, "/activite/rapport?annee=1999").text
    app = create_app(config.load(tmp_path, {}))
    parts = app.extensions["parts"]
    person = parts.people.add("seule@exemple.fr", "Seule", [Role.DIRECTOR])
    client = app.test_client()
    client.set_cookie("carbet", parts.sessions.open(person.id, "Essai"))
    first = soup(client, "/activite")
    assert first.select_one("a[href='/guichet/nouvelle']")
    assert "Le thésaurus n’a pas de thèmes" in first.text
    assert soup(client, "/activite/rapport")
    parts.close()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("annee=20x6", "écrivez une année comme 2026"),
        ("annee=2999", "choisissez une année"),
        ("mois=2024-13", "choisissez un mois"),
        ("mois=mars", "écrivez un mois"),
        ("periode=siecle", "n’est pas connue"),
        ("de=2024-02-31", "indiquez le premier jour"),
        ("a=2024-02-01", "indiquez le premier jour"),
        ("de=2024-02-02&a=2024-02-01", "le dernier jour vient avant"),
        ("de=1000-01-01&a=2024-02-01", "dix ans au plus"),
        ("de=2999-01-01", "n’a pas encore commencé"),
    ],
)
def test_a_period_that_makes_no_sense_is_told_beside_the_form(
    director: FlaskClient, query: str, why: str
) -> None:
    answered = director.get(f"/activite?{query}")
    assert answered.status_code == 400
    assert why in BeautifulSoup(answered.text, "lxml").select_one("[role=alert]").text
    for other in ("/activite.json", "/activite/rapport", "/activite/mois.csv"):
        assert director.get(f"{other}?{query}").status_code == 400


def test_only_those_who_account_for_the_service_read_its_figures(house, asked) -> None:
    addresses = ("/activite", "/activite.json", "/activite/rapport", "/activite/mois.csv")
    for role, status in ((Role.LIBRARIAN, 403), (Role.MEMBER, 403), (Role.ANSWERER, 200)):
        client = house.client(role)
        assert {client.get(address).status_code for address in addresses} == {status}
    assert house.client().get("/activite").status_code == 303
    assert house.client().get("/activite.json").status_code == 401


# -- the same as JSON and CSV


def test_the_json_has_the_same_figures_as_plain_numbers(director: FlaskClient, house) -> None:
    told = director.get("/activite.json?de=2024-03-01&a=2024-03-31").json
    some = activity.cases(
        house.parts.store.database, house.parts.calendar, date(2024, 3, 1), date(2024, 3, 31)
    )
    assert told["period"] == {
        "first": "2024-03-01",
        "last": "2024-03-31",
        "before_first": "2024-01-30",
        "before_last": "2024-02-29",
    }
    assert told["figures"]["received"] == len(some) == 4
    assert told["figures"]["within"] == 0.5
    assert told["figures"]["themes"] == {"T12": 2, "T03": 1, "T14": 1}
    assert told["figures"]["efforts"] == {"2": 1, "5": 1}
    assert told["figures"]["months"] == [{"name": "2024-03", "received": 4, "answered": 2, "in_time": 1}]
    assert told["before"]["received"] == 1
    assert told["missing"] == {"T14": {"2024": 1}}
    assert told["misses"][0] == {"text": "trottinette cargo", "count": 3}


def test_the_list_of_questions_has_a_row_each_with_codes_and_words(director: FlaskClient, asked) -> None:
    head, *found = rows(director, "/activite/questions.csv?mois=2024-03")
    first = dict(zip(head, found[0], strict=True))
    assert len(found) == 4
    assert first == {
        "référence": asked["quick"].reference,
        "reçue le": "2024-03-04",
        "répondue le": "2024-03-04",
        "jours ouvrés": "0",
        "état": "répondue",
        "canal": "visite",
        "code du public": "ACTEUR-elu",
        "public": "Élu local",
        "code du territoire": "C-97209",
        "territoire": "Fort-de-France",
        "codes des thèmes": "T12",
        "thèmes": "Santé",
        "minutes": "20",
        "effort (READ)": "2",
        "réponse passée réutilisée": "oui",
    }


def test_a_question_without_a_time_noted_has_an_empty_cell_and_not_zero(director: FlaskClient) -> None:
    head, *found = rows(director, "/activite/questions.csv?mois=2024-03")
    assert [row[head.index("minutes")] for row in found] == ["20", "80", "", ""]


def test_the_table_of_months_counts_received_answered_and_in_time(director: FlaskClient) -> None:
    found = rows(director, "/activite/mois.csv?de=2024-02-01&a=2024-04-30")
    assert found[1:] == [["2024-02", "1", "0", "0"], ["2024-03", "4", "2", "1"], ["2024-04", "0", "0", "0"]]


def test_cells_are_harmless_to_spreadsheets(director: FlaskClient) -> None:
    found = rows(director, "/activite/recherches.csv?mois=2024-03")
    assert found == [
        ["Recherche sans résultat", "Fois"],
        ["trottinette cargo", "3"],
        ["'=cmd|calc", "1"],
        ["sante mentale", "1"],
    ]


def test_nothing_personal_is_in_any_figure(director: FlaskClient) -> None:
    addresses = ("/activite", "/activite.json", "/activite/rapport", *(f"/activite/{d}.csv" for d in DRAWN))
    for address in (*addresses, "/activite/questions.csv", "/activite/fonds.csv", "/activite/recherches.csv"):
        text = director.get(f"{address}?mois=2024-03").text
        assert not [secret for secret in SECRETS if secret.lower() in text.lower()], address


def test_a_table_that_there_is_not_is_not_found(director: FlaskClient) -> None:
    answered = director.get("/activite/salaires.csv")
    assert answered.status_code == 404
    assert "Il n’y a pas de chiffres de ce nom" in answered.text


def test_tables_are_counted_as_exports_are(house, asked) -> None:
    client = house.client(Role.ADMINISTRATOR)
    answered = [client.get("/activite/mois.csv").status_code for _ in range(21)]
    assert answered == [*[200] * 20, 429]


# -- the report


def test_the_report_says_in_sentences_what_the_figures_are(director: FlaskClient, house, asked) -> None:
    lead = " ".join(soup(director, "/activite/rapport?mois=2024-03").select_one(".report-lead").text.split())
    plain = lead.replace("\u202f", " ")
    assert "En mars 2024, le centre a reçu 4 questions, 3 de plus qu’en février 2024." in plain
    assert "2 ont reçu une réponse. La moitié des réponses sont parties en 3 jours ouvrés ou moins" in plain
    assert "il l’a fait pour 50 % des réponses, et 1 question en retard attend encore la sienne." in plain
    assert "1 question est encore en cours ; 1 question a été close sans réponse." in plain
    assert "« Santé » (2), « Réussite éducative » (1) et « Culture » (1)" in plain
    assert "Une réponse passée a servi de nouveau 1 fois, ce qui a fait gagner environ 1 h." in plain


def test_the_report_lists_published_answers_that_everybody_may_read(
    director: FlaskClient, house, asked
) -> None:
    usual = {
        "state": "published",
        "text": "",
        "body": "",
        "access": "public",
        "themes": "",
        "decisions": "[]",
    }
    usual |= {"at": MARCH.isoformat(), "published": (MARCH + 20 * DAY).isoformat(), "version": 1}
    with house.parts.store.database.writing() as connection:
        for name, access in (("quick", "public"), ("slow", "staff")):
            told = {"question": asked[name].id, "title": f"Réponse {name}", "record": house.records[access]}
            connection.execute(publications.insert().values(usual | told))
    page = soup(director, "/activite/rapport?mois=2024-03")
    (listed,) = page.select(".report-published li")
    assert listed.a.text == "Réponse quick"
    assert director.get(listed.a["href"]).status_code == 200
    assert "24 mars 2024" in listed.text
    assert "1 réponse a été publiée" in page.select_one(".report-lead").text.replace(NBSP, " ")


def test_the_report_shows_no_words_that_were_sought_once(director: FlaskClient) -> None:
    fund = soup(director, "/activite/rapport?mois=2024-03").select_one(".report-fund").text
    assert "trottinette cargo (3)" in fund
    assert "sante mentale" not in fund
    assert "« sante mentale »" in soup(director, "/activite?mois=2024-03").select_one(
        ".activity-thin"
    ).text.replace(NBSP, " ")


def test_every_chart_of_the_report_has_its_table_open(director: FlaskClient) -> None:
    page = soup(director, "/activite/rapport?mois=2024-03")
    assert not page.select("details")
    assert (
        len(page.select(".report-chart table"))
        == len(page.select(".report-chart svg.chart-wide"))
        == len(DRAWN)
    )


# -- searches in vain


def test_a_search_that_finds_nothing_is_counted_and_no_other_one(house, asked) -> None:
    client, today = house.client(), datetime.now(house.parts.calendar.zone).date()
    for address in (
        "/recherche?q=xylophone+zébré",
        "/recherche?q=xylophone+zébré&theme=T12",
        "/recherche.json?q=xylophone+zébré",
        "/recherche?q=logement",
        "/recherche",
        "/recherche?q=kevin+zzdupont",
    ):
        assert client.get(address).status_code == 200
    house.client(Role.LIBRARIAN).get("/recherche?q=Xylophone++zebre")
    assert house.parts.misses.most(today, today, 10) == [Miss("xylophone zebre", 2)]


# -- what the fund holds


def test_the_grid_counts_the_records_of_each_theme_and_year(house, director: FlaskClient) -> None:
    store, thesaurus = house.parts.store, house.parts.thesaurus
    tops = {one.uri: one.code for one in thesaurus.top("themes")}
    counts: Counter[tuple[str, str]] = Counter()
    for record in map(store.get, store.ids()):
        uris = [subject.concept for subject in record.live_subjects if subject.concept in thesaurus]
        for code in {tops[uri] for uri in thesaurus.with_ancestors(uris) if uri in tops}:
            counts[code, str(record.year or "sans date")] += 1
    found = rows(director, "/activite/fonds.csv?mois=2024-03")[1:]
    assert {(row[0], row[2]): int(row[3]) for row in found if row[3] != "0"} == counts


HELD = (
    Held("T01", "Évaluation", 7, {1998: 1, 2020: 2, 2026: 1, 2027: 1}),
    Held("T02", "Observation", 0, {}),
)


def test_years_stand_in_columns_and_what_has_none_at_the_end() -> None:
    chart = activity_holdings.grid(HELD, {("T02", 2026): 3, ("T09", 2026): 9}, 2026, Columns(3, 1, True))
    assert chart.figures.head == ("Thème", "avant", "2024", "2025", "2026", "s. d.", "Total")
    first, second = chart.figures.rows
    assert [cell.value for cell in first[1:]] == [3, 0, 0, 2, 2, 7]
    assert second[4].text.startswith("0 (réponses manquantes")
    assert first[1].url == "/recherche?theme=T01&annee=1000-2023"


def test_documents_of_several_themes_are_not_summed_over_themes() -> None:
    chart = activity_holdings.grid((*HELD, HELD[0]), {}, 2026, Columns(3, 1, True))
    assert "14" not in chart.summary
    assert chart.summary.startswith("Un document peut compter pour plusieurs thèmes")
    assert "le plus, 3, pour 2 cases à égalité" in chart.summary
    assert chart.figures.total == ()


def test_columns_of_several_years_begin_at_round_ones() -> None:
    chart = activity_holdings.grid(HELD, {}, 2026, Columns(3, 5, False))
    assert chart.figures.head[1:5] == ("avant", "2015-19", "2020-24", "2025-26")
    assert [cell.value for cell in chart.figures.rows[0][1:5]] == [1, 0, 2, 2]


def test_the_thinnest_themes_stand_with_what_was_missing_and_sought() -> None:
    thesaurus = Thesaurus.from_file(corpus.FOLDER / "thesaurus.ttl")
    themes = [
        Held(one.code, one.label, 100 if one.code == "T12" else n, {2024: n} if n else {})
        for n, one in enumerate(thesaurus.top("themes"))
    ]
    misses = [Miss("sante mentale", 4), Miss("xylophone", 9)]
    found = thinnest(themes, {("T14", 2024): 2, ("T14", 2023): 1}, misses, thesaurus, 2026)
    assert [one.code for one in found] == ["T01", "T02", "T03", "T04", "T05", "T14", "T12"]
    assert (found[5].missing, found[5].recent, found[5].since) == (3, 13, 2022)
    assert found[-1].misses == (misses[0],)
    assert theme_of("xylophone", thesaurus) is None


# -- periods


def read(query: str, today: date = TODAY):
    pairs = [pair.split("=") for pair in query.split("&") if pair]
    return activity_period.read(MultiDict([(name, value) for name, value in pairs]), today)


@pytest.mark.parametrize(
    ("query", "first", "last", "before", "than"),
    [
        ("", "2026-01-01", "2026-03-10", ("2025-01-01", "2025-03-10"), "qu’aux mêmes dates de 2025"),
        ("annee=2025", "2025-01-01", "2025-12-31", ("2024-01-01", "2024-12-31"), "qu’en 2024"),
        ("mois=2026-03", "2026-03-01", "2026-03-10", ("2026-02-01", "2026-02-10"),
         "qu’aux mêmes dates de février 2026"),
        ("mois=2025-05", "2025-05-01", "2025-05-31", ("2025-04-01", "2025-04-30"), "qu’en avril 2025"),
        ("mois=2025-01", "2025-01-01", "2025-01-31", ("2024-12-01", "2024-12-31"), "qu’en décembre 2024"),
        ("periode=12-mois", "2025-04-01", "2026-03-10", ("2024-04-01", "2025-03-10"),
         "que les douze mois d’avant"),
        ("de=2026-03-02&a=2026-03-08", "2026-03-02", "2026-03-08", ("2026-02-23", "2026-03-01"),
         f"que les 7{NBSP}jours d’avant"),
        ("de=2026-03-02", "2026-03-02", "2026-03-10", ("2026-02-21", "2026-03-01"),
         f"que les 9{NBSP}jours d’avant"),
        ("de=2026-03-02&a=2026-03-02", "2026-03-02", "2026-03-02", ("2026-03-01", "2026-03-01"),
         "que la veille"),
    ],
)  # fmt: skip
def test_periods_are_compared_with_as_much_of_the_time_before(query, first, last, before, than) -> None:
    found = read(query)
    assert (str(found.first), str(found.last)) == (first, last)
    assert (str(found.before_first), str(found.before_last)) == before
    assert found.than == than
    assert read(found.query.removeprefix("?")) == found


def test_the_last_day_of_a_longer_month_is_compared_with_the_whole_shorter_one() -> None:
    found = read("mois=2026-03", date(2026, 3, 30))
    assert str(found.before_last) == "2026-02-28"
    leap = read("annee=2024", date(2024, 2, 29))
    assert str(leap.before_last) == "2023-02-28"
    assert read("mois=2026-11", date(2026, 11, 3)).than == "qu’aux mêmes dates d’octobre 2026"


@given(
    today=st.dates(date(2000, 1, 1), date(2090, 12, 31)),
    back=st.integers(0, 3600),
    length=st.integers(0, 3000),
)
def test_days_from_one_to_another_never_reach_beyond_today(today: date, back: int, length: int) -> None:
    first = today - back * DAY
    if first.year < activity_period.EARLIEST:
        return
    found = activity_period.of_days(first, first + length * DAY, today)
    assert found.first == first <= found.last <= today
    assert found.before_last - found.before_first == found.last - found.first
    assert found.before_last + DAY == found.first


@given(st.dates(date(1991, 1, 1), date(2090, 12, 31)))
def test_the_usual_periods_can_be_read_again_from_their_addresses(today: date) -> None:
    for name, query, current in activity_period.choices(read("", today), today):
        found = read(query.removeprefix("?"), today)
        assert found.name == name
        assert current == (query == f"?annee={today.year}")
        assert found.first <= found.last <= today
        for neighbour in (found.earlier, found.later):
            if neighbour:
                assert read(neighbour[1].removeprefix("?"), today).name == neighbour[0]


@given(
    st.dictionaries(
        st.sampled_from(["annee", "mois", "periode", "de", "a"]), st.text(max_size=12), max_size=5
    )
)
def test_whatever_an_address_says_is_a_period_or_told(args: dict[str, str]) -> None:
    try:
        found = activity_period.read(MultiDict(args), TODAY)
    except InvalidValue:
        return
    assert found.first <= found.last <= TODAY


# -- words


@pytest.mark.parametrize(
    ("themes", "summary", "sentence"),
    [
        (
            {"T12": 2, "T03": 1},
            "D’abord : Santé, 2 questions.",
            "sur « Santé » (2) et « Réussite éducative » (1).",
        ),
        ({"T12": 2, "T03": 2}, "D’abord : 2 thèmes à égalité, 2 questions chacun.", "sur « Santé » (2) et"),
        (
            {"T12": 9} | dict.fromkeys(("T01", "T02", "T03", "T04"), 1),
            "D’abord : Santé, 9 questions.",
            "sur « Santé » (9) et 4 autres à égalité (1).",
        ),
        (
            dict.fromkeys(("T01", "T02", "T03", "T04"), 1),
            "D’abord : 4 thèmes à égalité, 1 question chacun.",
            "sur 4 thèmes à égalité (1).",
        ),
        (
            {"T12": 9, "T03": 8, "T14": 7, "T01": 1, "T02": 1},
            "D’abord : Santé, 9 questions.",
            "« Culture » (7).",
        ),
    ],
)
def test_equals_are_all_named_or_only_counted(themes: dict[str, int], summary: str, sentence: str) -> None:
    labels = Labels(Thesaurus.from_file(corpus.FOLDER / "thesaurus.ttl"))
    some = replace(activity.figures((), 3, TODAY, TODAY, today=TODAY), received=20, themes=themes)
    period = activity_period.of_year(2026, TODAY)
    told = " ".join(activity_words.sentences(some, some, period, labels, 0))
    assert summary in plain(DRAWN["theme"](some, labels).summary)
    assert f"portent d’abord {sentence}" in plain(told) or plain(told).endswith(sentence)


def test_who_waits_beyond_the_promise_is_told_even_without_any_answer() -> None:
    labels = Labels(Thesaurus.from_file(corpus.FOLDER / "thesaurus.ttl"))
    none = activity.figures((), 3, TODAY, TODAY, today=TODAY)
    some, period = replace(none, received=3, open=3, overdue=2), activity_period.of_year(2026, TODAY)
    told = " ".join(activity_words.sentences(some, none, period, labels, 0))
    assert "3 questions sont encore en cours, dont 2 en retard." in plain(told)
    assert plain(activity_words.tiles(some, none, period)[4].note) == "2 questions en retard"


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace("\u202f", " ")


def test_comparisons_shares_and_times_in_words() -> None:
    assert activity_words.compared(14, 2, "qu’en 2025") == "12 de plus qu’en 2025"
    assert activity_words.compared(2, 14, "qu’en 2025") == "12 de moins qu’en 2025"
    assert activity_words.compared(2, 2, "que la veille") == "autant que la veille"
    assert [activity_words.percent(share) for share in (0, 0.001, 0.5, 0.999, 1)] == [
        f"{n}{NBSP}%" for n in (0, 1, 50, 99, 100)
    ]
    assert [activity_words.hours(n) for n in (0, 59, 60, 65, 599, 600, 60_090)] == [
        f"0{NBSP}min", f"59{NBSP}min", f"1{NBSP}h", f"1{NBSP}h{NBSP}05", f"9{NBSP}h{NBSP}59", f"10{NBSP}h",
        f"1\u202f002{NBSP}h",
    ]  # fmt: skip
    assert activity_words.working_days(1.5) == f"1,5{NBSP}jour ouvré"
    assert activity_words.working_days(2, worked=False) == f"2{NBSP}jours"
    assert activity_words.joined(["a"]) == "a"
    assert activity_words.joined(["a", "b", "c"]) == "a, b et c"
