"""A bundle brought to what the registry says: deployed, told its room, suspended, opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.registry import orders, states
from provision.workflows import bundles, capacity, plays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.registry.models import Bundle
    from provision.servers.playbooks import Ready
    from provision.workflows.control import Control


def deploy(
    control: Control, bundle: Bundle, *, dry_run: bool = False, ready: Ready | None = None
) -> int:
    """Bring `bundle` to what this release says; return how many tasks changed (would change)."""
    play = plays.bundle_play("bundle.yml", bundle, control)
    run = plays.rehearse if dry_run else plays.change
    return sum(run(control, play, ready).changed.values())


def rehearse_each(control: Control, wanted: Sequence[Bundle]) -> list[dict[str, object]]:
    """Say what would change of each: a row each, with its domain, and what changes or the error.

    Of one alone the error is raised.
    """
    rows: list[dict[str, object]] = []
    for bundle, ready in zip(wanted, plays.each_ready(control, len(wanted)), strict=True):
        control.tell(bundle.domain)
        try:
            changed = deploy(control, bundle, dry_run=True, ready=ready)
        except PaquetError as error:
            if len(wanted) == 1:
                raise
            rows.append({"domain": bundle.domain, "changed": None, "error": error.message})
        else:
            rows.append({"domain": bundle.domain, "changed": changed, "error": None})
    return rows


def bring_room(control: Control, domain: str) -> None:
    """Tell the server of a bundle the room of today, unless it knows. Raises PaquetError."""
    bundle = bundles.find(control, domain)
    with control.reading() as session:
        if not capacity.is_due(session, bundle, control.today()):
            return
    tell_server(control, bundle, "The subscription")


def tell_server(control: Control, bundle: Bundle, what: str) -> None:
    """Deploy a bundle, of which `what` is changed here. Raises PaquetError that says so."""
    try:
        deploy(control, bundle)
    except PaquetError as failed:
        raise PaquetError(
            f"{what} is changed, and its server not yet: {failed.message}",
            f"{failed.hint} Then: paquet bundle deploy {bundle.domain}".strip(),
        ) from failed


def change_state(control: Control, domain: str, state: str, why: str) -> Bundle:
    """Suspend the bundle of `domain` or open it again: registry first, then the server.

    Killed in between, the same command brings the server to what the registry says.
    """
    with control.session() as session:
        bundle = change_in_registry(session, control, domain, (state, why))
    plays.change(control, plays.bundle_play("bundle.yml", bundle, control))
    return bundle


def change_in_registry(
    session: Session, control: Control, domain: str, wanted: tuple[str, str]
) -> Bundle:
    """Write the state of the bundle of `domain` and why, unless it has that state already."""
    state, why = wanted
    bundle = bundles.living(session, domain)
    if bundle.state != state:
        told = (f"bundle:{bundle.name}", control.told(why))
        states.change_state(session, bundle, states.BUNDLE, state, told=told)
    return orders.load_bundle(bundle)
