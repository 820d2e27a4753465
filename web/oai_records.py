"""Records in the formats of OAI-PMH, as one audience is told of them.

Hides how the records of some lines of the change feed are fetched together, what of each goes out
(``kb.sharing`` says), and how each format is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from kb.carbetxml import NAMESPACE as CARBET_NAMESPACE
from kb.carbetxml import to_xml
from kb.database import Store
from kb.dublincore import ELEMENTS_NAMESPACE, OAI_NAMESPACE, elements
from kb.export import EXPORTERS
from kb.feed import Listed
from kb.formats import Notice
from kb.records import Record, State
from kb.sharing import Audience, Shared, audience_of, goes_with_text, may_be_told, outward
from kb.thesaurus import Thesaurus
from web.notices import record_url
from web.oai_answers import written

SCHEMA_PATH = "/oai/carbet.xsd"
"""Where the schema of our own format is read, on this site."""

_MARC_NAMESPACE = "http://www.loc.gov/MARC21/slim"
_MARC_SCHEMA = "http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd"
_DC_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A record that goes out. ``address`` is where people read it here; ``labels`` name all its concepts that
    are known here, with their schemes."""

    notice: Notice
    shared: Shared
    address: str
    labels: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A form in which records are told. ``schema`` is an address, or a path on this site; ``write`` raises
    InvalidRecord for a record that the format cannot hold; ``with_text``: the text of pages is in it."""

    prefix: str
    namespace: str
    schema: str
    write: Callable[[Going], str]
    with_text: bool = False


def _oai_dc(going: Going) -> str:
    place = f"{OAI_NAMESPACE} {_DC_SCHEMA}"
    said = [*elements(going.notice), ("identifier", going.address)]
    inner = "\n".join(f"<dc:{name}>{written(value)}</dc:{name}>" for name, value in said)
    spaces = f'xmlns:oai_dc="{OAI_NAMESPACE}" xmlns:dc="{ELEMENTS_NAMESPACE}" xsi:schemaLocation="{place}"'
    return f"<oai_dc:dc {spaces}>\n{inner}\n</oai_dc:dc>"


def _unimarc(going: Going) -> str:
    plain = EXPORTERS["unimarcxml"].one(going.notice).decode().rstrip()
    space = f'xmlns="{_MARC_NAMESPACE}" xsi:schemaLocation="{_MARC_NAMESPACE} {_MARC_SCHEMA}"'
    return plain.replace("<record>", f"<record {space}>", 1)


def _carbet(going: Going) -> str:
    return to_xml(going.shared.record, going.shared.pages, labels=going.labels)


FORMATS = MappingProxyType(
    {
        one.prefix: one
        for one in (
            Format(prefix="oai_dc", namespace=OAI_NAMESPACE, schema=_DC_SCHEMA, write=_oai_dc),
            Format(prefix="marcxml", namespace=_MARC_NAMESPACE, schema=_MARC_SCHEMA, write=_unimarc),
            Format(
                prefix="carbet",
                namespace=CARBET_NAMESPACE,
                schema=SCHEMA_PATH,
                write=_carbet,
                with_text=True,
            ),
        )
    }
)
"""The formats by their prefixes. ``marcxml`` is UNIMARC, as French libraries exchange it."""


class Records:
    """The records of one store, told to one audience; ``site`` is our address, before its paths."""

    def __init__(self, store: Store, audience: Audience, site: str) -> None:
        self._store = store
        self._audience = audience
        self._site = site

    def of(self, lines: Sequence[Listed], *, text: bool) -> Iterator[tuple[Listed, Going | None]]:
        """The lines with their records, in order; one that went, or is no more for this audience, since the
        feed was read, is told as deleted: its new line will say so too.

        The text of pages is read a record at a time, as it is asked for: that of a hundred may be 100 MB.
        """
        held = self._told([line.id for line in lines if not line.deleted])
        hosts = self._told(sorted({record.host for record in held.values() if record.host}))
        thesaurus = self._store.thesaurus()
        for line in lines:
            if (record := held.get(line.id)) is None:
                yield replace(line, deleted=True), None
                continue
            pages = self._store.pages(line.id, raw=False) if text and goes_with_text(record) else ()
            yield line, self._going(outward(record, pages), hosts.get(record.host or ""), thesaurus)

    def _told(self, ids: Sequence[str]) -> dict[str, Record]:
        """Those of these records that the audience may be told of, as their owners say them."""
        found = self._store.as_received(ids) if ids else {}
        return {
            id: record for id, record in found.items() if may_be_told(audience_of(record), self._audience)
        }

    def _going(self, shared: Shared, host: Record | None, thesaurus: Thesaurus) -> Going:
        record = shared.record
        known = [(s, thesaurus.get(s.concept)) for s in record.subjects if s.concept in thesaurus]
        accepted = {s.concept: concept.label for s, concept in known if s.state is State.ACCEPTED}
        return Going(
            notice=Notice(record, accepted, host),
            shared=shared,
            address=self._site + record_url(record.id),
            labels={s.concept: (concept.label, concept.scheme) for s, concept in known},
        )


def schema_of(format: Format, site: str) -> str:
    """The whole address of a format's schema."""
    return site + format.schema if format.schema.startswith("/") else format.schema
