//! `pseudonym`: a keyed token in place of a value, the same for the same value.
//!
//! `[ID:<key id>.<22 base64url>]`, for every class. The 22 characters are 16 bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 0..12 | the first 12 bytes of HMAC-SHA-256 over purpose, class, tenant and the value |
//! | 12 | the class's slot, masked with byte 0 of the check |
//! | 13..16 | bytes 1 to 3 of the check: HMAC-SHA-256 over purpose, tenant and bytes 0..12 |
//!
//! So whoever has the key can tell a token of ours from 22 characters that a sender typed, and
//! learns the class back, which a later stage needs to reduce it to that class's placeholder. 96 bits
//! of token: two of 10^9 values get the same with a probability below 10^-10.
//!
//! A value is brought to one form first, so that one person has one token: a phone number's digits,
//! an e-mail address in lower case, an address as it parses. The tenant is part of the message:
//! tokens of two tenants cannot be joined.

use super::{Context, Value};
use crate::class::{BUILT_IN, Class, CustomClass};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

/// Characters of a token.
pub const TOKEN_CHARS: usize = 22;
const TOKEN_BYTES: usize = 16;
const HASH_BYTES: usize = 12;
const MAX_KEY_ID: usize = 32;

/// The secrets that pseudonyms are made with. Whoever reads key files fills it; nothing here does.
///
/// A key whose scope fits writes; of several the one added last. All of them recognise tokens, so
/// that a retired key can stay until its tokens are gone.
#[derive(Default)]
pub struct Keys {
    keys: RwLock<Vec<Key>>,
}

struct Key {
    id: String,
    scope: KeyScope,
    /// Keyed and cloned per token. Its state and the secret it was made from are zeroed when dropped.
    mac: Hmac<Sha256>,
}

/// For what a key is used; `None` is "for all", and still every class and tenant has its own tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyScope {
    pub class: Option<Class>,
    pub tenant: Option<Vec<u8>>,
}

/// Why a key is not taken. Says nothing of the secret but its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "the key id is not 1 to {MAX_KEY_ID} of A-Z a-z 0-9 _ -: shorten it or leave other characters out"
    )]
    Id,
    #[error("the secret has {0} bytes, at least 32 are needed: make one with `head -c 32 /dev/urandom`")]
    Short(usize),
}

impl Keys {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Takes another set's keys in the place of its own, which are zeroed.
    pub fn replace(&self, by: Keys) {
        let mut by = by.keys.into_inner().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *self.keys.write().unwrap_or_else(PoisonError::into_inner), &mut by);
    }

    /// Keeps those whose ids are wanted; the others are zeroed.
    pub fn retain(&self, is_wanted: impl Fn(&str) -> bool) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).retain(|key| is_wanted(&key.id));
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a key. The secret's buffer is zeroed here.
    pub fn add(&mut self, id: &str, scope: KeyScope, secret: Zeroizing<Vec<u8>>) -> Result<(), KeyError> {
        if !is_key_id(id.as_bytes()) {
            return Err(KeyError::Id);
        }
        if secret.len() < 32 {
            return Err(KeyError::Short(secret.len()));
        }
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&secret) else {
            unreachable!("HMAC takes a key of any length")
        };
        let keys = self.keys.get_mut().unwrap_or_else(PoisonError::into_inner);
        keys.push(Key { id: id.to_owned(), scope, mac });
        Ok(())
    }

    /// Whether values of a class have a key to be pseudonymised with.
    #[must_use]
    pub fn covers(&self, class: Class, tenant: &[u8]) -> bool {
        self.all().iter().any(|key| key.covers(Some(class), tenant))
    }

    /// Every key's id, in the order they were added, with the token that it makes of a value.
    #[must_use]
    pub fn tokens(&self, value: &Value<'_>, tenant: &[u8]) -> Vec<(String, String)> {
        let all = self.all();
        let covering = all.iter().filter(|key| key.covers(Some(value.class), tenant));
        covering.map(|key| (key.id.clone(), key.token(value, tenant))).collect()
    }

    /// The class of a token of ours; `None` where no key of that id made it for that tenant.
    fn class_of(&self, id: &[u8], token: &[u8; TOKEN_BYTES], context: &Context<'_>) -> Option<Class> {
        let (hash, tail) = token.split_first_chunk::<HASH_BYTES>()?;
        self.all().iter().filter(|key| key.id.as_bytes() == id && key.covers(None, context.tenant)).find_map(
            |key| {
                let check = key.check(context.tenant, hash);
                let (slot, seal) = tail.split_first()?;
                let (mask, expected) = check.split_first()?;
                let class = class_of_slot(slot ^ mask, context.custom)?;
                (seal == expected && key.covers(Some(class), context.tenant)).then_some(class)
            },
        )
    }
}

