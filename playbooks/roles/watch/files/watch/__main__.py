"""Watch over this server: `look` prints findings as JSON, `tell` writes to the operator, `restart`
has upgrades reach what runs.

/etc/paquet/watch.json says who the operator is and what this server is called. `tell` runs every
few minutes, and at once when a unit of ours fails; what could not be delivered waits for its next
run. `look` changes nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import facts
import letters
import troubles
import words
from judge import judge

SETTINGS = Path("/etc/paquet/watch.json")
STATE = Path("/var/lib/paquet/watch.json")
USAGE = 2


def main() -> int:
    """Do what the argument says."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    match sys.argv[1:]:
        case ["look"]:
            json.dump(look(settings, time.time()), sys.stdout, ensure_ascii=False)
        case ["tell"]:
            tell(settings, time.time())
        case ["restart"]:
            restart()
        case _:
            sys.stderr.write("usage: watch look|tell|restart\n")
            return USAGE
    return 0


def look(settings: dict[str, Any], now: float) -> list[dict[str, str]]:
    """Return all findings as `paquet server check` shows them."""
    waiting = {"since": 0, "problem": "", **read_state().get("waiting", {})}
    server_facts = {**facts.seldom_asked(settings), "letters": waiting}
    return [
        {
            "check": finding.check,
            "result": finding.result,
            "message": words.sentence(finding),
            "hint": words.advice(finding),
        }
        for finding in judge(server_facts, now, settings)
    ]


def tell(settings: dict[str, Any], now: float) -> None:
    """Write to the operator what there is to tell, and remember what was told."""
    state = read_state()
    findings = judge(facts.often_asked(settings), now, settings)
    wrong = [finding for finding in findings if finding.is_told]
    troubles.note(state, wrong, now)
    news = troubles.news(state, wrong, now)
    if news:
        letter = letters.write(news, state["troubles"], settings, now)
        try:
            letters.deliver(letter, settings)
        except letters.NotDelivered as why:
            since = state.get("waiting", {}).get("since", now)
            state["waiting"] = {"since": since, "problem": str(why)}
            sys.stderr.write(f"The letter to the operator waits: {why}\n")
        else:
            said = letters.sentences(news, settings["language"])
            troubles.note_told(state, news, said, now)
            state.pop("waiting", None)
    write_state(state)


def restart() -> None:
    """Restart what runs with replaced files; what may not be, the machine's restart will reach."""
    facts.call(facts.NEEDRESTART, "-q", "-r", "a")
    if facts.restarts():
        facts.REBOOT.touch()


def read_state() -> dict[str, Any]:
    """Return what was told so far; a file that a power cut spoiled is as good as none."""
    try:
        return dict(json.loads(STATE.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def write_state(state: dict[str, Any]) -> None:
    """Replace the file in one step."""
    beside = STATE.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as new:
        json.dump(state, new, ensure_ascii=False)
        new.flush()
        os.fsync(new.fileno())
    beside.rename(STATE)


if __name__ == "__main__":
    sys.exit(main())
