//! Drawings: what reading one holds, whatever is in it; and what drawing holds.

use std::fmt::Write as _;

use aquatint::pixels::codec::{self, Limits};

use crate::{count, sources::Source};

/// Reading holds no more than it said. It may say far more: what a drawing repeats is known only
/// once it is read, and what was said is held for as long as that takes.
#[track_caller]
pub(crate) fn check_reading(text: &str) {
    let said = codec::probe_bytes(text.as_bytes());
    let (_, held) = count::peak_of(|| codec::probe(text.as_bytes(), &Limits::default()).map(drop));
    let start = &text[..text.len().min(200)];
    assert!(held <= said, "{held} bytes, {said} were said: {start}");
}

/// A drawing of this size with this inside.
pub(crate) fn drawing(width: u32, height: u32, inside: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' \
         width='{width}' height='{height}'>{inside}</svg>"
    )
}

/// What takes the most memory for its length, of each kind that is allowed.
pub(crate) fn dense() -> Vec<String> {
    let path = "<path d='M0 0h1v1z'/>";
    let mut attributes = String::new();
    for at in 0..250 {
        write!(attributes, " a{at}=''").expect("a string");
    }
    let mut prefixes = String::new();
    for at in 0..31 {
        write!(prefixes, " xmlns:a{at}=''").expect("a string");
    }
    let known = " fill='red' x='' y='' r='' rx='' ry='' cx='' cy='' fx='' fy='' dx='' dy='' d=''";
    let dashes = "1 ".repeat(64);
    [
        format!("<g{attributes}/>").repeat(500),
        format!("<g{known}/>").repeat(9000),
        format!("<g{prefixes}>{}</g>", "<g xmlns=''/>".repeat(40_000)),
        "<g/>".repeat(24_000),
        "<!---->".repeat(90_000),
        path.repeat(40_000),
        format!("<g opacity='.5'>{path}</g>").repeat(20_000),
        format!("<path stroke='red' d='M0 0{}'/>", "h1v1".repeat(50_000)),
        format!(
            "<path stroke='red' d='M0 0{}'/>",
            "c1 2 9 3 1 1".repeat(40_000)
        ),
        format!(
            "<path stroke='red' d='M0 0{}'/>",
            "a1 1 0 111 1".repeat(40_000)
        ),
        format!("<polygon points='{}'/>", "0 1 ".repeat(100_000)),
        format!("<style>{}</style>", "*{}".repeat(32 << 10)),
        format!("<style>{}a{{}}</style>", "a,".repeat(16 << 10)),
        format!("<style>.a{{{}}}</style><g class='a'/>", "a:b;".repeat(9000)),
        format!(
            "<g stroke='red' stroke-dasharray='{dashes}'>{}</g>",
            path.repeat(20_000)
        ),
        format!(
            "<defs><path id='a' stroke='red' d='M0 0{}'/></defs>{}",
            "h1".repeat(10_000),
            "<use xlink:href='#a'/>".repeat(60)
        ),
        format!(
            "<defs><g id='a'>{}</g></defs>{}",
            path.repeat(100),
            "<use xlink:href='#a'/>".repeat(230)
        ),
        format!(
            "<clipPath clipPathUnits='objectBoundingBox' id='c'><path d='M0 0{}'/></clipPath>{}",
            "h1".repeat(10_000),
            "<path clip-path='url(#c)' d='M0 0h1v1z'/>".repeat(60)
        ),
        format!(
            "<linearGradient id='g'><stop/><stop offset='1'/></linearGradient>{}",
            "<path fill='url(#g)' d='M0 0h1v1z'/>".repeat(20_000)
        ),
    ]
    .map(|inside| drawing(20, 10, &inside))
    .into()
}

/// Drawings that fill their canvas, flat and in layers.
pub(crate) fn full(width: u32, height: u32) -> [Source; 2] {
    let rect = format!("<rect width='{width}' height='{height}' fill='#a52'/>");
    let flat = rect.repeat(3);
    let layers = format!("<g opacity='.5'>{rect}<g opacity='.5'>{rect}</g></g>");
    [("svg", flat), ("svg layers", layers)].map(|(name, inside)| Source {
        name,
        bytes: drawing(width, height, &inside).into_bytes(),
    })
}
