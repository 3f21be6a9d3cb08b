"""robots.txt cut down to what concerns us, so that parsing and asking it take bounded memory and little time.

The parser keeps a group's rules for each of its agents, so that half a megabyte of both would be gigabytes; and it
tries rules with `*` or `$` one by one against each address.
"""

import re
from collections.abc import Iterator

_MAX_SIGNS = 500
_SHORTEST = len("host:x")  # of all lines that say anything
_AGENT = re.compile(r"(?:user-agent|useragent|user\s++agent)(?:\s*+:|\s|$)\s*+(.*)", re.IGNORECASE)
_SITE_WIDE = re.compile(r"(?:sitemaps?|site-map|host)[\s:]", re.IGNORECASE)
_TOKEN = re.compile(r"[a-z_-]*+")
_NO_PATH = re.compile(r"[^\s:]++\s*+:?\s*+")


def concerning(agent: str, text: str) -> str:
    """The same rules for `agent`, which is a product token in lower case, and the sitemaps; RFC 9309, 2.2.1.

    Rules with `*` or `$` are kept as they are up to 500 of these signs. Further ones forbid all that begins as they do,
    or allow nothing: the strict reading of more than can be tried for each address.
    """
    stripped = (line.partition("#")[0].strip() for line in text.splitlines())
    lines = [line for line in stripped if len(line) >= _SHORTEST]
    names = {_name(found[1]) for line in lines if (found := _AGENT.match(line))}
    group = max((name for name in names if name and agent.startswith(name)), key=len, default="*")
    return "\n".join(_simplified(_of_group(lines, group, agent)))


def _name(value: str) -> str:
    """A star, or a product token without the version and whatever else is behind it; RFC 9309, 2.2.1.

    Stars within are passed over, as the parser does.
    """
    name = value.strip().lower()
    found = _TOKEN.match(name.replace("*", ""))
    return name if name == "*" or found is None else found[0]


def _of_group(lines: list[str], group: str, agent: str) -> Iterator[str]:
    """The lines of the groups that name `group`, under the agent's own name, and those about the whole site."""
    ours, among_agents = False, False
    for line in lines:
        found = _AGENT.match(line)
        if found:
            ours = (ours and among_agents) or _name(found[1]) == group
            among_agents = True
        elif _SITE_WIDE.match(line):
            yield line
        else:
            if ours:
                if among_agents:
                    yield f"User-agent: {agent}"
                yield line
            among_agents = False


def _simplified(lines: Iterator[str]) -> Iterator[str]:
    signs = 0
    for line in lines:
        found = re.search(r"[*$]", line)
        if found is None or _SITE_WIDE.match(line):
            yield line
            continue
        signs += line.count("*") + line.count("$")
        if signs <= _MAX_SIGNS:
            yield line
        elif not line.lower().startswith("allow"):
            begins = line[: found.start()]
            yield f"{begins}/" if _NO_PATH.fullmatch(begins) else begins
