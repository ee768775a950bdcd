"""What a bundle or a server looks like, without what differs between two equal ones."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from provision.workflows import bundles, zones

if TYPE_CHECKING:
    from provision.lab.machines import Machine
    from tests.lab.region import Region

# Owner, mode and path of everything that a bundle has on its server; caches come and go.
LOOK = """
cd /
find srv/bundles/NAME etc/nginx/paquet.d etc/paquet srv/mail/DOMAIN run/paquet/NAME \
    -path '*NAME*' -o -path '*DOMAIN*' | grep -vE '/dovecot|/\\.Radicale|/cur/|/new/|/tmp' |
  sort | xargs -d '\\n' stat --format '%U:%G %a %n'
cat etc/nginx/paquet.d/NAME* etc/paquet/light/users/NAME.json
systemctl list-units --all --plain --no-legend --no-pager '*NAME*' | awk '{print $1, $3}' | sort
systemctl list-unit-files --plain --no-legend --no-pager '*NAME*' | awk '{print $1, $2}' | sort
id NAME
runuser -u postgres -- psql -qAt mail <<SQL
SELECT name FROM domain WHERE bundle = 'NAME';
SELECT address, quota_bytes, active FROM mailbox WHERE domain = 'DOMAIN';
SELECT address, target FROM alias WHERE address LIKE '%@DOMAIN' ORDER BY 1;
SELECT address, name, revoked IS NULL FROM device WHERE address LIKE '%@DOMAIN' ORDER BY 1, 2;
SQL
runuser -u postgres -- psql -qAt postgres <<SQL
SELECT datname, datacl FROM pg_database WHERE datname = 'NAME';
SQL
"""
ACTIVITY = re.compile(r"^(paquet-\S+\.service) \S+$", re.MULTILINE)


def bundle_picture(region: Region, domain: str) -> str:
    """Return server, zone and registry as they are for one bundle, under the names B and D."""
    bundle = bundles.find(region.control, domain)
    script = LOOK.replace("NAME", bundle.name).replace("DOMAIN", bundle.domain)
    server = region.machine("bundles1").run(["bash", "-c", script]).stdout
    change = zones.difference(bundle, region.control.settings)
    registry = {
        "state": bundle.state,
        "devices": [(one.name, one.state) for user in bundle.users for one in user.devices],
        "names": "as they should be" if change.is_empty else "wrong",
    }
    picture = ACTIVITY.sub(r"\1", server) + json.dumps(registry, ensure_ascii=False)
    picture = re.sub(r"\b(uid|gid|groups)=\d+", r"\1", picture)
    label = domain.partition(".")[0]
    return picture.replace(bundle.name, "B").replace(domain, "D").replace(label, "L")


# Packages, units, every file of ours with owner, mode and content, and all databases; what is drawn
# by lot, differs from lab to lab, or is measured meanwhile is left out; of the folders of bundles,
# the names are told: neighbours live on in them, and get mail. Addresses of a lab are all one.
SERVER = r"""
export LC_ALL=C
dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'
systemctl list-unit-files --plain --no-legend --no-pager | awk '{print $1, $2}' |
  grep -v '^session-' | sort
systemctl list-units --plain --no-legend --no-pager --state=failed
systemctl is-active nginx postgresql postfix dovecot rspamd fail2ban nftables
find /etc/nginx /etc/postfix /etc/dovecot /etc/rspamd /etc/paquet /usr/local/lib/paquet \
    /etc/nftables.conf /etc/fail2ban /etc/ssh/sshd_config.d /etc/systemd/system /etc/php \
    /etc/postgresql /etc/sudoers.d /srv /var/lib/paquet \
    \( -path /srv/bundles -o -path /srv/mail -o -path /var/lib/paquet/backup \) -prune -o \
    -type f -print |
  grep -vE '/certificates|tsig|/cache.conf|acme|redis.conf|\.db$' |
  grep -vE '/fence$|/state/|/calls/|/units/|/__pycache__/|lib/paquet/(watch|room).json' |
  sort > /tmp/picture
xargs -d '\n' stat --format '%U:%G %a %n' < /tmp/picture
while read -r path; do
  echo "$(sed -E 's/198\.18\.[0-9]+\./LAB./g' "$path" | sha256sum | cut -c -64) $path"
done < /tmp/picture
rm /tmp/picture
ls /var/lib/paquet/state /var/lib/paquet/calls /var/lib/paquet/backup /srv /srv/bundles /srv/mail
runuser -u postgres -- pg_dumpall --schema-only |
  grep -vE '^(--|.(un)?restrict|ALTER ROLE)' | sort
"""


def server_picture(machine: Machine) -> str:
    """Return packages, units, configuration and databases of a server."""
    return machine.run(["bash", "-c", SERVER]).stdout
