"""
msgraph-sdk as published, in a separate environment: users and photos.

Takes one argument, JSON, as the other scripts here do, and prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from typing import Any

from azure.identity import CertificateCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.users.users_request_builder import UsersRequestBuilder


async def read(client: GraphServiceClient, order: dict[str, Any]) -> dict[str, Any]:
    """All users, one user, and the user's photo."""
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters
    wanted = RequestConfiguration(query_parameters=query(select=["userPrincipalName"], top=2))
    people, page = [], await client.users.get(wanted)
    while page:
        people += [user.user_principal_name for user in page.value]
        link = page.odata_next_link
        page = await client.users.with_url(link).get() if link else None
    one = client.users.by_user_id(order["user"])
    try:
        missing = await client.users.by_user_id("nobody@contoso.com").photo.get()
    except APIError as error:
        missing = error.response_status_code
    return {
        "people": people,
        "name": (await one.get()).display_name,
        "width": (await one.photo.get()).width,
        "bytes": base64.b64encode(await one.photo.content.get()).decode(),
        "missing": missing,
    }


async def change(client: GraphServiceClient, order: dict[str, Any]) -> None:
    """Upload a photo."""
    photo = base64.b64decode(order["photo"])
    await client.users.by_user_id(order["user"]).photo.content.put(photo)


async def main() -> None:
    order = json.loads(sys.argv[1])
    credential = CertificateCredential(order["tenant"], order["clientId"], order["certificate"])
    client = GraphServiceClient(credential, ["https://graph.microsoft.com/.default"])
    step = {"read": read, "change": change}[order["step"]]
    sys.stdout.write(json.dumps(await step(client, order) or {}))


asyncio.run(main())
