"""What the title of a work says, whoever catalogued it: its words, its numbers, its edition.

Hides the ways in which two people write one title: accents, articles and signs, plurals, abbreviations,
acronyms, Roman and spelt numbers, slips of the pen, « 2e éd. » and « [en ligne] » left in it. Numbers are
kept apart from words, for a title that differs by one number is the title of another work.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from kb.french import fold, known, term


@dataclass(frozen=True, slots=True)
class Wording:
    """A title as it is compared. ``words``: folded, singular, small words left out, in order; ``main``: how
    many of them stand before the first colon; ``cuts``: how many stand before each sign that may end a title;
    ``figures``: its numbers and months; ``years``, ``parts`` (numbers of tomes, issues, phases): those of
    ``figures`` that are such; ``loose``: all but ``parts``; ``edition``: "2", "new", or ""; ``cut_short``: it
    ends with dots."""

    words: tuple[str, ...]
    main: int = 0
    cuts: frozenset[int] = frozenset()
    figures: frozenset[str] = frozenset()
    years: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    edition: str = ""
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two sequences of words have in common, and what each has alone. ``slips`` grows with what had to
    be forgiven: about 0.3 for a slip that made no word, 1 for names that differ by one letter."""

    shared: tuple[str, ...]
    here: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    slips: float = 0.0

    @property
    def differs(self) -> bool:
        """Whether each has words that stand in the place of the other's."""
        return bool(self.here and self.there)


GENERIC = frozenset(
    """acte action activite agence animation annee annexe annuaire annuel annuelle appel assemblee association
    atelier avenant avis bibliographie bilan bulletin cadre cahier catalogue centre charge charte chiffre
    colloque comite communication compte conclusion conference conseil contrat convention demarche
    departemental departementale developpement diagnostic direction document dossier editorial element enjeu
    enquete entretien etat etude evaluation exercice experience fiche final finale general generale guide
    information institut intermediaire introduction journal journee lettre liste local locale magazine
    memoire methodologique ministere mission municipal municipale national nationale note numero
    observatoire orientation outil plan politique pratique preface presentation presse procedure proces
    programme projet proposition quartier question rapport recueil regional regionale rencontre rendu
    repertoire reunion revue saint sainte schema seance seminaire service social sociale sommaire special
    statistique statut suivi supplement synthese table tableau territoire territorial territoriale texte
    travail travau urbain urbaine verbal verbaux ville""".split()  # noqa: SIM905
)
"""Words of which a thousand titles of this field are made; of these alone no title tells its work. From the
names of the kinds of documents in ``kb.records.TYPES`` and of the parts of a report."""

# -- reading a title

_SUPPORT = re.compile(
    r"\[[^\]]*(?:imprime|electronique|en ligne|anime|multimedia|microfo|pdf|cd-?rom|dvd|numerique)[^\]]*\]"
    r"|\[(?:texte|ressource)\b[^\]]*\Z"
)
_ED = r"ed(?:ition)?\b\.?"
_EDITION = re.compile(
    r"[(\[,;:.–-]*\s*\b(?:(?P<n>\d+|premiere|seconde|deuxieme|troisieme|quatrieme)\s?(?:ere|re|e|eme|de|nde|er)?"
    rf"\s+{_ED}"
    rf"|(?P<new>(?:nouv(?:elle|\.)?|derniere)\s+{_ED}|reed(?:ition)?\b\.?|version\s+(?=\d+\b(?!\d))(?P<v>\d+)))"
    r"(?:\s*,?\s*(?:entierement|revue?|corrigee?|augmentee?|refondue?|remaniee?|actualisee?|mise a jour"
    r"|rev|augm|et)\b\.?)*"
    r"[)\]]?"
)
_REVISED = re.compile(
    rf"\b{_ED}\s+(?:entierement\s+)?(?:revue|corrigee|augmentee|refondue|remaniee|actualisee|mise)\b"
)
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")
_NUMBERED = re.compile(r"\b(vol|t|v|n|no|num|fasc|chap|part|liv)\.\s?(?=[\divx])")
_JOINED = re.compile(
    r"\b(sur|sous|co|inter|anti|auto|multi|pluri|socio|non|mi|pre|post|re|entre)-(?=[a-z]{3})"
)
_RANGE = re.compile(r"\b((?:19|20)(\d\d))\s?[-/–]\s?(\d\d)\b(?![-/\d])")
_ORDINAL = re.compile(r"\b(\d+)\s?(?:ers?|eres?|res?|iemes?|emes?|es?|nds?|ndes?)\b")
_DIGIT = re.compile(r"\d")
_TOKEN = re.compile(r"\d{1,3}(?: \d{3})+(?!\d)|\d+|[^\W\d_]+|[:;.?!()\[\]–—]|(?<=\s)-(?=\s)")
_ROMAN = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})(e|eme)?\Z")
_NOT_ROMAN = frozenset(("vie", "xe", "ve", "ie", "e", "eme"))

