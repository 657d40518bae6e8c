//! WhatsApp's ids of messages in base64 that happens to have no digit.

use super::*;
use memchr::memmem;

/// WhatsApp's ids of messages in which no digit stands: the scan stops at none of their bytes. `seen` is what was seen in
/// a text of several words.
pub(super) fn digitless_ids(
    here: &Here<'_>,
    done: &[Span],
    prose: Prose,
    seen: Option<Seen>,
    sink: &mut Sink,
) {
    const SIGN: &[u8] = b"wamid.";
    // One word is one by itself, or longer than what else one word is.
    const WORD: usize = 40;
    let may_be = match seen {
        Some(seen) => seen.has(Seen::MESSAGE_ID),
        None => prose == Prose::Word && (here.text.len() >= WORD || here.text.starts_with(SIGN)),
    };
    if !may_be {
        return;
    }
    let mut gaps = Gaps { done, place: 0 };
    for at in memmem::find_iter(here.text, SIGN) {
        let from = at + SIGN.len();
        let end = bytes::run_end(here.text, from, 512, |b| bytes::is_base64(b) || bytes::is_token(b));
        let digitless = !here.text.get(from..end).unwrap_or_default().iter().any(u8::is_ascii_digit);
        if digitless && gaps.covers(at).is_none() {
            phone_at(here.detectors, here, at, sink);
        }
    }
}
