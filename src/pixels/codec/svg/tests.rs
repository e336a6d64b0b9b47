use std::{fmt::Write, sync::Arc};

use super::*;
use crate::pixels::codec;

fn drawn(text: &str) -> Result<Bitmap, Error> {
    drawn_at(text, None)
}

fn drawn_at(text: &str, size: Option<Size>) -> Result<Bitmap, Error> {
    let limits = Limits::default();
    let mut header = codec::probe(text.as_bytes(), &limits)?;
    header.size = size.unwrap_or(header.size);
    let options = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let bitmap = codec::decode(
        text.as_bytes(),
        &header,
        &options,
        &limits,
        &Cancel::default(),
    )?;
    assert!(bitmap.is_complete());
    Ok(bitmap)
}

fn pixel(bitmap: &Bitmap, x: u32, y: u32) -> [u8; 4] {
    let Samples::U8(samples) = &bitmap.samples else {
        panic!("eight bits");
    };
    let at = (y * bitmap.size.width + x) as usize * 4;
    samples[at..at + 4].try_into().unwrap()
}

/// A drawing of 20 × 10 with this inside.
fn svg(inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         width=\"20\" height=\"10\">{inside}</svg>"
    )
}

const RED: [u8; 4] = [255, 0, 0, 255];
const CLEAR: [u8; 4] = [0; 4];

#[test]
fn a_drawing_is_drawn() {
    let bitmap = drawn(&svg("<rect width='10' height='10' fill='red'/>")).unwrap();
    assert_eq!(bitmap.size, Size::new(20, 10));
    assert_eq!([pixel(&bitmap, 3, 3), pixel(&bitmap, 13, 3)], [RED, CLEAR]);
}

#[test]
fn outlines_that_go_on_for_ever_ended_the_process() {
    // tiny-skia 0.12.0 panicked where they are clipped, and again while it tidied up after that.
    let path = |data: &str| svg(&format!("<path d='{data}'/>"));
    check_limit(&path("M5 4q6-2 17e15-7e15z"), "more than 1000000 pixels");
    check_limit(
        &path("M3 0c-2 0-3 1-3 3v10c0 2 1 3 3 3h10c2 0 3-1 3-3e30v-10z"),
        "more than 1000000 pixels",
    );
    check_limit(&path("M0 0L1e30 9L4 5z"), "more than 100000000 pixels");
}

#[test]
fn outlines_go_on_as_far_as_the_limit() {
    let drawing = |inside: &str| {
        let view = "viewBox='0 0 100 50' width='200' height='100'";
        format!("<svg xmlns='http://www.w3.org/2000/svg' {view}>{inside}</svg>")
    };
    // Two pixels a unit.
    let curve = |far: &str| drawing(&format!("<path d='M0 0q5 5 {far} 9z'/>"));
    drawn(&curve("500000")).unwrap();
    check_limit(&curve("500001"), "more than 1000000 pixels");
    let straight = |far: &str| drawing(&format!("<path d='M0 0L{far} 9L4 5z'/>"));
    drawn(&straight("5e7")).unwrap();
    check_limit(&straight("50000008"), "more than 100000000 pixels");
    let stroke = |far: &str| drawing(&format!("<path d='M9 0H{far}' stroke='red'/>"));
    drawn(&stroke("499990")).unwrap();
    check_limit(&stroke("500001"), "more than 1000000 pixels");
    let moved = |by: &str| {
        let moved = format!("transform='translate({by})'");
        drawing(&format!("<circle r='3' {moved}/>"))
    };
    drawn(&moved("499990")).unwrap();
    check_limit(&moved("-500001"), "more than 1000000 pixels");
}

#[test]
fn an_arc_of_a_huge_radius_was_cut_into_millions() {
    let path = |data: &str| svg(&format!("<path d='{data}'/>"));
    assert!(drawn(&path("M0 0A1e12 2e11 0 0 0 3 4")).is_ok());
    check_limit(&path("M0 0A1 1 0 0 03.0e41 16"), "an arc");
    check_limit(&path("M0 0a1.000001E+12.5 1 0 0 0 3 4"), "an arc");
    check_limit(
        &path(&format!("M0 0A{} 1 0 0 0 3 4", "9".repeat(13))),
        "an arc",
    );
    check_limit(&svg("<circle r='2e38'/>"), "an arc");
}

