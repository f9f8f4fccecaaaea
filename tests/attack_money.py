from __future__ import annotations
import asyncio, datetime as dt, json
import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache as django_cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.urls import reverse
from llm_admin import RunFailed, arun_prompt, run_prompt
from llm_admin.choices import *
from llm_admin.jobs.writer import WRITER
from llm_admin.models import *
from llm_admin.runtime.cache import *
from llm_admin.runtime import cache as rc
from llm_admin.runtime.providers.base import EmbeddingResult
from llm_admin.selectors import budgets as selector
from llm_admin.services import budgets, actors, repricing, prices
from llm_admin.schemas.prompts import Parameters
from llm_admin.schemas.usage import TokenUsage
from tests import factories
from tests.log_rows import log
from tests.log_rows import run as run_row
from tests.services.budget_calls import NANO, ask, budget, call, end, model, refused, run
pytestmark = pytest.mark.django_db(transaction=True)
make = sync_to_async(budget)
def use(of): return BudgetUse.objects.with_scopes_disabled().filter(budget=of).first()
ause = sync_to_async(use)

async def test_first_refused_in_new_period(scope):
    made = await make(scope, unit="money", limit=1000)
    await sync_to_async(BudgetUse.objects.all().delete)()
    await refused(run(scope))
    found = await ause(made)
    assert found and found.refused_calls == 1

async def test_max_tokens_huge(scope):
    made = await make(scope, unit="tokens", limit=1000)
    e = await refused(run(scope), parameters={"max_tokens": 10**30})
    print(e.detail)
    made = await make(scope, name="m", unit="money", limit=1000)
    e = await refused(run(scope), parameters={"max_tokens": 10**30})

@pytest.mark.parametrize("usage", [{"prompt_tokens": -5, "completion_tokens": 3, "total_tokens": -2}, {"prompt_tokens": 10**30, "completion_tokens": 3, "total_tokens": 5}, {"prompt_tokens": 10**12, "completion_tokens": 10**12, "total_tokens": 5}, {"prompt_tokens": "abc", "completion_tokens": 3, "total_tokens": 5}, {"prompt_tokens": 1.5, "completion_tokens": 3, "total_tokens": 5}])
def test_hostile_usage(scope, system, usage):
    from tests.servers.openai_server import OpenAIServer
    from tests.servers.openai_behaviour import Behaviour
    with OpenAIServer() as server:
        c = Connection.objects.get(); c.provider = "openai"; c.base_url = server.base_url; c.save()
        d = Deployment.objects.get(); d.provider_model = "words"; d.save()
        DeploymentPrice.objects.create(deployment=d, input_per_million=1, output_per_million=2)
        server.script = None
        import tests.servers.openai_behaviour as ob
        old = ob.MODELS["words"]; ob.MODELS["words"] = Behaviour(usage=usage)
        try:
            made = budget(scope, unit="money", limit=NANO)
            slug = factories.prompt(scope).slug
            try:
                r = run_prompt(slug, {"topic": "rain"})
                print("OK", r.output[:20])
            except RunFailed as e:
                print("FAILED", e)
        finally:
            ob.MODELS["words"] = old
    row = Run.objects.get()
    l = InteractionLog.objects.first()
    print(row.status, row.error_message, l and (l.input_tokens, l.output_tokens, l.cost_nano), use(made).used, use(made).reserved)
    assert row.status == "succeeded"

def test_overrides_overflow(scope, system, member, login):
    made = budget(scope, unit="money", limit=10**18)
    try:
        for _ in range(10):
            budgets.override(made, actor=system, amount=10**18, reason="more")
    except Exception as e:
        print(repr(e))
    print(selector.standings([made])[0])

