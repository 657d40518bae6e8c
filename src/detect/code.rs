//! Verification codes in running text, in the languages of `rules/lexicons/codes.toml`.
//!
//! Candidates come first (a cheap scan for tokens that look like codes); only where there is one, the
//! words around it are looked up. A number that stands right beside "order", a currency or "minutes"
//! is out; each word that speaks of a code then claims the nearest candidate that is left.
//!
//! What a message says is trusted further than what a log line says: in a log, "code 30007" beside
//! "error" is no code of a person's.

use crate::detect::code_opposed::claim_opposed;
use crate::detect::code_refusal::{names_a_value, refusal};
use crate::detect::code_shape::{Candidate, Shape, collect};
pub use crate::detect::code_words::CodeLexiconError;
use crate::detect::code_words::{CodeWords, Folded, Hit, Role, SpeakingWord, letters_of_addresses};
use crate::detect::refusal::Refusal;
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::finding::Span;

/// Where the text comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeContext {
    /// The text is a message from or to a person.
    pub in_body: bool,
    /// The field's name says that the value is a code.
    pub field_says_code: bool,
}

/// Buffers that are kept from text to text.
#[derive(Default)]
pub struct CodeScratch {
    candidates: Vec<Candidate>,
    hits: Vec<Hit>,
    folded: Folded,
}

/// The lexicon, ready to find codes with.
pub struct CodeLexicon {
    words: CodeWords,
}

/// How far around its candidates a text is read, in bytes.
const REACH: usize = 320;

impl CodeLexicon {
    /// Reads the TOML of `rules/lexicons/codes.toml`.
    pub fn load(toml: &str) -> Result<CodeLexicon, CodeLexiconError> {
        Ok(CodeLexicon { words: CodeWords::load(toml)? })
    }

    /// Tells where codes stand in `text`: start and end of each, in order. Linear in the text's length;
    /// allocates only while `scratch` grows.
    pub fn codes(
        &self,
        text: &[u8],
        context: CodeContext,
        scratch: &mut CodeScratch,
        out: &mut impl FnMut(usize, usize),
    ) {
        let mut at = 0;
        while at < text.len() {
            scratch.candidates.clear();
            at = collect(text, at, &mut scratch.candidates);
            if !scratch.candidates.is_empty() {
                self.judge(text, context, scratch);
                for candidate in scratch.candidates.iter().filter(|candidate| candidate.taken) {
                    out(candidate.start, candidate.end);
                }
            }
        }
    }

    /// Tells of every token of a code's shape that is taken for none, and why.
    pub fn refusals(
        &self,
        text: &[u8],
        context: CodeContext,
        scratch: &mut CodeScratch,
        out: &mut dyn FnMut(Span, Refusal),
    ) {
        let mut at = 0;
        while at < text.len() {
            scratch.candidates.clear();
            at = collect(text, at, &mut scratch.candidates);
            if scratch.candidates.is_empty() {
                continue;
            }
            self.judge(text, context, scratch);
            let spoken = scratch.hits.iter().any(|hit| hit.role.speaks_for_a_code());
            let unheard = if spoken { Refusal::Taken } else { Refusal::NoWord };
            for candidate in scratch.candidates.iter().filter(|candidate| !candidate.taken) {
                let span = Span::new(candidate.start, candidate.end);
                out(span, candidate.refused.unwrap_or(unheard));
            }
        }
    }

    /// See [`CodeWords::speaking`].
    #[must_use]
    pub fn speaking(&self) -> &[SpeakingWord] {
        self.words.speaking()
    }

    fn judge(&self, text: &[u8], context: CodeContext, scratch: &mut CodeScratch) {
        let CodeScratch { candidates, hits, folded } = scratch;
        let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else { return };
        let mut from = first.start.saturating_sub(REACH);
        while from > 0 && text.get(from).is_some_and(|byte| byte & 0xC0 == 0x80) {
            from -= 1;
        }
        let to = (last.end + REACH).min(text.len());
        hits.clear();
        self.words.find(text.get(from..to).unwrap_or_default(), from, folded, hits);
        for candidate in candidates.iter_mut() {
            candidate.refused = refusal(text, candidate, hits);
            if candidate.bound || (context.field_says_code && candidate.refused.is_none()) {
                candidate.taken = true;
            }
        }
        if context.in_body {
            claim_in_message(text, candidates, hits);
        } else {
            claim_in_log(text, candidates, hits);
        }
    }
}

