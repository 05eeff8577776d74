"""Every setting of Hotline 137, from the environment (HOTLINE_*) or the file hotline.env.

Each module holds one part: `machine`, `city`, `telephony`, `calls`, `requests`, `keeping`, `messages`,
`staff`. `in_force` joins the parts into one `Settings`.
"""

from settings.in_force import Settings, links_astray, load, old_names, origin, unheeded
from settings.toml_files import SECRETS
from settings.values import (
    CITY,
    Bounds,
    PortRange,
    QuietHours,
    SettingsError,
    WorkingHours,
    WorkingWeek,
)

__all__ = [
    "CITY",
    "SECRETS",
    "Bounds",
    "PortRange",
    "QuietHours",
    "Settings",
    "SettingsError",
    "WorkingHours",
    "WorkingWeek",
    "links_astray",
    "load",
    "old_names",
    "origin",
    "unheeded",
]
