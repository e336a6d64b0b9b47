//! How many elements a drawing has once everything it refers to is put in its place: `use`,
//! patterns, masks, clips, filters, markers. Counted on the text, before anything is put anywhere.
//!
//! Errs high: what a reference on a group makes of each shape inside counts for every shape. What
//! cannot be counted this way (a marker that is inherited into a marker, a mask that a style sheet
//! gives to every element) is refused; drawing programs write none of it.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use super::{
    super::Error,
    sheet::{self, Sheet},
};

/// Elements, everything put in its place. Detailed maps have 40,000; each takes about 1 kB.
const ELEMENTS: u64 = 50_000;

/// Elements inside of one another, everything put in its place. Drawing programs stay below 30;
/// each takes a few kB of the stack.
const DEPTH: u32 = 64;

/// Style rules and declarations that are tried on elements: both × elements.
const RULES: u64 = 8_000_000;

/// Declarations in one `style`, and names in one `class`. Each is compared with those before it, or
/// with each rule; drawing programs write 30 and 3.
const DECLARATIONS: usize = 256;
const CLASSES: usize = 32;

/// Dashes and gaps of one stroke. Every shape inside of an element gets a copy of its list.
pub(super) const DASHES: usize = 64;

/// The largest number in a path with arcs, or radius of a shape. The parser cuts an arc into curves,
/// as many as the sixth root of its radius, and of a path takes a time of their square.
const REACH: f64 = 1e12;

/// Bytes that the parser makes of one element, of a number in a list (a path of 1 byte may be 14),
/// and of a byte of any attribute.
const ELEMENT_BYTES: u64 = 1000;
const NUMBER_BYTES: u64 = 20;
const ATTRIBUTE_BYTES: u64 = 2;

/// And for each number of the longest path, while the parser finds out where its stroke ends.
const STROKED_BYTES: u64 = 230;

/// Stops of a gradient for one element: they are small.
const STOPS: u64 = 16;

/// What one element comes to, with all inside of it.
#[derive(Clone, Copy, Default)]
struct Sum {
    elements: u64,
    shapes: u64,
    /// Corners of paths, at most.
    vertices: u64,
    /// In lists of numbers: paths, dashes, tables of filters.
    numbers: u64,
    /// In the longest of these.
    longest: u64,
    /// Of attributes.
    bytes: u64,
    depth: u32,
    /// Whether patterns or markers are defined inside.
    defines: bool,
}

/// How a property passes its reference on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// To this element alone: masks, clips, filters, `href`.
    Once,
    /// To each shape inside: fill and stroke.
    Shapes,
    /// To each corner of each path inside: markers.
    Vertices,
}

/// A property with a reference.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    passing: Passing,
    id: &'a str,
}

/// Holds the drawing against the limits, and says how many bytes the parser will make of it, at
/// most.
///
/// # Errors
/// [`Error::Limit`] past one, [`Error::Broken`] for what refers to itself.
pub(super) fn admit(document: &Document<'_>, most: u64) -> Result<u64, Error> {
    let root = document.root_element();
    check_depth(root)?;
    let (rules, sheet) = sheet::read(document)?;
    let mut census = Census {
        ids: HashMap::new(),
        sheet,
        known: HashMap::new(),
    };
    for node in root.descendants() {
        if let Some(id) = node.attribute("id") {
            census.ids.entry(id).or_insert(node);
        }
    }
    let sum = census.sum(root, 0)?;
    if rules.saturating_mul(sum.elements) > RULES {
        return Err(Error::Limit(format!(
            "is a drawing with {rules} style rules and declarations for {} elements, more than are tried",
            sum.elements
        )));
    }
    let bytes = sum.tree_bytes();
    if bytes > most {
        return Err(Error::Limit(
            "is a drawing that takes more memory than one of its length may, with all that it \
             repeats"
                .to_owned(),
        ));
    }
    Ok(bytes)
}

fn too_many() -> Error {
    Error::Limit(format!(
        "is a drawing of more than {ELEMENTS} elements, with all that it repeats"
    ))
}

fn too_deep() -> Error {
    Error::Limit(format!(
        "is a drawing with more than {DEPTH} elements inside of one another"
    ))
}

/// How deep the text goes. Without recursion: it is not known yet that this is safe.
fn check_depth(root: Node<'_, '_>) -> Result<(), Error> {
    let mut depths: HashMap<NodeId, u32> = HashMap::new();
    for node in root.descendants().filter(Node::is_element) {
        let above = node
            .parent()
            .and_then(|parent| depths.get(&parent.id()).copied());
        let depth = above.unwrap_or(0) + 1;
        if depth > DEPTH {
            return Err(too_deep());
        }
        depths.insert(node.id(), depth);
    }
    Ok(())
}

struct Census<'a, 'input> {
    ids: HashMap<&'a str, Node<'a, 'input>>,
    /// References of the style sheets, by the class or the id that they go to.
    sheet: Sheet<'a>,
    /// `None`: being counted.
    known: HashMap<NodeId, Option<Sum>>,
}

