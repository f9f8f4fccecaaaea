from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from llm_admin.admin import probes

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="root"),
    path("healthz", probes.alive, name="healthz"),
    path("readyz", probes.ready, name="readyz"),
    path("metrics", probes.metrics_page, name="metrics"),
    path("admin/", admin.site.urls),
]
