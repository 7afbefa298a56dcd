"""What App Service is told about who may come in, where people sign in to the console."""

from typing import Any

from local.cloud.endpoints import Endpoints


def auth_settings(endpoints: Endpoints) -> dict[str, Any]:
    """What infra/ tells App Service, in the form of its file."""
    client_id = endpoints.console_client_id
    return {
        "platform": {"enabled": True},
        "globalValidation": {
            "unauthenticatedClientAction": "RedirectToLoginPage",
            "redirectToProvider": "azureactivedirectory",
            "excludedPaths": ["/api/notifications", "/api/health", "/api/keyed"],
        },
        "identityProviders": {
            "azureActiveDirectory": {
                "registration": {
                    "clientId": client_id,
                    "openIdIssuer": f"{endpoints.login}/{endpoints.tenant_id}/v2.0",
                },
                "validation": {"allowedAudiences": [client_id, f"api://{client_id}"]},
            }
        },
    }
