import logging

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name(name="Copy")
@app.route(route="copy/{name}")
@app.blob_input(arg_name="source", path="originals/{name}", connection="AzureWebJobsStorage")
@app.blob_output(arg_name="target", path="copies/{name}", connection="AzureWebJobsStorage")
def copy(req: func.HttpRequest, source: func.InputStream, target: func.Out[bytes]):
    if source is None:
        return func.HttpResponse(status_code=404)
    content = source.read()
    logging.info("Copying %d bytes", len(content))
    target.set(content)
    return "ok"
