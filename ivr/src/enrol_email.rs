//! (being written)

/// The use case. Clones share everything.
#[derive(Debug, Clone)]
pub struct EnrolEmail {}
