//! Documented prefixes of keys and tokens. The table is data: a new provider is one row.

use crate::detect::bytes::{Mix, byte, is_alnum, is_digit, is_hex, is_token, is_upper, run_end, slice, tail};

#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `-`, `_`.
    Token,
    /// Those and `+`, `/`, `=`.
    Base64,
    /// Those and `.`.
    Dotted,
    Hex,
    /// Upper-case letters and digits.
    Upper,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Alphabet::Alnum => is_alnum(byte),
            Alphabet::Token => is_token(byte),
            Alphabet::Base64 => is_token(byte) || matches!(byte, b'+' | b'/' | b'='),
            Alphabet::Dotted => is_token(byte) || byte == b'.',
            Alphabet::Hex => is_hex(byte),
            Alphabet::Upper => is_upper(byte) || is_digit(byte),
        }
    }
}

use Alphabet::{Alnum, Base64, Dotted, Hex, Token, Upper};

/// Prefix, how many characters must follow at least and may at most, of which alphabet.
///
/// Compared row by row with what others look for, as of 2026-07: gitleaks' `config/gitleaks.toml` (b58d3f1),
/// trufflehog's `pkg/detectors`, GitHub's "Supported secret scanning patterns". Where they differ in a length the
/// wider one stands here; rows of messaging providers that neither has (Telnyx, Brevo's `xkeysib-` in trufflehog
/// only) follow the provider's own page.
const KNOWN: &[(&[u8], usize, usize, Alphabet)] = &[
    (b"sk_live_", 10, 256, Token),           // Stripe
    (b"sk_test_", 10, 256, Token),           // Stripe
    (b"rk_live_", 10, 256, Token),           // Stripe
    (b"rk_test_", 10, 256, Token),           // Stripe
    (b"sk_prod_", 10, 256, Token),           // Stripe
    (b"rk_prod_", 10, 256, Token),           // Stripe
    (b"pk_live_", 10, 256, Token),           // Stripe
    (b"pk_test_", 10, 256, Token),           // Stripe
    (b"whsec_", 16, 256, Token),             // Stripe, Svix
    (b"xoxb-", 16, 256, Token),              // Slack
    (b"xoxp-", 16, 256, Token),              // Slack
    (b"xoxa-", 16, 256, Token),              // Slack
    (b"xoxr-", 16, 256, Token),              // Slack
    (b"xoxs-", 16, 256, Token),              // Slack
    (b"xoxc-", 16, 256, Token),              // Slack
    (b"xoxd-", 16, 256, Token),              // Slack
    (b"xoxo-", 16, 256, Token),              // Slack
    (b"xoxe.", 16, 256, Token),              // Slack
    (b"xoxe-", 16, 256, Token),              // Slack
    (b"xapp-", 16, 256, Token),              // Slack
    (b"ghp_", 20, 256, Alnum),               // GitHub
    (b"gho_", 20, 256, Alnum),               // GitHub
    (b"ghu_", 20, 256, Alnum),               // GitHub
    (b"ghs_", 20, 256, Alnum),               // GitHub
    (b"ghr_", 20, 256, Alnum),               // GitHub
    (b"github_pat_", 20, 256, Token),        // GitHub
    (b"glpat-", 16, 256, Dotted),            // GitLab
    (b"glptt-", 16, 256, Token),             // GitLab
    (b"gldt-", 16, 256, Token),              // GitLab
    (b"glrt-", 16, 256, Dotted),             // GitLab
    (b"glcbt-", 16, 256, Token),             // GitLab
    (b"gloas-", 16, 256, Token),             // GitLab
    (b"glft-", 16, 64, Token),               // GitLab
    (b"glimt-", 16, 64, Token),              // GitLab
    (b"glagent-", 40, 128, Token),           // GitLab
    (b"glsoat-", 16, 64, Token),             // GitLab
    (b"glffct-", 16, 64, Token),             // GitLab
    (b"GR1348941", 16, 32, Token),           // GitLab
    (b"AKIA", 16, 16, Upper),                // AWS, long-term
    (b"ASIA", 16, 16, Upper),                // AWS, temporary
    (b"ABIA", 16, 16, Upper),                // AWS, STS bearer
    (b"ACCA", 16, 16, Upper),                // AWS, context-specific
    (b"A3T", 17, 17, Upper),                 // AWS, older
    (b"ABSK", 40, 512, Base64),              // AWS Bedrock
    (b"bedrock-api-key-", 28, 4096, Base64), // AWS Bedrock, short-term
    (b"AIza", 30, 40, Token),                // Google
    (b"APA91", 20, 512, Token),              // Firebase Cloud Messaging, behind an instance's id and a colon
    (b"ya29.", 20, 2048, Dotted),            // Google OAuth
    (b"GOCSPX-", 20, 64, Token),             // Google OAuth client
    (b"SG.", 40, 128, Dotted),               // SendGrid
    (b"xkeysib-", 40, 128, Token),           // Brevo
    (b"key-", 32, 32, Alnum),                // Mailgun
    (b"EAA", 40, 512, Alnum),                // Meta Graph API; Square begins alike
    (b"EAAA", 22, 512, Token),               // Square
    (b"sq0atp-", 20, 64, Token),             // Square
    (b"sq0csp-", 20, 64, Token),             // Square
    (b"sq0idp-", 22, 64, Token),             // Square
    (b"npm_", 30, 64, Alnum),                // npm
    (b"pypi-", 40, 512, Token),              // PyPI
    (b"rubygems_", 32, 64, Hex),             // RubyGems
    (b"dckr_pat_", 20, 64, Token),           // Docker
    (b"dop_v1_", 40, 64, Hex),               // DigitalOcean
    (b"doo_v1_", 40, 64, Hex),               // DigitalOcean
    (b"dor_v1_", 40, 64, Hex),               // DigitalOcean
    (b"shpat_", 32, 64, Alnum),              // Shopify
    (b"shpss_", 32, 64, Alnum),              // Shopify
    (b"shpca_", 32, 64, Alnum),              // Shopify
    (b"shppa_", 32, 64, Alnum),              // Shopify
    (b"SK", 32, 32, Hex),                    // Twilio API key; SM and MM are messages, AC accounts
    (b"KEY0", 30, 80, Token),                // Telnyx
    (b"hf_", 30, 64, Alnum),                 // Hugging Face
    (b"api_org_", 30, 64, Alnum),            // Hugging Face
    (b"sk-ant-", 20, 256, Token),            // Anthropic
    (b"sk-proj-", 20, 256, Token),           // OpenAI
    (b"sk-svcacct-", 20, 256, Token),        // OpenAI
    (b"sk-service-", 20, 256, Token),        // OpenAI
    (b"sk-admin-", 20, 256, Token),          // OpenAI
    (b"sk-or-", 20, 256, Token),             // OpenRouter
    (b"sk-", 32, 256, Alnum),                // OpenAI and others
    (b"gsk_", 40, 64, Alnum),                // Groq
    (b"xai-", 40, 128, Token),               // xAI
    (b"nvapi-", 40, 128, Token),             // NVIDIA
    (b"r8_", 30, 64, Alnum),                 // Replicate
    (b"hvs.", 20, 256, Token),               // HashiCorp Vault
    (b"hvb.", 20, 256, Token),               // HashiCorp Vault
    (b"dapi", 32, 34, Token),                // Databricks
    (b"glsa_", 32, 64, Token),               // Grafana
    (b"glc_", 32, 512, Base64),              // Grafana Cloud
    (b"eyJrIjoi", 64, 512, Base64),          // Grafana, older
    (b"NRAK-", 20, 64, Alnum),               // New Relic
    (b"NRII-", 20, 64, Token),               // New Relic
    (b"sntrys_", 32, 512, Base64),           // Sentry
    (b"sntryu_", 32, 128, Token),            // Sentry
    (b"lin_api_", 30, 64, Alnum),            // Linear
    (b"ntn_", 40, 64, Alnum),                // Notion
    (b"secret_", 43, 43, Alnum),             // Notion, older
    (b"figd_", 30, 64, Base64),              // Figma
    (b"figp_", 30, 64, Base64),              // Figma
    (b"ATATT3", 30, 512, Base64),            // Atlassian
    (b"ATCTT3", 30, 512, Base64),            // Atlassian
    (b"PMAK-", 40, 80, Token),               // Postman
    (b"tskey-", 20, 128, Token),             // Tailscale
    (b"sbp_", 32, 64, Alnum),                // Supabase
    (b"pscale_", 32, 128, Dotted),           // PlanetScale
    (b"ops_ey", 40, 4096, Base64),           // 1Password
    (b"LTAI", 12, 26, Alnum),                // Alibaba Cloud
    (b"AKID", 30, 40, Alnum),                // Tencent Cloud
    (b"AGE-SECRET-KEY-1", 50, 64, Upper),    // age
    (b"AKCp", 60, 80, Alnum),                // Artifactory
    (b"cmVmd", 59, 59, Alnum),               // Artifactory
    (b"CCIPAT_", 60, 80, Token),             // CircleCI
    (b"cfat_", 48, 48, Alnum),               // Cloudflare
    (b"cfut_", 48, 48, Alnum),               // Cloudflare
    (b"CLOJARS_", 60, 60, Alnum),            // Clojars
    (b"dp.pt.", 40, 44, Alnum),              // Doppler
    (b"dp.ct.", 40, 44, Alnum),              // Doppler
    (b"dp.sa.", 40, 44, Alnum),              // Doppler
    (b"dp.st.", 40, 80, Dotted),             // Doppler
    (b"dp.scim.", 40, 44, Alnum),            // Doppler
    (b"dp.audit.", 40, 44, Alnum),           // Doppler
    (b"duffel_live_", 43, 43, Base64),       // Duffel
    (b"duffel_test_", 43, 43, Base64),       // Duffel
    (b"dt0c01.", 80, 100, Dotted),           // Dynatrace
    (b"EZAK", 54, 54, Alnum),                // EasyPost
    (b"EZTK", 54, 54, Alnum),                // EasyPost
    (b"FLWSECK", 12, 64, Token),             // Flutterwave
    (b"fo1_", 43, 43, Token),                // Fly.io
    (b"fm1r_", 100, 2048, Base64),           // Fly.io
    (b"fm1a_", 100, 2048, Base64),           // Fly.io
    (b"fm2_", 100, 2048, Base64),            // Fly.io
    (b"HRKU-", 58, 64, Token),               // Heroku
    (b"pat-na1-", 36, 36, Token),            // HubSpot
    (b"pat-eu1-", 36, 36, Token),            // HubSpot
    (b"ico-", 32, 32, Alnum),                // Infracost
    (b"sk.", 80, 240, Dotted),               // Mapbox
    (b"API-", 26, 26, Upper),                // Octopus Deploy
    (b"pplx-", 48, 48, Alnum),               // Perplexity
    (b"phx_", 43, 48, Token),                // PostHog
    (b"pnu_", 36, 36, Alnum),                // Prefect
    (b"pul-", 40, 40, Alnum),                // Pulumi
    (b"rzp_live_", 14, 14, Alnum),           // Razorpay
    (b"rzp_test_", 14, 14, Alnum),           // Razorpay
    (b"rdme_", 70, 70, Alnum),               // ReadMe
    (b"tk-us-", 48, 48, Token),              // Scalingo
    (b"shippo_live_", 40, 40, Hex),          // Shippo
    (b"shippo_test_", 40, 40, Hex),          // Shippo
    (b"sgp_", 40, 64, Token),                // Sourcegraph
    (b"sha256~", 43, 43, Token),             // OpenShift
];

