"""The two front ends, HTTP and the command line: the only place where the parts are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from kb.config import Config


def create_app(config: Config) -> Flask:
    """The WSGI application over the data folder of these settings."""
    from web.application import build
    from web.parts import Parts

    return build(Parts(config))
