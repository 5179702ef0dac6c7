"""How PostgreSQL would read what a page asks for."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext


def plans(client, url: str) -> list[str]:
    """The plan of each query on records that the address asks for."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
        assert response.status_code == 200
        if response.streaming:
            b"".join(response)
    found = []
    for query in captured.captured_queries:
        sql = re.sub(r"^DECLARE .*? FOR ", "", query["sql"], flags=re.DOTALL)
        if sql.startswith("SELECT") and re.search(
            'FROM "billing_(invoice|party|payment|return|challan)"', sql
        ):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql.replace("%", "%%"), [])
                found.append("\n".join(row[0] for row in cursor.fetchall()))
    return found
