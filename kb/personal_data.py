"""What gives a person away in French text by its form alone: telephones, e-mails, addresses, numbers.

Hides the spellings from ``kb.anonymiser``. The numbers are those of the French plans: telephone (Arcep,
decision 2018-0881: ten digits, 0590, 0594 and 0596 for fixed lines of the Antilles and Guyane, 069x for
mobile ones), social security (13 digits and a key, INSEE; 2A and 2B for Corsica), IBAN (ISO 13616), plates
(arrêté of 9 February 2009 and the series before it).

A line may be broken inside an address, never inside another kind of number. Patterns would rather find too
much: a person accepts or refuses each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from kb.name_lexicon import COMMUNES


class Kind(StrEnum):
    """What a piece of text says of a person."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    NUMBER = "number"
    BIRTH = "birth"
    PLATE = "plate"
    LINK = "link"


class Piece(NamedTuple):
    """A stretch of text, ends in characters, and whether its form leaves no doubt.

    ``whole``: long enough to be one number whatever shorter ones could be read in it.
    """

    kind: Kind
    start: int
    end: int
    sure: bool
    whole: bool = False


_B = r"[ \t\u00a0\u202f]"  # a blank inside a line
_SEP = r"[ \t\u00a0\u202f.\-–—‑_/·,()]{0,3}"  # what people put between the digits of one number
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH_NAMES = (
    r"(?:janv(?:ier)?|f[ée]v(?:rier)?|mars|avr(?:il)?|mai|juin|juil(?:let)?|ao[uû]t|sept(?:embre)?"
    r"|oct(?:obre)?|nov(?:embre)?|d[ée]c(?:embre)?)\.?"
)
_DATE = rf"(?:{_DAY}{_B}?([/.\- ]){_B}?(?:0?[1-9]|1[0-2]){_B}?\1{_B}?(?:(?:19|20)\d\d|\d\d)(?!\d)"
_DATE += rf"|{_DAY}(?:er)?{_B}+{_MONTH_NAMES}{_B}+(?:(?:19|20)\d\d|\d\d)(?!\d)|(?:19|20)\d\d-[01]\d-[0-3]\d)"
_LONE_DATE = re.compile(
    r"(?<![\d.\-/])\d{1,2}([/.\-])\d{1,2}\1(?:19|20)\d\d(?!\1?\d)|(?<![\d.\-/])(?:19|20)\d\d-\d\d-\d\d(?![\d-])"
    r"|(?<![\d.\-/])(?:19|20)\d\d[ \u00a0]?[-–/][ \u00a0]?(?:19|20)\d\d(?![\d-])"
)
_NOT_PERSONAL = re.compile(
    rf"\b(?:isbn|issn|ean|siret|siren|rna|ark|doi|cote){_B}*(?:n°|:|de{_B}+\S+{_B}+:)?{_B}*"
    rf"[:n°]*{_B}*[\dxw][\dxX.\- \u00a0\u202f/]{{6,}}|\b97[89](?:[- ]?\d){{10}}(?!\d)|\b10\.\d{{4}}/\S+",
    re.IGNORECASE,
)

