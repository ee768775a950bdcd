"""Bring a registry to the newest schema, by Alembic, without files of configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from provision.errors import PaquetError
from provision.migrations import newest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def upgrade(engine: Engine) -> None:
    """Run the migrations that `engine`'s registry lacks; a newer registry is refused."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    if newest.is_newest(engine):
        return
    with engine.begin() as connection:
        there = _revision(connection)
        if there == scripts.get_current_head():
            return
        if there is not None and there not in {step.revision for step in scripts.walk_revisions()}:
            raise PaquetError(
                f"This registry was written by a newer paquet (schema {there})",
                "Install that version of paquet on this machine, or restore an older registry.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
