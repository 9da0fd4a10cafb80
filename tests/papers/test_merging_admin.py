"""Editors look at two papers, and make them one."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from papers.models import Merged, Paper
from papers.records import PaperRecord

ARXIV = PaperRecord.from_source(title="Pointer Networks", authors=["Oriol Vinyals"], arxiv_id="1506.03134")
PAGE = PaperRecord.from_source(title="Pointer Network", authors=["O. Vinyals"])


def signed_in(role: str) -> Client:
    client = Client()
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    return client


@pytest.fixture
def pair(db: None) -> tuple[Paper, Paper]:
    Paper.objects.upsert([ARXIV, PAGE])
    return Paper.objects.get(arxiv_id="1506.03134"), Paper.objects.get(arxiv_id=None)


def address(keep: Paper, other: object = "") -> str:
    return reverse("admin:papers_paper_merge", args=[keep.pk]) + (f"?with={other}" if other else "")


def test_what_may_be_one_is_shown_with_a_way_to_compare(pair: tuple[Paper, Paper]) -> None:
    page = signed_in("Editor").get(reverse("admin:papers_paper_duplicates"), secure=True).content.decode()
    assert "Titles 97 % alike" in page
    assert address(pair[0], pair[1].pk) in page


def test_the_typed_word_makes_them_one(pair: tuple[Paper, Paper]) -> None:
    keep, drop = pair
    client, there = signed_in("Editor"), address(keep, drop.pk)
    assert f"Type “{drop.pk} into {keep.pk}”" in client.get(there, secure=True).content.decode()
    assert "That was not it" in client.post(there, {"typed": "yes"}, secure=True).content.decode()
    assert Paper.objects.count() == 2
    done = client.post(there, {"typed": f" {drop.pk}  into {keep.pk}"}, secure=True)
    assert done.headers["Location"] == reverse("admin:papers_paper_change", args=[keep.pk])
    assert (Paper.objects.get(), Merged.objects.get().number) == (keep, drop.pk)
    assert LogEntry.objects.get().user.username == "ada"


def test_looking_changes_nothing(pair: tuple[Paper, Paper]) -> None:
    client = signed_in("Editor")
    for there in (address(pair[0]), address(pair[0], pair[1].pk)):
        assert client.get(there, {"typed": f"{pair[1].pk} into {pair[0].pk}"}, secure=True).status_code == 200
    assert Paper.objects.count() == 2


@pytest.mark.parametrize(
    "name", ["{pk}", "https://papers.example/papers/{pk}/pointer-network/", "2603.00001v2", "10.1/x"]
)
def test_the_other_is_named_by_number_address_or_id(pair: tuple[Paper, Paper], name: str) -> None:
    keep, drop = pair
    Paper.objects.filter(pk=drop.pk).update(**{"arxiv_id": "2603.00001"} if "2603" in name else {"doi": "10.1000/x"})
    name = name.format(pk=drop.pk).replace("10.1/x", "https://doi.org/10.1000/X")
    assert "Becomes part of it" in signed_in("Editor").get(address(keep, name), secure=True).content.decode()


@pytest.mark.parametrize(("name", "words"), [("99999", "No paper of ours"), ("ä\0", "No paper"), ("{pk}", "itself")])
def test_what_is_no_other_paper_is_said(pair: tuple[Paper, Paper], name: str, words: str) -> None:
    page = signed_in("Editor").get(address(pair[0]), {"with": name.format(pk=pair[0].pk)}, secure=True)
    assert words in page.content.decode()


def test_an_auditor_sees_what_is_alike_and_merges_nothing(pair: tuple[Paper, Paper]) -> None:
    client = signed_in("Auditor")
    assert "Compare" not in client.get(reverse("admin:papers_paper_duplicates"), secure=True).content.decode()
    typed = {"typed": f"{pair[1].pk} into {pair[0].pk}"}
    assert client.post(address(pair[0], pair[1].pk), typed, secure=True).status_code == 403
    assert Paper.objects.count() == 2
