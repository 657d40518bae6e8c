//! Where something was found, and by which rule.

use crate::class::Class;

/// Byte offsets into the **input** of one part (key, header value or value), end not included;
/// `start <= end`. Offsets into the output differ once a replacement changes length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Panics never; an end before the start gives an empty span at the start.
    #[must_use]
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        Span { start, end: end.max(start) }
    }

    #[must_use]
    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }

    #[must_use]
    #[inline]
    pub fn end(self) -> usize {
        self.end as usize
    }

    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    #[must_use]
    #[inline]
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    #[must_use]
    #[inline]
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The bytes of `input` under the span; empty where the span does not lie in `input`.
    #[must_use]
    #[inline]
    pub fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start()..self.end()).unwrap_or_default()
    }
}

/// Number of a rule in its compiled rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u16);

/// What a detector learnt about the value and an action may keep of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Detail {
    #[default]
    None,
    /// Country calling code of a phone number (ITU-T E.164), 1 to 999; shared codes stay shared.
    CallingCode(u16),
}

/// One recognised value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    pub rule: RuleId,
    pub span: Span,
    pub detail: Detail,
}
