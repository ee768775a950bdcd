"""The chapters about money: each euro, what carries itself, and who cannot pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.reports.blocks import (
    Block,
    Chapter,
    Table,
    drawn,
    few,
    heads,
    picture,
    row,
)
from provision.subscriptions.reports.charts import LINE_STYLE, Bar, Group, Stack, bars, columns
from provision.subscriptions.reports.coverage import worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.wording import Wording

KINDS = ("association", "business", "fund", "infrastructure", "upstream", "tax")
STANDINGS = ("ordinary", "non_profit", "fraud")
INCOMES = ("sales", "dues", "gifts", "grants", "other")


def euro(figures: Figures, words: Wording) -> Chapter:
    """Return who received what from each euro, and the share of coordination."""
    blocks = (_received(figures, words), _coordination(figures, words))
    return Chapter("euro", words.say("euro.chapter"), blocks)


def carries(figures: Figures, words: Wording) -> Chapter:
    """Return the coverage, where the money comes from, and how long it lasts."""
    blocks = (_coverage(figures, words), _income(figures, words))
    return Chapter("carries", words.say("carries.chapter"), blocks)


def cannot(figures: Figures, words: Wording) -> Chapter:
    """Return what is unpaid, and who pays more so that others can pay less."""
    blocks = (_unpaid(figures, words), _reminded(figures, words), _tiers(figures, words))
    return Chapter("cannot", words.say("cannot.chapter"), blocks)


def _received(figures: Figures, words: Wording) -> Block:
    title = words.say("euro.title")
    if not figures.received:
        return Block(title, (words.say("euro.empty"),))
    paid = sum(one.cents for one in figures.received)
    groups = [
        Group(
            one.beneficiary,
            (Bar(one.cents, words.hundredths(one.basis_points), KINDS.index(one.kind)),),
            words.name("roles", one.role),
        )
        for one in figures.received
    ]
    kinds = {one.kind for one in figures.received}
    legend = [
        (words.name("kinds", kind), style) for style, kind in enumerate(KINDS) if kind in kinds
    ]
    rows = [
        row(
            one.beneficiary,
            words.name("roles", one.role),
            words.money(one.cents),
            words.hundredths(one.basis_points),
            words.name("kinds", one.kind),
        )
        for one in figures.received
    ]
    rows.append(row(words.say("page.total"), "", words.money(paid), _whole(figures, words), ""))
    return Block(
        title,
        (words.say("euro.says", paid=words.money(paid)), *few(words, groups)),
        bars(picture(words, "euro", title), drawn(groups), legend),
        Table(heads(words, "euro", "who", "role", "cents", "share", "kind"), tuple(rows), names=2),
    )


def _whole(figures: Figures, words: Wording) -> str:
    shares = [one.basis_points for one in figures.received]
    return words.hundredths(None if None in shares else sum(share or 0 for share in shares))


def _coordination(figures: Figures, words: Wording) -> Block:
    found = figures.coordination
    said = words.say(
        f"euro.coordination_{found.verdict}",
        cents=words.money(found.cents),
        share=words.percent(found.share),
    )
    return Block(words.say("euro.coordination"), (said,))


def _coverage(figures: Figures, words: Wording) -> Block:
    title, hardest = words.say("carries.title"), worst(figures.coverage)
    if hardest is None:
        return Block(title, (words.say("carries.empty"),))
    paid = Stack(words.say("carries.paid"), 0, tuple(one.paid for one in figures.coverage))
    cost = Stack(words.say("carries.cost"), LINE_STYLE, tuple(one.cost for one in figures.coverage))
    said = words.say(
        "carries.worst", month=words.month(hardest.month), share=words.percent(hardest.ratio)
    )
    rows = tuple(
        row(
            words.month(one.month),
            words.money(one.paid),
            words.money(one.cost),
            words.percent(one.ratio),
        )
        for one in figures.coverage
    )
    return Block(
        title,
        (said, words.say("carries.carried")),
        columns(picture(words, "coverage", title), figures.months, [paid, cost], words.short),
        Table(heads(words, "carries", "month", "paid", "cost", "share"), rows),
    )


def _income(figures: Figures, words: Wording) -> Block:
    title = words.say("carries.income")
    kinds = [(words.say(f"carries.{kind}"), getattr(figures.dependency, kind)) for kind in INCOMES]
    says = tuple(_runway(figures, words))
    if not any(cents for _, cents in kinds):
        return Block(title, (words.say("carries.income_empty"), *says))
    groups = [Group(name, (Bar(cents, words.money(cents), 0),)) for name, cents in kinds if cents]
    return Block(
        title,
        (
            words.say("carries.recurring", share=words.percent(figures.recurring_ratio)),
            words.say("carries.subsidy", share=words.percent(figures.dependency.subsidy_ratio)),
            *says,
        ),
        bars(picture(words, "income", title), groups),
        Table(
            heads(words, "carries", "income_kind", "income_cents"),
            tuple(row(name, words.money(cents)) for name, cents in kinds),
        ),
    )


def _runway(figures: Figures, words: Wording) -> Iterator[str]:
    found = figures.dependency
    yield words.say("carries.cash", cash=words.money(found.cash))
    for key, months in (("lasts", found.runway), ("lasts_alone", found.runway_without_grants)):
        yield words.say(
            f"carries.{key}_forever" if months is None else f"carries.{key}", months=months
        )


def _unpaid(figures: Figures, words: Wording) -> Block:
    title = words.say("cannot.title")
    if not any(one.invoices for one in figures.unpaid):
        return Block(title, (words.say("cannot.empty"),))
    groups = [
        Group(
            words.name("ages", one.age),
            tuple(
                Bar(cents, words.money(cents), style)
                for style, cents in enumerate((one.ordinary, one.non_profit, one.fraud))
                if cents
            ),
        )
        for one in figures.unpaid
        if one.invoices
    ]
    legend = [(words.say(f"cannot.{name}"), style) for style, name in enumerate(STANDINGS)]
    rows = tuple(
        row(
            words.name("ages", one.age),
            words.money(one.ordinary),
            words.money(one.non_profit),
            words.money(one.fraud),
            str(one.invoices),
        )
        for one in figures.unpaid
    )
    return Block(
        title,
        (words.say("cannot.says", late=words.money(late(figures))),),
        bars(picture(words, "unpaid", title), groups, legend),
        Table(heads(words, "cannot", "age", *STANDINGS, "invoices"), rows),
    )


def _reminded(figures: Figures, words: Wording) -> Block:
    title = words.say("cannot.reminded")
    if not any(one.invoices for one in figures.reminded):
        return Block(title, (words.say("cannot.empty"),))
    rows = tuple(
        row(words.name("steps", one.step), words.money(one.open_cents), str(one.invoices))
        for one in figures.reminded
    )
    table = Table(heads(words, "cannot", "step", "open", "invoices"), rows)
    return Block(title, (words.say("cannot.reminded_says"),), "", table)


def late(figures: Figures) -> int:
    """Return the cents that are past their due day."""
    return sum(
        one.ordinary + one.non_profit + one.fraud for one in figures.unpaid if one.age != "not_due"
    )


def _tiers(figures: Figures, words: Wording) -> Block:
    title = words.say("cannot.tiers")
    if not figures.tiers:
        return Block(title, (words.say("cannot.tiers_empty"),))
    groups = [
        Group(one.tier, (Bar(one.transfer, words.money(one.transfer), int(one.transfer < 0)),))
        for one in figures.tiers
    ]
    rows = tuple(
        row(
            one.tier,
            str(one.subscriptions),
            words.money(one.paid),
            words.money(one.cost),
            words.money(one.transfer),
        )
        for one in figures.tiers
    )
    return Block(
        title,
        (words.say("cannot.tiers_says"), *few(words, groups)),
        bars(picture(words, "tiers", title), drawn(groups)),
        Table(heads(words, "cannot", "tier", "count", "tier_paid", "tier_cost", "transfer"), rows),
    )
