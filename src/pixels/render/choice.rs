//! Which format is written, and whether it moves. Decided from the header, before a pixel is
//! decoded.

use crate::{
    pixels::{
        codec::{Header, Limits},
        format::{InputFormat, OutputFormat},
        geometry::Size,
    },
    recipe::{
        Recipe,
        recipe::{FormatChoice, Frames},
    },
};

use super::OutputLimits;

/// The longest side of a WebP: its header has 14 bits.
const WEBP_SIDE: u32 = 16_383;

/// What will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The format.
    pub(super) format: OutputFormat,
    /// Whether all frames are.
    pub(super) moves: bool,
}

/// Chooses.
///
/// - Negotiated: AVIF before WebP, the first that the client takes and that suits; a picture that
///   moves becomes WebP, or else what the fallback says if that moves, or else GIF.
/// - Otherwise what was asked for, or the source's own format; TIFF, BMP and ICO become PNG if
///   they may be transparent or are stored without loss, and JPEG if not.
/// - An AVIF that is too large or not built in becomes WebP, if asked for by name, and the source's
///   nearest format otherwise.
///
/// An animation over the limits on frames becomes its first frame: a picture is more use than an
/// error, and whoever wants the animation sees that it stands still.
#[must_use]
pub(super) fn choose(
    header: &Header,
    recipe: &Recipe,
    output: Size,
    limits: &Limits,
    outputs: &OutputLimits,
) -> Choice {
    let still = |format| Choice {
        format,
        moves: false,
    };
    let moving = |format| Choice {
        format,
        moves: true,
    };
    let wanted = &recipe.output.format;
    let fits = |format: OutputFormat| match format {
        OutputFormat::Avif => format.is_built_in() && output.pixels() <= outputs.avif_pixels,
        OutputFormat::WebP => output.width <= WEBP_SIDE && output.height <= WEBP_SIDE,
        _ => true,
    };
    if may_move(header, recipe, limits)
        && let Some(format) = moving_format(header, *wanted, fits)
    {
        return moving(format);
    }
    if wanted.preferred.avif && fits(OutputFormat::Avif) {
        return still(OutputFormat::Avif);
    }
    if wanted.preferred.webp && fits(OutputFormat::WebP) {
        return still(OutputFormat::WebP);
    }
    match wanted.fallback {
        Some(format) if fits(format) => still(format),
        Some(OutputFormat::Avif) if fits(OutputFormat::WebP) => still(OutputFormat::WebP),
        Some(_) => still(nearest(header)),
        None => match own(header.format) {
            Some(format) if fits(format) => still(format),
            _ => still(nearest(header)),
        },
    }
}

/// Whether the frames of this source are wanted, and are within the limits.
fn may_move(header: &Header, recipe: &Recipe, limits: &Limits) -> bool {
    let frames = u64::from(header.frames);
    let pixels = header.size.pixels().checked_mul(frames);
    header.animated
        && header.frames > 1
        && recipe.frames == Frames::All
        && header.frames <= limits.frames
        && pixels.is_some_and(|pixels| pixels <= limits.animation_pixels)
}

/// The format for a picture that moves; `None` if it was asked for in one that does not.
fn moving_format(
    header: &Header,
    wanted: FormatChoice,
    fits: impl Fn(OutputFormat) -> bool,
) -> Option<OutputFormat> {
    let moves = |format: OutputFormat| {
        matches!(
            format,
            OutputFormat::WebP | OutputFormat::Gif | OutputFormat::Png
        ) && fits(format)
    };
    if wanted.preferred.webp && moves(OutputFormat::WebP) {
        return Some(OutputFormat::WebP);
    }
    let asked = wanted.fallback.or(own(header.format));
    match asked {
        Some(format) if moves(format) => Some(format),
        // The client negotiates, so a format that moves is as good as one that does not.
        _ if wanted.preferred.avif => Some(OutputFormat::Gif),
        _ => None,
    }
}

/// The source's own format, if we write it.
pub(super) const fn own(format: InputFormat) -> Option<OutputFormat> {
    match format {
        InputFormat::Jpeg => Some(OutputFormat::Jpeg),
        InputFormat::Png => Some(OutputFormat::Png),
        InputFormat::WebP => Some(OutputFormat::WebP),
        InputFormat::Avif => Some(OutputFormat::Avif),
        InputFormat::Gif => Some(OutputFormat::Gif),
        InputFormat::Tiff
        | InputFormat::Bmp
        | InputFormat::Ico
        | InputFormat::Svg
        | InputFormat::Jxl => None,
    }
}

