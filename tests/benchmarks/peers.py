"""The engines that are compared: ours, Tantivy, SQLite FTS5 and Whoosh used the plain way.

Each takes the same text and answers the same queries in its own best usual way. Peers know pages, not
records: a page is a document of theirs, with the number of its record. Tantivy and Whoosh analyse French
by themselves (Snowball); FTS5, which has no French, is given our terms, so that its totals must be ours.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import tantivy
from rapidfuzz.distance import OSA
from whoosh import fields, index, sorting
from whoosh import query as wq
from whoosh.analysis import LanguageAnalyzer

from kb import french
from search import snippets as passages
from search.engine import Entry
from search.query import And, Fuzzy, Need, Phrase, Prefix, Query, Request, Sort, Words
from search.whoosh_engine import WhooshEngine
from tests.benchmarks.corpus import FACETS, Work
from tests.benchmarks.marking import marked

Ask = dict[str, Any]
TOP = 20


class Peer(Protocol):
    """An engine in the comparison."""

    def build(self, works: Iterable[Work], folder: Path) -> None: ...
    def open(self, folder: Path) -> None: ...
    def search(self, ask: Ask, *, snippets: bool) -> object: ...
    def total(self, ask: Ask) -> int: ...


def expansions(works: Iterable[Work], asks: Iterable[Ask]) -> None:
    """Put into each prefix and fuzzy query the terms that it stands for, found by looking at every word."""
    forms = {(t.form, t.term) for work in works for page in work.pages for t in french.tokens(page) if t.term}
    plain = [("".join(french.pieces(form)), term) for form, term in forms]
    for ask in asks:
        if ask["kind"] == "prefix":
            start = french.fold(ask["words"][0])
            ask["terms"] = sorted({term for form, term in plain if form.startswith(start)})
        elif ask["kind"] == "fuzzy":
            word = french.fold(ask["words"][0])
            ask["terms"] = sorted({t for f, t in plain if OSA.distance(word, f, score_cutoff=1) <= 1})


class Texts:
    """Page text outside an index: one compressed row a page, as a database keeps it."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "texts.db")
        self._db.execute("create table if not exists t(id integer primary key, z blob)")

    def keep(self, rows: Iterable[tuple[int, str]]) -> None:
        """Keep texts by number."""
        self._db.executemany(
            "insert into t values(?,?)", ((i, zlib.compress(t.encode(), 1)) for i, t in rows)
        )
        self._db.commit()

    def get(self, numbers: list[int]) -> dict[int, str]:
        """Texts by number."""
        marks = ",".join("?" * len(numbers))
        found = self._db.execute(f"select id, z from t where id in ({marks})", numbers)
        return {number: zlib.decompress(z).decode() for number, z in found}


def page_number(record: int, page: int) -> int:
    """One number for a page of a record."""
    return record * 1_000 + page


class Ours:
    """The engine of the project, as the web front end uses it."""

    def __init__(self) -> None:
        self.engine: WhooshEngine

    def build(self, works: Iterable[Work], folder: Path) -> None:
        self.engine = WhooshEngine(folder / "index")
        with self.engine.writer(fresh=True) as writer:
            for work in works:
                writer.put(entry(work))

    def open(self, folder: Path) -> None:
        self.engine = WhooshEngine(folder / "index")
        self.engine.position()
        self._texts = Texts(folder.parent / "texts")

    def search(self, ask: Ask, *, snippets: bool) -> object:
        found = self.engine.search(request(ask))
        if not snippets:
            return found
        return self._marked(ask, found.hits), found

    def _marked(self, ask: Ask, hits: Any) -> object:
        best = [(hit.id, hit.pages[0]) for hit in hits if hit.pages]
        texts = self._texts.get([page_number(int(id), page) for id, page in best])
        marker = passages.marker(tree(ask), self.engine)
        return [(id, page, marker.best(texts[page_number(int(id), page)])) for id, page in best]

    def total(self, ask: Ask) -> int:
        return self.engine.search(request(ask)).total


