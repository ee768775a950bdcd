"""Questions to the person at the keyboard: each is put a few times at most, never for ever."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from provision.errors import UsageRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRIES = 3
YES_HINT = "Add --yes, or look with --dry-run."
AGAIN_HINT = "If one more is meant, add --again."
YES, NO = ("y", "yes"), ("n", "no", "")


class InputEnded(UsageRefused):
    """Nobody answers: the input ended."""


class Declined(click.ClickException):
    """The person said no: that is no error, and nothing was done (exit code 1)."""

    def __init__(self) -> None:
        super().__init__("Nothing was done.")

    def show(self, file: IO[Any] | None = None) -> None:
        """Say so, beside the result."""
        click.echo(self.message, file, err=True)


@dataclass(frozen=True)
class Question:
    """What is asked, the option that answers it too, and what is wrong with an answer ('' if fine).

    An empty answer, or none at all, is `default`; without one it is asked again.
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
        typed = _line(shown, err=True)
        if typed is None and default is None:
            raise _nobody(question.words, f"Give it as {question.option}.")
        given = typed or default or ""
        needed = not given and default is None
        wrong = "it needs an answer" if needed else question.mistake(given)
        if not wrong:
            return given
        click.echo(f"  {wrong}", err=True)
    raise UsageRefused(f"{question.words}: {wrong}", f"Give it as {question.option}.")


def answer_all(
    questions: Mapping[str, Question], given: Mapping[str, str | None]
) -> dict[str, str]:
    """Return an answer to each question: what is `given` under its name, else what is typed.

    Raises UsageRefused as `answer` does; where nobody answers, with all that is missing.
    """
    answers: dict[str, str] = {}
    for name, question in questions.items():
        known = given[name]
        try:
            answers[name] = answer(question) if known is None else known
        except InputEnded:
            missing = ", ".join(
                other_question.option
                for other, other_question in questions.items()
                if other not in answers and given[other] is None and other_question.default is None
            )
            it = "them" if "," in missing else "it"
            raise _nobody(missing, f"Give {it} as {missing}.") from None
    return answers


def agree(question: str, hint: str, *, err: bool = False) -> bool:
    """Return whether the answer is yes. Raises UsageRefused when it is neither yes nor no."""
    for _ in range(TRIES):
        typed = _line(f"{question} [y/N]", err=err)
        if typed is None:
            raise _nobody(question, hint)
        if typed.lower() in YES + NO:
            return typed.lower() in YES
        click.echo("  Type y or n.", err=err)
    raise UsageRefused(f"“{question}” was not answered with yes or no", hint)


def ask(question: str) -> None:
    """Go on only when the person at the keyboard says yes.

    Raises Declined after a no, UsageRefused without a person.
    """
    if not someone_is_there():
        raise UsageRefused("Nobody is there to say yes", YES_HINT)
    if not agree(question, YES_HINT, err=True):
        raise Declined


def ask_again(there: str) -> None:
    """Ask whether what is `there` already is wanted once more, also where --yes was said.

    `there` is a sentence that names it. Raises Declined after a no, UsageRefused where nobody can
    be asked.
    """
    if not someone_is_there():
        raise UsageRefused(there, AGAIN_HINT)
    if not agree(f"{there}. One more?", AGAIN_HINT, err=True):
        raise Declined


def someone_is_there() -> bool:
    """Tell whether somebody sits at the keyboard."""
    return sys.stdin.isatty()


def _line(words: str, *, err: bool = False) -> str | None:
    """Return one line of the person, None where the input ends; Ctrl-C is raised.

    Where no person is, a line is read without a word.
    """
    shown, suffix = (words, ": ") if someone_is_there() else ("", "")
    try:
        typed: str = click.prompt(
            shown, default="", show_default=False, prompt_suffix=suffix, err=err
        )
    except click.Abort as ended:
        if isinstance(ended.__context__, EOFError):
            return None
        raise
    return typed.strip()


def _nobody(words: str, hint: str) -> InputEnded:
    return InputEnded(f"The input ended before an answer: {words}", hint)
