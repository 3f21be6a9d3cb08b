from pydantic import Field, SecretStr

from shared.settings.topics.topic import Topic
from shared.settings.value_types import BaseUrl


class SearchServiceSettings(Topic):
    """Search services.

    Without its key, a [source](sources.md) is refused. Openverse needs none.
    """

    openverse_base_url: BaseUrl = "https://api.openverse.org"
    """The base URL of the Openverse API."""
    openverse_client_id: str | None = Field(None, examples=[""])
    """The OAuth2 client for Openverse's API, which has higher limits."""
    openverse_client_secret: SecretStr | None = Field(None, examples=[""])
    """The secret of that client."""
    wikimedia_base_url: BaseUrl = "https://commons.wikimedia.org"
    """The base URL of Wikimedia Commons, or of another MediaWiki with the same extensions."""
    flickr_base_url: BaseUrl = "https://api.flickr.com"
    """The base URL of the Flickr API."""
    flickr_api_key: SecretStr | None = Field(None, examples=[""])
    """The key for Flickr."""
    pexels_base_url: BaseUrl = "https://api.pexels.com"
    """The base URL of the Pexels API."""
    pexels_api_key: SecretStr | None = Field(None, examples=[""])
    """The key for Pexels."""
    pixabay_base_url: BaseUrl = "https://pixabay.com"
    """The base URL of the Pixabay API."""
    pixabay_api_key: SecretStr | None = Field(None, examples=[""])
    """The key for Pixabay."""
    brave_base_url: BaseUrl = "https://api.search.brave.com"
    """The base URL of the Brave Search API."""
    brave_api_key: SecretStr | None = Field(None, examples=[""])
    """The key for Brave Search."""
