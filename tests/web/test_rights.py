"""Role x route x object: who gets in where, tried on every route, against a table kept by hand.

``tests/golden/rights.txt`` has a line for each route and kind of object, with the roles that get in. A new
route makes this fail until its line is written: what it gives to whom is then somebody's decision.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from ingest.clerk import accept
from kb import records
from kb.accounts import Role
from kb.alignments import Meaning, Standing, Way, Words
from kb.centres import Centre
from kb.credentials import Ticket
from kb.headings import Columns
from kb.limits import Limit
from kb.mail import Spool
from kb.mirrors import Origin
from kb.publishing import Copy
from kb.questions import Asked, Channel, Enclosure, QuestionState, Said
from kb.records import Page, Record
from kb.sharing import Shared
from web import kept_log, kept_mail
from web.guard import right_of

GOLDEN = Path(__file__).parents[1] / "golden" / "rights.txt"
_NUMBERS = count()
OBJECTS = {
    "id": None,
    "number": 1,
    "said": "bonne",
    "width": 440,
    "place": 0,
    "version": "x",
    "parameter": "theme",
}


def routes(app) -> list[tuple[str, Rule]]:
    """Every way into the application."""
    ways = [(m, rule) for rule in app.url_map.iter_rules() for m in rule.methods - {"HEAD", "OPTIONS"}]
    return sorted(ways, key=lambda way: (way[1].rule, way[0]))


def cases(house, rule: Rule, role: Role) -> Iterator[tuple[str, str]]:
    """Kinds of objects that this route can be asked for, and the address of one of each."""
    if rule.rule == "/notice/<id>/demander":
        yield "another centre's", address(rule, id=quote(mirrored(house), safe=""))
    elif rule.rule.startswith("/mots-cles/<int:id>"):
        yield "", address(rule, id=word(house))
    elif rule.rule.startswith("/reseau/moissons/<int:id>"):
        yield "", address(rule, id=source(house))
    elif rule.rule.startswith(("/notice/<id>", "/a-valider/<id>", "/etat-de-lecture/<id>")):
        for access in records.ACCESS:
            yield access, address(rule, id=quote(house.records[access], safe=""), name=pdf(house, access))
    elif rule.rule.startswith("/depot/<int:id>"):
        batch, job = deposit(house)
        yield "", address(rule, id=batch, job=job, turn="arreter")
    elif rule.rule.startswith("/doublons/<int:id>"):
        yield "", address(rule, id=doubt(house))
    elif rule.rule.startswith(("/guichet/<reference>", "/guichet/courriel/<key>")):
        yield "", address(rule, **asked_twice(house))
    elif rule.rule.startswith("/guichet/import/<key>"):
        yield "", address(rule, key=former_log(house))
    elif rule.rule.startswith("/activite/<parameter>"):
        yield "", address(rule, parameter="mois")
    elif rule.rule.startswith("/demandeurs/<int:id>"):
        yield "", address(rule, id=house.parts.askers.known(f"demandeur-{next(_NUMBERS)}@exemple.fr"))
    elif rule.rule.startswith("/suivi/<follow>"):
        asked = house.parts.desk.receive(Asked(text="Qui suit cela ?"), None)
        yield "good", address(rule, follow=asked.follow)
        yield "made up", address(rule, follow="x" * 32)
    elif "sessions/<int:id>" in rule.rule:
        own = house.people.get(role)
        sessions = house.parts.sessions
        if own is not None:
            sessions.open(own, "Autre navigateur")
        mine = sessions.of(own)[-1].id if own is not None else 10**6
        theirs = somebody(house)
        sessions.open(theirs, "Essai")
        yield "own", address(rule, id=mine)
        yield "another's", address(rule, id=sessions.of(theirs)[0].id)
    elif "/personnes/<int:id>" in rule.rule:
        yield "", address(rule, id=somebody(house))
    elif "/cles/<int:id>" in rule.rule:
        house.parts.machines.add("Un centre", [])
        yield "", address(rule, id=house.parts.machines.all()[0].id)
    elif "/courrier/<int:id>/reessayer" in rule.rule:
        yield "", address(rule, id=failed_message(house))
    elif "/courrier/<int:id>" in rule.rule:
        id = house.parts.outbox.put("qui@exemple.fr", "Objet", "Texte")
        house.parts.outbox.deliver(Spool(house.parts.config.spool).put)
        yield "", address(rule, id=id)
    elif "<token>" in rule.rule:
        yield "good", address(rule, token=house.parts.credentials.link(somebody(house), Ticket.INVITATION))
        yield "made up", address(rule, token="x" * 43)
    elif rule.rule == "/static/<version>/<path:name>":
        yield "", "/static/x/carbet.css"
    else:
        yield "", address(rule)


def centre(house) -> str:
    """Another centre."""
    return house.parts.centres.save(Centre(code="labo", name="Labo", contact="labo@exemple.fr")).code


def source(house) -> int:
    """Something that is harvested."""
    url = f"https://labo.exemple.fr/{next(_NUMBERS)}/oai"
    return house.parts.sources.add(centre=centre(house), url=url, prefix="oai_dc").id


def mirrored(house) -> str:
    """A record of another centre."""
    record = Record(id=f"{centre(house)}:1", title="Un document d’ailleurs")
    origin = Origin(centre="labo", source=1, identifier="oai:x:1", datestamp="2026-03-01T10:00:00Z")
    house.parts.mirrors.keep(Shared(record), origin)
    return record.id


def word(house) -> int:
    """A key word of another centre."""
    words = Words(house.parts.store, lambda _: Meaning(concept=None, way=Way.NONE))
    words.meet("labo", ["habitat"])
    words.flush()
    return house.parts.alignments.listed(Standing.WAITING, 1)[0].id


def deposit(house) -> tuple[int, int]:
    """A deposit with a table whose columns are to be settled: its number, and that of its job."""
    jobs, reception = house.parts.jobs, house.parts.reception
    batch = jobs.open_batch("Dépôt", "deposit")
    id = accept(jobs, reception, batch, io.BytesIO(b"titre;cote\nUn livre;C 1\n"), "fonds.csv")
    while (job := jobs.take("essai")) is not None:
        jobs.finish(job, "waiting", {"reason": "columns"})
    return batch, id


def doubt(house) -> int:
    """A pair of records that look alike."""
    ids = [house.parts.store.new_id("vc") for _ in range(2)]
    for id in ids:
        house.parts.store.save(Record(id=id, title="Un titre"))
    return house.parts.doubts.add("same-text", *ids, 0.9)


_LETTER = b"From: zoe@exemple.fr\r\nTo: centre@exemple.fr\r\nSubject: Question\r\n\r\nQui finance cela ?\r\n"


def asked_twice(house) -> dict[str, object]:
    """Two questions of one person in the same words, the first with an answer, a copy to publish and a
    message that brought a file; and a mail that waits for somebody to say what it is."""
    desk, text = house.parts.desk, "Comment financer un poste d’adulte-relais ?"
    person = house.people[Role.ANSWERER]
    file = Enclosure(name="plan.pdf", media_type="application/pdf", content=b"%PDF-1.4")
    with house.parts.store.transaction():
        asker = house.parts.askers.known(f"zoe-{next(_NUMBERS)}@exemple.fr")
        first, other = (desk.receive(Asked(text=text), asker) for _ in range(2))
        number = desk.hear(first.id, Said(text="Ci-joint.", channel=Channel.EMAIL, enclosures=(file,)))
        desk.claim(first.id, person)
        house.parts.answers.save(first.id, "Par l’État.", 0, person=person, without_source="oral")
        desk.move(first.id, QuestionState.ANSWERED, person=person)
        house.parts.answers.mark_sent(first.id)
        copy = Copy(title="Qui finance un adulte-relais ?", text=text, body="L’État.", access="staff")
        version = house.parts.publications.prepare(first.id, copy, 0, person=person).version
        house.parts.publications.publish(first.id, version, [Page(1, text)], [], person=person)
    key = kept_mail.keep(house.parts, io.BytesIO(_LETTER))
    return {
        "reference": first.reference,
        "other": other.reference,
        "exchange": number,
        "number": 0,
        "key": key,
    }


def former_log(house) -> str:
    """The log of a former service, whose columns are to be settled."""
    log = f"Date;Question\n04/03/2019;Question {next(_NUMBERS)} ?\n".encode()
    key = kept_log.keep(house.parts, io.BytesIO(log), "registre.csv")
    columns = Columns(("received", "text"), ("Date", "Question"))
    kept_log.settle(house.parts, key, kept_log.Settled(columns, Channel.EMAIL, False))
    return key


def somebody(house) -> int:
    """A new person."""
    return house.parts.people.add(f"quidam-{next(_NUMBERS)}@exemple.fr", "Quidam", [Role.MEMBER]).id


def address(rule: Rule, **objects: object) -> str:
    path, known = rule.rule, OBJECTS | objects
    for name in rule.arguments:
        path = re.sub(rf"<(?:[^<>]*:)?{name}>", lambda _, name=name: str(known[name]), path)
    return path


def pdf(house, access: str) -> str:
    return quote(house.parts.store.get(house.records[access]).files[0].name)


def failed_message(house) -> int:
    def refuse(*_):
        raise OSError("no")

    outbox = house.parts.outbox
    id = outbox.put("qui@exemple.fr", "Objet", "Texte")
    for days in range(8):
        outbox.deliver(refuse, now=datetime.now(UTC) + timedelta(days=days))
    return id


def got_in(response: TestResponse) -> bool:
    """Whether the request reached what it asked for; a form that is not filled in counts."""
    to_door = response.headers.get("Location", "").startswith("/connexion?suite")
    return response.status_code not in (401, 403, 404, 410, 429, 500) and not to_door


def asked(house, client: FlaskClient, method: str, url: str) -> TestResponse:
    return client.get(url) if method == "GET" else house.post(client, url)


def test_the_table_of_rights_is_what_each_role_meets_on_each_route(house, monkeypatch):
    monkeypatch.setattr("web.guard.FORMS", Limit("forms", 10_000, 600))
    found: dict[tuple[str, str, str], list[str]] = {}
    for role in Role:
        for method, rule in routes(house.app):
            for kind, url in cases(house, rule, role):
                got = found.setdefault((rule.rule, method, kind), [])
                if got_in(asked(house, house.client(role), method, url)):
                    got.append(role)
    lines = [f"{method:4} {rule}{f' [{kind}]' if kind else ''}: {' '.join(who) or 'nobody'}"
             for (rule, method, kind), who in found.items()]  # fmt: skip
    assert "\n".join(lines) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_every_route_names_its_right(house):
    assert [rule.rule for _, rule in routes(house.app) if right_of(house.app, rule.endpoint) is None] == []


def test_a_view_that_names_no_right_answers_to_nobody(fund, tmp_path):
    from kb import config as settings
    from web import create_app

    app = create_app(settings.load(tmp_path / "neuf", {}))
    app.add_url_rule("/oubli", view_func=lambda: "bonjour", endpoint="oubli")
    response = app.test_client().get("/oubli")
    assert response.status_code == 403
    assert "bonjour" not in response.text
    app.extensions["parts"].close()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_form_is_taken_without_its_token(house, method, monkeypatch):
    monkeypatch.setattr("web.guard.FORMS", Limit("forms", 10_000, 600))
    client = house.client(Role.ADMINISTRATOR)
    for way, rule in routes(house.app):
        if way == "POST" and rule.rule != "/oai":  # reads only, and harvesters have no token
            for _, url in cases(house, rule, Role.ADMINISTRATOR):
                response = getattr(client, method)(url, data={"name": "x"})
                assert response.status_code in (400, 405), (method, url)
