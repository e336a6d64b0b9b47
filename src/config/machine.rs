//! What the machine, or the container, gives the process: memory and cores.

use std::{fs, path::Path};

/// What there is to share out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Bytes of memory.
    pub memory: u64,
    /// Whether `memory` is a container's limit, at which the kernel kills.
    pub limited: bool,
    /// Cores that the process may use.
    pub cores: usize,
}

/// Taken where the machine does not say: small, so that nothing is promised that is not there.
const UNKNOWN_MEMORY: u64 = 1 << 30;

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        // Counts control groups' CPU limits too.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::read(Path::new("/"), cores)
    }

    /// The machine whose `/proc` and `/sys` are below `root`.
    fn read(root: &Path, cores: usize) -> Self {
        let physical = physical_memory(root).unwrap_or(UNKNOWN_MEMORY);
        // Version 1 writes a number near 2⁶³ for "no limit".
        match group_limit(root).filter(|limit| *limit < physical) {
            Some(memory) => Self {
                memory,
                limited: true,
                cores,
            },
            None => Self {
                memory: physical,
                limited: false,
                cores,
            },
        }
    }
}

fn physical_memory(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The least limit of the process's control group and of those above it.
fn group_limit(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let path_of = |matches: fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let controllers = parts.next()?;
            matches(controllers).then(|| parts.next())?
        })
    };
    let version_2 = path_of(str::is_empty).unwrap_or("/");
    let version_1 = path_of(|all| all.split(',').any(|one| one == "memory")).unwrap_or("/");
    let mounts = root.join("sys/fs/cgroup");
    let two = least_limit(&mounts, version_2, "memory.max");
    let one = least_limit(&mounts.join("memory"), version_1, "memory.limit_in_bytes");
    two.into_iter().chain(one).min()
}

fn least_limit(mount: &Path, group: &str, file: &str) -> Option<u64> {
    // In a container, the path is often the host's and not there; then only the top remains.
    let mut folder = mount.join(group.trim_start_matches('/'));
    let mut least = None;
    while folder.starts_with(mount) {
        if let Some(limit) = number_in(&folder.join(file)) {
            least = Some(least.map_or(limit, |least: u64| least.min(limit)));
        }
        if !folder.pop() {
            break;
        }
    }
    least
}

/// A file's number; "max" is none.
fn number_in(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:        1048576 kB\nMemFree:          100 kB\n";
    const GIB: u64 = 1 << 30;

    #[track_caller]
    fn check(files: &[(&str, &str)], memory: u64, limited: bool) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let expected = Machine {
            memory,
            limited,
            cores: 3,
        };
        assert_eq!(Machine::read(root.path(), 3), expected);
    }

    #[test]
    fn a_machine_without_limits_has_its_own_memory() {
        check(&[("proc/meminfo", MEMINFO)], GIB, false);
        check(&[], UNKNOWN_MEMORY, false);
        check(
            &[
                ("proc/meminfo", MEMINFO),
                ("sys/fs/cgroup/memory.max", "max\n"),
            ],
            GIB,
            false,
        );
        check(
            &[
                ("proc/meminfo", MEMINFO),
                (
                    "sys/fs/cgroup/memory/memory.limit_in_bytes",
                    "9223372036854771712\n",
                ),
            ],
            GIB,
            false,
        );
    }

    #[test]
    fn a_container_has_its_limit() {
        check(
            &[
                ("proc/meminfo", MEMINFO),
                ("proc/self/cgroup", "0::/\n"),
                ("sys/fs/cgroup/memory.max", "268435456\n"),
            ],
            256 << 20,
            true,
        );
        check(
            &[
                ("proc/meminfo", MEMINFO),
                ("proc/self/cgroup", "3:cpu,memory:/docker/abc\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n"),
            ],
            256 << 20,
            true,
        );
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        check(
            &[
                ("proc/meminfo", MEMINFO),
                ("proc/self/cgroup", "0::/system.slice/aquatint.service\n"),
                ("sys/fs/cgroup/system.slice/memory.max", "134217728\n"),
                (
                    "sys/fs/cgroup/system.slice/aquatint.service/memory.max",
                    "268435456\n",
                ),
            ],
            128 << 20,
            true,
        );
    }
}
