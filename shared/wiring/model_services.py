"""Makes the services that ask models about pictures. Each service is made when it is first used."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.user_services import UserServices

if TYPE_CHECKING:
    from shared.scoring.model_names import ModelNames


class ModelServices(UserServices):
    """The models that the settings name. Their libraries and files are loaded when a job first needs them."""

    @cached_property
    def model_names(self) -> "ModelNames":
        """The models that the settings name."""
        from shared.scoring.model_names import ModelNames

        return ModelNames(relevance=self.settings.relevance_model)
