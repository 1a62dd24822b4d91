//! Tables by number that grow as they are used.

/// What is not in a table yet.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// What a table has for a number, if anything.
#[inline]
pub(super) fn known(table: &[u32], number: u32) -> Option<u32> {
    table.get(number as usize).copied().filter(|known| *known != UNKNOWN)
}

/// The place of a number in a table; what was not filled yet is [`UNKNOWN`].
pub(super) fn slot(table: &mut Vec<u32>, number: u32) -> &mut u32 {
    let number = number as usize;
    if table.len() <= number {
        table.resize(number + 1, UNKNOWN);
    }
    &mut table[number]
}
