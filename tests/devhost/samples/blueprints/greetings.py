import logging

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("Greet")
@bp.route(route="greet/{name}", methods=[func.HttpMethod.GET])
async def greet(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("Greeting somebody.")
    return func.HttpResponse(f"Good day, {req.route_params['name']}")
