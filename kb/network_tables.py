"""The tables of the network of centres, in the schema of ``kb.tables``: who the others are, what is asked of
them and when, what came from where, which records tell of one work, and what their key words mean here."""

from __future__ import annotations

import sqlalchemy as sa

from kb.tables import metadata

memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("set", sa.String(120), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record", sa.String(120), nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Index("memberships_record", "record"),
)
"""The sets of the lines of the change feed. ``gone``: the record was in the set once, and is no more."""

set_names = sa.Table(
    "set_names",
    metadata,
    sa.Column("set", sa.String(120), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)

centres = sa.Table(
    "centres",
    metadata,
    sa.Column("code", sa.String(100), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("public_key", sa.String(64)),
    sa.Column("created", sa.String(40), nullable=False),
)
"""The other centres of the network. ``public_key`` is what their envelopes are signed with, once trusted."""

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("centre", sa.String(100), sa.ForeignKey("centres.code"), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("prefix", sa.String(60), nullable=False),
    sa.Column("set", sa.String(200)),
    sa.Column("secret", sa.Text),
    sa.Column("hours", sa.Integer, nullable=False),
    sa.Column("relays", sa.Boolean, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("since", sa.String(40)),
    sa.Column("token", sa.Text),
    sa.Column("asked", sa.String(40)),
    sa.Column("due", sa.String(40), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(40)),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Index("sources_due", "due"),
)
"""What is harvested: an address, a format, a set. ``secret`` is our key there, encrypted; ``since`` where the
next harvest starts, by that server's clock; ``token`` and ``asked`` where a harvest that was cut short goes
on."""

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", sa.BigInteger, nullable=False),
    sa.Column("centre", sa.String(100), nullable=False),
    sa.Column("way", sa.String(20), nullable=False),
    sa.Column("began", sa.String(40), nullable=False),
    sa.Column("ended", sa.String(40)),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.Column("trouble", sa.String(40)),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Index("runs_source", "source", "began"),
    sa.Index("runs_centre", "centre", "began"),
)
"""Each harvest and each envelope: what came, and what went wrong."""

origins = sa.Table(
    "origins",
    metadata,
    sa.Column("record", sa.String(120), primary_key=True),
    sa.Column("centre", sa.String(100), nullable=False),
    sa.Column("source", sa.BigInteger, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("datestamp", sa.String(40), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("origins_identifier", "source", "identifier"),
    sa.Index("origins_centre", "centre"),
)
"""Where each mirrored record came from; a line stays after its record went, so that it gets the same id
again. ``source`` 0 is an envelope."""

works = sa.Table(
    "works",
    metadata,
    sa.Column("record", sa.String(120), primary_key=True),
    sa.Column("work", sa.String(120), nullable=False),
    sa.Index("works_work", "work"),
)
"""Records of several centres that tell of one work; ``work`` is the id of one of them. Those alone have no
line."""

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("mark", sa.String(120), primary_key=True),
    sa.Column("record", sa.String(120), primary_key=True),
    sa.Index("marks_record", "record"),
)
"""By what the records that may tell of one work meet (``ingest.same_work``)."""

likenesses = sa.Table(
    "likenesses",
    metadata,
    sa.Column("record", sa.String(120), primary_key=True),
    sa.Column("other", sa.String(120), primary_key=True),
    sa.Column("score", sa.Float, nullable=False),
    sa.Index("likenesses_other", "other"),
)
"""Pairs of records of two centres that are alike enough to tell of one work; ``record`` is the smaller id."""

regathered = sa.Table(
    "regathered",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record", sa.String(120), nullable=False, unique=True),
)
"""Records whose work is another one since ``seq``, a place in the order of the change feed."""

alignments = sa.Table(
    "alignments",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("word", sa.String(200), nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("concept", sa.Text),
    sa.Column("way", sa.String(20), nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("centres", sa.Text, nullable=False),
    sa.Column("decided", sa.String(40)),
    sa.UniqueConstraint("word"),
    sa.Index("alignments_state", "state", "uses"),
)
"""What a key word of others (``word`` folded, ``said`` as written) means in our vocabulary."""

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("centre", sa.String(100), nullable=False),
    sa.Column("record", sa.String(120), nullable=False),
    sa.Index("requests_day", "day"),
)
"""Documents that were asked of other centres. Who asked is not kept."""
