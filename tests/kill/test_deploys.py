"""New code while mail goes out: workers that are asked to stop, and a schema that is ahead of them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from subscribers.models import Subscriber
from tests.kill.harness import Process, Scene, chance, one_database_is_enough, size
from tests.kill.providers import Relay

pytestmark = pytest.mark.kill


def to_main(worker: Process) -> None:
    worker.terminate()


def to_each(worker: Process) -> None:
    os.killpg(worker.pid, signal.SIGTERM)


@pytest.mark.parametrize(("tell", "who"), [(to_main, ""), (to_each, ", to each process")], ids=["main", "each"])
def test_k8_workers_that_are_asked_to_stop_leave_no_doubt(
    scene: Scene, relay: Relay, tell: Callable[[Process], None], who: str
) -> None:
    dice, deploys = chance("K8"), size(2, 50)
    relay.delay = 0.1  # what a worker finishes when it is asked to stop leaves enough for the next
    scene.readers(deploys * 120)
    with scene.machine.beat(), ExitStack() as stack:
        worker = stack.enter_context(scene.machine.worker())
        for _ in range(deploys):
            scene.until_taken(dice.randint(1, 20))
            tell(worker)
            new = stack.enter_context(scene.machine.worker())
            assert worker.wait(60) == 0
            worker = new
        relay.delay = 0
        scene.harmed()
        verdict = scene.ends(f"K8 SIGTERM mid-send{who}", deploys, 180)
    assert verdict.once == scene.planned


class Later(migrations.Migration):
    """What a later version may add while the workers of this one go on: all of it has an answer for their INSERTs."""

    operations = [
        migrations.AddField("digest", "later_note", models.CharField(max_length=20, null=True)),
        migrations.AddField("digest", "later_flag", models.BooleanField(db_default=False)),
        migrations.AddField("edition", "later_text", models.TextField(db_default="")),
        migrations.AddIndex("digest", models.Index(fields=["later_flag", "status"], name="digest_later")),
        migrations.CreateModel("Later", [("id", models.BigAutoField(primary_key=True))]),
    ]


@contextmanager
def migrated(migration: migrations.Migration) -> Iterator[None]:
    """The schema with one more migration, until the end of the block."""
    before = MigrationLoader(connection).project_state()
    with connection.schema_editor() as editor:
        migration.apply(before.clone(), editor)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            migration.unapply(before.clone(), editor)


def test_k16_old_workers_on_the_new_schema(scene: Scene, relay: Relay) -> None:
    """They finish what was planned before, and then plan another edition."""
    one_database_is_enough(vendor="postgresql")
    relay.delay = 0.02
    readers = scene.readers(size(120, 2000))
    weekly = Subscriber.objects.filter(pk__in=[reader.pk for reader in readers[::2]])
    weekly.update(cadence="weekly", next_digest_at=timezone.now() + timedelta(days=1))
    with ExitStack() as stack, scene.machine.beat(), scene.machine.worker():
        scene.until_taken(chance("K16").randint(1, 30))
        stack.enter_context(migrated(Later("later", "newsletter")))
        weekly.update(next_digest_at=timezone.now())
        scene.harmed()
        verdict = scene.ends("K16 old worker on the new schema", 1, 180)
    assert verdict.once == scene.planned