def entry(work: Work) -> Entry:
    """A record of the corpus as our engine takes it."""
    facets = {name: tuple(codes) for name, codes in work.facets.items()}
    pages = tuple(enumerate(work.pages, 1))
    return Entry(id=str(work.number), pages=pages, facets=facets, date=work.date)


def tree(ask: Ask) -> Query:
    """A query of the corpus as our engine takes it."""
    text = " ".join(ask["words"])
    match ask["kind"]:
        case "phrase":
            return Phrase(text)
        case "prefix":
            return Prefix(text)
        case "fuzzy":
            return Fuzzy(text)
        case "or":
            return Words(text, need=Need.ANY)
        case _:
            return And((Words(text),))


def request(ask: Ask) -> Request:
    """A whole question as our engine takes it."""
    filters = tuple((name, (ask[name],)) for name in ("theme", "series") if ask.get(name))
    if "years" in ask:
        filters += (("year", ("-".join(map(str, ask["years"])),)),)
    sort = Sort.NEWEST if ask["kind"] == "newest" else Sort.RELEVANCE
    return Request(query=tree(ask), filters=filters, facets=FACETS, sort=sort, limit=TOP, pages=1)


class Tantivy:
    """Tantivy through its Python package, text stored for its own snippets."""

    def build(self, works: Iterable[Work], folder: Path) -> None:
        found = self._index(folder)
        writer = found.writer(256_000_000, num_threads=1)
        for work in works:
            for number, page in enumerate(work.pages, 1):
                writer.add_document(_document(work, number, page))
        writer.commit()
        writer.wait_merging_threads()

    def _index(self, folder: Path) -> Any:
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("text", stored=True, tokenizer_name="fr")
        for name in ("record", "page", "year", "date"):
            schema.add_unsigned_field(name, stored=name in ("record", "page"), indexed=True, fast=True)
        for name in FACETS:
            if name != "year":
                schema.add_text_field(name, tokenizer_name="raw", fast=True, index_option="basic")
        self._schema = schema.build()
        found = tantivy.Index(self._schema, path=str(folder))
        chain = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        kinds = tantivy.Filter
        for step in (
            kinds.remove_long(40),
            kinds.lowercase(),
            kinds.custom_stopword(sorted(STOP_WORDS)),
            kinds.stemmer("french"),
            kinds.ascii_fold(),
        ):
            chain = chain.filter(step)
        self._analyzer = chain.build()
        found.register_tokenizer("fr", self._analyzer)
        return found

    def open(self, folder: Path) -> None:
        self._found = self._index(folder)
        self._found.reload()
        self._searcher = self._found.searcher()

    def _query(self, ask: Ask) -> Any:
        kind, schema = tantivy.Query, self._schema
        terms = [term for word in ask["words"] for term in self._analyzer.analyze(word)]
        single = [kind.term_query(schema, "text", term) for term in terms]
        match ask["kind"]:
            case "or":
                return kind.boolean_query([(tantivy.Occur.Should, one) for one in single])
            case "phrase":
                return kind.phrase_query(schema, "text", terms)
            case "prefix":
                return kind.regex_query(schema, "text", french.fold(ask["words"][0]) + ".*")
            case "fuzzy":
                return kind.fuzzy_term_query(schema, "text", terms[0], distance=1)
        for name in ("theme", "series"):
            if ask.get(name):
                single.append(kind.const_score_query(kind.term_query(schema, name, ask[name]), 0.0))
        if "years" in ask:
            span = kind.range_query(schema, "year", tantivy.FieldType.Unsigned, *ask["years"])
            single.append(kind.const_score_query(span, 0.0))
        return kind.boolean_query([(tantivy.Occur.Must, one) for one in single])

    def search(self, ask: Ask, *, snippets: bool) -> object:
        query = self._query(ask)
        order = {"order_by_field": "date"} if ask["kind"] == "newest" else {}
        found = self._searcher.search(query, limit=TOP, count=True, **order)
        documents = [self._searcher.doc(address) for _, address in found.hits]
        counts = self._searcher.aggregate(query, _AGGREGATION)
        rolled: dict[int, list[object]] = {}
        if snippets:
            marker = tantivy.SnippetGenerator.create(self._searcher, query, self._schema, "text")
            marker.set_max_num_chars(240)
            for document in documents:
                marked = marker.snippet_from_doc(document).to_html()
                rolled.setdefault(document["record"][0], []).append((document["page"][0], marked))
        return found.count, counts, rolled

    def total(self, ask: Ask) -> int:
        records = {"records": {"terms": {"field": "record", "size": 100_000}}}
        return len(self._searcher.aggregate(self._query(ask), records)["records"]["buckets"])


