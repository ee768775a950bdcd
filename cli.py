"""The command line of Paquet: options, settings, and the way from an error to an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import click

from provision.commands.shared.sections import BEFORE, COMMANDS, Sections
from provision.errors import PaquetError

BUG, INTERRUPTED = 3, 130
FOR_US_ALONE = 0o077


@click.group(
    cls=Sections,
    waiting=COMMANDS,
    before=BEFORE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PAQUET_CONFIG",
    default=Path("paquet.toml"),
    show_default=True,
    help="The settings to use.",
)
@click.version_option(package_name="paquet")
def paquet(config: Path) -> None:
    """Order, check, back up and sell degoogled bundles."""
    del config  # whoever needs the settings reads it from the call: see `pass_context`


def main() -> None:
    """Run the command and turn what it raises into an exit code (0, 1, 2, 3, 4, 5 or 130)."""
    os.umask(FOR_US_ALONE)  # kits, invoices, exports: nobody else who may log in here reads them
    try:
        sys.exit(paquet.main(standalone_mode=False) or 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as refused:
        refused.show()
        sys.exit(refused.exit_code)
    except PaquetError as expected:
        click.echo(f"Error: {expected.message}", err=True)
        if expected.hint:
            click.echo(f"Hint: {expected.hint}", err=True)
        sys.exit(expected.exit_code)
    except Exception:  # noqa: BLE001 (the one place where a bug becomes a log file)
        click.echo(f"This is a bug in paquet. Please report it with {_log_bug()}", err=True)
        sys.exit(BUG)


def _log_bug() -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="paquet-bug-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(traceback.format_exc())
    return log.name


if __name__ == "__main__":
    main()
