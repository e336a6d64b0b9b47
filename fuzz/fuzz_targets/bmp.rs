//! Reading BMP.
#![no_main]

use aquatint::pixels::format::InputFormat;
use aquatint_fuzz::watch::within;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    within(|| aquatint_fuzz::picture::read(bytes, InputFormat::Bmp))
});
