"""The page on users has the tiers, scopes and bodies of the code."""

from functions.http.models.users import CreateKeyBody
from shared.users.caller import Scope
from shared.users.tiers import DEFAULT_TIERS, Tier
from tests.unit.documents.markdown import codes_in, rows_of, section_of

PAGE = "docs/reference/users.md"
COUNTS = ("requests_per_minute", "jobs_at_once", "images_per_month", "images_per_job")


def test_the_tiers_are_those_of_the_code_with_their_limits_and_prices() -> None:
    for row in rows_of(section_of(PAGE, "Tiers")):
        [tier] = [tier for name, tier in DEFAULT_TIERS.items() if name == codes_in(row[0])[0]]
        counts = [f"{getattr(tier, name):,}" for name in COUNTS]
        assert row[1:] == [*counts, f"{tier.monthly_price_usd:g} USD"]
    assert len(rows_of(section_of(PAGE, "Tiers"))) == len(DEFAULT_TIERS)
    assert set(codes_in(section_of(PAGE, "Tiers"))) >= Tier.model_fields.keys()


def test_the_scopes_are_those_of_the_code() -> None:
    assert [codes_in(row[0])[0] for row in rows_of(section_of(PAGE, "Scopes"))] == list(Scope)


def test_the_fields_of_a_key_are_those_of_the_code() -> None:
    rows = rows_of(section_of(PAGE, "Your own keys"))
    assert {codes_in(row[0])[0] for row in rows} >= CreateKeyBody.model_fields.keys()
