"""OAuth: consent, codes, rotation, and every word of the token endpoint's errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.club.account import ACCOUNT_ID
from sandbox.club.structure import ADMIN_ID, MANAGERS
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.receiver import Receiver

HINTED = {
    "title": "Некорректный запрос",
    "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
    "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
}


def auth_url(box: Sandbox, **more: str) -> str:
    """Where the desk sends a browser."""
    query = "".join(f"&{key}={value}" for key, value in more.items())
    return f"{box.url}/oauth?client_id={box.client_id}{query}"


def arguments_of(url: str) -> dict[str, str]:
    """The parameters a redirect carries."""
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def token(
    box: Sandbox, *, form: bool = False, slash: str = "", host: str | None = None, **fields: Any
) -> requests.Response:
    """A request to the token endpoint with the right client; `fields` add and replace, None leaves out."""
    body = {"client_id": box.client_id, "client_secret": box.client_secret, "redirect_uri": box.redirect_uri} | fields
    body = {key: value for key, value in body.items() if value is not None}
    given: dict[str, Any] = {"data": body} if form else {"json": body}
    return requests.post(f"{host or box.url}/oauth2/access_token{slash}", timeout=60, **given)


def exchange(box: Sandbox, code: str, **more: Any) -> requests.Response:
    """A code for a pair."""
    return token(box, grant_type="authorization_code", code=code, **more)


def refresh(box: Sandbox, refresh_token: str, **more: Any) -> requests.Response:
    """A pair for a pair."""
    return token(box, grant_type="refresh_token", refresh_token=refresh_token, **more)


def lives(box: Sandbox, access_token: str) -> bool:
    """Whether an access token opens the API."""
    return Api(box, access_token).get("account").status_code == 200


def claims(access_token: str) -> dict[str, Any]:
    """A JWT's payload, read as clients do: without checking the signature."""
    part = access_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# ── Consent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_allowing_sends_the_browser_back_with_a_code(box: Sandbox) -> None:
    """`code`, the very `state`, the account's bare host and the client id, in the documented order."""
    url = box.approve(auth_url(box, state="a%26b%20c", mode="popup"))
    assert url.startswith(f"{box.redirect_uri}?code=def502")
    found = arguments_of(url)
    assert list(found) == ["code", "state", "referer", "client_id"]
    assert found["state"] == "a&b c"
    assert found["referer"] == box.url.removeprefix("http://")
    assert found["client_id"] == box.client_id


def test_denying_says_so_and_gives_no_code(box: Sandbox) -> None:
    """`error=access_denied` with the state, and nothing that could be exchanged."""
    found = arguments_of(box.deny(auth_url(box, state="s")))
    assert found == {"error": "access_denied", "client_id": box.client_id, "state": "s"}


def test_without_a_state_there_is_none(box: Sandbox) -> None:
    """A state nobody sent is not echoed, allowed or denied."""
    assert "state" not in arguments_of(box.approve(auth_url(box)))
    assert "state" not in arguments_of(box.deny(auth_url(box)))


def test_league_parameters_are_tolerated(box: Sandbox) -> None:
    """What the PHP provider appends changes nothing, not even a foreign redirect_uri; the path may end in a slash."""
    url = auth_url(
        box, state="s", redirect_uri="https://elsewhere.example", response_type="code", scope="", approval_prompt="auto"
    )
    assert box.approve(url.replace("/oauth?", "/oauth/?")).startswith(box.redirect_uri)


def test_page_names_the_integration_and_the_account(box: Sandbox) -> None:
    """A person sees who asks for what, in Russian, and two buttons of a real form."""
    page = requests.get(auth_url(box), timeout=60)
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"
    for words in ("Lead Desk", "FitZone", "Разрешить", "Отказать", "Анна Ковалёва"):
        assert words in page.text


def test_page_escapes_what_it_echoes(box: Sandbox) -> None:
    """A state of markup comes back as text."""
    page = requests.get(auth_url(box), params={"state": '"><script>alert(1)</script>'}, timeout=60)
    assert "<script>alert" not in page.text


