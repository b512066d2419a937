//! Plain tables and amounts for a terminal of 100 columns.

use serde_json::Value;

/// The width that stories are told in.
pub const WIDTH: usize = 100;

/// What stands before every line of a section.
const MARGIN: &str = "   ";

/// Between two columns.
const GAP: &str = "  ";

/// A table; numbers are right-aligned, texts left.
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads; a head that begins with `>` is a column of numbers.
    pub fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines; the widest column of text gives way where the whole would be too wide.
    pub fn lines(&self) -> Vec<String> {
        let head = |column: usize| self.heads[column].trim_start_matches('>');
        let mut widths: Vec<usize> = (0..self.heads.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
                widest.max(head(column).len())
            })
            .collect();
        let gaps = GAP.len() * (widths.len().saturating_sub(1));
        let room = WIDTH - MARGIN.len() - gaps;
        let total: usize = widths.iter().sum();
        let texts = (0..widths.len()).filter(|column| !self.heads[*column].starts_with('>'));
        if let Some(widest) = texts.max_by_key(|column| widths[*column]) {
            widths[widest] -= total.saturating_sub(room).min(widths[widest].saturating_sub(8));
        }
        let line = |cells: Vec<&str>| {
            let aligned = cells.iter().enumerate().map(|(column, cell)| {
                let (width, cell) = (widths[column], shortened(cell, widths[column]));
                if self.heads[column].starts_with('>') {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            let text = aligned.collect::<Vec<_>>().join(GAP);
            format!("{MARGIN}{}", text.trim_end())
        };
        let mut lines = vec![line((0..self.heads.len()).map(head).collect())];
        lines.extend(self.rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
        lines
    }
}

fn shortened(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return cell.to_owned();
    }
    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Words in lines of the story's width, after the margin.
pub fn paragraph(text: &str) -> Vec<String> {
    wrapped(text, MARGIN)
}

/// Words in lines of the story's width, each after `margin`.
pub fn wrapped(text: &str, margin: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = margin.to_owned();
    for word in text.split_whitespace() {
        let is_first = line.chars().count() == margin.chars().count();
        if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, margin.to_owned()));
        }
        if line.chars().count() > margin.chars().count() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Hundredths of the amount in a money or a decimal text; nothing when there is none.
pub fn hundredths(value: &Value) -> i64 {
    let text = value["amount"].as_str().or(value.as_str()).unwrap_or_default();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |positive| (-1, positive));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = format!("{fraction}00").chars().take(2).collect();
    let number = |digits: &str| digits.parse::<i64>().unwrap_or(0);
    sign * (number(whole) * 100 + number(&fraction))
}

/// Hundredths as a person writes an amount, `1,234.50`.
pub fn amount(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let all = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", grouped(all / 100), all % 100)
}

/// An amount of which the sign matters, `+1,234.50`.
pub fn change(hundredths: i64) -> String {
    let plus = if hundredths > 0 { "+" } else { "" };
    format!("{plus}{}", amount(hundredths))
}

/// Units as a person writes them.
pub fn units(count: i64) -> String {
    let sign = if count < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(count.unsigned_abs()))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `2 lines`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(u64::try_from(count).unwrap_or(u64::MAX)))
}

/// A text of a document; a dash when there is none.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or("–").to_owned()
}

/// A whole number of a document.
pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// The elements of a list of a document.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_keeps_to_its_width() {
        let mut table = Table::new(&["item", ">units", "name"]);
        table.row(vec!["LIN-001".to_owned(), units(12_345), "a name ".repeat(20)]);
        table.row(vec!["X".to_owned(), units(-7), "short".to_owned()]);
        let lines = table.lines();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        assert!(lines[1].starts_with("   LIN-001  12,345  a name"));
        assert!(lines[1].ends_with('…'));
        assert_eq!(lines[2], "   X            -7  short");
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        for (value, read, told) in [
            (json!({"amount": "1080.00", "currency": "USD"}), 108_000, "+1,080.00"),
            (json!("-931.2"), -93_120, "-931.20"),
            (json!("-0.05"), -5, "-0.05"),
            (json!("1234567"), 123_456_700, "+1,234,567.00"),
            (json!(null), 0, "0.00"),
        ] {
            assert_eq!(hundredths(&value), read, "{value}");
            assert_eq!(change(read), told, "{value}");
        }
    }

    #[test]
    fn paragraphs_break_between_words() {
        let lines = paragraph(&"promises move ".repeat(30));
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH && line.starts_with("   p")));
    }
}
