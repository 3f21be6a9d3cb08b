import azure.functions as func
from service import web

app = func.WsgiFunctionApp(app=web.wsgi_app, http_auth_level=func.AuthLevel.ANONYMOUS)
