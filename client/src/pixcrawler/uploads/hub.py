"""Uploads the files of a dataset to the Hugging Face Hub. No other module imports `huggingface_hub`.

The library finds the token itself: in `HF_TOKEN`, or where `hf auth login` has stored it. This module only asks
whether there is one, and the library sends it to the Hub alone (`HF_ENDPOINT` names another one).
"""

import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pixcrawler.errors import BadAnswer, HubRefused, Unreachable, WrongUse

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationDelete, HfApi

# the Hub asks for fewer than 10,000 files in a folder, and commits fewer than 25,000 at a time
MAX_FILES: Final = 10_000

# a file that each dataset has, and hardly anything else
_MARK = "CONSENT.jsonl"
_OF_DATASETS = re.compile(
    r"(train|val|test)/([^/]+/\d{8,}\.\w+|metadata\.parquet|embeddings\.npy)"
    r"|(train|val|test)-\d{5}-of-\d{5}\.parquet|((train|val|test)-)?\d{5}\.tar"
    r"|annotations\.[\w.]+|metadata\.parquet|embeddings\.npy|preview\.jpg"
)


def push_to_hub(folder: Path, files: Sequence[Path], repo: str, *, public: bool = False) -> str:
    """Uploads files of a folder to a dataset repository, in one commit; returns the address of the repository.

    The repository is made if it does not exist: only you can see it, unless it is `public`. Files that the
    Hub has already are not sent again, so a second call goes on where the first one broke off. Images, shards and
    annotations of an earlier dataset in the repository are removed in the same commit: they may have been opted out,
    and loaders would read them, too.

    Raises:
        WrongUse: `huggingface_hub` or the token is missing, the name is wrong, or there are too many files.
        HubRefused: the Hub has refused the token, the name or a file.
        Unreachable: the Hub did not answer.
        BadAnswer: the answer is not that of a Hub.
    """
    try:
        from huggingface_hub import CommitOperationAdd, HfApi, get_token
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise WrongUse("The upload needs huggingface_hub: pip install 'pixcrawler[hub]'.") from None
    _check_count(files)
    if get_token() is None:
        raise WrongUse("No token for the Hub: set HF_TOKEN, or run `hf auth login`.")
    if not sys.stderr.isatty():
        disable_progress_bars()
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    # only these files are read, whatever else is in the folder
    additions = [CommitOperationAdd(path.relative_to(folder).as_posix(), path) for path in files]
    with _errors_of_the_client(repo):
        url = api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        removals = _removals(api, url.repo_id, {each.path_in_repo for each in additions})
        message = "Upload a dataset of PixCrawler"
        api.create_commit(url.repo_id, [*additions, *removals], repo_type="dataset", commit_message=message)
    return str(url)


@contextmanager
def _errors_of_the_client(repo: str) -> Iterator[None]:
    """Turns the errors of the library in this block into those that `push_to_hub` declares."""
    # the last one is the error of the library's HTTP client, which is another one in each of its versions
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
    )

    try:
        yield
    except HFValidationError as error:
        raise WrongUse(f"{repo} is not the name of a repository: {error}") from error
    except HfHubHTTPError as error:
        raise HubRefused(f"The Hub has refused the upload: {error}") from error
    except (HTTPError, OSError) as error:
        raise Unreachable(f"The Hub did not answer: {error}") from error
    except ValueError as error:
        raise HubRefused(f"The Hub has refused the upload: {error}") from error
    except (AttributeError, LookupError, TypeError) as error:
        # the library takes answers apart without looking at them
        raise BadAnswer(f"This is not the answer of a Hub: {error}") from error


def _check_count(files: Sequence[Path]) -> None:
    if len(files) > MAX_FILES:
        raise WrongUse(
            f"The dataset has {len(files):,} files; the Hub takes {MAX_FILES:,} at a time. "
            'Make it with the format "parquet".'
        )


def _removals(api: "HfApi", repo_id: str, new: Collection[str]) -> "Sequence[CommitOperationDelete]":
    """Removes the files of an earlier dataset that are not among the `new` ones, if there is an earlier dataset."""
    from huggingface_hub import CommitOperationDelete

    files = api.list_repo_files(repo_id, repo_type="dataset")
    if _MARK not in files:
        return ()
    stale = [name for name in files if name not in new and _OF_DATASETS.fullmatch(name)]
    return [CommitOperationDelete(name, is_folder=False) for name in stale]
