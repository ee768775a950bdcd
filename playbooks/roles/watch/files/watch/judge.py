"""What the facts of a server mean. Pure: facts and the clock in, findings out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR, DAY = 3600, 86_400
# A nightly timer with its random delay, and the run itself; as the check of a bundle judges it.
A_NIGHT, TOO_LONG = 26 * HOUR, 3 * DAY
NO_UPGRADE = 3 * DAY
NO_REBOOT = 2 * DAY
CERTIFICATE_ENDS = 14 * DAY
OLD_MAIL, MUCH_MAIL = 4 * HOUR, 500
LITTLE_MEMORY, MUCH_SWAP, FULL = 5, 80, 95
LETTERS_WAIT = HOUR
# What the operator is written to about; the rest is for those who look.
TOLD = (
    *("disk", "inodes", "unit", "upgrade", "upgrade-late", "reboot-overdue"),
    *("backup", "backup-age", "repository", "certificate", "certificate-end", "placeholder"),
)
OURS = {"paquet-backup@": "backup", "paquet-certificates.": "certificate"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `words` names the sentences, `values` fill them in."""

    check: str
    result: str
    words: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_told(self) -> bool:
        """Whether the operator is written to about it."""
        return self.result in ("warning", "error") and self.words in TOLD


def judge(facts: dict[str, Any], now: float, limits: dict[str, Any]) -> list[Finding]:
    """Return what there is to say about all that was found out; what is None was not there."""
    judges: dict[str, Callable[..., Iterator[Finding]]] = {
        "disks": lambda disks: judge_disks(disks, limits["disk_percent"]),
        "memory": judge_memory,
        "units": judge_units,
        "restarts": judge_restarts,
        "reboot": lambda since: judge_reboot(since, now),
        "upgrades": lambda upgrades: judge_upgrades(upgrades, now),
        "queue": lambda queue: judge_queue(queue, now),
        "backups": lambda backups: judge_ages("backup", "backup-age", backups, now),
        "repositories": lambda kept: judge_ages("repository", "repository", kept, now),
        "certificates": lambda ends: judge_certificates(ends, now),
        "clock": judge_clock,
        "bans": judge_bans,
        "letters": lambda letters: judge_letters(letters, now),
    }
    return [
        finding
        for name, judged in judges.items()
        if facts.get(name) is not None
        for finding in judged(facts[name])
    ]


def judge_disks(disks: list[dict[str, Any]], limit: int) -> Iterator[Finding]:
    """Yield how full each file system is, in room and in number of files."""
    for disk in disks:
        for kind in ("disk", "inodes"):
            percent = disk[kind]
            result = "ok" if percent < limit else "warning" if percent < FULL else "error"
            values = {"path": disk["path"], "percent": percent, "limit": limit}
            yield Finding(f"{kind} {disk['path']}", result, kind, values)


def judge_memory(memory: dict[str, int]) -> Iterator[Finding]:
    """Yield whether memory is left, and whether the swap file is used up."""
    free = percent(memory["available"], memory["total"])
    yield Finding("memory", "warning" if free < LITTLE_MEMORY else "ok", "memory", {"free": free})
    used = percent(memory["swap_total"] - memory["swap_free"], memory["swap_total"])
    yield Finding("swap", "warning" if used > MUCH_SWAP else "ok", "swap", {"used": used})


def percent(part: int, whole: int) -> int:
    """Return how many hundredths of `whole` are `part`; of nothing, none."""
    return part * 100 // whole if whole else 0


def judge_units(failed: list[str]) -> Iterator[Finding]:
    """Yield each unit that failed; backups and certificates in words of their own."""
    if not failed:
        yield Finding("units", "ok", "unit")
    for unit in failed:
        kind = next((kind for start, kind in OURS.items() if unit.startswith(start)), "unit")
        name = unit.removesuffix(".service").rpartition("@")[2]
        yield Finding(f"unit {unit}", "error", kind, {"unit": unit, "name": name})


def judge_restarts(units: list[str]) -> Iterator[Finding]:
    """Yield whether a daemon goes on with files that an upgrade replaced."""
    values = {"units": ", ".join(units)}
    yield Finding("restarts", "warning" if units else "ok", "restarts", values)


