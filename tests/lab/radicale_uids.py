"""Try what light's storage knows of UIDs against a slow clock and inodes that are given out again.

It runs on a light server as its standard input, in an empty HOME, with the server's own storage.
Standard output: JSON {what was tried: how often a wrong UID was known, or lines that are kept}.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, "/usr/local/lib/paquet")

import paquet_light_storage  # type: ignore[import-not-found]
from radicale import config  # type: ignore[import-not-found]
from radicale import item as items
from radicale.storage import load  # type: ignore[import-not-found]

TIMES, CHANGES = 20, 500
USER = "jeanne@exemple.test"
FOLDER, CALENDAR = f"{USER}/agenda", {"tag": "VCALENDAR"}
EVENT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{0}\r\n"
EVENT += "DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\n"
EVENT += "END:VCALENDAR\r\n"


def event(uid: str) -> Any:  # noqa: ANN401 (Radicale is not here when this is checked)
    """Return an item as a request brings it."""
    (read,) = items.read_components(EVENT.format(uid))
    made = items.Item(collection_path=FOLDER, vobject_item=read)
    made.prepare()
    return made


def put_anew(storage: Any) -> int:  # noqa: ANN401
    """Put whole collections whose one file has one name, and by turns two UIDs."""
    wrong = 0
    for number in range(TIMES):
        uid, other = ("x", "x.ics") if number % 2 else ("x.ics", "x")
        with storage.acquire_lock("w", USER):
            storage.create_collection(f"/{FOLDER}/", None, CALENDAR)  # sets the inode free
            made = storage.create_collection(f"/{FOLDER}/", [event(uid)], CALENDAR)
            wrong += not made.has_uid(uid) or made.has_uid(other)
    return wrong


def within_a_tick(storage: Any) -> int:  # noqa: ANN401
    """Delete and move what was uploaded, while the clock stands."""
    stamp = paquet_light_storage.UidCollection._stamp  # noqa: SLF001
    paquet_light_storage.UidCollection._stamp = lambda self: (stamp(self)[0], 1)  # noqa: SLF001
    wrong = 0
    for name in ("deleted", "moved"):
        with storage.acquire_lock("w", USER):
            made = storage.create_collection(f"/{FOLDER}/", None, CALENDAR)
            there = storage.create_collection(f"/{USER}/other/", None, CALENDAR)
            there.has_uid("x")
            uploaded = made.upload("x.ics", event("x"))
            if name == "deleted":
                made.delete("x.ics")
            else:
                storage.move(uploaded, there, "x.ics")
            wrong += made.has_uid("x") or there.has_uid("x") != (name == "moved")
    return wrong


def changed_often(storage: Any) -> int:  # noqa: ANN401
    """Change one event again and again, and return how many lines are kept of it."""
    with storage.acquire_lock("w", USER):
        made = storage.create_collection(f"/{FOLDER}/", None, CALENDAR)
    for _ in range(CHANGES):
        with storage.acquire_lock("w", USER):
            made.upload("x.ics", event("x"))
            if not made.has_uid("x"):
                raise ValueError("its UID is not known any more")
    noted = Path(made._filesystem_path) / ".Radicale.cache/uids"  # noqa: SLF001
    return len(noted.read_text("utf-8").splitlines())


def main() -> None:
    """Try, and tell."""
    own = {"type": "paquet_light_storage", "filesystem_folder": os.environ["HOME"] + "/dav"}
    read = config.load()
    read.update({"storage": own}, "test", privileged=True)
    storage = load(read)
    told = {"put anew": put_anew(storage), "within a tick": within_a_tick(storage)}
    told["changed often"] = changed_often(storage)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
