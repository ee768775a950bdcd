"""Read the assumptions of a model from a commented TOML file (`templates/model.example.toml`)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from provision import strict
from provision.errors import PaquetError
from provision.strict import Table
from provision.subscriptions.offers.planfile import Cents, Name  # noqa: TC001 (pydantic reads it)
from provision.subscriptions.reports import hours, members
from provision.subscriptions.reports.factsfile import LAST_MINUTE, SECONDS_OF_A_MINUTE
from provision.subscriptions.reports.model import AFFORDABLE, Model, Offer
from provision.subscriptions.reports.ratios import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EXAMPLE = "templates/model.example.toml"


class WrittenOffer(Table):
    """What is sold a month, without VAT, and to how many."""

    name: Name
    monthly: Cents
    subscribers: int


class ModelCost(Table):
    """What must be paid each month whatever is sold."""

    label: Name
    monthly: Cents


class ModelShare(Table):
    """Whole parts of the revenue."""

    who: Name
    parts: int = Field(ge=0)


class WrittenWork(Table):
    """Paid time for each subscriber each month, and what an hour of it costs."""

    hourly: Cents
    hours: int = Field(default=0, ge=0)
    minutes: int = Field(default=0, ge=0, le=LAST_MINUTE)
    commons_basis_points: int = Field(default=0, ge=0, le=WHOLE)
    persons: int = members.FEWEST
    full_time_wage: Cents | None = None


class ModelFile(Table):
    """All assumptions of a model."""

    growth: int = 0
    seed: Cents | None = None
    affordable: Cents = AFFORDABLE
    work: WrittenWork
    offer: tuple[WrittenOffer, ...] = Field(min_length=1, strict=False)
    cost: tuple[ModelCost, ...] = Field(default=(), strict=False)
    share: tuple[ModelShare, ...] = Field(default=(), strict=False)

    def model(self) -> Model:
        """Return the model. Raises PaquetError for a name that is there twice."""
        _check_once("cost", (cost.label for cost in self.cost))
        _check_once("share", (share.who for share in self.share))
        work = self.work
        return Model(
            offers=tuple(
                Offer(offer.name, offer.monthly, offer.subscribers) for offer in self.offer
            ),
            costs={cost.label: cost.monthly for cost in self.cost},
            shares={share.who: share.parts for share in self.share},
            hourly_cents=work.hourly,
            seconds=work.hours * hours.SECONDS_OF_AN_HOUR + work.minutes * SECONDS_OF_A_MINUTE,
            growth=self.growth,
            persons=work.persons,
            full_time_wage=work.full_time_wage,
            seed=self.seed,
            commons=work.commons_basis_points,
            affordable=self.affordable,
        )


def read(path: Path) -> Model:
    """Return the model of the file, or raise PaquetError with the first thing wrong in it."""
    return strict.read(path, ModelFile, EXAMPLE).model()


def _check_once(what: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise PaquetError(f"The {what} {name} is there twice", "Add them up, or name them.")
