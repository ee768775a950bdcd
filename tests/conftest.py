"""Two processes for the long tests: one for all that need the prepared region, one for the rest."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the process of each test, for `pytest -n 2 --dist loadgroup`."""
    for item in items:
        needs_region = "region" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("region" if needs_region else "rest"))
