//! Results for a person: tables in Markdown, aligned, and lines of progress.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to a person")]

/// Says what happens now, on standard error.
pub fn say(message: &str) {
    eprintln!("bench: {message}");
}

/// Prints a line of the results.
pub fn print(line: &str) {
    println!("{line}");
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a title and the heads of its columns.
    pub fn new(title: &str, heads: &[&str]) -> Self {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        Self { title: title.to_owned(), rows: vec![heads] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// Its text.
    pub fn text(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = format!("\n### {}\n\n", self.title);
        for (number, row) in self.rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                let gap = width.saturating_sub(cell.chars().count());
                text.push_str("| ");
                text.push_str(cell);
                text.push_str(&" ".repeat(gap + 1));
            }
            text.push_str("|\n");
            if number == 0 {
                for width in &widths {
                    text.push_str(&format!("|{}", "-".repeat(width + 2)));
                }
                text.push_str("|\n");
            }
        }
        text
    }
}

/// One decimal.
pub fn one(value: f64) -> String {
    format!("{value:.1}")
}

/// Two decimals.
pub fn two(value: f64) -> String {
    format!("{value:.2}")
}

/// A ratio to a floor.
pub fn ratio(value: f64, floor: Option<f64>) -> String {
    floor.filter(|floor| *floor > 0.0).map_or(String::new(), |floor| two(value / floor))
}

/// Bytes as megabytes; nothing for a process that is not there.
pub fn megabytes(bytes: u64) -> String {
    if bytes == 0 { String::new() } else { format!("{:.0}", bytes as f64 / 1e6) }
}
