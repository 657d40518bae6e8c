//! Made-up messaging logs with their truth: what `gen` writes, `demo` shows and accuracy is measured on.
//!
//! A pack is templates and words ([`pack`], files below `packs/`); a template is compiled once
//! ([`template`]) and rendered into two readings at a time, the record and its perfect scrub ([`text`],
//! [`render`]). From the second one the truth counts what must stay, and a record in which a value that
//! must go happens to stand there too is drawn again: no truth is ambiguous. Phone numbers come from
//! the numbering plans at run time; names, texts and brands are invented.
//!
//! Record number `i` of a seed is the same whatever else is drawn.

pub mod draw;
pub mod maker;
pub mod pack;
mod person;
pub mod phones;
pub mod read;
pub mod render;
pub mod score;
pub mod template;
pub mod text;
pub mod time;
pub mod truth;
mod values;

use draw::Draw;
use pack::{Pack, PackError, PackName};
use render::Render;
use sha2::{Digest, Sha256};
use text::{Encoding, Text};
use truth::{Place, Truth};

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub pack: PackName,
    pub seed: u64,
    /// Event times lie in here, milliseconds since 1970, in no order; the end is not included.
    pub from_ms: i64,
    pub to_ms: i64,
    pub partitions: u32,
    /// Line ends inside a record become the two characters `\n`: one record, one line.
    pub single_line: bool,
}

/// A made-up record. Kept from record to record, so that the buffers are too.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub value: Vec<u8>,
    /// What a perfect scrub would leave of the value.
    pub oracle: Vec<u8>,
    pub key: Option<String>,
    pub headers: Vec<(String, String)>,
    pub partition: u32,
    pub timestamp_ms: i64,
    /// `must_stay` has no counts and `clean_sha256` is empty before [`Sample::count`].
    pub truth: Truth,
}

