use proptest::prelude::*;

use super::*;
use crate::pixels::geometry::Share;

fn parse(query: &str) -> Transform {
    Transform::parse(query, Dialect::Imgix, false).unwrap_or_else(|e| panic!("{query}: {e}"))
}

/// A query, and what it sets beside the defaults.
#[track_caller]
fn check(query: &str, expected: Transform) {
    assert_eq!(
        Transform::parse(query, Dialect::Imgix, false),
        Ok(expected),
        "{query}"
    );
}

/// A query that is refused, with the parameter that is named.
#[track_caller]
fn refused(query: &str, parameter: &str) {
    let error = Transform::parse(query, Dialect::Imgix, false).expect_err(query);
    assert_eq!(error.parameter, parameter, "{query}: {error}");
    assert!(
        error.sentence.contains(&format!("`{parameter}`")),
        "{error}"
    );
    assert!(error.sentence.len() < 400, "{error}");
    assert!(!error.sentence.contains(char::is_control), "{error}");
}

fn px(n: u32) -> Length {
    Length::Pixels(n)
}

fn none() -> Transform {
    Transform::default()
}

#[test]
fn sizes_are_read() {
    check("", none());
    let both = Transform {
        width: Some(px(800)),
        height: Some(px(500)),
        ..none()
    };
    check("w=800&h=500", both.clone());
    check("width=800&height=500", both.clone());
    check("height=500&w=800&", both);
    let half = Some(Length::Share(Share(500_000)));
    check(
        "w=0.5",
        Transform {
            width: half,
            ..none()
        },
    );
    check(
        "dpr=2.5",
        Transform {
            dpr: Some(2500),
            ..none()
        },
    );
    check(
        "max-w=640",
        Transform {
            max_width: Some(640),
            ..none()
        },
    );
    let ratio = Some((16, 9));
    check(
        "ar=16%3A9",
        Transform {
            aspect_ratio: ratio,
            ..none()
        },
    );
    check(
        "aspect_ratio=32:18",
        Transform {
            aspect_ratio: ratio,
            ..none()
        },
    );
}

#[test]
fn fit_words_mean_what_the_dialect_says() {
    let fit = |word: &str, dialect| {
        let parsed = Transform::parse(&format!("fit={word}"), dialect, false);
        parsed.expect(word).fit.expect("a fit")
    };
    for (word, imgix, css) in [
        ("inside", Fit::Inside, Fit::Inside),
        ("max", Fit::Inside, Fit::Inside),
        ("clip", Fit::Inside, Fit::Inside),
        ("bounds", Fit::Inside, Fit::Inside),
        ("scale-down", Fit::Inside, Fit::Inside),
        ("contain", Fit::Inside, Fit::Pad),
        ("cover", Fit::Cover, Fit::Cover),
        ("crop", Fit::Cover, Fit::Cover),
        ("min", Fit::Min, Fit::Min),
        ("fill", Fit::Pad, Fit::Stretch),
        ("fillmax", Fit::Pad, Fit::Pad),
        ("pad", Fit::Pad, Fit::Pad),
        ("clamp", Fit::Clamp, Fit::Clamp),
        ("scale", Fit::Stretch, Fit::Stretch),
        ("Stretch", Fit::Stretch, Fit::Stretch),
    ] {
        assert_eq!(fit(word, Dialect::Imgix), imgix, "{word}");
        assert_eq!(fit(word, Dialect::Css), css, "{word}");
    }
}

