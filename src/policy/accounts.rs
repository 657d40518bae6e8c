//! Windows of single accounts: the file that `after = { default = …, by = …, file = … }` names.
//!
//! ```toml
//! "acct-17" = "30d"
//! "acct-18" = "1y"
//! ```

use super::Period;
use crate::diagnostic::{Diagnostics, Report, Source, TableReader, parse};
use std::collections::BTreeMap;

/// How long each account's records are kept that has a window of its own. An account is named as the
/// record's field has it, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(pub BTreeMap<String, Period>);

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn compile(source: &Source) -> Result<Self, Diagnostics> {
        let report = Report::new(source);
        let mut accounts = BTreeMap::new();
        if let Some(document) = parse(&report) {
            let top = TableReader::new(&report, document.get_ref(), 0..0, "the accounts' windows");
            for (account, value) in top.entries() {
                let text = value.get_ref().as_str().unwrap_or_default();
                let period = text.parse::<Period>().ok().filter(|period| !period.is_zero());
                // 24m for 24 months would delete after 24 minutes.
                let Some(period) = period.filter(|_| !text.trim().ends_with('m')) else {
                    let help = "write a whole number and a unit, as in \"30d\", \"40s\", \"24mo\", \"7y\"";
                    report.error(
                        value.span(),
                        "this account's window is not a length of time above zero",
                        help,
                    );
                    continue;
                };
                accounts.insert(account.into_inner(), period);
            }
        }
        Diagnostics(report.into_diagnostics()).into_result()?;
        Ok(Accounts(accounts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Accounts, String> {
        let source = Source { name: "windows.toml".into(), text: text.into() };
        Accounts::compile(&source).map_err(|errors| errors.to_string())
    }

    #[test]
    fn each_account_has_its_window() {
        let accounts = read("\"acct-17\" = \"30d\"\nother = \"1y\"\n").unwrap();
        assert_eq!(accounts.0["acct-17"], Period::days(30));
        assert_eq!(accounts.0["other"], Period { months: 12, seconds: 0 });
        assert_eq!(read("").unwrap(), Accounts::default());
    }

    #[test]
    fn what_is_no_window_is_told_with_its_place() {
        for (text, place) in [
            ("a = \"30d\"\nb = \"soon\"\n", "windows.toml:2:5"),
            ("a = 30\n", "windows.toml:1:5"),
            ("a = \"0d\"\n", "windows.toml:1:5"),
            ("a = \"24m\"\n", "windows.toml:1:5"),
            ("[a]\nb = \"1d\"\n", "windows.toml:1:1"),
            ("a = \"1d\"\na = \"2d\"\n", "windows.toml:2:1"),
            ("a = ", "windows.toml:1:"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(place), "{text}: {told}");
        }
    }
}
