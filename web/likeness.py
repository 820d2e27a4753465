"""Views of records that may be one work, and of works that hold several: merge, split."""

from __future__ import annotations

from flask import Blueprint

views = Blueprint("likeness", __name__)
