"""What a package imports that adds a kind of source; docs/reference/sources.md says how it is announced.

```python
class MyConfig(SourceConfig):
    type: Literal["mine"] = "mine"
    collection: str


class MySource:
    def __init__(self, config: MyConfig, context: SourceContext) -> None: ...
    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]: ...
    def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]: ...


KIND = SourceKind(MyConfig, MySource)
```
"""

from shared.clock import Clock
from shared.errors import AppError, Permanent, RateLimited, Retryable, Unavailable
from shared.records.candidates import Candidate, Provenance, StoredRange
from shared.sources.source import Page, Query, Source, SourceConfig, SourceContext, SourceKind
from shared.storage.blobs import BlobStore
from shared.web.http.client import WebClient, WebRequest, WebResponse
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect

__all__ = [
    "AppError",
    "BlobStore",
    "Candidate",
    "Clock",
    "HostWishes",
    "Page",
    "Permanent",
    "Provenance",
    "Query",
    "RateLimited",
    "Respect",
    "Retryable",
    "Source",
    "SourceConfig",
    "SourceContext",
    "SourceKind",
    "StoredRange",
    "Unavailable",
    "WebClient",
    "WebRequest",
    "WebResponse",
]