// ---------------------------------------------------------------------------- what stands beside

/// Characters between two places; what is between a word and its number.
pub(super) fn gap(text: &[u8], from: usize, to: usize) -> &[u8] {
    text.get(from..to).unwrap_or_default()
}

fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| *byte & 0xC0 != 0x80).count()
}

pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().all(|chunk| chunk.valid().chars().all(char::is_whitespace))
}

fn has_word(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| chunk.valid().chars().any(char::is_alphanumeric))
}

/// The word that ends last before `at`, with nothing but up to four signs between; the longest of
/// those that end there.
pub(super) fn word_before(text: &[u8], hits: &[Hit], at: usize) -> Option<Hit> {
    let upto = hits.partition_point(|hit| hit.end <= at);
    let mut best: Option<Hit> = None;
    for hit in hits.get(..upto)?.iter().rev().take(24) {
        let between = gap(text, hit.end, at);
        if between.len() > 12 {
            break;
        }
        if chars(between) > 4 || has_word(between) || has_stop(between) {
            continue;
        }
        let better =
            best.is_none_or(|best| hit.end > best.end || (hit.end == best.end && longer(hit, &best)));
        if better {
            best = Some(*hit);
        }
    }
    best
}

/// The word that begins right after `at`, the longest of those that begin first.
pub(super) fn word_after(text: &[u8], hits: &[Hit], at: usize) -> Option<Hit> {
    let from = hits.partition_point(|hit| hit.end <= at);
    let mut best: Option<Hit> = None;
    for hit in hits.get(from..)?.iter().take(24) {
        if hit.start < at {
            continue;
        }
        let between = gap(text, at, hit.start);
        // Two characters have eight bytes at most.
        if between.len() > 8 || chars(between) > 2 || has_word(between) || has_stop(between) {
            continue;
        }
        let better =
            best.is_none_or(|best| hit.start < best.start || (hit.start == best.start && longer(hit, &best)));
        if better {
            best = Some(*hit);
        }
    }
    best
}

/// Longer, or as long and speaking for a code.
fn longer(hit: &Hit, other: &Hit) -> bool {
    let (a, b) = (hit.end - hit.start, other.end - other.start);
    a > b || (a == b && hit.role.speaks_for_a_code())
}

fn has_stop(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| chunk.valid().chars().any(is_stop))
}

fn is_stop(c: char) -> bool {
    matches!(c, '!' | '?' | '。' | '！' | '？' | '।' | '؟' | '\n' | ';' | '；')
}

// ---------------------------------------------------------------------------- claims

/// How far a word is from a candidate: characters between, sentence ends counted as forty; `None`
/// beyond `most`. In a log a line's end is an end, too.
fn distance(text: &[u8], from: usize, to: usize, most: usize, line_end: usize) -> Option<usize> {
    let between = gap(text, from, to);
    if between.len() > most * 4 {
        return None;
    }
    let mut far = 0;
    let addresses = letters_of_addresses(between);
    for chunk in between.utf8_chunks() {
        let mut stopped = false;
        let mut previous = ' ';
        for c in chunk.valid().chars() {
            far += 1;
            if c == '\n' || (line_end == LINE_END_IN_LOG && matches!(c, ']' | '}' | '&' | '|' | '\t')) {
                // in a log the next bracket or column is another matter, too
                far += line_end;
            } else if is_stop(c) {
                far += 40;
            } else if line_end == LINE_END_IN_LOG && c == ',' && matches!(previous, '"' | '\'') {
                // the next value of a list is, too
                far += line_end;
            }
            // a full stop ends a sentence unless a small letter goes on: "руб. в"
            if stopped && !c.is_whitespace() {
                far += if c.is_lowercase() { 0 } else { 40 };
                stopped = false;
            }
            stopped |= c == ' ' && previous == '.';
            previous = c;
        }
        far += if stopped { 40 } else { 0 };
    }
    let far = far.saturating_sub(addresses);
    let answered = line_end == LINE_END_IN_LOG && is_status(between);
    (far <= most && !answered).then_some(far)
}

