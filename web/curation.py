"""Views of what waits for a librarian: proposals to accept, refuse or correct."""

from __future__ import annotations

from flask import Blueprint

views = Blueprint("curation", __name__)
