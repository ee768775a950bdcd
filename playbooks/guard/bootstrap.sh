#!/bin/sh
# First contact: run as root, from the folder that holds this file and the programs it installs.
# Makes a machine that our plays can work on, and says each thing that it changes: `changed: …`.
# May be run again at any time. `--dry-run` only says.
set -eu
cd "$(dirname "$0")"
dry=${1:-}
admin=paquet
home=/home/$admin
wait_for_apt='-o DPkg::Lock::Timeout=300'

# change SENTENCE COMMAND... : says what is changed, and changes it unless this is a dry run.
change() {
    echo "changed: $1"
    shift
    [ "$dry" = --dry-run ] || "$@"
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    dpkg --configure -a >&2
    # shellcheck disable=SC2086 # two words are meant
    apt-get $wait_for_apt -q update >&2
    # shellcheck disable=SC2086
    apt-get $wait_for_apt -q -y --no-install-recommends install "$@" >&2
}

allow_sudo() {
    printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' "$admin" >sudoers
    visudo -cqf sudoers
    install -m 0440 sudoers "/etc/sudoers.d/$admin.new"
    mv "/etc/sudoers.d/$admin.new" "/etc/sudoers.d/$admin"
}

# Whoever may log in as root may log in as the admin user: root's own login is closed afterwards.
allow_keys() {
    install -d -m 0700 -o "$admin" -g "$admin" "$home/.ssh"
    install -m 0600 -o "$admin" -g "$admin" /root/.ssh/authorized_keys "$home/.ssh/new"
    mv "$home/.ssh/new" "$home/.ssh/authorized_keys"
}

# install_program NAME FOLDER: a reader sees the old one or the new one.
install_program() {
    install -d -m 0755 "$2"
    install -m 0755 "$1" "$2/.$1.new"
    mv "$2/.$1.new" "$2/$1"
}

# sudo looks up the machine's own name; without an answer each call waits for the resolver.
know_own_name() {
    printf '127.0.1.1\t%s\n' "$(uname -n)" >>/etc/hosts
}

missing=
for package in python3 python3-apt sudo; do
    [ "$(dpkg-query -W -f '${Status}' $package 2>/dev/null)" = "install ok installed" ] ||
        missing="$missing $package"
done
# shellcheck disable=SC2086 # one word per package
[ -z "$missing" ] || change "install$missing" install_packages $missing

grep -qsw "$(uname -n)" /etc/hosts || grep -qs '^hosts:.*myhostname' /etc/nsswitch.conf ||
    change "write the machine's own name in /etc/hosts" know_own_name
id "$admin" >/dev/null 2>&1 ||
    change "make the admin user $admin" \
        useradd --create-home --home-dir "$home" --shell /bin/bash --user-group "$admin"
[ -s "/etc/sudoers.d/$admin" ] || change "let $admin use sudo" allow_sudo
[ -s "$home/.ssh/authorized_keys" ] || change "let root's keys log in as $admin" allow_keys
[ -d /var/lib/paquet ] || change "make /var/lib/paquet" install -d -m 0700 /var/lib/paquet
programs=/usr/local/lib/paquet
for program in guard guarded-python startup/sitecustomize.py; do
    name=${program##*/}
    cmp -s "$name" "$programs/$program" ||
        change "install $name" install_program "$name" "$(dirname "$programs/$program")"
done
