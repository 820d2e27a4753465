"""Title, authors, date and kind of a document: from its metadata when they are to be believed, else from
its first page, else from its name.

Hides what makes metadata worthless (names of programs, of files, of templates) and how a French title page
is laid out.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from ingest.cleaning import clean, language
from ingest.drafts import Draft
from kb.french import fold
from kb.records import Agent, regular_date

METADATA, FIRST_PAGE, HEADING, FILE_NAME = "metadata", "first page", "heading", "file name"
"""Where a field was found."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the first page and the height of its letters, in any unit; 0 when not known."""

    text: str
    height: float = 0.0


_JUNK_TITLE = re.compile(
    r"(?:microsoft (?:office )?(?:word|powerpoint|excel)|word|powerpoint|writer)\b(?: - .*)?"
    r"|(?:presentation|diapositive|slide|page)\W*(?:power ?point|\d+)|unspecified|titre|title|print"
    r"|(?:(?:sans|without) (?:titre|title)|untitled|(?:nouveau |new )?document|scan\w*|numerisation)\W*\d*"
    r"|(?:doc|img)\W*\d+"
    r"|(?:mise en page|layout|classeur|feuille|book|sheet)\W*\d+|full page (?:photo|fax print)|none|null|test"
    r"|\W*"
)
_FILE_NAME = re.compile(
    r"\S+\.(?:docx?|odt|pdf|rtf|indd|qxd|pptx?|xlsx?|html?|txt|pub|ai|pages|dvi|tex|md)", re.IGNORECASE
)
_JUNK_AUTHOR = re.compile(
    r"(?:user|utilisateur|admin\w*|owner|proprietaire|anonym\w*|unspecified|unknown|inconnu|none|null|author"
    r"|auteur|pc|hp|microsoft|windows|acer|asus|dell|toshiba|lenovo|standard|default|root|test|poste|station"
    r"|portable|client|stagiaire)"
    r"(?:\W.*)?|\W*"
    r"|.*\b(?:office user|konica|canon|xerox|ricoh|adobe|acrobat|openoffice|libreoffice|\.com)\b.*"
)
_LONGEST_TITLE = 250  # characters; the longest of the real ones tried has 140
_TITLE_LINES = 5
_LONGEST_LINE = 120  # characters of a title that only its place tells: longer is the beginning of a text
_SAME_HEIGHT = 0.92  # lines of one title: within 8 %, which accents and capitals move the measure by


def is_title(text: str) -> bool:
    """Whether a title in metadata is to be believed: words, and not the name of a file or of a program."""
    plain = fold(text).strip(" ()[]«»\"'")
    if len(plain) > _LONGEST_TITLE or _JUNK_TITLE.fullmatch(plain) or _FILE_NAME.fullmatch(plain):
        return False
    if re.search(r"[_/\\]\w|\w_", plain) and " " not in plain:
        return False
    return len(re.findall(r"[^\W\d_]{2,}", plain)) > 0 and not re.fullmatch(r"[\w-]*\d{3}[\w-]*", plain)


def title_of_lines(lines: Sequence[Line]) -> str | None:
    """The lines set largest, joined; the first if no heights are known; None if nothing can be a title."""
    lines = [line for line in lines if re.search(r"[^\W\d_]{2}", line.text)]
    if not lines:
        return None
    tallest = max(line.height for line in lines)
    if not tallest:
        return _first_line([line.text for line in lines])
    for height in sorted({line.height for line in lines if line.height >= 0.6 * tallest}, reverse=True):
        run = _run(lines, height)
        # A text all of one size has no title set apart; its first line is the best guess.
        title = _joined(run if len(run) <= _TITLE_LINES else run[:1])
        if is_title(title) and (len(title) > 5 or " " in title):
            return title
    return None


def _first_line(lines: Sequence[str]) -> str | None:
    """The first line where nothing tells sizes, unless it is the beginning of a paragraph."""
    title = _joined(lines[:1])
    follows = lines[1][:1] if len(lines) > 1 else ""
    goes_on = bool(re.search(r"[a-zà-ÿ,]$", lines[0].rstrip())) and (follows.islower() or len(title) > 60)
    whole = len(title) <= _LONGEST_LINE and not (goes_on and follows)
    return title if whole and is_title(title) else None


