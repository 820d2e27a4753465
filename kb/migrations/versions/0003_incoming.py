"""How pages were read; deposits and their jobs; what waits for a librarian; history, merges, sketches."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("pages", sa.Column("quality", sa.String(20), nullable=False, server_default="good"))
    op.add_column("pages", sa.Column("raw", sa.Text))
    op.add_column("pages", sa.Column("recognised", sa.Float))
    op.create_index("pages_quality", "pages", ["quality", "grade"])
    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
    )
    op.create_index("batches_created", "batches", ["created"])
    op.create_table(
        "jobs",
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
    )
    op.create_index("jobs_due", "jobs", ["state", "priority", "due"])
    op.create_index("jobs_batch", "jobs", ["batch", "state"])
    op.create_table(
        "reviews",
        sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("since", sa.String(40), nullable=False),
        sa.Column("batch", sa.BigInteger),
        sa.Column("found", sa.Text, nullable=False),
    )
    op.create_index("reviews_since", "reviews", ["since"])
    op.create_table(
        "versions",
        sa.Column("record", sa.String(120), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )

    op.create_table(
        "redirects",
        sa.Column("old", sa.String(120), primary_key=True),
        sa.Column("new", sa.String(120), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_index("redirects_new", "redirects", ["new"])
    op.create_table(
        "sketches",
        sa.Column("record", sa.String(120), sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("hash", sa.BigInteger, primary_key=True),
    )
    op.create_index("sketches_hash", "sketches", ["hash"])
    op.create_table(
        "doubts",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("record", sa.String(120), nullable=False),
        sa.Column("other", sa.String(120), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.UniqueConstraint("record", "other"),
    )
    op.create_index("doubts_state", "doubts", ["state", "created"])
    op.create_table(
        "mappings",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )

