"""Sets up the logs of this process.

The app's own loggers have the level in the settings; libraries log warnings only.
"""

import logging

from shared.settings import Settings
from shared.telemetry.log_lines import JsonLines, LogLines

_APP = ("functions", "shared", "pixcrawler_sources")
_LIBRARIES = ("azure", "opencensus", "urllib3")


def set_up_logs(settings: Settings) -> None:
    """Sets the levels of this process's loggers, and the format of the lines that the worker's handlers write.

    The worker's root logger lets INFO pass, and host.json has no effect on libraries in the worker. Without a level of
    its own, the Azure SDK would log each of its requests.
    """
    for name in _APP:
        logging.getLogger(name).setLevel(settings.log_level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    lines = JsonLines if settings.running_in_azure else LogLines
    for handler in logging.getLogger().handlers:
        before = handler.formatter
        if not isinstance(before, LogLines):
            handler.setFormatter(lines(before))
