"""What holds for every test: nobody acts unless the test says who, and the log is as nobody set it up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from kb.audit import SYSTEM, acting


@pytest.fixture(autouse=True)
def nobody_acts() -> Iterator[None]:
    """A request of an earlier test in this process leaves no actor behind."""
    with acting(SYSTEM):
        yield


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """A command that an earlier test ran in this process leaves no level of the log behind."""
    yield
    structlog.reset_defaults()
