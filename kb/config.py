"""Every setting, declared once: type, default, help.

Hides where a value comes from: the default, then ``kb.toml`` in the data folder, then the environment
(``KB_`` and the name in capitals). An unknown key or a value of the wrong type raises ConfigError: a
typing mistake never passes for a choice.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kb.errors import ConfigError

FILE = "kb.toml"
LOOPBACK = ("127.0.0.1", "localhost")
ANYWHERE = ("0.0.0.0", "::")  # nosec B104  # compared with, never listened at
SECURITIES = ("starttls", "tls", "none")
HIDDEN = ("smtp_password", "database_url")
"""Settings whose value no page shows."""


def _setting(default: Any, help: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings in force. ``data`` is the folder that holds everything the centre owns."""

    data: Path
    centre: str = _setting(
        "ville-caraibe", "Code du centre, début de chaque identifiant (minuscules, tirets)"
    )
    centre_name: str = _setting("Ville Caraïbe", "Nom du centre, montré en tête de chaque page")
    centre_about: str = _setting(
        "Centre de ressources Politique de la ville, Martinique", "Une ligne qui dit ce qu’est le centre"
    )
    contact: str = _setting("", "Adresse électronique ou page pour joindre le centre")
    database_url: str = _setting(
        "", "Adresse SQLAlchemy de la base ; vide : SQLite dans le dossier de données"
    )
    time_zone: str = _setting("America/Martinique", "Fuseau horaire des heures montrées")
    public_url: str = _setting(
        "", "Adresse publique du site (https://...), dans les courriels ; https rend les cookies sûrs"
    )
    trusted_hosts: str = _setting("", "Autres noms sous lesquels le site répond, séparés par des virgules")
    proxies: int = _setting(0, "Nombre de serveurs relais de confiance devant Carbet")
    host: str = _setting("127.0.0.1", "Adresse où le serveur écoute")
    port: int = _setting(8000, "Port où le serveur écoute")
    processes: int = _setting(2, "Nombre de processus qui servent les pages")
    workers: int = _setting(2, "Nombre de fichiers lus en même temps à l’entrée")
    background: bool = _setting(
        True, "Fichiers déposés lus par un processus de « kb serve » ; false : lancez « kb worker »"
    )
    report_to: str = _setting("", "Adresses qui reçoivent le bilan de la semaine, séparées par des virgules")
    answer_days: int = _setting(3, "Jours ouvrés dans lesquels le centre promet de répondre à une question")
    holidays: str = _setting(
        "FR-MQ", "Jours fériés : pays et territoire (FR-MQ Martinique, FR-GP, FR-GF, FR)"
    )
    closed_days: str = _setting(
        "",
        "Autres jours de fermeture : 12-24 (chaque année), 2027-02-09, 2027-08-02/2027-08-13, mardi gras",
    )
    desk_to: str = _setting(
        "", "Adresses prévenues des questions nouvelles et des retards, séparées par des virgules"
    )
    desk_mail: str = _setting(
        "", "Adresse où arrivent les réponses des demandeurs ; vide : celle d’expéditeur"
    )
    second_reader: bool = _setting(
        False, "Seconde lecture, par une autre personne, avant de publier une réponse (true ou false)"
    )
    retention_months: int = _setting(
        24, "Mois après la fin d’une question où l’identité du demandeur est effacée"
    )
    private_addresses: str = _setting(
        "",
        "Noms, adresses ou réseaux privés que Carbet peut interroger (10.1.0.0/16, 127.0.0.1:8001)",
    )
    catalogue_server: str = _setting(
        "https://catalogue.bnf.fr/api/SRU", "Serveur SRU d’où les notices sont copiées ; vide : aucun"
    )
    per_page: int = _setting(20, "Résultats par page")
    cache_mb: int = _setting(128, "Mémoire, en Mo, des listes décodées de l’index, par processus")
    pictures_mb: int = _setting(512, "Place, en Mo, des images de pages gardées sur disque")
    session_idle_minutes: int = _setting(120, "Minutes sans activité après lesquelles une session prend fin")
    session_hours: int = _setting(12, "Heures après lesquelles une session prend fin en tout cas")
    second_factor: bool = _setting(False, "Second facteur exigé des administrateurs (true ou false)")
    smtp_host: str = _setting(
        "", "Serveur d’envoi du courrier ; vide : les messages restent dans le dossier spool"
    )
    smtp_port: int = _setting(587, "Port du serveur d’envoi")
    smtp_security: str = _setting("starttls", "Chiffrement vers ce serveur : starttls, tls ou none")
    smtp_user: str = _setting("", "Compte sur ce serveur")
    smtp_password: str = _setting("", "Mot de passe de ce compte (plutôt par la variable KB_SMTP_PASSWORD)")
    mail_from: str = _setting("", "Adresse d’expéditeur ; vide : contact, ou carbet@localhost")

    @property
    def database(self) -> str:
        """URL of the database."""
        return self.database_url or f"sqlite:///{self.data / 'kb.sqlite'}"

    @property
    def index(self) -> Path:
        """Folder of the search index: a cache, rebuilt at will."""
        return self.data / "index"

    @property
    def spool(self) -> Path:
        """Folder of the messages that wait for a person, when there is no SMTP server."""
        return self.data / "spool"

    @property
    def sender(self) -> str:
        """Address that mail comes from."""
        contact = self.contact if "@" in self.contact and "/" not in self.contact else ""
        return self.mail_from or contact or "carbet@localhost"

    @property
    def secure(self) -> bool:
        """Whether people reach the pages by HTTPS."""
        return self.public_url.lower().startswith("https://")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names under which the pages may be asked for: the public one, those given, this machine's own."""
        public = urlsplit(self.public_url).hostname
        given = [name.strip() for name in self.trusted_hosts.split(",")]
        own = (*LOOPBACK, "" if self.host in ANYWHERE else self.host)
        return tuple(dict.fromkeys(name for name in (public, *given, *own) if name))

    @property
    def reception(self) -> Path:
        """Folder of the files that came in and are not done with."""
        return self.data / "arriving"

    @property
    def recognised(self) -> Path:
        """Folder of the texts that pictures of pages were recognised as: a cache, dear to make again."""
        return self.data / "cache" / "ocr"

    @property
    def pictures(self) -> Path:
        """Folder of page images: a cache."""
        return self.data / "cache" / "pages"


