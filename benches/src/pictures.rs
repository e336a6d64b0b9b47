//! Pictures to measure with: photographs out of Debian packages, and what sharp makes of them.
//!
//! All of it is downloaded by name, once, into `target/bench`. The packages are part of Debian's
//! `main`, so their photographs are free to use; none is part of this repository.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// Packages that hold photographs.
const PACKAGES: [&str; 4] = [
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
];

/// The sharp that is measured, and that makes and decodes pictures.
const SHARP: &str = "0.35.5";

/// The photographs, as their packages name them. Each third one is kept from tuning.
const PHOTOGRAPHS: [&str; 40] = [
    "backgrounds/Bridge_by_Sander_Klootwijk.jpg",
    "backgrounds/mate/nature/Aqua.jpg",
    "backgrounds/Dragonfly_by_Bolly.jpg",
    "backgrounds/mate/nature/Blinds.jpg",
    "backgrounds/Picture_0B_by_freespace.jpg",
    "backgrounds/mate/nature/Dune.jpg",
    "backgrounds/Picture_1A_by_freespace.jpg",
    "backgrounds/mate/nature/FreshFlower.jpg",
    "backgrounds/Wine_by_Jakkub_Mede.jpg",
    "backgrounds/mate/nature/Garden.jpg",
    "backgrounds/aitzgorri_by_Aitzol_Berasategi.jpg",
    "backgrounds/mate/nature/GreenMeadow.jpg",
    "backgrounds/free_by_Peter_Nerlich.jpg",
    "backgrounds/mate/nature/LadyBird.jpg",
    "backgrounds/friends_by_Aitzol_Berasategi.jpg",
    "backgrounds/mate/nature/RainDrops.jpg",
    "backgrounds/greentock_by_Peter_Nerlich.jpg",
    "backgrounds/mate/nature/Storm.jpg",
    "backgrounds/life_by_Aitzol_Berasategi.jpg",
    "backgrounds/mate/nature/TwoWings.jpg",
    "backgrounds/picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "backgrounds/mate/nature/Wood.jpg",
    "backgrounds/seeding_by_Clements_Engelhardt.jpg",
    "backgrounds/mate/nature/YellowFlower.jpg",
    "backgrounds/sunset_by_Aitzol_Berasategi.jpg",
    "backgrounds/mate/abstract/Elephants_3840x2160.jpg",
    "backgrounds/Kleiber_by_Lukas_Baubkus.jpg",
    "wallpapers/BytheWater/contents/images/2560x1600.jpg",
    "wallpapers/ColdRipple/contents/images/2560x1600.jpg",
    "wallpapers/ColorfulCups/contents/images/2560x1600.jpg",
    "wallpapers/DarkestHour/contents/images/2560x1600.jpg",
    "wallpapers/EveningGlow/contents/images/2560x1600.jpg",
    "wallpapers/FallenLeaf/contents/images/2560x1600.jpg",
    "wallpapers/Kite/contents/images/2560x1600.jpg",
    "wallpapers/OneStandsOut/contents/images/2560x1600.jpg",
    "wallpapers/Path/contents/images/2560x1600.jpg",
    "wallpapers/summer_1am/contents/images/2560x1600.jpg",
    "wallpapers/Grey/contents/images/2560x1600.jpg",
    "wallpapers/Volna/contents/images/5120x2880.jpg",
    "backgrounds/analogpattern_by_Peter_Nerlich.jpg",
];

/// Where things are.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The scripts of this package.
    pub scripts: PathBuf,
    /// All that is downloaded and made.
    pub root: PathBuf,
}

/// The photographs and the pictures made of them.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// Where the pictures with a size in their name are: `12mp.jpg` and so on.
    pub made: PathBuf,
    /// Photographs that encoders are tuned on.
    pub tuning: Vec<PathBuf>,
    /// Photographs that nothing is tuned on.
    pub test: Vec<PathBuf>,
}

