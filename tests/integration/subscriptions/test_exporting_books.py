from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.errors import UsageRefused
from provision.formats.books import fec_check
from provision.subscriptions.books import exporting
from provision.subscriptions.documents import describing
from provision.subscriptions.ledger import posting
from tests.integration.subscriptions import oracles
from tests.integration.subscriptions.conftest import profile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.subscriptions.conftest import Shop

YEAR = exporting.Period(date(2026, 1, 1), date(2026, 12, 31))
NEXT = exporting.Period(date(2027, 1, 1), date(2027, 12, 31))
START = date(2026, 11, 30)


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """Four months over two years, in the books of a business that is liable for VAT."""
    shop.contract()
    describing.describe(shop.session, shop.seller, profile("B", "liable"), date(2026, 1, 2))
    shop.subscribe(shop.jeanne, START)
    for day in (START, date(2026, 12, 31), date(2027, 2, 28)):
        shop.bill(day)
    return shop


def euros_by_account(shop: Shop) -> dict[str, int]:
    found = posting.balance(shop.session, posting.Sight(shop.seller.id))
    return {one.account: one.amount.units for one in found}


def test_the_fec_of_each_year_passes_the_checker_and_the_second_opens_with_the_first(
    sold: Shop,
) -> None:
    first = exporting.export(sold.session, sold.seller, YEAR, "fec", "fr")
    second = exporting.export(sold.session, sold.seller, NEXT, "fec", "fr")
    name = "732829320FEC20261231"
    assert set(first) == {f"{name}.txt", f"{name}-description.txt"}
    for files, period in ((first, YEAR), (second, NEXT)):
        assert exporting.problems(files, period) == []
    one = fec_check.check("732829320FEC20261231.txt", first["732829320FEC20261231.txt"])
    two = fec_check.check("732829320FEC20271231.txt", second["732829320FEC20271231.txt"])
    assert (one.entries, one.debit, one.credit) == (2, 2000, 2000)
    assert (two.entries, two.debit) == (3, 2000 + 2000)
    assert b"AN\t" in second["732829320FEC20271231.txt"]


@pytest.mark.parametrize("kind", exporting.FORMATS)
def test_two_years_lie_in_one_folder(sold: Shop, kind: str) -> None:
    first = exporting.export(sold.session, sold.seller, YEAR, kind, "fr")
    second = exporting.export(sold.session, sold.seller, NEXT, kind, "fr")
    assert not set(first) & set(second)


def test_a_fec_that_somebody_changed_does_not_pass(sold: Shop) -> None:
    files = exporting.export(sold.session, sold.seller, YEAR, "fec", "fr")
    name = "732829320FEC20261231.txt"
    files[name] = files[name].replace(b"8,33", b"8,34", 1)
    assert exporting.problems(files, YEAR) != []


def test_hledger_and_beancount_agree_with_the_ledger_on_every_balance(
    sold: Shop, tmp_path: Path
) -> None:
    whole = exporting.Period(YEAR.first_day, NEXT.last_day)
    expected = euros_by_account(sold)
    for kind in ("beancount", "hledger"):
        (written,) = exporting.export(sold.session, sold.seller, whole, kind, "fr").values()
        file = tmp_path / f"books.{kind}"
        file.write_bytes(written)
        assert oracles.balances(kind, file) == oracles.named(kind, expected)


def test_tables_for_a_spreadsheet_hold_no_formula(sold: Shop) -> None:
    sold.jeanne.name = '=HYPERLINK("http://x")'
    sold.session.flush()
    files = exporting.export(sold.session, sold.seller, YEAR, "csv", "fr")
    tables = ("journal", "balance", "ledger", "receivables")
    assert set(files) == {f"2026-01-01-2026-12-31-{table}.csv" for table in tables}
    for content in files.values():
        assert b';"=' not in content
        assert b";=" not in content


def test_an_association_without_siren_has_no_fec(sold: Shop) -> None:
    with pytest.raises(UsageRefused, match="Les Amis du Libre has no SIREN"):
        exporting.export(sold.session, sold.supporter, YEAR, "fec", "fr")
