//! Clients that are dropped within a bound.

use std::ops::Deref;
use std::sync::mpsc;
use std::time::Duration;
use tracing::warn;

/// How long a client may take to be closed.
const CLOSING: Duration = Duration::from_secs(5);

/// A client of librdkafka, which can wait for ever when it is destroyed: its group's end can cross an answer
/// to a rebalance, and that answer is then never acknowledged. It is dropped in a thread of its own; after
/// [`CLOSING`] nobody waits for it, and it ends with the process.
pub(super) struct Client<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Client<T> {
    pub(super) fn new(client: T) -> Self {
        Client(Some(client))
    }
}

impl<T: Send + 'static> Deref for Client<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let Some(client) = &self.0 else { unreachable!("it is there until it is dropped") };
        client
    }
}

impl<T: Send + 'static> Drop for Client<T> {
    fn drop(&mut self) {
        let Some(client) = self.0.take() else { return };
        let (done, closed) = mpsc::channel();
        let thread = std::thread::Builder::new().name("closing".into()).spawn(move || {
            drop(client);
            let _ = done.send(());
        });
        if thread.is_ok() && closed.recv_timeout(CLOSING).is_err() {
            warn!("a kafka client was not closed in {} s, and is left behind", CLOSING.as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    struct Stuck;

    impl Drop for Stuck {
        fn drop(&mut self) {
            loop {
                std::thread::park();
            }
        }
    }

    #[test]
    fn a_stuck_drop_is_left_behind() {
        let begun = Instant::now();
        drop(Client::new(Stuck));
        assert!((CLOSING..CLOSING * 3).contains(&begun.elapsed()));
        let begun = Instant::now();
        drop(Client::new(()));
        assert!(begun.elapsed() < CLOSING);
    }
}