impl std::fmt::Debug for Keys {
    /// Key ids only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all().iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn covers(&self, class: Option<Class>, tenant: &[u8]) -> bool {
        let class_fits = match (self.scope.class, class) {
            (Some(own), Some(class)) => own == class,
            (None, _) | (_, None) => true,
        };
        class_fits && self.scope.tenant.as_deref().is_none_or(|own| own == tenant)
    }

    fn token(&self, value: &Value<'_>, tenant: &[u8]) -> String {
        let mut out = Vec::new();
        self.write(value, tenant, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    fn write(&self, value: &Value<'_>, tenant: &[u8], out: &mut Vec<u8>) -> bool {
        let hash = self.hash(value, tenant);
        let mut tail = self.check(tenant, &hash);
        if let (Some(first), Ok(slot)) = (tail.first_mut(), u8::try_from(value.class.slot())) {
            *first ^= slot;
        }
        let mut token = [0; TOKEN_BYTES];
        token.iter_mut().zip(hash.iter().chain(&tail)).for_each(|(to, from)| *to = *from);
        let mut text = [0; TOKEN_CHARS];
        if URL_SAFE_NO_PAD.encode_slice(token, &mut text).is_err() {
            return false;
        }
        out.extend_from_slice(b"[ID:");
        out.extend_from_slice(self.id.as_bytes());
        out.push(b'.');
        out.extend_from_slice(&text);
        out.push(b']');
        true
    }

    fn hash(&self, value: &Value<'_>, tenant: &[u8]) -> [u8; HASH_BYTES] {
        let mut mac = self.mac.clone();
        mac.update(b"logscrub pseudonym 1");
        update_with_length(&mut mac, value.class.word().as_bytes());
        update_with_length(
            &mut mac,
            if let Class::Custom(_) = value.class { value.custom_name.as_bytes() } else { b"" },
        );
        update_with_length(&mut mac, tenant);
        update_normal_form(&mut mac, value);
        first_bytes(mac)
    }

    fn check(&self, tenant: &[u8], hash: &[u8; HASH_BYTES]) -> [u8; TOKEN_BYTES - HASH_BYTES] {
        let mut mac = self.mac.clone();
        mac.update(b"logscrub token check 1");
        update_with_length(&mut mac, tenant);
        mac.update(hash);
        first_bytes(mac)
    }
}

fn first_bytes<const N: usize>(mac: Hmac<Sha256>) -> [u8; N] {
    let all = mac.finalize().into_bytes();
    let mut first = [0; N];
    first.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    first
}

/// The length before the bytes: two fields never run into each other.
fn update_with_length(mac: &mut Hmac<Sha256>, bytes: &[u8]) {
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

/// The value in the one form that all its written forms have in common.
fn update_normal_form(mac: &mut Hmac<Sha256>, value: &Value<'_>) {
    match value.class {
        Class::Phone => update_digits(mac, number_part(value.bytes)),
        Class::Imei => update_digits(mac, value.bytes),
        Class::Email => value.bytes.iter().for_each(|byte| mac.update(&[byte.to_ascii_lowercase()])),
        Class::Ip => match super::geo::parse_address(value.bytes) {
            Some(std::net::IpAddr::V4(address)) => mac.update(&address.octets()),
            Some(std::net::IpAddr::V6(address)) => mac.update(&address.octets()),
            None => mac.update(value.bytes),
        },
        _ => mac.update(value.bytes),
    }
}

/// What of a phone's written form holds its number: a WhatsApp id without its device and host.
fn number_part(bytes: &[u8]) -> &[u8] {
    let Some(at) = bytes.iter().position(|byte| *byte == b'@') else {
        return bytes;
    };
    let user = bytes.get(..at).unwrap_or(bytes);
    // `1415…:12@…` has a device after the number; `sip:+1415…@…` a scheme before it.
    match user.iter().position(|byte| *byte == b':') {
        Some(colon) if colon > 4 => user.get(..colon).unwrap_or(user),
        _ => user,
    }
}

/// The ASCII digits without a leading `00`; a value with fewer than 5 of them as it is.
fn update_digits(mac: &mut Hmac<Sha256>, bytes: &[u8]) {
    let digits = || bytes.iter().filter(|byte| byte.is_ascii_digit());
    if digits().count() < 5 {
        mac.update(bytes);
        return;
    }
    let international = digits().take(2).all(|digit| *digit == b'0');
    digits().skip(if international { 2 } else { 0 }).for_each(|digit| mac.update(&[*digit]));
}

fn class_of_slot(slot: u8, custom: &[String]) -> Option<Class> {
    let slot = usize::from(slot);
    if let Some(class) = Class::ALL.get(slot) {
        return super::fits(super::Action::Pseudonym, *class).then_some(*class);
    }
    let place = slot.checked_sub(BUILT_IN)?;
    custom.get(place)?;
    CustomClass::new(place).map(Class::Custom)
}

fn is_key_id(id: &[u8]) -> bool {
    (1..=MAX_KEY_ID).contains(&id.len())
        && id.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Appends `[ID:<key id>.<token>]`; `false` where no key covers the class.
pub(super) fn write(value: &Value<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
    let Some(keys) = context.keys else { return false };
    let all = keys.all();
    let Some(key) = all.iter().rev().find(|key| key.covers(Some(value.class), context.tenant)) else {
        return false;
    };
    key.write(value, context.tenant, out)
}

/// Takes the token out of everything that has the form of a pseudonym, whosever it is: `[ID]` is left. `true` where
/// there was one. Time linear in the text.
pub fn forget(text: &mut Vec<u8>) -> bool {
    /// `[ID:`, the key's id, a full stop, the token, `]`.
    const LONGEST: usize = 4 + MAX_KEY_ID + 1 + TOKEN_CHARS + 1;
    let context = Context::default();
    let mut left = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some(at) = text.get(from..).and_then(|rest| memchr::memmem::find(rest, b"[ID:")) {
        let start = from + at;
        from = start + 4;
        let near = text.get(start..text.len().min(start + LONGEST)).unwrap_or_default();
        let Some(end) = memchr::memchr(b']', near) else { continue };
        if parse(near.get(4..end).unwrap_or_default(), &context).is_some() {
            left.extend_from_slice(text.get(done..start + 3).unwrap_or_default());
            done = start + end;
            from = done;
        }
    }
    if done == 0 {
        return false;
    }
    left.extend_from_slice(text.get(done..).unwrap_or_default());
    *text = left;
    true
}

/// What a token in the input is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One of our keys made it for a value of that class.
    Ours(Class),
    /// It has the exact form, but no key that we have made it: another key's, or typed.
    Unverified,
}

/// Reads `<key id>.<22 base64url>`; `None` where the form is not exact.
pub(super) fn parse(text: &[u8], context: &Context<'_>) -> Option<Origin> {
    let dot = text.len().checked_sub(TOKEN_CHARS + 1)?;
    let (id, rest) = text.split_at_checked(dot)?;
    let (separator, token_text) = rest.split_first()?;
    if *separator != b'.' || !is_key_id(id) {
        return None;
    }
    let mut token = [0; TOKEN_BYTES + 2];
    // The engine refuses what is not canonical: set trailing bits, padding.
    let decoded = URL_SAFE_NO_PAD.decode_slice(token_text, &mut token).ok()?;
    let token = token.get(..decoded)?.first_chunk::<TOKEN_BYTES>().filter(|_| decoded == TOKEN_BYTES)?;
    let class = context.keys.and_then(|keys| keys.class_of(id, token, context));
    Some(class.map_or(Origin::Unverified, Origin::Ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Detail;
    use crate::transform::{Action, Note, Outcome, apply, placeholder, reduce};

    fn keys(added: &[(&str, Option<Class>, Option<&[u8]>, u8)]) -> Keys {
        let mut keys = Keys::default();
        for (id, class, tenant, seed) in added {
            let scope = KeyScope { class: *class, tenant: tenant.map(<[u8]>::to_vec) };
            keys.add(id, scope, Zeroizing::new(vec![*seed; 32])).unwrap();
        }
        keys
    }

    fn token(class: Class, bytes: &str, context: &Context<'_>) -> String {
        let value = Value { class, bytes: bytes.as_bytes(), detail: Detail::None, custom_name: "badge" };
        let mut out = Vec::new();
        assert_eq!(apply(Action::Pseudonym, &value, context, &mut out), Outcome::Replaced);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn written_forms_of_one_value_have_one_token() {
        let keys = keys(&[("k1", None, None, 7)]);
        let context = Context { keys: Some(&keys), ..Context::default() };
        let same: &[(Class, &[&str])] = &[
            (
                Class::Phone,
                &[
                    "+14155550132",
                    "1 (415) 555-0132",
                    "0014155550132",
                    "14155550132@s.whatsapp.net",
                    "14155550132:12@s.whatsapp.net",
                    "sip:+14155550132@example.com",
                ],
            ),
            (Class::Email, &["Ada@Example.com", "ada@example.com"]),
            (Class::Ip, &["192.0.2.7", "192.0.2.7:5060", "::ffff:192.0.2.7", "192-0-2-7"]),
            (Class::Ip, &["2001:db8::1", "[2001:DB8:0::1]:443", "2001:db8::1%eth0"]),
        ];
        for (class, forms) in same {
            let first = token(*class, forms[0], &context);
            assert_eq!(first.len(), "[ID:k1.]".len() + TOKEN_CHARS);
            for form in *forms {
                assert_eq!(token(*class, form, &context), first, "{form}");
            }
        }
        assert_ne!(token(Class::SubjectId, "a", &context), token(Class::SubjectId, "A", &context));
        assert_ne!(
            token(Class::Phone, "123", &context),
            token(Class::Phone, "1-23", &context),
            "too few digits"
        );
    }

    #[test]
    fn classes_tenants_and_keys_share_no_token() {
        let (one, other) = (keys(&[("k1", None, None, 7)]), keys(&[("k1", None, None, 8)]));
        let custom = ["badge".to_owned()];
        let mut seen = std::collections::HashSet::new();
        for keys in [&one, &other] {
            for tenant in [b"".as_slice(), b"a", b"b"] {
                let context = Context { keys: Some(keys), tenant, custom: &custom, ..Context::default() };
                for class in [
                    Class::SubjectId,
                    Class::EventId,
                    Class::Device,
                    Class::Custom(CustomClass::new(0).unwrap()),
                ] {
                    assert!(seen.insert(token(class, "account-1", &context)), "{class} {tenant:?}");
                }
            }
        }
    }

    #[test]
    fn a_token_tells_its_class_to_its_key_only() {
        let both = keys(&[("k1", None, None, 7), ("k2", Some(Class::Phone), Some(b"t"), 8)]);
        let custom = ["badge".to_owned()];
        let context = Context { keys: Some(&both), tenant: b"t", custom: &custom, ..Context::default() };
        for class in
            [Class::Phone, Class::SubjectId, Class::EventId, Class::Custom(CustomClass::new(0).unwrap())]
        {
            let written = token(class, "14155550132", &context);
            assert!(written.starts_with(if class == Class::Phone { "[ID:k2." } else { "[ID:k1." }));
            let found = placeholder::parse(written.as_bytes(), &context).unwrap();
            assert_eq!((found.class, found.note), (class, Note::Token(Origin::Ours(class))));
            let mut out = Vec::new();
            assert_eq!(reduce(Action::Pseudonym, &found, &context, &mut out), Outcome::Keep);
            assert_eq!(reduce(Action::Remove, &found, &context, &mut out), Outcome::Replaced);
            let mut bare = Vec::new();
            placeholder::write_bare(class, "badge", &mut bare);
            assert_eq!(out, bare, "as if the value had been removed at once");

            let stranger = Context { tenant: b"other", ..context };
            let keyless = Context { keys: None, ..context };
            for context in [stranger, keyless] {
                let found = placeholder::parse(written.as_bytes(), &context).unwrap();
                assert_eq!((found.class, found.note), (Class::SubjectId, Note::Token(Origin::Unverified)));
                let mut out = Vec::new();
                reduce(Action::Pseudonym, &found, &context, &mut out);
                assert_eq!(out, b"[ID]");
            }
        }
    }

    #[test]
    fn what_is_no_token() {
        let context = Context::default();
        for (text, why) in [
            ("[ID:k1.AAAAAAAAAAAAAAAAAAAAAB]", "bits behind the last byte"),
            ("[ID:k1.AAAAAAAAAAAAAAAAAAAAA]", "21 characters"),
            ("[ID:k1.AAAAAAAAAAAAAAAAAAAAAAA]", "23 characters"),
            ("[ID:k1.AAAAAAAAAAAAAAAAAAAA==]", "padding"),
            ("[ID:k1.AAAAAAAAAAAAAAAAAAAA+/]", "the other base64"),
            ("[ID:k 1.AAAAAAAAAAAAAAAAAAAAAA]", "a space in the key id"),
            ("[ID:.AAAAAAAAAAAAAAAAAAAAAA]", "no key id"),
            ("[ID:14155550132]", "a number"),
        ] {
            assert_eq!(placeholder::parse(text.as_bytes(), &context), None, "{why}");
        }
        assert!(placeholder::parse(b"[ID:k1.AAAAAAAAAAAAAAAAAAAAAA]", &context).is_some());
    }

    #[test]
    fn tokens_are_forgotten_whosever_they_are() {
        let token = "[ID:k1.AAAAAAAAAAAAAAAAAAAAAA]";
        for (text, left) in [
            (token.to_owned(), "[ID]"),
            (format!("a {token}{token} b [ID:no] [ID:k1"), "a [ID][ID] b [ID:no] [ID:k1"),
            (format!("[ID:{token}"), "[ID:[ID]"),
            ("nothing".to_owned(), "nothing"),
        ] {
            let mut bytes = text.clone().into_bytes();
            assert_eq!(forget(&mut bytes), text.contains(token));
            assert_eq!(String::from_utf8(bytes).unwrap(), left);
        }
    }

    #[test]
    fn keys_that_are_replaced_know_nothing_of_the_old_ones() {
        let both = keys(&[("k1", None, None, 7)]);
        let context = Context { keys: Some(&both), ..Context::default() };
        let first = token(Class::SubjectId, "account-1", &context);
        assert_eq!(
            placeholder::parse(first.as_bytes(), &context).unwrap().note,
            Note::Token(Origin::Ours(Class::SubjectId))
        );
        both.replace(keys(&[("k2", None, None, 8)]));
        assert!(token(Class::SubjectId, "account-1", &context).starts_with("[ID:k2."));
        assert_eq!(
            placeholder::parse(first.as_bytes(), &context).unwrap().note,
            Note::Token(Origin::Unverified)
        );
        both.replace(Keys::default());
        assert_eq!(token(Class::SubjectId, "account-1", &context), "[ID]");
    }

    #[test]
    fn without_a_key_the_value_goes() {
        let phone_only = keys(&[("k1", Some(Class::Phone), None, 7)]);
        for (keys, class, expected) in [
            (None, Class::SubjectId, "[ID]"),
            (None, Class::Phone, "[PHONE]"),
            (Some(&phone_only), Class::Device, "[DEVICE]"),
            (Some(&phone_only), Class::Credential, "[CREDENTIAL]"),
            (Some(&phone_only), Class::Code, "[CODE]"),
        ] {
            assert_eq!(token(class, "abc-12345", &Context { keys, ..Context::default() }), expected);
        }
        assert!(phone_only.covers(Class::Phone, b"any") && !phone_only.covers(Class::Device, b"any"));
    }

    #[test]
    fn keys_that_are_not_taken() {
        let mut keys = Keys::default();
        let secret = |length| Zeroizing::new(vec![1; length]);
        for id in ["", "a b", "a.b", "[", &"k".repeat(33)] {
            assert_eq!(keys.add(id, KeyScope::default(), secret(32)), Err(KeyError::Id));
        }
        assert_eq!(keys.add("k1", KeyScope::default(), secret(31)), Err(KeyError::Short(31)));
        keys.add("k1", KeyScope::default(), secret(32)).unwrap();
        assert_eq!(format!("{keys:?}"), r#"["k1"]"#);
    }
}
