"""The mail clients of the tests: smtplib, imapclient, swaks, openssl, dkimpy."""

from __future__ import annotations

import base64
import hashlib
import secrets
import smtplib
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol, TypeVar

import dns.resolver
import imapclient

from provision.process import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from provision.process.commands import Completed

Found = TypeVar("Found")

PATIENCE = 20.0
PAUSE = 0.2
SUBMISSION, SUBMISSION_TLS, IMAP_TLS, SIEVE = 587, 465, 993, 4190


class Machine(Protocol):
    """A machine where a test may run something as root."""

    def run(self, command: Sequence[str], *, given: str = "", check: bool = True) -> Completed:
        """Run `command`."""
        ...


class Bundle(Protocol):
    """A delivered bundle as its user's mail programs know it, and a foreign mail server."""

    @property
    def name(self) -> str:
        """The bundle's name on the server."""
        ...

    @property
    def domain(self) -> str:
        """The domain of its mail."""
        ...

    @property
    def host(self) -> str:
        """The name that serves its cloud."""
        ...

    @property
    def address(self) -> str:
        """The first user's address, which is the login too."""
        ...

    @property
    def secret(self) -> str:
        """The secret of one device of that user."""
        ...

    @property
    def mail_host(self) -> str:
        """The server's name: MX, IMAP, submission, certificate."""
        ...

    @property
    def mail_address(self) -> str:
        """The server's IP address."""
        ...

    @property
    def authority(self) -> Path:
        """The PEM file of the authority that signed the server's certificate."""
        ...

    @property
    def resolver(self) -> str:
        """The IP address of the lab's DNS server."""
        ...

    @property
    def server(self) -> Machine:
        """The machine that serves the bundle."""
        ...

    @property
    def internet(self) -> Machine:
        """The machine with the foreign mail server."""
        ...

    @property
    def foreign_address(self) -> str:
        """A mailbox on the foreign server."""
        ...

    def foreign_messages(self) -> list[bytes]:
        """Return all messages in that mailbox, as they were received."""
        ...


class SieveRefusedError(Exception):
    """ManageSieve refused a command."""


@dataclass(frozen=True)
class Device:
    """One login: an address and a device secret."""

    id: str
    address: str
    secret: str


def trust(bundle: Bundle) -> ssl.SSLContext:
    """Return a context that trusts the lab's authority and checks the server's name."""
    return ssl.create_default_context(cafile=str(bundle.authority))


def tell_names(bundle: Bundle, resolve: Callable[..., object]) -> Callable[..., object]:
    """Given the real getaddrinfo, return one that also knows the server's names."""

    def getaddrinfo(host: object, *arguments: object, **options: object) -> object:
        known = bundle.mail_address if host in (bundle.mail_host, bundle.host) else host
        return resolve(known, *arguments, **options)

    return getaddrinfo


@contextmanager
def submission(bundle: Bundle, device: Device, port: int = SUBMISSION) -> Iterator[smtplib.SMTP]:
    """Yield an SMTP session on 587 or 465, logged in as `device`."""
    context = trust(bundle)
    if port == SUBMISSION_TLS:
        session: smtplib.SMTP = smtplib.SMTP_SSL(bundle.mail_host, port, context=context)
    else:
        session = smtplib.SMTP(bundle.mail_host, port)
        session.starttls(context=context)
    with session:
        session.login(device.address, device.secret)
        yield session


@contextmanager
def imap(bundle: Bundle, device: Device) -> Iterator[imapclient.IMAPClient]:
    """Yield an IMAP session with TLS, logged in as `device`."""
    with imapclient.IMAPClient(bundle.mail_host, ssl_context=trust(bundle), timeout=30) as session:
        session.login(device.address, device.secret)
        yield session


def may_log_in(bundle: Bundle, device: Device) -> bool:
    """Whether IMAP takes this login."""
    try:
        with imap(bundle, device):
            return True
    except imapclient.exceptions.LoginError:
        return False


