"""How well notices of one work are told from notices of two: precision and recall, time, size of blocks.

    python tests/benchmarks/same_work.py CATALOGUE [CATALOGUE]... [--half dev|test] [--errors N] [--seed N]

The notices of the catalogues (any that ``kb ingest`` reads) and those of the demonstration are the works. The
other centre's notice of a work is made by what cataloguers do differently, several at once; the notice of
another work is that of a neighbour: next year, next tome, other commune, other body, other edition, a part, a
translation, or the work of the catalogues whose title is nearest. Works with an even number are for
developing, the others to look at once. Real cataloguers differ in more ways: read the figures as an upper
bound. Some neighbours are none by the letter (« Vol. 2 » added to what is number 2 already).
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import random
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from rapidfuzz import fuzz, process  # noqa: E402

from ingest import notices, title_words  # noqa: E402
from ingest.drafts import Draft  # noqa: E402
from ingest.holdings import record_of  # noqa: E402
from ingest.readers import read  # noqa: E402
from ingest.same_work import Sameness, likeness, marks  # noqa: E402
from kb.errors import IngestError  # noqa: E402
from kb.records import Agent, Record  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DEMONSTRATION = (ROOT / "corpus/records/fonds-papier.mrc", ROOT / "corpus/records/fonds-papier.csv")
Change = Callable[[Record, random.Random], Record]
Pair = tuple[str, Record, Record]  # what was done, and the two notices

replaced = dataclasses.replace

# -- works


def works(paths: Sequence[Path]) -> list[Record]:
    """One record a notice, each with its title once a year and author."""
    found: dict[tuple[object, ...], Record] = {}
    for path in itertools.chain.from_iterable(p.rglob("*.*") if p.is_dir() else [p] for p in paths):
        try:
            drafts = list(read(path))
        except IngestError:
            continue
        for draft in filter(lambda d: d.title, drafts):
            key = (draft.title, draft.subtitle, draft.date, draft.agents, draft.issue)
            found.setdefault(key, _record(draft, len(found)))
    return list(found.values())


def _record(draft: Draft, number: int) -> Record:
    return record_of(draft, None, id=f"un:{number}", source="")


# -- the other centre's notice of one work


def _shouted(r: Record, rng: random.Random) -> Record:
    title = unicodedata.normalize("NFD", r.title.upper())
    return replaced(r, title="".join(c for c in title if not unicodedata.combining(c)))


def _signs(r: Record, rng: random.Random) -> Record:
    title = r.title.replace("’", "'") if "’" in r.title else r.title.replace("'", "’")
    return replaced(
        r, title=rng.choice((title + ".", title.replace(", ", " ; "), title.replace(" : ", ": ")))
    )


def _joined(r: Record, rng: random.Random) -> Record:
    if not r.subtitle:
        head, colon, tail = r.title.partition(" : ")
        return replaced(r, title=head, subtitle=tail) if colon else r
    return replaced(r, title=f"{r.title}{rng.choice((' : ', ' - ', '. ', ': '))}{r.subtitle}", subtitle=None)


def _without_subtitle(r: Record, rng: random.Random) -> Record:
    return replaced(r, subtitle=None)


def _without_article(r: Record, rng: random.Random) -> Record:
    return replaced(r, title=re.sub(r"^(?:Le |La |Les |L[’']|The )", "", r.title) or r.title)


def _responsible(r: Record, rng: random.Random) -> Record:
    names = [_spoken(a.name) for a in r.agents]
    if not names:
        return r
    said = rng.choice(("", "", "sous la direction de ", "par "))
    agents = r.agents if rng.random() < 0.5 else ()
    return replaced(r, title=f"{r.title} / {said}{', '.join(names)}", agents=agents)


def _material(r: Record, rng: random.Random) -> Record:
    said = rng.choice(("[texte imprimé]", "[Texte imprimé]", "[Ressource électronique]", "[en ligne]"))
    return replaced(r, title=f"{r.title} {said}")


def _parallel(r: Record, rng: random.Random) -> Record:
    return replaced(r, title=f"{r.title} = {rng.choice(('A study of urban areas', 'Urban policy handbook'))}")


def _slip(r: Record, rng: random.Random) -> Record:
    """One letter or two wrong in words of five letters and more."""
    title = r.title
    for _ in range(rng.choice((1, 1, 2))):
        places = list(re.finditer(r"[^\W\d_]{5,}", title))
        if not places:
            return r
        word = rng.choice(places)
        at = rng.randrange(word.start() + 1, word.end() - 1)
        kind = rng.randrange(4)
        wrong = (title[at + 1] + title[at], "", title[at] * 2, rng.choice("aeinrst"))[kind]
        title = title[:at] + wrong + title[at + (2 if kind == 0 else 1) :]
    return replaced(r, title=title)


def _cut(r: Record, rng: random.Random) -> Record:
    title = f"{r.title} : {r.subtitle}" if r.subtitle else r.title
    if len(title) < 70:
        return r
    return replaced(r, title=title[: rng.randrange(50, 66)] + rng.choice(("...", "", "…")), subtitle=None)


_SHORT = {
    "développement": "dév.",
    "département": "dépt",
    "Saint": "St",
    " et ": " & ",
    "numéro": "n°",
    "sociale": "soc.",
}
_SHORT |= {"and ": "& ", "politique": "pol.", "histoire": "hist.", "Histoire": "Hist.", "éducation": "éduc."}
_LONG = {"CUCS": "contrat urbain de cohésion sociale", "ZUS": "zones urbaines sensibles", "XXe": "vingtième"}
_LONG |= {"dix": "10", "vingt": "20", "trois": "3", "tome 2": "tome II", "DSU": "développement social urbain"}


def _abbreviated(r: Record, rng: random.Random) -> Record:
    title = r.title
    for word, short in (_SHORT | _LONG).items():
        title = re.sub(rf"(?<!\w){word}(?!\w)", short, title)
    return replaced(r, title=title)


def _spoken(name: str) -> str:
    family, _, given = name.partition(", ")
    return f"{given} {family}".strip()


def _initials(name: str) -> str:
    family, comma, given = name.partition(", ")
    return (
        f"{family}, {' '.join(part[0] + '.' for part in re.split('[ -]', given) if part)}" if comma else name
    )


def _renamed(r: Record, rng: random.Random) -> Record:
    way = rng.choice(
        (_spoken, _initials, str.upper, lambda name: name.split(",")[0].upper() + ", " + name[-5:])
    )
    way = way if any("," in a.name for a in r.agents) else str.upper
    if way not in (_spoken, _initials, str.upper):
        way = _spoken
    return replaced(r, agents=tuple(replaced(a, name=way(a.name)) for a in r.agents))


def _acronym(r: Record, rng: random.Random) -> Record:
    def short(name: str) -> str:
        words = [w for w in re.findall(r"\w+", name) if len(w) > 3]
        return "".join(w[0].upper() for w in words) if len(words) > 2 else name

    return replaced(
        r, agents=tuple(replaced(a, name=short(a.name)) if a.kind == "body" else a for a in r.agents)
    )


def _fewer_agents(r: Record, rng: random.Random) -> Record:
    return replaced(r, agents=rng.choice(((), r.agents[:1], r.agents[::-1])))


def _year(r: Record, rng: random.Random) -> Record:
    if not r.year:
        return r
    if rng.random() < 0.4 and any(a.kind == "person" for a in r.agents):
        return replaced(r, date=str(r.year + rng.choice((-1, 1))))
    return replaced(r, date=rng.choice((None, f"{r.year}-{rng.randrange(1, 13):02d}", str(r.year))))


def _published(r: Record, rng: random.Random) -> Record:
    said = rng.choice((None, f"Éd. {r.publisher}", (r.publisher or "").upper(), r.publisher))
    return replaced(r, publisher=said or None, place=rng.choice((None, r.place)))


def _extent(r: Record, rng: random.Random) -> Record:
    pages = re.search(r"(\d+) p", r.extent or "")
    told = [None, r.extent]
    if pages:
        told += [f"{pages[1]} pages", f"1 vol. ({pages[1]} p.)", f"{int(pages[1]) + 1} p. ; 30 cm"]
    return replaced(r, extent=rng.choice(told))


def _typed(r: Record, rng: random.Random) -> Record:
    fixed = (
        "periodique",
        "article",
        "article-cahier",
        "chapitre",
        "these",
        "audiovisuel",
        "materiel",
        "numero",
    )
    return replaced(r, type=rng.choice(("document", r.type if r.type in fixed else "ouvrage")))


def _bare(r: Record, rng: random.Random) -> Record:
    return replaced(
        r, identifiers={k: v for k, v in r.identifiers.items() if k == "issn" and rng.random() < 0.5}
    )


def _unseried(r: Record, rng: random.Random) -> Record:
    return replaced(r, series=None, issue=None if r.series else r.issue)


COSMETIC: tuple[Change, ...] = (
    _shouted,
    _signs,
    _without_article,
    _material,
    _renamed,
    _published,
    _extent,
    _typed,
)
LOSING: tuple[Change, ...] = (
    *(_joined, _joined, _without_subtitle, _responsible, _parallel, _slip, _slip, _cut, _abbreviated),
    *(_acronym, _fewer_agents, _year, _unseried),
)


def elsewhere(r: Record, rng: random.Random, changes: Sequence[Change], most: int) -> Record:
    """The notice of another centre: up to ``most`` changes, without its ISBN half of the time."""
    for change in rng.sample(changes, rng.randrange(1, most + 1)):
        r = change(r, rng)
    r = _bare(r, rng) if rng.random() < 0.5 else r
    return replaced(r, id=f"deux:{r.id.partition(':')[2]}", source=None)


def true_pairs(held: Sequence[Record], rng: random.Random, times: int) -> Iterator[Pair]:
    for record, _ in itertools.product(held, range(times)):
        if _tells(record):
            yield "même ouvrage", record, elsewhere(record, rng, COSMETIC + LOSING, 6)


def _tells(r: Record) -> bool:
    """Whether there is anything but a title by which a person could tell."""
    return bool(r.date or r.agents or r.identifiers.get("isbn"))


# -- notices of neighbours

COMMUNES = (
    "Schœlcher",
    "Sainte-Anne",
    "Le Lamentin",
    "Ducos",
    "Rivière-Pilote",
    "Bobigny",
    "Mantes-la-Jolie",
    "Nantes",
)
BODIES = (
    "Mission locale du Nord",
    "Mission locale du Sud",
    "Ville de Ducos",
    "Centre social Bellevue",
    "ANRU",
)
ANNUALS = ("Rapport d’activité", "Bilan du contrat de ville", "Lettre d’information", "Actes du colloque")
ISBN = {"isbn": "9782070612390"}


def _two(values: Sequence[str], rng: random.Random) -> list[str]:
    return rng.sample(values, 2)


def false_pairs(held: Sequence[Record], rng: random.Random) -> Iterator[Pair]:
    for record in held:
        yield from _made_up(record, rng)
        yield from _altered(record, record.year or 2010, rng)
        yield "ISBN faux", replaced(record, identifiers=ISBN), replaced(rng.choice(held), identifiers=ISBN)
    yield from _nearest(held)


def _made_up(r: Record, rng: random.Random) -> Iterator[Pair]:
    """Neighbours among what every centre has: annual reports and diagnoses, in the year of the record."""
    year, title = r.year or 2010, rng.choice(ANNUALS)
    body, rival = (Agent(name, "author", "body") for name in _two(BODIES, rng))
    here, there = _two(COMMUNES, rng)
    mine = Record(id=r.id, title=title, agents=(body,), date=str(year), type="rapport")
    place = replaced(mine, title=f"Diagnostic territorial de {here}", type="diagnostic")
    dated, after = replaced(mine, title=f"{title} {year}"), str(year + rng.choice((0, 1)))
    yield "année suivante", dated, replaced(mine, title=f"{title} {year + 1}", date=after)
    yield "année suivante, titre nu", mine, replaced(mine, date=str(year + 1))
    yield "autre organisme", mine, replaced(mine, agents=(rival,))
    yield "autre organisme, sans auteur", mine, replaced(mine, agents=(), publisher=rival.name)
    yield "autre commune", place, replaced(place, title=f"Diagnostic territorial de {there}")


def _altered(r: Record, year: int, rng: random.Random) -> Iterator[Pair]:
    """Neighbours of the record itself: all is the same but what tells the two works apart."""
    base = replaced(r, identifiers={})
    isbn = ISBN if rng.random() < 0.3 else {}
    later, edition = (
        str(year + rng.choice((1, 3))),
        rng.choice((" (2e édition)", ", nouvelle édition", ", 2e éd.")),
    )
    part = rng.choice((r.title, "Introduction", f"Préface de {r.title}"))
    two = f"{r.title} : tome {rng.choice(('2', 'II'))}"
    yield (
        "tome suivant",
        replaced(base, title=f"{r.title}, tome 1"),
        replaced(base, title=two, identifiers=isbn),
    )
    yield "tome et tout", base, replaced(base, title=f"{r.title}. Vol. 2")
    yield "édition", replaced(base, date=str(year)), replaced(base, title=r.title + edition, date=later)
    if r.type != "periodique":
        yield (
            "édition tue",
            replaced(base, date=str(year)),
            replaced(base, date=str(year + rng.randrange(2, 9))),
        )
        if r.agents and all(agent.kind == "body" for agent in r.agents):
            yield "année d’après d’un organisme", base, replaced(base, date=str(year + 1))
    yield "traduction", replaced(base, language="fr"), replaced(base, language="en")
    yield "partie", replaced(base, type="ouvrage"), replaced(base, type="chapitre", title=part)
    book = replaced(base, type="ouvrage", date=str(year + rng.choice((0, 1, 2))))
    yield "thèse", replaced(base, type="these"), book
    numbered = replaced(base, type="numero")
    yield "numéro suivant", replaced(numbered, issue="n° 3"), replaced(numbered, issue="4")
    one, other = (replaced(base, agents=(Agent(name),)) for name in ("Roy, Léa", "Zobda, Paul"))
    yield "auteur autre", one, replaced(other, publisher=None)


def _nearest(held: Sequence[Record]) -> Iterator[Pair]:
    titles = [f"{r.title} {r.subtitle or ''}".lower() for r in held]
    for at, record in enumerate(held):
        for _, _, other in process.extract(titles[at], titles, scorer=fuzz.token_set_ratio, limit=4):
            if other > at:
                yield "voisin réel", record, replaced(held[other], id=f"deux:{other}")


def disguised(pairs: Iterator[Pair], rng: random.Random) -> Iterator[Pair]:
    """The second notice as another cataloguer writes it, what tells the two works apart being kept."""
    for kind, a, b in pairs:
        kept = COSMETIC[:-1] if kind in ("thèse", "partie") else COSMETIC
        b = b if kind in ("ISBN faux", "voisin réel") else elsewhere(b, rng, kept, 3)
        if kind != "ISBN faux" or a.title != b.title:
            yield kind, a, replaced(b, id=f"deux:{b.id.partition(':')[2]}")


# -- measuring


def measured(pairs: Sequence[Pair]) -> list[tuple[Pair, Sameness]]:
    return [(pair, likeness(*pair[1:])) for pair in pairs]


def without_isbn(pairs: Sequence[Pair]) -> list[Pair]:
    def bared(r: Record) -> Record:
        return replaced(r, identifiers={k: v for k, v in r.identifiers.items() if k == "issn"})

    return [(kind, bared(a), bared(b)) for kind, a, b in pairs]


def told(r: Record) -> str:
    names = "; ".join(agent.name for agent in r.agents)
    said = (r.type, r.title, r.subtitle, names, r.date, r.publisher, r.issue, r.extent, dict(r.identifiers))
    return " | ".join(str(value) for value in said if value)


def report(name: str, true: Sequence[Pair], false: Sequence[Pair], errors: int, rng: random.Random) -> None:
    """Precision as if there were as many pairs of one work as of two."""
    right, wrong = measured(true), measured(false)
    missed = [m for m in right if not m[1].same]
    joined = [m for m in wrong if m[1].same]
    apart = [m for m in right if not marks(m[0][1]) & marks(m[0][2])]
    lost = [m for m in apart if m[1].same]
    recall, wrongly = 1 - len(missed) / len(right), len(joined) / len(wrong)
    print(f"{name}: {len(right)} pairs of one work, {len(wrong)} of two")
    print(f"    recall {recall:.3f}, precision {recall / (recall + wrongly):.3f}")
    print(
        f"    share a mark {1 - len(apart) / len(right):.4f}, recall so {recall - len(lost) / len(right):.3f}"
    )
    kinds, bad = Counter(m[0][0] for m in wrong), Counter(m[0][0] for m in joined)
    print("    joined:", ", ".join(f"{kind} {bad[kind]}/{kinds[kind]}" for kind in bad) or "none")
    for title, found in (("MISSED", missed), ("JOINED", joined), ("NO MARK", lost)):
        for (kind, a, b), said in rng.sample(found, min(errors, len(found))):
            print(f"{title} {kind} {said.score} {said.reason}\n   {told(a)}\n   {told(b)}")


def speed(pairs: Sequence[Pair]) -> None:
    """Microseconds of CPU: the notices being read for the first time, then what was read being remembered."""
    records = [r for _, a, b in pairs for r in (a, b)]
    for cached in (notices._noted, notices._name, title_words.read_title, title_words.body_words):
        cached.cache_clear()
    for name in ("first", "again"):
        start = time.process_time()
        for record in records:
            marks(record)
        middle = time.process_time()
        for _, a, b in pairs:
            likeness(a, b)
        end = time.process_time()
        each = 1e6 * (middle - start) / len(records), 1e6 * (end - middle) / len(pairs)
        print(f"{name}: marks {each[0]:.0f} µs, likeness {each[1]:.0f} µs")


TOWNS = [
    a + b
    for a in ("Saint-", "Le ", "Mont", "Ville", "Beau", "Cler")
    for b in ("Paul", "lieu", "val", "port", "ey")
]
TOPICS = (
    "insertion",
    "jeunesse",
    "habitat",
    "santé",
    "école",
    "emploi",
    "médiation",
    "sport",
    "culture",
    "mobilité",
)
VERBS = (
    "Accompagner",
    "Évaluer",
    "Mesurer",
    "Habiter",
    "Comprendre",
    "Repenser",
    "Construire",
    "Animer",
    "Observer",
)
THINGS = (
    "le quartier",
    "la ville",
    "les jeunes",
    "les familles",
    "le projet",
    "la rénovation",
    "les femmes",
    "l’école",
)
NAMES = [
    f"{a}{b}, {c}"
    for a in ("Du", "Mar", "Bel", "Lam")
    for b in ("pont", "tin", "lance")
    for c in ("Léa", "Paul")
]


def fund(rng: random.Random, size: int) -> list[Record]:
    """Notices of an imaginary network of twenty centres, two thirds of them under titles of many others."""
    made = []
    for number in range(size):
        town, topics = rng.choice(TOWNS), rng.sample(TOPICS, 2)
        own = f"{rng.choice(VERBS)} {rng.choice(THINGS)} : {topics[0]} et {topics[1]} à {town}"
        title = rng.choice((rng.choice(ANNUALS), f"Diagnostic territorial de {town}", own))
        body = Agent(f"Mission locale de {town}", "author", "body")
        agent = body if rng.random() < 0.6 else Agent(rng.choice(NAMES))
        date, id = str(rng.randrange(1990, 2020)), f"c{number % 20}:{number}"
        made.append(Record(id=id, title=title, agents=(agent,), date=date, type="rapport"))
    return made


def blocks(held: Sequence[Record]) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for record in held:
        for mark in marks(record):
            found[mark].append(record.id)
    pairs = {pair for ids in found.values() for pair in itertools.combinations(sorted(ids), 2)}
    largest = sorted(((len(ids), mark) for mark, ids in found.items()), reverse=True)[:3]
    print(
        f"{len(held)} notices: each compared with {2 * len(pairs) / len(held):.1f}; largest blocks {largest}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalogues", nargs="*", type=Path)
    parser.add_argument("--half", choices=("dev", "test"), default="dev")
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    held = works([*options.catalogues, *DEMONSTRATION])[options.half == "test" :: 2]
    true = list(true_pairs(held, rng, 4))
    false = list(disguised(false_pairs(held, rng), rng))
    report("as they are", true, false, options.errors, rng)
    report("without ISBN", without_isbn(true), without_isbn(false), 0, rng)
    speed(rng.sample(true + false, min(4000, len(true + false))))
    blocks(fund(rng, 10_000))


if __name__ == "__main__":
    main()
