//! The scaled JPEG decoder beside libjpeg.
#![no_main]

use aquatint_fuzz::watch::within;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { within(|| aquatint_fuzz::picture::scaled_jpeg(bytes)) });
