"""Whether a machine can become a server: looked at before anything on it is touched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.commands import Surroundings, run
from provision.servers.connection import explain_unreachable, ssh_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provision.servers.inventory import Host
    from provision.settings import Settings

DEBIAN = "13"
SECONDS = 60.0
CLOCK_SECONDS = 120
SLOW_MILLISECONDS = 100
KIB_PER_MIB, KIB_PER_GIB = 1024, 1024 * 1024
SSH_FAILED = 255

# Plain sh on a bare Debian, as whoever logs in: it only reads. One `key=value` per line.
PROBE = """
. /etc/os-release
echo "os=$ID"
echo "version=${VERSION_ID:-unstable}"
echo "init=$(cat /proc/1/comm)"
echo "user=$(id -u)"
if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then echo sudo=yes; else echo sudo=no; fi
while read -r key value _; do [ "$key" = MemTotal: ] && echo "memory=$value"; done </proc/meminfo
echo "disk=$(df -Pk /var | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)"
echo "clock=$(date +%s)"
start=$(date +%s%3N)
timeout 5 bash -c '. ~/.bashrc' </dev/null >/dev/null 2>&1
echo "rc=$(($(date +%s%3N) - start))"
if timeout 3 bash -c "exec 3<>/dev/tcp/$mail_server/25" 2>/dev/null
then echo smtp=yes; else echo smtp=no; fi
"""


class Verdict(StrEnum):
    """What a finding means for the preparation."""

    FINE = "fine"
    WARNING = "warning"
    REFUSED = "refused"


@dataclass(frozen=True)
class PreflightFinding:
    """One thing that was looked at; `hint` says what to do about it."""

    subject: str
    verdict: Verdict
    sentence: str
    hint: str = ""


@dataclass(frozen=True)
class Needs:
    """What a server must have: memory in MiB, free disk under /var in GiB; whether it mails."""

    memory: int
    disk: int
    mail: bool = False


NEEDS = {"bundles": Needs(1500, 10, mail=True), "backup": Needs(400, 5), "names": Needs(400, 2)}


class Unfit(PaquetError):
    """The machine cannot become a server as it is."""


def examine(host: Host, settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the login that works on `host` (root, else its own user) and what the probe read.

    Root first: a new machine has nobody else, and sshd shuts out for a while who asks for users
    that it does not know (PerSourcePenalties). Nothing is changed. Raises Unreachable, or
    UnsafeChange for another host key.
    """
    said = ""
    for user in dict.fromkeys(("root", host.user)):
        command = [*ssh_command(host, settings, user=user), "sh -s"]
        probe = f"mail_server={settings.checks.mail_server}\n{PROBE}"
        read = run(command, given=probe, check=False, surroundings=Surroundings(timeout=SECONDS))
        if read.returncode != SSH_FAILED:
            return user, _parse(read.stdout)
        said = read.stderr
        if "Permission denied" not in said:
            break
    raise explain_unreachable(host.name, said)


def judge(facts: Mapping[str, str], groups: frozenset[str], now: float) -> list[PreflightFinding]:
    """Given what the probe read, the host's groups and our clock, return what was found."""
    wanted = [NEEDS[group] for group in sorted(groups & set(NEEDS))]
    findings = [
        _judge_system(facts),
        _judge_right(facts),
        _judge_memory(facts, max((needs.memory for needs in wanted), default=0)),
        _judge_disk(facts, max((needs.disk for needs in wanted), default=0)),
        _judge_clock(facts, now),
        _judge_shell(facts),
    ]
    return [*findings, _judge_mail(facts)] if any(needs.mail for needs in wanted) else findings


def refuse_unfit(host: Host, findings: Sequence[PreflightFinding]) -> None:
    """Raise Unfit with the reasons, if there are any."""
    refused = [finding for finding in findings if finding.verdict is Verdict.REFUSED]
    if refused:
        reasons = "; ".join(finding.sentence for finding in refused)
        raise Unfit(
            f"{host.name} cannot be prepared, and was not touched: {reasons}",
            " ".join(dict.fromkeys(finding.hint for finding in refused)),
        )


