"""The cloud as phones and browsers meet it: redirects, headers, discovery, login, autoconfig."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import requests

from provision.checks.findings import Check, error, ok, skipped, warning
from provision.checks.http import address, ask_web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.checks.findings import Finding
    from provision.checks.target import Target

    Look = Callable[[Target], Iterator[Finding]]
REDIRECTS = (301, 302, 303, 307, 308)
MULTISTATUS = 207
UNAUTHORIZED = 401
BROKEN = 500
HALF_A_YEAR = 15_552_000  # seconds; what Nextcloud's own check and the HSTS preload rules ask
WEB_SERVER = "See `journalctl -u nginx` on the server, or deploy it again."
CLOUD = "See the journal of the bundle's units on the server."

PRINCIPAL = b"""<?xml version="1.0"?><propfind xmlns="DAV:"><prop><current-user-principal/></prop>
</propfind>"""
HOMES = b"""<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"
 xmlns:k="urn:ietf:params:xml:ns:carddav"><prop><c:calendar-home-set/><k:addressbook-home-set/></prop>
</propfind>"""
DAV = "{DAV:}"
HOME_SETS = {
    "calendars": "{urn:ietf:params:xml:ns:caldav}calendar-home-set",
    "contacts": "{urn:ietf:params:xml:ns:carddav}addressbook-home-set",
}


def web_checks(target: Target) -> list[Check]:
    """Return the checks of a bundle's web side."""
    looks: dict[str, Look] = {
        "https": look_at_https,
        "http": look_at_http,
        "well-known caldav": partial(look_at_well_known, service="caldav"),
        "well-known carddav": partial(look_at_well_known, service="carddav"),
        "dav without login": look_at_closed_door,
        "dav discovery": look_at_discovery,
        "dav files": look_at_files,
        "autoconfig": look_at_autoconfig,
    }
    return [Check(name, partial(look, target)) for name, look in looks.items()]


def look_at_https(target: Target) -> Iterator[Finding]:
    """Yield whether the cloud answers, and with the headers that protect its users."""
    answer = _get(target, address(target, target.host, "/"))
    if answer.status_code >= BROKEN:
        yield error("https", f"{target.host} answers {answer.status_code}", CLOUD)
    else:
        yield ok("https", f"{target.host} answers {answer.status_code}")
    age = re.search(r"max-age=\"?(\d+)", answer.headers.get("Strict-Transport-Security", ""))
    if age and int(age.group(1)) >= HALF_A_YEAR:
        yield ok("hsts", "Browsers will ask only by HTTPS")
    else:
        yield warning("hsts", "Strict-Transport-Security is absent or too short", WEB_SERVER)
    if answer.headers.get("X-Content-Type-Options", "").lower() == "nosniff":
        yield ok("nosniff", "Browsers will not guess types")
    else:
        yield warning("nosniff", "X-Content-Type-Options: nosniff is absent", WEB_SERVER)


def look_at_http(target: Target) -> Iterator[Finding]:
    """Yield whether plain HTTP only points to HTTPS."""
    asked = address(target, target.host, "/", "http")
    answer = _get(target, asked)
    there = urlsplit(_location(asked, answer))
    if answer.status_code in REDIRECTS and (there.scheme, there.hostname) == ("https", target.host):
        yield ok("http", "HTTP points to HTTPS")
    else:
        said = f"HTTP answers {answer.status_code} instead of pointing to HTTPS"
        yield error("http", said, WEB_SERVER)


def look_at_well_known(target: Target, service: str) -> Iterator[Finding]:
    """Yield whether discovery from the bare host finds DAV (RFC 6764 §5: a redirect)."""
    check = f"well-known {service}"
    asked = address(target, target.host, f"/.well-known/{service}")
    answer = _get(target, asked)
    there = urlsplit(_location(asked, answer))
    if answer.status_code in REDIRECTS and there.path.rstrip("/") == target.dav_path.rstrip("/"):
        yield ok(check, f"points to {there.path}")
    else:
        said = f"/.well-known/{service} answers {answer.status_code} {there.path}".rstrip()
        yield error(check, f"{said}, not a redirect to {target.dav_path}", WEB_SERVER)


def look_at_closed_door(target: Target) -> Iterator[Finding]:
    """Yield whether DAV asks a stranger for a login."""
    check = "dav without login"
    answer = _propfind(target, target.dav_path, PRINCIPAL, login=False)
    offered = answer.headers.get("WWW-Authenticate", "")
    if answer.status_code == UNAUTHORIZED and "basic" in offered.lower():
        yield ok(check, "DAV asks for a login")
    else:
        yield error(check, f"DAV answers a stranger with {answer.status_code}", CLOUD)


