"""A small world for the tests of privacy: Jeanne with everything, and Paul beside her."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import MetaData, select

from provision import database
from provision.migrations import upgrades
from provision.money import EUR, Amount
from provision.post import outbox
from provision.post.models import PostPause
from provision.post.outbox import Correspondent, Enclosed, NewLetter, Recipient
from provision.registry import fences, findings, orders, runs, secrets, states
from provision.registry.findings import LookedAt
from provision.registry.models import Device, Order, RunLine, Subscriber
from provision.registry.orders import DkimKey, Wish
from provision.registry.runs import WantedRun
from provision.registry.secrets import open_safe
from provision.registry.states import Told
from provision.settings import Operator, Settings
from provision.subscriptions.documents.models import Allocation, Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import BANK, Entry, Line
from provision.subscriptions.parties import identities, people, profiles
from provision.subscriptions.selling import billing, opening
from provision.subscriptions.selling.models import Discount, Subscription, Turnover
from provision.workflows.control import Control
from tests.integration.subscriptions.conftest import PLANS, Trade, founded

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

FILE, KEY = "registry.db", "paquet.key"
START, TODAY = date(2026, 1, 1), date(2026, 6, 15)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
TOLD = Told("treasurer", datetime(2026, 6, 15, 10, tzinfo=UTC), "asked by letter")
NAME, EMAIL, DOMAIN = "Jeanne Éloïse Martin", "jeanne.martin@exemple.test", "jeanne.paquet.test"
STREET = "12 rue des Lilas"


@dataclass(frozen=True)
class World:
    """Jeanne has a bundle, a device, a subscription with invoices; Paul has another."""

    engine: Engine
    folder: Path
    jeanne: int = 1
    paul: int = 2

    @property
    def control(self) -> Control:
        """The control machine of the treasurer, in whose world it is June for ever."""
        settings = Settings(
            operator=Operator(
                name="Les Amis", zone="paquet.test", language="fr", contact="aide@paquet.test"
            ),
            inventory=self.folder / "inventory.yml",
            key_file=self.folder / KEY,
            state=self.folder / "var",
        )
        return Control(settings, self.engine, "treasurer", clock=lambda: TOLD.at)


def build(folder: Path) -> None:
    """Build the world once, in a SQLite file from which `copied` makes as many as wanted."""
    engine = database.connect(f"sqlite:///{folder / FILE}")
    upgrades.upgrade(engine)
    make(engine, folder)
    engine.dispose()


def copied(built: Path, folder: Path) -> World:
    """Return a world of its own, as it was built in `built`."""
    for name in (FILE, KEY):
        shutil.copy(built / name, folder / name)
    return World(database.connect(f"sqlite:///{folder / FILE}"), folder)


def make(engine: Engine, folder: Path) -> World:
    """Build the world: bought in January, billed until June, nothing ended or paid."""
    secrets.make_key_file(folder / KEY)
    world = World(engine, folder)
    with database.transaction(engine) as session:
        trade = _trade(session)
        jeanne = _jeanne(trade, open_safe(session, world.control.settings.key_file))
        paul = Subscriber(
            name="Paul Durand", email="paul@exemple.test", language="fr", created_at=AT
        )
        session.add(paul)
        session.flush()
        trade.subscribe(paul)
        assert (jeanne.id, paul.id) == (world.jeanne, world.paul)
    for month in range(1, 7):
        billing.bill(engine, date(2026, month, 1))
    return world


def end(world: World, *, paid: bool = True) -> None:
    """Let Jeanne leave: bundle erased, subscription ended, all invoices paid."""
    with database.transaction(world.engine) as session:
        bundle = session.scalars(select(Order)).one().bundle
        told = (f"bundle:{bundle.name}", Told("admin", TOLD.at, f"{NAME} moves to Lyon"))
        for state in ("closed", "erased"):
            states.change_state(session, bundle, states.BUNDLE, state, told=told)
        ended = _subscription(session, world.jeanne)
        ended.state, ended.last_day = "ended", date(2026, 6, 30)
        if paid:
            pay(session, ended.id)


def pay(session: Session, subscription_id: int) -> None:
    """Set a payment against each invoice of the subscription."""
    wanted = select(Invoice).where(Invoice.subscription_id == subscription_id)
    for one in session.scalars(wanted.order_by(Invoice.number)).all():
        amount = Amount(EUR, one.gross)
        entry = Entry(
            organisation_id=one.organisation_id,
            effective_on=one.issued_on,
            text="Virement reçu",
            key=f"test:{one.series}:{one.number}",
            lines=(Line("512", amount), Line("411", -amount, one.party)),
            journal=BANK,
        )
        session.add(
            Allocation(
                organisation_id=one.organisation_id,
                series=one.series,
                number=one.number,
                position=1,
                units=one.gross,
                kind="payment",
                entry_number=posting.post(session, entry, TODAY).number,
                allocated_on=one.issued_on,
            )
        )


def everything(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, as the database has it."""
    there = MetaData()
    there.reflect(session.connection())
    return {
        table.name: [dict(row) for row in session.execute(select(table)).mappings()]
        for table in there.sorted_tables
    }


