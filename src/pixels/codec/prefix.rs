//! Lengths of codes, none of which begins another: shorter for what comes more often.

/// Bits of each number's code; 0 for those that never come. Two at least come, there are fewer of
/// them than codes of `longest` bits, and no code is longer than that.
pub(super) fn lengths(counts: &[u32], longest: usize) -> Vec<u8> {
    let mut counts = counts.to_vec();
    let mut lengths = depths(&counts);
    while lengths.iter().any(|length| usize::from(*length) > longest) {
        // The rare ones come nearer to the others, until all are alike.
        for count in counts.iter_mut().filter(|count| **count > 0) {
            *count = *count / 4 + 1;
        }
        lengths = depths(&counts);
    }
    lengths
}

/// How deep in a tree each number stands where those that come least are joined first.
fn depths(counts: &[u32]) -> Vec<u8> {
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
