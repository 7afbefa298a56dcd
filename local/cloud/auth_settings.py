"""App Service authentication settings, for a console with sign-in."""

from typing import Any

from local.cloud.endpoints import Endpoints


def auth_settings(endpoints: Endpoints, *, keys: bool = True) -> dict[str, Any]:
    """The settings that infra/ deploys, in App Service's file format; *keys* is CONSOLE_KEYS."""
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
