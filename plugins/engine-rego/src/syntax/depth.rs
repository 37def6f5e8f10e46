//! Room for recursion. The parser bounds how deep trees are, yet their depth times the frames of whoever goes through
//! them may exceed the small stacks of worker threads.

/// Runs a step of a recursion, on a new piece of stack when the old one nears its end.
pub(crate) fn deeper<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(256 << 10, 2 << 20, step)
}
