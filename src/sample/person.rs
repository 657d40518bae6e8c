//! Values that must go: what belongs to a person, or opens a door.

use super::draw::Draw;
use super::maker::{BodyStyle, CodeStyle, Credential, IpStyle, PhoneForm, PhoneStyle, SubjectStyle};
use super::read;
use super::render::Render;
use super::text::{Encoding, Text};
use super::truth::{Go, Tier};
use super::values::{ALPHANUMERIC, uuid};
use std::net::{Ipv4Addr, Ipv6Addr};

use PhoneForm as F;

/// Forms a place usually has, and the ones that are hard to find there.
const FIELD: [F; 13] = [
    F::E164,
    F::E164,
    F::E164,
    F::Digits,
    F::Digits,
    F::Spaced,
    F::Dashed,
    F::Dotted,
    F::Parentheses,
    F::ZeroZero,
    F::Extension,
    F::National,
    F::NationalDigits,
];
const FIELD_HARD: [F; 7] =
    [F::Fullwidth, F::Invisible, F::NoBreak, F::ForeignDigits, F::Base64, F::Invalid, F::PlusAsSpace];
const FREE: [F; 8] = [F::E164, F::E164, F::Spaced, F::Dashed, F::Parentheses, F::Dotted, F::Tel, F::WhatsApp];
const FREE_HARD: [F; 6] =
    [F::Fullwidth, F::Invisible, F::NoBreak, F::National, F::Digits, F::ParenthesesZero];
const QUERY: [F; 5] = [F::Percent, F::Percent, F::Percent, F::Digits, F::NationalDigits];
const QUERY_HARD: [F; 2] = [F::PercentTwice, F::PercentSeparated];
const JID: [F; 4] = [F::Jid, F::Jid, F::JidDevice, F::ContactJid];
const JID_HARD: [F; 2] = [F::GroupJid, F::Wamid];

/// Times in a thousand that a number is written in a form that is hard to find.
const HARD: u64 = 120;

fn form_of(style: PhoneStyle, draw: &mut Draw) -> (F, Tier) {
    let (usual, hard): (&[F], &[F]) = match style {
        PhoneStyle::Exactly(form) => return (form, if is_hard(form) { Tier::Hard } else { Tier::Core }),
        PhoneStyle::Field => (&FIELD, &FIELD_HARD),
        PhoneStyle::Free => (&FREE, &FREE_HARD),
        PhoneStyle::Query => (&QUERY, &QUERY_HARD),
        PhoneStyle::Jid => (&JID, &JID_HARD),
    };
    let (list, tier) = if draw.chance(HARD) { (hard, Tier::Hard) } else { (usual, Tier::Core) };
    (list.get(draw.index(list.len())).copied().unwrap_or(F::E164), tier)
}

fn is_hard(form: F) -> bool {
    FIELD_HARD.contains(&form)
        || QUERY_HARD.contains(&form)
        || JID_HARD.contains(&form)
        || matches!(form, F::ParenthesesZero | F::Integer)
}

