from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from provision.checks.findings import Check, Result, run
from provision.checks.http import address
from provision.checks.web import (
    look_at_autoconfig,
    look_at_closed_door,
    look_at_discovery,
    look_at_files,
    look_at_http,
    look_at_https,
    look_at_well_known,
    web_checks,
)
from tests.unit.checks.loopback import (
    DOMAIN,
    HOST,
    MAIL_HOST,
    Authority,
    Reply,
    a_target,
    resolver,
    web_server,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from provision.checks.findings import Finding
    from provision.checks.target import Target

    Look = Callable[[Target], Iterator[Finding]]
    Answering = Callable[[BaseHTTPRequestHandler], Reply]
    Seen = Callable[[Look, Answering], list[tuple[str, Result]]]

LOGIN, SECRET = f"alice@{DOMAIN}", "a" * 24
ASKS = Reply(401, {"WWW-Authenticate": 'Basic realm="files"'})
SAFE = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
MULTI = (
    '<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop>{}</prop></propstat>'
    "</response></multistatus>"
)
HOMES = "".join(
    f'<x:{name} xmlns:x="urn:ietf:params:xml:ns:{space}"><href>/dav/a/</href></x:{name}>'
    for space, name in (("caldav", "calendar-home-set"), ("carddav", "addressbook-home-set"))
)
AUTOCONFIG = """<clientConfig version="1.1"><emailProvider id="x"><domain>x</domain>
<incomingServer type="imap"><hostname>{host}</hostname><socketType>{socket}</socketType>
</incomingServer><outgoingServer type="smtp"><hostname>{host}</hostname>
<socketType>SSL</socketType></outgoingServer></emailProvider></clientConfig>"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def target(authority: Authority) -> Iterator[Target]:
    with resolver() as asked:
        yield a_target(
            resolver=asked,
            ca_file=authority.file,
            login=LOGIN,
            secret=SecretStr(SECRET),
        )


def healthy(asked: BaseHTTPRequestHandler) -> Reply:
    """A cloud in which everything is as it should be."""
    assert asked.headers["Host"].partition(":")[0] in (HOST, f"autoconfig.{DOMAIN}")
    if asked.path.startswith("/.well-known/autoconfig"):
        return Reply(body=AUTOCONFIG.format(host=MAIL_HOST, socket="SSL"))
    if asked.path.startswith("/.well-known/"):
        return Reply(301, {"Location": "/dav/"})
    if asked.command == "PROPFIND":
        return dav(asked)
    return Reply(200, SAFE)


def dav(asked: BaseHTTPRequestHandler) -> Reply:
    if "Authorization" not in asked.headers:
        return ASKS
    if asked.path == "/dav/":
        principal = "<current-user-principal><href>/dav/a/</href></current-user-principal>"
        return Reply(207, body=MULTI.format(principal))
    assert asked.path in ("/dav/a/", f"/files/{LOGIN}/")
    return Reply(207, body=MULTI.format(HOMES))


def always(reply: Reply) -> Callable[[BaseHTTPRequestHandler], Reply]:
    return lambda _: reply


@pytest.fixture
def seen(authority: Authority, target: Target) -> Seen:
    """What a look says where the cloud answers like this."""

    def look_at(look: Look, reply: Answering) -> list[tuple[str, Result]]:
        with web_server(reply, authority.server(HOST)) as port:
            there = replace(target, ports=replace(target.ports, https=port))
            found = run([Check("look", partial(look, there))])
        return [(finding.check, finding.result) for finding in found]

    return look_at


def test_a_healthy_cloud_has_no_complaint(target: Target, authority: Authority) -> None:
    plain = always(Reply(301, {"Location": f"https://{HOST}/"}))
    with web_server(healthy, authority.server(HOST)) as https, web_server(plain) as http:
        there = replace(target, ports=replace(target.ports, https=https, http=http))
        found = run(web_checks(there))
    assert [finding for finding in found if finding.result is not Result.OK] == []
    assert len(found) == 12


def test_a_broken_cloud_is_an_error_and_missing_headers_are_warnings(seen: Seen) -> None:
    assert seen(look_at_https, always(Reply(502))) == [
        ("https", Result.ERROR),
        ("hsts", Result.WARNING),
        ("nosniff", Result.WARNING),
    ]
    short = {**SAFE, "Strict-Transport-Security": "max-age=60"}
    assert ("hsts", Result.WARNING) in seen(look_at_https, always(Reply(200, short)))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200),
        Reply(301, {"Location": "http://alice.paquet.test/"}),
        Reply(301, {"Location": "https://elsewhere.test/"}),
        Reply(301),
    ],
)
def test_http_that_does_not_lead_to_https_is_an_error(target: Target, reply: Reply) -> None:
    with web_server(always(reply)) as port:
        there = replace(target, ports=replace(target.ports, http=port))
        (finding,) = run([Check("http", lambda: look_at_http(there))])
    assert finding.result is Result.ERROR


@pytest.mark.parametrize(
    "reply", [Reply(207), Reply(404), Reply(301, {"Location": "/login"}), Reply(401)]
)
def test_a_well_known_address_that_is_no_redirect_to_dav_is_an_error(
    seen: Seen, reply: Reply
) -> None:
    look = partial(look_at_well_known, service="caldav")
    assert seen(look, always(reply)) == [("well-known caldav", Result.ERROR)]


@pytest.mark.parametrize("reply", [Reply(207), Reply(401), Reply(503)])
def test_dav_that_does_not_ask_for_a_login_is_an_error(seen: Seen, reply: Reply) -> None:
    assert seen(look_at_closed_door, always(reply)) == [("dav without login", Result.ERROR)]


def test_a_cloud_that_is_busy_once_is_asked_again(seen: Seen) -> None:
    replies = iter((Reply(503, {"Retry-After": "120"}), Reply(207)))
    assert seen(look_at_files, lambda _request: next(replies)) == [("dav files", Result.OK)]


def test_a_cloud_that_stays_away_is_an_error(seen: Seen) -> None:
    asked: list[str] = []

    def away(request: BaseHTTPRequestHandler) -> Reply:
        asked.append(request.command)
        return Reply(503, {"Retry-After": "120"})

    assert seen(look_at_files, away) == [("dav files", Result.ERROR)]
    assert asked == ["PROPFIND"] * 3


def test_a_refused_secret_is_an_error(seen: Seen) -> None:
    assert seen(look_at_discovery, always(ASKS)) == [("dav discovery", Result.ERROR)]
    assert seen(look_at_files, always(ASKS)) == [("dav files", Result.ERROR)]


def test_dav_that_names_no_principal_is_an_error(seen: Seen) -> None:
    for reply in (Reply(207, body=MULTI.format("")), Reply(404)):
        assert seen(look_at_discovery, always(reply)) == [("dav discovery", Result.ERROR)]


def test_a_principal_without_homes_is_an_error_for_each(seen: Seen) -> None:
    principal = MULTI.format("<current-user-principal><href>/p/</href></current-user-principal>")
    assert seen(look_at_discovery, always(Reply(207, body=principal))) == [
        ("dav discovery", Result.OK),
        ("dav calendars", Result.ERROR),
        ("dav contacts", Result.ERROR),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "<html><p>Not found",
        "",
        "<clientConfig/>",
        AUTOCONFIG.format(host="elsewhere.test", socket="SSL"),
        AUTOCONFIG.format(host=MAIL_HOST, socket="plain"),
    ],
)
def test_autoconfig_that_thunderbird_cannot_use_is_an_error(seen: Seen, body: str) -> None:
    assert seen(look_at_autoconfig, always(Reply(body=body))) == [("autoconfig", Result.ERROR)]


def test_an_own_domain_is_asked_at_its_autoconfig_name(
    target: Target, authority: Authority
) -> None:
    """A certificate for another name would be refused: so the name reaches TLS and Host."""
    own = replace(target, domain="exemple.test", host="cloud.exemple.test")
    heard: list[str] = []

    def reply(asked: BaseHTTPRequestHandler) -> Reply:
        heard.append(asked.headers["Host"].partition(":")[0] + asked.path)
        return Reply(body=AUTOCONFIG.format(host=MAIL_HOST, socket="STARTTLS"))

    tls = authority.server("autoconfig.exemple.test")
    with web_server(reply, tls) as port:
        (finding,) = look_at_autoconfig(replace(own, ports=replace(own.ports, https=port)))
    assert finding.result is Result.OK
    assert heard == ["autoconfig.exemple.test/mail/config-v1.1.xml"]


def test_a_wrong_certificate_is_told_by_every_check_that_meets_it(
    target: Target, authority: Authority
) -> None:
    tls = authority.server("bob.paquet.test")
    with web_server(healthy, tls) as port:
        there = replace(target, ports=replace(target.ports, https=port))
        (finding,) = run([Check("https", lambda: look_at_https(there))])
    assert finding.result is Result.ERROR
    assert finding.message.startswith("TLS fails: Hostname mismatch")


def test_without_a_secret_the_looks_inside_are_skipped(target: Target) -> None:
    stranger = replace(target, secret=None)
    for look in (look_at_discovery, look_at_files):
        (finding,) = look(stranger)
        assert finding.result is Result.SKIPPED


def test_a_secret_is_not_shown_with_its_target(target: Target) -> None:
    assert SECRET not in repr(target)


def test_usual_ports_are_not_written() -> None:
    assert address(a_target(), HOST, "/x") == f"https://{HOST}/x"
    assert address(a_target(), HOST, "/x", "http") == f"http://{HOST}/x"