#[test]
fn crops_are_words_numbers_or_one() {
    let at = |x, y| {
        let (x, y) = (Share(x), Share(y));
        Some(Gravity::Point { x, y })
    };
    let check_gravity = |query: &str, expected| {
        assert_eq!(parse(query).gravity, expected, "{query}");
    };
    check_gravity("crop=top,left", at(0, 0));
    check_gravity("crop=right", at(1_000_000, 500_000));
    check_gravity("crop=bottom+center", at(500_000, 1_000_000));
    check_gravity("crop_gravity=northeast", at(1_000_000, 0));
    check_gravity("position=right%20top", at(1_000_000, 0));
    check_gravity("gravity=south-west", at(0, 1_000_000));
    check_gravity("crop=entropy", Some(Gravity::Entropy));
    check_gravity("crop=faces,entropy", Some(Gravity::Entropy));
    check_gravity("crop=faces", Some(Gravity::Smart));
    check_gravity("crop=smart", Some(Gravity::Smart));
    check_gravity("position=attention", Some(Gravity::Smart));
    check_gravity("crop=edges,smart", Some(Gravity::Entropy));
    check_gravity("crop=faces,top", at(500_000, 0));
    check_gravity("crop=focalpoint&fp-x=.25&fp-y=0.3", at(250_000, 300_000));
    check_gravity("fp-x=1", at(1_000_000, 500_000));
    check_gravity("crop=focalpoint", at(500_000, 500_000));
    check_gravity("crop=top&fp-x=0.25", at(500_000, 0));
    check_gravity("crop=1&crop_gravity=north", at(500_000, 0));
    assert_eq!(parse("crop=1").fit, Some(Fit::Cover));
    assert_eq!(parse("crop=1&fit=max").fit, Some(Fit::Inside));
    let region = parse("crop=300,200,10,0").rect;
    assert_eq!(region, parse("rect=10,0,300,200").rect);
    assert!(region.is_some());
    let rect = parse("rect=0.1,0.0,.5,1.0").rect.expect("a region");
    assert_eq!(rect.x, Length::Share(Share(100_000)));
    assert_eq!(rect.y, Length::Pixels(0));
    assert_eq!(rect.height, Length::Share(Share(1_000_000)));
    for bad in [
        "left,right",
        "top,top",
        "nonsense",
        "",
        ",",
        "-1,-1,0,0",
        "1,2,3",
        "1,2,3,4,5",
        "0,1,2,3",
        "0",
        "2",
    ] {
        refused(&format!("crop={bad}"), "crop");
    }
    for bad in ["1,2,3", "-1,0,5,5", "0,0,0,5", "0,0,65536,5", "0.5,0,1.1,1"] {
        refused(&format!("rect={bad}"), "rect");
    }
    assert!(parse("rect=65535,0,65535,1").rect.is_some());
}

#[test]
fn formats_and_auto_are_read() {
    let format = |query: &str| parse(query).format;
    assert_eq!(format("fm=jpg"), Some(OutputFormat::Jpeg));
    assert_eq!(format("format=WebP"), Some(OutputFormat::WebP));
    assert_eq!(format("output=avif"), Some(OutputFormat::Avif));
    assert_eq!(format("fm64=d2VicA"), Some(OutputFormat::WebP));
    assert_eq!(format("fm64=d2VicA=="), Some(OutputFormat::WebP));
    assert_eq!(format("f=png"), Some(OutputFormat::Png));
    assert_eq!(format("f=crop"), None);
    assert_eq!(parse("fm=pjpg").progressive, Some(true));
    assert_eq!(parse("fm=pjpg&progressive=0").progressive, Some(false));
    assert_eq!(parse("format=auto"), parse("auto=format"));
    let auto = |query: &str| (parse(query).auto.format, parse(query).auto.compress);
    assert_eq!(auto("auto=format,compress"), (true, true));
    assert_eq!(auto("auto=compress&auto=format"), (true, true));
    assert_eq!(auto("auto=compress"), (false, true));
    assert_eq!(auto("auto=webp"), (true, false));
    assert_eq!(auto("auto=true"), (true, false));
    assert_eq!(auto("auto=enhance,redeye"), (false, false));
    refused("auto=", "auto");
    refused("auto=%00", "auto");
    refused("fm=png&f=webp", "f");
    refused("fm64=%2a", "fm64");
    refused("w64=YWJj", "w64");
    assert_eq!(parse("w64=NDAw").width, Some(px(400)));
}

#[test]
fn colours_have_their_alpha_where_the_dialect_has_it() {
    let colour = |query: &str, dialect| {
        let parsed = Transform::parse(query, dialect, false);
        parsed.expect(query).background
    };
    let (imgix, css) = (Dialect::Imgix, Dialect::Css);
    assert_eq!(colour("bg=ff0000", imgix), Some([255, 0, 0, 255]));
    assert_eq!(colour("background=%23f00", css), Some([255, 0, 0, 255]));
    assert_eq!(colour("b=80ff0000", imgix), Some([255, 0, 0, 128]));
    assert_eq!(colour("bg=ff000080", css), Some([255, 0, 0, 128]));
    assert_eq!(colour("bg=transparent", css), Some([0; 4]));
    assert_eq!(colour("bg=fff&fill-color=000", imgix), Some([255; 4]));
    assert_eq!(
        colour("fit=fill&bg=fff&fill-color=000", imgix),
        Some([0, 0, 0, 255])
    );
    assert_eq!(colour("fill-color=fff&fill=solid", imgix), Some([255; 4]));
    for bad in ["ff", "ggg", "", "%23%23fff", "ff00000", "red;"] {
        refused(&format!("bg={bad}"), "bg");
    }
}

