"""How long what is kept of persons: dated rules with their sources, as data. Pure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta

if TYPE_CHECKING:
    from datetime import date

RULES = Path(__file__).with_name("retention.toml")
ACCOUNTING, CLIENT, PROSPECT, INACTIVE = "accounting", "client", "prospect", "inactive"
LETTER, PAYER, JOB = "letter", "payer", "job"


@dataclass(frozen=True)
class RetentionRule:
    """How many years (and months) from what on, who says so, and how people read it."""

    code: str
    years: int
    months: int
    counted_from: str
    source: str
    fr: str
    en: str

    def last_day(self, counted_from: date) -> date:
        """Return the last day on which it is kept."""
        return counted_from + relativedelta(years=self.years, months=self.months)

    def is_over(self, counted_from: date, today: date) -> bool:
        """Say whether the time is over on `today`: the day after the last day, at the soonest."""
        return today > self.last_day(counted_from)


@cache
def rules() -> tuple[RetentionRule, ...]:
    """Return all rules in the order of their file."""
    read = tomllib.loads(RULES.read_text(encoding="utf-8"))
    return tuple(
        RetentionRule(counted_from=retention_rule.pop("from"), **retention_rule)
        for retention_rule in read["rule"]
    )


def rule(code: str) -> RetentionRule:
    """Return the rule of this code."""
    return next(retention_rule for retention_rule in rules() if retention_rule.code == code)
