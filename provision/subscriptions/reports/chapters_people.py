"""The chapters about people: who is with us, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.reports.blocks import (
    Block,
    Cell,
    Chapter,
    Table,
    drawn,
    few,
    heads,
    picture,
    row,
)
from provision.subscriptions.reports.charts import Bar, Group, Stack, bars, columns
from provision.subscriptions.reports.recurring import KINDS

if TYPE_CHECKING:
    from provision.subscriptions.reports.cohorts import Cohort
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.wording import Wording

DARKEST = 5


def people(figures: Figures, words: Wording) -> Chapter:
    """Return the recurring revenue, who left, and who of those who began together is there."""
    blocks = (_revenue(figures, words), _churn(figures, words), _cohorts(figures, words))
    return Chapter("people", words.say("people.chapter"), blocks)


def places(figures: Figures, words: Wording) -> Chapter:
    """Return where subscribers are and where the money goes."""
    blocks = (_sales(figures, words), _stays(figures, words))
    return Chapter("places", words.say("places.chapter"), blocks)


def _revenue(figures: Figures, words: Wording) -> Block:
    title, last = words.say("people.title"), figures.movements[-1]
    if not any(one.opened or one.closed for one in figures.movements):
        return Block(title, (words.say("people.empty"),))
    stacks = [
        Stack(
            words.say(f"people.{kind}"),
            style,
            tuple(getattr(one, kind) for one in figures.movements),
        )
        for style, kind in enumerate(KINDS)
    ]
    columns_of = ("opening", *KINDS, "closing")
    rows = tuple(
        row(words.month(one.month), *(words.money(getattr(one, column)) for column in columns_of))
        for one in figures.movements
    )
    said = words.say(
        "people.says",
        month=words.month(last.month),
        subscribers=last.closed,
        revenue=words.money(last.closing),
    )
    return Block(
        title,
        (said,),
        columns(picture(words, "revenue", title), figures.months, stacks, words.short),
        Table(heads(words, "people", "month", *columns_of), rows),
    )


def _churn(figures: Figures, words: Wording) -> Block:
    title = words.say("people.churn")
    if not any(one.opened for one in figures.movements):
        return Block(title, (words.say("people.churn_empty"),))
    left = Stack(words.say("people.left"), 5, tuple(one.left for one in figures.movements))
    rows = tuple(
        row(
            words.month(one.month),
            str(moved.left),
            words.percent(one.subscribers),
            words.percent(one.revenue),
            words.percent(one.net_revenue),
        )
        for one, moved in zip(figures.churn, figures.movements, strict=True)
    )
    columns_of = ("month", "left", "churn_subscribers", "churn_revenue", "churn_net")
    return Block(
        title,
        (words.say("people.churn_says"),),
        columns(picture(words, "churn", title), figures.months, [left], str),
        Table(heads(words, "people", *columns_of), rows),
    )


def _cohorts(figures: Figures, words: Wording) -> Block:
    title = words.say("people.cohorts")
    if not figures.cohorts:
        return Block(title, (words.say("people.cohorts_empty"),))
    ages = range(max(len(one.there) for one in figures.cohorts))
    rows = tuple(_cohort(one, len(ages), words) for one in figures.cohorts)
    names = (*heads(words, "people", "cohort", "size"), *(str(age) for age in ages))
    return Block(title, (words.say("people.cohorts_says"),), table=Table(names, rows))


def _cohort(cohort: Cohort, ages: int, words: Wording) -> tuple[Cell, ...]:
    cells = [
        Cell(str(there), (there * DARKEST + cohort.size - 1) // cohort.size)
        for there in cohort.there
    ]
    empty = [Cell("")] * (ages - len(cells))
    return (*row(words.month(cohort.month), str(cohort.size)), *cells, *empty)


def _sales(figures: Figures, words: Wording) -> Block:
    title = words.say("places.title")
    if not figures.sales:
        return Block(title, (words.say("places.empty"),))
    nowhere = words.say("page.nowhere")
    groups = [
        Group(
            one.territory or nowhere,
            (Bar(one.revenue, words.money(one.revenue), 2),),
            one.seller,
        )
        for one in figures.sales
    ]
    rows = tuple(
        row(one.territory or nowhere, one.seller, str(one.subscribers), words.money(one.revenue))
        for one in figures.sales
    )
    return Block(
        title,
        tuple(few(words, groups)),
        bars(picture(words, "sales", title), drawn(groups)),
        Table(heads(words, "places", "territory", "seller", "subscribers", "revenue"), rows, 2),
    )


def _stays(figures: Figures, words: Wording) -> Block:
    title, nowhere = words.say("places.stays"), words.say("page.nowhere")
    if not figures.stays:
        return Block(title, (words.say("places.stays_empty"),))
    named = [(one.territory or nowhere, one.cents) for one in figures.stays]
    groups = [Group(name, (Bar(cents, words.money(cents), 4),)) for name, cents in named]
    return Block(
        title,
        tuple(few(words, groups)),
        bars(picture(words, "stays", title), drawn(groups)),
        Table(
            heads(words, "places", "territory", "cents"),
            tuple(row(name, words.money(cents)) for name, cents in named),
        ),
    )
