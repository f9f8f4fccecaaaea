"""Usage: _port_is_free.py HOST PORT. Ends with one sentence and exit code 1 when we cannot listen there."""

import errno
import socket
import sys


def problem(host: str, port: int) -> str:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    other = port + 1 if port < 65535 else port - 1
    taken = f"Port {port} is taken by another program; stop it, or choose another: PORT={other} bin/demo"
    with socket.socket(family, kind) as probe:
        probe.settimeout(1)
        if probe.connect_ex(address) == 0:
            return taken
    with socket.socket(family, kind) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return taken
            reason = error.strerror or str(error)
            return f"Cannot listen on {host} port {port} ({reason}); choose another: PORT=8000 bin/demo"
    return ""


def main(host: str, port: int) -> str:
    if not 1 <= port <= 65535:
        return f"PORT={port} is not a port number; use one from 1024 to 65535."
    try:
        return problem(host, port)
    except OSError as error:
        return f"HOST={host} is no address of this machine ({error.strerror or error})."


if __name__ == "__main__":
    message = main(sys.argv[1], int(sys.argv[2]))
    if message:
        sys.exit(f"bin/demo: {message}")
