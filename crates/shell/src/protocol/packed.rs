//! Lists as one value: the arguments of a call, and its reply.
//!
//! Each value of a list would cost its own copies on the way through the component's edge, the
//! connection and the script's interpreter; a packed list costs one. The form is MessagePack
//! (msgpack.org), which Redis packs and unpacks in its scripts (`cmsgpack`): an array of texts,
//! integers and, in replies, `false` or nil for what is not there.

use rmp::Marker;
use rmp::decode::{read_array_len, read_int, read_str_len};
use rmp::encode::{ByteBuf, write_sint, write_str};

use super::reply::{Value, senseless};
use crate::store::Outage;

/// Bytes before the first value: the longest form, since the length comes last.
const HEAD: usize = 5;

/// Room for the arguments of a usual commit.
const USUAL_BYTES: usize = 2048;

/// Packs a list, value by value.
pub(super) struct Packer {
    count: u32,
    packed: ByteBuf,
}

impl Default for Packer {
    fn default() -> Self {
        let mut packed = Vec::with_capacity(USUAL_BYTES);
        packed.resize(HEAD, 0);
        Self { count: 0, packed: ByteBuf::from_vec(packed) }
    }
}

impl Packer {
    pub(super) fn text(&mut self, text: &str) {
        let Ok(()) = write_str(&mut self.packed, text);
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn number(&mut self, number: i64) {
        let Ok(_) = write_sint(&mut self.packed, number);
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut packed = self.packed.into_vec();
        let [a, b, c, d] = self.count.to_be_bytes();
        let head = [Marker::Array32.to_u8(), a, b, c, d];
        for (place, byte) in packed.iter_mut().zip(head) {
            *place = byte;
        }
        packed
    }
}

/// The values of a packed list.
///
/// # Errors
/// When it is none, or something follows it.
pub fn unpack(packed: &[u8]) -> Result<Vec<Value>, Outage> {
    let mut rest = packed;
    let count = read_array_len(&mut rest).map_err(|_| senseless("what is no list"))?;
    let values = (0..count).map(|_| value(&mut rest)).collect::<Result<_, _>>()?;
    match rest {
        [] => Ok(values),
        _ => Err(senseless("more than a list")),
    }
}

fn value(rest: &mut &[u8]) -> Result<Value, Outage> {
    let (first, behind) = rest.split_first().ok_or_else(|| senseless("half a list"))?;
    match Marker::from_u8(*first) {
        Marker::Null | Marker::False => {
            *rest = behind;
            Ok(Value::Nil)
        }
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            let bytes = read_str_len(rest).ok().and_then(|size| usize::try_from(size).ok());
            let text = bytes.and_then(|bytes| rest.split_at_checked(bytes));
            let (text, behind) = text.ok_or_else(|| senseless("half a text"))?;
            *rest = behind;
            Ok(Value::Bytes(text.to_vec()))
        }
        _ => Ok(Value::Int(read_int(rest).map_err(|_| senseless("what is no number"))?)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn pack(values: &[Value]) -> Vec<u8> {
        let mut packer = Packer::default();
        for value in values {
            match value {
                Value::Int(number) => packer.number(*number),
                Value::Bytes(text) => packer.text(std::str::from_utf8(text).unwrap()),
                Value::Nil => unreachable!("arguments have no gaps"),
            }
        }
        packer.finish()
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            texts in prop::collection::vec(".{0,40}", 0..40),
            long in 0_usize..70_000,
            numbers in prop::collection::vec(any::<i64>(), 0..40),
        ) {
            let texts = texts.into_iter().chain(["x".repeat(long)]);
            let texts = texts.map(|text| Value::Bytes(text.into_bytes()));
            let values: Vec<Value> = texts.chain(numbers.into_iter().map(Value::Int)).collect();
            let packed = pack(&values);
            prop_assert_eq!(unpack(&packed).unwrap(), values);
            prop_assert!(unpack(&packed[..packed.len() - 1]).is_err());
            prop_assert!(unpack(&[&packed[..], &[0]].concat()).is_err());
        }

        #[test]
        fn anything_is_a_list_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            unpack(&bytes).ok();
        }
    }

    #[test]
    fn a_reply_has_gaps() {
        assert_eq!(
            unpack(&[0x93, 0xc0, 0xc2, 0x07]).unwrap(),
            [Value::Nil, Value::Nil, Value::Int(7)]
        );
        assert!(unpack(&[0xdd, 0xff, 0xff, 0xff, 0xff]).is_err(), "a length that is none");
        assert!(unpack(&[0x91, 0xc3]).is_err(), "true is nothing that a script answers");
        assert!(unpack(&[0x91, 0x90]).is_err(), "a list within");
    }
}
