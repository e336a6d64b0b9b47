//! The few words after `cargo bench … --`.

use crate::Result;

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    /// Those of this process.
    #[must_use]
    pub fn read() -> Self {
        Self {
            words: std::env::args()
                .skip(1)
                // Cargo tells each benchmark that it is one.
                .filter(|word| word != "--bench")
                .collect(),
        }
    }

    /// Whether a switch such as `--quick` was typed.
    pub fn switch(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The word after a name such as `--only`.
    ///
    /// # Errors
    /// The name is the last word.
    pub fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| word == name) else {
            return Ok(None);
        };
        if at + 1 == self.words.len() {
            return Err(format!("{name} needs a value").into());
        }
        self.words.remove(at);
        Ok(Some(self.words.remove(at)))
    }

    /// A number after a name, or what stands for it.
    ///
    /// # Errors
    /// The word is no such number.
    pub fn number(&mut self, name: &str, default: usize) -> Result<usize> {
        match self.value(name)? {
            None => Ok(default),
            Some(word) => Ok(word
                .parse()
                .map_err(|_| format!("{name} needs a number, not {word}"))?),
        }
    }

    /// Refuses what nobody has asked for.
    ///
    /// # Errors
    /// A word is left.
    pub fn finish(self) -> Result<()> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => Err(format!("{word} means nothing here").into()),
        }
    }
}
