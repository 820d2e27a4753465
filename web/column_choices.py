"""The columns of a spreadsheet as a form shows them and says them back, whatever sort of table it is.

Hides how a guess is put into words and which names of a form are columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.errors import InvalidValue
from kb.headings import SURE, Columns, ColumnSet, Guess
from web.typography import spaced

_SAMPLES = 3  # values of a column shown beside its name
_LONGEST = 80  # characters of one


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One column of the table. ``standing`` says in words how sure the guess is."""

    number: int
    heading: str
    name: str
    standing: str
    sure: bool
    reason: str
    samples: tuple[str, ...]


def column_views(columns: Columns, rows: Sequence[Sequence[str]]) -> tuple[ColumnView, ...]:
    """The columns with some values of these rows."""
    return tuple(_view(columns, rows, number) for number in range(len(columns.headings)))


def _view(columns: Columns, rows: Sequence[Sequence[str]], number: int) -> ColumnView:
    guesses, name = columns.guesses, columns.names[number]
    guess = guesses[number] if number < len(guesses) else Guess(name, 1.0, "votre choix")
    cells = (row[number].strip() for row in rows if number < len(row))
    samples = list(dict.fromkeys(cell for cell in cells if cell))[:_SAMPLES]
    sure = guess.confidence >= SURE
    return ColumnView(
        number=number,
        heading=columns.headings[number] or f"Colonne {number + 1}",
        name=name or "",
        standing="sûr" if name and sure else "à vérifier" if name else "laissée de côté",
        sure=bool(name) and sure,
        reason=spaced(guess.reason),
        samples=tuple(sample[:_LONGEST] for sample in samples),
    )


def chosen(form: Mapping[str, str], headings: tuple[str, ...], held: ColumnSet) -> Columns:
    """The columns as they stand in a form that was sent; what is no name of ``held`` is left out."""
    names = tuple(
        name if (name := form.get(f"colonne-{number}", "")) in held.names else None
        for number in range(len(headings))
    )
    return Columns(names, headings)


def check(columns: Columns, held: ColumnSet) -> None:
    """Raises InvalidValue when one thing is missing or twice."""
    for name, lacking in held.needed.items():
        if name not in columns.names:
            raise InvalidValue("colonne", lacking)
    if twice := columns.twice(held):
        told = f"deux colonnes disent « {held.names[twice]} » : laissez-en une de côté"
        raise InvalidValue("colonne", told)