/// What every client takes.
const fn nearest(header: &Header) -> OutputFormat {
    if header.alpha || header.lossless {
        OutputFormat::Png
    } else {
        OutputFormat::Jpeg
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pixels::render::tests::{asking, header},
        recipe::negotiate::Accepts,
    };

    use InputFormat as In;
    use OutputFormat as Out;

    const NONE: Accepts = Accepts {
        avif: false,
        webp: false,
    };
    const WEBP: Accepts = Accepts {
        avif: false,
        webp: true,
    };
    const BOTH: Accepts = Accepts {
        avif: true,
        webp: true,
    };
    const AVIF: Accepts = Accepts {
        avif: true,
        webp: false,
    };

    fn chosen(
        header: &Header,
        preferred: Accepts,
        fallback: Option<Out>,
        size: Size,
    ) -> (Out, bool) {
        let recipe = asking(|recipe| {
            recipe.output.format = FormatChoice {
                preferred,
                fallback,
            }
        });
        let choice = choose(
            header,
            &recipe,
            size,
            &Limits::default(),
            &OutputLimits::default(),
        );
        (choice.format, choice.moves)
    }

    #[track_caller]
    fn check(format: In, preferred: Accepts, fallback: Option<Out>, expected: Out) {
        let found = chosen(&header(format), preferred, fallback, Size::new(800, 600));
        assert_eq!(found, (expected, false));
    }

    #[track_caller]
    fn check_moving(format: In, preferred: Accepts, fallback: Option<Out>, expected: (Out, bool)) {
        let header = Header {
            frames: 3,
            animated: true,
            ..header(format)
        };
        assert_eq!(
            chosen(&header, preferred, fallback, Size::new(800, 600)),
            expected
        );
    }

    #[test]
    fn the_best_that_the_client_takes_wins() {
        check(In::Jpeg, WEBP, Some(Out::Png), Out::WebP);
        check(In::Jpeg, NONE, Some(Out::Png), Out::Png);
        if Out::Avif.is_built_in() {
            check(In::Jpeg, BOTH, None, Out::Avif);
        }
    }

    #[test]
    fn the_sources_own_format_is_the_last_word() {
        check(In::Jpeg, NONE, None, Out::Jpeg);
        check(In::Gif, NONE, None, Out::Gif);
        check(In::Bmp, NONE, None, Out::Png);
        let lossy = Header {
            lossless: false,
            alpha: false,
            ..header(In::Tiff)
        };
        assert_eq!(
            chosen(&lossy, NONE, None, Size::new(8, 6)),
            (Out::Jpeg, false)
        );
    }

    #[test]
    fn an_avif_over_its_limit_becomes_the_next() {
        let large = |preferred, fallback, width| {
            chosen(
                &header(In::Jpeg),
                preferred,
                fallback,
                Size::new(width, 2048),
            )
            .0
        };
        if Out::Avif.is_built_in() {
            assert_eq!(large(BOTH, None, 2048), Out::Avif);
        }
        assert_eq!(large(BOTH, None, 2049), Out::WebP);
        assert_eq!(large(AVIF, None, 2049), Out::Jpeg);
        assert_eq!(large(NONE, Some(Out::Avif), 2049), Out::WebP);
    }

    #[test]
    fn a_webp_over_its_side_becomes_the_next() {
        let long = |width| chosen(&header(In::Jpeg), WEBP, None, Size::new(width, 10)).0;
        assert_eq!((long(16_383), long(16_384)), (Out::WebP, Out::Jpeg));
    }

    #[test]
    fn a_picture_that_moves_goes_on_moving() {
        check_moving(In::Gif, BOTH, None, (Out::WebP, true));
        check_moving(In::Gif, AVIF, None, (Out::Gif, true));
        check_moving(In::Gif, NONE, None, (Out::Gif, true));
        check_moving(In::WebP, NONE, Some(Out::Png), (Out::Png, true));
    }

    #[test]
    fn a_picture_that_moves_stands_where_its_format_stands() {
        check_moving(In::Gif, NONE, Some(Out::Jpeg), (Out::Jpeg, false));
    }

    #[test]
    fn too_many_frames_become_the_first() {
        let frames = |frames, size| {
            let header = Header {
                frames,
                animated: true,
                size,
                ..header(In::Gif)
            };
            chosen(&header, NONE, None, Size::new(10, 10)).1
        };
        assert!(frames(256, Size::new(10, 10)));
        assert!(!frames(257, Size::new(10, 10)));
        assert!(frames(100, Size::new(1000, 1000)));
        assert!(!frames(100, Size::new(1000, 1001)));
    }

    #[test]
    fn one_frame_asked_for_is_one_frame() {
        let header = Header {
            frames: 3,
            animated: true,
            ..header(In::Gif)
        };
        let recipe = asking(|recipe| recipe.frames = Frames::One(1));
        let (limits, outputs) = (Limits::default(), OutputLimits::default());
        let choice = choose(&header, &recipe, Size::new(8, 6), &limits, &outputs);
        assert_eq!(
            choice,
            Choice {
                format: Out::Gif,
                moves: false
            }
        );
    }
}
