//! One command to a Redis on this machine, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long Redis may take to say something.
const WITHIN: Duration = Duration::from_secs(30);

/// Asks a command without blanks in its words. A number or a text is given back as Redis wrote it,
/// with `:`, `+` or `-` before it; a bulk string as it is, and empty when there is none.
///
/// # Errors
/// Nobody answers on that port, or with a list.
pub fn ask(port: u16, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("$", "-1")) => Ok(String::new()),
        Some(("$", length)) => {
            let mut bytes = vec![0; length.parse().context("no length")?];
            answer.read_exact(&mut bytes)?;
            Ok(String::from_utf8(bytes)?)
        }
        Some((":" | "+" | "-", _)) => Ok(line.to_owned()),
        _ => bail!("{command} was answered `{line}`"),
    }
}

/// As [`ask`], where an error is one.
///
/// # Errors
/// Redis refused, or as [`ask`].
pub fn must(port: u16, command: &str) -> Result<String> {
    let answer = ask(port, command)?;
    if answer.starts_with('-') {
        bail!("{command} was answered {answer}");
    }
    Ok(answer)
}

/// A field of `INFO`.
///
/// # Errors
/// There is none, or as [`ask`].
pub fn info(port: u16, field: &str) -> Result<String> {
    let all = must(port, "INFO everything")?;
    let found = all.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    found.map(str::to_owned).with_context(|| format!("INFO has no {field}"))
}
