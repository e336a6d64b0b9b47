//! Variants in memory: sharded, bounded in bytes, resistant to scans.
