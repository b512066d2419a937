//! Running other programs: what is run is said first, what fails is told with its command line.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Tells the person at the terminal what happens now. Progress goes to standard error, so that
/// standard output holds results alone (`cargo xtask token | tail -1`).
pub fn say(message: &str) {
    eprintln!("tradewind: {message}");
}

/// A command with arguments; the caller may set its folder and environment before running it.
pub fn command<I, S>(program: impl AsRef<OsStr>, arguments: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Cargo as the person's own PATH has it, in the project's folder.
///
/// `cargo xtask` itself runs under cargo, whose variables would otherwise leak into the inner call
/// and make it rebuild what reads them.
pub fn cargo<I, S>(root: &Path, arguments: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut cargo = command("cargo", arguments);
    cargo.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let of_the_outer_run = name.to_string_lossy().starts_with("CARGO_PKG_")
            || ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"].iter().any(|n| name == *n);
        if of_the_outer_run {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Says and runs a command with its output going to the terminal; fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    say(&format!("$ {}", line_of(command)));
    run_silently(command)
}

/// Runs a command without announcing it; its own output still goes to the terminal.
pub fn run_silently(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Standard output of a quiet command, or None when it is missing or fails: for questions whose
/// answer may be no.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// True when a program of this name is on PATH.
pub fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

/// The command as a person would type it.
pub fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word as a person would type it to a shell: in quotes where a shell would take it apart.
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_so_that_a_shell_takes_it() {
        let told = line_of(&command("grep", ["-r", "it's here", "", "a=b", "~"]));
        assert_eq!(told, r"grep -r 'it'\''s here' '' a=b '~'");
    }
}
