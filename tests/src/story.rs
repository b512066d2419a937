//! Stories: `scenarios/*.md`, played on a driver.
//!
//! Prose is for the reader. Fenced blocks are for the driver:
//!
//! * ` ```http ` is a request: a line `ROLE METHOD PATH`, header lines, an empty line, a body. A
//!   role may name its subject and what it is bound to: `approver:anna`, `partner:pat@S1`. A POST
//!   without an `Idempotency-Key` gets a fresh one.
//! * ` ```json STATUS ` right after it is the answer: status and body, as [`crate::compare`] says.
//!   Without it a request must answer 200 or 201.
//! * ` ```until ` is a GET that is repeated until it answers as the following `json` block says.
//! * ` ```race N ` sends a request N times at once, each with a key of its own and its number for
//!   `{#}`; the `json` block after it says how often each status was answered.
//! * ` ```clock ` sets the business clock.
//! * ` ```tenant ` makes the following requests those of another tenant.
//!
//! `{name}` in a request is a value that an answer gave to `"$name"`; `{Correlation-Id}` is that of
//! the last write.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::compare::{Names, differences, fill};
use crate::driver::{Driver, Got, Sender, Sent};

/// How long an `until` is repeated: far more than a cascade takes on a busy machine.
const UNTIL: Duration = Duration::from_secs(60);

/// The pause between repetitions.
const PAUSE: Duration = Duration::from_millis(25);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    line: usize,
    kind: String,
    text: String,
}

fn blocks(story: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in story.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                let kind = kind.trim().to_owned();
                open = Some(Block { line: number + 1, kind, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// What a story has come to know, so that it can be played in parts.
#[derive(Debug, Clone)]
pub struct Telling {
    story: String,
    tenant: String,
    keys: u64,
    /// The values that answers gave to names.
    pub names: Names,
}

impl Telling {
    /// The beginning of a story; `name` is its tenant and stands in front of every fault.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let (story, tenant) = (name.to_owned(), name.to_owned());
        Self { story, tenant, keys: 0, names: Names::new() }
    }

    /// Plays a part of the story. A clone of the telling made before plays the same part with the
    /// same idempotency keys: that is a client who repeats what was not answered.
    ///
    /// # Errors
    /// The first thing that is not as the story says, with its line in this part.
    pub fn play(&mut self, driver: &mut dyn Driver, part: &str) -> Result<()> {
        let name = self.story.clone();
        let mut player = Player { driver, telling: self };
        let blocks = blocks(part);
        let mut position = 0;
        while let Some(block) = blocks.get(position) {
            let expected = blocks.get(position + 1).filter(|next| next.kind.starts_with("json"));
            player.play(block, expected).with_context(|| {
                format!("{name}, line {}: {}", block.line, first_line(&block.text))
            })?;
            position += if expected.is_some() { 2 } else { 1 };
        }
        Ok(())
    }
}

/// The part of a story from one heading up to another, or to its end without one.
///
/// # Errors
/// A heading is not there.
pub fn part<'a>(story: &'a str, from: &str, to: Option<&str>) -> Result<&'a str> {
    let start = story.find(from).with_context(|| format!("no `{from}` in the story"))?;
    let rest = &story[start..];
    let Some(to) = to else { return Ok(rest) };
    let end = rest.find(to).with_context(|| format!("no `{to}` after `{from}`"))?;
    Ok(&rest[..end])
}

/// Plays a story; `name` is its tenant and stands in front of every fault.
///
/// # Errors
/// The first thing that is not as the story says, with its line.
pub fn play(driver: &mut dyn Driver, name: &str, story: &str) -> Result<()> {
    Telling::new(name).play(driver, story)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

struct Player<'a> {
    driver: &'a mut dyn Driver,
    telling: &'a mut Telling,
}

