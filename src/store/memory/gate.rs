//! What stands before each step of an operation.

/// What a step of an operation does to its collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// It reads at most.
    Read,
    /// It may write.
    Write,
}

/// What stands before each step of an operation: the only thing that an engine on threads
/// replaces. It is passed without any lock of the store held.
pub trait Gate: Send + Sync {
    /// Returns when the step may go on.
    fn pass(&self, collection: &str, access: Access);
}

/// The gate that lets everything pass at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open;

impl Gate for Open {
    fn pass(&self, _collection: &str, _access: Access) {}
}

impl<G: Gate + ?Sized> Gate for std::sync::Arc<G> {
    fn pass(&self, collection: &str, access: Access) {
        (**self).pass(collection, access);
    }
}
