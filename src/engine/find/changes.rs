//! What was changed: `field=mobile old=4479… new=4478…`, `{"column":"email","before":…,"after":…}`. The named field says
//! what the old and the new value are, whatever class it is of.

use super::*;
use crate::codec::Container;
use crate::detect::word_list::WordList;
use crate::detect::words::change;

static FIELDS: WordList = WordList::new(change::FIELDS);
static HOLDERS: WordList = WordList::new(change::HOLDERS);
static SIDES: WordList = WordList::new(change::SIDES);
static WAYS: WordList = WordList::new(change::WAYS);
static LOCATIONS: WordList = WordList::new(change::LOCATIONS);
static INPUTS: WordList = WordList::new(change::INPUTS);
static COMPLAINTS: WordList = WordList::new(change::COMPLAINTS);
static KINDS: WordList = WordList::new(change::KINDS);
static PARAMETERS: WordList = WordList::new(change::PARAMETERS);
static PARAMETER_VALUES: WordList = WordList::new(change::PARAMETER_VALUES);

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
    let named = |field: &Field| PARAMETERS.holds(field.name.of(text));
    let location = |list: &Container| list.array && LOCATIONS.holds(list.name.of(text));
    if tree.containers.iter().any(location) || tree.fields.iter().any(named) {
        return true;
    }
    tree.fields.iter().enumerate().any(|(place, label)| {
        Label::of(label.name.of(text)).is_some() && sides(tree, text, place).next().is_some()
    })
}

/// How sure a field names the one that was changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Sure,
    /// Other things are called so, too.
    Likely,
}

impl Label {
    fn of(name: &[u8]) -> Option<Label> {
        match name {
            [] => None,
            _ if FIELDS.holds(name) => Some(Label::Sure),
            _ => HOLDERS.holds(name).then_some(Label::Likely),
        }
    }
}

/// A value beside the name of what was changed.
#[derive(Clone, Copy)]
struct Side {
    place: usize,
    /// Its own name may say something else: `from`.
    way: bool,
    quoted: bool,
}

/// The values beside the name of what was changed, at `place`.
fn sides<'a>(tree: &'a Tree, text: &'a [u8], place: usize) -> impl Iterator<Item = Side> + 'a {
    let home = tree.fields.get(place).map(|label| label.container);
    let near = place.saturating_sub(REACH)..tree.fields.len().min(place + 1 + REACH);
    near.filter_map(move |other| {
        let field = tree.fields.get(other).filter(|field| Some(field.container) == home && other != place)?;
        let name = field.name.of(text);
        let way = WAYS.holds(name);
        let quoted = !matches!(field.form, Form::JsonNumber | Form::Bare);
        let told = || is_said_of_a_value(text, field) || name == b"value" && is_patched(tree, text, place);
        (way || SIDES.holds(name) || told()).then_some(Side { place: other, way, quoted })
    })
}

/// `old value: 4479…`: whether the word before `value` says which one it is.
fn is_said_of_a_value(text: &[u8], field: &Field) -> bool {
    let head = || text.get(field.name.start().saturating_sub(24)..field.name.start());
    let word = || head()?.strip_suffix(b" ")?.rsplit(|b| !b.is_ascii_alphabetic()).next();
    field.form == Form::Bare
        && field.name.of(text) == b"value"
        && word().is_some_and(|word| SIDES.holds(word))
}

/// `{"op":"replace","path":"/mobile","value":"4479…"}` (RFC 6902): whether `place` says which member is patched.
fn is_patched(tree: &Tree, text: &[u8], place: usize) -> bool {
    let Some(path) = tree.fields.get(place) else { return false };
    let near = place.saturating_sub(REACH)..place + 1 + REACH;
    let mut near = near.filter_map(|place| tree.fields.get(place));
    path.name.of(text) == b"path"
        && path.value.of(text).first() == Some(&b'/')
        && near.any(|other| other.container == path.container && other.name.of(text) == b"op")
}

/// What is said of a refused value is no message of somebody's: it goes by the name of its type.
fn name_complaint(text: &[u8], home: u32, tree: &mut Tree) {
    let kind = tree.fields.iter().find(|field| field.container == home && KINDS.holds(field.name.of(text)));
    let Some(kind) = kind.map(|field| field.name) else { return };
    let said = |field: &&mut Field| field.container == home && COMPLAINTS.holds(field.name.of(text));
    if let Some(complaint) = tree.fields.iter_mut().find(said) {
        complaint.name = kind;
    }
}

