//! Texts in base64 and hex, met by the scan.

use super::super::inside::Place;
use super::super::resolve;
use super::*;
use crate::codec::coding::{Charset, Coding};
use crate::codec::decode;
use crate::detect::hidden;

/// What octets are.
enum Octets {
    Text(Charset),
    /// An SMS with its header, and the like: there is text in it.
    Mixed,
    Noise,
}

impl Scan {
    /// A text in hex that has the length of a hash: its octets are words, which those of a hash never are.
    pub(super) fn hidden_words(&mut self, here: &Here<'_>, start: usize, sink: &mut Sink) -> Option<usize> {
        let span = hidden::hex_at(here.text, start, hidden::HEX_LEAST)?;
        let digits = span.of(here.text);
        if !hidden::may_be_words(digits) && !hidden::from_a_modem(here.text, start) {
            return None;
        }
        self.octets.clear();
        if !decode::hex_run(digits, &mut self.octets) {
            return None;
        }
        self.text.clear();
        let charset = if hidden::is_text(&self.octets) && hidden::is_written(&self.octets) {
            self.text.extend_from_slice(&self.octets);
            Some(Charset::Utf8)
        } else if hidden::is_alphabetic_ucs2(&self.octets) && decode::ucs2(&self.octets, &mut self.text) {
            Some(Charset::Ucs2)
        } else {
            None
        };
        if charset.is_some() || hidden::from_a_modem(here.text, start) {
            self.hex(here, span, charset, sink);
            return Some(span.end());
        }
        None
    }

    /// Text in hex.
    pub(super) fn hidden(
        &mut self,
        detectors: &Detectors,
        here: &Here<'_>,
        start: usize,
        sink: &mut Sink,
    ) -> Option<usize> {
        let text = here.text;
        if let Some(rule) = detectors.rule(Detector::BodyShape)
            && let Some(span) = hidden::dump_at(text, start)
        {
            push(sink, here, Class::Body, rule, span, Detail::None, false);
            return Some(span.end());
        }
        let span = hidden::hex_at(text, start, hidden::HEX_LEAST)?;
        self.octets.clear();
        if decode::hex_run(span.of(text), &mut self.octets) {
            match self.read_octets() {
                Octets::Text(charset) => self.hex(here, span, Some(charset), sink),
                Octets::Mixed => self.hex(here, span, None, sink),
                Octets::Noise if hidden::announced(text, start) => self.hex(here, span, None, sink),
                Octets::Noise => {}
            }
        }
        Some(span.end())
    }

    /// Octets in hex that were read into `self.text`; `charset` `None` where they are more than text.
    fn hex(&mut self, here: &Here<'_>, span: Span, charset: Option<Charset>, sink: &mut Sink) {
        let letters = span.of(here.text);
        if here.detectors.allows(letters) || crosses_placeholder(sink, here.root(span)) {
            return;
        }
        if charset.is_none() {
            self.text.clear();
            decode::hex_run(letters, &mut self.text);
        }
        let coding = charset.map(|charset| Coding::of_hex(letters, charset)).filter(|coding| {
            self.octets.clear();
            coding.leads_back(&self.text, letters, &mut self.octets)
                && !hidden::announced(here.text, span.start())
        });
        self.coded(here, span, coding, Place::Plain, sink);
    }

    /// The text of a run goes into the sink's texts; what somebody wrote, and what cannot be written again or
    /// stands too deep, goes as a whole.
    fn coded(&self, here: &Here<'_>, span: Span, coding: Option<Coding>, place: Place, sink: &mut Sink) {
        let opened = coding.filter(|coding| !resolve::is_message(&self.text, *coding));
        if opened.is_some_and(|coding| sink.hide(here.root(span), coding, place, &self.text)) {
            return;
        }
        if let Some(rule) = here.detectors.rule(Detector::BodyShape) {
            let value = sink.keep(&self.text);
            push_value(sink, here, Class::Body, rule, span, value);
        }
    }

    /// Texts in base64.
    pub(super) fn base64(&mut self, here: &Here<'_>, done: &[Span], sink: &mut Sink) {
        let mut gaps = Gaps { done, place: 0 };
        let mut pos = 0;
        while let Some(run) = hidden::base64_run(here.text, pos) {
            pos = run.end();
            if gaps.covers(run.start()).is_some() || self.base64_text(here, run, sink) {
                continue;
            }
            // `/callback/eyJ0…`: of a path each part.
            let mut start = run.start();
            for part in run.of(here.text).split(|b| *b == b'/') {
                let span = Span::new(start, start + part.len());
                start = span.end() + 1;
                if span != run && part.len() >= hidden::BASE64_LEAST {
                    self.base64_text(here, span, sink);
                }
            }
        }
    }

    fn base64_text(&mut self, here: &Here<'_>, span: Span, sink: &mut Sink) -> bool {
        let letters = span.of(here.text);
        self.text.clear();
        if !hidden::begins_text(letters)
            || !decode::base64(letters, &mut self.text)
            || !hidden::is_text(&self.text)
        {
            return false;
        }
        if !here.detectors.allows(letters) && !crosses_placeholder(sink, here.root(span)) {
            let place = if hidden::is_in_query(here.text, span) { Place::Query } else { Place::Plain };
            self.coded(here, span, Some(Coding::of_base64(letters)), place, sink);
        }
        true
    }

    /// Reads octets into `self.text`.
    fn read_octets(&mut self) -> Octets {
        self.text.clear();
        if hidden::is_ucs2(&self.octets) && decode::ucs2(&self.octets, &mut self.text) {
            return Octets::Text(Charset::Ucs2);
        }
        // Hashes have these lengths, and one in some thousands has a PDU's first octets.
        let hash = matches!(self.octets.len(), 16 | 20 | 28 | 32 | 48 | 64);
        let text = hidden::is_text(&self.octets);
        // A header before the text: look for UCS-2 behind it.
        let tail = self.octets.get(self.octets.len() / 3..).unwrap_or_default();
        let even = tail.get(tail.len() % 2..).unwrap_or_default();
        let pdu = hidden::is_pdu(&self.octets) && !hash || hidden::holds_smpp_address(&self.octets);
        if text || pdu || (tail.len() >= 24 && hidden::is_ucs2(even)) {
            self.text.extend_from_slice(&self.octets);
            return if text { Octets::Text(Charset::Utf8) } else { Octets::Mixed };
        }
        Octets::Noise
    }
}
