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
