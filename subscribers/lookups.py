"""What Django does not say of columns, or says in words that cost much."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import CharField, Field, ForeignObject, Func
from django.db.models.lookups import In


@ForeignObject.register_lookup
@Field.register_lookup
class Among(In):
    """`column__among=values`: what `in` says, for hundreds of values.

    On PostgreSQL they go as one array. Django's `in` makes a word of the statement of each, which for a batch of
    readers takes longer than the answer.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet
        column, values = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*values, self.rhs]


class DomainOf(Func):
    """What follows the @ of an address. All of it stands in the statement, as SQLite finds no index by parameters."""

    template = "SUBSTR(%(expressions)s, INSTR(%(expressions)s, '@') + 1)"
    arity = 1
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        template = "SUBSTR(%(expressions)s, STRPOS(%(expressions)s, '@') + 1)"
        return self.as_sql(compiler, connection, template=template, **context)  # type: ignore[return-value]
