from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from lxml import etree

from provision.phones.autoconfig import Services, autoconfig_xml
from tests.unit.phones.phone_examples import NAMES, assert_golden

SERVICES = Services(
    domain="exemple.test",
    mail_host="bundles1.paquet.test",
    dav_url="https://cloud.exemple.test/remote.php/dav/",
    files_url="https://cloud.exemple.test/remote.php/dav/files/",
    operator_name="Le Paquet du Trièves",
)
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def read(text: str) -> etree._Element:
    return etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False))


def words(element: etree._Element, path: str) -> list[str]:
    return [found.text or "" for found in element.iterfind(path)]


def test_the_file_is_the_golden_one() -> None:
    assert_golden("config-v1.1.xml", autoconfig_xml(SERVICES))


def test_the_strictest_reader_takes_it() -> None:
    """The rules of thunderbird-android's RealAutoconfigParser.kt."""
    root = read(autoconfig_xml(SERVICES))
    assert root.tag == "clientConfig"
    (provider,) = root.iterfind("emailProvider")
    assert HOST.fullmatch(provider.get("id") or "")
    assert words(provider, "domain") == ["exemple.test"]
    servers = [*provider.iterfind("incomingServer"), *provider.iterfind("outgoingServer")]
    assert [server.get("type") for server in servers] == ["imap", "smtp"]
    for server in servers:
        assert words(server, "socketType") == ["SSL"]
        assert words(server, "authentication") == ["password-cleartext"]
        assert HOST.fullmatch(words(server, "hostname")[0])
        assert words(server, "port")[0] in {"993", "465"}


def test_it_answers_a_program_that_sends_no_address() -> None:
    root = read(autoconfig_xml(SERVICES))
    assert set(words(root, ".//username")) == {"%EMAILADDRESS%"}
    assert "@" not in autoconfig_xml(SERVICES)


def test_calendar_contacts_and_files_stand_outside_the_mail_provider() -> None:
    root = read(autoconfig_xml(SERVICES))
    found = {child.tag: child.get("type") for child in root if child.tag != "emailProvider"}
    assert found == {"addressBook": "carddav", "calendar": "caldav", "fileShare": "webdav"}
    assert words(root, "calendar/url") == ["https://cloud.exemple.test/remote.php/dav/"]
    assert words(root, "calendar/authentication") == ["http-basic"]


@settings(deadline=None)
@given(NAMES)
def test_an_operator_of_any_name_is_read_back(name: str) -> None:
    root = read(autoconfig_xml(replace(SERVICES, operator_name=name)))
    assert words(root, "emailProvider/displayName") == [name]
    assert len(list(root.iter())) == len(list(read(autoconfig_xml(SERVICES)).iter()))
