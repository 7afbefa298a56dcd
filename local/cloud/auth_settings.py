"""What App Service is told about who may come in, where people sign in to the console."""

from typing import Any

from local.cloud.endpoints import Endpoints


def auth_settings(endpoints: Endpoints, *, keys: bool = True) -> dict[str, Any]:
    """What infra/ tells App Service, in the form of its file; *keys* as CONSOLE_KEYS."""
    client_id = endpoints.console_client_id
    open_to_all = ["/api/notifications", "/api/health"]
    return {
        "platform": {"enabled": True},
        "globalValidation": {
            "unauthenticatedClientAction": "RedirectToLoginPage",
            "redirectToProvider": "azureactivedirectory",
            "excludedPaths": [*open_to_all, *(["/api/keyed", "/api/keyed/*"] if keys else [])],
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
