"""A shop whose invoices are due, with a bank that says what a test wants it to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.registry.states import Told
from provision.subscriptions.documents import describing, open_items
from provision.subscriptions.payments import (
    collecting,
    debit_proposals,
    mandates,
    movements,
    receiving,
)
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.payments.models import CollectionFile
from provision.subscriptions.payments.receiving import Source
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, Within, newcomer, profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.registry.models import Subscriber
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import BankMovement, Collection, MandateRow
    from tests.integration.subscriptions.conftest import Shop

OURS = "FR1420041010050500013M02606"
THEIRS = "FR7630006000011234567890189"
CREDITOR = "FR72ZZZ123456"
TODAY = date(2026, 1, 2)
COLLECT_ON = date(2026, 2, 2)
NOW = datetime(2026, 1, 2, 9, 30)  # noqa: DTZ001 (local time, as banks want it)
TOLD = Told("ana", datetime(2026, 1, 2, tzinfo=UTC), "")

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{day}T08:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S{number}</Id><CreDtTm>{day}T08:00:00</CreDtTm>
<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{opening}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{closing}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
{entries}</Stmt></BkToCstmrStmt></Document>"""
ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><BkTxCd/>
<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>
<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf>{reason}</TxDtls></NtryDtls></Ntry>"""


@dataclass(frozen=True)
class Said:
    """One movement as the bank tells it."""

    units: int
    text: str = ""
    end_to_end: str = "NOTPROVIDED"
    reason: str = ""
    name: str = ""


def euros(units: int) -> str:
    return f"{units // 100}.{units % 100:02d}"


def camt(number: int, day: date, opening: int, said: Sequence[Said]) -> bytes:
    """Return a statement of our account; every test's account is in credit."""
    entries = "".join(
        ENTRY.format(
            amount=euros(abs(one.units)),
            sign="CRDT" if one.units > 0 else "DBIT",
            day=day,
            end_to_end=one.end_to_end,
            name=one.name,
            text=one.text,
            reason=f"<RtrInf><Rsn><Cd>{one.reason}</Cd></Rsn></RtrInf>" if one.reason else "",
        )
        for one in said
    )
    closing = opening + sum(one.units for one in said)
    words = {"number": number, "day": day, "account": OURS, "entries": entries}
    return HEAD.format(opening=euros(opening), closing=euros(closing), **words).encode()


@dataclass
class Till(Within):
    """The seller's side of a shop: invoices, mandates, a bank account with 1,000 euros."""

    balance: int = 100_000
    statements: int = 0
    told: Told = field(default_factory=lambda: TOLD)

    @property
    def seller(self) -> Organisation:
        return self.shop.seller

    def mandate(self, subscriber: Subscriber) -> MandateRow:
        """Return a signed mandate of the subscriber."""
        when = (TODAY, TOLD)
        row = mandates.add(self.session, self.seller, subscriber, WantedMandate(), when)
        mandates.sign(self.session, row, START, THEIRS, when)
        return row

    def invoices(self) -> list[OpenItem]:
        return open_items.everything(self.session, self.seller.id)

    def collect(self, key: str = "one", on: date = COLLECT_ON, made: datetime = NOW) -> Collection:
        """Collect all that can be collected."""
        found = debit_proposals.propose(self.session, self.seller, on, made.date())
        return collecting.make(self.session, self.seller, found.chosen, HandedOver(key, on, made))

    def bank(self, *said: Said, on: date = COLLECT_ON) -> list[BankMovement]:
        """Let the bank say so, and bring its statement in; return its movements."""
        self.statements += 1
        content = camt(self.statements, on, self.balance, said)
        source = Source(content, f"{self.statements}.xml")
        receiving.bring_in(self.session, self.seller, source, on)
        self.balance += sum(one.units for one in said)
        rows = [row for row, _ in movements.unexplained(self.session, self.seller.id)]
        return rows[-len(said) :]

    def accounts(self) -> dict[str, int]:
        """Return what the accounts of the seller hold."""
        return self.shop.accounts()


def open_till(shop: Shop, vat: str = "association_accessory", **changes: object) -> Till:
    """Give the seller a bank account and a contract."""
    bank: dict[str, object] = {"iban": OURS, "bic": "PSSTFRPPXXX", "creditor_identifier": CREDITOR}
    words = profile(shop.seller.name, vat, **{**bank, **changes})
    describing.describe(shop.session, shop.seller, words, START + timedelta(days=1))
    shop.contract()
    return Till(shop)


def till_of_debits(shop: Shop) -> Till:
    """Let Jeanne and Luc owe 10 euros each; both gave a mandate."""
    made = open_till(shop)
    for subscriber in (shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
        made.mandate(subscriber)
    shop.bill(START + timedelta(days=1))
    return made


def message_id(till: Till, made: Collection) -> str:
    found = till.session.scalars(
        select(CollectionFile.message_id).where(CollectionFile.collection == made.number)
    )
    return found.one()


def paid_by_debit(till: Till) -> None:
    made = till.collect()
    till.bank(Said(2000, text=f"REMISE {message_id(till, made)}"))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
