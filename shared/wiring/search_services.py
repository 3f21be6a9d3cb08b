"""Reads the addresses of the search services and their keys from the settings."""

from dataclasses import replace

from pydantic import SecretStr

from shared.settings import Settings
from shared.sources.kinds import SourceSettings
from shared.sources.search.json_api import ApiAccess
from shared.sources.search.openverse import OpenverseAccess


def source_settings(settings: Settings) -> SourceSettings:
    """Returns the address, the key and the limits of each service. The limits do not depend on settings."""
    known = SourceSettings()

    def access(service: ApiAccess, base_url: str, key: SecretStr | None = None) -> ApiAccess:
        return replace(service, base_url=base_url, key=_plain(key))

    return SourceSettings(
        openverse=OpenverseAccess(
            settings.openverse_base_url,
            settings.openverse_client_id,
            _plain(settings.openverse_client_secret),
        ),
        wikimedia=access(known.wikimedia, settings.wikimedia_base_url),
        flickr=access(known.flickr, settings.flickr_base_url, settings.flickr_api_key),
        pexels=access(known.pexels, settings.pexels_base_url, settings.pexels_api_key),
        pixabay=access(known.pixabay, settings.pixabay_base_url, settings.pixabay_api_key),
        brave=access(known.brave, settings.brave_base_url, settings.brave_api_key),
    )


def _plain(secret: SecretStr | None) -> str | None:
    """Returns the secret without white space at its ends, or None if there is none or it is empty."""
    return (secret.get_secret_value().strip() or None) if secret else None
