//! Reads `table/plans.bin`; its layout is described in `table/generate.py`.

use super::Kind;
use std::sync::OnceLock;

static PLANS: &[u8] = include_bytes!("table/plans.bin");

const LAYOUT: u16 = 1;
const STATE: usize = 22;
const OUTCOME: usize = 2;
const CODE: usize = 12;
const REGION: usize = 31;
const FORMAT: usize = 12;

/// What an automaton says of the digits it was fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They are no number.
    None,
    /// They match a region's general pattern (only the general automatons say this).
    General,
    /// They are a valid number of that region.
    Valid(u8, Kind),
}

/// A reference to a small regular expression, `None` where there is none.
pub(super) type Pattern = Option<u16>;

pub(super) struct CodeRow {
    pub root: u16,
    /// The region whose prefixes and formats the code's numbers have.
    pub main_region: u8,
    pub formats: std::ops::Range<usize>,
}

pub(super) struct RegionRow {
    pub code: &'static str,
    pub calling_code: u16,
    pub general_root: u16,
    /// Bit n: a national number may have n digits.
    pub possible: u32,
    /// Bit n: a number dialled within its own area may have n digits.
    pub local_only: u32,
    pub national_prefix: Pattern,
    /// What is dialled before a calling code: `00`, `011`, `810` …
    pub international_prefix: Pattern,
    /// Groups in `national_prefix`.
    pub groups: u8,
    /// What `national_prefix` is replaced by when its last group took part; bytes 1 to 6 are groups.
    pub transform: &'static [u8],
    pub example_mobile: &'static [u8],
    pub example_fixed: &'static [u8],
}

pub(super) struct FormatRow {
    pub pattern: Pattern,
    pub leading: Pattern,
    pub national: &'static [u8],
    pub international: &'static [u8],
    pub for_national: bool,
    pub for_international: bool,
}

pub(super) struct Table {
    states: &'static [u8],
    outcomes: &'static [u8],
    codes: &'static [u8],
    regions: &'static [u8],
    programs: &'static [u8],
    formats: &'static [u8],
    text: &'static [u8],
    /// Calling code → its row in `codes` plus one; 0: no such code.
    code_rows: [u8; 1000],
}

/// The table; cut into its sections once.
pub(super) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::cut(PLANS))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u8_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

fn pattern_at(bytes: &[u8], at: usize) -> Pattern {
    Some(u16_at(bytes, at)).filter(|offset| *offset != u16::MAX)
}

impl Table {
    fn cut(plans: &'static [u8]) -> Table {
        let section = |n: usize| {
            let bound = |n: usize| u32_at(plans, 8 + 4 * n) as usize;
            plans.get(bound(n)..bound(n + 1)).unwrap_or_default()
        };
        debug_assert!(plans.starts_with(b"LSNP") && u16_at(plans, 4) == LAYOUT);
        let codes = section(2);
        let mut code_rows = [0; 1000];
        for (row, record) in codes.chunks_exact(CODE).enumerate() {
            if let Some(slot) = code_rows.get_mut(usize::from(u16_at(record, 0))) {
                *slot = u8::try_from(row + 1).unwrap_or_default();
            }
        }
        Table {
            states: section(0),
            outcomes: section(1),
            codes,
            regions: section(3),
            programs: section(4),
            formats: section(5),
            text: section(6),
            code_rows,
        }
    }

    /// The state after a digit (0 to 9); 0 once nothing can match any more.
    pub(super) fn next(&self, state: u16, digit: u8) -> u16 {
        u16_at(self.states, usize::from(state) * STATE + usize::from(digit) * 2)
    }

    pub(super) fn outcome(&self, state: u16) -> Outcome {
        match u16_at(self.states, usize::from(state) * STATE + 20) {
            0 => Outcome::None,
            1 => Outcome::General,
            n => {
                let at = usize::from(n) * OUTCOME;
                let kind = match u8_at(self.outcomes, at + 1) {
                    1 => Kind::Mobile,
                    2 => Kind::Fixed,
                    3 => Kind::FixedOrMobile,
                    _ => Kind::Other,
                };
                Outcome::Valid(u8_at(self.outcomes, at), kind)
            }
        }
    }

