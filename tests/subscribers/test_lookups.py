"""`among` finds what `in` finds, and the domain of an address is found along its index, on both databases."""

import pytest
from django.db import connection

from subscribers.models import Consent, Subscriber
from tests.conftest import NOW


@pytest.mark.parametrize("chosen", [slice(0), slice(1), slice(1, 3)])
def test_rows_are_found_by_their_numbers_addresses_and_readers(db: None, chosen: slice) -> None:
    everybody = Subscriber.objects.bulk_create(Subscriber(email=f"reader{number}@example.org") for number in range(3))
    readers = everybody[chosen]
    numbers, emails = [one.pk for one in readers], [one.email for one in readers]
    assert set(Subscriber.objects.filter(pk__among=numbers)) == set(readers)
    assert set(Subscriber.objects.filter(email__among=emails)) == set(readers)
    assert set(Subscriber.objects.exclude(pk__among=numbers)) == set(Subscriber.objects.exclude(pk__in=numbers))
    for reader in readers:
        Consent.objects.create(subscriber=reader, page="test", words="Yes.", at=NOW)
    assert {row.subscriber_id for row in Consent.objects.filter(subscriber__among=numbers)} == set(numbers)


def test_many_values_are_one_parameter_on_postgresql(db: None) -> None:
    _, values = Subscriber.objects.filter(pk__among=[1, 2, 3]).query.sql_with_params()
    assert len(values) == (1 if connection.vendor == "postgresql" else 3)


def test_who_is_of_a_domain_is_found_along_its_index(db: None) -> None:
    names = ["a@example.org", "b@mail.example.org", "c@example.org.example", "d@example.org"]
    Subscriber.objects.bulk_create(Subscriber(email=name) for name in names)
    found = Subscriber.objects.of_domain("example.org")
    assert sorted(found.values_list("email", flat=True)) == [names[0], names[3]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read faster than an index
        assert "subscriber_of_domain" in found.explain()