_NUMBER_TEXT = """deux 2 trois 3 quatre 4 cinq 5 six 6 sept 7 huit 8 neuf 9 dix 10 onze 11 douze 12 treize 13
quatorze 14 quinze 15 seize 16 vingt 20 vingts 20 trente 30 quarante 40 cinquante 50 soixante 60 cent 100
premier 1 premiere 1 deuxieme 2 second 2 seconde 2 troisieme 3 quatrieme 4 cinquieme 5 sixieme 6 septieme 7
huitieme 8 neuvieme 9 dixieme 10"""
_NUMBERS = dict(zip(_NUMBER_TEXT.split()[::2], map(int, _NUMBER_TEXT.split()[1::2]), strict=True))
_MONTHS = frozenset(
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre".split()  # noqa: SIM905
)
_TAGS = frozenset("tome t volume vol v partie part numero num no n nos livre liv fascicule fasc".split())  # noqa: SIM905
_LABELS = _TAGS | frozenset(
    """annexe avenant phase lot livret fiche lettre cahier chapitre chap module serie session etape trimestre
    semestre""".split()  # noqa: SIM905
)
"""Words that a number belongs to; those of ``_TAGS`` say nothing else."""
_ALIASES = {"st": "saint", "ste": "sainte", "dept": "departement", "dpt": "departement", "mairie": "ville"}


@functools.lru_cache(maxsize=8_192)
def read_title(title: str, subtitle: str | None = None) -> Wording:
    """The wording of a title and a subtitle, read as one: the colon stands here in one catalogue, there in
    another."""
    text = fold(f"{title} : {subtitle}" if subtitle else title)
    if "[" in text:
        text = _SUPPORT.sub(" ", text)
    text, edition = _without_edition(text)
    if "." in text:
        text = _NUMBERED.sub(r"\1 ", _DOTTED.sub(lambda m: m[0].replace(".", ""), text))
    if "-" in text:
        text = _JOINED.sub(r"\1", text)
    if _DIGIT.search(text):
        text = _RANGE.sub(lambda m: f"{m[1]} {m[1][:2]}{m[3]}" if m[3] > m[2] else m[0], text)
        text = _ORDINAL.sub(r"\1 ", text.replace("n°", "numero "))
    tokens = _TOKEN.findall(text)
    return _worded(tokens, edition, text.rstrip().endswith(("...", "…")))


def _without_edition(text: str) -> tuple[str, str]:
    edition = ""
    if "ed" not in text and "version" not in text:
        return text, ""
    if match := _EDITION.search(text):
        number = match["n"] or match["v"] or ""
        edition = str(_NUMBERS.get(number, number)) or "new"
        text = f"{text[: match.start()]} {text[match.end() :]}"
    elif _REVISED.search(text):
        edition = "new"
    return text, "" if edition == "1" else edition


def _worded(tokens: Sequence[str], edition: str, cut_short: bool) -> Wording:
    words: list[str] = []
    cuts: list[int] = []
    loose: set[str] = set()
    parts: set[str] = set()
    main = 0
    for before, token, after in _with_numbers(tokens):
        if not token[0].isalnum():
            cuts.append(len(words))
            main = main or (len(words) if token == ":" else 0)
        elif token.isdigit() or token in _MONTHS:
            tagged = token.isdigit() and not _is_year(token) and (before in _LABELS or after in _LABELS)
            (parts if tagged else loose).add(token)
        elif len(token) == 1 and before in _LABELS - {"n", "t", "v"}:
            parts.add(token)
        elif token not in _TAGS and (word := plain_word(token)):
            words.append(word)
    return Wording(
        words=tuple(words),
        main=main or len(words),
        cuts=frozenset((0, *cuts, len(words))),
        figures=frozenset(loose | parts),
        years=frozenset(filter(_is_year, loose)),
        parts=frozenset(parts),
        loose=frozenset(loose),
        edition=edition,
        cut_short=cut_short,
    )


