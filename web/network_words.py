"""What goes wrong between centres, in French: why it does, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kb.envelope_manifest import EnvelopeError, Refusal
from kb.errors import ConnectionFailed, Fault, HarvestError, Trouble
from web.typography import spaced

CONNECTION_FAULTS: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.ADDRESS: "Cette adresse ne peut pas être appelée : vérifiez comment elle est écrite.",
        Fault.PRIVATE: "Cette adresse désigne une machine d’un réseau privé : demandez que le réglage "
        "private_addresses l’autorise.",
        Fault.UNKNOWN_HOST: "Aucune machine ne porte ce nom : vérifiez l’adresse.",
        Fault.NO_ANSWER: "Ce serveur ne répond pas : réessayez plus tard.",
        Fault.REFUSED: "Ce serveur refuse la connexion : vérifiez l’adresse, ou réessayez plus tard.",
        Fault.TLS: "La connexion chiffrée avec ce serveur n’est pas sûre (certificat expiré ou inconnu) : "
        "signalez-le à son responsable.",
        Fault.TOO_LARGE: "La réponse de ce serveur est trop volumineuse.",
        Fault.TOO_MANY_REDIRECTS: "Ce serveur renvoie sans fin d’une adresse à une autre : vérifiez "
        "l’adresse.",
        Fault.BROKEN: "La réponse de ce serveur est coupée ou illisible : réessayez plus tard.",
    }
)
"""Why another machine could not be asked -> what it means and what to do."""

ENVELOPE_REFUSALS: Mapping[Refusal, str] = MappingProxyType(
    {
        Refusal.NOT_AN_ENVELOPE: "Ce fichier n’est pas une enveloppe de Carbet : vérifiez que c’est le bon.",
        Refusal.DAMAGED: "Cette enveloppe a été coupée ou abîmée en chemin : demandez qu’on vous la renvoie. "
        "Rien n’en a été pris.",
        Refusal.FORGED: "La signature de cette enveloppe est fausse : ne la prenez pas, et appelez le centre "
        "qui l’aurait envoyée. Rien n’en a été pris.",
        Refusal.UNKNOWN_SENDER: "Cette enveloppe est signée par un centre dont la clé n’est pas encore "
        "enregistrée",
        Refusal.OTHER_KEY: "Cette enveloppe est signée par une autre clé que celle qui est enregistrée pour "
        "ce centre",
        Refusal.TOO_LARGE: "Cette enveloppe est trop volumineuse : demandez-en une qui ne contient que les "
        "changements.",
        Refusal.NEWER_FORMAT: "Cette enveloppe vient d’une version plus récente de Carbet : mettez la vôtre "
        "à jour.",
        Refusal.BAD_CONTENT: "Cette enveloppe contient ce qui ne peut pas y être : signalez-le au centre qui "
        "l’a envoyée. Rien n’en a été pris.",
    }
)
"""Why an envelope is not taken -> what it means and what to do."""

HARVEST_TROUBLES: Mapping[Trouble, str] = MappingProxyType(
    {
        Trouble.NO_ANSWER: "Ce dépôt ne répond pas, ou coupe la connexion : vérifiez l’adresse dans un "
        "navigateur. Si elle est bonne, la moisson reprendra d’elle-même là où elle en était.",
        Trouble.ADDRESS: "Cette adresse ne peut pas être appelée : elle est mal écrite, ou désigne une "
        "machine d’un réseau privé. Corrigez-la, ou demandez que le réglage private_addresses l’autorise.",
        Trouble.INSECURE: "La connexion chiffrée avec ce dépôt n’est pas sûre (certificat expiré ou inconnu)"
        " : signalez-le à son responsable.",
        Trouble.TOO_LARGE: "Une page de ce dépôt est trop volumineuse : demandez à son responsable de faire "
        "des pages plus courtes, ou moissonnez-le ensemble par ensemble.",
        Trouble.NOT_OAI: "Cette adresse ne répond pas en OAI-PMH, mais par une autre page (accueil, "
        "connexion, panne) : demandez à son responsable l’adresse exacte du service OAI-PMH.",
        Trouble.BROKEN_XML: "La réponse de ce dépôt est abîmée ou coupée. Les notices lisibles sont gardées "
        "; relancez la moisson plus tard et, si cela dure, signalez-le à son responsable.",
        Trouble.BUSY: "Ce dépôt est surchargé et demande d’attendre trop longtemps : la moisson reprendra au"
        " prochain passage. Choisissez plutôt une heure de nuit.",
        Trouble.REFUSED: "Ce dépôt refuse l’accès : demandez une clé à son responsable, ou vérifiez celle "
        "qui est enregistrée.",
        Trouble.HTTP: "Ce dépôt répond par une erreur de son serveur, ou par une adresse qui n’existe plus :"
        " vérifiez l’adresse ; si elle est bonne, réessayez plus tard.",
        Trouble.BAD_TOKEN: "Ce dépôt ne sait plus où en était la moisson : relancez-la, elle repartira de la"
        " dernière date connue.",
        Trouble.ENDLESS: "La liste de ce dépôt tourne en rond : la moisson a été arrêtée, ce qui est arrivé "
        "est gardé. Signalez-le à son responsable, ou moissonnez-le ensemble par ensemble.",
        Trouble.NO_FORMAT: "Ce dépôt ne donne pas ses notices dans ce format : choisissez-en un autre parmi "
        "ceux qu’il annonce (oai_dc existe presque partout).",
        Trouble.PROTOCOL: "Ce dépôt n’a pas accepté la demande : vérifiez le format et l’ensemble choisis. "
        "Le rapport dit ce qu’il a répondu.",
        Trouble.CLOCK: "L’horloge de ce dépôt a reculé : faites une moisson complète, sans quoi des "
        "changements pourraient manquer.",
    }
)
"""Why a repository could not be harvested -> what it means and what to do."""


def envelope_refusal(error: EnvelopeError) -> str:
    """Who has signed it, where a person must decide whether that is to be believed."""
    said, sender = ENVELOPE_REFUSALS[error.reason], error.sender
    if sender is None:
        return said
    return (
        f"{said} : {sender.name} ({sender.centre}), empreinte {sender.fingerprint}. Appelez ce centre, "
        f"comparez l’empreinte qu’il vous lit, puis « kb envelope trust {sender.centre} {sender.key} ». Rien "
        "n’en a été pris."
    )


def harvest_trouble(error: HarvestError) -> str:
    """Why a repository could not be harvested, and what to do."""
    return spaced(HARVEST_TROUBLES[error.trouble])


def connection_fault(error: ConnectionFailed) -> str:
    """Why another machine could not be asked, and what to do."""
    return CONNECTION_FAULTS[error.fault]
