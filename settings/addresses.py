"""Addresses in settings: host:port, nodes and networks."""

import ipaddress
import re
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

# These patterns allow no line break and no separator: a value must not add a line to Asterisk's
# configuration.
HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]"
_HOST = re.compile(HOST)
_PORT = re.compile(r"[0-9]{1,5}")
_NODE = re.compile(r"[a-z0-9](-?[a-z0-9]){0,30}")
_NETWORK = re.compile(r"[0-9A-Fa-f:./]+")


class Address(NamedTuple):
    """A host and a port, written host:port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_address(value: Any) -> Address:
    """Parse an address written host:port. Raises ValueError."""
    if isinstance(value, Address):
        return value
    host, _, port = str(value).rpartition(":")
    if not _HOST.fullmatch(host) or not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise ValueError("must be host:port, for example 127.0.0.1:8137")
    return Address(host, int(port))


HostAndPort = Annotated[Address, BeforeValidator(parse_address)]


def check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the value if each entry is an IP address or a network. Raises ValueError otherwise."""
    for network in value:
        if not _NETWORK.fullmatch(network):
            raise ValueError(f"{network!r} does not appear to be an IPv4 or IPv6 network")
        ipaddress.ip_network(network, strict=False)
    return value


def has_overlap(one: str, other: str) -> bool:
    """Return whether two networks have an address in common."""
    first, second = (ipaddress.ip_network(each, strict=False) for each in (one, other))
    return first.version == second.version and first.overlaps(second)


def is_address(host: str) -> bool:
    """Return whether the host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


class Node(NamedTuple):
    """One of several machines with the same work: its name, and its Asterisk's SIP address."""

    name: str
    address: Address


def parse_nodes(value: Any) -> tuple[Node, ...]:
    """Parse nodes written name=address:port, separated by spaces or commas. Raises ValueError."""
    if not isinstance(value, str):
        return tuple(value)
    found = []
    for part in value.replace(",", " ").split():
        name, _, where = part.partition("=")
        if not _NODE.fullmatch(name) or not is_address(where.rpartition(":")[0]) or "[" in where:
            raise ValueError("must be name=address:port, for example one=192.0.2.11:5060 two=192.0.2.12:5060")
        found.append(Node(name, parse_address(where)))
    for what in ([node.name for node in found], [node.address for node in found]):
        if len(set(what)) < len(what):
            raise ValueError("two of them have the same name or address")
    return tuple(found)
