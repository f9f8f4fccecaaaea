import pytest, time, datetime as dt
from django.utils import timezone
from llm_admin.models import *
from llm_admin.services import prices
from tests.log_rows import unsaved
pytestmark=[pytest.mark.django_db, pytest.mark.timeout(600)]
def test_it(scope):
    d=Deployment.objects.get()
    for n in range(20): DeploymentPrice.objects.create(deployment=d,input_per_million=n,output_per_million=1,starts_at=timezone.now()-dt.timedelta(days=30*n))
    used=DeploymentPrice.objects.order_by("starts_at").last()
    for k in range(20):
        InteractionLog.objects.bulk_create([unsaved(scope, at=timezone.now()-dt.timedelta(minutes=i), deployment=d, price=used) for i in range(k*10000,(k+1)*10000)])
    t=time.perf_counter(); list(prices.with_prices(Deployment.objects.filter(pk=d.pk))); print("with_prices 200k logs 20 prices", time.perf_counter()-t)
    from llm_admin.selectors import budgets as sel
    from tests.services.budget_calls import budget
    b=budget(scope,unit="money",limit=10**12)
    t=time.perf_counter(); one=sel.standings([b])[0]; sel.top_people(one); sel.top_prompts(one); print("tops", time.perf_counter()-t)
    from llm_admin.services import repricing, actors
    t=time.perf_counter(); print(repricing.preview(actor=actors.system(scope), deployments=[d.pk], since=timezone.now()-dt.timedelta(days=30))); print("preview", time.perf_counter()-t)
