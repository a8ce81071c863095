//! What x86-64 and i386 write alike.

use super::emit::Piece;

/// A word of the frame: `[rbp - 8]`; with an index and its scale `[rbp + rcx*8 - 80]`.
pub struct InFrame<'a> {
    /// The frame pointer.
    pub pointer: &'static str,
    /// A register and its scale.
    pub index: Option<(&'a str, &'static str)>,
    /// Bytes from the frame pointer.
    pub at: i32,
}

impl Piece for InFrame<'_> {
    fn put(&self, into: &mut String) {
        into.push('[');
        into.push_str(self.pointer);
        if let Some((register, scale)) = self.index {
            into.push_str(" + ");
            into.push_str(register);
            into.push_str(scale);
        }
        into.push_str(if self.at < 0 { " - " } else { " + " });
        self.at.unsigned_abs().put(into);
        into.push(']');
    }
}
