//! A plug-in that misbehaves as the supplier's id says, to see that nobody else notices.

use std::hint::black_box;
use std::time::Duration;

use contract::exports::tradewind::plugin::approval::{
    Failure, Guest, Objection, Opinion, Question, Requirement,
};

mod contract {
    wit_bindgen::generate!({ world: "tradewind:plugin/approver", path: "wit" });
}

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// A block of memory, taken again and again.
const BLOCK: usize = 1 << 20;

/// So many rounds take longer than the first asks for the answer, and far less than the limit.
const SOME_ROUNDS: u64 = 5_000_000;

struct Plugin;

impl Guest for Plugin {
    fn judge(question: Question) -> Result<Opinion, Failure> {
        let reason = || "a test".to_owned();
        match question.supplier.as_str() {
            "TRAP" => panic!("this plug-in traps"),
            "LOOP" => loop {
                black_box(&question);
            },
            "EAT" => {
                let mut eaten = Vec::new();
                loop {
                    eaten.push(black_box(vec![1_u8; BLOCK]));
                }
            }
            "SLEEP" => {
                std::thread::sleep(FOR_EVER);
                Ok(Opinion::NoOpinion)
            }
            "KING" => {
                Ok(Opinion::Require(Requirement { roles: vec!["king".to_owned()], because: reason() }))
            }
            "MUTE" => Ok(Opinion::Refuse(Objection { code: String::new(), because: reason() })),
            "HOST" => Err(Failure::Later),
            "FAIL" => Err(Failure::Failed(reason())),
            "SLOW" => {
                black_box((0..SOME_ROUNDS).fold(1_u64, |sum, it| black_box(sum ^ it)));
                Ok(Opinion::Require(Requirement {
                    roles: vec!["finance".to_owned()],
                    because: reason(),
                }))
            }
            _ => Ok(Opinion::NoOpinion),
        }
    }
}

contract::export!(Plugin with_types_in contract);
