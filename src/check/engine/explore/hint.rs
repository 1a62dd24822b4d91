//! Hints to the processor and the system about the table of states. The only unsafe code of the
//! crate: both are hints, and whether they are followed changes no value that a program can read.

#![allow(unsafe_code)]

/// Has the processor fetch what will be read soon, so that many waits for memory are one.
#[inline(always)]
pub(super) fn prefetch<T>(place: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch reads nothing that the program sees, and faults at no address; every
    // x86-64 processor has it (Intel SDM, PREFETCHh).
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = place;
}

/// Asks for large pages behind a vector's memory, used and spare: a table that is read at random
/// misses the processor's cache of page addresses at almost every read otherwise.
pub(super) fn use_large_pages<T>(memory: &Vec<T>) {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        const PAGE: usize = 4096;
        const MADV_HUGEPAGE: std::ffi::c_int = 14;
        unsafe extern "C" {
            fn madvise(
                address: *mut std::ffi::c_void,
                length: usize,
                advice: std::ffi::c_int,
            ) -> std::ffi::c_int;
        }
        let start = memory.as_ptr().addr().next_multiple_of(PAGE);
        let end = memory.as_ptr().addr() + memory.capacity() * size_of::<T>();
        if end > start + PAGE {
            let pages = memory.as_ptr().with_addr(start).cast_mut().cast();
            // SAFETY: the range lies within one allocation of this vector, and this advice
            // changes no content (madvise(2)); where it fails, nothing has happened.
            unsafe { madvise(pages, (end - start) / PAGE * PAGE, MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = memory;
}
