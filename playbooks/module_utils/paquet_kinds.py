"""What is done on a server, by its name: arguments as ARGUMENTS says, brought about by `bring`."""

from __future__ import annotations

from ansible.module_utils import (
    paquet_backup,
    paquet_certificate,
    paquet_database,
    paquet_files,
    paquet_lines,
    paquet_nextcloud,
    paquet_nextcloud_device,
    paquet_nextcloud_template,
    paquet_nextcloud_tree,
    paquet_packages,
    paquet_rows,
    paquet_sessions,
    paquet_systemd,
)

KINDS = {
    "backup": paquet_backup,
    "certificate": paquet_certificate,
    "database": paquet_database,
    "files": paquet_files,
    "lines": paquet_lines,
    "nextcloud": paquet_nextcloud,
    "nextcloud_device": paquet_nextcloud_device,
    "nextcloud_template": paquet_nextcloud_template,
    "nextcloud_tree": paquet_nextcloud_tree,
    "packages": paquet_packages,
    "rows": paquet_rows,
    "sessions": paquet_sessions,
    "systemd": paquet_systemd,
}
