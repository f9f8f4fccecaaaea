"""The demo shop's products, and the groups through which the demo accounts reach them: Django's own permissions."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from console.shop.models import Product
from console.shop.products import PRODUCTS, WRITTEN
from llm_admin.services.demo import require_demo

# Group -> what its members may do with products, and which demo accounts are in it ("admin" is a superuser).
GROUPS = {
    "Shop editors": (("view", "add", "change"), ("author", "operator")),
    "Shop readers": (("view",), ("viewer",)),
}


@transaction.atomic
def prepare(environment: Mapping[str, str]) -> list[str]:
    """Sentences about what was made; none the second time. Raises NotADemo."""
    require_demo(environment)
    return [*_groups(), *_products()]


def _groups() -> list[str]:
    users, made = get_user_model()._default_manager, []
    for name, (actions, accounts) in GROUPS.items():
        group, new = Group.objects.get_or_create(name=name)
        if not new:
            continue
        wanted = [f"{action}_product" for action in actions]
        group.permissions.set(Permission.objects.filter(content_type__app_label="shop", codename__in=wanted))
        group.user_set.add(*users.filter(**{f"{users.model.USERNAME_FIELD}__in": accounts}))
        made.append(f"Group “{name}”: {', '.join(accounts)}.")
    return made


def _products() -> list[str]:
    if Product.objects.exists():
        return []
    rows = [
        Product(name=name, category=category, price=price, weight=weight, in_stock=in_stock, description=description)
        for name, category, price, weight, in_stock, description in PRODUCTS
    ]
    for row in rows:
        row.tagline, row.audience = WRITTEN.get(row.name, ("", ""))
    return [f"{len(Product.objects.bulk_create(rows))} products in the demo shop."]
