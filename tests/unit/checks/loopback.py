"""Small real servers on 127.0.0.1: names, TLS, HTTPS and line protocols, for what must go wrong."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provision.checks.target import Target
from provision.dns.lookup import NameServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from provision.dns.records import Record

NOW = datetime.now(UTC).replace(microsecond=0)
HOST, MAIL_HOST, DOMAIN = "alice.paquet.test", "bundles1.paquet.test", "alice.paquet.test"


def a_target(**given: Any) -> Target:  # noqa: ANN401 -- the fields of a Target
    return Target(
        **{"domain": DOMAIN, "host": HOST, "mail_host": MAIL_HOST, "address": "127.0.0.1", **given}
    )


@dataclass
class Authority:
    """A certificate authority that lives in one folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
        self.file.write_bytes(_pem(self._signed(self.name, self.key, (NOW, 3650), None)))

    @property
    def file(self) -> Path:
        return self.folder / "authority.pem"

    def server(self, *names: str, days: tuple[int, int] = (-10, 80)) -> ssl.SSLContext:
        """Return a server's side of TLS, with a certificate valid from and to these days."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        start = NOW + timedelta(days=days[0])
        certificate = self._signed(subject, key, (start, days[1] - days[0]), names)
        file = self.folder / f"{names[0]}.{days[1]}.pem"
        file.write_bytes(_private(key) + _pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        valid: tuple[datetime, int],
        names: tuple[str, ...] | None,
    ) -> x509.Certificate:
        start, days = valid
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start - timedelta(minutes=1))
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
            .add_extension(issuer_key, critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )
        if names is None:  # Python 3.13 asks every authority what its key is for
            builder = builder.add_extension(_signing(), critical=True)
        else:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def _signing() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


@contextmanager
def resolver(records: list[Record] | None = None) -> Iterator[NameServer]:
    """Answer `records`; every name below paquet.test and exemple.test is 127.0.0.1 besides."""
    known = {record.key: record for record in records or []}

    class Answering(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            octets, socket = self.request
            query = dns.message.from_wire(octets)
            socket.sendto(_answer(query, known).to_wire(), self.client_address)

    server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answering)
    with _running(server):
        yield NameServer("127.0.0.1", server.server_address[1])


@dataclass(frozen=True)
class Reply:
    """What a web server answers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


class QuietServer(ThreadingHTTPServer):
    """Says nothing when a client refuses its certificate: here that is the point."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def web_server(
    reply: Callable[[BaseHTTPRequestHandler], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Answer every request with what `reply` makes of it; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made = reply(self)
            body = made.body.encode()
            self.send_response(made.status)
            for name, value in {**made.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PROPFIND = answer  # noqa: N815 -- the names that http.server asks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with _running(server):
        yield server.server_address[1]


@dataclass(frozen=True)
class Speech:
    """What a server of lines says: its greeting, and the answer to each beginning of a line.

    `{tag}` in an answer is the first word of the last line that had more than one (IMAP). A line
    that nothing fits gets `other`. TLS is `implicit`, or begins after `STARTTLS`.
    """

    greeting: str
    replies: Mapping[str, str] = field(default_factory=dict)
    other: str = "250 fine"
    tls: ssl.SSLContext | None = None
    implicit: bool = False

    def answer(self, line: str) -> str:
        without_tag = line.partition(" ")[2]
        fitting = [
            begun
            for begun in self.replies
            if line.startswith(begun) or without_tag.startswith(begun)
        ]
        return self.replies[max(fitting, key=len)] if fitting else self.other


class Speaking(socketserver.BaseRequestHandler):
    """One connection to a SpeechServer."""

    server: SpeechServer

    def handle(self) -> None:
        if self.server.speech.implicit:
            self.under_tls(greet=True)
        else:
            self.converse(self.request, greet=True)

    def under_tls(self, *, greet: bool) -> None:
        assert self.server.speech.tls
        try:
            with self.server.speech.tls.wrap_socket(self.request, server_side=True) as secured:
                self.converse(secured, greet=greet)
        except OSError:
            return

    def converse(self, connected: socket.socket, *, greet: bool) -> None:
        speech, tag = self.server.speech, ""
        with connected.makefile("rwb") as lines:
            if greet:
                _say(lines, speech.greeting)
            for line in lines:
                said = line.decode().strip()
                tag = said.split()[0] if " " in said else tag
                _say(lines, speech.answer(said.upper()).format(tag=tag))
                if said.upper() == "STARTTLS" and speech.tls:
                    break
            else:
                return
        self.under_tls(greet=False)


class SpeechServer(socketserver.ThreadingTCPServer):
    """Many connections that all hear the same speech."""

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        super().__init__(("127.0.0.1", 0), Speaking)


@contextmanager
def line_server(speech: Speech) -> Iterator[int]:
    """Speak a line protocol; yield the port."""
    server = SpeechServer(speech)
    with _running(server):
        yield server.server_address[1]


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(
    query: dns.message.Message, known: dict[tuple[str, str], Record]
) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA
    question = query.question[0]
    name, kind = question.name.to_text().lower(), question.rdtype.name
    if record := known.get((name, kind)):
        answer.answer.append(dns.rrset.from_text(name, record.ttl, "IN", kind, *record.values))
    elif kind == "A" and name.endswith((".paquet.test.", ".exemple.test.")):
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "127.0.0.1"))
    else:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


def _say(lines: Any, words: str) -> None:  # noqa: ANN401 -- what makefile returns
    lines.write(words.encode() + b"\r\n")
    lines.flush()


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
