"""Kamailio before several nodes: its configuration, made from the settings (docs/operate/sip-proxy.md)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from dialplan.kamailio.fence import may_be_dialled
from dialplan.variables import PROXY_NEXT, PROXY_TRUNK
from settings import Settings
from settings.addresses import Address
from settings.trunks import Trunk

_TEMPLATES = Environment(
    loader=PackageLoader("dialplan", "kamailio"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701  (not HTML; settings/ lets no special character in)
    keep_trailing_newline=True,
)
_TEMPLATES.filters["text"] = lambda value: str(value).replace("\\", "\\\\").replace(":", "\\:")
"""Escapes a value for a column of Kamailio's text tables."""
_PATH = re.compile(r"[A-Za-z0-9/._-]+")
_NODE = "node"
_RETRY_AFTER_S = 10
_FULL_MS = 300
"""Milliseconds during which the proxy sends nobody to a node that said it is full. A caller's call takes many
seconds."""
_TOLD_PER_SECOND = 5
"""For each node, all together. In a rush each node lets 20 callers hear this at once
(dialplan.variables.TOLD_AT_ONCE)."""
_SCANNERS = (
    *("friendly-scanner", "friendly-request", "sipvicious", "sundayddr", "sipsak", "sip-scan", "sipcli"),
    *("iwar", "smap", "vaxsipuseragent", "vaxasip", "pplsip", "scanner", "sipptk", "siparmyknife"),
)
"""User agents of tools that search for open exchanges; no carrier uses these."""


class NoProxy(Exception):
    """The settings describe no proxy; the text names what is missing."""


@dataclass(frozen=True)
class _Line:
    """A trunk as the proxy sees it."""

    name: str
    word: str
    """The word that names the call's trunk to a node."""
    trunk: Trunk
    sources: Sequence[str]
    """The networks from which the trunk's calls come."""
    contact: str
    """The secret contact that we register at the trunk; the trunk's calls to it are its own."""


def render_files(settings: Settings, folder: Path, *, run: Path) -> dict[str, str]:
    """Return each file's text by its name in `folder`; `run` is the folder of the running Kamailio's socket.

    The files hold secrets. Raises NoProxy.
    """
    here, nodes = settings.sip_proxy, settings.sip_nodes
    if here is None or not nodes:
        raise NoProxy("HOTLINE_SIP_PROXY and HOTLINE_SIP_NODES must both be set")
    if any(node.address == here for node in nodes):
        raise NoProxy(f"HOTLINE_SIP_NODES: {here} is where the proxy listens itself")
    for trunk in settings.trunks:
        if trunk.transport != "udp":
            raise NoProxy(f"[{trunk.name}] transport: the proxy speaks udp only, not {trunk.transport}")
    if not all(_PATH.fullmatch(str(each)) for each in (folder, run)):
        raise NoProxy("the folders must be paths of letters, digits and any of / . _ -")
    lines = [_line(trunk, settings) for trunk in settings.trunks]
    values = {
        "here": here,
        "metrics": settings.sip_proxy_metrics,
        "nodes": nodes,
        "trunks": lines,
        "registered": [line for line in lines if line.contact],
        "calls_per_second": settings.sip_proxy_calls_per_second,
        "scanners": "|".join(f"({name})" for name in _SCANNERS),
        "retry_after": _RETRY_AFTER_S,
        "full_ms": _FULL_MS,
        "told_per_second": _TOLD_PER_SECOND * len(nodes),
        "mask_key": settings.secret_for("sip-proxy"),
        "node": _NODE,
        "node_key": _node_key(settings),
        "call_key": settings.secret_for("sip-proxy-call"),
        "dialled": may_be_dialled(settings),
        "next": PROXY_NEXT,
        "trunk_header": PROXY_TRUNK,
        "folder": folder,
        "run": run,
    }
    names = ["kamailio.cfg", "dispatcher.list"]
    if values["registered"]:
        names += ["registrations/version", "registrations/uacreg"]
    return {name: _TEMPLATES.get_template(name).render(values) for name in names}


def make_proxy_text(trunk: str, settings: Settings) -> str:
    """Return the proxy's text for PROXY_TRUNK: the trunk's name and a secret, so that nobody else can write
    it.
    """
    return f"{trunk}/{settings.secret_for(f'sip-proxy-trunk-{trunk}')}"


def get_route_secret(settings: Settings) -> str:
    """Return the secret in a node's route to the proxy; a sender that only forges the node's address lacks
    it.
    """
    return f";{_NODE}={_node_key(settings)}"


def adapt_trunk(trunk: Trunk, proxy: Address) -> Trunk:
    """Return the trunk as a node behind the proxy uses it; the proxy alone registers with the carrier."""
    return trunk.model_copy(
        update={
            "transport": "udp",
            "proxy": proxy,
            "registers": False,
            "allowed": (),
            "from_domain": trunk.from_domain or proxy.host,
        }
    )


def _node_key(settings: Settings) -> str:
    return settings.secret_for("sip-proxy-node")


def _line(trunk: Trunk, settings: Settings) -> _Line:
    return _Line(
        name=trunk.name,
        word=make_proxy_text(trunk.name, settings),
        trunk=trunk,
        sources=[each for each in trunk.allowed if ip_network(each, strict=False).version == 4],
        contact=settings.secret_for(f"line-{trunk.name}") if trunk.registers else "",
    )
