//! Table tests of pegging: the main job before and after, with every peg.

use super::*;
use crate::promise::{Asked, available_to_promise, promise};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn channel(priority: u32, nodes: &[&str]) -> ChannelView {
    ChannelView { priority, nodes: nodes.iter().map(|node| (*node).to_owned()).collect() }
}

fn supply(id: &str, node: &str, on: &str, quantity: Quantity) -> Supply {
    let kind = match id {
        _ if id.starts_with("stock:") => SupplyKind::Present,
        _ if id.starts_with("late:") => SupplyKind::PastDue,
        _ => SupplyKind::Inbound,
    };
    Supply { id: id.to_owned(), node: node.to_owned(), day: day(on), quantity, kind }
}

fn protection(id: &str, of: &str, from: &str, until: &str, remainder: Quantity) -> ProtectionView {
    let (id, channel) = (id.to_owned(), of.to_owned());
    ProtectionView { id, channel, from: day(from), until: day(until), remainder }
}

fn line(order: &str, of: &str, wanted: &str, open: Quantity) -> LineView {
    LineView {
        order: order.to_owned(),
        line: 1,
        channel: of.to_owned(),
        wanted: day(wanted),
        ordered_at: Instant::from_millis(0),
        open,
    }
}

/// The main job; `po_1` is the day that S1 confirmed.
fn main_job(po_1: &str) -> PegInput {
    PegInput {
        today: day("2026-12-01"),
        channels: BTreeMap::from([
            ("wholesale".to_owned(), channel(1, &["OWN"])),
            ("amazon".to_owned(), channel(2, &["FBA", "OWN"])),
            ("web".to_owned(), channel(3, &["OWN"])),
        ]),
        supply: vec![
            supply("stock:FBA", "FBA", "2026-12-01", 40),
            supply("stock:OWN", "OWN", "2026-12-01", 40),
            supply("PO-1", "OWN", po_1, 200),
            supply("PO-2", "OWN", "2027-01-12", 80),
        ],
        protections: vec![protection("P-AMZ", "amazon", "2026-12-16", "2026-12-31", 50)],
        lines: vec![
            line("O5", "web", "2026-12-16", 40),
            line("O4", "web", "2026-12-02", 30),
            line("O3", "amazon", "2026-12-03", 25),
            line("O2", "wholesale", "2027-01-15", 30),
            line("O1", "wholesale", "2026-12-18", 90),
        ],
    }
}

