"""Ways to send mail in a neighbour's name, each tried by somebody who has a bundle of the server.

All ways are tried first; when no mail is on its way any more, what arrived tells of each whether it
worked. A way has a mailbox and a mark of its own; the mark is in all that it sends.
"""

from __future__ import annotations

import re
import smtplib
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING

from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.lab.mail_clients import Bundle, Device

PATIENCE = 60.0
SHOWN = ("From", "Sender", "Resent-From", "Resent-Sender", "Return-Path")
SIGNATURE = re.compile(rb"^DKIM-Signature:.*?\bd=([^;\s]+)", re.MULTILINE | re.DOTALL)
AT_REST = 'cd /var/spool/postfix && test -z "$(find maildrop incoming active -type f)"'


@dataclass(frozen=True)
class Stage:
    """Whose bundle the forger has, the forger's login, whom the forger plays, and the mark."""

    bundle: Bundle
    forger: Device
    victim: str
    mark: str

    def fill(self, text: str) -> str:
        """Fill in what a way leaves open."""
        return text.format(
            forger=self.forger.address,
            victim=self.victim,
            abroad=self.bundle.foreign_address,
            mark=self.mark,
        )

    def letter(self, headers: str) -> str:
        """Return a letter with these headers and the mark."""
        usual = f"To: {{abroad}}\nDate: {formatdate()}\nMessage-ID: {make_msgid()}\n"
        return self.fill(f"{headers}\n{usual}Subject: {{mark}}\n\n{{mark}}\n")

    def from_abroad(self, sender: str, *headers: str) -> None:
        """Let the foreign server write to the forger."""
        added = [word for header in headers for word in ("--header", self.fill(header))]
        self_made = ("--header", f"Subject: {self.mark}", "--body", self.mark)
        ends = ("--from", self.fill(sender), "--to", self.forger.address)
        mail.swaks(self.bundle, *ends, *self_made, *added)


def submits(headers: str, envelope: str = "{forger}") -> Callable[[Stage], None]:
    """Return the way of who logs in and sends this."""

    def way(stage: Stage) -> None:
        with (
            suppress(smtplib.SMTPException),
            mail.submission(stage.bundle, stage.forger, mail.SUBMISSION_TLS) as session,
        ):
            session.ehlo("forward.sieve")  # as what a filter forwards calls itself
            text = stage.letter(headers).encode()
            session.sendmail(stage.fill(envelope), [stage.bundle.foreign_address], text)

    return way


def filters(script: str, *headers: str) -> Callable[[Stage], None]:
    """Return the way of whose filter does this with a letter from abroad."""

    def way(stage: Stage) -> None:
        with suppress(mail.SieveRefusedError):
            mail.put_sieve(stage.bundle, stage.forger, stage.fill(script))
        stage.from_abroad("{abroad}", *headers)

    return way


def runs(program: str) -> Callable[[Stage], None]:
    """Return the way of a program that runs as the Unix user of the forger's bundle."""

    def way(stage: Stage) -> None:
        letter = stage.letter("From: {victim}")
        given = f"import smtplib, subprocess\nLETTER = {letter.encode()!r}\n{stage.fill(program)}"
        user = ["runuser", "-u", stage.bundle.name, "--", "timeout", "20"]
        stage.bundle.server.run([*user, "python3", "-"], given=given, check=False)

    return way


def comes_from_abroad(sender: str, *headers: str) -> Callable[[Stage], None]:
    """Return the way of a server abroad that writes this."""
    return lambda stage: stage.from_abroad(sender, *headers)


