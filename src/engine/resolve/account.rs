//! Fields of what opens a door, and of whose it is.

use super::*;

pub(super) fn credential(value: &[u8], shape: &ValueShape, sure: bool, likely: bool) -> Reading {
    let word = shape.digits == 0
        && shape.upper == 0
        && shape.is_identifier()
        && shape.len <= 12
        && shape.phone_marks == 0;
    if sure && shape.len >= 4 {
        return Reading::Claim(Class::Credential);
    }
    if likely
        && shape.len >= 8
        && !word
        && (shape.spaces == 0 || value.starts_with(b"Bearer ") || value.starts_with(b"Basic "))
    {
        return Reading::Claim(Class::Credential);
    }
    // `auth="TSA 7f3a…:q8Zk…="`: a scheme, and what proves who asks.
    if shape.spaces == 1 && shape.is_token_behind_scheme(value) {
        return Reading::Claim(Class::Credential);
    }
    // A password that stands where tokens do.
    let chosen =
        shape.is_identifier() && shape.len >= 10 && shape.digits >= 2 && shape.upper >= 1 && shape.lower >= 4;
    if !likely
        && (shape.is_token() || shape.is_secret() || chosen && shape.underscores + shape.phone_marks <= 1)
    {
        return Reading::Claim(Class::Credential);
    }
    Reading::Text
}

/// `usuario=svc.lumen`, `customer=cus_q7Zk2Lm9`, `client: 447700`: what is called by a person's word and is no word,
/// version, machine or measure of a program's.
pub(super) fn is_account(value: &[u8], shape: &ValueShape) -> bool {
    let plain = value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let joined = shape.digits == 0 && value.contains(&b'.') && shape.lower >= 5;
    let numbered = shape.digits >= 5 || shape.digits >= 2 && shape.letters() >= 3;
    let drawn = shape.underscores == 1 && shape.upper >= 2 && shape.lower >= 4 && shape.len >= 12;
    plain && (joined || numbered || drawn) && !safe::keep_alone(value)
}

pub(super) fn subject(
    name: &[u8],
    value: &[u8],
    shape: &ValueShape,
    likely: bool,
    around: &Surroundings,
) -> Reading {
    let token = shape.spaces == 0 && shape.len >= 3 && shape.len <= 128 && shape.at_signs == 0;
    // `sub:001`, a receipt's count of messages.
    if shape.digits == shape.len && shape.len == 3 && value.first() == Some(&b'0') {
        return Reading::Text;
    }
    // A word beyond ASCII is no id: `kontaktperson=김민수`.
    let written = shape.high > 0 && shape.digits + shape.letters() == 0 && shape.len <= 40;
    if shape.reads_like_a_name(value) || written {
        return Reading::Claim(Class::Name);
    }
    // `kunde: Ada`, beside Ada's number.
    let beside = around.named.has(Facts::PERSON) || around.own.has(Facts::PHONE);
    if beside && shape.is_capitalised(value) && !safe::is_log_word(value) {
        return Reading::Claim(Class::Name);
    }
    // `user=jdoe`; not `user=postgres`
    let signs_in = || {
        let word =
            shape.len <= 32 && value.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'.'));
        word && SIGN_IN.holds(name) && !account_name::is_service(value)
    };
    if token && (likely || around.named.has(Facts::PERSON) || is_account(value, shape) || signs_in()) {
        Reading::Claim(Class::SubjectId)
    } else if token && shape.digits > 0 {
        Reading::Opaque(Class::EventId)
    } else {
        Reading::Text
    }
}
