//! The rule set made executable: which detectors are on, under which rule, with what beside them.

use super::bare::{groups_end, name_end, words_end};
use super::signs::{Seen, Signs, TooMany};
use crate::class::Class;
use crate::detect::code::{CodeContext, CodeLexicon, CodeScratch};
use crate::detect::field_name::{FieldLexicon, Meaning};
use crate::detect::prose::{Announced, Prose};
use crate::detect::refusal::Refusal;
use crate::detect::{
    Detector, Hit, bytes, credential, event_id, hidden, phone, timestamp, user_agent, words,
};
use crate::finding::{Detail, RuleId, Span};
use crate::numbering::Region;
use crate::rule::{Allow, BareDigits, PatternRule, RuleSet, SecondLook};
use crate::transform::{Context, placeholder};

use aho_corasick::AhoCorasick;
use std::sync::{LazyLock, OnceLock};

/// Detectors with their rules, lexicons and the user's patterns.
pub struct Detectors {
    rules: [Option<RuleId>; Detector::ALL.len()],
    field_names: &'static FieldLexicon,
    code_words: &'static CodeLexicon,
    /// Whose national numbers are looked for, the likeliest first.
    regions: Vec<Region>,
    short_phones: bool,
    bare_digits: BareDigits,
    looks: Vec<(RuleId, SecondLook)>,
    patterns: Vec<PatternRule>,
    /// No pattern matches a text of fewer bytes.
    shortest_pattern: usize,
    /// Where a user's rules begin.
    first_user: RuleId,
    allow: Vec<Allow>,
    signs: Signs,
}

impl Detectors {
    #[must_use]
    pub fn new(set: &RuleSet, lexicons: &'static Lexicons) -> Self {
        let mut rules = [None; Detector::ALL.len()];
        for (place, detector) in rules.iter_mut().zip(Detector::ALL) {
            *place = set.detectors.iter().find(|(d, _)| *d == detector).map(|(_, rule)| *rule);
        }
        let mut detectors = Detectors {
            rules,
            short_phones: false,
            field_names: &lexicons.fields,
            code_words: &lexicons.codes,
            regions: set
                .phone
                .regions
                .iter()
                .filter_map(|code| Region::from_code(std::str::from_utf8(code).ok()?))
                .collect(),
            bare_digits: set.phone.bare_digits,
            looks: set
                .detector_looks
                .iter()
                .filter_map(|(detector, look)| Some((set.rule_of(*detector)?, look.clone())))
                .collect(),
            shortest_pattern: set.patterns.iter().map(|rule| rule.shortest).min().unwrap_or(usize::MAX),
            patterns: set.patterns.clone(),
            first_user: set.first_user(),
            allow: set.allow.clone(),
            signs: signs(&lexicons.codes, &set.patterns),
        };
        detectors.set_region(None);
        detectors
    }

    pub fn set_region(&mut self, region: Option<Region>) {
        if let Some(region) = region {
            self.regions.retain(|known| *known != region);
            self.regions.insert(0, region);
        }
        self.short_phones = self.regions.iter().copied().any(phone::has_short_numbers);
    }

    /// Whether a finding stands: its rule's keywords and validators say so, and the user's list of
    /// values that are never acted on does not hold it.
    #[must_use]
    pub fn accepts(&self, rule: RuleId, text: &[u8], span: Span) -> bool {
        let looked =
            self.looks.iter().filter(|(of, _)| *of == rule).all(|(_, look)| look.accepts(text, span, b""));
        looked && !self.allows(span.of(text))
    }

    /// Why [`accepts`](Detectors::accepts) says no; `None` where it does not.
    #[must_use]
    pub fn objection(&self, rule: RuleId, text: &[u8], span: Span) -> Option<String> {
        if self.allows(span.of(text)) {
            return Some("on the list of allowed values".to_owned());
        }
        let mut looks = self.looks.iter().filter(|(of, _)| *of == rule);
        looks.find_map(|(_, look)| look.objection(text, span, b""))
    }

