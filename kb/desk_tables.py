"""The tables of the questions/réponses desk, in the schema of ``kb.tables``.

Who asked (``askers``) stands apart from what was asked, and what was said to the asker (``exchanges``) apart
from what the staff say among themselves (``notes``): no query for the one can bring the other along.
"""

from __future__ import annotations

import sqlalchemy as sa

from kb.tables import metadata

askers = sa.Table(
    "askers",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("email", sa.String(254)),
    sa.Column("name", sa.Text),
    sa.Column("phone", sa.String(40)),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Index("askers_email", "email"),
)
"""All that is kept of the persons who ask. A row goes away with their last question (``kb.privacy``)."""

questions = sa.Table(
    "questions",
    metadata,
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
    sa.Index("questions_queue", "state", "due"),
    sa.Index("questions_received", "received"),
    sa.Index("questions_asker", "asker"),
    sa.Index("questions_assignee", "assignee"),
)
"""``follow`` is the secret of the asker's page; ``due`` and ``wanted_by`` are days in the centre's time;
``waited`` counts working days that the desk waited for the asker; codes of the thesaurus in ``actor``,
``territory`` and, between blanks, ``themes``; ``folded`` is what the queue is searched in."""

exchanges = sa.Table(
    "exchanges",
    metadata,
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
    sa.Index("exchanges_question", "question", "id"),
    sa.Index("exchanges_message", "message_id"),
)
"""What the desk and the asker said to each other. ``direction``: in, out."""

enclosures = sa.Table(
    "enclosures",
    metadata,
    sa.Column("exchange", sa.BigInteger, sa.ForeignKey("exchanges.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.String(120), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""Files that came with a message."""

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("person", sa.BigInteger),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("notes_question", "question", "id"),
)
"""What the staff say among themselves. Nothing outside the desk reads this table."""

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("without_source", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("person", sa.BigInteger),
    sa.Column("sent", sa.String(40)),
    sa.Column("sent_version", sa.Integer),
)
"""The answer to a question, in Markdown; ``without_source`` says why it has none."""

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
    sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("base", sa.Integer, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)
"""What each person is writing, and from which version of the answer they began."""

citations = sa.Table(
    "citations",
    metadata,
    sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.id"), primary_key=True),
    sa.Column("record", sa.String(120), primary_key=True),
    sa.Column("page", sa.Integer, primary_key=True),
    sa.Index("citations_record", "record"),
)
"""Which pages an answer cites, read from its text when it is saved; page 0 is the whole work."""

publications = sa.Table(
    "publications",
    metadata,
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
    sa.Index("publications_record", "record"),
    sa.Index("publications_state", "state", "review_on"),
)
"""The anonymised copy of a question and its answer; ``record`` is the one that it is found by once published,
and ``shown`` the answer that is public while another one is prepared."""

steps = sa.Table(
    "steps",
    metadata,
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
    sa.Index("steps_question", "question", "id"),
    sa.Index("steps_at", "at"),
)
"""The service log: what happened to each question, without a word of what was asked or by whom."""

misses = sa.Table(
    "misses",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("text", sa.String(200), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)
"""Searches that found nothing, folded and counted by month; those that look personal are not kept."""

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("actor", sa.String(60), nullable=False),
    sa.Column("why", sa.String(20), nullable=False),
    sa.Column("questions", sa.Text, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
)
"""The ledger of what was forgotten: references of questions and how many rows of what, never who."""
