//! `logscrub keys init|rotate|list|destroy|lookup`: the keys that pseudonyms are made with.

use super::exit;
use super::failure::Failure;
use super::output::print;
use super::store::StoreArgs;
use crate::class::Class;
use crate::finding::Detail;
use crate::numbering;
use crate::policy::possible;
use crate::service::clock::SystemClock;
use crate::service::keys::{Epoch, KeyFolder, KeysError};
use crate::stage::clock::Clock as _;
use crate::transform::{Action, Keys, Value};
use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Makes, lists and destroys the keys that pseudonyms are made with
///
/// A pseudonym can be traced back while its key exists. A service that runs takes up a change within seconds.
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Makes the folder and the first key
    Init(Folder),
    /// Adds a key, which writes from now on; the older ones still recognise their pseudonyms
    Rotate(Folder),
    /// Shows every key that there is and was
    List(List),
    /// Destroys a key: nobody can tell any more whose its pseudonyms were
    ///
    /// Its file is overwritten with zeros and deleted. Copies of the file, and what a disk or a file system that
    /// never writes in place still holds, are not gone by that: keep the folder on a disk that is encrypted, and out
    /// of backups.
    Destroy(Destroy),
    /// Shows the pseudonyms of one subject, which comes on stdin: a number, an address, an id
    Lookup(Lookup),
}

#[derive(ClapArgs, Debug)]
struct Folder {
    /// The folder with the keys [default: the one that the config names]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Config file [default: logscrub.toml here]
    #[arg(short = 'c', long = "config", value_name = "FILE", conflicts_with = "keys")]
    config: Option<PathBuf>,
    /// Of several pipelines the one that reads this source
    #[arg(long, value_name = "TOPIC", conflicts_with = "keys")]
    source: Option<String>,
}

