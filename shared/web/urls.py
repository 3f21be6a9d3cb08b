"""URLs: which are fit to be fetched, and which are the same."""

from yarl import URL

from shared.errors import InvalidRequest

MAX_URL_CHARACTERS = 8000


def parse_url(text: str) -> URL:
    """The URL, with its host in IDNA form and its path percent-encoded once.

    Raises:
        InvalidRequest: it is no http(s) URL of at most 8,000 characters with a host and without credentials.
    """
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"The URL exceeds {MAX_URL_CHARACTERS:,} characters.")
    if any(character in "\r\n\t\0" for character in text.strip()):
        raise InvalidRequest("The URL contains control characters.")
    try:
        url = URL(text.strip())
        valid = url.scheme in {"http", "https"} and bool(url.raw_host) and url.port != 0
        credentials = url.raw_user is not None or url.raw_password is not None
    except (ValueError, TypeError, UnicodeError):
        raise InvalidRequest("The URL cannot be read.") from None
    if not valid:
        raise InvalidRequest("Only http and https URLs with a host can be fetched.")
    if credentials:
        raise InvalidRequest("URLs with a user name or password are not fetched.")
    return url


def address_key(text: str) -> str:
    """What two spellings of one address have in common: lower-case host, no default port, no fragment.

    Query strings stay as they are: servers tell images apart by them. What is no URL is its own key.
    """
    try:
        url = parse_url(text)
    except InvalidRequest:
        return text
    return str(url.with_fragment(None))
