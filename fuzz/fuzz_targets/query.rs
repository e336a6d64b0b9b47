//! The grammar of the query.
#![no_main]

use aquatint_fuzz::watch::within;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(
    init: aquatint_fuzz::request::dictionary_if_asked(),
    |bytes: &[u8]| -> Corpus { within(|| aquatint_fuzz::request::query(bytes)) }
);
