"""Records, pages, keys, change feed, counters, thesauri."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("centre", sa.String(100), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("host", sa.String(120)),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("updated", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("records_number", "records", ["number"])
    op.create_table(
        "pages",
        sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("label", sa.String(40)),
        sa.Column("grade", sa.Float, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
    )
    op.create_index("keys_record", "keys", ["record"])
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.String(120), nullable=False, unique=True),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "thesauri",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
