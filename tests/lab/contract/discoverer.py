"""Find calendars and contacts from a domain alone, with caldav (PyPI). JSON in, JSON out.

Input: {"domain", "user", "secret", "wishes": [...]}; wishes are done in order:
calendar: make an event with an accent and read it back; clean: delete it;
contacts: say where the domain says that contacts are.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import TYPE_CHECKING, Any

import caldav
from caldav.discovery import discover_caldav, discover_carddav

if TYPE_CHECKING:
    from caldav.discovery import ServiceInfo

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Paquet//contract//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
DTSTART:20260714T100000Z
DTEND:20260714T110000Z
SUMMARY:Fête à Besançon
END:VEVENT
END:VCALENDAR
"""


def where(found: ServiceInfo | None) -> str:
    """Return the URL that was found."""
    if found is None:
        raise SystemExit("the domain says nothing")
    return found.url


def calendar(asked: dict[str, Any]) -> Any:  # noqa: ANN401 (caldav is half typed)
    """Return the first calendar of the user, found from the domain alone."""
    url = where(discover_caldav(asked["domain"]))
    connect: Any = caldav.DAVClient
    client = connect(url=url, username=asked["user"], password=asked["secret"])
    return client.principal().calendars()[0]


def main() -> None:
    """Do the wishes."""
    asked = json.loads(sys.stdin.read())
    told: dict[str, str] = {}
    # Nextcloud keeps deleted events: one of the same name could not be deleted again.
    uid = f"contract-{uuid.uuid4()}"
    for wish in asked["wishes"]:
        if wish == "calendar":
            calendar(asked).save_event(EVENT.format(uid=uid))
            (event,) = [one for one in calendar(asked).events() if uid in one.data]
            told["summary"] = str(event.icalendar_component["SUMMARY"])
        elif wish == "clean":
            calendar(asked).event_by_uid(uid).delete()
            told["left"] = str(sum(uid in one.data for one in calendar(asked).events()))
        elif wish == "contacts":
            told["contacts"] = where(discover_carddav(asked["domain"]))
    sys.stdout.write(json.dumps(told) + "\n")


main()
