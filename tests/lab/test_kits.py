"""The kit in the hand of its user: codes read again, a signature checked, revoked at once."""

from __future__ import annotations

import base64
import json
import plistlib
import smtplib
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, build_opener

import pypdfium2
import pytest
import zxingcpp
from lxml import html

from provision.process.commands import run
from provision.workflows import devices, kits
from tests.lab import mail_clients as mail
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def codes(pdf: Path) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    pictures = [page.render(scale=300 / 72).to_pil() for page in document]
    return [code.text for picture in pictures for code in zxingcpp.read_barcodes(picture)]


def test_the_codes_of_the_printed_kit_open_the_bundle(delivered_bundle: Delivered) -> None:
    folder = kits.write_kit(delivered_bundle.region.control, delivered_bundle.enrolled)
    found = codes(folder / "kit.pdf")
    davx5 = next(code for code in found if code.startswith("davx5://"))
    assert delivered_bundle.host in davx5
    assert delivered_bundle.secret in davx5
    thunderbird = json.loads(next(code for code in found if code.startswith("[1,")))
    assert thunderbird[2][1] == delivered_bundle.mail_host
    assert any(code.startswith("nc://login/") for code in found) == (
        delivered_bundle.cloud == "nextcloud"
    )


def test_the_profile_is_signed_by_the_web_sites_certificate(
    light: Delivered, tmp_path: Path
) -> None:
    control = light.region.control
    enrolled = devices.enrol(control, light.address, devices.NewDevice("iPhone de Jeanne", "ios"))
    folder = kits.write_kit(control, enrolled)
    profile, plist = folder / "paquet.mobileconfig", tmp_path / "profile.plist"
    verify = ["openssl", "cms", "-verify", "-inform", "DER", "-purpose", "any", "-in", str(profile)]
    run([*verify, "-CAfile", str(light.authority), "-out", str(plist)])
    opened = plistlib.loads(plist.read_bytes())
    assert enrolled.secret.get_secret_value() in str(opened)
    light.revoke("iPhone de Jeanne")


def test_a_computers_nextcloud_logs_in_as_its_sheet_says(
    nextcloud: Delivered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser's second button takes the key where the first wants a password that nobody has.

    What Nextcloud's desktop client does: developer_manual/client_apis/LoginFlow, version 2.
    """
    monkeypatch.setattr(socket, "getaddrinfo", mail.tell_names(nextcloud, socket.getaddrinfo))
    trusted = HTTPSHandler(context=ssl.create_default_context(cafile=str(nextcloud.authority)))
    browser = build_opener(trusted, HTTPCookieProcessor())
    begun = json.load(browser.open(f"https://{nextcloud.host}/index.php/login/v2", b""))
    page = html.fromstring(browser.open(begun["login"]).read())
    (state,) = page.xpath("//input[@id='initial-state-core-loginFlowAuth']/@value")
    shown = json.loads(base64.b64decode(state))
    typed = {"user": nextcloud.address, "password": nextcloud.secret}
    hidden = {
        "stateToken": shown["stateToken"],
        "requesttoken": page.xpath("string(//head/@data-requesttoken)"),
    }
    browser.open(shown["appTokenUrl"], urlencode({**typed, **hidden}).encode())
    poll = urlencode({"token": begun["poll"]["token"]}).encode()
    given = json.load(browser.open(begun["poll"]["endpoint"], poll))
    assert given["server"] == f"https://{nextcloud.host}"
    assert (given["loginName"], given["appPassword"]) == (nextcloud.address, nextcloud.secret)


def test_a_revoked_device_reaches_neither_mail_nor_cloud(
    delivered_bundle: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = delivered_bundle.enrol("à révoquer")
    login = mail.Device("", delivered_bundle.address, secret)
    monkeypatch.setattr(
        socket, "getaddrinfo", mail.tell_names(delivered_bundle, socket.getaddrinfo)
    )
    clients = Clients(delivered_bundle, secret, tmp_path)
    assert mail.may_log_in(delivered_bundle, login)
    assert clients.status("PROPFIND", files_url(delivered_bundle)) == 207
    delivered_bundle.revoke("à révoquer")
    assert not mail.may_log_in(delivered_bundle, login)
    with (
        pytest.raises(smtplib.SMTPAuthenticationError),
        mail.submission(delivered_bundle, login),
    ):
        pass
    assert clients.status("PROPFIND", files_url(delivered_bundle)) == 401
