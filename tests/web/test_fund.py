"""What the demonstration fund answers to the questions that were judged for it."""

from __future__ import annotations

import json
from pathlib import Path

from flask.testing import FlaskClient

import corpus
from kb.records import File

QUERIES = [json.loads(line) for line in (corpus.FOLDER / "queries.jsonl").read_text("utf-8").splitlines()]
RIGHT_AMONG_TEN = 0.95
"""Share of the questions whose answer must be among the first ten."""


def test_there_are_enough_judged_questions_and_their_documents_exist():
    names = {path.stem for path in (corpus.FOLDER / "documents").iterdir()}
    assert len(QUERIES) >= 40
    assert {slug for query in QUERIES for slug in query["relevant"]} <= names


def test_nearly_every_judged_question_finds_its_answer_among_the_first_ten(client: FlaskClient):
    store = client.application.extensions["parts"].store
    missed = []
    for query in QUERIES:
        hits = client.get("/recherche.json", query_string={"q": query["query"], "par": 10}).json["hits"]
        files: list[File] = [file for hit in hits for file in store.get(hit["id"]).files]
        right = {slug for slug, grade in query["relevant"].items() if grade == 2}
        if not right & {Path(file.name).stem for file in files}:
            missed.append(query["query"])
    assert len(missed) <= (1 - RIGHT_AMONG_TEN) * len(QUERIES), missed
