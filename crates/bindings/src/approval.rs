//! Asking the plug-in for order approval.

use std::time::Duration;

use tradewind_kernel::asks::approval::{
    Line, Objection, Opinion, Question, Requirement, Unanswered,
};

use crate::generated::tradewind::plugin::approval as wit;

/// Waits between two asks while the plug-in is still at work, in milliseconds: short at first, since
/// most answers are nearly there.
const WAITS: [u64; 5] = [1, 2, 5, 10, 20];

/// Asks in all: with the last wait repeated, twenty seconds. A host that runs the plug-in apart ends
/// it long before; a plug-in that says `later` itself ends here.
const MOST_ASKS: usize = 1000;

/// What the plug-in thinks of an order.
///
/// # Errors
/// As `wit/plugin.wit` says. Whether the opinion is lawful is for the caller to check.
pub async fn judge(question: &Question) -> Result<Opinion, Unanswered> {
    let asked = put(question);
    for ask in 0..MOST_ASKS {
        match wit::judge(&asked) {
            Ok(opinion) => return Ok(read(opinion)),
            Err(wit::Failure::Failed(why)) => return Err(Unanswered(format!("it says: {why}"))),
            Err(wit::Failure::Ended(why)) => return Err(Unanswered(why)),
            Err(wit::Failure::Later) => {
                let wait = WAITS.get(ask).or(WAITS.last()).copied().unwrap_or(1);
                spin_sdk::time::sleep(Duration::from_millis(wait)).await;
            }
        }
    }
    Err(Unanswered("it puts its answer off for ever".to_owned()))
}

fn put(question: &Question) -> wit::Question {
    wit::Question {
        supplier: question.supplier.to_string(),
        class: question.class.clone(),
        status: tradewind_kernel::decision::json(&question.status).replace('"', ""),
        country: question.country.clone(),
        currency: question.currency.to_string(),
        amount: question.amount.to_string(),
        base_currency: question.base_currency.to_string(),
        base_amount: question.base_amount.map(|amount| amount.to_string()),
        lines: question.lines.iter().map(line).collect(),
        raised_by: question.raised_by.clone(),
        day: question.day.to_string(),
    }
}

fn line(line: &Line) -> wit::Line {
    wit::Line {
        sku: line.sku.to_string(),
        node: line.node.to_string(),
        quantity: line.quantity,
        price: line.price.to_string(),
        due: line.due.to_string(),
    }
}

fn read(opinion: wit::Opinion) -> Opinion {
    match opinion {
        wit::Opinion::NoOpinion => Opinion::NoOpinion,
        wit::Opinion::Require(wit::Requirement { roles, because }) => {
            Opinion::Require(Requirement { roles, because })
        }
        wit::Opinion::Refuse(wit::Objection { code, because }) => {
            Opinion::Refuse(Objection { code, because })
        }
    }
}
