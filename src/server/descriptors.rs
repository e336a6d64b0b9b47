//! As many file descriptors as the settings promise connections. The usual soft limit of 1024 dates
//! from `select`; a process that needs more is meant to ask.

/// Beside the connections: fetches, files that jobs read as they decode, the runtime's own.
const BESIDE: u64 = 1024;

/// Raises the process's soft limit as far as is needed and allowed, and says so where that is not
/// enough: connections past it wait in the kernel's queue, and see nobody.
#[cfg(unix)]
pub(super) fn make_room(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(BESIDE);
    // `None` is "unlimited".
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let reachable = limit.maximum.map_or(wanted, |most| most.min(wanted));
    let raised = Rlimit {
        current: Some(reachable),
        maximum: limit.maximum,
    };
    if setrlimit(Resource::Nofile, raised).is_err() || reachable < wanted {
        tracing::warn!(
            wanted,
            reachable,
            "the limit on open files (`ulimit -n`) is too low for `max_connections`"
        );
    }
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub(super) fn make_room(_: usize) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn the_soft_limit_rises_to_what_is_needed() {
        let before = getrlimit(Resource::Nofile);
        let (Some(current), most) = (before.current, before.maximum) else {
            return;
        };
        if most.is_some_and(|most| most <= current) {
            return;
        }
        let connections = usize::try_from((current + 1).saturating_sub(BESIDE)).expect("a size");
        make_room(connections);
        let after = getrlimit(Resource::Nofile).current.expect("a limit");
        assert!(after > current, "{after} after {current}");
    }
}