impl Render<'_> {
    pub(super) fn phone(&mut self, style: PhoneStyle) -> Text {
        let (form, tier) = form_of(style, &mut self.draw);
        let Some(phone) = self.pack.phones.pick(&mut self.draw) else { return Text::default() };
        let (value, digits) = phone.write(form, &mut self.draw, self.event_ms / 1000);
        let region = phone.region.clone();
        let mut text =
            self.go(Go { class: "phone", value, tier, form: form.word(), region, digits, ..Go::default() });
        if form == F::Integer {
            text.oracle = "0".to_owned();
        }
        text
    }

    /// A number inside a message: noted, and written in both readings; the message goes as a whole.
    fn phone_in_text(&mut self) -> String {
        let Some(phone) = self.pack.phones.pick(&mut self.draw) else { return String::new() };
        let form = [F::E164, F::Spaced, F::Dashed].get(self.draw.index(3)).copied().unwrap_or(F::E164);
        let (value, digits) = phone.write(form, &mut self.draw, 0);
        let region = phone.region.clone();
        self.note(Go {
            class: "phone",
            value: value.clone(),
            form: "in_body",
            region,
            digits,
            ..Go::default()
        });
        value
    }

    fn code_value(&mut self) -> (String, &'static str, Tier) {
        let draw = &mut self.draw;
        let six = draw.string(6, b"0123456789");
        let (head, tail) = six.split_at_checked(3).unwrap_or((&six, ""));
        match draw.below(100) {
            0..66 => match draw.index(10) {
                0 | 1 => (draw.string(4, b"0123456789"), "numeric4", Tier::Core),
                2 => (draw.string(5, b"0123456789"), "numeric5", Tier::Core),
                3 => (draw.string(7, b"0123456789"), "numeric7", Tier::Core),
                4 => (draw.string(8, b"0123456789"), "numeric8", Tier::Core),
                _ => (six, "numeric6", Tier::Core),
            },
            66..74 => {
                let prefix = draw.word(self.pack.words.list("code_prefixes"));
                (format!("{prefix}-{six}"), "prefix", Tier::Core)
            }
            74..82 => (format!("{head}-{tail}"), "hyphen", Tier::Core),
            82..87 => (format!("{head} {tail}"), "space", Tier::Core),
            87..95 => {
                let mut code = draw.string(2, b"ABCDEFGHJKLMNPQRSTUVWXYZ");
                code.push(draw.letter(b"23456789"));
                code.push_str(&draw.string(2, b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789"));
                code.push(draw.letter(b"23456789"));
                (code, "alnum", Tier::Core)
            }
            _ => {
                let zero = [0x0660, 0x06F0, 0x0966, 0xFF10].get(draw.index(4)).copied().unwrap_or(0x0660);
                let foreign = |c: char| c.to_digit(10).and_then(|d| char::from_u32(zero + d)).unwrap_or(c);
                (six.chars().map(foreign).collect(), "intl_digits", Tier::Hard)
            }
        }
    }

    pub(super) fn code(&mut self, style: CodeStyle) -> Text {
        let (value, form, tier) = match style {
            CodeStyle::Any => self.code_value(),
            CodeStyle::Digits | CodeStyle::Integer => {
                let len = [4, 5, 6, 6, 6, 8].get(self.draw.index(6)).copied().unwrap_or(6);
                let integer = style == CodeStyle::Integer;
                let tier = if integer { Tier::Hard } else { Tier::Core };
                (self.draw.number(len), if integer { "json_number" } else { "digits" }, tier)
            }
            CodeStyle::Pairing => {
                (self.draw.string(8, b"ABCDEFGHJKLMNPQRSTVWXYZ23456789"), "pairing", Tier::Core)
            }
        };
        let mut text = self.go(Go { class: "code", value, form, tier, ..Go::default() });
        if style == CodeStyle::Integer {
            text.oracle = "0".to_owned();
        }
        text
    }

    /// A message text, with what is inside it noted. `most`: characters at most; what is cut off is not
    /// noted.
    fn message(&mut self, style: BodyStyle, most: usize) -> (String, String) {
        let Some(language) = self.pack.words.languages.get(self.language) else {
            return (String::new(), String::new());
        };
        let otp = match style {
            BodyStyle::Otp => true,
            BodyStyle::Chat => false,
            BodyStyle::Any | BodyStyle::Measured | BodyStyle::Short => self.draw.chance(600),
        };
        let template = self.draw.word(if otp { &language.otp } else { &language.chat });
        let before = self.truth.must_go.len();
        let tag = language.tag.clone();
        let mut text = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((head, tail)) = rest.split_once('{') {
            text.push_str(head);
            let (slot, after) = tail.split_once('}').unwrap_or((tail, ""));
            rest = after;
            match slot {
                "c" => {
                    let (value, form, tier) = self.code_value();
                    text.push_str(&value);
                    self.note(Go { class: "code", value, form, tier, lang: tag.clone(), ..Go::default() });
                }
                "n" => {
                    let value = self.draw.word(self.pack.words.list("names")).to_owned();
                    text.push_str(&value);
                    self.note(Go { class: "name", value, form: "in_body", ..Go::default() });
                }
                "p" => {
                    let phone = self.phone_in_text();
                    text.push_str(&phone);
                }
                "e" => {
                    let value = self.address();
                    text.push_str(&value);
                    self.note(Go { class: "email", value, form: "in_body", ..Go::default() });
                }
                "b" => text.push_str(self.draw.word(self.pack.words.list("brands"))),
                "h" => text.push_str(self.draw.word(self.pack.words.list("hosts"))),
                "m" => text.push_str(self.draw.word(&["2", "3", "5", "10", "15"])),
                "o" => text.push_str(&self.draw.number(7)),
                "a" => text.push_str(&format!("{},{}", self.draw.between(5, 900), self.draw.between(10, 99))),
                _ => {}
            }
        }
        text.push_str(rest);
        if text.chars().count() > most {
            text = text.chars().take(most).collect::<String>().trim_end().to_owned();
            let mut at = 0;
            self.truth.must_go.retain(|go| {
                at += 1;
                at <= before || text.contains(&go.value)
            });
        }
        (text, tag)
    }

    pub(super) fn body(&mut self, style: BodyStyle) -> Text {
        let most = if style == BodyStyle::Short { 66 } else { usize::MAX };
        let (value, lang) = self.message(style, most);
        let bytes = value.len();
        let text = self.go(Go { class: "body", value, lang, ..Go::default() });
        if style == BodyStyle::Measured {
            let mut measured = Text::same(&format!("{bytes}:"));
            measured.append(&text);
            return measured;
        }
        text
    }

    pub(super) fn ip(&mut self, style: IpStyle) -> Text {
        let style = match style {
            IpStyle::Any => *[
                IpStyle::Plain,
                IpStyle::Plain,
                IpStyle::Plain,
                IpStyle::Port,
                IpStyle::Mapped,
                IpStyle::Dashed,
            ]
            .get(self.draw.index(6))
            .unwrap_or(&IpStyle::Plain),
            other => other,
        };
        let only_v4 = matches!(style, IpStyle::V4 | IpStyle::Mapped | IpStyle::Dashed);
        let port = self.draw.between(1024, 65_000);
        if !only_v4 && self.draw.chance(250) {
            let six = self.global_v6();
            let (value, form, tier) = match (style, self.draw.index(8)) {
                (IpStyle::Port, _) => (format!("[{six}]:{port}"), "v6_port", Tier::Core),
                (_, 0) => (expanded(six), "v6_expanded", Tier::Hard),
                (_, 1) => (format!("[{six}]"), "v6_bracket", Tier::Core),
                _ => (six.to_string(), "v6_plain", Tier::Core),
            };
            return self.go(Go { class: "ip", value, form, tier, addr: six.to_string(), ..Go::default() });
        }
        let Some(four) = self.public_v4() else {
            let private =
                Ipv4Addr::new(192, 168, self.draw.below(256) as u8, self.draw.between(1, 254) as u8);
            self.truth.may("internal_ip", &private.to_string());
            return Text::same(&private.to_string());
        };
        let dashed = four.to_string().replace('.', "-");
        let (value, form, tier) = match style {
            IpStyle::Port => (format!("{four}:{port}"), "v4_port", Tier::Core),
            IpStyle::Mapped => (format!("::ffff:{four}"), "v4_mapped", Tier::Hard),
            IpStyle::Dashed => (dashed, "dashed", Tier::Hard),
            IpStyle::Any | IpStyle::Plain | IpStyle::V4 => (four.to_string(), "v4_plain", Tier::Core),
        };
        let mut text =
            self.go(Go { class: "ip", value, form, tier, addr: four.to_string(), ..Go::default() });
        if style == IpStyle::Dashed {
            let provider = self.draw.word(self.pack.words.list("providers")).to_owned();
            let prefix = self.draw.word(&["ip-", "host-", "dyn-", "cpe-"]).to_owned();
            for side in [&mut text.real, &mut text.oracle] {
                *side = format!("{prefix}{side}.{provider}");
            }
        }
        text
    }

    /// Global or for documentation; `None` sometimes, for a private one.
    fn public_v4(&mut self) -> Option<Ipv4Addr> {
        match self.draw.below(100) {
            0..8 => None,
            8..28 => {
                let [a, b, c] = *[[192, 0, 2], [198, 51, 100], [203, 0, 113]].get(self.draw.index(3))?;
                Some(Ipv4Addr::new(a, b, c, self.draw.between(1, 254) as u8))
            }
            _ => loop {
                let ip = Ipv4Addr::from((self.draw.bits() >> 32) as u32);
                let [a, b, c, d] = ip.octets();
                let reserved = ip.is_private()
                    || ip.is_loopback()
                    || ip.is_link_local()
                    || ip.is_documentation()
                    || a == 0
                    || a >= 224
                    || (a == 100 && (64..128).contains(&b))
                    || (a == 198 && (18..20).contains(&b))
                    || (a, b, c) == (192, 0, 0)
                    || d == 0
                    || d == 255;
                if !reserved {
                    return Some(ip);
                }
            },
        }
    }

    fn global_v6(&mut self) -> Ipv6Addr {
        let bits = (u128::from(self.draw.bits()) << 64) | u128::from(self.draw.bits());
        let prefix: u128 = if self.draw.chance(200) {
            0x2001_0db8
        } else {
            *[0x2a00_1450, 0x2a02_2149, 0x2600_1700, 0x2409_4042, 0x2804_14d4, 0x2c0f_f248]
                .get(self.draw.index(6))
                .unwrap_or(&0x2001_0db8)
        };
        let tail = bits & ((1 << 96) - 1);
        // Half of them short, as people's routers number them.
        let tail = if self.draw.chance(450) { tail & !((1 << 64) - (1 << 16)) } else { tail };
        Ipv6Addr::from((prefix << 96) | tail | 1)
    }

    pub(super) fn name(&mut self) -> Text {
        let value = self.draw.word(self.pack.words.list("names")).to_owned();
        self.go(Go { class: "name", value, ..Go::default() })
    }

    fn address(&mut self) -> String {
        let domain = self.draw.word(self.pack.words.list("mail_domains")).to_owned();
        let local = self.draw.word(self.pack.words.list("mail_locals")).to_owned();
        let number = self.draw.between(11, 9999);
        match self.draw.index(4) {
            0 => format!("{local}{number}@{domain}"),
            1 => format!("{local}+alerts{number}@{domain}"),
            2 => format!("{local}_{number}@{domain}"),
            _ => format!("{local}@{domain}"),
        }
    }

    pub(super) fn email(&mut self) -> Text {
        let value = self.address();
        self.go(Go { class: "email", value, ..Go::default() })
    }

    pub(super) fn subject(&mut self, style: SubjectStyle) -> Text {
        let draw = &mut self.draw;
        let value = match style {
            SubjectStyle::Lid => {
                let len = 14 + draw.index(2);
                draw.number(len)
            }
            SubjectStyle::Login => {
                let role = draw.word(&["agent", "shop", "desk"]);
                format!("{role}.{}", draw.string(7, b"abcdefghijklmnopqrstuvwxyz"))
            }
            SubjectStyle::Any => match draw.index(5) {
                0 => format!("usr_{}", draw.string(14, ALPHANUMERIC)),
                1 => format!("cus_{}", draw.string(14, ALPHANUMERIC)),
                2 => draw.hex(24),
                3 => draw.number(9),
                _ => format!("acct-{}", draw.number(9)),
            },
        };
        self.go(Go { class: "subject_id", value, ..Go::default() })
    }

    pub(super) fn device(&mut self) -> Text {
        let value = match self.draw.index(3) {
            0 => uuid(&mut self.draw).to_uppercase(),
            1 => self.draw.hex(16),
            _ => (0..6).map(|_| self.draw.hex(2)).collect::<Vec<_>>().join(":"),
        };
        self.go(Go { class: "device", value, ..Go::default() })
    }

    pub(super) fn imei(&mut self) -> Text {
        let value = with_luhn(&format!("35{}", self.draw.string(12, b"0123456789")));
        self.go(Go { class: "imei", value, ..Go::default() })
    }

    pub(super) fn card(&mut self) -> Text {
        let prefix = self.draw.word(&["4", "51", "55", "2221"]).to_owned();
        let rest = self.draw.string(15 - prefix.len(), b"0123456789");
        let plain = with_luhn(&format!("{prefix}{rest}"));
        let by = self.draw.word(&["", "", " ", "-"]).to_owned();
        let groups: Vec<String> =
            plain.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        self.go(Go { class: "card", value: groups.join(&by), ..Go::default() })
    }

    pub(super) fn credential(&mut self, kind: Credential) -> Text {
        use Credential as C;
        let kind = match kind {
            C::Any => {
                *[C::Key, C::Bearer, C::Jwt, C::Hex, C::Password, C::Base64Key, C::Session, C::WebhookSecret]
                    .get(self.draw.index(8))
                    .unwrap_or(&C::Key)
            }
            other => other,
        };
        let draw = &mut self.draw;
        let (value, form) = match kind {
            C::Any | C::Key => {
                let prefix = draw.word(self.pack.words.list("key_prefixes"));
                (format!("{prefix}{}", draw.string(32, ALPHANUMERIC)), "key")
            }
            C::Bearer => (format!("EAA{}", draw.string(60, ALPHANUMERIC)), "bearer"),
            C::Jwt => (jwt(draw), "jwt"),
            C::Hex => (draw.hex(32), "hex32"),
            C::Password => {
                let stem = draw.word(self.pack.words.list("passwords"));
                (format!("{stem}{}", draw.between(100, 999)), "pw")
            }
            C::Base64Key => (in_base64(draw, 32), "b64key"),
            C::Session => {
                (format!("s:{}.{}", draw.string(32, ALPHANUMERIC), draw.string(43, ALPHANUMERIC)), "sid")
            }
            C::WebhookSecret => (format!("whsec_{}", draw.string(43, ALPHANUMERIC)), "whsec"),
            C::Basic => {
                let pair = format!("svc{}:{}", draw.number(4), draw.string(18, ALPHANUMERIC));
                let mut out = String::new();
                Encoding::Base64.write(&pair, &mut out);
                (out, "basic")
            }
        };
        self.go(Go { class: "credential", value, form, ..Go::default() })
    }

    /// A GSM 03.40 submit: the number in swapped half-octets, the text in UCS-2.
    pub(super) fn pdu(&mut self) -> Text {
        let Some(phone) = self.pack.phones.pick(&mut self.draw) else { return Text::default() };
        let (region, digits, e164) = (phone.region.clone(), phone.digits.clone(), phone.e164.clone());
        let bare = e164.trim_start_matches('+').to_owned();
        let (body, lang) = self.message(BodyStyle::Short, 66);
        let mut hex = String::new();
        Encoding::Ucs2.write(&body, &mut hex);
        let mut pdu = format!("0011000B{:02X}91", bare.len());
        let filled = if bare.len() % 2 == 1 { format!("{bare}F") } else { bare };
        for pair in filled.as_bytes().chunks_exact(2) {
            pdu.extend(pair.iter().rev().map(|b| char::from(*b)));
        }
        pdu.push_str(&format!("0008AA{:02X}{hex}", hex.len() / 2));
        for go in &mut self.truth.must_go {
            if read::fold(&body).contains(&read::fold(&go.value)) {
                go.tier = Tier::Hard;
            }
        }
        let tier = Tier::Hard;
        self.note(Go { class: "phone", value: e164, tier, form: "pdu", region, digits, ..Go::default() });
        self.note(Go { class: "body", value: body, tier, form: "pdu", lang, ..Go::default() });
        Text { real: pdu, oracle: "[pdu]".to_owned() }
    }
}

fn in_base64(draw: &mut Draw, bytes: usize) -> String {
    let raw: Vec<u8> = (0..bytes).map(|_| draw.below(256) as u8).collect();
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, raw)
}

fn jwt(draw: &mut Draw) -> String {
    let mut out = String::new();
    Encoding::Base64Url.write(r#"{"alg":"HS256","typ":"JWT"}"#, &mut out);
    out.push('.');
    let subject = draw.string(12, ALPHANUMERIC);
    Encoding::Base64Url
        .write(&format!(r#"{{"sub":"{subject}","iss":"api","scope":"messages:write"}}"#), &mut out);
    format!("{out}.{}", draw.string(43, ALPHANUMERIC))
}

fn expanded(ip: Ipv6Addr) -> String {
    ip.segments().map(|s| format!("{s:04x}")).join(":")
}

/// The digits with a Luhn check digit (ISO/IEC 7812-1) behind them.
fn with_luhn(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let digit = u32::from(b.saturating_sub(b'0'));
            if i % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_published_test_numbers() {
        // ISO/IEC 7812-1 example and the widely published test card.
        assert_eq!(with_luhn("7992739871"), "79927398713");
        assert_eq!(with_luhn("411111111111111"), "4111111111111111");
    }
}
