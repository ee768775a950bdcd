"""What one user may use up of the mail server: messages, room, processor time, connections."""

from __future__ import annotations

import smtplib
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import imapclient
import pytest

from tests.lab import forgeries
from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from tests.lab.mail_clients import Bundle, Device

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("mail_names", "swaks")]

BURST = 100  # recipients; roles/rspamd/defaults/main.yml
SCRIPTS, SCRIPT_BYTES = 20, 256 * 1024  # roles/dovecot/templates/dovecot.conf.j2
CONNECTIONS = 50
SOME_QUOTA = 100_000
LONG_TESTS, LONG_TEXT = 3000, "0123456789\n" * 500_000
NUMBER = 1000  # of messages in a small mailbox, and of folders; roles/dovecot/defaults/main.yml
LETTERS = """
import os
os.makedirs('{maildir}/new', exist_ok=True)
for number in range({number}):
    with open(f'{maildir}/new/1.{{number}}.x', 'w') as message:
        message.write('Subject: x\\n\\n')
"""
FOLDERS = """
import os
for number in range({number}):
    os.makedirs(f'{maildir}/.f{{number}}/cur')
"""


def send_until_held(bundle: Bundle, user: Device, recipients: list[str]) -> tuple[int, int]:
    """Send until the server does not want more; return how many passed and what it said."""
    with mail.submission(bundle, user) as session:
        for sent in range(2 * BURST):
            letter = mail.message(user.address, user.address, mail.mark()).as_bytes()
            try:
                session.sendmail(user.address, recipients, letter)
            except smtplib.SMTPDataError as held:
                return sent, held.smtp_code
    return 2 * BURST, 250


def test_the_limit_on_sending_counts_forwards_and_no_recipient_lifts_it(
    bundle: Bundle, other: Device
) -> None:
    recipients = [f"postmaster@{bundle.domain}", other.address]

    sent, said = send_until_held(bundle, other, recipients)

    assert said == 451
    assert sent >= BURST // len(recipients)
    subject = mail.mark()
    mail.put_sieve(bundle, other, f'redirect "{bundle.foreign_address}";\n')
    mail.send_from_abroad(bundle, other.address, subject)
    forgeries.await_rest(bundle)
    assert not [one for one in bundle.foreign_messages() if subject.encode() in one]
    assert other.address in bundle.server.run(["postqueue", "-p"]).stdout  # held, not lost


def test_filters_have_a_size_and_a_number(bundle: Bundle, other: Device) -> None:
    with mail.managesieve(bundle, other) as session:
        with pytest.raises(mail.SieveRefusedError, match="QUOTA"):
            mail.store_sieve(session, "large", "#" * SCRIPT_BYTES + "\n")
        for number in range(SCRIPTS):
            mail.store_sieve(session, f"small{number}", "keep;\n")
        with pytest.raises(mail.SieveRefusedError, match="QUOTA"):
            mail.store_sieve(session, "another", "keep;\n")


def test_a_filter_that_computes_without_end_is_ended_and_holds_up_nobody(
    bundle: Bundle, other: Device
) -> None:
    subject, waited = mail.mark(), mail.mark()
    tests = ", ".join(f'body :raw :contains "{number}x"' for number in range(LONG_TESTS))
    mail.put_sieve(bundle, other, f'require "body";\nif anyof ({tests}) {{ discard; }}\n')
    letter = mail.message(bundle.foreign_address, other.address, waited, LONG_TEXT).as_string()
    ends = ("--from", bundle.foreign_address, "--to", other.address)
    command = ["swaks", "--server", bundle.mail_host, *ends, "--data", "-"]
    bundle.internet.run(command, given=letter)

    with mail.mailbox(bundle) as neighbour:
        begun = time.monotonic()
        mail.send_from_abroad(bundle, neighbour.address, subject)
        mail.received(bundle, neighbour, subject)
        assert time.monotonic() - begun < mail.PATIENCE / 2

    mail.await_some(lambda: mail.messages(bundle, other, waited), waited, 3 * mail.PATIENCE)
    told = ["journalctl", "--unit=dovecot", "--boot", "--no-pager", f"--grep={other.address}"]
    assert "excessive resource usage" in bundle.server.run(told).stdout


def as_vmail(bundle: Bundle, user: Device, program: str) -> None:
    """Run `program`, which knows where the user's mail is, as who owns all mail."""
    local, _, domain = user.address.partition("@")
    given = program.format(maildir=f"/srv/mail/{domain}/{local}/Maildir", number=NUMBER)
    bundle.server.run(["runuser", "-u", "vmail", "--", "python3", "-"], given=given)


def test_small_letters_and_folders_have_a_number(bundle: Bundle) -> None:
    with mail.mailbox(bundle, SOME_QUOTA) as small, mail.imap(bundle, small) as session:
        as_vmail(bundle, small, LETTERS)
        session.select_folder("INBOX")
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="OVERQUOTA"):
            session.append("INBOX", b"Subject: one more\r\n\r\n")
        as_vmail(bundle, small, FOLDERS)
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="LIMIT"):
            session.create_folder("one-more")


def test_two_users_with_all_their_connections_leave_room_for_others(bundle: Bundle) -> None:
    with ExitStack() as held, mail.mailbox(bundle) as third:
        for user in [held.enter_context(mail.mailbox(bundle)) for _ in range(2)]:
            for _ in range(CONNECTIONS):
                held.enter_context(mail.imap(bundle, user))
            assert not mail.may_log_in(bundle, user)

        assert mail.may_log_in(bundle, third)
