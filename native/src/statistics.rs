/// What has been counted of one coroutine, or of one stack.
///
/// Counting is asked for with [`SharedStack::count`](crate::SharedStack::count) or
/// [`Builder::count`](crate::Builder::count), and costs nothing otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How often it was resumed.
    pub resumes: u64,
    /// How often an image was copied out to a save stack.
    pub saves: u64,
    /// How often one was copied back, that of a coroutine that has not run yet included.
    pub restores: u64,
    /// Bytes copied out, all told.
    pub saved_bytes: u64,
    /// Bytes copied back, all told.
    pub restored_bytes: u64,
    /// The largest image that was saved, in bytes. Of a coroutine on its own stack, where nothing
    /// is saved: the most that was in use when it yielded.
    pub largest_image: u64,
}

impl Statistics {
    pub(crate) fn saved(&mut self, bytes: u32) {
        self.saves += 1;
        self.saved_bytes += u64::from(bytes);
        self.largest_image = self.largest_image.max(bytes.into());
    }

    pub(crate) fn restored(&mut self, bytes: u32) {
        self.restores += 1;
        self.restored_bytes += u64::from(bytes);
    }
}
