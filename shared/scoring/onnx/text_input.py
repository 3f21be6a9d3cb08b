"""Makes the input of a text model: the numbers of a text's tokens, always as many as the model takes.

The library `tokenizers` comes with the extra `scores`, and is imported when it is needed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from shared.scoring.model_files import TOKENIZER_CONFIG_FILE, TOKENIZER_FILE
from shared.scoring.onnx.config_files import invalid_file, read_config
from shared.scoring.onnx.session import Tensor, installed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MAX_CHARACTERS = 2000


class _Token(BaseModel):
    content: Annotated[str, Field(max_length=100)]


class _Config(BaseModel):
    """The fields of `tokenizer_config.json` that are used. Others are ignored."""

    model_config = ConfigDict(extra="ignore")

    model_max_length: Annotated[int, Field(ge=1, le=1024)]
    pad_token: Annotated[str, Field(max_length=100)] | _Token


class TextInput:
    """The tokenizer of a model. Longer texts are cut, and shorter ones padded, as CLIP and SigLIP are trained."""

    def __init__(self, tokenizer: bytes, config: bytes, model: str) -> None:
        """Reads both files of the tokenizer. `model` is its name in errors.

        Raises:
            Permanent: the library is not installed, or a file is not valid.
        """
        self._model = model
        found = read_config(_Config, config, TOKENIZER_CONFIG_FILE, model)
        pad = found.pad_token if isinstance(found.pad_token, str) else found.pad_token.content
        self._tokenizer = self._read(tokenizer, found.model_max_length, pad)

    def encode(self, text: str) -> Mapping[str, Tensor]:
        """Returns `input_ids` and `attention_mask`, int64 of shape (1, the model's length).

        Raises:
            Permanent: the tokenizer does not work.
        """
        try:
            found = self._tokenizer.encode(text[:_MAX_CHARACTERS])
            ids, mask = np.array([found.ids], np.int64), np.array([found.attention_mask], np.int64)
        except BaseException as error:  # noqa: BLE001 - a panic of the library is no `Exception`
            raise self._wrong(error) from None
        return {"input_ids": ids, "attention_mask": mask}

    def _read(self, data: bytes, length: int, pad: str) -> "Tokenizer":
        kind = installed(_import_tokenizer, "tokenizers")
        try:
            tokenizer = kind.from_str(data.decode())
            number = tokenizer.token_to_id(pad)
            if number is not None:
                tokenizer.enable_truncation(length)
                tokenizer.enable_padding(length=length, pad_id=number, pad_token=pad)
        except BaseException as error:  # noqa: BLE001 - a panic of the library is no `Exception`
            raise self._wrong(error) from None
        if number is None:
            why = f"pad_token: {TOKENIZER_FILE} has no token {pad!r}"
            raise invalid_file(TOKENIZER_CONFIG_FILE, self._model, why)
        return tokenizer

    def _wrong(self, error: BaseException) -> BaseException:
        """Returns the error of a file at which the library failed, or an error that is not the library's.

        A panic of its Rust code is no `Exception`, but it ends one call only.
        """
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return error
        return invalid_file(TOKENIZER_FILE, self._model, _line(error))


def _import_tokenizer() -> "type[Tokenizer]":
    from tokenizers import Tokenizer

    return Tokenizer


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
