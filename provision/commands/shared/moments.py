"""When something happened, as commands take it: the day that was typed, or today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.ledger.journal import Moment

if TYPE_CHECKING:
    from datetime import date

    from provision.commands.shared.context import Context


def moment_of(context: Context, on: date | None) -> Moment:
    """Return when it happened: `on`, else today. Raises UsageRefused for the future."""
    today = context.today
    return Moment(on or today, today)
