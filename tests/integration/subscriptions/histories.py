"""Lives of subscribers, drawn by chance, beside a model in plain Python that knows no table.

All lives of a world share a business, an association, a bank and a clock. Each step is a month:
what is due is billed; then each life may change its plan, be credited, end, pay by transfer; those
with a mandate are collected, and some debits come back; what was paid too much is paid back; the
month is settled, and sometimes closed. Now and then the work of a step is lost before it stands.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from provision.formats.sepa import target_days
from provision.lab import bank
from provision.registry.models import Subscriber
from provision.registry.states import Told
from provision.subscriptions.books import exporting, verify
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import closings, posting
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.payments import collecting, collection_rows, mandates, receiving
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.payments.receiving import Source
from provision.subscriptions.selling import billing, cancelling, changes, credit_notes, opening
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.changes import Change
from provision.subscriptions.selling.credit_notes import What
from provision.subscriptions.selling.models import Subscription
from provision.subscriptions.selling.opening import Sale
from provision.subscriptions.settling import settlements
from provision.workflows import reconciling
from tests.integration.subscriptions import oracles
from tests.integration.subscriptions.conftest import Trade, founded
from tests.integration.subscriptions.lives import Life, months_later

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import Collection

START = date(2026, 1, 1)

OURS, THEIRS = "FR7630006000011234567890189", "FR1420041010050500013M02606"

HISTORIES, LIVES, MONTHS = 10_000, 200, 3

STARTS, ORACLES_EVERY, SLICE = 5, 10, 3

HAPPENED = {"bill", "change", "cancel", "credit", "pay", "collect", "bounce", "refund"}
HAPPENED |= {"settle", "close", "lost"}
# What may happen to nobody in a few worlds.

RARE = {"close", "lost"}

PRICES = {"a": 1000, "b": 701, "c": 1337, "d": 3}

PLAN = """
[[plan]]
code = "{code}"
name = {{ fr = "{code}", en = "{code}" }}
users = 1
quota_gib = 1
price = [{{ from = 2026-01-01, monthly = "{cents}" }}]
"""

TOLD = Told("histories", datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class World:
    """A registry in which lives go on, month after month."""

    engine: Engine
    chance: random.Random
    lives: list[Life] = field(default_factory=list)
    today: date = START
    month: int = 0
    account: bank.Account = field(default_factory=lambda: bank.Account(OURS))
    shown_to: date = START
    happened: dict[str, int] = field(default_factory=dict)

    def note(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1

    def begin(self, count: int) -> None:
        """Open the shop and let `count` people subscribe in the first month."""
        with Session(self.engine) as session, session.begin():
            boutique = {"iban": OURS, "creditor_identifier": "FR72ZZZ123456", "payment_days": 10}
            amis = {"invoice_prefix": "L", "credit_prefix": "LA"}
            seller = founded(session, "Boutique", "business", boutique, siren_typed="732829320")
            trade = Trade(session, seller, founded(session, "Amis", "association", amis))
            trade.contract(seller=67, supporter=33)
            for code, cents in PRICES.items():
                trade.bring(PLAN.format(code=code, cents=f"{cents // 100}.{cents % 100:02d}"))
            for number in range(count):
                self.lives.append(self._subscribe(session, number))

    def _subscribe(self, session: Session, number: int) -> Life:
        first = START + timedelta(days=self.chance.randrange(31))
        person = Subscriber(
            name=f"Personne {number}",
            email=f"p{number}@exemple.test",
            language="fr",
            created_at=datetime.combine(first, time(), UTC),
        )
        session.add(person)
        session.flush()
        code = self.chance.choice("abc")
        sale = Sale(plans.get(session, code), self._seller(session), self._supporter(session))
        made = opening.open_subscription(session, person, sale, today=first)
        by_debit = self.chance.random() < 0.4
        if by_debit:
            row = mandates.add(
                session, self._seller(session), person, WantedMandate(), (first, TOLD)
            )
            mandates.sign(session, row, first, THEIRS, (first, TOLD))
        party = people.reference(session, person.id)
        prices = [(first, PRICES[code])]
        return Life(made.id, person.id, party, first, by_debit, prices, billed_to=first)

    def _seller(self, session: Session) -> Organisation:
        return organisations.get(session, "Boutique")

    def _supporter(self, session: Session) -> Organisation:
        return organisations.get(session, "Amis")

    def step(self) -> None:
        """Let a month go by."""
        self.month += 1
        self.today = months_later(START, self.month)
        if billing.bill(self.engine, self.today).documents:
            self.note("bill")
        for life in self.lives:
            life.bill(self.today)
        lost = self.chance.random() < 0.2
        if lost:
            self._lose()
        with Session(self.engine) as session, session.begin():
            for life in self.lives:
                self._live(session, life)
        with Session(self.engine) as session, session.begin():
            self._bank(session)
        with Session(self.engine) as session, session.begin():
            self._settle(session)

    def _lose(self) -> None:
        """Change somebody, and let the power fail before it stands: nothing may be left of it."""
        with Session(self.engine) as session:
            life = self.chance.choice(self.lives)
            opened = session.get_one(Subscription, life.subscription)
            settled = life.prices[-1][1] == PRICES["d"]
            if opened.state == "active" and opened.last_day is None and not settled:
                plan = plans.get(session, "d")
                changes.change(session, opened, Change(plan=plan), self.today, today=self.today)
                self.note("lost")
            session.rollback()

    def _live(self, session: Session, life: Life) -> None:
        if life.last_day is not None or life.credited:
            return
        drawn = self.chance.random()
        if drawn < 0.12:
            self._change(session, life)
        elif drawn < 0.17:
            self._cancel(session, life)
        elif drawn < 0.22:
            self._credit(session, life)

    def _change(self, session: Session, life: Life) -> None:
        opened = session.get_one(Subscription, life.subscription)
        code = self.chance.choice(list(PRICES))
        day = self.today + timedelta(days=self.chance.randrange(40))
        if day < life.prices[-1][0] or PRICES[code] == life.prices[-1][1]:
            return
        plan = plans.get(session, code)
        changes.change(session, opened, Change(plan=plan), day, today=self.today)
        life.prices.append((day, PRICES[code]))
        life.prices.sort(key=lambda one: one[0])
        self.note("change")

    def _cancel(self, session: Session, life: Life) -> None:
        opened = session.get_one(Subscription, life.subscription)
        last_day = self.today + timedelta(days=self.chance.randrange(45))
        asked = Cancellation(last_day, "parti", self.today, refund=True)
        cancelling.cancel(session, opened, asked, on=self.today, told=TOLD)
        life.last_day = last_day
        self.note("cancel")

    def _credit(self, session: Session, life: Life) -> None:
        wanted = select(Invoice).where(Invoice.party == life.party, Invoice.kind == "invoice")
        invoices = session.scalars(wanted.order_by(Invoice.entry_number)).all()
        if not invoices:
            return
        one = self.chance.choice(invoices)
        units = self.chance.randint(1, min(200, one.gross))
        number = Number(one.organisation_id, one.series, one.number)
        credit_notes.credit(session, number, What(units=units), "geste", self.today)
        life.credited += units
        self.note("credit")

    def _bank(self, session: Session) -> None:
        """Collect, let some pay and some debits come back, and book what the bank says."""
        seller = self._seller(session)
        by_party = {life.party: life for life in self.lives}
        collect_on = target_days.next_collection_day(self.today + timedelta(days=15))
        made_at = datetime.combine(self.today, time(12))
        handed_over = HandedOver(f"{self.month}", collect_on, made_at)
        entries, late = [], collect_on + timedelta(days=3)
        planned = collecting.plan(session, seller, handed_over)
        if planned is not None and planned.chosen:
            made = collecting.make(session, seller, planned.chosen, handed_over)
            back = self._collected(session, made)
            for file in collecting.files(session, seller, made):
                entries += bank.collected(file.content, collect_on, back, late)
        for one in open_items.documents(session, seller.id):
            life = by_party.get(one.party)
            if life is None or not one.open.units or self.chance.random() < 0.4:
                continue
            if one.kind == "credit" or not life.by_debit:
                entries.append(
                    bank.StatementEntry(collect_on, one.open.units, text=f"VIR {one.shown}")
                )
                life.paid += one.open.units
                self.note("refund" if one.kind == "credit" else "pay")
        self._answer(session, seller, entries, late)

    def _collected(self, session: Session, made: Collection) -> dict[str, str]:
        """Return which debits come back; all others are paid."""
        back = {}
        by_subscriber = {life.subscriber: life for life in self.lives}
        for items, mandate in collection_rows.debits_of(session, made):
            if self.chance.random() < 0.15:
                back[items[0].reference] = "AM04"
                self.note("bounce")
            else:
                by_subscriber[mandate.subscriber_id].paid += sum(one.units for one in items)
                self.note("collect")
        return back

    def _answer(
        self, session: Session, seller: Organisation, entries: list[bank.StatementEntry], late: date
    ) -> None:
        days = (self.shown_to, late)
        answered = bank.statement(self.account, entries, days, f"REL{self.month}")
        self.account, self.shown_to = answered.account, late
        source = Source(answered.content, f"{self.month}.xml")
        receiving.bring_in(session, seller, source, late)
        booked = reconciling.accept_certain(session, seller, late, TOLD)
        refused = [one.refused for one in booked if one.refused]
        assert (len(booked), refused) == (len(entries), []), (len(entries), refused)

    def disagreements(self) -> list[str]:
        """Return the lives of which the registry and the model say something else."""
        with Session(self.engine) as session:
            held: dict[str, int] = {}
            for one in open_items.documents(session, self._seller(session).id):
                held[one.party] = held.get(one.party, 0) + one.open.units
            return [
                f"{life}: {held.get(life.party, 0)} is open"
                for life in self.lives
                if held.get(life.party, 0) != life.owes() - life.paid
            ]

    def _settle(self, session: Session) -> None:
        seller, supporter = self._seller(session), self._supporter(session)
        made_on = self.shown_to
        made = settlements.make(session, seller, supporter, self.today, made_on)
        if made is not None and made.units and self.chance.random() < 0.8:
            settlements.invoice(session, made, made_on)
            self.note("settle")
        if self.chance.random() < 0.3:
            last = self.today.replace(day=1) - timedelta(days=1)
            if last > (posting.closed_to(session, seller.id) or date.min):
                closings.close(session, seller, last, today=self.today)
                self.note("close")


class Registries(Protocol):
    """Where worlds are: registries that are copied from each other; "" is an empty one."""

    def copy(self, source: str, name: str) -> Engine:
        """Make the registry `name` as `source` is."""

    def drop(self, engine: Engine, name: str) -> None:
        """Forget the registry `name`."""


def run(registries: Registries, folder: Path, seed: int) -> None:
    """Let lives go by, in worlds of 200, and look at each from every side.

    PAQUET_TEST_WORLDS says how many worlds of all, drawn by `seed`; `make test-long` takes all.
    Worlds have one of a few first months, in which everybody subscribes; what happens then is
    another story in each.
    """
    every = range(HISTORIES // LIVES)
    count = int(os.environ.get("PAQUET_TEST_WORLDS", SLICE))
    starts: dict[str, list[Life]] = {}
    lived, happened = 0, Counter[str]()
    for number in random.Random(seed).sample(every, count):  # noqa: S311 (a seed tells it again)
        start = f"start{number % STARTS}"
        if start not in starts:
            starts[start] = _begun(registries.copy("", start), number % STARTS)
        engine = registries.copy(start, f"world{number}")
        chance = random.Random(number)  # noqa: S311 (a seed tells it again)
        world = World(engine, chance, deepcopy(starts[start]))
        _live(world, number, folder)
        registries.drop(engine, f"world{number}")
        lived += len(world.lives)
        happened.update(world.happened)
    assert lived == count * LIVES
    rare = set() if count == len(every) else RARE
    assert HAPPENED - rare <= set(happened) <= HAPPENED


def _begun(engine: Engine, seed: int) -> list[Life]:
    world = World(engine, random.Random(seed))  # noqa: S311 (a seed tells it again)
    world.begin(LIVES)
    engine.dispose()
    return world.lives


def _live(world: World, seed: int, folder: Path) -> None:
    """Let a world go by, and look at it from every side at the end of every month."""
    for _month in range(MONTHS):
        world.step()
        with Session(world.engine) as session:
            assert verify.verify(session, seals=False) == [], seed
        assert world.disagreements() == [], seed
    with Session(world.engine) as session:
        assert verify.verify(session) == [], seed
        if seed % ORACLES_EVERY == 0:
            _ask_oracles(session, folder)


def _ask_oracles(session: Session, folder: Path) -> None:
    year = exporting.Period(date(2026, 1, 1), date(2026, 12, 31))
    for owner in organisations.everyone(session):
        held = posting.balance(session, posting.Sight(owner.id))
        expected = {one.account: one.amount.units for one in held}
        for kind in ("beancount", "hledger"):
            (written,) = exporting.export(session, owner, year, kind, "fr").values()
            file = folder / f"{owner.id}.{kind}"
            file.write_bytes(written)
            assert oracles.balances(kind, file) == oracles.named(kind, expected)
