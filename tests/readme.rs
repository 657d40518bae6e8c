//! The README does what it says: its TOML files are written where their first line says, its commands
//! are run in order in one directory, and they print what stands below them. The two commands in `sh`
//! blocks build the program; `scripts/test` runs the first, and this test is part of the second.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A fenced block: the word behind its fence, and its lines.
struct Block<'a> {
    form: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(""), Some(_)) => blocks.extend(open.take()),
            (Some(form), None) => open = Some(Block { form, lines: Vec::new() }),
            (None, Some(block)) => block.lines.push(line),
            _ => {}
        }
    }
    blocks
}

/// Commands of a console block, each with what it prints.
fn commands(block: &Block<'_>) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in &block.lines {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => {
                output.push_str(line);
                output.push('\n');
            }
            (None, None) => panic!("a console block starts with `$ `"),
        }
    }
    commands
}

fn run(command: &str, directory: &Path) -> (String, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_logscrub")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let out = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .current_dir(directory)
        .env("PATH", path)
        .output()
        .unwrap();
    let err = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{command}\n{err}");
    (String::from_utf8(out.stdout).unwrap(), err)
}

/// Does what a page says, in a directory of its own, which it gives.
fn follow(page: &str, at_least: usize) -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(page)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for block in blocks(&text) {
        match block.form {
            "toml" => {
                let name = block.lines.first().and_then(|line| line.strip_prefix("# "));
                let path = directory.path().join(name.expect("a TOML block starts with `# <its path>`"));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, block.lines.join("\n") + "\n").unwrap();
            }
            "console" => {
                for (command, output) in commands(&block) {
                    if let Some(file) = command.strip_prefix("cat ") {
                        // What `cat` shows is what the file holds: the README's own sample.
                        fs::write(directory.path().join(file), &output).unwrap();
                    }
                    assert_eq!(run(&command, directory.path()).0, output, "{command}");
                    ran += 1;
                }
            }
            "sh" => assert!(matches!(block.lines.as_slice(), ["scripts/demo" | "scripts/test"])),
            other => panic!("a block of form `{other}` that no test runs"),
        }
    }
    assert!(ran >= at_least, "only {ran} commands were found in {page}");
    directory
}

#[test]
fn a_policys_author_gets_what_the_page_says() {
    follow("docs/policies.md", 9);
}

#[test]
fn every_file_and_command_does_what_the_readme_says() {
    let directory = follow("README.md", 9);
    run("logscrub check --policy ours.toml --rules my-rules", directory.path());
    // The shipped rules' own examples are the business of `tests/rules.rs`.
    let (tested, _) = run("logscrub test my-rules || true", directory.path());
    assert!(tested.contains(" checks, ") && !tested.contains("FAIL my-rules"), "{tested}");
}

#[test]
fn the_two_commands_are_there_and_tests_are_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let readme = read("README.md");
    let shell: Vec<_> = blocks(&readme)
        .into_iter()
        .filter(|block| block.form == "sh")
        .map(|block| block.lines.join("\n"))
        .collect();
    assert_eq!(shell, ["scripts/demo", "scripts/test"]);
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(last(&read(".ci/run")), "exec scripts/test");
    assert!(read("scripts/test").contains("scripts/demo "), "the first command is run by the second");
}
