"""Which words there are: those of French, and those that the fund itself uses.

Hides where the words come from and how they are kept. The base is the forms of simplemma's French table, some
250,000, without most names; the words of the fund (names, acronyms, words of the trade) come on top.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from zlib import crc32

from simplemma.strategies.dictionaries import DefaultDictionaryFactory

from kb.french import fold

_WORD = re.compile(r"[^\W\d_]{2,}")
_SEVERAL = 3
"""Pages on which a word of the fund is met before it counts: a slip of recognition seldom comes thrice."""

_SOUND = 0.7
"""Share of base words that a page has whose words are counted: running French has 0.85 and more, while the
pieces of words cut by blanks, and noise, must not become words by coming often."""

# What the table lacks among the commonest words, most of them invariable; what elision leaves of a word;
# Roman numerals. Adverbs in -ment are known by their adjective.
_MORE = frozenset(
    """
à pas aux au dont aujourd hui jusqu lorsqu puisqu quoiqu presqu quelqu prud entr qu et ou où si ni ii iii iv
vi vii viii ix xi xii xiii xiv xv xvi xvii xviii xix xx xxi er ère ème aient ayant auquel auxquels
auxquelles duquel desquels desquelles plusieurs soi autrui très trop peu beaucoup mieux jamais toujours
souvent parfois déjà ailleurs dehors dessus loin comment pourquoi combien pourtant néanmoins tant tard tôt
vite assez moins plus auparavant longtemps voire dès lors puis ensuite enfin hélas bientôt plutôt aussitôt
quasi environ travers encontre insu instar delà deçà via non oui treize quatorze seize quarante cinquante
soixante accès abus acquis appui apprentis arrêt autobus avis bas bois bonus bras bris cabas campus canevas
cas chamois châssis choix colis compas compromis concours congrès consensus convois corps cours coutelas
croix croquis cursus cyprès débarras débris décès devis discours dos doux encours engrais époux excès exprès
faix flux foi foie fois fonds forum frais français fur gars gaz gris gros heureux hormis index intrus legs
logis malus marais mars mauvais mets minus mœurs mois noix nord nuits os ours palais paradis parcours pays
permis pis plupart poids pois poix post pouls précis préavis prix procès processus progrès propos puits quai
radis ras recours reflux refus relais remords repas repos repris reps revers riz sans secours semis sens
sept stress succès surplus surcroît sursis talus tapis taudis taux temps terminus thorax tiers trépas
univers vernis vers verglas virus viscères voix vous week-end aînés anti auto bio co éco ex inter intra mi
médico micro mono multi néo para péri pluri pré pro quote semi socio sous sub supra télé trans ultra uni
internet courriel site portail réseau
sécurisation revitalisation requalification rénovation résidentialisation mutualisation pérennisation
territorialisation contractualisation gouvernance cofinancement citoyenneté parentalité mixité proximité jan
janv fév févr avr juil oct nov déc etc cf art réf tél fax bd av km ha france européen europe martinique
guadeloupe guyane réunion mayotte antilles caraïbe caraïbes outre paris lyon marseille lille bordeaux nantes
toulouse strasbourg bretagne normandie alsace aquitaine occitanie provence allemagne belgique espagne italie
portugal angleterre
""".split()  # noqa: SIM905
)
_SUFFIXES = (("amment", ("ant",)), ("emment", ("ent",)), ("ement", ("", "e")), ("ment", ("", "e")))
"""Endings of adverbs, and of the adjective that each is made from; folded."""


class Lexicon:
    """The words that are known. Immutable, and cheap to ask: three sets."""

    __slots__ = ("_counts", "_folded", "_own", "_spelt", "pages")

    def __init__(
        self, spelt: frozenset[str], folded: frozenset[str], counts: Mapping[str, int], pages: int = 0
    ) -> None:
        self._spelt = spelt
        self._folded = folded
        self._counts = counts
        self._own = frozenset(word for word, count in counts.items() if count >= _SEVERAL) - folded
        self.pages = pages
        """Pages of the fund whose words were counted."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Lexicon:
        """The base and the words of ``texts``, one text a page; a page that is no sound French does not
        count."""
        french = base()
        met: Counter[str] = Counter()
        pages = 0
        for text in texts:
            # A word with capitals in its midst is two that were stuck together.
            found = set(_WORD.findall(text))
            words = {word.lower() for word in found if word[1:].islower() or word.isupper()}
            if words and len(words) - len(french.unknown_among(words)) >= _SOUND * len(words):
                met.update(set(fold("\n".join(words)).split("\n")))
                pages += 1
        return cls(french._spelt, french._folded, MappingProxyType(met), pages)

    def knows(self, word: str) -> bool:
        """Whether ``word`` (no elision) is a word of French or of the fund, case and accents aside."""
        return self.knows_folded(fold(word))

    def knows_folded(self, word: str) -> bool:
        """The same for a word that ``kb.french.fold`` has gone over."""
        return word in self._folded or word in self._own or self._is_adverb(word)

    def _is_adverb(self, word: str) -> bool:
        return word.endswith("ment") and any(
            len(word) > len(ending) + 2 and word.removesuffix(ending) + adjective in self._folded
            for ending, adjectives in _SUFFIXES
            if word.endswith(ending)
            for adjective in adjectives
        )

    def spells(self, word: str) -> bool:
        """Whether ``word`` with these very accents is a form of French; case aside."""
        return word.lower() in self._spelt

    def writes(self, word: str) -> bool:
        """Whether ``word`` is known with the accents that it has: all of them, or it is none of French."""
        lower = word.lower()
        return lower in self._spelt or (folded := fold(lower)) in self._own or self._is_adverb(folded)

    def frequency(self, word: str) -> int:
        """On how many pages of the fund ``word`` was met, case and accents aside."""
        return self.frequency_folded(fold(word))

    def frequency_folded(self, word: str) -> int:
        """The same for a word that ``kb.french.fold`` has gone over."""
        return self._counts.get(word, 0)

    def unknown_among(self, words: AbstractSet[str]) -> set[str]:
        """Those of these words, in lower case, that are not known, accents aside."""
        left = words - self._spelt - self._folded
        return {word for word in left if not self.knows(word)}

    def known_share(self, words: Sequence[str]) -> float:
        """Share of known words among these, in lower case; 0 if there are none."""
        if not words:
            return 0.0
        unknown = self.unknown_among(set(words))
        return 1 - sum(map(unknown.__contains__, words)) / len(words)

    def sample(self, one_in: int) -> list[str]:
        """One in so many of the words of plain letters, always the same ones."""
        # By a hash that is the same in every process, unlike that of str.
        return [word for word in self._folded if word.isalpha() and crc32(word.encode()) % one_in == 0]


@functools.cache
def base() -> Lexicon:
    """French alone; loaded at the first call (0.4 s, some 45 MB), then shared."""
    forms = "\n".join(DefaultDictionaryFactory().get_dictionary("fr")).lower().split("\n")
    spelt = frozenset(form for form in forms if len(form) > 1) | _MORE
    # The plain forms are in both sets as the same objects, which spares a third of the memory.
    accented = fold("\n".join(form for form in spelt if not form.isascii())).split("\n")
    folded = frozenset((*(form for form in spelt if form.isascii()), *accented))
    return Lexicon(spelt, folded, MappingProxyType({}))


def warm() -> None:
    """Load the base now, so that processes forked from this one share it."""
    base()
