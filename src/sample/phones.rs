//! Valid numbers of many countries, made from the numbering plans when the program starts.

use super::draw::Draw;
use super::maker::PhoneForm;
use super::text::Encoding;
use crate::numbering::{self, Number, Region};

/// A made-up subscriber.
#[derive(Clone, Debug)]
pub struct Phone {
    /// ISO 3166.
    pub region: String,
    /// `+` and digits.
    pub e164: String,
    pub calling_code: String,
    pub international: String,
    pub national: String,
    /// What identifies the subscriber: the national number, and how it reads at home where that differs.
    pub digits: Vec<String>,
}

/// The numbers a pack draws from.
pub struct Phones {
    all: Vec<Phone>,
}

/// Numbers per country; the packs have some hundred countries.
const PER_REGION: usize = 48;

impl Phones {
    /// Numbers of these countries; a code that no plan has, or whose numbers are shorter than seven
    /// digits, gives none.
    #[must_use]
    pub fn new(regions: &[String], seed: u64) -> Self {
        let mut all = Vec::new();
        for (stream, code) in regions.iter().enumerate() {
            let Some(region) = Region::from_code(code) else { continue };
            let mut draw = Draw::new(seed, u64::MAX - stream as u64);
            let mut random = || (draw.bits() >> 32) as u32;
            for _ in 0..PER_REGION {
                if let Some(number) = numbering::random_valid(region, &mut random)
                    && number.national_digits().len() >= 7
                {
                    all.push(phone(code, &number));
                }
            }
        }
        Phones { all }
    }

    /// `None` where no country has numbers.
    pub fn pick(&self, draw: &mut Draw) -> Option<&Phone> {
        self.all.get(draw.index(self.all.len()))
    }

    #[cfg(test)]
    pub fn all(&self) -> &[Phone] {
        &self.all
    }
}

fn phone(region: &str, number: &Number) -> Phone {
    let significant: String = number.national_digits().iter().map(|b| char::from(*b)).collect();
    let national = number.format_national();
    let at_home: String = national.chars().filter(char::is_ascii_digit).collect();
    let mut digits = vec![significant.clone()];
    let core = at_home.strip_prefix('0').unwrap_or(&at_home);
    if !at_home.contains(&significant) && core.len() >= 7 {
        digits.push(core.to_owned());
    }
    Phone {
        region: region.to_owned(),
        e164: number.format_e164(),
        calling_code: number.calling_code().to_string(),
        international: number.format_international(),
        national,
        digits,
    }
}

