//! Our engine, as the server uses it, without the server.

use aquatint::{
    pixels::{
        codec::{Cancel, Limits},
        render::{OutputLimits, Rendered, prepare, render},
    },
    recipe::{
        Recipe,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
};

use crate::Result;

/// What a URL's query asks for.
///
/// # Errors
/// A parameter is malformed.
pub fn recipe(query: &str) -> Result<Recipe> {
    let policy = Policy::new(PolicySettings {
        strict: true,
        ..PolicySettings::default()
    });
    let transform = policy.admit("/picture", query, 0)?;
    Ok(Recipe::resolve(&transform, Accepts::default(), &policy))
}

/// Source bytes to encoded bytes, with the limits that a server has by default.
///
/// # Errors
/// The source cannot be read, or is over a limit.
pub fn rendered(source: &[u8], recipe: &Recipe) -> Result<Rendered> {
    let limits = Limits::default();
    let job = prepare(source, recipe, &limits, &OutputLimits::default())?;
    Ok(render(source, recipe, &job, &limits, &Cancel::default())?)
}