#[test]
fn the_rest_is_read() {
    assert_eq!(parse("rot=90").rotate, Some(90));
    assert_eq!(parse("blur=100").blur, Some(500));
    assert_eq!(parse("blur=2000").blur, Some(10_000));
    assert_eq!(parse("gamma=2.2").gamma, Some(220));
    assert_eq!(parse("bri=-100").brightness, Some(-100));
    assert_eq!(parse("sat=100").saturation, Some(100));
    assert_eq!(parse("pad=1,2").pad, Some([1, 2, 1, 2]));
    assert_eq!(parse("trim=auto").trim, Some(10));
    assert_eq!(parse("trim=false").trim, None);
    assert_eq!(parse("orient=90").orient, Some(Orient::Exif(6)));
    assert_eq!(parse("orient=0").orient, Some(Orient::Auto));
    assert_eq!(parse("strip=0").metadata, Some(Metadata::All));
    let copyright = parse("strip=1&metadata=copyright").metadata;
    assert_eq!(copyright, Some(Metadata::Copyright));
    assert_eq!(parse("lossless").lossless, Some(true));
    assert_eq!(parse("anim=0").animate, Some(false));
    assert_eq!(parse("frame=3").page, Some(3));
    assert_eq!(parse("expires=1900000000").expires, Some(1_900_000_000));
    assert_eq!(parse("v=%zz&s=anything&explain"), none());
    let both = Some(Flip {
        horizontal: true,
        vertical: true,
    });
    assert_eq!(parse("flip=hv").flip, both);
    assert_eq!(parse("flip=both").flip, both);
}

#[test]
fn bad_values_are_refused_by_the_name_that_was_typed() {
    for bad in [
        "0",
        "-1",
        "abc",
        "1e3",
        "NaN",
        "0x10",
        "99999999999999999999",
        "%00",
        "%D9%A1%D9%A2",
        "%zz",
        "",
        "8193",
        "1.5",
        "10%20",
        "%2b10",
        "+10",
    ] {
        refused(&format!("w={bad}"), "w");
        refused(&format!("h=10&width={bad}"), "width");
    }
    refused("w", "w");
    refused("w=10&h=-5", "h");
    refused("fm=exe", "fm");
    refused("fm=", "fm");
    refused("fm=../../x", "fm");
    refused("q=-1", "q");
    refused("quality=0", "quality");
    refused("quality=101", "quality");
    refused("dpr=abc", "dpr");
    refused("dpr=0", "dpr");
    refused("dpr=5.001", "dpr");
    refused("blur=1e30", "blur");
    refused("blur=2000.001", "blur");
    refused("rot=360", "rot");
    refused("pad=1,2,3", "pad");
    refused("pad=2049", "pad");
    refused("expires=253402300800", "expires");
    refused("expires=soon", "expires");
    refused("preset=a/b", "preset");
    refused(&format!("preset={}", "a".repeat(65)), "preset");
    refused("sharpen=true", "sharpen");
    refused("gamma=0.099", "gamma");
}

#[test]
fn sentences_say_what_was_expected() {
    let sentence = |query: &str, strict| {
        let error = Transform::parse(query, Dialect::Imgix, strict).expect_err(query);
        error.to_string()
    };
    assert_eq!(
        sentence("width=0", false),
        "parameter `width` must be a whole number of pixels from 1 to 8192, or a fraction such \
         as 0.5, not `0`"
    );
    assert_eq!(
        sentence("w=100&width=100", false),
        "parameter `width` must be given only once; `w` is the same parameter"
    );
    assert_eq!(
        sentence("q=", false),
        "parameter `q` must be a whole number from 1 to 100, or auto, not nothing"
    );
    assert_eq!(
        sentence("dpr=9", false),
        "parameter `dpr` must be a number from 0.001 to 5, not `9`"
    );
    assert_eq!(
        sentence("w=%zz", false),
        "parameter `w` must be percent-encoded (`%` and two hexadecimal digits), not `%zz`"
    );
    assert_eq!(
        sentence("widht=100", true),
        "parameter `widht` must be one of the documented names; did you mean `width`?"
    );
}

#[test]
fn a_parameter_counts_once_under_all_its_names() {
    refused("w=200&w=300", "w");
    refused("w=200&w=200", "w");
    refused("w=200&width=300", "width");
    refused("w=200&w64=MzAw", "w64");
    refused("fm=png&fm=webp", "fm");
    refused("fit=crop&resize=cover", "resize");
    refused("page=1&frame=1", "frame");
    refused("bg=fff&background=fff", "background");
    refused("v=1&v=2", "v");
    parse("crop=1&crop_gravity=north&bg=fff&fill-color=000&fill=solid&auto=format&auto=compress");
}

