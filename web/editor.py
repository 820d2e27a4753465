"""Views that change records: the editor, new records, history and undo, many at once."""

from __future__ import annotations

from flask import Blueprint

views = Blueprint("editor", __name__)
