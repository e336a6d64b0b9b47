//! Writing every format, and reading it again.
#![no_main]

use aquatint_fuzz::watch::within;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { within(|| aquatint_fuzz::written::encode(bytes)) });
