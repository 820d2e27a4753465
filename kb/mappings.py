"""What the columns of spreadsheets hold, as librarians said it once and saved it under a name.

Hides how mappings are kept and how the headings of a new file are known again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.connection import Database
from kb.errors import InvalidValue, NotFound
from kb.french import fold
from kb.rows import Columns
from kb.tables import mappings

LONGEST_NAME = 120
"""Characters."""


class Mappings:
    """The mappings of one database."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def save(self, name: str, columns: Columns) -> str:
        """Keep what the columns hold under a name, in the place of what it was; the name as it is kept.
        Guesses are not kept: whoever saves them says so. Raises InvalidValue."""
        regular = _regular(name)
        if not columns.headings or "title" not in columns.names:
            raise InvalidValue("columns", "indiquez au moins la colonne des titres")
        body = Columns(columns.names, columns.headings).to_json()
        values = {"body": body, "at": datetime.now(UTC).isoformat()}
        with self._database.writing() as connection:
            same = mappings.c.name == regular
            held = connection.scalar(sa.select(mappings.c.body).where(same))
            if held == body:
                return regular
            if held is None:
                connection.execute(mappings.insert().values(name=regular, **values))
            else:
                connection.execute(mappings.update().where(same).values(values))
            before = None if held is None else _told(Columns.from_json(held))
            self._trail.note(Action.MAPPING_SAVED, _object(regular), before, _told(columns))
        return regular

    def get(self, name: str) -> Columns:
        """What the columns hold by this mapping. Raises NotFound."""
        query = sa.select(mappings.c.body).where(mappings.c.name == name)
        with self._database.reading() as connection:
            body = connection.scalar(query)
        if body is None:
            raise NotFound("mapping", name)
        return Columns.from_json(body)

    def names(self) -> tuple[str, ...]:
        """Names of all mappings, as a French reader sorts them."""
        with self._database.reading() as connection:
            return tuple(sorted(connection.scalars(sa.select(mappings.c.name)), key=fold))

    def delete(self, name: str) -> None:
        """Let go of a mapping. Raises NotFound."""
        with self._database.writing() as connection:
            same = mappings.c.name == name
            held = connection.scalar(sa.select(mappings.c.body).where(same))
            if held is None:
                raise NotFound("mapping", name)
            connection.execute(mappings.delete().where(same))
            self._trail.note(Action.MAPPING_DELETED, _object(name), _told(Columns.from_json(held)))

    def matching(self, headings: Sequence[str]) -> tuple[str, Columns] | None:
        """The mapping that was saved last for these headings, with its name; None if there is none. Capitals,
        accents and blanks around make no difference."""
        query = sa.select(mappings.c.name, mappings.c.body).order_by(mappings.c.at.desc())
        wanted = _folded(headings)
        with self._database.reading() as connection:
            for row in connection.execute(query):
                columns = Columns.from_json(row.body)
                if _folded(columns.headings) == wanted:
                    return row.name, Columns(columns.names, tuple(headings))
        return None


def _regular(name: str) -> str:
    regular = " ".join(name.split())
    if not regular:
        raise InvalidValue("name", "donnez un nom")
    if len(regular) > LONGEST_NAME or not regular.isprintable():
        raise InvalidValue("name", f"pas plus de {LONGEST_NAME} caractères, sans caractère de commande")
    return regular


def _object(name: str) -> str:
    return f"correspondance:{name}"


def _told(columns: Columns) -> dict[str, str]:
    """Heading -> what it holds, as a line of the trail tells it."""
    return {heading: name for heading, name in zip(columns.headings, columns.names, strict=False) if name}


def _folded(headings: Sequence[str]) -> list[str]:
    return [fold(heading.strip()) for heading in headings]
