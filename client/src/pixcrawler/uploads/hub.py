"""Uploads the files of a dataset to the Hugging Face Hub. No other module imports `huggingface_hub`.

The library finds the token itself: in `HF_TOKEN`, or where `hf auth login` has stored it. This module only asks
whether there is one, and the library sends it to the Hub alone (`HF_ENDPOINT` names another one).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pixcrawler.errors import HubRefused, Unreachable, WrongUse

# the Hub asks for fewer than 10,000 files in a folder, and commits fewer than 25,000 at a time
MAX_FILES: Final = 10_000


def push_to_hub(folder: Path, files: Sequence[Path], repo: str, *, public: bool = False) -> str:
    """Uploads files of a folder to a dataset repository, in one commit; returns the address of the repository.

    The repository is made if it does not exist: only you can see it, unless it is `public`. Files that the
    Hub has already are not sent again, so a second call goes on where the first one broke off.

    Raises:
        WrongUse: `huggingface_hub` or the token is missing, the name is wrong, or there are too many files.
        HubRefused: the Hub has refused the token, the name or a file.
        Unreachable: the Hub did not answer.
    """
    try:
        from huggingface_hub import CommitOperationAdd, HfApi, get_token
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise WrongUse("The upload needs huggingface_hub: pip install 'pixcrawler[hub]'.") from None
    if len(files) > MAX_FILES:
        raise WrongUse(
            f"The dataset has {len(files):,} files; the Hub takes {MAX_FILES:,} at a time. "
            'Make it with the format "parquet".'
        )
    if get_token() is None:
        raise WrongUse("No token for the Hub: set HF_TOKEN, or run `hf auth login`.")
    if not sys.stderr.isatty():
        disable_progress_bars()
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    # only these files are read, whatever else is in the folder
    additions = [CommitOperationAdd(path.relative_to(folder).as_posix(), path) for path in files]
    try:
        url = api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        api.create_commit(
            url.repo_id, additions, repo_type="dataset", commit_message="Upload a dataset of PixCrawler"
        )
    except HFValidationError as error:
        raise WrongUse(f"{repo} is not the name of a repository: {error}") from error
    except HfHubHTTPError as error:
        raise HubRefused(f"The Hub has refused the upload: {error}") from error
    except OSError as error:
        raise Unreachable(f"The Hub did not answer: {error}") from error
    except ValueError as error:
        raise HubRefused(f"The Hub has refused the upload: {error}") from error
    return str(url)
