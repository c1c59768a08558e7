"""Scanning Grafana Loki as its documentation has it."""

from __future__ import annotations


def test_log_streams(documented, exchange):
    def found(data: object) -> dict:
        return {"status": "success", "data": data}

    def lines(label: str, *streams: dict):
        asked = {"query": f'{{{label}=~".+"}}', "limit": "100"}
        return exchange("/loki/api/v1/query_range", found({"resultType": "streams", "result": list(streams)}), asked)

    stream = {"app": "site", "user": "first@canary.example"}
    line = ["1700000000000000000", "second@canary.example signed in"]
    seen = documented(
        "loki",
        "logs.example",
        {"Authorization": "Basic NzpzZWNyZXQ="},
        [
            exchange("/loki/api/v1/labels", found(["app", "user"])),
            exchange("/loki/api/v1/label/app/values", found(["site"])),
            exchange("/loki/api/v1/label/user/values", found(["first@canary.example"])),
            exchange("/loki/api/v1/series", found([stream]), {"match[]": '{app=~".+"}'}),
            exchange("/loki/api/v1/series", found([stream]), {"match[]": '{user=~".+"}'}),
            lines("app", {"stream": stream, "values": [line]}),
            lines("user"),
        ],
        {"user": "7", "token": "secret"},
    )
    assert "user.contact.email" in seen.categories("label_values")["value"]
    assert "user.contact.email" in seen.categories("series")["user"]
    assert "user.contact.email" in seen.categories("log_lines")["values"]
    assert seen.recipients("log_lines") == {"grafana-labs"}
