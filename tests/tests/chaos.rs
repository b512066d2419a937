//! Every fault once on the product as it ships, under load; `cargo xtask chaos` plays more, and
//! `docs/chaos.md` says what stands for what. `CHAOS_SEED` repeats a schedule.

use tradewind_tests::chance::Chance;
use tradewind_tests::chaos::{Plan, Report};

/// Lines of the cascade that is cut: its items' promises are too many for one commit each.
const LINES: usize = 3_000;

#[test]
fn nothing_is_lost_or_done_twice_whatever_breaks() {
    let plan = Plan { lines: LINES, ..Plan::each_once(Chance::seed("CHAOS_SEED")) };
    eprintln!("CHAOS_SEED={}: {:?}", plan.seed, plan.faults);
    let mut report = Report::default();
    let played = plan.play(&mut report);
    eprintln!("{}", report.table());
    if let Err(error) = played {
        panic!("CHAOS_SEED={}: {error:#}", plan.seed);
    }
    let faults = report.outcome.faults;
    assert!(faults.is_empty(), "CHAOS_SEED={}: {}", plan.seed, faults.join("\n"));
}
