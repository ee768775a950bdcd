"""What is said, in the languages of operators: a sentence, and what to do.

Each sentence has one form when all is well and one when it is not; `{…}` are the values of the
finding. Nothing that a customer wrote is among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from judge import Finding

Said = tuple[str, str, str]  # all is well, it is not, what to do
ENGLISH: dict[str, Said] = {
    "disk": (
        "{path} is filled to {percent} %",
        "{path} is filled to {percent} % (the limit is {limit} %)",
        "Find what grew (du -xh {path} | sort -h | tail), make room or rent more.",
    ),
    "inodes": (
        "{path} uses {percent} % of its number of files",
        "{path} uses {percent} % of the number of files that it can hold",
        "Find the folder with very many files (du --inodes -x {path} | sort -n | tail).",
    ),
    "memory": (
        "{free} % of the memory is free",
        "Only {free} % of the memory is free",
        "See who uses it (systemd-cgtop -m); move bundles to another server or rent more.",
    ),
    "swap": (
        "{used} % of the swap is used",
        "{used} % of the swap is used",
        "See who uses the memory (systemd-cgtop -m).",
    ),
    "unit": (
        "No unit has failed",
        "{unit} has failed",
        "On the server: journalctl -u {unit}, then systemctl restart {unit}.",
    ),
    "backup": (
        "",
        "The backup of bundle {name} has failed",
        "On the server: journalctl -u {unit}. `paquet backup run` of its domain makes one now.",
    ),
    "certificate": (
        "",
        "A certificate could not be renewed",
        "On the server: journalctl -u {unit}. Until it ends, the old one serves.",
    ),
    "restarts": (
        "No daemon goes on with files that were replaced",
        "These still run with files that an upgrade replaced: {units}",
        "On the server: needrestart -r a. What it leaves needs a restart of the machine.",
    ),
    "reboot": ("No restart of the machine is due", "", ""),
    "reboot-due": ("A restart of the machine is due, and comes at night", "", ""),
    "reboot-overdue": (
        "",
        "A restart of the machine has been due for {hours} hours",
        "Restart it: systemctl reboot. It does so by itself where base_reboot is true.",
    ),
    "upgrade": (
        "The nightly upgrades work",
        "An upgrade has failed: {names}",
        "On the server: dpkg --configure -a, then systemctl start apt-daily-upgrade.",
    ),
    "upgrade-late": (
        "",
        "No nightly upgrade has succeeded for {days} days",
        "On the server: systemctl start apt-daily-upgrade; log in /var/log/unattended-upgrades.",
    ),
    "held": (
        "No package is kept from being upgraded",
        "These packages are kept from being upgraded: {names}",
        "If that is not meant any more: apt-mark unhold.",
    ),
    "queue": (
        "{count} messages wait in the mail queue",
        "{count} messages wait in the mail queue, the oldest for {hours} hours",
        "On the server: postqueue -p says why.",
    ),
    "backup-age": (
        "The last backup of bundle {name} is {hours} hours old",
        "Bundle {name} has had no backup for {hours} hours",
        "`paquet backup run` of its domain makes one now and shows what is wrong.",
    ),
    "repository": (
        "The repository of bundle {name} was written {hours} hours ago",
        "The repository of bundle {name} has not been written for {hours} hours",
        "Look at the server of the bundle: does it run, and does its backup?",
    ),
    "certificate-end": (
        "The certificate {name} lasts {days} days",
        "The certificate {name} lasts only {days} days",
        "On the server: journalctl -u paquet-certificates says why it is not renewed.",
    ),
    "placeholder": (
        "",
        "The certificate {name} is a placeholder: the authority has given none",
        "On the server: journalctl -u paquet-certificates.",
    ),
    "asked": ("", "The certificate {name} is asked for", "Look again in some minutes."),
    "clock": (
        "The clock is kept",
        "The clock is not synchronised",
        "On the server: timedatectl timesync-status.",
    ),
    "clock-host": ("The clock is that of the computer which runs this machine", "", ""),
    "bans": ("{count} addresses are shut out", "", ""),
    "letters": (
        "The operator can be written to",
        "What the operator should be told could not be delivered for {hours} hours: {problem}",
        "Is [operator] contact right, and may this server reach port 25 of others?",
    ),
}
FRENCH: dict[str, Said] = {
    "disk": (
        "{path} est rempli à {percent} %",
        "{path} est rempli à {percent} % (la limite est {limit} %)",
        "Chercher ce qui a grossi (du -xh {path} | sort -h | tail), faire de la place ou en louer.",
    ),
    "inodes": (
        "{path} utilise {percent} % de son nombre de fichiers",
        "{path} utilise {percent} % du nombre de fichiers qu’il peut tenir",
        "Chercher le dossier qui en a trop (du --inodes -x {path} | sort -n | tail).",
    ),
    "unit": (
        "",
        "{unit} a échoué",
        "Sur le serveur : journalctl -u {unit}, puis systemctl restart {unit}.",
    ),
    "reboot-overdue": (
        "",
        "Un redémarrage de la machine est dû depuis {hours} heures",
        "La redémarrer : systemctl reboot. Elle le fait seule là où base_reboot est vrai.",
    ),
    "upgrade": (
        "Les mises à jour de la nuit fonctionnent",
        "Une mise à jour a échoué : {names}",
        "Sur le serveur : dpkg --configure -a, puis systemctl start apt-daily-upgrade.",
    ),
    "upgrade-late": (
        "",
        "Aucune mise à jour n’a réussi depuis {days} jours",
        "Sur le serveur : systemctl start apt-daily-upgrade ; voir /var/log/unattended-upgrades.",
    ),
    "backup": (
        "",
        "La sauvegarde du lot {name} a échoué",
        "Sur le serveur : journalctl -u {unit}. `paquet backup run` de son domaine en refait une.",
    ),
    "backup-age": (
        "La dernière sauvegarde du lot {name} a {hours} heures",
        "Le lot {name} n’a pas eu de sauvegarde depuis {hours} heures",
        "`paquet backup run` de son domaine en fait une et montre ce qui ne va pas.",
    ),
    "repository": (
        "Le dépôt du lot {name} a été écrit il y a {hours} heures",
        "Le dépôt du lot {name} n’a pas été écrit depuis {hours} heures",
        "Regarder le serveur du lot : tourne-t-il, et sa sauvegarde ?",
    ),
    "certificate": (
        "",
        "Un certificat n’a pas pu être renouvelé",
        "Sur le serveur : journalctl -u {unit}. Jusqu’à sa fin, l’ancien sert.",
    ),
    "certificate-end": (
        "Le certificat {name} dure {days} jours",
        "Le certificat {name} ne dure plus que {days} jours",
        "Sur le serveur : journalctl -u paquet-certificates dit pourquoi.",
    ),
    "placeholder": (
        "",
        "Le certificat {name} est provisoire : l’autorité n’en a pas donné",
        "Sur le serveur : journalctl -u paquet-certificates.",
    ),
}


def sentence(finding: Finding) -> str:
    """Return what was found, in English."""
    well, wrong, _ = ENGLISH[finding.words]
    is_well = finding.result in ("ok", "skipped")
    return (well if is_well else wrong).format(**finding.values)


def advice(finding: Finding) -> str:
    """Return what to do about it, in English; nothing when all is well."""
    is_well = finding.result in ("ok", "skipped")
    return "" if is_well else ENGLISH[finding.words][2].format(**finding.values)


def told(finding: Finding, language: str) -> tuple[str, str]:
    """Return what the operator is told of a trouble: the sentence and what to do."""
    _, wrong, todo = (FRENCH if language == "fr" else ENGLISH)[finding.words]
    return wrong.format(**finding.values), todo.format(**finding.values)
