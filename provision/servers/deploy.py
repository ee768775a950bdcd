"""Bring one server to what site.yml says, visiting only the roles that have something new."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from provision.servers.digests import role_digests, roles_of
from provision.servers.guard import hold
from provision.servers.outcomes import PlayFailed
from provision.servers.play import Play
from provision.servers.playbooks import find_playbook, run_play, run_ready, start_ansible
from provision.servers.variables import server_secrets, site_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provision.servers.guard import Claim, Hold
    from provision.servers.inventory import Host
    from provision.servers.outcomes import PlayResult
    from provision.servers.playbooks import OnPart
    from provision.settings import Settings

SITE, AGAIN = "site.yml", "again.yml"


@dataclass(frozen=True)
class Deployment:
    """What a deployment did; `unchanged` are the roles that needed no visit.

    `problems` tell what it goes on without: a certificate that the authority did not give.
    """

    server: str
    changed: int
    visited: tuple[str, ...]
    unchanged: tuple[str, ...]
    seconds: float
    diffs: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def sentence(self, *, dry_run: bool = False) -> str:
        """Say what came of it to whoever ran it; `dry_run` is for one that only looked."""
        looked, left = len(self.visited), len(self.unchanged)
        if not looked:
            return "it is as it should be, nothing was to do"
        seen = f"in {looked} of {looked + left} parts; the others had nothing new"
        if not left:
            seen = f"in all {looked} parts"
        if not self.changed:
            return f"it is as it should be: looked {seen}, nothing had to change"
        things = "1 thing" if self.changed == 1 else f"{self.changed} things"
        return f"{things} {'would change' if dry_run else 'changed'}: looked {seen}"


def site_play(host: Host, settings: Settings) -> Play:
    """Return the play that prepares `host`."""
    return Play(SITE, [host], site_variables(host, settings), server_secrets(settings))


def deploy(
    play: Play,
    settings: Settings,
    claim: Claim,
    *,
    drift: bool = False,
    on_part: OnPart | None = None,
) -> Deployment:
    """Run `play` on its one host under the host's lock, without the roles that it has already.

    `drift` has the server look at all that these brought, and so finds what somebody changed by
    hand. When a role fails, the roles before it are remembered: run again, it goes on there.
    """
    started, (host,) = time.monotonic(), play.hosts
    playbook = find_playbook(play.playbook)
    wanted = role_digests(playbook, play, roles_of(playbook, host.groups))
    with ExitStack() as stack:
        ready = stack.enter_context(start_ansible(settings)) if drift else None
        held = stack.enter_context(hold(host, settings, claim))
        unchanged = _equal(wanted, held.digests)
        if ready and unchanged:
            again = Play(AGAIN, [host], {"again_roles": list(unchanged)})
            looked = run_ready(again, ready, permits=[held.permit], on_part=on_part)
            unchanged = tuple(looked.facts["same"])
        passed = () if drift else unchanged
        if wanted and len(unchanged) == len(wanted):
            visited = tuple(wanted) if drift else ()
            return Deployment(host.name, 0, visited, passed, time.monotonic() - started)
        told = {"new_server": not held.digests, "visit": held.permit.fence}
        given = replace(play, variables={**play.variables, **told}, skipped=unchanged)
        due = {role: wanted[role] for role in wanted if role not in unchanged}
        result = _visit(given, settings, held, due, on_part)
    return _describe(host, wanted, passed, result, started)


def rehearse(play: Play, settings: Settings, on_part: OnPart | None = None) -> Deployment:
    """Say what deploying would change, reading reality; the server stays as it is."""
    started, (host,) = time.monotonic(), play.hosts
    playbook = find_playbook(play.playbook)
    result = run_play(play, settings, on_part=on_part, check=True)
    wanted = dict.fromkeys(roles_of(playbook, host.groups), "")
    return _describe(host, wanted, (), result, started)


def _visit(
    play: Play,
    settings: Settings,
    held: Hold,
    due: Mapping[str, str],
    on_part: OnPart | None,
) -> PlayResult:
    """Run the play, and have the server remember each role of `due` that came to its end.

    Of one that was begun and did not, it knows nothing any more.
    """
    held.remember(dict.fromkeys(due, ""))
    try:
        result = run_play(play, settings, permits=[held.permit], on_part=on_part)
    except PlayFailed as failed:
        held.remember({role: due[role] for role in finished(list(due), failed.done)})
        raise
    held.remember(dict(due))
    return result


def _describe(
    host: Host,
    wanted: Mapping[str, str],
    unchanged: tuple[str, ...],
    result: PlayResult,
    started: float,
) -> Deployment:
    return Deployment(
        server=host.name,
        changed=result.changed.get(host.name, 0),
        visited=tuple(role for role in wanted if role not in unchanged),
        unchanged=unchanged,
        seconds=time.monotonic() - started,
        diffs=result.diffs,
        problems=tuple(problems(result)),
    )


def problems(result: PlayResult) -> Iterator[str]:
    """Yield what a play went on without; its server asks again by itself."""
    for name, told in result.facts.get("certificates", {}).items():
        if told["problem"]:
            yield f"no certificate yet for {name}, a placeholder stands there: {told['problem']}"


def _equal(wanted: Mapping[str, str], stored: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(role for role, digest in wanted.items() if stored.get(role) == digest)


def finished(visited: Sequence[str], result: PlayResult) -> tuple[str, ...]:
    """Return which of the `visited` roles, in the site's order, a failed play brought to their end.

    A role may run tasks of another one, before or after that has its turn: what was begun is
    known by the site's order, and nothing after the failure is taken for done. `NAME_ready` runs
    those of NAME, which had its turn.
    """
    begun = tuple(takewhile(result.roles.__contains__, visited))
    if result.failed_in in begun and begun[-1] != f"{result.failed_in}_ready":
        return begun[: begun.index(result.failed_in)]
    return begun[:-1]
