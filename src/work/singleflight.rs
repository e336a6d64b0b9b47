//! One job for everybody who wants the same: the first to ask starts it, nobody owns it.