/// `type=OTP 200 5120`: an HTTP status alone between a word and a number, which is then a size or a time.
fn is_status(between: &[u8]) -> bool {
    matches!(between.trim_ascii(), [b'1'..=b'5', a, b] if a.is_ascii_digit() && b.is_ascii_digit())
        && between.first() == Some(&b' ')
}

/// What a line's end weighs in a message and in a log.
const LINE_END_IN_MESSAGE: usize = 12;
const LINE_END_IN_LOG: usize = 1000;

/// Whether a hit lies inside a longer one that counts: "codes" in "4336 wrong codes".
fn is_counted(hits: &[Hit], place: usize, text: &[u8]) -> bool {
    let Some(hit) = hits.get(place) else { return true };
    let from = place.saturating_sub(24);
    // `4336 wrong codes, 2192 expired`
    let counted = |other: &Hit| {
        other.role == Role::Unit
            && other.start <= hit.start
            && hit.end <= other.end
            && other.end - other.start > hit.end - hit.start
            && matches!(text.get(..other.start), Some([.., b'0'..=b'9', b' ']))
    };
    hits.get(from..(place + 25).min(hits.len())).unwrap_or_default().iter().any(counted)
}

/// Whether a hit lies inside a longer hit of a role that is something else: "code" in "error code".
fn is_covered(hits: &[Hit], place: usize) -> bool {
    let Some(hit) = hits.get(place) else { return true };
    let from = place.saturating_sub(24);
    hits.get(from..(place + 25).min(hits.len())).unwrap_or_default().iter().any(|other| {
        other.start <= hit.start
            && hit.end <= other.end
            && other.end - other.start > hit.end - hit.start
            && matches!(other.role, Role::Order | Role::Fault)
    })
}

/// The nearest candidates after and before a word, refused and unfit ones passed over.
fn nearest<'c>(
    candidates: &'c mut [Candidate],
    hit: &Hit,
    fits: impl Fn(&Candidate) -> bool,
    weigh_after: impl Fn(&Candidate) -> Option<usize>,
    weigh_before: impl Fn(&Candidate) -> Option<usize>,
) -> Option<(&'c mut Candidate, usize)> {
    let split = candidates.partition_point(|candidate| candidate.start < hit.start);
    let after = candidates
        .iter()
        .enumerate()
        .skip(split)
        .take(6)
        .find(|(_, candidate)| fits(candidate))
        .and_then(|(place, candidate)| Some((weigh_after(candidate)?, place)));
    let before = candidates
        .iter()
        .enumerate()
        .take(split)
        .rev()
        .take(6)
        .find(|(_, candidate)| fits(candidate))
        .and_then(|(place, candidate)| Some((weigh_before(candidate)? + 6, place)));
    let (far, place) = match (after, before) {
        (Some(after), Some(before)) => after.min(before),
        (one, other) => one.or(other)?,
    };
    candidates.get_mut(place).map(|candidate| (candidate, far))
}

fn claim_in_message(text: &[u8], candidates: &mut [Candidate], hits: &[Hit]) {
    for (place, hit) in hits.iter().enumerate() {
        let (most_after, most_before) = match hit.role {
            Role::Code => (160, 160),
            Role::Word => (90, 90),
            Role::Enter => (24, 8),
            Role::Topic
            | Role::Hint
            | Role::Order
            | Role::Fault
            | Role::Number
            | Role::Money
            | Role::Unit => continue,
        };
        if is_covered(hits, place) {
            continue;
        }
        let claimed = nearest(
            candidates,
            hit,
            |candidate| candidate.refused.is_none(),
            |candidate| {
                distance(text, hit.end, candidate.start.max(hit.end), most_after, LINE_END_IN_MESSAGE)
            },
            |candidate| {
                distance(text, candidate.end, hit.start.max(candidate.end), most_before, LINE_END_IN_MESSAGE)
            },
        );
        if let Some((candidate, far)) = claimed {
            candidate.taken |= match candidate.shape {
                Shape::Digits | Shape::Prefixed | Shape::Mixed => true,
                Shape::Year => far <= if hit.role == Role::Code { 60 } else { 20 },
                Shape::Paired => far <= if hit.role == Role::Code { 60 } else { 6 },
                Shape::Weak => far <= 6,
            };
        }
    }
    claim_without_word(text, candidates, hits);
}

