//! What was changed: `field=mobile old=4479… new=4478…`, `{"column":"email","before":…,"after":…}`. The named field says
//! what the old and the new value are, whatever class it is of.

use super::*;
use crate::detect::word_list::WordList;
use crate::detect::words::change;

static FIELDS: WordList = WordList::new(change::FIELDS);
static SIDES: WordList = WordList::new(change::SIDES);
static WAYS: WordList = WordList::new(change::WAYS);

/// How far from the name of what was changed its values stand, in fields.
const REACH: usize = 6;
/// No field's name is longer.
const NAME_BYTES: usize = 64;

/// Whether a member's name says that its value is what another held before a change, or since.
pub(super) fn is_side(name: &[u8]) -> bool {
    SIDES.holds(name)
}

/// Whether other values in the same places could make a change.
pub(super) fn may_stand(tree: &Tree, text: &[u8]) -> bool {
    (0..tree.fields.len()).any(|place| {
        tree.fields.get(place).is_some_and(|label| FIELDS.holds(label.name.of(text)))
            && sides(tree, text, place).next().is_some()
    })
}

/// The values beside the name of what was changed, at `place`, and whether their own names could say something else.
fn sides<'a>(tree: &'a Tree, text: &'a [u8], place: usize) -> impl Iterator<Item = (usize, bool)> {
    let home = tree.fields.get(place).map(|label| label.container);
    let near = place.saturating_sub(REACH)..tree.fields.len().min(place + 1 + REACH);
    near.filter_map(move |other| {
        let field = tree.fields.get(other).filter(|field| Some(field.container) == home && other != place)?;
        let name = field.name.of(text);
        (SIDES.holds(name) || WAYS.holds(name)).then(|| (other, WAYS.holds(name)))
    })
}

impl Finder {
    /// Gives what was changed the name of the field that it was changed in.
    pub(super) fn name_changes(&mut self, tools: Tools<'_>, text: &[u8], tree: &mut Tree) {
        for place in 0..tree.fields.len() {
            let Some(label) = tree.fields.get(place).copied() else { return };
            let named = label.value;
            let short = (1..=NAME_BYTES).contains(&named.len());
            if !short || label.name.is_empty() || !FIELDS.holds(label.name.of(text)) {
                continue;
            }
            let info = info(tools, &mut self.names, named.of(text));
            let Some(class) = says(info) else { continue };
            let mut found = [None; 2 * REACH];
            for (slot, side) in found.iter_mut().zip(sides(tree, text, place)) {
                *slot = Some(side);
            }
            let held = found.into_iter().flatten();
            // `from` and `to` of a change come together, and are no numbers where something else was changed.
            let both = held.clone().filter(|(_, way)| *way).count() == 2;
            for (other, way) in held {
                let Some(field) = tree.fields.get_mut(other) else { continue };
                let number = field.value.of(text).iter().filter(|b| b.is_ascii_digit()).count() >= 7;
                if !way || both && (class == Class::Phone || !number) {
                    field.name = named;
                    tree.labels.push(named);
                }
            }
        }
    }
}

/// What a name says of its value, if that is nothing that may stay.
fn says(info: NameInfo) -> Option<Class> {
    let claimed = info.claims.bare.map(|(class, ..)| class);
    let meant = info.meaning.class.filter(|_| !info.meaning.blocked);
    claimed.or(meant).filter(|class| *class != Class::Safe)
}