def _with_numbers(tokens: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(token before, token, token after), numbers in digits whatever way they were written."""
    said: list[str] = []
    spelt = 0  # value of the spelt number that the last token is
    for token in tokens:
        value = _NUMBERS.get(token)
        if value is not None and (20 <= spelt < 100 or spelt == 10) and value < min(spelt, 20):
            spelt += value
            said[-1] = str(spelt)
        elif value == 20 and spelt == 4:
            spelt, said[-1] = 80, "80"
        else:
            spelt = value or 0
            said.append(str(value) if value is not None else _digits(token, said[-1] if said else ""))
    return zip(["", *said], said, [*said[1:], ""], strict=False)


def _digits(token: str, before: str) -> str:
    """Roman numbers in Arabic ones, a number of one letter only after « tome » and its like."""
    if token[0].isdigit():
        return token.replace(" ", "").lstrip("0") or "0"
    if token in _NOT_ROMAN or (len(token) == 1 and before not in _LABELS):
        return token
    if token[0] not in "xvi" or not (match := _ROMAN.match(token)):
        return token
    units = match[2]
    value = {"ix": 9, "iv": 4}.get(units, units.count("i") + 5 * units.count("v"))
    return str(10 * len(match[1]) + value)


def _is_year(figure: str) -> bool:
    return len(figure) == 4 and figure[:2] in ("18", "19", "20")


@functools.lru_cache(maxsize=65_536)
def plain_word(piece: str) -> str:
    """A folded word without the mark of its plural; "" for a small word or a letter alone."""
    if len(piece) < 2 or not term(piece):
        return ""
    piece = _ALIASES.get(piece, piece)
    return piece[:-1] if len(piece) > 3 and piece[-1] in "sx" and known(piece) else piece


@functools.lru_cache(maxsize=8_192)
def body_words(name: str) -> tuple[str, ...]:
    """The words of a body's or a publisher's name, what is in brackets left out."""
    bare = re.sub(r"\([^)]*\)", " ", name)
    return read_title(bare if bare.strip() else name).words


def telling_of_body(words: tuple[str, ...]) -> tuple[str, ...]:
    """Those that tell a body from others; all, if there is none."""
    return tuple(word for word in words if word not in _OF_BODIES) or words


_OF_BODIES = frozenset(
    """ville commune municipalite association cabinet edition editeur ed librairie libr imprimerie impr presse
    sarl sa france societe cie""".split()  # noqa: SIM905
)

# -- comparing


def overlap(
    here: Sequence[str],
    there: Sequence[str],
    told_here: Set[str] = frozenset(),
    told_there: Set[str] = frozenset(),
) -> Overlap:
    """What two titles or names have in common. A word that only one has does not count when the other notice
    tells it elsewhere, but for words that stand in each other's place: ``told_here`` are the words of the
    other fields of the first, ``told_there`` those of the second."""
    if here == there:
        return Overlap(tuple(here))
    one, other = set(here), set(there)
    shared = [word for word in dict.fromkeys(here) if word in other]
    left = [word for word in here if word not in other]
    right = [word for word in there if word not in one]
    slips = 0.0
    if left and right:
        _mend_end(here, left, right)
        _mend_end(there, right, left)
        slips = _paired(left, right, shared)
    if left and right:
        slips += _spelt_out(left, right, there, shared) + _spelt_out(right, left, here, shared)
    if left and right and _joined_alike("".join(left), "".join(right)):
        shared += left
        slips += _MISWRITTEN
        left, right = [], []
    strange = (
        [word for word in left if word not in told_there],
        [word for word in right if word not in told_here],
    )
    if not (left and right) or not any(strange):
        left, right = strange
    return Overlap(tuple(shared), tuple(left), tuple(right), slips)


def _mend_end(words: Sequence[str], left: list[str], right: list[str]) -> None:
    """Take out the last word of a long title if it begins a word of the other one: titles are cut."""
    if left == [words[-1]] and len(words) > 3 and any(word.startswith(left[0]) for word in right):
        left.clear()


def _paired(left: list[str], right: list[str], shared: list[str]) -> float:
    """Take out of both what is one word written in two ways; what had to be forgiven."""
    slips = 0.0
    for word in tuple(left):
        found = [(cost, twin) for twin in right if (cost := _apart(word, twin)) is not None]
        if found:
            cost, twin = min(found)
            left.remove(word)
            right.remove(twin)
            shared.append(twin)
            slips += cost
    return slips


_MISWRITTEN, _INFLECTED, _OTHER_NAME, _OTHER_WORD = 0.3, 0.4, 1.0, 1.5


@functools.lru_cache(maxsize=65_536)
def _apart(word: str, other: str) -> float | None:
    """What is to be forgiven for one of two words to be the other; None if they are two words."""
    short, long = sorted((word, other), key=len)
    if len(short) < 3 or short.isdigit() or long.isdigit():
        return None
    strangers = (not _is_word(short)) + (not _is_word(long))
    if strangers and _is_abbreviation(short, long):
        return _MISWRITTEN
    if term(word) == term(other):
        return _INFLECTED
    if short[0] != long[0] and len(short) == len(long) and len(long) < 8:
        return None  # « Mantes », « Nantes »
    most = 1 if len(long) < 6 or not strangers else 2
    slips = OSA.distance(short.rstrip("sx"), long.rstrip("sx"), score_cutoff=most)
    if slips > most or len(long) < 4 or (strangers == 2 and len(long) < 5 * slips):
        return None
    if not strangers:
        return _OTHER_WORD
    sure = len(long) >= 9 * slips - 4 * (strangers < 2)
    return _MISWRITTEN * slips if sure else _OTHER_NAME * slips


def _is_word(word: str) -> bool:
    """Whether a word is French, the mark of its plural being off."""
    return known(word) or known(word + "s") or known(word + "x")


def _is_abbreviation(short: str, long: str) -> bool:
    """« dév » or « dvpt » for « développement »."""
    if _is_word(short) or len(long) - len(short) < 2:
        return False
    if long.startswith(short):
        return True
    letters = iter(long)
    return (
        short[0] == long[0] and short[-1] == long[-1] and all(c in letters for c in short) and len(short) < 6
    )


def _spelt_out(left: list[str], right: list[str], words: Sequence[str], shared: list[str]) -> float:
    """Take out of ``left`` the acronyms and the compounds of ``words``, and these out of ``right``, which is
    what is left of them."""
    slips = 0.0
    for word in tuple(left):
        if run := _run_of(word, words):
            left.remove(word)
            shared += run
            right[:] = [other for other in right if other not in run]
            slips += _MISWRITTEN
    return slips


def _run_of(word: str, words: Sequence[str]) -> Sequence[str]:
    """The words that follow each other in ``words`` and that ``word`` stands for."""
    for at in range(len(words) - 1):
        if words[at] + words[at + 1] == word:
            return words[at : at + 2]
    if not is_acronym(word):
        return ()
    initials = "".join(other[0] for other in words)
    for letters in (word, word.replace("d", "").replace("l", "")):  # « PDV » has the letter of a small word
        if len(letters) >= 2 and (at := initials.find(letters)) >= 0:
            return words[at : at + len(letters)]
    return ()


def is_acronym(word: str) -> bool:
    """Whether a folded word may be an acronym: short and no word of French."""
    return 2 <= len(word) <= 8 and not _is_word(word)


def stands_for(acronym: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a name begins with an acronym of the words of another name, what follows it being among them.
    « ACSÉ » and « DRAC » leave out or add a letter."""
    if not acronym or len(words) <= len(acronym) or not is_acronym(acronym[0]):
        return False
    letters = acronym[0]
    initials = "".join(word[0] for word in words if word not in acronym[1:])
    short, long = sorted((letters, initials), key=len)
    if letters[0] != initials[:1] or len(long) - len(short) > 2 or not set(acronym[1:]) <= set(words):
        return False
    rest = iter(long)
    return letters == initials or (len(short) > 2 and all(letter in rest for letter in short))


def _joined_alike(left: str, right: str) -> bool:
    return left == right or (
        min(len(left), len(right)) >= 10 and OSA.distance(left, right, score_cutoff=1) <= 1
    )
