"""Sign-in, from the login page to an order, through a host that simulates App Service."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.e2e.cloud import LiveCloud, quiet_cloud
from tests.e2e.test_console_routes import sentence

pytestmark = pytest.mark.local_host("it simulates App Service authentication")

ORDER = {"X-PhotoSync-Order": "1"}
MALLORY = "0b000000-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with quiet_cloud(tmp_path_factory.mktemp("cloud"), sign_in=True) as cloud:
        yield cloud


def console(cloud: LiveCloud, path: str = "") -> str:
    return f"{cloud.at.functions}/api/console{path}"


def session(cloud: LiveCloud, role: str, name: str = "anne@contoso.com") -> requests.Session:
    """A browser session after sign-in, through the redirects and forms of the login page."""
    browser = requests.Session()
    # Otherwise the machine's own CA setting would replace ours.
    browser.trust_env = False
    browser.verify = cloud.at.ca
    page = browser.get(console(cloud))
    assert urlsplit(page.url).netloc == urlsplit(cloud.at.login).netloc
    done = browser.post(page.url, data={"name": name, "role": role})
    action = re.search(r'action="([^"]+)"', done.text)
    assert action
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', done.text)
    back = browser.post(unescape(action[1]), data={k: unescape(v) for k, v in fields})
    assert back.url == console(cloud)
    return browser


def forged(cloud: LiveCloud, role: str = "Operator") -> dict[str, str]:
    """The header that the platform would send for an Operator of this tenant."""
    name = {"preferred_username": "mallory@contoso.com"}
    claims = {"oid": MALLORY, "tid": cloud.at.tenant_id, **name, "roles": role}
    listed = [{"typ": k, "val": v} for k, v in claims.items()]
    text = json.dumps({"auth_typ": "aad", "claims": listed, "role_typ": "roles"})
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(text.encode()).decode()}


def test_redirect_to_the_login(signing: LiveCloud):
    """Without sign-in, all routes but the excluded ones redirect to the login, for our app."""
    for path in ("", "/overview", "/users"):
        reply = signing.call("GET", console(signing, path), allow_redirects=False)
        query = parse_qs(urlsplit(reply.headers["Location"]).query)

        assert (reply.status_code, query["client_id"]) == (302, [signing.at.console_client_id])
    health = signing.call("GET", f"{signing.at.functions}/api/health", allow_redirects=False)
    assert (health.status_code, health.text[:2]) == (200, "ok")
    handshake = signing.call("POST", f"{signing.webhook}&validationToken=hello")
    assert handshake.text == "hello"


def test_viewer_is_refused_an_order(signing: LiveCloud):
    """A Viewer can read; the app refuses an order with a sentence, whatever headers it has."""
    anne = session(signing, "Viewer")

    assert anne.get(console(signing, "/overview")).status_code == 200
    refused = anne.post(console(signing, "/sweep"), json={}, headers=ORDER)
    assert (refused.status_code, "role Operator" in sentence(refused)) == (403, True)


def test_operator_gives_an_order(signing: LiveCloud):
    """An order needs our page's header beside the cookie; the history names the Operator."""
    olga = session(signing, "Operator", "olga@contoso.com")

    assert olga.get(console(signing, "/me")).json() == {
        "via": "person",
        "name": "olga@contoso.com",
        "role": "Operator",
    }
    bare = olga.post(console(signing, "/sweep"), json={})
    assert (bare.status_code, "X-PhotoSync-Order" in sentence(bare)) == (400, True)
    assert olga.post(console(signing, "/sweep"), json={}, headers=ORDER).status_code == 202
    by = olga.get(console(signing, "/history")).json()["orders"][0]["by"]
    assert (by["via"], by["name"], len(by["id"])) == ("person", "olga@contoso.com", 36)


def test_keys_have_separate_routes(signing: LiveCloud):
    """On these a program reads and gives orders by key alone; the other routes accept no key."""
    key = {"x-functions-key": signing.at.key}
    keyed = f"{signing.at.functions}/api/keyed"

    assert signing.call("POST", f"{keyed}/sweep", json={}, headers=key).status_code == 202
    orders = signing.call("GET", f"{keyed}/history", headers=key).json()["orders"]
    assert orders[0]["by"] == {"via": "key"}
    assert signing.call("GET", f"{keyed}/overview").status_code == 401
    people = console(signing, "/overview")
    assert signing.call("GET", people, headers=key, allow_redirects=False).status_code == 302