    /// Whether numbers of a form are looked for at all.
    #[must_use]
    pub fn takes(&self, form: phone::Form) -> bool {
        self.bare_digits != BareDigits::Never || form != phone::Form::National
    }

    /// The rule that a detector works for; `None` where it is off.
    #[must_use]
    pub fn rule(&self, detector: Detector) -> Option<RuleId> {
        self.rules.get(detector as usize).copied().flatten()
    }

    /// The rule of what is found by a field's name.
    #[must_use]
    pub fn by_name(&self) -> Option<RuleId> {
        self.rule(Detector::FieldName)
    }

    /// What a field's name means; nothing where field names are not judged.
    #[must_use]
    pub fn meaning(&self, name: &[u8]) -> Meaning {
        if self.by_name().is_some() { self.field_names.classify(name) } else { Meaning::NONE }
    }

    /// What a field's name means below the name of what it stands in.
    #[must_use]
    pub fn meaning_in(&self, parent: &[u8], name: &[u8]) -> Meaning {
        self.field_names.classify_in(parent, name)
    }

    /// What the words right before a place in running text announce.
    #[must_use]
    pub fn announced(&self, text: &[u8], at: usize) -> Announced {
        prose_words().before(text, at)
    }

    #[must_use]
    pub fn phone_context(&self, field: phone::FieldHint) -> phone::Context<'_> {
        let field = match (field, self.bare_digits) {
            (phone::FieldHint::None, BareDigits::Anywhere) => phone::FieldHint::Prose,
            _ => field,
        };
        phone::Context { field, regions: &self.regions }
    }

    /// Whether a value stands on the user's list of values that are never acted on.
    #[must_use]
    pub fn allows(&self, value: &[u8]) -> bool {
        self.allow.iter().any(|allow| match allow {
            Allow::Value(allowed) => allowed == value,
            Allow::Network(network) => {
                crate::detect::ip::parse(value).is_some_and(|ip| network.contains(&ip))
            }
            Allow::Pattern(pattern) => pattern.find(value).is_some_and(|found| found.len() == value.len()),
        })
    }

    /// What a claimed value tells beside its bytes.
    #[must_use]
    pub fn detail(&self, class: Class, value: &[u8]) -> Detail {
        if class == Class::Phone { phone::whole(value, &self.regions).detail } else { Detail::None }
    }

    /// Whether a value of an id's field, one word of letters, digits, `-`, `_` and `.`, is something else beyond
    /// doubt: an address, a WhatsApp id; or may hold a text in base64.
    #[must_use]
    pub fn shows_itself(&self, word: &[u8]) -> bool {
        if memchr::memchr(b'.', word).is_some()
            && (word.starts_with(b"wamid.") || crate::detect::ip::parse(word).is_some())
        {
            return true;
        }
        hidden::base64_run(word, 0).is_some_and(|run| hidden::begins_text(run.of(word)))
    }

    /// A credential whose token begins at `start`.
    #[must_use]
    pub fn credential_at(&self, text: &[u8], start: usize) -> Option<Hit> {
        let token = credential::token_at(text, start).or_else(|| {
            // `SG.…`, `hvs.…`: the prefix ends with a full stop.
            let dotted = bytes::before(text, start) == b'.';
            let from = || bytes::run_start(text, start, 64, |b| bytes::is_token(b) || b == b'.');
            // `session s:…`, as Express signs cookies.
            let signed = || start.checked_sub(2).filter(|from| text.get(*from..start) == Some(b"s:"));
            let from = if dotted { Some(from()) } else { signed() };
            from.and_then(|from| credential::token_at(text, from))
        });
        token.or_else(|| announced(text, start))
    }

    /// A credential that only a word before it shows.
    #[must_use]
    pub fn announced_at(&self, text: &[u8], start: usize) -> Option<Hit> {
        announced(text, start)
    }

    /// Whether the region has telephone numbers of six digits or fewer.
    #[must_use]
    pub fn short_phones(&self) -> bool {
        self.short_phones
    }

    /// What begins with a dash: a key in PEM, or the user and password of `curl -u`.
    #[must_use]
    pub fn pem_at(&self, text: &[u8], at: usize) -> Option<Hit> {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with(b"-----") {
            return credential::pem_at(text, at);
        }
        let option = rest.starts_with(b"-u ") || rest.starts_with(b"--user");
        if option { credential::after_word(text, at) } else { None }
    }

    /// `Bearer …`, `Basic …` at `at`.
    #[must_use]
    pub fn scheme_at(&self, text: &[u8], at: usize) -> Option<Hit> {
        let rest = text.get(at..at + 7)?;
        if rest.starts_with(b"Bearer ") || rest.starts_with(b"Basic ") {
            credential::after_word(text, at)
        } else {
            None
        }
    }

    #[must_use]
    pub fn url_password(&self, text: &[u8], separator: usize) -> Option<Hit> {
        credential::url_password(text, separator).or_else(|| credential::webhook_secret(text, separator))
    }

    #[must_use]
    pub fn user_agent_at(&self, text: &[u8], start: usize) -> Option<Hit> {
        user_agent::at(text, start)
    }

    /// Whether a whole value is a time.
    #[must_use]
    pub fn is_time(&self, value: &[u8]) -> bool {
        timestamp::at(value, 0).is_some_and(|time| time.hit.span == Span::new(0, value.len()))
    }

    #[must_use]
    pub fn time_at(&self, text: &[u8], at: usize) -> Option<Hit> {
        timestamp::around(text, at).map(|time| time.hit)
    }

    /// Ids of events and of persons by their shape.
    #[must_use]
    pub fn event_id_at(&self, text: &[u8], start: usize) -> Option<Hit> {
        event_id::at(text, start).or_else(|| crate::detect::subject::at(text, start))
    }

    #[must_use]
    pub fn device_at(&self, text: &[u8], at: usize) -> Option<Hit> {
        crate::detect::mac::mac_at(text, at)
    }

    /// What may stand in a text.
    #[must_use]
    pub fn signs(&self, text: &[u8]) -> Seen {
        self.signs.of(text)
    }

    /// Calls `out` with the span of every verification code that the text speaks of.
    pub fn codes(&self, text: &[u8], scratch: &mut CodeScratch, out: &mut dyn FnMut(Span)) {
        let context = CodeContext { in_body: false, field_says_code: false };
        self.code_words.codes(text, context, scratch, &mut |start, end| out(Span::new(start, end)));
    }

    /// Calls `out` with every token of a code's shape that is taken for none.
    pub fn code_refusals(&self, text: &[u8], scratch: &mut CodeScratch, out: &mut dyn FnMut(Span, Refusal)) {
        let context = CodeContext { in_body: false, field_says_code: false };
        self.code_words.refusals(text, context, scratch, out);
    }

    /// Calls `out` with every match of a pattern rule that does not stand, and why.
    pub fn pattern_refusals(&self, text: &[u8], out: &mut dyn FnMut(Class, RuleId, Span, String)) {
        for rule in &self.patterns {
            for found in rule.pattern.find_iter(text) {
                let span = Span::new(found.start(), found.end());
                let allowed =
                    self.allows(found.as_bytes()).then(|| "on the list of allowed values".to_owned());
                if let Some(because) = allowed.or_else(|| rule.look.objection(text, span, b"")) {
                    out(rule.class, rule.rule, span, because);
                }
            }
        }
    }

    /// Whether a rule is a user's.
    #[must_use]
    pub fn is_users(&self, rule: RuleId) -> bool {
        rule >= self.first_user
    }

    /// Whether a user has rules with patterns.
    #[must_use]
    pub fn has_user_patterns(&self) -> bool {
        self.patterns.last().is_some_and(|rule| self.is_users(rule.rule))
    }

    /// Calls `out` with every match of a user's pattern rule in the value of the field `key`.
    pub fn user_patterns(&self, text: &[u8], key: &[u8], out: &mut dyn FnMut(Class, RuleId, Span)) {
        self.patterns(text, key, None, &mut |class, rule, span| {
            if self.is_users(rule) {
                out(class, rule, span);
            }
        });
    }

    /// Calls `out` with every match of a pattern rule; `key` is the name of the field that the text is
    /// the value of, or empty; `seen` what the text's signs are, where they are known.
    pub fn patterns(
        &self,
        text: &[u8],
        key: &[u8],
        seen: Option<Seen>,
        out: &mut dyn FnMut(Class, RuleId, Span),
    ) {
        if text.len() < self.shortest_pattern {
            return;
        }
        // A keyword may stand in the field's name.
        let seen = seen.unwrap_or_else(|| self.signs.of(text)).with(self.signs.of(key));
        if !seen.has(Seen::KEYWORDS) {
            return;
        }
        for (place, rule) in self.patterns.iter().enumerate() {
            if text.len() < rule.shortest || !Signs::allow(seen, place) {
                continue;
            }
            for found in rule.pattern.find_iter(text) {
                let span = Span::new(found.start(), found.end());
                if !span.is_empty() && rule.look.accepts(text, span, key) && !self.allows(found.as_bytes()) {
                    out(rule.class, rule.rule, span);
                }
            }
        }
    }

    /// How far a bare value of a class that has spaces in it goes: `text=see you at six took=3`.
    #[must_use]
    pub fn extend_bare(&self, text: &[u8], span: Span, class: Class) -> Span {
        // A terminal's colour ends it.
        if text.get(span.end()) == Some(&0x1b) {
            return span;
        }
        match class {
            Class::Phone => match phone::at(text, span.start(), &self.phone_context(phone::FieldHint::Phone))
            {
                Some(hit) if hit.span.start() <= span.start() && hit.span.end() > span.end() => {
                    Span { start: span.start, end: hit.span.end }
                }
                _ => Span::new(span.start(), groups_end(text, span, 7..=11)),
            },
            Class::Code => Span::new(span.start(), groups_end(text, span, 6..=8)),
            Class::Body | Class::Location => Span::new(span.start(), words_end(text, span)),
            Class::Name => Span::new(span.start(), name_end(text, span)),
            _ => span,
        }
    }
}

