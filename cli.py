"""The command line of Paquet: options, settings, and the way from an error to an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import click

from provision.commands.shared.context import Context
from provision.commands.shared.imported import Imported
from provision.errors import PaquetError

BUG, INTERRUPTED = 3, 130
FOR_US_ALONE = 0o077
# The groups of `provision.commands`, in the order of a newcomer's needs.
COMMANDS = {
    "init": "begin.init",
    "rehearse": "begin.rehearse",
    "lab": "begin.lab",
    "server": "machines.server",
    "artifact": "machines.artifact",
    "order": "bundles.order",
    "bundle": "bundles.bundle",
    "user": "bundles.user",
    "phone": "bundles.phone",
    "dns": "machines.dns",
    "backup": "bundles.backup",
    "organisation": "sales.organisation",
    "subscription": "sales.subscription",
    "invoice": "sales.invoice",
    "mandate": "payments.mandate",
    "payment": "payments.payment",
    "receipt": "commons.receipt",
    "statement": "payments.statement",
    "dunning": "payments.dunning",
    "money": "books.money",
    "subscriber": "people.subscriber",
    "privacy": "people.privacy",
    "settlement": "books.settlement",
    "fund": "commons.fund",
    "debt": "commons.debt",
    "reciprocity": "commons.reciprocity",
    "hours": "commons.hours",
    "exchange": "commons.exchange",
    "report": "books.report",
}


@click.group(
    cls=Imported,
    modules=COMMANDS,
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
@click.pass_context
def paquet(context: click.Context, config: Path) -> None:
    """Order, check, back up and sell degoogled bundles."""
    context.obj = Context(config)


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
