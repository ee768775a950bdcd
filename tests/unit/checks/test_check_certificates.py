from __future__ import annotations

import os
import socket
import struct
import time
from dataclasses import replace
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING

import pytest

from provision.checks.certificates import (
    certificate_checks,
    look_at_certificate,
    look_for_old_tls,
    mail_doors,
    web_doors,
)
from provision.checks.dial import Service, sieve_starts_tls, smtp_starts_tls
from provision.checks.findings import Result, run
from provision.checks.old_tls import accepts_old_tls, client_hello
from provision.errors import PaquetError
from provision.process.commands import is_installed, start
from tests.unit.checks.loopback import (
    HOST,
    MAIL_HOST,
    NOW,
    Authority,
    Reply,
    Speech,
    a_target,
    line_server,
    resolver,
    web_server,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from provision.checks.findings import Finding
    from provision.dns.lookup import NameServer

MODERN = {"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": "220 go"}
SIEVE = {"STARTTLS": 'OK "go"'}


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    with resolver() as asked:
        yield asked


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def seen(authority: Authority, names: NameServer, tls: ssl.SSLContext, host: str = HOST) -> Finding:
    target = a_target(resolver=names, ca_file=authority.file)
    with web_server(lambda _: Reply(), tls) as port:
        (finding,) = look_at_certificate(target, Service("https", host, port), now=NOW)
    return finding


def test_a_good_certificate_tells_its_days(authority: Authority, names: NameServer) -> None:
    finding = seen(authority, names, authority.server(HOST))
    assert finding.result is Result.OK
    assert finding.message == f"{HOST} with TLSv1.3, 80 days left"


def test_an_expired_certificate_is_an_error(authority: Authority, names: NameServer) -> None:
    finding = seen(authority, names, authority.server(HOST, days=(-90, -1)))
    assert (finding.result, finding.message) == (
        Result.ERROR,
        f"The certificate of {HOST} has expired",
    )


def test_a_certificate_for_another_name_is_an_error(
    authority: Authority, names: NameServer
) -> None:
    finding = seen(authority, names, authority.server("bob.paquet.test"))
    assert (finding.result, finding.message) == (
        Result.ERROR,
        f"The certificate shown is not for {HOST}",
    )


def test_a_certificate_of_an_unknown_authority_is_an_error(
    authority: Authority, names: NameServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    finding = seen(authority, names, Authority(tmp_path / "other").server(HOST))
    assert finding.result is Result.ERROR
    assert "is not trusted" in finding.message


@pytest.mark.parametrize(
    ("days", "result"),
    [
        ((-80, 13), Result.WARNING),
        ((-76, 15), Result.OK),
        ((-1, 5), Result.OK),
        ((-5, 1), Result.WARNING),
    ],
)
def test_a_certificate_that_ends_soon_for_its_kind_is_a_warning(
    authority: Authority, names: NameServer, days: tuple[int, int], result: Result
) -> None:
    assert seen(authority, names, authority.server(HOST, days=days)).result is result


def test_a_server_that_speaks_no_tls_is_an_error(authority: Authority, names: NameServer) -> None:
    target = a_target(resolver=names, ca_file=authority.file)
    with web_server(lambda _: Reply()) as port:
        (finding,) = look_at_certificate(target, Service("https", HOST, port), now=NOW)
    assert finding.result is Result.ERROR
    assert "does not agree on TLS" in finding.message


def test_tls_begins_after_the_words_of_smtp_and_sieve(
    authority: Authority, names: NameServer
) -> None:
    target, tls = a_target(resolver=names, ca_file=authority.file), authority.server(MAIL_HOST)
    with (
        line_server(Speech("220-hello\r\n220 ESMTP", MODERN, tls=tls)) as smtp,
        line_server(Speech('"STARTTLS"\r\nOK "Ready"', SIEVE, tls=tls)) as sieve,
    ):
        for service in (
            Service("smtp", MAIL_HOST, smtp, smtp_starts_tls),
            Service("sieve", MAIL_HOST, sieve, sieve_starts_tls),
        ):
            (finding,) = look_at_certificate(target, service, now=NOW)
            assert finding.result is Result.OK


@pytest.mark.parametrize(
    ("prelude", "greeting", "replies"),
    [
        (smtp_starts_tls, "554 go away", {}),
        (smtp_starts_tls, "220 hello", {"STARTTLS": "502 not here"}),
        (sieve_starts_tls, "OK", {"STARTTLS": "NO"}),
        (sieve_starts_tls, 'BYE "full"', {}),
    ],
)
def test_a_refused_starttls_is_an_error(
    names: NameServer, prelude: object, greeting: str, replies: dict[str, str]
) -> None:
    target = a_target(resolver=names)
    with line_server(Speech(greeting, replies)) as port:
        service = Service("smtp", MAIL_HOST, port, prelude)  # type: ignore[arg-type]
        with pytest.raises(PaquetError, match="STARTTLS is refused"):
            list(look_at_certificate(target, service, now=NOW))


def test_modern_tls_refuses_the_old_hello(authority: Authority, names: NameServer) -> None:
    with web_server(lambda _: Reply(), authority.server(HOST)) as port:
        (finding,) = look_for_old_tls(a_target(resolver=names), Service("https", HOST, port))
    assert finding.result is Result.OK


@pytest.mark.skipif(not is_installed("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize(
    ("version", "result"),
    [("-tls1", Result.ERROR), ("-tls1_1", Result.ERROR), ("-tls1_2", Result.OK)],
)
def test_a_server_that_still_speaks_old_tls_is_caught(
    authority: Authority, names: NameServer, version: str, result: Result
) -> None:
    authority.server(HOST)
    pem = str(authority.folder / f"{HOST}.80.pem")
    port = _free_port()
    listen = ["-accept", str(port), "-cert", pem, "-key", pem]
    server = start(
        ["openssl", "s_server", *listen, version, "-cipher", "ALL:@SECLEVEL=0", "-quiet"],
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        _wait_for(port)
        (finding,) = look_for_old_tls(a_target(resolver=names), Service("https", HOST, port))
    finally:
        server.terminate()
        server.communicate()
    assert finding.result is result


def test_the_first_message_is_one_whole_record() -> None:
    hello = client_hello(HOST, os.urandom(32))
    kind, version, length = struct.unpack("!BHH", hello[:5])
    assert (kind, version, length) == (22, 0x0301, len(hello) - 5)
    assert HOST.encode() in hello


@pytest.mark.parametrize(
    "answer", [b"", b"\x15\x03\x01\x00\x02\x02\x46", b"\x16\x03\x03\x00\x02xx"]
)
def test_silence_alerts_and_newer_versions_are_a_no(answer: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        assert not accepts_old_tls(ours, HOST)


def test_every_door_is_looked_at_twice() -> None:
    own = a_target(domain="exemple.test", host="cloud.exemple.test")
    assert [door.name for door in web_doors(own)] == ["https", "https autoconfig"]
    assert [door.name for door in web_doors(a_target())] == ["https"]
    assert [door.name for door in mail_doors(own)] == [
        "smtp",
        "submissions",
        "submission",
        "imaps",
        "sieve",
    ]
    assert len(certificate_checks(own, mail_doors(own), NOW)) == 10


def test_a_closed_door_is_a_finding(names: NameServer) -> None:
    target = a_target(resolver=names)
    closed = replace(target, ports=replace(target.ports, https=_free_port()))
    (finding,) = run([certificate_checks(closed, web_doors(closed), NOW)[0]])
    assert finding.check == "certificate https"
    assert "refused" in finding.message


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("the server did not start")
