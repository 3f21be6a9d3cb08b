"""The Azure Functions: each decodes its trigger, calls one service method and encodes the answer."""
