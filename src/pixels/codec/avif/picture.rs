//! What the primary item of an AVIF shows: tiles, alpha, colours, how it is cropped and turned.
//! Decodes nothing.

use super::{
    container::{Container, Item},
    cursor::Cursor,
    properties::{Aperture, Codec, Nclx, Property},
    sequence::Sequence,
};
use crate::pixels::{
    codec::{Error, Limits, admit},
    geometry::{Rect, Size},
};

/// The primary item, understood.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) container: Container<'a>,
    pub(super) colour: Grid,
    pub(super) alpha: Option<Grid>,
    /// Whether colours are already multiplied by alpha.
    pub(super) premultiplied: bool,
    pub(super) codec: Codec,
    /// Of the container; it overrides the stream's.
    pub(super) points: Option<Nclx>,
    pub(super) icc: Option<&'a [u8]>,
    /// What is left of `colour.size`.
    pub(super) crop: Rect,
    /// As EXIF counts.
    pub(super) orientation: u8,
}

/// Tiles of one size, row by row. A picture that is no grid is one tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) cells: Vec<u32>,
    pub(super) columns: u32,
    pub(super) size: Size,
    pub(super) tile: Size,
}

fn unsupported(feature: &'static str) -> Error {
    Error::UnsupportedFeature {
        format: "AVIF",
        feature,
    }
}

impl<'a> Picture<'a> {
    /// Reads the container, and holds the sizes against the limits.
    ///
    /// # Errors
    /// [`Error::Broken`], [`Error::UnsupportedFeature`] or [`Error::Limit`].
    pub(super) fn read(file: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let container = Container::read(file)?;
        let primary = container.primary;
        let colour = Grid::read(&container, primary, limits)?;
        let first = container.find(*colour.cells.first().unwrap_or(&primary))?;
        let codec = codec(&container, first)?;
        let (alpha, premultiplied) = alpha(&container, &colour, limits)?;
        let item = container.find(primary)?;
        let properties = container.properties(item)?;
        let own = colours(&container, &properties, limits);
        let (points, icc) = match own {
            (None, None) => colours(&container, &container.properties(first)?, limits),
            own => own,
        };
        Ok(Self {
            crop: crop(&properties, colour.size)?,
            orientation: orientation(&properties),
            colour,
            alpha,
            premultiplied,
            codec,
            points,
            icc,
            container,
        })
    }
}

impl Grid {
    fn read(container: &Container<'_>, id: u32, limits: &Limits) -> Result<Self, Error> {
        let item = container.find(id)?;
        let (width, height) = extent(container, item)?;
        let size = admit::size(width, height, limits)?;
        match &item.kind {
            b"av01" => Ok(Self {
                cells: vec![id],
                columns: 1,
                size,
                tile: size,
            }),
            b"grid" => Self::of_tiles(container, id, size, limits),
            _ => Err(unsupported("a picture that is neither AV1 nor a grid")),
        }
    }

    fn of_tiles(
        container: &Container<'_>,
        id: u32,
        size: Size,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let bytes = container.bytes(container.find(id)?)?;
        let mut cursor = Cursor(&bytes);
        cursor.u8()?;
        let wide = cursor.u8()? & 1 != 0;
        let (rows, columns) = (u32::from(cursor.u8()?) + 1, u32::from(cursor.u8()?) + 1);
        if (cursor.narrow(wide)?, cursor.narrow(wide)?) != (size.width, size.height) {
            return Err(admit::broken("a grid of another size than its item"));
        }
        let cells = container.led_to(*b"dimg", id).to_vec();
        if u32::try_from(cells.len()).ok() != rows.checked_mul(columns) {
            return Err(admit::broken("a grid with a tile too many or too few"));
        }
        let mut tile = None;
        for cell in &cells {
            let item = container.find(*cell)?;
            if item.kind != *b"av01" {
                return Err(unsupported("a grid of other than AV1 pictures"));
            }
            let extent = extent(container, item)?;
            if *tile.get_or_insert(extent) != extent {
                return Err(admit::broken("a grid of unequal tiles"));
            }
        }
        let (width, height) = tile.unwrap_or((0, 0));
        let tile = admit::size(width, height, limits)?;
        // The last column and row may hang over the edge, but not lie outside.
        let fits = |tile: u32, count: u32, whole: u32| {
            let (tile, count, whole) = (u64::from(tile), u64::from(count), u64::from(whole));
            tile * count >= whole && tile * (count - 1) < whole
        };
        if !fits(tile.width, columns, size.width) || !fits(tile.height, rows, size.height) {
            return Err(admit::broken("a grid whose tiles do not cover it"));
        }
        Ok(Self {
            cells,
            columns,
            size,
            tile,
        })
    }
}

