"""Every list of the admin asks the database as few questions of a large table as of a small one, and counts none."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.newsletter.rows import make

FEW, MANY = 10, 2_000
MOST_QUERIES = 12
MODELS = list(admin.site._registry)
COUNTS = re.compile(r"\bCOUNT\(", re.IGNORECASE)
pytestmark = pytest.mark.usefixtures("fixed_clock")


def questions(client: Client, model: type[Model]) -> list[str]:
    options = model._meta
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse(f"admin:{options.app_label}_{options.model_name}_changelist"), secure=True)
    assert page.status_code == 200
    return [query["sql"] for query in queries]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_a_list_is_flat_and_counts_no_table(model: type[Model], admin_client: Client) -> None:
    make(model, FEW)
    questions(admin_client, model)  # what is asked once for all
    few = questions(admin_client, model)
    make(model, MANY - FEW, start=FEW)
    many = questions(admin_client, model)
    assert len(many) == len(few) <= MOST_QUERIES
    assert [sql for sql in many if COUNTS.search(sql) and "LIMIT" not in sql] == []
