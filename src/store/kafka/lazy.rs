//! Clients that are not there while nobody needs them: each costs threads that wake every second, and the more
//! the more partitions it has dealt with.

use super::closing::Client;
use crate::stage::store::StoreError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a client is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(30);

/// Makes a client when it is needed.
pub(super) struct Lazy<T: Send + 'static>(Mutex<Option<(Arc<Client<T>>, Instant)>>);

impl<T: Send + 'static> Default for Lazy<T> {
    fn default() -> Self {
        Lazy(Mutex::new(None))
    }
}

impl<T: Send + 'static> Lazy<T> {
    pub(super) fn get(
        &self,
        make: impl FnOnce() -> Result<Client<T>, StoreError>,
    ) -> Result<Arc<Client<T>>, StoreError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match kept.take() {
            Some((client, _)) => client,
            None => Arc::new(make()?),
        };
        *kept = Some((client.clone(), Instant::now()));
        Ok(client)
    }

    /// The next one is made anew.
    pub(super) fn forget(&self) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(kept);
    }

    /// Closes the client if nobody has used it for a while. Call it now and then.
    pub(super) fn sweep(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = kept.take_if(|(client, used)| used.elapsed() >= KEPT && Arc::strong_count(client) == 1);
        drop(kept);
        // Closed here, where nobody waits for it.
        drop(old);
    }
}
