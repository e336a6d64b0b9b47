//! What a result is worth: its scores beside both references, and its bytes.

use std::{collections::HashMap, path::Path};

use crate::{
    Result,
    decoder::{Decoder, Pixels},
    judge,
    light::{Light, Space},
};

/// Frames of an animation that are looked at: evenly spread, the first and the last included.
const FRAMES: usize = 4;

/// Both references, in the order of the columns.
pub const SPACES: [Space; 2] = [Space::Linear, Space::Coded];

/// Of one result.
#[derive(Clone, Copy, Debug)]
pub struct Scores {
    /// SSIMULACRA2 beside the reference of each of [`SPACES`].
    pub ssimulacra2: [f64; 2],
    /// Butteraugli's 3-norm, likewise; 0 where it was not asked for.
    pub butteraugli: [f64; 2],
    /// Encoded.
    pub bytes: usize,
}

impl Scores {
    /// Beside the reference that it comes nearer to: who resizes light is not judged by numbers,
    /// nor who resizes numbers by light.
    #[must_use]
    pub fn look(&self) -> f64 {
        self.ssimulacra2[0].max(self.ssimulacra2[1])
    }
}

/// A source, and what it should look like at each size that somebody has made of it.
#[derive(Debug)]
pub struct Judge {
    source: Pixels,
    references: HashMap<(usize, usize, usize), [Light; 2]>,
    /// What was found while a quality was looked for, by engine and quality.
    pub(crate) known: HashMap<(String, u8), Scores>,
}

impl Judge {
    /// Decodes the source.
    ///
    /// # Errors
    /// It cannot be decoded.
    pub fn of(decoder: &mut Decoder, source: &Path) -> Result<Self> {
        Ok(Self {
            source: decoder.file(source)?,
            references: HashMap::new(),
            known: HashMap::new(),
        })
    }

    /// Scores an encoded result.
    ///
    /// # Errors
    /// It cannot be decoded.
    pub fn scores(
        &mut self,
        decoder: &mut Decoder,
        path: &Path,
        butteraugli: bool,
    ) -> Result<Scores> {
        let result = decoder.file(path)?;
        let frames = result.frames().len();
        let looked_at: Vec<usize> = if frames == 1 {
            vec![0]
        } else {
            (0..FRAMES)
                .map(|at| at * (frames - 1) / (FRAMES - 1))
                .collect()
        };
        let mut scores = Scores {
            ssimulacra2: [0.0; 2],
            butteraugli: [0.0; 2],
            bytes: usize::try_from(std::fs::metadata(path)?.len())?,
        };
        let share = 1.0 / looked_at.len() as f64;
        for frame in looked_at {
            let pixels = result.frames().nth(frame).ok_or("too few frames")?;
            let picture = Light::of(pixels, result.width);
            let references = self.references(frame, (result.width, result.height))?;
            for (space, reference) in references.iter().enumerate() {
                scores.ssimulacra2[space] += share * judge::ssimulacra2(reference, &picture)?;
                if butteraugli {
                    scores.butteraugli[space] += share * judge::butteraugli(reference, &picture)?;
                }
            }
        }
        Ok(scores)
    }

    fn references(&mut self, frame: usize, size: (usize, usize)) -> Result<&[Light; 2]> {
        let pixels = self.source.frames().nth(frame);
        let pixels = pixels.ok_or("a result has more frames than its source")?;
        let width = self.source.width;
        Ok(self
            .references
            .entry((frame, size.0, size.1))
            .or_insert_with(|| SPACES.map(|space| Light::reference(pixels, width, size, space))))
    }
}
