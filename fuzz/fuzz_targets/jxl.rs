//! Reading JPEG XL.
#![no_main]

use aquatint::pixels::format::InputFormat;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { aquatint_fuzz::picture::read(bytes, InputFormat::Jxl) });
