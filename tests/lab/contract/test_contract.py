"""What every cloud promises, asked by other people's clients. The fixture `delivered_bundle`
gives a `clients.Bundle` for each cloud whose archive is there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from provision.process.commands import CommandFailed, run
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.contract.clients import Bundle

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
GIGABYTE = 1024**3
CARD = """BEGIN:VCARD
VERSION:3.0
UID:contract
FN:Zoé Müller
N:Müller;Zoé;;;
END:VCARD
"""
UNAUTHORISED, FORBIDDEN, NOT_FOUND, NO_SPACE, UNAVAILABLE = 401, 403, 404, 507, 503


@pytest.fixture
def clients(delivered_bundle: Bundle, tmp_path: Path) -> Clients:
    for program in ("rclone", "curl", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    return Clients(delivered_bundle, delivered_bundle.secret, tmp_path)


@pytest.fixture
def empty_cloud(clients: Clients) -> Iterator[Clients]:
    yield clients
    clients.rclone("purge", "cloud:contract", check=False)
    if clients.bundle.cloud == "nextcloud":  # deleted files fill the quota until the bin is empty
        trash = files_url(clients.bundle).replace("/files/", "/trashbin/") + "trash"
        clients.status("DELETE", trash)


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as opened:
        opened.truncate(size)
    return path


def test_files_with_accents_come_back_as_they_went(empty_cloud: Clients, tmp_path: Path) -> None:
    here = tmp_path / "here" / "Été à Köln" / "naïve # 100%.txt"
    here.parent.mkdir(parents=True)
    here.write_text("Ünïcödé\n", "utf-8")
    empty_cloud.rclone("copy", str(tmp_path / "here"), "cloud:contract")
    listed = empty_cloud.rclone("lsf", "--recursive", "cloud:contract").stdout.splitlines()
    assert sorted(listed) == ["Été à Köln/", "Été à Köln/naïve # 100%.txt"]
    empty_cloud.rclone("copy", "cloud:contract", str(tmp_path / "back"))
    back = tmp_path / "back" / here.relative_to(tmp_path / "here")
    assert back.read_bytes() == here.read_bytes()


def test_two_hundred_megabytes_come_back_the_same(empty_cloud: Clients, tmp_path: Path) -> None:
    here = tmp_path / "big"
    run(["openssl", "rand", "-out", str(here), str(200 * 1024**2)])
    empty_cloud.rclone("copyto", str(here), "cloud:contract/big")
    empty_cloud.rclone("copyto", "cloud:contract/big", str(tmp_path / "back"))
    assert run(["cmp", str(here), str(tmp_path / "back")]).returncode == 0


def test_one_gigabyte_goes_and_what_is_over_the_quota_does_not(
    empty_cloud: Clients, tmp_path: Path
) -> None:
    big = sparse(tmp_path / "big", GIGABYTE)
    empty_cloud.rclone("copyto", str(big), "cloud:contract/big")
    assert empty_cloud.rclone("size", "--json", "cloud:contract/big").stdout.count(str(GIGABYTE))
    over = sparse(tmp_path / "over", empty_cloud.bundle.quota_bytes)
    target = files_url(empty_cloud.bundle) + "contract/over"
    assert empty_cloud.status("PUT", target, upload=over) == NO_SPACE
    assert empty_cloud.rclone("lsf", "cloud:contract").stdout.split() == ["big"]


def test_events_are_found_from_the_bare_domain(clients: Clients) -> None:
    told = clients.discover("calendar", "clean")
    assert told == {"summary": "Fête à Besançon", "left": "0"}


def test_contacts_are_found_from_the_bare_domain(clients: Clients) -> None:
    assert clients.bundle.host in clients.discover("contacts")["contacts"]


def test_vdirsyncer_finds_a_calendar_and_a_book_and_syncs_both_ways(
    clients: Clients, tmp_path: Path
) -> None:
    clients.vdirsyncer("discover")
    clients.vdirsyncer("sync")
    books = sorted((tmp_path / "collections" / "carddav").iterdir())
    assert books
    assert list((tmp_path / "collections" / "caldav").iterdir())
    card = next(book for book in books if "contacts" in book.name) / "contract.vcf"
    card.write_text(CARD, "utf-8")
    clients.vdirsyncer("sync")
    shutil.rmtree(tmp_path / "collections")
    shutil.rmtree(tmp_path / "status")
    clients.vdirsyncer("discover")
    clients.vdirsyncer("sync")
    (found,) = card.parent.glob("*.vcf")
    assert "Zoé Müller" in found.read_text("utf-8")
    found.unlink()
    clients.vdirsyncer("sync", "--force-delete")


def test_a_user_cannot_reach_the_files_of_another(clients: Clients, tmp_path: Path) -> None:
    theirs = files_url(clients.bundle, clients.bundle.neighbour)
    (tmp_path / "mine").write_text("x", "utf-8")
    refused = (FORBIDDEN, NOT_FOUND)
    assert clients.status("PUT", theirs + "mine", upload=tmp_path / "mine") in refused
    assert not clients.rclone("lsf", "cloud:", user=clients.bundle.neighbour, check=False).stdout


def test_a_wrong_secret_is_refused(clients: Clients) -> None:
    wrong = Clients(clients.bundle, "x" * 24, clients.folder)
    assert wrong.status("PROPFIND", files_url(clients.bundle)) == UNAUTHORISED


def test_a_revoked_device_is_refused_at_once_and_others_are_not(clients: Clients) -> None:
    secret = clients.bundle.enrol("contract")
    other = Clients(clients.bundle, secret, clients.folder)
    assert other.discover("calendar", "clean")["left"] == "0"
    clients.bundle.revoke("contract")
    assert other.status("PROPFIND", files_url(clients.bundle)) == UNAUTHORISED
    with pytest.raises(CommandFailed):
        other.discover("calendar")
    assert clients.discover("calendar", "clean")["left"] == "0"


def test_a_suspended_bundle_serves_nothing_until_it_is_resumed(clients: Clients) -> None:
    address = files_url(clients.bundle)
    clients.bundle.suspend()
    try:
        assert clients.status("PROPFIND", address) == UNAVAILABLE
        assert clients.status("PROPFIND", f"https://{clients.bundle.host}/dav/") == UNAVAILABLE
    finally:
        clients.bundle.resume()
    assert clients.status("PROPFIND", address) == 207
