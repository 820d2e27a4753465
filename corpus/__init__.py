"""The demonstration fund: thesaurus, documents, paper records and judged queries, all written for Carbet."""

from pathlib import Path

FOLDER = Path(__file__).parent