def judge_reboot(since: float, now: float) -> Iterator[Finding]:
    """Yield whether a restart of the machine is due (0: none is), for longer than it should be."""
    overdue = bool(since) and now - since > NO_REBOOT
    words = "reboot-overdue" if overdue else "reboot-due" if since else "reboot"
    yield Finding("reboot", "warning" if overdue else "ok", words, {"hours": hours(since, now)})


def judge_upgrades(upgrades: dict[str, Any], now: float) -> Iterator[Finding]:
    """Yield whether the nightly upgrade works, and what is kept from being upgraded."""
    if upgrades["broken"] or upgrades["errors"]:
        names = ", ".join([*upgrades["broken"], *upgrades["errors"]][:8])
        yield Finding("upgrades", "error", "upgrade", {"names": names})
    elif now - upgrades["last"] > NO_UPGRADE:
        days = round((now - upgrades["last"]) / DAY)
        yield Finding("upgrades", "error", "upgrade-late", {"days": days})
    else:
        yield Finding("upgrades", "ok", "upgrade")
    held = ", ".join(upgrades["held"])
    yield Finding("held packages", "warning" if held else "ok", "held", {"names": held})


def judge_queue(queue: dict[str, Any], now: float) -> Iterator[Finding]:
    """Yield how many messages wait, and for how long."""
    age = hours(queue["oldest"], now)
    slow = queue["count"] > MUCH_MAIL or now - (queue["oldest"] or now) > OLD_MAIL
    values = {"count": queue["count"], "hours": age}
    yield Finding("mail queue", "warning" if slow else "ok", "queue", values)


def judge_ages(check: str, words: str, ages: dict[str, float], now: float) -> Iterator[Finding]:
    """Yield for each bundle whether its last backup is from last night, or older."""
    for name, ended in sorted(ages.items()):
        age = now - ended
        result = "ok" if age <= A_NIGHT else "warning" if age <= TOO_LONG else "error"
        yield Finding(f"{check} {name}", result, words, {"name": name, "hours": hours(ended, now)})


def judge_certificates(certificates: dict[str, dict[str, Any]], now: float) -> Iterator[Finding]:
    """Yield for each certificate how long it lasts; one that nobody else signed is no good one."""
    for name, certificate in sorted(certificates.items()):
        left, whole = certificate["end"] - now, certificate["end"] - certificate["start"]
        values = {"name": name, "days": max(0, int(left // DAY))}
        if certificate["placeholder"]:
            asked = now - certificate["start"] < HOUR  # the authority may still be at it
            result, words = ("warning", "asked") if asked else ("error", "placeholder")
        else:
            # A short-lived one is renewed at a third of its life: at a quarter that has failed.
            soon = left < min(CERTIFICATE_ENDS, whole / 4)
            result = "error" if left <= 0 else "warning" if soon else "ok"
            words = "certificate-end"
        yield Finding(f"certificate {name}", result, words, values)


def judge_clock(clock: dict[str, bool]) -> Iterator[Finding]:
    """Yield whether the clock is kept; that of a container is its host's."""
    result = "skipped" if clock["container"] else "ok" if clock["synchronised"] else "warning"
    yield Finding("clock", result, "clock-host" if clock["container"] else "clock")


def judge_bans(bans: dict[str, int]) -> Iterator[Finding]:
    """Yield how many addresses are shut out."""
    yield Finding("bans", "ok", "bans", {"count": sum(bans.values())})


def judge_letters(letters: dict[str, Any], now: float) -> Iterator[Finding]:
    """Yield whether what the operator should have been told could be delivered."""
    late = bool(letters["since"]) and now - letters["since"] > LETTERS_WAIT
    values = {"hours": hours(letters["since"], now), "problem": letters["problem"]}
    yield Finding("letters", "warning" if late else "ok", "letters", values)


def hours(since: float | None, now: float) -> int:
    """Return the whole hours that have passed."""
    return max(0, int((now - since) // HOUR)) if since else 0
