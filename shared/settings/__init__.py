"""All settings of the app. No other package reads the environment.

On Azure these are application settings. Locally they are in local.settings.json; there is an example of it. Each module
in `topics` has the fields of one topic, and `settings.py` puts them together and reads them.
"""

from shared.settings.settings import Settings, SettingsError, load_settings

__all__ = ["Settings", "SettingsError", "load_settings"]
