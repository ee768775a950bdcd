#!/bin/sh
# Written by Paquet. A daemon that is installed for the first time is not started with its default
# configuration: its role starts it when it is configured. Upgrades restart what runs, as ever.
if [ -n "$PAQUET_INSTALLS" ] && [ "$2" = start ]; then
    exit 101
fi
exit 0