impl Player<'_> {
    fn play(&mut self, block: &Block, expected: Option<&Block>) -> Result<()> {
        match block.kind.as_str() {
            "http" => {
                let got = self.request(&block.text)?;
                if let Some(correlation) = got.header("correlation-id") {
                    let value = Value::String(correlation.to_owned());
                    self.telling.names.insert("Correlation-Id".to_owned(), value);
                }
                self.check(&got, expected)
            }
            "until" => self.until(&block.text, expected.context("an `until` needs a `json`")?),
            race if race.starts_with("race ") => {
                let count: usize = race.trim_start_matches("race ").trim().parse()?;
                self.race(&block.text, count, expected.context("a `race` needs a `json`")?)
            }
            "clock" => self.driver.set_clock(block.text.trim()),
            "tenant" => {
                self.telling.tenant = format!("{}-{}", self.telling.story, block.text.trim());
                Ok(())
            }
            "text" => Ok(()),
            other => bail!("a block `{other}` means nothing here"),
        }
    }

    fn until(&mut self, text: &str, expected: &Block) -> Result<()> {
        let begun = Instant::now();
        loop {
            let got = self.request(text)?;
            let names = self.telling.names.clone();
            match self.check(&got, Some(expected)) {
                Ok(()) => return Ok(()),
                Err(fault) if begun.elapsed() > UNTIL => return Err(fault),
                Err(_) => self.telling.names = names,
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn race(&mut self, text: &str, count: usize, expected: &Block) -> Result<()> {
        let prepared = (1..=count)
            .map(|number| self.prepare(&text.replace("{#}", &number.to_string())))
            .collect::<Result<Vec<_>>>()?;
        let sender = prepared.first().context("a race of nobody")?.0.clone();
        let sent: Vec<Sent> = prepared.into_iter().map(|(_, sent)| sent).collect();
        let mut counts = serde_json::Map::new();
        for got in self.driver.race(&sender, &sent)? {
            let count = counts.entry(got.status.to_string()).or_insert(Value::from(0));
            *count = Value::from(count.as_i64().unwrap_or(0) + 1);
        }
        let wanted: Value = serde_json::from_str(&expected.text)?;
        let found = Value::Object(counts);
        if wanted != found {
            bail!("the answers were {found}, not {wanted}");
        }
        Ok(())
    }

    fn check(&mut self, got: &Got, expected: Option<&Block>) -> Result<()> {
        let Some(expected) = expected else {
            if got.status == 200 || got.status == 201 {
                return Ok(());
            }
            bail!("answered {}: {}", got.status, got.body);
        };
        let status = expected.kind.trim_start_matches("json").trim();
        let wanted: u16 = if status.is_empty() { 200 } else { status.parse()? };
        if got.status != wanted {
            bail!("answered {}, not {wanted}: {}", got.status, got.body);
        }
        if expected.text.trim().is_empty() {
            return Ok(());
        }
        let text = fill(&expected.text, &self.telling.names);
        let json: Value = serde_json::from_str(&text)
            .with_context(|| format!("line {}: the expected JSON", expected.line))?;
        let faults = differences(&json, &got.body, &mut self.telling.names);
        if faults.is_empty() {
            return Ok(());
        }
        bail!("{}\nthe answer was {:#}", faults.join("\n"), got.body)
    }

    fn request(&mut self, text: &str) -> Result<Got> {
        let (sender, sent) = self.prepare(text)?;
        self.driver.send(&sender, &sent)
    }

    fn prepare(&mut self, text: &str) -> Result<(Sender, Sent)> {
        let text = fill(text, &self.telling.names);
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        let mut words = lines.next().context("an empty request")?.split_whitespace();
        let sender = self.sender(words.next().context("no role")?);
        let method = words.next().context("no method")?.to_owned();
        let path = words.next().context("no path")?.to_owned();
        let mut headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let keyed = headers.iter().any(|(name, _)| name == "idempotency-key");
        if method == "POST" && !keyed {
            self.telling.keys += 1;
            headers.push(("idempotency-key".to_owned(), format!("story-{}", self.telling.keys)));
        }
        let typed = headers.iter().any(|(name, _)| name == "content-type");
        let body = Some(body.trim().to_owned()).filter(|body| !body.is_empty());
        if body.is_some() && !typed {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Ok((sender, Sent { method, path, headers, body }))
    }

    fn sender(&self, text: &str) -> Sender {
        let (text, bound) = match text.split_once('@') {
            Some((text, bound)) => (text, Some(bound.to_owned())),
            None => (text, None),
        };
        let (role, subject) = text.split_once(':').unwrap_or((text, text));
        let (role, subject) = (role.to_owned(), subject.to_owned());
        Sender { tenant: self.telling.tenant.clone(), role, subject, bound }
    }
}