_PHONES = (
    rf"(?<!\d)[0oO]{_SEP}[1-79](?:{_SEP}\d){{8}}(?!\d)",
    # The code of a country, with or without a 0 in brackets, then nine digits.
    rf"(?<![\d])\(?(?:\+|00){_SEP}(?:33|590|594|596|262|508|269){_SEP}0?{_SEP}[1-79](?:{_SEP}\d){{8}}(?!\d)",
    rf"(?<![\d])\+{_B}?[1-9](?:{_SEP}\d){{8,13}}(?!\d)",
    rf"(?<![\d])00[1-9](?:{_SEP}\d){{8,12}}(?!\d)",
    r"(?<!\d)(?:59[046]|69[01467])([ .\-/])\d\d\1\d\d\1\d\d(?!\d)(?!\1\d)",
)
_CALLED = re.compile(
    rf"\b(?:t[ée]l(?:[ée]phone|\b\.?)|portable|gsm|fixe|fax|whats?app|mobile|appel\w*|joindre|joignable|num[ée]ro)\b"
    rf"[^\d\n]{{0,25}}?({_SEP}\d(?:{_SEP}\d){{5,8}})(?![\d])(?!{_B}?(?:€|euro|habitant))",
    re.IGNORECASE,
)
_AT = (
    rf"(?:{_B}*[@＠]{_B}*|{_B}*[(\[{{]{_B}*(?:at|arobas[e]?|arrobase|chez|a|à){_B}*[)\]}}]{_B}*"
    rf"|{_B}+(?:arr?obas[e]?|at){_B}+)"
)
_DOT = rf"(?:{_B}*[.,]{_B}*|{_B}*[(\[{{]{_B}*(?:point|dot|\.){_B}*[)\]}}]{_B}*|{_B}+(?:point|dot){_B}+)"
_TLD = r"(?:fr|com|org|net|eu|mq|gp|gf|re|be|ch|ca|info|asso|gouv|edu|coop|io|uk|de|es|it|lc|ht|dm|example)"
_LOCAL = (
    rf"(?<![\w+%'’.-])[\w+%'’-]++(?:\.[\w+%-]+|{_B}+[._-]{_B}+[\w+%-]+"
    rf"|{_B}+(?:point|tiret|underscore){_B}+[\w+%-]+)*\.?"
)
_MAY_BE_EMAIL = re.compile(r"[@＠]|arr?obas|[(\[{ ] ?(?:at|a|à|chez) ?[)\]} ]", re.IGNORECASE)
_EMAILS = (
    r"(?<![^\s@<>()\[\],;:«»\"|*`])[^\s@<>()\[\],;:«»\"|*`]++@[\w-]+(?:\.[\w-]+)*\.[^\W\d]{2,}",
    rf"{_LOCAL}{_AT}[\w-]+(?:{_DOT}(?!{_TLD}\b)[\w-]+)*(?:{_DOT}{_TLD}\b)+",
    rf"{_LOCAL}@[\w.-]*\w",
)
_LINKS = (
    r"(?<![\w.-])(?:https?://)?(?:[\w-]+\.)*(?:facebook|fb|instagram|linkedin|twitter|x|tiktok|snapchat|threads|telegram"
    r"|pinterest|copainsdavant(?:\.linternaute)?|viadeo|youtube|wa|t|messenger|bsky)\.(?:com|fr|me|net|app)/"
    r"(?!company/|sharer)[^\s<>\"»)\]]*[^\s<>\"»)\].,;:!?]",
    r"(?<![\w@.])@[\w][\w.]{1,29}(?<!\.)",
    rf"\b(?:pseudo(?:nyme)?|insta(?:gram)?|snap(?:chat)?|tik{_B}?tok|twitter|messenger|skype)\b"
    rf"(?:{_B}+(?:snap(?:chat)?|insta(?:gram)?|est|facebook))*{_B}*(?::|=|\b){_B}*"
    r"(?=[\w.]*[_\d.])[\w][\w.]{2,29}\b",
)
_TIGHT = r"[ \t\u00a0\u202f.\-–‑/_]{0,2}"
_NIR = re.compile(
    rf"(?<!\d)[1-478](?:{_TIGHT}\d){{4}}{_TIGHT}(?:2{_TIGHT}[ABab]|\d{_TIGHT}\d)"
    rf"(?:{_TIGHT}\d){{6}}(?:{_TIGHT}\d{_TIGHT}\d)?(?!\d)"
)
_IBAN = rf"(?<![A-Za-z\d])(?:[A-Z]{{2}}{_B}?|[a-z]{{2}})\d\d(?:[ \u00a0\u202f.\-]?[A-Za-z\d]{{4}}){{2,7}}"
_IBAN += r"(?:[ \u00a0\u202f.\-]?[A-Za-z\d]{1,4})?(?![A-Za-z\d])"
_FRENCH_IBAN = rf"(?<![A-Za-z\d])[Ff][Rr]{_B}?\d\d(?:[ \u00a0\u202f.\-]{{0,2}}[A-Za-z\d]){{23}}(?![A-Za-z\d])"
_YEARS = r"(?!(?:19|20)\d\d(?:[\-–/ ]+(?:19|20)?\d\d)?\b(?![\-/]\d))"
_CODE = (  # of a year or an amount nothing is taken
    rf"((?-i:(?:[A-Z]{{1,5}}[\-/ ]?)?{_YEARS}\d[A-Za-z\d]*(?:[ \u00a0\-/._]{{1,2}}[A-Z\d]*\d[A-Z\d]*)*"
    r"(?:[ \u00a0\-/]?(?:[A-Z]|[b-xz])\b(?!['’]))?))(?![A-Za-z\d])"
    r"(?![ \u00a0]?(?:€|%|euro|habitant|personne|logement|famille|allocataire|b[ée]n[ée]ficiaire|foyer"
    r"|m[ée]nage))"
)
_LETTERED = r"((?=[A-Z]*\d)(?=(?:[A-Z]*\d){2})[A-Z\d]{6,15})"
_HOLDERS = (
    r"allocataire|matricule|demandeur|b[ée]n[ée]ficiaire|adh[ée]rent|passeport|cni"
    r"|carte{B}+(?:d['’]identit[ée]|vitale|de{B}+s[ée]jour|bancaire)|(?:titre|carte){B}+de{B}+s[ée]jour|permis"
    r"|num[ée]ro{B}+d['’][ée]tudiant|s[ée]cu(?:rit[ée]{B}+sociale)?|nir|nss|n°{B}*ss|num[ée]ro{B}+ss|fiscale?|spi|ine|agdref"
    r"|r[ée]c[ée]piss[ée]|identifiant|rib|iban|compte{B}+bancaire|num[ée]ro{B}+unique"
).replace("{B}", _B)
_SERVICES = r"mdph|cgss|caf|cmu|rsa|usager|assur[ée]|client|locataire|[ée]tranger"
_SERVICES += rf"|p[ôo]le{_B}+emploi|france{_B}+travail"
_FILES = (
    r"dossier|r[ée]f(?:[ée]rences?)?\.?|demande|contrat|compte|police|sinistre|plainte|requ[êe]te|titre|carte"
)
_NUMBERED = rf"(?:n[°ºo]|num(?:[ée]ro)?\.?|#){_B}*:?"
_ANNOUNCED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:{_HOLDERS})\b(?:[^\d\n.;!?]{{0,30}}?)[\s:°=\-]{_CODE}",
        rf"\b{_NUMBERED}{_B}*(?:de{_B}+|d['’]|du{_B}+)?(?:{_HOLDERS}|{_SERVICES}|{_FILES})\b[^\d\n;!?]{{0,25}}?[\s:]{_CODE}",
        rf"\b(?:{_FILES})\b(?!{_B}+(?:de{_B}+presse|documentaire|th[ée]matique))[^\d\n.;!?]{{0,40}}?{_NUMBERED}{_B}*{_CODE}",
        rf"\b(?:{_FILES}){_B}*:{_B}*{_CODE}",
        rf"\b(?:dossier|r[ée]f(?:[ée]rence)?\.?){_B}+(?=[\w\-/ ]*\d{{5}}){_CODE}",
        rf"\b(?:{_SERVICES})\b{_B}*(?:{_NUMBERED}|:|=|est)?{_B}*:?{_B}*{_CODE}",
    )
)
_ANNOUNCED_LETTERS = re.compile(
    rf"(?i:\b(?:{_HOLDERS}|dossier|r[ée]f(?:[ée]rence)?)\b)[^\d\n.;!?]{{0,20}}?[\s:°=]{_LETTERED}(?!\w)"
)
_NUMBERS = (
    r"(?<!\d)\d{7}[ \u00a0]?[A-Z](?![\w'’])",  # a family allowance fund's file
    r"(?<!\w)\d{2}[A-Z]{2}\d{5}(?!\w)",  # a French passport
    r"(?<![\w.,/+-])(?!(?:19|20)\d{6}(?!\d))\d{8,}(?![\w/]|[.,-]\d)",
    r"(?<![\d.,/+-])\d(?:[ \u00a0\u202f.\-]?\d){11,22}(?![\d])(?![ \u00a0\u202f]?(?:€|euro|habitant|F\b))",
)
_PLATES = (
    r"(?<![\w-])[A-HJ-NP-TV-Z]{2}[ \u00a0–-]{0,3}\d{3}[ \u00a0–-]{0,3}[A-HJ-NP-TV-Z]{2}(?![\w-])",
    r"(?<![\w-])[a-hj-np-tv-z]{2}-\d{3}-[a-hj-np-tv-z]{2}(?![\w-])",
    r"(?<![\w-])\d{1,4}[ \u00a0-]?[A-Z]{2,3}[ \u00a0-]?97[1-8](?![\w-])",
)
_ANNOUNCED_PLATE = re.compile(
    r"\b(?:immatricul\w+|plaques?)\b[^\d\n.;]{0,20}?[\s:]"
    r"((?:[a-z]{2}[ -]?)?\d{1,4}[ -]?[a-z]{2,3}(?:[ -]?\d[\dab])?)(?!\w)",
    re.IGNORECASE,
)
_BORN = re.compile(
    rf"\b(?:n[ée]{{1,2}}(?:[.·‧(]e[)s]?)*s?(?:{_B}*[.·]?e\b)?|naissance|natifs?|natives?|d\.?d\.?n\.?)(?:{_B}*[:,(])?"
    rf"(?:{_B}+(?:est|c['’]est|de{_B}+\S+))?(?:{_B}+(?:le|du|au|un))?(?:{_B}+(?:lundi|mardi|mercredi|jeudi|vendredi|samedi"
    rf"|dimanche))?{_B}*:?{_B}*{_DATE}",
    re.IGNORECASE,
)
_BORN_IN = re.compile(
    rf"\bn[ée]{{1,2}}(?:[.·(]e[)s]?)*s?{_B}+(?:en|courant|vers)(?:{_B}+{_MONTH_NAMES})?{_B}+(?:19|20)\d\d(?!\d)",
    re.IGNORECASE,
)
_BORN_ON = re.compile(rf"\bje{_B}suis{_B}du{_B}{_DATE}", re.IGNORECASE)
_THING_BORN = re.compile(
    r"\b(?:association|dispositif|projet|programme|loi|quartier|commune|revue|centre|contrat|politique|cit[ée]|club"
    r"|collectif|r[ée]seau|f[ée]d[ée]ration|r[ée]gie|id[ée]e|mouvement|organisme|cucs|anru|ville|institution)\b"
    r"[^.!?\n]{0,40}$",
    re.IGNORECASE,
)


