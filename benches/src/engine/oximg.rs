//! oximg, as the server that it is: asked by HTTP on the loopback, measured from outside.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Cost, Engine, Request};
use crate::{
    Result,
    pictures::{self, Folders},
    process::cpu_ms,
};

/// The oximg that is measured.
pub const VERSION: &str = "0.18.1";

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Builds it, once.
///
/// # Errors
/// It cannot be built: `cmake` and `nasm` are needed.
pub fn install(folders: &Folders) -> Result<()> {
    if executable(folders).is_file() {
        return Ok(());
    }
    let root = folders.root.join("oximg");
    pictures::run(
        Command::new("cargo")
            .args([
                "install",
                "oximg",
                "--version",
                VERSION,
                "--locked",
                "--root",
            ])
            .arg(root),
    )
}

fn executable(folders: &Folders) -> PathBuf {
    folders.root.join("oximg/bin/oximg")
}

#[derive(Debug)]
pub(super) struct Oximg {
    child: Child,
    port: u16,
    root: PathBuf,
}

impl Oximg {
    pub(super) fn start(folders: &Folders) -> Result<Self> {
        let root = folders.root.canonicalize()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let child = Command::new(executable(folders))
            .env("IMAGES_DIR", &root)
            .env("PORT", port.to_string())
            .env("OXIMG_BIND", "127.0.0.1")
            .env("OXIMG_OPTIONS_PREFIX", "/image")
            // One thread a picture, as for the others.
            .env("OXIMG_OVERLAP", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let oximg = Self { child, port, root };
        let clock = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if clock.elapsed() > PATIENCE {
                return Err("oximg does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(oximg)
    }

    /// Of the request, narrower by some pixels: who asks for the same twice at once gets one
    /// answer for both.
    fn path(&self, request: &Request, narrower: u32) -> Result<String> {
        let source = request.source.canonicalize()?;
        let file = source.strip_prefix(&self.root)?.display();
        let mut options = vec![
            format!("width={}", request.width - narrower),
            format!("format={}", request.format),
        ];
        options.extend(request.height.map(|height| format!("height={height}")));
        options.extend(request.quality.map(|quality| format!("quality={quality}")));
        Ok(format!("/image/{}/{file}", options.join(",")))
    }
}

impl Engine for Oximg {
    fn id(&self) -> u32 {
        self.child.id()
    }

    fn render(
        &mut self,
        request: &Request,
        times: usize,
        together: usize,
        out: Option<&Path>,
    ) -> Result<Cost> {
        let paths = (0..together as u32).map(|narrower| self.path(request, narrower));
        let paths = paths.collect::<Result<Vec<_>>>()?;
        let (cpu, clock) = (cpu_ms(self.id())?, Instant::now());
        let mut last = Vec::new();
        for _ in 0..times {
            last = at_once(self.port, &paths)?;
        }
        let pictures = (times * together) as f64;
        let wall = clock.elapsed().as_secs_f64() * 1e3 / pictures;
        let cpu = (cpu_ms(self.id())? - cpu) / pictures;
        if let Some(out) = out {
            std::fs::write(out, last)?;
        }
        Ok(Cost { cpu, wall })
    }
}

impl Drop for Oximg {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All at once; the answer to the first.
fn at_once(port: u16, paths: &[String]) -> Result<Vec<u8>> {
    std::thread::scope(|scope| {
        let threads = paths.iter().map(|path| scope.spawn(|| get(port, path)));
        let threads: Vec<_> = threads.collect();
        let mut answers = Vec::new();
        for thread in threads {
            answers.push(thread.join().map_err(|_| "a thread panicked")??);
        }
        Ok(answers.swap_remove(0))
    })
}

/// The body that answers a request.
fn get(port: u16, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or("oximg answered no head")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") || !head.contains("content-length") {
        return Err(format!("oximg answered {path} with {head}").into());
    }
    Ok(answer.split_off(end + 4))
}