/// The words worth a slower look. Keywords that are too many for one automaton are not asked beforehand.
fn signs(codes: &CodeLexicon, patterns: &[PatternRule]) -> Signs {
    match Signs::new(codes.speaking(), patterns).or_else(|_| Signs::without_keywords(codes.speaking())) {
        Ok(signs) => signs,
        Err(TooMany) => unreachable!("the shipped words are built by every test"),
    }
}

/// What names of fields mean, and which words speak of codes.
pub struct Lexicons {
    pub fields: FieldLexicon,
    pub codes: CodeLexicon,
}

impl Lexicons {
    /// `rules/lexicons/fields.toml` and `rules/lexicons/codes.toml`.
    #[must_use]
    pub fn shipped() -> &'static Lexicons {
        static LEXICONS: OnceLock<Lexicons> = OnceLock::new();
        LEXICONS.get_or_init(|| {
            let fields = FieldLexicon::load(include_str!("../../rules/lexicons/fields.toml"));
            let codes = CodeLexicon::load(include_str!("../../rules/lexicons/codes.toml"));
            match (fields, codes) {
                (Ok(fields), Ok(codes)) => Lexicons { fields, codes },
                (Err(error), _) => unreachable!("the shipped lexicon is loaded by a test: {error}"),
                (_, Err(error)) => unreachable!("the shipped lexicon is loaded by a test: {error}"),
            }
        })
    }
}

