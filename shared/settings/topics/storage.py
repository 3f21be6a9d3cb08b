from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, WrapValidator, model_validator

from shared.settings.topics.topic import REQUIRED, Topic
from shared.settings.value_types import ContainerName, in_any_case

_CONNECTION = "AzureWebJobsStorage"


class StorageSettings(Topic):
    """Storage.

    The connection string replaces all other settings of the account, and the account's name replaces the three
    endpoints. The Functions host reads the same settings. On Azure a connection string is refused, because its key
    opens the whole account: the app has an identity there. An identity needs three roles before the app starts: Storage
    Blob Data Owner, Storage Queue Data Contributor, Storage Table Data Contributor. The host ends if it may not read
    a queue.
    """

    storage_connection: SecretStr | None = Field(
        None, validation_alias=_CONNECTION, examples=["UseDevelopmentStorage=true"]
    )
    """The connection string of the storage account. `UseDevelopmentStorage=true` means Azurite on its default ports."""
    storage_account: str | None = Field(None, validation_alias=f"{_CONNECTION}__accountName")
    """The name of the storage account, for access by an identity instead of a connection string."""
    blob_service_uri: str | None = Field(
        None, validation_alias=f"{_CONNECTION}__blobServiceUri", json_schema_extra=REQUIRED
    )
    """The blob endpoint, for access by an identity if the endpoints do not follow from the account's name."""
    queue_service_uri: str | None = Field(
        None, validation_alias=f"{_CONNECTION}__queueServiceUri", json_schema_extra=REQUIRED
    )
    """The queue endpoint, in the same case."""
    table_service_uri: str | None = Field(
        None, validation_alias=f"{_CONNECTION}__tableServiceUri", json_schema_extra=REQUIRED
    )
    """The table endpoint, in the same case."""
    storage_credential: Annotated[Literal["managedidentity"] | None, WrapValidator(in_any_case)] = Field(
        None, validation_alias=f"{_CONNECTION}__credential", json_schema_extra=REQUIRED
    )
    """The kind of identity. If it is not set, Azure's library takes the first credential that it finds."""
    storage_client_id: str | None = Field(
        None, validation_alias=f"{_CONNECTION}__clientId", json_schema_extra=REQUIRED
    )
    """The client id of a user-assigned identity. Its default is `AZURE_CLIENT_ID` or the system-assigned identity."""
    datasets_container: ContainerName = "pixcrawler-datasets"
    """The container that holds datasets, inputs and working files."""

    @model_validator(mode="after")
    def _each_service_has_an_endpoint(self) -> Self:
        endpoints = {
            "blob": self.blob_service_uri,
            "queue": self.queue_service_uri,
            "table": self.table_service_uri,
        }
        missing = [f"{_CONNECTION}__{name}ServiceUri" for name, uri in endpoints.items() if uri is None]
        if (
            self.storage_connection is None
            and self.storage_account is None
            and 0 < len(missing) < len(endpoints)
        ):
            raise ValueError(f"{' and '.join(missing)} must be set, or {_CONNECTION}__accountName")
        return self
