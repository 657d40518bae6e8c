//! Whether a place lies in one of many spans, asked in the order of the text.

use crate::finding::Span;

/// How far the spans reach that begin before a place, in a list that is gone through with the places.
#[derive(Default)]
pub struct Reach {
    place: usize,
    end: u32,
}

impl Reach {
    /// The farthest end of those that `begins` gives a span of.
    pub fn over<T>(&mut self, list: &[T], begins: impl Fn(&T) -> Option<Span>) -> u32 {
        while let Some(span) = list.get(self.place).and_then(&begins) {
            self.end = self.end.max(span.end);
            self.place += 1;
        }
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_may_nest() {
        let spans = [Span::new(0, 9), Span::new(2, 4), Span::new(12, 14)];
        let mut reach = Reach::default();
        let ends: Vec<u32> = [1, 3, 10, 12, 13, 20]
            .map(|place| reach.over(&spans, |span| (span.start <= place).then_some(*span)))
            .into();
        assert_eq!(ends, [9, 9, 9, 14, 14, 14]);
    }
}
