//! The text form of a value: how serde reads and writes what has one.
//!
//! A value derives `#[serde(try_from = "String", into = "String")]` and says here how it is written;
//! it is read by its `FromStr`, so that JSON, paths and queries accept the same texts.

/// `TryFrom<String>` by `FromStr`, and `String` from the value by the given expression.
macro_rules! text_form {
    ($value:ty, $fault:ty, $write:expr) => {
        impl TryFrom<String> for $value {
            type Error = $fault;

            fn try_from(text: String) -> Result<Self, $fault> {
                text.parse()
            }
        }

        impl From<$value> for String {
            fn from(value: $value) -> Self {
                let write: fn($value) -> Self = $write;
                write(value)
            }
        }
    };
}

pub(crate) use text_form;
