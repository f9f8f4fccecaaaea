"""Trying a prompt, following its run over a stream, stopping it; and what the stream gives back while it flows."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal

import pytest
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db import connection, connections
from django.test import AsyncClient
from django.urls import reverse

from llm_admin.admin import streaming
from llm_admin.choices import Role, RunStatus, StoreTexts
from llm_admin.models import Connection, Deployment, DeploymentPrice, InteractionLog, Run
from llm_admin.runtime.providers.fake import enqueue, forget
from llm_admin.services import actors, documents, runs
from tests import factories

TRY = reverse("admin:llm_admin_prompt_try")
FOLLOW = reverse("admin:llm_admin_run_follow")


@pytest.fixture
def prompt(workspace):
    return factories.prompt(workspace, name="Weather")


def fields(prompt=None, text="Tell me about {{topic}}.", **more):
    spec = factories.chat_spec(text).model_dump_json()
    given = {"spec": spec, "input-topic": "rain", "client_key": "k1", "prompt": prompt.pk if prompt else ""}
    return given | more


def panel(run):
    return reverse("admin:llm_admin_run_panel", args=[run.pk])


def waiting_run(workspace, owner, prompt=None):
    """Stored, and never executed: a test inside a transaction commits nothing."""
    prompt = prompt or factories.prompt(workspace)
    actor = actors.Actor(workspace, owner, Role.AUTHOR)
    return runs.start_prompt(actor=actor, prompt=prompt, spec=factories.chat_spec(), inputs={"topic": "rain"})


# ---- Run


def test_unsaved_text_runs_as_it_stands(author, prompt, scope):
    answer = author.post(TRY, fields(prompt, "Unsaved {{topic}}\nand {{more}}", **{"input-more": "a\r\nb"}))
    assert answer.status_code == 200
    run = Run.objects.get()
    assert run.spec["prompt"]["spec"]["messages"][-1]["text"] == "Unsaved {{topic}}\nand {{more}}"
    assert run.inputs == {"topic": "rain", "more": "a\nb"}
    assert (run.prompt, run.prompt_version, run.owner.username) == (prompt, None, "ada")
    html = answer.content.decode()
    assert f'data-run-id="{run.pk}"' in html
    assert 'data-run-position="0"' in html
    assert "data-run-open" in html


def test_a_prompt_that_was_never_saved_runs(author, scope):
    assert author.post(TRY, fields()).status_code == 200
    assert Run.objects.get().prompt is None


@pytest.mark.parametrize(("text", "number"), [("Tell me about {{topic}}.", 1), ("Changed {{topic}}", None)])
def test_a_saved_text_runs_as_its_version_and_only_that(author, prompt, scope, text, number):
    author.post(TRY, fields(prompt, text, version="1"))
    version = Run.objects.get().prompt_version
    assert (version.number if version else None) == number


@pytest.mark.parametrize("version", ["9", "x", "9" * 5000])
def test_a_version_that_does_not_exist_is_unsaved_text(author, prompt, scope, version):
    assert author.post(TRY, fields(prompt, version=version)).status_code == 200
    assert Run.objects.get().prompt_version is None


def test_lists_of_messages_fill_their_place(author, scope):
    spec = {"messages": [{"role": "placeholder", "name": "history"}, {"role": "user", "text": "Go on"}]}
    past = [{"role": "user", "text": "Hello"}]
    author.post(TRY, fields(spec=json.dumps(spec), **{"list-history": json.dumps(past)}) | {"input-topic": ""})
    assert not Run.objects.exists()  # "topic" is no variable of this text
    data = {"spec": json.dumps(spec), "list-history": json.dumps(past)}
    assert author.post(TRY, data).status_code == 200
    assert Run.objects.get().inputs == {"history": past}


@pytest.mark.parametrize(
    ("change", "location", "words"),
    [
        ({"input-topic": ""}, ["inputs", "topic"], "“Topic” is needed"),
        ({"spec": '{"messages": [{"role": "user", "text": "a"}, {"role": "system"}]}'}, ["messages", 1], "Message 2: "),
        ({"spec": "nonsense"}, [], "did not arrive whole"),
        ({"model": "unknown"}, [], "There is no model “unknown”"),
        ({"list-topic": "[["}, [], "did not arrive whole"),
    ],
)
def test_what_cannot_run_says_so_at_its_place(author, prompt, scope, change, location, words):
    answer = author.post(TRY, fields(prompt, **change), headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    problems = json.loads(answer["HX-Trigger"])["llm:problems"]["problems"]
    assert problems[0]["location"] == location
    assert not Run.objects.exists()


def test_a_double_click_is_one_run_and_no_way_to_anothers(author, prompt, scope, member, client):
    first, second = author.post(TRY, fields(prompt)), author.post(TRY, fields(prompt))
    run = Run.objects.get()
    assert str(run.pk) in first.content.decode()
    assert str(run.pk) in second.content.decode()
    client.force_login(member(Role.AUTHOR), backend="llm_admin.auth.WorkspaceBackend")
    assert str(run.pk) not in client.post(TRY, fields(prompt)).content.decode()
    assert Run.objects.count() == 2


def test_only_authors_of_the_workspace_run(member, outsider, login, prompt, scope):
    elsewhere = factories.member(factories.workspace(), role=Role.ADMIN)
    for person, status in ((member(Role.VIEWER), 403), (outsider, 403), (elsewhere, 404)):
        assert login(person).post(TRY, fields(prompt)).status_code == status
    assert login(member()).get(TRY).status_code == 405
    assert not Run.objects.exists()


# ---- the panel, Stop


def test_stop_closes_a_waiting_run(author, member, scope):
    run = waiting_run(scope, Run.owner.field.related_model.objects.get(username="ada"))
    html = author.post(reverse("admin:llm_admin_run_stop", args=[run.pk])).content.decode()
    assert "Stopped before it began." in html
    assert "data-run-open" not in html
    assert Run.objects.get().status == RunStatus.CANCELLED


def test_anothers_run_is_neither_seen_nor_stopped(member, outsider, login, scope):
    run = waiting_run(scope, member(Role.AUTHOR, "bea"))
    elsewhere = factories.member(factories.workspace(), role=Role.ADMIN)
    for person, status in ((member(Role.AUTHOR), 404), (member(Role.VIEWER), 404), (outsider, 403), (elsewhere, 404)):
        client = login(person)
        follow = client.get(FOLLOW, {"run": f"{run.pk}:0"})
        stop = client.post(reverse("admin:llm_admin_run_stop", args=[run.pk]))
        shown = client.get(panel(run))
        assert {follow.status_code, stop.status_code, shown.status_code} == {status}
        assert b"rain" not in shown.content
    assert Run.objects.get().stop_requested_at is None


def test_an_operator_sees_and_stops_everyones(member, login, scope):
    run = waiting_run(scope, member(Role.AUTHOR))
    client = login(member(Role.OPERATOR))
    assert ">Stop<" in client.get(panel(run)).content.decode()
    assert client.post(reverse("admin:llm_admin_run_stop", args=[run.pk])).status_code == 200
    assert Run.objects.get().status == RunStatus.CANCELLED


def test_recent_runs_are_ones_own_or_all(member, login, prompt, scope):
    mine = member(Role.AUTHOR, "ada")
    waiting_run(scope, mine, prompt)
    waiting_run(scope, member(Role.AUTHOR, "bea"), prompt)
    address = reverse("admin:llm_admin_prompt_runs", args=[prompt.pk])
    assert login(mine).get(address).content.decode().count("<tr>") == 2  # with the heading
    html = login(member(Role.OPERATOR)).get(address).content.decode()
    assert html.count("<tr>") == 3
    assert "ada" in html


def test_the_studio_shows_the_run_that_goes_on(author, member, prompt, scope):
    ada = Run.owner.field.related_model.objects.get(username="ada")
    run = waiting_run(scope, ada, prompt)
    address = reverse("admin:llm_admin_prompt_change", args=[prompt.pk])
    page = author.get(address)
    assert f'data-run-id="{run.pk}"' in page.content.decode()
    assert page.context["state"]["values"] == {"topic": "rain"}
    runs.stop(run, actor=actors.Actor(scope, ada, Role.AUTHOR))
    assert "data-run-id" not in author.get(address).content.decode()
    assert "data-run-id" in author.get(address, {"run": str(run.pk)}).content.decode()


# ---- a run from beginning to end


@pytest.fixture
def scripted(workspace):
    """The next answer of the demo model, in pieces; with a price."""
    from llm_admin.tenancy import workspace_scope

    with workspace_scope(workspace):
        Connection.objects.update(options={"script": "playground"})
        DeploymentPrice.objects.create(
            deployment=Deployment.objects.get(), input_per_million=Decimal("0.15"), output_per_million=Decimal("0.60")
        )
        yield lambda *pieces: enqueue("playground", list(pieces))
    forget("playground")


def ended(run_id):
    deadline = time.monotonic() + 60
    while (run := Run.objects.get(pk=run_id)).is_open:
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.01)
    return run


def events_of(response):
    return parsed(b"".join(response.streaming_content).decode())


def parsed(text):
    blocks = [block.split("\n") for block in text.split("\n\n") if block and not block.startswith(":")]
    found = [dict(line.split(": ", 1) for line in lines) for lines in blocks]
    return [(one["event"], json.loads(one["data"]), one.get("id", "")) for one in found]


def tokens(events):
    return "".join(data["text"] for event, data, _ in events if event == "token")


@pytest.mark.django_db(transaction=True)
def test_a_run_is_followed_to_its_priced_end(author, prompt, scope, scripted):
    scripted("Rain <b>", "is", " wet.")
    author.post(TRY, fields(prompt, version="1"))
    run = Run.objects.get()
    response = author.get(FOLLOW, {"run": f"{run.pk}:0"})
    assert response["Content-Type"].startswith("text/event-stream")
    assert (response["Content-Encoding"], response["X-Accel-Buffering"]) == ("identity", "no")
    assert "no-store" in response["Cache-Control"]
    events = events_of(response)
    assert tokens(events) == "Rain <b>is wet."
    assert [event for event, *_ in events][-2:] == ["status", "end"]
    assert events[-2][1]["status"] == "succeeded"
    ended(run.pk)
    log = InteractionLog.objects.get()
    html = author.get(panel(run)).content.decode()
    assert "Rain &lt;b&gt;is wet." in html
    assert f"{log.input_tokens} in × $0.15/M + {log.output_tokens} out × $0.60/M" in " ".join(html.split())
    assert log.cost_nano == log.input_tokens * 150 + log.output_tokens * 600
    assert "data-run-open" not in html


@pytest.mark.django_db(transaction=True)
def test_following_goes_on_from_a_position(author, prompt, scope, scripted):
    scripted("one ", "two ", "three")
    author.post(TRY, fields(prompt))
    run = ended(Run.objects.get().pk)
    everything = events_of(author.get(FOLLOW, {"run": f"{run.pk}:0"}))
    first = next(one for one in everything if one[0] == "token")
    rest = events_of(author.get(FOLLOW, {"run": f"{run.pk}:{first[1]['position']}"}))
    assert first[1]["text"] + tokens(rest) == "one two three"
    assert first[2] == f"{run.pk}:{first[1]['position']}"
    again = author.get(FOLLOW, {"run": f"{run.pk}:0"}, headers={"Last-Event-ID": first[2]})
    assert tokens(events_of(again)) == tokens(rest)


@pytest.mark.django_db(transaction=True)
def test_one_stream_carries_several_runs_and_only_visible_ones(author, prompt, scope, scripted, member):
    scripted("first")
    author.post(TRY, fields(prompt, client_key="a"))
    ended(Run.objects.get().pk)
    scripted("second")
    author.post(TRY, fields(prompt, client_key="b"))
    second, first = [ended(run.pk) for run in Run.objects.order_by("-id")]
    hidden = factories.member(scope)
    Run.objects.filter(pk=first.pk).update(owner=hidden)
    asked = {"run": [f"{first.pk}:0", f"{second.pk}:x", "rubbish"]}
    assert tokens(events_of(author.get(FOLLOW, asked))) == "second"
    Run.objects.filter(pk=first.pk).update(owner=second.owner)
    both = events_of(author.get(FOLLOW, asked))
    assert sorted(data["text"] for event, data, _ in both if event == "token") == ["first", "second"]


@pytest.mark.django_db(transaction=True)
def test_where_no_texts_are_kept_the_page_is_told(author, prompt, scope, scripted):
    from llm_admin.channels.memory import CHANNEL

    scope.store_texts = StoreTexts.NOTHING
    scope.save()
    scripted("secret answer")
    author.post(TRY, fields(prompt))
    run = ended(Run.objects.get().pk)
    CHANNEL._streams.clear()
    html = author.get(panel(run)).content.decode()
    assert "secret answer" not in html
    assert "data-run-unkept" in html
    assert "keeps no texts" in html


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_a_sentence_with_what_had_arrived(author, prompt, scope, scripted):
    scripted("Half an ", ConnectionError("gone"))
    author.post(TRY, fields(prompt))
    run = ended(Run.objects.get().pk)
    html = author.get(panel(run)).content.decode()
    assert "Half an" in html
    assert 'role="alert"' in html
    assert run.error_message in html.replace("&#x27;", "'")
    assert "Traceback" not in html


# ---- what a stream holds


@pytest.mark.django_db(transaction=True)
async def test_under_asgi_the_stream_comes_piece_by_piece(prompt, member, scope, scripted):
    person = await sync_to_async(member)(Role.AUTHOR)
    await sync_to_async(scripted)("one ", "two")
    client = AsyncClient()
    await client.aforce_login(person, backend="llm_admin.auth.WorkspaceBackend")
    assert (await client.post(TRY, fields(prompt))).status_code == 200
    run = await Run._base_manager.aget()
    response = await client.get(FOLLOW, {"run": f"{run.pk}:0"})
    assert response.is_async
    pieces = [piece.decode() async for piece in response.streaming_content]
    assert pieces[0] == streaming.PING.decode()
    assert tokens(parsed("".join(pieces))) == "one two"


@pytest.mark.django_db(transaction=True)
async def test_a_stream_gives_its_thread_and_connection_back():
    """Pins the internals of asgiref that `release_thread` relies on."""
    used = {}

    def query():
        connection.ensure_connection()
        used["thread"], used["connection"] = threading.current_thread(), connections["default"]

    async with ThreadSensitiveContext():
        await sync_to_async(query)()
        context = SyncToAsync.thread_sensitive_context.get()
        executor = SyncToAsync.context_to_thread_executor[context]
        assert used["connection"].connection is not None
        await streaming.release_thread()
        assert context not in SyncToAsync.context_to_thread_executor
        with pytest.raises(RuntimeError):
            executor.submit(print)
        used["thread"].join(5)
        assert not used["thread"].is_alive()
        assert used["connection"].connection is None
        assert await sync_to_async(threading.current_thread)() is not used["thread"]  # what follows gets a new one


async def test_release_outside_of_a_request_does_nothing():
    await streaming.release_thread()


@pytest.mark.django_db
def test_a_connection_inside_a_transaction_stays():
    streaming.close_idle_connections()
    assert connection.connection is not None


def test_an_event_is_one_block():
    sent = streaming.message({"text": "a\n\nb", "path": ""}, event="token", last_id="r:3")
    assert sent.decode() == 'id: r:3\nevent: token\ndata: {"text":"a\\n\\nb","path":""}\n\n'


def test_the_version_asked_for_is_compared_not_believed(prompt, scope):
    from llm_admin.admin.playground import _unchanged

    assert _unchanged(prompt, documents.spec_of(documents.newest(prompt)), "1").number == 1
    assert _unchanged(prompt, factories.chat_spec("Other {{topic}}"), "1") is None
    assert _unchanged(None, factories.chat_spec(), "1") is None
