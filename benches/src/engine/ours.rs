//! Our engine, as the server uses it, without the server.

use std::{ffi::OsStr, path::Path, time::Instant};

use aquatint::{
    origin::{FetchLimits, Fetched, ObjectKey, Source, SourceKind, SourceSettings, Sources},
    pixels::{
        codec::{Cancel, Input, Limits},
        render::{OutputLimits, Rendered, prepare, render},
    },
    recipe::{
        Recipe,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
    work::{self, budget::Budget},
};
use serde_json::{Value, json};

use super::{Cost, Engine, Request, cost, question};
use crate::{
    Result,
    process::{self, Process, cpu_ms},
};

/// What a URL's query asks for.
///
/// # Errors
/// A parameter is malformed or unknown.
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
    made(source.into(), recipe)
}

fn made(source: Input<'_>, recipe: &Recipe) -> Result<Rendered> {
    let limits = Limits::default();
    let job = prepare(source.bytes(), recipe, &limits, &OutputLimits::default())?;
    Ok(render(source, recipe, &job, &limits, &Cancel::default())?)
}

/// The picture as the server has it from a folder, all of it if the recipe needs that.
fn fetched(path: &Path, recipe: &Recipe) -> Result<Source> {
    let root = path.parent().ok_or("a picture in no folder")?;
    let name = path.file_name().and_then(OsStr::to_str);
    let settings = SourceSettings {
        name: "pictures".to_owned(),
        prefix: "/".to_owned(),
        hosts: Vec::new(),
        kind: SourceKind::Folder {
            root: root.to_owned(),
        },
        key_prefix: String::new(),
        cache_control: None,
        honour_cache_control: false,
        policy: None,
    };
    let budget = Budget::new(work::Settings::default().source_bytes);
    let sources = Sources::new(vec![settings], &FetchLimits::default(), budget);
    let sources = sources.map_err(|problem| format!("{problem:?}"))?;
    let key = ObjectKey::new(name.ok_or("an odd name")?)?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build()?.block_on(async {
        let Fetched::Full(source) = sources.origins[0].fetch(&key, None).await? else {
            return Err("not modified, although no version was named".into());
        };
        let (bytes, limits) = (source.input().bytes(), Limits::default());
        if prepare(bytes, recipe, &limits, &OutputLimits::default())?.needs_whole {
            source.complete().await?;
        }
        Ok(source)
    })
}

/// Answers for [`Ours`], in the process that it started.
///
/// # Errors
/// Nobody asks any more, in the middle of a sentence.
pub fn answer() -> Result<()> {
    process::answer(|question| {
        let cost = answered(question);
        give_memory_back();
        cost
    })
}

fn answered(question: &Value) -> Result<Value> {
    let number = |name: &str| question[name].as_u64().unwrap_or(1);
    let text = |name: &str| question[name].as_str().unwrap_or_default();
    let recipe = recipe(text("query"))?;
    let (times, together) = (number("times"), number("parallel"));
    let path = Path::new(text("source"));
    // Whose memory is asked for is made as a server makes it of a folder's pictures, as oximg
    // does; whose time is, of bytes in memory, as sharp's.
    let (source, bytes);
    let input = if times == 1 && question["out"].is_null() {
        source = fetched(path, &recipe)?;
        source.input()
    } else {
        bytes = std::fs::read(path)?;
        Input::Whole(&bytes)
    };
    let this = std::process::id();
    let (cpu, clock) = (cpu_ms(this)?, Instant::now());
    let mut last = None;
    for _ in 0..times {
        last = Some(at_once(input, &recipe, together)?);
    }
    let pictures = (times * together) as f64;
    let cost = json!({
        "cpu_ms": (cpu_ms(this)? - cpu) / pictures,
        "wall_ms": clock.elapsed().as_secs_f64() * 1e3 / pictures,
    });
    if let (Value::String(out), Some(last)) = (&question["out"], last) {
        std::fs::write(out, last.bytes)?;
    }
    Ok(cost)
}

/// As the server does when it has nothing to do.
fn give_memory_back() {
    #[expect(unsafe_code, reason = "a call of the allocator")]
    // SAFETY: any thread may call it, at any time.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}

/// The same picture on several threads.
fn at_once(source: Input<'_>, recipe: &Recipe, together: u64) -> Result<Rendered> {
    if together == 1 {
        return made(source, recipe);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..together)
            .map(|_| scope.spawn(|| made(source, recipe)))
            .collect();
        let mut result = Err("no thread".into());
        for thread in threads {
            result = thread.join().map_err(|_| "a thread panicked")?;
        }
        result
    })
}

#[derive(Debug)]
pub(super) struct Ours {
    process: Process,
    extra: String,
}

impl Ours {
    pub(super) fn start(extra: &str) -> Result<Self> {
        Ok(Self {
            process: Process::ours()?,
            extra: extra.to_owned(),
        })
    }

    fn query(&self, request: &Request) -> String {
        let mut words = vec![
            format!("width={}", request.width),
            format!("format={}", request.format),
            format!("anim={}", u8::from(request.animated)),
        ];
        words.extend(request.height.map(|height| format!("height={height}")));
        words.extend(request.quality.map(|quality| format!("quality={quality}")));
        words.extend(Some(self.extra.clone()).filter(|extra| !extra.is_empty()));
        words.join("&")
    }
}

impl Engine for Ours {
    fn id(&self) -> u32 {
        self.process.id()
    }

    fn render(
        &mut self,
        request: &Request,
        times: usize,
        together: usize,
        out: Option<&Path>,
    ) -> Result<Cost> {
        let mut question = question(request, times, together, out);
        question["query"] = self.query(request).into();
        cost(&self.process.ask(&question)?)
    }
}
