"""Send what waits, and be killed at a step: `python -m tests.lab.post_killer SETTINGS STEP`."""

from __future__ import annotations

import os
import signal
import smtplib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from provision import database, settings
from provision.post import smtp
from provision.workflows import posting
from provision.workflows.control import Control

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from provision.post.smtp import ServerAnswer

STEPS = ("connection", "DATA", "body", "dot", "commit")


class Killed(smtplib.SMTP):
    """A client that ends its own process at one step, as nobody can handle."""

    step = ""

    def login(self, *words: object, **named: object) -> tuple[int, bytes]:
        end_at(self.step == "connection")
        return super().login(*words, **named)  # type: ignore[arg-type]

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        answer = super().docmd(cmd, args)
        end_at(cmd == self.step == "DATA")
        return answer

    def send(self, s: Buffer | str) -> None:
        """Send; in the middle of a message, or right after its end, be no more."""
        if self.step == "body" and isinstance(s, bytes) and b"\r\nSubject:" in s:
            super().send(s[: len(s) // 2])
            end_at(now=True)
        super().send(s)
        end_at(s == b".\r\n" and self.step == "dot")


def end_at(now: bool) -> None:  # noqa: FBT001 (a condition, said where it is asked)
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    config, Killed.step = Path(sys.argv[1]), sys.argv[2]
    smtp.smtplib.SMTP = Killed  # type: ignore[attr-defined]
    if Killed.step == "commit":
        deliver = smtp.deliver

        def killed(*words: object) -> ServerAnswer:
            answer = deliver(*words)  # type: ignore[arg-type]
            end_at(now=True)
            return answer

        smtp.deliver = killed  # type: ignore[assignment]
    read = settings.load(config)
    control = Control(read, database.connect(read.registry.url), "test")
    posting.send(control, lambda _seconds: None)


if __name__ == "__main__":
    main()
