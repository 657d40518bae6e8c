//! `/metrics`, `/livez` and `/readyz`.

use super::run::Leaving;
use crate::telemetry::Scrape;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tiny_http::{Header, Method, Response, Server};

/// A worker that has not stepped for so long is not ready: its broker does not answer.
const READY: Duration = Duration::from_secs(60);
/// A worker that has not stepped for so long is stuck: above all that waits for a broker.
const LIVE: Duration = Duration::from_secs(900);

/// How the workers are.
#[derive(Debug, Default)]
pub struct Health {
    serving: AtomicBool,
    /// When each worker that runs stepped last.
    steps: Mutex<BTreeMap<String, Instant>>,
    /// Sources that do not exist; their pipelines wait.
    missing: Mutex<Vec<String>>,
}

impl Health {
    /// All pipelines are open but those whose sources are missing. Whoever stepped before and is none of these
    /// workers runs no more, and nothing is expected of it.
    pub(super) fn serves(&self, workers: impl IntoIterator<Item = String>, missing: Vec<String>) {
        let now = Instant::now();
        *self.steps.lock().unwrap_or_else(PoisonError::into_inner) =
            workers.into_iter().map(|worker| (worker, now)).collect();
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = missing;
        self.serving.store(true, Ordering::SeqCst);
    }

    pub(super) fn stepped(&self, worker: &str) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        match steps.get_mut(worker) {
            Some(at) => *at = Instant::now(),
            None => drop(steps.insert(worker.to_owned(), Instant::now())),
        }
    }

    /// Who has not stepped for longer.
    fn silent(&self, within: Duration) -> Vec<String> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().filter(|(_, at)| at.elapsed() > within).map(|(worker, _)| worker.clone()).collect()
    }

    fn live(&self) -> Result<(), String> {
        told("stuck", &self.silent(LIVE))
    }

    fn ready(&self, leaving: &Leaving) -> Result<(), String> {
        if leaving.asked() {
            return Err("leaving\n".into());
        }
        if !self.serving.load(Ordering::SeqCst) {
            return Err("starting\n".into());
        }
        told("no answer from the broker", &self.silent(READY))?;
        told("waiting for the source topic", &self.missing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn told(what: &str, workers: &[String]) -> Result<(), String> {
    if workers.is_empty() { Ok(()) } else { Err(format!("{what}: {}\n", workers.join(", "))) }
}

/// Answers on an address, in a thread of its own, until the process ends; gives the address, with the port
/// that the system chose where 0 was asked for.
///
/// # Errors
/// Where nothing can listen there.
pub fn listen(
    address: &str,
    scrape: Scrape,
    health: Arc<Health>,
    leaving: Arc<Leaving>,
) -> Result<SocketAddr, String> {
    let server = Server::http(address).map_err(|error| error.to_string())?;
    let Some(bound) = server.server_addr().to_ip() else { return Err("no address of a network".into()) };
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            let path = request.url().split('?').next().unwrap_or_default();
            let (code, text) = match (request.method(), path) {
                (Method::Get | Method::Head, "/metrics") => (200, scrape.text()),
                (Method::Get | Method::Head, "/livez") => answer(health.live()),
                (Method::Get | Method::Head, "/readyz") => answer(health.ready(&leaving)),
                (Method::Get | Method::Head, _) => (404, "/metrics, /livez and /readyz are here\n".into()),
                _ => (405, "GET only\n".into()),
            };
            let mut response = Response::from_string(text).with_status_code(code);
            let plain = "Content-Type: text/plain; version=0.0.4; charset=utf-8";
            if let Ok(header) = plain.parse::<Header>() {
                response.add_header(header);
            }
            // Whoever asked may have gone.
            let _ = request.respond(response);
        }
    });
    Ok(bound)
}

fn answer(is: Result<(), String>) -> (u16, String) {
    is.map_or_else(|why| (503, why), |()| (200, "ok\n".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_between_the_start_and_the_end() {
        let (health, leaving) = (Health::default(), Leaving::default());
        assert_eq!(health.ready(&leaving), Err("starting\n".into()));
        health.serves(["logs scrub".to_owned()], Vec::new());
        health.stepped("logs scrub");
        assert_eq!((health.ready(&leaving), health.live()), (Ok(()), Ok(())));
        leaving.ask();
        assert_eq!(health.ready(&leaving), Err("leaving\n".into()));
        let silent = health.silent(Duration::ZERO);
        assert_eq!(told("stuck", &silent), Err("stuck: logs scrub\n".into()));
    }

    #[test]
    fn what_a_reload_took_away_is_forgotten() {
        let (health, leaving) = (Health::default(), Leaving::default());
        health.serves(["a scrub".to_owned(), "b scrub".to_owned()], Vec::new());
        health.stepped("b scrub");
        health.serves(["a scrub".to_owned()], vec!["b".to_owned()]);
        assert_eq!(health.silent(Duration::ZERO), ["a scrub"]);
        assert_eq!(health.ready(&leaving), Err("waiting for the source topic: b\n".into()));
        assert_eq!(health.live(), Ok(()));
        health.serves(["a scrub".to_owned()], Vec::new());
        assert_eq!(health.ready(&leaving), Ok(()));
    }
}
