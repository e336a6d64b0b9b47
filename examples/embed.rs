//! Pictures below `/img/` of an axum application of your own:
//!
//! ```sh
//! cargo run --release --example embed -- ~/Pictures
//! curl -s 'http://127.0.0.1:3000/img/cat.jpg?width=400&format=webp' -o cat.webp
//! ```

use std::{error::Error, net::Ipv4Addr};

use aquatint::{
    config::{Inputs, Machine, Override},
    http, server,
};
use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder of pictures?")?;
    // Any setting of docs/configuration.md; a file or the environment would do as well.
    let source = Override {
        name: "source.root".to_owned(),
        value: folder,
        flag: "embed",
    };
    let inputs = Inputs {
        overrides: vec![source],
        ..Inputs::default()
    };
    let pictures = server::app(inputs.load(&Machine::here())?.config)?;

    let site = Router::new()
        .route("/", get(async || "the rest of the site"))
        .nest("/img", http::router(pictures));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)).await?;
    // `server::serve` in place of `axum::serve` has deadlines against slow clients.
    let settings = server::Settings::default();
    server::serve(listener, site, &settings, server::terminated()?).await;
    Ok(())
}
