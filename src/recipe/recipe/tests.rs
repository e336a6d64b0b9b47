use proptest::prelude::*;

use super::*;
use crate::{
    pixels::geometry::Share,
    recipe::{dialect::Dialect, policy::PolicySettings},
};

const NOTHING: Accepts = Accepts {
    avif: false,
    webp: false,
};
const EVERYTHING: Accepts = Accepts {
    avif: true,
    webp: true,
};
const WEBP: Accepts = Accepts {
    avif: false,
    webp: true,
};

fn with(query: &str, accepts: Accepts, settings: PolicySettings) -> Recipe {
    let transform = Transform::parse(query, Dialect::Imgix, false)
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    Recipe::resolve(&transform, accepts, &Policy::new(settings))
}

fn recipe(query: &str) -> Recipe {
    with(query, NOTHING, PolicySettings::default())
}

#[track_caller]
fn same(one: &str, other: &str) {
    assert_eq!(recipe(one), recipe(other), "{one} and {other}");
    assert_eq!(recipe(one).canonical(), recipe(other).canonical());
}

#[track_caller]
fn differ(one: &str, other: &str) {
    assert_ne!(recipe(one), recipe(other), "{one} and {other}");
    assert_ne!(recipe(one).canonical(), recipe(other).canonical());
}

/// The box of a query: sides, fit, and whether it enlarges.
#[track_caller]
fn check(query: &str, width: u32, height: u32, fit: Fit, enlarge: bool) {
    let bounds = recipe(query).bounds;
    let px = |n| (n > 0).then_some(Length::Pixels(n));
    assert_eq!(
        (bounds.width, bounds.height),
        (px(width), px(height)),
        "{query}"
    );
    assert_eq!((bounds.fit, bounds.enlarge), (fit, enlarge), "{query}");
    assert_eq!(bounds.aspect_ratio, None, "{query}");
    assert_eq!(
        (bounds.max_width, bounds.max_height),
        (None, None),
        "{query}"
    );
    assert_eq!(bounds.dpr, 1000);
}

#[test]
fn the_spelling_of_a_recipe_is_pinned() {
    assert_eq!(
        recipe("").canonical(),
        "rect=-;trim=-;orient=auto;w=-;h=-;ar=-;maxw=-;maxh=-;dpr=1000;fit=inside;\
         gravity=500000,500000;enlarge=0;pad=0,0,0,0;bg=-;rotate=0;flip=00;blur=0;sharpen=0;\
         bri=0;con=0;sat=0;gamma=100;frames=all;profile=fast;avif=0;webp=0;fm=-;q=80;aim=-;lossless=0;\
         progressive=0;metadata=none"
    );
    let everything = "w=0.5&ar=16:9&dpr=2&crop=top,left&rect=1,0.5,30,40&trim=7&orient=6&max-h=50\
                      &pad=1,2,3,4&bg=80ff0000&rot=45&flip=hv&blur=100&sharpen=50&bri=-1&con=2\
                      &sat=-3&gamma=2.2&page=3&fm=jpg&auto=format&q=70&progressive=1&metadata=all\
                      &lossless=1&profile=fine";
    assert_eq!(
        with(everything, WEBP, PolicySettings::default()).canonical(),
        "rect=1p500000s30p40p;trim=7;orient=6;w=500000s;h=-;ar=16:9;maxw=-;maxh=50;dpr=1000;\
         fit=cover;gravity=0,0;enlarge=1;pad=1,2,3,4;bg=ff000080;rotate=45;flip=11;blur=500;\
         sharpen=50;bri=-1;con=2;sat=-3;gamma=220;frames=2;profile=fine;avif=0;webp=1;fm=jpeg;q=70;aim=-;lossless=1;\
         progressive=1;metadata=all"
    );
}

