"""Where requests may go: into the internet, and to hosts inside that LLM_ADMIN["OUTGOING_PRIVATE_HOSTS"] names."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing.permitted import Address, permitted

UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
NAME = re.compile(r"[\w.-]+")
NUMBER_AT_END = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)$")
NO_ADDRESS = "this is no web address: it begins with http:// or https://, and a host follows"
NO_USER = "an address here holds no user name and no password: a key has its own field"
ODD = "“{host}” is an odd way to write an address: write four decimal numbers such as 192.0.2.7, or a name"
INSIDE = (
    "“{host}” leads into this server's own network, where no request goes unless it is allowed: add “{entry}” to "
    'LLM_ADMIN["OUTGOING_PRIVATE_HOSTS"] (the environment variable OUTGOING_PRIVATE_HOSTS) and start the server again'
)
NEVER = "“{host}” leads to an address that serves this machine or its network alone, where no request goes"


class OutgoingRefused(CallFailed):
    """Our own guard let no request go out. `detail` is a sentence that says why, and what to change."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorKind.PROVIDER_DOWN, detail)


def public(address: Address) -> bool:
    """Whether it is somewhere in the internet. Of an address that holds another one, the inner one counts."""
    inner = _inner(address)
    if inner is not address:
        return public(inner)
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def check_url(scheme: str, host: str, userinfo: object) -> None:
    """Of every request, redirected ones too. Raises OutgoingRefused."""
    if scheme not in ("http", "https") or not host:
        raise OutgoingRefused(NO_ADDRESS)
    if userinfo:
        raise OutgoingRefused(NO_USER)


def literal(host: str) -> Address | None:
    """The address when the host is one, None for a name. Raises OutgoingRefused for spellings that hide one."""
    plain = unicodedata.normalize("NFKC", host).strip("[]").rstrip(".").lower()
    if ":" in plain or NUMBER_AT_END.search(plain):
        try:
            return ip_address(plain)
        except ValueError:
            raise OutgoingRefused(ODD.format(host=host[:100])) from None
    if not NAME.fullmatch(plain):
        raise OutgoingRefused(NO_ADDRESS)
    return None


def check_address(host: str, port: int, address: Address) -> None:
    """Raises OutgoingRefused for an address inside, unless this host or address is allowed."""
    inner = _inner(address)
    if public(inner) or permitted().allows(host, port, inner):
        return
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        raise OutgoingRefused(NEVER.format(host=host))
    entry = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    raise OutgoingRefused(INSIDE.format(host=host, entry=entry))


def problem_of(url: str) -> str:
    """What can be said without asking for a name's addresses: a sentence, or ""."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        check_url(parts.scheme, host, parts.username or parts.password)
        address = literal(host)
        if address is None and (host == "localhost" or host.endswith(".localhost")):
            address = IPv4Address("127.0.0.1")
        if address is not None:
            check_address(host, port, address)
    except ValueError:
        return _sentence(NO_ADDRESS)
    except OutgoingRefused as refused:
        return _sentence(refused.detail)
    return ""


def _sentence(detail: str) -> str:
    return f"{detail[0].upper()}{detail[1:]}."


def _inner(address: Address) -> Address:
    """IPv4 in IPv6's clothes: mapped, 6to4, NAT64."""
    if not isinstance(address, IPv6Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
