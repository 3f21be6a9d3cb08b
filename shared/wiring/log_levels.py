"""Log levels: the app's own loggers have the level in the settings, libraries log warnings and errors only."""

import logging

from shared.settings import Settings

_APP = ("functions", "shared")
_LIBRARIES = ("azure", "opencensus", "urllib3")


def set_log_levels(settings: Settings) -> None:
    """Set the levels of this process's loggers.

    The worker's root logger lets INFO pass, and host.json has no effect on the libraries in the worker: the Azure SDK
    would log each of its requests.
    """
    for name in _APP:
        logging.getLogger(name).setLevel(settings.log_level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
