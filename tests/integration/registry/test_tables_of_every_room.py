from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import provision
from provision.database import Base

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Indexes and constraints are told by the migrations alone.
SAID_TWICE = {"add_table", "remove_table", "add_column", "remove_column"}


@pytest.fixture(scope="module", autouse=True)
def every_room() -> None:
    for module in pkgutil.walk_packages(provision.__path__, "provision."):
        if module.name.endswith("models"):
            import_module(module.name)


def test_the_models_have_the_tables_and_columns_that_the_migrations_made(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        found = compare_metadata(context, Base.metadata)
    assert [one for one in found if isinstance(one, tuple) and one[0] in SAID_TWICE] == []


def test_the_models_have_the_keys_of_their_tables_in_the_same_order(engine: Engine) -> None:
    tables = inspect(engine)
    for table in Base.metadata.sorted_tables:
        key = tables.get_pk_constraint(table.name)["constrained_columns"]
        assert [column.name for column in table.primary_key] == key, table.name
