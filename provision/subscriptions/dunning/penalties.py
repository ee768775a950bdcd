"""What a company owes for paying late: the fixed indemnity, and interest by the day.

Sources: Code de commerce L441-10 II (penalties are owed without a reminder; at least three times
the legal interest rate) and D441-5 (40 euros per invoice). Consumers and non-profits owe neither
here. Both are said in letters, and entered in the ledger by nobody before they are paid.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from provision.days import ONE_DAY
from provision.errors import PaquetError
from provision.money import half_up

if TYPE_CHECKING:
    from provision.money import Cents

INDEMNITY = 4000
TIMES = 3
WHOLE, DAYS_OF_A_YEAR = 10_000, 365
# Legal rate between professionals ("autres cas"), in hundredths of a percent, from the first day
# of each half-year. Read in secondary texts of the orders (arrêtés): 4.92 and 3.71 % on
# legifiscal.fr and ksca.fr; 2.76 % of the order of 19 June 2025; 2.62 % of that of 15 December
# 2025.
# The rate from July 2026 on was not found: no figure is said for these days.
LEGAL_RATES = (
    (date(2024, 7, 1), 492),
    (date(2025, 1, 1), 371),
    (date(2025, 7, 1), 276),
    (date(2026, 1, 1), 262),
)
RATES_END = date(2026, 7, 1)


def interest(units: Cents, due_on: date, paid_on: date) -> Cents:
    """Return the interest on `units` from the day after `due_on` to `paid_on` with it.

    Half a cent goes up, once, at the end. Raises PaquetError for a day whose rate is not known.
    """
    first, after = due_on + ONE_DAY, paid_on + ONE_DAY
    if first >= after:
        return 0
    if first < LEGAL_RATES[0][0] or after > RATES_END:
        raise PaquetError(
            f"The legal rate is known from {LEGAL_RATES[0][0]} to {RATES_END - ONE_DAY}",
            "Look the rate up in the Journal officiel, and compute the interest by hand.",
        )
    ends = [*(day for day, _rate in LEGAL_RATES[1:]), RATES_END]
    owed = Fraction(0)
    for (start, rate), end in zip(LEGAL_RATES, ends, strict=True):
        days = (min(after, end) - max(first, start)).days
        if days > 0:
            owed += Fraction(units * rate * TIMES * days, WHOLE * DAYS_OF_A_YEAR)
    return half_up(*owed.as_integer_ratio())