def test_unknown_integration_has_no_form(box: Sandbox) -> None:
    """A wrong client_id gets a page that says so."""
    page = requests.get(f"{box.url}/oauth?client_id=nobody", timeout=60)
    assert page.status_code == 404
    assert "<form" not in page.text


def test_only_an_admin_installs_but_anyone_authorizes_afterwards(box: Sandbox) -> None:
    """Before an admin allowed it a manager cannot; after that the manager gets a pair with the manager's own rights."""
    box.config(user_id=MANAGERS[0])
    page = requests.get(auth_url(box), timeout=60)
    assert 'value="allow"' not in page.text
    box.config(user_id=None)
    box.approve(auth_url(box))
    box.config(user_id=MANAGERS[0])
    code = arguments_of(box.approve(auth_url(box)))["code"]
    pair = exchange(box, code).json()
    assert claims(pair["access_token"])["sub"] == str(MANAGERS[0])
    assert Api(box, pair["access_token"]).get("users").status_code == 403


# ── The token endpoint ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("slash", ["", "/"])
def test_code_becomes_a_pair_as_json_and_as_a_form(box: Sandbox, form: bool, slash: str) -> None:
    """Both encodings, with and without the trailing slash, give the documented four keys."""
    answer = exchange(box, box.code(), form=form, slash=slash)
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["token_type", "expires_in", "access_token", "refresh_token"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 86400)
    assert body["refresh_token"].startswith("def502")
    assert lives(box, body["access_token"])


def test_code_becomes_a_pair_from_a_multipart_form(box: Sandbox) -> None:
    """What a REST console sends as "form-data"."""
    fields = {"client_id": box.client_id, "client_secret": box.client_secret, "redirect_uri": box.redirect_uri}
    fields |= {"grant_type": "authorization_code", "code": box.code()}
    files = {name: (None, value) for name, value in fields.items()}
    answer = requests.post(f"{box.url}/oauth2/access_token", files=files, timeout=60)
    assert answer.status_code == 200
    assert box.client_secret not in json.dumps(box.ledger())


def test_access_token_is_a_jwt_with_the_known_claims(box: Sandbox) -> None:
    """Three parts, RS256, and the claims clients read: exp, account_id, base_domain, api_domain, sub, scopes."""
    access = exchange(box, box.code()).json()["access_token"]
    header = json.loads(base64.urlsafe_b64decode(access.split(".")[0] + "=="))
    assert (header["typ"], header["alg"]) == ("JWT", "RS256")
    found = claims(access)
    assert found["aud"] == box.client_id
    assert found["exp"] - found["iat"] == 86400
    assert (found["sub"], found["account_id"]) == (str(ADMIN_ID), ACCOUNT_ID)
    assert found["base_domain"] == "amocrm.ru"
    assert found["api_domain"] == box.url.removeprefix("http://")
    assert "crm" in found["scopes"]


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, "Check the `client_id` parameter"),
        ({"client_id": None}, "Check the `client_id` parameter"),
        ({"client_secret": "wrong"}, "Check the `client_secret` parameter"),
        ({"client_secret": None}, "Check the `client_secret` parameter"),
        ({"redirect_uri": "http://localhost:8501/api/amocrm/callback/"}, "Redirect URI is not associated with client"),
        ({"redirect_uri": None}, "Check the `redirect_uri` parameter"),
        ({"code": "nonsense"}, "Cannot decrypt the authorization code"),
        ({"code": None}, "Check the `code` parameter"),
        ({"grant_type": "password"}, "Check the `grant_type` parameter"),
    ],
)
def test_refusals_carry_their_hints(box: Sandbox, fields: dict[str, Any], hint: str) -> None:
    """400 with AmoCRM's own hint; and the code is not burnt by it."""
    code = box.code()
    given = {"grant_type": "authorization_code", "code": code} | fields
    answer = token(box, **given)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {"hint": hint, "status": 400, **HINTED}
    assert exchange(box, code).status_code == 200


