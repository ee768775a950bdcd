"""Mail of a delivered bundle, seen by clients on other machines."""

from __future__ import annotations

import imaplib
import smtplib
from email.utils import formatdate
from typing import TYPE_CHECKING

import dkim
import pytest

from tests.lab import mail_clients as mail
from tests.lab.mail_clients import Device

if TYPE_CHECKING:
    from tests.lab.mail_clients import Bundle

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("mail_names", "swaks")]

FULL = 20_000
SMTP, SIEVE = ("-starttls", "smtp"), ("-starttls", "sieve")
# Rspamd's variants of GTUBE: X is refused, Y is marked.
TEST_SPAM = "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.fixture
def user(bundle: Bundle) -> Device:
    return Device("", bundle.address, bundle.secret)


def test_mail_from_a_foreign_server_arrives_over_tls(bundle: Bundle, user: Device) -> None:
    subject = mail.mark()

    said = mail.send_from_abroad(bundle, user.address, subject, "--tls")

    assert "queued as" in said, said
    assert b"using TLSv1." in mail.received(bundle, user, subject)


@pytest.mark.parametrize("port", [mail.SUBMISSION, mail.SUBMISSION_TLS])
def test_mail_to_a_foreign_server_is_signed_by_the_domain(
    bundle: Bundle, user: Device, port: int
) -> None:
    subject = mail.mark()

    with mail.submission(bundle, user, port) as session:
        session.send_message(mail.message(user.address, bundle.foreign_address, subject))

    received = mail.received_abroad(bundle, subject)
    assert f"d={bundle.domain};".encode() in received
    assert dkim.verify(received, dnsfunc=mail.txt(bundle))


def test_the_network_address_of_the_sender_stays_private(bundle: Bundle, user: Device) -> None:
    subject = mail.mark()

    mail.send(bundle, user, bundle.foreign_address, subject)

    first_hop = mail.received_abroad(bundle, subject).split(b"\nReceived: ")[-1]
    assert first_hop.startswith(b"by ")


def test_every_address_part_after_a_plus_arrives(bundle: Bundle, user: Device) -> None:
    subject, (local, _, domain) = mail.mark(), user.address.partition("@")

    mail.send_from_abroad(bundle, f"{local}+shop@{domain}", subject)

    mail.received(bundle, user, subject)


def test_the_first_message_of_a_new_mailbox_needs_no_reload(
    bundle: Bundle, user: Device, other: Device
) -> None:
    subject = mail.mark()

    mail.send(bundle, user, other.address, subject)

    mail.received(bundle, other, subject)


def test_an_alias_delivers_and_may_be_sent_as(bundle: Bundle, other: Device) -> None:
    subject, alias = mail.mark(), f"alias-{other.address}"
    values = {"alias": alias, "target": other.address}
    mail.psql(bundle, "INSERT INTO alias VALUES (:'alias', :'target');", **values)
    try:
        with mail.submission(bundle, other) as session:
            session.send_message(mail.message(alias, alias, subject))
        mail.received(bundle, other, subject)
    finally:
        mail.psql(bundle, "DELETE FROM alias WHERE address = :'alias';", **values)


def test_postmaster_of_the_domain_exists(bundle: Bundle) -> None:
    said = mail.send_from_abroad(
        bundle, f"postmaster@{bundle.domain}", mail.mark(), "--quit-after", "RCPT"
    )

    assert "250 2.1.5" in said, said


def test_nobody_else_can_send_as_a_user(bundle: Bundle, user: Device, other: Device) -> None:
    with mail.submission(bundle, other) as session:
        forged = mail.message(user.address, bundle.foreign_address, mail.mark())

        with pytest.raises(smtplib.SMTPRecipientsRefused, match="not owned by user"):
            session.send_message(forged)


@pytest.mark.parametrize("envelope", ["own", "empty"])
def test_the_from_header_has_to_be_ones_own(
    bundle: Bundle, user: Device, other: Device, envelope: str
) -> None:
    sender = other.address if envelope == "own" else ""
    forged = mail.message(user.address, bundle.foreign_address, mail.mark())

    with mail.submission(bundle, other) as session, pytest.raises(smtplib.SMTPDataError) as said:
        session.sendmail(sender, [bundle.foreign_address], forged.as_bytes())

    assert said.value.smtp_code == 554


def test_two_from_headers_are_refused(bundle: Bundle, user: Device, other: Device) -> None:
    own = mail.message(other.address, bundle.foreign_address, mail.mark()).as_bytes()
    forged = f"From: {user.address}\n".encode()

    with mail.submission(bundle, other) as session, pytest.raises(smtplib.SMTPDataError) as said:
        session.sendmail(
            other.address, [bundle.foreign_address], own.replace(b"To:", forged + b"To:")
        )

    assert said.value.smtp_code == 554


def test_the_server_relays_for_nobody(bundle: Bundle) -> None:
    for recipient in ("somebody@example.org", "a%example.org", f"a%example.org@{bundle.mail_host}"):
        said = mail.swaks(
            bundle, "--from", bundle.foreign_address, "--to", recipient, "--quit-after", "RCPT"
        ).stdout
        assert "<** 5" in said, said


