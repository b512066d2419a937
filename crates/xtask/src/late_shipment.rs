//! `cargo xtask demo late-shipment`: the story on the system that listens, or on one that is up for
//! its length.
//!
//! What listens is asked two questions first, so that another program, or the key of another
//! system, is told in one line and not by whatever the story happens to read first.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::demo;
use crate::keys::{Bearer, Keys};
use crate::project::Project;
use crate::server::Interrupt;
use crate::up::{self, DEMO_TENANT, Options};

/// How long each of the two questions may take: a program that is no web server may never answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// How the type of every problem that Tradewind tells begins.
const PROBLEM_TYPE: &str = "urn:tradewind:problem:";

/// The status of an answer to a token that is not taken.
const UNAUTHENTICATED: u16 = 401;

/// Tells the story.
pub fn late_shipment(project: &Project, options: &Options) -> Result<()> {
    if TcpStream::connect(options.listen).is_ok() {
        return on_running(project, options);
    }
    let interrupt = Interrupt::install()?;
    interrupt.unless_asked(on_own(project, options, &interrupt)).map(drop)
}

/// Tells it on a system that is up for its length.
fn on_own(project: &Project, options: &Options, interrupt: &Interrupt) -> Result<()> {
    let running = up::start(project, options, interrupt)?;
    let told = demo::late_shipment(&running.base_url(), &running.keys);
    let stopped = running.stop();
    told?;
    stopped?;
    println!(
        "   The system is stopped and its data kept. It is up again, and the next order late:"
    );
    println!("   cargo xtask up{}", options.place_words(project)?);
    println!("   cargo xtask demo late-shipment{}", options.place_words(project)?);
    Ok(())
}

/// Tells it on the system that listens.
fn on_running(project: &Project, options: &Options) -> Result<()> {
    let listen = options.listen;
    let base_url = format!("http://{listen}");
    if let Some(fault) = stranger(listen, ask(&format!("{base_url}/inventory/v1/health"), None)) {
        bail!(fault);
    }
    let moot = options.of_a_start();
    if !moot.is_empty() {
        bail!("{}", meaningless(listen, &moot));
    }
    let data = options.data(project)?;
    let Some(keys) = Keys::existing(&data)? else { bail!("{}", another_key(listen, &data)) };
    let token = keys.token(&Bearer::new(DEMO_TENANT, "viewer"))?;
    let asked = ask(&format!("{base_url}/inventory/v1/items?limit=1"), Some(&token));
    if asked.is_ok_and(|(status, _)| status == UNAUTHENTICATED) {
        bail!("{}", another_key(listen, &data));
    }
    demo::late_shipment(&base_url, &keys)?;
    println!("\n   These paths are under {base_url}; a token:");
    println!(
        "   cargo xtask token --tenant {DEMO_TENANT} --role viewer{}",
        options.key_words(project)?
    );
    println!("   Run the demo again, and the next order is late.");
    Ok(())
}

/// Why options of a start are refused where a system runs already.
fn meaningless(listen: SocketAddr, options: &[&str]) -> String {
    let have = if options.len() == 1 { "has" } else { "have" };
    let them = if options.len() == 1 { "it" } else { "them" };
    format!(
        "a system is up on {listen} already, on which {} {have} no effect: stop it first (Ctrl-C \
         where it runs), or leave {them} out",
        options.join(" and "),
    )
}

/// Why a token of this data folder is not taken.
fn another_key(listen: SocketAddr, data: &Path) -> String {
    format!(
        "the system on {listen} does not run on the data folder {}: name its own with --data",
        data.display()
    )
}

/// The status and body of a GET; an error when what listens does not speak HTTP.
fn ask(url: &str, token: Option<&str>) -> Result<(u16, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWERED_WITHIN))
        .build()
        .into();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut answer = request.call()?;
    Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
}

/// Why what answered the question for its health is not a Tradewind that serves; None when it is.
fn stranger(listen: SocketAddr, answer: Result<(u16, String)>) -> Option<String> {
    let ours = |body: &Value| {
        let kind = body["type"].as_str().unwrap_or_default();
        matches!(body["status"].as_str(), Some("up" | "down")) || kind.starts_with(PROBLEM_TYPE)
    };
    let why = match answer {
        Err(error) => format!("{error:#}"),
        Ok((status, body)) => match serde_json::from_str::<Value>(&body) {
            Ok(body) if ours(&body) && status == 200 => return None,
            Ok(body) if ours(&body) => {
                let detail = body["detail"].as_str().unwrap_or("its Redis does not answer");
                return Some(format!("the system on {listen} does not serve now: {detail}"));
            }
            _ => format!("GET /inventory/v1/health answers {status}"),
        },
    };
    Some(format!(
        "what listens on {listen} is not Tradewind ({why}); choose another address with --listen"
    ))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn listen() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 3000))
    }

    #[test]
    fn what_listens_is_told_in_one_line_unless_it_is_tradewind() {
        let stranger = |status, body: &str| stranger(listen(), Ok((status, body.to_owned())));
        assert_eq!(stranger(200, r#"{"status":"up"}"#), None);
        let overloaded = r#"{"type":"urn:tradewind:problem:overloaded","status":503,
            "detail":"too many requests are in flight"}"#;
        for (status, body, said) in [
            (200, "<html></html>", "is not Tradewind (GET /inventory/v1/health answers 200)"),
            (404, "", "is not Tradewind (GET /inventory/v1/health answers 404)"),
            (200, r#"{"status":"ok"}"#, "is not Tradewind"),
            (503, r#"{"status":"down"}"#, "does not serve now: its Redis does not answer"),
            (503, overloaded, "does not serve now: too many requests are in flight"),
        ] {
            let line = stranger(status, body).unwrap_or_default();
            assert!(line.contains(said) && line.contains("127.0.0.1:3000"), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn a_program_that_speaks_no_http_is_not_tradewind() {
        let line = stranger(listen(), Err(anyhow!("no HTTP"))).unwrap_or_default();
        assert!(line.contains("is not Tradewind (no HTTP)"), "{line}");
    }

    #[test]
    fn options_without_effect_are_refused_by_name() {
        let one = meaningless(listen(), &["--fresh"]);
        assert!(one.contains("--fresh has no effect") && one.contains("leave it out"), "{one}");
        let two = meaningless(listen(), &["--fresh", "--test-clock"]);
        assert!(two.contains("--fresh and --test-clock have no effect"), "{two}");
    }
}