#[derive(ClapArgs, Debug)]
struct List {
    #[command(flatten)]
    folder: Folder,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

#[derive(ClapArgs, Debug)]
struct Destroy {
    #[command(flatten)]
    folder: Folder,
    /// The key's id
    id: String,
    /// It cannot be undone
    #[arg(long)]
    yes: bool,
}

#[derive(ClapArgs, Debug)]
struct Lookup {
    #[command(flatten)]
    folder: Folder,
    /// What the subject is [default: every class that can have pseudonyms]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Whose records [default: the tenant that the config names]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

/// A folder, and whose records its keys are for.
struct Found {
    folder: KeyFolder,
    tenant: String,
}

impl Folder {
    fn find(&self) -> Result<Found, Failure> {
        if let Some(path) = &self.keys {
            return Ok(Found { folder: KeyFolder::at(path), tenant: String::new() });
        }
        let config = StoreArgs { config: self.config.clone(), embedded: None }.read(None)?;
        let mut found = BTreeSet::new();
        for pipeline in &config.pipelines {
            let asked = self.source.as_deref().is_none_or(|asked| *pipeline.settings.topics.source == *asked);
            if let Some(keys) = pipeline.keys.as_ref().filter(|_| asked) {
                found.insert((keys.clone(), pipeline.tenant.clone().unwrap_or_default()));
            }
        }
        let folders: BTreeSet<&PathBuf> = found.iter().map(|(keys, _)| keys).collect();
        match (folders.len(), found.first()) {
            (_, None) => Err(Failure::new(
                exit::INVALID,
                "the config names no folder for keys\nhelp: write `keys = \"keys\"` under [[pipeline]], or use --keys DIR",
            )),
            (1, Some((keys, tenant))) => {
                // Two tenants with one folder: only --tenant can tell whose.
                let tenant = if found.len() == 1 { tenant.clone() } else { String::new() };
                Ok(Found { folder: KeyFolder::at(keys), tenant })
            }
            _ => Err(Failure::usage(
                "the pipelines have folders of their own\nhelp: name one with --source TOPIC",
            )),
        }
    }
}

/// The moment, as key files and lists write it.
fn now() -> String {
    let at = jiff::Timestamp::from_millisecond(SystemClock.now_ms()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn failure(error: &KeysError) -> Failure {
    let code = match error {
        KeysError::Refused(_) => exit::REFUSED,
        KeysError::Corrupt { .. } => exit::INVALID,
        KeysError::Io(..) => exit::IO,
    };
    Failure::new(code, error.to_string())
}

/// The keys of a folder, for a verb that makes pseudonyms.
pub fn load(path: &Path) -> Result<Arc<Keys>, Failure> {
    if !path.exists() {
        let path = path.display();
        let none = Failure::new(exit::IO, format!("{path}: there is no such folder"));
        return Err(none.help(&format!("`logscrub keys init --keys {path}` makes it, with a key")));
    }
    KeyFolder::at(path).load().map(Arc::new).map_err(|error| failure(&error))
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.keys().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn keys(&self) -> Result<(), Failure> {
        let text = match &self.what {
            What::Init(folder) => {
                let epoch = folder.find()?.folder.init(&now()).map_err(|error| failure(&error))?;
                format!("{} made\n", epoch.id())
            }
            What::Rotate(folder) => {
                let epoch = folder.find()?.folder.rotate(&now()).map_err(|error| failure(&error))?;
                format!("{} made; it writes from now on\n", epoch.id())
            }
            What::List(list) => {
                let epochs = list.folder.find()?.folder.epochs().map_err(|error| failure(&error))?;
                if list.json { epochs_as_json(&epochs) } else { epochs_as_text(&epochs) }
            }
            What::Destroy(destroy) => destroy.destroy()?,
            What::Lookup(lookup) => lookup.lookup()?,
        };
        print(text)
    }
}

/// The newest living key writes.
fn states(epochs: &[Epoch]) -> impl Iterator<Item = (&Epoch, &'static str)> {
    let writes = epochs.iter().rev().find(|epoch| epoch.destroyed.is_none()).map(|epoch| epoch.number);
    epochs.iter().map(move |epoch| {
        let state = match &epoch.destroyed {
            Some(_) => "destroyed",
            None if writes == Some(epoch.number) => "writes",
            None => "recognises",
        };
        (epoch, state)
    })
}

fn epochs_as_text(epochs: &[Epoch]) -> String {
    let mut text = String::new();
    for (epoch, state) in states(epochs) {
        let since = epoch.destroyed.as_ref().unwrap_or(&epoch.created);
        let _ = match &epoch.destroyed {
            Some(_) => writeln!(text, "{:<6} {state:<10} {since}", epoch.id()),
            None => writeln!(text, "{:<6} {state:<10} made {since}", epoch.id()),
        };
    }
    if text.is_empty() { "no keys\n".to_owned() } else { text }
}

fn epochs_as_json(epochs: &[Epoch]) -> String {
    let one = |(epoch, state): (&Epoch, &str)| {
        let created = (!epoch.created.is_empty()).then_some(&epoch.created);
        json!({ "id": epoch.id(), "state": state, "created": created, "destroyed": epoch.destroyed })
    };
    serde_json::Value::from(states(epochs).map(one).collect::<Vec<_>>()).to_string() + "\n"
}

impl Destroy {
    fn destroy(&self) -> Result<String, Failure> {
        if !self.yes {
            return Err(Failure::usage(format!(
                "without the key nobody can tell any more whose the pseudonyms of `{0}` were\nhelp: say so: \
                 logscrub keys destroy {0} --yes",
                self.id
            )));
        }
        let Found { folder, .. } = self.folder.find()?;
        folder.destroy(&self.id, &now()).map_err(|error| failure(&error))?;
        let left = folder.living().map_err(|error| failure(&error))?;
        let rest = match left.last() {
            Some(epoch) => format!("{} writes", epoch.id()),
            None => "no key is left: values are removed until `logscrub keys rotate`".to_owned(),
        };
        Ok(format!(
            "{} destroyed: overwritten and deleted; copies of the file made elsewhere, and old blocks of a disk that \
             never writes in place, are not gone by that\n{rest}\n",
            self.id
        ))
    }
}

/// What a subject's pseudonym under one key is.
struct Token {
    class: &'static str,
    /// The written form that it is of.
    form: &'static str,
    key: String,
    token: String,
}

impl Lookup {
    fn lookup(&self) -> Result<String, Failure> {
        let classes = self.classes()?;
        let Found { folder, tenant } = self.folder.find()?;
        let keys = folder.load().map_err(|error| failure(&error))?;
        let tenant = self.tenant.clone().unwrap_or(tenant);
        let mut input = Zeroizing::new(Vec::new());
        std::io::stdin().read_to_end(&mut input).map_err(|error| Failure::io("stdin", &error))?;
        let subject = input.trim_ascii();
        if subject.is_empty() || subject.contains(&b'\n') {
            return Err(Failure::usage("stdin holds one subject, on one line"));
        }
        let mut tokens = Vec::new();
        for class in classes {
            for (form, bytes) in forms(class, subject) {
                let value = Value { class, bytes: &bytes, detail: Detail::None, custom_name: "" };
                let of = |(key, token)| Token { class: class.word(), form, key, token };
                tokens.extend(keys.tokens(&value, tenant.as_bytes()).into_iter().map(of));
            }
        }
        Ok(if self.json { tokens_as_json(&tokens) } else { tokens_as_text(&tokens) })
    }

    fn classes(&self) -> Result<Vec<Class>, Failure> {
        let all: Vec<Class> =
            Class::ALL.into_iter().filter(|class| possible(*class, Action::Pseudonym)).collect();
        let Some(word) = &self.class else { return Ok(all) };
        match all.iter().find(|class| class.word() == word) {
            Some(class) => Ok(vec![*class]),
            None => {
                let words: Vec<_> = all.iter().map(|class| class.word()).collect();
                Err(Failure::usage(format!(
                    "`{word}` has no pseudonyms\nhelp: the classes that have are {}",
                    words.join(", ")
                )))
            }
        }
    }
}

/// The written forms of a subject that have pseudonyms of their own: a number without its calling code is
/// another row of digits.
fn forms(class: Class, subject: &[u8]) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
    let mut forms = vec![("as given", Zeroizing::new(subject.to_vec()))];
    if class == Class::Phone {
        let digits: Zeroizing<Vec<u8>> =
            Zeroizing::new(subject.iter().copied().filter(u8::is_ascii_digit).collect());
        if let Some(number) = numbering::international(&digits).filter(numbering::Number::is_valid) {
            let national = number.format_national().into_bytes();
            let bare = number.national_digits().to_vec();
            let differ = national.iter().filter(|byte| byte.is_ascii_digit()).ne(bare.iter());
            forms.push(("national", Zeroizing::new(bare)));
            if differ {
                forms.push(("national, dialled", Zeroizing::new(national)));
            }
        }
    }
    forms
}

fn tokens_as_text(tokens: &[Token]) -> String {
    let mut text = String::new();
    for Token { class, form, key, token } in tokens {
        let _ = writeln!(text, "{class:<10} {form:<17} {key:<4} {token}");
    }
    text
}

fn tokens_as_json(tokens: &[Token]) -> String {
    let one = |token: &Token| json!({ "class": token.class, "form": token.form, "key": token.key, "token": token.token });
    serde_json::Value::from(tokens.iter().map(one).collect::<Vec<_>>()).to_string() + "\n"
}