def look_at_discovery(target: Target) -> Iterator[Finding]:
    """Yield whether a device secret leads from DAV's start to calendars and contacts."""
    if not target.secret:
        yield skipped("dav discovery", "No device secret was given")
        return
    answer = _propfind(target, target.dav_path, PRINCIPAL)
    if answer.status_code == UNAUTHORIZED:
        yield error("dav discovery", f"DAV refuses the device secret of {target.login}", CLOUD)
        return
    principal = _href(answer, f"{DAV}current-user-principal")
    if not principal:
        yield error("dav discovery", f"{target.dav_path} tells {target.login} no principal", CLOUD)
        return
    yield ok("dav discovery", f"{target.login} is {principal}")
    homes = _propfind(target, principal, HOMES)
    for name, element in HOME_SETS.items():
        yield _folder(target, f"dav {name}", _href(homes, element))


def look_at_files(target: Target) -> Iterator[Finding]:
    """Yield whether a device secret opens the user's files."""
    if not target.secret:
        yield skipped("dav files", "No device secret was given")
        return
    yield _folder(target, "dav files", f"{target.files_path}{target.login}/")


def look_at_autoconfig(target: Target) -> Iterator[Finding]:
    """Yield whether Thunderbird finds mail settings that name this mail server."""
    asked = autoconfig_address(target)
    answer = _get(target, asked)
    try:
        servers = _mail_servers(answer.content)
    except ET.ParseError as wrong:
        said = f"{asked} answers {answer.status_code}, which is no XML: {wrong}"
        yield error("autoconfig", said, WEB_SERVER)
        return
    lacking = {("imap", target.mail_host), ("smtp", target.mail_host)} - servers
    if lacking:
        said = (
            f"{asked} names no {' and '.join(sorted(kind for kind, _ in lacking))} server of ours"
        )
        yield error("autoconfig", said, WEB_SERVER)
    else:
        yield ok("autoconfig", f"served at {asked}")


def autoconfig_address(target: Target) -> str:
    """Return where Thunderbird's settings are: the zone's certificate covers no second step."""
    if target.is_own_domain:
        return address(target, f"autoconfig.{target.domain}", "/mail/config-v1.1.xml")
    return address(target, target.domain, "/.well-known/autoconfig/mail/config-v1.1.xml")


def _mail_servers(xml: bytes) -> set[tuple[str, str]]:
    """Return type and host of each server that Thunderbird would accept: only those with TLS."""
    provider = _parsed(xml).find("emailProvider")
    children = [] if provider is None else list(provider)
    return {
        (server.get("type", ""), server.findtext("hostname", ""))
        for server in children
        if server.tag in ("incomingServer", "outgoingServer")
        and server.findtext("socketType") in ("SSL", "STARTTLS")
    }


def _folder(target: Target, check: str, path: str) -> Finding:
    if not path:
        return error(check, "Discovery does not tell where they are", CLOUD)
    status = _propfind(target, path, PRINCIPAL, depth="1").status_code
    if status == MULTISTATUS:
        return ok(check, f"{path} can be listed")
    return error(check, f"{path} answers {status} to the device secret", CLOUD)


def _propfind(
    target: Target, path: str, body: bytes, *, depth: str = "0", login: bool = True
) -> requests.Response:
    headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
    auth = (target.login.encode(), target.password.encode()) if login else None
    url = urljoin(address(target, target.host, "/"), path)
    return ask_web(target, requests.Request("PROPFIND", url, headers, data=body, auth=auth))


def _get(target: Target, url: str) -> requests.Response:
    return ask_web(target, requests.Request("GET", url))


def _href(answer: requests.Response, element: str) -> str:
    """Return the path that a multistatus tells for a property, empty when it tells none."""
    if answer.status_code != MULTISTATUS:
        return ""
    return (_parsed(answer.content).findtext(f".//{element}/{DAV}href") or "").strip()


def _parsed(xml: bytes) -> ET.Element:
    # Our own servers wrote it, and expat limits how far entities may grow.
    return ET.fromstring(xml)  # noqa: S314


def _location(asked: str, answer: requests.Response) -> str:
    return urljoin(asked, answer.headers.get("Location", ""))