#[test]
fn a_box_is_met_as_the_fit_says() {
    check("", 0, 0, Fit::Inside, false);
    check("fit=crop&enlarge=1", 0, 0, Fit::Inside, false);
    check("w=800&h=500", 800, 500, Fit::Inside, false);
    check("w=800&h=500&enlarge=1", 800, 500, Fit::Inside, true);
    check("w=800&h=500&fit=cover", 800, 500, Fit::Cover, true);
    check("w=800&h=500&fit=cover&enlarge=0", 800, 500, Fit::Min, false);
    check("w=800&h=500&fit=min", 800, 500, Fit::Min, false);
    check("w=800&h=500&fit=min&enlarge=1", 800, 500, Fit::Cover, true);
    check("w=800&h=500&fit=scale", 800, 500, Fit::Stretch, true);
    check(
        "w=800&h=500&fit=scale&enlarge=0",
        800,
        500,
        Fit::Stretch,
        false,
    );
    check("w=800&h=500&fit=fill", 800, 500, Fit::Pad, false);
    check(
        "w=800&h=500&fit=clamp&enlarge=1",
        800,
        500,
        Fit::Clamp,
        true,
    );
    check("w=800&h=500&crop=1", 800, 500, Fit::Cover, true);
}

#[test]
fn one_side_alone_is_a_plain_resize() {
    for fit in ["crop", "cover", "min", "fill", "clamp", "scale", "max"] {
        check(&format!("w=800&fit={fit}"), 800, 0, Fit::Inside, false);
        check(&format!("h=500&fit={fit}"), 0, 500, Fit::Inside, false);
    }
    check("w=800&enlarge=1", 800, 0, Fit::Inside, true);
}

#[test]
fn a_ratio_makes_the_other_side() {
    check("w=640&ar=2:1", 640, 320, Fit::Cover, true);
    check("h=320&ar=2:1&fit=crop", 640, 320, Fit::Cover, true);
    check("w=640&ar=2:1&fit=min", 640, 320, Fit::Min, false);
    check("w=283&ar=16:9", 283, 159, Fit::Cover, true);
    check("w=1&ar=9:1", 1, 1, Fit::Cover, true);
    check("w=8192&ar=1:2", 4096, 8192, Fit::Cover, true);
    check("h=100&ar=2:1&fit=fill", 200, 100, Fit::Pad, false);
    // A picture that stays whole has its own ratio.
    check("w=640&ar=2:1&fit=max", 640, 0, Fit::Inside, false);
    // Both sides win, but a crop is still meant.
    check("w=800&h=500&ar=1:1", 800, 500, Fit::Cover, true);
    let share = recipe("w=0.5&ar=16:9").bounds;
    assert_eq!((share.aspect_ratio, share.fit), (Some((16, 9)), Fit::Cover));
    let alone = recipe("ar=1:1").bounds;
    assert_eq!((alone.width, alone.height), (None, None));
    assert_eq!((alone.aspect_ratio, alone.fit), (Some((1, 1)), Fit::Min));
    assert_eq!(recipe("ar=1:1&fit=max"), recipe(""));
}

#[test]
fn dpr_is_multiplied_in() {
    check("w=400&dpr=2", 800, 0, Fit::Inside, false);
    check("w=200&h=200&dpr=2.5&fit=crop", 500, 500, Fit::Cover, true);
    check("w=283&dpr=2.5", 708, 0, Fit::Inside, false);
    check("w=1&dpr=0.001", 1, 0, Fit::Inside, false);
    same("dpr=3", "");
    same("w=0.5&dpr=3", "w=0.5");
    same("w=100&dpr=2&blur=20&pad=5", "w=200&blur=40&pad=10");
    assert_eq!(recipe("w=100&dpr=5&blur=2000").effects.blur, MAX_BLUR);
}

#[test]
fn no_box_is_larger_than_what_may_be_asked_for() {
    check("w=8192&dpr=5", 8192, 0, Fit::Inside, false);
    check("w=8192&h=4096&dpr=2&fit=crop", 8192, 4096, Fit::Cover, true);
    check("w=4096&h=8192&dpr=5&fit=crop", 4096, 8192, Fit::Cover, true);
    check("w=1&h=8192&dpr=5&fit=crop", 1, 8192, Fit::Cover, true);
}

