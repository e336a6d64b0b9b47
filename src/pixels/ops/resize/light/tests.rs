use super::*;
use crate::pixels::geometry::Size;

/// Rows that come out.
#[derive(Default)]
struct Out(Vec<u8>);

impl Sink for Out {
    fn begin(&mut self, _: &[Shape]) -> Result<(), Error> {
        Ok(())
    }

    fn take(&mut self, _: usize, rows: Rows<'_>) -> Result<(), Error> {
        rows.iter().for_each(|row| self.0.extend_from_slice(row));
        Ok(())
    }
}

fn made(layout: Layout, from: Size, to: Size, samples: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Out::default();
    let cut = Cut::whole(from, to);
    let mut light = Light::new(cut, layout, &Curve::srgb(), &mut out);
    light.begin(&[Shape::whole(from, layout.channels())])?;
    let row = from.width as usize * layout.channels();
    light.take(0, Rows::new(samples, row, row)?)?;
    light.finish()?;
    Ok(out.0)
}

#[test]
fn one_colour_stays_in_every_layout() {
    let (from, to) = (Size::new(61, 47), Size::new(20, 90));
    for shade in 0..=255 {
        for (layout, pixel) in [
            (Layout::Gray, &[shade][..]),
            (Layout::GrayAlpha, &[shade, 255]),
            (Layout::Rgb, &[shade, 255 - shade, 7]),
            (Layout::Rgba, &[shade, 3, 255 - shade, 255]),
        ] {
            let count = usize::try_from(from.pixels()).unwrap();
            let resized = made(layout, from, to, &pixel.repeat(count)).unwrap();
            assert_eq!(resized.len() as u64, to.pixels() * pixel.len() as u64);
            assert!(
                resized.chunks(pixel.len()).all(|found| found == pixel),
                "{pixel:?}"
            );
        }
    }
}

#[test]
fn black_and_white_make_the_light_between_them() {
    let lines: Vec<u8> = (0..64 * 64)
        .map(|at| if at % 2 == 0 { 0 } else { 255 })
        .collect();
    let gray = made(Layout::Gray, Size::new(64, 64), Size::new(8, 8), &lines).unwrap();
    let mut inner = gray.chunks_exact(8).flat_map(|row| &row[3..5]);
    assert!(inner.all(|code| code.abs_diff(188) <= 1), "{gray:?}");
}

#[test]
fn clear_pixels_lend_no_colour() {
    let half = |at: u32| {
        if at % 40 < 20 {
            [255, 0, 0, 255]
        } else {
            [0, 255, 0, 0]
        }
    };
    let picture: Vec<u8> = (0..1600).flat_map(half).collect();
    let resized = made(Layout::Rgba, Size::new(40, 40), Size::new(9, 9), &picture).unwrap();
    let mut seen = resized.chunks_exact(4).filter(|pixel| pixel[3] > 32);
    assert!(
        seen.all(|pixel| pixel[0] > 250 && pixel[1] < 5),
        "{resized:?}"
    );
}

#[test]
fn rows_that_are_missing_are_missed() {
    let (from, to) = (Size::new(4, 4), Size::new(2, 2));
    assert!(made(Layout::Rgb, from, to, &[0; 48]).is_ok());
    assert!(made(Layout::Rgb, from, to, &[0; 36]).is_err());
}
