from __future__ import annotations
import pytest, itertools
from django.urls import reverse
from llm_admin.choices import *
from llm_admin.models import *
from tests import factories
from tests.log_rows import log
from tests.services.budget_calls import NANO, budget
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]
NASTY = ["", " ", "1e999", "-1e999", "1e999999999", "NaN", "sNaN", "Infinity", "-1", "0", "-0", "0.0000001", "10"*25, "9"*5000, "1\x00", "\x00", "\ud800", "١٢", "1_000", "1,5", "abc", "<script>", "1e-400", "999999999999", "999999999999.999999", "9223372036854775808", "+5", "0x10", "½", "9999-12-31", "0001-01-01", "2026-02-30", "'; drop", "%", "1%"]
BUDGET = {"name": "Team", "scope": "workspace", "unit": "money", "period": "month", "amount": "12.50", "levels": "50, 80", "enabled": "on", "owner": ""}

@pytest.fixture
def operator(member, login): 
    return login(member(Role.OPERATOR, "olga"))
@pytest.fixture
def admin_(member, login): 
    return login(member(Role.ADMIN, "adam"))

def tryall(client, url, base, out, **kw):
    for name in base:
        for value in NASTY:
            try:
                r = client.post(url, base | {name: value}, **kw)
                DeploymentPrice.objects.with_scopes_disabled().filter(source='own').delete() if hasattr(DeploymentPrice.objects, 'with_scopes_disabled') else None
                out.append((url, name, value[:30], r.status_code))
                if r.status_code not in (200, 302, 422, 400): print("STATUS", url, name, repr(value[:30]), r.status_code)
            except UnicodeEncodeError as e:
                if value != "\ud800": raise
            except Exception as e:
                print("BOOM", url, name, repr(value[:30]), repr(e)[:200])

def test_budget_forms(operator, scope):
    out = []
    base = BUDGET | {"user": "", "group": "", "prompt": "", "workflow": ""}
    tryall(operator, reverse("admin:llm_admin_budget_add"), base, out)
    for unit in ("tokens", "calls"):
        tryall(operator, reverse("admin:llm_admin_budget_add"), {"amount": "5"} and (base | {"unit": unit, "name": "x" + unit, "amount": "5"}), out)
    for sc in ("user", "group", "prompt", "workflow"):
        b = base | {"scope": sc, "name": sc}
        for v in NASTY:
            try: operator.post(reverse("admin:llm_admin_budget_add"), b | {sc: v})
            except UnicodeEncodeError: pass
            except Exception as e: print("BOOM", sc, repr(v[:30]), repr(e)[:200])
    print(Budget.objects.count(), [(b.name[:20], b.limit, b.unit) for b in Budget.objects.all()])
    made = budget(scope, name="Mine")
    tryall(operator, reverse("admin:llm_admin_budget_change", args=[made.pk]), {"name": "Mine", "amount": "5", "levels": "50", "owner": "", "enabled": "on"}, out)
    for h in ({}, {"hx-request": "true"}):
        tryall(operator, reverse("admin:llm_admin_budget_override", args=[made.pk]), {"more-amount": "5", "more-reason": "why"}, out, headers=h)
    print(BudgetOverride.objects.count())
    assert operator.get(reverse("admin:llm_admin_budget_changelist")).status_code == 200
    assert operator.get(reverse("admin:llm_admin_budget_change", args=[made.pk])).status_code == 200
    assert operator.get(reverse("admin:index")).status_code == 200
    for q in ("q", "p", "o", "all", "scope", "e"):
        for v in NASTY:
            try:
                r = operator.get(reverse("admin:llm_admin_budget_changelist"), {q: v})
                if r.status_code >= 500: print("LIST", q, v, r.status_code)
            except UnicodeEncodeError: pass
            except Exception as e: print("BOOM list", q, repr(v[:30]), repr(e)[:200])

def test_price_forms(operator, scope):
    from llm_admin.admin.price_forms import PriceForm
    out = []
    d = Deployment.objects.get()
    base = {f"d{d.pk}-{n}": v for n, v in {"input_per_million": "1", "output_per_million": "2", "cached_input_per_million": "", "starts_at": "", "cache_write_per_million": "", "reasoning_per_million": "", "per_request": "", "tier1_above": "200000", "tier1_input": "3", "tier1_output": "", "tier1_cached_input": "", "tier1_cache_write": "", "tier1_reasoning": "", "tier2_above": "100000", "tier2_input": "3"}.items()}
    for h in ({}, {"hx-request": "true"}):
        tryall(operator, reverse("admin:llm_admin_deploymentprice_add", args=[d.pk]), base, out, headers=h)
    print(DeploymentPrice.objects.count())
    assert operator.get(reverse("admin:llm_admin_languagemodel_change", args=[d.model_id])).status_code == 200
    log(scope, deployment=d, model=d.model)
    url = reverse("admin:llm_admin_languagemodel_reprice", args=[d.model_id])
    import llm_admin.services.repricing as rp
    rp.launch = lambda pk: None
    for name in ("since", "deployments"):
        for v in NASTY:
            for m in (operator.get, operator.post):
                try:
                    r = m(url, {"since": "2026-01-01", "deployments": [d.pk]} | {name: v})
                    if r.status_code not in (200, 302, 422): print("REPRICE", name, v, r.status_code)
                except UnicodeEncodeError: pass
                except Exception as e: print("BOOM reprice", name, repr(v[:30]), repr(e)[:200])
    r = operator.get(reverse("admin:llm_admin_interactionlog_change", args=[InteractionLog.objects.first().pk]))
    assert r.status_code == 200

def test_settings_forms(admin_, workspace, member):
    out = []
    url = reverse("admin:llm_admin_workspace_change", args=[workspace.pk])
    page = admin_.get(url)
    form = page.context["adminform"].form
    base = {n: ("" if form.initial.get(n) is None else form.initial[n]) for n in form.fields}
    base = {k: ("on" if v is True else "" if v is False else str(v)) for k, v in base.items()}
    for name in [n for n in base if "cache" in n or "calls" in n or "currency" in n or "rate" in n]:
        tryall(admin_, url, {**base}, out) if False else None
        for v in NASTY:
            try:
                r = admin_.post(url, base | {name: v})
                if r.status_code not in (200, 302, 422): print("WS", name, v[:20], r.status_code)
                if r.status_code == 302: print("took", name, repr(v[:30]))
            except UnicodeEncodeError: pass
            except Exception as e: print("BOOM ws", name, repr(v[:30]), repr(e)[:300])
    print(list(base))