/// A message that names no code may still be one: nothing but the code, `G-123456`, or one lone number
/// among words of verifying and of secrecy.
fn claim_without_word(text: &[u8], candidates: &mut [Candidate], hits: &[Hit]) {
    let none_taken = candidates.iter().all(|candidate| !candidate.taken);
    let has = |role: Role| hits.iter().any(|hit| hit.role == role);
    let about_codes = has(Role::Hint) && has(Role::Topic);
    let trimmed = text.trim_ascii();
    let mut open = candidates.iter_mut().filter(|candidate| candidate.refused.is_none() && !candidate.taken);
    let (Some(first), rest) = (open.next(), open.next()) else { return };
    let alone = first.end - first.start == trimmed.len();
    if first.shape == Shape::Prefixed
        || (none_taken && alone && matches!(first.shape, Shape::Digits | Shape::Mixed))
        || (none_taken
            && about_codes
            && rest.is_none()
            && matches!(first.shape, Shape::Digits | Shape::Mixed))
    {
        first.taken = true;
    }
}

/// A word in a URL or a path is no sentence about the numbers around it.
fn is_in_address(text: &[u8], hit: &Hit) -> bool {
    let before = text.get(..hit.start).and_then(<[u8]>::last);
    let after = text.get(hit.end..).and_then(<[u8]>::first);
    before == Some(&b'/') || matches!(after, Some(b'/' | b'?'))
}

/// `code 4821 accepted for …`: what becomes of verification codes.
fn is_checked(text: &[u8], end: usize) -> bool {
    static OUTCOMES: WordList = WordList::new(words::code::OUTCOMES);
    let rest = text.get(end..).and_then(|rest| rest.strip_prefix(b" ")).unwrap_or_default();
    let len = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let word = rest.get(..len).unwrap_or_default();
    OUTCOMES.holds(word)
}

/// `typed 4821 instead of the code we sent`: whether a word for what was entered stands at `place`, and one for a
/// code on the same line behind it.
fn is_entered_for_a_code(text: &[u8], hits: &[Hit], place: usize) -> bool {
    const FAR: usize = 60;
    static ENTERED: WordList = WordList::new(words::code::ENTERED);
    let Some(own) = hits.get(place) else { return false };
    ENTERED.holds(gap(text, own.start, own.end))
        && hits
            .iter()
            .skip(place + 1)
            .take_while(|hit| hit.start < own.end + FAR)
            .any(|hit| hit.role == Role::Word && !gap(text, own.end, hit.start).contains(&b'\n'))
}

static WRONG: WordList = WordList::new(words::code::WRONG);

/// `wrong code 4821`, `неверный код 4821`: whether a word for what is wrong stands right before a word for a code.
fn ends_in_wrong(text: &[u8], at: usize) -> bool {
    const LONGEST: usize = 32;
    let head = text.get(at.saturating_sub(LONGEST)..at).unwrap_or_default();
    let Some(head) = head.strip_suffix(b" ") else { return false };
    let letter = |b: &u8| b.is_ascii_alphabetic() || *b >= 0x80;
    let len = head.iter().rev().take_while(|b| letter(b)).count();
    WRONG.holds(head.get(head.len() - len..).unwrap_or_default())
}

/// `4821 code is wrong`, `4821 kodu yanlış`: whether a word for what is wrong stands behind one for a code.
fn begins_with_wrong(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let Some(rest) = rest.strip_prefix(b" ") else { return false };
    let len = rest.iter().take(32).take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    WRONG.holds(rest.get(..len).unwrap_or_default())
}

