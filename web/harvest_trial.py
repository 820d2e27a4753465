"""Trying the repository of another centre, before anything is kept of it.

Hides which addresses are tried for the one that a person typed, how long all of it may take together, and how
a first page becomes titles that a person recognises.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit, urlunsplit

from lxml import etree

from ingest import citations, harvest, marc
from ingest.connector import Connector, Fetched, Limits
from ingest.harvest import Trial
from ingest.oai_reading import Item
from ingest.rounds import centre_of
from kb import carbetxml
from kb.centres import Centre
from kb.errors import ConnectionFailed, Fault, HarvestError, InvalidRecord, Trouble
from kb.signing import regular_key
from kb.sources import PREFIXES
from web.typography import spaced

ALL_SECONDS = 45.0
"""For all requests of a trial together: a person waits in front of the page, and a thread of the server."""

_ONE = 20.0  # seconds for one request
_LARGEST = 20_000_000  # bytes of a first page
_SHOWN = 3
_LONGEST_CODE = 40
_ELSEWHERE = (Trouble.NOT_OAI, Trouble.HTTP, Trouble.BROKEN_XML)
"""What a server says that is there, but has no repository at this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a trial. ``centre`` is what the repository says of its centre, its code proposed where it
    says none (``told`` is False then); ``prefix`` the format that says most of those that can be taken in;
    ``size`` how many records it has, None when it does not say; ``titles`` of its first records."""

    url: str
    prefix: str
    centre: Centre
    told: bool
    size: int | None
    titles: tuple[str, ...]
    formats: tuple[str, ...]
    sets: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


class _Hurried:
    """A connector whose answers all together may take so long."""

    def __init__(self, connector: Connector, seconds: float) -> None:
        self._connector = connector
        self._end = time.monotonic() + seconds

    def __call__(self, url: str, *, headers: Mapping[str, str]) -> Fetched:
        left = self._end - time.monotonic()
        if left <= 0:
            raise ConnectionFailed(Fault.NO_ANSWER, url, "the time for a trial is over")
        limits = Limits(seconds=min(_ONE, left), size=_LARGEST)
        return self._connector.get(url, headers=headers, limits=limits)


def addresses(typed: str) -> tuple[str, ...]:
    """Addresses to try for one that was typed, the likeliest first. A site without a path is asked at
    ``/oai``, where a Carbet answers, then as it is; without a scheme, it is taken for https."""
    url = typed.strip()
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return (url,)
    if parts.path.strip("/") or parts.query:
        return (url,)
    at_oai = urlunsplit((parts.scheme, parts.netloc, "/oai", "", ""))
    return (at_oai, urlunsplit((parts.scheme, parts.netloc, "/", "", "")))


def try_out(
    connector: Connector, typed: str, secret: str | None = None, *, seconds: float = ALL_SECONDS
) -> Tried:
    """What a repository says of itself, and its first records. Raises HarvestError, the one of the likeliest
    address."""
    get, headers = _Hurried(connector, seconds), {"Authorization": f"Bearer {secret}"} if secret else {}
    first: HarvestError | None = None
    for url in addresses(typed):
        try:
            return _tried(url, *_trial(get, url, headers))
        except HarvestError as error:
            first = first or error
            if error.trouble not in _ELSEWHERE:
                break
    assert first is not None
    raise first


def _trial(get: harvest.Get, url: str, headers: Mapping[str, str]) -> tuple[Trial, str]:
    """The trial in the best format that can be taken in, and that format."""
    trial = harvest.tested(get, url, headers)
    prefix = next((one for one in PREFIXES if one in trial.formats), PREFIXES[-1])
    if "unimarc" in trial.formats and prefix == PREFIXES[-1]:
        trial = harvest.tested(get, url, headers, prefix=prefix)  # the first page came in a format of no use
    return trial, prefix


def _tried(url: str, trial: Trial, prefix: str) -> Tried:
    said = centre_of(trial.identity, site_of(url))
    key = regular_key(said.public_key) if said.public_key else None
    code = said.code or suggested_code(said.name, url)
    read = [title for item in trial.first.items if (title := _title(item, prefix))]
    whole = len(trial.first.items) if trial.first.token is None else None
    return Tried(
        url=url,
        prefix=prefix,
        centre=Centre(
            code=code, name=said.name, about=said.about, url=said.url, contact=said.contact, public_key=key
        ),
        told=bool(said.code),
        size=whole if trial.first.size is None else trial.first.size,
        titles=tuple(read[:_SHOWN]),
        formats=trial.formats,
        sets=trial.sets,
        warnings=tuple(map(spaced, (*trial.warnings, *_poor(prefix)))),
    )


def _poor(prefix: str) -> tuple[str, ...]:
    if prefix != "oai_dc":
        return ()
    return (
        "Ce dépôt ne donne que du Dublin Core : on trouvera ses documents par titre, auteur et date, mais "
        "leurs notices restent courtes.",
    )


def site_of(url: str) -> str:
    """The public site that an address belongs to; of a Carbet, what is before ``/oai``."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    before = path.removesuffix("/oai") if path.endswith("/oai") else ""
    return urlunsplit((parts.scheme, parts.netloc, f"{before}/", "", ""))


def suggested_code(name: str, url: str) -> str:
    """A code for a centre that says none: its name if that is short, else the name of its machine."""
    slug = _slug(name)
    host = (urlsplit(url).hostname or "").split(".")
    known = _slug(host[-2]) if len(host) > 1 and not host[-1].isdecimal() else ""
    found = slug if slug and (len(slug) <= _LONGEST_CODE or not known) else known
    return found[:_LONGEST_CODE].strip("-") or "centre"


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in plain).split())


# -- titles


def _of_carbet(raw: bytes) -> str:
    return carbetxml.from_xml(raw).record.title


_TITLES: Mapping[str, Callable[[bytes], str]] = MappingProxyType(
    {
        "carbet": _of_carbet,
        "marcxml": lambda raw: marc.draft_of_xml(raw).title,
        "oai_dc": lambda raw: citations.draft_of_dublin_core(raw).title,
    }
)


def _title(item: Item, prefix: str) -> str:
    """The title of a record; "" when it is deleted or cannot be read, which the report of the first harvest
    tells."""
    if item.deleted or item.metadata is None:
        return ""
    try:
        return _TITLES[prefix](item.metadata)
    except (InvalidRecord, etree.XMLSyntaxError):
        return ""
