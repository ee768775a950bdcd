"""How long work is shown: a live line with elapsed time on a terminal, else plain lines."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def steps(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield the function that hears each line; the work's own time is shown with every line.

    Lines go to standard error, so that standard output holds the result alone.
    """
    if quiet:
        yield lambda _line: None
        return
    console = Console(stderr=True, highlight=False, markup=False)
    started = time.monotonic()

    def elapsed() -> str:
        return f"{time.monotonic() - started:6.1f} s"

    if not console.is_terminal:
        yield lambda line: click.echo(f"{elapsed()}  {line}", err=True)
        return
    with console.status("") as status:

        def tell(line: str) -> None:
            console.print(f"{elapsed()}  {line}")
            status.update(line)

        yield tell
