"""What holds for every test: nobody acts unless the test says who."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kb.audit import SYSTEM, acting


@pytest.fixture(autouse=True)
def nobody_acts() -> Iterator[None]:
    """A request of an earlier test in this process leaves no actor behind."""
    with acting(SYSTEM):
        yield
