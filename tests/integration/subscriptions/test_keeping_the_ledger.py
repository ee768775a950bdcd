from __future__ import annotations

import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, delete, event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from provision import database
from provision.errors import PaquetError
from provision.migrations import upgrades
from provision.money import euros
from provision.subscriptions.books import verify
from provision.subscriptions.documents.models import Allocation, Invoice
from provision.subscriptions.ledger import closings, journal, posting
from provision.subscriptions.ledger.journal import Entry, LedgerRefused, Line
from provision.subscriptions.ledger.models import LedgerTransaction
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import PersonReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2026, 3, 31)
KEPT = {
    "price": "units",
    "split_contract": "mode",
    "split_share": "parts",
    "organisation_profile": "content",
    "plan_component": "role",
    "subscription_version": "users",
    "invoice": "gross",
    "invoice_line": "net",
    "line_share": "units",
    "allocation": "units",
    "ledger_transaction": "text",
    "ledger_posting": "units",
    "closing": "hash",
}
REPLACED = "INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
CHANGES = ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}")
AGAIN = """INSERT INTO invoice_line SELECT organisation_id, series, number, line + 9, component,
 role, label, quantity, ends_on, ends_on, net, vat, vat_category, vat_rate, contract_id, carried,
 vat_abroad FROM invoice_line"""
VANDALISM = {
    "UPDATE ledger_posting SET units = units * 2": "content was changed",
    "UPDATE ledger_posting SET units = 901 WHERE units = 1000": "are not equal",
    "UPDATE ledger_posting SET commodity = 'HOUR' WHERE units < 0": "are not equal",
    "UPDATE ledger_posting SET party = 'person-x' WHERE account = '411'": "the ledger says is owed",
    "UPDATE allocation SET units = units - 1": "the ledger says is owed",
    "UPDATE ledger_transaction SET recorded_on = '2026-01-01'": "does not follow",
    "UPDATE ledger_transaction SET text = 'Rien'": "content was changed",
    "UPDATE ledger_transaction SET piece = 'F2026-000009'": "content was changed",
    "UPDATE ledger_transaction SET number = 9 WHERE number = 2": "have a gap",
    "DELETE FROM ledger_transaction": "postings without their transaction",
    "DELETE FROM ledger_posting": "less than two lines",
    "UPDATE invoice SET gross = gross + 1, net = net + 1": "not the sum of its lines",
    "UPDATE invoice SET number = 2": "does not follow the one before",
    "UPDATE invoice SET party = 'person-x'": "changed after it was issued",
    "UPDATE invoice SET digest = 'x'": "another amount or another document",
    "UPDATE invoice_line SET label = 'Rien'": "changed after it was issued",
    "DELETE FROM invoice_line": "not the sum of its lines",
    AGAIN: "days were invoiced twice",
    "UPDATE line_share SET units = units + 1 WHERE position = 0": "do not add up",
    "UPDATE line_share SET units = 500": "not what the contract gives",
    "DELETE FROM line_share": "not what the contract gives",
    "UPDATE invoice SET kind = 'credit'": "not what the contract gives",
    "UPDATE line_share SET beneficiary_id = 3 - beneficiary_id": "changed after it was issued",
    "DELETE FROM carry": "nobody remembers where its splits are",
    "UPDATE closing SET hash = '0'": "is not the one that was sealed",
    "UPDATE invoice SET identity_id = 9": "changed after it was issued",
    "UPDATE carry SET carried = 3": "not what the contract gives",
    "UPDATE subscription SET billed_to = '2026-04-01'": "its invoices reach to",
    "DELETE FROM invoice": "the ledger says is owed",
}
POSTING = "INSERT INTO ledger_posting VALUES (1, {number}, {line}, '418', '', 'EUR', {units})"
TRANSACTION = (
    "INSERT INTO ledger_transaction VALUES "
    "(1, {number}, '2026-01-01', '2026-01-01', '', 'key {number}', '', '', '', 'OD', '', '')"
)


