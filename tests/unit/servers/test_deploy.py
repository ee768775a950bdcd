"""What is remembered of a play that failed: only what certainly came to its end."""

from __future__ import annotations

import pytest

from provision.servers.deploy import finished
from provision.servers.outcomes import PlayResult

# `clouds` runs tasks while `packages` works; `ready` runs tasks of `clouds`.
SITE = ["packages", "base", "clouds", "mail", "ready"]


@pytest.mark.parametrize(
    ("visited", "began", "failed_in", "done"),
    [
        (SITE, ["packages"], "packages", []),
        (SITE, ["packages", "clouds"], "packages", []),
        (SITE, ["packages", "clouds"], "clouds", []),
        (SITE, ["packages", "clouds", "base"], "base", ["packages"]),
        (SITE, ["packages", "clouds", "base", "mail"], "mail", ["packages", "base", "clouds"]),
        (SITE, ["packages", "clouds", "base"], "clouds", ["packages", "base"]),
        (["mail", "ready"], ["mail", "ready", "clouds"], "clouds", ["mail"]),
        (SITE, ["packages", "clouds", "base", "mail", "ready"], "clouds", ["packages", "base"]),
        (SITE, [], "", []),
    ],
)
def test_only_roles_before_the_failure_are_finished(
    visited: list[str], began: list[str], failed_in: str, done: list[str]
) -> None:
    result = PlayResult({}, {}, {}, {}, 0.0, roles=tuple(began), failed_in=failed_in)
    assert list(finished(visited, result)) == done