def message(sender: str, to: str, subject: str, text: str = "Grüße, à bientôt") -> EmailMessage:
    """Return a message with umlauts."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = formatdate()
    made["Message-ID"] = f"<{secrets.token_hex(8)}@{sender.rpartition('@')[2]}>"
    made.set_content(text)
    return made


def send(bundle: Bundle, sender: Device, to: str, subject: str) -> None:
    """Send a message as this user."""
    with submission(bundle, sender) as session:
        session.send_message(message(sender.address, to, subject))


def mark() -> str:
    """Return a subject that no other message has."""
    return f"essai-{secrets.token_hex(6)}"


def await_some(look: Callable[[], Sequence[Found]], what: str, patience: float = PATIENCE) -> Found:
    """Look until there is something, and return the first; fail after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found[0]
        time.sleep(PAUSE)
    raise AssertionError(f"{what} did not come within {patience:.0f} s")


def received(bundle: Bundle, device: Device, subject: str, folder: str = "INBOX") -> bytes:
    """Wait for a message in the user's folder and return it."""
    return await_some(
        lambda: messages(bundle, device, subject, folder),
        f"{subject} in {folder} of {device.address}",
    )


def messages(bundle: Bundle, device: Device, subject: str, folder: str = "INBOX") -> list[bytes]:
    """Return the messages with this subject in the user's folder."""
    with imap(bundle, device) as session:
        if not session.folder_exists(folder):
            return []
        session.select_folder(folder, readonly=True)
        numbers = session.search(["SUBJECT", subject])
        return [found[b"BODY[]"] for found in session.fetch(numbers, ["BODY[]"]).values()]


def every_message(bundle: Bundle, device: Device) -> list[bytes]:
    """Return all messages in the user's inbox."""
    with imap(bundle, device) as session:
        session.select_folder("INBOX", readonly=True)
        return [found[b"BODY[]"] for found in session.fetch(session.search(), ["BODY[]"]).values()]


def in_inbox_or_junk(bundle: Bundle, device: Device, subject: str) -> list[bytes]:
    """Return the messages with this subject, wherever the spam filter put them."""
    return [
        one for folder in ("INBOX", "Junk") for one in messages(bundle, device, subject, folder)
    ]


def received_abroad(bundle: Bundle, subject: str) -> bytes:
    """Wait for a message in the foreign mailbox and return it."""

    def look() -> list[bytes]:
        every = bundle.foreign_messages()
        return [one for one in every if message_from_bytes(one)["Subject"] == subject]

    return await_some(look, f"{subject} at {bundle.foreign_address}")


def install_swaks(machine: Machine) -> None:
    """Install swaks on `machine` unless it is there."""
    get = "DEBIAN_FRONTEND=noninteractive timeout 100 apt-get -q"
    install = f"{get} update && {get} install -y --no-install-recommends"
    machine.run(["sh", "-c", f"command -v swaks || ({install} swaks libnet-ssleay-perl)"])


def swaks(bundle: Bundle, *options: str) -> Completed:
    """Run swaks on the foreign server against the bundle's server, port 25 unless told."""
    command = ["swaks", "--server", bundle.mail_host, *options]
    return bundle.internet.run(command, check=False)


def send_from_abroad(bundle: Bundle, to: str, subject: str, *options: str) -> str:
    """Send from the foreign server with swaks, and return the whole conversation."""
    sent = swaks(
        bundle,
        *("--from", bundle.foreign_address, "--to", to),
        *("--header", f"Subject: {subject}"),
        *options,
    )
    return sent.stdout


def port_is_open(bundle: Bundle, port: int) -> bool:
    """Whether the server answers on `port`."""
    try:
        socket.create_connection((bundle.mail_address, port), timeout=3).close()
    except OSError:
        return False
    return True


def txt(bundle: Bundle) -> Callable[..., bytes]:
    """Return a look-up of TXT records in the lab's DNS, as dkimpy wants one."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [bundle.resolver]

    def look_up(name: bytes | str, timeout: float = 5) -> bytes:
        text = name.decode() if isinstance(name, bytes) else name
        answer = resolver.resolve(text, "TXT", lifetime=timeout)
        return b"".join(part for record in answer for part in record.strings)

    return look_up


def psql(bundle: Bundle, statement: str, **values: object) -> str:
    """Run SQL in the server's mail database; `values` are quoted and stand in it as :'name'."""
    settings = [f"--set={name}={value}" for name, value in values.items()]
    command = ["runuser", "-u", "postgres", "--", "psql", "-qAt", "--set=ON_ERROR_STOP=1"]
    return bundle.server.run([*command, *settings, "mail"], given=statement).stdout.strip()


