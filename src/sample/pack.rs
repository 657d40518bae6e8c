//! Packs: templates, and the words that fill them.

use super::phones::Phones;
use super::template::{self, Names, Template};
use std::collections::HashMap;

/// Which made-up logs to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PackName {
    /// A day on a messaging platform: most records have little in them that must go.
    Ordinary,
    /// Every record full of findings, in every format and trap that we know of.
    Dense,
    /// The same in other templates, field names, languages and countries: nobody writes rules from it.
    Second,
}

/// An error in a pack's own files: a bug of ours.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct PackError {
    pub line: usize,
    pub why: String,
}

impl PackError {
    #[must_use]
    pub fn at(line: usize, why: String) -> Self {
        PackError { line, why }
    }
}

/// Message texts of one language.
#[derive(Clone, Debug, Default)]
pub struct Language {
    /// BCP 47.
    pub tag: String,
    /// Texts with a code: `{c}` code, `{b}` brand, `{m}` minutes, `{a}` amount, `{o}` parcel number.
    pub otp: Vec<String>,
    /// Other texts: `{n}` name, `{p}` phone, `{e}` e-mail, and the above.
    pub chat: Vec<String>,
}

/// The value of an innocent field.
#[derive(Clone, Debug)]
pub enum Innocent {
    Word(String),
    Number(u64, u64),
}

/// The words of a pack.
#[derive(Debug, Default)]
pub struct Words {
    pub lists: HashMap<String, Vec<String>>,
    pub fields: HashMap<String, Vec<String>>,
    pub innocent: Vec<(String, Innocent)>,
    pub languages: Vec<Language>,
}

impl Names for Words {
    fn field(&self, role: &str) -> Option<&[String]> {
        self.fields.get(role).map(Vec::as_slice)
    }
}

impl Words {
    /// A list of the pack; empty where it has none of that name.
    #[must_use]
    pub fn list(&self, name: &str) -> &[String] {
        self.lists.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Sections `[name]`: a list, one entry a line; `[fields]`: `role = a b c`; `[innocent]`:
    /// `name = value` or `name = #low-high`; `[language xx]`: lines `o text` and `c text`.
    fn parse(file: &str) -> Result<Self, PackError> {
        let mut words = Words::default();
        let mut section = String::new();
        for (at, line) in file.lines().enumerate() {
            let wrong = |why: &str| PackError::at(at + 1, why.to_owned());
            let line = line.trim_end();
            if line.is_empty() || line.starts_with("# ") {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name.to_owned();
                if let Some(tag) = name.strip_prefix("language ") {
                    words.languages.push(Language { tag: tag.to_owned(), ..Language::default() });
                }
                continue;
            }
            if section.starts_with("language ") {
                let last = words.languages.last_mut().ok_or(wrong("a text before any language"))?;
                match line.split_once(' ') {
                    Some(("o", text)) => last.otp.push(text.to_owned()),
                    Some(("c", text)) => last.chat.push(text.to_owned()),
                    _ => return Err(wrong("a text starts with `o ` or `c `")),
                }
                continue;
            }
            match section.as_str() {
                "fields" => {
                    let (role, names) = line.split_once(" = ").ok_or(wrong("no ` = `"))?;
                    words.fields.insert(role.to_owned(), names.split(' ').map(str::to_owned).collect());
                }
                "innocent" => {
                    let (name, value) = line.split_once(" = ").ok_or(wrong("no ` = `"))?;
                    let value = match value.strip_prefix('#') {
                        None => Innocent::Word(value.to_owned()),
                        Some(range) => {
                            let (low, high) = template::range_of(range).map_err(|e| wrong(&e))?;
                            Innocent::Number(low, high)
                        }
                    };
                    words.innocent.push((name.to_owned(), value));
                }
                "regions" => {
                    let list = words.lists.entry(section.clone()).or_default();
                    list.extend(line.split(' ').map(str::to_owned));
                }
                _ => words.lists.entry(section.clone()).or_default().push(line.to_owned()),
            }
        }
        Ok(words)
    }
}

/// Everything a kind of made-up log is made of.
pub struct Pack {
    pub name: PackName,
    pub templates: Vec<Template>,
    pub words: Words,
    pub phones: Phones,
    /// Times in a thousand that a record is damaged on purpose.
    pub damaged: u64,
}

impl Pack {
    /// The pack, its numbers drawn by `seed`.
    ///
    /// # Errors
    /// The pack's own files are wrong: a bug.
    pub fn load(name: PackName, seed: u64) -> Result<Self, PackError> {
        let (words, logs, damaged) = match name {
            PackName::Ordinary => {
                (include_str!("packs/first.words"), [include_str!("packs/ordinary.logs"), ""], 0)
            }
            PackName::Dense => (
                include_str!("packs/first.words"),
                [include_str!("packs/dense.logs"), include_str!("packs/dense_gateways.logs")],
                12,
            ),
            PackName::Second => (
                include_str!("packs/second.words"),
                [include_str!("packs/second.logs"), include_str!("packs/second_lines.logs")],
                12,
            ),
        };
        let words = Words::parse(words)?;
        let mut templates = Vec::new();
        for file in logs {
            templates.extend(template::parse_file(file, &words)?);
        }
        let phones = Phones::new(words.list("regions"), seed);
        Ok(Pack { name, templates, words, phones, damaged })
    }

    /// First letter of the record ids.
    #[must_use]
    pub fn letter(&self) -> char {
        match self.name {
            PackName::Ordinary => 'o',
            PackName::Dense => 'd',
            PackName::Second => 's',
        }
    }

    /// A template by its weight, `at` below [`Pack::weight`].
    #[must_use]
    pub fn template(&self, mut at: u64) -> Option<&Template> {
        self.templates.iter().find(|t| {
            let here = at < t.weight;
            at = at.saturating_sub(t.weight);
            here
        })
    }

    /// The sum of all templates' weights.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.templates.iter().map(|t| t.weight).sum()
    }
}
