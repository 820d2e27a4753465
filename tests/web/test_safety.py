"""What every answer carries, what is refused before any view, and what is shown when something fails."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Iterator

import pytest
import structlog
from flask.testing import FlaskClient

from kb import config as settings
from kb.accounts import Role
from kb.errors import StorageError
from kb.questions import Asked
from web import create_app, logs

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def addresses(house) -> list[str]:
    """One of each route that can be read, and what does not exist."""
    known = {"id": house.records["public"], "number": "1", "width": "440", "place": "0", "version": "x"}
    question = house.parts.desk.receive(Asked(text="Qui finance cela ?"), None)
    known |= {
        "job": "1",
        "reference": question.reference,
        "other": question.reference,
        "follow": question.follow,
    }
    known |= {"exchange": "1", "key": "0" * 16}
    name = house.parts.store.get(house.records["public"]).files[0].name
    found = ["/nulle-part", "/static/x/non", "/notice/vc:0", "/recherche?page=99999&q=%FF%00"]
    for rule in house.app.url_map.iter_rules():
        path = rule.rule
        if "GET" not in rule.methods:
            continue
        for argument in rule.arguments:
            value = known | {"parameter": "theme", "token": "x", "name": name}
            if path.startswith("/static"):
                value["name"] = "carbet.css"
            if path.startswith(
                ("/administration", "/depot", "/doublons", "/demandeurs", "/reseau", "/mots-cles")
            ):
                value["id"] = "1"
            path = re.sub(rf"<(?:[^<>]*:)?{argument}>", value[argument], path)
        found.append(path)
    return found


@pytest.mark.parametrize("role", [Role.VISITOR, Role.ADMINISTRATOR])
def test_every_answer_of_every_route_carries_the_safety_headers(house, role):
    client = house.client(role)
    seen = set()
    for address in addresses(house):
        for method in ("get", "post", "head", "options", "delete"):
            data = {"x": "y"} if method == "post" else None
            response = getattr(client, method)(address, data=data)
            seen.add(response.status_code)
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, address
            assert "unsafe" not in policy
            assert "*" not in policy
            secret = address.startswith("/suivi/")  # the address itself is told to nobody
            always = ALWAYS | ({"Referrer-Policy": "no-referrer"} if secret else {})
            assert {name: response.headers[name] for name in always} == always, (method, address)
            assert response.headers["Cache-Control"], address
    assert {200, 400, 404, 405} <= seen


def test_no_page_of_any_role_has_a_style_or_a_script_inside(house):
    client = house.client(Role.ADMINISTRATOR)
    for address in addresses(house):
        response = client.get(address)
        if response.mimetype == "text/html":
            inside = r"<script(?![^>]*\ssrc=)(?! type=.application/ld\+json.>)|<style|\sstyle=|\son[a-z]+="
            assert not re.search(inside, response.text), address


def test_what_is_shown_to_somebody_signed_in_is_kept_by_no_browser(house):
    client = house.client(Role.LIBRARIAN)
    assert client.get("/").headers["Cache-Control"] == "private, no-store"
    assert client.get("/notice/" + house.records["staff"]).headers["Cache-Control"] == "private, no-store"
    image = client.get(f"/notice/{house.records['staff']}/image/1/440")
    assert image.headers["Cache-Control"] == "private, no-store"
    assert "immutable" in client.get("/static/x/carbet.css").headers["Cache-Control"]


def test_originals_are_served_in_a_sandbox_and_only_pdf_and_text_are_shown(house):
    client, store = house.client(Role.ADMINISTRATOR), house.parts.store
    seen = set()
    for id in list(store.ids()):
        for place, file in enumerate(store.get(id).files):
            response = client.get(f"/notice/{id}/fichier/{place}/{file.name}")
            assert "sandbox" in response.headers["Content-Security-Policy"]
            inline = response.headers["Content-Disposition"].startswith("inline")
            assert inline == (file.media_type in ("application/pdf", "text/plain")), file
            assert inline or response.mimetype == "application/octet-stream"
            seen.add(file.media_type)
    assert len(seen) > 3


# -- refused before any view


@pytest.mark.parametrize(
    "host", ["ailleurs.example", "localhost.ailleurs.example", "x:y:z", "127.0.0.1.evil"]
)
def test_no_page_is_shown_under_the_name_of_another_site(house, host):
    response = house.client().get("/connexion", headers={"Host": host})
    assert response.status_code == 400
    assert host not in response.text
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000"])
def test_the_names_of_the_machine_itself_are_answered(house, host):
    assert house.client().get("/", headers={"Host": host}).status_code == 200


def test_a_body_or_a_form_that_is_too_large_is_refused_in_words(house):
    client = house.client()
    token = house.token(client)
    large = client.post("/connexion", data={"csrf_token": token, "email": "x" * 300_000})
    many = client.post("/connexion", data={"csrf_token": token} | {f"x{i}": "y" for i in range(5000)})
    assert large.status_code == 413
    assert "trop volumineux" in large.text
    assert many.status_code == 400


def test_a_form_with_the_token_of_another_browser_is_refused_and_says_what_to_do(house):
    mine, theirs = house.client(), house.client()
    house.token(mine)
    response = mine.post("/connexion", data={"csrf_token": house.token(theirs), "email": "a@b.fr"})
    assert response.status_code == 400
    assert "Ce formulaire a expiré" in response.text


def test_forms_are_counted_over_all_processes(house, monkeypatch):
    from kb.limits import Limit

    monkeypatch.setattr("web.guard.FORMS", Limit("few forms", 3, 600))
    second = create_app(settings.load(house.parts.config.data, {}))
    clients = [house.client(Role.LIBRARIAN), second.test_client()]
    clients[1].set_cookie("carbet", clients[0].get_cookie("carbet").value)
    codes = []
    for number in range(5):
        client = clients[number % 2]
        address = f"/notice/{house.records['public']}/acces"
        codes.append(house.post(client, address, access="dieu").status_code)
    second.extensions["parts"].close()
    assert codes == [400, 400, 400, 429, 429]


def test_exports_are_counted(house, monkeypatch):
    client = house.client(Role.AUDITOR)
    codes = [client.get("/journal.csv").status_code for _ in range(21)]
    assert codes == [200] * 20 + [429]
    assert client.get("/journal.csv").headers["Retry-After"].isdigit()


def test_a_debugger_is_never_there_whatever_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(settings.load(tmp_path, {"KB_HOST": "0.0.0.0"}))
    assert not app.debug
    app.extensions["parts"].close()


def test_a_wrong_key_opens_nothing_not_even_what_is_public(house):
    client = house.client()
    for authorization in ("Bearer kbc_x", "Bearer", "bearer x y", "Bearer " + "x" * 9000):
        response = client.get("/recherche.json", headers={"Authorization": authorization})
        assert response.status_code == 401, authorization
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


# -- by HTTPS


@pytest.fixture
def secure(house, tmp_path) -> FlaskClient:
    environment = {"KB_PUBLIC_URL": "https://fonds.exemple.fr", "KB_PROXIES": "1"}
    app = create_app(settings.load(house.parts.config.data, environment))
    client = app.test_client()
    client.environ_base |= {"HTTP_HOST": "fonds.exemple.fr", "HTTP_X_FORWARDED_PROTO": "https"}
    yield client
    app.extensions["parts"].close()


def test_by_https_cookies_are_bound_to_the_host_and_browsers_are_told_to_stay(house, secure):
    base = {"base_url": "https://fonds.exemple.fr"}
    page = secure.get("/connexion", **base)
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"csrf_token": token, "email": house.email(Role.MEMBER), "password": house.password}
    referer = {"Referer": "https://fonds.exemple.fr/connexion"}
    response = secure.post("/connexion", data=fields, headers=referer, **base)
    assert response.status_code == 303
    cookies = response.headers.getlist("Set-Cookie")
    assert [c.partition("=")[0] for c in cookies[:2]] == ["__Host-carbet", "__Host-carbet-appareil"]
    assert all("Secure" in c and "Path=/" in c and "Domain" not in c for c in cookies)


def test_by_https_a_form_sent_from_another_site_is_refused(house, secure):
    base = {"base_url": "https://fonds.exemple.fr"}
    token = secure.get("/connexion", **base).text.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"csrf_token": token, "email": house.email(Role.MEMBER), "password": house.password}
    response = secure.post(
        "/connexion", data=fields, headers={"Referer": "https://ailleurs.example/"}, **base
    )
    assert response.status_code == 400


# -- when something fails


@pytest.fixture
def logged(capsys) -> Iterator[pytest.CaptureFixture]:
    """What the program writes of itself, once the test has set it up; as before afterwards."""
    yield capsys
    structlog.reset_defaults()


def test_what_fails_inside_shows_a_number_that_the_log_has_and_nothing_else(house, monkeypatch, logged):
    logs.configure()

    def broken(*_, **__):
        raise RuntimeError("the password of the database is hunter2")

    monkeypatch.setattr("web.results.results_page", broken)
    response = house.client().get("/recherche?q=x")
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text
    number = response.text.partition("<code>")[2].partition("</code>")[0]
    told = [json.loads(line) for line in logged.readouterr().err.splitlines() if line.startswith("{")]
    assert [line for line in told if line.get("number") == number and "hunter2" in line["error"]]


def test_the_token_of_a_link_is_not_written_to_the_log(house, monkeypatch, logged):
    logs.configure()

    def broken(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(house.parts.credentials, "holder", broken)
    assert house.client().get("/mot-de-passe/secret-de-la-lettre").status_code == 500
    assert "secret-de-la-lettre" not in logged.readouterr().err


# -- what may be found and read by whom


def results(client: FlaskClient, q: str) -> dict:
    return client.get("/recherche.json", query_string={"q": q, "par": 50}).json


def test_what_is_not_for_everybody_is_found_counted_and_shown_to_nobody_else(house):
    title = house.parts.store.get(house.records["staff"]).title
    public, staff = house.client(), house.client(Role.ANSWERER)
    seen = results(public, f'"{title}"')
    assert house.records["staff"] not in [hit["id"] for hit in seen["hits"]]
    assert house.records["staff"] in [hit["id"] for hit in results(staff, f'"{title}"')["hits"]]
    everything = [results(client, "")["total"] for client in (public, house.client(Role.CENTRE), staff)]
    assert everything[0] < everything[1] < everything[2]
    assert public.get("/index.json").json["total"] == everything[0]
    facets = {facet["name"]: facet for facet in results(public, "")["facets"]}
    assert "access" not in facets
    latest = public.get("/index.json").json["latest"]
    assert not {house.records["staff"], house.records["network"]} & {card["id"] for card in latest}


def test_what_is_read_on_the_spot_has_a_notice_without_text_file_or_picture(house):
    id, client = house.records["onsite"], house.client()
    page = client.get(f"/notice/{id}").text
    assert "se consulte au centre" in page
    told = client.get(f"/notice/{id}.json").json
    assert (told["strip"], told["files"], told["cover"], told["open_url"]) == ([], [], None, None)
    assert all(not subject["reasons"] for subject in told["subjects"])
    assert "se consulte au centre" in client.get(f"/notice/{id}/page/1").text
    text = house.parts.store.page(id, 1).text.split()
    found = results(client, " ".join(text[:6]))
    mine = [hit for hit in found["hits"] if hit["id"] == id]
    assert [hit["passages"] for hit in mine] == [[]]
    assert house.client(Role.LIBRARIAN).get(f"/notice/{id}.json").json["strip"]


def test_the_access_of_a_record_is_changed_without_losing_what_it_holds(house):
    id, client = house.records["onsite"], house.client(Role.LIBRARIAN)
    before = house.parts.store.get(id)
    house.post(client, f"/notice/{id}/acces", access="staff")
    assert dataclasses.replace(house.parts.store.get(id), access="onsite", updated=None) == (
        dataclasses.replace(before, updated=None)
    )
    assert house.post(client, f"/notice/{id}/acces", access="dieu").status_code == 400
    house.post(client, f"/notice/{id}/acces", access="onsite")


# -- odd requests


@pytest.mark.parametrize("number", ["2147483648", "9223372036854775808", "9" * 40, "٣", "-1", "1e3"])
def test_a_number_that_no_database_holds_is_not_found(house, number):
    client = house.client(Role.ADMINISTRATOR)
    for path in (f"/notice/{house.records['public']}/page/{number}", f"/administration/personnes/{number}"):
        assert client.get(path).status_code == 404
    assert house.post(client, f"/compte/sessions/{number}/fermer").status_code == 404
    assert house.post(client, f"/administration/cles/{number}/revoquer").status_code == 404


def test_a_form_with_files_or_with_parts_without_name_is_refused_in_words(house):
    client = house.client()
    nameless = b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n"
    response = client.post("/connexion", data=nameless, content_type="multipart/form-data; boundary=B")
    assert response.status_code == 415
    file = (io.BytesIO(b"x"), "x.txt")
    data = {"csrf_token": house.token(client), "email": file, "password": "y"}
    assert client.post("/connexion", data=data).status_code == 415
    assert client.post("/connexion", data=b"{}", content_type="application/json").status_code == 415


def test_days_at_the_edges_of_the_calendar_are_read_in_every_time_zone(house, monkeypatch):
    for zone in ("Europe/Paris", "America/Martinique", "Pacific/Kiritimati"):
        config = dataclasses.replace(house.parts.config, time_zone=zone)
        monkeypatch.setattr(house.parts, "config", config)
        for day in ("0001-01-01", "9999-12-31", "2026-02-29"):
            response = house.client(Role.AUDITOR).get(f"/journal?du={day}&au={day}")
            assert response.status_code == 200, (zone, day)


def test_when_the_database_refuses_a_page_says_so_even_to_who_is_signed_in(house, monkeypatch):
    client = house.client(Role.ADMINISTRATOR)

    def refuse(*_, **__):
        raise StorageError("disk is full")

    monkeypatch.setattr(house.parts.sessions, "find", refuse)
    response = client.get("/administration")
    assert response.status_code == 503
    assert "ne peut pas être écrit" in response.text
    assert "Numéro de l’incident" in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
