//! A scrubber as they are usually written: parse, a chain of regexes over every string, write again.

use regex::Regex;
use serde_json::Value;

pub struct Chain(Vec<Regex>);

impl Chain {
    pub fn new() -> Self {
        let patterns = [
            r"\+?[0-9][0-9 ().-]{7,}[0-9]",
            r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
            r"\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b",
            r"(?i)\b([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\b",
            r"(?i)bearer [A-Za-z0-9._-]+",
            r"\bsk_(live|test)_[A-Za-z0-9]+",
            r"(?i)\b(code|otp|pin)\b[^0-9]{0,12}[0-9]{4,8}",
            r#"(?i)(password|secret|token)["']?[=:]\s*["']?[^\s"',]+"#,
            r"\b[0-9]{13,19}\b",
            r"(?i)(text|body|message)=[^&\s]+",
        ];
        Chain(patterns.iter().map(|pattern| Regex::new(pattern).expect("a pattern")).collect())
    }

    pub fn scrub(&self, value: &[u8]) -> Vec<u8> {
        match serde_json::from_slice::<Value>(value) {
            Ok(mut tree) => {
                self.walk(&mut tree);
                serde_json::to_vec(&tree).expect("a tree can be written")
            }
            Err(_) => self.text(&String::from_utf8_lossy(value)).into_bytes(),
        }
    }

    fn walk(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.walk(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, pattern| pattern.replace_all(&text, "[X]").into_owned())
    }
}