def test_code_works_once(box: Sandbox) -> None:
    """The second exchange says that it has been revoked."""
    code = box.code()
    assert exchange(box, code).status_code == 200
    answer = exchange(box, code)
    assert (answer.status_code, answer.json()["hint"]) == (400, "Authorization code has been revoked")


def test_code_dies_of_age(box: Sandbox) -> None:
    """After its time it is expired, by its lifetime as by the control route."""
    code = box.code()
    box.expire_tokens(access=False, codes=True)
    assert exchange(box, code).json()["hint"] == "Authorization code has expired"
    box.config(code_ttl_s=0)
    assert exchange(box, box.code()).json()["hint"] == "Authorization code has expired"


def test_code_of_another_account_is_told(box: Sandbox) -> None:
    """The wrong account's host for a code is `Invalid account`."""
    answer = exchange(box, box.code(foreign=True))
    assert (answer.status_code, answer.json()["hint"]) == (400, "Invalid account")


def test_unpaid_account_refuses_the_client_without_a_hint(box: Sandbox) -> None:
    """401 with a body that has no hint at all."""
    code = box.code()
    box.config(paid=False)
    answer = exchange(box, code)
    assert answer.status_code == 401
    assert list(answer.json()) == ["title", "type", "status", "detail"]
    assert answer.json()["title"] == "Некорректный клиент"


# ── Rotation ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_strict_old_pair_dies_at_once(box: Sandbox) -> None:
    """After a refresh neither old token opens anything, and reusing the old one is 401 `Token has been revoked`."""
    old = box.grant()
    new = refresh(box, old["refresh_token"]).json()
    assert new["refresh_token"] != old["refresh_token"]
    answer = refresh(box, old["refresh_token"])
    assert answer.status_code == 401
    assert answer.json() == {"hint": "Token has been revoked", "status": 401, **HINTED}
    assert not lives(box, old["access_token"])
    assert lives(box, new["access_token"])
    assert refresh(box, new["refresh_token"]).status_code == 200


def test_strict_race_has_one_winner(box: Sandbox) -> None:
    """Two refreshes with one token: one pair, one 401, and the winner's pair lives."""
    old = box.grant()
    answers = [refresh(box, old["refresh_token"]) for _ in range(2)]
    assert sorted(answer.status_code for answer in answers) == [200, 401]


def test_old_access_token_may_outlive_its_refresh_token(box: Sandbox) -> None:
    """With the switch off the old access token runs to its own end."""
    box.config(refresh_kills_access=False)
    old = box.grant()
    refresh(box, old["refresh_token"])
    assert lives(box, old["access_token"])


def test_grace_old_token_works_until_the_new_one_is_used(box: Sandbox) -> None:
    """A lost answer can be fetched again; the first use of a new access token ends that."""
    box.config(refresh_mode="grace")
    old = box.grant()
    lost = refresh(box, old["refresh_token"])
    again = refresh(box, old["refresh_token"])
    assert (lost.status_code, again.status_code) == (200, 200)
    assert lives(box, old["access_token"])
    assert lives(box, again.json()["access_token"])
    assert refresh(box, old["refresh_token"]).json()["hint"] == "Token has been revoked"
    assert not lives(box, old["access_token"])


def test_grace_ends_with_the_use_of_the_new_refresh_token_too(box: Sandbox) -> None:
    """Refreshing with the new token is using it."""
    box.config(refresh_mode="grace")
    old = box.grant()
    new = refresh(box, old["refresh_token"]).json()
    assert refresh(box, new["refresh_token"]).status_code == 200
    assert refresh(box, old["refresh_token"]).status_code == 401


def test_grace_holds_even_if_the_first_use_is_refused(box: Sandbox) -> None:
    """Presenting the new token counts, whatever the request then comes to."""
    box.config(refresh_mode="grace")
    old = box.grant()
    new = refresh(box, old["refresh_token"]).json()
    assert Api(box, new["access_token"]).post("leads", [{"price": "x"}]).status_code == 400
    assert refresh(box, old["refresh_token"]).status_code == 401


