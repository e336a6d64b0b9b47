//! Looks for the tools that the C and assembler code in our dependencies is built with.
//!
//! `mozjpeg-sys` builds without `nasm` and says nothing: the binary works, at half the speed. A
//! slow build shall be chosen, never happen. Dependencies' build scripts run before or beside this
//! one, so where one of them has failed over the same tool, its message may come first.

use std::{env, path::PathBuf, process::exit};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    let x86_64 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    let avif = env::var_os("CARGO_FEATURE_AVIF_ENCODE").is_some();
    let simd = env::var_os("CARGO_FEATURE_SIMD").is_some();
    let tools = [
        ("nasm", x86_64 && (simd || avif)),
        ("cmake", avif),
        ("perl", avif),
    ];
    let missing: Vec<&str> = tools
        .into_iter()
        .filter(|(tool, needed)| *needed && !is_there(tool))
        .map(|(tool, _)| tool)
        .collect();
    if missing.is_empty() {
        return;
    }
    let missing = missing.join(" ");
    println!(
        "cargo::error=cannot find {missing}, which the image codecs are built with \
         (errors of mozjpeg-sys, re_rav1d or libaom-sys above have the same cause)"
    );
    println!(
        "cargo::error=install it, on Debian and Ubuntu: apt-get install {missing}; or build \
         without AVIF output and at about half the speed: cargo build --release \
         --no-default-features"
    );
    exit(1);
}

/// Whether a program of this name is on the path.
fn is_there(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder: PathBuf| folder.join(tool).with_extension(env::consts::EXE_EXTENSION))
        .any(|program| program.is_file())
}
