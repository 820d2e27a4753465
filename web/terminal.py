"""What the command ``kb`` answers: the values of the pages, as JSON or as text for the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ingest import arrivals
from ingest.isolation import Sandbox
from ingest.tagging import Suggestion
from kb import french, records
from kb.errors import IngestError, Reason
from kb.thesaurus import FACET_SCHEMES
from search import finder
from search.engine import SHOWN
from search.query import Sort
from search.snippets import Piece
from web import notices, results
from web.fund import Fund
from web.parts import Parts
from web.typography import counted, written_date

TAGS = 40
"""Tags shown of a text: more than any document gets."""


def search_results(
    parts: Parts, text: str, filters: Mapping[str, tuple[str, ...]], sort: str, limit: int
) -> dict[str, Any]:
    """What was found, as ``kb search --json`` prints it; ``took_ms`` leaves opening and loading out."""
    engine, thesaurus = parts.engine, parts.thesaurus
    french.term("prêt")  # loads the word tables, which a server has loaded long ago
    began = time.perf_counter()
    found = finder.find(
        text,
        engine=engine,
        thesaurus=thesaurus,
        filters=tuple(filters.items()),
        facets=SHOWN,
        sort=Sort(sort),
        limit=limit,
    )
    hits = [
        {
            "id": hit.id,
            "title": record.title,
            "score": round(hit.score, 4),
            "pages": [{"number": p.page, "snippet": _marked(p.pieces)} for p in passages],
        }
        for hit, record, passages in results.told(Fund(parts), found, text)
    ]
    return {
        "total": found.results.total,
        "took_ms": round((time.perf_counter() - began) * 1000, 1),
        "relaxed": found.relaxed,
        "hits": hits,
        "facets": {name: dict(counts) for name, counts in found.results.facets.items()},
    }


def _marked(pieces: Sequence[Piece]) -> str:
    return "".join(f"**{piece.text}**" if piece.marked else piece.text for piece in pieces)


def print_results(found: dict[str, Any]) -> None:
    """The hits, for a person."""
    click.echo(f"{counted(found['total'], 'résultat')} en {found['took_ms']:.0f} ms")
    for hit in found["hits"]:
        click.echo(f"\n{click.style(hit['title'], bold=True)}  ({hit['id']})")
        for page in hit["pages"]:
            click.echo(f"   p. {page['number']}  {page['snippet']}")


def record_in_full(parts: Parts, id: str) -> dict[str, Any]:
    """The record as JSON, with the numbers of its pages."""
    record = parts.store.get(id if ":" in id else f"{parts.config.centre}:{id}")
    return records.to_json(record) | {"pages": [page.number for page in parts.store.pages(record.id)]}


def print_record(parts: Parts, found: dict[str, Any]) -> None:
    """The record, for a person."""
    record = parts.store.get(found["id"])
    lines = {
        "Titre": record.title,
        "Auteurs": notices.authors(record, most=20),
        "Date": written_date(record.date),
        "Type": records.TYPES[record.type],
        "Cote": record.call_number,
        "Pages": len(found["pages"]) or None,
        "Thèmes": ", ".join(link.label for link in notices.tag_links(record, parts.labels, most=20)),
        "Résumé": record.abstract,
    }
    for name, value in lines.items():
        if value:
            click.echo(f"{name:8} {value}")


def tags_of_file(parts: Parts, path: Path) -> list[dict[str, Any]]:
    """Tags that would be proposed for a file. Raises IngestError."""
    if not path.is_file():
        raise IngestError(Reason.MISSING, str(path))
    with Sandbox() as sandbox:
        draft = arrivals.read(path, sandbox)[0]
    return _tags(parts, draft.title or "", [page.text for page in draft.pages])


def tags_of_text(parts: Parts, text: str) -> list[dict[str, Any]]:
    """Tags that would be proposed for a text; its first line is taken as its title."""
    title, _, rest = text.strip().partition("\n")
    return _tags(parts, title[:300], [rest or title])


def _tags(parts: Parts, title: str, pages: list[str]) -> list[dict[str, Any]]:
    [suggestions] = parts.tagger.suggest([(title, pages)], TAGS)
    return [_tag(parts, suggestion) for suggestion in suggestions]


def _tag(parts: Parts, suggestion: Suggestion) -> dict[str, Any]:
    concept = parts.thesaurus.get(suggestion.concept)
    facet = next((name for name, schemes in FACET_SCHEMES.items() if concept.scheme in schemes), None)
    evidence = [{"page": e.page, "start": e.start, "end": e.end, "text": e.text} for e in suggestion.evidence]
    return {
        "concept": concept.uri,
        "code": concept.code,
        "label": concept.label,
        "facet": facet,
        "score": round(suggestion.score, 3),
        "evidence": evidence,
    }


def print_tags(found: list[dict[str, Any]]) -> None:
    """The tags with their reasons, for a person."""
    for tag in found:
        places = sorted({e["page"] for e in tag["evidence"]})
        words = sorted({e["text"] for e in tag["evidence"]})
        where = ", ".join("notice" if page == 0 else f"p. {page}" for page in places)
        click.echo(f"{tag['score']:.2f}  {tag['code']:14} {tag['label']}  ← {', '.join(words)} ({where})")