@pytest.mark.parametrize(("spoil", "word"), [("expired", "Refresh"), ("garbage", "Cannot decrypt the refresh token")])
def test_dead_refresh_tokens_are_401(box: Sandbox, spoil: str, word: str) -> None:
    """Three months old or unreadable: 401 with a hint about the refresh token."""
    pair = box.grant()
    if spoil == "expired":
        box.expire_tokens(access=False, refresh=True)
    answer = refresh(box, pair["refresh_token"] if spoil == "expired" else "def502nonsense")
    assert answer.status_code == 401
    assert word in answer.json()["hint"]


def test_expired_access_token_is_401_and_refreshes(box: Sandbox) -> None:
    """The API answers 401 in its own form; the refresh token is as good as before."""
    pair = box.grant()
    box.expire_tokens()
    answer = Api(box, pair["access_token"]).get("account")
    assert answer.status_code == 401
    assert answer.json() == {
        "title": "Unauthorized",
        "type": "https://httpstatus.es/401",
        "status": 401,
        "detail": "Неверный логин или пароль",
    }
    assert refresh(box, pair["refresh_token"]).status_code == 200


def test_lifetimes_are_switches(box: Sandbox) -> None:
    """`expires_in` and `exp` follow the switch."""
    box.config(access_token_ttl_s=60)
    pair = exchange(box, box.code()).json()
    assert pair["expires_in"] == 60
    assert claims(pair["access_token"])["exp"] - claims(pair["access_token"])["iat"] == 60


def test_long_lived_token_has_no_refresh(box: Sandbox) -> None:
    """An ordinary bearer token with its own `exp` and nothing to refresh."""
    answer = box.grant(long_lived_days=365)
    assert "refresh_token" not in answer
    assert answer["expires_in"] == 365 * 86400
    assert lives(box, answer["access_token"])
    box.revoke_tokens()
    assert not lives(box, answer["access_token"])


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic abc", "Bearer a.b.c"])
def test_no_token_no_entry(box: Sandbox, header: str | None) -> None:
    """Whatever is not a live token is 401."""
    answer = requests.get(f"{box.url}/api/v4/leads", headers={"Authorization": header} if header else {}, timeout=60)
    assert answer.status_code == 401


# ── The integration's life ──────────────────────────────────────────────────────────────────────────────────────────


def test_new_secret_revokes_all_grants(box: Sandbox) -> None:
    """After a new secret the old one is refused and every token is dead; kept grants live on."""
    pair = box.grant()
    changed = box.integration(regenerate_secret=True)
    assert changed["revoked"] == 1
    assert len(changed["client_secret"]) == 64
    assert refresh(box, pair["refresh_token"]).json()["hint"] == "Check the `client_secret` parameter"
    answer = refresh(box, pair["refresh_token"], client_secret=changed["client_secret"])
    assert answer.json()["hint"] == "Token has been revoked"
    kept = box.grant()
    box.integration(client_secret="another", keep_grants=True)
    assert lives(box, kept["access_token"])


def test_new_redirect_uri_counts_at_once(box: Sandbox) -> None:
    """The consent page sends there, and the token endpoint wants exactly it."""
    box.integration(redirect_uri="https://desk.example/cb?from=amo")
    url = box.approve(auth_url(box))
    assert url.startswith("https://desk.example/cb?from=amo&code=")
    code = arguments_of(url)["code"]
    assert exchange(box, code).json()["hint"] == "Redirect URI is not associated with client"
    assert exchange(box, code, redirect_uri="https://desk.example/cb?from=amo").status_code == 200


def test_uninstalling_revokes_and_tells_with_a_signature(box: Sandbox, receiver: Receiver) -> None:
    """The "access revoked" GET carries HMAC-SHA256 over `client_uuid|account_id`, and the tokens are dead."""
    pair = box.grant()
    box.integration(uninstall=True, hook_url=receiver.url)
    (told,) = receiver.wait_for(1)
    found = arguments_of(told.path)
    signature = hmac.new(
        box.client_secret.encode(), f"{box.client_id}|{ACCOUNT_ID}".encode(), hashlib.sha256
    ).hexdigest()
    assert found == {"client_uuid": box.client_id, "account_id": str(ACCOUNT_ID), "signature": signature}
    assert (told.method, told.headers["User-Agent"]) == ("GET", "amoService-oAuth-Code-Sender/1.0")
    assert not lives(box, pair["access_token"])
    assert box.state()["installed"] is False


