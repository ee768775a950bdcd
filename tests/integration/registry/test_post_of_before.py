"""Letters of a registry that kept no addresses apart: what had come back is known further on."""

from __future__ import annotations

from provision import database
from provision.migrations import upgrades
from provision.post import addresses, outbox
from tests.integration.subscriptions.test_upgrading_a_registry import registry_of

LETTER = """
    INSERT INTO letter (id, key, kind, written_on, language, from_name, to_name, subject, text,
        email, state, bounce)
    VALUES ({place}, 'word:{place}', 'word', '2026-01-01', 'fr', 'A', 'B', 'C', 'D', {email},
        '{state}', '{bounce}')
"""
WERE = [
    ("'a@x.test'", "bounced", "5.1.1"),
    ("'b@x.test'", "bounced", "5.2.1"),
    ("'c@x.test'", "bounced", "5.2.2"),
    ("'d@x.test'", "sent", ""),
    ("NULL", "held", ""),
]
ROWS = [
    LETTER.format(place=place, email=email, state=state, bounce=bounce)
    for place, (email, state, bounce) in enumerate(WERE, start=1)
]


def test_addresses_that_were_gone_are_gone_and_what_waits_for_a_person_is_told(
    database_url: str,
) -> None:
    with registry_of(database_url, "0022", ROWS) as engine:
        upgrades.upgrade(engine)
        with database.reading(engine) as session:
            asked = [f"{name}@x.test" for name in "abcd"]
            assert addresses.unreachable(session, asked) == {"a@x.test", "b@x.test"}
            assert [letter.id for letter in outbox.stuck_untold(session)] == [1, 2, 3, 5]
