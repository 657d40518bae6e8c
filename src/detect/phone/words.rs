//! Words beside a number that say that it is, or is not, a telephone number. Lower case.

use crate::detect::word_list::WordList;
use crate::detect::words;

/// What a word in front of digits says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A telephone's own word: `msisdn`, `телефон`.
    Phone,
    /// `number`, `nr`: says something only together with the word before it.
    Number,
    /// `to`, `from`, `für`: a person or a number may follow.
    Preposition,
    /// `is`, `the`: says nothing, the word before it may.
    Filler,
    /// What follows is some other number: an order, an offset, a size.
    Other,
    Unknown,
}

static PHONE: WordList = WordList::new(words::phone::PHONE);

static NUMBER: WordList = WordList::new(words::phone::NUMBER);

static PREPOSITION: WordList = WordList::new(words::phone::PREPOSITION);

static FILLER: WordList = WordList::new(words::phone::FILLER);

static OTHER: WordList = WordList::new(words::phone::OTHER);

/// Words of scripts written without spaces, or with particles glued on: looked for at the end of what
/// stands before the digits.
const PHONE_ENDINGS: &[&str] = words::phone::PHONE_ENDINGS;

const PREPOSITION_ENDINGS: &[&str] = words::phone::PREPOSITION_ENDINGS;

/// What may follow a number and shows that it is a telephone's.
static AFTER: WordList = WordList::new(words::phone::AFTER);

/// Segments of a URL's path that a number follows.
static PATH: WordList = WordList::new(words::phone::PATH);

/// Words that stand right against the digits: `tel14155550132`, `session_14155550132`.
static GLUED: WordList = WordList::new(words::phone::GLUED);

/// Units behind a number, glued or after a space.
static UNITS: WordList = WordList::new(words::phone::UNITS);

/// The meaning of a word, given in lower case.
pub(super) fn meaning(word: &str) -> Word {
    // `to.0`: the first of several.
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix('.').unwrap_or(word);
    let joint = word.bytes().rposition(|byte| matches!(byte, b'_' | b'-' | b'.'));
    let last = joint.and_then(|at| word.get(at + 1..));
    for candidate in [Some(word), last].into_iter().flatten() {
        for (words, meaning) in [
            (&OTHER, Word::Other),
            (&PHONE, Word::Phone),
            (&NUMBER, Word::Number),
            (&PREPOSITION, Word::Preposition),
            (&FILLER, Word::Filler),
        ] {
            if words.holds(candidate.as_bytes()) {
                return meaning;
            }
        }
    }
    if word.is_ascii() {
        return Word::Unknown;
    }
    // Particles of Japanese and Korean between the word and the digits.
    let word = word.trim_end_matches(['は', 'が', 'を', 'の', '는', '은', '를', '을', '가', '이']);
    if word.is_ascii() {
        Word::Unknown
    } else if PHONE_ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        Word::Phone
    } else if PREPOSITION_ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        Word::Preposition
    } else {
        Word::Unknown
    }
}

static TOPICS: WordList = WordList::new(words::phone::TOPICS);
static MESSAGES: WordList = WordList::new(words::phone::MESSAGES);

/// Parts of a path or a topic's name in which a number stands.
pub(super) fn is_topic(word: &[u8]) -> bool {
    TOPICS.holds(word)
}

/// Words for a message, before a preposition and a number.
pub(super) fn is_message(word: &[u8]) -> bool {
    MESSAGES.holds(word)
}

static SUBSCRIBERS: WordList = WordList::new(words::phone::OF_SUBSCRIBERS);

static THROWN: WordList = WordList::new(words::phone::THROWN);

/// What the names of errors end in.
pub(super) fn is_thrown(word: &str) -> bool {
    THROWN.holds(word.as_bytes())
}

/// What is said of subscribers: `reachable`, `ported`.
pub(super) fn is_of_a_subscriber(word: &[u8]) -> bool {
    SUBSCRIBERS.holds(word)
}

/// Prepositions that, as a field's name (`to=…`, `from:…`), say who sends or gets a message.
pub(super) fn is_direction(lower: &str) -> bool {
    matches!(lower, "to" | "from")
}

/// Verbs that, with a preposition behind them, say who gets or sent a message: `Sent to …`.
static SENDING: WordList = WordList::new(words::phone::SENDING);

/// Prepositions that lead to somebody: `al número …`, `на номер …`.
pub(super) fn is_towards(lower: &str) -> bool {
    matches!(
        lower,
        "al" | "a"
            | "to"
            | "an"
            | "au"
            | "ao"
            | "para"
            | "na"
            | "på"
            | "till"
            | "til"
            | "ke"
            | "kepada"
            | "на"
            | "к"
            | "do"
            | "pe"
            | "aan"
            | "naar"
            | "for"
            | "from"
            | "desde"
            | "von"
            | "с"
            | "от"
            | "από"
            | "στο"
    )
}

pub(super) fn is_sending(lower: &str) -> bool {
    SENDING.holds(lower.as_bytes())
}

pub(super) fn is_path(word: &str) -> bool {
    PATH.holds(word.as_bytes())
}

pub(super) fn is_glued(word: &str) -> bool {
    GLUED.holds(word.as_bytes())
}

/// Whether a text may do what [`follows_phone`] asks for; its letters need not be small.
pub(super) fn may_follow_phone(text: &[u8]) -> bool {
    text.first().is_some_and(|first| AFTER.begins_with(*first))
}

/// Whether the text that follows a number begins with words that only follow telephones.
pub(super) fn follows_phone(lower: &str) -> bool {
    AFTER.beginning(lower.as_bytes()).is_some()
}

pub(super) fn is_unit(lower: &str) -> bool {
    UNITS.holds(lower.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_lower_case_and_mean_one_thing() {
        let all = [&OTHER, &PHONE, &NUMBER, &PREPOSITION, &FILLER, &PATH, &GLUED, &UNITS, &AFTER];
        for word in all.into_iter().flat_map(|list| list.words()) {
            assert_eq!(*word, word.to_lowercase());
        }
        assert_eq!(meaning("dst_msisdn"), Word::Phone);
        assert_eq!(meaning("order-number"), Word::Number);
        assert_eq!(meaning("phone_number_id"), Word::Other);
        assert_eq!(meaning("请拨打电话"), Word::Phone);
        assert_eq!(meaning("发送到"), Word::Preposition);
        assert_eq!(meaning("abc"), Word::Unknown);
    }
}
