"""Uploads to the Hub: each file arrives, and the token goes to the Hub alone."""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from pixcrawler.errors import WrongUse
from pixcrawler.uploads import hub as uploads
from tests.client.conftest import KEY, StoredFile, links
from tests.client.hub import TOKEN, running_hub

FILES = {
    "README.md": b"---\nlicense: other\n---\n",
    "train/cat/1.jpg": b"an image",
    "train/[a]/2.jpg": b"another",
}


@pytest.fixture
def hub():
    with running_hub() as running:
        yield running


@pytest.fixture
def push(app, config, hub, tmp_path):
    """Returns a function that runs the command in a process of its own, as the library reads variables once."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, data in FILES.items():
            opened.writestr(name, data)
    app.on("/blob", StoredFile(archive.getvalue()))
    app.on("/api/v1/datasets/a1/download", links(app, archive.getvalue()))

    def push(*arguments, token=TOKEN, code=0):
        environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251 - where the interpreter finds its libraries
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PIXCRAWLER_CONFIG": str(config),
            "PIXCRAWLER_URL": app.url,
            "PIXCRAWLER_API_KEY": KEY,
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1",
            **({"HF_TOKEN": token} if token else {}),
        }
        command = [sys.executable, "-m", "pixcrawler", "push-to-hub", "a1", "me/pets", "--to", str(tmp_path)]
        done = subprocess.run(  # noqa: S603 - a command of the test
            [*command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return done.stdout + done.stderr

    return push


def test_each_file_of_a_zip_arrives_unpacked_in_a_private_repository(push, hub):
    out = json.loads(push("--json"))
    assert out == {"url": f"{hub.url}/datasets/me/pets", "files": len(FILES)}
    assert hub.files == FILES
    assert hub.card == FILES["README.md"].decode()
    assert (hub.repository["organization"], hub.repository["name"]) == ("me", "pets")
    assert (hub.repository["type"], hub.repository["visibility"]) == ("dataset", "private")


def test_other_files_that_are_in_the_folder_are_not_uploaded(push, hub, tmp_path):
    push()
    (tmp_path / "pets" / "private.txt").write_text("private")
    (tmp_path / "private.txt").write_text("private")
    hub.files.clear()
    push()
    assert hub.files == FILES


def test_a_repository_is_public_only_if_that_is_said(push, hub):
    push("--public")
    assert hub.repository.get("visibility") != "private"


def test_the_token_goes_to_the_hub_alone_and_the_key_to_the_app_alone(push, app, hub):
    push()
    assert all(KEY not in headers for _, headers in hub.requests)
    assert app.asked
    assert all(TOKEN not in str(asked.headers) for asked in app.asked)


def test_a_second_upload_sends_no_image_again(push, hub):
    push()
    sent = sum(path.startswith("/large/") for path, _ in hub.requests)
    push()
    assert sum(path.startswith("/large/") for path, _ in hub.requests) == sent == 2


def test_files_of_an_earlier_revision_are_removed_and_those_of_other_people_stay(push, hub):
    earlier = {
        *("train/cat/00000007.jpg", "val/dog/00000008.png", "val/metadata.parquet", "annotations.coco.json"),
        *("train-00000-of-00012.parquet", "test-00003.tar", "00001.tar", "preview.jpg"),
        *("test/embeddings.npy", "embeddings.npy"),
    }
    others = {".gitattributes", "train/cat/mine.jpg", "notes.md", "model.parquet", "CONSENT.jsonl"}
    hub.files |= dict.fromkeys(earlier | others, b"earlier")
    push()
    assert set(hub.files) == {*FILES, *others}


def test_no_file_of_a_repository_without_a_dataset_of_the_app_is_removed(push, hub):
    hub.files["train-00000-of-00002.parquet"] = b"the work of a person"
    push()
    assert set(hub.files) == {*FILES, "train-00000-of-00002.parquet"}


def test_a_hub_that_does_not_answer_is_reported(push, hub, monkeypatch):
    monkeypatch.setattr(hub, "url", "http://127.0.0.1:9")
    assert "did not answer" in push(code=4)


@pytest.mark.parametrize("answer", [{}, [], None, {"url": 5}])
def test_an_answer_that_is_not_that_of_a_hub_is_reported(push, hub, answer):
    hub.answer = (answer,)
    assert "not the answer of a Hub" in push(code=6)


def test_a_missing_or_wrong_token_is_reported(push, hub):
    assert "hf auth login" in push(token="", code=2)
    assert "refused" in push(token="hf_other", code=3)
    assert hub.files == {}


def test_more_files_than_the_hub_takes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FILES", 1)
    with pytest.raises(WrongUse, match=r'2 files; the Hub takes 1 at a time.*"parquet"'):
        uploads.push_to_hub(tmp_path, [tmp_path / "a", tmp_path / "b"], "me/pets")


def test_the_error_without_the_library_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(WrongUse, match=r"pixcrawler\[hub\]"):
        uploads.push_to_hub(tmp_path, [], "me/pets")