impl Phone {
    /// The number written in a form, and the digits that then identify it.
    pub fn write(&self, form: PhoneForm, draw: &mut Draw, event_s: i64) -> (String, Vec<String>) {
        let bare = self.e164.trim_start_matches('+');
        let joined = |by: &str| self.international.replace([' ', '-'], by);
        let grouped = |zero: &str| {
            let groups = self.international.split_once(' ').map_or("", |(_, g)| g);
            match groups.split_once([' ', '-']) {
                Some((area, rest)) => format!("+{} ({zero}{area}) {rest}", self.calling_code),
                None => format!("+{} ({zero}){groups}", self.calling_code),
            }
        };
        let zeros = |zero: u32| -> String {
            let digit = |c: char| c.to_digit(10).and_then(|d| char::from_u32(zero + d)).unwrap_or(c);
            self.e164.chars().map(digit).collect()
        };
        let mut digits = self.digits.clone();
        let text = match form {
            PhoneForm::E164 => self.e164.clone(),
            PhoneForm::Digits | PhoneForm::Integer => bare.to_owned(),
            PhoneForm::Spaced => joined(" "),
            PhoneForm::Dashed => joined("-"),
            PhoneForm::Dotted => joined("."),
            PhoneForm::Parentheses => grouped("").replace("()", ""),
            PhoneForm::ParenthesesZero => {
                if self.national.starts_with('0') && !self.national.contains('(') {
                    grouped("0").replace("(0", "(0)").replace("))", ")").replacen(") ", " ", 1)
                } else {
                    grouped("")
                }
            }
            PhoneForm::ZeroZero => format!("00{bare}"),
            PhoneForm::Extension => {
                let sign = draw.word(&[" ext. ", " x", ";ext="]).to_owned();
                format!("{}{sign}{}", self.international, draw.between(10, 9999))
            }
            PhoneForm::National => self.national.clone(),
            PhoneForm::NationalDigits => self.national.chars().filter(char::is_ascii_digit).collect(),
            PhoneForm::Fullwidth => zeros(0xFF10).replace('+', "\u{FF0B}"),
            PhoneForm::ForeignDigits => {
                let script = draw.index(4);
                zeros([0x0660, 0x06F0, 0x0966, 0x09E6].get(script).copied().unwrap_or(0x0660))
            }
            PhoneForm::Invisible => {
                let sign = draw.word(&["\u{200B}", "\u{2060}", "\u{AD}", "\u{200E}"]).to_owned();
                let at = 4 + draw.index(4);
                let (head, tail) = self.e164.split_at_checked(at).unwrap_or((&self.e164, ""));
                format!("{head}{sign}{tail}")
            }
            PhoneForm::NoBreak => joined(draw.word(&["\u{A0}", "\u{202F}", "\u{2011}", "\u{2013}"])),
            PhoneForm::Base64 => {
                let mut out = String::new();
                Encoding::Base64.write(&format!("phone={}", self.e164), &mut out);
                out
            }
            PhoneForm::Invalid => {
                let mut short = self.e164.clone();
                if draw.chance(500) {
                    short.pop();
                } else {
                    short.push(draw.letter(b"0123456789"));
                }
                let after_code = 1 + self.calling_code.len();
                digits = vec![short.get(after_code..).unwrap_or_default().to_owned()];
                short
            }
            PhoneForm::PlusAsSpace => format!(" {bare}"),
            PhoneForm::Tel => format!("tel:{}", joined("-")),
            PhoneForm::WhatsApp => format!("whatsapp:{}", self.e164),
            PhoneForm::Percent => format!("%2B{bare}"),
            PhoneForm::PercentTwice => format!("%252B{bare}"),
            PhoneForm::PercentSeparated => {
                let mut out = String::new();
                Encoding::Url.write(&self.international, &mut out);
                out
            }
            PhoneForm::Jid => format!("{bare}@s.whatsapp.net"),
            PhoneForm::JidDevice => format!("{bare}:{}@s.whatsapp.net", draw.between(1, 60)),
            PhoneForm::ContactJid => format!("{bare}@c.us"),
            PhoneForm::GroupJid => {
                format!(
                    "{bare}-{}@g.us",
                    event_s - i64::try_from(draw.between(86_400, 90_000_000)).unwrap_or(0)
                )
            }
            PhoneForm::Wamid => wamid(bare, draw),
        };
        (text, digits)
    }
}

/// A WhatsApp message id: base64 that holds the number, as Meta's own published example does.
fn wamid(bare: &str, draw: &mut Draw) -> String {
    let direction = if draw.chance(500) { 0x11 } else { 0x12 };
    let mut raw = vec![0x1D, 0x18, u8::try_from(bare.len()).unwrap_or(0)];
    raw.extend_from_slice(bare.as_bytes());
    raw.extend_from_slice(&[0x15, 0x02, 0x00, direction, 0x18, 0x12]);
    raw.extend_from_slice(draw.hex(18).to_uppercase().as_bytes());
    raw.push(0);
    let mut out = "wamid.".to_owned();
    base64::Engine::encode_string(&base64::engine::general_purpose::STANDARD, raw, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::read::{fold, squeeze, unpercent};

    #[test]
    fn every_form_still_holds_the_subscribers_digits() {
        let regions: Vec<String> =
            ["US", "GB", "DE", "AR", "IT", "KR"].iter().map(|s| (*s).to_owned()).collect();
        let phones = Phones::new(&regions, 3);
        assert!(phones.all().len() > 200);
        let mut draw = Draw::new(1, 1);
        let readable = PhoneForm::ALL
            .iter()
            .map(|(form, _)| *form)
            .filter(|form| !matches!(form, PhoneForm::Base64 | PhoneForm::Wamid));
        for form in readable {
            for phone in phones.all() {
                let (text, digits) = phone.write(form, &mut draw, 1_772_443_800);
                let seen = squeeze(&fold(&unpercent(&unpercent(&text))));
                assert!(digits.iter().any(|d| seen.contains(d)), "{form:?} {} {text}", phone.region);
            }
        }
    }
}
