"""Many bundles brought to what this release says: a run per server, a row per bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.jobs import bundles, starting
from provision.jobs.engine import StepFailed
from provision.registry import runs
from provision.registry.runs import DONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provision.registry.models import Bundle, RunStep
    from provision.workflows.control import Control


def deploy_all(control: Control, wanted: Sequence[Bundle]) -> list[dict[str, object]]:
    """Deploy all of them: one that broke its own cloud keeps no neighbour from what is new.

    Returns a row each, with its domain, and what changed or the error. Of one alone it is raised.
    """
    domains = {bundle.name: bundle.domain for bundle in wanted}
    asked = [starting.ask(control, wish) for wish in bundles.deployments(wanted)]
    for run_id in asked:
        try:
            starting.finish(control, run_id)
        except StepFailed:
            continue  # its rows say what failed
    return [_row(step, domains[step.name]) for step in _steps(control, asked)]


def _steps(control: Control, asked: Sequence[int]) -> Iterator[RunStep]:
    with control.reading() as session:
        for run_id in asked:
            yield from runs.get(session, run_id).steps


def _row(step: RunStep, domain: str) -> dict[str, object]:
    if step.state == DONE and isinstance(step.facts, dict):
        return {"domain": domain, "changed": step.facts["changed"], "error": None}
    return {"domain": domain, "changed": None, "error": step.message or "its turn did not come"}