fn extent(container: &Container<'_>, item: &Item) -> Result<(u32, u32), Error> {
    let properties = container.properties(item)?;
    let extent = properties.iter().find_map(|property| match property {
        Property::Extent(width, height) => Some((*width, *height)),
        _ => None,
    });
    extent.ok_or_else(|| admit::broken("a picture without its size"))
}

/// Depth and planes of an AV1 item, from its configuration or else from its stream.
fn codec(container: &Container<'_>, item: &Item) -> Result<Codec, Error> {
    let properties = container.properties(item)?;
    let configured = properties.iter().find_map(|property| match property {
        Property::Codec(codec) => Some(*codec),
        _ => None,
    });
    if let Some(codec) = configured {
        return Ok(codec);
    }
    let stream = container.bytes(item)?;
    let sequence = Sequence::find(&stream);
    let sequence = sequence.ok_or_else(|| admit::broken("an AV1 stream without a header"))?;
    Ok(Codec {
        depth: sequence.depth,
        monochrome: sequence.monochrome,
        subsampling: sequence.subsampling,
    })
}

/// The alpha of a picture, or of every tile of it; and whether colours are multiplied by it.
fn alpha(
    container: &Container<'_>,
    colour: &Grid,
    limits: &Limits,
) -> Result<(Option<Grid>, bool), Error> {
    let alpha_of = |id| {
        container
            .led_from(*b"auxl", id)
            .find(|auxiliary| is_alpha(container, *auxiliary))
    };
    if let Some(id) = alpha_of(container.primary) {
        let grid = Grid::read(container, id, limits)?;
        if grid.size != colour.size {
            return Err(unsupported("alpha of another size than the picture"));
        }
        let premultiplied = container.led_to(*b"prem", container.primary).contains(&id);
        return Ok((Some(grid), premultiplied));
    }
    if colour.cells == [container.primary] {
        return Ok((None, false));
    }
    let cells: Option<Vec<u32>> = colour.cells.iter().map(|cell| alpha_of(*cell)).collect();
    let grid = cells.map(|cells| Grid {
        cells,
        ..colour.clone()
    });
    Ok((grid, false))
}

fn is_alpha(container: &Container<'_>, id: u32) -> bool {
    let properties = container
        .find(id)
        .and_then(|item| container.properties(item))
        .unwrap_or_default();
    properties.contains(&&Property::Alpha(true))
}

fn colours<'a>(
    container: &Container<'a>,
    properties: &[&Property],
    limits: &Limits,
) -> (Option<Nclx>, Option<&'a [u8]>) {
    let points = properties.iter().find_map(|property| match property {
        Property::Nclx(points) => Some(*points),
        _ => None,
    });
    let icc = properties.iter().find_map(|property| match property {
        Property::Icc(place) => Some(container.property_bytes(place)),
        _ => None,
    });
    // A profile over the limit is none.
    (points, icc.filter(|icc| icc.len() <= limits.icc_bytes))
}

fn crop(properties: &[&Property], size: Size) -> Result<Rect, Error> {
    let aperture = properties.iter().find_map(|property| match property {
        Property::Aperture(aperture) => Some(aperture),
        _ => None,
    });
    match aperture {
        None => Ok(Rect {
            x: 0,
            y: 0,
            width: size.width,
            height: size.height,
        }),
        Some(aperture) => {
            rect(aperture, size).ok_or_else(|| admit::broken("a clean aperture of half pixels"))
        }
    }
}

/// An aperture in whole pixels, inside the picture.
fn rect(aperture: &Aperture, size: Size) -> Option<Rect> {
    let (x, width) = span(aperture.width, aperture.right, size.width)?;
    let (y, height) = span(aperture.height, aperture.down, size.height)?;
    Some(Rect {
        x,
        y,
        width,
        height,
    })
}

