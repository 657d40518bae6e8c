//! `family`: a user agent's family and major version, `Chrome/126`.
//!
//! The table is our own: product tokens as the makers' documentation and RFC 9110 §10.1.5 have them.
//! What comes out is a name of the table and a number of at most three digits, never a piece of the
//! input: a user agent can carry a name, a device id or a telephone number.

/// One family: the product token that gives it away, and the name it is written under.
struct Family {
    /// With the `/` or space that stands before the version.
    token: &'static [u8],
    name: &'static str,
}

const fn family(token: &'static [u8], name: &'static str) -> Family {
    Family { token, name }
}

/// In this order: the first token that the value holds decides, and browsers carry the tokens of
/// those they want to be taken for (Edge says Chrome says Safari).
const FAMILIES: &[Family] = &[
    // Crawlers and previews, which carry a browser's tokens as well.
    family(b"Googlebot/", "Googlebot"),
    family(b"AdsBot-Google", "Googlebot"),
    family(b"bingbot/", "bingbot"),
    family(b"YandexBot/", "YandexBot"),
    family(b"Baiduspider/", "Baiduspider"),
    family(b"DuckDuckBot/", "DuckDuckBot"),
    family(b"Applebot/", "Applebot"),
    family(b"AhrefsBot/", "AhrefsBot"),
    family(b"SemrushBot/", "SemrushBot"),
    family(b"GPTBot/", "GPTBot"),
    family(b"facebookexternalhit/", "facebookexternalhit"),
    family(b"facebookexternalua", "facebookexternalua"),
    family(b"facebookplatform/", "facebookplatform"),
    family(b"Twitterbot/", "Twitterbot"),
    family(b"TelegramBot", "TelegramBot"),
    family(b"Slackbot", "Slackbot"),
    family(b"UptimeRobot/", "UptimeRobot"),
    family(b"Pingdom", "Pingdom"),
    family(b"kube-probe/", "kube-probe"),
    family(b"ELB-HealthChecker/", "ELB-HealthChecker"),
    family(b"GoogleHC/", "GoogleHC"),
    family(b"Prometheus/", "Prometheus"),
    // Messaging.
    family(b"TwilioProxy/", "TwilioProxy"),
    family(b"WhatsApp/", "WhatsApp"),
    family(b"Nexmo/", "Nexmo"),
    family(b"Vonage/", "Vonage"),
    family(b"MessageBird/", "MessageBird"),
    family(b"Kannel/", "Kannel"),
    family(b"Jasmin", "Jasmin"),
    // Browsers inside applications.
    family(b"FBAV/", "Facebook"),
    family(b"Instagram ", "Instagram"),
    family(b"MicroMessenger/", "WeChat"),
    family(b"Line/", "Line"),
    // Browsers.
    family(b"Edg/", "Edge"),
    family(b"EdgA/", "Edge"),
    family(b"EdgiOS/", "Edge"),
    family(b"Edge/", "Edge"),
    family(b"OPR/", "Opera"),
    family(b"OPT/", "Opera"),
    family(b"OPiOS/", "Opera"),
    family(b"Opera Mini/", "OperaMini"),
    family(b"Opera/", "Opera"),
    family(b"SamsungBrowser/", "SamsungBrowser"),
    family(b"YaBrowser/", "YaBrowser"),
    family(b"Vivaldi/", "Vivaldi"),
    family(b"UCBrowser/", "UCBrowser"),
    family(b"MiuiBrowser/", "MiuiBrowser"),
    family(b"HuaweiBrowser/", "HuaweiBrowser"),
    family(b"Whale/", "Whale"),
    family(b"DuckDuckGo/", "DuckDuckGo"),
    family(b"Electron/", "Electron"),
    family(b"HeadlessChrome/", "HeadlessChrome"),
    family(b"FxiOS/", "Firefox"),
    family(b"Firefox/", "Firefox"),
    family(b"CriOS/", "Chrome"),
    family(b"Chrome/", "Chrome"),
    family(b"Chromium/", "Chromium"),
    family(b"MSIE ", "IE"),
    family(b"Trident/", "IE"),
    // Libraries and tools.
    family(b"okhttp/", "okhttp"),
    family(b"Dalvik/", "Dalvik"),
    family(b"CFNetwork/", "CFNetwork"),
    family(b"curl/", "curl"),
    family(b"Wget/", "Wget"),
    family(b"HTTPie/", "HTTPie"),
    family(b"PostmanRuntime/", "PostmanRuntime"),
    family(b"insomnia/", "insomnia"),
    family(b"python-requests/", "python-requests"),
    family(b"python-httpx/", "python-httpx"),
    family(b"Python-urllib/", "Python-urllib"),
    family(b"aiohttp/", "aiohttp"),
    family(b"axios/", "axios"),
    family(b"node-fetch/", "node-fetch"),
    family(b"undici", "undici"),
    family(b"got (", "got"),
    family(b"node-superagent/", "node-superagent"),
    family(b"Go-http-client/", "Go-http-client"),
    family(b"go-resty/", "go-resty"),
    family(b"Apache-HttpClient/", "Apache-HttpClient"),
    family(b"Apache-CXF/", "Apache-CXF"),
    family(b"ReactorNetty/", "ReactorNetty"),
    family(b"Java/", "Java"),
    family(b"Java-http-client/", "Java-http-client"),
    family(b"GuzzleHttp/", "GuzzleHttp"),
    family(b"PHP/", "PHP"),
    family(b"Faraday ", "Faraday"),
    family(b"Ruby", "Ruby"),
    family(b"libwww-perl/", "libwww-perl"),
    family(b"reqwest/", "reqwest"),
    family(b"hyper/", "hyper"),
    family(b"Dart/", "Dart"),
    family(b"RestSharp/", "RestSharp"),
];