def _parse(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value.strip() for key, _, value in pairs}


def _number(facts: Mapping[str, str], key: str) -> int:
    value = facts.get(key, "")
    return int(value) if value.isdigit() else 0


def _judge_system(facts: Mapping[str, str]) -> PreflightFinding:
    system = f"{facts.get('os', 'an unknown system')} {facts.get('version', '')}".strip()
    if (facts.get("os"), facts.get("version")) != ("debian", DEBIAN):
        hint = f"Install Debian {DEBIAN}: bundles move to it, a server is not upgraded in place."
        sentence = f"it runs {system}, and only Debian {DEBIAN} is supported"
        return PreflightFinding("system", Verdict.REFUSED, sentence, hint)
    if facts.get("init") != "systemd":
        sentence = "systemd does not run it (a container without one cannot be a server)"
        return PreflightFinding(
            "system", Verdict.REFUSED, sentence, "Use a machine that boots by systemd."
        )
    return PreflightFinding("system", Verdict.FINE, f"Debian {DEBIAN}")


def _judge_right(facts: Mapping[str, str]) -> PreflightFinding:
    if facts.get("user") == "0" or facts.get("sudo") == "yes":
        return PreflightFinding("right", Verdict.FINE, "root")
    hint = "Let your SSH key log in as root, or let that user use sudo without a password."
    return PreflightFinding(
        "right", Verdict.REFUSED, "the login is neither root nor may it use sudo", hint
    )


def _judge_memory(facts: Mapping[str, str], wanted: int) -> PreflightFinding:
    memory = _number(facts, "memory") // KIB_PER_MIB
    if memory < wanted:
        sentence = f"it has {memory} MiB of memory, and needs {wanted}"
        return PreflightFinding("memory", Verdict.REFUSED, sentence, "Take a larger machine.")
    return PreflightFinding("memory", Verdict.FINE, f"{memory} MiB")


def _judge_disk(facts: Mapping[str, str], wanted: int) -> PreflightFinding:
    disk = _number(facts, "disk") // KIB_PER_GIB
    if disk < wanted:
        sentence = f"it has {disk} GiB of disk free under /var, and needs {wanted}"
        return PreflightFinding(
            "disk", Verdict.REFUSED, sentence, "Free some, or take a larger disk."
        )
    return PreflightFinding("disk", Verdict.FINE, f"{disk} GiB free")


def _judge_clock(facts: Mapping[str, str], now: float) -> PreflightFinding:
    wrong = round(_number(facts, "clock") - now)
    if abs(wrong) > CLOCK_SECONDS:
        way = "ahead of" if wrong > 0 else "behind"
        sentence = f"its clock is {abs(wrong)} seconds {way} this machine's"
        hint = "Compare both with the time, and set the wrong one: certificates depend on it."
        return PreflightFinding("clock", Verdict.REFUSED, sentence, hint)
    return PreflightFinding("clock", Verdict.FINE, "right")


def _judge_shell(facts: Mapping[str, str]) -> PreflightFinding:
    taken = _number(facts, "rc")
    if taken > SLOW_MILLISECONDS:
        sentence = f"the login's ~/.bashrc takes {taken} ms, at each remote command"
        return PreflightFinding("shell", Verdict.WARNING, sentence, "Clear it out.")
    return PreflightFinding("shell", Verdict.FINE, f"{taken} ms")


def _judge_mail(facts: Mapping[str, str]) -> PreflightFinding:
    if facts.get("smtp") == "yes":
        return PreflightFinding("mail", Verdict.FINE, "port 25 is open to the outside")
    sentence = "port 25 to the outside is blocked: no mail can leave"
    return PreflightFinding(
        "mail", Verdict.WARNING, sentence, "Ask the hoster to open it (often a form)."
    )
