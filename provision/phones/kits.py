"""The kit of one device: what its owner takes home, on paper and as files."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.paper import page_pdf
from provision.phones.devices import secret_groups
from provision.phones.links import davx5_link, nextcloud_link
from provision.phones.mobileconfig import profile_plist, sign_profile
from provision.phones.qr import qr_code
from provision.phones.thunderbird import thunderbird_code
from provision.process.files import write_private
from provision.rendering import render

if TYPE_CHECKING:
    from pathlib import Path

    from provision.phones.devices import Sync
    from provision.phones.mobileconfig import Signer
    from provision.phones.qr import Code

PAGE = "kit.html"
PAPER = "kit.pdf"
PROFILE = "paquet.mobileconfig"


@dataclass(frozen=True)
class Kit:
    """Where the files of a kit are; `profile` is there for iPhones and iPads only."""

    folder: Path
    html: Path
    pdf: Path
    profile: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the kit."""
        return tuple(path for path in (self.html, self.pdf, self.profile) if path)


def write_kit(sync: Sync, folder: Path, signer: Signer | None = None) -> Kit:
    """Make the kit of `sync` in `folder` (0700, files 0600) and return where it is.

    The page and the paper, which is one sheet, speak the user's language alone. All is made before
    anything is written, and each file replaces an earlier one whole. Without a signer an iPhone's
    profile is not signed, and its sheet says so.
    """
    profile = device_profile(sync, signer) if sync.kind == "ios" else None
    words = sheet_words(sync, profile, signed=signer is not None)
    contents = {
        PAGE: render("kit/page.html", words).encode(),
        PAPER: page_pdf(
            render("kit/page.html", words | {"paper": True}), render("kit/style.css", {})
        ),
    }
    if profile is not None:
        contents[PROFILE] = profile
    write_private(folder, contents)
    return Kit(folder, folder / PAGE, folder / PAPER, folder / PROFILE if profile else None)


def device_profile(sync: Sync, signer: Signer | None) -> bytes:
    """Return the .mobileconfig of this device, signed when there is something to sign with."""
    plist = profile_plist(sync)
    if signer is None:
        return plist
    expires = signer.certificate.not_valid_after_utc.date()
    if expires < sync.issued:
        raise PaquetError(
            f"The certificate that signs profiles expired on {expires}",
            "Renew the server's certificate: an iPhone would show the profile as unsigned.",
        )
    return sign_profile(plist, signer)


def sheet_words(
    sync: Sync, profile: bytes | None = None, *, signed: bool = False
) -> dict[str, object]:
    """Return the variables of `kit/page.html`, for a screen that can be touched."""
    return {
        "sync": sync,
        "paper": False,
        "language": sync.language,
        "groups": secret_groups(sync.secret),
        "codes": _codes(sync),
        "links": _links(sync),
        "profile_name": PROFILE,
        "profile": base64.b64encode(profile or b"").decode(),
        "signed": signed,
    }


def _links(sync: Sync) -> dict[str, str]:
    """Return what a tap on the phone itself opens; a screen cannot scan itself."""
    links = {"davx5": davx5_link(sync)} if sync.kind == "android" else {}
    if sync.cloud == "nextcloud" and sync.kind != "desktop":
        links["nextcloud"] = nextcloud_link(sync)
    return links


def _codes(sync: Sync) -> dict[str, Code]:
    codes = {name: qr_code(link) for name, link in _links(sync).items()}
    if sync.kind == "android":
        codes["thunderbird"] = qr_code(thunderbird_code(sync), correction="l")
    return codes
