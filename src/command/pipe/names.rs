//! Names of headers, and of members that the form of a record line does not know.

use crate::command::records::Renamed;
use crate::engine::{Applied, Engine, Scratch};
use crate::policy::Policy;
use crate::record::{Header, Record, RecordBuf};
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashSet};

/// Scrubs names, each as the name of a member in JSON; one that is running text, as text.
#[derive(Default)]
pub struct Names {
    /// Names that may stay: logs have a handful.
    clean: HashSet<Vec<u8>>,
    out: RecordBuf,
}

/// So many names are remembered, and none longer.
const REMEMBERED: usize = 1024;
const REMEMBERED_BYTES: usize = 128;

/// What an engine does at a stage.
pub struct Stage<'e> {
    pub engine: &'e Engine,
    pub policy: &'e Policy,
    pub place: usize,
}

impl Names {
    /// The names that cannot stay, with what is written for them.
    pub fn scrub(&mut self, stage: &Stage<'_>, scratch: &mut Scratch, headers: &[Header<'_>]) -> Renamed {
        let mut renamed = Renamed::new();
        for (name, _) in headers {
            if self.clean.contains(*name) || renamed.contains_key(*name) {
                continue;
            }
            match self.one(stage, scratch, name) {
                Some(new) => drop(renamed.insert(name.to_vec(), new)),
                None if name.len() <= REMEMBERED_BYTES && self.clean.len() < REMEMBERED => {
                    self.clean.insert(name.to_vec());
                }
                None => {}
            }
        }
        renamed
    }

    /// `None`: the name may stay.
    fn one(&mut self, stage: &Stage<'_>, scratch: &mut Scratch, name: &[u8]) -> Option<Vec<u8>> {
        let text = String::from_utf8_lossy(name);
        let is_text = text.contains(|c: char| c.is_whitespace() || "={}\"',;".contains(c));
        if !is_text {
            let quoted = serde_json::Value::from(text.as_ref()).to_string();
            let member = format!("{{{quoted}:null}}");
            match self.apply(stage, scratch, member.as_bytes()) {
                Applied::Unchanged => return None,
                Applied::Changed => {}
                Applied::Withheld(_) => return self.out.value.clone(),
            }
            let out = self.out.value.as_deref().unwrap_or_default();
            let members: Option<BTreeMap<String, IgnoredAny>> = serde_json::from_slice(out).ok();
            if let Some((new, _)) = members.and_then(|members| members.into_iter().next()) {
                return (*new != *text).then(|| new.into_bytes());
            }
        }
        // Running text; or the stage drops such members, and the name says nothing by itself.
        match self.apply(stage, scratch, text.as_bytes()) {
            Applied::Unchanged => None,
            Applied::Changed | Applied::Withheld(_) => self.out.value.clone(),
        }
    }

    fn apply(&mut self, stage: &Stage<'_>, scratch: &mut Scratch, value: &[u8]) -> Applied {
        let record = Record { value: Some(value), ..Record::default() };
        stage.engine.apply(scratch, stage.policy, stage.place, &record, &mut self.out)
    }
}
