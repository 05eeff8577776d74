"""Every setting of Hotline 137, from the environment (HOTLINE_*), the file hotline.env or a TOML file.

Each module holds one part: `machine`, `city`, `city_keys`, `telephony`, `calls`, `storage`, `messages`,
`staff`. `in_force` joins the parts into one `Settings`; `toml_files` has the keys of the TOML files.
"""

from settings.in_force import (
    Settings,
    describe_origin,
    explain_bad_links,
    list_old_names,
    load,
)
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
    "describe_origin",
    "explain_bad_links",
    "list_old_names",
    "load",
]
