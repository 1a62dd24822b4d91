//! How much memory a search may take where nobody says: so that the system does not end it.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Nine tenths of the memory that is free, in bytes: of the machine, or of the container that it runs in if that
/// is less. `None` where the system does not say.
pub(super) fn free_memory() -> Option<usize> {
    let memory = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory));
    if system.total_memory() == 0 {
        return None;
    }
    // What the container keeps of files is given up where it is needed, and counts as free.
    let container = system.cgroup_limits().map(|limits| (limits.total_memory, limits.rss));
    Some(most(system.available_memory(), container))
}

/// Of what is available on the machine, and of what the container may have and has.
fn most(machine: u64, container: Option<(u64, u64)>) -> usize {
    let left = container.map_or(machine, |(total, taken)| total.saturating_sub(taken));
    usize::try_from(machine.min(left) / 10 * 9).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_is_left_in_the_smaller_of_the_two() {
        assert_eq!(most(1000, None), 900);
        assert_eq!(most(1000, Some((400, 300))), 90);
        assert_eq!(most(100, Some((1000, 0))), 90);
        assert_eq!(most(1000, Some((300, 400))), 0);
    }

    #[test]
    fn this_machine_says() {
        let free = free_memory();
        assert!(free.is_none_or(|free| free > 1 << 20), "{free:?}");
    }
}
