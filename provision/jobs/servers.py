"""Runs about servers: made of a bare machine, and brought to what this release says."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from provision.jobs.work import StepResult, one_step
from provision.registry import fences
from provision.registry.runs import WantedRun
from provision.servers import deploy as deploying
from provision.servers import inventory, preparation
from provision.workflows import claims

if TYPE_CHECKING:
    from provision.jobs.work import Words
    from provision.servers.outcomes import PartStart
    from provision.workflows.control import Control


def of_server(kind: str, server: str, **words: object) -> WantedRun:
    """Ask for a run that has a server to itself."""
    asked = {"server": server, **words}
    return WantedRun(kind, f"server:{server}", [kind], asked, server=server)


def tell_part(control: Control, part: PartStart) -> None:
    """Tell which part of a server has its turn."""
    control.tell(f"{part.role}: {part.words}")


def _prepare(control: Control, words: Words) -> StepResult:
    """Prepare a server whose host key was confirmed before: nobody is asked here."""
    host = inventory.find(control.settings.inventory, words["server"])
    person = preparation.Answering(lambda _key: False, control.tell, partial(tell_part, control))
    claim = claims.claim(control, host, force=words["force"])
    done = preparation.prepare(host, control.settings, claim, person)
    with control.session() as session:
        fences.known_server(session, host.name).prepared_at = control.clock()
    return StepResult(f"{host.name} is prepared", asdict(done))


def _deploy(control: Control, words: Words) -> StepResult:
    host = inventory.find(control.settings.inventory, words["server"])
    done = deploying.deploy(
        deploying.site_play(host, control.settings),
        control.settings,
        claims.claim(control, host, force=words["force"]),
        drift=words["drift"],
        on_part=partial(tell_part, control),
    )
    return StepResult(done.sentence(), asdict(done))


PREPARE = one_step("prepare", _prepare)
DEPLOY = one_step("deploy", _deploy)