#[test]
fn a_drawing_is_drawn_at_any_size() {
    let text = svg("<rect width='10' height='10' fill='red'/>");
    let bitmap = drawn_at(&text, Some(Size::new(400, 50))).unwrap();
    assert_eq!(bitmap.size, Size::new(400, 50));
    assert_eq!(
        [pixel(&bitmap, 199, 3), pixel(&bitmap, 200, 3)],
        [RED, CLEAR]
    );
}

#[test]
fn half_clear_colours_are_not_darkened() {
    let text = svg("<rect width='20' height='10' fill='red' opacity='0.5'/>");
    let [red, green, blue, alpha] = pixel(&drawn(&text).unwrap(), 5, 5);
    assert_eq!([red, green, blue], [255, 0, 0]);
    assert!((127..=128).contains(&alpha));
}

#[track_caller]
fn check_size(attributes: &str, expected: (u32, u32)) {
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' {attributes}><rect width='9' height='7'/></svg>"
    );
    let header = probe(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(header.size, Size::new(expected.0, expected.1));
}

#[test]
fn the_size_is_what_the_file_says_or_its_view_box() {
    check_size("width='30' height='40'", (30, 40));
    check_size("width='30' height='40' viewBox='0 0 3 4'", (30, 40));
    check_size("viewBox='0 0 300 200'", (300, 200));
    check_size("width='1in' height='72pt'", (96, 96));
    check_size("width='100%' height='100%' viewBox='0 0 30 20'", (30, 20));
    check_size("width='60' viewBox='0 0 30 20'", (60, 40));
    check_size("width='30.4' height='0.2'", (30, 1));
    check_size(
        "style='width:70px; height:40px' width='0' height='49%'",
        (70, 40),
    );
    check_size("style='width:10px' viewBox='0 0 30 60'", (10, 20));
    check_size("width='60'", (60, 150));
    check_size("height='60' width='100%'", (300, 60));
    // What is drawn, where nothing is told.
    check_size("", (9, 7));
    check_size("width='100%' height='100%'", (9, 7));
}

