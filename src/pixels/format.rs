//! Picture formats: their names, their MIME types, and how their first bytes look.

/// A format that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OutputFormat {
    /// JPEG, 8 bits, no alpha.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless, also animated.
    WebP,
    /// AVIF; only in builds with the feature `avif-encode`.
    Avif,
    /// GIF, also animated.
    Gif,
}

/// A format that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputFormat {
    /// JPEG: baseline and progressive; gray, YCbCr, RGB, CMYK and YCCK.
    Jpeg,
    /// PNG and APNG.
    Png,
    /// WebP, also animated.
    WebP,
    /// AVIF.
    Avif,
    /// GIF, also animated.
    Gif,
    /// TIFF, first page.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// Windows icon, largest picture.
    Ico,
    /// SVG, also compressed: a drawing, of no size of its own.
    Svg,
    /// JPEG XL; only in builds with the feature `jxl`.
    Jxl,
}

/// What the first bytes of an object say it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// A format that we read.
    Known(InputFormat),
    /// A picture or document format, by name, that we do not read.
    Unsupported(&'static str),
    /// Nothing that we recognise.
    Unknown,
}

impl OutputFormat {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::WebP, Self::Avif, Self::Gif];

    /// The MIME type, as in `Content-Type`.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
        }
    }

    /// The name in URLs and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
        }
    }

    /// Whether this build can write it.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        !matches!(self, Self::Avif) || cfg!(feature = "avif-encode")
    }

    /// Whether it can hold transparency.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }
}

impl InputFormat {
    /// The MIME type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
            Self::Tiff => "image/tiff",
            Self::Bmp => "image/bmp",
            Self::Ico => "image/vnd.microsoft.icon",
            Self::Svg => "image/svg+xml",
            Self::Jxl => "image/jxl",
        }
    }

    /// The name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
            Self::Bmp => "bmp",
            Self::Ico => "ico",
            Self::Svg => "svg",
            Self::Jxl => "jxl",
        }
    }

    /// The name as people write it, for sentences.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Avif => "AVIF",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Ico => "icon",
            Self::Svg => "SVG",
            Self::Jxl => "JPEG XL",
        }
    }

    /// The same format, where we also write it.
    #[must_use]
    pub const fn output(self) -> Option<OutputFormat> {
        match self {
            Self::Jpeg => Some(OutputFormat::Jpeg),
            Self::Png => Some(OutputFormat::Png),
            Self::WebP => Some(OutputFormat::WebP),
            Self::Avif => Some(OutputFormat::Avif),
            Self::Gif => Some(OutputFormat::Gif),
            Self::Tiff | Self::Bmp | Self::Ico | Self::Svg | Self::Jxl => None,
        }
    }
}

/// How far into a text we look for what it is: a prolog, comments and a doctype fit.
const TEXT_WINDOW: usize = 4096;

/// The first box of a JPEG XL in a container.
const JXL_BOX: &[u8] = b"\0\0\0\x0CJXL \r\n\x87\n";