@pytest.mark.parametrize("info", [{"input_tokens": "abc", "output_tokens": 1}, {"input_tokens": -1, "output_tokens": 1}, {"input_tokens": 10**30, "output_tokens": 1}, {"input_tokens": [1], "output_tokens": {}}, {"input_tokens": True}])
@pytest.mark.parametrize("text", ["kept", "ke\x00pt", "ke\ud800pt"])
def test_corrupt_info(scope, info, text):
    slug = factories.prompt(scope, spec=factories.chat_spec(parameters=Parameters(temperature=0))).slug
    run_prompt(slug, {"topic": "rain"})
    store = django_cache._connections[django_cache._alias]
    import pickle, time
    n = 0
    for key in list(store._cache):
        if ":answer:" in key:
            n += 1
            store._cache[key] = pickle.dumps(json.dumps({"at": time.time(), "answer": [{"text": text, "info": info}]}))
    print("entries", n)
    r = run_prompt(slug, {"topic": "rain"})
    l = InteractionLog.objects.order_by("-id").first()
    print(repr(r.output)[:30], l.cached, l.input_tokens)
    assert InteractionLog.objects.count() == 2

@pytest.mark.parametrize("junk", [b"", b"garbage", b"\x80\x04K\x01."])
def test_corrupt_file_cache(settings, tmp_path, junk, db):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}}
    c = DjangoCache(space="a")
    from langchain_core.outputs import Generation
    c.update("p", "m", [Generation(text="x")])
    import pickle, time, zlib
    for f in tmp_path.iterdir():
        f.write_bytes(pickle.dumps(time.time() + 1000) + (zlib.compress(junk) if junk.startswith(b"\x80") else junk))
    assert c.lookup("p", "m") is None

@pytest.mark.parametrize("value", [b"1234567", "text", 17, None, b""])
async def test_corrupt_embeddings(value):
    async def ask(texts): return EmbeddingResult([[1.0, 2.0] for t in texts], len(texts))
    await embed_cached(ask, ["a"], space=["m"])
    from llm_admin.runtime.cache import PREFIX, digest
    key = f"{PREFIX}:embedding:{digest(json.dumps(['m']), 'a')}"
    assert django_cache.get(key)
    django_cache.set(key, value)
    assert (await embed_cached(ask, ["a"], space=["m"])).vectors == [[1.0, 2.0]]


from django.core.cache.backends.locmem import LocMemCache
class Down(LocMemCache):
    def _down(self, *_a, **_k): raise ConnectionRefusedError("Redis is down")
    get = get_many = set = delete_many = set_many = add = incr = delete = _down

def test_limit_with_cache_down(scope, member, settings):
    settings.CACHES = {"default": {"BACKEND": "tests.attack_money.Down"}}
    ann = member(username="ann")
    scope.calls_per_minute = 5; scope.save()
    slug = factories.prompt(scope).slug
    from llm_admin.services import actors
    try:
        r = run_prompt(slug, {"topic": "rain"}, user=ann)
    except RunFailed as e:
        print("ERR", e); print(RunError.objects.first().text[-600:] if RunError.objects.first() else "")
        raise

def test_queries_of_a_run_with_budgets(scope, system):
    d = Deployment.objects.get(); d.provider_model = "demo:words=3:delay_ms=5"; d.save()
    slug = factories.prompt(scope).slug
    def count():
        got = []
        run_prompt(slug, {"topic": "rain"})
        def w(execute, sql, params, many, context):
            got.append(sql); return execute(sql, params, many, context)
        def install(): 
            connection.execute_wrappers.append(w)
        def remove():
            connection.execute_wrappers.remove(w)
        WRITER.write_sync(install)
        try:
            run_prompt(slug, {"topic": "rain"})
        finally:
            WRITER.write_sync(remove)
        return got
    a = count()
    budget(scope)
    b = count()
    for n in range(4): budget(scope, name=f"B{n}")
    c = count()
    print(len(a), len(b), len(c))
    for q in b: print("   ", q[:150])
    assert 0

def test_repricing_partial_logs(scope, system):
    place = Deployment.objects.get(model__alias="demo")
    row = run_row(scope, calls=2, cost_nano=3_000_000)
    DeploymentPrice.objects.create(deployment=place, input_per_million=5, output_per_million=0, starts_at=timezone.now()-dt.timedelta(days=3))
    log(scope, at=timezone.now()-dt.timedelta(days=1), deployment=place, model=place.model, input_tokens=1000, output_tokens=0, cost_nano=None, run_id=row.pk)
    job = repricing._new(system, place.model, [place.pk], timezone.now()-dt.timedelta(days=2))
    while repricing.step(job.pk): pass
    row.refresh_from_db(); print(row.cost_nano)
