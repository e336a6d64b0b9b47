//! The same code, made twice: for any processor, and for those of the last ten years.
#![expect(
    unsafe_code,
    reason = "instructions that not every processor has are asked for first"
)]

/// Something to be done fast. All that it calls should be inlined, to be made twice with it.
pub(crate) trait Work {
    type Done;

    fn run(self) -> Self::Done;
}

/// Runs the code that is made for this processor.
pub(crate) fn fastest<W: Work>(work: W) -> W::Done {
    #[cfg(target_arch = "x86_64")]
    if has_modern_instructions() {
        // SAFETY: the processor has just said that it knows all the instructions of it.
        return unsafe { modern(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
fn has_modern_instructions() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("popcnt")
}

/// Shifts by any number, counts of bits, and eight numbers side by side, in one instruction each.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn modern<W: Work>(work: W) -> W::Done {
    work.run()
}
