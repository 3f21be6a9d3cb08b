"""Reads the JSON files with the settings of models, and words the errors of all files that are not valid."""

from pydantic import BaseModel, ValidationError

from shared.errors import Permanent


def read_config[Config: BaseModel](kind: type[Config], data: bytes, file: str, model: str) -> Config:
    """Reads a file. `file` and `model` are used in errors only.

    Raises:
        Permanent: the file is not valid. The text names the first wrong field.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, wrong["loc"])) or "the file"
        raise invalid_file(file, model, f"{field}: {wrong['msg']}") from None


def invalid_file(file: str, model: str, why: str) -> Permanent:
    """Returns the error of a file of a model that is not valid. `why` is a clause without a full stop."""
    return Permanent(f"{file} of the model '{model}' is not valid: {why}.")
