"""The composition root: the one place where adapters are made and services put together.

Everything is made when it is first used, and heavy libraries are imported then, so that a call of the API after a cold
start does not wait for the image decoders; a thread imports them a little later.
"""

from shared.wiring.app import App, app

__all__ = ["App", "app"]
