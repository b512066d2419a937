//! The contract as a partner gets it: `wit/plugin.wit` as a package of its own.
//!
//! Here the packages lie side by side in one folder, so that each is written as a block; the tools
//! of other languages want one package to a folder, with its name at the head.

use std::fs;

use anyhow::{Context, Result};

use crate::project::Project;

/// The text of the contract, to be put into a plug-in's `wit/plugin.wit`.
pub fn text(project: &Project) -> Result<String> {
    let file = project.wit().join("plugin.wit");
    let block = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    standing_alone(&block).with_context(|| format!("{} is not one block", file.display()))
}

/// A file that is one block `package NAME { … }`, with the block's brackets taken away.
fn standing_alone(block: &str) -> Option<String> {
    let (head, rest) = block.split_once("\npackage ")?;
    let (name, body) = rest.split_once(" {\n")?;
    let body = body.strip_suffix("}\n")?;
    let mut text = format!("{head}\npackage {name};\n\n");
    for line in body.lines() {
        text.push_str(line.strip_prefix("  ").unwrap_or(line));
        text.push('\n');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_stands_alone() {
        let block = "/// Doc.\npackage a:b@0.1.0 {\n  interface c {\n    d: func();\n  }\n}\n";
        let alone = "/// Doc.\npackage a:b@0.1.0;\n\ninterface c {\n  d: func();\n}\n";
        assert_eq!(standing_alone(block).unwrap(), alone);
        let mut resolve = wit_parser::Resolve::default();
        resolve.push_str("plugin.wit", &text(&Project::here().unwrap()).unwrap()).unwrap();
    }

    #[test]
    fn the_worked_examples_have_it() {
        let project = Project::here().unwrap();
        let text = text(&project).unwrap();
        for entry in fs::read_dir(project.root().join("plugins")).unwrap() {
            let file = entry.unwrap().path().join("wit/plugin.wit");
            let copy = fs::read_to_string(&file).unwrap();
            assert!(copy == text, "{} is another contract; run: cargo xtask docs", file.display());
        }
    }
}
