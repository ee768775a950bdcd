#!/usr/bin/python3 -I
"""Did Postfix take a letter whose sender was killed while it handed it in? `paquet post` asks.

    post-seen MESSAGE-ID SINCE LOGIN    SINCE in seconds since 1970; prints {"state": …, "queue": …}

accepted  Postfix queued it: cleanup logged its Message-ID, and qmgr the same queue id as active; or
          its file is whole in the queue, where qmgr has not come by yet
no        every session of LOGIN since then is over, and none of them left it in the queue
open      a session of LOGIN is not over yet: what is under way may still be taken
unknown   the log does not reach back that far

Only lines of Postfix's own unit count, in the journal of the system: a bundle writes neither, and
files of users that are older than what was vacuumed say nothing. Postfix's lines are never dropped
for their number (log.conf of this role): floods of others shorten the log, they put no hole in it.

A session with something in it is known before its letter can be on its way: smtpd logs the login
with the queue id when it takes the recipient, and says when the client is gone.
"""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SHOWN = ("--output=json", "--output-fields=MESSAGE,_PID")
JOURNAL = ("/usr/bin/journalctl", "--system", "--quiet", *SHOWN)
UNIT = "--unit=postfix*"
SPOOL = Path("/var/spool/postfix")
SKEW = 600.0  # seconds by which two clocks may differ
CLIENT = re.compile(r"([0-9A-Za-z]{6,20}): client=.*, sasl_username=(\S+)")
OVER = re.compile(r"(?:disconnect from|lost connection after \S+(?: \(.*\))? from|timeout after) ")
MESSAGE_ID = re.compile(r"([0-9A-Za-z]{6,20}): message-id=(<.*>)")
ACTIVE = re.compile(r"([0-9A-Za-z]{6,20}): from=<.*\(queue active\)")


def main(words: list[str]) -> int:
    """Tell what became of a letter, and return an exit code."""
    message_id, since, login = words
    told = {"state": "unknown", "queue": ""}
    if reaches(float(since)):
        begun = f"--since=@{float(since) - SKEW:.0f}"
        told = decide(lambda: judge(lines(begun, UNIT), message_id, login))
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def decide(judged: Callable[[], Verdict]) -> dict[str, str]:
    """Given how the log is read, return what it and the queue prove.

    One that left the queue between two looks is in the log by the second one.
    """
    verdict = judged()
    if verdict.state == "no":
        queued = next(filter(is_queued, verdict.ours), "")
        verdict = Verdict("accepted", queued) if queued else judged()
    return {"state": verdict.state, "queue": verdict.queue}


class Verdict(NamedTuple):
    """A state with the queue id that proves it, and under which ids the letter came in."""

    state: str
    queue: str = ""
    ours: tuple[str, ...] = ()


def judge(log: Iterable[tuple[str, str]], message_id: str, login: str) -> Verdict:
    """Given lines of the log (process and message) in their order, return what they prove."""
    ours: list[str] = []
    accepted = ""
    sessions: set[str] = set()
    for process, message in log:
        if client := CLIENT.match(message):
            if client[2].lower() == login.lower():
                sessions.add(process)
        elif OVER.match(message):
            sessions.discard(process)
        elif header := MESSAGE_ID.match(message):
            if header[2] == message_id:
                ours.append(header[1])
        elif (active := ACTIVE.match(message)) and active[1] in ours:
            accepted = active[1]
    state = "accepted" if accepted else "open" if sessions else "no"
    return Verdict(state, accepted, tuple(ours))


def is_queued(queue_id: str) -> bool:
    """Whether Postfix has a message: its file is executable once it was taken (mail_stream(3))."""
    for folder in ("incoming", "active", "deferred", "hold"):  # the way that it goes
        for path in (SPOOL / folder).rglob(queue_id):
            with suppress(FileNotFoundError):  # it went on
                return bool(path.stat().st_mode & stat.S_IXUSR)
    return False


def reaches(begun: float) -> bool:
    """Whether the log holds something that is older than `begun`."""
    done = subprocess.run(
        [*JOURNAL, "--lines=+1"], capture_output=True, text=True, check=True, timeout=60
    )
    first = done.stdout.splitlines()[:1]
    return bool(first) and int(json.loads(first[0])["__REALTIME_TIMESTAMP"]) / 1e6 <= begun


def lines(*wanted: str) -> Iterator[tuple[str, str]]:
    """Yield process and message of each line; what is no text is nothing that we look for."""
    with subprocess.Popen([*JOURNAL, *wanted], stdout=subprocess.PIPE, text=True) as reading:
        for line in reading.stdout or ():
            entry = json.loads(line)
            if isinstance(entry.get("MESSAGE"), str):
                yield entry.get("_PID", ""), entry["MESSAGE"]
    if reading.returncode:
        sys.exit(reading.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
