"""The chapters of a report, in the order in which an assembly talks about them."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from provision.subscriptions.reports import sentences
from provision.subscriptions.reports.blocks import BarsStanding, Block, Chapter, Column, Lying, some
from provision.subscriptions.reports.charts import LINE_STYLE
from provision.subscriptions.reports.coverage import worst
from provision.subscriptions.reports.recurring import KINDS as MOVES
from provision.subscriptions.reports.thresholds import NEAR
from provision.subscriptions.reports.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.reports.cohorts import Cohort
    from provision.subscriptions.reports.figures import Figures

KINDS = ("association", "business", "fund", "infrastructure", "upstream", "tax")
INCOMES = ("sales", "dues", "gifts", "grants", "other")
STANDINGS = ("ordinary", "non_profit", "fraud")
ALERTS = {"near": 1, "reached": 5}  # styles
DARKEST = 5  # where all of a cohort are still there

count, money, percent, hundredths, hours, month, place = (
    partial(Column, shown=shown)
    for shown in (
        *(Wording.count, Wording.money, Wording.percent, Wording.hundredths, Wording.hours),
        *(Wording.month, Wording.place),
    )
)


def named(key: str, group: str) -> Column:
    """Return the column of a code that has a name among the words of a group."""
    return Column(key, shown=lambda words, code: words.name(group, code))


class Came(NamedTuple):
    """What came in of one kind."""

    kind: str
    cents: Cents


class Departures(NamedTuple):
    """Who left in a month, and their share of those who were there."""

    month: date
    opened: int
    left: int
    subscribers: Fraction | None
    revenue: Fraction | None
    net_revenue: Fraction | None


def _incomes(figures: Figures) -> Sequence[Came]:
    came = [Came(kind, getattr(figures.dependency, kind)) for kind in INCOMES]
    return some(came, "cents")


def _departures(figures: Figures) -> Sequence[Departures]:
    months = [
        Departures(
            moved.month,
            moved.opened,
            moved.left,
            churn.subscribers,
            churn.revenue,
            churn.net_revenue,
        )
        for churn, moved in zip(figures.churn, figures.movements, strict=True)
    ]
    return some(months, "opened")


def _cohort(cohorts: Sequence[Cohort]) -> tuple[Column, ...]:
    ages = range(max(len(cohort.there) for cohort in cohorts))
    there = [count(str(age), partial(_there, age), shade=partial(_shade, age)) for age in ages]
    return (month("month"), count("size"), *there)


def _there(age: int, cohort: Cohort) -> int | str:
    return cohort.there[age] if age < len(cohort.there) else ""


def _shade(age: int, cohort: Cohort) -> int:
    there = cohort.there[age] if age < len(cohort.there) else 0
    return -(-there * DARKEST // cohort.size)


MONEY = (
    Block(
        "euro",
        (
            Column("who", "beneficiary"),
            named("role", "roles"),
            money("cents"),
            hundredths("share", "basis_points"),
            named("kind", "kinds"),
        ),
        Lying(
            {"cents": lambda got: KINDS.index(got.kind)},
            "{who}",
            "{role}",
            legend="{kind}",
            written="{share}",
        ),
        (sentences.euro,),
        total=("cents", "share"),
        lines=lambda figures: figures.received,
    ),
    Block("coordination", always=(sentences.coordination,), lines=lambda _: ()),
)
CARRIES = (
    Block(
        "coverage",
        (month("month"), money("paid"), money("cost"), percent("share", "ratio")),
        BarsStanding({"paid": 0, "cost": LINE_STYLE}),
        (sentences.coverage, "carried"),
        lines=lambda figures: figures.coverage if worst(figures.coverage) else (),
    ),
    Block(
        "income",
        (named("kind", "incomes"), money("cents")),
        Lying({"cents": 0}, "{kind}", zeros=False),
        (sentences.income,),
        (sentences.runway,),
        lines=_incomes,
    ),
)
PEOPLE = (
    Block(
        "revenue",
        (month("month"), *map(money, ("opening", *MOVES, "closing"))),
        BarsStanding({move: style for style, move in enumerate(MOVES)}),
        (sentences.revenue,),
        lines=lambda figures: some(figures.movements, "opened", "closed"),
    ),
    Block(
        "churn",
        (month("month"), count("left"), *map(percent, ("subscribers", "revenue", "net_revenue"))),
        BarsStanding({"left": 5}, Wording.count),
        ("says",),
        lines=_departures,
    ),
    Block("cohorts", _cohort, says=("says",)),
)
CANNOT = (
    Block(
        "unpaid",
        (named("age", "ages"), *map(money, STANDINGS), count("invoices")),
        Lying({standing: style for style, standing in enumerate(STANDINGS)}, "{age}", zeros=False),
        (sentences.unpaid,),
        lines=lambda figures: some(figures.unpaid, "invoices"),
    ),
    Block(
        "reminded",
        (named("step", "steps"), money("open", "open_cents"), count("invoices")),
        says=("says",),
        lines=lambda figures: some(figures.reminded, "invoices"),
    ),
    Block(
        "tiers",
        (Column("tier"), count("subscriptions"), *map(money, ("paid", "cost", "transfer"))),
        Lying({"transfer": lambda tier: int(tier.transfer < 0)}, "{tier}"),
        ("says",),
    ),
)
GIVES = (
    Block(
        "time",
        (
            Column("organisation"),
            count("persons"),
            hours("hours", "seconds"),
            hours("commons", "commons_seconds"),
            hours("other", "other_seconds", aside=True),
            percent("share", "commons_share"),
        ),
        Lying({"commons": 2, "other": 4}, "{organisation}", zeros=False),
        (sentences.time,),
    ),
    Block(
        "reciprocity",
        (
            Column("from", "contract.from_party"),
            Column("to", "contract.to_party"),
            money("due", "contract.due_cents"),
            money("given", "contract.given_cents"),
            money("open", "open_cents"),
            hundredths("rate", "contract.rate_basis_points"),
            Column("period", "contract.period"),
        ),
        Lying({"due": 1, "given": 2}, "{from} → {to}", "{period}"),
        (sentences.reciprocity,),
    ),
    Block(
        "pledges",
        (
            Column("source", "pledge.source"),
            money("promised", "pledge.promised_cents"),
            money("received", "pledge.received_cents"),
            money("missing", "missing_cents"),
            percent("share"),
        ),
        Lying({"promised": 1, "received": 0}, "{source}"),
    ),
)
PLACES = (
    Block(
        "sales",
        (place("territory"), Column("seller"), count("subscribers"), money("revenue")),
        Lying({"revenue": 2}, "{territory}", "{seller}"),
    ),
    Block("stays", (place("territory"), money("cents")), Lying({"cents": 4}, "{territory}")),
)
THRESHOLDS = (
    Block(
        "watch",
        (
            *(Column("party"), named("level", "levels"), money("received"), money("limit")),
            *(percent("share", "ratio"), count("year"), named("rule", "rules")),
        ),
        Lying(
            {"share": lambda watched: ALERTS.get(watched.level, 0)},
            "{party}",
            "{year} · {share}",
            written="",
            marks=(NEAR, Fraction(1)),
        ),
        always=("risk", sentences.watch),
    ),
)
CHAPTERS = (
    Chapter("euro", MONEY),
    Chapter("carries", CARRIES),
    Chapter("people", PEOPLE),
    Chapter("cannot", CANNOT),
    Chapter("gives", GIVES),
    Chapter("places", PLACES),
    Chapter("thresholds", THRESHOLDS),
)
