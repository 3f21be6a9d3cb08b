"""What the estimate of a spec depends on."""

import pytest

from shared.costs.prices import default_prices
from shared.jobs.submission.estimate import Estimator
from tests.unit.known_sources import parse_spec

CANDIDATES = 1000


def _estimate(**fields):
    spec = parse_spec({"keywords": ["cat"], **fields})
    return Estimator(default_prices(), 1024).of(spec, CANDIDATES, CANDIDATES)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"output": {"relevance": True}}, 0.1),
        ({"output": {"embeddings": True}}, 0.1),
        ({"output": {"relevance": True, "embeddings": True}}, 0.1),
        ({"filters": {"scores": {"relevance": {"min_percentile": 5}}}}, 0.1),
        ({"filters": {"faces": "blur"}}, 0.2),
        ({"filters": {"nsfw_max": 0.5}}, 0.4),
        ({"filters": {"faces": "drop", "nsfw_max": 0.5}, "output": {"relevance": True}}, 0.7),
    ],
)
def test_a_job_takes_longer_if_models_look_at_its_images(fields, seconds):
    without, with_models = _estimate(), _estimate(**fields)
    # with models the processor limits the job, and without them the host
    assert with_models.duration.amount > without.duration.amount
    assert with_models.duration.amount == pytest.approx(10 + 12 + CANDIDATES * seconds, rel=0.2)
    assert f"its models take {seconds:.1f} s for each" in with_models.duration.assumption
    assert "models" not in without.duration.assumption
    assert (with_models.execution_time.cost or 0) > (without.execution_time.cost or 0)
