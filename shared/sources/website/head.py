"""Reads what a page declares about itself: its title, its preview pictures, and its rules for robots."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.sources.website.charset import encoding_in_page
from shared.sources.website.elements import Attributes, line_of, relations_of
from shared.sources.website.meta_prescan import meta_label
from shared.sources.website.picture import PLAIN, Picture
from shared.web.wishes.declared import AGENT_TOKEN
from shared.web.wishes.texts.licence_links import MOST_LINKS, RSL_TYPE

_MAX_OF_A_KIND = 100
_ROBOTS = frozenset({"robots", AGENT_TOKEN, "x-robots-tag"})
_MAX_CONTENT = 10_000


@dataclass(slots=True)
class Head:
    """Collects the elements that belong in a page's head. They count wherever they are.

    `title` is in pieces, and `base` is unchanged. `licences` are the addresses of RSL licences, and `written_licences`
    are whole ones. `robots` are the robots meta elements that concern us. `tdm_reservation` is "1" if any element says
    so, or else "0" or None. `encoding` is the one that the first meta element with a known label declares.
    """

    title: list[str] = field(default_factory=list)
    base: str | None = None
    encoding: str | None = None
    licences: list[str] = field(default_factory=list)
    written_licences: list[str] = field(default_factory=list)
    robots: list[str] = field(default_factory=list)
    tdm_reservation: str | None = None
    _open_graph: list[Picture] = field(default_factory=list)
    _cards: list[Picture] = field(default_factory=list)

    @property
    def pictures(self) -> Sequence[Picture]:
        """Returns the pictures of Open Graph, or those for Twitter if it has none."""
        return self._open_graph or self._cards

    def add_base(self, element: Attributes) -> None:
        """Notes a base element. The first one counts."""
        if self.base is None:
            self.base = element.get("href")

    def add_link(self, element: Attributes) -> None:
        """Notes a link element if it names a licence in RSL."""
        is_rsl = element.get("type", "").strip().lower() == RSL_TYPE
        if is_rsl and "license" in relations_of(element) and len(self.licences) < MOST_LINKS:
            self.licences.append(element.get("href", ""))

    def add_meta(self, element: Attributes) -> None:
        """Notes a meta element if it concerns pictures or robots."""
        names = {
            element.get(key, "").strip().lower()
            for key in ("property", "name", "http-equiv")
            if key in element
        }
        content = element.get("content", "")[:_MAX_CONTENT]
        if self.encoding is None:
            label = meta_label(element)
            self.encoding = encoding_in_page(label) if label is not None else None
        if not names.isdisjoint(_ROBOTS) and len(self.robots) < _MAX_OF_A_KIND:
            self.robots.append(content)
        if "tdm-reservation" in names and self.tdm_reservation != "1" and content.strip() in {"0", "1"}:
            self.tdm_reservation = content.strip()
        for name in names:
            self._add_picture(name, content)

    def _add_picture(self, name: str, content: str) -> None:
        if name in {"og:image", "og:image:url"}:
            _add(self._open_graph, content)
        elif name in {"twitter:image", "twitter:image:src"}:
            _add(self._cards, content)
        elif name == "og:image:alt" and self._open_graph:
            self._open_graph[-1].caption = line_of(content)
        elif name == "twitter:image:alt" and self._cards:
            self._cards[-1].caption = line_of(content)


def _add(pictures: list[Picture], address: str) -> None:
    if len(pictures) < _MAX_OF_A_KIND:
        pictures.append(Picture())
        pictures[-1].offer(address, PLAIN)
