"""What Amazon's SES says, as boto3 hands it on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.provider import Provider
from tests.newsletter.conftest import message_to
from tests.provider_stubs import Answer, HttpProvider, serving

AT_AMAZON = {"region_name": "eu-west-1", "aws_access_key_id": "token", "aws_secret_access_key": "secret"}


@pytest.fixture
def amazon(settings: Settings) -> Iterator[HttpProvider]:
    with serving(HttpProvider(lambda _: Answer(200, {"MessageId": "name-1"}))) as http:
        settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
        settings.ANYMAIL = {"AMAZON_SES_CLIENT_PARAMS": {**AT_AMAZON, "endpoint_url": http.url}}
        yield http


def submit() -> Outcome:
    with Provider() as provider:
        return provider.submit(message_to("alice@example.org"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "TooManyRequestsException", Kind.LATER),
        (400, "ThrottlingException", Kind.LATER),
        (400, "AccountSuspendedException", Kind.HALT),
        (400, "SendingPausedException", Kind.HALT),
        (400, "MailFromDomainNotVerifiedException", Kind.HALT),
        (404, "NotFoundException", Kind.HALT),  # the configuration set
        (400, "LimitExceededException", Kind.HALT),
        (400, "BadRequestException", Kind.REFUSED),
        (503, "ServiceUnavailable", Kind.DOUBT),
    ],
)
def test_a_fault_is_judged_by_its_name(amazon: HttpProvider, status: int, code: str, kind: Kind) -> None:
    amazon.answer = lambda _: Answer(status, {"message": "no"}, {"x-amzn-ErrorType": f"{code}:http://amazon.example/"})
    assert submit().kind is kind
    assert len(amazon.calls) == 1


def test_who_cannot_be_reached_has_nothing(amazon: HttpProvider, settings: Settings) -> None:
    settings.ANYMAIL = {"AMAZON_SES_CLIENT_PARAMS": {**AT_AMAZON, "endpoint_url": "http://127.0.0.1:1"}}
    assert submit().kind is Kind.UNSENT


def test_without_a_region_all_mail_stops(
    amazon: HttpProvider, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings.ANYMAIL = {"AMAZON_SES_CLIENT_PARAMS": {}}
    assert submit().kind is Kind.HALT


def test_what_boto3_needs_may_come_from_the_environment(amazon: HttpProvider, settings: Settings) -> None:
    settings.ANYMAIL = {"AMAZON_SES_CLIENT_PARAMS": json.dumps(settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"])}
    assert submit().kind is Kind.ACCEPTED
