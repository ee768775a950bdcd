"""What people type, as values: days, names, all parameters of a command as one dataclass."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command: TypeAlias = Callable[..., None]
MOST_NUMBER = 999_999_999  # what both databases hold, and more than anybody has
WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}")


class Day(click.ParamType[date]):
    """A day of the calendar, typed like 2026-01-31."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Return the day that was typed."""
        if isinstance(value, date):
            return value
        typed_day = str(value)
        try:
            day = date.fromisoformat(typed_day)
        except ValueError:
            day = None
        if day is None or not WRITTEN.fullmatch(typed_day):
            self.fail(f"{typed_day[:40]!r} is not a day: write it like 2026-01-31.", param, ctx)
        return day


class Name(click.ParamType[str]):
    """Who or what is meant: an empty word means nobody, and is not the same as no word."""

    name = "NAME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the name that was typed."""
        if not str(value).strip():
            self.fail("it is empty: give a name, or leave the option out.", param, ctx)
        return str(value)


class Who(Name):
    """Which subscriber is meant: by e-mail address or, with or without one, by number."""

    name = "WHO"


day_type = Day()
name_type = Name()
who_type = Who()
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)
new_file_type = click.Path(dir_okay=False, path_type=Path)
folder_type = click.Path(file_okay=False, path_type=Path)
number_type = click.IntRange(1, MOST_NUMBER)
count_type = click.IntRange(0, MOST_NUMBER)
language_type = click.Choice(["fr", "en"])
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
on_option = click.option("--on", type=day_type, help="When it happened; else today.")
why_option = click.option("--why", required=True, help="The reason, for the record.")
again_option = click.option(
    "--again", is_flag=True, help="One more, where there is the same of that day already."
)


def before_option(old: str, new: str) -> Callable[[Command], Command]:
    """Add the option `old` of the last release: it is taken as `new`, which is told."""

    def take(context: click.Context, _param: click.Parameter, word: str | None) -> None:
        if word is not None:
            click.echo(f"`{old}` is now `{new}`.", err=True)
            context.params[new.removeprefix("--")] = word

    return click.option(old, hidden=True, expose_value=False, callback=take)


def typed(shape: type[DataclassInstance], name: str) -> Callable[[Command], Command]:
    """Hand the parameters that the dataclass `shape` has fields for to a command as one, `name`.

    A field that the command has no parameter for keeps its default.
    """
    taken = [field.name for field in fields(shape)]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def collected(*args: object, **words: object) -> None:
            value = shape(**{word: words.pop(word) for word in taken if word in words})
            command(*args, **{name: value}, **words)

        return collected

    return decorate