#[test]
fn ceilings_lower_the_box_and_keep_its_shape() {
    check("w=900&max-w=640&fit=crop", 640, 0, Fit::Inside, false);
    check("max-w=640", 640, 0, Fit::Inside, false);
    check("h=100&max-w=640", 640, 100, Fit::Inside, false);
    check("w=900&h=600&max-w=600&fit=crop", 600, 400, Fit::Cover, true);
    check(
        "w=900&h=600&max-h=300&max-w=899&fit=crop",
        450,
        300,
        Fit::Cover,
        true,
    );
    check(
        "w=900&h=600&max-w=900&max-h=600",
        900,
        600,
        Fit::Inside,
        false,
    );
    check("w=900&ar=3:2&max-h=300", 450, 300, Fit::Cover, true);
    check("w=400&dpr=2&max-w=640", 640, 0, Fit::Inside, false);
    let share = recipe("w=0.5&max-w=640").bounds;
    assert_eq!(share.max_width, Some(640));
    let larger = recipe("w=900&max-h=100&enlarge=1").bounds;
    assert_eq!(
        (larger.width, larger.max_height),
        (Some(Length::Pixels(900)), Some(100))
    );
}

#[test]
fn gravity_counts_only_where_something_is_cropped() {
    same("w=800&h=500&crop=top", "w=800&h=500");
    same("w=800&fit=crop&crop=top", "w=800");
    same("w=8&h=5&fit=crop&crop=center", "w=8&h=5&fit=crop");
    same("w=8&h=5&fit=crop&fp-x=0.5", "w=8&h=5&fit=crop");
    differ("w=8&h=5&fit=crop&crop=top", "w=8&h=5&fit=crop");
    differ("w=8&h=5&fit=min&crop=entropy", "w=8&h=5&fit=min");
    differ("w=8&ar=1:3&crop=left", "w=8&ar=1:3");
}

#[test]
fn defaults_spelled_out_change_nothing() {
    let defaults = "dpr=1&fit=max&enlarge=0&quality=80&lossless=0&progressive=0&metadata=none\
                    &anim=1&orient=auto&rotate=0&pad=0&blur=0&sharpen=0&brightness=0&contrast=0\
                    &saturation=0&gamma=1&trim=false&bg=transparent&rect=0,0,1.0,1.0&strip=1\
                    &fill=solid&auto=enhance&v=3&profile=fast";
    same(defaults, "");
    same(&format!("w=400&{defaults}"), "w=400");
    same("page=1&fm=png", "anim=0&fm=png");
    same("bg=00ff0000", "");
}

#[test]
fn settings_that_change_nothing_are_no_difference() {
    same("fm=png&q=10", "fm=png&lossless=1");
    same("fm=webp&lossless=1&q=10", "fm=webp&lossless=1");
    same("fm=webp&progressive=1", "fm=webp");
    same("fm=jpg&lossless=1", "fm=jpg");
    same("fm=jpg&anim=0", "fm=jpg");
    same("fm=pjpg", "fm=jpg&progressive=1");
    same("fm=jpg&profile=fine", "fm=jpg&profile=fine&progressive=1");
    differ("fm=jpg&profile=fine", "fm=jpg&profile=fine&progressive=0");
    same("fm=png&progressive=1", "fm=png");
    same("fm=gif&progressive=1", "fm=gif");
    differ("fm=webp&q=10", "fm=webp");
    differ("fm=webp&anim=0", "fm=webp");
    differ("lossless=1", "");
    // The format depends on the source, so quality may count.
    differ("lossless=1&q=10", "lossless=1");
}

