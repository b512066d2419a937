//! `cargo xtask bench`: the load and planning benchmarks of `bench/`, apart from the tests because
//! their figures mean something only on a machine that does nothing else.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::packages::Install;
use crate::project::Project;
use crate::{build, redis, server};

/// What the benchmark program takes, for the help: it is a program of its own, which this one need
/// not build to say so.
pub const HELP: &str = "\
Benchmarks:
  reserve       Reservations of a hot item and of a thousand, by clients and contenders; memory
  availability  What a channel can take of a hot item and of a thousand, by clients and contenders
  cascade       A late confirmation on which many order lines wait
  start         From the start of the host to its first answer; idle memory
  profile       Where the CPU goes under load

Arguments of theirs:
  --seconds <N>             Seconds of load for each cell of the reserve and availability tables
                            [default: 1]
  --lines <N,…>             Order lines of the cascades [default: 10,100,1000,10000]
  --clients <N,…>           Clients at once, with the append-only file flushed every second; 0:
                            none [default: 1,8,32,64]
  --clients-always <N>      Clients at once that reserve with every write flushed; 0: none
                            [default: 32]
  --hot                     The hot item only
  --contenders <NAME,…>     Only these contenders [default: all]
  --reservations <N>        Reserve on after the cells until each contender has made so many, then
                            read its memory [default: what the cells made]

Such as: cargo xtask bench reserve --hot --seconds 5";

/// Builds everything in release and runs the benchmark program with the given arguments.
pub fn bench(project: &Project, install: Install, arguments: &[String]) -> Result<()> {
    redis::ensure(install)?;
    build::build(project, install)?;
    server::build(project)?;
    let mut bench =
        cargo(project.root(), ["run", "--release", "--package", "tradewind-bench", "--"]);
    run(bench.args(arguments))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The names of what a source file declares: each stands at the begin of the line after the
    /// last of its attributes.
    fn declared<'a>(source: &'a str, from: &str, to: &str) -> Vec<&'a str> {
        let body = source.split_once(from).unwrap().1.split_once(to).unwrap().0;
        let mut names = Vec::new();
        let mut hidden = false;
        for line in body.lines().map(str::trim) {
            if line.starts_with('#') {
                hidden |= line.contains("hide = true") || line.contains("command(");
            } else if !line.starts_with("//") && !line.is_empty() {
                let name = line.split([':', ',', '(']).next().unwrap();
                if !hidden {
                    names.push(name);
                }
                hidden = false;
            }
        }
        names
    }

    #[test]
    fn the_help_names_every_benchmark_and_every_argument() {
        let folder = Project::here().unwrap().root().join("bench/src");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let (main, reserve) = (read("main.rs"), read("reserve.rs"));
        let tasks = declared(&main, "enum Task {", "\n}");
        assert!(tasks.contains(&"Reserve"), "{tasks:?}");
        for task in tasks {
            assert!(HELP.contains(&format!("\n  {} ", task.to_lowercase())), "{task}");
        }
        let own = declared(&main, "struct Arguments {", "\n}");
        let arguments = [own, declared(&reserve, "pub struct Options {", "\n}")].concat();
        assert!(arguments.contains(&"seconds") && arguments.contains(&"hot"), "{arguments:?}");
        for argument in arguments {
            let flag = format!("\n  --{} ", argument.replace('_', "-"));
            assert!(HELP.contains(&flag), "{flag}");
        }
    }
}
