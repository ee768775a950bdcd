"""Which troubles the operator is told of, and when: once per trouble and day. Pure.

The state is plain data: `troubles` by the name of their check, each with `since`, `told` (when, or
0), `said` (how), `over` (when it ended, or 0) and `told_over`; and `letters`, when each was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from judge import Finding

HOUR, DAY = 3600, 86_400
NEW = {"told": 0, "said": "", "over": 0, "told_over": False}
# Whoever makes things fail on purpose fills no mailbox, and delays no other letter for long.
AT_ONCE, THEN_ONE_IN = 6, HOUR


@dataclass(frozen=True)
class News:
    """What one letter says: troubles, and the names of those that are over."""

    troubles: tuple[Finding, ...] = ()
    over: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.troubles or self.over)


def note(state: dict[str, Any], troubles: Sequence[Finding], now: float) -> None:
    """Note in `state` which troubles began and ended, and forget what is told to its end."""
    known = state.setdefault("troubles", {})
    current = {finding.check for finding in troubles}
    for check in current:
        trouble = known.setdefault(check, {**NEW, "since": now})
        if trouble["over"]:
            trouble.update(since=now, over=0)
    for check in known.keys() - current:
        trouble = known[check]
        trouble["over"] = trouble["over"] or now
        is_old = now - trouble["told"] >= DAY
        if not trouble["told"] or (trouble["told_over"] and is_old):
            del known[check]


def news(state: Mapping[str, Any], troubles: Sequence[Finding], now: float) -> News:
    """Return what there is to tell now; nothing when too many letters were sent already."""
    sent = sent_lately(state, now)
    if len(sent) >= AT_ONCE and now - sent[-1] < THEN_ONE_IN:
        return News()
    known = state["troubles"]
    due = tuple(finding for finding in troubles if now - known[finding.check]["told"] >= DAY)
    over = tuple(
        check for check, trouble in known.items() if trouble["over"] and not trouble["told_over"]
    )
    return News(due, over)


def note_told(state: dict[str, Any], told: News, said: Mapping[str, str], now: float) -> None:
    """Note in `state` that a letter with this news was delivered; `said` are its sentences."""
    for finding in told.troubles:
        state["troubles"][finding.check].update(told=now, told_over=False, said=said[finding.check])
    for check in told.over:
        state["troubles"][check]["told_over"] = True
    state["letters"] = [*sent_lately(state, now), now]


def sent_lately(state: Mapping[str, Any], now: float) -> list[float]:
    """Return when the letters of the last day were sent."""
    return [moment for moment in state.get("letters", []) if now - moment < DAY]
