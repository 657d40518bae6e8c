//! Number → text, grouped as libphonenumber groups it. For tests and made-up logs; these allocate.

use super::table::table;
use super::{Number, pattern};

impl Number {
    /// `+14155550132`.
    #[must_use]
    pub fn format_e164(&self) -> String {
        format!("+{}{}", self.calling_code, text(self.national_digits()))
    }

    /// `+1 415-555-0132`.
    #[must_use]
    pub fn format_international(&self) -> String {
        format!("+{} {}", self.calling_code, self.grouped(Style::International))
    }

    /// `(415) 555-0132`: with the trunk prefix where people write it.
    #[must_use]
    pub fn format_national(&self) -> String {
        self.grouped(Style::National)
    }

    /// `tel:+1-415-555-0132` (RFC 3966).
    #[must_use]
    pub fn format_rfc3966(&self) -> String {
        let grouped = self.grouped(Style::International);
        format!(
            "tel:+{}-{}",
            self.calling_code,
            grouped.replace([' ', '.', '/', '(', ')'], "-").replace("--", "-")
        )
    }

    /// Lengths of the groups that the number has in national form, its trunk prefix in the first, and
    /// how many groups there are. Does not allocate.
    #[must_use]
    pub fn national_groups(&self) -> ([u8; 8], usize) {
        let mut lengths = [0u8; 8];
        let mut group = 0;
        let digits = self.national_digits();
        let whole = [1];
        let (template, groups) = match self.matching(Style::National) {
            Some((template, groups)) => (template, Some(groups)),
            None => (whole.as_slice(), None),
        };
        let mut open = false;
        for byte in template {
            let more = match byte {
                1..=6 => {
                    groups.map_or(Some(digits), |groups| groups.get(digits, *byte)).map_or(0, <[u8]>::len)
                }
                b'0'..=b'9' => 1,
                _ => 0,
            };
            if more > 0 {
                if let Some(length) = lengths.get_mut(group) {
                    *length = length.saturating_add(u8::try_from(more).unwrap_or(u8::MAX));
                }
            } else if open {
                group += 1;
            }
            open = more > 0;
        }
        (lengths, if open { group + 1 } else { group })
    }

    fn grouped(&self, style: Style) -> String {
        let digits = self.national_digits();
        let Some((template, groups)) = self.matching(style) else { return text(digits) };
        let mut out = Vec::with_capacity(24);
        for byte in template {
            match byte {
                1..=6 => out.extend_from_slice(groups.get(digits, *byte).unwrap_or_default()),
                other => out.push(*other),
            }
        }
        text(&out)
    }

    /// The template for the number in a style, and the groups of digits that it names.
    fn matching(&self, style: Style) -> Option<(&'static [u8], pattern::Groups)> {
        let digits = self.national_digits();
        let formats = table().code(self.calling_code).map(|code| code.formats).unwrap_or_default();
        for format in formats.filter_map(|row| table().format(row)) {
            let (wanted, template) = match style {
                Style::National => (format.for_national, format.national),
                Style::International => (format.for_international, format.international),
            };
            let leads = format.leading.is_none_or(|leading| pattern::at_start(leading, digits).is_some());
            let groups = format.pattern.filter(|_| wanted && leads).and_then(|p| pattern::whole(p, digits));
            if let Some(groups) = groups {
                return Some((template, groups));
            }
        }
        None
    }
}

#[derive(Clone, Copy)]
enum Style {
    National,
    International,
}

fn text(ascii: &[u8]) -> String {
    ascii.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use crate::numbering::international;

    #[test]
    fn styles() {
        let us = international(b"14155550132").unwrap();
        assert_eq!(us.format_e164(), "+14155550132");
        assert_eq!(us.format_international(), "+1 415-555-0132");
        assert_eq!(us.format_national(), "(415) 555-0132");
        assert_eq!(us.format_rfc3966(), "tel:+1-415-555-0132");
        let gb = international(b"447700900123").unwrap();
        assert_eq!(gb.format_international(), "+44 7700 900123");
        assert_eq!(gb.format_national(), "07700 900123");
        assert_eq!(us.national_groups(), ([3, 3, 4, 0, 0, 0, 0, 0], 3));
        assert_eq!(gb.national_groups(), ([5, 6, 0, 0, 0, 0, 0, 0], 2));
    }
}
