//! The board against the rules, flow by flow.

use super::*;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn flow(anchor: &str, offset_days: u32, slides: bool, cents: i64) -> Flow {
    let (anchor, amount) = (day(anchor), Decimal::new(cents, 2));
    Flow { anchor, offset_days, slides, amount, currency: Currency::USD }
}

fn board(today: &str) -> Board {
    Board::new(day(today), None, BTreeMap::new())
}

fn net(board: &Board, week: &str) -> String {
    board.total(day(week), &Rates::default()).net().to_string()
}

#[test]
fn flows_count_in_the_week_they_fall_due() {
    let mut board = board("2026-12-01");
    for (flow, week, wanted) in [
        (flow("2026-12-15", 30, true, -150_000), "2027-01-11", "-1500.00"),
        (flow("2026-12-02", 2, false, 69_840), "2026-11-30", "698.40"),
        // Past due counts this week.
        (flow("2026-10-01", 30, false, -100), "2026-11-30", "697.40"),
        // A purchase that is late slides to today, then its terms run.
        (flow("2026-11-20", 30, true, -500), "2026-12-28", "-5.00"),
    ] {
        board.apply(&[Change::Begins(flow)]);
        assert_eq!(net(&board, week), wanted, "{week}");
    }
}

#[test]
fn a_late_purchase_slides_day_by_day_and_is_still_found() {
    let late = flow("2026-12-03", 4, true, -500);
    let mut board = board("2026-12-01");
    board.apply(&[Change::Begins(late.clone())]);
    for (to, week) in [
        ("2026-12-03", "2026-12-07"),
        ("2026-12-09", "2026-12-07"),
        ("2026-12-10", "2026-12-14"),
        ("2027-01-04", "2027-01-04"),
    ] {
        board.turn(day(to));
        assert_eq!(net(&board, week), "-5.00", "{to}");
    }
    board.apply(&[Change::Ends(late)]);
    assert!(board.weeks().is_empty());
}

#[test]
fn what_fell_due_before_the_opening_cash_was_set_is_settled_in_it() {
    let mut board = board("2026-12-01");
    let paid = flow("2026-11-30", 0, false, -700);
    let due = flow("2026-12-01", 0, false, -300);
    board.apply(&[Change::Begins(paid.clone()), Change::Begins(due)]);
    assert_eq!(net(&board, "2026-11-30"), "-10.00");
    board.settle(day("2026-12-01"));
    assert_eq!(net(&board, "2026-11-30"), "-3.00");
    board.apply(&[Change::Ends(paid)]);
    assert_eq!(net(&board, "2026-11-30"), "-3.00");
}

#[test]
fn a_foreign_day_is_converted_at_its_rate_or_left_out() {
    let euro: Currency = "EUR".parse().unwrap();
    let mut foreign = flow("2026-12-20", 0, false, 1_001);
    foreign.currency = euro;
    let mut board = board("2026-12-01");
    board.apply(&[Change::Begins(foreign)]);
    let bare = board.total(day("2026-12-14"), &Rates::default());
    assert_eq!((bare.net(), bare.unconverted.len()), (Decimal::ZERO, 1));
    let curve = BTreeMap::from([
        (day("2026-11-01"), "1.15".parse().unwrap()),
        // Not yet: today is the 1st.
        (day("2026-12-02"), "2".parse().unwrap()),
    ]);
    let rates = Rates { base: Currency::USD, curves: BTreeMap::from([(euro, curve)]) };
    assert_eq!(board.total(day("2026-12-14"), &rates).net().to_string(), "11.51");
    board.turn(day("2026-12-02"));
    assert_eq!(board.total(day("2026-12-14"), &rates).net().to_string(), "20.02");
}

fn any_flow() -> impl Strategy<Value = Flow> {
    (0i64..40, 0u32..20, any::<bool>(), -500i64..500).prop_map(|(at, offset, slides, cents)| {
        let anchor = day("2026-11-20").plus(at);
        let amount = Decimal::new(cents, 2);
        Flow { anchor, offset_days: offset, slides, amount, currency: Currency::USD }
    })
}

/// The rule itself, flow by flow.
fn naive(flows: &[Flow], today: Day, opening: Option<Day>, week: Day) -> Decimal {
    let mut sum = Decimal::ZERO;
    for flow in flows {
        let anchor = if flow.slides { flow.anchor.max(today) } else { flow.anchor };
        let due = anchor.plus(i64::from(flow.offset_days));
        let settled = opening.is_some_and(|opening| due < opening);
        if !settled && due.max(today).monday() == week {
            sum += flow.amount;
        }
    }
    sum
}

proptest! {
    #[test]
    fn the_board_agrees_with_the_rule_flow_by_flow(
        flows in prop::collection::vec(any_flow(), 1..25),
        leaving in prop::collection::vec(any::<bool>(), 25),
        first in 0i64..15,
        settles in prop::option::of(0i64..10),
        second in 0i64..30,
    ) {
        let start = day("2026-11-25").plus(first);
        let mut board = Board::new(start, None, BTreeMap::new());
        board.apply(&flows.iter().cloned().map(Change::Begins).collect::<Vec<_>>());
        let mut today = start;
        let mut opening = None;
        if let Some(step) = settles {
            today = start.plus(step);
            opening = Some(today);
            board.turn(today);
            board.settle(today);
        }
        today = today.plus(second);
        board.turn(today);
        let (gone, left): (Vec<_>, Vec<_>) =
            flows.iter().cloned().zip(&leaving).partition(|(_, leaves)| **leaves);
        let left: Vec<Flow> = left.into_iter().map(|(flow, _)| flow).collect();
        let ends: Vec<Change> = gone.into_iter().map(|(flow, _)| Change::Ends(flow)).collect();
        board.apply(&ends);
        for step in 0..20 {
            let week = today.monday().plus(7 * step);
            let total = board.total(week, &Rates::default()).net();
            prop_assert_eq!(total, naive(&left, today, opening, week));
        }
    }

    #[test]
    fn the_members_named_say_all_about_the_weeks_that_change(
        flows in prop::collection::vec(any_flow(), 1..25),
        moved in any_flow(),
        turned in 0i64..30,
    ) {
        let mut whole = Board::new(day("2026-11-25"), None, BTreeMap::new());
        whole.apply(&flows.into_iter().map(Change::Begins).collect::<Vec<_>>());
        whole.turn(day("2026-11-25").plus(turned));
        let changes = [Change::Begins(moved)];
        let mut part = Board::new(whole.today, None, BTreeMap::new());
        for name in whole.members_of(&changes) {
            let parcels = whole.members.get(&name).cloned().unwrap_or_default();
            part.take_in(&name, parcels);
        }
        let weeks = whole.weeks_of(&changes);
        let rates = Rates::default();
        prop_assert_eq!(whole.nets(&weeks, &rates), part.nets(&weeks, &rates));
        whole.apply(&changes);
        part.apply(&changes);
        prop_assert_eq!(whole.nets(&weeks, &rates), part.nets(&weeks, &rates));
    }
}
