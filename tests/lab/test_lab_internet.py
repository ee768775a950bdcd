"""The lab's internet: names that can be changed, certificates, and a mail server that judges."""

from __future__ import annotations

import email
import imaplib
import smtplib
import ssl
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dkim
import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

from provision.lab import authority
from provision.lab.plan import NAMES
from provision.lab.zones import in_strings

if TYPE_CHECKING:
    from provision.lab.lab import Lab

pytestmark = pytest.mark.lab

LEGO = "--accept-tos --email contact@paquet.test --path /root/lego"
ARRIVAL = 20.0


def _facts(lab: Lab) -> dict[str, Any]:
    return lab.facts()


def _update(lab: Lab, key: str, change: tuple[str, str, str]) -> dns.rcode.Rcode:
    """Set name, type and data in exemple.test, signed with the lab's `key`."""
    names = _facts(lab)["names"]
    file = names["key_file"] if key == "paquet" else names["acme_key_file"]
    keyring = dns.tsigkeyring.from_text({key: Path(file).read_text().strip()})
    update = dns.update.UpdateMessage("exemple.test", keyring=keyring, keyalgorithm="hmac-sha256")
    name, kind, data = change
    update.replace(name, 60, kind, data)
    try:
        return dns.query.tcp(update, names["server"], timeout=5).rcode()
    except (dns.tsig.PeerError, dns.exception.FormError):  # Knot does not sign a refusal
        return dns.rcode.NOTAUTH


def _ask(lab: Lab, name: str, kind: str) -> list[str]:
    answer = dns.query.udp(dns.message.make_query(name, kind), _facts(lab)["resolver"], timeout=5)
    return [record.to_text() for section in answer.answer for record in section]


def test_a_changed_name_is_seen_at_once(lab: Lab) -> None:
    for last in (10, 20, 10):
        address = lab.plan.numbered(last)
        assert _update(lab, "paquet", ("seen", "A", address)) == dns.rcode.NOERROR
        assert _ask(lab, "seen.exemple.test", "A") == [address]


def test_the_key_of_servers_proves_names_and_changes_nothing_else(lab: Lab) -> None:
    assert _update(lab, "acme", ("_acme-challenge", "TXT", '"x"')) == dns.rcode.NOERROR
    assert _update(lab, "acme", ("_acme-challenge.cloud", "TXT", '"x"')) == dns.rcode.NOERROR
    assert _update(lab, "acme", ("cloud", "TXT", '"x"')) != dns.rcode.NOERROR
    assert _update(lab, "acme", ("_acme-challenge", "A", "192.0.2.1")) != dns.rcode.NOERROR


def test_every_address_has_its_name(lab: Lab) -> None:
    reverse = f"10.{lab.plan.subnet}.18.198.in-addr.arpa"
    assert _ask(lab, reverse, "PTR") == ["bundles1.paquet.test."]


def test_the_authority_issues_what_the_lab_trusts(lab: Lab) -> None:
    machine, acme = lab.machine("bundles1"), _facts(lab)["acme"]
    machine.run(["sh", "-c", "apt-get update -qq && apt-get install -yqq lego"])
    machine.run(["tee", "/root/ca.pem"], given=Path(acme["ca_file"]).read_text())
    assert _update(lab, "paquet", ("shop", "A", machine.address)) == dns.rcode.NOERROR
    words = f"{LEGO} --server {acme['directory']} --http --domains shop.exemple.test run"
    machine.run(["sh", "-c", f"LEGO_CA_CERTIFICATES=/root/ca.pem lego {words}"])
    issued = "/root/lego/certificates/shop.exemple.test.crt"
    said = machine.run(
        ["openssl", "verify", "-CAfile", "/root/ca.pem", "-untrusted", issued, issued]
    )
    assert said.stdout.strip().endswith("OK")


def test_the_foreign_server_believes_what_is_signed(lab: Lab) -> None:
    key, record = authority.new_dkim_key()
    domain = [("@", "TXT", f'"v=spf1 ip4:{lab.plan.numbered(1)} -all"')]
    domain += [("trust._domainkey", "TXT", in_strings(record))]
    domain += [("_dmarc", "TXT", '"v=DMARC1; p=reject"')]
    for change in domain:
        assert _update(lab, "paquet", change) == dns.rcode.NOERROR
    message = _message("lea@exemple.test", "Signed")
    signature = dkim.sign(message, b"trust", b"exemple.test", key.encode())
    assert _send(lab, "lea@exemple.test", signature + message) == {}
    judged = " ".join(_received(lab, "Signed").get_all("Authentication-Results", []))
    for result in ("dkim=pass", "spf=pass", "dmarc=pass"):
        assert result in judged, judged


def test_the_foreign_server_refuses_what_is_forged(lab: Lab) -> None:
    forged = _message("director@ailleurs.test", "Forged")
    with pytest.raises(smtplib.SMTPResponseException, match="DMARC"):
        _send(lab, "director@ailleurs.test", forged)


def test_the_foreign_server_relays_for_nobody(lab: Lab) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="Relay access denied"):
        _send(lab, "lea@exemple.test", _message("lea@exemple.test", "x"), "someone@paquet.test")


def test_a_foreign_user_sends_signed_mail(lab: Lab) -> None:
    mail = _facts(lab)["foreign_mail"]
    with smtplib.SMTP(mail["server_address"], mail["submission_port"], timeout=10) as session:
        session.starttls(context=_trusting(lab))
        session.login(mail["login"], Path(mail["password_file"]).read_text().strip())
        session.sendmail(mail["address"], mail["address"], _message(mail["address"], "By login"))
    assert "d=ailleurs.test; s=lab;" in _received(lab, "By login")["DKIM-Signature"]


def _message(sender: str, subject: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = sender, "camille@ailleurs.test"
    message["Subject"], message["Date"] = subject, formatdate()
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    message.set_content("Bonjour\n")
    return message.as_bytes().replace(b"\n", b"\r\n")


def _send(
    lab: Lab, sender: str, message: bytes, to: str = "camille@ailleurs.test"
) -> dict[str, tuple[int, bytes]]:
    mail = _facts(lab)["foreign_mail"]
    with smtplib.SMTP(mail["server_address"], mail["smtp_port"], timeout=10) as session:
        return session.sendmail(sender, to, message)


def _received(lab: Lab, subject: str) -> email.message.Message:
    """Return the newest message of that subject in the foreign mailbox, waiting for it."""
    mail, deadline = _facts(lab)["foreign_mail"], time.monotonic() + ARRIVAL
    with imaplib.IMAP4_SSL(
        mail["server_address"], mail["imaps_port"], ssl_context=_trusting(lab)
    ) as box:
        box.login(mail["login"], Path(mail["password_file"]).read_text().strip())
        while time.monotonic() < deadline:
            box.select()
            found = box.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
            if found:
                parts = box.fetch(found[-1].decode(), "(RFC822)")[1]
                assert isinstance(parts[0], tuple)
                return email.message_from_bytes(parts[0][1])
            time.sleep(0.2)
    pytest.fail(f"No message {subject!r} arrived in {ARRIVAL} seconds")


def _trusting(lab: Lab) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=_facts(lab)["acme"]["ca_file"])


def test_the_name_server_is_a_machine_of_its_own(lab: Lab) -> None:
    assert _facts(lab)["names"]["server"] == lab.plan.numbered(NAMES)
    assert _ask(lab, "exemple.test", "NS") == ["ns1.ailleurs.test."]