def test_post_of_a_browser_names_its_page(signing: LiveCloud):
    """Observed of App Service: a browser's POST by cookie must come from a page of this app."""
    olga = session(signing, "Operator")
    browser = {"User-Agent": "Mozilla/5.0", **ORDER}

    def order(**more: str) -> int:
        return olga.post(console(signing, "/sweep"), json={}, headers=browser | more).status_code

    assert order(Origin="https://evil.example") == 403
    assert order() == 403
    assert order(Origin=signing.at.functions) == 202
    assert order(Referer=console(signing)) == 202


def test_user_without_a_role(signing: LiveCloud):
    """A user who may sign in but has no role is told how to get one."""
    stranger = session(signing, "")
    reply = stranger.get(console(signing, "/overview"))

    assert (reply.status_code, "grant --console" in sentence(reply)) == (403, True)


def test_forged_principal(signing: LiveCloud):
    """The platform removes a client's own header, and the keyed routes never read it."""
    header = forged(signing)
    unsigned = signing.call("GET", console(signing, "/me"), headers=header, allow_redirects=False)
    assert unsigned.status_code == 302

    anne = session(signing, "Viewer")
    me = anne.get(console(signing, "/me"), headers=header).json()
    assert (me["name"], me["role"]) == ("anne@contoso.com", "Viewer")

    keyed = f"{signing.at.functions}/api/keyed/me"
    assert signing.call("GET", keyed, headers=header).status_code == 401
    key = {"x-functions-key": signing.at.key, **header}
    assert signing.call("GET", keyed, headers=key).json()["via"] == "key"


def test_forged_token(signing: LiveCloud):
    """A bearer token that the login host did not sign is 401, without reaching the app."""
    reply = signing.call(
        "GET", console(signing, "/me"), headers={"Authorization": "Bearer e30.e30.e30"}
    )
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_signing_out(signing: LiveCloud):
    """After the platform's sign-out, the old cookies no longer work."""
    anne = session(signing, "Viewer")
    old = dict(anne.cookies)
    assert anne.get(console(signing, "/me")).json()["name"] == "anne@contoso.com"
    anne.get(f"{signing.at.functions}/.auth/logout")
    reply = signing.call("GET", console(signing, "/me"), cookies=old, allow_redirects=False)

    assert reply.status_code == 302


def test_keys_switched_off(tmp_path):
    """With CONSOLE_KEYS=false no route accepts a key, with or without sign-in."""
    with quiet_cloud(tmp_path / "cloud", {"CONSOLE_KEYS": "false"}, sign_in=True) as cloud:
        key = {"x-functions-key": cloud.at.key}
        for path in ("/api/console/overview", "/api/keyed/overview"):
            url = cloud.at.functions + path
            reply = cloud.call("GET", url, headers=key, allow_redirects=False)

            assert reply.status_code == 302
            assert urlsplit(reply.headers["Location"]).netloc == urlsplit(cloud.at.login).netloc
        olga = session(cloud, "Operator", "olga@contoso.com")
        assert olga.get(console(cloud, "/overview"), headers=key).status_code == 200
        for path in ("/overview", "/sweep"):
            keyed = f"{cloud.at.functions}/api/keyed{path}"
            assert olga.request("POST", keyed, headers={**key, **ORDER}, json={}).status_code == 404
            assert olga.get(keyed, headers=key).status_code == 404


def test_forged_principal_without_the_platform_s_check(tmp_path):
    """CONSOLE_SIGN_IN without App Service authentication refuses everyone, even with a key."""
    setting = {"CONSOLE_SIGN_IN": "6f1f7c7e-3a51-4f0e-9d6e-0d5b0c0f5a10", "CONSOLE_KEYS": "false"}
    with quiet_cloud(tmp_path / "cloud", setting) as cloud:
        headers = {**forged(cloud), "x-functions-key": cloud.at.key, **ORDER}
        for method, path in (("GET", "/overview"), ("POST", "/sweep")):
            reply = cloud.call(method, console(cloud, path), headers=headers, json={})

            assert (reply.status_code, "authentication is off" in sentence(reply)) == (401, True)
        keyed = f"{cloud.at.functions}/api/keyed/overview"
        assert cloud.call("GET", keyed, headers=headers).status_code == 404
