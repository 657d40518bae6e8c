//! What both workers share: a membership, its positions, its counts, one transaction at a time.

use super::cell::{Cell, day_of};
use super::count::{Group, Total};
use super::crash::{self, CrashPoint};
use super::groups::Groups;
use super::header::{self, Stamp};
use super::meter::Meter;
use super::outcome::{Outcome, Tally};
use super::pipeline::Pipeline;
use super::progress::{self, AnotherTopic, Progress};
use super::quarantine::{self, Notice};
use super::store::{
    Assigned, Flow, Place, Position, Remedy, Revoked, SessionSpec, Store, StoreError, Writer,
};
use crate::engine::WithheldReason;
use crate::record::{Header, Record, RecordBuf};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How often positions are committed although nothing moved, so that the log does not forget them.
const REFRESH_MS: i64 = 3_600_000;

/// A partition that we own.
#[derive(Clone, Debug)]
struct Track {
    topic_id: Arc<str>,
    /// Where to go back to when a transaction is given up.
    base: i64,
    next: i64,
    /// Whether the group's position is `base`; not so where progress or the log's start gave it.
    written: bool,
    /// Records that the log had deleted before they were read, and the stage they count for, until that is committed.
    expired: Option<(usize, u64)>,
}

impl Track {
    fn moved(&self) -> bool {
        self.next != self.base || !self.written
    }
}

/// The transaction side of a member: everything a record's handling writes goes through here.
pub(super) struct Ledger {
    part: &'static str,
    tracks: BTreeMap<Place, Track>,
    /// By partition and stage: totals, those of the open transaction included.
    tallies: BTreeMap<(Place, usize), Tally>,
    /// The same as of the last commit.
    settled: BTreeMap<(Place, usize), Tally>,
    groups: Groups,
    /// De-identified records of the open transaction, to be shuffled.
    releases: Vec<(i32, RecordBuf)>,
    release_bytes: usize,
    /// Fallbacks of clocks to the record's time, since the start.
    pub(super) fell_back: u64,
    taken: usize,
    opened_ms: Option<i64>,
    /// Whether there may be something to commit.
    touched: bool,
    refreshed_ms: i64,
    random: StdRng,
    text: String,
    /// Of the open transaction.
    pub(super) meter: Meter,
    /// Times of the open transaction's records in the source.
    sent_ms: Vec<i64>,
    /// Of what was committed, since it was taken.
    metered: Meter,
}

impl Ledger {
    /// A record of that place was taken and ended so at a stage.
    pub(super) fn count(&mut self, place: Place, stage: usize, outcome: Outcome) {
        self.tallies.entry((place, stage)).or_default().add(outcome, 1);
        self.touched = true;
        self.meter.record(stage, outcome, 1);
    }

    /// So many records of that place were deleted by the log before they were read.
    fn count_expired(&mut self, place: Place, expired: Option<(usize, u64)>) {
        let Some((stage, records)) = expired else { return };
        self.tallies.entry((place, stage)).or_default().add(Outcome::Expired, records);
        self.meter.record(stage, Outcome::Expired, records);
    }

    /// A released record of that place is counted in a group.
    pub(super) fn add(&mut self, place: Place, group: Group, total: Total) {
        self.groups.add(place, group, &total);
        self.touched = true;
    }

    /// A scrubbed record of that place shows what its cell says.
    pub(super) fn add_cell(&mut self, place: Place, cell: Cell) {
        self.groups.add_cell(place, cell);
        self.touched = true;
    }

    /// So many bytes were read, and written, at a stage.
    pub(super) fn moved(&mut self, stage: usize, read: usize, written: usize) {
        let bytes = self.meter.bytes.entry(stage).or_default();
        bytes.read += read as u64;
        bytes.written += written as u64;
    }

    /// The source's time of a record that is scrubbed now.
    pub(super) fn sent(&mut self, at_ms: i64) {
        self.sent_ms.push(at_ms);
    }

    /// Whether no record is taken and not committed.
    pub(super) fn is_settled(&self) -> bool {
        self.opened_ms.is_none()
    }

    /// What was committed since the last call.
    pub(super) fn take_meter(&mut self) -> Meter {
        std::mem::take(&mut self.metered)
    }

    /// Findings of what was committed.
    pub(super) fn found(&mut self, stage: usize, counts: &crate::engine::Counts) {
        self.metered.found(stage, counts);
    }

    pub(super) fn took(&mut self, place: Place, offset: i64, now_ms: i64) {
        if let Some(track) = self.tracks.get_mut(&place) {
            track.next = offset + 1;
        }
        self.taken += 1;
        self.touched = true;
        self.opened_ms.get_or_insert(now_ms);
    }