/// `your premium code is 4821`: what somebody is told, whatever failed beside it.
fn is_somebodys(text: &[u8], word: &Hit, candidate: &Candidate) -> bool {
    const FAR: usize = 40;
    let told = matches!(gap(text, word.end, candidate.start), b" is " | b" is: ");
    let head = text.get(word.start.saturating_sub(FAR)..word.start).unwrap_or_default();
    let own = |window: &[u8]| window.eq_ignore_ascii_case(b"your ");
    told && head.windows(b"your ".len()).any(own)
}

/// `código incorrecto: 4821`: between a word and its code, that it is wrong. Then the failure is of verifying.
fn is_called_wrong(between: &[u8]) -> bool {
    const LONGEST: usize = 24;
    let sign = |b: &u8| matches!(b, b' ' | b':' | b'"' | b'\'' | b'=');
    let start = between.iter().take_while(|b| sign(b)).count();
    let end = between.len() - between.iter().rev().take_while(|b| sign(b)).count();
    between.len() <= LONGEST && start < end && WRONG.holds(between.get(start..end).unwrap_or_default())
}

fn is_english(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] =
        [b"code", b"codes", b"pin", b"pins", b"password", b"token", b"pass", b"pwd", b"tan"];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

static ACTS: WordList = WordList::new(words::code::ACTS);

/// `pass Varnish:4821`: whether a number behind a word has a name of its own, by what stands between them.
fn is_named_otherwise(between: &[u8]) -> bool {
    let name = between.strip_prefix(b" ").and_then(|name| name.strip_suffix(b":")).unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().all(u8::is_ascii_alphanumeric)
}

/// Words that name a code by themselves, as `code` and `token` do not.
static PINS: WordList = WordList::new(words::code::PINS);

