from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.fixture
def allow(settings):
    """allow("localhost", "10.0.0.0/8") -> these and nothing else inside."""

    def set_to(*entries: str) -> None:
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "OUTGOING_PRIVATE_HOSTS": list(entries)}

    return set_to


class Names:
    """A DNS of one's own, below everything: what the system's resolver would answer."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def add(self, name: str, *answers: list[str]) -> None:
        """The first time the first answer, and so on; the last one for ever."""
        self.answers[name] = list(answers)

    def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        self.asked.append(name)
        if name not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        coming = self.answers[name]
        addresses = coming.pop(0) if len(coming) > 1 else coming[0]
        return [_entry(one, port) for one in addresses]


def _entry(address: str, port: Any) -> Any:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = (address, port, 0, 0) if ":" in address else (address, port)
    return (family, socket.SOCK_STREAM, 6, "", place)


@pytest.fixture
def names(monkeypatch):
    found, real = Names(), socket.getaddrinfo

    def answer(host: Any, *args: Any, **kwargs: Any) -> Any:
        """Addresses in numbers need no DNS; the event loop asks for them, too."""
        if isinstance(host, str) and (host[:1].isdigit() or ":" in host):
            return real(host, *args, **kwargs)
        return found.getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return found
