"""The client of PixCrawler, which makes image datasets from keywords.

```python
from pixcrawler import Client

with Client("http://localhost:7071", api_key) as client:
    job = client.submit({"keywords": ["cat", "dog"], "max_images_per_label": 50})
    for job in client.follow(job.id):
        print(job.state, job.progress.kept)
    client.download(job.id, "datasets")
```

The names are imported when they are used, so that the command line starts quickly.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixcrawler.async_client import AsyncClient
    from pixcrawler.client import Client
    from pixcrawler.errors import (
        BadAnswer,
        BrokenDownload,
        NotConfigured,
        PixCrawlerError,
        Refused,
        Unreachable,
        WrongUse,
    )
    from pixcrawler.streaming.load import load_dataset

_MODULES = {
    "AsyncClient": "async_client",
    "Client": "client",
    "BadAnswer": "errors",
    "BrokenDownload": "errors",
    "NotConfigured": "errors",
    "PixCrawlerError": "errors",
    "Refused": "errors",
    "Unreachable": "errors",
    "WrongUse": "errors",
    "load_dataset": "streaming.load",
}

__all__ = [
    "AsyncClient",
    "BadAnswer",
    "BrokenDownload",
    "Client",
    "NotConfigured",
    "PixCrawlerError",
    "Refused",
    "Unreachable",
    "WrongUse",
    "load_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
