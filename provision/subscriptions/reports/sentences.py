"""What the blocks of a report say, where it depends on the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.reports.coverage import worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.money import Cents
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.thresholds import Watch
    from provision.subscriptions.reports.wording import Wording


def euro(figures: Figures, words: Wording) -> Iterator[str]:
    """Say what subscribers paid."""
    paid = sum(received.cents for received in figures.received)
    yield words.say("euro.says", paid=words.money(paid))


def coordination(figures: Figures, words: Wording) -> Iterator[str]:
    """Say what coordination got, and whether it is enough; nothing where it is not judged."""
    judged = figures.coordination
    if judged is None:
        return
    cents, share = words.money(judged.cents), words.percent(judged.share)
    yield words.say(f"coordination.{judged.verdict}", cents=cents, share=share)


def coverage(figures: Figures, words: Wording) -> Iterator[str]:
    """Say which month was carried least."""
    hardest = worst(figures.coverage)
    if hardest is not None:
        month, share = words.month(hardest.month), words.percent(hardest.ratio)
        yield words.say("coverage.worst", month=month, share=share)


def income(figures: Figures, words: Wording) -> Iterator[str]:
    """Say how much comes again, and how much was granted."""
    yield words.say("income.recurring", share=words.percent(figures.recurring_ratio))
    yield words.say("income.subsidy", share=words.percent(figures.dependency.subsidy_ratio))


def runway(figures: Figures, words: Wording) -> Iterator[str]:
    """Say how long the cash lasts."""
    money = figures.dependency
    yield words.say("income.cash", cash=words.money(money.cash))
    for key, months in (("lasts", money.runway), ("lasts_alone", money.runway_without_grants)):
        forever = "_forever" if months is None else ""
        yield words.say(f"income.{key}{forever}", months=months)


def revenue(figures: Figures, words: Wording) -> Iterator[str]:
    """Say who is there at the end, and what they pay a month."""
    last = figures.movements[-1]
    yield words.say(
        "revenue.says",
        month=words.month(last.month),
        subscribers=last.closed,
        revenue=words.money(last.closing),
    )


def late(figures: Figures) -> Cents:
    """Return the cents that are past their due day."""
    return sum(
        age.ordinary + age.non_profit + age.fraud for age in figures.unpaid if age.age != "not_due"
    )


def unpaid(figures: Figures, words: Wording) -> Iterator[str]:
    """Say how much is late."""
    yield words.say("unpaid.says", late=words.money(late(figures)))


def time(figures: Figures, words: Wording) -> Iterator[str]:
    """Say how much time was given, where too much of it, and what it would have cost."""
    yield words.say("time.says", hours=words.hours(sum(given.seconds for given in figures.time)))
    for given in figures.time:
        if given.past_the_mark:
            share = words.percent(given.commons_share)
            yield words.say("time.mark", organisation=given.organisation, share=share)
    valued = figures.valuation
    if valued is not None:
        yield words.say(
            "time.valued",
            day=words.day(valued.on),
            rate=words.money(valued.hourly_cents),
            cents=words.money(valued.cents),
        )


def reciprocity(figures: Figures, words: Wording) -> Iterator[str]:
    """Say how many contracts were kept."""
    kept = sum(contract.kept for contract in figures.reciprocity)
    yield words.say("reciprocity.says", kept=kept, all=len(figures.reciprocity))


def watch(figures: Figures, words: Wording) -> Iterator[str]:
    """Warn of what associations risk, and say which limits are not certain."""
    for watched in figures.watch:
        if watched.rule == "franchise":
            key = "taxable" if watched.taxable else "rescrit"
            yield words.say(f"watch.{key}", party=watched.party)
            if watched.level != "below":
                yield words.say("watch.franchise_reached")
    for key in ("unverified", "of_another_year"):
        limits = sorted({_limit(each, words) for each in figures.watch if getattr(each, key)})
        if limits:
            yield words.say(f"watch.{key}", limits=" · ".join(limits))


def _limit(watched: Watch, words: Wording) -> str:
    return f"{words.name('rules', watched.rule)}, {words.money(watched.limit or 0)}"