@contextmanager
def mailbox(bundle: Bundle, quota_bytes: int = 0) -> Iterator[Device]:
    """Yield a login of a fresh mailbox: two rows, which no daemon is told about."""
    local = f"essai-{secrets.token_hex(4)}"
    address = f"{local}@{bundle.domain}"
    psql(
        bundle,
        "INSERT INTO mailbox VALUES (:'address', :'domain', :quota, true);",
        address=address,
        domain=bundle.domain,
        quota=quota_bytes,
    )
    try:
        yield add_device(bundle, address)
    finally:
        psql(bundle, "DELETE FROM mailbox WHERE address = :'address';", address=address)
        folder = f"/srv/mail/{bundle.domain}/{local}"
        bundle.server.run(["rm", "--recursive", "--force", "--", folder])


def add_device(bundle: Bundle, address: str) -> Device:
    """Enrol one more device of this mailbox: a row with the digest of its secret."""
    device = Device(f"essai-{secrets.token_hex(8)}", address, secrets.token_hex(12))
    psql(
        bundle,
        "INSERT INTO device (id, address, name, secret_sha256)"
        " VALUES (:'id', :'address', 'essai', :'digest');",
        id=device.id,
        address=address,
        digest=hashlib.sha256(device.secret.encode()).hexdigest(),
    )
    return device


def put_sieve(bundle: Bundle, device: Device, script: str) -> None:
    """Upload a sieve script by ManageSieve (RFC 5804) with STARTTLS, and make it the active one."""
    with managesieve(bundle, device) as session:
        store_sieve(session, "essai", script)
        _sieve(session, 'SETACTIVE "essai"')


@contextmanager
def managesieve(bundle: Bundle, device: Device) -> Iterator[socket.socket]:
    """Yield a ManageSieve session, logged in as `device`."""
    login = base64.b64encode(f"\0{device.address}\0{device.secret}".encode()).decode()
    with socket.create_connection((bundle.mail_address, SIEVE), timeout=PATIENCE) as plain:
        _sieve(plain)
        _sieve(plain, "STARTTLS")
        with trust(bundle).wrap_socket(plain, server_hostname=bundle.mail_host) as session:
            _sieve(session)
            _sieve(session, f'AUTHENTICATE "PLAIN" "{login}"')
            yield session


def store_sieve(session: socket.socket, name: str, script: str) -> None:
    """Upload a script and leave it asleep."""
    _sieve(session, f'PUTSCRIPT "{name}" {{{len(script.encode())}+}}\r\n{script}')


def sieve_extensions(bundle: Bundle, device: Device) -> set[str]:
    """Return what filters may ask for, as told to who is logged in."""
    with managesieve(bundle, device) as session:
        told = _sieve(session, "CAPABILITY")
    line = next(line for line in told.splitlines() if line.startswith('"SIEVE"'))
    return set(line.split(maxsplit=1)[1].strip('"').split())


def _sieve(session: socket.socket, command: str = "") -> str:
    """Send a command, or none to read the greeting; return what the server says before its OK."""
    if command:
        session.sendall(f"{command}\r\n".encode())
    said = b""
    while not said.endswith(b"\r\n") or not said.rsplit(b"\r\n", 2)[-2].startswith(
        (b"OK", b"NO", b"BYE")
    ):
        more = session.recv(4096)
        if not more:
            break
        said += more
        if said.startswith(b"NO"):  # why may follow in many lines
            raise SieveRefusedError(said.decode())
    last = said.rstrip().rsplit(b"\r\n", 1)[-1]
    if not last.startswith(b"OK"):
        raise SieveRefusedError(said.decode())
    return said.decode()


def handshake(bundle: Bundle, port: int, *options: str) -> Completed:
    """Let openssl shake hands with the server and check its certificate; it fails with code 1."""
    command = [
        *("openssl", "s_client", "-verify_return_error", "-CAfile", str(bundle.authority)),
        *("-verify_hostname", bundle.mail_host, "-connect", f"{bundle.mail_address}:{port}"),
        *options,
    ]
    return commands.run(command, check=False)
