//! Engines beside each other: the quality at which their results look alike, and what each then
//! costs, measured in turn.

use std::path::{Path, PathBuf};

use crate::{
    Result,
    decoder::Decoder,
    engine::{Cost, Engine, Kind, Request},
    pictures::Folders,
    process::peak_bytes,
    score::{Judge, Scores},
};

/// What rivals are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same mean SSIMULACRA2 as ours.
    Look,
    /// As many bytes as ours.
    Bytes,
    /// Both, as nearly as may be: as many points off in look as it is hundredths off in bytes, by
    /// threes.
    Both,
    /// Nothing: the quality that was asked for.
    Nothing,
}

/// Bytes that count as much as a point of SSIMULACRA2, as a share.
const BYTES_OF_A_POINT: f64 = 0.03;

impl Match {
    fn value(self, scores: &Scores) -> f64 {
        match self {
            Self::Bytes => scores.bytes as f64,
            Self::Look | Self::Nothing => scores.look(),
            // Of two that grow with quality, whose differences shall be opposite.
            Self::Both => scores.look() + (scores.bytes as f64).ln() / BYTES_OF_A_POINT,
        }
    }
}

/// Milliseconds that an engine keeps its turn for, so that small pictures are not all overhead.
const TURN: f64 = 200.0;

/// Most pictures of one turn.
const MOST: usize = 20;

/// How one engine did.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Who.
    pub kind: Kind,
    /// The quality it was asked for; `None`: there is none to ask for.
    pub quality: Option<u8>,
    /// What came out.
    pub scores: Scores,
    /// What each round cost.
    pub costs: Vec<Cost>,
    /// Peak bytes of a fresh process that makes one picture, and of one that makes four at once;
    /// 0 where they were not asked for.
    pub peaks: [u64; 2],
}

/// A running engine and what it is asked.
struct Runner {
    kind: Kind,
    engine: Box<dyn Engine>,
    request: Request,
}

/// One question to several engines.
pub struct Contest<'a> {
    /// Where things are.
    pub folders: &'a Folders,
    /// Decodes what comes out.
    pub decoder: &'a mut Decoder,
    /// What rivals are held to.
    pub matched: Match,
    /// Turns of each engine.
    pub rounds: usize,
    /// Whether Butteraugli and peak memory are asked for, which take their time.
    pub thorough: bool,
}

impl Contest<'_> {
    /// Runs it; the first engine is the one that the others are held to. Each engine's own
    /// quality comes with it.
    ///
    /// # Errors
    /// An engine fails.
    pub fn run(
        &mut self,
        judge: &mut Judge,
        request: &Request,
        kinds: &[(Kind, Option<u8>)],
    ) -> Result<Vec<Standing>> {
        let mut runners = Vec::new();
        let mut standings: Vec<Standing> = Vec::new();
        for (kind, quality) in kinds.iter().filter(|(kind, _)| kind.does(request)) {
            let mut runner = Runner {
                kind: kind.clone(),
                engine: kind.start(self.folders)?,
                request: Request {
                    quality: *quality,
                    ..request.clone()
                },
            };
            let first = standings.first().map(|first| first.scores);
            let scores = self.matched(&mut runner, judge, first)?;
            standings.push(Standing {
                kind: kind.clone(),
                quality: runner.request.quality,
                scores,
                costs: Vec::new(),
                peaks: if self.thorough {
                    self.peaks(&runner)?
                } else {
                    [0; 2]
                },
            });
            runners.push(runner);
        }
        self.measure(&mut runners, &mut standings)?;
        Ok(standings)
    }

    /// Finds the quality, and scores it.
    fn matched(
        &mut self,
        runner: &mut Runner,
        judge: &mut Judge,
        ours: Option<Scores>,
    ) -> Result<Scores> {
        if let (Some(ours), Some(_)) = (ours, runner.request.quality)
            && self.matched != Match::Nothing
            && !runner.kind.is_ours()
        {
            let wanted = self.matched.value(&ours);
            runner.request.quality = Some(self.search(runner, judge, wanted)?);
        }
        self.score(runner, judge, self.thorough)
    }

    /// The quality whose value is nearest. Looks and bytes grow with quality, so halving finds
    /// the two qualities around it.
    fn search(&mut self, runner: &mut Runner, judge: &mut Judge, wanted: f64) -> Result<u8> {
        let matched = self.matched;
        let mut value = |quality: u8| -> Result<f64> {
            runner.request.quality = Some(quality);
            let name = (runner.kind.name(), quality);
            let known = judge.known.get(&name).copied();
            let scores = match known {
                Some(scores) => scores,
                None => self.score(runner, judge, false)?,
            };
            judge.known.insert(name, scores);
            Ok(matched.value(&scores))
        };
        let (mut low, mut high) = (1, 100);
        while high - low > 1 {
            let middle = u8::midpoint(low, high);
            if value(middle)? < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        let nearer = (value(low)? - wanted).abs() < (value(high)? - wanted).abs();
        Ok(if nearer { low } else { high })
    }

    fn score(
        &mut self,
        runner: &mut Runner,
        judge: &mut Judge,
        butteraugli: bool,
    ) -> Result<Scores> {
        let out = self.out(&runner.kind)?;
        runner.engine.render(&runner.request, 1, 1, Some(&out))?;
        judge.scores(self.decoder, &out, butteraugli)
    }

    fn out(&self, kind: &Kind) -> Result<PathBuf> {
        let name = format!("{}.{}", kind.name(), std::process::id());
        Ok(self.folders.scratch()?.join(name))
    }

    fn peaks(&self, runner: &Runner) -> Result<[u64; 2]> {
        let mut peaks = [0; 2];
        for (peak, together) in peaks.iter_mut().zip([1, 4]) {
            let mut engine = runner.kind.start(self.folders)?;
            engine.render(&runner.request, 1, together, None::<&Path>)?;
            *peak = peak_bytes(engine.id())?;
        }
        Ok(peaks)
    }

    /// Each in turn, there and back: A B C, C B A, …
    fn measure(&self, runners: &mut [Runner], standings: &mut [Standing]) -> Result<()> {
        let mut times = Vec::new();
        for runner in &mut *runners {
            // The first picture warms up, the second says how many fit in a turn.
            runner.engine.render(&runner.request, 1, 1, None)?;
            let cost = runner.engine.render(&runner.request, 1, 1, None)?;
            times.push(((TURN / cost.wall) as usize).clamp(1, MOST));
        }
        for round in 0..self.rounds {
            for turn in 0..runners.len() {
                let at = if round % 2 == 0 {
                    turn
                } else {
                    runners.len() - 1 - turn
                };
                let Runner {
                    engine, request, ..
                } = &mut runners[at];
                standings[at]
                    .costs
                    .push(engine.render(request, times[at], 1, None)?);
            }
        }
        Ok(())
    }
}

/// The one in the middle; 0 where there is none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

impl Standing {
    /// Median CPU of a picture, in milliseconds.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.cpu))
    }

    /// Median time of a picture, in milliseconds.
    #[must_use]
    pub fn wall(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.wall))
    }

    /// CPU of another as a share of this one's, round by round: its least, middle and most.
    #[must_use]
    pub fn share(&self, ours: &Self) -> [f64; 3] {
        let pairs = ours.costs.iter().zip(&self.costs);
        let ratios: Vec<f64> = pairs.map(|(ours, other)| ours.cpu / other.cpu).collect();
        [
            ratios.iter().copied().fold(f64::MAX, f64::min),
            median(ratios.iter().copied()),
            ratios.iter().copied().fold(0.0, f64::max),
        ]
    }
}
