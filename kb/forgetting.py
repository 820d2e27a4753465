"""What it means to forget one question: which columns change, which rows go.

Hides the tables; when and why something is forgotten is ``kb.privacy``. All is written in the transaction of
who calls.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.desk_tables import answers, enclosures, exchanges, publications
from kb.french import fold
from kb.publishing import Stage
from kb.questions import Question
from kb.tables import versions
from kb.traces import Traces

Anonymise = Callable[[str], str]
"""A text without what looks personal; a careful one takes too much rather than too little."""


def question_values(question: Question, clean: Anonymise, now: datetime) -> dict[str, Any]:
    """The columns of a question that nobody asked any more."""
    text, context = clean(question.text), clean(question.context)
    return {
        "text": text,
        "context": context,
        "folded": fold(f"{question.reference} {text} {context}"),
        "asker": None,
        "follow": secrets.token_urlsafe(24),  # the former link opens nothing any more
        "anonymised": now.isoformat(),
        "version": question.version + 1,
    }


def exchanges_where(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, int]:
    """Take these exchanges away with their files; how many of each."""
    said = sa.select(exchanges.c.id).where(which)
    files = connection.execute(enclosures.delete().where(enclosures.c.exchange.in_(said))).rowcount
    return {"enclosures": files, "exchanges": connection.execute(exchanges.delete().where(which)).rowcount}


def in_answer(connection: sa.Connection, question: int, clean: Anonymise) -> int:
    """Answers are written to somebody: « Bonjour Madame... ». How many changed."""
    this = answers.c.question == question
    row = connection.execute(sa.select(answers).where(this)).first()
    if row is None:
        return 0
    body, reason = clean(row.body), clean(row.without_source or "") or None
    if (body, reason) == (row.body, row.without_source):
        return 0
    sent = row.version + 1 if row.sent_version == row.version else row.sent_version  # what was sent stays so
    values = {"body": body, "without_source": reason, "version": row.version + 1, "sent_version": sent}
    connection.execute(answers.update().where(this).values(values))
    return 1


def in_copy(connection: sa.Connection, question: int, clean: Anonymise) -> int:
    """A copy that is not public was read by nobody else: it may hold all that the question held. That of a
    published answer stays as it is shown."""
    this = publications.c.question == question
    row = connection.execute(sa.select(publications).where(this)).first()
    if row is None or (row.state == Stage.PUBLISHED and row.body == row.shown):
        return 0
    names = ("title", "text", "body")  # the record of a published answer keeps its own
    values: dict[str, Any] = {name: clean(getattr(row, name)) for name in names}
    if all(values[name] == getattr(row, name) for name in names):
        return 0
    values |= {"version": row.version + 1, "decisions": "[]"}  # digests of names may be guessed again
    connection.execute(publications.update().where(this).values(values))
    return 1


def in_versions(connection: sa.Connection, question: Question, traces: Traces | None) -> int:
    """Take away former versions of the record of its answer that name the asker, from before somebody mended
    it or took it off; how many."""
    ours = sa.select(publications.c.state).where(publications.c.question == question.id)
    if traces is None or connection.scalar(ours) is None:
        return 0
    v = versions.c
    told = sa.select(v.record, v.number, v.body).where(v.body.contains(json.dumps(question.reference)))
    rows = [row for row in connection.execute(told).all() if traces.stand_in(row.body)]
    for row in rows:
        connection.execute(versions.delete().where(v.record == row.record, v.number == row.number))
    return len(rows)
