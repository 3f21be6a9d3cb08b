"""The settings of the image services: their base URLs, and the keys for them. Only the settings use this module."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from shared.setting_types import BaseUrl


class ImageServiceSettings(BaseSettings):
    """The part of the settings that sources need to call their services."""

    openverse_base_url: BaseUrl = "https://api.openverse.org"
    """The base URL of the Openverse API."""
    openverse_client_id: str | None = None
    """The OAuth2 client for Openverse, which has higher limits."""
    openverse_client_secret: SecretStr | None = None
    """The secret of that client."""
    wikimedia_base_url: BaseUrl = "https://commons.wikimedia.org"
    """The base URL of Wikimedia Commons, or of another MediaWiki with the same extensions."""
    flickr_base_url: BaseUrl = "https://api.flickr.com"
    """The base URL of the Flickr API."""
    flickr_api_key: SecretStr | None = None
    """The key for Flickr. Without a service's key, jobs that name it as a source are refused."""
    pexels_base_url: BaseUrl = "https://api.pexels.com"
    """The base URL of the Pexels API."""
    pexels_api_key: SecretStr | None = None
    """The key for Pexels."""
    pixabay_base_url: BaseUrl = "https://pixabay.com"
    """The base URL of the Pixabay API."""
    pixabay_api_key: SecretStr | None = None
    """The key for Pixabay."""
    brave_base_url: BaseUrl = "https://api.search.brave.com"
    """The base URL of the Brave Search API."""
    brave_api_key: SecretStr | None = None
    """The key for Brave Search."""
