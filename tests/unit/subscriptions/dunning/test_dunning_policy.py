from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision import strict
from provision.errors import PaquetError
from provision.subscriptions.dunning import policy
from provision.subscriptions.dunning.policy import Policy, Reached, Track

EXAMPLE = Path(__file__).parents[4] / "templates/money/dunning.example.toml"
DUE = date(2026, 1, 31)
STEPS = (("notice", 5), ("reminder", 15), ("formal", 30), ("suspend", 45), ("close", 105))


def track(words: str) -> Policy:
    """Return a policy whose persons have these steps."""
    text = f"[person]\n{words}\n[company]\nnotice = 1\n[non-profit]\nnotice = 1\n"
    return strict.parse(text, Policy, policy.EXAMPLE)


def test_the_example_is_a_policy_and_no_non_profit_is_suspended() -> None:
    read = policy.read(EXAMPLE)
    assert read.of("person").steps == STEPS
    assert [step for step, _days in read.of("non-profit").steps] == ["notice", "reminder", "formal"]
    assert read.of("company").notice == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "say at least one step"),
        ("notice = 5\nreminder = 5", "each has more days"),
        ("notice = 9\nreminder = 5", "each has more days"),
        ("formal = 10\nsuspend = 17", "8 days after a formal notice"),
        ("notice = 5\nsuspend = 60", "8 days after a formal notice"),
        ("notice = 5\nclose = 60", "close comes after suspend"),
        ("notice = 0", "greater than or equal to 1"),
        ("warning = 5", "Extra inputs"),
        ('notice = "5"', "valid integer"),
    ],
)
def test_a_policy_that_would_be_unfair_is_refused(words: str, said: str) -> None:
    with pytest.raises(PaquetError, match=said) as refused:
        track(words)
    assert "person" in refused.value.message


def test_eight_days_after_a_formal_notice_are_enough() -> None:
    assert track("formal = 10\nsuspend = 18").of("person").suspend == 18


def test_the_first_step_counts_from_the_due_date() -> None:
    assert policy.following(STEPS, DUE, []) == ("notice", date(2026, 2, 5))


def test_a_late_run_keeps_the_days_between_two_steps() -> None:
    late = date(2026, 6, 1)
    found = policy.following(STEPS, DUE, [Reached("notice", late)])
    assert found == ("reminder", late + timedelta(days=10))


def test_after_the_last_step_nothing_follows() -> None:
    reached = [Reached(step, DUE + timedelta(days=days)) for step, days in STEPS]
    assert policy.following(STEPS, DUE, reached) is None
    assert policy.following((), DUE, []) is None


def test_a_payment_that_came_back_begins_again() -> None:
    reached = [Reached("notice", date(2026, 2, 5)), Reached("reminder", date(2026, 2, 15))]
    back = date(2026, 3, 1)
    assert policy.following(STEPS, back, reached) == ("notice", date(2026, 3, 6))


def test_a_step_that_the_policy_no_longer_has_is_passed_over() -> None:
    shorter = (("notice", 5), ("formal", 30))
    found = policy.following(shorter, DUE, [Reached("reminder", date(2026, 2, 15))])
    assert found == ("formal", date(2026, 3, 2))


def test_that_a_bundle_was_opened_again_is_no_step() -> None:
    reached = [Reached("notice", date(2026, 2, 5)), Reached("resumed", date(2026, 2, 6))]
    assert policy.following(STEPS, DUE, reached) == ("reminder", date(2026, 2, 15))


@given(
    days=st.lists(st.integers(1, 730), min_size=1, max_size=5, unique=True),
    runs=st.lists(st.integers(0, 40), min_size=1, max_size=40),
)
def test_steps_come_in_order_one_a_day_and_never_early(days: list[int], runs: list[int]) -> None:
    steps = tuple(zip(policy.STEPS, sorted(days), strict=False))
    reached: list[Reached] = []
    on = DUE
    for later in runs:
        on += timedelta(days=later)
        found = policy.following(steps, DUE, reached)
        if found is not None and found[1] <= on:
            reached.append(Reached(found[0], on))
    assert [one.step for one in reached] == [step for step, _days in steps][: len(reached)]
    assert len({one.on for one in reached}) == len(reached)
    for one, (_step, least) in zip(reached, steps, strict=False):
        assert (one.on - DUE).days >= least


def test_a_track_without_formal_notice_never_suspends() -> None:
    assert Track(notice=5).steps == (("notice", 5),)
