//! What leaves a reservation: shipped, given back, or expired.

use super::{Model, Verdict, no, yes};

impl Model {
    pub(super) fn leave(
        &mut self,
        id: Option<&String>,
        ships: bool,
        lines: Option<&[(String, i64)]>,
    ) -> Verdict {
        let Some(id) = id.filter(|id| self.reservations.contains_key(*id)) else {
            return no(404, "not-found");
        };
        let now = self.now;
        let over = |expires: Option<i64>| expires.is_some_and(|expires| expires <= now);
        let expired = self.reservations.get(id).is_some_and(|one| over(one.expires));
        if ships && expired && self.reservations[id].status == "open" {
            return no(409, "reservation-expired");
        }
        self.take(id, if ships { Fate::Shipped } else { Fate::Released }, lines)
    }

    /// Gives back everything of a reservation whose time is over.
    ///
    /// # Errors
    /// It has ended, or its time is not over.
    pub fn expire(&mut self, id: &str) -> Verdict {
        let due = self.reservations.get(id).and_then(|one| one.expires);
        if due.is_none_or(|due| due > self.now) {
            return no(409, "not-due");
        }
        self.take(id, Fate::Expired, None)
    }

    fn take(&mut self, id: &str, fate: Fate, lines: Option<&[(String, i64)]>) -> Verdict {
        let Some(mut next) = self.reservations.get(id).cloned() else {
            return no(404, "not-found");
        };
        if next.status != "open" {
            return no(409, "reservation-ended");
        }
        let mut asked: Option<Vec<(String, i64)>> = lines.map(<[_]>::to_vec);
        let mut left = Vec::new();
        for line in &mut next.lines {
            for claim in line.claims.iter_mut().filter(|claim| claim.open > 0) {
                let mut taken = claim.open;
                if let Some(asked) = &mut asked {
                    let of_item = || asked.iter().filter(|(sku, _)| *sku == line.sku);
                    taken = taken.min(of_item().map(|(_, units)| units).sum());
                    let mut rest = taken;
                    for (_, units) in asked.iter_mut().filter(|(sku, _)| *sku == line.sku) {
                        let part = rest.min(*units);
                        (*units, rest) = (*units - part, rest - part);
                    }
                }
                claim.open -= taken;
                if fate == Fate::Shipped {
                    claim.shipped += taken;
                }
                left.push((line.sku.clone(), claim.node.clone(), taken, line.used.clone()));
            }
        }
        if asked.is_some_and(|asked| asked.iter().any(|(_, rest)| *rest > 0)) {
            return no(409, "more-than-reserved");
        }
        if fate == Fate::Shipped && left.iter().all(|(_, _, taken, _)| *taken == 0) {
            return no(409, "nothing-claimed");
        }
        let claims = || next.lines.iter().flat_map(|line| &line.claims);
        if claims().all(|claim| claim.open == 0) {
            let shipped = claims().any(|claim| claim.shipped > 0);
            let wholly = claims().all(|claim| claim.shipped == claim.quantity);
            next.status = match fate {
                _ if shipped && wholly => "shipped",
                _ if shipped => "closed",
                Fate::Expired => "expired",
                _ => "released",
            };
        }
        for (sku, node, taken, used) in left {
            match (fate, used) {
                (Fate::Shipped, _) => {
                    self.shift(&sku, taken, &format!("{node}/sellable"), "customer");
                }
                (_, Some(used)) => *self.used.entry(used).or_default() -= taken,
                (_, None) => {}
            }
        }
        let body = next.body();
        self.reservations.insert(id.to_owned(), next);
        yes(200, body)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Shipped,
    Released,
    Expired,
}
