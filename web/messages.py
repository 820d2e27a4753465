"""What the application says to people, in French: every error and outcome once, for pages and terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kb.errors import (
    ConfigError,
    Conflict,
    EngineUnavailable,
    Forbidden,
    IndexOutdated,
    IngestError,
    InvalidRecord,
    KBError,
    NotFound,
    PortTaken,
    QuerySyntaxError,
    Reason,
    StorageError,
    ThesaurusError,
    UnsupportedQuery,
)
from web.typography import spaced

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNSUPPORTED: "Format non pris en charge : enregistrez le document en PDF, DOCX, ODT, HTML ou "
        "texte, puis redéposez-le.",
        Reason.DAMAGED: "Fichier illisible : il semble endommagé. Ouvrez-le dans votre logiciel, "
        "enregistrez-le de nouveau, puis redéposez-le.",
        Reason.LOCKED: "Fichier protégé par un mot de passe : enlevez la protection, puis redéposez-le.",
        Reason.EMPTY: "Fichier vide : vérifiez que c’est le bon, puis redéposez-le.",
        Reason.NO_TEXT: "Ce document n’a pas de texte : ce sont des images de pages. L’original est gardé ; "
        "il sera cherchable après reconnaissance des caractères.",
        Reason.TOO_SLOW: "Lecture trop longue : le fichier a été laissé de côté. Essayez de le réenregistrer "
        "ou de le couper en plusieurs parties.",
        Reason.TOO_LARGE: "Fichier trop volumineux : coupez-le en plusieurs parties, puis redéposez-les.",
        Reason.TOO_MUCH_MEMORY: "Ce fichier demande trop de mémoire à la lecture : réenregistrez-le dans un "
        "format plus simple, puis redéposez-le.",
        Reason.CRASHED: "La lecture de ce fichier s’est interrompue : il semble endommagé. Réenregistrez-le "
        "dans votre logiciel, puis redéposez-le.",
        Reason.MISSING: "Fichier introuvable : vérifiez son emplacement et son nom.",
        Reason.NOT_ALLOWED: "Lecture refusée par le système : vérifiez les droits sur ce fichier.",
        Reason.BAD_RECORDS: "Aucune notice lisible dans ce fichier : vérifiez son format (UNIMARC en UTF-8, "
        "ou CSV avec une ligne d’en-têtes).",
    }
)
"""Why a file did not become a record -> what it means and what to do."""

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "published": "publié",
        "updated": "mis à jour",
        "unchanged": "inchangé",
        "waiting": "en attente",
        "refused": "refusé",
    }
)
"""Status of an outcome -> its French word."""

STATUSES_OF_MANY: Mapping[str, str] = MappingProxyType(
    {**STATUSES, "published": "publiés", "unchanged": "inchangés", "refused": "refusés"}
)
"""The same, of several files."""

_NOT_FOUND: Mapping[str, str] = MappingProxyType(
    {
        "record": "Cette notice n’existe pas, ou n’existe plus.",
        "page": "Cette page n’existe pas dans ce document.",
        "original": "Le fichier d’origine n’est pas dans le fonds.",
        "concept": "Ce terme n’est pas dans le thésaurus.",
    }
)


def explain(error: KBError) -> str:
    """One or two plain sentences: what happened and what to do next."""
    return spaced(_explained(error))


def reason(code: Reason) -> str:
    """Why a file did not become a record, and what to do."""
    return spaced(REASONS[code])


def _explained(error: KBError) -> str:
    match error:
        case IngestError():
            return REASONS[error.reason]
        case NotFound():
            return _NOT_FOUND.get(error.what, "Cette page n’existe pas.")
        case InvalidRecord():
            return f"Le champ « {error.field} » de la notice n’est pas valable : {error.why}."
        case StorageError():
            return (
                "Le dossier de données ne peut pas être écrit : il est plein, en lecture seule, ou les "
                "droits manquent. Faites de la place ou demandez à l’administrateur, puis relancez."
            )
        case Forbidden():
            return "Vous n’avez pas le droit de faire cela."
        case Conflict():
            return "Quelqu’un d’autre a modifié cette notice entre-temps : rechargez-la, puis recommencez."
        case PortTaken():
            return (
                f"L’adresse {error.host}:{error.port} est déjà prise : choisissez un autre port avec --port."
            )
        case ConfigError():
            return f"Réglage à corriger : {error}."
        case ThesaurusError():
            return f"Le thésaurus n’est pas valable : {error}."
        case QuerySyntaxError() | UnsupportedQuery():
            return "Cette recherche n’a pas été comprise : simplifiez-la."
        case IndexOutdated() | EngineUnavailable():
            return "La recherche est en cours de remise à jour. Réessayez dans un instant."
        case _:
            return "Une erreur est survenue."


def status_code(error: KBError) -> int:
    """HTTP status of an error."""
    for kind, code in ((NotFound, 404), (InvalidRecord, 400), (Forbidden, 403), (Conflict, 409)):
        if isinstance(error, kind):
            return code
    return 503 if isinstance(error, (IndexOutdated, EngineUnavailable, StorageError)) else 500
