//! `logscrub completions SHELL`: a completion script on stdout.

use super::Cli;
use super::failure::Failure;
use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::{Shell, generate};
use std::io::{self, Write as _};

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
        match io::stdout().write_all(&script) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Failure::io("stdout", &error).report(),
            _ => 0,
        }
    }
}