#[test]
fn unknown_names_are_ignored_or_refused() {
    for unknown in [
        "ixlib=js-3.8.0",
        "project=p1",
        "project=",
        "filename=a.jpg",
        "we",
        "utm_source=x",
        "ixlib=a&ixlib=b",
        "withoutEnlargement=true",
        "disable=upscale",
        "sharp=true",
        "url=http://169.254.169.254/",
        "w[]=200",
        "x=%zz",
        "%ff=%ff",
        "f=exe",
        "s64=x",
        "=",
    ] {
        for query in [format!("w=200&{unknown}"), format!("{unknown}&w=200")] {
            check(&query, parse("w=200"));
            let strict = Transform::parse(&query, Dialect::Imgix, true);
            let error = strict.expect_err(&query).to_string();
            assert!(error.starts_with("parameter `"), "{error}");
        }
    }
}

#[test]
fn what_clients_send_is_accepted() {
    for query in [
        "ixlib=js-3.8.0&w=800&h=800&fit=max",
        "w=400&auto=format&s=38a4cdfafed37b2473e22a5ce93345bf",
        "w=320&h=240&fit=crop&dpr=5&q=20",
        "auto=format&fit=crop&ar=16%3A9&ixlib=react-9.11.0&w=283",
        "width=800&height=500&quality=80&aspect_ratio=800%3A500&output=webp",
        "width=800&height=500&format=webp&quality=80&fit=cover&withoutEnlargement=true",
        "fit=crop&auto=webp&disable=upscale",
        "width=800&height=500&quality=80&output=webp&project=",
        "width=800&height=500&quality=80&format=webp&resize=cover",
        "width=800&height=500&quality=80&format=webp&fit=bounds",
        "rect=500,0,3000,3000&w=400&h=400&fit=crop&auto=format",
        "fill=solid&fill-color=ff0000&fit=fill&w=500&h=500",
        "w=8192&max-w=640&rot=90&flip=h&blur=100&bg=ff0000&dpr=2.5&crop=1",
        "fm=pjpg&q=90&expires=1900000000&fit=fillmax&fp-x=0.25",
    ] {
        parse(query);
    }
}

#[test]
fn defaults_fill_in_what_was_not_said() {
    let preset = parse("w=150&h=150&fit=crop&q=70&auto=compress");
    let merged = parse("q=50&auto=format").or(&preset);
    assert_eq!(
        merged,
        parse("w=150&h=150&fit=crop&q=50&auto=compress,format")
    );
}

/// Parameters of each kind, each under two of its spellings.
const SPELLINGS: &[[&str; 2]] = &[
    ["w=400", "width=400"],
    ["h=0.5", "height=.5"],
    ["q=75", "quality=75"],
    ["fm=jpg", "format=jpeg"],
    ["fit=crop", "resize=cover"],
    ["ar=16:9", "aspect_ratio=32%3a18"],
    ["bg=f00", "background=%23ff0000"],
    ["rot=90", "rotate=90"],
    ["crop=top,left", "crop=left+top"],
    ["auto=format", "auto=webp"],
    ["bri=5", "brightness=5"],
    ["page=2", "frame=2"],
    ["dpr=2", "dpr=2.0"],
    ["lossless=1", "lossless"],
    ["max-w=640", "max-width64=NjQw"],
];

proptest! {
    #[test]
    fn parsing_never_panics(query in ".{0,300}", strict: bool) {
        let _ = Transform::parse(&query, Dialect::Css, strict);
    }

    #[test]
    fn parsing_known_names_never_panics(
        parts in proptest::collection::vec((0..TABLE.len(), "[-0-9a-z.,:%#+ é]{0,12}"), 0..8)
    ) {
        let query: Vec<_> = parts.iter().map(|(i, v)| format!("{}={v}", TABLE[*i].name)).collect();
        let query = query.join("&");
        if let Err(error) = Transform::parse(&query, Dialect::Imgix, false) {
            prop_assert!(TABLE.iter().any(|p| p.name == error.parameter), "{}", error);
        }
    }

    #[test]
    fn order_and_spelling_do_not_matter(
        picks in proptest::sample::subsequence((0..SPELLINGS.len()).collect::<Vec<_>>(), 0..8)
            .prop_shuffle(),
        spelling: u16,
        unknown in "[a-z]{9}=[^&]{0,9}",
    ) {
        let mut sorted = picks.clone();
        sorted.sort_unstable();
        let plain: Vec<_> = sorted.iter().map(|&i| SPELLINGS[i][0]).collect();
        let mut other: Vec<_> = picks
            .iter()
            .map(|&i| SPELLINGS[i][usize::from(spelling >> i & 1)])
            .collect();
        other.push(&unknown);
        prop_assert_eq!(parse(&plain.join("&")), parse(&other.join("&")));
    }
}
