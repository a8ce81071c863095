//! Memory for a stack with bytes around it that must not change.

use costack::stack::StackMemory;

/// Bytes of a canary.
pub const CANARY: usize = 64;
pub const CANARY_BYTE: u8 = 0xc3;

/// A stack with canaries above its top and below its bottom.
pub struct Canaried {
    memory: Box<[u128]>,
    bytes: usize,
}

impl Canaried {
    /// `bytes` of a stack, a multiple of 16.
    pub fn new(bytes: usize) -> Self {
        let canary = u128::from_ne_bytes([CANARY_BYTE; 16]);
        Canaried {
            memory: vec![canary; (bytes + 2 * CANARY) / 16].into_boxed_slice(),
            bytes,
        }
    }
}

/// Whether both canaries of the stack with this top are as they were. It is alive, of this size.
pub fn canaries_live(top: usize, bytes: usize) -> bool {
    [top, top - bytes - CANARY].into_iter().all(|start| {
        // SAFETY: the memory of a stack has that many bytes on either side.
        let canary = unsafe {
            std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(start), CANARY)
        };
        canary.iter().all(|byte| *byte == CANARY_BYTE)
    })
}

// SAFETY: the memory is boxed, so it stays where it is, and belongs to this value.
unsafe impl StackMemory for Canaried {
    fn bottom(&self) -> usize {
        self.memory.as_ptr().expose_provenance() + CANARY
    }

    fn top(&self) -> usize {
        self.bottom() + self.bytes
    }
}
