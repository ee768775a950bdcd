"""What a bundle reaches of the mail server, what strangers make it believe, its ciphers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from tests.lab.mail_clients import Bundle, Device
    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("mail_names", "swaks")]

SMTP, SIEVE = ("-starttls", "smtp"), ("-starttls", "sieve")
PORTS = {25: SMTP, mail.SUBMISSION: SMTP, 465: (), mail.IMAP_TLS: (), mail.SIEVE: SIEVE}
# Anonymous, CBC, CCM, CAMELLIA, ARIA, finite-field, without forward secrecy.
BAD_SUITES = (
    "AECDH-AES256-SHA:ADH-AES256-GCM-SHA384:ADH-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES128-CCM8:DHE-RSA-AES256-CCM",
    "ECDHE-ECDSA-CAMELLIA256-SHA384:ECDHE-RSA-CAMELLIA256-SHA384:DHE-RSA-CAMELLIA256-SHA256",
    "ECDHE-ECDSA-ARIA256-GCM-SHA384:ECDHE-ARIA256-GCM-SHA384:DHE-RSA-ARIA256-GCM-SHA384",
    "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305",
    "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA",
)
GOOD_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
)
BAD_CURVES = "secp521r1:X448:ffdhe2048:ffdhe3072"
NEEDLESS = (
    "regex",
    "enotify",
    "reject",
    "ereject",
    "environment",
    "editheader",
    "imapsieve",
    "vnd.dovecot.pipe",
)
KNOCK = """
import os, socket, stat
for folder in ('/run/dovecot', '/var/spool/postfix', '/run/rspamd', '/run/paquet-rspamd-redis'):
    for place, _, names in os.walk(folder):
        for path in (os.path.join(place, name) for name in names):
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                try:
                    socket.socket(socket.AF_UNIX).connect(path)
                except (PermissionError, ConnectionRefusedError):
                    continue
                print(path)
"""
FORGED = (
    "Authentication-Results: {host}; dmarc=pass",
    "authentication-results : {host}; dkim=pass",
    "Received-SPF: pass",
    "BIMI-Indicator: PHN2Zz4=",
)


def test_no_socket_of_mail_answers_a_bundles_user(light: Delivered) -> None:
    user = ["setpriv", "--reuid", light.name, "--regid", light.name, "--clear-groups"]

    assert light.server.run([*user, "python3", "-"], given=KNOCK).stdout == ""


def test_a_bundles_user_sees_nothing_of_the_queue(light: Delivered) -> None:
    for words in (["mailq"], ["postqueue", "-p"], ["postqueue", "-j"], ["postqueue", "-f"]):
        done = light.server.run(["runuser", "-u", light.name, "--", *words], check=False)

        assert done.returncode, words
        assert not done.stdout


def test_filters_are_offered_nothing_that_writes_to_strangers(
    bundle: Bundle, other: Device
) -> None:
    offered = mail.sieve_extensions(bundle, other)

    assert {"fileinto", "vacation", "copy", "imap4flags"} <= offered
    assert offered.isdisjoint(NEEDLESS), offered
    for name in NEEDLESS:
        with pytest.raises(mail.SieveRefusedError):
            mail.put_sieve(bundle, other, f'require "{name}";\n')


@pytest.mark.parametrize("way", ["from abroad", "from a user"])
def test_a_verdict_that_a_sender_wrote_itself_is_not_delivered(
    bundle: Bundle, other: Device, way: str
) -> None:
    subject = mail.mark()
    forged = [line.format(host=bundle.mail_host) for line in FORGED]
    if way == "from abroad":
        added = [word for line in forged for word in ("--header", line)]
        mail.send_from_abroad(bundle, other.address, subject, *added)
    else:
        letter = mail.message(other.address, other.address, subject).as_bytes()
        with mail.submission(bundle, other) as session:
            session.sendmail(
                other.address, [other.address], "\n".join(forged).encode() + b"\n" + letter
            )

    seen = mail.await_some(lambda: mail.in_inbox_or_junk(bundle, other, subject), subject)

    verdicts = [
        line for line in seen.lower().splitlines() if line.startswith(b"authentication-results")
    ]
    assert len(verdicts) == (1 if way == "from abroad" else 0), seen
    assert b"dkim=pass" not in b"".join(verdicts)
    assert b"received-spf" not in seen.lower()
    assert b"bimi-indicator" not in seen.lower()


@pytest.mark.parametrize("port", PORTS)
def test_each_port_offers_authenticated_suites_with_forward_secrecy_and_no_others(
    bundle: Bundle, port: int
) -> None:
    def taken(*options: str) -> bool:
        return mail.handshake(bundle, port, *PORTS[port], *options).returncode == 0

    old = ("-tls1_2", "-cipher")
    assert any(taken(*old, suites) for suites in GOOD_SUITES)
    assert [suites for suites in BAD_SUITES if taken(*old, f"{suites}:@SECLEVEL=0")] == []
    assert taken("-tls1_3", "-groups", "X25519")
    assert not taken("-tls1_3", "-groups", BAD_CURVES)
    assert not taken("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256")
