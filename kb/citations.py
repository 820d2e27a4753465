"""What formats of citations share: titles in one, numbers of hosts, what they do not hold.

Each has its module: ``kb.ris``, ``kb.bibtex``, ``kb.csl``. Hides from them where an ISBN belongs, and how a
subtitle is kept where there is no place for one.

None of these formats holds files, copies, access, where a record comes from, agents of the role "publisher"
(the field ``publisher`` is held), or subjects that were not accepted; those that were come back as key words.
The host comes back as ways to find it. A part (article, chapter) does not hold an ISBN or ISSN of its own:
those of a citation are its host's. A person of one name only comes back as a body, but in CSL-JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.errors import InvalidRecord
from kb.formats import LANGUAGES, Fields, Notice
from kb.french import fold, single_spaced
from kb.records import regular_isbn, regular_issn

PARTS = frozenset(("article", "article-cahier", "chapitre"))
"""Types of documents that are parts of another one, and are cited with its name and their pages."""


def whole_title(notice: Notice) -> str:
    """Title and subtitle in one, as formats want it that know no subtitle."""
    record = notice.record
    return f"{record.title} : {record.subtitle}" if record.subtitle else record.title


def parted_title(whole: str, short: str | None) -> tuple[str, str | None]:
    """Inverse of ``whole_title``, when the title alone is said too."""
    if short and whole.startswith(f"{short} : "):
        return short, whole.removeprefix(f"{short} : ")
    return whole, None


def numbered(volume: str | None, number: str | None) -> str | None:
    """Volume and number as one issue."""
    return f"vol. {volume}, n° {number}" if volume and number else volume or number


def language_said(said: str | None) -> str | None:
    """BCP 47 of a code or a name of a language; None for what is neither."""
    found = LANGUAGES.get(fold(said or ""))
    return found or (said if said and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", said) else None)


def extent_said(said: str | None) -> str | None:
    """A bare number is one of pages."""
    return f"{said} p." if said and said.isdigit() else said


def lines_said(value: str) -> str:
    """A text of several lines without blanks in a row; a no-break space stays."""
    return "\n".join(map(single_spaced, value.splitlines())).strip()


def numbers_said(values: Iterable[str], fields: Fields, *, part: bool) -> None:
    """Put ISBN and ISSN where they belong: with the work itself, or, of a part, with its host."""
    for value in values:
        isbn = regular_isbn(value)
        kind, found = ("isbn", isbn) if isbn else ("issn", regular_issn(value))
        if found and part:
            fields["hosts"] = ((kind, found), *fields.get("hosts", ()))
        elif found:
            fields["identifiers"].setdefault(kind, found)


def host_numbers(notice: Notice) -> dict[str, str]:
    """ISBN and ISSN to cite: those of the host of a part, else those of the work itself."""
    cited = notice.host if notice.record.type in PARTS else notice.record
    return {kind: cited.identifiers[kind] for kind in ("isbn", "issn") if cited and kind in cited.identifiers}


def filled(fields: Fields) -> Fields:
    """Without what says nothing. Raises InvalidRecord when there is no title."""
    if not fields.get("title"):
        raise InvalidRecord("title", "sans titre")
    return {name: value for name, value in fields.items() if value not in (None, "", (), {})}
