"""Other people's programs, asked for the balances of books that we wrote."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from beancount import loader
from beancount.core import data as beancount_data

from provision.formats.books import beancount, hledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def balances(kind: str, file: Path) -> dict[str, int]:
    """Return what each account holds in euros, in cents, as the program reads the file."""
    found = _beancount(file) if kind == "beancount" else _hledger(file)
    return {account: cents for account, cents in found.items() if cents}


def named(kind: str, by_account: Mapping[str, int]) -> dict[str, int]:
    """Return the same balances under the names that the program knows."""
    return {_name(kind, account): units for account, units in by_account.items() if units}


def _name(kind: str, account: str) -> str:
    return beancount.account_name(account) if kind == "beancount" else hledger.account_name(account)


def _beancount(file: Path) -> dict[str, int]:
    entries, errors, _options = loader.load_file(str(file))
    assert errors == []
    sums: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, beancount_data.Transaction):
            for posting in entry.postings:
                assert posting.units is not None
                cents = Decimal(str(posting.units.number)) * 100
                sums[posting.account] = sums.get(posting.account, 0) + int(cents)
    return sums


def _hledger(file: Path) -> dict[str, int]:
    if not shutil.which("hledger"):
        pytest.skip("hledger is not installed (apt install hledger)")
    command = ["hledger", "-f", str(file), "balance", "-O", "csv", "-N", "--flat", "--strict"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = csv.reader(io.StringIO(answer.stdout))
    next(rows)
    return {
        account: int(balance.split()[0].replace(".", "").replace(",", ""))
        for account, balance in rows
    }