/// Says what an object is, by its first bytes alone: names and `Content-Type` lie.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Sniffed {
    use InputFormat::{Bmp, Gif, Ico, Jpeg, Png, Tiff, WebP};
    if bytes.starts_with(JXL_BOX) || bytes.starts_with(&[0xFF, 0x0A]) {
        return Sniffed::Known(InputFormat::Jxl);
    }
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Sniffed::Known(Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Sniffed::Known(Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Sniffed::Known(Gif),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Sniffed::Known(WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => sniff_brands(bytes),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Sniffed::Known(Tiff),
        [b'I', b'I', 43, 0, 8, 0, ..] | [b'M', b'M', 0, 43, 0, 8, ..] => {
            Sniffed::Unsupported("a BigTIFF")
        }
        [b'B', b'M', ..] if is_bitmap(bytes) => Sniffed::Known(Bmp),
        [0, 0, 1 | 2, 0, ..] if is_icon(bytes) => Sniffed::Known(Ico),
        _ => sniff_other(bytes),
    }
}

/// A box `ftyp` lists the specifications that a file follows: its major brand, a version, and
/// the compatible brands.
fn sniff_brands(bytes: &[u8]) -> Sniffed {
    // A file that lists more brands than this is no picture anybody has made.
    const MOST: usize = 64;
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let end = length.clamp(8, 8 + 4 * MOST).min(bytes.len());
    let brands = || bytes[8..end].chunks_exact(4);
    let has = |wanted: &[&[u8]]| brands().any(|brand| wanted.contains(&brand));
    if has(&[b"avif", b"avis", b"av01"]) {
        Sniffed::Known(InputFormat::Avif)
    } else if has(&[
        b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"hvc1",
    ]) {
        Sniffed::Unsupported("a HEIC picture")
    } else if has(&[b"jxl "]) {
        Sniffed::Known(InputFormat::Jxl)
    } else if has(&[b"jp2 ", b"jpx ", b"jpm "]) {
        Sniffed::Unsupported("a JPEG 2000 picture")
    } else if has(&[b"crx "]) {
        Sniffed::Unsupported("a camera's raw picture")
    } else if has(&[b"mif1", b"msf1", b"miaf"]) {
        // A general container; only its parser can tell what is inside.
        Sniffed::Known(InputFormat::Avif)
    } else {
        Sniffed::Unsupported("a video")
    }
}

/// `BM` begins many texts, too; the length of the second header is one of a few.
fn is_bitmap(bytes: &[u8]) -> bool {
    let header = bytes.get(14..18).and_then(|b| b.try_into().ok());
    matches!(
        header.map(u32::from_le_bytes),
        Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
    )
}

/// An icon's first four bytes begin much else: its directory must make sense.
fn is_icon(bytes: &[u8]) -> bool {
    let Some(count) = bytes.get(4..6) else {
        return false;
    };
    let count = usize::from(u16::from_le_bytes([count[0], count[1]]));
    let Some(first) = bytes.get(6..22) else {
        return false;
    };
    let length = u32::from_le_bytes([first[8], first[9], first[10], first[11]]);
    let offset = u32::from_le_bytes([first[12], first[13], first[14], first[15]]) as usize;
    // 255 in the reserved byte is what .NET writes.
    count > 0 && matches!(first[3], 0 | 255) && length > 0 && offset >= 6 + 16 * count
}

/// Pictures and documents that people mistake for pictures, by name.
fn sniff_other(bytes: &[u8]) -> Sniffed {
    let named: &[(&[u8], &str)] = &[
        (b"\0\0\0\x0CjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (&[0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 picture"),
        (&[0xFF, 0xD8], "a JPEG picture without a frame"),
        (b"8BPS", "a Photoshop document"),
        (b"%PDF", "a PDF"),
        (b"%!PS", "a PostScript document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x76\x2F\x31\x01", "an OpenEXR picture"),
        (b"#?RADIANCE", "a Radiance picture"),
        (b"qoif", "a QOI picture"),
        (b"DDS ", "a DirectDraw surface"),
        (b"farbfeld", "a farbfeld picture"),
        (b"gimp xcf", "a GIMP document"),
        (b"\x1AE\xDF\xA3", "a video"),
        (b"OggS", "an Ogg stream"),
        (b"RIFF", "a RIFF file other than WebP"),
        (b"FUJIFILMCCD-RAW", "a camera's raw picture"),
    ];
    let magic = named.iter().find(|(magic, _)| bytes.starts_with(magic));
    if let Some((_, name)) = magic {
        return Sniffed::Unsupported(name);
    }
    match bytes {
        [0x1F, 0x8B, ..] => Sniffed::Unsupported("gzip-compressed"),
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', ..] => {
            Sniffed::Unsupported("a Netpbm picture")
        }
        _ => sniff_text(bytes),
    }
}

/// Markup: skips what may stand before the first element, and looks at its name.
fn sniff_text(bytes: &[u8]) -> Sniffed {
    let mut rest = &bytes[..bytes.len().min(TEXT_WINDOW)];
    rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
    loop {
        rest = rest.trim_ascii_start();
        let is = |words: &[&[u8]]| words.iter().any(|word| starts_with_word(rest, word));
        let close: &[u8] = if rest.starts_with(b"<!--") {
            b"-->"
        } else if rest.starts_with(b"<?") {
            b"?>"
        } else if is(&[b"<svg", b"<svg:svg", b"<!doctype svg"]) {
            return Sniffed::Known(InputFormat::Svg);
        } else if is(&[b"<html", b"<head", b"<!doctype html"]) {
            return Sniffed::Unsupported("an HTML page");
        } else if rest.starts_with(b"<!") {
            b">"
        } else if rest.starts_with(b"<") {
            return Sniffed::Unsupported("an XML document");
        } else {
            return Sniffed::Unknown;
        };
        let Some(end) = rest.windows(close.len()).position(|w| w == close) else {
            return Sniffed::Unsupported("an XML document");
        };
        rest = &rest[end + close.len()..];
    }
}

