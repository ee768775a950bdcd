"""HTTP as someone outside speaks it: names through the target's resolver, nothing followed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from provision.checks.dial import SECONDS
from provision.dns.lookup import address_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3.connectionpool import HTTPConnectionPool

    from provision.checks.target import Target
    from provision.dns.lookup import NameServer

USUAL = {"http": 80, "https": 443}
# A client asks again, as phones do: the first two requests of a new user may meet in Nextcloud 31,
# which answers one of them with 503. Not after Retry-After: two minutes of maintenance are told.
AGAIN = Retry(
    total=None,
    connect=0,
    read=False,
    redirect=0,
    other=0,
    status=2,
    status_forcelist=(503,),
    allowed_methods=None,
    backoff_factor=0.5,
    raise_on_status=False,
    respect_retry_after_header=False,
)


class ByResolver(HTTPAdapter):
    """Connects to the address that one resolver tells, while TLS keeps the name.

    So names of a lab work without touching this machine's own resolver or /etc/hosts.
    """

    def __init__(self, resolver: NameServer | None) -> None:
        self.resolver = resolver
        super().__init__(max_retries=AGAIN)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,  # noqa: FBT001 -- the shape of requests
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 -- a proxy is not used from here
        cert: tuple[str, str] | str | None = None,
    ) -> HTTPConnectionPool:
        """Return the connections to one name; TLS and the certificate are for that name."""
        place, tls = self.build_connection_pool_key_attributes(
            request, True if verify is None else verify, cert
        )
        by_name = {"server_hostname": place["host"]} if place["scheme"] == "https" else {}
        connections: HTTPConnectionPool = self.poolmanager.connection_from_host(
            host=address_of(place["host"], self.resolver),
            port=place["port"],
            scheme=place["scheme"],
            pool_kwargs={**tls, **by_name},
        )
        return connections


def ask_web(target: Target, request: requests.Request) -> requests.Response:
    """Send one request and return the answer, redirects included. Raises OSError without one."""
    with requests.Session() as session:
        for scheme in USUAL:
            session.mount(f"{scheme}://", ByResolver(target.resolver))
        prepared = session.prepare_request(request)
        # Otherwise it would be the address that we connect to.
        prepared.headers["Host"] = urlsplit(request.url).netloc
        verify = str(target.ca_file) if target.ca_file else True
        return session.send(prepared, timeout=SECONDS, allow_redirects=False, verify=verify)


def address(target: Target, host: str, path: str, scheme: str = "https") -> str:
    """Return the URL of `path` at `host`, with the port where it is not the usual one."""
    port = target.ports.https if scheme == "https" else target.ports.http
    return f"{scheme}://{host}{'' if port == USUAL[scheme] else f':{port}'}{path}"
