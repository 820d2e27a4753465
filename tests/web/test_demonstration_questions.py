"""The questions of the demonstration fund: what the file promises to who loads it and to who reads it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import corpus
from ingest import readers
from kb.questions import Channel, QuestionState
from kb.servicelog import EFFORTS
from kb.thesaurus import Thesaurus

Line = dict[str, Any]
LINES: list[Line] = [
    json.loads(line) for line in (corpus.FOLDER / "questions.jsonl").read_text("utf-8").splitlines()
]
STATES = {"published": 24, "answered": 3, "waiting": 2, "in_hand": 3, "received": 4, "closed": 4}
FIELDS = {
    *(
        "key",
        "days_ago",
        "channel",
        "question",
        "context",
        "asker",
        "actor",
        "territory",
        "themes",
        "consent",
    ),
    *("wanted_in", "state", "assignee", "exchanges", "notes", "answer", "publication"),
}
ANSWER = {"days_after", "by", "minutes", "effort", "reused", "body"}
PUBLICATION = {"days_after", "title", "question", "answer"}
STAFF = {"lea", "joel"}
CITED = re.compile(r"\{\{cite:(paper:)?([^:{}]+)(?::(\d+))?\}\}")
QUOTED = re.compile(r"^> (.+)\n>\n> — \{\{cite:([\w-]+):(\d+)\}\}$", re.MULTILINE)
WORDS_OF_QUOTE, WORDS_OF_ANSWER = range(10, 51), range(80, 301)
SOURCED = 0.9
"""Share of the answers that must have two sources or more."""
ENDED = {"rapport-evaluation-cucs-fort-de-france", "cahier-des-charges-evaluation-cucs-lamentin"}
"""Documents about a scheme that has ended, beside the note on the zones."""


@pytest.fixture(scope="module")
def pages() -> dict[tuple[str, int], str]:
    """Each page of the documents of the fund as it is read, without recognition: scans have no words."""
    return {
        (path.stem, page.number): " ".join(page.text.split())
        for path in (corpus.FOLDER / "documents").iterdir()
        for draft in readers.read(path)
        for page in draft.pages
    }


@pytest.fixture(scope="module")
def call_numbers() -> set[str | None]:
    return {
        draft.call_number for path in (corpus.FOLDER / "records").iterdir() for draft in readers.read(path)
    }


@pytest.fixture(scope="module")
def thesaurus() -> Thesaurus:
    return Thesaurus.from_file(corpus.FOLDER / "thesaurus.ttl")


def bodies() -> Iterator[tuple[str, str]]:
    """Each answer that somebody reads: key of its question, text."""
    for line in LINES:
        for text in (line["answer"] or {}).get("body"), (line["publication"] or {}).get("answer"):
            if text:
                yield line["key"], text


def texts(value: object) -> Iterator[str]:
    """Every string of a line."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for held in value.values():
            yield from texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from texts(held)


def test_the_file_has_forty_questions_in_all_states():
    assert len(LINES) == len({line["key"] for line in LINES}) == 40
    assert Counter(line["state"] for line in LINES) == STATES
    assert set(STATES) == set(QuestionState)


def test_questions_come_in_order_over_eighteen_months_until_today():
    days = [line["days_ago"] for line in LINES]
    assert days == sorted(days, reverse=True)
    assert days[-1] == 0
    assert days.count(1) >= 1
    assert 530 <= days[0] <= 560


def test_each_line_has_all_fields_and_no_other():
    for line in LINES:
        assert set(line) == FIELDS, line["key"]
        assert line["answer"] is None or set(line["answer"]) == ANSWER, line["key"]
        assert line["publication"] is None or set(line["publication"]) == PUBLICATION, line["key"]
        assert line["asker"] is None or set(line["asker"]) == {"name", "email", "phone"}, line["key"]


def test_channels_persons_and_efforts_are_known():
    assert {line["channel"] for line in LINES} == set(Channel)
    for line in LINES:
        assert line["assignee"] in STAFF | {None}
        assert {note["by"] for note in line["notes"]} <= STAFF
        assert {said["channel"] for said in line["exchanges"]} <= set(Channel)
        assert {said["direction"] for said in line["exchanges"]} <= {"in", "out"}
        if answer := line["answer"]:
            assert answer["by"] in STAFF
            assert answer["effort"] in EFFORTS
            assert 5 <= answer["minutes"] <= 480


def test_codes_are_concepts_of_the_right_scheme(thesaurus: Thesaurus):
    for line in LINES:
        schemes = {
            "themes": line["themes"],
            "actors": [line["actor"]],
            "territories": [line["territory"]] if line["territory"] else [],
        }
        assert line["themes"], line["key"]
        for scheme, codes in schemes.items():
            assert {thesaurus.by_code(code).scheme for code in codes} <= {scheme}, (line["key"], codes)


def test_the_fourteen_themes_are_asked_about():
    assert {theme[:3] for line in LINES for theme in line["themes"]} == {f"T{n:02}" for n in range(1, 15)}