def entry(organisation_id: int, key: str, cents: int = 900, day: date = TODAY) -> Entry:
    lines = (Line("418", euros(cents)), Line("487", euros(-cents)))
    return Entry(organisation_id, day, "Essai", key, lines)


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """A registry with one invoice, half of it paid, and a year that is closed."""
    shop.contract()
    closings.close(shop.session, shop.seller, date(2025, 12, 31), today=TODAY)
    shop.subscribe(shop.jeanne, TODAY)
    shop.bill(TODAY)
    invoice = shop.session.scalars(select(Invoice)).one()
    lines = (Line("512", euros(500)), Line("411", euros(-500), invoice.party))
    paid = posting.post(
        shop.session, Entry(shop.seller.id, TODAY, "Virement", "virement", lines), TODAY
    )
    shop.session.add(
        Allocation(
            organisation_id=invoice.organisation_id,
            series=invoice.series,
            number=invoice.number,
            position=1,
            units=500,
            kind="payment",
            entry_number=paid.number,
            allocated_on=TODAY,
        )
    )
    shop.session.commit()
    return shop


@pytest.fixture
def raw(filled: Shop, database_url: str) -> Iterator[Connection]:
    """A plain connection, without any of our settings: SQLite's foreign keys are off here."""
    del filled
    plain = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    if plain.dialect.name == "sqlite":
        event.listen(plain, "connect", _without_foreign_keys)
    with plain.connect() as connection:
        yield connection
    plain.dispose()


def _without_foreign_keys(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own)
    connection.execute("PRAGMA foreign_keys = OFF")


def test_an_entry_is_written_once_for_its_key(shop: Shop) -> None:
    first = posting.post(shop.session, entry(shop.seller.id, "a"), TODAY)
    again = posting.post(shop.session, entry(shop.seller.id, "a"), date(2026, 4, 1))
    assert again is first
    assert posting.balance(shop.session)[0].debit == euros(900)


def test_the_same_key_for_something_else_is_refused(shop: Shop) -> None:
    posting.post(shop.session, entry(shop.seller.id, "a"), TODAY)
    with pytest.raises(LedgerRefused, match="The key a was used for a different ledger entry"):
        posting.post(shop.session, entry(shop.seller.id, "a", 901), TODAY)


def test_two_organisations_may_use_the_same_key(shop: Shop) -> None:
    posting.post(shop.session, entry(shop.seller.id, "a"), TODAY)
    posting.post(shop.session, entry(shop.supporter.id, "a", 5), TODAY)
    assert verify.verify(shop.session) == []


def test_an_unbalanced_entry_writes_nothing(shop: Shop) -> None:
    lines = (Line("418", euros(900)), Line("487", euros(-899)))
    with pytest.raises(LedgerRefused, match="does not balance"):
        posting.post(shop.session, Entry(shop.seller.id, TODAY, "Essai", "a", lines), TODAY)
    assert posting.balance(shop.session) == []


def test_each_journal_numbers_without_gaps_and_chains(shop: Shop) -> None:
    for key in "abc":
        posting.post(shop.session, entry(shop.seller.id, key), TODAY)
        posting.post(shop.session, entry(shop.supporter.id, key), TODAY)
    query = select(LedgerTransaction).where(LedgerTransaction.organisation_id == shop.seller.id)
    written = shop.session.scalars(query.order_by(LedgerTransaction.number)).all()
    assert [one.number for one in written] == [1, 2, 3]
    assert [one.previous_hash for one in written] == [
        journal.GENESIS,
        *(one.hash for one in written[:-1]),
    ]
    assert verify.heads(shop.session)[0].hash == written[-1].hash


def test_a_balance_is_as_of_a_day_and_of_one_organisation(shop: Shop) -> None:
    posting.post(shop.session, entry(shop.seller.id, "a", 100, date(2026, 1, 31)), TODAY)
    posting.post(shop.session, entry(shop.seller.id, "b", 20, date(2026, 2, 1)), TODAY)
    posting.post(shop.session, entry(shop.supporter.id, "a", 3, date(2026, 2, 1)), TODAY)
    january = posting.balance(shop.session, posting.Sight(day=date(2026, 1, 31)))
    assert [(one.account, one.amount.units) for one in january] == [("418", 100), ("487", -100)]
    others = posting.balance(shop.session, posting.Sight(shop.supporter.id))
    assert [(one.debit, one.credit) for one in others] == [
        (euros(3), euros(0)),
        (euros(0), euros(3)),
    ]


