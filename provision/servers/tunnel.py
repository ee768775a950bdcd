"""A way into a server's own network: a SOCKS proxy on loopback, as long as it is needed."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provision.process.commands import start
from provision.servers import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.servers.inventory import Host
    from provision.settings import Settings

PATIENCE_SECONDS = 15.0


@contextmanager
def socks(host: Host, settings: Settings) -> Iterator[str]:
    """Give the address of a SOCKS 5 proxy whose connections leave from `host`.

    Names are resolved there too. Raises Unreachable when ssh does not get through.
    """
    port = _free_port()
    ssh, *words = connection.ssh_command(host, settings)
    forward = ["-N", "-D", f"127.0.0.1:{port}", "-o", "ExitOnForwardFailure=yes"]
    with start([ssh, *forward, *words], stderr=subprocess.PIPE) as process:
        try:
            _wait_for(port, process, host)
            yield f"socks5://127.0.0.1:{port}"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[str], host: Host) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            said = process.stderr.read() if process.stderr else ""
            raise connection.explain_unreachable(host.name, said)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise connection.explain_unreachable(host.name, "it did not answer in time")
