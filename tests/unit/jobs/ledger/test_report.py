"""The report of discovery that the owner of a job sees."""

import pytest

from shared.jobs.ledger.report import Problems


@pytest.mark.parametrize("problem", ["a\ud83d", "a\nb", "\N{CAT FACE}" * 1000, "a\u202eb"])
def test_a_problem_of_discovery_is_one_valid_line(problem):
    problems = Problems()
    problems.note([problem, problem])
    assert (problems.count, len(problems.lines)) == (2, 1)
    assert problems.lines[0].isprintable()
    assert len(problems.lines[0].encode("utf-16-le")) <= 600
