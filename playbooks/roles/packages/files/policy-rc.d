#!/bin/sh
# Written by Paquet. A daemon that is installed for the first time is not started with its default
# configuration: its role starts it when it is configured. Upgrades restart what runs, as ever.
# Called as `policy-rc.d NAME ACTION`; 101 forbids (invoke-rc.d, policy-rc.d specification).
if [ -n "$PAQUET_INSTALLS" ]; then
    case "$2" in
        start) exit 101 ;;
        restart) systemctl is-active --quiet "$1" || exit 101 ;;
    esac
fi
exit 0