#[track_caller]
fn check_limit(text: &str, part: &str) {
    match drawn(text) {
        Err(Error::Limit(sentence)) => assert!(sentence.contains(part), "{sentence}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_broken(text: &str) {
    let result = drawn(text);
    assert!(matches!(result, Err(Error::Broken { .. })), "{result:?}");
}

#[test]
fn drawings_may_be_switched_off() {
    let limits = Limits {
        svg: false,
        ..Limits::default()
    };
    let result = probe(svg("").as_bytes(), &limits);
    assert!(matches!(result, Err(Error::Unsupported("an SVG drawing"))));
}

#[test]
fn what_is_no_drawing_is_broken() {
    check_broken("<svg");
    check_broken("<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'>");
    check_broken("<!DOCTYPE svg><html/>");
    check_broken("<svg xmlns='http://www.w3.org/2000/svg' width='0' height='1'/>");
}

#[test]
fn a_side_may_be_as_long_as_the_limit() {
    let sized = |side: u32| {
        let text = format!("<svg xmlns='http://www.w3.org/2000/svg' width='{side}' height='1'/>");
        probe(text.as_bytes(), &Limits::default())
    };
    assert!(sized(32_768).is_ok());
    assert!(matches!(sized(32_769), Err(Error::Limit(_))));
}

fn nested(depth: usize) -> String {
    // The root is one of them.
    svg(&format!(
        "{}{}",
        "<g opacity='0.9'>".repeat(depth - 1),
        "</g>".repeat(depth - 1)
    ))
}

#[test]
fn elements_nest_up_to_the_limit() {
    drawn(&nested(64)).unwrap();
    check_limit(&nested(65), "inside of one another");
    check_limit(&nested(20_000), "inside of one another");
}

#[test]
fn elements_count_with_all_that_they_repeat() {
    let repeated = |times: usize| {
        let hundred = "<path/>".repeat(98);
        let uses = "<use xlink:href='#a'/>".repeat(times);
        svg(&format!("<defs><g id='a'>{hundred}</g></defs>{uses}"))
    };
    // The root, the definitions with 99, and 100 a time.
    drawn(&repeated(240)).unwrap();
    check_limit(&repeated(260), "more memory");
    check_limit(&repeated(500), "50000 elements");
}

#[test]
fn what_is_repeated_counts_in_bytes() {
    let line = "h1".repeat(10_000);
    let used = |times: usize| {
        let uses = "<use xlink:href='#a'/>".repeat(times);
        svg(&format!("<defs><path id='a' d='M0 0{line}'/></defs>{uses}"))
    };
    drawn(&used(60)).unwrap();
    check_limit(&used(200), "more memory");
    let filtered = |times: usize| {
        let table = "1 ".repeat(10_000);
        let paths = "<path filter='url(#f)' d='M0 0h1v1z'/>".repeat(times);
        svg(&format!(
            "<filter id='f'><feComponentTransfer><feFuncR type='table' tableValues='{table}'/>\
             </feComponentTransfer></filter>{paths}"
        ))
    };
    check_limit(&filtered(200), "more memory");
}

#[test]
fn lists_that_every_shape_inherits_are_short() {
    let dashed = |count: usize| {
        let list = "1 ".repeat(count);
        svg(&format!(
            "<g stroke-dasharray='{list}'><path d='M0 0h1v1z'/></g>"
        ))
    };
    drawn(&dashed(64)).unwrap();
    check_limit(&dashed(65), "64 dashes");
    let styled =
        |count: usize| dashed(count).replace("stroke-dasharray='", "style='stroke-dasharray: ");
    drawn(&styled(64)).unwrap();
    check_limit(&styled(65), "64 dashes");
    let sheet = |count: usize| {
        let list = "1 ".repeat(count);
        svg(&format!(
            "<style>.a{{ stroke-dasharray:{list} }}</style><path class='a' d='M0 0h1v1z'/>"
        ))
    };
    drawn(&sheet(64)).unwrap();
    check_limit(&sheet(65), "64 dashes");
}

#[test]
fn declarations_and_classes_are_limited() {
    let declared = |count: usize| svg(&format!("<g style='{}'/>", "fill:red;".repeat(count)));
    drawn(&declared(256)).unwrap();
    check_limit(&declared(257), "256 declarations");
    let classed = |count: usize| svg(&format!("<g class='{}'/>", "a ".repeat(count)));
    drawn(&classed(32)).unwrap();
    check_limit(&classed(33), "32 classes");
    let ruled = |count: usize| svg(&format!("<style>.a{{{}}}</style>", "b:c;".repeat(count)));
    drawn(&ruled(10_000)).unwrap();
    check_limit(&ruled(10_001), "10000 declarations");
    let chosen = |count: usize| svg(&format!("<style>{} {{}}</style>", "a".repeat(count - 1)));
    drawn(&chosen(32 << 10)).unwrap();
    check_limit(&chosen((32 << 10) + 1), "32768 bytes of selectors");
}

#[test]
fn powers_of_use_are_counted_without_being_built() {
    let mut text = String::from("<defs><g id='a0'><path/></g>");
    for level in 1..30 {
        let uses = format!("<use xlink:href='#a{}'/>", level - 1).repeat(10);
        write!(text, "<g id='a{level}'>{uses}</g>").unwrap();
    }
    check_limit(
        &svg(&format!("{text}</defs><use xlink:href='#a29'/>")),
        "elements",
    );
}

#[test]
fn powers_of_references_are_counted_without_being_built() {
    for (element, property) in [
        ("mask", "mask"),
        ("clipPath", "clip-path"),
        ("pattern", "fill"),
        ("marker", "marker-start"),
        ("marker", "marker-mid"),
    ] {
        let mut text = String::from("<defs>");
        for level in 0..12 {
            let path = format!("<path d='M0 0h1v1z' {property}='url(#a{})'/>", level + 1).repeat(9);
            write!(
                text,
                "<{element} id='a{level}' width='9' height='9'>{path}</{element}>"
            )
            .unwrap();
        }
        text.push_str("</defs><path d='M0 0h9v9z' ");
        write!(text, "{property}='url(#a0)'/>").unwrap();
        let result = drawn(&svg(&text));
        assert!(
            matches!(result, Err(Error::Limit(_))),
            "{element}: {result:?}"
        );
    }
}

#[test]
fn a_part_inside_of_itself_is_refused() {
    check_broken(&svg(
        "<g id='a'><use xlink:href='#b'/></g><g id='b'><use xlink:href='#a'/></g>",
    ));
    check_broken(&svg(
        "<mask id='a'><path d='M0 0h9v9z' mask='url(#b)'/></mask><mask id='b'><path d='M0 0h9v9z' \
         mask='url(#c)'/></mask><mask id='c'><path d='M0 0h9v9z' style='mask: url( \"#a\" )'/></mask>",
    ));
}

#[test]
fn style_sheets_name_what_they_dress() {
    let dressed = |selector: &str| {
        svg(&format!(
            "<style>{selector}{{ clip-path: url(#c); fill:red }}</style><clipPath id='c'><rect \
             width='5' height='9'/></clipPath><rect class='a' width='20' height='10'/>"
        ))
    };
    let bitmap = drawn(&dressed(".a")).unwrap();
    assert_eq!([pixel(&bitmap, 2, 2), pixel(&bitmap, 9, 2)], [RED, CLEAR]);
    check_limit(&dressed("*"), "style sheet");
    check_limit(&dressed(".a, rect"), "style sheet");
    check_limit(&dressed(".a rect"), "style sheet");
}

#[test]
fn rules_times_elements_are_limited() {
    let styled = |rules: usize| {
        let rules = ".a{fill:red}".repeat(rules);
        svg(&format!("<style>{rules}</style>{}", "<g/>".repeat(3998)))
    };
    // A rule, and its only declaration without an end.
    drawn(&styled(2000)).unwrap();
    check_limit(&styled(2001), "style rules");
}

#[test]
fn filters_that_take_for_ever_are_refused() {
    let filtered = |primitive: &str| {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='2000' height='2000'><filter id='f'>\
             {primitive}</filter><rect width='2000' height='2000' filter='url(#f)'/></svg>"
        )
    };
    for primitive in [
        "<feMorphology operator='dilate' radius='900'/>".to_owned(),
        "<feTurbulence baseFrequency='0.1' numOctaves='99999'/>".to_owned(),
        format!(
            "<feConvolveMatrix order='99' kernelMatrix='{}'/>",
            "1 ".repeat(99 * 99)
        ),
        "<feGaussianBlur stdDeviation='50'/>".repeat(100),
    ] {
        let result = drawn(&filtered(&primitive));
        assert!(matches!(result, Err(Error::Limit(_))), "{result:?}");
    }
    drawn(&filtered("<feGaussianBlur stdDeviation='5'/>")).unwrap();
}

#[test]
fn outlines_that_take_for_ever_are_refused() {
    let zigzag = "L0 0L0 9000 ".repeat(60_000);
    check_limit(
        &format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='9000' height='9000'><path d='M0 0{zigzag}'/></svg>"
        ),
        "too long to draw",
    );
    let dashes = "<path d='M0 0L9e5 0' stroke='red' stroke-dasharray='1e-3'/>".repeat(200);
    check_limit(&svg(&dashes), "too long to draw");
}