#[test]
fn every_difference_has_its_spelling() {
    let queries = [
        "",
        "w=1",
        "w=0.000001",
        "h=1",
        "w=1&h=1",
        "w=11",
        "w=1&h=1&fit=crop",
        "w=1&h=1&fit=min",
        "w=1&h=1&fit=pad",
        "w=1&h=1&fit=clamp",
        "w=1&h=1&fit=scale",
        "w=1&h=1&fit=scale&enlarge=0",
        "w=1&h=1&fit=pad&enlarge=1",
        "w=1&enlarge=1",
        "w=1&h=1&fit=crop&crop=top",
        "w=1&h=1&fit=crop&crop=left",
        "w=1&h=1&fit=crop&crop=entropy",
        "w=.5&ar=7:3",
        "w=.5&ar=3:7",
        "ar=7:3",
        "w=.5&max-w=5",
        "w=.5&max-h=5",
        "rect=0,0,1,1",
        "rect=0,0,1.0,1",
        "rect=0,1,1,1",
        "rect=1,0,1,1",
        "rect=0,0,11,1",
        "rect=0,0,1,11",
        "trim=0",
        "trim=1",
        "orient=1",
        "orient=2",
        "pad=1",
        "pad=1,0",
        "pad=0,1",
        "pad=0,0,0,1",
        "bg=000",
        "bg=fff",
        "bg=80ffffff",
        "rot=1",
        "rot=10",
        "flip=h",
        "flip=v",
        "flip=hv",
        "blur=20",
        "sharpen=20",
        "bri=1",
        "bri=-1",
        "con=1",
        "sat=1",
        "gamma=2",
        "anim=0",
        "page=2",
        "fm=jpg",
        "fm=png",
        "fm=webp",
        "fm=avif",
        "fm=gif",
        "auto=format",
        "auto=format&fm=jpg",
        "q=1",
        "q=10",
        "lossless=1",
        "progressive=1",
        "metadata=copyright",
        "metadata=all",
        "profile=fine",
    ];
    for (at, one) in queries.iter().enumerate() {
        for other in &queries[at + 1..] {
            let spell = |query| with(query, WEBP, PolicySettings::default()).canonical();
            assert_ne!(spell(one), spell(other), "{one} and {other}");
        }
    }
}

#[test]
fn the_client_decides_only_where_it_is_asked() {
    let output = |query: &str, accepts, auto_format| {
        let settings = PolicySettings {
            auto_format,
            ..PolicySettings::default()
        };
        let format = with(query, accepts, settings).output.format;
        (format.preferred, format.fallback)
    };
    let avif = OutputFormat::Avif.is_built_in();
    let both = Accepts { avif, webp: true };
    let png = Some(OutputFormat::Png);
    assert_eq!(output("", EVERYTHING, false), (NOTHING, None));
    assert_eq!(output("auto=format", EVERYTHING, false), (both, None));
    assert_eq!(output("auto=format", WEBP, false), (WEBP, None));
    assert_eq!(output("auto=format", NOTHING, false), (NOTHING, None));
    assert_eq!(output("auto=format&fm=png", WEBP, false), (WEBP, png));
    assert_eq!(output("auto=format&fm=png", NOTHING, false), (NOTHING, png));
    assert_eq!(output("format=auto", WEBP, false), (WEBP, None));
    assert_eq!(output("", WEBP, true), (WEBP, None));
    assert_eq!(output("fm=png", WEBP, true), (NOTHING, png));
    assert_eq!(output("auto=compress", WEBP, false), (NOTHING, None));
}

/// The aim of a query, and the quality where it begins.
#[track_caller]
fn check_aim(query: &str, aim: Option<u8>, quality: u8) {
    let settings = PolicySettings {
        quality_step: 7,
        ..PolicySettings::default()
    };
    let output = with(query, NOTHING, settings).output;
    assert_eq!((output.aim, output.quality), (aim, quality), "{query}");
}