    /// Takes a de-identified record; it is written, shuffled among the others, at the commit.
    pub(super) fn release(&mut self, pipeline: &Pipeline, partition: i32, mut record: RecordBuf) {
        let stamp = Stamp {
            policy: &pipeline.policy.id,
            stage: pipeline.stage_id(pipeline.schedule.last()),
            origin: None,
        };
        stamp.write(&mut self.text);
        record.headers.push((header::NAME.to_vec(), Some(self.text.clone().into_bytes())));
        self.release_bytes += record.value.as_ref().map_or(0, Vec::len);
        self.releases.push((partition, record));
    }

    pub(super) fn notice(
        &mut self,
        writer: &mut impl Writer,
        pipeline: &Pipeline,
        notice: &Notice<'_>,
    ) -> Result<(), StoreError> {
        self.meter.quarantined(notice.reason);
        let json = notice.to_json();
        let record = Record { value: Some(json.as_bytes()), ..Record::default() };
        writer.append(&pipeline.topics.quarantine, notice.partition, &record)
    }

    /// Whether the open transaction is large enough, or old enough, to be committed.
    fn is_full(&self, pipeline: &Pipeline, now_ms: i64) -> bool {
        const RELEASE_BYTES: usize = 32 << 20;
        // A clock that was set back tells nothing of its age.
        let old = self.opened_ms.is_some_and(|opened| {
            let open_ms = now_ms.saturating_sub(opened);
            open_ms < 0 || open_ms >= pipeline.commit_every_ms
        });
        old || self.taken >= pipeline.commit_records || self.release_bytes >= RELEASE_BYTES
    }

    fn changed(&mut self) -> bool {
        self.touched =
            self.touched && (self.tracks.values().any(Track::moved) || self.tallies != self.settled);
        self.touched
    }

