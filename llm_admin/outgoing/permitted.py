"""LLM_ADMIN["OUTGOING_PRIVATE_HOSTS"]: hosts, host:port, addresses and ranges that requests may reach all the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from llm_admin.conf import settings, split_port

Address = IPv4Address | IPv6Address
Port = int | None  # None: any


@dataclass(frozen=True, slots=True)
class Permitted:
    names: frozenset[tuple[str, Port]]
    networks: tuple[tuple[IPv4Network | IPv6Network, Port], ...]

    def allows(self, host: str, port: int, address: Address) -> bool:
        """A name does not lead to link-local addresses (a cloud's metadata): those have to be written as numbers."""
        if any(address in network and wanted in (None, port) for network, wanted in self.networks):
            return True
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        name = host.rstrip(".").lower()
        return (name, None) in self.names or (name, port) in self.names


def permitted() -> Permitted:
    return _read(tuple(settings().OUTGOING_PRIVATE_HOSTS))


@lru_cache(maxsize=8)
def _read(entries: tuple[str, ...]) -> Permitted:
    names: set[tuple[str, Port]] = set()
    networks: list[tuple[IPv4Network | IPv6Network, Port]] = []
    for entry in entries:
        host, port = split_port(entry)
        try:
            networks.append((ip_network(host, strict=False), port))
        except ValueError:
            names.add((host.rstrip(".").lower(), port))
    return Permitted(frozenset(names), tuple(networks))
