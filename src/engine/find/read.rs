//! Reading fields: by the rules that claim them, by their names, by their neighbours.

use super::shape::Again;
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
        let info = info(tools, &mut self.names, field.value.of(text));
        info.claims.bare.is_some() || info.meaning.class.is_some() || info.meaning.blocked
    }

    /// What the names in a tree say, and where it is to be put back.
    pub(super) fn shape(&mut self, tools: Tools<'_>, bytes: &[u8], tree: &Tree) -> (usize, Box<Shape>) {
        let Finder { shapes, names, .. } = self;
        shapes.take(tree, bytes, |shape| know(tools, names, bytes, tree, shape))
    }
}

/// What the fields of each container say together.
pub(super) fn gather(shape: &Shape, tree: &Tree, bytes: &[u8], facts: &mut Vec<Facts>) {
    facts.clear();
    facts.extend_from_slice(&shape.facts);
    for (field, shaped) in tree.fields.iter().zip(&shape.fields) {
        note_value(shaped, field, field.value.of(bytes), facts);
    }
}

/// Notes in a field's container what its value says of the others: that a phone is spoken of, or a failure.
pub(super) fn note_value(shaped: &Shaped, field: &Field, value: &[u8], facts: &mut [Facts]) {
    let said = match (says_phone(shaped, field.form, value), says_failure(shaped, value)) {
        (true, _) => Facts::PHONE,
        (false, true) => Facts::FAILED,
        (false, false) => return,
    };
    if let Some(own) = facts.get_mut(field.container as usize) {
        *own = own.with(said);
    }
}

static LEVELS: WordList = WordList::new(words::neighbours::LEVEL);
static FAILURES: WordList = WordList::new(words::neighbours::FAILED);
static VALUES: WordList = WordList::new(words::code::VALUES);

/// `level=ERROR`
pub(super) fn says_failure(shaped: &Shaped, value: &[u8]) -> bool {
    shaped.is_level && FAILURES.holds(value)
}

/// Whether a value says that a phone is spoken of.
pub(super) fn says_phone(shaped: &Shaped, form: Form, value: &[u8]) -> bool {
    let written = form == Form::JsonString && (value.first() == Some(&b'+') || value.starts_with(b"tel:"));
    // `msisdn=+51 912 …`: the first group is all that is read of it.
    let cut = || shaped.counts_phones && form == Form::Bare && matches!(value, [b'+', b'1'..=b'9', ..]);
    (shaped.counts_phones || written) && (holds_six_digits(value) || cut()) || is_chat_id(value)
}

/// Whether a field's neighbours have no say in how it is read.
pub(super) fn reads_alone(shaped: &Shaped, form: Form, value: &[u8]) -> bool {
    shaped.claimed.is_some() && shaped.again == Again::No
        || match shaped.always {
            Some(reading) => {
                !may_be_said(reading, form, value) && !(shaped.listed && is_listed_number(form, value))
            }
            None => shaped.named.is_none(),
        }
}

/// Whether all that is asked of a field's neighbours is what they say together ([`gather`]), not the text itself.
pub(super) fn reads_by_facts(shaped: &Shaped) -> bool {
    !shaped.listed && shaped.meaning.class != Some(Class::Code)
}

/// Strings up to this length are no message by themselves.
const NEVER_SAID: usize = 12;

/// Whether a string whose name says nothing is long enough to be what somebody wrote.
fn may_be_said(reading: Reading, form: Form, value: &[u8]) -> bool {
    reading == Reading::Text
        && matches!(form, Form::JsonString | Form::JsonEscaped)
        && value.len() > NEVER_SAID
}

/// The text around a value, as far as it says what the value is.
pub(super) fn text_around(text: &[u8], value: Span) -> &[u8] {
    const REACH: usize = 384;
    text.get(value.start().saturating_sub(REACH)..text.len().min(value.end() + REACH)).unwrap_or_default()
}

/// What gateways call a latency, too.
fn is_latency(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"lat")
}