impl<'a, 'input> Census<'a, 'input> {
    /// The sum of one element. Recursion is as deep as the drawing, [`DEPTH`] at most.
    fn sum(&mut self, node: Node<'a, 'input>, depth: u32) -> Result<Sum, Error> {
        match self.known.get(&node.id()) {
            Some(Some(sum)) if depth.saturating_add(sum.depth) > DEPTH => return Err(too_deep()),
            Some(Some(sum)) => return Ok(*sum),
            Some(None) => return Err(Error::broken("a part of the drawing is inside of itself")),
            None if depth >= DEPTH => return Err(too_deep()),
            None => {}
        }
        self.known.insert(node.id(), None);
        let sum = self.counted(node, depth)?;
        self.known.insert(node.id(), Some(sum));
        Ok(sum)
    }

    fn counted(&mut self, node: Node<'a, 'input>, depth: u32) -> Result<Sum, Error> {
        let name = node.tag_name().name();
        let (numbers, bytes) = attributes(node)?;
        let mut sum = Sum {
            elements: 1,
            shapes: u64::from(is_shape(name)),
            vertices: vertices(node),
            numbers,
            longest: numbers,
            bytes,
            depth: 1,
            defines: matches!(name, "pattern" | "marker"),
        };
        for child in node.children().filter(Node::is_element) {
            let child = self.sum(child, depth + 1)?;
            sum.contain(child);
        }
        for reference in self.references(node) {
            let Some(target) = self.ids.get(reference.id).copied() else {
                continue;
            };
            if is_gradient(target) {
                let stops = target.children().count() as u64;
                sum.elements = sum.elements.saturating_add(stops / STOPS);
                sum.bytes = sum.bytes.saturating_add(reference.id.len() as u64);
                continue;
            }
            let inside = self.sum(target, depth + 1)?;
            let times = match reference.passing {
                Passing::Once => {
                    // What `use` shows inherits like what stands there.
                    sum.contain(inside);
                    continue;
                }
                _ if sum.defines => return Err(self_inheriting()),
                Passing::Shapes => sum.shapes,
                Passing::Vertices => sum.vertices,
            };
            sum.repeat(inside, times);
            sum.depth = sum.depth.max(inside.depth.saturating_add(1));
        }
        if sum.elements > ELEMENTS {
            return Err(too_many());
        }
        Ok(sum)
    }

    /// What the element's attributes, its `style` and the style sheets refer to.
    fn references(&self, node: Node<'a, 'input>) -> Vec<Reference<'a>> {
        let mut found = Vec::new();
        for attribute in node.attributes() {
            match attribute.name() {
                "href" => {
                    let id = attribute.value().trim().strip_prefix('#');
                    let passing = Passing::Once;
                    found.extend(id.map(|id| Reference { passing, id }));
                }
                "style" => found.extend(declarations(attribute.value())),
                "class" => {
                    let classes = attribute.value().split_ascii_whitespace();
                    found.extend(classes.filter_map(|class| self.sheet.get(class)).flatten());
                }
                "id" => found.extend(self.sheet.get(attribute.value()).into_iter().flatten()),
                name => found.extend(urls(name, attribute.value())),
            }
        }
        found
    }
}

impl Sum {
    /// Adds what is inside.
    fn contain(&mut self, inside: Self) {
        self.shapes = self.shapes.saturating_add(inside.shapes);
        self.vertices = self.vertices.saturating_add(inside.vertices);
        self.depth = self.depth.max(inside.depth.saturating_add(1));
        self.defines |= inside.defines;
        self.repeat(inside, 1);
    }

    /// Adds what is put in its place several times.
    fn repeat(&mut self, inside: Self, times: u64) {
        let add = |sum: u64, more: u64| sum.saturating_add(more.saturating_mul(times));
        self.elements = add(self.elements, inside.elements);
        self.numbers = add(self.numbers, inside.numbers);
        self.bytes = add(self.bytes, inside.bytes);
        self.longest = self.longest.max(inside.longest);
    }

    /// What the parser makes of it, in bytes.
    fn tree_bytes(&self) -> u64 {
        let parts = [
            (self.elements, ELEMENT_BYTES),
            (self.numbers, NUMBER_BYTES),
            (self.bytes, ATTRIBUTE_BYTES),
            (self.longest, STROKED_BYTES),
        ];
        parts.into_iter().fold(0, |sum, (count, bytes)| {
            sum.saturating_add(count.saturating_mul(bytes))
        })
    }
}