fn claim_in_log(text: &[u8], candidates: &mut [Candidate], hits: &[Hit]) {
    let topic_near = |place: usize, at: usize| {
        let near = |hit: &&Hit| hit.start.abs_diff(at) < 120;
        let tells = |hit: &Hit| matches!(hit.role, Role::Code | Role::Topic);
        hits.iter().take(place).rev().take_while(near).any(tells)
            || hits.iter().skip(place).take_while(near).any(tells)
    };
    // beside a failure a bare "code" is the failure's
    // (an English one is not the failure of what another script says)
    let fault_near = |place: usize, of: &Hit| {
        let near = |hit: &&Hit| hit.start.abs_diff(of.start) < 60;
        let foreign = !gap(text, of.start, of.end).is_ascii();
        let tells =
            |hit: &Hit| hit.role == Role::Fault && !(foreign && gap(text, hit.start, hit.end).is_ascii());
        hits.iter().take(place).rev().take_while(near).any(tells)
            || hits.iter().skip(place).take_while(near).any(tells)
    };
    // `pin mismatch for …: expected 4829 got 4830`
    let pin_near = |place: usize, of: &Hit| {
        let near = |hit: &&Hit| hit.start + 100 > of.start;
        let mut before = hits.iter().take(place).rev().take_while(near);
        before.any(|hit| {
            hit.role == Role::Word
                && PINS.holds(gap(text, hit.start, hit.end))
                && !gap(text, hit.end, of.start).contains(&b'\n')
        })
    };
    for (place, hit) in hits.iter().enumerate() {
        let (most_after, most_before) = match hit.role {
            Role::Code => (40, 40),
            // `8361 kodu gönderildi`: many languages put the word behind, English does not.
            Role::Word => (14, usize::from(!is_english(gap(text, hit.start, hit.end)))),
            Role::Enter => (4, 4),
            Role::Topic
            | Role::Hint
            | Role::Order
            | Role::Fault
            | Role::Number
            | Role::Money
            | Role::Unit => continue,
        };
        if is_covered(hits, place) || is_in_address(text, hit) || is_counted(hits, place, text) {
            continue;
        }
        let said = candidates.iter().any(|candidate| {
            let beside = candidate.start >= hit.end && candidate.start - hit.end <= 2;
            candidate.start >= hit.end
                && (beside && (is_checked(text, candidate.end) || ends_in_wrong(text, hit.start))
                    || is_called_wrong(gap(text, hit.end, candidate.start))
                    || is_somebodys(text, hit, candidate))
                || candidate.end < hit.start
                    && hit.start - candidate.end <= 2
                    && begins_with_wrong(text, hit.end)
        });
        let weak = hit.role != Role::Code && !said;
        let got = hit.role == Role::Enter
            && (pin_near(place, hit) && !fault_near(place, hit) || is_entered_for_a_code(text, hits, place));
        if weak
            && !got
            && !topic_near(place, hit.start)
            && (hit.role == Role::Enter || fault_near(place, hit))
        {
            continue;
        }
        let claimed = nearest(
            candidates,
            hit,
            |candidate| {
                let between = gap(text, hit.end, candidate.start);
                let act = is_named_otherwise(between) && ACTS.holds(gap(text, hit.start, hit.end));
                candidate.refused.is_none() && !act
            },
            |candidate| distance(text, hit.end, candidate.start.max(hit.end), most_after, LINE_END_IN_LOG),
            |candidate| match most_before {
                0 => None,
                most => distance(text, candidate.end, hit.start.max(candidate.end), most, LINE_END_IN_LOG),
            },
        );
        if let Some((candidate, far)) = claimed {
            candidate.taken |= match candidate.shape {
                Shape::Digits | Shape::Prefixed | Shape::Mixed => true,
                Shape::Year => far <= if weak { 4 } else { 20 },
                Shape::Paired => far <= if weak { 4 } else { 40 },
                Shape::Weak => far <= 4,
            };
        }
    }
    let spoken = hits.iter().any(|hit| matches!(hit.role, Role::Code | Role::Topic));
    claim_opposed(text, candidates, spoken);
    for candidate in candidates.iter_mut().filter(|one| !one.taken && one.refused.is_none()) {
        // `requested a new code, previous one 482913 revoked`
        if is_void(text, candidate.end) {
            let near = |hit: &&Hit| hit.start + 80 > candidate.start && hit.end < candidate.start;
            candidate.taken = hits.iter().filter(near).any(|hit| matches!(hit.role, Role::Code | Role::Word));
            continue;
        }
        let Some(key) = key_before(text, candidate.start) else { continue };
        let before = hits.partition_point(|hit| hit.end <= key.len());
        let near = hits.iter().take(before).rev().take_while(|hit| key.len() - hit.end < 120);
        let spoken = near.clone().any(|hit| hit.role == Role::Code)
            && !gap(text, key.len().saturating_sub(120), key.len()).contains(&b'\n');
        candidate.taken = spoken
            && names_a_value(key)
            && matches!(candidate.shape, Shape::Digits | Shape::Mixed | Shape::Prefixed);
    }
}

static VOID: WordList = WordList::new(words::code::VOID);

/// Whether a word for what only codes come to stands behind a number.
fn is_void(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..).and_then(|rest| rest.strip_prefix(b" ")).unwrap_or_default();
    let word = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    VOID.holds(rest.get(..word).unwrap_or_default())
}

/// What stands before the sign between a name and the value at `at`: `value=`, `'value' => '`, `value [`.
fn key_before(text: &[u8], at: usize) -> Option<&[u8]> {
    let head = text.get(..at)?;
    let bare = head.trim_ascii_end();
    match bare {
        [key @ .., b'=' | b':'] => Some(key),
        [rest @ .., b'=', b'>'] | [rest @ .., b'"' | b'\''] => {
            let rest = rest.trim_ascii_end();
            let rest = rest.strip_suffix(b"=>").or_else(|| rest.strip_suffix(b":")).unwrap_or(rest);
            let rest = rest.trim_ascii_end();
            Some(rest.strip_suffix(b"'").or_else(|| rest.strip_suffix(b"\"")).unwrap_or(rest))
        }
        [key @ .., b' ', b'['] => Some(key),
        _ => None,
    }
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
