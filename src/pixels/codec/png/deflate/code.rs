//! Codes that are shorter for what comes more often.

/// Codes of up to 286 numbers.
pub(super) struct Code {
    lengths: Vec<u8>,
    /// Each code, the first bit lowest, and from the sixteenth on how many bits it has.
    codes: [u32; super::NUMBERS],
}

impl Code {
    /// For numbers that come so often; two at least do. No code is longer than `longest` bits, and
    /// there are fewer numbers than such codes.
    pub(super) fn new(counts: &[u32], longest: usize) -> Self {
        let mut counts = counts.to_vec();
        let mut lengths = lengths(&counts);
        while lengths.iter().any(|length| usize::from(*length) > longest) {
            // The rare ones come nearer to the others, until all are alike.
            for count in counts.iter_mut().filter(|count| **count > 0) {
                *count = *count / 4 + 1;
            }
            lengths = self::lengths(&counts);
        }
        let codes = codes(&lengths);
        Self { lengths, codes }
    }

    /// Bits of each number's code; 0 is none.
    pub(super) fn lengths(&self) -> &[u8] {
        &self.lengths
    }

    /// A number's code, and how many bits it has.
    #[inline(always)]
    pub(super) fn of(&self, number: usize) -> (u64, u32) {
        let code = self.codes.get(number).copied().unwrap_or(0);
        (u64::from(code & 0xFFFF), code >> 16)
    }
}

/// How deep in a tree each number stands where those that come least are joined first.
fn lengths(counts: &[u32]) -> Vec<u8> {
    let mut leaves: Vec<usize> = (0..counts.len()).filter(|leaf| counts[*leaf] > 0).collect();
    leaves.sort_unstable_by_key(|leaf| counts[*leaf]);
    // Leaves come first, then what they are joined to, both by how often they come.
    let mut weights: Vec<u64> = leaves.iter().map(|leaf| counts[*leaf].into()).collect();
    let mut above = vec![0; 2 * leaves.len()];
    let (mut leaf, mut joined) = (0, leaves.len());
    while weights.len() + 1 < 2 * leaves.len() {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf = leaf < leaves.len()
                && weights
                    .get(joined)
                    .is_none_or(|joined| weights[leaf] <= *joined);
            let next = if is_leaf { &mut leaf } else { &mut joined };
            above[*next] = weights.len();
            weight += weights[*next];
            *next += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0; weights.len()];
    for node in (0..weights.len().saturating_sub(1)).rev() {
        depths[node] = depths[above[node]] + 1;
    }
    let mut lengths = vec![0; counts.len()];
    for (leaf, depth) in leaves.iter().zip(depths) {
        lengths[*leaf] = depth;
    }
    lengths
}

/// The codes of these lengths: of each length in the order of their numbers.
fn codes(lengths: &[u8]) -> [u32; super::NUMBERS] {
    let mut codes = [0; super::NUMBERS];
    let mut next = 0u16;
    for length in 1..=super::LONGEST {
        let of = lengths
            .iter()
            .enumerate()
            .filter(|(_, other)| usize::from(**other) == length);
        for (number, length) in of {
            let code = next.reverse_bits() >> (16 - length);
            codes[number] = u32::from(*length) << 16 | u32::from(code);
            next += 1;
        }
        next <<= 1;
    }
    codes
}
