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
    sa.Column("access", sa.String(20), nullable=False, server_default="public"),
    sa.Column("source", sa.BigInteger),
    sa.Column("local", sa.Text),
    sa.Index("records_number", "number"),
    sa.Index("records_centre", "centre", "number"),
)

"""``source`` is where a record of another centre came from, NULL for our own; ``local`` the subjects that we
put on such a one, beside what its owner says in ``body``."""

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("label", sa.String(40)),
    sa.Column("grade", sa.Float, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("quality", sa.String(20), nullable=False, server_default="good"),
    sa.Column("raw", sa.Text),
    sa.Column("recognised", sa.Float),
    sa.Index("pages_quality", "quality", "grade"),
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
    sa.Column("audience", sa.String(20), nullable=False, server_default=""),
    sa.Column("told", sa.String(20), nullable=False, server_default=""),
    sa.Index("changes_at", "at"),
)
"""The change feed (``kb.feed``). ``audience``: who may be told of the record now; ``told``: the widest that
ever was."""

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

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("password", sa.Text),
    sa.Column("totp", sa.Text),
    sa.Column("totp_step", sa.BigInteger, nullable=False),
    sa.Column("recovery", sa.Text, nullable=False),
)
"""Who may sign in. ``password`` is an argon2id hash, ``totp`` encrypted, ``recovery`` hashes of codes."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
    sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("device", sa.String(120), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("seen", sa.String(40), nullable=False),
    sa.Index("sessions_person", "person"),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("expires", sa.String(40), nullable=False),
)
"""Links that let a person choose a password, once: invitations and resets, by the hash of their token."""

machine_keys = sa.Table(
    "machine_keys",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("used", sa.String(40)),
    sa.Column("revoked", sa.String(40)),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("bucket", sa.String(64), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Index("attempts_bucket", "bucket", "at"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("recipient", sa.String(254), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("due", sa.String(40), nullable=False),
    sa.Index("messages_due", "state", "due"),
)
"""Mail to be sent; ``source`` (RFC 5322) is let go of once it is sent."""

trail = sa.Table(
    "trail",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("actor", sa.String(60), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("object", sa.String(140), nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("trail_object", "object"),
    sa.Index("trail_actor", "actor"),
)
"""The audit trail: lines are added, never changed (triggers of the database refuse it)."""

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("actor", sa.String(60), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Index("batches_created", "created"),
)
"""Files that came in together: a deposit, a watched folder."""

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("batch", sa.BigInteger, sa.ForeignKey("batches.id"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("key", sa.String(200), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", sa.Float, nullable=False),
    sa.Column("lease", sa.Float),
    sa.Column("holder", sa.String(80)),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("result", sa.String(20)),
    sa.Column("outcome", sa.Text),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("finished", sa.String(40)),
    sa.Index("jobs_due", "state", "priority", "due"),
    sa.Index("jobs_batch", "batch", "state"),
)
"""Work to do on one file each. ``due`` and ``lease`` are seconds since 1970."""

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("since", sa.String(40), nullable=False),
    sa.Column("batch", sa.BigInteger),
    sa.Column("found", sa.Text, nullable=False),
    sa.Index("reviews_since", "since"),
)
"""Records that the machine filled in and nobody has looked at; ``found`` says where each field was read."""

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("record", sa.String(120), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("actor", sa.String(60), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""What records said before each change; evidence of subjects left out."""

redirects = sa.Table(
    "redirects",
    metadata,
    sa.Column("old", sa.String(120), primary_key=True),
    sa.Column("new", sa.String(120), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Index("redirects_new", "new"),
)
"""Where records that were merged into another one are found now."""

sketches = sa.Table(
    "sketches",
    metadata,
    sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("hash", sa.BigInteger, primary_key=True),
    sa.Index("sketches_hash", "hash"),
)
"""A sample of the word sequences of a record's text, by which nearly the same text is found."""

doubts = sa.Table(
    "doubts",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("record", sa.String(120), nullable=False),
    sa.Column("other", sa.String(120), nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.UniqueConstraint("record", "other"),
    sa.Index("doubts_state", "state", "created"),
)
"""Pairs of records that may tell of one work, for a person to settle."""

mappings = sa.Table(
    "mappings",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)
"""What the columns of a spreadsheet hold, under the name that a librarian gave it."""
