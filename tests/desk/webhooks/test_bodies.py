"""Webhook bodies: what AmoCRM sends is understood, and nothing that anybody sends does harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.webhooks import bodies
from desk.webhooks.bodies import InvalidHook, read
from sandbox import brackets

ACCOUNT = {"subdomain": "fitzone", "id": 31296422, "_links": {"self": "https://fitzone.amocrm.ru"}}

ids = st.integers(1, 2**53)
times = st.integers(1, 2**40)


def body(**roots):
    return brackets.build(roots | {"account": ACCOUNT}).encode()


def test_a_captured_body():
    """The lead added of sheet 7.2, brackets in percent signs as on the wire."""
    told = read(
        b"leads%5Badd%5D%5B0%5D%5Bid%5D=1190401&leads%5Badd%5D%5B0%5D%5Bname%5D=AASDASD"
        b"&leads%5Badd%5D%5B0%5D%5Blast_modified%5D=1672189247&leads%5Badd%5D%5B0%5D%5Bupdated_at%5D=1672189249"
        b"&leads%5Badd%5D%5B0%5D%5Bcustom_fields%5D%5B0%5D%5Bvalues%5D%5B0%5D%5Bvalue%5D=%2B7+999"
        b"&account%5Bsubdomain%5D=SUB&account%5Bid%5D=30739638&account%5B_links%5D%5Bself%5D=https%3A%2F%2FSUB.amocrm.ru"
    )
    assert told.ids == {"leads": [1190401]}
    assert (told.changed_at, told.account_id, told.subdomain) == (1672189249, 30739638, "SUB")


@pytest.mark.parametrize(
    ("roots", "found"),
    [
        ({"leads": {action: [{"id": 5}, {"id": 3}]}}, {"leads": [3, 5]})
        for action in ("add", "update", "delete", "restore", "status", "responsible")
    ]
    + [
        ({"contacts": {"update": [{"id": 5, "type": "contact"}]}}, {"contacts": [5]}),
        ({"contacts": {"update": [{"id": 5, "type": "company"}]}}, {}),
        ({"contacts": {"delete": [{"id": 5}]}}, {"contacts": [5]}),
        ({"contacts": {"update": [{"id": 5, "linked_leads_id": {"8": {"ID": "8"}}}]}}, {"contacts": [5]}),
        ({"contacts": {"restore": [{"id": 5, "linked_leads_id": {"8": {"ID": 8}}}]}}, {"contacts": [5], "leads": [8]}),
        ({"leads": {"note": [{"note": {"element_type": "2", "element_id": 7, "id": 9}}]}}, {"leads": [7]}),
        ({"contacts": {"note": [{"note": {"element_type": "1", "element_id": 7}}]}}, {"contacts": [7]}),
        ({"contacts": {"note": [{"note": {"element_type": "3", "element_id": 7}}]}}, {}),
        ({"leads": {"add": [{"id": 1}], "status": [{"id": 1}]}, "contacts": {"add": [{"id": 2}]}},
         {"leads": [1], "contacts": [2]}),
        ({"leads": {"unheard_of": [{"id": 1}]}, "unsorted": {"add": [{"id": 1}]}}, {}),
        *(({"task": {action: [{"id": 4, "element_type": "2", "element_id": 9}]}}, {"tasks": [4]})
          for action in ("add", "update", "delete", "responsible")),
        ({"leads": {"add": [{"id": "1e3"}, {"id": "-1"}, {"id": "0"}, {"id": "９"}, {"id": ""}, {"id": "9" * 30}]}}, {}),
    ],
)  # fmt: skip
def test_whom_it_tells_of(roots, found):
    """Leads, contacts and tasks by id, whatever happened to them; companies and ids that are none are passed over."""
    assert read(body(**roots)).ids == found


@pytest.mark.parametrize(
    ("junk", "reason"),
    [
        (b"", "not_a_hook"), (b"\xff\xfe\x00", "not_a_hook"), (b'{"leads": 1}', "not_a_hook"), (b"leads[add][0][id]=1", "not_a_hook"),
        (b"a=1&" * (bodies.MOST_PAIRS + 1), "too_many"), (b"x" * (bodies.LARGEST_BYTES + 1), "too_large"),
        (b"leads" + b"[a]" * 100 + b"=1&account[id]=1", "too_deep"), (b"[" * 5000, "too_deep"),
        (b"leads[add][99999][id]=1&account[id]=1", "index"), (b"leads[add][x][id]=1&account[id]=1", "index"),
    ],
)  # fmt: skip
def test_what_is_no_hook(junk, reason):
    """Each limit has its word."""
    with pytest.raises(InvalidHook) as refused:
        read(junk)
    assert refused.value.reason == reason


@given(st.dictionaries(ids, times, min_size=1, max_size=20), st.sampled_from(sorted(bodies.ENTITIES)))
def test_what_the_sandbox_builds_is_read(known, entity):
    """Any number of objects: all ids, and the newest time among them."""
    told = read(body(**{entity: {"update": [{"id": one, "updated_at": at} for one, at in known.items()]}}))
    assert told.ids == {bodies.ENTITIES[entity]: sorted(known)}
    assert told.changed_at == max(known.values())


PIECES = st.sampled_from(
    ["leads", "contacts", "account", "[add]", "[0]", "[id]", "[", "]", "[]", "=", "&", "%5B", "%", "1", "id", "[note]", "+", ";", "\x00"]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=2000), st.lists(PIECES, max_size=60).map(lambda some: "".join(some).encode())))
def test_nothing_breaks_the_reader(junk):
    """Any bytes are read or refused with a word."""
    try:
        told = read(junk)
    except InvalidHook:
        return
    assert all(0 < one <= bodies.GREATEST_ID for some in told.ids.values() for one in some)