#[test]
fn a_quality_of_its_own_is_an_aim() {
    check_aim("q=auto", Some(79), 80);
    check_aim("auto=compress", Some(68), 59);
    check_aim("auto=format,compress&q=AUTO", Some(68), 59);
    check_aim("auto=compress&q=90", None, 91);
    // What has no quality has none of its own.
    check_aim("q=auto&fm=png", None, 100);
    check_aim("q=auto&fm=webp&lossless=1", None, 100);
    check_aim("q=auto&fm=gif", None, 80);
    check_aim("q=auto&fm=webp&lossless=0", Some(79), 80);
    differ("q=auto&fm=webp", "fm=webp");
    differ("q=auto", "auto=compress");
    same("q=auto&fm=png", "fm=png");
}

#[test]
fn quality_has_a_default_and_steps() {
    let quality = |query: &str, quality_step| {
        let settings = PolicySettings {
            quality_step,
            ..PolicySettings::default()
        };
        let output = with(query, NOTHING, settings).output;
        assert_eq!(output.aim, None, "{query}");
        output.quality
    };
    assert_eq!(quality("", 1), 80);
    assert_eq!(quality("auto=compress&q=90", 1), 90);
    assert_eq!(quality("q=71", 5), 75);
    assert_eq!(quality("q=75", 5), 75);
    assert_eq!(quality("q=99", 7), 100);
    assert_eq!(quality("q=1", 100), 100);
    assert_eq!(quality("q=33", 0), 33);
}

#[test]
fn sizes_snap_up_to_the_ladder_in_output_pixels() {
    let sides = |query: &str| {
        let settings = PolicySettings {
            widths: vec![1280, 320, 640],
            ..PolicySettings::default()
        };
        let bounds = with(query, NOTHING, settings).bounds;
        let n = |side| match side {
            Some(Length::Pixels(n)) => n,
            _ => 0,
        };
        (n(bounds.width), n(bounds.height))
    };
    assert_eq!(sides("w=1"), (320, 0));
    assert_eq!(sides("w=320"), (320, 0));
    assert_eq!(sides("w=321"), (640, 0));
    assert_eq!(sides("w=320&dpr=2"), (640, 0));
    assert_eq!(sides("w=330&dpr=2"), (1280, 0));
    assert_eq!(sides("w=8000"), (1280, 0));
    assert_eq!(sides("h=300"), (0, 320));
    assert_eq!(sides("w=300&h=150&fit=crop"), (320, 160));
    assert_eq!(sides("w=2560&h=256&fit=crop"), (1280, 128));
    assert_eq!(sides("w=600&ar=2:1"), (640, 320));
    assert_eq!(sides("max-w=500"), (640, 0));
    assert_eq!(sides(""), (0, 0));
}

#[test]
fn dpr_stops_at_the_largest_allowed() {
    let settings = PolicySettings {
        max_dpr: 2000,
        ..PolicySettings::default()
    };
    let bounds = with("w=100&dpr=3", NOTHING, settings).bounds;
    assert_eq!(bounds.width, Some(Length::Pixels(200)));
}

fn some<T: std::fmt::Debug + Clone + 'static>(
    values: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(values)
}

fn lengths() -> impl Strategy<Value = Length> {
    prop_oneof![
        (1..=8192_u32).prop_map(Length::Pixels),
        (1..1_000_000_u32).prop_map(|n| Length::Share(Share(n))),
    ]
}

fn transforms() -> impl Strategy<Value = Transform> {
    let fits = prop_oneof![
        Just(Fit::Inside),
        Just(Fit::Cover),
        Just(Fit::Min),
        Just(Fit::Pad),
        Just(Fit::Clamp),
        Just(Fit::Stretch),
    ];
    let formats = proptest::sample::select(OutputFormat::ALL.to_vec());
    let size = (
        some(lengths()),
        some(lengths()),
        some(1..=8192_u32),
        some(1..=8192_u32),
        some((1..100_u32, 1..100_u32)),
        some(1..=5000_u32),
        some(fits),
        some(any::<bool>()),
    );
    let output = (
        some(formats),
        some(prop_oneof![
            (1..=100_u8).prop_map(Quality::At),
            Just(Quality::Auto)
        ]),
        some(any::<bool>()),
        some(any::<bool>()),
        any::<bool>(),
        some(any::<bool>()),
    );
    (size, output).prop_map(|(size, output)| Transform {
        width: size.0,
        height: size.1,
        max_width: size.2,
        max_height: size.3,
        aspect_ratio: size.4,
        dpr: size.5,
        fit: size.6,
        enlarge: size.7,
        format: output.0,
        quality: output.1,
        lossless: output.2,
        progressive: output.3,
        auto: crate::recipe::transform::Auto {
            format: output.4,
            compress: false,
        },
        animate: output.5,
        ..Transform::default()
    })
}