fn starts_with_word(text: &[u8], word: &[u8]) -> bool {
    let Some(head) = text.get(..word.len()) else {
        return false;
    };
    let ends = text
        .get(word.len())
        .is_none_or(|b| !b.is_ascii_alphanumeric());
    head.eq_ignore_ascii_case(word) && ends
}

#[cfg(test)]
mod tests {
    use super::{InputFormat::*, Sniffed::*, *};

    #[track_caller]
    fn check(bytes: &[u8], expected: Sniffed) {
        assert_eq!(sniff(bytes), expected);
    }

    fn brands(list: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(8 + list.len())
            .unwrap()
            .to_be_bytes()
            .to_vec();
        bytes.extend_from_slice(b"ftyp");
        bytes.extend_from_slice(list);
        bytes
    }

    fn icon(kind: u8, offset: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, 0, 1, 0];
        bytes.extend_from_slice(&[16, 16, 0, 0, 1, 0, 32, 0, 40, 0, 0, 0, offset, 0, 0, 0]);
        bytes
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        check(b"\xFF\xD8\xFF\xE0", Known(Jpeg));
        check(b"\x89PNG\r\n\x1A\n", Known(Png));
        check(b"GIF87a", Known(Gif));
        check(b"GIF89a", Known(Gif));
        check(b"RIFF\0\0\0\0WEBPVP8 ", Known(WebP));
        check(b"II*\0", Known(Tiff));
        check(b"MM\0*", Known(Tiff));
        check(b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Known(Bmp));
        check(&icon(1, 22), Known(Ico));
        check(&icon(2, 22), Known(Ico));
    }

    #[test]
    fn brands_decide_what_a_container_holds() {
        check(&brands(b"avif\0\0\0\0mif1miaf"), Known(Avif));
        check(&brands(b"avis\0\0\0\0msf1"), Known(Avif));
        check(&brands(b"mif1\0\0\0\0mif1avif"), Known(Avif));
        check(&brands(b"mif1\0\0\0\0mif1miaf"), Known(Avif));
        check(
            &brands(b"mif1\0\0\0\0mif1heic"),
            Unsupported("a HEIC picture"),
        );
        check(&brands(b"heic\0\0\0\0mif1"), Unsupported("a HEIC picture"));
        check(&brands(b"isom\0\0\0\0mp41"), Unsupported("a video"));
        check(b"\0\0\0\x08ftyp", Unsupported("a video"));
        check(b"\xFF\xFF\xFF\xFFftypavif", Known(Avif));
    }

    #[test]
    fn what_is_no_picture_of_ours_has_a_name() {
        check(b"<svg/>", Known(InputFormat::Svg));
        check(
            b"\xEF\xBB\xBF \n<?xml version=\"1.0\"?><!-- x --><!DOCTYPE svg PUBLIC>",
            Known(InputFormat::Svg),
        );
        check(
            b"<?xml?>\n<!--<html>--><svg x='1'>",
            Known(InputFormat::Svg),
        );
        check(b"<!DOCTYPE HTML><svg>", Unsupported("an HTML page"));
        check(b"<html lang=en>", Unsupported("an HTML page"));
        check(b"<note>", Unsupported("an XML document"));
        check(b"%PDF-1.7", Unsupported("a PDF"));
        check(b"8BPS", Unsupported("a Photoshop document"));
        check(b"\xFF\x0A", Known(InputFormat::Jxl));
        check(b"\0\0\0\x0CJXL \r\n\x87\n", Known(InputFormat::Jxl));
        check(b"\x1F\x8B\x08", Unsupported("gzip-compressed"));
        check(b"II\x2B\0\x08\0\0\0", Unsupported("a BigTIFF"));
        check(b"P6\n1 1", Unsupported("a Netpbm picture"));
    }

    #[test]
    fn a_likeness_is_not_enough() {
        check(b"", Unknown);
        check(b"\x89PNG", Unknown);
        check(b"GIF88a", Unknown);
        check(b"BMW drives well enough", Unknown);
        check(&icon(1, 21), Unknown);
        check(&icon(3, 22), Unknown);
        check(b"\0\0\x01\0", Unknown);
        check(b"plain text", Unknown);
        check(b"<!-- never closed", Unsupported("an XML document"));
    }

    proptest::proptest! {
        #[test]
        fn sniffing_never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = sniff(&bytes);
        }
    }
}
