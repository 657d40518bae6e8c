//! `mask`: a phone number's country calling code stays, the rest goes.

use crate::finding::Detail;
use crate::numbering::is_calling_code;

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
