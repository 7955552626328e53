"""Whether somebody may hand a lead in, and through which form. `admit` decides, pure; the reasons are error codes."""

from __future__ import annotations

from dataclasses import dataclass

from desk.intake.forms import Form, Keyholder

NO_ORIGIN = "null"
"""`Origin` of a page with a hidden address: with `no-referrer`, in a sandbox, or opened from a file."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The form of a submission, and the reason to refuse the submission all the same; None to admit.

    `form` is None where nobody knows whose it is: then nothing of it is kept. `is_program`: who asks is told all about a lead.
    """

    form: Form | None
    refusal: str | None = None
    is_program: bool = False


def admit(
    *,
    key: str,
    keyholder: Keyholder | None,
    origin: str | None,
    is_local: bool,
    is_shut: bool,
    api: Form,
    by_address: bool = False,
) -> Admission:
    """Decide which form a submission belongs to, and whether the form takes it.

    `key`: as given, "" for none; `keyholder`: its holder. `api`: the built-in form. `by_address`: the key stood in the address,
    which a form has to allow.

    A program on this machine needs no key as long as there is none; `is_local` says that it is here, proved where proof
    is asked for. A key that is given has to be right wherever it comes from, and a site has to be one the form allows.
    """
    if not key:
        if not (is_local and is_shut):
            return Admission(None, "api_shut" if is_shut else "api_key_wrong")
        return Admission(api, None if api.is_active else "form_paused", is_program=True)
    if keyholder is None:
        return Admission(None, "api_shut" if is_shut else "api_key_wrong")
    form = keyholder.form
    if not keyholder.works:
        return Admission(form, "key_ended")
    if by_address and not form.key_in_address:
        return Admission(form, "key_not_in_address")
    if origin is not None and origin.lower() == NO_ORIGIN:
        return Admission(form, "origin_null")
    if origin is not None and origin.lower() not in form.origins:
        return Admission(form, "origin_not_allowed")
    refusal = None if form.is_active else "form_paused"
    return Admission(form, refusal, is_program=keyholder.is_program and origin is None and not by_address)
