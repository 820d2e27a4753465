"""What the application says to people, in French: every error and outcome once, for pages and terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ingest import ocr
from kb.accounts import Right, Role
from kb.envelope_manifest import EnvelopeError
from kb.errors import (
    ConfigError,
    Conflict,
    ConnectionFailed,
    EmailTaken,
    EngineUnavailable,
    Forbidden,
    HarvestError,
    IndexOutdated,
    IngestError,
    InvalidRecord,
    InvalidValue,
    KBError,
    LastAdministrator,
    LinkExpired,
    Mirrored,
    MoveRefused,
    NotFound,
    NotSignedIn,
    OnTheSpot,
    PortTaken,
    QuerySyntaxError,
    Reason,
    SignInRefused,
    StorageError,
    ThesaurusError,
    TooManyTries,
    UnsupportedQuery,
    WeakPassword,
)
from kb.passwords import SHORTEST, Weakness
from web.network_words import connection_fault, envelope_refusal, harvest_trouble
from web.typography import spaced

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNSUPPORTED: "Format non pris en charge : enregistrez le document en PDF, DOCX, ODT, HTML "
        "ou texte, puis redéposez-le.",
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
        Reason.TOO_DEEP: "Archive dans une archive, trop de fois : ouvrez-la sur votre poste, puis déposez "
        "les fichiers qu’elle contient.",
        Reason.CRASHED: "La lecture de ce fichier s’est interrompue : il semble endommagé. Réenregistrez-le "
        "dans votre logiciel, puis redéposez-le.",
        Reason.MISSING: "Fichier introuvable : vérifiez son emplacement et son nom.",
        Reason.NOT_ALLOWED: "Lecture refusée par le système : vérifiez les droits sur ce fichier.",
        Reason.BAD_RECORDS: "Aucune notice lisible dans ce fichier : vérifiez son format (UNIMARC, MARC 21, "
        "RIS, BibTeX, Dublin Core, ou un tableau avec une ligne d’en-têtes).",
        Reason.COLUMNS: "Tableau reconnu : vérifiez ce que contient chaque colonne, puis lancez l’import.",
    }
)
"""Why a file did not become a record -> what it means and what to do."""

NOTHING_RECOGNISED = (
    "Aucun mot n’a été reconnu sur ces pages : photos, plans, ou numérisation trop pâle ? Le fichier est "
    "gardé. Numérisez-le de nouveau, ou décrivez-le par une nouvelle notice."
)
"""Said in place of NO_TEXT once characters have been recognised, and there were none."""

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "published": "publié",
        "updated": "mis à jour",
        "unchanged": "inchangé",
        "opened": "ouvert",
        "waiting": "en attente",
        "refused": "refusé",
    }
)
"""Status of an outcome -> its French word."""

STATUSES_OF_MANY: Mapping[str, str] = MappingProxyType(
    {**STATUSES, "published": "publiés", "unchanged": "inchangés", "opened": "ouverts", "refused": "refusés"}
)
"""The same, of several files."""

ROLES: Mapping[Role, str] = MappingProxyType(
    {
        Role.VISITOR: "Visiteur",
        Role.MEMBER: "Inscrit",
        Role.LIBRARIAN: "Documentaliste",
        Role.ANSWERER: "Répondant",
        Role.DIRECTOR: "Responsable",
        Role.ADMINISTRATOR: "Administrateur",
        Role.CENTRE: "Centre du réseau",
        Role.AUDITOR: "Auditeur",
    }
)
"""Role -> what people call it."""

ROLE_NOTES: Mapping[Role, str] = MappingProxyType(
    {
        Role.MEMBER: "a un compte, et lit ce que tout le monde lit",
        Role.LIBRARIAN: "lit tout le fonds et règle l’accès aux documents",
        Role.ANSWERER: "tient le guichet : répond aux questions et publie les réponses",
        Role.DIRECTOR: "comme documentaliste, et tient le guichet ; lit le journal et les données reçues",
        Role.ADMINISTRATOR: "tient les comptes, les clés, le courrier ; peut tout faire",
        Role.AUDITOR: "lit le journal, sans rien changer",
    }
)
"""Role that a person may be given -> what it lets one do."""

RIGHTS: Mapping[Right, str] = MappingProxyType(
    {Right.READ_NETWORK: "lire les documents réservés au réseau des centres"}
)
"""Right that a key may be given -> its French words."""

ACCESS: Mapping[str, str] = MappingProxyType(
    {
        "public": "Tout le monde",
        "onsite": "Au centre seulement : la notice est publique, le texte ne l’est pas",
        "network": "Les centres du réseau et l’équipe",
        "staff": "L’équipe seulement",
    }
)
"""Kind of access of a record -> who reads it."""

_WEAK: Mapping[str, str] = MappingProxyType(
    {
        Weakness.SHORT: f"Ce mot de passe est trop court : prenez au moins {SHORTEST} caractères, par "
        "exemple quatre mots sans rapport entre eux.",
        Weakness.LONG: "Ce mot de passe est trop long.",
        Weakness.GUESSABLE: "Ce mot de passe est facile à deviner : il est courant, a déjà été publié après "
        "un vol, ou ressemble à votre nom ou à celui du centre. Prenez par exemple quatre mots sans rapport "
        "entre eux.",
    }
)

_NOT_FOUND: Mapping[str, str] = MappingProxyType(
    {
        "record": "Cette notice n’existe pas, ou n’existe plus.",
        "page": "Cette page n’existe pas dans ce document.",
        "version": "Cet état n’est pas dans l’historique de la notice.",
        "lot": "Ce lot n’existe pas. Repartez d’une recherche.",
        "doubt": "Cette paire de notices est réglée, ou l’une des deux n’existe plus. Revenez à la liste des "
        "doublons.",
        "original": "Le fichier d’origine n’est pas dans le fonds.",
        "concept": "Ce terme n’est pas dans le thésaurus.",
        "person": "Ce compte n’existe pas.",
        "question": "Cette question n’existe pas, ou son adresse est incomplète.",
        "figures": "Il n’y a pas de chiffres de ce nom. Revenez à la page Activité.",
        "answer": "Cette question n’a pas encore de réponse.",
        "publication": "Cette réponse n’est pas préparée pour la publication.",
        "asker": "Cette personne n’est pas, ou n’est plus, parmi les demandeurs.",
        "enclosure": "Cette pièce jointe n’existe pas.",
        "mail": "Ce message n’est plus en attente : quelqu’un l’a traité, ou il faut le déposer de nouveau.",
        "session": "Cette session a déjà pris fin.",
        "key": "Cette clé n’existe pas, ou a déjà été révoquée.",
        "message": "Ce message n’est plus ici : il a été envoyé, ou son fichier a été enlevé.",
    }
)


def explain(error: KBError) -> str:
    """One or two plain sentences: what happened and what to do next."""
    return spaced(_explained(error))


def mirrored(owner: str) -> str:
    """That a record is another centre's, by its name."""
    return spaced(f"Cette notice appartient à {owner} : elle se modifie là-bas.")


