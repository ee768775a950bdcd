"""Runs about money: what is due is billed and collected."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provision.jobs.work import StepResult, one_step
from provision.registry.runs import HERE, PERSON_WAITS, WantedRun
from provision.subscriptions.offers.vat import TreatmentRefused
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import collecting
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.selling.billing import BillingOutcome
from provision.subscriptions.settling import settlements, steps
from provision.workflows import bill, dunning
from provision.workflows.dunning import Campaign

if TYPE_CHECKING:
    from provision.jobs.work import Words
    from provision.workflows.control import Control

QUEUE = "money"


def billing(day: date, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for the billing of a day."""
    words = {"day": day.isoformat()}
    return WantedRun("bill", f"day:{day}", ["bill"], words, QUEUE, priority=priority)


def read(facts: Words) -> BillingOutcome:
    """Return the outcome that a billing brought."""
    return BillingOutcome(
        **{
            **facts,
            "days": [date.fromisoformat(day) for day in facts["days"]],
            "left_out": {number: TreatmentRefused(*why) for number, *why in facts["left_out"]},
        }
    )


def collection(organisation: str, handed_over: HandedOver, again: frozenset[str]) -> WantedRun:
    """Ask for a collection of an organisation, once per key."""
    words = {
        "organisation": organisation,
        **asdict(handed_over),
        "collect_on": handed_over.collect_on.isoformat(),
        "made_at": handed_over.made_at.isoformat(),
        "again": sorted(again),
    }
    subject = f"collection:{handed_over.key} of {organisation}"
    return WantedRun("collect", subject, ["collect"], words, QUEUE)


def _bill(control: Control, words: Words) -> StepResult:
    outcome = bill.bill(control, date.fromisoformat(words["day"]))
    left_out = [[number, why.message, why.hint] for number, why in sorted(outcome.left_out.items())]
    days = [day.isoformat() for day in outcome.days]
    facts = {**vars(outcome), "days": days, "left_out": left_out}
    return StepResult(f"{outcome.documents} documents", facts)


def _collect(control: Control, words: Words) -> StepResult:
    handed_over = HandedOver(
        words["key"],
        date.fromisoformat(words["collect_on"]),
        datetime.fromisoformat(words["made_at"]),
        words["schema"],
    )
    with control.session() as session:
        owner = organisations.get(session, words["organisation"])
        number = collecting.carry_out(session, owner, handed_over, frozenset(words["again"])).number
    return StepResult(f"collection {number}", {"collection": number})


def settlement(day: date, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for settlements of all that sellers owe by a day."""
    words = {"day": day.isoformat()}
    return WantedRun("settle", f"day:{day}", ["settle"], words, QUEUE, priority=priority)


def reminders(campaign: Campaign, policy: Path | None, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for the reminders of an organisation on a day, by the steps of a file.

    The letters that a person asks for lie in a folder of theirs: no worker writes there.
    """
    words = {
        "organisation": campaign.organisation,
        "on": campaign.on.isoformat(),
        "folder": str(campaign.folder.absolute()),
        "policy": str(policy.absolute()) if policy else "",
    }
    subject = f"reminders:{campaign.on} of {campaign.organisation}"
    queue = HERE if priority == PERSON_WAITS else QUEUE
    return WantedRun("remind", subject, ["remind"], words, queue, priority=priority)


def _settle(control: Control, words: Words) -> StepResult:
    day = date.fromisoformat(words["day"])
    with control.session() as session:
        new = settlements.make_all(session, day, control.today())
        shown = [steps.shown(settlement) for settlement in new]
    return StepResult(f"{len(shown)} settlements", shown)


def _remind(control: Control, words: Words) -> StepResult:
    rules = dunning.rules(Path(words["policy"]) if words["policy"] else None)
    on, folder = date.fromisoformat(words["on"]), Path(words["folder"])
    done = dunning.run(control, Campaign(words["organisation"], rules, on, folder))
    refused = sum(bool(step.refused) for step in done)
    message = f"{len(done)} steps, {refused} of them refused" if refused else f"{len(done)} steps"
    return StepResult(message, [asdict(step) for step in done])


SETTLE = one_step("settle", _settle)
REMIND = one_step("remind", _remind)
BILL = one_step("bill", _bill)
COLLECT = one_step("collect", _collect)
