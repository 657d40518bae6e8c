//! The check digit of cards and IMEIs: ISO/IEC 7812-1 annex B, "Luhn" or modulus 10.

/// Whether the digits end in their check digit. Bytes that are no digits (separators) are skipped;
/// fewer than two digits have none.
#[must_use]
pub fn holds(digits: &[u8]) -> bool {
    let mut sum = 0u32;
    let mut count = 0u32;
    for byte in digits.iter().rev() {
        if !byte.is_ascii_digit() {
            continue;
        }
        let digit = u32::from(byte - b'0');
        let weighted = if count % 2 == 1 { digit * 2 } else { digit };
        sum += if weighted > 9 { weighted - 9 } else { weighted };
        count += 1;
    }
    count > 1 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test numbers that the card networks' processors publish, and 3GPP TS 23.003's and GSMA's IMEI examples.
    const PUBLISHED: [&str; 14] = [
        "4111 1111 1111 1111",
        "4242-4242-4242-4242",
        "4012888888881881",
        "4222222222222",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "3530111333300000",
        "30569309025904",
        "6200000000000005",
        "490154203237518",
    ];

    #[test]
    fn published_numbers_hold_and_no_wrong_digit_does() {
        for number in PUBLISHED {
            assert!(holds(number.as_bytes()), "{number}");
            for place in (0..number.len()).filter(|place| number.as_bytes()[*place].is_ascii_digit()) {
                let mut wrong = number.as_bytes().to_vec();
                wrong[place] = b'0' + (wrong[place] - b'0' + 1) % 10;
                assert!(!holds(&wrong), "{number} with another digit at {place}");
            }
        }
    }

    #[test]
    fn nothing_and_a_lone_digit_have_no_check_digit() {
        assert!(!holds(b""));
        assert!(!holds(b"0"));
        assert!(!holds(b"----"));
    }
}
