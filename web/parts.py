"""The parts of Carbet, opened together from the settings: store, people, mail, engine, vocabulary, tagger.

Hides when each is opened (the tagger loads a language model: only who tags pays for it) and in which order.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import structlog

from ingest.connector import Connector
from ingest.envelope import Reader, Writer
from ingest.gathering import gather
from ingest.isolation import Sandbox
from ingest.mirroring import Receiver
from ingest.pictures import PagePictures
from ingest.rounds import Harvester
from kb import anonymiser, workdays
from kb.accounts import People
from kb.alignments import Alignments, Words
from kb.anonymiser import Anonymiser
from kb.answers import Answers
from kb.askers import Askers
from kb.audit import Trail
from kb.centres import Centres
from kb.config import Config
from kb.credentials import Credentials
from kb.database import Store
from kb.desk import Desk
from kb.doubts import Doubts
from kb.errors import IndexOutdated
from kb.jobs import Jobs
from kb.limits import Limits
from kb.machines import Machines
from kb.mail import Outbox, Spool
from kb.mappings import Mappings
from kb.mirrors import Mirrors
from kb.misses import Misses
from kb.privacy import Privacy
from kb.publishing import Publications
from kb.reception import Reception
from kb.reviews import Reviews
from kb.runs import Runs
from kb.secret import Keyring
from kb.sessions import Sessions
from kb.signing import CentreKey
from kb.sources import Sources
from kb.thesaurus import Thesaurus
from kb.versions import Versions
from kb.workdays import Calendar
from kb.works import Works
from search import indexing
from search.whoosh_engine import WhooshEngine
from web.labels import Labels

if TYPE_CHECKING:
    from ingest.tagging import Tagger

log = structlog.get_logger()

_GATHERED_AT_ONCE = 100
"""Records whose works are found before the index is looked at again: some 0.5 s."""


class Parts:
    """One of each, for one process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store.open(config)
        self._labels: Labels | None = None
        self._tagger: tuple[Thesaurus, Tagger] | None = None
        self._anonymiser: tuple[Thesaurus, Anonymiser] | None = None

    @property
    def trail(self) -> Trail:
        """Who did what."""
        return self.store.trail

    @cached_property
    def keyring(self) -> Keyring:
        """The secret of this installation."""
        return Keyring(self.config.data)

    @cached_property
    def people(self) -> People:
        """Accounts and roles."""
        return People(self.store.database, self.trail)

    @cached_property
    def limits(self) -> Limits:
        """How often things may be tried."""
        return Limits(self.store.database, self.keyring)

    @cached_property
    def credentials(self) -> Credentials:
        """Passwords, links, second factors."""
        return Credentials(self.store.database, self.trail, self.people, self.limits, self.keyring)

    @cached_property
    def sessions(self) -> Sessions:
        """Who is signed in."""
        idle = timedelta(minutes=self.config.session_idle_minutes)
        absolute = timedelta(hours=self.config.session_hours)
        return Sessions(self.store.database, self.trail, idle=idle, absolute=absolute)

    @cached_property
    def machines(self) -> Machines:
        """Keys of other centres."""
        return Machines(self.store.database, self.trail)

    @cached_property
    def outbox(self) -> Outbox:
        """Mail that waits."""
        sender, name = self.config.sender, self.config.centre_name
        return Outbox(self.store.database, self.trail, sender=sender, name=name)

    @cached_property
    def engine(self) -> WhooshEngine:
        """The index; rebuilt from the database when it is missing, damaged or of another version."""
        engine = WhooshEngine(self.config.index, cache_bytes=self.config.cache_mb << 20)
        try:
            engine.position()
        except IndexOutdated as error:
            log.warning("index.rebuild", why=str(error))
            indexing.rebuild(self.store, engine)
        return engine

    @property
    def thesaurus(self) -> Thesaurus:
        """The vocabulary in force."""
        return self.store.thesaurus()

    @property
    def labels(self) -> Labels:
        """Words for facet codes, by the vocabulary in force and the centres that are known."""
        thesaurus = self.thesaurus
        centres = {self.config.centre: self.config.centre_name} | self.centres.names()
        if (held := self._labels) is None or held.thesaurus is not thesaurus or held.centres != centres:
            self._labels = held = Labels(thesaurus, centres)
        return held

    @property
    def tagger(self) -> Tagger:
        """Proposes subjects by the vocabulary in force; made anew when that changes."""
        from ingest.tagging import Tagger

        thesaurus = self.thesaurus
        if self._tagger is None or self._tagger[0] is not thesaurus:
            self._tagger = thesaurus, Tagger(thesaurus)
        return self._tagger[1]

    @cached_property
    def jobs(self) -> Jobs:
        """Files that came in, and what became of them."""
        return Jobs(self.store.database, self.trail)

    @cached_property
    def reception(self) -> Reception:
        """Where files that came in wait."""
        return Reception(self.config.reception)

    @cached_property
    def reviews(self) -> Reviews:
        """Records that wait for a librarian."""
        return Reviews(self.store.database)

    @cached_property
    def doubts(self) -> Doubts:
        """Pairs of records that may tell of one work."""
        return Doubts(self.store.database, self.trail)

    @cached_property
    def mappings(self) -> Mappings:
        """What the columns of spreadsheets hold, as people saved it."""
        return Mappings(self.store.database, self.trail)

    @cached_property
    def versions(self) -> Versions:
        """What records said before."""
        return Versions(self.store.database)

    @cached_property
    def calendar(self) -> Calendar:
        """The days worked at the centre."""
        config = self.config
        return workdays.from_config(config.holidays, config.closed_days, config.time_zone)

    @cached_property
    def desk(self) -> Desk:
        """The questions that people ask, and the log of the service."""
        return Desk(self.store.database, self.trail, self.calendar, self.config.answer_days)

    @cached_property
    def misses(self) -> Misses:
        """Searches that found nothing."""
        return Misses(self.store.database)

    @cached_property
    def centres(self) -> Centres:
        """The other centres of the network."""
        return Centres(self.store.database, self.trail, self.config.centre)

    @cached_property
    def sources(self) -> Sources:
        """What is harvested from them."""
        return Sources(self.store.database, self.trail, self.keyring)

    @cached_property
    def runs(self) -> Runs:
        """How the harvests went."""
        return Runs(self.store.database, self.trail)

    @cached_property
    def mirrors(self) -> Mirrors:
        """Their records, as they are kept here."""
        return Mirrors(self.store, self.config.centre)

    @cached_property
    def alignments(self) -> Alignments:
        """What their key words mean here."""
        return Alignments(self.store, self.mirrors)

    def receiver(self) -> Receiver:
        """Takes their records in, by the vocabulary in force; one for each harvest."""
        from ingest.aligning import Proposer

        words = Words(self.store, Proposer(self.thesaurus).propose)
        return Receiver(self.store, self.mirrors, self.tagger, words)

    @cached_property
    def centre_key(self) -> CentreKey:
        """What envelopes of this centre are signed with."""
        return CentreKey(self.config.data)

    def envelope_writer(self) -> Writer:
        """Writes what we share to a file."""
        return Writer(
            store=self.store,
            key=self.centre_key,
            centre=self.config.centre,
            name=self.config.centre_name,
            alignments=self.alignments,
        )

    def envelope_reader(self) -> Reader:
        """Takes in the files of other centres."""
        return Reader(
            centres=self.centres, runs=self.runs, alignments=self.alignments, receiver=self.receiver
        )

    def harvester(self, **options: Any) -> Harvester:
        """Harvests sources; options as those of ``ingest.rounds.Harvester``."""
        return Harvester(
            centres=self.centres,
            sources=self.sources,
            runs=self.runs,
            mirrors=self.mirrors,
            receiver=self.receiver,
            get=self.connector.get,
            **options,
        )

    @cached_property
    def works(self) -> Works:
        """Which records of several centres tell of one work."""
        return Works(self.store)

    @cached_property
    def connector(self) -> Connector:
        """The one way out to other machines."""
        return Connector(allowed=self.config.private_addresses)

    @cached_property
    def askers(self) -> Askers:
        """The persons who ask."""
        return Askers(self.store.database)

    @cached_property
    def answers(self) -> Answers:
        """Answers while they are written, and what they cite."""
        return Answers(self.store.database, self.desk.log, site=self.config.public_url)

    @cached_property
    def publications(self) -> Publications:
        """Answers that are made public."""
        config = self.config
        return Publications(
            self.store,
            self.desk,
            centre=config.centre,
            name=config.centre_name,
            second_reader=config.second_reader,
        )

    @property
    def anonymiser(self) -> Anonymiser:
        """Finds what may say who somebody is; knows the places and bodies of the vocabulary."""
        thesaurus = self.thesaurus
        if self._anonymiser is None or self._anonymiser[0] is not thesaurus:
            schemes = ("territories", "organismes", "dispositifs", "themes")
            labels = (label for s in schemes for c in thesaurus.concepts(s) for label in c.labels)
            self._anonymiser = thesaurus, Anonymiser(labels)
        return self._anonymiser[1]

    @cached_property
    def privacy(self) -> Privacy:
        """What is forgotten of the persons who ask."""
        return Privacy(
            self.store.database,
            self.trail,
            self.desk,
            lambda text: anonymiser.replaced(text, self.anonymiser.find(text)),
            months=self.config.retention_months,
            spool=Spool(self.config.spool),
        )

    @cached_property
    def sandbox(self) -> Sandbox:
        """Where files are read that somebody looks at."""
        return Sandbox()

    @cached_property
    def pictures(self) -> PagePictures:
        """Images of pages, drawn once and kept."""
        return PagePictures(self.config.pictures, self.config.pictures_mb << 20)

    def sync(self) -> int:
        """Find the works of what changed, then bring the index up to the database; number of changes taken
        in."""
        gather(self.store, self.works)
        return indexing.sync(self.store, self.engine)

    def keep_up(self) -> int:
        """The same a little at a time, for who does it again and again: however much there is to gather, what
        was just saved is soon found; number of changes taken in."""
        gathered = gather(self.store, self.works, most=_GATHERED_AT_ONCE)
        late = self.works.position() != self.engine.position()
        return max(gathered, indexing.sync(self.store, self.engine) if late else 0)

    def close(self) -> None:
        """Let go of files and connections."""
        for opened in ("engine", "pictures", "sandbox", "connector"):
            if opened in self.__dict__:
                getattr(self, opened).close()
        self.store.close()
