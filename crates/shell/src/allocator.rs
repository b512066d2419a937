//! The allocator of components: small blocks from lists of free ones, large ones from the system's.
//!
//! A request makes some thousand small blocks and frees nearly all of them at its end; the system's
//! allocator, which merges neighbours and searches for the best fit, took more than a quarter of a
//! component's time. Here a block of a class is one pop, its freeing one push. What a class has got
//! it keeps: an instance grows to the most that it ever used of each class at once, which its
//! memory limit bounds, and ends after some thousand requests.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Sizes are rounded up to a multiple of this, which is also the alignment of every block.
const STEP: usize = 16;

/// Blocks up to this size are of a class: nearly all that JSON and keys are made of.
const LARGEST: usize = 512;

const CLASSES: usize = LARGEST / STEP;

/// What is taken from the system at once, to be cut into blocks.
const CHUNK: usize = 16 << 10;

/// The allocator. It is for programs of one thread, as components are.
pub struct Classes(UnsafeCell<Lists>);

struct Lists {
    free: [*mut Free; CLASSES],
    /// What is left of the last chunk.
    rest: *mut u8,
    left: usize,
}

/// A free block: it holds the way to the next one.
struct Free {
    next: *mut Free,
}

// SAFETY: a component has one thread.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for Classes {}

impl Classes {
    /// An allocator that has nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        let free = [null_mut(); CLASSES];
        Self(UnsafeCell::new(Lists { free, rest: null_mut(), left: 0 }))
    }
}

/// The class of a block, unless the system gives it.
fn class(size: usize, align: usize) -> Option<usize> {
    (size <= LARGEST && align <= STEP).then(|| size.saturating_sub(1) / STEP)
}

impl Lists {
    /// A block of a class.
    #[inline]
    fn take(&mut self, class: usize) -> *mut u8 {
        let first = self.free[class];
        if first.is_null() {
            return self.cut((class + 1) * STEP);
        }
        // SAFETY: a list holds blocks that nobody uses, each with a `Free` in it.
        self.free[class] = unsafe { (*first).next };
        first.cast()
    }

    /// A fresh block; null when the system has nothing left. What remains of the chunk before is
    /// less than the largest block, and is lost.
    #[cold]
    fn cut(&mut self, size: usize) -> *mut u8 {
        if self.left < size {
            let Ok(layout) = Layout::from_size_align(CHUNK, STEP) else { return null_mut() };
            // SAFETY: the layout has a size.
            let chunk = unsafe { System.alloc(layout) };
            if chunk.is_null() {
                return chunk;
            }
            (self.rest, self.left) = (chunk, CHUNK);
        }
        let block = self.rest;
        // SAFETY: so many bytes are left of the chunk.
        self.rest = unsafe { block.add(size) };
        self.left -= size;
        block
    }

    /// Takes a block of a class back.
    #[inline]
    #[allow(clippy::cast_ptr_alignment, reason = "every block is aligned to a step")]
    fn give_back(&mut self, block: *mut u8, class: usize) {
        let block = block.cast::<Free>();
        // SAFETY: the block is as large as a step, and nobody uses it any more.
        unsafe { block.write(Free { next: self.free[class] }) };
        self.free[class] = block;
    }
}

// Not inlined: there are thousands of places that allocate, and a host maps all of their code.
//
// SAFETY: a block of a class is handed out to one owner at a time, is as large as its class and
// aligned to a step; everything else is the system's. One thread alone is in here, and no call of
// these comes out of another.
unsafe impl GlobalAlloc for Classes {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match class(layout.size(), layout.align()) {
            // SAFETY: nobody else has the lists now.
            Some(class) => unsafe { &mut *self.0.get() }.take(class),
            // SAFETY: the caller's promise.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match class(layout.size(), layout.align()) {
            // SAFETY: nobody else has the lists now.
            Some(class) => unsafe { &mut *self.0.get() }.give_back(block, class),
            // SAFETY: it came from there.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (from, to) = (class(layout.size(), layout.align()), class(size, layout.align()));
        match (from, to) {
            (Some(from), Some(to)) if from == to => block,
            // SAFETY: it came from there, and what the caller promises of the sizes.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            _ => {
                // SAFETY: the caller promises that the size is one, with this alignment.
                let other = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
                // SAFETY: it has a size.
                let moved = unsafe { self.alloc(other) };
                if !moved.is_null() {
                    let kept = layout.size().min(size);
                    // SAFETY: both are so large, and two blocks never overlap.
                    unsafe { block.copy_to_nonoverlapping(moved, kept) };
                    // SAFETY: the caller gives it up.
                    unsafe { self.dealloc(block, layout) };
                }
                moved
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Block {
        at: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Block {
        fn is_whole(&self, size: usize) -> bool {
            // SAFETY: the block has at least so many bytes.
            (0..size).all(|place| unsafe { self.at.add(place).read() } == self.mark)
        }

        fn fill(&mut self) {
            // SAFETY: it is ours.
            unsafe { self.at.write_bytes(self.mark, self.layout.size()) };
        }
    }

    /// Takes, moves and gives back blocks by chance: none ever holds another's bytes.
    #[test]
    fn blocks_never_overlap() {
        let allocator = Classes::new();
        let (mut blocks, mut chance) = (Vec::<Block>::new(), 1_u64);
        for round in 0..20_000_u64 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round);
            let number = usize::try_from(chance >> 33).unwrap_or(0);
            let size = 1 + number % if number.is_multiple_of(7) { 4096 } else { 300 };
            let layout =
                Layout::from_size_align(size, 1 << (number % 6)).unwrap_or(Layout::new::<u8>());
            let mark = u8::try_from(round % 251).unwrap_or(0);
            if blocks.len() < 200 {
                // SAFETY: the layout has a size.
                let at = unsafe { allocator.alloc(layout) };
                assert!(!at.is_null() && at.addr().is_multiple_of(layout.align()));
                blocks.push(Block { at, layout, mark });
            } else {
                let mut block = blocks.swap_remove(number % 200);
                assert!(block.is_whole(block.layout.size()), "round {round}");
                if number.is_multiple_of(3) {
                    // SAFETY: it is of this allocator.
                    unsafe { allocator.dealloc(block.at, block.layout) };
                    continue;
                }
                // SAFETY: it is of this allocator, and the size is one.
                block.at = unsafe { allocator.realloc(block.at, block.layout, size) };
                assert!(block.is_whole(block.layout.size().min(size)), "round {round}");
                let align = block.layout.align();
                block.layout = Layout::from_size_align(size, align).unwrap_or(layout);
                block.mark = mark;
                blocks.push(block);
            }
            if let Some(last) = blocks.last_mut() {
                last.fill();
            }
        }
        for block in blocks {
            assert!(block.is_whole(block.layout.size()));
            // SAFETY: it is of this allocator.
            unsafe { allocator.dealloc(block.at, block.layout) };
        }
    }

    #[test]
    fn what_was_given_back_is_given_out_again() {
        let allocator = Classes::new();
        let (small, same_class) = (Layout::new::<[u8; 33]>(), Layout::new::<[u8; 48]>());
        // SAFETY: both layouts have a size, and each block is given back with its own class.
        unsafe {
            let first = allocator.alloc(small);
            assert_eq!(allocator.realloc(first, small, 40), first);
            allocator.dealloc(first, small);
            assert_eq!(allocator.alloc(same_class), first);
        }
    }
}
