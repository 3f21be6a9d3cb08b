"""Settings: empty ones count as not set, and one error names all wrong ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.costs.prices import read_prices
from shared.settings import Settings, SettingsError, load_settings
from shared.users.tiers import read_tiers

ROOT = Path(__file__).parents[3]
CONTAINER = "must be 3 to 63 lower-case letters, digits and single hyphens between them"
LINKS = "must be 60 to 604,800 (7 days, which is the most that Azure allows)"
URL = "must be an http(s) URL with a host, without a query"
MODEL = (
    "must be the name of a folder below models/: 1 to 100 letters, digits, dots, hyphens and underscores, "
    "the first a letter or a digit"
)
RELEVANCE = "must be azure-vision, or onnx: and the name of a folder below models/"
NAMES = [field.validation_alias or name.upper() for name, field in Settings.model_fields.items()]


@pytest.fixture
def loaded(monkeypatch):
    """Loads the settings from an environment."""

    def load(**environment):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        load_settings.cache_clear()
        return load_settings()

    yield load
    load_settings.cache_clear()


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize("name", NAMES)
def test_an_empty_setting_counts_as_not_set(loaded, name, blank):
    assert loaded(**{name: blank}) == loaded()


def test_what_is_set_beside_empty_settings_is_read(loaded):
    found = loaded(CHUNK_SIZE="", FETCH_CONCURRENCY="7", flickr_api_key="k")
    assert (found.chunk_size, found.fetch_concurrency, found.flickr_api_key) == (1024, 7, SecretStr("k"))


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("CHUNK_SIZE", "abc", "must be a whole number"),
        ("CHUNK_SIZE", "0", "must be at least 1"),
        ("CHUNK_SIZE", "4097", "must be at most 4096"),
        ("DOWNLOAD_LINK_SECONDS", "604801", LINKS),
        ("DOWNLOAD_LINK_SECONDS", "59", LINKS),
        ("DOWNLOAD_LINK_SECONDS", "nan", LINKS),
        ("CHUNK_SIZE", "1.5", "must be a whole number"),
        ("FETCH_TIMEOUT_SECONDS", "-1", "must be more than 0"),
        ("FETCH_TIMEOUT_SECONDS", "inf", "must be at most 1000000000"),
        ("FETCH_TIMEOUT_SECONDS", "soon", "must be a number"),
        ("CRAWL_ALLOW_PRIVATE_NETWORKS", "perhaps", "must be true or false"),
        ("DATASETS_CONTAINER", "X", CONTAINER),
        ("DATASETS_CONTAINER", "my_datasets", CONTAINER),
        ("DATASETS_CONTAINER", "-ab", CONTAINER),
        ("DATASETS_CONTAINER", "a--b", CONTAINER),
        ("DATASETS_CONTAINER", "a" * 64, CONTAINER),
        ("OPENVERSE_BASE_URL", "foo", URL),
        ("OPENVERSE_BASE_URL", "ftp://a", URL),
        ("WIKIMEDIA_BASE_URL", "https://", URL),
        ("BRAVE_BASE_URL", "http://[::1", URL),
        ("PIXABAY_BASE_URL", "https://a/?key=b", URL),
        ("USER_AGENT", "caf\u00e9", "must be printable ASCII characters"),
        ("CHUNK_SIZE", "none", "must be a whole number"),
        ("COOL_AFTER_DAYS", "soon", "must be a whole number"),
        ("ARCHIVE_AFTER_DAYS", "0", "must be at least 1"),
        ("DELETE_AFTER_DAYS", "6", "must be at least 7"),
        ("LIFECYCLE", "offline", "must be 'archive' or 'online'"),
        ("AzureWebJobsStorage__credential", "magic", "must be 'managedidentity'"),
        ("FACES_MODEL", "../yunet", MODEL),
        ("NSFW_MODEL", "models/nsfw", MODEL),
        ("RELEVANCE_MODEL", "clip", RELEVANCE),
        ("RELEVANCE_MODEL", "onnx:", RELEVANCE),
        ("RELEVANCE_MODEL", "onnx:models/clip", RELEVANCE),
        ("NSFW_LABELS", " , ,", "must be labels with commas between them"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_its_rule(loaded, name, value, rule):
    with pytest.raises(SettingsError) as caught:
        loaded(**{name: value})
    assert str(caught.value).splitlines() == ["Settings are wrong.", f"{name} is {value!r}; it {rule}"]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[]", 'must be an object by tier, such as {"free": {"jobs_at_once": 1}}'),
        ('{"free": 1}', 'must be an object by tier, such as {"free": {"jobs_at_once": 1}}'),
        ('{"free"', "must be JSON. The text is not JSON: line 1, column 8."),
        ('{"free": {}, "free": {}}', "must be JSON. The text is not valid JSON. free is given twice"),
        ('{"free": {"monthly_price_usd": 1}}', "is wrong: the tier 'free' must have the price 0"),
        ('{"gold": {}}', "is wrong: there is no tier 'gold'; the tiers are free, pro, enterprise"),
        (
            '{"free": {"jobs_at_once": 0}, "pro": {"jobs": 1}}',
            "is wrong: free.jobs_at_once must be at least 1; pro.jobs is not a known field",
        ),
        (
            '{"free": {"cool_after_days": 9, "delete_after_days": 8}}',
            "is wrong: free 'delete_after_days' is 8; it must be at least 'cool_after_days', which is 9",
        ),
    ],
)
def test_a_wrong_tier_is_named_with_its_rule(loaded, text, rule):
    with pytest.raises(SettingsError) as caught:
        loaded(TIERS=text)
    assert str(caught.value).splitlines()[1] == f"TIERS is {text!r}; it {rule}"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[]", 'must be an object, such as {"date": "2026-11-29", "egress": {"gb": 0.08}}'),
        ('{"date"', "must be JSON. The text is not JSON: line 1, column 8."),
        (
            '{"egress": {"gb": 0.08}}',
            "is wrong: date is missing: the day of the changed prices, such as 2026-11-29",
        ),
        ('{"date": "2026-11-29", "egress": {"gb": -1}}', "is wrong: egress.gb must be at least 0"),
        ('{"date": "2026-11-29", "ingress": 1}', "is wrong: ingress is not a known field"),
    ],
)
def test_a_wrong_price_is_named_with_its_rule(loaded, text, rule):
    with pytest.raises(SettingsError) as caught:
        loaded(PRICES=text)
    assert str(caught.value).splitlines()[1] == f"PRICES is {text!r}; it {rule}"


def test_prices_are_those_of_the_file_with_the_changes(loaded):
    changes = {"date": "2026-12-01", "egress": {"gb": 0.08}}
    assert loaded(PRICES=json.dumps(changes)).prices == read_prices(changes)


def test_tiers_are_the_defaults_with_the_changes(loaded):
    tiers = loaded(TIERS='{"free": {"jobs_at_once": 1}}').tiers
    assert tiers == read_tiers({"free": {"jobs_at_once": 1}})


def test_the_ages_of_datasets_ascend(loaded):
    with pytest.raises(SettingsError) as caught:
        loaded(ARCHIVE_AFTER_DAYS="20")
    assert str(caught.value).splitlines()[1:] == [
        "'ARCHIVE_AFTER_DAYS' is 20; it must be at least 'COOL_AFTER_DAYS', which is 30"
    ]


def test_a_step_of_datasets_may_never_be_taken(loaded):
    settings = loaded(COOL_AFTER_DAYS="never", ARCHIVE_AFTER_DAYS=" Never", LIFECYCLE="Online")
    assert (settings.cool_after_days, settings.archive_after_days) == (None, None)
    assert settings.lifecycle == "online"


@pytest.mark.parametrize(
    "name", ["ADMIN_API_KEY", "ADMIN_API_KEY_NEXT", "PEXELS_API_KEY", "AzureWebJobsStorage"]
)
def test_a_reference_to_a_key_vault_that_is_not_resolved_is_no_secret(loaded, name):
    with pytest.raises(SettingsError) as caught:
        loaded(**{name: " @Microsoft.KeyVault(SecretUri=https://vault.example/secrets/key)"})
    assert str(caught.value).splitlines()[1:] == [
        f"{name} is a Key Vault reference that is not resolved: check the secret and the app's role"
    ]


def test_both_keys_of_the_administrator_are_valid(loaded):
    assert loaded(ADMIN_API_KEY="a", ADMIN_API_KEY_NEXT="b").admin_keys == ("a", "b")
    assert loaded(ADMIN_API_KEY_NEXT="b").admin_keys == ("b",)
    assert loaded().admin_keys == ()


def test_a_user_agent_that_no_header_holds_is_refused(loaded):
    with pytest.raises(SettingsError, match=r"USER_AGENT is .*; it must be printable ASCII characters"):
        loaded(USER_AGENT="a\nb")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATASETS_CONTAINER", "abc"),
        ("DATASETS_CONTAINER", "a-1-" + "b" * 59),
        ("OPENVERSE_BASE_URL", "http://127.0.0.1:1"),
        ("OPENVERSE_BASE_URL", "https://[::1]:80/api/"),
        ("USER_AGENT", "mine/1 (me@example.org)"),
        ("DOWNLOAD_LINK_SECONDS", "60.5"),
    ],
)
def test_a_setting_that_follows_its_rule_is_accepted_unchanged(loaded, name, value):
    assert str(getattr(loaded(**{name: value}), name.lower())) == value


def test_all_wrong_settings_are_reported_in_one_error(loaded):
    with pytest.raises(SettingsError) as caught:
        loaded(CHUNK_SIZE="x", STEP_BUDGET_SECONDS="481", ADMIN_API_KEY="secret")
    assert len(str(caught.value).splitlines()) == 3
    assert "secret" not in str(caught.value)


def test_a_service_without_an_endpoint_is_reported(loaded):
    blobs = {"AzureWebJobsStorage__blobServiceUri": "https://a.blob.core.windows.net"}
    with pytest.raises(
        SettingsError, match="queueServiceUri and AzureWebJobsStorage__tableServiceUri must be set"
    ):
        loaded(**blobs)
    assert loaded(**blobs, AzureWebJobsStorage__accountName="a").storage_account == "a"
    assert loaded(**blobs, AzureWebJobsStorage="UseDevelopmentStorage=true").storage_connection is not None


def test_a_wrong_setting_is_the_last_line_that_the_app_says(monkeypatch):
    monkeypatch.setenv("CHUNK_SIZE", "abc")
    command = [sys.executable, "-c", "import function_app"]
    ended = subprocess.run(  # noqa: S603 - this very Python
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "CHUNK_SIZE is 'abc'; it must be a whole number"
    assert "pydantic" not in ended.stderr


ON_AZURE = {"WEBSITE_SITE_NAME": "pix", "WEBSITE_POD_NAME": "pod-1"}
REAL = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"


def test_a_key_of_the_storage_account_is_refused_on_azure(loaded):
    with pytest.raises(SettingsError) as caught:
        loaded(AzureWebJobsStorage=REAL, **ON_AZURE)
    [line] = str(caught.value).splitlines()[1:]
    assert line == (
        "AzureWebJobsStorage is a connection string, whose key opens the whole storage account. On Azure the app uses "
        "its identity only: remove it, and set AzureWebJobsStorage__accountName"
    )
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize("tricky", ["https://127.0.0.1.evil.example", "https://evil.example/127.0.0.1", ""])
def test_an_emulator_is_known_by_the_host_of_its_endpoint(loaded, tricky):
    with pytest.raises(SettingsError, match="identity only"):
        loaded(AzureWebJobsStorage=f"AccountName=a;AccountKey=YQ==;BlobEndpoint={tricky}", **ON_AZURE)


@pytest.mark.parametrize(
    "connection",
    ["UseDevelopmentStorage=true", "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:10000/a;"],
)
def test_an_emulator_may_have_a_key_and_so_may_an_app_that_is_not_on_azure(loaded, connection):
    assert loaded(AzureWebJobsStorage=connection, **ON_AZURE).running_in_azure
    assert loaded(AzureWebJobsStorage=REAL).storage_connection
