"""Addresses that open an application with everything filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from provision.errors import PaquetError

if TYPE_CHECKING:
    from provision.phones.devices import Sync


def davx5_link(sync: Sync, *, with_password: bool = True) -> str:
    """Return the `davx5://` address that DAVx5 opens as a filled-in https login.

    DAVx5 decodes the user information *before* it splits it at ':' (its LoginActivity.kt), so a
    ':' cuts even when it is written %3A: `Sync` lets none through. Its manual advises a code
    without the password; ours carries it by default because the secret is of this device only,
    can be revoked, and stands on the same sheet in clear.
    """
    user = quote(sync.address, safe="")
    password = f":{sync.secret.get_secret_value()}" if with_password else ""
    return f"davx5://{user}{password}@{sync.cloud_host}{sync.dav_path}"


def nextcloud_link(sync: Sync) -> str:
    """Return the `nc://login/` address of the Nextcloud applications.

    Three fields in any order, each decoded as a form value, so '&', '+' and '%' are escaped
    (AuthenticatorActivity.parseLoginDataUrl). The password comes first because version 34.1
    cuts the first eight characters off before it shows user and server for confirmation.
    iOS needs the scheme in the server.
    """
    if sync.cloud != "nextcloud":
        raise PaquetError(
            "Only a Nextcloud has a code for the Nextcloud application",
            "A light cloud gives its files by WebDAV.",
        )
    fields = {
        "password": sync.secret.get_secret_value(),
        "user": sync.address,
        "server": f"https://{sync.cloud_host}",
    }
    return "nc://login/" + "&".join(
        f"{field}:{quote(value, safe='@:/')}" for field, value in fields.items()
    )


def subscription_link(url: str) -> str:
    """Given the https address of an .ics file, return the address that ICSx5 opens.

    Always `webcals://`: ICSx5 takes `webcal://` for http, without encryption.
    """
    if not url.startswith("https://"):
        raise PaquetError(
            f"A calendar is subscribed to over https only: {url!r}",
            "Give the address that begins with https://.",
        )
    return "webcals://" + url.removeprefix("https://")
