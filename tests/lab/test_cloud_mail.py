"""Letters that a cloud itself writes: through the mail server, as its own login, never past it."""

from __future__ import annotations

from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from tests.lab.region import Delivered

pytestmark = pytest.mark.lab

LETTER = """<?php
require getenv('TREE') . '/lib/base.php';
$mailer = \\OCP\\Server::get(\\OCP\\Mail\\IMailer::class);
$letter = $mailer->createMessage();
$letter->setTo([$argv[1]]);
$letter->setSubject($argv[2]);
$letter->setPlainBody('A share waits for you.');
exit(count($mailer->send($letter)));
"""


def test_a_letter_of_nextcloud_arrives_abroad_signed(nextcloud: Delivered) -> None:
    subject = mail.mark()
    known = [
        f"NEXTCLOUD_CONFIG_DIR=/srv/bundles/{nextcloud.name}/config",
        f"TREE=/usr/share/paquet/nextcloud/{nextcloud.bundle.cloud_version}",
    ]
    as_bundle = ["runuser", "-u", nextcloud.name, "--", "env", *known]
    php = ["php", "--", nextcloud.foreign_address, subject]

    nextcloud.server.run([*as_bundle, *php], given=LETTER)

    arrived = message_from_bytes(mail.received_abroad(nextcloud, subject))
    assert arrived["From"] == f"Nextcloud <cloud@{nextcloud.domain}>"
    assert f"d={nextcloud.domain}" in arrived["DKIM-Signature"]


def test_nobody_sends_past_the_mail_server(light: Delivered) -> None:
    knock = f"exec 3<>/dev/tcp/{light.region.lab.address('internet')}/25"
    for user, may in ((light.name, False), ("postfix", True)):
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
        done = light.server.run([*as_user, "timeout", "5", "bash", "-c", knock], check=False)
        assert (done.returncode == 0) is may, f"{user}: {done.stderr}"