    /// Whether the log is to be reminded of every partition.
    fn is_stale(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.refreshed_ms).abs() >= REFRESH_MS && !self.tracks.is_empty()
    }

    /// Where the partitions stand that moved; all of them to remind the log of us.
    fn positions(&self, now_ms: i64) -> Vec<Position> {
        let all = self.is_stale(now_ms) || !self.tracks.values().any(Track::moved);
        let sent = self.tracks.iter().filter(|(_, track)| all || track.moved());
        sent.map(|(place, track)| Position { place: *place, next: track.next }).collect()
    }

    fn write_releases(&mut self, writer: &mut impl Writer, topic: &str) -> Result<(), StoreError> {
        self.releases.shuffle(&mut self.random);
        for (partition, record) in &self.releases {
            match append_buf(writer, topic, *partition, record, &[]) {
                Err(StoreError::TooLarge(_)) => {
                    let bytes = record.value.as_ref().map_or(0, Vec::len);
                    let value = quarantine::placeholder(WithheldReason::TooLarge, bytes).into_bytes();
                    let instead =
                        RecordBuf { value: Some(value), headers: record.headers.clone(), key: None };
                    self.meter.quarantined(WithheldReason::TooLarge);
                    append_buf(writer, topic, *partition, &instead, &[])?;
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn write_counts(
        &self,
        writer: &mut impl Writer,
        pipeline: &Pipeline,
        spec: &SessionSpec,
    ) -> Result<(), StoreError> {
        for ((place, stage), tally) in &self.tallies {
            if self.settled.get(&(*place, *stage)) == Some(tally) {
                continue;
            }
            let key = counts_key(self.part, pipeline.stage_id(*stage), topic_of(spec, *place));
            let value = tally.to_json();
            let record =
                Record { key: Some(key.as_bytes()), value: Some(value.as_bytes()), ..Record::default() };
            writer.append(&pipeline.topics.counts, place.partition, &record)?;
        }
        Ok(())
    }

    fn write_progress(
        &self,
        writer: &mut impl Writer,
        pipeline: &Pipeline,
        spec: &SessionSpec,
    ) -> Result<(), StoreError> {
        for (place, track) in self.tracks.iter().filter(|(_, track)| track.moved()) {
            let key = progress::key(&spec.reader, topic_of(spec, *place), place.partition);
            let value = Progress { v: 1, topic_id: track.topic_id.to_string(), next: track.next };
            let value = serde_json::to_vec(&value)
                .map_err(|_| StoreError::Bug("a progress record cannot be written".into()))?;
            let record = Record { key: Some(key.as_bytes()), value: Some(&value), ..Record::default() };
            writer.append(&pipeline.topics.progress, place.partition, &record)?;
        }
        Ok(())
    }

    fn settle(&mut self, now_ms: i64) {
        for track in self.tracks.values_mut() {
            track.base = track.next;
            track.written = true;
            track.expired = None;
        }
        self.settled.clone_from(&self.tallies);
        self.groups.settle(self.tracks.iter().map(|(place, track)| (*place, track.base)));
        for sent_ms in self.sent_ms.drain(..) {
            self.meter.end_to_end_ms.add(now_ms.saturating_sub(sent_ms).max(0).unsigned_abs());
        }
        self.meter.committed += 1;
        self.metered.merge(&self.meter);
        self.clear();
    }

    fn give_up(&mut self) {
        for track in self.tracks.values_mut() {
            track.next = track.base;
        }
        self.tallies.clone_from(&self.settled);
        self.groups.give_up();
        self.metered.aborted += 1;
        self.clear();
        // What the log deleted does not come again.
        let expired: Vec<_> = self.tracks.iter().map(|(place, track)| (*place, track.expired)).collect();
        for (place, expired) in expired {
            self.count_expired(place, expired);
        }
    }

    fn clear(&mut self) {
        self.releases.clear();
        self.release_bytes = 0;
        self.taken = 0;
        self.opened_ms = None;
        // What is owed from before, such as a first position, is looked for once more.
        self.touched = true;
        self.meter = Meter::default();
        self.sent_ms.clear();
    }
}

/// Key of a counts record: totals of one partition (the counts topic's own) of a topic.
#[must_use]
pub fn counts_key(part: &str, stage: &str, topic: &str) -> String {
    format!("outcomes/{part}/{stage}/{topic}")
}

fn topic_of(spec: &SessionSpec, place: Place) -> &str {
    spec.topics.get(place.topic).map_or("", |topic| topic.as_ref())
}

/// Appends a record that we made, with further headers.
pub(super) fn append_buf(
    writer: &mut impl Writer,
    topic: &str,
    partition: i32,
    record: &RecordBuf,
    more: &[Header<'_>],
) -> Result<(), StoreError> {
    let both: Vec<Header<'_>>;
    let headers = if record.headers.is_empty() {
        more
    } else {
        let own = record.headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref()));
        both = own.chain(more.iter().copied()).collect();
        &both
    };
    let (key, value) = (record.key.as_deref(), record.value.as_deref());
    writer.append(topic, partition, &Record { key, value, headers, timestamp_ms: None })
}

/// A membership of a group.
pub(super) struct Member<S: Store> {
    pub(super) store: Arc<S>,
    pub(super) session: S::Session,
    pub(super) spec: SessionSpec,
    pub(super) ledger: Ledger,
}

impl<S: Store> Member<S> {
    pub(super) fn join(
        store: Arc<S>,
        pipeline: &Pipeline,
        spec: SessionSpec,
        part: &'static str,
        random: StdRng,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let session = store.join_as(&spec, &pipeline.delivery)?;
        let ledger = Ledger {
            part,
            tracks: BTreeMap::new(),
            tallies: BTreeMap::new(),
            settled: BTreeMap::new(),
            groups: Groups::default(),
            releases: Vec::new(),
            release_bytes: 0,
            fell_back: 0,
            taken: 0,
            opened_ms: None,
            touched: false,
            refreshed_ms: now_ms,
            random,
            text: String::new(),
            meter: Meter::default(),
            sent_ms: Vec::new(),
            metered: Meter::default(),
        };
        Ok(Member { store, session, spec, ledger })
    }

    /// Answers an assignment: reads progress and counts, and starts each partition.
    pub(super) fn assigned(&mut self, pipeline: &Pipeline, assigned: &[Assigned]) -> Result<(), StoreError> {
        use super::store::{Reader as _, Session as _};
        let mut numbers: Vec<(i32, i64)> =
            assigned.iter().map(|partition| (partition.place.partition, 0)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        self.refuse_what_has_grown(pipeline, &numbers)?;
        let known = self.progress(pipeline, &numbers, assigned)?;
        self.load_tallies(pipeline, &numbers, assigned)?;
        for (partition, known) in assigned.iter().zip(known) {
            let place = partition.place;
            let topic = topic_of(&self.spec, place);
            let start = progress::start(
                topic,
                &partition.topic_id,
                partition.committed,
                known.as_ref(),
                partition.log_start,
            )
            .map_err(|error: AnotherTopic| StoreError::Refused(error.to_string()))?;
            let stage = if self.ledger.part == "scrub" { 0 } else { pipeline.schedule.last() };
            let expired = (start.expired > 0).then_some((stage, start.expired));
            self.ledger.count_expired(place, expired);
            let track = Track {
                topic_id: partition.topic_id.clone(),
                base: start.next,
                next: start.next,
                written: partition.committed == Some(start.next),
                expired,
            };
            self.ledger.groups.begin(place, topic, &track.topic_id, track.base);
            self.ledger.tracks.insert(place, track);
            self.ledger.touched = true;
            self.session.halves().0.start(place, start.next)?;
        }
        Ok(())
    }

    /// A partition that none of our topics has could be read, and nothing of it written.
    fn refuse_what_has_grown(&self, pipeline: &Pipeline, numbers: &[(i32, i64)]) -> Result<(), StoreError> {
        let Some((last, _)) = numbers.last() else { return Ok(()) };
        let ours = self.store.bounds(&pipeline.topics.progress)?.len();
        if usize::try_from(*last).is_ok_and(|last| last < ours) {
            return Ok(());
        }
        Err(StoreError::Refused(format!(
            "topic `{}` has grown: it has a partition {last}, our own topics have {ours} partitions; run \
             `logscrub topics apply` and start again",
            pipeline.topics.source
        )))
    }

    /// The progress of each partition, in their order. Its records stand in the progress topic's partitions of
    /// the same `numbers`.
    fn progress(
        &self,
        pipeline: &Pipeline,
        numbers: &[(i32, i64)],
        assigned: &[Assigned],
    ) -> Result<Vec<Option<Progress>>, StoreError> {
        let key =
            |place: Place| progress::key(&self.spec.reader, topic_of(&self.spec, place), place.partition);
        let keys: HashMap<String, usize> =
            assigned.iter().enumerate().map(|(at, assigned)| (key(assigned.place), at)).collect();
        let mut newest: Vec<Option<Vec<u8>>> = vec![None; assigned.len()];
        self.store.scan_each(&pipeline.topics.progress, numbers, &mut |fetched| {
            let at = fetched
                .record
                .key
                .and_then(|key| std::str::from_utf8(key).ok())
                .and_then(|key| keys.get(key));
            if let Some(slot) = at.and_then(|at| newest.get_mut(*at)) {
                *slot = fetched.record.value.map(<[u8]>::to_vec);
            }
            Flow::Next
        })?;
        let read = |json: Option<Vec<u8>>| json.map(|json| serde_json::from_slice(&json)).transpose();
        newest.into_iter().map(read).collect::<Result<_, _>>().map_err(|_| {
            let topic = &pipeline.topics.progress;
            StoreError::Corrupt(format!("a progress record in `{topic}` does not read; move the topic away"))
        })
    }

    fn load_tallies(
        &mut self,
        pipeline: &Pipeline,
        numbers: &[(i32, i64)],
        assigned: &[Assigned],
    ) -> Result<(), StoreError> {
        let mut keys: HashMap<(i32, String), (Place, usize)> = HashMap::new();
        for place in assigned.iter().map(|assigned| assigned.place) {
            for (number, stage) in pipeline.policy.stages.iter().enumerate() {
                let key = counts_key(self.ledger.part, &stage.id, topic_of(&self.spec, place));
                keys.insert((place.partition, key), (place, number));
            }
        }
        let ledger = &mut self.ledger;
        self.store.scan_each(&pipeline.topics.counts, numbers, &mut |fetched| {
            let key = fetched.record.key.and_then(|key| String::from_utf8(key.to_vec()).ok());
            let of = key.and_then(|key| keys.get(&(fetched.place.partition, key)));
            if let (Some(of), Some(tally)) = (of, fetched.record.value.and_then(Tally::from_json)) {
                ledger.tallies.insert(*of, tally);
                ledger.settled.insert(*of, tally);
            }
            Flow::Next
        })?;
        Ok(())
    }

    /// Ends what we do for partitions that go to another worker.
    pub(super) fn revoked(
        &mut self,
        pipeline: &Pipeline,
        revoked: &Revoked,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        crash::reach(CrashPoint::InRevoke);
        let ended = if revoked.lost { self.give_up() } else { self.commit(pipeline, now_ms) };
        // However that ended: positions that are committed later must not be another's.
        for place in &revoked.places {
            self.ledger.tracks.remove(place);
            self.ledger.groups.end(*place);
        }
        self.ledger.tallies.retain(|(place, _), _| !revoked.places.contains(place));
        self.ledger.settled.retain(|(place, _), _| !revoked.places.contains(place));
        ended
    }

    /// Commits what is open where a membership comes to its end: what was read may be gone from the log.
    pub(super) fn last_words(&mut self, pipeline: &Pipeline, error: StoreError, now_ms: i64) -> StoreError {
        if error.remedy() == Remedy::Rejoin {
            // Where that fails it is as if it was not tried.
            let _ = self.commit(pipeline, now_ms);
        }
        error
    }

    /// Commits if the transaction is due for it, or the log is to be reminded of us.
    pub(super) fn commit_if_due(&mut self, pipeline: &Pipeline, now_ms: i64) -> Result<(), StoreError> {
        let is_open = self.ledger.opened_ms.is_some();
        let due = (!is_open || self.ledger.is_full(pipeline, now_ms)) && self.ledger.changed();
        if due || self.ledger.is_stale(now_ms) {
            self.commit(pipeline, now_ms)?;
        }
        Ok(())
    }

    /// Whether this member has partition 0 of the first topic by name, as one of all members has.
    pub(super) fn owns_the_first(&self) -> bool {
        let first = self.spec.topics.iter().enumerate().min_by_key(|(_, topic)| *topic);
        first.is_some_and(|(topic, _)| self.ledger.tracks.contains_key(&Place { topic, partition: 0 }))
    }

    /// How long a worker may wait for records: the open transaction is to be committed in time.
    pub(super) fn may_wait(&self, pipeline: &Pipeline, wait: Duration, now_ms: i64) -> Duration {
        let Some(opened_ms) = self.ledger.opened_ms else { return wait };
        let left_ms = pipeline.commit_every_ms.saturating_sub(now_ms.saturating_sub(opened_ms));
        wait.min(Duration::from_millis(left_ms.max(0).unsigned_abs()))
    }

    /// Writes everything that belongs to the open transaction and commits it.
    pub(super) fn commit(&mut self, pipeline: &Pipeline, now_ms: i64) -> Result<(), StoreError> {
        use super::store::Session as _;
        let (_, writer) = self.session.halves();
        let ledger = &mut self.ledger;
        ledger.write_releases(writer, &pipeline.topics.deidentified)?;
        ledger.write_counts(writer, pipeline, &self.spec)?;
        let bases = ledger.tracks.iter().map(|(place, track)| (*place, track.base));
        ledger.groups.renew(day_of(now_ms), bases);
        ledger.groups.each(&mut |partition, key, value| {
            let record = Record { key: Some(key), value: Some(value), ..Record::default() };
            writer.append(&pipeline.topics.counts, partition, &record)
        })?;
        ledger.write_progress(writer, pipeline, &self.spec)?;
        let positions = ledger.positions(now_ms);
        crash::reach(CrashPoint::BeforeCommit);
        writer.commit(&positions)?;
        crash::reach(CrashPoint::AfterCommit);
        if positions.len() == ledger.tracks.len() {
            ledger.refreshed_ms = now_ms;
        }
        ledger.settle(now_ms);
        Ok(())
    }

    /// Drops the open transaction and goes back to where the last one ended.
    pub(super) fn give_up(&mut self) -> Result<(), StoreError> {
        use super::store::{Reader as _, Session as _};
        self.ledger.give_up();
        let (reader, writer) = self.session.halves();
        writer.abort()?;
        for (place, track) in &self.ledger.tracks {
            reader.seek(*place, track.next)?;
        }
        Ok(())
    }

    /// The counts of this member's partitions, by stage.
    pub(super) fn tallies(&self, stages: usize) -> Vec<Tally> {
        let mut sums = vec![Tally::default(); stages];
        for ((_, stage), tally) in &self.ledger.settled {
            if let Some(sum) = sums.get_mut(*stage) {
                sum.merge(tally);
            }
        }
        sums
    }

    /// Whether every partition of ours was read beyond the given ends, or exactly to them.
    pub(super) fn has_passed(&self, ends: &[(Place, i64)]) -> bool {
        let tracks = &self.ledger.tracks;
        let passed = |(place, end): &(Place, i64)| tracks.get(place).is_none_or(|track| track.next >= *end);
        !tracks.is_empty() && ends.iter().all(passed)
    }

    /// Whether every partition was read up to the given ends.
    pub(super) fn reached(&mut self, ends: &[(Place, i64)]) -> Result<bool, StoreError> {
        use super::store::{Reader as _, Session as _};
        let (reader, _) = self.session.halves();
        for (place, end) in ends {
            if !reader.reached(*place, *end)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