def _all(patterns: tuple[str, ...], flags: re.RegexFlag = re.NOFLAG) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, flags) for pattern in patterns)


_BY_FORM: tuple[tuple[Kind, tuple[re.Pattern[str], ...], bool], ...] = (
    (Kind.EMAIL, _all(_EMAILS, re.IGNORECASE), True),
    (Kind.LINK, _all(_LINKS, re.IGNORECASE), True),
    (Kind.NUMBER, _all((_FRENCH_IBAN,)), True),
    (Kind.PHONE, _all(_PHONES), True),
    (Kind.PLATE, _all(_PLATES), True),
    (Kind.NUMBER, _all(_NUMBERS), False),
)


def pieces_by_form(text: str) -> Iterator[Piece]:
    """E-mails, links, numbers, plates and dates of birth of ``text``, the surest kinds first. They may
    overlap."""
    yield from _births(text)
    # Dates, years, books and companies have long numbers that are nobody's.
    masked = blanked(blanked(text, _LONE_DATE), _NOT_PERSONAL)
    for kind, patterns, sure in _BY_FORM:
        if kind is Kind.EMAIL and not _MAY_BE_EMAIL.search(text):
            continue
        source = text if kind in (Kind.EMAIL, Kind.LINK) else masked
        for pattern in patterns:
            found = (m for m in pattern.finditer(source) if kind is not Kind.NUMBER or _is_regular(m[0]))
            yield from (Piece(kind, m.start(), m.end(), sure) for m in found)
    for match in _NIR.finditer(masked):
        if (sure := has_valid_key(match[0])) or _is_cut_so(match[0]):
            yield Piece(Kind.NUMBER, *match.span(), sure, sum(map(str.isalnum, match[0])) == 15)
    for match in re.finditer(_IBAN, masked):
        if _is_iban(match[0]):
            yield Piece(Kind.NUMBER, *match.span(), True)
    yield from _announced(masked)