/// Whether a string in a list is as long as codes are: what one beside a number may be.
fn is_listed_code(form: Form, value: &[u8]) -> bool {
    form == Form::JsonString && (4..=8).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// Whether it may be one, or somebody's number.
fn is_listed_number(form: Form, value: &[u8]) -> bool {
    form == Form::JsonString && (4..=15).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// Whether a statement says which column a value in a list is of; such fields come first.
fn has_a_column(tree: &Tree, field: &Field) -> bool {
    tree.fields.iter().take(64).any(|other| other.value == field.value && !other.name.is_empty())
}

/// Reads a field by what its name says, its value and its neighbours.
pub(super) fn read_shaped(
    tools: Tools<'_>,
    shaped: &Shaped,
    bytes: &[u8],
    tree: &Tree,
    facts: &[Facts],
    field: &Field,
    buffer: &mut Decoded,
) -> (Reading, Option<RuleId>) {
    let value = field.value.of(bytes);
    if is_nothing(value, field.form)
        || field.form == Form::Bare && shaped.dotted && safe::is_place(tree.name_of(field).of(bytes), value)
        // `PWD=/srv/app`: where a program runs.
        || shaped.folder && value.first() == Some(&b'/')
    {
        return (Reading::Safe, None);
    }
    // `lat=1744`: how long something took; degrees have a point.
    if shaped.claimed.is_some_and(|(reading, _)| reading == Reading::Claim(Class::Location))
        && value.iter().all(u8::is_ascii_digit)
        && is_latency(tree.name_of(field).of(bytes))
    {
        return (Reading::Safe, None);
    }
    if beside::is_of_the_line(shaped.again, bytes, field) {
        return (Reading::Opaque(Class::EventId), None);
    }
    if let Some((reading, rule)) = shaped.claimed {
        // `source_addr: 'ACME'`, `recipient_id: 1`: a sender's name, a number in a list.
        if reading == Reading::Claim(Class::Phone)
            && resolve::is_no_number(value)
            && !tools.detectors.is_users(rule)
        {
            return (Reading::Text, None);
        }
        return (reading, Some(rule));
    }
    let listed_code = || {
        shaped.listed
            && is_listed_code(field.form, value)
            && !has_a_column(tree, field)
            && facts.get(field.container as usize).is_some_and(|own| own.has(Facts::PHONE))
            && detectors::speaks_of_codes(text_around(bytes, field.value))
    };
    if shaped.listed
        && shaped.always == Some(Reading::Text)
        && !has_a_column(tree, field)
        && let Some(class) = beside::argument_of_a_job(tools, bytes, field)
    {
        return (Reading::Claim(class), None);
    }
    if let Some(reading) = shaped.always {
        return match (reading, field.form) {
            (_, Form::JsonWord) => (Reading::Safe, None),
            // `OtpJob ["+4479…","482913"]`
            (Reading::Text | Reading::Safe, _) if listed_code() => (Reading::Claim(Class::Code), None),
            _ if may_be_said(reading, field.form, value)
                && !parts::describes_an_answer(bytes, tree, field)
                && is_said(tools, bytes, facts, field, buffer) =>
            {
                (Reading::Claim(Class::Body), None)
            }
            // `delivered: "see you there"`: a name that is safe, and no value of its kind.
            (Reading::Safe, form) if value.len() > NEVER_SAID && form != Form::JsonNumber => {
                let escapes = value.iter().filter(|b| **b == b'\\').count();
                let said = resolve::is_said(value, 2) || form == Form::JsonEscaped && escapes >= 8;
                let to_somebody = said
                    && may_be_said(Reading::Text, form, value)
                    && is_said(tools, bytes, facts, field, buffer);
                match (said, to_somebody) {
                    (_, true) => (Reading::Claim(Class::Body), None),
                    (true, false) => (Reading::Text, None),
                    (false, false) => (Reading::Safe, None),
                }
            }
            (reading, _) => (reading, None),
        };
    }
    if shaped.named.is_some() && listed_code() {
        return (Reading::Claim(Class::Code), None);
    }
    let meaning = shaped.meaning;
    // A value is decoded only where its looks matter.
    let value = if field.form == Form::Bare
        && !decodes(field, bytes)
        && value.len() < 64
        && matches!(meaning.class, Some(Class::Body | Class::Name))
        && (value.first().is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80 || *b == b'[')
            || meaning.class == Some(Class::Body) && words_follow(bytes, field.value))
    {
        tools.detectors.extend_bare(bytes, field.value, Class::Body).of(bytes)
    } else if field.form == Form::Bare && meaning.class == Some(Class::Phone) && value.len() <= 4 {
        // `to=701 7610, text=…`
        tools.detectors.extend_bare(bytes, field.value, Class::Phone).of(bytes)
    } else if field.form == Form::Bare
        && meaning.class == Some(Class::Code)
        && matches!(value.len(), 3 | 4)
        && value.iter().all(u8::is_ascii_digit)
    {
        // `code=482 913, text=…`
        tools.detectors.extend_bare(bytes, field.value, Class::Code).of(bytes)
    } else if decodes(field, bytes) {
        let here = Lone { text: bytes, map: Map::Base(0), depth: 0, whole: None, name: b"", meant: None };
        decode_field(tools.context, field, &here, buffer);
        buffer.bytes.as_slice()
    } else {
        value
    };
    // Neighbours are asked only where the name leaves a doubt.
    let mut around = match shaped.named {
        Some(named) => surroundings(tree, facts, field, named),
        None => Surroundings::default(),
    };
    if matches!(meaning.class, Some(Class::Phone | Class::Ip))
        && shaped.named.is_some()
        && matches!(field.form, Form::Bare | Form::Quoted)
        && beside::is_member_of_a_message(bytes, field)
    {
        around.own = around.own.with(Facts::MESSAGE);
    }
    if meaning.class == Some(Class::Body)
        && meaning.strength == Strength::Ambiguous
        && parts::describes_an_answer(bytes, tree, field)
    {
        return (Reading::Headline, None);
    }
    let reading = resolve::read(shaped.lower.as_bytes(), meaning, value, field.form, &around);
    // `code=131047 level=ERROR msg="broker not available"`
    let failed = reading == Reading::Claim(Class::Code)
        && meaning.strength == Strength::Ambiguous
        && around.own.has(Facts::FAILED)
        && !around.own.has(Facts::PHONE.with(Facts::CODES).with(Facts::MESSAGE).with(Facts::TEXT))
        && !detectors::speaks_of_codes(text_around(bytes, field.value));
    let failed = failed
        || reading == Reading::Claim(Class::Code)
            && meaning.strength == Strength::Ambiguous
            && beside::is_of_a_failure(bytes, field);
    // `expected=4829 got=4830`: something of a code's only where one is spoken of.
    let vague = reading == Reading::Claim(Class::Code)
        && meaning.strength == Strength::Ambiguous
        && VALUES.holds(shaped.lower.as_bytes())
        && !(around.own.has(Facts::PHONE) && matches!(field.form, Form::Quoted | Form::JsonString))
        && !around.own.has(Facts::CODES)
        && !detectors::speaks_of_codes(text_around(bytes, field.value));
    // `tac=87167855`: no telephone's type where codes are spoken of.
    if reading == Reading::Safe
        && meaning.class == Some(Class::Code)
        && resolve::is_telephone_type(shaped.lower.as_bytes(), value)
        && detectors::speaks_of_codes(text_around(bytes, field.value))
    {
        return (Reading::Claim(Class::Code), None);
    }
    if reading == Reading::Opaque(Class::Safe)
        && meaning.class == Some(Class::Code)
        && field.form == Form::Bare
        && beside::is_argument_of_a_check(bytes, field.value)
    {
        return (Reading::Claim(Class::Code), None);
    }
    let reading = match (failed, vague) {
        (true, _) => Reading::Opaque(Class::Safe),
        // The words around it decide.
        (false, true) => Reading::Text,
        (false, false) => reading,
    };
    (reading, None)
}

/// Whether a string whose name says nothing is what somebody wrote: in a list with a number (a job's arguments),
/// or beside one anywhere in the text.
fn is_said(tools: Tools<'_>, bytes: &[u8], facts: &[Facts], field: &Field, buffer: &mut Decoded) -> bool {
    let list =
        field.name.is_empty() && facts.get(field.container as usize).is_some_and(|own| own.has(Facts::PHONE));
    if !list && !facts.iter().any(|own| own.has(Facts::PHONE)) {
        return false;
    }
    let value = field.value.of(bytes);
    let value = if decodes(field, bytes) {
        let here = Lone { text: bytes, map: Map::Base(0), depth: 0, whole: None, name: b"", meant: None };
        decode_field(tools.context, field, &here, buffer);
        buffer.bytes.as_slice()
    } else {
        value
    };
    resolve::is_said(value, if list { 2 } else { 3 })
}

/// What stands around a field; `named` is what the names of the containers say.
fn surroundings(tree: &Tree, facts: &[Facts], field: &Field, named: Facts) -> Surroundings {
    let of = |index: u32| facts.get(index as usize).copied().unwrap_or_default();
    let mut out = Surroundings { own: of(field.container), named, ..Surroundings::default() };
    for index in ancestors(tree, field.container).skip(1) {
        out.around = out.around.with(of(index));
    }
    out
}

/// A container and up to four around it.
pub(super) fn ancestors(tree: &Tree, index: u32) -> impl Iterator<Item = u32> {
    let parent = move |index: &u32| Some(tree.container(*index).parent).filter(|parent| parent != index);
    std::iter::successors(Some(index), parent).take(5)
}

fn holds_six_digits(value: &[u8]) -> bool {
    value.iter().filter(|b| b.is_ascii_digit() || **b >= 0x80).count() >= 6
}

/// `true`, `false`, `null`, or no value at all.
fn is_nothing(value: &[u8], form: Form) -> bool {
    value.is_empty() || form == Form::JsonWord && matches!(value, b"true" | b"false" | b"null")
}

/// Works out what the names of a tree say.
fn know(tools: Tools<'_>, names: &mut NameCache<NameInfo>, bytes: &[u8], tree: &Tree, shape: &mut Shape) {
    let Shape { fields, facts, denied, .. } = shape;
    facts.resize(tree.containers.len(), Facts::default());
    for field in &tree.fields {
        let info = info(tools, names, tree.name_of(field).of(bytes));
        if let Some(own) = facts.get_mut(field.container as usize) {
            if own.has(Facts::HEADLINE) && info.facts.has(Facts::HEADLINE) {
                *own = own.with(Facts::HEADLINES);
            }
            *own = own.with(info.facts);
            if info.meaning.strength != Strength::Ambiguous {
                match info.meaning.class {
                    Some(Class::Code) => *own = own.with(Facts::CODES),
                    Some(Class::Body) => *own = own.with(Facts::TEXT),
                    _ => {}
                }
            }
        }
        fields.push(shaped(tools, names, bytes, tree, field, info));
    }
    for container in tree.containers.iter().filter(|container| !container.name.is_empty()) {
        let inside = info(tools, names, container.name.of(bytes)).facts;
        if let Some(around) = facts.get_mut(container.parent as usize).filter(|_| inside.has(Facts::TEMPLATE))
        {
            *around = around.with(Facts::TEMPLATE);
        }
    }
    for (field, shaped) in tree.fields.iter().zip(fields.iter_mut()) {
        fill_templates(tools, names, bytes, tree, facts, field, shaped);
        let own = facts.get(field.container as usize).copied().unwrap_or_default();
        let name = tree.name_of(field).of(bytes);
        shaped.again = match name {
            b"uid" if own.has(Facts::REQUEST) => Again::UidOfARequest,
            b"uid" => Again::Uid,
            b"externalId" => Again::External,
            name if beside::bounds_a_period(bytes, tree, field, name) => Again::Period,
            _ => Again::No,
        };
        // A user's own rule has the last word.
        if shaped.again != Again::No
            && info(tools, names, name).claims.bare.is_some_and(|(.., shipped)| !shipped)
        {
            shaped.again = Again::No;
        }
        if own.has(Facts::PLACE) && shaped.claimed.is_none() {
            parts::name_a_place(tools, names, bytes, tree, field, shaped);
        }
    }
    staff::name_staff(bytes, tree, fields);
    tools.fields.deny(bytes, tree, denied);
}

/// `{"template":"otp","params":["728113"]}`, `{"template":"otp","variables":{"1":"728113"}}`: what fills a template's gaps is
/// a part of the text that somebody gets. Members whose names say what they are go by those.
fn fill_templates(
    tools: Tools<'_>,
    names: &mut NameCache<NameInfo>,
    bytes: &[u8],
    tree: &Tree,
    facts: &[Facts],
    field: &Field,
    shaped: &mut Shaped,
) {
    let body = Meaning { class: Some(Class::Body), strength: Strength::Sure, blocked: false };
    let unsaid = match shaped.meaning.class {
        None => true,
        Some(Class::Body) => shaped.meaning.strength == Strength::Ambiguous,
        // `params` by themselves are a program's.
        Some(_) => shaped.meaning.blocked,
    };
    if shaped.claimed.is_some() || !unsaid {
        return;
    }
    let of = |index: u32| facts.get(index as usize).copied().unwrap_or_default();
    if !ancestors(tree, field.container).take(3).any(|index| of(index).has(Facts::TEMPLATE)) {
        return;
    }
    let containers = ancestors(tree, field.container).take(2).map(|index| tree.container(index).name);
    let mut around = std::iter::once(tree.name_of(field)).chain(containers).filter(|name| !name.is_empty());
    if around.any(|name| info(tools, names, name.of(bytes)).inside.has(Facts::PARAMETERS)) {
        (shaped.meaning, shaped.always, shaped.meant, shaped.named) = (body, None, Some(Class::Body), None);
    }
}

fn shaped(
    tools: Tools<'_>,
    names: &mut NameCache<NameInfo>,
    bytes: &[u8],
    tree: &Tree,
    field: &Field,
    info: NameInfo,
) -> Shaped {
    let name = tree.name_of(field).of(bytes);
    let meaning = below_its_parent(tools, names, bytes, tree, field, info);
    let meaning = parts::of_a_name(tools, names, bytes, tree, field, meaning);
    let asks = meaning.class.is_some() && info.claims.bare.is_none();
    let doubtful = meaning.strength == Strength::Ambiguous
        || meaning.class == Some(Class::Credential) && meaning.strength == Strength::Likely;
    let named = (asks && doubtful).then(|| {
        ancestors(tree, field.container).take(4).fold(Facts::default(), |named, index| {
            let name = tree.container(index).name;
            if name.is_empty() { named } else { named.with(self::info(tools, names, name.of(bytes)).inside) }
        })
    });
    let by_path = info.claims.paths.and_then(|paths| path_rule(tools.fields, paths, field, tree, bytes));
    let claimed = match by_path {
        Some(rule) => Some((by_class(rule.class), rule.rule)),
        None => info.claims.bare.map(|(class, rule, _)| (by_class(class), rule)),
    };
    let always = match meaning.class {
        None => Some(Reading::Text),
        Some(_) if meaning.blocked => Some(Reading::Safe),
        Some(Class::Safe) => Some(Reading::Safe),
        Some(_) => None,
    };
    Shaped {
        claimed,
        always,
        meaning,
        meant: info.claims.bare.map(|(class, ..)| class).or(meaning.class),
        dotted: name.contains(&b'.'),
        folder: field.name.of(bytes) == b"PWD",
        listed: field.name.is_empty() && tree.container(field.container).array,
        again: Again::No,
        is_level: LEVELS.holds(name),
        counts_phones: info.meaning.class == Some(Class::Phone)
            || matches!(info.claims.bare, Some((Class::Phone, ..))),
        named,
        lower: Name::new(if leaves_a_doubt(meaning) { name } else { b"" }),
    }
}

/// What a name means where the name of what it stands in is counted in.
fn below_its_parent(
    tools: Tools<'_>,
    names: &mut NameCache<NameInfo>,
    bytes: &[u8],
    tree: &Tree,
    field: &Field,
    info: NameInfo,
) -> Meaning {
    let mut meaning = info.meaning;
    let name = tree.name_of(field).of(bytes);
    if meaning.class.is_some() && meaning.strength == Strength::Ambiguous && info.leans {
        let parent = tree.named(field.container).of(bytes);
        if !parent.is_empty() && !field.name.is_empty() && !resolve::is_envelope(parent) {
            let below = tools.detectors.meaning_in(parent, name);
            // An id is one whatever it is of: `statuses[].id` is a message's.
            if !(below.blocked && name.eq_ignore_ascii_case(b"id")) {
                meaning = below;
            }
        }
    }
    // `"lastname": {"value": "…"}`, `"code": {"N": "482913"}` (DynamoDB): the value of what its container is called.
    let typed = matches!(name, b"S" | b"N")
        && is_in_json(field.form)
        && !tree.container(field.container).name.is_empty();
    if (meaning.class.is_none() || meaning.blocked) && info.is_value || typed {
        // `"contact": {"$in": ["…"]}`: the operator is its own container's name.
        let operator = field.name.is_empty();
        let container = tree.container(field.container);
        let parent =
            if container.name.is_empty() || operator { tree.named(container.parent) } else { container.name };
        if !parent.is_empty() {
            let of_parent = self::info(tools, names, parent.of(bytes)).meaning;
            // `parts: [{"value": "…"}]`: the value is none of the thing's properties.
            if !of_parent.blocked {
                meaning = of_parent;
            }
        }
    }
    meaning
}

static LEANING: WordList = WordList::new(words::neighbours::LEANING);

/// Names that say nothing without the name of what they stand in: `profile.name`, `noiseKey.public`.
pub(super) fn leans_on_parent(name: &[u8]) -> bool {
    LEANING.holds(name)
}

/// `14155550132@s.whatsapp.net`: who a message is from or to.
pub(super) fn is_chat_id(value: &[u8]) -> bool {
    if value.len() > 64 || !matches!(value, [.., b't' | b's' | b'd']) {
        return false;
    }
    [&b"@s.whatsapp.net"[..], b"@c.us", b"@g.us", b"@lid"].iter().any(|host| value.ends_with(host))
}

/// `body=482913 is your code`, `body=017 558 is your code`: whether words stand behind a value that is none itself.
fn words_follow(text: &[u8], value: Span) -> bool {
    if !value.of(text).iter().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+')) {
        return false;
    }
    let rest = text.get(value.end()..).unwrap_or_default();
    let group = rest.iter().skip(1).take(5).take_while(|b| b.is_ascii_digit()).count();
    let split = rest.first() == Some(&b' ') && (2..=4).contains(&group);
    let rest = if split { rest.get(1 + group..).unwrap_or_default() } else { rest };
    let word = |b: &u8| b.is_ascii_lowercase() || *b >= 0x80;
    let len = rest.iter().skip(1).take(24).take_while(|b| word(b)).count();
    let behind = rest.get(1 + len..).unwrap_or_default();
    // `357-298 a belépési kódja`
    let goes_on = len == 1 && matches!(behind, [b' ', next, ..] if word(next));
    rest.first() == Some(&b' ')
        && (len >= 2 && matches!(behind.first(), Some(b' ' | b',' | b'.') | None) || goes_on)
}

/// Whether the name's own letters are asked, too: of bodies, of codes, and of what may be somebody's number or account.
fn leaves_a_doubt(meaning: Meaning) -> bool {
    let phone = meaning.class == Some(Class::Phone) && meaning.strength == Strength::Ambiguous;
    let account = meaning.class == Some(Class::SubjectId) && meaning.strength == Strength::Ambiguous;
    let token = meaning.class == Some(Class::Credential) && meaning.strength != Strength::Sure;
    phone || account || token || matches!(meaning.class, Some(Class::Body | Class::Code | Class::Url))
}

/// The reading of a part that has a name and nothing around it (a header), and the rule that claims it.
pub(super) fn read_alone(info: NameInfo, name: &[u8], value: &[u8], form: Form) -> (Reading, Option<RuleId>) {
    if is_nothing(value, form) || form == Form::Bare && safe::is_place(name, value) {
        return (Reading::Safe, None);
    }
    if let Some((class, rule, _)) = info.claims.bare {
        return (by_class(class), Some(rule));
    }
    let lower = Name::new(if leaves_a_doubt(info.meaning) { name } else { b"" });
    (resolve::read(lower.as_bytes(), info.meaning, value, form, &Surroundings::default()), None)
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
