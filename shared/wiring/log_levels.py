"""How much is logged: the app's lines by its own level, those of the libraries from warnings on."""

import logging

from shared.settings import Settings

_APP = ("functions", "shared")
_LIBRARIES = ("azure", "opencensus", "urllib3")


def set_log_levels(settings: Settings) -> None:
    """Set the levels of this process's loggers.

    The worker's root logger lets INFO pass, and host.json does not reach what the libraries log in it: the Azure SDK
    would tell of each of its requests.
    """
    for name in _APP:
        logging.getLogger(name).setLevel(settings.log_level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
