//! File descriptors: a connection needs one, and so do the store and the audit trail, which must never find none left.
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What everything but connections may need: store, trail, sockets, standard streams.
const RESERVED: u64 = 256;

/// Raises the soft limit as far as it goes, and says how many of the wanted connections fit.
pub fn connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = (wanted as u64).saturating_add(RESERVED);
    let mut granted = current.unwrap_or(u64::MAX);
    if granted < needed {
        let asked = maximum.map_or(needed, |most| most.min(needed));
        match setrlimit(Resource::Nofile, Rlimit { current: Some(asked), maximum }) {
            Ok(()) => granted = asked,
            Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
        }
    }
    let fit = fitting(wanted, granted);
    if fit < wanted {
        tracing::warn!(wanted, fit, open_files = granted, "fewer connections than `max_connections` fit into the limit of open files");
    }
    fit
}

/// At least a few connections, even where that leaves little for the rest.
fn fitting(wanted: usize, granted: u64) -> usize {
    let room = granted.saturating_sub(RESERVED).max(granted / 4).max(1);
    usize::try_from(room).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(fitting(4096, u64::MAX), 4096);
        assert_eq!(fitting(4096, 4352), 4096);
        assert_eq!(fitting(4096, 1024), 768);
        assert_eq!(fitting(4096, 256), 64);
        assert_eq!(fitting(1, 1024), 1);
    }
}
