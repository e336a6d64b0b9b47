//! The whole way: a query and a source to an encoded picture.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { aquatint_fuzz::picture::render(bytes) });
