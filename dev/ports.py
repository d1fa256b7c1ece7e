"""Ports of loopback that are free. They are below the ports that the kernel gives to outgoing connections, because such
a connection could take the port before we listen."""

import secrets
import socket


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    while True:
        port = 20000 + secrets.randbelow(12000)
        if port_is_free(port):
            return port


def free_ports(count):
    """Returns different free ports."""
    found = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)
