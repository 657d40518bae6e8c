//! User agents: RFC 9110 §10.1.5's products and comments.

use super::Hit;
use super::bytes::{
    before, byte, is_alnum, is_digit, is_letter, is_quote, reads, run_end, slice, starts_token,
};
use super::word_list::WordList;
use crate::class::Class;
use crate::detect::words;

/// Longer ones are not sent by programs that mean well; the rest of the field follows anyhow.
const LONGEST: usize = 1024;

/// Products that are user agents wherever they stand, in lower case, without the slash.
static PRODUCTS: WordList = WordList::new(words::user_agent::PRODUCTS);

/// Names before a slash and a number that are protocols, not products.
static PROTOCOLS: WordList = WordList::new(words::user_agent::PROTOCOLS);

/// The user agent that starts at a place. Behind an opening quote it reaches to the closing one, if what
/// lies between looks like one; else it is the run of products, comments and the few words that browsers
/// put between them.
#[must_use]
#[inline]
pub fn at(text: &[u8], start: usize) -> Option<Hit> {
    if !is_letter(byte(text, start))
        || !starts_token(text, start)
        || matches!(before(text, start), b'/' | b'.' | b'-' | b'@')
    {
        return None;
    }
    let first = product_end(text, start)?;
    let quote = before(text, start);
    let end = if is_quote(quote) {
        let close = run_end(text, start, LONGEST, |b| b != quote && b != b'\n' && b != b'\\');
        if byte(text, close) == quote || byte(text, close) == b'\\' { close } else { rest_end(text, first) }
    } else {
        rest_end(text, first)
    };
    Some(Hit::new(Class::UserAgent, start, end))
}

/// End of `name/version` at a place: a known product with any version, or an unknown one with a version of
/// two numbers or more.
fn product_end(text: &[u8], start: usize) -> Option<usize> {
    let name = run_end(text, start, 48, |b| is_alnum(b) || matches!(b, b'-' | b'_' | b'.'));
    if byte(text, name) != b'/' {
        return None;
    }
    let word = slice(text, start..name);
    let mut version = name + 1;
    if byte(text, version) == b'v' && is_digit(byte(text, version + 1)) {
        version += 1;
    }
    let end = run_end(text, version, 48, |b| is_alnum(b) || matches!(b, b'.' | b'-' | b'+' | b'_'));
    let number = slice(text, version..end);
    if !is_digit(byte(text, version)) || byte(text, end) == b'/' || byte(text, end) == b'@' {
        return None;
    }
    let known = PRODUCTS.holds(word);
    let protocol = PROTOCOLS.holds(word);
    let dotted = number.iter().filter(|b| **b == b'.').count() > 0
        && run_end(text, version, 5, is_digit) - version <= 4;
    let named = word.len() >= 3 && !word.contains(&b'.');
    (known || (dotted && named && !protocol)).then(|| trim(text, start, end))
}

/// End of the products, comments and words behind the first product.
fn rest_end(text: &[u8], first: usize) -> usize {
    const WORDS: &[&str] = words::user_agent::BETWEEN;
    let limit = first.saturating_add(LONGEST);
    let mut end = first;
    // WhatsApp writes one letter for the platform: `WhatsApp/2.24.1.7 A`.
    if byte(text, end) == b' '
        && matches!(byte(text, end + 1), b'A' | b'i' | b'N' | b'W')
        && !is_alnum(byte(text, end + 2))
    {
        end += 2;
    }
    while byte(text, end) == b' ' && end < limit {
        let next = end + 1;
        if byte(text, next) == b'(' {
            let close = run_end(text, next, 512, |b| b != b')' && b != b'\n' && b != b'"');
            if byte(text, close) != b')' {
                break;
            }
            end = close + 1;
        } else if let Some(stop) = product_end(text, next) {
            end = stop;
        } else if let Some(word) = WORDS
            .iter()
            .find(|word| reads(text, next, word.as_bytes()) && !is_alnum(byte(text, next + word.len())))
        {
            end = next + word.len();
        } else {
            break;
        }
    }
    end
}

/// A full stop behind the version is the sentence's.
fn trim(text: &[u8], start: usize, end: usize) -> usize {
    super::bytes::run_start(text, end, end - start, |b| matches!(b, b'.' | b'-' | b'+' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<&str> {
        let hit = (0..text.len()).find_map(|start| at(text.as_bytes(), start))?;
        text.get(hit.span.start()..hit.span.end())
    }

    #[test]
    fn user_agents_are_found_whole() {
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
        for (text, want) in [
            (format!("\"{browser}\" rt=1"), browser),
            (format!("ua={browser} rt=1"), browser),
            ("\"okhttp/4.9.3\"".to_owned(), "okhttp/4.9.3"),
            ("from okhttp/4.9.3, 200".to_owned(), "okhttp/4.9.3"),
            ("WhatsApp/2.24.10.85 A".to_owned(), "WhatsApp/2.24.10.85 A"),
            ("curl/8.5.0.".to_owned(), "curl/8.5.0"),
            ("Dalvik/2.1.0 (Linux; U; Android 14) up".to_owned(), "Dalvik/2.1.0 (Linux; U; Android 14)"),
            ("User-Agent: Acme-Phone/3.2.1 (build 7)\r\n".to_owned(), "Acme-Phone/3.2.1 (build 7)"),
            ("'python-requests/2.31.0'".to_owned(), "python-requests/2.31.0"),
        ] {
            assert_eq!(first(&text), Some(want), "{text}");
        }
    }

    #[test]
    fn protocols_paths_and_types_are_left() {
        for (text, why) in [
            ("GET /x HTTP/1.1", "a protocol"),
            ("SIP/2.0 200 OK", "a protocol"),
            ("Via: SIP/2.0/UDP", "a protocol"),
            ("application/json", "a media type"),
            ("/srv/app/3.2/x", "a path"),
            ("PJSIP/14155550132@trunk", "a number"),
            ("kafka-1/203.0.113.7/x", "a host"),
            ("retry 3/5", "a fraction"),
            ("chunk/14155550132", "a number"),
        ] {
            assert_eq!(first(text), None, "{text}: {why}");
        }
    }
}