_AGGREGATION = {name: {"terms": {"field": name, "size": 10}} for name in FACETS}
_STOP_TEXT = """
le la les l un une des du de d au aux a en y et ou ni mais donc or car que qui quoi dont qu ce cet
cette ces c ca cela ceci se s sa son ses leur leurs mon ma mes m ton ta tes t notre nos votre vos je
j tu il elle on nous vous ils elles lui eux me te dans par pour sur avec sans sous vers chez entre
est sont etre ai as avons avez ont avait avaient etait etaient ne n pas plus
"""
STOP_WORDS = frozenset(_STOP_TEXT.split())
"""Those of our analysis, so that both leave out the same."""


def _document(work: Work, number: int, page: str) -> Any:
    document = tantivy.Document(text=page)
    for name, value in (("record", work.number), ("page", number), ("year", int(work.facets["year"][0]))):
        document.add_unsigned(name, value)
    document.add_unsigned("date", int(work.date.replace("-", "")))
    for name, codes in work.facets.items():
        if name != "year":
            for code in codes:
                document.add_text(name, code)
    return document


class Fts5:
    """SQLite FTS5, contentless, given our terms; facets by SQL over the matching rows."""

    def build(self, works: Iterable[Work], folder: Path) -> None:
        db = self._connect(folder)
        db.execute("create virtual table f using fts5(text, content='', tokenize='ascii')")
        db.execute(
            "create table m(id integer primary key, record int, type, year int, territory, series, date)"
        )
        db.execute("create table mt(record int, theme)")
        for work in works:
            one = {name: codes[0] for name, codes in work.facets.items()}
            db.executemany(
                "insert into mt values(?,?)", [(work.number, code) for code in work.facets["theme"]]
            )
            for number, page in enumerate(work.pages, 1):
                key = page_number(work.number, number)
                terms = " ".join(term or "x0" for term in french.terms(page))
                db.execute("insert into f(rowid, text) values(?,?)", (key, terms))
                row = (
                    key,
                    work.number,
                    one["type"],
                    int(one["year"]),
                    one["territory"],
                    one["series"],
                    work.date,
                )
                db.execute("insert into m values(?,?,?,?,?,?,?)", row)
        db.execute("create index mr on mt(record)")
        db.execute("insert into f(f) values('optimize')")
        db.commit()

    def _connect(self, folder: Path) -> sqlite3.Connection:
        self._db = sqlite3.connect(folder / "fts.db")
        self._db.execute("pragma mmap_size=4000000000")
        return self._db

    def open(self, folder: Path) -> None:
        self._connect(folder)
        self._texts = Texts(folder.parent / "texts")

    def _from(self, ask: Ask) -> tuple[str, list[Any]]:
        terms = [f'"{term}"' for term in ask.get("terms") or map(french.term, ask["words"])]
        either = ask["kind"] in ("or", "prefix", "fuzzy")
        text = " OR ".join(terms) if either else " AND ".join(terms)
        if ask["kind"] == "phrase":
            text = '"' + " ".join(map(french.term, ask["words"])) + '"'
        sql, values = "from f join m on m.id = f.rowid where f match ?", [text or '"zzzz"']
        if ask.get("theme"):
            sql += " and m.record in (select record from mt where theme = ?)"
            values.append(ask["theme"])
        if ask.get("series"):
            sql += " and m.series = ?"
            values.append(ask["series"])
        if "years" in ask:
            sql += " and m.year between ? and ?"
            values += ask["years"]
        return sql, values

    def search(self, ask: Ask, *, snippets: bool) -> object:
        sql, values = self._from(ask)
        order = "m.date desc" if ask["kind"] == "newest" else "rank"
        hits = self._db.execute(
            f"select f.rowid, m.record {sql} order by {order} limit {TOP}", values
        ).fetchall()
        counts = {
            name: self._db.execute(f"select m.{name}, count(*) {sql} group by 1", values).fetchall()
            for name in FACETS
            if name != "theme"
        }
        themes = (
            f"select t.theme, count(*) {sql.replace(' where', ' join mt t on t.record = m.record where', 1)}"
        )
        counts["theme"] = self._db.execute(themes + " group by 1", values).fetchall()
        if not snippets:
            return hits, counts
        texts = self._texts.get([row[0] for row in hits])
        return [(number, marked(texts[number], ask["words"])) for number, _ in hits], counts

    def total(self, ask: Ask) -> int:
        sql, values = self._from(ask)
        return int(self._db.execute(f"select count(distinct m.record) {sql}", values).fetchone()[0])


