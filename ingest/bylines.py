"""Who signed what: names of people in a line of a contents page, or below a title.

Hides how a name is told from the words of a title, from what people do, and from the head of a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest import frontmatter
from kb.french import fold, known
from kb.records import Agent

_BY = re.compile(r"(?:(?:un )?(?:entretien avec|propos recueillis par|texte de|coordonne par)|par)\s+")
_APART = re.compile(r"\s*(?:[,;&•·/|]|\bet\b|\bavec\b|\s[–—-]\s)\s*")
_PERSON_WORD = re.compile(
    r"[A-ZÀ-ÞŒ](?:\.(?:-?[A-ZÀ-ÞŒ]\.)*|[a-zß-ÿœ]*(?:[-’'][A-ZÀ-ÞŒ]?[a-zß-ÿœ]+)*|[A-ZÀ-ÞŒ’'-]+)"
)
_INITIAL = re.compile(r"[A-ZÀ-ÞŒ]\.(?:-?[A-ZÀ-ÞŒ]\.)*")
_LONGEST = 300  # characters: ten names with what they do
_MOST_WORDS = 3  # of a name that stands alone below a title, particles apart


def names(text: str) -> tuple[Agent, ...]:
    """The people that a text names; () unless it names people and says nothing else but what they do."""
    if len(text) > _LONGEST:
        return ()
    by = _BY.match(fold(text))
    said = re.sub(r"\([^()]*\)", "", text[by.end() :] if by else text)
    people: list[Agent] = []
    for piece in filter(None, _APART.split(said)):
        name = piece.title() if piece.isupper() and " " in piece else piece
        if frontmatter.is_person(name) and all(map(_is_name_word, name.split())):
            people.append(_agent(name))
        elif not people or not piece[0].islower():
            return ()
    return tuple(people)


def _agent(name: str) -> Agent:
    """ "J.-P. Roy" as "Roy, J.-P."; a full name as everywhere."""
    words = name.split()
    initials = [word for word in words if _INITIAL.fullmatch(word)]
    if not initials:
        return frontmatter.agent(name)
    return Agent(f"{' '.join(word for word in words if word not in initials)}, {' '.join(initials)}")


def _is_name_word(word: str) -> bool:
    return word.islower() or _PERSON_WORD.fullmatch(word) is not None


def below(lines: Sequence[str]) -> tuple[Agent, ...]:
    """The authors on the first lines below a title, as most reviews have them; () when there are none."""
    for line in lines[:2]:
        if (found := names(line)) and (_BY.match(fold(line)) or _looks_signed(line)):
            return found
    return ()


def _looks_signed(line: str) -> bool:
    """Whether a line without « par » is names rather than the head of a table or a heading: short, and with
    what the people do after a comma or a word that no dictionary has."""
    pieces = [piece.split() for piece in _APART.split(line) if piece and piece[0].isupper()]
    titled = any(len(words) > 2 and known(words[0]) and words[1].islower() for words in pieces)
    long = any(sum(not word.islower() for word in words) > _MOST_WORDS for words in pieces)
    if titled or long:
        return False
    role = re.search(r",\s+[a-zà-ÿ]", line) is not None
    return role or all(any(not known(word) for word in words) for words in pieces)


_BETWEEN = re.compile(
    r"\s+[–—|/•-]\s+|\s*[:;]\s+|,\s+|\s+(?=(?:par|Par|avec|entretien avec|propos recueillis par)\s)"
)


def splits(lines: Sequence[str]) -> Iterator[tuple[str, tuple[Agent, ...], int]]:
    """All ways to cut an entry of a contents page into title and authors, as (title, authors, how many lines
    above the title are left out)."""
    for dropped in range(min(3, len(lines))):
        rest = lines[dropped:]
        whole = " ".join(rest)
        yield _tidy(whole), (), dropped
        cuts = [(" ".join(rest[:cut]), " ".join(rest[cut:])) for cut in range(1, len(rest))]
        cuts += [(whole[: m.start()], whole[m.end() :]) for m in _BETWEEN.finditer(whole)]
        cuts += [(whole[: m.start()], whole[m.end() :]) for m in re.finditer(r"\s+(?=[A-ZÀ-Ý])", whole)]
        for left, right in cuts:
            if authors := names(right):
                yield _tidy(left), authors, dropped
            elif authors := names(left):
                yield _tidy(right), authors, dropped


def _tidy(title: str) -> str:
    return title.strip(" .,;–—-|/•\t") or title