SETTINGS: tuple[dataclasses.Field[Any], ...] = tuple(
    f for f in dataclasses.fields(Config) if "help" in f.metadata
)
"""The settings that a person may give, in order; ``metadata["help"]`` says each in French."""


def load(data: Path, environment: Mapping[str, str] | None = None) -> Config:
    """The settings of a data folder. Raises ConfigError on an unknown key or an unreadable value."""
    values = _from_file(data / FILE) | _from_environment(os.environ if environment is None else environment)
    return _checked(Config(data=data, **values))


def _checked(config: Config) -> Config:
    """The settings, if they make sense together; raises ConfigError."""
    if config.smtp_security not in SECURITIES:
        raise ConfigError(f"smtp_security must be one of {', '.join(SECURITIES)}")
    try:
        ZoneInfo(config.time_zone)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ConfigError(f"time_zone: {error}") from error
    if config.public_url and not _is_address(config.public_url):
        raise ConfigError("public_url must be an address that begins with https:// or http://")
    if not config.sender.isascii() or config.sender.count("@") != 1:
        raise ConfigError("mail_from (or contact) must be one plain address")
    if min(config.session_idle_minutes, config.session_hours) < 1 or config.proxies < 0:
        raise ConfigError("session_idle_minutes and session_hours must be 1 or more, proxies 0 or more")
    for name in ("answer_days", "retention_months"):
        if (value := getattr(config, name)) < 1:
            raise ConfigError(f"{name} : {value} n’est pas possible ; écrivez 1 ou plus")
    return config


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def origins(config: Config, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Where each setting's value comes from: "default", "file" or "environment"."""
    names = os.environ if environment is None else environment
    given = _from_file(config.data / FILE)
    return {
        s.name: "environment" if f"KB_{s.name.upper()}" in names else "file" if s.name in given else "default"
        for s in SETTINGS
    }


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return {key: _typed(key, value, str(path)) for key, value in raw.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for key, value in environment.items():
        name = key.removeprefix("KB_").lower()
        if key.startswith("KB_") and name != "data":
            found[name] = _typed(name, value, key)
    return found


_KINDS: Mapping[type, str] = {
    int: "un nombre entier",
    bool: "true (oui) ou false (non)",
    str: "un texte entre guillemets",
}


def _typed(name: str, value: object, where: str) -> Any:
    setting = next((s for s in SETTINGS if s.name == name), None)
    if setting is None:
        known = ", ".join(s.name for s in SETTINGS)
        raise ConfigError(f"{where}: unknown setting {name!r}; known: {known}")
    kind = type(setting.default)
    if kind is int and isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]+\s*", value):
        return int(value)
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise ConfigError(f"{where} : {name} doit être {_KINDS[kind]}, et non {value!r}")


def template() -> str:
    """The text of a new ``kb.toml``: every setting, commented out, with its default and its help."""
    lines = ["# Réglages de Carbet. Enlevez le # d’une ligne pour changer sa valeur.", ""]
    for setting in SETTINGS:
        default = json.dumps(setting.default, ensure_ascii=False)
        lines += [f"# {setting.metadata['help']}", f"#{setting.name} = {default}", ""]
    return "\n".join(lines)