def reason(code: Reason) -> str:
    """Why a file did not become a record, and what to do."""
    return spaced(REASONS[code])


def reason_in_full(code: Reason) -> str:
    """The same of a file that came in by a deposit: its pictures have been looked at, where that can be."""
    return spaced(NOTHING_RECOGNISED if code is Reason.NO_TEXT and ocr.available() else REASONS[code])


def _explained(error: KBError) -> str:
    match error:
        case IngestError():
            return REASONS[error.reason]
        case HarvestError():
            return harvest_trouble(error)
        case ConnectionFailed():
            return connection_fault(error)
        case EnvelopeError():
            return envelope_refusal(error)
        case NotFound():
            return _NOT_FOUND.get(error.what, "Cette page n’existe pas.")
        case InvalidRecord():
            return f"Le champ « {error.field} » de la notice n’est pas valable : {error.why}."
        case StorageError():
            return (
                "Le dossier de données ne peut pas être écrit : il est plein, en lecture seule, ou les "
                "droits manquent. Faites de la place ou demandez à l’administrateur, puis relancez."
            )
        case WeakPassword():
            return _WEAK[error.why]
        case InvalidValue():
            return f"{error.why[:1].upper()}{error.why[1:]}."
        case NotSignedIn():
            return "Connectez-vous pour continuer."
        case OnTheSpot():
            return "Ce document se consulte au centre : seule sa notice est en ligne."
        case SignInRefused():
            return "Cela ne correspond pas à ce que nous connaissons : vérifiez, puis recommencez."
        case TooManyTries():
            return f"Trop d’essais : attendez {_wait(error.seconds)}, puis recommencez."
        case LinkExpired():
            return (
                "Ce lien a déjà servi, ou il est trop ancien. Demandez-en un nouveau par « Mot de passe "
                "oublié ? », ou à la personne qui vous a invité."
            )
        case EmailTaken():
            return "Un compte a déjà cette adresse."
        case LastAdministrator():
            return (
                "Il faut au moins un administrateur dont le compte est ouvert : donnez d’abord ce rôle à "
                "quelqu’un d’autre."
            )
        case MoveRefused():
            return (
                "Cette question n’en est plus là : quelqu’un l’a fait avancer entre-temps. Regardez son "
                "état, puis choisissez parmi les suites proposées."
            )
        case Forbidden():
            return (
                "Votre compte ne permet pas cela. Si vous en avez besoin pour votre travail, demandez-le à "
                "un administrateur du centre."
            )
        case Mirrored():
            return mirrored(error.id.partition(":")[0])
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


def _wait(seconds: int) -> str:
    return "une minute" if seconds <= 60 else f"{-(-seconds // 60)} minutes"


_CODES: tuple[tuple[type[KBError], int], ...] = (
    (NotFound, 404),
    (InvalidRecord, 400),
    (InvalidValue, 400),
    (NotSignedIn, 401),
    (Forbidden, 403),
    (TooManyTries, 429),
    (LinkExpired, 410),
    (Conflict, 409),
)


def status_code(error: KBError) -> int:
    """HTTP status of an error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return 503 if isinstance(error, (IndexOutdated, EngineUnavailable, StorageError)) else 500
