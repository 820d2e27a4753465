"""What is said of sources and of harvests: how they stand, what came, what went wrong, in French.

Hides the codes that ``kb.runs`` keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from kb.errors import ConnectionFailed, HarvestError, StorageError, Trouble
from kb.runs import Ending, Run
from kb.sources import Source
from web.messages import explain
from web.network_words import HARVEST_TROUBLES, connection_fault, harvest_trouble
from web.typography import counted, number, spaced

HOURS: Mapping[int, str] = MappingProxyType(
    {1: "toutes les heures", 6: "toutes les six heures", 24: "chaque jour", 168: "chaque semaine"}
)
"""How often a source is asked -> its words (``kb.sources.HOURS``)."""

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "carbet": "Carbet : tout, sans perte",
        "marcxml": "MARCXML : notices complètes",
        "oai_dc": "Dublin Core : l’essentiel",
    }
)
"""Format -> what it is good for."""

_COUNTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "new": ("nouvelle", "nouvelles"),
        "changed": ("modifiée", "modifiées"),
        "deleted": ("supprimée", "supprimées"),
        "refused": ("refusée", "refusées"),
        "unreadable": ("illisible", "illisibles"),
        "foreign": ("laissée à un autre centre", "laissées à d’autres centres"),
        "older": ("déjà connue par une autre voie", "déjà connues par une autre voie"),
        "same": ("inchangée", "inchangées"),
        "ours": ("de votre propre fonds", "de votre propre fonds"),
    }
)
_SHORT = ("new", "changed", "deleted", "refused", "unreadable")

ENDINGS: Mapping[Ending, tuple[str, str]] = MappingProxyType(
    {
        Ending.RUNNING: ("en cours", "going"),
        Ending.DONE: ("terminée", "good"),
        Ending.FAILED: ("en échec", "bad"),
        Ending.STOPPED: ("interrompue", "off"),
    }
)
"""How a run stands -> its words and its shape."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands: its words, the class of its shape, and since when if that says something."""

    word: str
    kind: str
    since: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it changes by itself soon."""
        return self.kind in ("going", "")


def standing(source: Source, runs: Sequence[Run], now: datetime) -> Standing:
    """How a source stands, by its last runs, the newest first."""
    if source.running:
        return Standing("s’arrête après la page en cours" if source.paused else "en cours", "going")
    if source.paused:
        return Standing("suspendue", "off")
    if source.failures:
        return Standing("en échec depuis", "bad", failing_since(runs))
    if source.due <= now:
        return Standing("en attente", "")
    return Standing("à jour", "good")


def failing_since(runs: Sequence[Run]) -> datetime | None:
    """When the first failed of the harvests that failed in a row, the newest first; None when none did."""
    began = None
    for run in runs:
        if run.state is Ending.DONE:
            break
        began = run.began if run.state is Ending.FAILED else began
    return began


def said_counts(counts: Mapping[str, int], *, short: bool = False) -> str:
    """ "12 nouvelles, 3 modifiées"; what nobody waits for is left out when ``short``."""
    names = _SHORT if short else tuple(_COUNTS)
    told = [counted(counts[name], *_COUNTS[name]) for name in names if counts.get(name)]
    return ", ".join(told) or "rien de nouveau"


def came(counts: Mapping[str, int]) -> int:
    """How many records were looked at."""
    return sum(count for name, count in counts.items() if name in _COUNTS)


def said_progress(counts: Mapping[str, int], size: int | None = None) -> str:
    """ "1 200 notices lues sur 20 000"."""
    done = counted(came(counts), "notice lue", "notices lues")
    return f"{done} sur {number(size)}" if size else done


def said_fault(error: HarvestError) -> str:
    """What a trial stumbled over, and what to do: as near as it is known."""
    if isinstance(error.__cause__, ConnectionFailed):
        return spaced(connection_fault(error.__cause__))
    return harvest_trouble(error)


def said_trouble(code: str | None) -> str:
    """What a run that failed stumbled over, and what to do; "" when nothing went wrong."""
    if code is None:
        return ""
    if code in set(Trouble):
        return spaced(HARVEST_TROUBLES[Trouble(code)])
    if code == "storage":
        return explain(StorageError())
    return spaced("La connexion avec ce dépôt a été coupée : la moisson reprendra d’elle-même.")
