//! How far a long build is, for who reads a file or a pipe.
//!
//! On a terminal cargo draws a bar. Elsewhere it names each package that it compiles, and never how
//! many there are: each such line gets its number here, and the number of packages that there are.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::{ask, line_of, run, say};

/// How cargo begins the line of a package that it compiles, once for each.
const COMPILING: &str = "   Compiling";

/// Runs a build; `tree` is the `cargo tree` of the same packages, asked when something is compiled.
pub fn build(cargo: &mut Command, tree: &mut Command) -> Result<()> {
    if std::io::stderr().is_terminal() {
        return run(cargo);
    }
    let line = line_of(cargo);
    say(&format!("$ {line}"));
    let cannot = || format!("cannot start `{line}`");
    let mut child = cargo.stderr(Stdio::piped()).spawn().with_context(cannot)?;
    let told = child.stderr.take().with_context(cannot)?;
    let mut counter = Counter::default();
    for line in BufReader::new(told).split(b'\n') {
        let line = line?;
        let line = counter.counted(&String::from_utf8_lossy(&line), || ask_all(tree));
        eprintln!("{line}");
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Asks how many packages there are; without an answer the lines are numbered all the same.
fn ask_all(tree: &mut Command) -> Option<usize> {
    let tree = tree.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    ask(tree).map(|listed| packages(&listed))
}

/// The packages that `cargo tree` lists, each once; a line begins with a name and a version.
fn packages(listed: &str) -> usize {
    let named = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    listed.lines().filter_map(named).collect::<BTreeSet<_>>().len()
}

/// Which package is being compiled, of how many.
#[derive(Debug, Default)]
struct Counter {
    compiled: usize,
    /// All of them, those that were compiled before included; asked at the first.
    all: Option<Option<usize>>,
}

impl Counter {
    /// The line, with its number when it is that of a package.
    fn counted(&mut self, line: &str, all: impl FnOnce() -> Option<usize>) -> String {
        if !line.contains(COMPILING) {
            return line.to_owned();
        }
        self.compiled += 1;
        match *self.all.get_or_insert_with(all) {
            Some(all) => format!("{line} ({} of at most {all})", self.compiled),
            None => format!("{line} ({})", self.compiled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_counted_as_they_are_compiled_and_other_lines_stay() {
        let mut counter = Counter::default();
        let lines = [
            ("  Downloaded serde v1.0.1", "  Downloaded serde v1.0.1"),
            ("   Compiling serde v1.0.1", "   Compiling serde v1.0.1 (1 of at most 30)"),
            (
                "\u{1b}[1m\u{1b}[92m   Compiling\u{1b}[0m x v0.1.0 (/x)",
                "\u{1b}[1m\u{1b}[92m   Compiling\u{1b}[0m x v0.1.0 (/x) (2 of at most 30)",
            ),
            ("warning: unused: `Compiling`", "warning: unused: `Compiling`"),
        ];
        for (told, wanted) in lines {
            assert_eq!(counter.counted(told, || Some(30)), wanted);
        }
        let alone = Counter::default().counted("   Compiling x v1.0.0", || None);
        assert_eq!(alone, "   Compiling x v1.0.0 (1)");
    }

    #[test]
    fn a_package_that_stands_twice_in_the_tree_counts_once() {
        let listed = "host v0.1.0 (/host)\nserde v1.0.1\nserde_derive v1.0.1 (proc-macro)\n\n\
                      serde v1.0.1 (*)\nserde v0.9.0";
        assert_eq!(packages(listed), 4);
    }
}