/// Numbers and bytes in the attributes of one element.
fn attributes(node: Node<'_, '_>) -> Result<(u64, u64), Error> {
    let (mut numbers_in_all, mut bytes) = (0, 0);
    for attribute in node.attributes() {
        let value = attribute.value();
        let many = |limit: usize, what: &str| {
            Err(Error::Limit(format!(
                "is a drawing with more than {limit} {what} of one element"
            )))
        };
        match attribute.name() {
            // Pictures inside have limits of their own.
            "href" => continue,
            "style" if value.matches(';').count() > DECLARATIONS => {
                return many(DECLARATIONS, "declarations");
            }
            "class" if value.split_ascii_whitespace().count() > CLASSES => {
                return many(CLASSES, "classes");
            }
            "stroke-dasharray" if numbers(value) > DASHES => return many(DASHES, "dashes"),
            "style" if dashes(value) > DASHES => return many(DASHES, "dashes"),
            "d" if has_arcs(value) && largest(value) > REACH => return Err(too_large()),
            "r" | "rx" | "ry" | "font-size" if largest(value) > REACH => return Err(too_large()),
            _ => {}
        }
        numbers_in_all += points(value);
        bytes += value.len() as u64;
    }
    Ok((numbers_in_all, bytes))
}

fn self_inheriting() -> Error {
    Error::Limit(
        "is a drawing with patterns or markers that inherit patterns or markers".to_owned(),
    )
}

fn is_shape(name: &str) -> bool {
    matches!(
        name,
        "path" | "rect" | "circle" | "ellipse" | "line" | "polyline" | "polygon" | "text"
    )
}

fn is_gradient(node: Node<'_, '_>) -> bool {
    matches!(node.tag_name().name(), "linearGradient" | "radialGradient")
}

/// Corners of a shape, at most: a corner takes two letters of a path.
fn vertices(node: Node<'_, '_>) -> u64 {
    const OF_A_RECT: u64 = 12;
    if !is_shape(node.tag_name().name()) {
        return 0;
    }
    let letters: usize = ["d", "points"]
        .into_iter()
        .filter_map(|name| node.attribute(name))
        .map(str::len)
        .sum();
    letters as u64 / 2 + OF_A_RECT
}

/// Dashes and gaps of the longest list in these declarations.
pub(super) fn dashes(style: &str) -> usize {
    let lists = style.split("dasharray").skip(1);
    let lists = lists.map(|rest| numbers(rest.split(';').next().unwrap_or_default()));
    lists.max().unwrap_or(0)
}

/// Numbers in a list, at least: what `1.5.5` and flags of arcs run together counts once.
fn numbers(list: &str) -> usize {
    let bytes = list.as_bytes();
    let is_part = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let starts = |at: usize| is_part(bytes[at]) && (at == 0 || !is_part(bytes[at - 1]));
    (0..bytes.len()).filter(|&at| starts(at)).count()
}

/// Points that come of a list of numbers, at most: an arc makes twelve of five runs of digits, and
/// more where it is large.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a root of ten at most, of what is no larger"
)]
fn points(list: &str) -> u64 {
    const OF_AN_ARC: u64 = 3;
    let dots = list.matches('.').count();
    let runs = numbers(list).max(dots) as u64;
    if has_arcs(list) {
        let curves = (largest(list).min(REACH) * 12.0).powf(1.0 / 6.0);
        runs * OF_AN_ARC * (curves / 4.0).ceil().max(1.0) as u64
    } else {
        runs
    }
}

fn has_arcs(list: &str) -> bool {
    list.contains(['a', 'A'])
}

/// The largest number in a list, its sign aside.
fn largest(list: &str) -> f64 {
    let mut largest = 0.0f64;
    let mut rest = list;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit() || c == '.') {
        rest = &rest[start..];
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let mut end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let exponent = rest[end..].strip_prefix(['e', 'E']).unwrap_or_default();
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits.find(|c: char| !c.is_ascii_digit());
        let length = length.unwrap_or(digits.len());
        let mantissa = rest[..end].split('.').take(2).collect::<Vec<_>>().join(".");
        if length > 0 {
            end += 1 + exponent.len() - digits.len() + length;
        }
        let power = &rest[rest.find(['e', 'E']).filter(|at| *at < end).unwrap_or(end)..end];
        // A point alone is no number.
        let number = format!("{mantissa}{power}").parse().unwrap_or(0.0);
        largest = largest.max(number);
        rest = &rest[end..];
    }
    largest
}

fn too_large() -> Error {
    Error::Limit(format!(
        "is a drawing with an arc beyond {REACH:e} units, more than are followed"
    ))
}

/// The references of `name: value; name: value`.
pub(super) fn declarations(style: &str) -> impl Iterator<Item = Reference<'_>> {
    style
        .split(';')
        .filter_map(|declaration| declaration.split_once(':'))
        .flat_map(|(name, value)| urls(name.trim(), value))
}

/// The ids of `url(#id)` in a property's value.
fn urls<'v>(name: &str, value: &'v str) -> impl Iterator<Item = Reference<'v>> + use<'v> {
    let passing = match name {
        "fill" | "stroke" => Passing::Shapes,
        _ if name.starts_with("marker") => Passing::Vertices,
        _ => Passing::Once,
    };
    value.split("url(").skip(1).filter_map(move |rest| {
        let inside = rest.split(')').next()?;
        let inside = inside.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        let id = inside.strip_prefix('#')?;
        Some(Reference { passing, id })
    })
}
