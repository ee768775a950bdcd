"""Autoconfig: the public file in which mail programs find the servers of a domain."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

# One file serves all users: some programs (Thunderbird for Android) never send the address.
LOGIN = "%EMAILADDRESS%"
IMAPS_PORT = 993
SUBMISSIONS_PORT = 465


@dataclass(frozen=True)
class Services:
    """Where the services of one mail domain are; hosts and domain in ASCII, URLs with https."""

    domain: str
    mail_host: str
    dav_url: str
    files_url: str
    operator_name: str


def autoconfig_xml(services: Services) -> str:
    """Return `config-v1.1.xml` (draft-ietf-mailmaint-autoconfig, clientConfig 1.2).

    Kept to what the strictest reader takes (thunderbird-android, RealAutoconfigParser.kt): a
    host name as id, at least one imap and one smtp, socketType only "SSL" or "STARTTLS".
    Calendar and contacts stand outside emailProvider; Thunderbird on a computer finds them by
    DNS instead, so the SRV records are needed as well.
    """
    root = ET.Element("clientConfig", version="1.2")
    provider = ET.SubElement(root, "emailProvider", id=services.domain)
    ET.SubElement(provider, "domain").text = services.domain
    ET.SubElement(provider, "displayName").text = services.operator_name
    ET.SubElement(provider, "displayShortName").text = services.operator_name
    _add_mail(provider, "incomingServer", "imap", (services.mail_host, IMAPS_PORT))
    _add_mail(provider, "outgoingServer", "smtp", (services.mail_host, SUBMISSIONS_PORT))
    _add_dav(root, "addressBook", "carddav", services.dav_url)
    _add_dav(root, "calendar", "caldav", services.dav_url)
    _add_dav(root, "fileShare", "webdav", services.files_url)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_mail(provider: ET.Element, tag: str, protocol: str, server: tuple[str, int]) -> None:
    host, port = server
    element = ET.SubElement(provider, tag, type=protocol)
    ET.SubElement(element, "hostname").text = host
    ET.SubElement(element, "port").text = str(port)
    ET.SubElement(element, "socketType").text = "SSL"
    ET.SubElement(element, "authentication").text = "password-cleartext"
    ET.SubElement(element, "username").text = LOGIN


def _add_dav(root: ET.Element, tag: str, protocol: str, url: str) -> None:
    element = ET.SubElement(root, tag, type=protocol)
    ET.SubElement(element, "url").text = url
    ET.SubElement(element, "authentication").text = "http-basic"
    ET.SubElement(element, "username").text = LOGIN
