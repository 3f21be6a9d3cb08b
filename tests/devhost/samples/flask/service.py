from flask import Flask, request

web = Flask(__name__)


@web.get("/hello/<name>")
def hello(name: str) -> str:
    return f"Hello {name}, {request.args.get('title', 'nobody')}"


@web.post("/echo")
def echo() -> tuple[bytes, int]:
    return request.get_data(), 202