/// Safari carries its version after `Version/`; what follows `Safari/` is WebKit's build.
const SAFARI: &str = "Safari";

/// Appends the family, and `/<major>` where the version is a number of at most three digits; `false`
/// where the table has no token of the value.
pub(super) fn write(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((name, version)) = own_form(value).or_else(|| find(value)) else {
        return false;
    };
    out.extend_from_slice(name.as_bytes());
    if let Some(major) = version.and_then(major) {
        out.push(b'/');
        super::placeholder::write_number(major, out);
    }
    true
}

/// What `write` wrote stays what it is (`Safari/17`, which no Safari would say).
fn own_form(value: &[u8]) -> Option<(&'static str, Option<&[u8]>)> {
    let end = memchr::memchr(b'/', value).unwrap_or(value.len());
    let (name, rest) = value.split_at_checked(end)?;
    let known =
        FAMILIES.iter().map(|family| family.name).chain([SAFARI]).find(|known| known.as_bytes() == name)?;
    match rest.strip_prefix(b"/") {
        None => Some((known, None)),
        Some(version) => {
            let ours = version.first() != Some(&b'0')
                && major(version).is_some()
                && version.iter().all(u8::is_ascii_digit);
            ours.then_some((known, Some(version)))
        }
    }
}

fn find(value: &[u8]) -> Option<(&'static str, Option<&[u8]>)> {
    // No user agent is longer than a few hundred bytes; what is, is searched in its beginning.
    let value = value.get(..1024).unwrap_or(value);
    let first = FAMILIES.iter().find_map(|family| Some((family.name, after(value, family.token)?)));
    if let Some((name, version)) = first {
        // Trident's own number is not Internet Explorer's: `rv:11.0`.
        let version =
            if value_holds_trident_only(name, value) { after(value, b"rv:") } else { Some(version) };
        return Some((name, version));
    }
    after(value, b"Safari/").map(|_| (SAFARI, after(value, b"Version/")))
}

fn value_holds_trident_only(name: &str, value: &[u8]) -> bool {
    name == "IE" && after(value, b"MSIE ").is_none()
}

/// What follows a token that stands at the beginning of a product: not inside a word.
fn after<'v>(value: &'v [u8], token: &[u8]) -> Option<&'v [u8]> {
    memchr::memmem::find_iter(value, token).find_map(|at| {
        let before = at.checked_sub(1).and_then(|index| value.get(index));
        let starts = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'));
        value.get(at + token.len()..).filter(|_| starts)
    })
}

/// The number a version begins with: one to three digits, then no digit.
fn major(version: &[u8]) -> Option<u64> {
    let version = version.strip_prefix(b"v").unwrap_or(version);
    let digits = version.iter().take_while(|byte| byte.is_ascii_digit()).take(4);
    let (count, number) =
        digits.fold((0, 0), |(count, sum), digit| (count + 1, sum * 10 + u64::from(digit - b'0')));
    (1..=3).contains(&count).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<String> {
        let mut out = Vec::new();
        write(value.as_bytes(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn families() {
        let webkit = "Mozilla/5.0 (X) AppleWebKit/537.36 (KHTML, like Gecko)";
        for (value, expected) in [
            (format!("{webkit} Chrome/126.0.0.0 Safari/537.36"), "Chrome/126"),
            (format!("{webkit} Chrome/126.0.0.0 Safari/537.36 Edg/125.0.1"), "Edge/125"),
            (format!("{webkit} Chrome/126.0.0.0 Safari/537.36 OPR/111.0.0.0"), "Opera/111"),
            (
                format!("{webkit} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"),
                "SamsungBrowser/25",
            ),
            (format!("{webkit} CriOS/126.0.6478 Mobile/15E148 Safari/604.1"), "Chrome/126"),
            (format!("{webkit} Version/17.5 Mobile/15E148 Safari/604.1"), "Safari/17"),
            (format!("{webkit} Safari/604.1"), "Safari"),
            (format!("{webkit} (compatible; Googlebot/2.1) Chrome/126.0.0.0 Safari/537.36"), "Googlebot/2"),
            ("Mozilla/5.0 (Windows NT 10.0; rv:127.0) Gecko/20100101 Firefox/127.0".into(), "Firefox/127"),
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)".into(), "IE/8"),
            ("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko".into(), "IE/11"),
            ("WhatsApp/2.24.13.77 A".into(), "WhatsApp/2"),
            ("TwilioProxy/1.1".into(), "TwilioProxy/1"),
            ("okhttp/4.12.0".into(), "okhttp/4"),
            ("python-requests/2.32.3".into(), "python-requests/2"),
            ("curl/8.7.1".into(), "curl/8"),
            ("Go-http-client/2.0".into(), "Go-http-client/2"),
            ("Java/17.0.11".into(), "Java/17"),
            ("Chrome/482913 (+1 415 555 0132)".into(), "Chrome"),
        ] {
            assert_eq!(of(&value).as_deref(), Some(expected), "{value}");
            assert_eq!(of(expected).as_deref(), Some(expected), "its own output");
        }
    }

    #[test]
    fn unknown_ones() {
        for value in [
            "",
            "Mozilla/5.0",
            "Ada's phone",
            "acme-app/3.2 (+14155550132)",
            "mycurl/8",
            "Chrome",
            "[USER_AGENT]",
        ] {
            assert!(of(value).is_none_or(|found| found == value && value == "Chrome"), "{value}");
        }
    }

    #[test]
    fn every_name_of_the_table_stays_what_it_is() {
        for name in FAMILIES.iter().map(|family| family.name).chain([SAFARI]) {
            for text in [name.to_owned(), format!("{name}/7"), format!("{name}/126")] {
                assert_eq!(of(&text), Some(text.clone()));
            }
        }
    }
}
