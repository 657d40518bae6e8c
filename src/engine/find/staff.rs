//! `operatorName` is a network's, or that of somebody who has an e-mail address beside it.

use super::*;
use crate::detect::word_list::WordList;
use crate::detect::words;

static NAMES: WordList = WordList::new(words::neighbours::STAFF_NAMES);
static STAFF: WordList = WordList::new(words::neighbours::STAFF);

/// Members of one thing stand close: many names must not make the record cost its square.
const NEAR: usize = 32;

/// What the two names share at the least: `operator`, `_operador`.
const SHARED_LETTERS: usize = 5;

/// Names of things that are somebody's by the e-mail address beside them.
pub(super) fn name_staff(bytes: &[u8], tree: &Tree, fields: &mut [Shaped]) {
    let somebody: Vec<usize> = (tree.fields.iter().zip(&*fields).enumerate())
        .filter(|(place, (_, shaped))| shaped.claimed.is_none() && is_staff(bytes, tree, *place, fields))
        .map(|(place, _)| place)
        .collect();
    let name = Meaning { class: Some(Class::Name), strength: Strength::Likely, blocked: false };
    for place in somebody {
        if let Some(shaped) = fields.get_mut(place) {
            (shaped.meaning, shaped.always, shaped.meant, shaped.named) =
                (name, None, Some(Class::Name), None);
        }
    }
}

fn is_staff(bytes: &[u8], tree: &Tree, place: usize, fields: &[Shaped]) -> bool {
    let Some(field) = tree.fields.get(place) else { return false };
    let name = tree.name_of(field).of(bytes);
    let within = name.eq_ignore_ascii_case(b"name") && STAFF.holds(tree.named(field.container).of(bytes));
    let near = place.saturating_sub(NEAR)..(place + NEAR).min(fields.len());
    let others = || {
        let around = tree.fields.get(near.clone()).unwrap_or_default();
        around.iter().zip(fields.get(near.clone()).unwrap_or_default())
    };
    (within || NAMES.holds(name))
        && others().any(|(other, shaped)| {
            other.container == field.container
                && shaped.meaning.class == Some(Class::Email)
                && (within || share(name, tree.name_of(other).of(bytes)))
        })
}

/// `operatorName` and `operatorEmail`, `nombre_operador` and `correo_operador`.
fn share(name: &[u8], other: &[u8]) -> bool {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let front = name.iter().zip(other).take_while(same).count();
    let back = name.iter().rev().zip(other.iter().rev()).take_while(same).count();
    front.max(back) >= SHARED_LETTERS
}
