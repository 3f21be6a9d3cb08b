"""What the command line takes from files and from the environment."""

import pytest

from tests.client.conftest import Answer


@pytest.mark.parametrize(("text", "mode"), [("{", 0o600), ("{}", 0o644)])
def test_a_file_of_the_login_does_not_matter_to_those_who_do_not_need_it(app, run, config, text, mode):
    app.on("/api/v1/jobs", Answer({"items": [], "next": None}))
    config.parent.mkdir()
    config.write_text(text)
    config.chmod(mode)
    run("jobs")


def test_a_link_in_the_place_of_the_login_is_replaced_and_what_it_names_is_kept(app, run, config, tmp_path):
    app.on("/api/v1/jobs", Answer({"items": [], "next": None}))
    victim = tmp_path / "victim"
    victim.write_text("kept")
    config.parent.mkdir()
    config.symlink_to(victim)
    run("login", app.url)
    assert (config.is_symlink(), victim.read_text()) == (False, "kept")


@pytest.mark.parametrize("labels", ["{no: [norway]}", "{1: [one]}", "{null: [none]}", "[{x: {on: y}}]"])
def test_a_name_that_yaml_reads_as_no_text_is_not_sent_as_another_one(app, run, tmp_path, labels):
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"labels: {labels}\n")
    assert "in quotes" in run("submit", "--spec", str(spec), code=2).output
    assert app.asked == []
