"""The admin's forms are its manual: each field says what it is for, or needs no word; and nobody types JSON."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from newsletter.cockpit.abouts import ABOUT
from newsletter.cockpit.navigation import GROUPS, list_of
from newsletter.models import Edition
from papers.lines import Lines
from tests.newsletter.rows import make

pytestmark = [pytest.mark.usefixtures("fixed_clock"), pytest.mark.once]

MODELS = list(admin.site._registry)
# What the word beside it says all of.
SELF_EVIDENT = {
    "papers.Paper": {"title", "abstract"},
    "papers.PaperTopic": {"paper", "topic"},
    "papers.Listing": {"paper"},
    "newsletter.EditionPaper": {"paper"},
    "auth.User": {"first_name", "last_name", "password"},
}
# Of forms alone, not of the models.
OF_EVERY_FORM = {"id", "DELETE"}


def forms_of(client: Client, model: type[Model]) -> Iterator[tuple[type[Model], forms.BaseForm]]:
    """What an operator who may do everything can fill in: to add a row, to change one, and what hangs on it."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = make(model, 1)[0]
    for address in (reverse(f"{name}_add"), reverse(f"{name}_change", args=[row.pk])):
        context: Any = client.get(address, secure=True).context or {}
        if "adminform" not in context:
            continue
        yield model, context["adminform"].form
        for inline in context["inline_admin_formsets"]:
            yield inline.formset.model, inline.formset.empty_form


def fields_of(client: Client, model: type[Model]) -> Iterator[tuple[type[Model], str, forms.Field]]:
    for owner, form in forms_of(client, model):
        for name, field in form.fields.items():
            if name not in OF_EVERY_FORM and not isinstance(field, forms.models.InlineForeignKeyField):
                yield owner, name, field


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_field_says_what_it_is_for_and_nobody_types_json(admin_client: Client, model: type[Model]) -> None:
    found = set()
    for owner, name, field in fields_of(admin_client, model):
        assert field.help_text or name in SELF_EVIDENT.get(owner._meta.label, ()), f"{owner._meta.label}.{name}"
        assert not isinstance(field, forms.JSONField) or isinstance(field, Lines), name
        found.add(name)
    # What is edited and is no form of ours has one: none passes by finding nothing.
    expected = {"papers.Topic": "phrases", "papers.Source": "categories", "papers.Paper": "authors"}
    assert expected.get(model._meta.label, "") in {*found, ""}


def test_a_pin_says_what_it_does(admin_client: Client) -> None:
    edition = make(Edition, 1)[0]
    page = admin_client.get(reverse("admin:newsletter_edition_change", args=[edition.pk]), secure=True)
    assert "What is pinned stands first in every digest" in page.content.decode()


@pytest.mark.parametrize("label", [label for _, entries in GROUPS for label, _, _ in entries])
def test_every_list_of_the_sidebar_says_what_it_is(admin_client: Client, label: str) -> None:
    address = list_of(admin.site._registry[apps.get_model(label)])
    assert f'cockpit-about">{escape(ABOUT[label])}</p>' in admin_client.get(address, secure=True).content.decode()