def _is_cut_so(number: str) -> bool:
    """Whether the groups of a social security number end where its parts do."""
    ends = accumulate(len(group) for group in re.split(r"[\W_]+", number))
    return {1, 3, 5, 7, 8, 10, 11, 13, 15}.issuperset(ends)


def _is_regular(number: str) -> bool:
    """Whether digits are grouped as in one number, not as the columns of a table are."""
    groups = re.split(r"[ \u00a0\u202f]", number)
    even = len({len(group) for group in groups[1:-1]}) < 2 or any(len(group) > 5 for group in groups)
    return even and not re.fullmatch(_THOUSANDS, number)


_THOUSANDS = (
    r"\d{1,2}(?:[ \u00a0\u202f]\d{3})?(?:[ \u00a0\u202f]\d{1,2}[ \u00a0\u202f]\d{3})+"
    r"|(?:(?:19|20)\d\d[ \u00a0]?){3,}"
)
"""« 4 310 3 150 2 870 » and « 2008 2009 2010 »."""


def blanked(text: str, pattern: re.Pattern[str]) -> str:
    """``text`` with what ``pattern`` finds made unreadable, nothing moved."""
    return pattern.sub(lambda match: "¤" * len(match[0]), text)


def has_valid_key(digits: str) -> bool:
    """Whether 15 characters are a social security number with its key: 97 less the number modulo 97, 2A read
    as 19 and 2B as 18 (INSEE)."""
    number = re.sub(r"[\W_]", "", digits).upper().replace("2A", "19", 1).replace("2B", "18", 1)
    return len(number) == 15 and number.isdigit() and int(number[13:]) == 97 - int(number[:13]) % 97


