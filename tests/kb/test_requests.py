"""Documents asked of other centres, counted without anybody's name."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from kb.database import Store
from kb.network_tables import requests
from kb.requests import Requests


def test_requests_are_counted_by_centre_from_a_day_on(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'kb.db'}", tmp_path)
    held = Requests(store.database)
    held.note("labo", "labo:1", date(2026, 2, 28))
    held.note("labo", "labo:1", date(2026, 3, 1))
    held.note("observatoire", "observatoire:4", date(2026, 3, 1))
    held.note("observatoire", "observatoire:4", date(2026, 3, 2))
    assert list(held.counts(date(2026, 3, 1)).items()) == [("observatoire", 2), ("labo", 1)]
    assert held.counts(date(2026, 3, 2)) == {"observatoire": 1}
    assert held.counts(date(2026, 3, 3)) == {}
    store.close()


def test_a_request_that_is_not_sent_is_not_counted(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'kb.db'}", tmp_path)
    held = Requests(store.database)
    try:
        with store.transaction():
            held.note("labo", "labo:1", date(2026, 3, 1))
            raise KeyError
    except KeyError:
        pass
    assert held.counts(date(2026, 1, 1)) == {}
    store.close()


def test_the_table_has_no_place_for_a_person():
    assert {column.name for column in requests.columns} == {"id", "day", "centre", "record"}
    assert all(isinstance(column.type, sa.String | sa.BigInteger) for column in requests.columns)
