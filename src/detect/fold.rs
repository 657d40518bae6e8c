//! Letters as lexicons compare them: lower case, without accents, full-width forms as ASCII.
//!
//! Lexicons are folded when they are loaded and names and texts when they are read, so `Código`,
//! `CODIGO` and `ｃｏｄｉｇｏ` are one word. Marks that carry no letter (combining accents, Arabic and
//! Hebrew vowel points, zero-width characters) disappear.

/// Base letters of U+00C0..=U+017F (Latin-1 and Latin Extended-A); a space where there is none.
const LATIN: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssss\
ttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// Base letters of U+1EA0..=U+1EF9 (Vietnamese).
const VIETNAMESE: &[u8; 90] =
    b"aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy";

/// The character as lexicons compare it; `None` for marks that are dropped.
#[must_use]
pub fn fold(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c.to_ascii_lowercase());
    }
    let code = c as u32;
    let base = |table: &[u8], first: u32| -> char {
        let letter = table.get((code - first) as usize).copied().unwrap_or(b' ');
        if letter == b' ' { c } else { char::from(letter) }
    };
    match code {
        0xAD => None,
        0xC0..=0x17F => Some(base(LATIN, 0xC0)),
        0x1A0 | 0x1A1 => Some('o'),
        0x1AF | 0x1B0 => Some('u'),
        0x18F | 0x259 => Some('e'),
        0x218 | 0x219 => Some('s'),
        0x21A | 0x21B => Some('t'),
        0x1EA0..=0x1EF9 => Some(base(VIETNAMESE, 0x1EA0)),
        // combining accents, Hebrew points, Arabic vowel signs and tatweel, nukta, zero width
        0x300..=0x36F | 0x591..=0x5BD | 0x5BF | 0x640 | 0x64B..=0x652 | 0x670 | 0x93C => None,
        0x200B..=0x200F | 0x2060 | 0xFE0E | 0xFE0F | 0xFEFF => None,
        0x386 | 0x3AC => Some('α'),
        0x388 | 0x3AD => Some('ε'),
        0x389 | 0x3AE => Some('η'),
        0x38A | 0x390 | 0x3AA | 0x3AF | 0x3CA => Some('ι'),
        0x38C | 0x3CC => Some('ο'),
        0x38E | 0x3AB | 0x3B0 | 0x3CB | 0x3CD => Some('υ'),
        0x38F | 0x3CE => Some('ω'),
        0x3C2 => Some('σ'),
        0x401 | 0x451 => Some('е'),
        // Arabic: the forms of alef, ta marbuta, alef maksura, Persian yeh and kaf
        0x622 | 0x623 | 0x625 => Some('ا'),
        0x629 => Some('ه'),
        0x649 | 0x6CC => Some('ي'),
        0x6A9 => Some('ك'),
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).map(|ascii| ascii.to_ascii_lowercase()),
        _ => c.to_lowercase().next(),
    }
}

/// The whole string folded; for loading lexicons.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().filter_map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_however_it_is_written() {
        for (written, expected) in [
            ("Código", "codigo"),
            ("ｃｏｄｉｇｏ", "codigo"),
            ("Mã xác thực", "ma xac thuc"),
            ("DOĞRULAMA", "dogrulama"),
            ("ΚΩΔΙΚΌΣ", "κωδικοσ"),
            ("Ёлка", "елка"),
            ("łódź", "lodz"),
            ("Bestätigung", "bestatigung"),
            ("رَمْز", "رمز"),
            ("电话", "电话"),
        ] {
            assert_eq!(folded(written), expected, "{written}");
        }
    }
}