/// Start and length of one side: its middle lies `offset` from the middle of `whole`.
fn span(length: (u32, u32), offset: (i32, u32), whole: u32) -> Option<(u32, u32)> {
    if length.1 == 0 || offset.1 == 0 || !length.0.is_multiple_of(length.1) {
        return None;
    }
    let length = length.0 / length.1;
    let (numerator, denominator) = (i128::from(offset.0), i128::from(offset.1));
    let slack = i128::from(whole) - i128::from(length);
    let start = 2 * numerator + slack * denominator;
    if length == 0 || start % (2 * denominator) != 0 {
        return None;
    }
    let start = start / (2 * denominator);
    (0..=slack)
        .contains(&start)
        .then_some((u32::try_from(start).ok()?, length))
}

/// `irot` comes first, then `imir` (MIAF, ISO/IEC 23000-22, 7.3.6.7).
fn orientation(properties: &[&Property]) -> u8 {
    let turns = properties.iter().find_map(|property| match property {
        Property::Rotation(turns) => Some(*turns),
        _ => None,
    });
    let mirror = properties.iter().find_map(|property| match property {
        Property::Mirror(axis) => Some(*axis),
        _ => None,
    });
    // Two quarter turns and a mirror are the other mirror; one or three make it a diagonal.
    match (turns.unwrap_or(0) % 4, mirror) {
        (0, None) => 1,
        (1, None) => 8,
        (2, None) => 3,
        (_, None) => 6,
        (0, Some(0)) | (2, Some(1)) => 4,
        (0 | 2, Some(_)) => 2,
        (1, Some(0)) | (3, Some(1)) => 5,
        (_, Some(_)) => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the pixel that comes to stand at (x, y) is taken from, in a square of 2 × 2.
    type Map = fn(u8, u8) -> (u8, u8);

    /// EXIF's eight, as the way from what is stored to what is seen.
    const EXIF: [Map; 8] = [
        |x, y| (x, y),
        |x, y| (1 - x, y),
        |x, y| (1 - x, 1 - y),
        |x, y| (x, 1 - y),
        |x, y| (y, x),
        |x, y| (y, 1 - x),
        |x, y| (1 - y, 1 - x),
        |x, y| (1 - y, x),
    ];

    #[test]
    fn turning_and_mirroring_add_up_to_an_orientation() {
        // One turn against the clock: what is seen at the top left was stored at the top right.
        let turned: Map = |x, y| (1 - y, x);
        for turns in 0..4u8 {
            for mirror in [None, Some(0), Some(1)] {
                let mut properties = vec![Property::Rotation(turns)];
                properties.extend(mirror.map(Property::Mirror));
                let properties: Vec<&Property> = properties.iter().collect();
                let found = EXIF[usize::from(orientation(&properties)) - 1];
                for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    // Backwards: the mirror is applied last, so it is undone first.
                    let mut at = match mirror {
                        None => (x, y),
                        Some(0) => (x, 1 - y),
                        Some(_) => (1 - x, y),
                    };
                    for _ in 0..turns {
                        at = turned(at.0, at.1);
                    }
                    assert_eq!(found(x, y), at, "{turns} turns, mirror {mirror:?}");
                }
            }
        }
    }

    #[track_caller]
    fn check(length: (u32, u32), offset: (i32, u32), whole: u32, expected: Option<(u32, u32)>) {
        assert_eq!(span(length, offset, whole), expected);
    }

    #[test]
    fn an_aperture_lies_about_the_middle() {
        check((10, 1), (0, 1), 10, Some((0, 10)));
        check((8, 1), (0, 1), 10, Some((1, 8)));
        check((8, 1), (1, 1), 10, Some((2, 8)));
        check((8, 1), (-1, 1), 10, Some((0, 8)));
        check((8, 1), (2, 1), 10, None);
        check((7, 1), (1, 2), 10, Some((2, 7)));
        check((7, 1), (0, 1), 10, None);
        check((15, 2), (0, 1), 10, None);
        check((16, 2), (0, 3), 10, Some((1, 8)));
        check((0, 1), (0, 1), 10, None);
        check((11, 1), (0, 1), 10, None);
        check((8, 0), (0, 1), 10, None);
        check((8, 1), (0, 0), 10, None);
        check((u32::MAX, 1), (i32::MIN, u32::MAX), u32::MAX, None);
    }
}