    /// Feeds ASCII digits to the automaton that starts at `root`.
    pub(super) fn walk(&self, root: u16, digits: &[u8]) -> Outcome {
        let mut state = root;
        for digit in digits {
            state = self.next(state, digit.wrapping_sub(b'0') % 10);
            if state == 0 {
                return Outcome::None;
            }
        }
        self.outcome(state)
    }

    pub(super) fn has_code(&self, code: u16) -> bool {
        self.code_rows.get(usize::from(code)).is_some_and(|row| *row != 0)
    }

    pub(super) fn code(&self, code: u16) -> Option<CodeRow> {
        let row = self.code_rows.get(usize::from(code)).copied().filter(|row| *row != 0)?;
        let record = self.codes.get((usize::from(row) - 1) * CODE..)?;
        let first = usize::from(u16_at(record, 10));
        Some(CodeRow {
            root: u16_at(record, 2),
            main_region: u8_at(record, 8),
            formats: first..first + usize::from(u8_at(record, 9)),
        })
    }

    pub(super) fn region_count(&self) -> usize {
        self.regions.len() / REGION
    }

    pub(super) fn region(&self, number: u8) -> Option<RegionRow> {
        let at = usize::from(number) * REGION;
        let record = self.regions.get(at..at + REGION)?;
        let code = record.get(..3)?;
        let code = code.strip_suffix(&[0]).unwrap_or(code);
        let text = |at: usize| self.text_at(u16_at(record, at), u8_at(record, at + 2));
        Some(RegionRow {
            code: std::str::from_utf8(code).unwrap_or_default(),
            calling_code: u16_at(record, 4),
            general_root: u16_at(record, 6),
            possible: u32_at(record, 8),
            local_only: u32_at(record, 12),
            national_prefix: pattern_at(record, 16),
            international_prefix: pattern_at(record, 18),
            groups: u8_at(record, 20),
            transform: text(22),
            example_mobile: text(25),
            example_fixed: text(28),
        })
    }

    fn text_at(&self, at: u16, len: u8) -> &'static [u8] {
        self.text.get(usize::from(at)..usize::from(at) + usize::from(len)).unwrap_or_default()
    }

    /// Bytecode that starts at the pattern's offset; it ends itself.
    pub(super) fn program(&self, offset: u16) -> &'static [u8] {
        self.programs.get(usize::from(offset)..).unwrap_or_default()
    }

    pub(super) fn format(&self, row: usize) -> Option<FormatRow> {
        let record = self.formats.get(row * FORMAT..(row + 1) * FORMAT)?;
        let which = u8_at(record, 7);
        Some(FormatRow {
            pattern: pattern_at(record, 0),
            leading: pattern_at(record, 2),
            national: self.text_at(u16_at(record, 4), u8_at(record, 6)),
            international: self.text_at(u16_at(record, 8), u8_at(record, 10)),
            for_national: which & 1 != 0,
            for_international: which & 2 != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        let table = table();
        assert_eq!(u16_at(PLANS, 4), LAYOUT);
        assert_eq!(u32_at(PLANS, 8 + 4 * 7) as usize, PLANS.len());
        assert_eq!(table.states.len() % STATE, 0);
        assert_eq!(table.codes.len() % CODE, 0);
        assert_eq!(table.regions.len() % REGION, 0);
        assert_eq!(table.formats.len() % FORMAT, 0);
        assert_eq!(table.region_count(), 254);
        for state in table.states.chunks_exact(2).map(|pair| u16_at(pair, 0)).step_by(11) {
            assert!(usize::from(state) < table.states.len() / STATE);
        }
        for row in table.codes.chunks_exact(CODE) {
            let code = table.code(u16_at(row, 0)).unwrap();
            assert_eq!(table.region(code.main_region).unwrap().calling_code, u16_at(row, 0));
        }
    }
}