def _is_iban(text: str) -> bool:
    """ISO 13616: the first four characters put last, letters as 10 to 35, the whole is 1 modulo 97."""
    code = re.sub(r"[\W_]", "", text).upper()
    return len(code) >= 15 and int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1


def _births(text: str) -> Iterator[Piece]:
    for pattern in (_BORN, _BORN_IN, _BORN_ON):
        for match in pattern.finditer(text):
            if not _THING_BORN.search(text, max(0, match.start() - 60), match.start()):
                yield Piece(Kind.BIRTH, *match.span(), True)


def _announced(text: str) -> Iterator[Piece]:
    for match in _CALLED.finditer(text):
        yield Piece(Kind.PHONE, *match.span(1), False)
    for match in _ANNOUNCED_PLATE.finditer(text):
        yield Piece(Kind.PLATE, *match.span(1), True)
    for pattern in _ANNOUNCED:
        for match in pattern.finditer(text):
            if sum(c.isdigit() for c in match[1]) >= 4:
                yield Piece(Kind.NUMBER, *match.span(1), True)
    for match in _ANNOUNCED_LETTERS.finditer(text):
        yield Piece(Kind.NUMBER, *match.span(1), True)


_CAPITAL = r"(?:[A-ZÀ-ÖØ-Þ\d][\w’'.\-‑]*\w|[A-Z]\b)"
_LINK_WORD = r"(?:de|du|des|la|le|les|aux|et|à|sur)"
_FEASTS = rf"\d{{1,2}}(?:er)?[ \-](?i:{_MONTH_NAMES})(?:[ \-]\d{{4}})?"
_PAUSE = (
    r"(?!(?i:à|a|au|aux|et|pour|dans|je|j|qui|que|est|ou|où|sur|depuis|avec|mais|car|il|elle|nous|on|vous|en|pr[èe]s"
    r"|c|y|ne|n|mon|ma|mes|ce|cette|derri[èe]re|devant|pas|sont|chez|tel|t[ée]l)\b)"
)
_CALLED_SO = (
    rf"(?:{_B}(?i:{_LINK_WORD})|{_B}?[dlDL]['’])*{_B}?(?:{_FEASTS}|{_CAPITAL})"
    rf"(?:(?:(?:{_B}|-){_LINK_WORD}|{_B}?[dlDL]['’])*(?:{_B}|-)?(?:{_FEASTS}|[A-ZÀ-ÖØ-Þ][\w’'.\-‑]*\w|[A-Z]\b))*"
)
_WORD = rf"{_PAUSE}[^\W\d_][\w’'\-‑]*"
_LOWER_SO = rf"(?:{_B}(?:de|du|des|la|le|les|aux)|{_B}?[dl]['’])*{_B}?{_WORD}(?:{_B}{_WORD}){{0,2}}"
_NAMED_SO = rf"(?:{_CALLED_SO}|{_LOWER_SO})"
_DOOR = rf"(?<![\d,.])\d{{1,4}}(?:{_B}?[-/]{_B}?\d{{1,4}})?{_B}?(?:(?i:bis|ter|quater)\b|[A-Da-d]\b)?"
_WAY = (
    r"(?i:rue|(?-i:r\.)(?=[ \u00a0]?[^\W\d])|avenue|ave?\.?|boulevard|b(?:oulevar|[lv]{0,2})d\.?|all[ée]es?"
    r"|all\.|impasse|imp\.?|chemin|chem?\.|ch\.|route|rte\.?|ruelle|square|sentier|quai|lotissement|lot\.?|r[ée]sidence|r[ée]s\.?|rond-point|traverse|mont[ée]e|rampe|venelle"
    r"|hameau|lieu-dit|esplanade|faubourg|fbg\.?)"
)
_PLACE = (
    r"(?i:place|pl\.|passage|voie|cours?|cit[ée]|villa|habitation|domaine|morne|section|quartier|clos|anse)"
)
_PLACED = r"(?i:quartier|qtier|section|habitation|cit[ée]|morne|domaine|immeuble|imm\.|place|anse|villa)"
_FLAT = r"(?i:app?t\b\.?|appart(?:ement)?\b\.?|logt\.?)"
_UNIT = (
    rf"(?:\b(?i:b[âa]t(?:iment)?\b\.?|imm(?:euble)?\b\.?|porte|esc(?:alier)?\b\.?|entr[ée]e|villa|bloc|hall"
    rf"|log(?:emen)?t|[ée]tage){_B}?(?:n°{_B}?)?(?:[A-Z]{_B}?\d{{0,3}}|[a-z]?\d{{1,4}}[A-Za-z]?)(?!\w)"
    rf"|\b\d{{1,2}}(?:er|e|[èe]me){_B}[ée]tage|\b(?i:b[âa]t(?:iment)?\b\.?){_B}{_CAPITAL})"
)
_ESTATE = r"(?i:lotissement|lot\.?|r[ée]sidence|r[ée]s\.)"
_NO_HOME = (
    r"(?i:(?:principal|secondaire|professionnel|social|universitaire|habituel|permanent|altern|fiscal|autonomie"
    r"|effectiv|stable|r[ée]guli|l[ée]gal|s[ée]nior|[ée]tudiant|h[ôo]tel|artist|d['’]artiste|de\b|du\b|des\b|et\b"
    r"|ou\b|en\b|n°|qui\b|pour\b|est\b|sans\b|avec\b)\w*)"
)
"""What makes of « résidence » or « lot » no housing estate."""

