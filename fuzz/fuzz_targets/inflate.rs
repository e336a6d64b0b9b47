//! Inflating the data of PNGs, beside fdeflate.
#![no_main]

use aquatint::pixels::codec::compare_inflated;
use aquatint_fuzz::watch::within;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| within(|| compare_inflated(bytes)));
