"""What is deleted for good asks for its name, says what readers lose, and what others hang on stays."""

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from papers.models import Paper, Source, Topic
from subscribers.models import Subscriber
from tests.newsletter.rows import make
from tests.newsletter.test_cockpit import person, sign_in

pytestmark = pytest.mark.usefixtures("fixed_clock")

TOPICS = reverse("admin:papers_topic_changelist")


@pytest.fixture
def followed(alice: Subscriber) -> Topic:
    topic, _ = make(Topic, 2)
    alice.topics.set([topic])
    return topic


def test_a_topic_goes_with_its_typed_name_alone_and_it_is_said_what_readers_lose(followed: Topic) -> None:
    editor, asked = sign_in("Editor"), {"action": "remove", "_selected_action": followed.pk}
    page = editor.post(TOPICS, asked, secure=True).content.decode()
    assert f"Type “{followed}” to go on" in page
    assert "topics of 1 reader." in page
    assert "That was not it." in editor.post(TOPICS, asked | {"typed": "no"}, secure=True).content.decode()
    assert Topic.objects.filter(pk=followed.pk).exists()
    editor.post(TOPICS, asked | {"typed": followed.name}, secure=True)
    assert not Topic.objects.filter(pk=followed.pk).exists()
    assert LogEntry.objects.get().action_flag == DELETION


def test_several_go_with_their_typed_number(followed: Topic) -> None:
    editor, two = sign_in("Editor"), [followed.pk, Topic.objects.exclude(pk=followed.pk)[0].pk]
    asked = {"action": "remove", "_selected_action": two}
    assert "Type “2 topics” to go on" in editor.post(TOPICS, asked, secure=True).content.decode()
    assert Topic.objects.filter(pk__in=two).count() == 2
    editor.post(TOPICS, asked | {"typed": "2 topics"}, secure=True)
    assert not Topic.objects.filter(pk__in=two).exists()


@pytest.mark.parametrize("model", ["paper", "topic", "source"])
def test_what_others_hang_on_is_not_deleted_by_pages_that_read_all_of_them(followed: Topic, model: str) -> None:
    rows = {"paper": Paper.objects.create(title="Robots"), "source": Source.objects.create(name="x", kind="page")}
    row, owner = {**rows, "topic": followed}[model], sign_in("Owner")
    assert owner.post(reverse(f"admin:papers_{model}_delete", args=[row.pk]), secure=True).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    owner.post(reverse(f"admin:papers_{model}_changelist"), chosen, secure=True)
    assert type(row).objects.filter(pk=row.pk).exists()


def test_nobody_is_deleted_with_what_they_did(db: None) -> None:
    owner, someone = sign_in("Owner"), person("grace")
    form = owner.get(reverse("admin:auth_user_change", args=[someone.pk]), secure=True).content.decode()
    assert "Untick it to close the account" in form
    assert "Delete" not in form
    assert (
        owner.post(reverse("admin:auth_user_delete", args=[someone.pk]), {"post": "yes"}, secure=True).status_code
        == 403
    )
    assert User.objects.filter(pk=someone.pk).exists()


def test_people_are_listed_with_their_roles_and_whether_they_have_a_second_factor(db: None) -> None:
    someone = person("grace", "Operator", "Auditor")
    someone.totpdevice_set.create(name="phone", confirmed=True)
    page = sign_in("Owner").get(reverse("admin:auth_user_changelist"), secure=True).content.decode()
    assert "Auditor, Operator" in page
    assert "Second factor" in page
