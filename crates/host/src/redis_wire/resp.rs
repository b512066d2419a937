//! Redis' protocol (RESP 2): commands as bytes, and answers taken off what has arrived so far.
//!
//! Own code and not the client library's, since a request's cost is a good part this: a command goes
//! from the guest's arguments into the buffer that is sent, and an answer is never looked at twice,
//! however many pieces it arrives in.

use bytes::{Buf, BytesMut};
use redis::Value;

/// How deep arrays may lie in each other; answers of ours are flat.
const MAX_DEPTH: usize = 32;

/// Room that an array's announced length is believed for before its items are there.
const BELIEVED_ITEMS: usize = 1024;

/// The longest line: a status, an error or a number. What is longer is no answer of Redis.
const MAX_LINE: usize = 64 << 10;

/// Digits of the largest number, and its sign.
const NUMBER_BYTES: usize = 20;

/// An argument of a command.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    /// As it is.
    Bytes(&'a [u8]),
    /// A number, in decimal.
    Number(i64),
}

/// Appends a command.
pub fn write_command(out: &mut BytesMut, name: &str, arguments: &[Argument<'_>]) {
    write_length(out, b'*', arguments.len().saturating_add(1));
    write_bulk(out, name.as_bytes());
    for argument in arguments {
        match argument {
            Argument::Bytes(bytes) => write_bulk(out, bytes),
            Argument::Number(number) => write_bulk(out, number.to_string().as_bytes()),
        }
    }
}

fn write_bulk(out: &mut BytesMut, bytes: &[u8]) {
    out.reserve(bytes.len().saturating_add(NUMBER_BYTES).saturating_add(5));
    write_length(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn write_length(out: &mut BytesMut, kind: u8, length: usize) {
    let mut line = [0_u8; NUMBER_BYTES + 3];
    let mut at = line.len() - 2;
    line[at..].copy_from_slice(b"\r\n");
    let mut rest = length;
    loop {
        at -= 1;
        // A digit: below 10.
        line[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    at -= 1;
    line[at] = kind;
    out.extend_from_slice(&line[at..]);
}

/// What came is no answer of Redis: nothing that follows on this connection can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Senseless;

/// Takes answers off a connection's bytes; remembers an array that is not complete.
#[derive(Default)]
pub struct Answers {
    /// The arrays around the next element: how many items are missing, and those that came.
    open: Vec<(usize, Vec<Value>)>,
}

enum Element {
    Value(Value),
    Array(usize),
}

impl Answers {
    /// The next answer, if all of it has arrived. What was used is gone from `input`.
    ///
    /// # Errors
    /// The bytes are no answer.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Value>, Senseless> {
        loop {
            let Some(element) = element(input)? else { return Ok(None) };
            let mut value = match element {
                Element::Array(0) => Value::Array(Vec::new()),
                Element::Array(_) if self.open.len() == MAX_DEPTH => return Err(Senseless),
                Element::Array(items) => {
                    self.open.push((items, Vec::with_capacity(items.min(BELIEVED_ITEMS))));
                    continue;
                }
                Element::Value(value) => value,
            };
            // Closes every array whose last item this is.
            loop {
                let Some((missing, items)) = self.open.last_mut() else { return Ok(Some(value)) };
                items.push(value);
                *missing -= 1;
                if *missing > 0 {
                    break;
                }
                value = Value::Array(std::mem::take(items));
                self.open.pop();
            }
        }
    }
}

/// The next element, if it is there.
fn element(input: &mut BytesMut) -> Result<Option<Element>, Senseless> {
    let Some(end) = input.iter().take(MAX_LINE).position(|byte| *byte == b'\r') else {
        return if input.len() < MAX_LINE { Ok(None) } else { Err(Senseless) };
    };
    match input.get(end + 1) {
        None => return Ok(None),
        Some(b'\n') => {}
        Some(_) => return Err(Senseless),
    }
    let (kind, line) = input[..end].split_first().ok_or(Senseless)?;
    let text = std::str::from_utf8(line).map_err(|_| Senseless);
    let value = match kind {
        b'$' => {
            let Some(length) = length(text?)? else {
                input.advance(end + 2);
                return Ok(Some(Element::Value(Value::Nil)));
            };
            let (from, to) = (end + 2, (end + 2).checked_add(length).ok_or(Senseless)?);
            if input.len() < to + 2 {
                input.reserve(to + 2 - input.len());
                return Ok(None);
            }
            let bytes = input[from..to].to_vec();
            if &input[to..to + 2] != b"\r\n" {
                return Err(Senseless);
            }
            input.advance(to + 2);
            return Ok(Some(Element::Value(Value::BulkString(bytes))));
        }
        b'*' => match length(text?)? {
            None => Element::Value(Value::Nil),
            Some(items) => Element::Array(items),
        },
        b':' => Element::Value(Value::Int(text?.parse().map_err(|_| Senseless)?)),
        b'+' if line == b"OK" => Element::Value(Value::Okay),
        b'+' => Element::Value(Value::SimpleString(text?.to_owned())),
        // The library's own reading, since its words are what callers know.
        b'-' => Element::Value(redis::parse_redis_value(&input[..end + 2]).map_err(|_| Senseless)?),
        _ => return Err(Senseless),
    };
    input.advance(end + 2);
    Ok(Some(value))
}

/// A length; -1 says that there is nothing.
fn length(text: &str) -> Result<Option<usize>, Senseless> {
    if text == "-1" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Senseless)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn commands_are_bulk_strings() {
        let mut out = BytesMut::new();
        let arguments = [Argument::Bytes(b"key"), Argument::Number(-12), Argument::Bytes(b"")];
        write_command(&mut out, "SET", &arguments);
        assert_eq!(&out[..], b"*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\n-12\r\n$0\r\n\r\n");
        out.clear();
        write_bulk(&mut out, &[b'x'; 120]);
        assert!(out.starts_with(b"$120\r\n"));
    }

    /// Reads a text arriving in pieces of every size as the library reads it whole.
    #[test]
    fn answers_are_the_same_in_whatever_pieces_they_arrive() {
        let texts: [&[u8]; 9] = [
            b"+OK\r\n",
            b"+QUEUED\r\n",
            b":-5\r\n",
            b"$5\r\na\r\nbc\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"*3\r\n*2\r\n:1\r\n*1\r\n$-1\r\n*0\r\n$1\r\nx\r\n",
            b"*2\r\n:1\r\n-MYERR code 42\r\n",
        ];
        let whole: Vec<u8> = texts.concat();
        let wanted: Vec<Value> =
            texts.iter().map(|text| redis::parse_redis_value(text).unwrap()).collect();
        for piece in 1..=whole.len() {
            let (mut answers, mut input, mut found) =
                (Answers::default(), BytesMut::new(), Vec::new());
            for bytes in whole.chunks(piece) {
                input.extend_from_slice(bytes);
                while let Some(value) = answers.next(&mut input).unwrap() {
                    found.push(value);
                }
            }
            assert_eq!(found, wanted, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let deep = b"*1\r\n".repeat(MAX_DEPTH + 1);
        let long = vec![b'+'; MAX_LINE + 1];
        let texts: [&[u8]; 9] = [
            b"\r\n",
            b"x\r\n",
            b"$x\r\n",
            b"$-2\r\n",
            b":1.5\r\n",
            b"+a\rb\r\n",
            b"$1\r\nabc\r\n",
            &deep,
            &long,
        ];
        for text in texts {
            let mut answers = Answers::default();
            assert_eq!(answers.next(&mut BytesMut::from(text)), Err(Senseless), "{text:?}");
        }
    }
}