fn pegs(pegs: &[Peg]) -> String {
    let text = |peg: &Peg| {
        let from = peg.protection.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
        format!("{} {}{from}", peg.supply, peg.quantity)
    };
    pegs.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// One row a line: order, promise, reason, pegs.
fn rows(outcome: &PegOutcome) -> Vec<String> {
    let row = |line: &LineOutcome| {
        let promised = line.promised.map_or("never".to_owned(), |day| day.to_string());
        let reason = serde_json::to_value(line.reason).unwrap();
        let reason = reason.as_str().unwrap();
        format!("{} {promised} {reason}: {}", line.order, pegs(&line.pegs))
    };
    outcome.lines.iter().map(row).collect()
}

#[test]
fn the_main_job_before() {
    let outcome = peg(&main_job("2026-12-15"));
    assert_eq!(
        rows(&outcome),
        [
            "O1 2026-12-18 as-wanted: PO-1 90",
            "O2 2027-01-15 as-wanted: PO-2 30",
            "O3 2026-12-03 as-wanted: stock:FBA 25",
            "O4 2026-12-02 as-wanted: stock:OWN 30",
            "O5 2026-12-16 as-wanted: PO-1 40",
        ]
    );
    let kept = &outcome.protections[0];
    assert_eq!((kept.inbound, kept.held, kept.short), (50, 0, 0));
    assert_eq!(pegs(&kept.chosen), "PO-1 50");
    assert_eq!(pegs(&outcome.left_over), "stock:FBA 15, stock:OWN 10, PO-1 20, PO-2 50");
}

#[test]
fn the_main_job_after() {
    let outcome = peg(&main_job("2026-12-29"));
    assert_eq!(
        rows(&outcome),
        [
            "O1 2026-12-29 later-supply: PO-1 90",
            "O2 2027-01-15 as-wanted: PO-2 30",
            "O3 2026-12-03 as-wanted: stock:OWN 25",
            "O4 2026-12-29 later-supply: PO-1 30",
            "O5 2026-12-29 later-supply: PO-1 40",
        ]
    );
    let kept = &outcome.protections[0];
    assert_eq!((kept.inbound, kept.held, kept.short), (0, 50, 0));
    assert_eq!(pegs(&kept.chosen), "stock:FBA 40, stock:OWN 10");
    assert_eq!(pegs(&outcome.left_over), "stock:OWN 5, PO-1 40, PO-2 50");
    assert_eq!(protect(&main_job("2026-12-29"))[0].chosen, kept.chosen);
}

#[test]
fn the_main_job_s_alternatives_bring_the_promises_back() {
    let days = |input: &PegInput| {
        let promised = peg(input).lines.into_iter().map(|line| line.promised.unwrap().to_string());
        promised.collect::<Vec<_>>()
    };
    let before = days(&main_job("2026-12-15"));
    let mut bought = main_job("2026-12-29");
    bought.supply.push(supply("S2", "OWN", "2026-12-06", 170));
    assert_eq!(days(&bought), before);
    let held = &protect(&bought)[0];
    assert_eq!((held.inbound, held.held), (50, 0), "P-AMZ takes of S2, so O4 has OWN again");
    for (released, o4) in [(24, "2026-12-29"), (25, "2026-12-02")] {
        let mut reallocated = main_job("2026-12-29");
        reallocated.protections[0].remainder -= released;
        assert_eq!(days(&reallocated)[3], o4, "{released} released");
    }
}

#[test]
fn available_to_promise_counts_what_the_channel_may_use() {
    let input = main_job("2026-12-29");
    let outcome = peg(&input);
    for (of, by, want) in [
        ("web", "2026-11-30", 0),
        ("web", "2026-12-01", 5),
        ("web", "2026-12-29", 45),
        ("web", "2027-01-12", 95),
        ("amazon", "2026-12-15", 5),
        ("amazon", "2026-12-16", 55),
        ("amazon", "2026-12-31", 95),
        ("amazon", "2027-01-01", 45),
        ("nobody", "2027-01-12", 0),
    ] {
        assert_eq!(available_to_promise(&input, &outcome, of, day(by)), want, "{of} {by}");
    }
}

#[test]
fn a_promise_is_a_dry_run_with_the_line_added_now() {
    let asked = |of: &str, quantity, wanted: &str| Asked {
        channel: of.to_owned(),
        quantity,
        wanted: day(wanted),
        at: Instant::from_millis(1),
    };
    let input = main_job("2026-12-15");
    for (of, quantity, wanted, want, supply, would_move) in [
        ("web", 10, "2026-12-01", Some("2026-12-01"), "stock:OWN 10", 0),
        // wanted before O4 it goes before O4, which then waits for PO-1
        ("web", 11, "2026-12-01", Some("2026-12-01"), "stock:OWN 11", 1),
        ("web", 11, "2026-12-03", Some("2026-12-15"), "PO-1 11", 0),
        ("web", 20, "2026-12-20", Some("2026-12-20"), "PO-1 20", 0),
        ("web", 81, "2026-12-16", None, "", 0),
        // wholesale comes first: O4 loses OWN; O4 and O5 then follow on what is left
        ("wholesale", 40, "2026-12-01", Some("2026-12-01"), "stock:OWN 40", 2),
        ("amazon", 50, "2026-12-20", Some("2026-12-20"), "PO-1 50 of P-AMZ", 0),
        ("amazon", 51, "2026-12-20", Some("2026-12-20"), "PO-1 50 of P-AMZ, PO-1 1", 0),
        ("nobody", 1, "2026-12-20", None, "", 0),
    ] {
        let answer = promise(&input, &asked(of, quantity, wanted));
        let day = answer.day.map(|day| day.to_string());
        let found = (day.as_deref(), pegs(&answer.supply), answer.would_move);
        assert_eq!(found, (want, supply.to_owned(), would_move), "{of} {quantity} {wanted}");
    }
}

#[test]
fn equals_go_by_order_id_and_the_one_who_asks_comes_last() {
    let mut input = main_job("2026-12-15");
    (input.supply, input.protections) = (vec![supply("stock:OWN", "OWN", "2026-12-01", 3)], vec![]);
    input.lines = vec![line("b", "web", "2026-12-01", 2), line("a", "web", "2026-12-01", 1)];
    input.lines[0].line = 2;
    assert_eq!(peg(&input).lines[0].order, "a");
    let (channel, wanted) = ("web".to_owned(), day("2026-12-01"));
    let asked = Asked { channel, quantity: 1, wanted, at: Instant::from_millis(0) };
    assert_eq!(promise(&input, &asked).day, None);
    input.lines[0].ordered_at = Instant::from_millis(1);
    let answer = promise(&input, &asked);
    assert_eq!((answer.day, answer.would_move), (Some(wanted), 1));
}

#[test]
fn what_a_protection_may_choose() {
    for (what, supplies, want, inbound, held, short) in [
        (
            "due today before present",
            "stock:OWN@12-01 30, z@12-01 30",
            "z 30, stock:OWN 20",
            30,
            20,
            0,
        ),
        ("never past due", "late:PO@12-01 30, stock:OWN@12-01 30", "stock:OWN 30", 0, 50, 20),
        (
            "slipped counts as past due",
            "in@11-30 30, stock:OWN@12-01 30",
            "stock:OWN 30",
            0,
            50,
            20,
        ),
        ("latest in time first", "a@12-16 30, b@12-15 30, c@12-17 30", "a 30, b 20", 50, 0, 0),
        (
            "then later ones forwards",
            "a@12-31 30, b@12-20 30, c@12-02 10",
            "c 10, b 30, a 10",
            50,
            0,
            0,
        ),
        ("up to the last day", "a@12-20 30, b@12-31 10, c@2027-01-01 9", "a 30, b 10", 40, 10, 10),
        (
            "few channels' nodes first",
            "stock:OWN@12-01 40, stock:FBA@12-01 40",
            "stock:FBA 40, stock:OWN 10",
            0,
            50,
            0,
        ),
        ("only its nodes", "stock:X@12-01 99", "", 0, 50, 50),
    ] {
        let mut input = main_job("2026-12-15");
        let read = |text: &str| {
            let (id, rest) = text.split_once('@').unwrap();
            let (on, units) = rest.split_once(' ').unwrap();
            let on = if on.len() > 5 { on.to_owned() } else { format!("2026-{on}") };
            let node = id.strip_prefix("stock:").unwrap_or("OWN");
            supply(id, node, &on, units.parse().unwrap())
        };
        input.supply = supplies.split(", ").map(read).collect();
        let outcome = &protect(&input)[0];
        assert_eq!(pegs(&outcome.chosen), want, "{what}");
        assert_eq!(
            (outcome.inbound, outcome.held, outcome.short),
            (inbound, held, short),
            "{what}"
        );
    }
    let mut input = main_job("2026-12-15");
    input.today = day("2027-01-01");
    let past = &protect(&input)[0];
    assert_eq!((past.inbound, past.held, past.short, past.chosen.len()), (0, 0, 0, 0));
}

#[test]
fn lines_use_their_own_protection_by_their_wanted_day() {
    let mut input = main_job("2026-12-15");
    input.supply = vec![
        supply("stock:OWN", "OWN", "2026-12-01", 60),
        supply("late:PO", "OWN", "2026-11-20", 5),
    ];
    input.lines = vec![
        line("inside", "amazon", "2026-12-16", 20),
        line("outside", "amazon", "2026-12-15", 20),
        line("other", "web", "2026-12-16", 5),
        line("past", "web", "2026-11-01", 5),
        line("done", "web", "2026-12-01", 0),
        line("lost", "mail", "2026-12-01", 1),
    ];
    let outcome = peg(&input);
    assert_eq!(
        rows(&outcome),
        [
            "outside never insufficient-supply: ",
            "inside 2026-12-16 as-wanted: stock:OWN 20 of P-AMZ",
            "past 2026-12-01 wanted-day-passed: late:PO 5",
            "other 2026-12-16 as-wanted: stock:OWN 5",
            "lost never channel-unknown: ",
        ]
    );
    let kept = &outcome.protections[0];
    assert_eq!(
        (pegs(&kept.chosen), pegs(&kept.kept)),
        ("stock:OWN 50".into(), "stock:OWN 30".into())
    );
    assert_eq!((kept.held, kept.short), (50, 0));
    assert_eq!(pegs(&outcome.left_over), "stock:OWN 5");
}

#[test]
fn c46_a_request_is_promised_in_its_period() {
    let periods = |figures: [Quantity; 8]| (1..).zip(figures);
    let on = |period: u32| format!("2026-12-0{period}");
    let mut input = main_job("2026-12-15");
    input.protections.clear();
    let due = periods([6, 4, 2, 4, 8, 4, 4, 4]);
    input.supply =
        due.map(|(at, units)| supply(&format!("PO-{at}"), "OWN", &on(at), units)).collect();
    let wanted = periods([6, 2, 3, 6, 6, 1, 2, 2]);
    input.lines =
        wanted.map(|(at, units)| line(&format!("O{at}"), "web", &on(at), units)).collect();
    let outcome = peg(&input);
    let late: Vec<_> = outcome.lines.iter().filter(|l| l.reason != Reason::AsWanted).collect();
    assert_eq!(
        (late.len(), late[0].order.as_str(), late[0].promised),
        (1, "O4", Some(day(&on(5))))
    );
    assert_eq!(available_to_promise(&input, &outcome, "web", day(&on(8))), 8, "36 − 28");
    let (channel, wanted) = ("web".to_owned(), day(&on(7)));
    let asked = Asked { channel, quantity: 3, wanted, at: Instant::from_millis(1) };
    let answer = promise(&input, &asked);
    assert_eq!((answer.day, answer.would_move), (Some(wanted), 0));
}
