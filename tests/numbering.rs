//! The numbering tables against an independent reading of the same metadata: the crate
//! `rlibphonenumber`, a port of libphonenumber.

use logscrub::numbering::{self, Region};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// A small generator of pseudo-random bits, so that a failure can be repeated.
struct Bits(u64);

impl Bits {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn digits(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| b'0' + self.below(10) as u8).collect()
    }
}

fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap()
}

/// (calling code, national digits, valid) as the oracle sees it; `None` where it cannot parse.
fn oracle(parsed: Result<rlibphonenumber::PhoneNumber, impl Sized>) -> Option<(u16, String, bool)> {
    let number = parsed.ok()?;
    let national = rlibphonenumber::get_national_significant_number_owned(&number);
    Some((number.country_code as u16, national, number.is_valid()))
}

fn ours(number: Option<numbering::Number>) -> Option<(u16, String, bool)> {
    let number = number?;
    Some((number.calling_code(), text(number.national_digits()).to_owned(), number.is_valid()))
}

/// A number near a valid one: some digits changed, dropped or added, sometimes with a trunk prefix.
fn near_valid(bits: &mut Bits, region: Region) -> Vec<u8> {
    let number = numbering::random_valid(region, &mut || bits.next()).unwrap();
    let mut digits = number.national_digits().to_vec();
    for _ in 0..bits.below(3) {
        let place = bits.below(digits.len());
        digits[place] = b'0' + bits.below(10) as u8;
    }
    match bits.below(8) {
        0 => drop(digits.pop()),
        1 => digits.extend(bits.digits(1)),
        2 => digits.insert(0, b'0'),
        3 => digits = number.format_national().bytes().filter(u8::is_ascii_digit).collect(),
        _ => {}
    }
    digits
}

#[test]
fn international_numbers_agree_with_the_oracle() {
    let mut bits = Bits(1);
    let regions: Vec<Region> = Region::all().collect();
    let (mut valid, mut cases) = (0, 0);
    let mut check = |digits: &[u8]| {
        let ours = ours(numbering::international(digits));
        let theirs = oracle(PHONE_NUMBER_UTIL.parse(&format!("+{}", text(digits)), None));
        assert_eq!(ours, theirs, "+{}", text(digits));
        valid += usize::from(ours.is_some_and(|(_, _, valid)| valid));
        cases += 1;
    };
    for _ in 0..100_000 {
        let len = 5 + bits.below(13);
        check(&bits.digits(len));
        let region = regions[bits.below(regions.len())];
        let digits = near_valid(&mut bits, region);
        check(&[region.calling_code().to_string().as_bytes(), &digits].concat());
    }
    assert_eq!(cases, 200_000);
    assert!(valid > 50_000, "only {valid} valid numbers: the comparison is too easy");
}

#[test]
fn national_numbers_agree_with_the_oracle() {
    let mut bits = Bits(2);
    let regions: Vec<Region> = Region::all().filter(|region| region.code() != "001").collect();
    let mut valid = 0;
    for _ in 0..100_000 {
        let region = regions[bits.below(regions.len())];
        let digits = if bits.below(4) == 0 {
            let len = 4 + bits.below(12);
            bits.digits(len)
        } else {
            near_valid(&mut bits, region)
        };
        let ours = ours(numbering::national(region, &digits));
        let theirs = oracle(
            PHONE_NUMBER_UTIL.parse(text(&digits), rlibphonenumber::Region::from_code(region.code()).ok()),
        );
        assert_eq!(ours, theirs, "{} in {region:?}", text(&digits));
        valid += usize::from(ours.is_some_and(|(_, _, valid)| valid));
    }
    assert!(valid > 30_000, "only {valid} valid numbers: the comparison is too easy");
}

#[test]
fn formats_and_kinds_agree_with_the_oracle() {
    let mut bits = Bits(3);
    for region in Region::all() {
        let random = (0..40).filter_map(|_| numbering::random_valid(region, &mut || bits.next()));
        for number in random.chain(region.example_fixed()).chain(region.example_mobile()) {
            let theirs = PHONE_NUMBER_UTIL.parse(&number.format_e164(), None).unwrap();
            let format = |style| theirs.format_as(style).to_string();
            assert_eq!(number.format_e164(), format(PhoneNumberFormat::E164));
            assert_eq!(number.format_international(), format(PhoneNumberFormat::International));
            assert_eq!(number.format_national(), format(PhoneNumberFormat::National));
            assert_eq!(number.format_rfc3966(), format(PhoneNumberFormat::RFC3966));
            let kind = match theirs.get_type() {
                rlibphonenumber::PhoneNumberType::Mobile => numbering::Kind::Mobile,
                rlibphonenumber::PhoneNumberType::FixedLine => numbering::Kind::Fixed,
                rlibphonenumber::PhoneNumberType::FixedLineOrMobile => numbering::Kind::FixedOrMobile,
                rlibphonenumber::PhoneNumberType::Unknown => numbering::Kind::Unknown,
                _ => numbering::Kind::Other,
            };
            assert_eq!(number.kind(), kind, "{}", number.format_e164());
        }
    }
}