def _run(lines: Sequence[Line], height: float) -> list[str]:
    """The first lines in a row of that height."""
    run: list[str] = []
    for line in lines:
        if height * _SAME_HEIGHT <= line.height <= height / _SAME_HEIGHT:
            run.append(line.text)
        elif run:
            break
    return run


def _joined(lines: Iterable[str]) -> str:
    return re.sub(r"\s+", " ", " ".join(lines)).strip(" .;,-–—")


def title_of_name(name: str) -> str:
    """A file's name made readable: "240305_Guide-GUP_v2.pdf" -> "Guide GUP v2"."""
    stem = PurePath(name).stem
    words = re.sub(r"[_\s]+|(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])", " ", stem)
    words = re.sub(r"^\W*\d{6,8}\W+", "", words).strip(" -.")
    return (words[:1].upper() + words[1:]) or stem or name


# -- people

_NOT_A_PERSON_TEXT = """
ville centre cabinet ministere prefecture association agence conseil commune mairie region departement
direction service universite institut comite groupe reseau observatoire caisse mission office fondation
societe union federation collectif communaute collectivite etat laboratoire bureau equipe secretariat
delegation ecole editions politique rapport guide cahier cahiers etude fiche annee edition version page
sommaire quartier quartiers collection urbaine urbain territoire social sociale programme projet contrat
introduction annexe note synthese
"""
_NOT_A_PERSON = frozenset(_NOT_A_PERSON_TEXT.split())
_NAME_WORD = re.compile(r"(?:[A-ZÀ-ÖØ-ÞŒ][\w’'.-]*|d[eu]s?|la|le|van|von|da|di)")
_SEPARATORS = re.compile(r"\s*(?:[;·•|\n]|\s/\s|\s[–—-]\s|\bet\b|&)\s*")


def is_person(name: str) -> bool:
    """Whether a name looks like that of a person: two to five capitalised words, none of them a body's."""
    words = re.sub(r",", " ", name).split()
    return (
        2 <= len(words) <= 5
        and all(_NAME_WORD.fullmatch(word) for word in words)
        and sum(word[0].isupper() for word in words) >= 2
        and not _NOT_A_PERSON.intersection(fold(re.sub(r"[-’']", " ", name)).split())
        and not words[0].islower()
        and not name.isupper()
    )


def agent(name: str, role: str = "author") -> Agent:
    """A person as "Family, Given", a body as it is."""
    name = re.sub(r"\s+", " ", name).strip(" .,;")
    plain = re.sub(r"\s*\([^()]*\)$", "", name)  # « Ghislaine Morvan (juriste) »
    name = plain if is_person(plain) else name
    if not is_person(name):
        return Agent(name, role, "body")
    return Agent(name if "," in name else _family_first(name), role)


def _family_first(name: str) -> str:
    words = name.split()
    family = [word for word in words if len(word) > 1 and word.isupper()]
    if family and len(family) < len(words):
        given = [word for word in words if word not in family]
        return f"{' '.join(family).title()}, {' '.join(given)}"
    return f"{' '.join(words[1:])}, {words[0]}"


def agents_of_text(text: str) -> tuple[Agent, ...]:
    """The people and bodies in a field of authors; what looks like an account or a program is left out."""
    names = [name.strip(" ,.") for name in _SEPARATORS.split(text)]
    if len(names) == 1 and names[0].count(",") and all(len(n.split()) > 1 for n in names[0].split(",")):
        names = names[0].split(",")
    found = [agent(name) for name in names if not _JUNK_AUTHOR.fullmatch(fold(name).strip(" ()"))]
    return tuple(dict.fromkeys(a for a in found if 2 < len(a.name) <= 120 and _believable(a)))


def _believable(someone: Agent) -> bool:
    """One word in lower case is an account, not a name."""
    return " " in someone.name or not someone.name.islower()


_BYLINE = re.compile(
    r"(?:(?:redige|dirige|realise)e?s? par|par|auteure?s?|autrices?|redaction)\s*(:|\s)\s*(?=\S)"
)
_LABEL_ALONE = re.compile(r"(?:auteure?s?|autrices?|redaction|redacteurs?)\s*:?")


