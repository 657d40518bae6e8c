//! Names that mean something only by what they stand in: a place that somebody sent, a part of a person's name.

use super::read::ancestors;
use super::*;
use crate::engine::value_shape::reads_human;

static NAME_PARTS: WordList = WordList::new(words::neighbours::NAME_PARTS);
static ANSWERS: WordList = WordList::new(words::neighbours::ANSWERS);

/// `"name":{"first":"Ada","last":"Roe"}`: what a name means that is a part of a person's, below a word for one.
pub(super) fn of_a_name(
    tools: Tools<'_>,
    names: &mut NameCache<NameInfo>,
    bytes: &[u8],
    tree: &Tree,
    field: &Field,
    meaning: Meaning,
) -> Meaning {
    let unsaid = meaning.blocked || matches!(meaning.class, None | Some(Class::Safe));
    if !unsaid || !NAME_PARTS.holds(tree.name_of(field).of(bytes)) {
        return meaning;
    }
    let mut around = ancestors(tree, field.container).take(3).map(|index| tree.container(index).name);
    let below = around.any(|name| {
        let info = info(tools, names, name.of(bytes));
        !name.is_empty()
            && !NAME_PARTS.holds(name.of(bytes))
            && (info.meaning.class == Some(Class::Name) || info.inside.has(Facts::PERSON))
    });
    if below {
        Meaning { class: Some(Class::Name), strength: Strength::Likely, blocked: false }
    } else {
        meaning
    }
}

/// `"status":{"id":5,"description":"Message delivered to handset"}`: whether a field describes how something went.
pub(super) fn describes_an_answer(bytes: &[u8], tree: &Tree, field: &Field) -> bool {
    let value = field.value.of(bytes);
    ANSWERS.holds(tree.container(field.container).name.of(bytes)) && value.is_ascii() && !reads_human(value)
}

/// `"message":{"latitude":1,"longitude":2,"name":"…"}`: what a place is called that somebody sent.
pub(super) fn name_a_place(
    tools: Tools<'_>,
    names: &mut NameCache<NameInfo>,
    bytes: &[u8],
    tree: &Tree,
    field: &Field,
    shaped: &mut Shaped,
) {
    static OF_PLACES: WordList = WordList::new(words::neighbours::OF_PLACES);
    let mut around = ancestors(tree, field.container).take(3).map(|index| tree.container(index).name);
    let sent = OF_PLACES.holds(tree.name_of(field).of(bytes))
        && around.any(|name| info(tools, names, name.of(bytes)).inside.has(Facts::MESSAGE));
    if sent {
        let place = Meaning { class: Some(Class::Location), strength: Strength::Sure, blocked: false };
        (shaped.meaning, shaped.always, shaped.meant, shaped.named) =
            (place, None, Some(Class::Location), None);
    }
}
