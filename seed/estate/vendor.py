"""The payment vendor's account: the customers that the platform has synced to it."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg

_SYNCED = """
    SELECT DISTINCT ON (c.customer_id)
        c.tenant_id, c.customer_id, c.first_name || ' ' || c.last_name, c.email, c.phone, c.language,
        a.line_1, a.line_2, a.city, a.province, a.postal_code, m.payment_method_id::text, m.card_number, m.card_expiry
    FROM accounts.customers AS c
    JOIN billing.payment_methods AS m USING (tenant_id, customer_id)
    JOIN accounts.addresses AS a ON (a.tenant_id, a.customer_id, a.kind) = (c.tenant_id, c.customer_id, 'billing')
    ORDER BY c.customer_id, m.payment_method_id
"""
_SUBSCRIBED_ONE_IN = 5
_MOST_SUBSCRIBED = 60  # each takes the vendor longer than ten customers


def sync(base_url: str, api_key: str, database: psycopg.Connection) -> int:
    """Create everybody who has a way to pay, and note the vendor's id with it; give how many.

    One request after another: the vendor draws ids from a seeded source, so the same order gives the same ids and a
    restarted vendor knows everybody by the id that the database already holds.
    """
    noted: list[tuple[str, str]] = []
    subscribed = 0
    with httpx.Client(base_url=base_url, auth=(api_key, ""), timeout=30) as client:
        _post(client, "products", {"id": "prod_team", "name": "Team"})
        _post(client, "plans", _TEAM_PLAN)
        for position, row in enumerate(database.execute(_SYNCED)):
            customer = _post(client, "customers", _customer(row))["id"]
            noted.append((customer, row[11]))
            if row[12] and position % _SUBSCRIBED_ONE_IN == 0 and subscribed < _MOST_SUBSCRIBED:
                _subscribe(client, customer, row)
                subscribed += 1
    with database.cursor() as cursor:
        cursor.executemany(
            "UPDATE billing.payment_methods SET stripe_customer = %s WHERE payment_method_id = %s"
            " AND stripe_customer IS DISTINCT FROM %s",
            [(customer, method, customer) for customer, method in noted],
        )
    return len(noted)


_TEAM_PLAN = {
    "id": "plan_team",
    "product": "prod_team",
    "amount": 4900,
    "currency": "cad",
    "interval": "month",
    "nickname": "Team",
}


def _customer(row: tuple[Any, ...]) -> dict[str, object]:
    tenant, customer, name, email, phone, language, line_1, line_2, city, province, postal_code, *_ = row
    address = {"line1": line_1, "city": city, "state": province, "postal_code": postal_code, "country": "CA"}
    if line_2:
        address["line2"] = line_2
    return {
        "name": name,
        "email": email,
        **({"phone": phone} if phone else {}),
        "address": address,
        "preferred_locales": [f"{language}-CA"],
        "metadata": {"user_id": str(customer), "tenant": str(tenant)},
    }


def _subscribe(client: httpx.Client, customer: str, row: tuple[Any, ...]) -> None:
    name, email, number, expiry = row[2], row[3], row[12], row[13]
    month, year = expiry.split("/")
    card = {"number": number, "exp_month": int(month), "exp_year": 2000 + int(year), "cvc": "123"}
    details = {"name": name, "email": email}
    method = _post(client, "payment_methods", {"type": "card", "card": card, "billing_details": details})["id"]
    _post(client, f"payment_methods/{method}/attach", {"customer": customer})
    _post(client, f"customers/{customer}", {"invoice_settings": {"default_payment_method": method}})
    _post(client, "subscriptions", {"customer": customer, "items": [{"plan": "plan_team", "quantity": 1}]})


def _post(client: httpx.Client, path: str, content: object) -> dict[str, Any]:
    answer = client.post(f"/v1/{path}", json=content)
    answer.raise_for_status()
    return answer.json()
