//! sharp, one thread a picture and nothing cached.

use std::path::Path;

use super::{Cost, Engine, Request, cost, question};
use crate::{Result, pictures::Folders, process::Process};

#[derive(Debug)]
pub(super) struct Sharp {
    process: Process,
    effort: Option<u8>,
}

impl Sharp {
    pub(super) fn start(folders: &Folders, effort: Option<u8>) -> Result<Self> {
        Ok(Self {
            process: Process::node(folders)?,
            effort,
        })
    }
}

impl Engine for Sharp {
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
        question["effort"] = self.effort.into();
        cost(&self.process.ask(&question)?)
    }
}
