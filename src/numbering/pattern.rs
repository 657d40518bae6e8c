//! Runs the small regular expressions of the metadata: prefixes and formats. They have no loops,
//! so that a run ends by itself.

use super::table::table;

const MATCH: u8 = 0;
const SET: u8 = 1;
const SPLIT: u8 = 2;
const JUMP: u8 = 3;
const SAVE: u8 = 4;
const END: u8 = 5;

const UNSET: u8 = u8::MAX;

/// Where the groups of a match stand.
#[derive(Clone, Copy)]
pub(super) struct Groups {
    slots: [u8; 14],
    /// End of the whole match, bytes from the start of the digits.
    pub end: usize,
}

impl Groups {
    /// The digits of group `n` (from 1); `None` where it took no part.
    pub(super) fn get<'d>(&self, digits: &'d [u8], n: u8) -> Option<&'d [u8]> {
        let slot = |n: usize| self.slots.get(n).copied().filter(|s| *s != UNSET).map(usize::from);
        let n = usize::from(n);
        digits.get(slot(n * 2)?..slot(n * 2 + 1)?)
    }
}

/// Matches at the start of the digits, the first alternative first, as libphonenumber's `lookingAt`.
pub(super) fn at_start(pattern: u16, digits: &[u8]) -> Option<Groups> {
    let mut slots = [UNSET; 14];
    let end = run(table().program(pattern), 0, digits, 0, &mut slots, Until::Anywhere)?;
    Some(Groups { slots, end })
}

/// Matches all of the digits.
pub(super) fn whole(pattern: u16, digits: &[u8]) -> Option<Groups> {
    let mut slots = [UNSET; 14];
    let end = run(table().program(pattern), 0, digits, 0, &mut slots, Until::End)?;
    Some(Groups { slots, end })
}

#[derive(Clone, Copy, PartialEq)]
enum Until {
    Anywhere,
    End,
}

fn run(
    program: &[u8],
    mut pc: usize,
    digits: &[u8],
    mut at: usize,
    slots: &mut [u8; 14],
    until: Until,
) -> Option<usize> {
    let operand =
        |pc: usize| -> Option<u16> { Some(u16::from_le_bytes([*program.get(pc)?, *program.get(pc + 1)?])) };
    loop {
        match *program.get(pc)? {
            MATCH => return (until == Until::Anywhere || at == digits.len()).then_some(at),
            SET => {
                let digit = digits.get(at)?.wrapping_sub(b'0');
                if digit > 9 || operand(pc + 1)? >> digit & 1 == 0 {
                    return None;
                }
                at += 1;
                pc += 3;
            }
            SPLIT => {
                let before = *slots;
                let first = usize::from(operand(pc + 1)?);
                if let Some(end) = run(program, first, digits, at, slots, until) {
                    return Some(end);
                }
                *slots = before;
                pc = usize::from(operand(pc + 3)?);
            }
            JUMP => pc = usize::from(operand(pc + 1)?),
            SAVE => {
                if let Some(slot) = slots.get_mut(usize::from(*program.get(pc + 1)?)) {
                    *slot = u8::try_from(at).unwrap_or(UNSET);
                }
                pc += 2;
            }
            END => {
                if at != digits.len() {
                    return None;
                }
                pc += 1;
            }
            _ => return None,
        }
    }
}
