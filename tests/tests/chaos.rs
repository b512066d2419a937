//! Every fault once on the product as it ships, with a replica and without, under load; `cargo xtask chaos` plays more, and
//! `docs/chaos.md` says what stands for what. `CHAOS_SEED` repeats a schedule.

use tradewind_tests::chance::Chance;
use tradewind_tests::chaos::proxy::Proxy;
use tradewind_tests::chaos::redis::{Server, until};
use tradewind_tests::chaos::{Plan, Report};
use tradewind_tests::hosted::{Application, Foreign, Hosted};

/// Lines of the cascade that is cut: more than one commit takes.
const LINES: usize = 1_000;

#[test]
fn nothing_is_lost_or_done_twice_whatever_breaks() {
    let seed = Chance::seed("CHAOS_SEED");
    // One after the other: a campaign keeps the machine busy by itself.
    for replicated in [true, false] {
        let plan = Plan { lines: LINES, ..Plan::each_once(seed, replicated) };
        eprintln!("CHAOS_SEED={seed}, replica {replicated}: {:?}", plan.faults);
        let mut report = Report::default();
        let played = plan.play(&mut report);
        eprintln!("{}", report.table());
        if let Err(error) = played {
            panic!("CHAOS_SEED={seed}, replica {replicated}: {error:#}");
        }
        let faults = report.outcome.faults;
        assert!(
            faults.is_empty(),
            "CHAOS_SEED={seed}, replica {replicated}: {}",
            faults.join("\n")
        );
    }
}

#[test]
fn a_subscription_that_is_lost_without_a_sign_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Server::start(folder.path(), None).unwrap();
    let proxy = Proxy::to(redis.port()).unwrap();
    let foreign = Some(Foreign { port: proxy.port(), wait_replicas: 0 });
    // The timer calls once, when the host starts, and then not for hours.
    let arguments = vec!["--tick-milliseconds=36000000".to_owned()];
    let application = Application { foreign, arguments, ..Application::default() };
    let host = Hosted::start_with(application).unwrap();
    let heard = || host.metric("host_messages_total{component=\"finance\",outcome=\"handled\"}");
    let looked = || host.metric("host_ticks_total{outcome=\"done\",path=\"/finance/v1/tick\"}");
    let more_are_heard_than = |before| {
        let nudge = || redis.must("PUBLISH tradewind:nudge:finance nobody");
        until("a nudge is heard", || nudge().and_then(|_| Ok(heard()? > before))).unwrap();
    };
    until("the timer has called", || Ok(looked()? == 1)).unwrap();
    more_are_heard_than(0);
    assert!(proxy.lose() > 0, "no connection could be lost");
    more_are_heard_than(heard().unwrap());
    until("what may have been missed is looked for", || Ok(looked()? == 2)).unwrap();
}