impl Folders {
    /// Beside this package's manifest, and `target/bench` beside the product's.
    #[must_use]
    pub fn new() -> Self {
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let root = scripts.join("../target/bench");
        Self { scripts, root }
    }

    /// Where npm has put sharp.
    #[must_use]
    pub fn npm(&self) -> PathBuf {
        self.root.join("npm")
    }

    /// A folder for files that nobody keeps.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&self) -> Result<PathBuf> {
        let scratch = self.root.join("scratch");
        fs::create_dir_all(&scratch)?;
        Ok(scratch)
    }
}

impl Default for Folders {
    fn default() -> Self {
        Self::new()
    }
}

impl Pictures {
    /// Downloads and makes what is missing.
    ///
    /// # Errors
    /// A download fails, or a package does not hold what it held.
    pub fn prepare(folders: &Folders) -> Result<Self> {
        fs::create_dir_all(&folders.root)?;
        install_sharp(folders)?;
        let unpacked = unpack(folders)?;
        let photographs = PHOTOGRAPHS.map(|name| unpacked.join("usr/share").join(name));
        if let Some(missing) = photographs.iter().find(|path| !path.is_file()) {
            return Err(format!("{} is in no package", missing.display()).into());
        }
        let kept_back = |at: usize| at % 3 == 2;
        let set = |kept: bool| {
            let all = photographs.iter().enumerate();
            let chosen = all.filter(|(at, _)| kept_back(*at) == kept);
            chosen.map(|(_, path)| path.clone()).collect()
        };
        let (tuning, test): (_, Vec<_>) = (set(false), set(true));
        Ok(Self {
            made: make(folders, &unpacked, &test)?,
            tuning,
            test,
        })
    }

    /// The test photographs at 2 megapixels, in the format of this ending.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn field(&self, ending: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.made.join("field"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == ending) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// One of the pictures that were made.
    #[must_use]
    pub fn made(&self, name: &str) -> PathBuf {
        self.made.join(name)
    }
}

fn install_sharp(folders: &Folders) -> Result<()> {
    let npm = folders.npm();
    if npm.join("node_modules/sharp/package.json").is_file() {
        return Ok(());
    }
    fs::create_dir_all(&npm)?;
    fs::write(npm.join("package.json"), "{\"private\":true}\n")?;
    let sharp = format!("sharp@{SHARP}");
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", &sharp])
        .current_dir(&npm))
}

/// The packages' files, as they would lie under `/`.
fn unpack(folders: &Folders) -> Result<PathBuf> {
    let packages = folders.root.join("packages");
    let unpacked = folders.root.join("photographs");
    let done = unpacked.join(".complete");
    if done.is_file() {
        return Ok(unpacked);
    }
    fs::create_dir_all(&packages)?;
    run(Command::new("apt-get")
        .arg("download")
        .args(PACKAGES)
        .current_dir(&packages))?;
    for entry in fs::read_dir(&packages)? {
        let path = entry?.path();
        if is_wanted(&path) {
            run(Command::new("dpkg").arg("-x").arg(&path).arg(&unpacked))?;
        }
    }
    fs::write(done, "")?;
    Ok(unpacked)
}

fn is_wanted(package: &Path) -> bool {
    let name = package
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let Some((name, _)) = name.split_once('_') else {
        return false;
    };
    PACKAGES.contains(&name) && package.extension().is_some_and(|kind| kind == "deb")
}

/// The pictures of a known size and format, made by sharp.
fn make(folders: &Folders, unpacked: &Path, field: &[PathBuf]) -> Result<PathBuf> {
    let made = folders.root.join("made");
    fs::create_dir_all(made.join("field"))?;
    let script = folders.scripts.join("pictures.mjs");
    run(Command::new("node")
        .arg(script)
        .args([&folders.npm(), unpacked, &made])
        .args(field))?;
    Ok(made)
}

/// Runs a command to its end. What it prints goes to standard error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| {
            format!(
                "{} cannot be started: {error}",
                command.get_program().display()
            )
        })?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {status}").into())
}
