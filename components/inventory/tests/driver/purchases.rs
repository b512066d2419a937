//! Purchase orders, as procurement tells of them.

use tradewind_kernel::Day;
use tradewind_kernel::events::procurement::{
    OrderLine, OrderReleased, OrderState, OrderStatus, ScheduleEntry,
};

use super::{Driver, id};

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A released order to L1: sku, quantity, due day of each line.
pub fn purchase(order: &str, lines: &[(&str, i64, &str)]) -> OrderState {
    let line = |(number, (sku, quantity, on)): (u32, &(&str, i64, &str))| OrderLine {
        line: number,
        sku: id(sku),
        node: id("L1"),
        quantity: *quantity,
        price: "5".parse().unwrap(),
        due: day(on),
        accepted: 0,
        rejected: 0,
        cancelled: 0,
        open: *quantity,
        schedule: vec![ScheduleEntry { day: day(on), quantity: *quantity }],
        confirmed: None,
        waiting_price: None,
        last_receipt: None,
    };
    OrderState {
        order: id(order),
        supplier: id("S1"),
        currency: "USD".parse().unwrap(),
        terms_days: 30,
        status: OrderStatus::Released,
        released: Some(day("2026-11-20")),
        raised_by: "buyer".to_owned(),
        raised_at: super::instant("2026-11-20T08:00:00Z"),
        lines: (1..).zip(lines).map(line).collect(),
    }
}

/// Tells that an order is released, and lets inventory react.
pub fn release(driver: &Driver, order: &OrderState) -> String {
    let told = OrderReleased { order: order.clone() };
    let correlation = driver.tell(order.order.as_str(), &told);
    driver.settle();
    correlation
}