#[test]
fn tiles_larger_than_memory_are_refused() {
    check_limit(
        &svg(
            "<pattern id='p' width='1e5' height='1e5' patternUnits='userSpaceOnUse'><path \
             d='M0 0h9v9z'/></pattern><rect width='20' height='10' fill='url(#p)'/>",
        ),
        "layers",
    );
}

#[test]
fn layers_are_told_before_they_are_held() {
    let probed = |inside: &str| probe(svg(inside).as_bytes(), &Limits::default()).unwrap();
    let flat = probed("<rect width='20' height='10'/>").held_bytes;
    let layered = probed(
        "<g opacity='0.5'><rect width='20' height='10'/><g opacity='0.5'><rect width='20' height='10'/></g></g>",
    );
    assert!(layered.held_bytes >= flat + 2 * 20 * 10 * 4);
}

#[test]
fn a_packed_drawing_is_no_picture() {
    let result = codec::probe(b"\x1F\x8B\x08", &Limits::default());
    assert!(matches!(result, Err(Error::Unsupported("gzip-compressed"))));
}

#[test]
fn nothing_is_fetched() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for href in [
        file,
        "file:///etc/passwd",
        "http://127.0.0.1:9/x.png",
        "x.png",
    ] {
        let text = svg(&format!(
            "<image xlink:href='{href}' width='20' height='10'/><use xlink:href='{href}#a'/>"
        ));
        let bitmap = drawn(&text).unwrap();
        assert_eq!(pixel(&bitmap, 5, 5), CLEAR);
    }
    let entity = "<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let _ = drawn(&format!("{entity}{}", svg("<text>&x;</text>")));
}

