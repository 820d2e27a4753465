"""The text of a published answer as the index reads it: question and answer without Markdown, in pages.

Hides how a copy becomes pages: what is found is what is read on its record, and page 1 begins with the
question. Addresses of links are left out: nobody looks for them, and passages would show them.
"""

from __future__ import annotations

from collections.abc import Iterator

from kb import dialect
from kb.french import passages
from kb.publishing import Copy, Publication
from kb.records import Page


def pages(copy: Copy | Publication, site: str = "") -> tuple[Page, ...]:
    """The pages of a copy."""
    text = "\n\n".join((copy.text, *_paragraphs(copy.body, site)))
    return tuple(Page(number, cut) for number, cut in enumerate(passages(text), start=1))


def _paragraphs(body: str, site: str) -> Iterator[str]:
    for token in dialect.parsed(body, site):
        if token.type in ("fence", "code_block"):
            yield token.content.strip()
        elif token.type == "inline":
            words = ("\n" if t.type in dialect.BREAKS else t.content for t in token.children or ())
            yield "".join(words).strip()