/// For the first two bytes of a prefix, by [`pair`]: one more than the row that begins with them, 0 for none.
static FIRST: [u8; PAIRS] = ROWS.0;
/// For each row: one more than the next one of the same place.
static NEXT: [u8; KNOWN.len()] = ROWS.1;
const ROWS: ([u8; PAIRS], [u8; KNOWN.len()]) = rows();
const PAIRS: usize = 2048;

/// The place of two bytes; others may share it.
const fn pair(first: u8, second: u8) -> usize {
    ((first as usize * 37) ^ (second as usize * 11)) % PAIRS
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn rows() -> ([u8; PAIRS], [u8; KNOWN.len()]) {
    assert!(KNOWN.len() < 256, "rows are counted in a byte");
    let (mut first, mut next) = ([0; PAIRS], [0; KNOWN.len()]);
    // From the last row to the first, so that earlier rows are asked first.
    let mut row = KNOWN.len();
    while row > 0 {
        let place = pair(KNOWN[row - 1].0[0], KNOWN[row - 1].0[1]);
        next[row - 1] = first[place];
        first[place] = row as u8;
        row -= 1;
    }
    (first, next)
}

/// End of the token with a documented prefix that starts at a place.
pub(super) fn known_end(text: &[u8], start: usize) -> Option<usize> {
    let mut row = FIRST.get(pair(byte(text, start), byte(text, start + 1))).copied().unwrap_or_default();
    let rest = tail(text, start);
    while let Some(place) = usize::from(row).checked_sub(1) {
        row = NEXT.get(place).copied().unwrap_or_default();
        let end = KNOWN.get(place).and_then(|known| end_of(text, start, rest, known));
        if end.is_some() {
            return end;
        }
    }
    None
}

/// End of the token that begins as a row says.
fn end_of(
    text: &[u8],
    start: usize,
    rest: &[u8],
    (prefix, least, most, alphabet): &(&[u8], usize, usize, Alphabet),
) -> Option<usize> {
    if !rest.starts_with(prefix) {
        return None;
    }
    let body = start + prefix.len();
    let mut end = run_end(text, body, most + 1, |b| alphabet.has(b));
    while end > body && byte(text, end - 1) == b'.' {
        end -= 1;
    }
    let length = end - body;
    let glued = is_alnum(byte(text, end));
    (length >= *least && length <= *most && !glued && is_token_like(rest, prefix.len(), length))
        .then_some(end)
}

/// A word behind a short prefix (`key-`, `sk-`, `pypi-`) has no digit, and seldom changes its case.
fn is_token_like(rest: &[u8], prefix: usize, length: usize) -> bool {
    let mix = Mix::of(slice(rest, prefix..prefix + length));
    mix.digits > 0 || length < 16 || (mix.upper > 0 && mix.lower > 0 && mix.changes * 10 >= length * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row finds the shortest and the longest token it describes and refuses one less or more.
    #[test]
    fn every_prefix_finds_its_own_and_not_less() {
        for (prefix, least, most, alphabet) in KNOWN {
            let fill: &[u8] = match alphabet {
                Hex => b"0a1b2c3d4e5f",
                Upper => b"Q7Z2K9",
                Alnum | Token | Base64 | Dotted => b"q7Zk2Lm9",
            };
            let token = |length: usize| {
                let mut token = prefix.to_vec();
                token.extend(fill.iter().cycle().take(length));
                token
            };
            let name = String::from_utf8_lossy(prefix);
            for length in [*least, *most] {
                assert_eq!(known_end(&token(length), 0), Some(prefix.len() + length), "{name}");
            }
            assert_eq!(known_end(&token(least - 1), 0), None, "{name}: too short");
            assert_eq!(known_end(&token(most + 1), 0), None, "{name}: too long");
        }
    }
}