/// What a client would have typed to ask for this recipe outright.
fn spelled_out(recipe: &Recipe) -> Transform {
    let bounds = recipe.bounds;
    Transform {
        width: bounds.width,
        height: bounds.height,
        max_width: bounds.max_width,
        max_height: bounds.max_height,
        aspect_ratio: bounds.aspect_ratio,
        fit: Some(bounds.fit),
        gravity: Some(bounds.gravity),
        enlarge: Some(bounds.enlarge),
        dpr: Some(1000),
        format: recipe.output.format.fallback,
        quality: Some(match recipe.output.aim {
            Some(_) => Quality::Auto,
            None => Quality::At(recipe.output.quality),
        }),
        lossless: Some(recipe.output.lossless),
        progressive: Some(recipe.output.progressive),
        auto: crate::recipe::transform::Auto {
            format: true,
            compress: false,
        },
        animate: Some(recipe.frames == Frames::All),
        profile: Some(recipe.profile),
        ..Transform::default()
    }
}

proptest! {
    #[test]
    fn a_recipe_spelled_out_is_itself(transform in transforms(), accepts: (bool, bool)) {
        let accepts = Accepts { avif: accepts.0, webp: accepts.1 };
        let policy = Policy::new(PolicySettings::default());
        let once = Recipe::resolve(&transform, accepts, &policy);
        let twice = Recipe::resolve(&spelled_out(&once), once.output.format.preferred, &policy);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn different_recipes_are_spelled_differently(one in transforms(), other in transforms()) {
        let policy = Policy::new(PolicySettings::default());
        let one = Recipe::resolve(&one, WEBP, &policy);
        let other = Recipe::resolve(&other, WEBP, &policy);
        prop_assert_eq!(one == other, one.canonical() == other.canonical());
    }

    #[test]
    fn accept_changes_nothing_unless_the_policy_says_that_it_varies(
        transform in transforms(), auto_format: bool,
    ) {
        let settings = PolicySettings { auto_format, ..PolicySettings::default() };
        let policy = Policy::new(settings);
        let old = Recipe::resolve(&transform, NOTHING, &policy);
        let new = Recipe::resolve(&transform, EVERYTHING, &policy);
        prop_assert_eq!(old != new, policy.varies(&transform));
    }

    #[test]
    fn boxes_keep_the_promises_of_bounds(transform in transforms()) {
        let policy = Policy::new(PolicySettings::default());
        let b = Recipe::resolve(&transform, NOTHING, &policy).bounds;
        for side in [b.width, b.height].into_iter().flatten() {
            match side {
                Length::Pixels(n) => prop_assert!((1..=8192).contains(&n)),
                Length::Share(share) => prop_assert!((1..=1_000_000).contains(&share.0)),
            }
        }
        let sides = usize::from(b.width.is_some()) + usize::from(b.height.is_some());
        prop_assert!(b.fit == Fit::Inside || sides == 2 || b.aspect_ratio.is_some());
        let px = |side| matches!(side, Some(Length::Pixels(_)));
        prop_assert!(b.aspect_ratio.is_none() || (sides < 2 && !px(b.width) && !px(b.height)));
        prop_assert!(b.fit != Fit::Cover || b.enlarge);
        prop_assert!(b.fit != Fit::Min || !b.enlarge);
    }
}
