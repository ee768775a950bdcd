"""Radicale's own storage, for collections of thousands of items and for people who share a bundle.

Radicale 3.5 walks the whole collection at each new item (is the UID taken? is the history of what
was deleted old?), reads its folder again for each item that it lists, and has one lock for all.
Here a write costs the same however much lies there, and only devices of one user wait for each
other.
"""

from __future__ import annotations

import json
import os
import threading
import urllib.parse
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from radicale import pathutils
from radicale.storage import multifilesystem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from radicale.config import Configuration
    from radicale.item import Item

# Collections whose UIDs are kept in memory; the one that was asked for longest ago is let go.
REMEMBERED = 64
# Lines of a file of UIDs that may be about what was changed since, beside twice what stands.
OUTDATED = 100


def path_to_filesystem(root: str, sane_path: str) -> str:
    """Return where `sane_path` lies below `root`; a step that is not safe is refused.

    Radicale also lists each folder on the way, for file systems where two spellings are one name.
    """
    steps = sane_path.split("/") if sane_path else []
    for step in steps:
        if not pathutils.is_safe_filesystem_path_component(step):
            raise pathutils.UnsafePathError(step)
    return "/".join([root, *steps])


pathutils.path_to_filesystem = path_to_filesystem


class Locks:
    """Radicale's lock, one for each user: nobody reaches the collections of another."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._of_users: dict[str, pathutils.RwLock] = {}
        self._of_this_request = threading.local()

    def acquire(self, mode: str, user: str) -> AbstractContextManager[None]:
        """Hold the lock of `user`, "r" beside others who read or "w" alone."""
        name = f".Radicale.lock-{urllib.parse.quote(user, safe='@')}"
        new_lock = pathutils.RwLock(str(self._folder / name))
        lock = self._of_users.setdefault(user, new_lock)
        self._of_this_request.lock = lock
        return lock.acquire(mode)

    @property
    def locked(self) -> str:
        """How the user of this request holds the lock: "r", "w" or not at all."""
        lock = getattr(self._of_this_request, "lock", None)
        return lock.locked if lock else ""


@dataclass
class Uids:
    """The UIDs of one collection, as they were when its folder had `stamp`."""

    stamp: tuple[int, int] = (0, 0)
    of_files: dict[str, tuple[int, str]] = field(default_factory=dict)  # name: (inode, UID)
    names: dict[str, str] = field(default_factory=dict)  # UID: name
    noted: int = 0  # lines in the file

    @property
    def is_crowded(self) -> bool:
        """Whether the file holds much of what was changed since."""
        return self.noted > 2 * len(self.of_files) + OUTDATED


class UidCollection(multifilesystem.Collection):
    """A collection that knows its UIDs without reading its items.

    They are kept in memory, and for the next process in a file: one line [name, inode, UID] of JSON
    for each item. What that file lacks is read, and what it has too much is passed over.
    """

    def has_uid(self, uid: str) -> bool:
        """Whether an item has this UID."""
        name = self._uids().names.get(uid)
        item = self._get(name, verify_href=False) if name else None
        return item is not None and item.uid == uid

    def upload(self, href: str, item: Item) -> Item:
        """Keep an item, and know its UID."""
        uids = self._uids()
        uploaded = super().upload(href, item)
        inode = (Path(self._filesystem_path) / href).stat().st_ino
        uids.names.pop(uids.of_files.get(href, (0, ""))[1], None)
        uids.of_files[href], uids.names[uploaded.uid] = (inode, uploaded.uid), href
        with self._noted.open("a", encoding="utf-8") as noted:
            noted.write(line(href, inode, uploaded.uid))
        uids.noted += 1
        uids.stamp = self._stamp()
        return uploaded

    def delete(self, href: str | None = None) -> None:
        """Delete an item, or all, and look anew before the next upload."""
        super().delete(href)
        self.changed(wholly=href is None)

    def changed(self, *, wholly: bool = False) -> None:
        """Look anew at the next question: within one tick of the clock a stamp stays the same."""
        known = self._known()
        known.stamp = (0, 0)
        if wholly:
            known.of_files.clear()

    def _clean_history(self) -> None:
        """Forget what was deleted long ago, but not at each write: that looks at every item."""
        if self._storage._lock.locked != "w":  # noqa: SLF001 -- as in Radicale's own parts of it
            super()._clean_history()

    @property
    def _noted(self) -> Path:
        return Path(self._filesystem_path) / ".Radicale.cache" / "uids"

    def _known(self) -> Uids:
        return self._storage.remembered(self._filesystem_path)

    def _stamp(self) -> tuple[int, int]:
        """Return what changes whenever a name comes, goes, or is given to another file."""
        status = Path(self._filesystem_path).stat()
        return status.st_ino, status.st_mtime_ns

    def _uids(self) -> Uids:
        """Return the UIDs that stand now; only files that are not known yet are read."""
        uids = self._known()
        if uids.stamp == (stamp := self._stamp()) and not uids.is_crowded:
            return uids
        if not uids.of_files:
            super()._clean_history()
            self._load(uids)
        standing = dict(self._read(uids.of_files))
        if standing != uids.of_files or uids.is_crowded:
            self._noted.parent.mkdir(exist_ok=True)
            lines = (line(name, *known) for name, known in standing.items())
            self._noted.write_text("".join(lines), "utf-8")
            uids.noted = len(standing)
        uids.of_files, uids.stamp = standing, stamp
        uids.names = {uid: name for name, (_, uid) in standing.items()}
        return uids

    def _load(self, uids: Uids) -> None:
        # None yet, or cut off in the middle of a line.
        with suppress(FileNotFoundError, ValueError):
            lines = self._noted.read_text("utf-8").splitlines()
            uids.of_files = {name: (inode, uid) for name, inode, uid in map(json.loads, lines)}
            uids.noted = len(lines)

    def _read(self, known: dict[str, tuple[int, str]]) -> Iterator[tuple[str, tuple[int, str]]]:
        with os.scandir(self._filesystem_path) as entries:
            for entry in entries:
                if known.get(entry.name, (0, ""))[0] == entry.inode():
                    yield entry.name, known[entry.name]
                elif entry.is_file() and pathutils.is_safe_filesystem_path_component(entry.name):
                    item = self._get(entry.name, verify_href=False)
                    if item is not None:
                        yield entry.name, (entry.inode(), item.uid)


def line(name: str, inode: int, uid: str) -> str:
    """Return what is noted of one item."""
    return json.dumps([name, inode, uid]) + "\n"


class Storage(multifilesystem.Storage):
    """Radicale's storage, with collections and locks of ours."""

    _collection_class = UidCollection

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._lock = Locks(self._filesystem_folder)
        self._remembered: OrderedDict[str, Uids] = OrderedDict()
        self._alone = threading.Lock()

    def acquire_lock(
        self, mode: str, user: str = "", *_: object, **__: object
    ) -> AbstractContextManager[None]:
        """Hold the lock of `user`."""
        return self._lock.acquire(mode, user)

    def create_collection(
        self, href: str, items: Iterable[Item] | None = None, props: object = None
    ) -> UidCollection:
        """Make a collection, of whose like before nothing holds: inodes are given out again."""
        collection: UidCollection = super().create_collection(href, items, props)
        collection.changed(wholly=True)
        return collection

    def move(self, item: Item, to_collection: UidCollection, to_href: str) -> None:
        """Move an item, which both collections look for anew."""
        super().move(item, to_collection, to_href)
        for collection in (item.collection, to_collection):
            collection.changed()

    def _sync_directory(self, path: str) -> None:
        """Wait for the disk, but not for names of what can be made again."""
        if ".Radicale.cache" not in path:
            super()._sync_directory(path)

    def remembered(self, folder: str) -> Uids:
        """Return what is known of the collection in `folder`."""
        with self._alone:
            uids = self._remembered.setdefault(folder, Uids())
            self._remembered.move_to_end(folder)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return uids
