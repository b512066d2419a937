"""Goods that arrive after the quarter in which they are ordered weigh on the next quarter's cash:
finance must approve such an order, from a certain amount on."""

from datetime import date
from decimal import Decimal

import wit_world.exports
from componentize_py_types import Err
from wit_world.exports import approval

# What may run over the end of a quarter without being asked, in the base currency. Yours to change.
FREE = Decimal("1000")


class Approval(wit_world.exports.Approval):
    """The extension point that this plug-in answers."""

    def judge(self, question: approval.Question) -> approval.Opinion:
        try:
            return opinion(question)
        except (ValueError, ArithmeticError) as fault:
            raise Err(approval.Failure_Failed(str(fault))) from fault


def opinion(order: approval.Question) -> approval.Opinion:
    end = quarter_end(date.fromisoformat(order.day))
    late = [line for line in order.lines if date.fromisoformat(line.due) > end]
    cost = sum((Decimal(line.price) * line.quantity for line in late), Decimal(0))
    in_base = converted(cost, order)
    if not late or (in_base is not None and in_base <= FREE):
        return approval.Opinion_NoOpinion()
    items = ", ".join(sorted({line.sku for line in late})[:5])
    because = f"{cost:.2f} {order.currency} arrive after the quarter's end on {end}: {items}"
    return approval.Opinion_Require(approval.Requirement(["finance"], because))


def quarter_end(day: date) -> date:
    """The last day of the quarter that a day lies in."""
    month = 3 * ((day.month - 1) // 3 + 1)
    return date(day.year, month, 31 if month in (3, 12) else 30)


def converted(cost: Decimal, order: approval.Question) -> Decimal | None:
    """A part of the order in the base currency; None when there is no rate."""
    total = Decimal(order.amount)
    if order.base_amount is None:
        return None
    return cost * Decimal(order.base_amount) / total if total else Decimal(0)
