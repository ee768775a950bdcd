"""The chapters about what is held in common: time, promises, and what the law watches."""

from __future__ import annotations

from fractions import Fraction
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
from provision.subscriptions.reports.charts import Bar, Group, bars
from provision.subscriptions.reports.ratios import basis_points
from provision.subscriptions.reports.thresholds import NEAR
from provision.subscriptions.reports.wording import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.subscriptions.reports.blocks import Cell
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.thresholds import Watch
    from provision.subscriptions.reports.wording import Wording


def gives(figures: Figures, words: Wording) -> Chapter:
    """Return the time given, the reciprocity kept, and the pledges received."""
    blocks = (_time(figures, words), _reciprocity(figures, words), _pledges(figures, words))
    return Chapter("gives", words.say("gives.chapter"), blocks)


def thresholds(figures: Figures, words: Wording) -> Chapter:
    """Return how near the tax thresholds are, and always that they are not the only risk."""
    return Chapter("thresholds", words.say("thresholds.chapter"), (_watch(figures, words),))


def _time(figures: Figures, words: Wording) -> Block:
    title = words.say("gives.title")
    if not figures.time:
        return Block(title, (words.say("gives.empty"),))
    groups = [
        Group(
            one.organisation,
            tuple(
                Bar(seconds, words.hours(seconds), style)
                for style, seconds in (
                    (2, one.commons_seconds),
                    (4, one.seconds - one.commons_seconds),
                )
                if seconds
            ),
        )
        for one in figures.time
    ]
    legend = [(words.say("gives.commons"), 2), (words.say("gives.paid_work"), 4)]
    rows = tuple(
        row(
            one.organisation,
            str(one.persons),
            words.hours(one.seconds),
            words.hours(one.commons_seconds),
            words.percent(one.commons_share),
        )
        for one in figures.time
    )
    return Block(
        title,
        (*_about_time(figures, words), *few(words, groups)),
        bars(picture(words, "time", title), drawn(groups), legend),
        Table(heads(words, "gives", "organisation", "persons", "hours", "commons", "share"), rows),
    )


def _about_time(figures: Figures, words: Wording) -> Iterator[str]:
    yield words.say("gives.says", hours=words.hours(sum(one.seconds for one in figures.time)))
    for one in figures.time:
        if one.past_the_mark:
            share = words.percent(one.commons_share)
            yield words.say("gives.mark", organisation=one.organisation, share=share)
    valued = figures.valuation
    if valued is not None:
        yield words.say(
            "gives.valued",
            day=words.day(valued.on),
            rate=words.money(valued.hourly_cents),
            cents=words.money(valued.cents),
        )


def _reciprocity(figures: Figures, words: Wording) -> Block:
    title = words.say("gives.reciprocity")
    if not figures.reciprocity:
        return Block(title, (words.say("gives.reciprocity_empty"),))
    contracts = [one.contract for one in figures.reciprocity]
    groups = [
        Group(
            f"{one.from_party} → {one.to_party}",
            (
                Bar(one.due_cents, words.money(one.due_cents), 1),
                Bar(one.given_cents, words.money(one.given_cents), 2),
            ),
            one.period,
        )
        for one in contracts
    ]
    rows = tuple(
        row(
            one.contract.from_party,
            one.contract.to_party,
            words.money(one.contract.due_cents),
            words.money(one.contract.given_cents),
            words.money(one.open_cents),
            words.hundredths(one.contract.rate_basis_points),
            one.contract.period,
        )
        for one in figures.reciprocity
    )
    kept = sum(one.kept for one in figures.reciprocity)
    columns = ("from", "to", "due", "given", "open", "rate", "period")
    return Block(
        title,
        (words.say("gives.reciprocity_says", kept=kept, all=len(contracts)), *few(words, groups)),
        bars(
            picture(words, "reciprocity", title),
            drawn(groups),
            [(words.say("gives.due"), 1), (words.say("gives.given"), 2)],
        ),
        Table(heads(words, "gives", *columns), rows, names=2),
    )


def _pledges(figures: Figures, words: Wording) -> Block:
    title = words.say("gives.pledges")
    if not figures.pledges:
        return Block(title, (words.say("gives.pledges_empty"),))
    groups = [
        Group(
            one.pledge.source,
            (
                Bar(one.pledge.promised_cents, words.money(one.pledge.promised_cents), 1),
                Bar(one.pledge.received_cents, words.money(one.pledge.received_cents), 0),
            ),
        )
        for one in figures.pledges
    ]
    rows = tuple(
        row(
            one.pledge.source,
            words.money(one.pledge.promised_cents),
            words.money(one.pledge.received_cents),
            words.money(one.missing_cents),
            words.percent(one.share),
        )
        for one in figures.pledges
    )
    legend = [(words.say("gives.promised"), 1), (words.say("gives.received"), 0)]
    return Block(
        title,
        tuple(few(words, groups)),
        bars(picture(words, "pledges", title), drawn(groups), legend),
        Table(heads(words, "gives", "source", "promised", "received", "missing", "part"), rows),
    )


def _watch(figures: Figures, words: Wording) -> Block:
    title = words.say("thresholds.title")
    if not figures.watch:
        return Block(title, (words.say("thresholds.empty"), words.say("thresholds.risk")))
    groups = [
        Group(
            one.party,
            (Bar(basis_points(one.ratio) or 0, "", _style(one)),),
            f"{one.year} · {words.percent(one.ratio)}",
        )
        for one in figures.watch
    ]
    marks = [(basis_points(share) or 0, words.percent(share)) for share in (NEAR, Fraction(1))]
    columns = ("party", "level", "received", "limit", "share", "year", "rule")
    return Block(
        title,
        (words.say("thresholds.risk"), *_warnings(figures, words), *few(words, groups)),
        bars(picture(words, "watch", title), drawn(groups), marks=marks),
        Table(
            heads(words, "thresholds", *columns),
            tuple(_watched(one, words) for one in figures.watch),
            names=2,
        ),
    )


def _watched(one: Watch, words: Wording) -> tuple[Cell, ...]:
    return row(
        one.party,
        words.name("levels", one.level),
        words.money(one.received),
        UNKNOWN if one.limit is None else words.money(one.limit),
        words.percent(one.ratio),
        str(one.year),
        words.name("rules", one.rule),
    )


def _warnings(figures: Figures, words: Wording) -> Iterator[str]:
    for one in figures.watch:
        if one.rule == "franchise":
            yield words.say(
                "thresholds.taxable" if one.taxable else "thresholds.rescrit", party=one.party
            )
            if one.level != "below":
                yield words.say("thresholds.franchise_reached")
    for key in ("unverified", "of_another_year"):
        limits = sorted({_limit(one, words) for one in figures.watch if getattr(one, key)})
        if limits:
            yield words.say(f"thresholds.{key}", limits=" · ".join(limits))


def _limit(one: Watch, words: Wording) -> str:
    return f"{words.name('rules', one.rule)}, {words.money(one.limit or 0)}"


def _style(one: Watch) -> int:
    return {"near": 1, "reached": 5}.get(one.level, 0)
