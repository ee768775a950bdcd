"""A shop that sends its letters through a mail server of the test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy import Engine, select

from provision import database, settings
from provision.post.models import Letter
from provision.registry import secrets
from provision.registry.secrets import open_safe
from provision.workflows import posting, posting_gathering
from provision.workflows.control import Control
from tests.integration.subscriptions.mail_taker import HOST, SECRET

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from provision.workflows.posting import Posted
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.paying_shop import Till

SENDER = "post@exemple.test"
NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)
SETTINGS = """
inventory = "inventory.yml"
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
[registry]
url = "{url}"
[acme]
ca_file = "{authority}"
[post]
address = "{sender}"
host = "{host}"
port = {port}
since = {since}
per_minute = 600
"""


@dataclass
class Office:
    """The shop, its control machine, and the server that takes its letters."""

    till: Till
    control: Control
    taker: Taker
    folder: Path

    def gather(self) -> dict[str, int]:
        self.till.session.commit()
        return dict(posting_gathering.gather(self.control))

    def send(self) -> list[Posted]:
        self.till.session.commit()
        return posting.send(self.control, lambda _seconds: None)

    def states(self) -> list[str]:
        return [letter.state for letter in self.letters()]

    def letters(self) -> list[Letter]:
        with database.reading(self.control.engine) as session:
            return list(session.scalars(select(Letter).order_by(Letter.id)))

    def later(self, span: timedelta) -> None:
        """Let time go by."""
        now = self.control.clock() + span
        self.control = replace(self.control, clock=lambda: now)


def open_office(till: Till, folder: Path, taker: Taker, since: str = "2026-01-01") -> Office:
    """Write the settings of a post, and give the sender its secret."""
    engine, config = till.session.get_bind(), folder / "paquet.toml"
    assert isinstance(engine, Engine)
    url = engine.url.render_as_string(hide_password=False)
    words = {"url": url, "authority": taker.authority, "port": taker.port, "since": since}
    config.write_text(SETTINGS.format(sender=SENDER, host=HOST, **words), encoding="utf-8")
    if not (folder / "paquet.key").exists():
        secrets.make_key_file(folder / "paquet.key")
    control = Control(settings.load(config), engine, "ana", lambda: NOON)
    till.session.commit()
    with control.session() as session:
        open_safe(session, control.settings.key_file).put("post", SENDER, SecretStr(SECRET))
    return Office(till, control, taker, folder)
