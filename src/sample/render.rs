//! A template becomes a record and its truth.

use super::draw::Draw;
use super::maker::Maker;
use super::pack::{Innocent, Pack};
use super::template::Op;
use super::text::{Encoding, Text};
use super::truth::{Go, Place, Truth};

/// One record under construction.
pub struct Render<'a> {
    pub pack: &'a Pack,
    pub draw: Draw,
    pub truth: &'a mut Truth,
    pub event_ms: i64,
    /// Index of the record's language in the pack.
    pub language: usize,
    /// JSON strings keep to ASCII.
    pub ascii: bool,
    /// False inside an encoding that a plain search does not see through.
    readable: bool,
    pub place: Place,
    saved: Vec<(char, Text)>,
}

impl<'a> Render<'a> {
    pub fn new(pack: &'a Pack, mut draw: Draw, truth: &'a mut Truth, event_ms: i64) -> Self {
        let language = draw.index(pack.words.languages.len());
        let ascii = draw.chance(300);
        let (readable, place) = (true, Place::Value);
        Render { pack, draw, truth, event_ms, language, ascii, readable, place, saved: Vec::new() }
    }

    /// Appends what the steps make, values encoded for `context`.
    pub fn run(&mut self, ops: &[Op], context: Encoding, out: &mut Text) {
        for op in ops {
            match op {
                Op::Literal(text) => out.push(text),
                Op::Value { maker, filters, save } => {
                    let outside = self.enter(context, filters);
                    let value = self.make(maker);
                    self.readable = outside;
                    // The quotes between an innocent name and its value belong to what surrounds them.
                    let context = if maker.is_pair() { Encoding::Raw } else { context };
                    self.put(&value, filters, context, out);
                    if let Some(name) = save {
                        self.saved.push((*name, value));
                    }
                }
                Op::Again { saved, filters } => {
                    let found = self.saved.iter().rev().find(|(name, _)| name == saved);
                    if let Some(value) = found.map(|(_, value)| value.clone()) {
                        self.put(&value, filters, context, out);
                    }
                }
                Op::Block { context: inside, filters, inner } => {
                    let outside = self.enter(context, filters);
                    let mut block = Text::default();
                    self.run(inner, *inside, &mut block);
                    self.readable = outside;
                    self.put(&block, filters, context, out);
                }
                Op::Choice(parts) => {
                    let at = self.draw.index(parts.len());
                    if let Some(part) = parts.get(at) {
                        self.run(part, context, out);
                    }
                }
                Op::Shuffle { joint, parts } => {
                    let mut order: Vec<usize> = (0..parts.len()).collect();
                    for left in (1..order.len()).rev() {
                        let other = self.draw.index(left + 1);
                        order.swap(left, other);
                    }
                    for (i, at) in order.into_iter().enumerate() {
                        if i > 0 {
                            out.push(joint);
                        }
                        if let Some(part) = parts.get(at) {
                            self.run(part, context, out);
                        }
                    }
                }
                Op::Repeat { least, most, joint, part } => {
                    for i in 0..self.draw.between(*least, *most) {
                        if i > 0 {
                            out.push(joint);
                        }
                        self.run(part, context, out);
                    }
                }
            }
        }
    }

    /// Notes whether values made from here on can still be read by a plain search; gives back what it
    /// was outside.
    fn enter(&mut self, context: Encoding, filters: &[Encoding]) -> bool {
        let outside = self.readable;
        self.readable = outside && context.is_readable() && filters.iter().all(|f| f.is_readable());
        outside
    }

    fn put(&self, value: &Text, filters: &[Encoding], context: Encoding, out: &mut Text) {
        let context = if self.ascii && context == Encoding::Json { Encoding::JsonAscii } else { context };
        let mut now = value.clone();
        for filter in filters {
            let mut next = Text::default();
            next.append_encoded(&now, *filter);
            now = next;
        }
        out.append_encoded(&now, context);
    }

    /// A sensitive value: noted in the truth, a word in brackets in the perfect scrub.
    pub fn go(&mut self, go: Go) -> Text {
        let text = Text { real: go.value.clone(), oracle: format!("[{}]", go.class) };
        self.note(go);
        text
    }

    /// Notes a sensitive value that something else writes.
    pub fn note(&mut self, mut go: Go) {
        go.place = self.place;
        self.truth.go(go);
    }

    /// A value that must stay. Where nobody could read it, it is not counted.
    pub fn stay(&mut self, kind: &'static str, value: &str) {
        if self.readable {
            self.truth.stay(kind, value);
        }
    }

    fn make(&mut self, maker: &Maker) -> Text {
        match maker {
            Maker::Any(words) => Text::same(self.draw.word(words)),
            Maker::Number(low, high) => Text::same(&self.draw.between(*low, *high).to_string()),
            Maker::HexDigits(len) => Text::same(&self.draw.hex(*len)),
            Maker::Time(form) => {
                let mut text = String::with_capacity(32);
                form.write(self.event_ms, &mut text);
                self.stay(if form.is_epoch() { "epoch" } else { "ts" }, &text);
                Text::same(&text)
            }
            Maker::Benign(benign) => {
                let (value, counted) = benign.make(&mut self.draw);
                self.stay(benign.kind(), counted.as_ref().unwrap_or(&value));
                Text::same(&value)
            }
            Maker::InnocentPair { json } => self.innocent(*json),
            Maker::Brand => Text::same(self.draw.word(self.pack.words.list("brands"))),
            Maker::Host => Text::same(self.draw.word(self.pack.words.list("hosts"))),
            Maker::Phone(style) => self.phone(*style),
            Maker::Body(style) => self.body(*style),
            Maker::Code(style) => self.code(*style),
            Maker::Ip(style) => self.ip(*style),
            Maker::PrivateIp => {
                let ip = format!(
                    "10.{}.{}.{}",
                    self.draw.below(250),
                    self.draw.below(250),
                    self.draw.between(1, 250)
                );
                self.truth.may("internal_ip", &ip);
                Text::same(&ip)
            }
            Maker::Name => self.name(),
            Maker::Email => self.email(),
            Maker::Credential(kind) => self.credential(*kind),
            Maker::Subject(style) => self.subject(*style),
            Maker::Device => self.device(),
            Maker::Imei => self.imei(),
            Maker::Card => self.card(),
            Maker::Pdu => self.pdu(),
            Maker::Place => {
                let mut part =
                    |span: u64| format!("{}.{:05}", self.draw.below(span), self.draw.below(100_000));
                let place = format!("{},-{}", part(90), part(180));
                self.truth.may("location", &place);
                Text::same(&place)
            }
        }
    }

    /// `name=value`, or `name":"value` for templates that write the outer quotes. The words need no escapes.
    fn innocent(&mut self, json: bool) -> Text {
        let at = self.draw.index(self.pack.words.innocent.len());
        let Some((name, value)) = self.pack.words.innocent.get(at) else { return Text::default() };
        let value = match value {
            Innocent::Word(word) => word.clone(),
            Innocent::Number(low, high) => self.draw.between(*low, *high).to_string(),
        };
        self.stay("benign_kv", &value);
        Text::same(&if json { format!("{name}\":\"{value}") } else { format!("{name}={value}") })
    }
}
