"""The main job, as a program of a brand's own would do it: a supplier confirms a late delivery, and
one cascade says what that changes and what can be done (tests/scenarios/main_job.md)."""

from __future__ import annotations

import json
import os
import time
from datetime import date, datetime
from itertools import count
from typing import TypeVar

import httpx

from tradewind import inventory, planning, procurement, reporting, suppliers
from tradewind.inventory import models as stock
from tradewind.inventory.api.inventory import (
    get_inventory_availability,
    get_inventory_orders_by_order,
    get_inventory_verify,
    post_inventory_movements,
    post_inventory_reservations,
    put_inventory_channels_by_channel,
    put_inventory_items_by_sku,
    put_inventory_nodes_by_node,
    put_inventory_orders_by_order,
    put_inventory_protections_by_id,
)
from tradewind.planning import models as plans
from tradewind.planning.api.planning import put_planning_promotions_by_id
from tradewind.procurement import models as buying
from tradewind.procurement.api.procurement import (
    get_procurement_events,
    post_procurement_orders,
    post_procurement_orders_by_order_approve,
    post_procurement_orders_by_order_confirmations,
    post_procurement_orders_by_order_receipts,
    post_procurement_orders_by_order_release,
    post_procurement_orders_by_order_submit,
)
from tradewind.reporting import models as reports
from tradewind.reporting.api.reporting import (
    get_reporting_audit_verify,
    get_reporting_cascades_by_correlation_id,
)
from tradewind.suppliers import models as sources
from tradewind.suppliers.api.suppliers import (
    get_suppliers_suppliers_by_supplier_scorecard,
    post_suppliers_suppliers_by_supplier_approve,
    put_suppliers_offers_by_supplier_by_sku,
    put_suppliers_suppliers_by_supplier,
)

BASE_URL = os.environ["BASE_URL"]
TOKENS: dict[str, str] = json.loads(os.environ["TOKENS"])

T = TypeVar("T")
keys = count(1)


def once() -> str:
    """A fresh idempotency key."""
    return f"python-{next(keys)}"


def suppliers_as(role: str) -> suppliers.AuthenticatedClient:
    return suppliers.AuthenticatedClient(base_url=BASE_URL, token=TOKENS[role])


def procurement_as(role: str) -> procurement.AuthenticatedClient:
    return procurement.AuthenticatedClient(base_url=BASE_URL, token=TOKENS[role])


def inventory_as(role: str) -> inventory.AuthenticatedClient:
    return inventory.AuthenticatedClient(base_url=BASE_URL, token=TOKENS[role])


def planning_as(role: str) -> planning.AuthenticatedClient:
    return planning.AuthenticatedClient(base_url=BASE_URL, token=TOKENS[role])


def reporting_as(role: str) -> reporting.AuthenticatedClient:
    return reporting.AuthenticatedClient(base_url=BASE_URL, token=TOKENS[role])


