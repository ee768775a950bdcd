"""Every kind of run that there is, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.jobs import bundles, checks, money, orders, post, servers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.jobs.work import RunKind

KINDS: Mapping[str, RunKind] = {
    "order": orders.DELIVERY,
    "prepare": servers.PREPARE,
    "deploy": servers.DEPLOY,
    "deploy bundles": bundles.DEPLOY,
    "bring": bundles.BRING,
    "close": bundles.CLOSE,
    "erase": bundles.ERASE,
    "back up": bundles.BACK_UP,
    "check": checks.CHECK,
    "bill": money.BILL,
    "collect": money.COLLECT,
    "settle": money.SETTLE,
    "remind": money.REMIND,
    "post": post.POST,
    "announce": post.ANNOUNCE,
    "tell operator": post.TELL_OPERATOR,
}
