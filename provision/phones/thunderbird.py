"""Thunderbird for Android: the code that its "scan a QR code" reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provision.phones.devices import Sync

FORMAT_VERSION = 1
ONLY_CODE = [1, 1]
IMAP = 0
SMTP = 0
TLS = 3
PASSWORD = 1
IMAPS_PORT = 993
SUBMISSIONS_PORT = 465
# The account is then named after its address. The format also allows null, but the reader calls
# nextString() and refuses the whole code.
NO_ACCOUNT_NAME = ""


def thunderbird_code(sync: Sync) -> str:
    r"""Return the JSON of one account (thunderbird-android, qr-code-format.md, version 1).

    One account, one outgoing server: the application imports no second one. Written in ASCII
    (`\u00e9`), so that no scanner can mistake the charset.
    """
    login = [sync.address]
    secret = [sync.secret.get_secret_value()]
    server = [sync.mail_host]
    incoming = [IMAP, *server, IMAPS_PORT, TLS, PASSWORD, *login, NO_ACCOUNT_NAME, *secret]
    outgoing = [SMTP, *server, SUBMISSIONS_PORT, TLS, PASSWORD, *login, *secret]
    identity = [sync.address, sync.display_name]
    account = [FORMAT_VERSION, ONLY_CODE, incoming, [[outgoing, identity]]]
    return json.dumps(account, separators=(",", ":"))
