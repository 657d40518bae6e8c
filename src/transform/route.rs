//! `route`: what a URL asks for, without whom it is about: `/v1/numbers/{}/messages`.
//!
//! Only the path stays. The host goes (a tenant's name is often part of it), so do scheme, user,
//! port, query and fragment. Of the path, a segment stays if it is a plain lower-case word or a
//! version (`v1`); everything else (digits, capitals, `%`, dots, placeholders, long or unreadable
//! letters) becomes `{}`. A word after a segment that usually has a person's or an account's name behind
//! it (`users/alice`) becomes `{}` too.

/// What stands for a segment that may be somebody's.
const HOLE: &[u8] = b"{}";

/// Segments that are followed by whoever the request is about.
const OWNERS: &[&[u8]] = &[
    b"account",
    b"accounts",
    b"agent",
    b"agents",
    b"author",
    b"by-name",
    b"channel",
    b"channels",
    b"client",
    b"clients",
    b"company",
    b"companies",
    b"contact",
    b"contacts",
    b"customer",
    b"customers",
    b"group",
    b"groups",
    b"home",
    b"instance",
    b"instances",
    b"line",
    b"lines",
    b"member",
    b"members",
    b"org",
    b"organization",
    b"organizations",
    b"orgs",
    b"owner",
    b"people",
    b"person",
    b"profile",
    b"profiles",
    b"project",
    b"projects",
    b"session",
    b"sessions",
    b"sender",
    b"senders",
    b"subaccount",
    b"subaccounts",
    b"team",
    b"teams",
    b"tenant",
    b"tenants",
    b"u",
    b"user",
    b"username",
    b"usernames",
    b"users",
    b"workspace",
    b"workspaces",
];

/// Words that stand behind an owner segment and name nobody.
const ACTIONS: &[&[u8]] = &[
    b"all",
    b"balance",
    b"batch",
    b"bulk",
    b"check",
    b"contacts",
    b"count",
    b"create",
    b"current",
    b"delete",
    b"events",
    b"export",
    b"health",
    b"import",
    b"list",
    b"login",
    b"logout",
    b"me",
    b"media",
    b"messages",
    b"new",
    b"numbers",
    b"password",
    b"ping",
    b"profile",
    b"purchase",
    b"register",
    b"release",
    b"search",
    b"self",
    b"send",
    b"settings",
    b"status",
    b"update",
    b"upload",
    b"usage",
    b"verify",
    b"webhooks",
];

/// Appends the route; `false` where the value is neither a path nor a URL with a host.
pub(super) fn write(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(path) = path(value) else {
        return false;
    };
    let mut owner_before = false;
    let mut service_before = false;
    // Empty segments go: what begins with `//` would be a host the next time.
    for segment in path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
        out.push(b'/');
        let service = is_service(segment);
        let stays = is_word_or_version(segment) && (!owner_before || ACTIONS.contains(&segment))
            || service
            || service_before && is_method(segment);
        service_before = service;
        out.extend_from_slice(if stays { segment } else { HOLE });
        owner_before = OWNERS.iter().any(|owner| segment.eq_ignore_ascii_case(owner));
    }
    if path.is_empty() || path.ends_with(b"/") {
        out.push(b'/');
    }
    true
}

/// The path of `/…`, `//host/…` or `scheme://host/…`, without query and fragment.
fn path(value: &[u8]) -> Option<&[u8]> {
    let end = value.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(value.len());
    let value = value.get(..end)?;
    let rest = match memchr::memmem::find(value, b"://") {
        Some(at) if is_scheme(value.get(..at)?) => value.get(at + 3..)?,
        _ => match value.strip_prefix(b"//") {
            Some(rest) => rest,
            None => return value.starts_with(b"/").then_some(value),
        },
    };
    let host_end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    rest.get(host_end..)
}

fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_word_or_version(segment: &[u8]) -> bool {
    match segment.split_first() {
        Some((b'v', digits)) if (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            true
        }
        Some((first, rest)) => {
            first.is_ascii_lowercase()
                && rest.len() <= 30
                && rest.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'))
                && !looks_like_token(segment)
        }
        None => false,
    }
}

