//! `mask`: a phone number's country calling code stays, the rest goes.

use crate::finding::Detail;

/// Country calling codes assigned by the ITU (E.164 list of 2016 with later bulletins), the shared
/// and global services included. Sorted.
const CALLING_CODES: &[u16] = &[
    1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60,
    61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98, 211, 212, 213, 216, 218, 220, 221, 222, 223,
    224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246,
    247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 290,
    291, 297, 298, 299, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375, 376, 377, 378,
    379, 380, 381, 382, 383, 385, 386, 387, 389, 420, 421, 423, 500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 590,
    591, 592, 593, 594, 595, 596, 597, 598, 599, 670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685,
    686, 687, 688, 689, 690, 691, 692, 800, 808, 850, 852, 853, 855, 856, 870, 878, 880, 881, 882, 883, 886, 888, 960,
    961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 979, 992, 993, 994, 995, 996, 998,
];

/// Whether a number is a country calling code in use.
#[must_use]
pub fn is_calling_code(code: u16) -> bool {
    CALLING_CODES.binary_search(&code).is_ok()
}

/// Appends `[PHONE:+49]`; `false` where the detector learnt no calling code.
pub(super) fn write(detail: Detail, out: &mut Vec<u8>) -> bool {
    match detail {
        Detail::CallingCode(code) if is_calling_code(code) => {
            out.extend_from_slice(b"[PHONE:+");
            super::placeholder::write_number(u64::from(code), out);
            out.push(b']');
            true
        }
        Detail::CallingCode(_) | Detail::None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Class;
    use crate::transform::{Action, Context, Outcome, Value, apply};

    #[test]
    fn calling_codes() {
        assert!(CALLING_CODES.windows(2).all(|pair| pair[0] < pair[1]));
        // No code is the beginning of another: E.164 numbers are read without a separator.
        for code in CALLING_CODES {
            assert!(!(*code >= 10 && is_calling_code(code / 10)), "{code}");
            assert!(!(*code >= 100 && is_calling_code(code / 100)), "{code}");
        }
    }

    #[test]
    fn masks() {
        for (detail, expected) in [
            (Detail::CallingCode(1), "[PHONE:+1]"),
            (Detail::CallingCode(44), "[PHONE:+44]"),
            (Detail::CallingCode(881), "[PHONE:+881]"),
            (Detail::CallingCode(999), "[PHONE]"),
            (Detail::CallingCode(0), "[PHONE]"),
            (Detail::None, "[PHONE]"),
        ] {
            let value = Value { class: Class::Phone, bytes: b"+44 7700 900123", detail, custom_name: "" };
            let mut out = Vec::new();
            let outcome = apply(Action::MaskCallingCode, &value, &Context::default(), &mut out);
            assert_eq!((outcome, out.as_slice()), (Outcome::Replaced, expected.as_bytes()));
        }
    }
}
