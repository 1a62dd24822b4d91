//! How much memory a search may take where nobody says: so that the system does not end it.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Nine tenths of the memory that is free, in bytes: of the machine, or of the container that it runs in if that
/// is less. `None` where the system does not say.
pub(super) fn free_memory() -> Option<usize> {
    let memory = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory));
    let container = system.cgroup_limits().map(|limits| limits.free_memory);
    most(system.available_memory(), container)
}

fn most(machine: u64, container: Option<u64>) -> Option<usize> {
    let free = container.into_iter().chain([machine]).filter(|free| *free > 0).min()?;
    usize::try_from(free / 10 * 9).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_is_left_in_the_smaller_of_the_two() {
        assert_eq!(most(1000, None), Some(900));
        assert_eq!(most(1000, Some(100)), Some(90));
        assert_eq!(most(100, Some(1000)), Some(90));
        assert_eq!(most(0, None), None, "it is not known");
    }

    #[test]
    fn this_machine_says() {
        let free = free_memory();
        assert!(free.is_none_or(|free| free > 1 << 20), "{free:?}");
    }
}