def agents_of_lines(lines: Sequence[str]) -> tuple[Agent, ...]:
    """Authors on a first page: after "par" or "Auteur :", under a label "AUTEURS", or on a line of
    names set apart by "·" of which one is a person's."""
    for place, line in enumerate(lines):
        if _LABEL_ALONE.fullmatch(fold(line).strip()):
            return tuple(agent(name) for name in _below_label(lines[place + 1 :]))
        if match := _BYLINE.match(fold(line)):
            found = agents_of_text(line[match.end() :])
            if found and (match[1] == ":" or found[0].kind == "person") and len(line) < 150:
                return found
        if people := _people_apart(line, lines[place + 1 : place + 2]):
            return people
    return ()


def _below_label(lines: Sequence[str]) -> list[str]:
    names: list[str] = []
    for line in lines[:8]:
        if line.isupper() or not line.strip() or ":" in line:
            break
        names.append(line.strip())
    return names


def _people_apart(line: str, following: Sequence[str]) -> tuple[Agent, ...]:
    if not re.search(r"\s[·•]", line):
        return ()
    if re.search(r"[·•]$", line.strip()):
        line = f"{line} {' '.join(following)}"
    names = [name.strip() for name in re.split(r"[·•]", line)]
    names = [name for name in names if name and regular_date(name) is None]
    return tuple(agent(name) for name in names) if any(is_person(name) for name in names) else ()


# -- date

_MONTH = r"(?:janv|fevr|mars|avri|mai|juin|juil|aout|sept|octo|nove|dece)[a-z]*\.?"
_DATE = re.compile(
    rf"(?:\d{{1,2}}(?:er)?\s+)?{_MONTH}\s+(?:19|20)\d\d\b|\b\d{{1,2}}[/.]\d{{1,2}}[/.](?:19|20)\d\d\b|\b(?:19|20)\d\d-\d\d-\d\d\b"
)
_YEAR_ALONE = re.compile(
    r"\W*(?:annee|edition|©|copyright|paris|martinique|fort-de-france)?\W*((?:19|20)\d\d)\W*"
)
_OF_A_TEXT = re.compile(r"(?:loi|decret|arrete|circulaire|ordonnance|directive|code|convention)\b[^.]*$")
_COVER_LINES = 20
_LONGEST_ALONE = 60  # characters of a line on which a date stands alone


def date_of_lines(lines: Sequence[str], latest: str | None = None) -> str | None:
    """The date printed on a first page: on a short line, or at the end of one, not that of a law; never
    after ``latest``, the year in which the file was made."""
    limit = int((latest or str(datetime.now(UTC).year))[:4])
    for line in lines[:_COVER_LINES]:
        plain = fold(line)
        for match in _DATE.finditer(plain):
            short = len(line) <= _LONGEST_ALONE or match.end() >= len(plain.rstrip(" .)")) - 1
            date = regular_date(match.group())
            if short and date and int(date[:4]) <= limit and not _OF_A_TEXT.search(plain[: match.start()]):
                return date
    for line in lines[:_COVER_LINES]:
        if len(line) > _LONGEST_ALONE:  # the pattern takes long on long lines, which are not years alone
            continue
        if (alone := _YEAR_ALONE.fullmatch(fold(line))) and int(alone[1]) <= limit:
            return alone[1]
    return None


# -- kind

_KINDS = (
    ("cahier-des-charges", r"cahier des charges"),
    ("article-cahier", r"article de cahier"),
    ("cahier", r"cahiers?\b.*\bn\W|cahier\b(?! de )"),
    ("guide", r"(?:guide|vade-?mecum|manuel)\b"),
    ("fiche", r"fiches? (?:d.experience|experience|action|pratique)"),
    ("compte-rendu", r"compte[ -]rendu|releve de (?:decisions|conclusions)|proces-verbal"),
    ("actes", r"actes (?:de|du|des)\b"),
    ("diagnostic", r"diagnostic\b"),
    (
        "convention",
        r"(?:convention|avenant|contrat (?:de ville|urbain))\b.*\b(?:entre|signee?|20\d\d)|convention\b",
    ),
    ("texte-officiel", r"(?:circulaire|decret|arrete|loi|ordonnance)\b (?:n|du|de la|inter|rel)"),
    ("appel", r"appels? (?:a|d.)\W?(?:projets?|offres?|candidatures?|manifestation)"),
    ("lettre", r"(?:lettre d.information|newsletter|la lettre\b)"),
    ("presse", r"(?:dossier|revue) de presse"),
    ("formation", r"(?:support|module) de formation|formation-action"),
    ("these", r"(?:memoire|these) (?:de|pour)\b"),
    ("concertation", r"document de (?:concertation|participation)"),
    ("donnees", r"(?:tableau de bord|donnees statistiques)"),
    ("etude", r"etude\b"),
    ("rapport", r"rapport\b"),
)
_KIND_PATTERNS = tuple((code, re.compile(pattern)) for code, pattern in _KINDS)


