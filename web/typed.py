"""What a librarian types in a field, made the value of a record.

Hides how each kind of number is checked, and how a work or a term is told from the words that name it.
Whatever cannot be taken is refused with an InvalidValue that says in French what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kb import records
from kb.database import Store
from kb.errors import InvalidValue
from kb.french import fold
from kb.records import Record
from kb.thesaurus import Concept, Thesaurus
from search import suggest
from web.labels import Labels
from web.notices import facet_of
from web.typography import counted, spaced, written_date

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile(r"[ \t\n]+")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_WEB = re.compile(r"https?://[^\s/]+\.\S+|https?://localhost\S*", re.IGNORECASE)
_KIND = re.compile(r"[a-z][a-z0-9-]{0,29}")
_TAKEN = frozenset({"isbn", "issn", "doi", "url", "sha256", "source", "host", "title", "call_number"})
"""Names that a further identifier may not have: they have a field of their own, or are other keys."""

_NUMBER = re.compile(r"(?:n°\s*|no\s+|notice\s+)?(?:([a-z0-9-]+):)?(\d{1,10})(?:\s+·.*)?", re.IGNORECASE)
_MOST_NAMED = 4  # works or terms listed when words name several


def line(text: str | None) -> str | None:
    """One line of text: control characters and blanks in a row taken out; None for nothing. No-break spaces
    stay."""
    return _BLANKS.sub(" ", _CONTROL.sub("", text or "")).strip(" ") or None


def paragraphs(text: str | None) -> str | None:
    """Text of several lines, with the line ends that the database keeps; None for nothing."""
    return _CONTROL.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip() or None


def kept(typed: str | None, held: str | None) -> str | None:
    """What is typed, or what was held if they differ in blanks only: a browser may change those by itself."""
    return held if _bare(typed) == _bare(held) else typed


def _bare(text: str | None) -> str:
    return " ".join((text or "").split())


def lines(text: str | None) -> tuple[str, ...]:
    """Each line that says something, once."""
    return tuple(dict.fromkeys(said for part in (text or "").splitlines() if (said := line(part))))


# -- dates and numbers


def date_of(text: str | None, held: str | None = None) -> str | None:
    """ISO 8601, as precise as it is typed. What is ``held`` stays as it is. Raises InvalidValue."""
    said = line(text)
    if said is None or said in (held, written_date(held)):
        return held if said else None
    found = records.regular_date(said)
    if found is None:
        raise InvalidValue(
            "date",
            "Date non comprise : tapez par exemple « 2010 », « mars 2010 », « 12 mars 2010 » ou 2010-03-12",
        )
    return found


def isbn_of(text: str | None, held: str | None = None) -> str | None:
    """The ISBN-13. Raises InvalidValue that tells the fault."""
    said = line(text)
    if said is None or said == held:
        return said
    found = records.regular_isbn(said)
    if found is None or len(_signs(said)) not in (10, 13):
        raise InvalidValue("isbn", _isbn_fault(_signs(said)))
    return found


def _signs(text: str) -> str:
    return re.sub(r"(?i)^isbn(-1[03])?\s*:?|[\s.–-]", "", text).upper()


def _isbn_fault(signs: str) -> str:
    if re.search(r"[^\dX]|X(?!$)", signs):
        return "Un ISBN n’a que des chiffres, et parfois un X à la fin"
    if len(signs) not in (10, 13):
        return f"Un ISBN a 10 ou 13 chiffres, celui-ci en a {len(signs)}"
    if len(signs) == 13 and signs[:3] not in ("978", "979"):
        return "Un ISBN de 13 chiffres commence par 978 ou 979"
    return (
        "Le dernier chiffre de cet ISBN ne s’accorde pas avec les autres : vérifiez-les. Si l’ouvrage le "
        "porte ainsi, notez-le dans « Autres numéros » sous le nom isbn-errone"
    )


def issn_of(text: str | None, held: str | None = None) -> str | None:
    """The ISSN as "1234-567X". Raises InvalidValue that tells the fault."""
    said = line(text)
    if said is None or said == held:
        return said
    signs = re.sub(r"(?i)^issn\s*:?|[\s.–-]", "", said).upper()
    if len(signs) != 8:
        raise InvalidValue("issn", f"Un ISSN a 8 signes, comme 1234-5679 ; celui-ci en a {len(signs)}")
    if not re.fullmatch(r"\d{7}[\dX]", signs):
        raise InvalidValue("issn", "Un ISSN n’a que des chiffres, et parfois un X à la fin")
    if (found := records.regular_issn(signs)) is None:
        raise InvalidValue(
            "issn", "Le dernier signe de cet ISSN ne s’accorde pas avec les autres : vérifiez-les"
        )
    return found


def doi_of(text: str | None, held: str | None = None) -> str | None:
    """The DOI without the address that shows it. Raises InvalidValue."""
    said = line(text)
    if said is None or said == held:
        return said
    bare = re.sub(r"(?i)^(https?://(dx\.)?doi\.org/|doi\s*:?\s*)", "", said)
    if not _DOI.fullmatch(bare):
        raise InvalidValue("doi", "Un DOI commence par « 10. » et a une barre, comme 10.1234/abcd")
    return bare


def url_of(text: str | None, held: str | None = None) -> str | None:
    """An address of the web. Raises InvalidValue."""
    said = line(text)
    if said is not None and said != held and not _WEB.fullmatch(said):
        raise InvalidValue("url", "Une adresse commence par https:// et n’a pas d’espace")
    return said


def kind_of(text: str | None) -> str:
    """The name of a further number: letters, digits and hyphens. Raises InvalidValue."""
    kind = re.sub(r"[\s_]+", "-", fold(line(text) or ""))
    if not _KIND.fullmatch(kind):
        raise InvalidValue("kind", "Donnez un nom court à ce numéro, comme « oclc » ou « isbn-errone »")
    if kind in _TAKEN:
        raise InvalidValue("kind", f"« {kind} » a un autre sens ici : prenez un autre nom")
    return kind


# -- works and terms


def host_of(text: str | None, store: Store, *, centre: str, own: str | None = None) -> str | None:
    """Id of the work named by its number or by its title. Raises InvalidValue when there is none, or several,
    or when it is the record itself (``own``) or a part of it."""
    said = line(text)
    if said is None:
        return None
    host = _work_of(said, store, centre)
    if host is None:
        raise InvalidValue(
            "host", "Aucune notice n’a ce numéro ni ce titre exact : choisissez-la dans la liste proposée"
        )
    if own is not None and own in chain(host, store):
        raise InvalidValue(
            "host",
            "Un document ne peut pas faire partie de lui-même" if host == own
            else "Cette notice fait elle-même partie du document que vous modifiez",
        )  # fmt: skip
    return host


def _work_of(said: str, store: Store, centre: str) -> str | None:
    if number := _NUMBER.fullmatch(said):
        id = f"{(number[1] or centre).lower()}:{int(number[2])}"
        if store.get_many([id]):
            return id
    found = store.find("title", said)
    if len(found) > 1:
        named = ", ".join(f"n° {id.partition(':')[2]}" for id in found[:_MOST_NAMED])
        raise InvalidValue("host", f"Plusieurs notices ont ce titre ({named}) : tapez le numéro de la bonne")
    return found[0] if found else None


def chain(id: str, store: Store) -> list[str]:
    """The work and all that it is a part of, itself first."""
    found: list[str] = []
    while id and id not in found:
        found.append(id)
        held = store.get_many([id]).get(id)
        id = (held.host if held else None) or ""
    return found


def concept_of(text: str, thesaurus: Thesaurus) -> Concept:
    """The one term that these words name, among those by which the fund is sorted. Raises InvalidValue, with
    terms that look like it."""
    said = line(re.sub(r"\s+\([^()]*\)\s*$", "", text)) or text
    found = [c for c in thesaurus.lookup(said) if facet_of(c.scheme)]
    labelled = [c for c in found if fold(c.label) == fold(said)]
    one = labelled or found
    wanted = re.search(r"\(([^()]*)\)\s*$", text)
    if len(one) > 1 and wanted:
        one = [c for c in one if c.code == wanted[1]] or one
    if len(one) == 1:
        return one[0]
    if one:
        raise InvalidValue("themes", f"Plusieurs termes s’appellent ainsi : {_listed(one, codes=True)}")
    near = [c for c in suggest.near_concepts(said, thesaurus) if facet_of(c.scheme)]
    hint = (
        f". Proches : {_listed(near)}" if near else " : essayez un autre mot, ou mettez-le en mot-clé libre"
    )
    raise InvalidValue("themes", f"« {said} » n’est pas dans le thésaurus{hint}")


def _listed(concepts: Iterable[Concept], *, codes: bool = False) -> str:
    some = list(concepts)[:_MOST_NAMED]
    return ", ".join(f"« {c.label} ({c.code}) »" if codes else f"« {c.label} »" for c in some)


def concept_label(uri: str, labels: Labels) -> str:
    """What a person reads for a concept; the end of its address when the vocabulary has it no more."""
    known = uri in labels.thesaurus
    return labels.thesaurus.get(uri).label if known else f"{uri.rpartition('/')[2]} (hors thésaurus)"


def work_label(id: str | None, held: Mapping[str, Record]) -> str:
    """A work as the field for it shows it: "12 · Title"."""
    if id is None:
        return ""
    title = f" · {held[id].title}" if id in held else ""
    return f"{id.partition(':')[2]}{title}"


# -- shelf marks


def holders(cote: str, store: Store, own: str | None = None) -> tuple[Record, ...]:
    """The other records that stand under this shelf mark."""
    ids = [id for id in store.find("call_number", cote) if id != own]
    return tuple(store.get_many(ids).values())


def cote_fault(cote: str, found: tuple[Record, ...]) -> str:
    """That a shelf mark is taken, and by what."""
    first = found[0]
    more = f" et {counted(len(found) - 1, 'autre')}" if len(found) > 1 else ""
    number = first.id.partition(":")[2]
    return spaced(f"La cote « {cote} » est déjà prise par la notice n° {number}, « {first.title} »{more}")
