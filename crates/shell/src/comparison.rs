//! Comparing bytes, eight at a time.
//!
//! The C library that components are linked with compares byte by byte, and maps by name are what a
//! decision is made of.

use std::cmp::Ordering;

/// How two runs of bytes of equal length compare, by the first byte in which they differ.
///
/// # Safety
/// Both pointers are valid for reads of `length` bytes.
#[inline]
unsafe fn compare(left: *const u8, right: *const u8, length: usize) -> Ordering {
    let mut at = 0;
    while length - at >= 8 {
        // SAFETY: eight bytes from `at` on lie within both runs; they need no alignment.
        let [one, other] =
            [left, right].map(|run| unsafe { run.add(at).cast::<u64>().read_unaligned() });
        if one != other {
            return one.to_be().cmp(&other.to_be());
        }
        at += 8;
    }
    while at < length {
        // SAFETY: `at` lies within both runs.
        let [one, other] = [left, right].map(|run| unsafe { run.add(at).read() });
        if one != other {
            return one.cmp(&other);
        }
        at += 1;
    }
    Ordering::Equal
}

/// C's `memcmp`, which the compiler calls to compare slices; it takes the place of the library's.
///
/// Called, not inlined: in place of each call it made a component an eighth larger.
///
/// # Safety
/// Both pointers are valid for reads of `length` bytes.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { compare(left, right, length) as i32 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_compares_as_slices_do(
            same in prop::collection::vec(any::<u8>(), 0..40),
            (left, right) in (prop::collection::vec(any::<u8>(), 12), prop::collection::vec(any::<u8>(), 12)),
            length in 0..12_usize,
        ) {
            let [left, right] = [left, right].map(|tail| [&same[..], &tail[..length]].concat());
            // SAFETY: both are so long.
            let found = unsafe { compare(left.as_ptr(), right.as_ptr(), left.len()) };
            prop_assert_eq!(found, left.cmp(&right));
        }
    }
}
