import azure.functions as func
from greetings import bp

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

app.register_functions(bp)


@app.route(route="HttpTrigger")
def http_trigger(req: func.HttpRequest) -> func.HttpResponse:
    name = req.params.get("name")
    if not name:
        try:
            body = req.get_json()
        except ValueError:
            pass
        else:
            name = body.get("name")
    if name:
        return func.HttpResponse(f"Hello, {name}.")
    return func.HttpResponse("Pass a name in the query string or in the request body.", status_code=200)
