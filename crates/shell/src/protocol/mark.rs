//! Marks as text: `token;correlation,event,by;…`, a cause after each semicolon.
//!
//! The script puts causes together from parts that are escaped here, so it needs no escaping.

use std::borrow::Cow;

use super::reply::senseless;
use crate::store::{MarkCause, MarkState, Outage};

/// Escapes a part of a cause; hardly any has something to escape.
pub(super) fn escape(part: &str) -> Cow<'_, str> {
    if !part.bytes().any(|byte| matches!(byte, b'%' | b',' | b';')) {
        return Cow::Borrowed(part);
    }
    part.replace('%', "%25").replace(',', "%2C").replace(';', "%3B").into()
}

fn unescape(part: &str) -> String {
    if !part.contains('%') {
        return part.to_owned();
    }
    part.replace("%3B", ";").replace("%2C", ",").replace("%25", "%")
}

/// Reads a mark.
pub(super) fn decode(item: String, text: &str) -> Result<MarkState, Outage> {
    let mut parts = text.split(';');
    let token = parts.next().unwrap_or_default().to_owned();
    let causes = parts.map(cause).collect::<Result<_, _>>()?;
    Ok(MarkState { item, token, causes })
}

fn cause(text: &str) -> Result<MarkCause, Outage> {
    let mut parts = text.split(',').map(unescape);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(correlation), Some(event), Some(by), None) => {
            Ok(MarkCause { correlation, event, by })
        }
        _ => Err(senseless("a mark whose cause has not three parts")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives() {
        let by = "a;b,c%d%3Be%";
        let text = format!("7;{},ev_8,{};x,,", escape("c;1"), escape(by));
        let mark = decode("item".to_owned(), &text).unwrap();
        assert_eq!(mark.token, "7");
        let first = MarkCause {
            correlation: "c;1".to_owned(),
            event: "ev_8".to_owned(),
            by: by.to_owned(),
        };
        assert_eq!(mark.causes[0], first);
        assert_eq!(mark.causes[1].correlation, "x");
        assert_eq!(mark.causes[1].by, "");
    }

    #[test]
    fn a_broken_cause_is_an_outage() {
        assert!(decode("item".to_owned(), "7;only").is_err());
    }
}
