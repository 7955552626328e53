"""Codes, tokens and the integration: an admin's doings in AmoCRM's settings, and the running out of tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.club.account import ACCOUNT_ID
from sandbox.club.structure import ADMIN_ID
from sandbox.control.order import BadOrder, Order
from sandbox.oauth import grants, integration
from sandbox.oauth.endpoint import redirect_to
from sandbox.oauth.tokens import opaque, revocation_signature
from sandbox.options import BadOption, check_redirect_uri

FOREIGN_ACCOUNT_ID = 1


def grant(order: Order) -> dict[str, Any]:
    """POST /_sandbox/grant {user_id?, long_lived_days?}: a pair, or a long-lived token, without the consent page."""
    order.only("user_id", "long_lived_days")
    days = order.take("long_lived_days", (int, float))
    if days is not None and not 1 <= days <= grants.LONGEST_LIFE_S / grants.DAY_S:
        raise BadOrder("long_lived_days: from 1 to 1825")
    known = integration.load(order.world.store)
    life_s = None if days is None else int(days * grants.DAY_S)
    pair = order.do(
        lambda work: grants.issue(work, _user(order), known.client_id, order.call.api_domain, long_lived_s=life_s)
    )
    integration.save(order.world.store, replace(known, installed=True))
    return pair.answer()


def code(order: Order) -> dict[str, Any]:
    """POST /_sandbox/code {user_id?, foreign?, deliver?}: a code as in the "keys" window.

    `foreign`: of another account. `deliver`: also GET the redirect URI, as after a widget's installation.
    """
    order.only("user_id", "foreign", "deliver")
    account_id = FOREIGN_ACCOUNT_ID if order.take("foreign", bool, False) else ACCOUNT_ID
    issued = order.do(lambda work: grants.issue_code(work, _user(order), account_id=account_id))
    if order.take("deliver", bool, False):
        known = integration.load(order.world.store)
        order.world.courier.visit(redirect_to(order.call, known, issued, from_widget="1"))
    return {"code": issued, "account_domain": order.call.account_domain}


def expire(order: Order) -> dict[str, Any]:
    """POST /_sandbox/tokens/expire {access?, refresh?, codes?}: their time is over now. Access tokens by default."""
    order.only("access", "refresh", "codes")
    wanted = {
        name: order.take(name, bool, name == "access" and not order.data) for name in ("access", "refresh", "codes")
    }
    return {
        "expired": order.do(
            lambda work: grants.expire(
                work, access=wanted["access"], refresh_tokens=wanted["refresh"], codes=wanted["codes"]
            )
        )
    }


def revoke(order: Order) -> dict[str, Any]:
    """POST /_sandbox/tokens/revoke {user_id?}: the pairs of all users, or of one user."""
    order.only("user_id")
    return {"revoked": order.do(lambda work: grants.revoke(work, order.take("user_id", int)))}


def change_integration(order: Order) -> dict[str, Any]:
    """POST /_sandbox/integration {client_secret?, regenerate_secret?, keep_grants?, redirect_uri?, uninstall?, hook_url?}.

    A new secret revokes all grants, unless they are to be kept; so does uninstalling, which also tells `hook_url`
    with a signature (sheet 3.4, 3.8).
    """
    order.only("client_secret", "regenerate_secret", "keep_grants", "redirect_uri", "uninstall", "hook_url")
    store = order.world.store
    known = integration.load(store)
    uninstall = order.take("uninstall", bool, False)
    secret = order.take("client_secret", str) or (opaque()[8:72] if order.take("regenerate_secret", bool) else None)
    redirect_uri = order.take("redirect_uri", str) or known.redirect_uri
    try:
        check_redirect_uri(redirect_uri)
    except BadOption as error:
        raise BadOrder(f"redirect_uri: {error}") from None
    hook_url = order.take("hook_url", str)
    changed = replace(known, client_secret=secret or known.client_secret, redirect_uri=redirect_uri)
    integration.save(store, replace(changed, installed=changed.installed and not uninstall))
    revoked = 0
    if uninstall or (secret and not order.take("keep_grants", bool, False)):
        revoked = order.do(grants.revoke)
    if uninstall and hook_url:
        joint = "&" if "?" in hook_url else "?"
        signature = revocation_signature(changed.client_id, ACCOUNT_ID, changed.client_secret)
        query = f"client_uuid={changed.client_id}&account_id={ACCOUNT_ID}&signature={signature}"
        order.world.courier.visit(f"{hook_url}{joint}{query}")
    return {
        "client_id": changed.client_id,
        "client_secret": changed.client_secret,
        "redirect_uri": changed.redirect_uri,
        "installed": changed.installed and not uninstall,
        "revoked": revoked,
    }


def _user(order: Order) -> int:
    user_id = order.take("user_id", int, ADMIN_ID)
    if order.world.store.value("SELECT 1 FROM users WHERE id = ?", [user_id]) is None:
        raise BadOrder(f"user_id: nobody has the number {user_id}")
    return user_id
