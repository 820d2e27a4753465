"""The network of centres: sets of the change feed, other centres, sources, mirrored records, works, key words."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("records", sa.Column("source", sa.BigInteger))
    op.add_column("records", sa.Column("local", sa.Text))
    op.add_column("changes", sa.Column("audience", sa.String(20), nullable=False, server_default=""))
    op.add_column("changes", sa.Column("told", sa.String(20), nullable=False, server_default=""))
    op.create_index("changes_at", "changes", ["at"])
    op.create_index("records_centre", "records", ["centre", "number"])
    op.create_table(
        "memberships",
        sa.Column("set", sa.String(120), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.String(120), nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
    )
    op.create_index("memberships_record", "memberships", ["record"])
    op.create_table(
        "set_names",
        sa.Column("set", sa.String(120), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "centres",
        sa.Column("code", sa.String(100), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("public_key", sa.String(64)),
        sa.Column("created", sa.String(40), nullable=False),
    )
    op.create_table(
        "sources",
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
    )
    op.create_index("sources_due", "sources", ["due"])
    op.create_table(
        "runs",
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
    )
    op.create_index("runs_source", "runs", ["source", "began"])
    op.create_index("runs_centre", "runs", ["centre", "began"])
    op.create_table(
        "origins",
        sa.Column("record", sa.String(120), primary_key=True),
        sa.Column("centre", sa.String(100), nullable=False),
        sa.Column("source", sa.BigInteger, nullable=False),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.Column("datestamp", sa.String(40), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_index("origins_identifier", "origins", ["source", "identifier"])
    op.create_index("origins_centre", "origins", ["centre"])
    op.create_table(
        "works",
        sa.Column("record", sa.String(120), primary_key=True),
        sa.Column("work", sa.String(120), nullable=False),
    )
    op.create_index("works_work", "works", ["work"])
    op.create_table(
        "marks",
        sa.Column("mark", sa.String(120), primary_key=True),
        sa.Column("record", sa.String(120), primary_key=True),
    )
    op.create_index("marks_record", "marks", ["record"])
    op.create_table(
        "likenesses",
        sa.Column("record", sa.String(120), primary_key=True),
        sa.Column("other", sa.String(120), primary_key=True),
        sa.Column("score", sa.Float, nullable=False),
    )
    op.create_index("likenesses_other", "likenesses", ["other"])
    op.create_table(
        "regathered",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.String(120), nullable=False, unique=True),
    )
    op.create_table(
        "alignments",
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
    )
    op.create_index("alignments_state", "alignments", ["state", "uses"])
    op.create_table(
        "requests",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("centre", sa.String(100), nullable=False),
        sa.Column("record", sa.String(120), nullable=False),
    )
    op.create_index("requests_day", "requests", ["day"])
    _tell_what_was_public()


def _tell_what_was_public() -> None:
    """Lines of records that exist get their audience; their sets are filled in by the store when it opens."""
    records = sa.table("records", sa.column("id"), sa.column("access"))
    changes = sa.table("changes", sa.column("record"), sa.column("audience"), sa.column("told"))
    shown = sa.case(
        (records.c.access.in_(["public", "onsite"]), "public"), (records.c.access == "network", "network"), else_=""
    )
    asked = sa.select(shown).where(records.c.id == changes.c.record).scalar_subquery()
    told = sa.func.coalesce(asked, "")
    op.execute(changes.update().values(audience=told, told=told))