def kind(*texts: str | None) -> str:
    """Code of the document type that one of ``texts`` begins with, the first first; "document" if none."""
    for text in texts:
        plain = fold(text or "").strip()
        for code, pattern in _KIND_PATTERNS:
            if pattern.match(plain):
                return code
    return "document"


# -- all together


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a file's own properties say, as it is written there; "" for nothing. ``made``: when the file was
    last written, ISO 8601; ``date``: when the work was published, which few formats tell."""

    title: str = ""
    authors: str = ""
    subject: str = ""
    keywords: str = ""
    made: str | None = None
    date: str | None = None
    language: str | None = None


def completed(draft: Draft, metadata: Metadata, lines: Sequence[Line], name: str) -> Draft:
    """The draft with the fields that it lacks, each from the best place that has it.

    ``lines`` are those of the first page, ``name`` the file's; ``draft.found`` says what came from where.
    """
    found = dict(draft.found)
    texts = [line.text for line in lines]
    values: dict[str, Any] = {}
    for field, candidates in _candidates(draft, metadata, lines, texts, name).items():
        for where, value in candidates:
            if value:
                values[field], found[field] = value, where
                break
    title, series, issue = values.get("title") or draft.title, *_series(metadata.subject)
    values["language"] = values.get("language") or _language(draft, metadata)
    if draft.type == "document":
        values["type"] = kind(metadata.subject, title, *texts[:6])
    if series and draft.series is None:
        values |= {"series": series, "issue": issue}
    if metadata.keywords and not draft.keywords:
        values["keywords"] = split_keywords(metadata.keywords)
    if not draft.abstract and len(metadata.subject) > 80 and metadata.subject != title:
        values["abstract"] = clean(metadata.subject)
    return dataclasses.replace(draft, found=found, **values)


def _candidates(
    draft: Draft, metadata: Metadata, lines: Sequence[Line], texts: list[str], name: str
) -> dict[str, list[tuple[str, Any]]]:
    """For each field that the draft lacks, where it may be found, best first."""
    believed = clean(metadata.title) if is_title(clean(metadata.title)) else ""
    wanted: dict[str, list[tuple[str, Any]]] = {}
    if not draft.title:
        wanted["title"] = [
            (METADATA, believed),
            (FIRST_PAGE, title_of_lines(lines)),
            (FILE_NAME, title_of_name(name)),
        ]
    if not draft.agents:
        wanted["agents"] = [
            (METADATA, agents_of_text(metadata.authors)),
            (FIRST_PAGE, agents_of_lines(texts[:_COVER_LINES])),
        ]
    if draft.date is None:
        wanted["date"] = [
            (METADATA, metadata.date),
            (FIRST_PAGE, date_of_lines(texts, metadata.made)),
            (METADATA, metadata.made),
        ]
    return wanted


def _language(draft: Draft, metadata: Metadata) -> str | None:
    text = " ".join(page.text for page in draft.pages[:10])
    return draft.language or language(text) or regular_language(metadata.language)


def regular_language(code: str | None) -> str | None:
    """The language part of a code such as "fr-FR" or "fr_FR"; None for what is not one."""
    match = re.match(r"([a-zA-Z]{2,3})(?:[-_]|$)", (code or "").strip())
    return match[1].lower() if match else None


def split_keywords(text: str) -> tuple[str, ...]:
    """Key words apart by ";" or ",", each once."""
    words = re.split(r"\s*[;,\n]\s*", text.strip())
    return tuple(dict.fromkeys(word for word in words if 1 < len(word) <= 100))


_SERIES = re.compile(
    r"(?P<kind>[^–—]{3,40}?)\s[–—]\s(?P<series>[^–—]{3,120}?)(?:\s+n[°o]\s*(?P<issue>\d+))?$"
)


def _series(subject: str) -> tuple[str | None, str | None]:
    """Collection and number in a subject such as "Guide – Guides de la ville n° 3"."""
    match = _SERIES.match(subject.replace("\u00a0", " ").strip())
    if match is None or kind(match["kind"]) == "document":
        return None, None
    return match["series"], match["issue"]
