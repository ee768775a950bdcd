"""The letter to the operator: written, and brought to the mail server of its address."""

from __future__ import annotations

import smtplib
import ssl
import subprocess
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.resolver
import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from troubles import News

SENDMAIL = "/usr/sbin/sendmail"
SECONDS = 60.0
SMTP = 25
TEXTS = {
    "fr": {
        "subject": "[Paquet] {host} : {count} à regarder",
        "over-subject": "[Paquet] {host} : c’est fini",
        "begin": "Bonjour,\n\n{server} a besoin de vous.\n",
        "over": "C’est fini :\n",
        "since": "(depuis le {since} UTC)",
        "todo": "À faire : {todo}",
        "end": "Tout voir : paquet server check {host}\n"
        "Cette lettre vient une fois par problème et par jour, et encore quand c’est fini.\n",
    },
    "en": {
        "subject": "[Paquet] {host}: {count} to look at",
        "over-subject": "[Paquet] {host}: over",
        "begin": "Hello,\n\n{server} needs you.\n",
        "over": "This is over:\n",
        "since": "(since {since} UTC)",
        "todo": "To do: {todo}",
        "end": "See all of it: paquet server check {host}\n"
        "This letter comes once per trouble and day, and again when it is over.\n",
    },
}


class NotDelivered(Exception):
    """No mail server took the letter; the message says why."""


def sentences(news: News, language: str) -> dict[str, str]:
    """Return for each trouble of `news` the sentence that tells it."""
    return {finding.check: words.told(finding, language)[0] for finding in news.troubles}


def write(
    news: News, known: Mapping[str, Any], settings: Mapping[str, Any], now: float
) -> EmailMessage:
    """Return the letter that tells `news`; `known` are the troubles as they were noted."""
    texts = TEXTS[settings["language"]]
    names = {"host": settings["host"], "server": settings["server_name"]}
    subject = texts["subject" if news.troubles else "over-subject"]
    message = EmailMessage()
    message["Subject"] = subject.format(**names, count=len(news.troubles))
    message["From"] = f"Paquet <root@{settings['server_name']}>"
    message["To"] = settings["operator"]
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = make_msgid(domain=settings["server_name"])
    message["Auto-Submitted"] = "auto-generated"
    lines = [texts["begin"].format(**names), *_lines(news, known, settings["language"])]
    message.set_content("\n".join([*lines, texts["end"].format(**names)]))
    return message


def _lines(news: News, known: Mapping[str, Any], language: str) -> Iterator[str]:
    texts = TEXTS[language]

    def since(check: str) -> str:
        moment = datetime.fromtimestamp(known[check]["since"], UTC)
        return texts["since"].format(since=moment.strftime("%Y-%m-%d %H:%M"))

    for finding in news.troubles:
        sentence, todo = words.told(finding, language)
        yield f"- {sentence} {since(finding.check)}\n  {texts['todo'].format(todo=todo)}\n"
    if news.over:
        yield texts["over"]
        yield from (f"- {known[check]['said']} {since(check)}\n" for check in news.over)


def deliver(message: EmailMessage, settings: Mapping[str, Any]) -> None:
    """Bring `message` to the operator's mail server; raises NotDelivered when nobody takes it.

    Straight there, for what is broken may be the mail server of this machine. That one is asked
    last: it keeps trying, and it takes what is for a mailbox of its own.
    """
    try:
        send(message, settings)
    except NotDelivered:
        if not Path(SENDMAIL).exists():
            raise
        hand_over(message, settings)


def send(message: EmailMessage, settings: Mapping[str, Any]) -> None:
    """Speak SMTP with the mail servers of the operator's domain, best first."""
    reasons = []
    for address in exchanges(settings["operator"].rpartition("@")[2], settings["address"]):
        try:
            with smtplib.SMTP(
                address, SMTP, local_hostname=settings["server_name"], timeout=SECONDS
            ) as session:
                if session.has_extn("starttls"):
                    session.starttls(context=opportunistic())
                session.send_message(message)
        except (OSError, smtplib.SMTPException) as wrong:
            reasons.append(f"{address}: {wrong}")
        else:
            return
    raise NotDelivered("; ".join(reasons) or "the operator's domain has no mail server")


def opportunistic() -> ssl.SSLContext:
    """Return TLS as mail servers speak it among themselves: whoever answers is believed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def exchanges(domain: str, own_address: str) -> Iterator[str]:
    """Yield the addresses of the mail servers of `domain`, best first.

    Only those of the kind that our own published address is of: others judge us by it.
    """
    kind = "AAAA" if ":" in own_address else "A"
    for host in hosts(domain):
        yield from (answer.to_text() for answer in ask(host, kind))


def hosts(domain: str) -> list[str]:
    """Return the names of the mail servers of `domain`: itself without any (RFC 5321 §5.1)."""
    answers = sorted(ask(domain, "MX"), key=lambda answer: answer.preference)
    return [answer.exchange.to_text() for answer in answers] or [domain]


def ask(name: str, kind: str) -> list[Any]:
    """Return what the name servers answer; nothing when there is nothing, or no answer."""
    try:
        return list(dns.resolver.resolve(name, kind, search=False))
    except dns.exception.DNSException:
        return []


def hand_over(message: EmailMessage, settings: Mapping[str, Any]) -> None:
    """Give the letter to this machine's own mail server."""
    command = [SENDMAIL, "-i", "-f", f"root@{settings['server_name']}", settings["operator"]]
    done = subprocess.run(command, input=message.as_bytes(), capture_output=True, check=False)
    if done.returncode:
        raise NotDelivered(done.stderr.decode(errors="replace").strip()[-300:])