def test_a_balance_says_what_was_known_on_a_day(shop: Shop) -> None:
    january, february = date(2026, 1, 31), date(2026, 2, 10)
    posting.post(shop.session, entry(shop.seller.id, "a", 100, january), january)
    posting.post(shop.session, entry(shop.seller.id, "late", 20, january), february)
    then = posting.balance(shop.session, posting.Sight(day=january, known=january))
    now = posting.balance(shop.session, posting.Sight(day=january))
    assert [one.amount.units for one in then] == [100, -100]
    assert [one.amount.units for one in now] == [120, -120]


def test_a_journal_that_is_written_again_has_the_same_seals(filled: Shop) -> None:
    """Every entry as it was asked for, in its order, in a registry that knows nothing else."""
    fresh = database.connect("sqlite://")
    upgrades.upgrade(fresh)
    with Session(fresh) as copy:
        organisations.add(copy, filled.seller.name, "business")
        organisations.add(copy, filled.supporter.name, "association")
        for row in filled.session.scalars(
            select(LedgerTransaction).order_by(
                LedgerTransaction.organisation_id, LedgerTransaction.number
            )
        ):
            again = posting.read(filled.session, row)
            posting.post(copy, again, row.recorded_on)
        assert verify.heads(copy) == verify.heads(filled.session)
        assert posting.balance(copy) == posting.balance(filled.session)


def test_the_greatest_amount_comes_back_whole(shop: Shop) -> None:
    most = 10**14 - 1
    for key in "abc":
        posting.post(shop.session, entry(shop.seller.id, key, most), TODAY)
    assert posting.balance(shop.session)[0].debit == euros(3 * most)
    assert verify.verify(shop.session) == []


def test_raw_sql_cannot_change_a_row(raw: Connection) -> None:
    for table, column in KEPT.items():
        for change in CHANGES:
            with pytest.raises(DBAPIError, match=f"rows of {table} are only ever added"):
                raw.exec_driver_sql(change.format(table=table, column=column))
            raw.rollback()


def test_raw_sql_cannot_replace_or_empty_a_table(raw: Connection) -> None:
    """SQLite's REPLACE deletes without asking a DELETE trigger; TRUNCATE asks no row trigger."""
    change = "TRUNCATE {table} CASCADE"
    if raw.dialect.name == "sqlite":
        change = REPLACED
    for table in KEPT:
        with pytest.raises(DBAPIError, match=r"are only ever added|takes no more|have no gaps"):
            raw.exec_driver_sql(change.format(table=table))
        raw.rollback()


def test_raw_sql_cannot_post_what_is_not_an_entry(raw: Connection) -> None:
    balanced = [
        POSTING.format(number=3, line=1, units=5),
        POSTING.format(number=3, line=2, units=-5),
    ]
    beyond = [line.replace("1, 3,", "1, 7,") for line in balanced]
    wrong = {
        "needs two postings": [TRANSACTION.format(number=3)],
        "must balance in every commodity": [
            balanced[0],
            balanced[1].replace("-5", "-4"),
            TRANSACTION.format(number=3),
        ],
        "have no gaps": [*beyond, TRANSACTION.format(number=7)],
        "takes no more postings": [POSTING.format(number=1, line=9, units=5)],
        r"CHECK|check": [POSTING.format(number=3, line=1, units=0)],
        r"INTEGER column|type bigint": [POSTING.format(number=3, line=1, units="'five'")],
    }
    wrong["in every"] = [
        balanced[0],
        balanced[1].replace("EUR", "HOUR"),
        TRANSACTION.format(number=3),
    ]
    for why, sentences in wrong.items():
        with pytest.raises(DBAPIError, match=why):
            _run(raw, sentences)
        raw.rollback()
    _run(raw, [*balanced, TRANSACTION.format(number=3)])
    raw.commit()


def _run(raw: Connection, sentences: list[str]) -> None:
    for sentence in sentences:
        raw.exec_driver_sql(sentence)