def test_port_25_offers_no_login(bundle: Bundle) -> None:
    said = mail.swaks(bundle, "--tls", "--quit-after", "EHLO").stdout

    assert "STARTTLS" in said
    assert "AUTH" not in said


@pytest.mark.parametrize("port", [mail.SUBMISSION, mail.SUBMISSION_TLS])
def test_submission_without_login_is_refused(bundle: Bundle, port: int) -> None:
    options = ["--tls"] if port == mail.SUBMISSION else ["--tls-on-connect"]

    said = mail.swaks(
        bundle, *options, *("--port", str(port), "--to", bundle.address, "--quit-after", "RCPT")
    ).stdout

    assert "Access denied" in said, said


def test_submission_without_tls_offers_no_login(bundle: Bundle) -> None:
    with smtplib.SMTP(bundle.mail_host, mail.SUBMISSION) as session:
        session.ehlo()
        assert not session.has_extn("auth")
        assert session.docmd("MAIL", f"FROM:<{bundle.address}>")[0] == 530


def test_unknown_recipients_are_refused_while_the_sender_waits(bundle: Bundle) -> None:
    said = mail.send_from_abroad(
        bundle, f"nobody-{mail.mark()}@{bundle.domain}", "x", "--quit-after", "RCPT"
    )

    assert "<** 550 5.1.1" in said, said


def test_a_program_on_the_server_cannot_hand_in_mail_at_port_25(bundle: Bundle) -> None:
    for place in ("127.0.0.1", bundle.mail_address):
        script = f"""if True:
            import smtplib
            session = smtplib.SMTP({place!r}, 25, local_hostname='client.example.org')
            session.helo()
            session.mail('x@example.org')
            print(session.rcpt({bundle.address!r})[0])
        """
        assert bundle.server.run(["python3", "-"], given=script).stdout.strip() == "554"


def test_a_foreign_server_cannot_send_as_a_user(
    bundle: Bundle, user: Device, other: Device
) -> None:
    policy = mail.txt(bundle)(f"_dmarc.{bundle.domain}").decode()
    subject = mail.mark()

    said = mail.swaks(
        bundle,
        *("--from", user.address, "--to", other.address, "--header", f"Subject: {subject}"),
    ).stdout

    if "p=reject" in policy:
        assert "554 5.7.1" in said, said
    else:
        assert "p=quarantine" in policy
        mail.received(bundle, other, subject, folder="Junk")


def test_a_smuggled_message_stays_inside_the_first(bundle: Bundle, user: Device) -> None:
    first, second = mail.mark(), mail.mark()
    # an end that is none (LF, dot, CR LF), and behind it another message
    text = (
        f"From: {bundle.foreign_address}\r\nTo: {user.address}\r\nSubject: {first}\r\n"
        f"Date: {formatdate()}\r\nMessage-ID: <{first}@example.org>\r\n\r\nfirst\n.\r\n"
        f"mail from:<{user.address}>\r\nrcpt to:<{user.address}>\r\ndata\r\n"
        f"From: {user.address}\r\nSubject: {second}\r\n\r\nsecond\r\n.\r\n"
    )
    script = f"""if True:
        import smtplib
        session = smtplib.SMTP({bundle.mail_host!r})
        session.ehlo()
        session.mail({bundle.foreign_address!r})
        session.rcpt({user.address!r})
        session.docmd('DATA')
        session.send({text!r})
        session.getreply()
    """

    bundle.internet.run(["python3", "-"], given=script)

    mail.await_some(lambda: mail.in_inbox_or_junk(bundle, user, first), first)
    assert not mail.in_inbox_or_junk(bundle, user, second)


