"""What the columns of spreadsheets hold, as librarians said it once and saved it under a name.

Hides how mappings are kept and how the headings of a new file are known again. Mappings of catalogues and of
logs of questions stand in one table: one name is one mapping, and each sort is told by what it must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.connection import Database
from kb.errors import InvalidValue, NotFound
from kb.french import fold
from kb.headings import CATALOGUE, Columns, ColumnSet
from kb.tables import mappings

LONGEST_NAME = 120
"""Characters."""


class Mappings:
    """The mappings of one database, of tables of one sort."""

    def __init__(self, database: Database, trail: Trail, held: ColumnSet = CATALOGUE) -> None:
        self._database = database
        self._trail = trail
        self._set = held

    def save(self, name: str, columns: Columns) -> str:
        """Keep what the columns hold under a name, in the place of what it was; the name as it is kept.
        Guesses are not kept: whoever saves them says so. Raises InvalidValue."""
        regular = _regular(name)
        lacking = next((told for name, told in self._set.needed.items() if name not in columns.names), None)
        if not columns.headings or lacking:
            raise InvalidValue("columns", lacking or "ce tableau n’a pas d’en-têtes")
        body = Columns(columns.names, columns.headings).to_json()
        values = {"body": body, "at": datetime.now(UTC).isoformat()}
        with self._database.writing() as connection:
            same = mappings.c.name == regular
            held = connection.scalar(sa.select(mappings.c.body).where(same))
            if held == body:
                return regular
            if held is not None and self._columns(held) is None:
                raise InvalidValue("name", "ce nom est celui d’une correspondance d’un autre import")
            if held is None:
                connection.execute(mappings.insert().values(name=regular, **values))
            else:
                connection.execute(mappings.update().where(same).values(values))
            before = None if held is None else _told(Columns.from_json(held, self._set))
            self._trail.note(Action.MAPPING_SAVED, _object(regular), before, _told(columns))
        return regular

    def get(self, name: str) -> Columns:
        """What the columns hold by this mapping. Raises NotFound."""
        query = sa.select(mappings.c.body).where(mappings.c.name == name)
        with self._database.reading() as connection:
            body = connection.scalar(query)
        columns = None if body is None else self._columns(body)
        if columns is None:
            raise NotFound("mapping", name)
        return columns

    def names(self) -> tuple[str, ...]:
        """Names of all mappings, as a French reader sorts them."""
        query = sa.select(mappings.c.name, mappings.c.body)
        with self._database.reading() as connection:
            ours = [row.name for row in connection.execute(query) if self._columns(row.body) is not None]
        return tuple(sorted(ours, key=fold))

    def delete(self, name: str) -> None:
        """Let go of a mapping. Raises NotFound."""
        with self._database.writing() as connection:
            same = mappings.c.name == name
            before = self.get(name)
            connection.execute(mappings.delete().where(same))
            self._trail.note(Action.MAPPING_DELETED, _object(name), _told(before))

    def matching(self, headings: Sequence[str]) -> tuple[str, Columns] | None:
        """The mapping that was saved last for these headings, with its name; None if there is none. Capitals,
        accents and blanks around make no difference."""
        query = sa.select(mappings.c.name, mappings.c.body).order_by(mappings.c.at.desc())
        wanted = _folded(headings)
        with self._database.reading() as connection:
            for row in connection.execute(query):
                columns = self._columns(row.body)
                if columns is not None and _folded(columns.headings) == wanted:
                    return row.name, Columns(columns.names, tuple(headings))
        return None

    def _columns(self, body: str) -> Columns | None:
        """The columns that were kept; None for those of a table of another sort."""
        try:
            columns = Columns.from_json(body, self._set)
        except ValueError:
            return None
        return columns if set(self._set.needed) <= set(columns.names) else None


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
