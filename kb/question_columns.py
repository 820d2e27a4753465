"""What the columns of a log of questions hold: a service's former spreadsheet, whatever it called them."""

from __future__ import annotations

import re
from types import MappingProxyType

from kb.headings import ColumnSet, headings_said

NAMES = MappingProxyType(
    {
        "received": "Date de réception",
        "text": "Question",
        "context": "Contexte",
        "channel": "Canal",
        "actor": "Qualité du demandeur",
        "territory": "Territoire",
        "themes": "Thèmes",
        "state": "État",
        "answered": "Date de réponse",
        "answer": "Réponse",
        "minutes": "Durée (minutes)",
        "effort": "Niveau READ",
        "person": "Qui a répondu",
        "reference": "Numéro dans le registre",
        "consent": "Accord pour publier",
        "asker_name": "Nom du demandeur",
        "asker_email": "Courriel du demandeur",
        "asker_phone": "Téléphone du demandeur",
    }
)
"""What a column may hold -> its French name."""

IDENTITY = ("asker_name", "asker_email", "asker_phone")
"""What says who asked: not taken unless somebody says so."""

_HEADING_TEXT = """
received: date
received: date de la question|date de la demande|date demande|recue le|recu le|date d arrivee|date reception
received: date recue|date recu|demande du|date de saisie|jour|date question|received|date received|horodateur
received: horodatage|timestamp
text: demande
text: objet|objet de la demande|intitule|intitule de la demande|question posee|libelle|libelle question
text: nature de la demande|requete|texte de la question|sujet|contenu de la demande|question|questions
context: contexte de la demande|precisions|precision|commentaire|commentaires|observations|remarques|details
context: description|informations complementaires
channel: mode|moyen|moyen de contact|mode de contact|mode de reception|voie|support|mode de saisine|provenance
channel: type de contact|canal de reception|recue par|recu par|channel|origine de la demande
actor: type d acteur|type de demandeur|acteur|profil|profil du demandeur|public|statut du demandeur|fonction
actor: categorie|categorie de demandeur|demandeur type|structure|type de structure|qualite|type de public
territory: commune|quartier|ville|lieu|secteur|qpv|territoire concerne|localisation|epci
themes: theme|thematique|thematiques|mots cles|domaine|domaines|theme de la question|rubrique|mot cle|sujets
answered: repondue le|repondu le|date reponse|date d envoi|date de la reponse|date de cloture|cloture le
answered: reponse le|traitee le|traite le|date de traitement|date traitement|date envoi
answer: reponses
answer: reponse apportee|reponse donnee|texte de la reponse|suite donnee|resultat|contenu de la reponse
minutes: duree|temps|temps passe|duree min|duree en minutes|temps passe min|temps en minutes|minutes
minutes: temps de traitement|duree de traitement|temps passe en minutes|temps passe minutes|duree mn
effort: niveau|read|echelle read|difficulte|complexite|effort|niveau de difficulte|niveau de complexite
state: statut|etat de la demande|situation|suivi|traitement|statut de la demande|avancement|etat
person: repondant|repondu par|traite par|traitee par|agent|responsable|charge de la reponse|documentaliste
person: qui|pris en charge par|referent|redacteur|bibliothecaire|attribue a|repondante
reference: numero|n
reference: no|numero de question|n de la question|reference|ref|id|identifiant|n d ordre|numero d ordre
reference: n demande|numero de demande|n de demande
consent: accord|publication|publiable|accord de publication|consentement|autorisation de publication
asker_name: nom|demandeur|nom et prenom|nom prenom|usager|interlocuteur|contact|nom du contact|nom de l usager
asker_name: prenom nom|prenom et nom|personne
asker_email: courriel|mail|email|e mail|adresse mail|adresse electronique|mel|adresse email|courriel demandeur
asker_phone: telephone|tel|numero de telephone|portable|telephone demandeur
"""

_A_DATE = re.compile(r"\d[./-]\d|\d{5}\b|\d (?:janv|f[ée]v|mars|avr|mai|jui|ao[uû]t|sept|oct|nov|d[ée]c)")
_AN_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_A_NUMBER = re.compile(r"(?:\+?\d{2,3}[ .]?)?0?\d(?:[ .-]?\d\d){4}")


def _is_date(cell: str) -> bool:
    return _A_DATE.search(cell) is not None


def _is_address(cell: str) -> bool:
    return _AN_ADDRESS.fullmatch(cell) is not None


def _is_number(cell: str) -> bool:
    return _A_NUMBER.fullmatch(cell) is not None


def _has_digit(cell: str) -> bool:
    return any(map(str.isdigit, cell))


QUESTIONS = ColumnSet(
    names=NAMES,
    headings=headings_said(_HEADING_TEXT, NAMES),
    many=frozenset(("themes", "context")),
    needed=MappingProxyType(
        {
            "received": "indiquez quelle colonne contient la date de réception",
            "text": "indiquez quelle colonne contient la question",
        }
    ),
    looks=MappingProxyType(
        {
            "received": (_is_date, "une date"),
            "answered": (_is_date, "une date"),
            "minutes": (_has_digit, "une durée"),
            "asker_email": (_is_address, "une adresse électronique"),
            "asker_phone": (_has_digit, "un numéro"),
        }
    ),
    contents=(
        ("asker_email", _is_address, 0.95, "adresses électroniques"),
        ("asker_phone", _is_number, 0.9, "numéros de téléphone"),
    ),
)
"""What a log of questions may hold."""
