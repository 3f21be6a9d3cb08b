"""The sources and specs as the app knows them without any settings, for tests of their parts."""

from shared.clock import SystemClock
from shared.jobs.spec.spec import SpecReader
from shared.sources.kinds import SourceSettings, known_kinds
from shared.sources.registry import SourceRegistry
from shared.sources.source import SourceConfig, SourceContext
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect
from tests.expect import present

KINDS = known_kinds(SourceSettings())
FORMATS = ("jpeg", "png", "webp", "gif")


def context(web=None, clock=None, blobs=None, **job):
    """What sources work with; `job` is what a job asks for."""
    return SourceContext(web, blobs or MemoryBlobs(), clock or SystemClock(), HostWishes.over(web), **job)


def open_source(spec, web=None, clock=None, *, blobs=None, settings=None, wanted=None):
    """The source of an entry of a spec, or of what there is to ask of it under the licences `wanted`."""
    kinds = known_kinds(settings) if settings else KINDS
    registry = SourceRegistry(kinds, context(web, clock, blobs))
    config = spec if isinstance(spec, SourceConfig) else registry.parse(spec)
    return registry.open(present(config.under(wanted)) if wanted else config, Respect(), FORMATS)


SOURCES = SourceRegistry(KINDS, context())
SPECS = SpecReader(SOURCES)
parse_source = SOURCES.parse
parse_spec = SPECS.parse
decode_spec = SPECS.decode
