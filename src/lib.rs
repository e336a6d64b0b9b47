//! An image proxy: pictures from a private bucket, resized and re-encoded as the query asks.
//!
//! The modules stand in reading order, from what is asked to how it is served. `ARCHITECTURE.md`
//! says who may use whom.

pub mod recipe;

pub mod pixels;

pub mod origin;

pub mod cache;

pub mod work;

pub mod proxy;

pub mod http;

pub mod admin;

pub mod config;
pub mod server;
pub mod telemetry;

pub mod cli;