impl Sample {
    /// Completes the truth: how often each value that must stay does so in the perfect scrub.
    pub fn count(&mut self) {
        let text = String::from_utf8_lossy(&self.oracle);
        let mut views = vec![read::fold(&text)];
        if text.contains('\\') {
            views.push(read::fold(&read::unescape(&text)));
        }
        if text.contains('\u{1b}') {
            views = read::Reading::new(&self.oracle).plain;
        }
        for stay in &mut self.truth.must_stay {
            stay.n = read::stay_count(&views, &stay.value);
        }
        if self.truth.is_clean() {
            let digest = Sha256::digest(&self.value);
            let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
            self.truth.clean_sha256 = Some(hex);
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error("the pack's files are wrong: {0}")]
    Pack(#[from] PackError),
    #[error("template {0} cannot be made without ambiguity")]
    Ambiguous(String),
    #[error("the pack has no template")]
    Empty,
}

/// Makes records.
pub struct Sampler {
    pack: Pack,
    plan: Plan,
    text: Text,
}

/// Attempts at a record before we call the template broken; one in fifty needs a second.
const ATTEMPTS: u64 = 64;

/// Bytes that are no UTF-8, as cut and mislabelled messages have.
const JUNK: [&[u8]; 5] = [b"\xff\xfe", b"\xc3\x28", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80\x81"];

impl Sampler {
    /// # Errors
    /// The pack's own files are wrong: a bug.
    pub fn new(plan: Plan) -> Result<Self, SampleError> {
        Ok(Sampler { pack: Pack::load(plan.pack, plan.seed)?, plan, text: Text::default() })
    }

    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// Record `number`, its time drawn from the plan's interval.
    ///
    /// # Errors
    /// A template that cannot be rendered clearly: a bug.
    pub fn make(&mut self, number: u64, sample: &mut Sample) -> Result<(), SampleError> {
        let span = u64::try_from(self.plan.to_ms.saturating_sub(self.plan.from_ms)).unwrap_or(0);
        let into = Draw::new(self.plan.seed ^ 0x7469_6D65, number).below(span.max(1));
        let at = self.plan.from_ms.saturating_add(i64::try_from(into).unwrap_or(0));
        self.make_at(number, at, sample)
    }

    /// Record `number`, at a time that somebody else chose.
    ///
    /// # Errors
    /// A template that cannot be rendered clearly: a bug.
    pub fn make_at(&mut self, number: u64, event_ms: i64, sample: &mut Sample) -> Result<(), SampleError> {
        let mut name = String::new();
        for attempt in 0..ATTEMPTS {
            let draw = Draw::new(self.plan.seed.wrapping_add(attempt << 48), number);
            if self.attempt(number, event_ms, draw, sample)? {
                return Ok(());
            }
            name.clone_from(&sample.truth.template);
        }
        Err(SampleError::Ambiguous(name))
    }

    /// False where the record's truth came out ambiguous.
    fn attempt(
        &mut self,
        number: u64,
        event_ms: i64,
        mut draw: Draw,
        sample: &mut Sample,
    ) -> Result<bool, SampleError> {
        let pack = &self.pack;
        let template = pack.template(draw.below(pack.weight())).ok_or(SampleError::Empty)?;
        let spaced = !template.spaced.is_empty() && draw.chance(300);
        let ops = if spaced { &template.spaced } else { &template.ops };
        let event_ms = if template.whole_seconds { event_ms.div_euclid(1000) * 1000 } else { event_ms };

        sample.truth.clear();
        sample.headers.clear();
        sample.timestamp_ms = event_ms;
        let damage = draw.chance(pack.damaged).then(|| draw.index(4));
        let junk = JUNK.get(draw.index(JUNK.len())).copied().unwrap_or_default();
        let partition = draw.below(u64::from(self.plan.partitions.max(1)));
        sample.partition = u32::try_from(partition).unwrap_or(0);

        let mut render = Render::new(pack, draw, &mut sample.truth, event_ms);
        self.text.clear();
        render.run(ops, template.context, &mut self.text);
        sample.key = key(&mut render, template.phone_key);
        if render.draw.chance(template.phone_header) {
            render.place = Place::Headers;
            let style = maker::PhoneStyle::Exactly(maker::PhoneForm::E164);
            sample.headers.push(("x-recipient".to_owned(), render.phone(style).real));
            sample.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }

        if self.plan.single_line {
            for side in [&mut self.text.real, &mut self.text.oracle] {
                if side.contains('\n') {
                    *side = side.replace('\n', "\\n");
                }
            }
        }
        if !sample.truth.is_clear(&self.text.oracle) {
            sample.truth.template.clone_from(&template.name);
            return Ok(false);
        }
        let truth = &mut sample.truth;
        truth.id.push(pack.letter());
        truth.id.push_str(&format!("{number:07}"));
        truth.format.push_str(&template.format);
        truth.template.push_str(&template.name);
        truth.json = template.context == Encoding::Json && damage.is_none();
        for (bytes, text) in [(&mut sample.value, &self.text.real), (&mut sample.oracle, &self.text.oracle)] {
            bytes.clear();
            match damage {
                Some(0) => bytes.extend_from_slice(text.strip_suffix('}').unwrap_or(text).as_bytes()),
                Some(1) => {
                    bytes.extend_from_slice(b"\xef\xbb\xbf");
                    bytes.extend_from_slice(text.as_bytes());
                }
                Some(2) => {
                    bytes.extend_from_slice(text.as_bytes());
                    bytes.extend_from_slice(b"\0\0");
                }
                Some(_) => {
                    bytes.extend_from_slice(text.as_bytes());
                    bytes.push(b' ');
                    bytes.extend_from_slice(junk);
                }
                None => bytes.extend_from_slice(text.as_bytes()),
            }
        }
        if let Some(damage) = damage {
            truth
                .tags
                .push(["truncated", "bom", "nul", "bad_utf8"].get(damage).copied().unwrap_or("bad_utf8"));
        }
        Ok(true)
    }
}

/// A record's key: a phone number, or an id, or none.
fn key(render: &mut Render<'_>, phone_key: u64) -> Option<String> {
    if render.draw.chance(phone_key) {
        render.place = Place::Key;
        let form = if render.draw.chance(500) { maker::PhoneForm::E164 } else { maker::PhoneForm::Digits };
        return Some(render.phone(maker::PhoneStyle::Exactly(form)).real);
    }
    render.draw.chance(300).then(|| values::uuid(&mut render.draw))
}

#[cfg(test)]
mod tests;
