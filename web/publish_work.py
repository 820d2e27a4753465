"""One answer on its way to the public: the copy that is being made, and whether it may go.

Hides where a copy comes from (the question and its answer, until a copy was kept) and the rule that nothing
is published while something in it looks personal and nobody has decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kb import quoting
from kb.errors import InvalidValue, NotFound
from kb.publishing import Copy, Publication, Stage, after_months
from kb.questions import Question
from kb.records import Record
from web import notices, publish_copy, publish_themes, published_text
from web.parts import Parts
from web.publish_copy import Decision, Doubt, Texts
from web.typography import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A copy as it stands: ``held`` is the one kept (None: none yet), ``texts`` its three texts with what
    looks personal in its own words, ``doubts`` all of that, what was kept on purpose too."""

    question: Question
    held: Publication | None
    texts: Texts
    doubts: tuple[Doubt, ...]

    @property
    def version(self) -> int:
        """That of the copy kept; 0 when there is none."""
        return self.held.version if self.held else 0

    @property
    def kept(self) -> frozenset[str]:
        """Digests of what stays on purpose."""
        return self.held.kept if self.held else frozenset()

    @property
    def shown(self) -> Texts:
        """The texts as the form shows them: what looks personal already replaced."""
        return publish_copy.replaced(self.texts, self.doubts)

    def copy(self, posted: Texts, said: Mapping[str, Decision], access: str, themes: list[str]) -> Copy:
        """What somebody makes of it."""
        title, text, body = publish_copy.settled(posted, self.texts, self.doubts, said)
        kept = self.kept - said.keys() | {key for key, decision in said.items() if decision.keep}
        return Copy(title=title, text=text, body=body, access=access, themes=tuple(themes), kept=kept)


def work(parts: Parts, question: Question) -> Work:
    """The copy of this question, or what one begins with."""
    held = held_of(parts, question)
    if held is None:
        texts = publish_copy.first_texts(question.text, parts.answers.get(question.id).body)
    else:
        texts = held.title, held.text, held.body
    kept = held.kept if held else ()
    return Work(question=question, held=held, texts=texts, doubts=_doubts(parts, texts, kept))


def _doubts(parts: Parts, texts: Texts, kept: Iterable[str]) -> tuple[Doubt, ...]:
    """What is to be looked at, on opening as on publishing: with it, what shows only once the rest is
    replaced."""
    find = parts.anonymiser.find
    found = publish_copy.doubts(texts, kept, find, cited_authors(parts, texts[2]))
    return (*found, *publish_copy.unveiled(texts, found, find)) if publish_copy.undecided(found) else found


def cited_authors(parts: Parts, body: str) -> frozenset[frozenset[str]]:
    """The names of the persons who made the works that an answer cites, of those whose notice is public."""
    linked = quoting.sources(body, parts.config.public_url)
    cited = parts.store.get_many([source.record for source in linked if source.record])
    names = {publish_copy.name_of_words(name) for one in cited.values() for name in _persons(one)}
    return frozenset(names - {frozenset()})


def _persons(record: Record) -> tuple[str, ...]:
    if record.access not in ("public", "onsite"):
        return ()
    return tuple(notices.natural(agent.name) for agent in record.agents if agent.kind == "person")


def held_of(parts: Parts, question: Question) -> Publication | None:
    """The copy that is kept of a question."""
    try:
        return parts.publications.get(question.id)
    except NotFound:
        return None


def undecided(parts: Parts, held: Publication) -> int:
    """How many things in a copy look personal and were not decided: it is published only at 0."""
    texts = (held.title, held.text, held.body)
    return len(publish_copy.undecided(_doubts(parts, texts, held.kept)))


def publish(
    parts: Parts, held: Publication, *, person: int, months: int, now: datetime
) -> tuple[str, tuple[str, ...]]:
    """Make a copy public; the id of its record, and those of its codes that the vocabulary does not know.

    Raises InvalidValue while something is undecided or the title asks nothing, and as
    ``Publications.publish``.
    """
    publish_copy.check_title(held.title)
    if left := undecided(parts, held):
        told = counted(left, "passage", "passages")
        raise InvalidValue("decisions", f"il reste {told} à décider avant de publier")
    uris, unknown = publish_themes.subjects(parts, held.themes)
    pages = published_text.pages(held, parts.config.public_url)
    day = now.astimezone(parts.calendar.zone).date()
    record = parts.publications.publish(
        held.question, held.version, pages, uris, person=person, review_on=after_months(day, months), now=now
    )
    return record, unknown


def is_being_read(held: Publication | None) -> bool:
    """Whether a copy waits for its second reader, or was read and may be published."""
    return held is not None and held.stage in (Stage.TO_READ, Stage.READ)
