//! The command line: one file per verb. A verb is a clap `Args` struct with a `run` method that
//! returns an exit code.

mod audit;
mod cat;
mod check;
mod completions;
mod counts;
mod demo;
mod diff;
mod explain;
mod failure;
mod r#gen;
mod geo;
mod keys;
mod ladder;
mod load;
mod not_text;
mod output;
mod pipe;
mod put;
pub mod records;
mod reload;
mod run;
mod shown;
mod store;
mod test;
mod topics;

use clap::{Parser, Subcommand};

/// Exit codes (a contract).
pub mod exit {
    /// The answer is no.
    pub const NO: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const BROKER_UNREACHABLE: u8 = 69;
    pub const OUR_BUG: u8 = 70;
    pub const IO: u8 = 74;
    pub const REFUSED: u8 = 77;
    /// Config, rules or policy invalid.
    pub const INVALID: u8 = 78;
}

/// Scrubs messaging logs at once, de-identifies them after their window, purges the originals.
#[derive(Parser)]
#[command(name = "logscrub", version)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    Completions(completions::Args),
    Demo(demo::Args),
    Explain(explain::Args),
    Pipe(pipe::Args),
    Check(check::Args),
    Test(test::Args),
    Diff(diff::Args),
    Gen(r#gen::Args),
    Run(run::Args),
    Topics(topics::Args),
    Put(put::Args),
    Cat(cat::Args),
    Counts(counts::Args),
    Audit(audit::Args),
    Geo(geo::Args),
    Keys(keys::Args),
}

/// Parses the arguments and runs the verb.
#[must_use]
pub fn main() -> std::process::ExitCode {
    hide_panic_texts();
    let code = match Cli::parse().verb {
        Verb::Completions(args) => args.run(),
        Verb::Demo(args) => args.run(),
        Verb::Explain(args) => args.run(),
        Verb::Pipe(args) => args.run(),
        Verb::Check(args) => args.run(),
        Verb::Test(args) => args.run(),
        Verb::Diff(args) => args.run(),
        Verb::Gen(args) => args.run(),
        Verb::Run(args) => args.run(),
        Verb::Topics(args) => args.run(),
        Verb::Put(args) => args.run(),
        Verb::Cat(args) => args.run(),
        Verb::Counts(args) => args.run(),
        Verb::Audit(args) => args.run(),
        Verb::Geo(args) => args.run(),
        Verb::Keys(args) => args.run(),
    };
    code.into()
}

/// A panic's text may quote what the code was working on; only its place is ever said.
fn hide_panic_texts() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
        eprintln!("error: internal error{}", place.unwrap_or_default());
    }));
}
