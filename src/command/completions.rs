//! `logscrub completions SHELL`: a completion script on stdout.

use super::Cli;
use super::output::print;
use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::{Shell, generate};

/// Prints the completion script of a shell
#[derive(ClapArgs, Debug)]
pub struct Args {
    shell: Shell,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "logscrub", &mut script);
        print(&script).map_or_else(|failure| failure.report(), |()| 0)
    }
}
