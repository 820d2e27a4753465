"""Views of deposits: files that come in, how far they are, what became of each."""

from __future__ import annotations

from flask import Blueprint

views = Blueprint("deposit", __name__)
