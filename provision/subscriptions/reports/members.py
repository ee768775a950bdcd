"""What the work brings to each member, and for how many it is a living."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused

if TYPE_CHECKING:
    from provision.money import Cents

FEWEST, MOST = 4, 20  # persons of the cooperatives whose members know each other's income


@dataclass(frozen=True)
class PerMember:
    """Cents a month for each member, rounded down, and how many full-time wages it is."""

    members: int
    cents: Cents
    full_time_wages: int

    @property
    def all_full_time(self) -> bool:
        """Whether each member can live on it full time."""
        return self.full_time_wages >= self.members


def per_member(monthly_pay: Cents, members: int, full_time_wage: Cents) -> PerMember:
    """Return pay / members, and pay / cost of one full-time wage, both a month, rounded down."""
    if members < 1 or full_time_wage < 1 or monthly_pay < 0:
        raise UsageRefused(
            "Income per member needs members, a wage and what there is to share",
            "Give at least one member and a wage above zero.",
        )
    return PerMember(members, monthly_pay // members, monthly_pay // full_time_wage)
