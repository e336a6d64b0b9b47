//! A piece of a block, symbol after symbol.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "an instruction that not every processor has is asked for first"
    )
)]

use super::{
    Damaged,
    codes::Codes,
    input::{Bits, Input},
    output::Output,
    symbols::{Cursor, LITERALS, TURN, Turn},
};

/// Bytes of input after which it is asked whether several lanes would be better.
const PIECE: usize = if cfg!(any(test, fuzzing)) {
    64
} else {
    8 << 10
};

/// What one lane has come to.
pub(super) struct Piece {
    pub(super) bits: Bits,
    /// Whether it is past the end of the block.
    pub(super) ended: bool,
}

#[inline(always)]
fn decode_any(
    codes: &Codes,
    bits: Bits,
    input: &Input,
    output: &mut Output<'_>,
) -> Result<Piece, Damaged> {
    let (near_end, mut cursor) = (
        input.end().saturating_sub(TURN),
        Cursor::new(bits, codes, input),
    );
    let pause = bits.at + PIECE;
    // Of its own, so that the compiler knows that nobody else looks at it.
    let mut target = Output::new(&mut *output.bytes, output.at, output.stop);
    let mut result = Ok(false);
    while target.at < target.stop && cursor.bits.at <= pause {
        let turn = if cursor.bits.at <= near_end {
            cursor.turn::<LITERALS>(codes, input, &mut target)
        } else if input.has_more() || cursor.bits.is_beyond(input) {
            break;
        } else {
            // No bit is used for what is not wanted: it may not be there.
            cursor.turn::<1>(codes, input, &mut target)
        };
        match turn {
            Turn::More => {}
            Turn::End => {
                cursor.bits = cursor.past_end(codes);
                result = Ok(true);
                break;
            }
            // What is behind all that is wanted, or behind the end, is nobody's fault.
            Turn::Damaged(_) if target.at >= target.stop || cursor.bits.is_beyond(input) => break,
            Turn::Damaged(damaged) => {
                result = Err(damaged);
                break;
            }
        }
    }
    (output.at, output.copied) = (target.at, target.copied);
    let bits = cursor.bits;
    result.map(|ended| Piece { bits, ended })
}

/// Decodes a piece of a block, or what there is room for.
pub(super) fn decode(
    codes: &Codes,
    bits: Bits,
    input: &Input,
    output: &mut Output<'_>,
) -> Result<Piece, Damaged> {
    #[cfg(target_arch = "x86_64")]
    if shifts() {
        // SAFETY: the processor has just said that it knows the instructions.
        return unsafe { decode_shifting(codes, bits, input, output) };
    }
    decode_any(codes, bits, input, output)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi1,bmi2")]
fn decode_shifting(
    codes: &Codes,
    bits: Bits,
    input: &Input,
    output: &mut Output<'_>,
) -> Result<Piece, Damaged> {
    decode_any(codes, bits, input, output)
}

/// Whether the processor shifts by any number in one instruction.
#[cfg(target_arch = "x86_64")]
pub(super) fn shifts() -> bool {
    std::is_x86_feature_detected!("bmi1") && std::is_x86_feature_detected!("bmi2")
}
