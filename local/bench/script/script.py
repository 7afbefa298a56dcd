"""A script as an admin might write it to copy all photos; `make bench ONLY=script` runs it."""

import io
import os
import time
from pathlib import Path

import msal
import requests
from office365.runtime.auth.token_response import TokenResponse
from office365.sharepoint.client_context import ClientContext
from office365.sharepoint.userprofiles.people_manager import PeopleManager
from PIL import Image

GRAPH, MY, ADMIN = (os.environ[name] for name in ("GRAPH_URL", "MY_URL", "ADMIN_URL"))
FOLDER = "/User Photos/Profile Pictures"
key = Path(os.environ["KEY_FILE"]).read_text("utf-8")
app = msal.ConfidentialClientApplication(
    os.environ["CLIENT_ID"],
    client_credential={"private_key": key, "thumbprint": os.environ["THUMBPRINT"]},
    authority=os.environ["AUTHORITY"],
    instance_discovery=False,
)
session = requests.Session()


def token(host: str) -> str:
    return str(app.acquire_token_for_client([f"{host}/.default"])["access_token"])


def sharepoint(host: str) -> ClientContext:
    return ClientContext(host).with_access_token(lambda: TokenResponse(token(host), "Bearer"))


def graph(url: str) -> requests.Response:
    return session.get(url, headers={"Authorization": f"Bearer {token(GRAPH)}"})


folder = sharepoint(MY).web.get_folder_by_server_relative_url(FOLDER)
people = PeopleManager(sharepoint(ADMIN))
users, url = [], f"{GRAPH}/v1.0/users?$select=id,userPrincipalName&$top=999"
while url:
    page = graph(url).json()
    users += page["value"]
    url = page.get("@odata.nextLink")
for user in users:
    photo = graph(f"{GRAPH}/v1.0/users/{user['id']}/photo/$value")
    if photo.status_code == 404:
        continue
    picture = Image.open(io.BytesIO(photo.content)).convert("RGB")
    for letter, size in {"S": 48, "M": 72, "L": 300}.items():
        file = io.BytesIO()
        picture.resize((size, size)).save(file, "JPEG")
        folder.upload_file(f"{user['id']}_{letter}Thumb.jpg", file.getvalue()).execute_query()
    properties = {
        "PictureURL": f"{MY}{FOLDER}/{user['id']}_MThumb.jpg".replace(" ", "%20"),
        "SPS-PicturePlaceholderState": "0",
        "SPS-PictureTimestamp": str(int(time.time()) + 62135596800),
    }
    for name, value in properties.items():
        account = f"i:0#.f|membership|{user['userPrincipalName']}"
        people.set_single_value_profile_property(account, name, value).execute_query()