class PlainWhoosh:
    """Whoosh as its manual leads to: French analyser, text stored, ``groupedby``, ``highlights``."""

    def build(self, works: Iterable[Work], folder: Path) -> None:
        analyzer = LanguageAnalyzer("fr")
        schema = fields.Schema(
            text=fields.TEXT(stored=True, analyzer=analyzer),
            record=fields.NUMERIC(stored=True),
            page=fields.NUMERIC(stored=True),
            date=fields.NUMERIC(stored=True, sortable=True),
            year=fields.NUMERIC(stored=True, sortable=True),
            theme=fields.KEYWORD(stored=True, commas=True, lowercase=False),
            **{name: fields.ID(stored=True, sortable=True) for name in ("type", "territory", "series")},
        )
        writer = index.create_in(str(folder), schema).writer(limitmb=256)
        for work in works:
            one = {name: codes[0] for name, codes in work.facets.items()}
            more = {"theme": ",".join(work.facets["theme"]), "year": int(one["year"])}
            date = int(work.date.replace("-", ""))
            for number, page in enumerate(work.pages, 1):
                writer.add_document(text=page, record=work.number, page=number, date=date, **(one | more))
        writer.commit()

    def open(self, folder: Path) -> None:
        self._searcher = index.open_dir(str(folder)).searcher()
        self._analyzer = self._searcher.schema["text"].analyzer

    def _query(self, ask: Ask) -> Any:
        terms = [t.text for word in ask["words"] for t in self._analyzer(word, mode="query")]
        single = [wq.Term("text", term) for term in terms]
        match ask["kind"]:
            case "or":
                return wq.Or(single)
            case "phrase":
                return wq.Phrase("text", terms)
            case "prefix":
                return wq.Prefix("text", ask["words"][0])
            case "fuzzy":
                return wq.FuzzyTerm("text", terms[0] if terms else "", maxdist=1)
            case _:
                return wq.And(single)

    def search(self, ask: Ask, *, snippets: bool) -> object:
        more: dict[str, Any] = {}
        wanted = [wq.Term(name, ask[name]) for name in ("theme", "series") if ask.get(name)]
        if "years" in ask:
            wanted.append(wq.NumericRange("year", *ask["years"]))
        if wanted:
            more["filter"] = wq.And(wanted)
        if ask["kind"] == "newest":
            more |= {"sortedby": "date", "reverse": True}
        groups = {n: sorting.FieldFacet(n, allow_overlap=n == "theme", maptype=sorting.Count) for n in FACETS}
        found = self._searcher.search(self._query(ask), limit=TOP, groupedby=groups, **more)
        hits = found[:TOP]
        counts = {name: found.groups(name) for name in FACETS}
        return [hit.highlights("text", top=3) for hit in hits] if snippets else (len(found), counts)

    def total(self, ask: Ask) -> int:
        raise NotImplementedError("compared by speed only: its analysis is another")


PEERS: dict[str, type[Peer]] = {"ours": Ours, "tantivy": Tantivy, "fts5": Fts5, "whoosh": PlainWhoosh}
