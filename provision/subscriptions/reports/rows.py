"""Each figure as flat rows, for JSON, CSV and the terminal.

Names carry units: `…_cents` are whole cents, `…_basis_points` hundredths of a percent (None where
there is nothing to compare with), `…_seconds` seconds; a month is 'YYYY-MM', a day 'YYYY-MM-DD'.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, cast

from provision.subscriptions.reports.ratios import basis_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from dataclasses import Field

    from _typeshed import DataclassInstance

    from provision.subscriptions.reports.cohorts import Cohort
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.model import ModelOutcome

Cell: TypeAlias = str | int | bool | None
Row: TypeAlias = dict[str, Cell]

PLAIN = ("title", "until", "months", "cohorts", "recurring_ratio")  # no rows of their own


def rows(figures: Figures) -> dict[str, list[Row]]:
    """Return the rows of every figure by its name, an empty list where there is no data."""
    by_figure = {
        field.name: [flat(record) for record in _records(getattr(figures, field.name))]
        for field in fields(figures)
        if field.name not in PLAIN
    }
    by_figure["cohorts"] = list(_cohort_rows(figures.cohorts))
    share = basis_points(figures.recurring_ratio)
    by_figure["recurring"] = [{"until": figures.until.isoformat(), "share_basis_points": share}]
    return by_figure


def model_rows(outcome: ModelOutcome) -> dict[str, list[Row]]:
    """Return what a model gives in the same way: its numbers, who receives what, and its notes."""
    numbers = {
        _column(field): _cell(getattr(outcome, field.name), field.name)
        for field in fields(outcome)
        if field.name not in ("receives", "notes")
    }
    return {
        "model": [numbers],
        "receives": [{"who": who, "cents": cents} for who, cents in outcome.receives.items()],
        "notes": [{"note": note} for note in outcome.notes],
    }


def flat(record: DataclassInstance) -> Row:
    """Return one record as a row; a record inside it gives its own columns in its place."""
    row: Row = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            row |= flat(value)
        else:
            row[_column(field)] = _cell(value, field.name)
    return row


def _records(value: object) -> Iterable[DataclassInstance]:
    if value is None:
        return ()
    return cast("tuple[DataclassInstance, ...]", value if isinstance(value, tuple) else (value,))


def _column(field: Field[object]) -> str:
    """Add the unit that the annotation gives, where the name does not say it."""
    unit = {"Cents": "cents", "Fraction": "basis_points"}.get(str(field.type).split(" ")[0], "")
    named = field.name == unit or field.name.endswith(f"_{unit}")
    return field.name if not unit or named else f"{field.name}_{unit}"


def _cell(value: object, name: str) -> Cell:
    if isinstance(value, Fraction):
        return basis_points(value)
    if isinstance(value, date):
        return value.isoformat()[:7] if name == "month" else value.isoformat()
    return cast("Cell", value)


def _cohort_rows(cohorts: Iterable[Cohort]) -> Iterator[Row]:
    for cohort in cohorts:
        for age, there in enumerate(cohort.there):
            month = cohort.month.isoformat()[:7]
            yield {"month": month, "size": cohort.size, "age_months": age, "there": there}
