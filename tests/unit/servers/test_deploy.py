"""What is remembered of a play that failed: only what certainly came to its end."""

from __future__ import annotations

import pytest

from provision.servers.deploy import Deployment, finished, problems
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
        (["mail", "base", "mail_ready"], ["mail", "base", "mail_ready"], "mail", ["mail", "base"]),
        (["mail", "base", "mail_ready"], ["mail", "base"], "mail", []),
        (SITE, [], "", []),
    ],
)
def test_only_roles_before_the_failure_are_finished(
    visited: list[str], began: list[str], failed_in: str, done: list[str]
) -> None:
    result = PlayResult({}, {}, {}, {}, 0.0, roles=tuple(began), failed_in=failed_in)
    assert list(finished(visited, result)) == done


@pytest.mark.parametrize(
    ("changed", "looked", "left", "dry_run", "sentence"),
    [
        (0, 0, 23, False, "it is as it should be, nothing was to do"),
        (0, 8, 0, False, "it is as it should be: looked in all 8 parts, nothing had to change"),
        (12, 23, 0, False, "12 things changed: looked in all 23 parts"),
        (12, 23, 0, True, "12 things would change: looked in all 23 parts"),
        (
            1,
            2,
            21,
            False,
            "1 thing changed: looked in 2 of 23 parts; the others had nothing new",
        ),
    ],
)
def test_what_came_of_a_deployment_is_said_in_a_sentence(
    changed: int,
    looked: int,
    left: int,
    dry_run: bool,  # noqa: FBT001
    sentence: str,
) -> None:
    visited, unchanged = ("role",) * looked, ("role",) * left
    done = Deployment("bundles1", changed, visited, unchanged, 1.0)
    assert done.sentence(dry_run=dry_run) == sentence


def test_a_server_that_goes_on_without_a_certificate_is_said_so() -> None:
    told = {
        "one.test": {"state": "placeholder", "problem": "it has no such name"},
        "two.test": {"state": "good", "problem": ""},
    }
    (problem,) = problems(PlayResult({}, {}, {}, {"certificates": told}, 0.0))
    assert problem.startswith("no certificate yet for one.test")
    assert problem.endswith("it has no such name")
    assert list(problems(PlayResult({}, {}, {}, {}, 0.0))) == []
