"""An order before its delivery: check, preview, place, what is left of it, cancel."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import bcrypt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from provision import edges
from provision.errors import PaquetError, UsageRefused
from provision.languages import spoken
from provision.phones.devices import make_secret
from provision.registry import fences, orders, runs, states
from provision.registry.orders import DkimKey, Wish
from provision.registry.secrets import open_safe
from provision.servers import artifacts, inventory
from provision.subscriptions.documents import union_consumers
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import identities, organisations, people
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.selling import cancelling, opening
from provision.subscriptions.selling.opening import Sale
from provision.workflows import names, onboard, zones
from provision.workflows.rooms import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from provision.dns.changes import ChangeSet
    from provision.registry.models import Bundle, Order
    from provision.servers.inventory import Host
    from provision.subscriptions.documents.issuing import Number
    from provision.workflows.control import Control

SELECTOR = "paquet"
DKIM_BITS = 2048
SECRET_BYTES = 32
BUNDLES_PER_SERVER = 200


@dataclass(frozen=True)
class Words:
    """What the person typed, not yet checked; `customer` is what `identities.changed` takes."""

    email: str
    name: str
    plan: str
    domain: str
    cloud: str
    server: str | None
    sold_by: str
    supported_by: str | None
    login: str | None
    language: str | None
    device: str
    kind: str
    customer: Mapping[str, object] = field(default_factory=dict)


def check(control: Control, words: Words) -> Wish:
    """Return the wish, every word of it good, or raise with one sentence. Touches nothing."""
    settings = control.settings
    hosts = inventory.read(settings.inventory)
    taken = frozenset(host.server_name for host in hosts.values())
    email = edges.email(words.email)
    domain = edges.bundle_domain(words.domain, settings.operator.zone, taken)
    with control.session() as session:
        plan = plans.get(session, words.plan)
        seller = organisations.get(session, words.sold_by)
        supporter = organisations.get(session, words.supported_by or words.sold_by)
        sale = Sale(plan, seller, supporter)
        contract_id = opening.terms_on(session, sale, control.today()).id
        server = _placed(session, control, words.server, domain)
    wish = Wish(
        email=email,
        name=edges.person_name(words.name),
        login=edges.login(words.login or email.partition("@")[0]),
        language=words.language or settings.operator.language,
        plan=plan.code,
        domain=domain,
        cloud=words.cloud,
        cloud_version=_version(control, words.cloud),
        server=server.name,
        backup_server=_backup_server(hosts, server).name,
        sold_by=seller.name,
        supported_by=supporter.name,
        device=edges.person_name(words.device, "name of the device"),
        kind=words.kind,
        quota_bytes=plan.quota_gib * GIB,
    )
    with control.session() as session:
        orders.find_twin(session, wish)
        buyer = identities.changed(_known(session, wish), words.customer)
        union_consumers.check_sale(session, contract_id, buyer, control.today())
    return wish


def preview(control: Control, wish: Wish, customer: Mapping[str, object]) -> dict[str, object]:
    """Return what placing `wish` would do, without doing it."""
    host = inventory.find(control.settings.inventory, wish.server)
    with control.reading() as session:
        person = identities.changed(_known(session, wish), customer)
    return {
        "subscriber": f"{wish.name} <{wish.email}>",
        "invoices to": ", ".join(filter(None, (person.name, person.kind, person.siren))),
        "address": f"{wish.login}@{wish.domain}",
        "cloud": f"{wish.cloud} {wish.cloud_version}".strip(),
        "web": f"https://{names.cloud_host(wish.domain, control.settings)}/",
        "server": f"{wish.server} ({host.server_name})",
        "backup": wish.backup_server,
        "plan": wish.plan,
        "sold by": wish.sold_by,
        "supported by": "" if wish.supported_by == wish.sold_by else wish.supported_by,
    }


def is_placed(control: Control, wish: Wish) -> bool:
    """Tell whether this very order was placed before: placing it again changes nothing."""
    with control.reading() as session:
        return orders.find_twin(session, wish) is not None


def place(control: Control, wish: Wish, customer: Mapping[str, object] | None = None) -> int:
    """Write the order, its subscription and who the customer is down, and return its number.

    A twin keeps its own number.
    """
    private, dkim = _dkim_key()
    with control.session() as session:
        twin = orders.find_twin(session, wish)
        if twin is not None:
            return twin.id
        fences.known_server(session, wish.server)
        order = orders.place(session, wish, dkim=dkim, steps=onboard.STEPS, told=control.told())
        person = identities.changed(_known(session, wish), customer or {})
        identities.write(session, order.subscriber, person, control.today())
        opening.open_for_order(session, order, control.today())
        _keep_secrets(control, session, order, private)
        return order.id


def _known(session: Session, wish: Wish) -> Person:
    """Return what documents say of the customer so far: of somebody new, what was ordered."""
    subscriber = people.known(session, wish.email)
    known = identities.current(session, subscriber.id) if subscriber else None
    if known is not None:
        return identities.read(known)
    return Person(name=wish.name, email=wish.email, language=spoken(wish.language))


def _placed(session: Session, control: Control, wished: str | None, domain: str) -> Host:
    """Return the wished server, or the emptiest; refused when full, or not for `domain`."""
    hosts = inventory.read(control.settings.inventory)
    candidates = inventory.members(hosts, "bundles")
    if wished is not None:
        candidates = [inventory.find(control.settings.inventory, wished)]
        if "bundles" not in candidates[0].groups:
            raise UsageRefused(f"{wished} does not carry bundles", "See `paquet server list`.")
    if names.is_in_zone(domain, control.settings):
        candidates = [host for host in candidates if names.serves_zone(host)]
        if not candidates:
            raise UsageRefused(
                f"No bundle of {control.settings.operator.zone} may live on "
                f"{wished or 'any server'}",
                "See serves_zone in the inventory, or take a domain of the subscriber's own.",
            )
    room = {host.name: _room(session, host) for host in candidates}
    best = max(candidates, key=lambda host: room[host.name], default=None)
    if best is None or room[best.name] <= 0:
        raise UsageRefused(
            f"{wished or 'Every server'} is full",
            "Raise bundles_limit in the inventory, or prepare another server.",
        )
    return best


def _room(session: Session, host: Host) -> int:
    limit = host.variables.get("bundles_limit", BUNDLES_PER_SERVER)
    if not isinstance(limit, int):
        raise PaquetError(f"bundles_limit of {host.name} is not a number", "Mend the inventory.")
    return limit - orders.living_bundles(session, host.name)


def _backup_server(hosts: dict[str, Host], server: Host) -> Host:
    """Return the machine that keeps the backups of `server`: named there, or the only one."""
    known = {host.name: host for host in inventory.members(hosts, "backup")}
    named = server.variables.get("backup_server")
    if isinstance(named, str) and named in known:
        return known[named]
    if named is None and len(known) == 1:
        return next(iter(known.values()))
    raise PaquetError(
        f"It is not clear where the backups of {server.name} go",
        "Write backup_server: NAME at that host of the inventory; NAME is in the group backup.",
    )


def _version(control: Control, cloud: str) -> str:
    """Return the release that a new bundle gets; its archive must be in the cache."""
    if cloud != "nextcloud":
        return ""
    return artifacts.newest(control.settings, "nextcloud").version


def _dkim_key() -> tuple[SecretStr, DkimKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=DKIM_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return SecretStr(private.decode()), DkimKey(SELECTOR, public.decode())


def _keep_secrets(control: Control, session: Session, order: Order, dkim: SecretStr) -> None:
    """Seal what the bundle needs and only the registry may know."""
    owner, safe = f"bundle:{order.bundle.name}", open_safe(session, control.settings.key_file)
    login = secrets.token_urlsafe(SECRET_BYTES)
    hashed = bcrypt.hashpw(login.encode(), bcrypt.gensalt(rounds=8)).decode()
    safe.put(owner, "dkim_private_key", dkim)
    safe.put(owner, "backup_password", SecretStr(secrets.token_urlsafe(SECRET_BYTES)))
    safe.put(owner, "backup_login", SecretStr(login))
    safe.put(owner, "backup_login_bcrypt", SecretStr(hashed))
    safe.put(owner, "cloud_admin_password", SecretStr(secrets.token_urlsafe(SECRET_BYTES)))
    safe.put(owner, "cloud_mail_secret", make_secret())


def left(session: Session, number: int) -> dict[str, object]:
    """Return what is left to do of an order: its `steps` in turn, none of a delivered one.

    Raises PaquetError for an order that cannot go on.
    """
    order = orders.get(session, number)
    if order.state == "cancelled":
        raise PaquetError(f"Order {number} is cancelled", "Place a new one: paquet order place.")
    names_left: list[str] = []
    if order.state != "delivered":
        names_left = onboard.left(runs.left(orders.run_of(session, order)))
    return {
        "order": order.id,
        "state": order.state,
        "address": order.bundle.users[0].address if order.bundle.users else "",
        "server": order.bundle.server,
        "steps": [{"step": name, "what": onboard.TOLD[name]} for name in names_left],
    }


@dataclass(frozen=True)
class Cancelling:
    """The bundle of an order that can be cancelled, and what must leave its zone."""

    bundle: Bundle
    names: ChangeSet


def look(control: Control, number: int) -> Cancelling:
    """Return what cancelling an order takes away; nothing is changed.

    Raises UsageRefused once its bundle is on a server, and PaquetError when it is cancelled: its
    domain may be somebody else's since.
    """
    with control.reading() as session:
        order = orders.get(session, number)
        if "cancelled" not in states.ORDER[order.state]:
            raise PaquetError(f"Order {number} is {order.state} and cannot be cancelled")
        if "bundle" not in runs.untouched(orders.run_of(session, order)):
            raise UsageRefused(
                f"The bundle of order {number} stands on {order.bundle.server} already, in part",
                f"Finish it (paquet order resume {number}), then close it: paquet bundle close.",
            )
        bundle = orders.load_bundle(order.bundle)
    return Cancelling(bundle, zones.ending(bundle, control.settings))


def cancel_in_registry(session: Session, control: Control, number: int, why: str) -> list[Number]:
    """Write that an order is cancelled: its domain is free again, nobody owes for it.

    Returns the documents that give back what was deposited for it.
    """
    order = orders.get(session, number)
    told = control.told(why)
    subject = orders.subject(order)
    runs.cancel(session, orders.run_of(session, order), told)
    states.change_state(session, order, states.ORDER, "cancelled", told=(subject, told))
    orders.give_up(session, order.bundle, told)
    opened = opening.of_order(session, order.id)
    return [] if opened is None else cancelling.give_up(session, opened, on=control.today())