/// A red picture of this size, as a `data:` URL.
fn data_url(width: u32, height: u32) -> String {
    let bitmap = Bitmap {
        size: Size::new(width, height),
        layout: Layout::Rgb,
        samples: Samples::U8([255, 0, 0].repeat((width * height) as usize)),
        colour: Colour::Srgb,
    };
    let options = codec::EncodeOptions {
        format: crate::pixels::format::OutputFormat::WebP,
        quality: 80,
        lossless: true,
        progressive: false,
        effort: crate::pixels::codec::Effort::Quick,
        exif: None,
    };
    let bytes = codec::encode(&bitmap, &options, &Cancel::default()).unwrap();
    format!("data:image/webp;base64,{}", base64(&bytes))
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn pictures_inside_are_drawn() {
    let url = data_url(4, 2);
    let text = svg(&format!(
        "<image xlink:href='{url}' width='10' height='5'/>"
    ));
    let bitmap = drawn(&text).unwrap();
    assert_eq!([pixel(&bitmap, 5, 2), pixel(&bitmap, 15, 2)], [RED, CLEAR]);
}

#[test]
fn pictures_inside_have_limits() {
    let small = format!(
        "<image xlink:href='{}' width='1' height='1'/>",
        data_url(1, 1)
    );
    drawn(&svg(&small.repeat(64))).unwrap();
    check_limit(&svg(&small.repeat(65)), "64 pictures");
    let large = format!(
        "<image xlink:href='{}' width='1' height='1'/>",
        data_url(2048, 2048)
    );
    drawn(&svg(&large.repeat(4))).unwrap();
    check_limit(
        &svg(&format!("{}{small}", large.repeat(4))),
        "16777216 pixels",
    );
}

#[test]
fn a_drawing_inside_of_a_drawing_is_left_out() {
    let inner = base64(svg("<rect width='20' height='10' fill='red'/>").as_bytes());
    let text = svg(&format!(
        "<image xlink:href='data:image/svg+xml;base64,{inner}' width='20' height='10'/>"
    ));
    assert_eq!(pixel(&drawn(&text).unwrap(), 5, 5), CLEAR);
}

#[test]
fn a_job_that_is_called_off_ends() {
    let text = svg("");
    let header = probe(text.as_bytes(), &Limits::default()).unwrap();
    let cancel = Arc::new(Cancel::default());
    cancel.cancel();
    let result = decode(text.as_bytes(), &header, &Limits::default(), &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
}

#[test]
fn damaged_drawings_end_in_an_answer() {
    let url = data_url(4, 2);
    let text = svg(&format!(
        "<style>.a{{fill:url(#p)}}</style><defs><linearGradient id='g'><stop offset='0'/><stop \
         offset='1' stop-color='red'/></linearGradient><pattern id='p' width='3' height='3'><circle \
         r='2' fill='url(#g)'/></pattern><filter id='f'><feGaussianBlur stdDeviation='1'/>\
         <feMorphology radius='2'/></filter><mask id='m'><rect width='9' height='9' \
         fill='white'/></mask><marker id='k'><path d='M0 0L1 1'/></marker></defs><g mask='url(#m)' \
         filter='url(#f)' transform='rotate(3) scale(2)'><path class='a' d='M1 1C2 3 4 5 6 7A1 2 3 0 \
         1 4 5z' stroke='red' stroke-dasharray='1 2'/></g><use xlink:href='#p'/><image \
         xlink:href='{url}' width='9' height='5'/><path marker-mid='url(#k)' d='M1 1L2 2L3 3'/>"
    ));
    drawn(&text).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..600 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..4) {
                0 => bytes[at] = random.u8(32..127),
                1 => bytes[at] = random.u8(b'0'..=b'9'),
                2 => drop(bytes.remove(at)),
                _ => {
                    let to = (at + random.usize(0..40)).min(bytes.len());
                    let piece = bytes[at..to].to_vec();
                    let place = random.usize(0..bytes.len());
                    bytes.splice(place..place, piece);
                }
            }
        }
        let _ = drawn(&String::from_utf8(bytes).unwrap());
    }
}
