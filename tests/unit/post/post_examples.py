"""Letters as tests write them."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from provision.post.models import Letter

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SENDER = "post@paquet.test"
TEXT = """Bonjour Zoé Müller,

Voici votre facture F2026-000012, d’un montant de 12,00 €.
.une ligne qui commence par un point

Boutique Libre
"""

# As Postfix 3.10 writes them, shortened.
REPORT = """From: MAILER-DAEMON@bundles1.paquet.test (Mail Delivery System)
To: post@paquet.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; bundles1.paquet.test
X-Postfix-Queue-ID: BC6F31DAA80
X-Postfix-Sender: rfc822; post@paquet.test

Final-Recipient: rfc822; zoe@ailleurs.test
Original-Recipient: rfc822;Zoe@Ailleurs.test
Action: {action}
Status: {status}
Remote-MTA: dns; mx.ailleurs.test
Diagnostic-Code: smtp; 550 5.1.1 <zoe@ailleurs.test>: Recipient address
    rejected: User unknown in local recipient table

--B
Content-Type: {kind}

{headers}
--B--
"""
HEADERS = "Message-ID: <0fb1@paquet.test>\nSubject: Facture\n"


def report(
    action: str = "failed",
    status: str = "5.1.1",
    kind: str = "text/rfc822-headers",
    headers: str = HEADERS,
) -> bytes:
    words = {"action": action, "status": status, "kind": kind, "headers": headers}
    return REPORT.format(**words).encode("utf-8", "surrogatepass")


def a_letter(**changes: Any) -> Letter:  # noqa: ANN401 (columns)
    words: dict[str, Any] = {
        "id": 7,
        "key": "invoice:3:F2026-000012",
        "kind": "invoice",
        "written_on": date(2026, 3, 2),
        "language": "fr",
        "from_name": "Boutique Libre",
        "from_address": "1 rue du Port\n14000 Caen",
        "reply_to": "bonjour@boutique.test",
        "to_name": "Zoé Müller",
        "email": "zoe@exemple.test",
        "address": "3 rue du Four\nBâtiment B\n61100 Flers",
        "postcode": "61100",
        "subject": "Facture F2026-000012 : 12,00 €",
        "text": TEXT,
        "html": "",
        "message_id": "<0fb1e8694a43a9bf4fbace0033fc8b97@paquet.test>",
        "state": "sending",
    }
    return Letter(**{**words, **changes})


def check_golden(name: str, text: str) -> None:
    """Compare with the golden file; PAQUET_GOLDEN=write writes it, and still fails once."""
    path = GOLDEN / name
    known = path.read_text(encoding="utf-8") if path.exists() else None
    if os.environ.get("PAQUET_GOLDEN") == "write" and known != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert known is not None, f"{path} is missing: write it with PAQUET_GOLDEN=write"
    assert text == known
