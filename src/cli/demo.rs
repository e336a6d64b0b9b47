//! `demo`: the ordinary server, in front of a bucket of our own with pictures of our own making.
//!
//! Nothing here is a short cut: pictures come through the S3 client, signed, from a server that
//! checks signatures, as they do in production.

mod bucket;
mod pictures;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use tempfile::TempDir;

use self::{bucket::Bucket, pictures::PICTURES};
use super::{
    Failure, Outcome,
    serve::{self, Listen},
};
use crate::{
    config::{Config, Inputs, Machine, Override},
    origin::{Provider, S3Settings, Secret, SourceKind, SourceSettings},
    server, telemetry,
};

/// What stands at `/`.
const FRONT_PAGE: &str = include_str!("../web/demo.html");

/// The bucket's name.
const BUCKET: &str = "pictures";

/// Nobody wants to wait for a demo to end.
const GRACE: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  aquatint demo
  aquatint demo --listen 127.0.0.1:9000";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    listen: Listen,
    /// Only write the pictures into this folder, and serve nothing.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["listen", "admin_listen"])]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &DemoArgs) -> Outcome {
    if let Some(folder) = &args.write {
        write(folder, &make_pictures()?)?;
        return super::print(&format!(
            "{} pictures in {}\n",
            PICTURES.len(),
            folder.display()
        ));
    }
    let mut config = configuration(args)?;
    let runtime = serve::runtime()?;
    let listeners = runtime.block_on(async { serve::bind(&config.server) })?;
    let address = listeners.public.local_addr()?;
    let _logs =
        telemetry::install(&config.log).map_err(|error| Failure::Failed(error.to_string()))?;

    let began = Instant::now();
    super::print("Making pictures …")?;
    let encoded = make_pictures()?;
    super::print(&format!(
        " {} in {:.1} s\n",
        encoded.len(),
        began.elapsed().as_secs_f32()
    ))?;

    runtime.block_on(async {
        // From here on a signal ends the server, not the process: the folder must go.
        let stop = server::terminated()?;
        let folder = tempfile::Builder::new()
            .prefix("aquatint-demo-")
            .tempdir()?;
        let bucket = fill(&folder, &encoded).await?;
        config.sources.push(source(&bucket));
        super::print(&welcome(address))?;
        let end = server::run(config, listeners, stop).await;
        end.map_err(|error| Failure::Failed(error.to_string()))
    })
}

/// The defaults, and what a demo does otherwise. The environment is left out: it may be meant for
/// a server beside this one.
fn configuration(args: &DemoArgs) -> Result<Config, Failure> {
    let setting = |name: &str, value: &str| Override {
        name: name.to_owned(),
        value: value.to_owned(),
        flag: "demo",
    };
    let mut overrides = vec![
        setting("http.explain", "true"),
        // One address is enough to be taken already.
        setting("server.admin_listen", "none"),
        setting("log.level", "warn,aquatint=info"),
    ];
    overrides.extend(args.listen.overrides());
    let inputs = Inputs {
        overrides,
        ..Inputs::default()
    };
    let mut config = inputs.load(&Machine::here())?.config;
    config.server.grace = GRACE;
    config.http.front_page = Some(FRONT_PAGE);
    Ok(config)
}

/// Every picture, encoded; a thread each.
fn make_pictures() -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    thread::scope(|scope| {
        let threads: Vec<_> = PICTURES
            .iter()
            .map(|picture| (picture.name, scope.spawn(|| (picture.make)())))
            .collect();
        threads
            .into_iter()
            .map(|(name, thread)| match thread.join() {
                Ok(Ok(bytes)) => Ok((name, bytes)),
                Ok(Err(error)) => Err(Failure::Failed(format!("{name}: {error}"))),
                Err(_) => Err(Failure::Failed(format!("{name} could not be made"))),
            })
            .collect()
    })
}

/// Writes the pictures below the folder, and serves them as a bucket.
async fn fill(folder: &TempDir, pictures: &[(&str, Vec<u8>)]) -> Result<Bucket, Failure> {
    let objects = folder.path().join(BUCKET);
    write(&objects, pictures)?;
    Ok(Bucket::serve(folder.path()).await?)
}

fn write(objects: &Path, pictures: &[(&str, Vec<u8>)]) -> Outcome {
    let put = || -> io::Result<()> {
        fs::create_dir_all(objects)?;
        (pictures.iter()).try_for_each(|(name, bytes)| fs::write(objects.join(name), bytes))
    };
    put().map_err(|error| Failure::Failed(format!("{}: {error}", objects.display())))
}

fn source(bucket: &Bucket) -> SourceSettings {
    SourceSettings {
        name: "demo".to_owned(),
        prefix: "/".to_owned(),
        hosts: Vec::new(),
        kind: SourceKind::S3(S3Settings {
            provider: Provider::Custom,
            bucket: BUCKET.to_owned(),
            endpoint: Some(bucket.endpoint.clone()),
            region: Some("us-east-1".to_owned()),
            account_id: None,
            path_style: Some(true),
            access_key: Some(bucket.access_key.clone()),
            secret_key: Some(Secret(bucket.secret_key.clone())),
            session_token: None,
        }),
        key_prefix: String::new(),
        cache_control: None,
        honour_cache_control: true,
        policy: None,
    }
}

fn welcome(address: SocketAddr) -> String {
    let site = format!("http://{}", super::reachable(address));
    format!(
        "\n\
         \x20 {site}/\n\
         \x20 {site}/landscape.jpg?width=800&auto=format\n\
         \x20 {site}/portrait.jpg?width=400&height=400&fit=cover\n\
         \n\
         \x20 curl -s -o small.webp -w '%{{size_download}} bytes of %{{content_type}}\\n' \
         '{site}/landscape.jpg?width=400&format=webp'\n\
         \n\
         Ctrl-C ends it, and leaves nothing behind.\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_is_shown_as_one_that_can_be_clicked() {
        let text = welcome("0.0.0.0:8080".parse().unwrap());
        assert!(text.contains("http://127.0.0.1:8080/\n"), "{text}");
    }

    #[test]
    fn the_page_shows_every_picture_and_nothing_of_others() {
        for picture in PICTURES {
            assert!(FRONT_PAGE.contains(picture.name), "{}", picture.name);
        }
        assert!(
            !FRONT_PAGE.contains("//"),
            "no address of another site, and no comment"
        );
    }

    #[tokio::test]
    async fn the_folder_goes_with_the_demo() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let bucket = fill(&folder, &[("a.jpg", b"bytes".to_vec())])
            .await
            .unwrap();
        assert!(bucket.endpoint.starts_with("http://127.0.0.1:"));
        assert_eq!(fs::read(path.join("pictures/a.jpg")).unwrap(), b"bytes");
        drop(folder);
        assert!(!path.exists());
    }
}
