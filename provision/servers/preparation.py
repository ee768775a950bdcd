"""From a bare machine to a server, as one story: look, confirm, make ready, deploy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.servers import deploy, hostkeys, preflight
from provision.servers.bootstrap import bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from provision.servers.guard import Claim
    from provision.servers.hostkeys import HostKey
    from provision.servers.inventory import Host
    from provision.servers.playbooks import OnPart
    from provision.servers.preflight import PreflightFinding
    from provision.settings import Settings


@dataclass(frozen=True)
class Answering:
    """Who is asked and told: a terminal, or the flags of a call without one."""

    confirm_key: Callable[[HostKey], bool]
    tell: Callable[[str], None] = lambda _: None
    on_part: OnPart | None = None
    host_key: str = ""


@dataclass(frozen=True)
class Preparation:
    """What preparing did, or (`deployment` absent) what it would do to a bare machine."""

    findings: tuple[PreflightFinding, ...]
    bootstrapped: tuple[str, ...]
    deployment: deploy.Deployment | None
    seconds: float


def prepare(
    host: Host, settings: Settings, claim: Claim, person: Answering, *, dry_run: bool = False
) -> Preparation:
    """Prepare `host`: refuse an unfit machine before touching it, bootstrap it, run site.yml.

    Interrupted, it is run again and goes on. Raises Unfit, Unreachable, UnsafeChange, PlayFailed.
    """
    started = time.monotonic()
    key = hostkeys.trust(host, settings, person.host_key, person.confirm_key)
    login, facts = preflight.examine(host, settings)
    findings = preflight.judge(facts, host.groups, time.time())
    for finding in findings:
        person.tell(f"{finding.subject}: {finding.verdict}: {finding.sentence}")
    preflight.refuse_unfit(host, findings)
    changes = bootstrap(host, login, key, dry_run=dry_run)
    for change in changes:
        person.tell(f"bootstrap: {change}")
    done = None if dry_run and changes else _deploy(host, settings, claim, person, dry_run=dry_run)
    return Preparation(tuple(findings), tuple(changes), done, time.monotonic() - started)


def _deploy(
    host: Host, settings: Settings, claim: Claim, person: Answering, *, dry_run: bool
) -> deploy.Deployment:
    play = deploy.site_play(host, settings)
    if dry_run:
        return deploy.rehearse(play, settings, person.on_part)
    return deploy.deploy(play, settings, claim, on_part=person.on_part)