impl Finder {
    /// Gives what was changed the name of the field that it was changed in.
    pub(super) fn name_changes(&mut self, tools: Tools<'_>, text: &[u8], tree: &mut Tree) {
        self.name_inputs(tools, text, tree);
        for place in 0..tree.fields.len() {
            let Some(label) = tree.fields.get(place).copied() else { return };
            let may_be = |mark| FIELDS.may_hold(mark) || HOLDERS.may_hold(mark) || PARAMETERS.may_hold(mark);
            if !WordList::mark(label.name.of(text)).is_some_and(may_be) {
                continue;
            }
            if PARAMETERS.holds(label.name.of(text)) {
                self.name_parameter(tools, text, tree, place);
                continue;
            }
            let Some(sure) = Label::of(label.name.of(text)) else { continue };
            let named = last_name(text, label.value);
            if !(1..=NAME_BYTES).contains(&named.len()) {
                continue;
            }
            let mut found = [None; 2 * REACH];
            for (slot, side) in found.iter_mut().zip(sides(tree, text, place)) {
                *slot = Some(side);
            }
            let held = || found.into_iter().flatten();
            let sure = if is_patched(tree, text, place) { Label::Sure } else { sure };
            let told = sure == Label::Sure || held().filter(|side| !side.way && side.quoted).count() == 2;
            if held().next().is_none() || !told {
                continue;
            }
            let Some(class) = says(info(tools, &mut self.names, named.of(text))) else { continue };
            // `from` and `to` of a change come together, and are no numbers where something else was changed.
            let both = held().filter(|side| side.way).count() == 2;
            for side in held() {
                let Some(field) = tree.fields.get_mut(side.place) else { continue };
                let number = field.value.of(text).iter().filter(|b| b.is_ascii_digit()).count() >= 7;
                if !side.way || sure == Label::Sure && both && (class == Class::Phone || !number) {
                    field.name = named;
                    tree.labels.push(named);
                }
            }
        }
    }

    /// Gives what was refused the name of the member that it was put in, where that says what somebody's is.
    fn name_inputs(&mut self, tools: Tools<'_>, text: &[u8], tree: &mut Tree) {
        const MOST: usize = 64;
        for list in (0..tree.containers.len()).take(MOST) {
            let Some(container) = tree.containers.get(list).filter(|list| list.array).copied() else {
                continue;
            };
            if !LOCATIONS.holds(container.name.of(text)) {
                continue;
            }
            let item = tree.fields.iter().rfind(|item| item.container as usize == list);
            let named = item.map_or(Span::default(), |item| item.value);
            let known = (1..=NAME_BYTES).contains(&named.len())
                && says(info(tools, &mut self.names, named.of(text))).is_some();
            let is_input = |field: &&mut Field| {
                let own = field.container == container.parent && INPUTS.holds(field.name.of(text));
                own && field.name.start > named.start
            };
            if let Some(input) = tree.fields.iter_mut().find(is_input).filter(|_| known) {
                input.name = named;
                tree.labels.push(named);
                name_complaint(text, container.parent, tree);
            }
        }
    }

    /// Gives a template's parameter the name that stands beside it at `place`, where that says what somebody's is:
    /// `{"type":"text","parameter_name":"customer_name","text":"…"}`. Others are what was written, as those without a name are.
    fn name_parameter(&mut self, tools: Tools<'_>, text: &[u8], tree: &mut Tree, place: usize) {
        let Some(label) = tree.fields.get(place).copied() else { return };
        let known = (1..=NAME_BYTES).contains(&label.value.len())
            && says(info(tools, &mut self.names, label.value.of(text))).is_some();
        let near = place.saturating_sub(REACH)..tree.fields.len().min(place + REACH);
        let is_value = |field: &&mut Field| {
            field.container == label.container && PARAMETER_VALUES.holds(field.name.of(text))
        };
        let value = tree.fields.get_mut(near).into_iter().flatten().find(is_value);
        if let Some(value) = value.filter(|_| known) {
            value.name = label.value;
            tree.labels.push(label.value);
        }
    }
}

/// `/profile/mobile`, `profile.mobile`: the last part of a path.
fn last_name(text: &[u8], path: Span) -> Span {
    let last = memchr::memrchr2(b'/', b'.', path.of(text)).map_or(0, |at| at + 1);
    Span::new(path.start() + last, path.end())
}

/// What a name says of its value, if that is nothing that may stay.
fn says(info: NameInfo) -> Option<Class> {
    let claimed = info.claims.bare.map(|(class, ..)| class);
    let meant = info.meaning.class.filter(|_| !info.meaning.blocked);
    claimed.or(meant).filter(|class| *class != Class::Safe)
}
