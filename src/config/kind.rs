//! Kinds of settings: how each is read from a file's or a variable's value, shown, and described.

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf, time::Duration};

use crate::{origin::Secret, recipe::signature::Key};

/// A value as it was written. The environment and the command line write text only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// Text.
    Text(String),
    /// A number, as its digits.
    Number(String),
    /// True or false.
    Bool(bool),
    /// Values in brackets.
    List(Vec<Self>),
    /// A date, or another thing that no setting is.
    Other(&'static str),
}

impl Raw {
    /// What stands there, if it is one word.
    fn word(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// The members of a list; text is a list with commas.
    fn members(&self) -> Option<Vec<String>> {
        match self {
            Self::Text(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|member| !member.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            Self::Number(digits) => Some(vec![digits.clone()]),
            Self::List(list) => list
                .iter()
                .map(|member| member.word().map(str::to_owned))
                .collect(),
            Self::Bool(_) | Self::Other(_) => None,
        }
    }

    /// For messages; long text is cut.
    pub(super) fn shown(&self) -> String {
        const LONGEST: usize = 60;
        match self {
            Self::Text(text) | Self::Number(text) => {
                let mut cut: String = text.chars().take(LONGEST).collect();
                if cut.len() < text.len() {
                    cut.push('…');
                }
                format!("`{cut}`")
            }
            Self::Bool(value) => format!("`{value}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Other(what) => format!("a {what}"),
        }
    }
}

/// A kind of setting whose value is a `V`.
pub(super) trait Kind<V> {
    /// The value, or `None` where it is not [`Kind::words`].
    fn read(&self, raw: &Raw) -> Option<V>;
    /// As a TOML literal; `None`: not set.
    fn show(&self, value: &V) -> Option<String>;
    /// "must be …"
    fn words(&self) -> String;
}

/// Bytes, from and to.
pub(super) struct Size(pub(super) u64, pub(super) u64);
/// A time, from and to.
pub(super) struct Time(pub(super) Duration, pub(super) Duration);
/// A whole number, from and to.
pub(super) struct Whole(pub(super) u64, pub(super) u64);
/// A number of pixels, from and to.
pub(super) struct Pixels(pub(super) u64, pub(super) u64);
/// A number with decimals, kept in thousandths, from and to (in thousandths).
pub(super) struct Thousandths(pub(super) u32, pub(super) u32);
/// `true` or `false`.
pub(super) struct Flag;
/// Text, not empty.
pub(super) struct Text;
/// Text, maybe empty.
pub(super) struct AnyText;
/// Text that can stand in an HTTP header.
pub(super) struct HeaderText;
/// An address and port.
pub(super) struct Address;
/// Any of these, or `none`.
pub(super) struct Maybe<K>(pub(super) K);
/// Texts.
pub(super) struct Words;
/// Whole numbers, from and to; kept in ascending order, each once.
pub(super) struct Ladder(pub(super) u64, pub(super) u64);
/// One of these words.
pub(super) struct Choice<V: 'static>(pub(super) &'static [(&'static str, V)]);
/// A folder.
pub(super) struct Folder;
/// Text that is never shown.
pub(super) struct SecretText;
/// Keys that sign URLs, never shown.
pub(super) struct Keys;

impl<V: TryFrom<u64> + TryInto<u64> + Copy> Kind<V> for Size {
    fn read(&self, raw: &Raw) -> Option<V> {
        let bytes = parse_size(raw.word()?)?;
        ((self.0..=self.1).contains(&bytes)).then(|| V::try_from(bytes).ok())?
    }
    fn show(&self, value: &V) -> Option<String> {
        Some(quoted(&show_size((*value).try_into().ok()?)))
    }
    fn words(&self) -> String {
        format!(
            "a size from {} to {} such as `64MB` or `64MiB`",
            show_size(self.0),
            show_size(self.1)
        )
    }
}

impl Kind<Duration> for Time {
    fn read(&self, raw: &Raw) -> Option<Duration> {
        let time = parse_time(raw.word()?)?;
        (self.0..=self.1).contains(&time).then_some(time)
    }
    fn show(&self, value: &Duration) -> Option<String> {
        Some(quoted(&show_time(*value)))
    }
    fn words(&self) -> String {
        format!(
            "a time from {} to {} such as `10s`, `250ms` or `1h`",
            show_time(self.0),
            show_time(self.1)
        )
    }
}

impl<V: TryFrom<u64> + TryInto<u64> + Copy> Kind<V> for Whole {
    fn read(&self, raw: &Raw) -> Option<V> {
        let number = raw.word()?.replace('_', "").parse().ok()?;
        ((self.0..=self.1).contains(&number)).then(|| V::try_from(number).ok())?
    }
    fn show(&self, value: &V) -> Option<String> {
        Some((*value).try_into().ok()?.to_string())
    }
    fn words(&self) -> String {
        format!("a whole number from {} to {}", self.0, self.1)
    }
}

impl Kind<u64> for Pixels {
    fn read(&self, raw: &Raw) -> Option<u64> {
        let word = raw.word()?.replace('_', "");
        let pixels = match word.strip_suffix("MP") {
            Some(millions) => millions
                .trim()
                .parse::<u64>()
                .ok()?
                .checked_mul(1_000_000)?,
            None => word.parse().ok()?,
        };
        (self.0..=self.1).contains(&pixels).then_some(pixels)
    }
    fn show(&self, value: &u64) -> Option<String> {
        Some(if *value >= 1_000_000 && value.is_multiple_of(1_000_000) {
            quoted(&format!("{}MP", value / 1_000_000))
        } else {
            value.to_string()
        })
    }
    fn words(&self) -> String {
        format!(
            "a number of pixels from {} to {} such as `100MP`",
            self.0, self.1
        )
    }
}

impl Kind<u32> for Thousandths {
    fn read(&self, raw: &Raw) -> Option<u32> {
        let (whole, decimals) = match raw.word()?.split_once('.') {
            Some((whole, decimals)) => (whole, decimals.trim_end_matches('0')),
            None => (raw.word()?, ""),
        };
        if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let part: u32 = format!("{decimals:0<3}").parse().ok()?;
        let value = whole
            .parse::<u32>()
            .ok()?
            .checked_mul(1000)?
            .checked_add(part)?;
        (self.0..=self.1).contains(&value).then_some(value)
    }
    fn show(&self, value: &u32) -> Option<String> {
        Some(show_thousandths(*value))
    }
    fn words(&self) -> String {
        format!(
            "a number from {} to {}, with at most three decimals",
            show_thousandths(self.0),
            show_thousandths(self.1)
        )
    }
}

impl Kind<bool> for Flag {
    fn read(&self, raw: &Raw) -> Option<bool> {
        match raw {
            Raw::Bool(value) => Some(*value),
            Raw::Text(text) => match text.trim() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
    fn show(&self, value: &bool) -> Option<String> {
        Some(value.to_string())
    }
    fn words(&self) -> String {
        "`true` or `false`".to_owned()
    }
}

impl Kind<String> for Text {
    fn read(&self, raw: &Raw) -> Option<String> {
        match raw {
            Raw::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        }
    }
    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
    fn words(&self) -> String {
        "text, not empty".to_owned()
    }
}

impl Kind<String> for AnyText {
    fn read(&self, raw: &Raw) -> Option<String> {
        match raw {
            Raw::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
    fn words(&self) -> String {
        "text".to_owned()
    }
}

impl Kind<String> for HeaderText {
    fn read(&self, raw: &Raw) -> Option<String> {
        let text = Text.read(raw)?;
        http::HeaderValue::from_str(&text).ok()?;
        text.is_ascii().then_some(text)
    }
    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
    fn words(&self) -> String {
        "text that can stand in an HTTP header".to_owned()
    }
}

impl Kind<SocketAddr> for Address {
    fn read(&self, raw: &Raw) -> Option<SocketAddr> {
        raw.word()?.parse().ok()
    }
    fn show(&self, value: &SocketAddr) -> Option<String> {
        Some(quoted(&value.to_string()))
    }
    fn words(&self) -> String {
        "an address and port such as `0.0.0.0:8080` or `[::]:8080`".to_owned()
    }
}

impl<V, K: Kind<V>> Kind<Option<V>> for Maybe<K> {
    fn read(&self, raw: &Raw) -> Option<Option<V>> {
        match raw.word() {
            Some("" | "none") => Some(None),
            _ => self.0.read(raw).map(Some),
        }
    }
    fn show(&self, value: &Option<V>) -> Option<String> {
        self.0.show(value.as_ref()?)
    }
    fn words(&self) -> String {
        format!("{}, or `none`", self.0.words())
    }
}

impl Kind<Vec<String>> for Words {
    fn read(&self, raw: &Raw) -> Option<Vec<String>> {
        raw.members()
    }
    fn show(&self, value: &Vec<String>) -> Option<String> {
        let members: Vec<_> = value.iter().map(|word| quoted(word)).collect();
        Some(format!("[{}]", members.join(", ")))
    }
    fn words(&self) -> String {
        "a list of texts".to_owned()
    }
}

impl Kind<Vec<u32>> for Ladder {
    fn read(&self, raw: &Raw) -> Option<Vec<u32>> {
        let one = Whole(self.0, self.1);
        let mut numbers = raw
            .members()?
            .into_iter()
            .map(|member| one.read(&Raw::Text(member)))
            .collect::<Option<Vec<u32>>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }
    fn show(&self, value: &Vec<u32>) -> Option<String> {
        let members: Vec<_> = value.iter().map(u32::to_string).collect();
        Some(format!("[{}]", members.join(", ")))
    }
    fn words(&self) -> String {
        format!("a list of whole numbers from {} to {}", self.0, self.1)
    }
}

impl<V: Copy + PartialEq> Kind<V> for Choice<V> {
    fn read(&self, raw: &Raw) -> Option<V> {
        let word = raw.word()?;
        let found = self.0.iter().find(|(name, _)| *name == word)?;
        Some(found.1)
    }
    fn show(&self, value: &V) -> Option<String> {
        let found = self.0.iter().find(|(_, known)| known == value)?;
        Some(quoted(found.0))
    }
    fn words(&self) -> String {
        let mut words = "one of ".to_owned();
        for (index, (name, _)) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { ", " };
            let _ = write!(words, "{gap}`{name}`");
        }
        words
    }
}

impl Kind<PathBuf> for Folder {
    fn read(&self, raw: &Raw) -> Option<PathBuf> {
        Text.read(raw).map(PathBuf::from)
    }
    fn show(&self, value: &PathBuf) -> Option<String> {
        Some(quoted(&value.to_string_lossy()))
    }
    fn words(&self) -> String {
        "the path of a folder".to_owned()
    }
}

impl Kind<Secret> for SecretText {
    fn read(&self, raw: &Raw) -> Option<Secret> {
        Text.read(raw).map(Secret)
    }
    fn show(&self, _value: &Secret) -> Option<String> {
        Some(quoted(HIDDEN))
    }
    fn words(&self) -> String {
        "text, not empty".to_owned()
    }
}

impl Kind<Vec<Key>> for Keys {
    fn read(&self, raw: &Raw) -> Option<Vec<Key>> {
        raw.members()?.iter().map(|text| parse_key(text)).collect()
    }
    fn show(&self, value: &Vec<Key>) -> Option<String> {
        let members: Vec<_> = value.iter().map(|_| quoted(HIDDEN)).collect();
        Some(format!("[{}]", members.join(", ")))
    }
    fn words(&self) -> String {
        "a list of keys, each text or `hex:` and an even number of hexadecimal digits".to_owned()
    }
}

/// Stands for a secret wherever a configuration is shown.
pub(super) const HIDDEN: &str = "…";

/// A key as it is written: its text's bytes, or `hex:` and digits.
pub(crate) fn parse_key(text: &str) -> Option<Key> {
    let bytes = match text.strip_prefix("hex:") {
        Some(digits) => hex::decode(digits).ok()?,
        None => text.as_bytes().to_vec(),
    };
    (!bytes.is_empty()).then(|| Key::new(bytes))
}

const SIZES: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// `64MB`, `64MiB`, `64 MB`, `65536`.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let unit = SIZES.iter().find(|(name, _)| text.ends_with(name));
    let (digits, factor) = match unit {
        Some((name, factor)) => (text.strip_suffix(name)?, *factor),
        None => (text, 1),
    };
    let number: u64 = digits.trim_end().replace('_', "").parse().ok()?;
    number.checked_mul(factor)
}

/// In the unit that makes it shortest, exactly.
pub(super) fn show_size(bytes: u64) -> String {
    SIZES
        .iter()
        .filter(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .map(|(name, factor)| format!("{}{name}", bytes / factor))
        .min_by_key(String::len)
        .unwrap_or_else(|| bytes.to_string())
}

const TIMES: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    // Longer names before those that they end with.
    ("ms", 1),
    ("m", 60_000),
    ("s", 1_000),
];

/// `10s`, `250ms`, `1h`, `0`.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (name, factor) = TIMES.iter().find(|(name, _)| text.ends_with(name))?;
    let digits = text.strip_suffix(name)?.trim_end();
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(*factor).map(Duration::from_millis)
}

/// In the largest unit that gives a whole number.
fn show_time(time: Duration) -> String {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if milliseconds == 0 {
        return "0s".to_owned();
    }
    let mut units = TIMES;
    units.sort_by_key(|(_, factor)| std::cmp::Reverse(*factor));
    units
        .iter()
        .find(|(_, factor)| milliseconds.is_multiple_of(*factor))
        .map_or_else(String::new, |(name, factor)| {
            format!("{}{name}", milliseconds / factor)
        })
}

fn show_thousandths(value: u32) -> String {
    let text = format!("{}.{:03}", value / 1000, value % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    #[track_caller]
    fn size(written: &str, expected: Option<u64>) {
        assert_eq!(parse_size(written), expected, "{written}");
    }

    #[test]
    fn sizes_have_units_of_ten_and_of_two() {
        size("0", Some(0));
        size("65536", Some(65536));
        size("64B", Some(64));
        size("64kB", Some(64_000));
        size("64KB", Some(64_000));
        size("64KiB", Some(65_536));
        size("64MB", Some(64_000_000));
        size("64 MiB", Some(64 << 20));
        size("2GB", Some(2_000_000_000));
        size("2GiB", Some(2 << 30));
        size("1_000", Some(1000));
        size("64M", None);
        size("-1", None);
        size("1.5GB", None);
        size("MB", None);
        size("", None);
        size("99999999999999GB", None);
    }

    #[track_caller]
    fn time(written: &str, expected: Option<u64>) {
        let expected = expected.map(Duration::from_millis);
        assert_eq!(parse_time(written), expected, "{written}");
    }

    #[test]
    fn times_have_units() {
        time("0", Some(0));
        time("250ms", Some(250));
        time("10s", Some(10_000));
        time("5m", Some(300_000));
        time("1h", Some(3_600_000));
        time("2d", Some(172_800_000));
        time("10", None);
        time("s", None);
        time("-1s", None);
        time("99999999999999999d", None);
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for bytes in [
            0,
            1,
            1000,
            1024,
            1_000_000,
            1 << 20,
            (1 << 20) + 1,
            50 << 20,
            u64::MAX,
        ] {
            assert_eq!(parse_size(&show_size(bytes)), Some(bytes));
        }
        for time in [0, 1, 250, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000] {
            let time = Duration::from_millis(time);
            assert_eq!(parse_time(&show_time(time)), Some(time));
        }
        for part in [1, 10, 500, 1000, 1250, 5000] {
            let raw = text(&show_thousandths(part));
            assert_eq!(Thousandths(1, 5000).read(&raw), Some(part));
        }
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let kind = Whole(1, 100);
        assert_eq!(Kind::<u8>::read(&kind, &text("0")), None);
        assert_eq!(Kind::<u8>::read(&kind, &text("1")), Some(1));
        assert_eq!(Kind::<u8>::read(&kind, &text("100")), Some(100));
        assert_eq!(Kind::<u8>::read(&kind, &text("101")), None);
        assert_eq!(Kind::<u8>::read(&Whole(0, 1000), &text("256")), None);
        assert_eq!(Thousandths(1, 5000).read(&text("5.001")), None);
        assert_eq!(Thousandths(1, 5000).read(&text("0.0001")), None);
        assert_eq!(
            Pixels(1, 100_000_000).read(&text("100MP")),
            Some(100_000_000)
        );
        assert_eq!(Pixels(1, 100_000_000).read(&text("101MP")), None);
    }

    #[test]
    fn lists_are_brackets_or_commas() {
        let brackets = Raw::List(vec![Raw::Number("640".into()), Raw::Number("320".into())]);
        assert_eq!(Ladder(1, 8192).read(&brackets), Some(vec![320, 640]));
        assert_eq!(
            Ladder(1, 8192).read(&text("640, 320,640")),
            Some(vec![320, 640])
        );
        assert_eq!(Ladder(1, 8192).read(&text("640,big")), None);
        assert_eq!(Words.read(&text("")), Some(vec![]));
        assert_eq!(Words.read(&Raw::List(vec![Raw::Bool(true)])), None);
    }

    #[test]
    fn keys_are_text_or_hexadecimal() {
        assert_eq!(parse_key("hex:00ff"), Some(Key::new([0, 255])));
        assert_eq!(parse_key("00ff"), Some(Key::new(*b"00ff")));
        assert_eq!(parse_key("hex:0"), None);
        assert_eq!(parse_key(""), None);
    }
}
