"""An app that answers over HTTP."""

WEB = """
    @app.route(route="echo/{name:alpha}/{number:int?}", methods=["GET", "POST"])
    def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        body = {
            "method": req.method, "url": req.url, "params": dict(req.route_params), "query": dict(req.params),
            "body": req.get_body().decode(), "headers": dict(req.headers),
            "name": context.function_name,
        }
        return func.HttpResponse(
            json.dumps(body), status_code=201, headers={"X-Answer": "yes"}, mimetype="application/json"
        )

    @app.route(route="things/{id}")
    def b_any(req: func.HttpRequest) -> str:
        return "any"

    @app.route(route="things/special")
    def a_special(req: func.HttpRequest) -> str:
        return "special"

    @app.route(route="things/{id:int}")
    def c_never(req: func.HttpRequest) -> str:
        return "never"

    @app.route(route="files/{*rest}")
    def files(req: func.HttpRequest) -> str:
        return req.route_params.get("rest", "")

    @app.route(route="fail")
    async def fail(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("secret detail")

    @app.route(route="size", methods=["POST"])
    def size(req: func.HttpRequest) -> str:
        return str(len(req.get_body()))

    @app.route(route="odd/{code:int}")
    def odd(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("x", status_code=int(req.route_params["code"]), headers={"Vary": "Accept"})

    @app.route(route="nothing")
    def nothing(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(status_code=204)

    @app.route(route="cookie")
    def cookie(req: func.HttpRequest) -> func.HttpResponse:
        answer = func.HttpResponse("set")
        answer.headers.add("Set-Cookie", "a=1; Path=/x; HttpOnly; Max-Age=60; SameSite=Lax; Secure")
        answer.headers.add("Set-Cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
        return answer
"""
