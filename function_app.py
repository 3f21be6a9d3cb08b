"""The function app: all of its functions, by blueprint."""

import gc
import os
import time

_began = time.monotonic()
# pydantic would read the metadata of all installed packages to find plugins, which takes a twentieth of the import
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # noqa: TID251 - no setting of the app
# almost all that the imports make stays as long as the process, so the collector would look at it for nothing
gc.disable()

import azure.functions as func  # noqa: E402 - the imports are what a cold start waits for, so they are timed

from functions import queues, timers  # noqa: E402 - likewise
from functions.function_names import function_names  # noqa: E402 - likewise
from functions.http.edge.unmatched import unmatched  # noqa: E402 - likewise
from functions.http.modules import MODULES  # noqa: E402 - likewise
from shared.wiring import app as services  # noqa: E402 - likewise
from shared.wiring.ahead import import_ahead  # noqa: E402 - likewise
from shared.wiring.process.logs import set_up_logs  # noqa: E402 - likewise

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for endpoints in MODULES.values():
    app.register_functions(endpoints.blueprint)
app.register_functions(unmatched(MODULES.values()))
for module in (queues, timers):
    app.register_functions(module.blueprint)

gc.freeze()
gc.enable()

set_up_logs(services().settings)
services().announce_start(time.monotonic() - _began, function_names(MODULES.values(), queues, timers))
services().report_services_after(import_ahead())
