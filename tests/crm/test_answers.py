"""What an answer of AmoCRM means: status, content type and body in, an error out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import answers
from crm.errors import BrokenWord, DeskError, NotLetIn, Refusal, SetupError
from crm.oauth import question_error_of, token_error_of
from desk.delivery import decisions
from desk.words import LANGUAGES, words
from tests.crm.said import HTML, NGINX, PROBLEM, SAID, problem


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status):
    """AmoCRM's four statuses of success raise nothing, whatever the body."""
    assert answers.error_of(status, "", b"") is None


@pytest.mark.parametrize("said", SAID, ids=str)
def test_table(said):
    """Every answer somebody has seen or documented has its class, its code, and waits for all or for itself alone."""
    error = answers.error_of(said.status, said.content_type, said.body)
    assert (type(error), error.code, decisions.affects_whole_queue(error)) == (said.error, said.code, said.waits)
    assert error.status == said.status


def test_every_row_of_the_table_is_tried():
    """Each row is the first that fits some answer above: none is shadowed by the one before it, none is there for show."""

    def first(said):
        facts = answers.understood(said.status, said.content_type, said.body)
        return next((number for number, row in enumerate(answers.TABLE) if row.fits(*facts)), None)

    assert {first(said) for said in SAID} - {None} == set(range(len(answers.TABLE)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_has_words(language):
    """Whatever the table says, a person reads what happened and what to do."""
    codes = {row.code for row in answers.TABLE} | {"unexpected_answer"}
    for code in codes:
        assert words(language).has(f"error-{code}"), code
        assert words(language).has(f"error-{code}-remedy"), code


def test_only_payment_and_pace_are_tried_again_by_the_same_caller():
    """What passes by itself says so; what a person has to mend does not."""
    retryable = {said.code for said in SAID if answers.error_of(said.status, said.content_type, said.body).retryable}
    assert retryable == {"unpaid", "rate_limited", "server_hiccup", "server_error", "not_routed", "garbled"}


@pytest.mark.parametrize(("content_type", "body"), [
    ("", b""), (HTML, NGINX), (HTML, b""), ("text/plain", b"no"), (PROBLEM, b"{}"), (PROBLEM, b"[]"), (PROBLEM, problem(detail="?")),
], ids=str)  # fmt: skip
def test_what_nobody_has_seen_is_no_leads_fault(content_type, body):
    """No answer without a word about the request itself refuses a lead: the queue waits, or the lead is looked for."""
    own = {"not_found", "request_too_large"}
    for status in (*range(300, 600), 203, 206, 226, 299, 100, 999):
        error = answers.error_of(status, content_type, body)
        assert isinstance(error, NotLetIn | SetupError | BrokenWord) or error.code in own, status
        if 300 <= status < 500 and error.code not in own | {"not_routed"}:
            assert decisions.affects_whole_queue(error), status


@pytest.mark.parametrize("encode", [
    lambda text: text.encode(), lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16"), lambda text: text.encode("cp1251"),
    lambda text: json.dumps(json.loads(text)).encode(), lambda text: b"\r\n " + text.encode(),
], ids=["utf-8", "with a mark", "utf-16", "cp1251", "escaped", "behind blanks"])  # fmt: skip
@pytest.mark.parametrize("content_type", [PROBLEM, "application/json; charset=utf-8", HTML, "text/plain", ""])
def test_the_spelling_of_a_refusal_does_not_matter(encode, content_type):
    """A byte order mark, another alphabet, a header that lies: the refusal is read all the same."""
    body = encode(
        '{"title": "Bad Request", "status": 400, "detail": "Код ошибки 244. Обратитесь в техническую поддержку."}'
    )
    assert answers.error_of(400, content_type, body).code == "account_refuses"
    page = encode('"x"').replace(encode('"x"'), "<html>Вход в amoCRM</html>".encode())
    assert answers.error_of(401, content_type, page).code == "person_switched_off"


def test_latin_letters_that_are_no_unicode_are_told():
    """A page or a text in Latin-1 is read as what it is."""
    assert (
        answers.error_of(401, "text/html; charset=iso-8859-1", b"<html>\xe9\xff</html>").code == "person_switched_off"
    )
    assert answers.error_of(400, PROBLEM, b'{"detail": "\xe9\xff", "errors": [{"code": 226}]}').code == "lead_deleted"
    assert answers.error_of(500, PROBLEM, b"\xff\xfe\x00").code == "server_error"


@pytest.mark.parametrize("body", [
    {"detail": "Код ошибки 244. Обратитесь в техническую поддержку."}, {"detail": "код ошибки: 202"}, {"detail": "Error code 288. Contact support"},
    {"errors": [{"code": 244}]}, {"errors": [{"code": "425"}]}, {"errors": {"1": {"code": 426}}}, {"error_code": "244"},
    {"response": {"error": "Код ошибки 244.", "error_code": "244"}}, {"detail": "Код ошибки 777. Обратитесь в техническую поддержку."},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("status", [400, 200])
def test_an_internal_number_is_the_accounts_trouble_wherever_it_stands(status, body):
    """In the sentence, beside it, in the old form, as a text, inside a success: the account is meant, not the lead."""
    if status == 200 and "response" not in body:
        body = {"title": "Bad Request", "status": 400} | body
    error = answers.error_of(status, PROBLEM, json.dumps(body, ensure_ascii=False).encode())
    assert (type(error), error.code) == (NotLetIn, "account_refuses")


@pytest.mark.parametrize("data", [
    {"id": 5, "name": "x", "status": 400}, {"_embedded": {"leads": []}, "title": "x", "status": 500}, {"response": {"leads": []}},
    {"title": "Звонок", "status": 142}, [], [{"title": "x", "status": 500}], {"title": 5, "status": 500},
], ids=str)  # fmt: skip
def test_data_that_look_like_a_refusal_are_data(data):
    """A success is a refusal only if it says so as one."""
    assert answers.error_of(200, "application/hal+json", json.dumps(data).encode()) is None


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
        (400, PROBLEM, problem(detail="Возникла системная ошибка. Пожалуйста, повторите попытку."), "server_hiccup"),
        (400, PROBLEM, problem(detail="Код ошибки 244. Обратитесь в техническую поддержку."), "account_refuses"),
        (400, PROBLEM, problem(), "grant_invalid"), (401, PROBLEM, problem(errors=[{"code": 112}]), "person_switched_off"),
        (401, HTML, NGINX, "unexpected_answer"), (401, "", b"", "unexpected_answer"), (302, HTML, b"", "unexpected_answer"),
        (301, "", b"", "unexpected_answer"), (418, "", b"", "unexpected_answer"),
    ],
)  # fmt: skip
def test_other_answers_of_the_token_endpoint(status, content_type, body, code):
    """Without a hint the status and the content type decide."""
    assert token_error_of(status, content_type, body).code == code


@pytest.mark.parametrize(("status", "content_type", "body", "code"), [
    (401, PROBLEM, problem(hint="Token has been revoked"), "token_rejected"), (404, PROBLEM, problem(), "not_found"),
    (429, HTML, b"", "rate_limited"), (401, HTML, NGINX, "unexpected_answer"), (302, HTML, b"", "unexpected_answer"),
    (400, PROBLEM, problem(detail="Код ошибки 244."), "unexpected_answer"), (418, "", b"", "unexpected_answer"),
])  # fmt: skip
def test_answers_about_a_refresh_token(status, content_type, body, code):
    """Only AmoCRM's own refusal says that a token is worth nothing; a page or a riddle says nothing about it."""
    error = question_error_of(status, content_type, body)
    assert error.code == code
    assert isinstance(error, BrokenWord) == (code == "unexpected_answer")


@given(st.integers(100, 599), st.sampled_from([PROBLEM, HTML, "", "application/json"]), st.one_of(st.binary(), st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(
        st.sampled_from(["errors", "validation-errors", "detail", "code", "path", "hint", "retry_after", "status", "title",
                         "response", "error", "error_code"]), inner)),
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_no_answer_makes_it_fail(status, content_type, body):
    """Whatever comes back is a success or an error of ours, never an exception of another kind."""
    for reading in (answers.error_of, token_error_of, question_error_of):
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
