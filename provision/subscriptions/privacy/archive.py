"""The restricted archive: who documents of the last ten years were for, after an erasure.

French law wants invoices kept for ten years (Code de commerce L123-22), with the customer's name.
What follows is intermediate archiving, as the CNIL calls it: apart from the active base, reached
by few, for a reason, then gone. So the identity leaves its table. What it says is sealed with the
key file of the registry; only this module opens it, for the number of a document, and first writes
down who looks, when and why.

Whether a reference `person-…` is a person, then: in the journals, exports and invoices it stands
for nobody, since its salt is gone; the one way back is invoice → number of the identity → the
archive. While that way is open the journal is pseudonymous (RGPD article 4(5)), and an invoice can
be printed for the tax office as it was; when no document needs the identity any longer it is
deleted, and the same journal, unchanged and still sealed, is anonymous.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy import delete

from provision.errors import PaquetError
from provision.registry.models import SealedSecret
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.documents.receipt_models import Receipt
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.privacy.models import ArchiveAccess, ArchivedIdentity

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.secrets import Safe
    from provision.registry.states import Told
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.parties.models import Identity

SEALED = "identity"


def put(session: Session, safe: Safe, identity: Identity, today: date) -> None:
    """Seal the identity in the archive and take it out of the active base."""
    safe.put(_owner(identity.id), SEALED, SecretStr(identity.content))
    session.add(
        ArchivedIdentity(
            identity_id=identity.id, recorded_on=identity.recorded_on, archived_on=today
        )
    )
    session.delete(identity)


def look(session: Session, safe: Safe, number: Number, told: Told) -> Person:
    """Return who the document was for, and write down who looked, when and why.

    Raises PaquetError without a reason, or when the document's identity is not in the archive.
    """
    if not told.why.strip():
        raise PaquetError("The archive opens for a reason only", "Give it: --why.")
    key = tuple(number.columns.values())
    document = session.get(Invoice, key) or session.get(Receipt, key)
    if document is None:
        raise PaquetError(f"There is no document {number.shown}", "See who issued it, and when.")
    if document.identity_id is None or not _holds(session, document.identity_id):
        raise PaquetError(
            f"Who {number.shown} was for is not in the archive",
            "It is in the active base still, or its retention is over.",
        )
    session.add(
        ArchiveAccess(
            identity_id=document.identity_id,
            document=number.shown,
            looked_at=told.at.isoformat(timespec="seconds"),
            actor=told.actor,
            why=told.why,
        )
    )
    session.flush()
    opened = safe.get(_owner(document.identity_id), SEALED).get_secret_value()
    return Person.model_validate_json(opened, strict=False)


def forget(session: Session, identity_id: int) -> None:
    """Delete an identity from the archive for ever."""
    session.execute(delete(SealedSecret).where(SealedSecret.owner == _owner(identity_id)))
    session.execute(delete(ArchivedIdentity).where(ArchivedIdentity.identity_id == identity_id))


def _holds(session: Session, identity_id: int) -> bool:
    return session.get(ArchivedIdentity, identity_id) is not None


def _owner(identity_id: int) -> str:
    return f"archive:{identity_id}"
