"""The tables of the present schema. Only ``kb`` looks here; ``kb.migrations`` must agree (tested)."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

records = sa.Table(
    "records",
    metadata,
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("centre", sa.String(100), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("host", sa.String(120)),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("records_number", "number"),
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("label", sa.String(40)),
    sa.Column("grade", sa.Float, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("kind", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
    sa.Index("keys_record", "record"),
)
"""By what else than its id a record is found: sha256, source, isbn, host, title..."""

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record", sa.String(120), nullable=False, unique=True),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

thesauri = sa.Table(
    "thesauri",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)
