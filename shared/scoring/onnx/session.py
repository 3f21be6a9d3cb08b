"""Runs ONNX models. The library `onnxruntime` comes with the extra `scores`, and is imported when it is needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import Permanent

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

type Tensor = NDArray[Any]

_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
_ERRORS_ONLY = 3
_NOT_INSTALLED = "The app's package lacks {}. Its operator has to build it with `make package EXTRAS=scores`."


class Session:
    """A model in memory. It has one thread, so that as many pictures are processed as there are calling threads.

    All calls may come from any thread, also at the same time.
    """

    def __init__(self, data: bytes, model: str, file: str) -> None:
        """Loads a model from the content of its file. `model` and `file` are its names in errors.

        Raises:
            Permanent: the library is not installed, or the file is no model that it can run.
        """
        self._what = f"'{file}' of the model '{model}'"
        self._session = _load(data, self._what)
        try:
            self._inputs = {
                one.name: (str(one.type), [side if isinstance(side, int) else None for side in one.shape])
                for one in self._session.get_inputs()
            }
            self._outputs = [one.name for one in self._session.get_outputs()]
        except UnicodeDecodeError:
            raise Permanent(f"{self._what} is no model that can be run: a name in it is not UTF-8.") from None

    @property
    def inputs(self) -> Sequence[str]:
        """The names of the inputs."""
        return tuple(self._inputs)

    def shape(self, name: str) -> Sequence[int | None]:
        """Returns the shape of an input. None stands for a side of any length."""
        return self._inputs[name][1]

    def check_inputs(self, required: str, *optional: str) -> None:
        """Checks that the model has the required input, and no others than these.

        Raises:
            Permanent: it has not.
        """
        unknown = self._inputs.keys() - {required, *optional}
        if required not in self._inputs or unknown:
            known = ", ".join(sorted(self._inputs))
            raise Permanent(f"{self._what} has the inputs {known[:300]}; it must have {required}.")

    def output_of(self, *names: str) -> str:
        """Returns the first of the names that an output has.

        Raises:
            Permanent: the model has no such output.
        """
        found = next((name for name in names if name in self._outputs), None)
        if found is None:
            known = ", ".join(self._outputs)
            raise Permanent(f"{self._what} has the outputs {known[:300]}; it must have {' or '.join(names)}.")
        return found

    def run(self, output: str, inputs: Mapping[str, Tensor]) -> Tensor:
        """Returns an output for these inputs, whose types are changed to those of the model.

        Raises:
            Permanent: the model does not run with them.
        """
        try:
            cast = {name: value.astype(_TYPES[self._inputs[name][0]]) for name, value in inputs.items()}
            return np.asarray(self._session.run([output], cast)[0])
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
            raise Permanent(f"{self._what} does not run: {_reason(error)}") from None


def installed[T](load: Callable[[], T], library: str) -> T:
    """Calls a function that imports a library of the extra `scores`.

    Raises:
        Permanent: the library is not installed.
    """
    try:
        return load()
    except ImportError:
        raise Permanent(_NOT_INSTALLED.format(library)) from None


def _import_onnxruntime() -> Any:
    import onnxruntime

    return onnxruntime


def _load(data: bytes, what: str) -> "InferenceSession":
    runtime = installed(_import_onnxruntime, "onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # an arena keeps the memory of the largest call for each thread
    options.enable_cpu_mem_arena = False
    try:
        # the fallback would try the same again, and print that
        session: InferenceSession = runtime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
        raise Permanent(f"{what} is no model that can be run: {_reason(error)}") from None
    # the library keeps the file's content for a change of providers, which would be as much memory again
    session._model_bytes = None  # noqa: SLF001 - there is no public way
    return session


def _reason(error: Exception) -> str:
    """Returns the first line of an error of a library, which may be very long."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