def test_code_can_arrive_by_itself(box: Sandbox, receiver: Receiver) -> None:
    """After a widget's installation, and after an API key was exchanged, the code comes as a GET."""
    box.integration(redirect_uri=receiver.url)
    box.code(deliver=True)
    answer = requests.post(
        f"{box.url}//oauth2/exchange_api_key",
        json={"login": "a", "api_key": "b", "client_uuid": box.client_id, "client_secret": box.client_secret},
        timeout=60,
    )
    assert answer.status_code == 202
    first, second = (arguments_of(told.path) for told in receiver.wait_for(2))
    assert first["from_widget"] == "1"
    assert second["from_exchange"] == "1"
    assert exchange(box, second["code"], redirect_uri=receiver.url).status_code == 200


def test_removed_user_loses_the_tokens(box: Sandbox) -> None:
    """Somebody who was deactivated is nobody any more."""
    pair = box.grant(user_id=MANAGERS[1])
    assert lives(box, pair["access_token"])
    box.edit("user", id=MANAGERS[1], fields={"is_active": False})
    assert not lives(box, pair["access_token"])


# ── Where the account lives ─────────────────────────────────────────────────────────────────────────────────────────


def test_address_book_knows_the_account_by_either_token(box: Sandbox) -> None:
    """Both calls answer alike, take a JSON body on GET, and do not spend the refresh token."""
    pair = box.grant()
    by_access = requests.get(
        f"{box.url}/oauth2/account/subdomain",
        headers={"Authorization": f"Bearer {pair['access_token']}"}, json=[], timeout=60,
    )  # fmt: skip
    by_refresh = requests.get(
        f"{box.url}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": pair["refresh_token"]}, json=[], timeout=60,
    )  # fmt: skip
    domain = box.url.removeprefix("http://")
    expected = {"id": ACCOUNT_ID, "subdomain": "fitzone", "domain": domain, "top_level_domain": "ru"}
    assert by_access.json() == by_refresh.json() == expected
    assert refresh(box, pair["refresh_token"]).status_code == 200


@pytest.mark.parametrize("old_host", [401, 404])
def test_renamed_account_is_found_through_the_api_domain(box: Sandbox, old_host: int) -> None:
    """The old host refuses, the address book names the new one, and there the same refresh token works."""
    pair = box.grant()
    moved_to = box.rename("fitzone-new", old_host=old_host)
    assert moved_to != box.url.removeprefix("http://")
    assert refresh(box, pair["refresh_token"]).status_code == old_host
    assert Api(box, pair["access_token"]).get("account").status_code == old_host
    api_domain = claims(pair["access_token"])["api_domain"]
    found = requests.get(
        f"http://{api_domain}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": pair["refresh_token"]},
        timeout=60,
    ).json()
    assert (found["domain"], found["subdomain"]) == (moved_to, "fitzone-new")
    new = refresh(box, pair["refresh_token"], host=f"http://{found['domain']}").json()
    session = box.session(new["access_token"])
    account = session.get(f"http://{moved_to}/api/v4/account", timeout=60).json()
    assert account["subdomain"] == "fitzone-new"
    assert account["_links"]["self"]["href"] == f"http://{moved_to}/api/v4/account"
    assert arguments_of(box.approve(auth_url(box)))["referer"] == moved_to
    assert claims(new["access_token"])["api_domain"] == api_domain


def test_referer_can_be_made_to_lie(box: Sandbox) -> None:
    """With the switch the redirect names whatever host it is told: the client must check it before sending secrets."""
    box.config(claimed_domain="evil.example")
    assert arguments_of(box.approve(auth_url(box)))["referer"] == "evil.example"
