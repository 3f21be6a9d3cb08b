"""Implements Scorer with an image-text model in ONNX, whose files the operator puts into storage.

The files are those of the ONNX exports on the Hugging Face Hub: of CLIP (A. Radford and others, "Learning Transferable
Visual Models From Natural Language Supervision", 2021) and SigLIP (X. Zhai and others, "Sigmoid Loss for Language Image
Pre-Training", 2023).
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from shared.errors import Permanent
from shared.scoring.model_files import (
    PREPROCESSOR_FILE,
    RELEVANCE_FILES,
    TEXT_FILE,
    TOKENIZER_CONFIG_FILE,
    TOKENIZER_FILE,
    VISION_FILE,
    ModelFiles,
)
from shared.scoring.onnx.preprocessing import Preprocessing
from shared.scoring.onnx.session import Session
from shared.scoring.onnx.text_input import TextInput
from shared.scoring.scorer import Embedding, Picture, retrieve_error, unit_vector

_GREY = 128
_PROBE_SIDE = 64


class OnnxScorer:
    """Implements `Scorer`. Its files are read once, when the first picture or text comes.

    All tasks of one event loop may use it. As many pictures are processed at the same time as there are cores.
    """

    def __init__(self, files: ModelFiles, model: str) -> None:
        self._files = files
        self._model = model
        self._loading: asyncio.Task[_Loaded] | None = None
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "score")

    @property
    def name(self) -> str:
        """The name of the model's folder."""
        return self._model

    async def embed_picture(self, picture: Picture) -> Embedding:
        """See `Scorer.embed_picture`."""
        loaded = await self._load()
        return await self._run(partial(loaded.embed_picture, picture))

    async def embed_text(self, text: str) -> Embedding:
        """See `Scorer.embed_text`. A text that is too long for the model is cut."""
        loaded = await self._load()
        try:
            return await self._run(partial(loaded.embed_text, text))
        except ValueError:
            raise Permanent(f"The model '{self._model}' has no vector for the text '{text[:100]}'.") from None

    async def _run[T](self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _load(self) -> "_Loaded":
        """Returns the model. All callers wait for one task, which goes on if a caller is cancelled."""
        if self._loading is None or self._failed(self._loading):
            self._loading = asyncio.create_task(self._read())
            self._loading.add_done_callback(retrieve_error)
        return await asyncio.shield(self._loading)

    @staticmethod
    def _failed(task: "asyncio.Task[_Loaded]") -> bool:
        """Returns whether reading failed. The next caller tries again, as the operator may have put the files there."""
        return task.done() and (task.cancelled() or task.exception() is not None)

    async def _read(self) -> "_Loaded":
        # the small files first, so that a missing one is reported before much is read
        preprocessor = await self._read_file(PREPROCESSOR_FILE)
        config = await self._read_file(TOKENIZER_CONFIG_FILE)
        tokenizer = await self._read_file(TOKENIZER_FILE)
        text = await self._run(partial(TextInput, tokenizer, config, self._model))
        preprocessing = Preprocessing.read(preprocessor, self._model)
        vision_session = await self._session(VISION_FILE)
        text_session = await self._session(TEXT_FILE)
        loaded = _Loaded(self._model, preprocessing, text, vision_session, text_session)
        await self._run(loaded.check)
        return loaded

    async def _read_file(self, file: str) -> bytes:
        return await self._files.read(self._model, file, RELEVANCE_FILES[file])

    async def _session(self, file: str) -> Session:
        data = await self._read_file(file)
        return await self._run(partial(Session, data, self._model, file))


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model in memory. The methods take processor time, and may be called in many threads at the same time."""

    model: str
    preprocessing: Preprocessing
    text_input: TextInput
    vision: Session
    text: Session

    def check(self) -> None:
        """Checks that both halves of the model make vectors of one space.

        Raises:
            Permanent: they do not, or do not work at all.
        """
        self.vision.check_inputs("pixel_values")
        self.text.check_inputs("input_ids", "attention_mask")
        grey = np.full((_PROBE_SIDE, _PROBE_SIDE, 3), _GREY, np.uint8)
        grey[: _PROBE_SIDE // 2, :, 0] = 0
        try:
            picture, text = self.embed_picture(grey), self.embed_text("a photo")
        except ValueError as error:
            raise Permanent(f"The model '{self.model}' does not work: {error}.") from None
        if picture.shape != text.shape:
            raise Permanent(
                f"The model '{self.model}' gives {picture.size} numbers for a picture and {text.size} for a text; "
                "it must give the same number for both."
            )

    def embed_picture(self, picture: Picture) -> Embedding:
        output = self.vision.output_of("image_embeds", "pooler_output")
        values = self.preprocessing.apply(picture)
        return self._vector(self.vision.run(output, {"pixel_values": values}))

    def embed_text(self, text: str) -> Embedding:
        output = self.text.output_of("text_embeds", "pooler_output")
        inputs = self.text_input.encode(text)
        return self._vector(self.text.run(output, {name: inputs[name] for name in self.text.inputs}))

    def _vector(self, rows: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Embedding:
        # a batch of one
        return unit_vector(rows[0] if rows.ndim == 2 and len(rows) == 1 else rows, self.model)
