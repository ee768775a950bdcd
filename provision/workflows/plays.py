"""What the plays about a bundle are given, and the one way to run them: locked and fenced."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.edges import CLOUD_LOGIN
from provision.errors import PaquetError
from provision.phones.autoconfig import Services, autoconfig_xml
from provision.registry import states
from provision.registry.models import Bundle
from provision.registry.secrets import open_safe
from provision.servers import guard, inventory
from provision.servers.play import Play
from provision.servers.playbooks import run_ready, start_ansible
from provision.servers.variables import server_variables
from provision.workflows import capacity, names
from provision.workflows.claims import claim

if TYPE_CHECKING:
    from collections.abc import Generator

    from pydantic import SecretStr

    from provision.registry.models import Device
    from provision.servers.outcomes import PlayResult
    from provision.servers.playbooks import Ready
    from provision.settings import Settings
    from provision.workflows.control import Control

WHOLE, ERASE = "bundle.yml", "erase.yml"
BUNDLE_SECRETS = (
    "dkim_private_key",
    "backup_password",
    "backup_login",
    "backup_login_bcrypt",
    "cloud_admin_password",
    "cloud_mail_secret",
)


def change(control: Control, play: Play, ready: Ready | None = None) -> PlayResult:
    """Run `play` alone on its hosts: each one is locked, with a fence that only grows.

    `ready` is an Ansible that was started before; else one starts while the locks are taken.

    Raises PaquetError when its bundle was closed, erased, suspended or opened while it waited, or
    when its erasing began and this is something else: else an old wish would bring back what is
    erased, or take away what was ordered under its name since.
    """
    _refuse_overtaken(play, control)
    with ExitStack() as held:
        ansible = nullcontext(ready) if ready else start_ansible(control.settings)
        ready = held.enter_context(ansible)
        permits = []
        for host in sorted(play.hosts, key=lambda host: host.name):  # one order: no deadlock
            lock = guard.hold(host, control.settings, claim(control, host))
            permits.append(held.enter_context(lock).permit)
        _refuse_overtaken(play, control)
        done = run_ready(
            play,
            ready,
            permits=permits,
            on_part=lambda part: control.tell(f"  {part.words}"),
        )
    _note_room(play, control)
    return done


def rehearse(control: Control, play: Play, ready: Ready | None = None) -> PlayResult:
    """Say what `play` would change, reading reality; the servers stay as they are."""
    _refuse_overtaken(play, control)
    with nullcontext(ready) if ready else start_ansible(control.settings) as ansible:
        return run_ready(play, ansible, check=True)


def each_ready(control: Control, count: int) -> Generator[Ready, None, None]:
    """Yield an Ansible for each of `count` plays; the next one starts while a play runs."""
    started: deque[tuple[ExitStack, Ready]] = deque()
    with ExitStack() as whole:
        for left in range(count, 0, -1):
            while len(started) < min(left, 2):
                own = whole.enter_context(ExitStack())
                started.append((own, own.enter_context(start_ansible(control.settings))))
            own, ready = started.popleft()
            with own:
                yield ready


def bundle_play(playbook: str, bundle: Bundle, control: Control) -> Play:
    """Return the play `playbook` for `bundle` on its server and its backup server.

    It gives the bundle the room of its subscription's version in force.
    """
    with control.session() as session:
        room = capacity.in_force(session, bundle, control.today()).room
        safe = open_safe(session, control.settings.key_file)
        secrets = {name: safe.get(f"bundle:{bundle.name}", name) for name in BUNDLE_SECRETS}
    return replace(_play(playbook, bundle, control.settings, room), secrets=secrets)


def erasing_play(bundle: Bundle, control: Control) -> Play:
    """Return the play that takes `bundle` away for good; it needs none of its secrets."""
    return _play(ERASE, bundle, control.settings)


def device_play(
    device: Device, action: str, control: Control, secret: SecretStr | None = None
) -> Play:
    """Return the play that enrols (with its secret) or revokes a device on its server."""
    bundle = device.user.bundle
    play = _play("device.yml", bundle, control.settings)
    hosts = [host for host in play.hosts if host.name == bundle.server]
    return with_device(replace(play, hosts=hosts), device, action, control, secret)


def with_device(
    play: Play, device: Device, action: str, control: Control, secret: SecretStr | None = None
) -> Play:
    """Return `play`, on the server of the bundle, with a device to enrol or revoke."""
    bundle = device.user.bundle
    described = {
        "id": device.id,
        "address": device.user.address,
        "name": device.name,
        "secret_sha256": device.secret_sha256,
        "bundle": bundle.name,
        "cloud": bundle.cloud,
        "action": action,
        "signed_with": _certificate(bundle, control.settings) if device.kind == "ios" else "",
    }
    return replace(
        play,
        variables={**play.variables, "device": described},
        secrets={**play.secrets, **({"device_secret": secret} if secret else {})},
    )


def describe(bundle: Bundle, settings: Settings, room: int | None = None) -> dict[str, object]:
    """Return what the plays know of `bundle`, with `room` bytes or what it has; no secret."""
    room = bundle.quota_bytes if room is None else room
    in_zone = names.is_in_zone(bundle.domain, settings)
    host = names.cloud_host(bundle.domain, settings)
    return {
        "name": bundle.name,
        "cloud": bundle.cloud,
        "cloud_version": bundle.cloud_version,
        "domain": bundle.domain,
        "host": host,
        "hosts": [host] if in_zone else [host, f"autoconfig.{bundle.domain}"],
        "certificate": "zone" if names.has_wildcard(bundle.domain, settings) else "http",
        "state": bundle.state,
        "quota_bytes": room,
        "users": [
            {
                "address": user.address,
                "display_name": user.display_name,
                "quota_bytes": min(user.quota_bytes or room, room),
            }
            for user in bundle.users
        ],
        "aliases": [
            {"address": f"{login}@{bundle.domain}", "target": bundle.users[0].address}
            for login in ("postmaster", "abuse", CLOUD_LOGIN)
        ],
        "cloud_address": f"{CLOUD_LOGIN}@{bundle.domain}",
        "dkim_selector": bundle.dkim_selector,
        "autoconfig_xml": _autoconfig(bundle, settings),
    }


def _play(playbook: str, bundle: Bundle, settings: Settings, room: int | None = None) -> Play:
    server = inventory.find(settings.inventory, bundle.server)
    backup = inventory.find(settings.inventory, bundle.backup_server)
    variables = {
        **server_variables(server, settings),
        "backup_server_name": backup.server_name,
        "bundle": describe(bundle, settings, room),
    }
    return Play(playbook, [server, backup], variables)


def _note_room(play: Play, control: Control) -> None:
    """Write down which room the server was told."""
    told = play.variables.get("bundle")
    if play.playbook == WHOLE and isinstance(told, dict):
        with control.session() as session:
            bundle = session.scalars(select(Bundle).where(Bundle.name == told["name"])).one()
            bundle.quota_bytes = told["quota_bytes"]


def _refuse_overtaken(play: Play, control: Control) -> None:
    told = play.variables.get("bundle")
    if not isinstance(told, dict):
        return
    with control.session() as session:
        state = session.scalar(select(Bundle.state).where(Bundle.name == told["name"]))
        erasing = play.playbook != ERASE and states.is_erasing(session, told["name"])
    if state != told["state"]:
        raise PaquetError(
            f"The bundle of {told['domain']} became {state} while this waited for its server",
            "Look at it (paquet bundle list), and say it again if it is still meant.",
        )
    if erasing:
        raise being_erased(told["domain"])


def being_erased(domain: str) -> PaquetError:
    """Return the refusal of whatever would change, or bring back, what is being erased."""
    return PaquetError(
        f"The bundle of {domain} is being erased", f"Finish it: paquet bundle erase {domain}"
    )


def _certificate(bundle: Bundle, settings: Settings) -> str:
    """Return the name under which the server keeps the certificate of the bundle's web site."""
    if names.has_wildcard(bundle.domain, settings):
        return settings.operator.zone
    return names.cloud_host(bundle.domain, settings)


def _autoconfig(bundle: Bundle, settings: Settings) -> str:
    server = inventory.find(settings.inventory, bundle.server)
    url = f"https://{names.cloud_host(bundle.domain, settings)}"
    return autoconfig_xml(
        Services(
            domain=bundle.domain,
            mail_host=server.server_name,
            dav_url=url + names.DAV_PATHS[bundle.cloud],
            files_url=f"{url}{names.FILES_PATHS[bundle.cloud]}%EMAILADDRESS%/",
            operator_name=settings.operator.name,
        )
    )
