//! Which two letters are a country: ISO 3166-1 alpha-2.

/// Officially assigned codes of ISO 3166-1 (249, state of 2025), and `XK`, which the databases use
/// for Kosovo. Sorted.
const CODES: &[u8] = b"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ\
CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGY\
HKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ\
NANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ\
TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

/// The code as a `'static` string, if it is one; upper case only.
#[must_use]
pub fn known(code: &[u8]) -> Option<&'static str> {
    let index = CODES.as_chunks::<2>().0.binary_search_by(|entry| entry.as_slice().cmp(code)).ok()?;
    std::str::from_utf8(CODES.get(index * 2..index * 2 + 2)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_whole() {
        let (codes, rest) = CODES.as_chunks::<2>();
        assert!(rest.is_empty());
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "sorted, no code twice");
        assert_eq!(codes.len(), 250);
        assert!(codes.iter().all(|code| known(code).map(str::as_bytes) == Some(code.as_slice())));
    }

    #[test]
    fn what_is_no_country() {
        for code in ["", "D", "de", "DEU", "ZZ", "EU", "UK", "AP", "A1"] {
            assert_eq!(known(code.as_bytes()), None, "{code}");
        }
    }
}
