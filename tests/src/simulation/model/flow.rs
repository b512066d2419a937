//! Availability as a maximum flow: demands on one side, the free stock of nodes on the other.

use std::collections::BTreeMap;

/// So much that no node has it.
pub const ALL: i64 = 1 << 40;

/// A demand: the nodes that may serve it, and how much it asks for.
pub type Demand = (Vec<String>, i64);

/// The most that these demands can get together out of the free stock.
#[must_use]
pub fn most(free: &BTreeMap<String, i64>, demands: &[Demand]) -> i64 {
    let nodes: Vec<(&String, i64)> =
        free.iter().map(|(node, units)| (node, (*units).max(0))).collect();
    let mut given = vec![vec![0; nodes.len()]; demands.len()];
    let mut total = 0;
    for (start, (_, wanted)) in demands.iter().enumerate() {
        let mut missing = *wanted;
        while missing > 0 {
            let mut seen = vec![false; nodes.len()];
            let sent = push(&nodes, demands, &mut given, start, missing, &mut seen);
            if sent == 0 {
                break;
            }
            missing -= sent;
            total += sent;
        }
    }
    total
}

/// Sends up to `limit` from a demand to nodes with something left, over what others can give back.
fn push(
    nodes: &[(&String, i64)],
    demands: &[Demand],
    given: &mut Vec<Vec<i64>>,
    from: usize,
    limit: i64,
    seen: &mut Vec<bool>,
) -> i64 {
    for (place, (node, units)) in nodes.iter().enumerate() {
        if seen[place] || !demands[from].0.contains(node) {
            continue;
        }
        seen[place] = true;
        let taken: i64 = given.iter().map(|row| row[place]).sum();
        let left = (units - taken).min(limit);
        if left > 0 {
            given[from][place] += left;
            return left;
        }
        for other in 0..demands.len() {
            let back = given[other][place].min(limit);
            if other == from || back <= 0 {
                continue;
            }
            let sent = push(nodes, demands, given, other, back, seen);
            if sent > 0 {
                given[other][place] -= sent;
                given[from][place] += sent;
                return sent;
            }
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_go_over_what_others_give_back() {
        let free = BTreeMap::from([("F".to_owned(), 80), ("O".to_owned(), 300)]);
        let demand = |nodes: &[&str], units| {
            (nodes.iter().map(|node| (*node).to_owned()).collect::<Vec<_>>(), units)
        };
        // domain.md §2: amazon's held 100 leaves 280 for web at O.
        let held = demand(&["O", "F"], 100);
        assert_eq!(most(&free, std::slice::from_ref(&held)), 100);
        assert_eq!(most(&free, &[held, demand(&["O"], ALL)]) - 100, 280);
    }
}
