"""Scanning a site at Plausible as its documentation has it."""

from __future__ import annotations


def test_a_site(documented, exchange):
    def asked(*dimensions: str, offset: int = 0) -> dict:
        return {
            "site_id": "ours.example",
            "date_range": "30d",
            "dimensions": list(dimensions),
            "pagination": {"limit": 1000, "offset": offset},
        }

    def counted(*values: str) -> dict:
        return {"results": [{"metrics": [3], "dimensions": list(values)}], "meta": {}, "query": {}}

    pages = [{"metrics": [1], "dimensions": [f"/page/{n}"]} for n in range(1000)]
    meta = {"after": None, "before": None, "limit": 100}
    seen = documented(
        "plausible",
        "ours.example",
        {"Authorization": "Bearer secret"},
        [
            exchange(
                "/api/v1/sites",
                {"sites": [{"domain": "ours.example"}], "meta": {**meta, "after": "c2"}},
                {"after": None},
            ),
            exchange("/api/v1/sites", {"sites": [{"domain": "other.example"}], "meta": meta}, {"after": "c2"}),
            exchange(
                "/api/v1/sites/guests",
                {"guests": [{"email": "first@canary.example", "role": "viewer", "status": "accepted"}], "meta": meta},
                {"site_id": "ours.example"},
            ),
            *(
                exchange("/api/v2/query", answer, method="POST", body=asked(*dimensions))
                for dimensions, answer in (
                    (
                        ("visit:country_name", "visit:region_name", "visit:city_name"),
                        counted("Canada", "Quebec", "Montréal"),
                    ),
                    (("event:page",), {"results": pages, "meta": {}, "query": {}}),
                    (("visit:referrer",), counted("search.example")),
                    (("visit:device", "visit:browser", "visit:os"), counted("Mobile", "Firefox", "Android")),
                )
            ),
        ],
        {"api_key": "secret"},
    )
    assert seen.recipients("guests") == {"plausible"}
    assert not seen.categories("sites")
