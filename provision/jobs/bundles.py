"""Runs about bundles: brought to this release, suspended, opened, closed, erased, backed up.

Runs name a bundle as its server does (`b7f3k2m9q`): nothing personal, whatever becomes of it.
"""

from __future__ import annotations

import hashlib
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import date
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.jobs.work import RunKind, StepResult, UnderWay, one_step
from provision.registry import orders
from provision.registry.models import Bundle
from provision.registry.runs import PERSON_WAITS, WantedRun
from provision.workflows import offboard, plays, safekeeping, upkeep
from provision.workflows.offboard import BundleClosing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provision.jobs.work import Words
    from provision.servers.playbooks import Ready
    from provision.workflows.control import Control

DIGEST_LETTERS = 12


def of_one(kind: str, bundle: Bundle, **words: object) -> WantedRun:
    """Ask for a run about one bundle, which has its server to itself meanwhile."""
    return WantedRun(
        kind,
        f"bundle:{bundle.name}",
        [kind],
        {"bundle": bundle.name, **words},
        server=bundle.server,
        subscriber_id=bundle.subscriber_id,
    )


def closed(bundle: Bundle, closing: BundleClosing) -> WantedRun:
    """Ask for the end of a bundle's services."""
    words = {name: _plain(value) for name, value in asdict(closing).items()}
    return of_one("close", bundle, **words)


def deployments(wanted: Sequence[Bundle], priority: int = PERSON_WAITS) -> list[WantedRun]:
    """Ask for a run per server that brings these bundles to what this release says."""
    by_server = sorted(wanted, key=lambda bundle: (bundle.server, bundle.domain))
    each = []
    for server, some in groupby(by_server, key=lambda bundle: bundle.server):
        standing = list(some)
        names = [bundle.name for bundle in standing]
        alone = standing[0].subscriber_id if len(standing) == 1 else None
        subject = f"bundle:{names[0]}" if alone else f"bundles of:{server}:{digest(names)}"
        words = {"bundles": names}
        each.append(
            WantedRun(
                "deploy bundles",
                subject,
                names,
                words,
                server=server,
                priority=priority,
                subscriber_id=alone,
            )
        )
    return each


def digest(names: Sequence[str]) -> str:
    """Return what tells these bundles of a server from others: asked for apart, they are two."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:DIGEST_LETTERS]


def named(control: Control, name: str) -> Bundle:
    """Return the bundle with this Unix user, with its users and devices.

    Raises UsageRefused once it is erased: its domain may be somebody else's since.
    """
    with control.reading() as session:
        bundle = session.scalars(select(Bundle).where(Bundle.name == name)).one()
        if bundle.state == offboard.ERASED:
            raise UsageRefused(f"The bundle {name} is erased", "Nothing is left to do with it.")
        return orders.load_bundle(bundle)


@contextmanager
def _deploy(control: Control, words: Words) -> Iterator[UnderWay]:
    names = words["bundles"]
    with closing(plays.each_ready(control, len(names))) as started:
        yield UnderWay({name: partial(_deploy_one, control, name, started) for name in names})


def _deploy_one(control: Control, name: str, started: Iterator[Ready]) -> StepResult:
    bundle = named(control, name)
    control.tell(bundle.domain)
    changed = upkeep.deploy(control, bundle, ready=next(started))
    return StepResult(f"{changed} changed", {"bundle": name, "changed": changed})


def _bring(control: Control, words: Words) -> StepResult:
    domain = named(control, words["bundle"]).domain
    upkeep.change_state(control, domain, words["state"], words["why"])
    return StepResult(f"{domain} is {words['state']}")


def _close(control: Control, words: Words) -> StepResult:
    domain = named(control, words["bundle"]).domain
    last_day, on = date.fromisoformat(words["last_day"]), date.fromisoformat(words["on"])
    asked = BundleClosing(words["why"], last_day, on, words["how"], words["refund"])
    numbers = offboard.close(control, domain, asked).numbers
    return StepResult(f"{domain} is closed", [asdict(number) for number in numbers])


def _erase(control: Control, words: Words) -> StepResult:
    """Erase a bundle; where the word of its end was lost, it is erased already."""
    with control.reading() as session:
        state = session.scalar(select(Bundle.state).where(Bundle.name == words["bundle"]))
    if state == offboard.ERASED:
        return StepResult("it is erased")
    domain = named(control, words["bundle"]).domain
    offboard.erase(control, domain, words["why"], hurry=words["hurry"])
    return StepResult("it is erased")


def _back_up(control: Control, words: Words) -> StepResult:
    snapshot = safekeeping.run(control, named(control, words["bundle"]).domain)
    return StepResult(f"snapshot {snapshot[:8]}", {"snapshot": snapshot})


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


DEPLOY = RunKind(_deploy, each=True)
BRING = one_step("bring", _bring)
CLOSE = one_step("close", _close)
ERASE = one_step("erase", _erase)
BACK_UP = one_step("back up", _back_up)
