//! For `fuzz/` alone: what the scaled decoder makes of a file, beside what libjpeg makes of it.
#![expect(unsafe_code, reason = "libjpeg is C")]

use std::ptr;

use mozjpeg_sys::jpeg_read_coefficients;

use super::{
    decode, raw,
    scaled::{Reading, Scales},
    survey,
};
use crate::pixels::{
    codec::{Cancel, Error, Limits, admit},
    planes::Plane,
    rows::Kept,
};

/// Two inverse transforms that round differently; the whole range of a sample is 255.
const TOLERANCE: u8 = 2;

/// The most that the coefficients of a block may add up to. Beyond it the reference leaves the
/// range that its tables and registers have, and its samples are any.
const SANE: u32 = 1500;

/// Panics where the two differ.
pub(in super::super) fn compare(bytes: &[u8], limits: &Limits) {
    let cancel = Cancel::default();
    let ours = |eighths| {
        let scales = Scales {
            luma: eighths,
            chroma: eighths,
        };
        let reading = Reading::open(bytes, scales, limits).ok().flatten()?;
        kept(|sink| reading.rows(&cancel, sink)).ok()
    };
    for eighths in 2..8 {
        let _ = ours(eighths);
    }
    let Ok(survey) = survey::survey(bytes, limits) else {
        return;
    };
    let (whole, eighth) = (ours(8), ours(1));
    let Some(whole) = whole else { return };
    let theirs = |eighths| {
        kept(|sink| raw::rows(bytes, eighths, survey.buffered, limits, &cancel, sink))
            .expect("libjpeg reads what the scaled decoder reads")
    };
    let full = theirs(8);
    // Coefficients are read to the end of the file, and may be refused for what stands there.
    let Ok(sane) = sane(bytes, survey.buffered, limits) else {
        return;
    };
    check(&whole, &full, &sane, 8, TOLERANCE);
    let eighth = eighth.expect("an eighth of what can be had whole");
    let theirs = theirs(1);
    // libjpeg doubles coarse colour while it scales.
    let alike = |(their, sane): &(&Plane, &Vec<Vec<bool>>)| {
        sane.first().map(Vec::len) == Some(their.size.width as usize)
    };
    let count = theirs.iter().zip(&sane).take_while(alike).count();
    check(&eighth[..count], &theirs[..count], &sane, 1, 0);
}

fn kept(decode: impl FnOnce(&mut Kept) -> Result<(), Error>) -> Result<Vec<Plane>, Error> {
    let mut kept = Kept::default();
    decode(&mut kept)?;
    kept.finish()
}

fn check(ours: &[Plane], theirs: &[Plane], sane: &[Vec<Vec<bool>>], block: usize, most: u8) {
    assert_eq!(ours.len(), theirs.len());
    for (component, (own, their)) in ours.iter().zip(theirs).enumerate() {
        for (row, blocks) in sane[component].iter().enumerate() {
            for column in blocks.iter().enumerate().filter(|(_, sane)| **sane) {
                let (x, y) = (column.0 * block, row * block);
                for line in y..y + block {
                    let [own, their] = [own, their].map(|plane| {
                        let start = line * plane.size.width as usize + x;
                        let right = (x + block).min(plane.size.width as usize);
                        let inside = line < plane.size.height as usize && x < right;
                        &plane.samples[if inside {
                            start..start + right - x
                        } else {
                            0..0
                        }]
                    });
                    for (own, their) in own.iter().zip(their) {
                        assert!(
                            own.abs_diff(*their) <= most,
                            "{own}, not {their}: component {component}, {block} eighths, {x}, {line}"
                        );
                    }
                }
            }
        }
    }
}

/// Which blocks of each component, in rows, have coefficients that the reference can add up.
fn sane(bytes: &[u8], buffered: bool, limits: &Limits) -> Result<Vec<Vec<Vec<bool>>>, Error> {
    decode::with_decoder(buffered, limits, &Cancel::default(), |mut decoder| {
        decoder.open(bytes)?;
        let library = &mut *decoder.library;
        // SAFETY: the header is read; the source is not a suspending one.
        let arrays = unsafe { jpeg_read_coefficients(library) };
        let count = usize::try_from(library.num_components).unwrap_or(0);
        let mut components = Vec::new();
        for index in 0..count {
            // SAFETY: as many components, arrays and tables as it counts.
            let (component, array) =
                unsafe { (&*library.comp_info.add(index), *arrays.add(index)) };
            // SAFETY: null, or a table that lives as long as the decoder.
            let table = unsafe { component.quant_table.as_ref() };
            let table = table.ok_or_else(|| admit::broken("no table"))?.quantval;
            let blocks = component.width_in_blocks as usize;
            let mut rows = Vec::new();
            for row in 0..component.height_in_blocks {
                // SAFETY: the manager is set up; the array has this row, and as many blocks in it.
                let row = unsafe {
                    let common = &raw mut library.common;
                    let access = (*(*common).mem).access_virt_barray;
                    let access = access.ok_or_else(|| admit::broken("no access"))?;
                    let rows = access(&mut *common, array, row, 1, 0);
                    std::slice::from_raw_parts(ptr::read(rows).cast_const(), blocks)
                };
                let sum = |block: &[i16; 64]| -> u32 {
                    let terms = block.iter().zip(table);
                    terms
                        .map(|(value, step)| u32::from(value.unsigned_abs()) * u32::from(step))
                        .fold(0, u32::saturating_add)
                };
                // libjpeg puts what runs beyond a block's end into its last place; we drop it.
                let sane = |block: &[i16; 64]| block[63] == 0 && sum(block) <= SANE;
                rows.push(row.iter().map(sane).collect());
            }
            components.push(rows);
        }
        Ok(components)
    })
}
