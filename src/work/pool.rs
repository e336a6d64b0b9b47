//! The threads that pixels go through: as many as cores, behind a bounded queue.