ANSWER = 'require "vacation";\nvacation {words} :subject "{{mark}}" "{{mark}}";\n'
ANSWER_WITH_HEADERS = (
    'require "vacation";\nvacation :subject "{{mark}}" :mime text:\n{headers}\n'
    "Content-Type: text/plain\n\n{{mark}}\n.\n;\n"
)
SOCKET = """
class Socket(smtplib.LMTP):
    ehlo_msg = 'ehlo'
session = Socket('/var/spool/postfix/public/sieve')
session.ehlo()
session.docmd('XCLIENT', 'LOGIN={victim}')
session.ehlo_resp = None
session.sendmail('{victim}', ['{abroad}'], LETTER)
"""
WAYS: dict[str, Callable[[Stage], None]] = {
    "envelope": submits("From: {forger}", envelope="{victim}"),
    "From": submits("From: {victim}"),
    "From, empty envelope": submits("From: {victim}", envelope=""),
    "From with an own name": submits("From: {forger} <{victim}>"),
    "two From": submits("From: {forger}\nFrom: {victim}"),
    "two addresses in From": submits("From: {forger}, {victim}"),
    "From of a group": submits("From: bureau: {victim};"),
    "folded From": submits("From:\n {victim}"),
    "name of From": submits('From: "{victim}" <{forger}>'),
    "Sender": submits("From: {forger}\nSender: {victim}"),
    "two Sender": submits("From: {forger}\nSender: {forger}\nSender: {victim}"),
    "Resent-From": submits("From: {forger}\nResent-From: {victim}"),
    "Resent-Sender": submits("From: {forger}\nResent-Sender: {victim}"),
    "a forward's headers": submits(
        "X-Sieve: Pigeonhole\nX-Sieve-Redirected-From: {forger}\nFrom: {victim}"
    ),
    "filter: notify": filters(
        'require "enotify";\nnotify :from "{victim}" :message "{mark}"'
        ' "mailto:{abroad}?body={mark}";\n'
    ),
    "filter: answer": filters(ANSWER.format(words=':from "{victim}"')),
    "filter: answer, own addresses": filters(
        ANSWER.format(words=':addresses ["{victim}"]'), "To: {victim}"
    ),
    "filter: answer, name": filters(ANSWER.format(words=':from "\\"{victim}\\" <{forger}>"')),
    "filter: answer, second From": filters(ANSWER_WITH_HEADERS.format(headers="From: {victim}")),
    "filter: answer, Sender": filters(ANSWER_WITH_HEADERS.format(headers="Sender: {victim}")),
    "filter: answer, Resent-From": filters(
        ANSWER_WITH_HEADERS.format(headers="Resent-From: {victim}")
    ),
    "filter: answer as a forward": filters(
        'require "vacation";\nvacation :from "{victim}" :subject "{mark}" :mime text:\n'
        "X-Sieve-Redirected-From: {forger}\nContent-Type: text/plain\n\n{mark}\n.\n;\n"
    ),
    "filter: forward of a forged letter": filters('redirect "{abroad}";\n', "From: {victim}"),
    "program: Dovecot's socket": runs(
        "smtplib.LMTP('/run/dovecot/lmtp').sendmail('{victim}', ['{forger}'], LETTER)"
    ),
    "program: the filters' socket": runs(SOCKET),
    "program: sendmail": runs(
        "subprocess.run(['/usr/sbin/sendmail', '-f', '{victim}', '{abroad}'], input=LETTER)"
    ),
    "program: port 25": runs(
        "smtplib.SMTP('127.0.0.1', 25).sendmail('{victim}', ['{forger}'], LETTER)"
    ),
    "abroad: From and envelope": comes_from_abroad("{victim}", "From: {victim}"),
    "abroad: From": comes_from_abroad("{abroad}", "From: {victim}"),
}


def shows(letter: bytes, victim: str) -> bool:
    """Whether somebody who reads the letter takes it for the victim's."""
    parsed = message_from_bytes(letter, policy=policy.default)
    shown = [str(value) for name in SHOWN for value in parsed.get_all(name, [])]
    return any(victim.lower() in value.lower() for value in shown)


def signers(letter: bytes) -> set[str]:
    """Return the domains that signed a letter."""
    return {domain.decode().lower() for domain in SIGNATURE.findall(letter)}


def attempt(bundle: Bundle, victim: str, names: Iterable[str]) -> dict[str, str]:
    """Try these ways, and return of each what came of it."""
    with ExitStack() as mailboxes:
        stages = {
            name: Stage(bundle, mailboxes.enter_context(mail.mailbox(bundle)), victim, mail.mark())
            for name in names
        }
        for name, stage in stages.items():
            WAYS[name](stage)
        await_rest(bundle)
        abroad = bundle.foreign_messages()
        return {name: _outcome(stage, abroad) for name, stage in stages.items()}


def await_rest(bundle: Bundle) -> None:
    """Wait until no mail is on its way on the server."""
    deadline = time.monotonic() + PATIENCE
    while bundle.server.run(["sh", "-c", AT_REST], check=False).returncode:
        assert time.monotonic() < deadline, bundle.server.run(["mailq"]).stdout
        time.sleep(mail.PAUSE)


def _outcome(stage: Stage, abroad: Iterable[bytes]) -> str:
    local = mail.every_message(stage.bundle, stage.forger)
    arrived = [one for one in (*abroad, *local) if stage.mark.encode() in one]
    domain = stage.victim.rpartition("@")[2]
    stranger = domain != stage.forger.address.rpartition("@")[2]
    if any(shows(one, stage.victim) for one in arrived):
        return "forged"
    if stranger and any(domain in signers(one) for one in arrived):
        return "signed by the victim's domain"
    return "not forged" if arrived else "nothing came"
