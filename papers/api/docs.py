"""The API's documentation for people, made from its OpenAPI document: a page like our others, without scripts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from papers.views.metadata import Metadata


@dataclass(frozen=True)
class Entry:
    """A parameter or a field: its name, its type and its meaning in words."""

    name: str
    type: str
    words: str


@dataclass(frozen=True)
class Operation:
    path: str
    summary: str
    words: str
    parameters: list[Entry]


@dataclass(frozen=True)
class Shape:
    name: str
    fields: list[Entry]


class OurDocs(DocsBase):
    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        document = api.get_openapi_schema(path_params=kwargs)
        named = json.dumps(document["paths"]) + json.dumps(document["components"])
        context = {
            "meta": Metadata("API", api.description, reverse("api:openapi-view")),
            "description": api.description,
            "limit": settings.API_REQUESTS_PER_MINUTE,
            "document": self.get_openapi_url(api, kwargs),
            "operations": [_operation(path, methods["get"]) for path, methods in document["paths"].items()],
            "shapes": [
                _shape(name, schema)
                for name, schema in document["components"]["schemas"].items()
                if f'schemas/{name}"' in named  # the rest are the parameters, once more
            ],
        }
        return render(request, "papers/api.html", context)


def _operation(path: str, operation: Mapping[str, Any]) -> Operation:
    parameters = [
        Entry(one["name"], in_words(one["schema"]), one["schema"].get("description", ""))
        for one in operation["parameters"]
    ]
    return Operation(path, operation["summary"], operation.get("description", ""), parameters)


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    fields = schema.get("properties", {}).items()
    return Shape(name, [Entry(field, in_words(its), its.get("description", "")) for field, its in fields])


def in_words(schema: Mapping[str, Any]) -> str:
    """A JSON schema's type, such as `list of PaperLine` or `date or null`, with its bounds and default."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(map(in_words, schema["anyOf"]))
    if "enum" in schema:
        words = " or ".join(schema["enum"])
    elif "items" in schema:
        words = f"list of {in_words(schema['items'])}"
    else:
        words = schema.get("format") or schema["type"]
    if "maximum" in schema:
        words += f" from {schema['minimum']} to {schema['maximum']}"
    return f"{words}, else {schema['default']}" if schema.get("default") else str(words)