def test_each_question_has_what_its_state_needs():
    for line in LINES:
        state = line["state"]
        assert (line["answer"] is not None) == (state in ("answered", "published")), line["key"]
        assert (line["publication"] is not None) == (state == "published"), line["key"]
        assert (line["assignee"] is None) == (state == "received"), line["key"]
        if state == "published":
            assert line["consent"]
            assert line["publication"]["days_after"] >= line["answer"]["days_after"]
        if state == "waiting":
            assert line["exchanges"][-1]["direction"] == "out", line["key"]


def test_nobody_writes_again_after_the_answer():
    for line in LINES:
        if line["answer"]:
            assert all(said["days_after"] < line["answer"]["days_after"] for said in line["exchanges"])


def test_one_question_in_hand_is_overdue():
    assert sum(line["state"] == "in_hand" and line["days_ago"] >= 8 for line in LINES) == 1


def test_past_answers_that_serve_again_were_published_before():
    at = {
        line["key"]: line["days_ago"] - line["publication"]["days_after"]
        for line in LINES
        if line["publication"]
    }
    reusing = [line for line in LINES if line["answer"] and line["answer"]["reused"]]
    assert len(reusing) == 6
    for line in reusing:
        assert all(at[key] > line["days_ago"] for key in line["answer"]["reused"]), line["key"]


def test_quoted_words_stand_exactly_in_the_page_that_is_cited(pages: dict[tuple[str, int], str]):
    found = [(key, *quote) for key, body in bodies() for quote in QUOTED.findall(body)]
    assert len(found) > 60
    for key, words, name, number in found:
        assert " ".join(words.split()) in pages[name, int(number)], (key, name, number, words)
        assert len(words.split()) in WORDS_OF_QUOTE, (key, words)


def test_every_blockquote_says_where_it_comes_from():
    for key, body in bodies():
        quoted = [line for line in body.splitlines() if line.startswith(">")]
        assert len(quoted) == 3 * len(QUOTED.findall(body)), key


def test_everything_cited_is_in_the_fund(pages: dict[tuple[str, int], str], call_numbers: set[str | None]):
    for key, body in bodies():
        assert body.count("{{") == len(CITED.findall(body)), key
        for paper, name, number in CITED.findall(body):
            held = name in call_numbers if paper else bool(pages.get((name, int(number or 1))))
            assert held, (key, name, number)


def test_nearly_all_answers_have_two_sources_and_a_quotation():
    answers = [line["answer"]["body"] for line in LINES if line["answer"]]
    sources = [{name for _, name, _ in CITED.findall(body)} for body in answers]
    assert sum(len(cited) >= 2 for cited in sources) >= SOURCED * len(answers)
    assert all(QUOTED.search(body) for body in answers)


def test_answers_are_neither_short_nor_long():
    for key, body in bodies():
        words = re.sub(r"[|>#*-]", " ", CITED.sub("", body)).split()
        assert len(words) in WORDS_OF_ANSWER, (key, len(words))


def test_two_published_answers_cite_a_scheme_that_has_ended():
    published = [line["publication"] for line in LINES if line["publication"]]
    cited = [{name for _, name, _ in CITED.findall(copy["answer"])} for copy in published]
    assert any(names & ENDED for names in cited)
    assert any("note-zus-qpv-geographie-prioritaire-martinique" in names for names in cited)


def test_addresses_and_numbers_belong_to_nobody():
    everything = "\n".join(text for line in LINES for text in texts(line))
    addresses = re.findall(r"\S+@([\w.-]*\w)", everything)
    numbers = re.findall(r"\b0\d[\d .]{8,}\d\b", everything)
    assert addresses
    assert all(re.search(r"(?:^|\.)exemple\.(?:fr|org)$", domain) for domain in addresses)
    assert numbers
    assert all(re.fullmatch(r"0[56]96 00 00 \d\d", number) for number in numbers)


def test_what_is_published_names_no_asker_and_none_of_those_they_speak_of():
    hidden = 0
    for line in LINES:
        if line["publication"] is None:
            continue
        public = "\n".join(line["publication"][part] for part in ("title", "question", "answer"))
        raw = f"{line['question']}\n{line['context'] or ''}"
        titled = re.findall(r"(?:Mme|Mlle|M\.|famille)\s((?:[A-ZÉ][\w-]+\s?)+)", raw)
        names = {word for name in [line["asker"]["name"], *titled] for word in name.split()}
        assert not names & set(re.findall(r"[\w-]+", public)), line["key"]
        assert not re.search(r"@|\d\d \d\d \d\d", public), line["key"]
        hidden += "[" in line["publication"]["question"]
    assert hidden >= 4


def test_french_is_written_with_its_apostrophes_and_spaces():
    for line in LINES:
        for text in texts(line):
            assert "'" not in text, (line["key"], text)
            assert not re.search(r"[ ][;!?:](?:\s|$)|«[ ]|[ ]»|\d [%€]", text), (line["key"], text)
