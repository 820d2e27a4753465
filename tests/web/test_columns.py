"""Spreadsheets of records: what is asked of their columns, and the rows that are given back."""

from __future__ import annotations

import io

import pytest

from ingest.clerk import Clerk, accept
from ingest.isolation import Sandbox
from kb.accounts import Role

ROWS = "Titre;Année;Cote;Rayon\nUn titre;2010;A1;fond\n=1+1;2011;A2;fond\n;2012;@SUM;fond\n"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


class Quiet:
    """Proposes no subjects."""

    def suggest(self, texts):
        return [[] for _ in texts]


class Table:
    """A table that a librarian has deposited, and the clerk who reads it."""

    def __init__(self, house, sandbox):
        self.house, self.jobs, self.store = house, house.parts.jobs, house.parts.store
        self.reception = house.parts.reception
        self.client = house.client(Role.LIBRARIAN)
        self.batch = self.jobs.open_batch("Fichier de notices", "deposit")
        rows = io.BytesIO(ROWS.encode())
        self.job = accept(self.jobs, self.reception, self.batch, rows, "notices.csv")
        self.clerk = Clerk(self.store, Quiet(), sandbox, None, centre="vc", reception=self.reception)
        self.work()
        self.url = f"/depot/{self.batch}/fichiers/{self.job}"

    def work(self):
        while self.clerk.work_once():
            pass

    def state(self):
        return self.jobs.job(self.job)


@pytest.fixture
def table(house, sandbox):
    return Table(house, sandbox)


def test_the_columns_are_asked_then_the_rows_come_in(table):
    assert (table.state().result, table.state().outcome["reason"]) == ("waiting", "columns")
    told = table.client.get(f"{table.url}/colonnes.json").json
    assert [column["heading"] for column in told["columns"]] == ["Titre", "Année", "Cote", "Rayon"]
    assert told["count"] == 3
    chosen = {f"colonne-{column['number']}": column["name"] for column in told["columns"]}
    answer = table.house.post(table.client, f"{table.url}/colonnes", suite="importer", **chosen)
    assert answer.status_code == 303
    table.work()
    assert table.state().result == "published"
    titles = {table.store.get(id).title for id in table.state().outcome["ids"]}
    assert titles == {"Un titre", "=1+1"}


def test_rows_left_out_come_back_with_their_reason_and_no_formula(table):
    answer = table.client.get(f"{table.url}/rejets.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    first, second = answer.text.removeprefix("\ufeff").splitlines()
    assert first == "Titre;Année;Cote;Rayon;Motif du rejet"
    assert second == ";2012;'@SUM;fond;pas de titre"


def test_a_table_that_cannot_be_read_any_more_is_told_on_a_page(table):
    table.reception.path(table.state().payload["place"]).write_bytes(b"\0\1\2")
    answer = table.client.get(f"{table.url}/rejets.csv")
    assert answer.status_code == 500
    assert "il semble endommagé" in answer.text


def test_a_table_of_another_deposit_is_not_found(table):
    other = table.jobs.open_batch("Autre dépôt", "deposit")
    for page in ("colonnes", "colonnes.json", "rejets.csv"):
        assert table.client.get(f"/depot/{other}/fichiers/{table.job}/{page}").status_code == 404
