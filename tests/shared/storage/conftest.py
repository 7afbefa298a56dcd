"""States and documents in a container of Azurite that is not created yet."""

from __future__ import annotations

import pytest
from azure.storage.blob import ContainerClient

from shared.storage.azure import BlobDocuments, BlobStore


@pytest.fixture
def store(container: ContainerClient) -> BlobStore:
    return BlobStore(container)


@pytest.fixture
def documents(container: ContainerClient) -> BlobDocuments:
    return BlobDocuments(container)
