"""From an order to a bundle that real clients use, step by step, resumable at each."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision.checks.findings import Result
from provision.errors import PaquetError
from provision.registry import orders, states
from provision.servers.playbooks import start_ansible
from provision.subscriptions.selling import opening
from provision.workflows import checking, devices, kits, plays, safekeeping, zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.checks.findings import Finding
    from provision.registry.models import Bundle
    from provision.servers.playbooks import Ready
    from provision.workflows.control import Control

# The steps of an order, and what a person is told when one begins.
TOLD = {
    "names": "its records in DNS",
    "bundle": "mail, cloud, and the key of the first device",
    "device": "its key",
    "checks": "looks from outside, as the device will, during the first backup",
    "kit": "what its owner takes home",
}
STEPS = tuple(TOLD)


@dataclass
class Delivery:
    """What one run of an order knows and makes on its way."""

    control: Control
    order_id: int
    bundle: Bundle
    ready: Ready | None = None
    enrolled: devices.Enrolled | None = None
    is_bundle_made: bool = False
    findings: Sequence[Finding] = ()
    kit: Path | None = None

    def take_ready(self) -> Ready | None:
        """Return the Ansible that waits for its one play, the first time."""
        ready, self.ready = self.ready, None
        return ready


@contextmanager
def begin(control: Control, order_id: int) -> Iterator[Delivery]:
    """Yield what the steps of an order share, while an Ansible waits for its first play.

    Done twice, a step does nothing twice: each is idempotent.
    """
    with start_ansible(control.settings) as ready:
        with control.reading() as session:
            bundle = orders.load_bundle(orders.get(session, order_id).bundle)
        yield Delivery(control, order_id, bundle, ready)


def settle(session: Session, control: Control, order_id: int, state: str, why: str) -> None:
    """Bring an order to where its run is: `state` is one of `registry.states.ORDER`.

    A delivered one begins its subscription.
    """
    order = orders.get(session, order_id)
    told = (orders.subject(order), control.told(why))
    if state != order.state or state == "provisioning":
        states.change_state(session, order, states.ORDER, state, told=told)
    opened = opening.of_order(session, order_id) if state == "delivered" else None
    if opened is not None:
        opening.begin(session, opened, control.today())


def left(not_done: Sequence[str]) -> list[str]:
    """Return the steps to run: the secret of a device lives in memory until its kit is written."""
    again = {"device"} if "kit" in not_done else set()
    return [name for name in STEPS if name in not_done or name in again]


def _publish_names(delivery: Delivery) -> str:
    changed = zones.publish(delivery.bundle, delivery.control.settings)
    return f"{len(changed.creates) + len(changed.updates)} records written"


def _make_bundle(delivery: Delivery) -> str:
    """Make all that the bundle is, its first device too, and begin its first backup."""
    control = delivery.control
    device, secret = devices.first(control, delivery.order_id)
    play = plays.bundle_play("bundle.yml", delivery.bundle, control)
    with_backup = replace(play, variables={**play.variables, "first_backup": True})
    whole = plays.with_device(with_backup, device, "enrol", control, secret)
    result = plays.change(control, whole, delivery.take_ready())
    delivery.enrolled = devices.enrolled(device, secret, result)
    delivery.is_bundle_made = True
    return f"{delivery.bundle.domain} works on {delivery.bundle.server}"


def _enrol_device(delivery: Delivery) -> str:
    """Give the device a new secret, unless this run has just made it with the bundle."""
    if delivery.enrolled is None:
        ready = delivery.take_ready()
        delivery.enrolled = devices.enrol_first(delivery.control, delivery.order_id, ready)
    return f"{delivery.enrolled.device.name} may sync"


def _check(delivery: Delivery) -> str:
    secret = delivery.enrolled.secret if delivery.enrolled else None
    if not delivery.is_bundle_made:  # what an earlier run began may keep the cloud still
        safekeeping.first(delivery.control, delivery.bundle)
    findings = checking.check_bundle(delivery.control, delivery.bundle, secret)
    delivery.findings = findings
    wrong = [finding for finding in findings if finding.result is Result.ERROR]
    if wrong:
        told = "; ".join(f"{finding.check}: {finding.message}" for finding in wrong)
        raise PaquetError(f"{len(wrong)} checks from outside are red: {told}", wrong[0].hint)
    snapshot = safekeeping.first(delivery.control, delivery.bundle)
    return f"{len(findings)} checks from outside, first snapshot {snapshot[:8]}"


def _write_kit(delivery: Delivery) -> str:
    if delivery.enrolled is None:
        raise PaquetError("The device has no secret in this run")
    delivery.kit = kits.write_kit(delivery.control, delivery.enrolled)
    return str(delivery.kit)


ACTIONS: Mapping[str, Callable[[Delivery], str]] = {
    "names": _publish_names,
    "bundle": _make_bundle,
    "device": _enrol_device,
    "checks": _check,
    "kit": _write_kit,
}
