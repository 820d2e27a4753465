"""Views of how well pages could be read: the worst first, and what to do."""

from __future__ import annotations

from flask import Blueprint

views = Blueprint("legibility", __name__)
