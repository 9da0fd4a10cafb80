"""What a load balancer or an orchestrator asks: is the process up, and can it serve?"""

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

logger = logging.getLogger(__name__)
PATIENCE = 2  # seconds to wait for Redis


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The process answers."""
    return _plain("ok")


def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Database and Redis answer and the migrations are applied; else 503 and what is missing, in words."""
    faults = [fault for fault in (_database_fault(), _redis_fault()) if fault]
    return _plain("\n".join(faults), 503) if faults else _plain("ready")


def probes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware that answers both before anything else does.

    A probe asks by the machine's address and without TLS: ALLOWED_HOSTS and the redirect to https would
    turn it away.
    """
    views = {"/healthz": healthz, "/readyz": readyz}

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return views.get(request.path_info, get_response)(request)

    return middleware


def _plain(text: str, status: int = 200) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8", status=status, headers=headers)


def _database_fault() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        logger.exception("the database does not answer")
        return "The database does not answer."
    return f"{len(waiting)} migrations are not applied yet." if waiting else ""


def _redis_fault() -> str:
    client = redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    try:
        client.ping()
    except redis.RedisError:
        logger.exception("Redis does not answer")
        return "Redis does not answer."
    finally:
        client.close()
    return ""
