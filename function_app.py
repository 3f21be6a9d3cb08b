"""The function app: all of its functions, by blueprint."""

import azure.functions as func

from functions import archiving, crawling, datasets, health, jobs, lifecycle

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for module in (jobs, datasets, health, crawling, archiving, lifecycle):
    app.register_functions(module.blueprint)