_OF_WAY = rf"{_B}?,?{_B}?(?:(?:de{_B}la|de{_B}l['’]|du|de){_B}?)?"
_SIGN = rf"(?:\b(?i:n°|num[ée]ro|pk|km){_B}?)?"
_STRONG, _NAMED, _HOME, _PART = range(4)
_ELEMENTS: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (strength, re.compile(pattern))
    for strength, pattern in (
        (_PART, _UNIT),
        (_STRONG, rf"{_SIGN}{_DOOR}{_OF_WAY}{_WAY}(?!\w){_NAMED_SO}"),
        (_STRONG, rf"{_SIGN}{_DOOR}{_OF_WAY}{_PLACE}(?!\w){_CALLED_SO}"),
        (_STRONG, rf"\b(?:{_WAY}|{_PLACE})(?!\w){_CALLED_SO},?{_B}?n°{_B}?\d{{1,4}}\b"),
        (_STRONG, rf"\b(?i:b\.?p\.?|bo[îi]te postale|cs){_B}?(?:n°{_B}?)?\d{{1,3}}(?:{_B}?\d{{2,3}})?(?!\d)"),
        (_STRONG, rf"\b{_FLAT}{_B}?(?:n°{_B}?)?(?:[A-Za-z]?{_B}?\d{{1,4}}[A-Z]?)(?!\w)"),
        (
            _HOME,
            rf"(?<!\w)(?i:lotissement|lot\.?|r[ée]sidence|r[ée]s\.)(?!{_B}{_NO_HOME}){_NAMED_SO}(?:{_B}\d{{1,3}}\b)?",
        ),
        (_NAMED, rf"\b(?:{_WAY}|{_PLACED})(?!\w){_CALLED_SO}(?:{_B}\d{{1,3}}\b)?"),
    )
)
_GAP = re.compile(r"[\s,;:\-–—]{0,4}")
_TOWN = re.compile(
    rf"(?:,{_B}{_CALLED_SO})?[\s,;(\-–—]{{0,4}}(?:F-)?\d{{2}}{_B}?\d{{3}}\b(?:{_NAMED_SO})?(?:{_B}(?i:cedex)(?:{_B}\d{{1,2}})?)?"
)
_ARTICLE = re.compile(
    rf"\b(?:la|le|les|une?|cette|ce|du|de|des|notre|votre|ma|mon|chaque|toute){_B}+$", re.IGNORECASE
)
_DWELLS = re.compile(
    rf"\b(?:habit\w+|demeur\w+|domicili\w+|r[ée]sid(?:e|ant|ons|ez)|log(?:e|eant|[ée]e?s?|eons)|adresse{_B}*(?:est|:)?)"
    rf"(?:{_B}+(?:au|[àa]|dans))?(?:{_B}+l[ae])?{_B}*$",
    re.IGNORECASE,
)
_ITS_TOWN = re.compile(
    rf"(?:{_B}*[,\-–—(]{_B}*|\n|{_B})(?:[àa]u?{_B})?(?:"
    + "|".join(re.sub(r"[’-]", "[-’' ]", name).replace("œ", "(?:œ|oe)") for name in COMMUNES)
    + rf")(?!\w)(?:{_B}cedex)?",
    re.IGNORECASE,
)