/// Whether a value is a number, and its field's name says that it counts or measures something, in any language
/// of the lexicon: `sonumite_arv=1455`.
#[must_use]
pub fn is_measured(name: &[u8], value: &[u8]) -> bool {
    let points = value.iter().filter(|b| **b == b'.').count();
    (1..=12).contains(&value.len())
        && points <= 1
        && value.first().is_some_and(u8::is_ascii_digit)
        && value.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && Lexicons::shipped().fields.measures(name)
}

/// Whether a text speaks of codes that somebody is sent.
#[must_use]
pub fn speaks_of_codes(text: &[u8]) -> bool {
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let built = AhoCorasick::builder().ascii_case_insensitive(true).build(words::code::SPEAKS);
        built.unwrap_or_else(|error| unreachable!("the shipped words are built by every test: {error}"))
    });
    WORDS.is_match(text)
}

/// Whether a word of a command speaks of codes that somebody is sent: `otp_check`, `VERIFYPIN`.
#[must_use]
pub fn speaks_of_a_code(words: &[u8]) -> bool {
    let pin = || words.split(|b| !b.is_ascii_alphabetic()).any(|word| word.eq_ignore_ascii_case(b"pin"));
    speaks_of_codes(words) || pin()
}

/// The shipped lexicon of words that announce something in running text.
#[must_use]
pub fn prose_words() -> &'static Prose {
    static LEXICON: OnceLock<Prose> = OnceLock::new();
    LEXICON.get_or_init(|| match Prose::load(include_str!("../../rules/lexicons/prose.toml")) {
        Ok(lexicon) => lexicon,
        Err(error) => unreachable!("the shipped lexicon is loaded by a test: {error}"),
    })
}

