//! Made-up numbers that their plan calls valid, for made-up logs. None is kept in the project.

use super::table::{Outcome, table};
use super::{Digits, Kind, Number, Region, parse};

/// A valid number of the region: mobile where the region has such. Begins like the region's published
/// example and goes its own way after one digit or more; the example itself where no walk succeeds.
/// `random` gives 32 random bits a call; the same bits give the same number.
pub fn random_valid(region: Region, random: &mut impl FnMut() -> u32) -> Option<Number> {
    let example = region.example_mobile()?;
    let code = table().code(region.calling_code())?;
    for _ in 0..24 {
        if let Some(digits) = walk(code.root, &example, random) {
            return parse::judge(region.calling_code(), digits.as_bytes());
        }
    }
    Some(example)
}

/// One walk through the automaton: the example's first digits, then random ones that lead on.
fn walk(root: u16, example: &Number, random: &mut impl FnMut() -> u32) -> Option<Digits> {
    let model = example.national_digits();
    let kept = 1 + random() as usize % model.len().saturating_sub(5).clamp(1, 4);
    let mut digits = Digits::EMPTY;
    let mut state = root;
    for (place, digit) in model.iter().enumerate() {
        let first = if place < kept { u32::from(digit - b'0') } else { random() % 10 };
        let turns = if place < kept { 1 } else { 10 };
        let (digit, next) = (0..turns)
            .map(|turn| u8::try_from((first + turn) % 10).unwrap_or_default())
            .map(|digit| (digit, table().next(state, digit)))
            .find(|(_, next)| *next != 0)?;
        digits.extend(&[b'0' + digit])?;
        state = next;
    }
    let wanted = |kind: Kind| match example.kind() {
        Kind::Mobile | Kind::FixedOrMobile => matches!(kind, Kind::Mobile | Kind::FixedOrMobile),
        Kind::Fixed | Kind::Other | Kind::Unknown => kind == example.kind(),
    };
    match table().outcome(state) {
        Outcome::Valid(found, kind) if Some(Region(found)) == example.region() && wanted(kind) => {
            Some(digits)
        }
        Outcome::Valid(..) | Outcome::General | Outcome::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_valid_varied_and_repeatable() {
        for region in Region::all() {
            let numbers = |seed: u32| {
                let mut state = seed;
                let mut next = move || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.rotate_left(13)
                };
                (0..50).map(|_| random_valid(region, &mut next).unwrap()).collect::<Vec<_>>()
            };
            let first = numbers(7);
            assert_eq!(first, numbers(7));
            assert!(first.iter().all(Number::is_valid), "{region:?}");
            let home = region.example_mobile().unwrap().region();
            assert!(first.iter().all(|number| number.region() == home), "{region:?}");
            let distinct: HashSet<_> = first.iter().map(Number::format_e164).collect();
            assert!(distinct.len() >= 20, "{region:?} {}", distinct.len());
        }
    }
}
