"""The questions/réponses desk: who asks, what is asked, exchanges, notes, answers, publications, the service log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "askers",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("email", sa.String(254)),
        sa.Column("name", sa.Text),
        sa.Column("phone", sa.String(40)),
        sa.Column("created", sa.String(40), nullable=False),
    )
    op.create_index("askers_email", "askers", ["email"])
    op.create_table(
        "questions",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("reference", sa.String(20), nullable=False, unique=True),
        sa.Column("follow", sa.String(64), nullable=False, unique=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(40)),
        sa.Column("territory", sa.String(40)),
        sa.Column("themes", sa.Text, nullable=False),
        sa.Column("wanted_by", sa.String(10)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("asker", sa.BigInteger, sa.ForeignKey("askers.id")),
        sa.Column("assignee", sa.BigInteger, sa.ForeignKey("people.id")),
        sa.Column("received", sa.String(40), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("answered", sa.String(40)),
        sa.Column("ended", sa.String(40)),
        sa.Column("waiting_since", sa.String(40)),
        sa.Column("waited", sa.Integer, nullable=False),
        sa.Column("consent", sa.Boolean, nullable=False),
        sa.Column("merged_into", sa.BigInteger),
        sa.Column("anonymised", sa.String(40)),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("questions_asker", "questions", ["asker"])
    op.create_index("questions_assignee", "questions", ["assignee"])
    op.create_index("questions_queue", "questions", ["state", "due"])
    op.create_index("questions_received", "questions", ["received"])
    op.create_table(
        "exchanges",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("person", sa.BigInteger),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("quoted", sa.Text, nullable=False),
        sa.Column("message_id", sa.String(255)),
        sa.Column("references", sa.Text, nullable=False),
    )
    op.create_index("exchanges_message", "exchanges", ["message_id"])
    op.create_index("exchanges_question", "exchanges", ["question", "id"])
    op.create_table(
        "enclosures",
        sa.Column("exchange", sa.BigInteger, sa.ForeignKey("exchanges.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.String(120), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("person", sa.BigInteger),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("notes_question", "notes", ["question", "id"])
    op.create_table(
        "answers",
        sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("without_source", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("person", sa.BigInteger),
        sa.Column("sent", sa.String(40)),
        sa.Column("sent_version", sa.Integer),
    )
    op.create_table(
        "drafts",
        sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
        sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "citations",
        sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
        sa.Column("record", sa.String(120), primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True),
    )
    op.create_index("citations_record", "citations", ["record"])
    op.create_table(
        "publications",
        sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
        sa.Column("record", sa.String(120)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("shown", sa.Text),
        sa.Column("access", sa.String(20), nullable=False),
        sa.Column("themes", sa.Text, nullable=False),
        sa.Column("decisions", sa.Text, nullable=False),
        sa.Column("person", sa.BigInteger),
        sa.Column("reader", sa.BigInteger),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("published", sa.String(40)),
        sa.Column("review_on", sa.String(10)),
        sa.Column("review_why", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("publications_record", "publications", ["record"])
    op.create_index("publications_state", "publications", ["state", "review_on"])
    op.create_table(
        "steps",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("question", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("person", sa.BigInteger),
        sa.Column("channel", sa.String(20)),
        sa.Column("before", sa.String(20)),
        sa.Column("after", sa.String(20)),
        sa.Column("minutes", sa.Integer),
        sa.Column("effort", sa.Integer),
        sa.Column("reused", sa.String(120)),
    )
    op.create_index("steps_at", "steps", ["at"])
    op.create_index("steps_question", "steps", ["question", "id"])
    op.create_table(
        "misses",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("text", sa.String(200), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("why", sa.String(20), nullable=False),
        sa.Column("questions", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