def same(found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def done(answer: T | object, form: type[T]) -> T:
    """The answer in its form; a refusal is raised with all that it says."""
    if isinstance(answer, form):
        return answer
    raise AssertionError(f"answered {answer!r}, not a {form.__name__}")


def today(now: str) -> None:
    """Sets the business clock of a host that was started with `--test-clock`."""
    httpx.post(f"{BASE_URL}/host/v1/clock", json={"now": now}).raise_for_status()


def day(text: str) -> date:
    return date.fromisoformat(text)


def order(supplier: str, sku: str, quantity: int, price: str, due: str) -> str:
    """Raises an order, takes it through approval, and records that its day is confirmed."""
    line = buying.DraftLine(sku=sku, node="OWN", quantity=quantity, price=price, due=day(due))
    draft = done(
        post_procurement_orders.sync(
            client=procurement_as("buyer"),
            idempotency_key=once(),
            body=buying.Draft(supplier=supplier, currency="USD", lines=[line]),
        ),
        buying.OrderAnswer,
    )
    same(draft.status, buying.OrderStatus.DRAFT)
    for role, step in (
        ("buyer", post_procurement_orders_by_order_submit.sync),
        ("approver", post_procurement_orders_by_order_approve.sync),
        ("buyer", post_procurement_orders_by_order_release.sync),
    ):
        client = procurement_as(role)
        done(
            step(draft.id, client=client, body=buying.Reason(), idempotency_key=once()),
            buying.OrderAnswer,
        )
    confirm(draft.id, due)
    return draft.id


def confirm(order_id: str, due: str, reason: str | None = None) -> str:
    """The supplier confirms a day; the answer is the id of what follows from it."""
    answer = post_procurement_orders_by_order_confirmations.sync_detailed(
        order_id,
        client=procurement_as("buyer"),
        idempotency_key=once(),
        body=buying.Confirmation(
            lines=[buying.ConfirmedLine(line=1, day=day(due))], reason=reason
        ),
    )
    confirmed = done(answer.parsed, buying.OrderAnswer)
    same(confirmed.status, buying.OrderStatus.CONFIRMED)
    return answer.headers["correlation-id"]


def receive(order_id: str, accepted: int, rejected: int) -> None:
    arrived = buying.ArrivedLine(line=1, accepted=accepted, rejected=rejected)
    done(
        post_procurement_orders_by_order_receipts.sync(
            order_id,
            client=procurement_as("warehouse"),
            idempotency_key=once(),
            body=buying.Arrival(lines=[arrived], node="OWN"),
        ),
        buying.Receipt,
    )


def sell(order_id: str, channel: str, minute: int, quantity: int, wanted: str, price: str) -> None:
    """A customer's order of X."""
    line = stock.OrderLineBody(
        sku="X",
        quantity=quantity,
        wanted=day(wanted),
        price=stock.Money(amount=price, currency="USD"),
    )
    done(
        put_inventory_orders_by_order.sync(
            order_id,
            client=inventory_as("channel"),
            body=stock.OrderBody(
                channel=channel,
                ordered_at=datetime.fromisoformat(f"2026-12-01T08:{minute:02}:00+00:00"),
                lines=[line],
            ),
        ),
        stock.OrderView,
    )


def master_data() -> None:
    for supplier, name, kind in (
        ("S1", "Shenzhen Textile", "overseas"),
        ("S2", "Hudson Backup", "domestic"),
        ("S3", "Porto Mills", "overseas"),
    ):
        terms = sources.SupplierTerms(name=name, class_=kind, currency="USD", terms_days=30)
        done(
            put_suppliers_suppliers_by_supplier.sync(
                supplier, client=suppliers_as("buyer"), body=terms
            ),
            sources.SupplierAnswer,
        )
        done(
            post_suppliers_suppliers_by_supplier_approve.sync(
                supplier,
                client=suppliers_as("approver"),
                idempotency_key=once(),
                body=sources.StatusMove(reason="audited"),
            ),
            sources.SupplierAnswer,
        )
    prices = stock.ItemListPrices()
    prices["amazon"] = stock.Money(amount="20.00", currency="USD")
    for sku, item in (
        ("X", stock.Item(name="Travel towel", base_unit="each", list_prices=prices)),
        ("Y", stock.Item(name="Beach towel", base_unit="each")),
    ):
        client = inventory_as("warehouse")
        done(put_inventory_items_by_sku.sync(sku, client=client, body=item), stock.ItemView)
    for node, place in (
        ("OWN", stock.Node(kind=stock.NodeKind.WAREHOUSE)),
        ("FBA", stock.Node(kind=stock.NodeKind.VALUE_1)),
    ):
        client = inventory_as("warehouse")
        done(put_inventory_nodes_by_node.sync(node, client=client, body=place), stock.NodeView)
    kinds = stock.ChannelKind
    for channel, form, priority, nodes, lag, fee in (
        ("wholesale", kinds.WHOLESALE, 1, ["OWN"], 30, "0"),
        ("amazon", kinds.MARKETPLACE, 2, ["FBA", "OWN"], 14, "0.15"),
        ("web", kinds.DTC, 3, ["OWN"], 2, "0.03"),
    ):
        payout = stock.Payout(lag_days=lag, fee=fee)
        done(
            put_inventory_channels_by_channel.sync(
                channel,
                client=inventory_as("planner"),
                body=stock.Channel(kind=form, priority=priority, nodes=nodes, payout=payout),
            ),
            stock.ChannelView,
        )
    first = sources.OfferTerms(
        price=sources.Money(amount="7.50", currency="USD"),
        lead_time_days=45,
        expedite=sources.Expedite(
            days=14, cost_per_unit=sources.Money(amount="1.80", currency="USD")
        ),
    )
    second = sources.OfferTerms(
        price=sources.Money(amount="9.20", currency="USD"),
        lead_time_days=5,
        minimum=50,
        multiple=10,
    )
    for supplier, offer in (("S1", first), ("S2", second)):
        done(
            put_suppliers_offers_by_supplier_by_sku.sync(
                supplier, "X", client=suppliers_as("buyer"), body=offer
            ),
            sources.OfferAnswer,
        )


def record() -> None:
    """Three orders of Y: two complete and on time, the third with six rejects, replaced late."""
    dues = ("2026-09-10", "2026-09-20", "2026-10-01")
    first, second, third = [order("S1", "Y", 100, "7.50", due) for due in dues]
    today("2026-09-10T10:00:00Z")
    receive(first, 100, 0)
    today("2026-09-20T10:00:00Z")
    receive(second, 100, 0)
    today("2026-10-01T10:00:00Z")
    receive(third, 94, 6)
    today("2026-10-08T10:00:00Z")
    receive(third, 6, 0)


def before() -> str:
    """Stock, a claim, two orders on their way, a protected promotion, five customers."""
    today("2026-12-01T09:00:00Z")
    for node, quantity in (("FBA", 40), ("OWN", 50)):
        movement = stock.MovementBody(
            sku="X",
            quantity=quantity,
            from_=stock.Elsewhere.SUPPLIER,
            to=stock.AtNode(node=node, status=stock.Status.SELLABLE),
            reason="opening stock",
        )
        done(
            post_inventory_movements.sync(
                client=inventory_as("warehouse"), idempotency_key=once(), body=movement
            ),
            stock.MovementView,
        )
    sell("W1", "web", 1, 10, "2026-12-01", "24.00")
    wanted = stock.ReserveBody(
        order="W1", channel="web", lines=[stock.ItemQuantity(sku="X", quantity=10)]
    )
    reserved = done(
        post_inventory_reservations.sync(
            client=inventory_as("channel"), idempotency_key=once(), body=wanted
        ),
        stock.ReservationView,
    )
    allocations = reserved.lines[0].allocations
    same([(one.node, one.quantity) for one in allocations], [("OWN", 10)])
    late = order("S1", "X", 200, "7.50", "2026-12-15")
    order("S3", "X", 80, "8.00", "2027-01-12")
    terms = stock.ProtectionTerms(
        sku="X",
        channel="amazon",
        quantity=50,
        from_=day("2026-12-16"),
        until=day("2026-12-31"),
        reason="holiday promotion",
        owner="planner",
    )
    done(
        put_inventory_protections_by_id.sync("P-AMZ", client=inventory_as("planner"), body=terms),
        stock.ProtectionView,
    )
    promotion = plans.SetPromotion(
        name="Holiday promotion",
        sku="X",
        channel="amazon",
        from_=day("2026-12-16"),
        until=day("2026-12-20"),
        expected_units=60,
    )
    done(
        put_planning_promotions_by_id.sync("PROMO", client=planning_as("planner"), body=promotion),
        plans.PromotionSet,
    )
    sell("O1", "wholesale", 1, 90, "2026-12-18", "12.00")
    sell("O2", "wholesale", 2, 30, "2027-01-15", "12.00")
    sell("O3", "amazon", 3, 25, "2026-12-03", "20.00")
    sell("O4", "web", 4, 30, "2026-12-02", "24.00")
    sell("O5", "web", 5, 40, "2026-12-16", "24.00")
    return late


def cascade(correlation: str) -> reports.Cascade:
    """The cascade of a change, once every domain has done its part."""
    while True:
        found = get_reporting_cascades_by_correlation_id.sync_detailed(
            correlation, client=reporting_as("viewer")
        )
        if isinstance(found.parsed, reports.Cascade) and found.parsed.complete:
            return found.parsed
        # Until the first reaction is recorded there is nothing under this id.
        if found.status_code != 404:
            done(found.parsed, reports.Cascade)
        time.sleep(0.05)


def promised() -> list[str]:
    days = []
    for order_id in ("O1", "O2", "O3", "O4", "O5"):
        found = done(
            get_inventory_orders_by_order.sync(order_id, client=inventory_as("viewer")),
            stock.OrderView,
        )
        days.append(str(found.lines[0].promised))
    return days


def available() -> list[int]:
    units = []
    for channel in ("wholesale", "amazon", "web"):
        client = inventory_as("viewer")
        answer = get_inventory_availability.sync(client=client, sku=["X"], channel=channel)
        units.append(done(answer, stock.Availability).available)
    return units


def score() -> object:
    return done(
        get_suppliers_suppliers_by_supplier_scorecard.sync("S1", client=suppliers_as("viewer")),
        sources.Scorecard,
    ).score


ON_TIME = ["2026-12-18", "2027-01-15", "2026-12-03", "2026-12-02", "2026-12-16"]


def main() -> None:
    today("2026-08-25T09:00:00Z")
    master_data()
    record()
    late = before()
    same(promised(), ON_TIME)
    same(available(), [40, 80, 40])
    same(score(), "83.1")

    effects = cascade(confirm(late, "2026-12-29", "port congestion"))
    same(effects.cause.subject, late)
    same(effects.parked, [])
    same(
        [(it.order, str(it.old_day), str(it.new_day)) for it in effects.promises],
        [
            ("O1", "2026-12-18", "2026-12-29"),
            ("O5", "2026-12-16", "2026-12-29"),
            ("O4", "2026-12-02", "2026-12-29"),
        ],
    )
    same(
        [(it.channel, it.available_before, it.available_after) for it in effects.allocations],
        [("amazon", 80, 30), ("web", 40, 30), ("wholesale", 40, 30)],
    )
    same(
        [(it.promotion, it.units_short, str(it.first_day)) for it in effects.promotions],
        [("PROMO", 5, "2026-12-20")],
    )
    cash = done(effects.cash, reports.CashEffect)
    same(
        [(str(week.week), week.change) for week in cash.weeks],
        [
            ("2026-11-30", "-698.40"),
            ("2026-12-14", "-931.20"),
            ("2026-12-28", "1629.60"),
            ("2027-01-11", "420.00"),
            ("2027-01-25", "-420.00"),
        ],
    )
    supplier = done(effects.supplier, reports.SupplierEffect)
    same((supplier.score_before, supplier.score_after), ("83.1", "78.1"))
    same(
        [(it.kind, it.feasible, it.net.amount) for it in effects.options],
        [
            ("alternate-supplier", True, "2571.00"),
            ("expedite", True, "2500.00"),
            ("re-allocate", True, "120.00"),
            ("postpone-promotion", True, "100.00"),
            ("transfer", False, "0.00"),
        ],
    )
    same(promised(), ["2026-12-29", "2027-01-15", "2026-12-03", "2026-12-29", "2026-12-29"])
    same(available(), [30, 30, 30])
    same(score(), "78.1")

    undone = cascade(confirm(late, "2026-12-15", "vessel made up time"))
    same(undone.options, [])
    same(promised(), ON_TIME)
    same(available(), [40, 80, 40])
    same(score(), "83.1")
    verified = done(get_inventory_verify.sync(client=inventory_as("admin")), stock.Verified)
    same(verified.differences, [])
    audit = done(
        get_reporting_audit_verify.sync(client=reporting_as("admin")), reports.Verification
    )
    same(audit.valid, True)

    # Events are told apart by their type, and with it the form of their data is known.
    told = done(
        get_procurement_events.sync(client=procurement_as("admin"), limit=500),
        buying.CloudEventPage,
    )
    moved = [
        str(part.day)
        for event in told.items
        if isinstance(event, buying.OrderConfirmedEvent) and event.data.order == late
        for change in event.data.changes
        for part in change.after
    ]
    same(moved[-2:], ["2026-12-29", "2026-12-15"])

    # A refusal is typed too: every fault at once, each with a code and a pointer.
    refused = post_procurement_orders.sync_detailed(
        client=procurement_as("buyer"),
        idempotency_key=once(),
        body=buying.Draft(supplier="S1", currency="USD", lines=[]),
    )
    same(refused.status_code, 422)
    same(bool(done(refused.parsed, buying.Problem).code), True)


if __name__ == "__main__":
    main()