/// A credential that a word before the token announces.
fn announced(text: &[u8], start: usize) -> Option<Hit> {
    // `parola nebel@horn42`, `parola Nebel!42`: the part behind a sign, of which letters are the first.
    let sign = bytes::before(text, start);
    if matches!(sign, b'!' | b'#' | b'$' | b'*' | b'?' | b'&' | b'~' | b'^' | b'@')
        || matches!(sign, b'.' | b'-' | b'_') && bytes::is_letter(bytes::byte(text, start))
        || sign == b'.' && start >= 2 && bytes::is_letter(bytes::byte(text, start - 2))
    {
        let part = |b: u8| b > b' ' && !matches!(b, b'"' | b'\'' | b'=' | b':' | b',' | b'<' | b'(' | b'[');
        let whole = bytes::run_start(text, start, 32, part);
        if bytes::is_letter(bytes::byte(text, whole)) {
            return announced(text, whole).filter(|hit| hit.span.end() > start);
        }
    }
    // The word stands before one to three of `=`, `:`, space, quote, and is none of more than 24 bytes.
    let is_letter = |byte: u8| bytes::is_letter(byte) || byte >= 0x80;
    let near = text.get(start.saturating_sub(4)..start)?;
    let gap = near.iter().rev().position(|b| is_letter(*b)).filter(|gap| *gap > 0)?;
    let word_end = start - gap;
    if !credential::may_announce(bytes::before(text, word_end - 1), bytes::before(text, word_end)) {
        return None;
    }
    let word_start = bytes::run_start(text, word_end, 24 - gap, is_letter);
    // The word is all letters, so that it is one of the list or none.
    if !credential::announces(text.get(word_start..word_end)?) {
        return None;
    }
    credential::after_word(text, word_start).filter(|hit| hit.span.start() <= start && hit.span.end() > start)
}

/// One of our own placeholders at a place: its class and its end.
#[must_use]
pub fn placeholder_at(text: &[u8], at: usize, context: &Context<'_>) -> Option<(Class, usize)> {
    placeholder::at(text, at, context).map(|found| (found.class, at + found.len))
}

/// Whether one of our own placeholders stands somewhere in a value.
#[must_use]
pub fn has_placeholder(value: &[u8], context: &Context<'_>) -> bool {
    memchr::memchr_iter(b'[', value).any(|at| placeholder::at(value, at, context).is_some())
}

/// Whether a whole value is one of our own placeholders.
#[must_use]
pub fn placeholder_whole(value: &[u8], context: &Context<'_>) -> Option<Class> {
    placeholder::parse(value, context).map(|found| found.class)
}
