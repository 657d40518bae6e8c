//! Reading fields: by the rules that claim them, by their names, by their neighbours.

use super::*;
use crate::detect::word_list::WordList;
use crate::detect::words;

impl Finder {
    /// Whether a value is the name of another, `{"key": "http.status_code", "value": …}`, and one that a
    /// rule or the lexicon knows.
    pub(super) fn is_label(
        &mut self,
        tools: Tools<'_>,
        text: &[u8],
        tree: &Tree,
        field: &Field,
        reading: Reading,
    ) -> bool {
        if field.form != Form::JsonString
            || !matches!(reading, Reading::Text | Reading::Headline)
            || tree.labels.binary_search(&field.value).is_err()
        {
            return false;
        }
        let info = self.info(tools, field.value.of(text));
        info.claims.bare.is_some() || info.meaning.class.is_some() || info.meaning.blocked
    }

    /// Reads every field of the level's tree: names first, then what the names say together.
    pub(super) fn read_fields(&mut self, tools: Tools<'_>, bytes: &[u8], level: &mut Level) {
        let Level { tree, facts, infos, readings, decoded, .. } = level;
        infos.clear();
        facts.clear();
        facts.resize(tree.containers.len(), Facts::default());
        readings.clear();
        for field in &tree.fields {
            let info = self.info(tools, tree.name_of(field).of(bytes));
            infos.push(info);
            let Some(own) = facts.get_mut(field.container as usize) else { continue };
            if own.has(Facts::HEADLINE) && info.facts.has(Facts::HEADLINE) {
                *own = own.with(Facts::HEADLINES);
            }
            *own = own.with(info.facts);
            let phone = info.meaning.class == Some(Class::Phone)
                || matches!(info.claims.bare, Some((Class::Phone, ..)));
            let value = field.value.of(bytes);
            if value.len() <= 64 && matches!(value.last(), Some(b't' | b's' | b'd')) && is_chat_id(value) {
                *own = own.with(Facts::PHONE);
            }
            if phone
                && field.value.of(bytes).iter().filter(|b| b.is_ascii_digit() || **b >= 0x80).count() >= 6
            {
                *own = own.with(Facts::PHONE);
            }
            if info.meaning.class == Some(Class::Code) && info.meaning.strength != Strength::Ambiguous {
                *own = own.with(Facts::CODES);
            }
        }
        for (field, info) in tree.fields.iter().zip(infos) {
            let name = tree.name_of(field).of(bytes);
            let ambiguous = info.meaning.strength == Strength::Ambiguous;
            if info.meaning.class.is_some() && ambiguous && info.leans {
                let parent = tree.named(field.container).of(bytes);
                if !parent.is_empty() && !field.name.is_empty() && !resolve::is_envelope(parent) {
                    let below = tools.detectors.meaning_in(parent, name);
                    // An id is one whatever it is of: `statuses[].id` is a message's.
                    if !(below.blocked && name.eq_ignore_ascii_case(b"id")) {
                        info.meaning = below;
                    }
                }
            }
            // `"lastname": {"value": "…"}`: the value of what its container is called.
            if info.meaning.class.is_none() && info.is_value {
                let parent = tree.named(tree.container(field.container).parent.min(field.container));
                let own = tree.container(field.container).name;
                let parent = if own.is_empty() { parent } else { own };
                if !parent.is_empty() {
                    info.meaning = self.info(tools, parent.of(bytes)).meaning;
                }
            }
            // Neighbours are asked only where the name leaves a doubt, and a value is decoded only
            // where its looks matter.
            let asks = info.meaning.class.is_some() && info.claims.bare.is_none();
            let around = if asks && info.meaning.strength == Strength::Ambiguous {
                self.surroundings(tools, bytes, tree, facts, field)
            } else {
                Surroundings::default()
            };
            let words = field.form == Form::Bare
                && field
                    .value
                    .of(bytes)
                    .first()
                    .is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80 || *b == b'[')
                && matches!(info.meaning.class, Some(Class::Body | Class::Name))
                && field.value.len() < 64;
            let value = if words {
                tools.detectors.extend_bare(bytes, field.value, Class::Body).of(bytes)
            } else if asks && decodes(field, bytes) {
                let here =
                    Lone { text: bytes, map: Map::Base(0), depth: 0, whole: None, name: b"", meant: None };
                decode_field(tools.context, field, &here, decoded);
                decoded.bytes.as_slice()
            } else {
                field.value.of(bytes)
            };
            readings.push(read_field(tools, *info, name, value, field, &around, Some((tree, bytes))));
        }
    }

    pub(super) fn surroundings(
        &mut self,
        tools: Tools<'_>,
        bytes: &[u8],
        tree: &Tree,
        facts: &[Facts],
        field: &Field,
    ) -> Surroundings {
        let of = |index: u32| facts.get(index as usize).copied().unwrap_or_default();
        let mut out = Surroundings { own: of(field.container), ..Surroundings::default() };
        let mut index = field.container;
        for _ in 0..4 {
            let container = tree.container(index);
            if !container.name.is_empty() {
                out.named = out.named.with(self.info(tools, container.name.of(bytes)).inside);
            }
            if container.parent == index {
                break;
            }
            index = container.parent;
            out.around = out.around.with(of(index));
        }
        out
    }
}

