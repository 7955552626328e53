"""Access: the holder of a request's token, and the obstacles (sheet 3.6, 4.1, 4.3).

How tokens are issued and die is `oauth/`.
"""

from __future__ import annotations

from sandbox.answers import BAD_TOKEN, CODE_244, Answer, Refusal, problem, sign_in_page
from sandbox.call import Call
from sandbox.oauth import grants
from sandbox.store.schema import CARDS

WRITING = {"POST", "PATCH", "PUT", "DELETE"}
CARD_PATHS = tuple(f"/api/v4/{kind}" for kind in CARDS)


def present(call: Call) -> grants.Holder | None:
    """Whose token the request carries, None for none that lives. A transaction of its own: seeing a token counts."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return grants.present(call.work, token.strip()) if scheme.lower() == "bearer" else None


def identify(call: Call, holder: grants.Holder | None) -> None:
    """Puts the acting user into the call, or refuses: 401 for the token, 402 for the bill, 403 for the scope."""
    if holder is None:
        raise Refusal(_switched_off(call) or problem(401, BAD_TOKEN))
    paid = call.work.config.paid
    if paid == "no" or (paid == "reads_only" and call.method in WRITING):
        raise Refusal(problem(402, "Payment Required"))
    if "crm" not in holder.scopes:
        raise Refusal(problem(403, "Client doesn't have the required scope"))
    call.work.user_id = _acting_user(call, holder.user_id)
    refuse_the_account(call)


def refuse_the_account(call: Call) -> None:
    """Refuse writes of cards with "code 244" while the account may not write (sheet 0, I)."""
    if call.work.config.account_refuses and call.method in WRITING and call.path.startswith(CARD_PATHS):
        raise Refusal(problem(400, CODE_244))


def _switched_off(call: Call) -> Answer | None:
    """The answer in place of 401 while the connecting person is switched off: the sign-in's page, or the way there."""
    token = call.headers.get("authorization", "").partition(" ")[2].strip()
    how = call.work.config.switched_off
    if how == "json" or not grants.is_switched_off(call.work, token):
        return None
    return sign_in_page() if how == "page" else Answer(302, headers={"Location": call.url("/")})


def _acting_user(call: Call, user_id: int) -> int:
    """With an admin's token `X-Context-User-ID` names the user to act for (sheet 3.6, O)."""
    wanted = call.headers.get("x-context-user-id", "")
    if wanted.isdecimal() and is_admin(call, user_id) and int(wanted) in call.work.user_ids:
        return int(wanted)
    return user_id


def is_admin(call: Call, user_id: int) -> bool:
    """Whether the user is an admin, unless the sandbox is told that nobody is."""
    return call.work.config.admin_rights and bool(
        call.store.value("SELECT is_admin FROM users WHERE id = ?", [user_id])
    )


def admins_only(call: Call) -> None:
    """Refuse users who are no admin: users, webhooks and the account's structure are the admin's (sheet 8, item 30)."""
    if not is_admin(call, call.work.user_id):
        raise Refusal(problem(403, "Forbidden"))
