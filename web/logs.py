"""What the programs write of themselves: events and keys on stderr, as JSON unless a person is watching."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(level: int = logging.WARNING) -> None:
    """Set the log of this process up; called once by each program."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
