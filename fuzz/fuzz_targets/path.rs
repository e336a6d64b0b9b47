//! Object keys and signatures.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { aquatint_fuzz::request::path(bytes) });