@pytest.mark.parametrize(
    ("port", "options"),
    [(25, SMTP), (mail.SUBMISSION, SMTP), (465, ()), (mail.IMAP_TLS, ()), (mail.SIEVE, SIEVE)],
)
def test_each_port_has_a_valid_certificate_and_new_tls_only(
    bundle: Bundle, port: int, options: tuple[str, ...]
) -> None:
    good = mail.handshake(bundle, port, *options)
    old = mail.handshake(bundle, port, *options, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")

    assert good.returncode == 0, good.stderr
    assert old.returncode != 0


@pytest.mark.parametrize("port", [110, 143, 995, 2000, 11332, 11334])
def test_no_port_is_open_that_nobody_needs(bundle: Bundle, port: int) -> None:
    assert not mail.port_is_open(bundle, port)


def test_imap_shows_the_usual_folders_by_their_use(bundle: Bundle, user: Device) -> None:
    with mail.imap(bundle, user) as session:
        uses = {flag for flags, _, _ in session.list_folders() for flag in flags}
        subscribed = {name for _, _, name in session.list_sub_folders()}

    assert {b"\\Drafts", b"\\Sent", b"\\Archive", b"\\Junk", b"\\Trash"} <= uses
    assert {"Drafts", "Sent", "Archive", "Junk", "Trash"} <= subscribed


def test_a_revoked_device_is_refused_at_once_and_the_others_are_not(
    bundle: Bundle, other: Device
) -> None:
    second = mail.add_device(bundle, other.address)
    assert mail.may_log_in(bundle, other)

    mail.psql(bundle, "UPDATE device SET revoked = now() WHERE id = :'id';", id=other.id)

    assert not mail.may_log_in(bundle, other)
    with pytest.raises(smtplib.SMTPAuthenticationError), mail.submission(bundle, other):
        pass
    assert mail.may_log_in(bundle, second)


def test_a_device_secret_is_in_no_log(bundle: Bundle, other: Device) -> None:
    wrong = Device("", other.address, other.secret[::-1])
    assert mail.may_log_in(bundle, other)
    assert not mail.may_log_in(bundle, wrong)

    logs = "{ journalctl --boot --no-pager; cat /var/log/postgresql/*.log; }"
    found = bundle.server.run(
        ["bash", "-c", f"grep --count --fixed-strings --file=/dev/fd/3 3<&0 < <({logs})"],
        given=f"{other.secret}\n{wrong.secret}\n",
        check=False,
    )
    assert found.stdout.strip() == "0", found.stderr


def test_an_open_session_of_a_revoked_device_ends_when_it_is_kicked(
    bundle: Bundle, other: Device
) -> None:
    second = mail.add_device(bundle, other.address)
    with mail.imap(bundle, other) as lost, mail.imap(bundle, second) as kept:
        bundle.server.run(["doveadm", "kick", "-f", "user_device", other.id])  # as the play does

        with pytest.raises((imaplib.IMAP4.error, OSError)):
            lost.noop()
        kept.noop()


def test_a_suspended_mailbox_refuses_login_and_still_receives(
    bundle: Bundle, user: Device, other: Device
) -> None:
    subject = mail.mark()
    activate = "UPDATE mailbox SET active = :'active' WHERE address = :'address';"
    mail.psql(bundle, activate, address=other.address, active="false")

    assert not mail.may_log_in(bundle, other)
    mail.send(bundle, user, other.address, subject)
    mail.psql(bundle, activate, address=other.address, active="true")

    mail.received(bundle, other, subject)


def test_a_full_mailbox_refuses_while_the_sender_waits(bundle: Bundle, user: Device) -> None:
    with mail.mailbox(bundle, FULL) as small, mail.submission(bundle, user) as session:
        for _ in range(2):  # the second one makes it full
            half = mail.message(user.address, small.address, mail.mark(), "x\n" * (FULL // 4))
            session.send_message(half)
            mail.received(bundle, small, half["Subject"])

        with pytest.raises(smtplib.SMTPRecipientsRefused, match="full"):
            session.send_message(half)
        assert "full" in mail.send_from_abroad(bundle, small.address, mail.mark())


def test_a_message_larger_than_the_mailbox_is_refused_before_it_is_sent(
    bundle: Bundle, user: Device
) -> None:
    with mail.mailbox(bundle, FULL) as small, mail.submission(bundle, user) as session:
        session.mail(user.address, ["size=20000000"])

        assert session.rcpt(small.address)[0] == 552


def test_spam_goes_to_junk_and_worse_is_refused(bundle: Bundle, other: Device) -> None:
    subject = mail.mark()

    mail.send_from_abroad(bundle, other.address, subject, "--body", "Y" + TEST_SPAM)
    refused = mail.send_from_abroad(bundle, other.address, mail.mark(), "--body", "X" + TEST_SPAM)

    assert "<** 554" in refused or "<~* 554" in refused, refused
    mail.received(bundle, other, subject, folder="Junk")


def test_a_sieve_script_uploaded_by_the_user_sorts_mail(
    bundle: Bundle, user: Device, other: Device
) -> None:
    subject = mail.mark()
    script = (
        'require ["fileinto", "mailbox"];\n'
        f'if header :contains "subject" "{subject}" {{ fileinto :create "Tri"; }}\n'
    )

    mail.put_sieve(bundle, other, script)
    mail.send(bundle, user, other.address, subject)

    mail.received(bundle, other, subject, folder="Tri")


def test_a_forward_leaves_as_the_user_and_keeps_its_signature(
    bundle: Bundle, user: Device, other: Device
) -> None:
    subject = mail.mark()

    mail.put_sieve(bundle, other, f'redirect "{bundle.foreign_address}";\n')
    mail.send(bundle, user, other.address, subject)

    received = mail.received_abroad(bundle, subject)
    assert f"Return-Path: <{other.address}>".encode() in received
    assert dkim.verify(received, dnsfunc=mail.txt(bundle))


def test_an_answer_during_holidays_is_signed_too(bundle: Bundle, other: Device) -> None:
    subject = mail.mark()
    script = f'require "vacation";\nvacation :subject "{subject}" "Je suis en vacances.";\n'

    mail.put_sieve(bundle, other, script)
    mail.send_from_abroad(bundle, other.address, mail.mark())

    received = mail.received_abroad(bundle, subject)
    assert dkim.verify(received, dnsfunc=mail.txt(bundle))
