"""Questions to the person at the keyboard: each is put a few times at most, never for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.errors import UsageRefused

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 3
YES, NO = ("y", "yes"), ("n", "no", "")


@dataclass(frozen=True)
class Question:
    """What is asked, the option that answers it too, and what is wrong with an answer ('' if fine).

    An empty answer is `default`; without one it is asked again.
    """

    words: str
    option: str
    mistake: Callable[[str], str]
    default: str | None = None


def answer(question: Question) -> str:
    """Return a right answer. Raises UsageRefused after a few wrong ones, or when nobody answers."""
    default, wrong = question.default, ""
    shown = f"{question.words} [{default}]" if default else question.words
    for _ in range(TRIES):
        typed = _line(shown, f"Give it as {question.option}.")
        if not typed and default is None:
            wrong = "it needs an answer"
        else:
            typed = typed or default or ""
            wrong = question.mistake(typed)
        if not wrong:
            return typed
        click.echo(f"  {wrong}")
    raise UsageRefused(f"{question.words}: {wrong}", f"Give it as {question.option}.")


def agree(question: str, hint: str, *, err: bool = False) -> bool:
    """Return whether the answer is yes. Raises UsageRefused when it is neither yes nor no."""
    for _ in range(TRIES):
        typed = _line(f"{question} [y/N]", hint, err=err).lower()
        if typed in YES or typed in NO:
            return typed in YES
        click.echo("  Type y or n.", err=err)
    raise UsageRefused(f"“{question}” was not answered with yes or no", hint)


def _line(words: str, hint: str, *, err: bool = False) -> str:
    """Return one line of the person; the end of the input is a refusal, Ctrl-C an interruption."""
    try:
        typed: str = click.prompt(words, default="", show_default=False, err=err)
    except click.Abort as ended:
        if isinstance(ended.__context__, EOFError):
            raise UsageRefused(f"The input ended before an answer: {words}", hint) from None
        raise
    return typed.strip()
