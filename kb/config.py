"""Every setting, declared once: type, default, help.

Hides where a value comes from: the default, then ``kb.toml`` in the data folder, then the environment
(``KB_`` and the name in capitals). An unknown key or a value of the wrong type raises ConfigError: a
typing mistake never passes for a choice.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.errors import ConfigError

FILE = "kb.toml"


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
    host: str = _setting("127.0.0.1", "Adresse où le serveur écoute")
    port: int = _setting(8000, "Port où le serveur écoute")
    processes: int = _setting(2, "Nombre de processus qui servent les pages")
    workers: int = _setting(2, "Nombre de fichiers lus en même temps à l’entrée")
    per_page: int = _setting(20, "Résultats par page")
    cache_mb: int = _setting(128, "Mémoire, en Mo, des listes décodées de l’index, par processus")
    pictures_mb: int = _setting(512, "Place, en Mo, des images de pages gardées sur disque")

    @property
    def database(self) -> str:
        """URL of the database."""
        return self.database_url or f"sqlite:///{self.data / 'kb.sqlite'}"

    @property
    def index(self) -> Path:
        """Folder of the search index: a cache, rebuilt at will."""
        return self.data / "index"

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
    return Config(data=data, **values)


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return {key: _typed(key, value, str(path)) for key, value in raw.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for key, value in environment.items():
        name = key.removeprefix("KB_").lower()
        if key.startswith("KB_") and name != "data":
            found[name] = _typed(name, value, key)
    return found


def _typed(name: str, value: object, where: str) -> Any:
    setting = next((s for s in SETTINGS if s.name == name), None)
    if setting is None:
        known = ", ".join(s.name for s in SETTINGS)
        raise ConfigError(f"{where}: unknown setting {name!r}; known: {known}")
    kind = type(setting.default)
    if kind is int and isinstance(value, str) and value.strip().lstrip("-").isdigit():
        return int(value)
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise ConfigError(f"{where}: {name} must be {kind.__name__}, not {value!r}")


def template() -> str:
    """The text of a new ``kb.toml``: every setting, commented out, with its default and its help."""
    lines = ["# Réglages de Carbet. Enlevez le # d’une ligne pour changer sa valeur.", ""]
    for setting in SETTINGS:
        default = setting.default if isinstance(setting.default, int) else f'"{setting.default}"'
        lines += [f"# {setting.metadata['help']}", f"#{setting.name} = {default}", ""]
    return "\n".join(lines)
