"""What an answer of AmoCRM means: status, content type and body in, an error out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.amo import answers
from crm.amo.oauth import token_error_of
from crm.errors import BrokenWord, DeskError, NotLetIn, Refusal, SaidNo, SetupError

PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"
NGINX = b"<html><head><title>403 Forbidden</title></head><body>nginx</body></html>"


def problem(**values):
    return json.dumps({"title": "x", "type": "https://httpstatus.es/400", "status": 400} | values).encode()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status):
    """AmoCRM's four statuses of success raise nothing, whatever the body."""
    assert answers.error_of(status, "", b"") is None


@pytest.mark.parametrize(
    ("status", "content_type", "body", "kind", "code", "retryable"),
    [
        (401, PROBLEM, problem(status=401), NotLetIn, "token_rejected", False),
        (401, HTML, NGINX, NotLetIn, "token_rejected", False),
        (402, PROBLEM, problem(status=402), NotLetIn, "unpaid", True),
        (403, PROBLEM, problem(detail="Invalid scope"), NotLetIn, "rights_missing", False),
        (403, HTML, NGINX, NotLetIn, "blocked", False),
        (403, PROBLEM, b"not json", NotLetIn, "blocked", False),
        (404, PROBLEM, problem(detail="Cannot GET https://x!"), SaidNo, "not_found", False),
        (404, HTML, NGINX, BrokenWord, "not_routed", True),
        (405, "", b"", BrokenWord, "unexpected_answer", False),
        (429, PROBLEM, problem(retry_after=300), NotLetIn, "rate_limited", True),
        (429, HTML, b"<html>", NotLetIn, "rate_limited", True),
        (400, PROBLEM, problem(detail="Возникла системная ошибка. Пожалуйста, повторите попытку."), BrokenWord,
         "server_hiccup", True),
        (400, PROBLEM, problem(errors=[{"code": 226}]), SaidNo, "lead_deleted", False),
        (400, PROBLEM, problem(detail="Request data can not be empty"), SaidNo, "bad_request", False),
        (400, HTML, NGINX, BrokenWord, "unexpected_answer", False),
        (422, PROBLEM, problem(detail="Limit 250 per page"), SaidNo, "too_many_items", False),
        (500, PROBLEM, problem(title="ErrInternalServer"), BrokenWord, "server_error", True),
        (500, HTML, NGINX, BrokenWord, "server_error", True), (502, HTML, b"", BrokenWord, "server_error", True),
        (504, HTML, b"", BrokenWord, "server_error", True), (520, HTML, b"", BrokenWord, "server_error", True),
        (301, HTML, b"", BrokenWord, "unexpected_answer", False), (418, "", b"", BrokenWord, "unexpected_answer", False),
    ],
)  # fmt: skip
def test_table(status, content_type, body, kind, code, retryable):
    """Every documented answer has its class, its code and its decision."""
    error = answers.error_of(status, content_type, body)
    assert (type(error), error.code, error.retryable) == (kind, code, retryable)


def test_retry_after_of_the_body_is_kept():
    """The pause a 429 asks for in its body reaches the caller."""
    assert answers.error_of(429, PROBLEM, problem(retry_after=300)).retry_after_s == 300


def test_validation_errors_become_paths_and_codes():
    """Path and code are kept; AmoCRM's sentence, which may quote a phone, is not."""
    body = problem(**{"validation-errors": [{"request_id": "0", "errors": [
        {"code": "NotSupportedChoice", "path": "custom_fields_values.0.field_id", "detail": "+79991234567 is bad"},
        {"code": "In valid", "path": "x" * 500, "detail": "y"},
    ]}]})  # fmt: skip
    error = answers.error_of(400, PROBLEM, body)
    assert error.refusals == (Refusal("custom_fields_values.0.field_id", "NotSupportedChoice"), Refusal("?", "?"))
    assert "9991234567" not in f"{error} {error!r} {error.refusals} {error.args}"


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("hint", "kind", "code"),
    [
        ("Authorization code has expired", NotLetIn, "code_expired"),
        ("Authorization code has been revoked", NotLetIn, "code_used"),
        ("Cannot decrypt the authorization code", NotLetIn, "code_invalid"),
        ("Check the `client_id` parameter", SetupError, "client_id_wrong"),
        ("Check the `client_secret` parameter", SetupError, "client_secret_wrong"),
        ("Redirect URI is not associated with client", SetupError, "redirect_uri_wrong"),
        ("Invalid account", SetupError, "account_wrong"),
        ("Token has been revoked", NotLetIn, "grant_revoked"),
        ("Cannot decrypt the refresh token", NotLetIn, "grant_invalid"),
        ("Refresh token is wrong", NotLetIn, "grant_invalid"),
    ],
)  # fmt: skip
def test_hints_of_the_token_endpoint(status, hint, kind, code):
    """The hint decides, whether it comes with 400 or 401: both are recorded."""
    error = token_error_of(status, PROBLEM, problem(hint=hint, status=401))
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("status", "content_type", "body", "code"),
    [
        (401, PROBLEM, problem(detail="Авторизация клиента не прошла"), "client_not_allowed"),
        (403, HTML, NGINX, "blocked"), (404, PROBLEM, problem(), "account_gone"), (404, HTML, NGINX, "account_gone"),
        (429, HTML, b"", "rate_limited"), (500, HTML, b"", "server_error"), (402, PROBLEM, problem(), "unpaid"),
    ],
)  # fmt: skip
def test_other_answers_of_the_token_endpoint(status, content_type, body, code):
    """Without a hint the status and the content type decide."""
    assert token_error_of(status, content_type, body).code == code


@given(st.integers(100, 599), st.sampled_from([PROBLEM, HTML, "", "application/json"]), st.one_of(st.binary(), st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(
        st.sampled_from(["errors", "validation-errors", "detail", "code", "path", "hint", "retry_after"]), inner)),
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_no_answer_makes_it_fail(status, content_type, body):
    """Whatever comes back is a success or an error of ours, never an exception of another kind."""
    for reading in (answers.error_of, token_error_of):
        found = reading(status, content_type, body)
        assert found is None or (isinstance(found, DeskError) and found.code)


@pytest.mark.parametrize("data", [
    [], {}, {"_embedded": []}, {"_embedded": {"leads": {}}}, {"_embedded": {"leads": [1]}}, {"_embedded": {"leads": [{}]}}, "x",
])  # fmt: skip
def test_another_shape_is_not_an_empty_list(data):
    """Empty is only what AmoCRM calls empty; anything unreadable is an error."""
    with pytest.raises(BrokenWord):
        answers.items(data, "leads")


def test_204_is_an_empty_list():
    """No body means nothing there."""
    assert answers.items(None, "leads") == []
