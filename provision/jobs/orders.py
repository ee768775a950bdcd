"""The run that delivers an order."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from provision.jobs.work import RunKind, StepResult, UnderWay
from provision.registry.runs import DONE, RUNNING
from provision.workflows import onboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from provision.jobs.work import Words
    from provision.workflows.control import Control
    from provision.workflows.onboard import Delivery

STATES = {RUNNING: "provisioning", DONE: "delivered"}
ELSE = "failed"  # it can go on


@contextmanager
def _begin(control: Control, words: Words) -> Iterator[UnderWay]:
    with onboard.begin(control, words["order"]) as delivery:
        steps = {name: partial(_do, do, delivery) for name, do in onboard.ACTIONS.items()}
        yield UnderWay(steps, delivery)


def _do(do: Callable[[Delivery], str], delivery: Delivery) -> StepResult:
    return StepResult(do(delivery))


def _settle(session: Session, control: Control, words: Words, state: str, why: str) -> None:
    onboard.settle(session, control, words["order"], STATES.get(state, ELSE), why)


DELIVERY = RunKind(_begin, _settle, onboard.left, onboard.TOLD, go_on="paquet order resume {}")
