"""How commands read days and folders, and show amounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import money as exact
from provision.money import Amount

if TYPE_CHECKING:
    from collections.abc import Mapping

folder_type = click.Path(file_okay=False, path_type=Path)
day_type = click.DateTime(["%Y-%m-%d"])


def worded(facts: Mapping[str, object], language: str, *, as_json: bool) -> dict[str, object]:
    """Return `facts` with each amount as exact numbers for JSON, or as people read it."""
    return {
        name: _worded(value, language, as_json=as_json) if isinstance(value, Amount) else value
        for name, value in facts.items()
    }


def _worded(amount: Amount, language: str, *, as_json: bool) -> object:
    if as_json:
        return {"commodity": amount.commodity.code, "units": amount.units}
    return exact.show(amount, language)
