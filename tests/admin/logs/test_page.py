"""A call to read, raw, and the calls beside it."""

from __future__ import annotations

import json
from html import unescape

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from tests import factories
from tests.log_rows import log, minutes_ago, text


def page_of(row, **query):
    return reverse("admin:llm_admin_interactionlog_change", args=[row.pk]), query


def beside(client, row, side, filters=""):
    query = {"_changelist_filters": filters} if filters else {}
    return client.get(reverse(f"admin:llm_admin_log_{side}", args=[row.pk]), query).headers["Location"]


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR))


def test_markdown_is_read_json_is_folded_and_raw_is_exact(operator, scope, django_assert_max_num_queries):
    row = log(scope)
    messages = [{"role": "system", "content": "**Be** <kind>"}, {"role": "human", "content": '{"a": [1, "é"]}'},
                {"role": "user", "content": [{"type": "text", "text": "part"}]}, "odd"]  # fmt: skip
    text(row, messages=messages, answer="# Yes\n<script>no</script>")
    with django_assert_max_num_queries(16):
        html = operator.get(*page_of(row)).content.decode()
    assert "<strong>Be</strong> &lt;kind&gt;" in html
    assert '{\n  "a": [\n    1,\n    "é"\n  ]\n}' in unescape(html)
    assert "<script>no" not in html
    raw = operator.get(*page_of(row, view="raw")).content.decode()
    assert ">**Be** &lt;kind&gt;</pre>" in raw
    assert ">{&quot;a&quot;: [1, &quot;é&quot;]}</pre>" in raw
    stored = unescape(raw[raw.index("Everything that is stored, as JSON") :])
    stored = json.loads(stored[stored.index("{") : stored.index("</pre>")])
    assert (stored["id"], stored["texts"]["messages"]) == (row.pk, messages)


def test_the_next_call_is_that_of_the_list_one_came_from(operator, scope):
    rows = [log(scope, at=minutes_ago(n + 1), status="failed" if n % 2 else "succeeded") for n in range(5)]
    assert beside(operator, rows[1], "older") == page_of(rows[2])[0]
    assert beside(operator, rows[1], "newer") == page_of(rows[0])[0]
    assert beside(operator, rows[1], "older", "status=failed") == (
        page_of(rows[3])[0] + "?_changelist_filters=status%3Dfailed"
    )
    assert "interactionlog/?status=failed" in beside(operator, rows[3], "older", "status=failed")
    assert beside(operator, rows[1], "older", "since=nonsense") == page_of(rows[2])[0]


def test_the_next_call_is_one_that_may_be_seen(member, login, scope):
    author = member(Role.AUTHOR)
    mine = [log(scope, user=author, at=minutes_ago(n)) for n in (9, 1)]
    theirs = log(scope, at=minutes_ago(5))
    log(factories.workspace(), at=minutes_ago(4))
    client = login(author)
    assert beside(client, mine[0], "newer") == page_of(mine[1])[0]
    assert client.get(reverse("admin:llm_admin_log_newer", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("admin:llm_admin_log_newer", args=[2**70])).status_code == 404