def pieces_of_addresses(text: str) -> Iterator[Piece]:
    """Postal addresses of ``text``: what has a number, a postal code or a door, or comes after « j’habite ».

    A street alone, a quarter or a housing estate in a sentence is nobody's address.
    """
    for chain in _chains(_elements(text), text):
        strengths = {strength for strength, _, _ in chain}
        start, end = chain[0][1], chain[-1][2]
        town = _TOWN.match(text, end)
        lone_home = _HOME in strengths and not _ARTICLE.search(text, max(0, start - 12), start)
        dwelling = _DWELLS.search(text, max(0, start - 40), start) and strengths != {_PART}
        if _STRONG in strengths or town or lone_home or dwelling or len(strengths) > 1:
            if found := town or _ITS_TOWN.match(text, end):
                end = found.end()
            yield Piece(Kind.ADDRESS, start, end, _STRONG in strengths or bool(town))


def _elements(text: str) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    for strength, pattern in _ELEMENTS:
        for match in pattern.finditer(text):
            if all(match.end() <= start or end <= match.start() for _, start, end in found):
                found.append((strength, match.start(), match.end()))
    return sorted(found, key=lambda element: element[1])


def _chains(elements: list[tuple[int, int, int]], text: str) -> list[list[tuple[int, int, int]]]:
    chains: list[list[tuple[int, int, int]]] = []
    for element in elements:
        if chains and _GAP.fullmatch(text, chains[-1][-1][2], element[1]):
            chains[-1].append(element)
        else:
            chains.append([element])
    return chains