static LEANING: WordList = WordList::new(words::neighbours::LEANING);

/// Names that say nothing without the name of what they stand in: `profile.name`, `noiseKey.public`.
pub(super) fn leans_on_parent(name: &[u8]) -> bool {
    LEANING.holds(name)
}

/// `14155550132@s.whatsapp.net`: who a message is from or to.
pub(super) fn is_chat_id(value: &[u8]) -> bool {
    [&b"@s.whatsapp.net"[..], b"@c.us", b"@g.us", b"@lid"].iter().any(|host| value.ends_with(host))
}

/// A field's reading, and the rule that claims it where one does.
pub(super) fn read_field(
    tools: Tools<'_>,
    info: NameInfo,
    name: &[u8],
    value: &[u8],
    field: &Field,
    around: &Surroundings,
    place: Option<(&Tree, &[u8])>,
) -> (Reading, Option<RuleId>) {
    if matches!(field.form, Form::JsonWord) && matches!(value, b"true" | b"false" | b"null")
        || value.is_empty()
    {
        return (Reading::Safe, None);
    }
    if field.form == Form::Bare && safe::is_place(name, value) {
        return (Reading::Safe, None);
    }
    // Only bodies are told apart by the name's letters.
    let asked = info.meaning.class == Some(Class::Body);
    let lower = Name::new(if asked { name } else { b"" });
    if let Some(paths) = info.claims.paths
        && let Some((tree, bytes)) = place
        && let Some(rule) = path_rule(tools.fields, paths, field, tree, bytes)
    {
        return (by_class(rule.class), Some(rule.rule));
    }
    if let Some((class, rule, _)) = info.claims.bare {
        return (by_class(class), Some(rule));
    }
    (resolve::read(lower.as_bytes(), info.meaning, value, field.form, around), None)
}

/// What a rule that claims a field says of it.
pub(super) fn by_class(class: Class) -> Reading {
    match class {
        Class::Safe => Reading::Safe,
        Class::EventId | Class::Timestamp | Class::UserAgent | Class::Url | Class::Port => {
            Reading::Opaque(class)
        }
        Class::Phone
        | Class::Code
        | Class::Body
        | Class::Email
        | Class::Credential
        | Class::Card
        | Class::Imei
        | Class::Ip
        | Class::Name
        | Class::SubjectId
        | Class::Device
        | Class::Location
        | Class::Custom(_) => Reading::Claim(class),
    }
}

pub(super) fn path_rule<'t>(
    fields: &'t FieldTable,
    paths: u32,
    field: &Field,
    tree: &Tree,
    bytes: &[u8],
) -> Option<&'t PathRule> {
    fields.path_rules(paths).find(|rule| path_matches(&rule.segments, &mut path_of(tree, field, bytes)))
}