def test_sqlite_keeps_no_half_cents(raw: Connection) -> None:
    if raw.dialect.name != "sqlite":
        pytest.skip("PostgreSQL rounds what is put into a bigint; nothing but whole cents fits")
    with pytest.raises(DBAPIError, match="cannot store REAL"):
        raw.exec_driver_sql(POSTING.format(number=3, line=1, units=1.5))


def test_raw_sql_cannot_change_what_a_subscription_was_sold_with(raw: Connection) -> None:
    with pytest.raises(DBAPIError, match="of subscription are never changed"):
        raw.exec_driver_sql("UPDATE subscription SET first_day = '2026-01-01'")
    raw.rollback()
    if raw.dialect.name == "sqlite":
        for table in ("subscription", "identity"):
            with pytest.raises(DBAPIError, match=f"of {table} are never changed"):
                raw.exec_driver_sql(REPLACED.format(table=table))
            raw.rollback()
    raw.exec_driver_sql("UPDATE subscription SET state = 'ended'")


def test_postings_without_their_transaction_are_not_committed(filled: Shop) -> None:
    filled.session.execute(text(POSTING.format(number=3, line=1, units=5)))
    with pytest.raises(DBAPIError):
        filled.session.commit()


def test_verify_finds_what_a_vandal_without_triggers_did(raw: Connection) -> None:
    for change, what in VANDALISM.items():
        _without_triggers(raw)
        raw.exec_driver_sql(change)
        with Session(raw, join_transaction_mode="control_fully") as session:
            assert any(what in finding.what for finding in verify.verify(session)), change
            session.rollback()


def test_verify_finds_that_a_whole_journal_was_taken_out(raw: Connection, filled: Shop) -> None:
    _without_triggers(raw)
    raw.exec_driver_sql("DELETE FROM ledger_posting")
    raw.exec_driver_sql("DELETE FROM ledger_transaction")
    raw.commit()
    found = {finding.what for finding in verify.verify(filled.session)}
    assert "the ledger has another amount or another document" in found


def _without_triggers(raw: Connection) -> None:
    if raw.dialect.name == "postgresql":
        raw.exec_driver_sql("SET session_replication_role = replica")
        return
    names = raw.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in names.scalars().all():
        raw.exec_driver_sql(f"DROP TRIGGER {name}")


def test_a_person_can_be_forgotten_and_the_chain_stays_whole(filled: Shop) -> None:
    heads = verify.heads(filled.session)
    filled.session.execute(delete(PersonReference))
    filled.session.commit()
    assert verify.verify(filled.session) == []
    assert verify.heads(filled.session) == heads


def test_no_name_or_address_of_a_person_is_in_the_ledger(raw: Connection) -> None:
    for query in ("SELECT * FROM ledger_transaction", "SELECT * FROM ledger_posting"):
        rows = str(raw.exec_driver_sql(query).all()).lower()
        assert "jeanne" not in rows
        assert "exemple.test" not in rows


def test_two_writers_at_once_never_share_a_number(filled: Shop, engine: Engine) -> None:
    """Each goes on after its refusals, as a person would; the journal has every entry once."""
    refusals: list[PaquetError] = []

    def write(name: str) -> None:
        for number in range(5):
            while True:
                try:
                    with database.transaction(engine) as session:
                        posting.post(session, entry(filled.seller.id, f"{name} {number}"), TODAY)
                    break
                except PaquetError as refused:
                    refusals.append(refused)

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    with Session(engine) as session:
        query = select(LedgerTransaction.number).where(
            LedgerTransaction.organisation_id == filled.seller.id
        )
        assert sorted(session.scalars(query)) == list(range(1, 13))
        assert verify.verify(session) == []


def test_an_unknown_commodity_in_the_ledger_is_said(raw: Connection, filled: Shop) -> None:
    _without_triggers(raw)
    raw.exec_driver_sql("UPDATE ledger_posting SET commodity = 'DOGE'")
    raw.commit()
    with pytest.raises(PaquetError, match="'DOGE' is not known"):
        posting.balance(filled.session)


def test_an_organisation_without_entries_has_an_empty_head(shop: Shop) -> None:
    organisations.add(shop.session, "Nouvelle", "association")
    heads = {head.organisation: head for head in verify.heads(shop.session)}
    assert heads["Nouvelle"] == verify.Head("Nouvelle", 0, journal.GENESIS)