def _trade(session: Session) -> Trade:
    address = profiles.Address(lines=("1 place du Marché",), postcode="14000", city="Caen")
    words = {"address": address, "email": "bureau@exemple.test"}
    shop = {**words, "legal": "SARL au capital de 1 000 €", "vat": "liable"}
    friends = {**words, "legal": "Association loi de 1901"}
    seller = founded(session, said=shop, siren_typed="732 829 320")
    supporter = founded(session, "Les Amis du Libre", "association", friends)
    made = Trade(session, seller, supporter)
    made.bring(PLANS)
    made.contract()
    return made


def _quote(session: Session) -> None:
    """Let what jobs and checks tell of many people name this one."""
    wanted = WantedRun("check", "server:bundles1", ("bundles1",))
    run = runs.ask(session, wanted, Told("admin", AT))
    run.message = f"no answer to {EMAIL}"
    step = run.steps[0]
    step.message, step.facts = f"{EMAIL} is full", [{"message": f"550 <{EMAIL}>", "result": "ok"}]
    runs.keep_lines(session, run.id, [RunLine(at=AT, text=f"looks at {EMAIL}")])
    row = {"check": "mail", "result": "error", "message": f"{EMAIL} is away", "hint": EMAIL}
    findings.note(session, LookedAt("server:bundles1", [row]), AT)
    operator = Recipient("Les Amis", "aide@exemple.test")
    words = (f"{DOMAIN} is away", f"{EMAIL} is away\n")
    outbox.write(
        session,
        NewLetter("operator:1", "operator", START, Correspondent("A"), operator, *words),
        AT,
    )


def _jeanne(trade: Trade, safe: secrets.Safe) -> Subscriber:
    session = trade.session
    wish = Wish(
        email=EMAIL,
        name=NAME,
        login="jeanne",
        language="fr",
        plan="famille",
        domain=DOMAIN,
        cloud="light",
        cloud_version="",
        server="bundles1",
        backup_server="backup1",
        sold_by="Boutique Libre",
        supported_by="Les Amis du Libre",
        device="Téléphone de Jeanne",
        kind="android",
        quota_bytes=1 << 30,
    )
    fences.known_server(session, wish.server)
    order = orders.place(
        session, wish, dkim=DkimKey("paquet", "key"), steps=("bundle",), told=Told("admin", AT)
    )
    run = orders.run_of(session, order)
    run.steps[0].message = f"mailbox {EMAIL} made"
    runs.keep_lines(session, run.id, [RunLine(at=AT, text=f"mailbox {EMAIL}")])
    _quote(session)
    for state in ("provisioning", "delivered"):
        told = (orders.subject(order), Told("admin", AT, f"for {EMAIL}"))
        states.change_state(session, order, states.ORDER, state, told=told)
    user = order.bundle.users[0]
    device = Device(
        id="d1e2f3a4b5c6",
        user=user,
        name=wish.device,
        kind="android",
        secret_sha256="5ec4e7" * 10,
        created_at=AT,
    )
    session.add(device)
    states.record(session, "server:bundles1", f"moved {DOMAIN} for {NAME}", Told("admin", AT))
    states.record(session, "server:bundles1", "prepared for Paul Durand", Told("admin", AT))
    safe.put(f"bundle:{order.bundle.name}", "backup_password", SecretStr("not for export"))
    jeanne = order.subscriber
    opened = trade.subscribe(jeanne, order_id=order.id)
    opening.begin(session, opened, START)
    _address(session, jeanne)
    _letter(session, jeanne)
    session.add(
        Discount(subscription_id=opened.id, first_day=START, basis_points=1000, reason="solidarité")
    )
    session.add(
        Turnover(subscription_id=opened.id, month="2026-01", units=120_000, declared_on=START)
    )
    session.flush()
    return jeanne


def _address(session: Session, jeanne: Subscriber) -> None:
    at_home = profiles.Address(lines=(STREET,), postcode="14000", city="Caen")
    person = identities.Person(name=NAME, email=EMAIL, address=at_home)
    identities.write(session, jeanne, person, START)
    assert people.reference(session, jeanne.id).startswith("person-")


def _letter(session: Session, jeanne: Subscriber) -> None:
    """Write to Jeanne, and hold back what would come after."""
    to = Recipient(NAME, EMAIL, "fr", f"{STREET}\n14000 Caen", "14000", jeanne.id)
    words = (f"Bonjour {NAME}", f"{NAME}, voici un mot.\n", f"<p>{NAME}</p>")
    enclosed = (Enclosed("mot.pdf", content=NAME.encode()),)
    sender = Correspondent("Boutique Libre", "bureau@exemple.test")
    letter = NewLetter("word:1", "word", START, sender, to, *words, enclosed=enclosed)
    assert outbox.write(session, letter, AT)
    pause = PostPause(subscriber_id=jeanne.id, reason="litige", actor="admin", since=START)
    session.add(pause)


def _subscription(session: Session, subscriber_id: int) -> Subscription:
    wanted = select(Subscription).where(Subscription.subscriber_id == subscriber_id)
    return session.scalars(wanted).one()