/// A service of gRPC: `numbers.v2.Portability`.
fn is_service(segment: &[u8]) -> bool {
    let mut parts = segment.rsplitn(3, |byte| *byte == b'.');
    let (Some(name), Some(version), Some(package)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let numbered = version
        .strip_prefix(b"v")
        .is_some_and(|digits| (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit));
    let word = |part: &[u8]| {
        part.len() <= 30 && part.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_'))
    };
    is_method(name) && numbered && word(package)
}

/// A method of one, or its name: letters that begin with a capital.
fn is_method(segment: &[u8]) -> bool {
    segment.first().is_some_and(u8::is_ascii_uppercase)
        && (3..=30).contains(&segment.len())
        && segment.iter().all(u8::is_ascii_alphabetic)
}

/// Letters that no one reads aloud: hexadecimal digits only, 16 or more without a break, or five or
/// more without a vowel.
fn looks_like_token(word: &[u8]) -> bool {
    let hexadecimal = word.len() >= 6 && word.iter().all(|byte| matches!(byte, b'a'..=b'f' | b'-' | b'_'));
    let unreadable = word.split(|byte| matches!(byte, b'-' | b'_')).any(|part| {
        let vowels =
            part.iter().filter(|byte| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')).count();
        part.len() >= 16 || (part.len() >= 5 && vowels == 0)
    });
    hexadecimal || unreadable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes() {
        for (value, expected) in [
            ("/v1/numbers/4155550132/messages", Some("/v1/numbers/{}/messages")),
            (
                "https://api.example.com/v1/numbers/%2B14155550132/messages?to=1#x",
                Some("/v1/numbers/{}/messages"),
            ),
            ("https://ada:secret@example.com:8443/status", Some("/status")),
            ("https://example.com", Some("/")),
            ("https://example.com/", Some("/")),
            ("https://example.com?phone=14155550132", Some("/")),
            ("//example.com/v2/send", Some("/v2/send")),
            ("/", Some("/")),
            ("/status/", Some("/status/")),
            ("/a//b", Some("/a/b")),
            ("/orders/ord_482913/codes", Some("/orders/{}/codes")),
            ("/users/alice/inbox", Some("/users/{}/inbox")),
            ("/home/alice/app", Some("/home/{}/app")),
            ("/Users/alice/app", Some("/{}/{}/app")),
            ("/users/me/inbox", Some("/users/me/inbox")),
            ("/accounts/search", Some("/accounts/search")),
            ("/verify/[CODE]", Some("/verify/{}")),
            ("/v1/{}/x", Some("/v1/{}/x")),
            ("/v1.2/Send", Some("/{}/{}")),
            ("/v123/send", Some("/{}/send")),
            ("/numbers.v2.Portability/Resolve", Some("/numbers.v2.Portability/Resolve")),
            ("/ada.Roe/Resolve", Some("/{}/{}")),
            ("/files/deadbeef", Some("/files/{}")),
            ("/t/qwrtpsdfg", Some("/t/{}")),
            ("/t/abcdefghijklmnopq", Some("/t/{}")),
            ("/delivery-reports/message_status", Some("/delivery-reports/message_status")),
            ("/caf\u{e9}", Some("/{}")),
            ("v1/messages", None),
            ("tel:+14155550132", None),
            ("mailto:ada@example.com", None),
            ("GET /v1/messages", None),
            ("", None),
            ("?to=1", None),
        ] {
            let mut out = Vec::new();
            let route = write(value.as_bytes(), &mut out).then(|| String::from_utf8(out.clone()).unwrap());
            assert_eq!(route.as_deref(), expected, "{value}");
            let mut again = Vec::new();
            assert!(route.is_none() || write(&out, &mut again));
            assert_eq!(again, if route.is_some() { out } else { Vec::new() }, "{value} twice");
        }
    }
}
