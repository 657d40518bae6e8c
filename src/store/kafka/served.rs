//! A producer whose events are served in a thread of its own.

use super::context::{Quiet, say};
use super::native::{self, Event};
use rdkafka::producer::{BaseProducer, Producer as _};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the thread waits for an event; leaving wakes it.
const WAIT: Duration = Duration::from_secs(1);

/// Without such a thread an abort waits for ever. The wrapper's own ends each of its waits of 100 ms by asking
/// again and again for a millisecond: a hundredth of a core for a producer that does nothing.
///
/// Of records only failures are reported (`delivery.report.only.error`): one makes its transaction fail, which
/// the commit says.
pub(super) struct Served {
    producer: Arc<BaseProducer<Quiet>>,
    leaving: Arc<AtomicBool>,
    undelivered: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(super) fn new(producer: BaseProducer<Quiet>) -> std::io::Result<Self> {
        let producer = Arc::new(producer);
        let leaving = Arc::new(AtomicBool::new(false));
        let undelivered = Arc::new(AtomicBool::new(false));
        let (theirs, told, failed) = (producer.clone(), leaving.clone(), undelivered.clone());
        let serve = move || {
            while !told.load(Ordering::SeqCst) {
                native::serve(theirs.client().native_ptr(), WAIT, &mut |event| match event {
                    Event::Log { critical, facility, text } => say(critical, &facility, &text),
                    Event::Undelivered => failed.store(true, Ordering::SeqCst),
                    Event::Other => {}
                });
            }
        };
        let thread = std::thread::Builder::new().name("producer events".into()).spawn(serve)?;
        Ok(Served { producer, leaving, undelivered, thread: Some(thread) })
    }

    /// Whether a record failed to be delivered since the last call. Call it after a flush, which waits for what
    /// is told, too.
    pub(super) fn take_undelivered(&self) -> bool {
        self.undelivered.swap(false, Ordering::SeqCst)
    }
}

impl Deref for Served {
    type Target = BaseProducer<Quiet>;

    fn deref(&self) -> &BaseProducer<Quiet> {
        &self.producer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.leaving.store(true, Ordering::SeqCst);
        native::wake(self.producer.client().native_ptr());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
