//! The only unsafe code: four calls of librdkafka that its Rust wrapper has not, or has too slow.
//!
//! - [`flush`]: the wrapper's `flush` waits in steps of 100 ms, so that every transaction would take at
//!   least that long (median 106 ms against 6 to 29 ms with librdkafka's own).
//! - [`describe`]: the wrapper cannot describe topics, and without their ids a topic that was deleted and
//!   made again cannot be told from the one that our positions mean. Its way to ask for one topic makes the client
//!   keep, and serve every second, all of the topic's partitions.
//! - [`serve`]: the wrapper's `poll` spins for the last millisecond of each wait.
//! - [`headers`]: the wrapper panics at a header name that is not UTF-8, which any client can write.
//!
//! Every pointer that is made here is destroyed here; what is borrowed lives in the argument.
#![allow(unsafe_code)]

use super::error::{of_query, unreachable_after};
use crate::record::Header;
use crate::stage::store::StoreError;
use rdkafka::bindings as native;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::time::Duration;

/// A client, as librdkafka's C interface has it.
type Client = *mut native::rd_kafka_t;

fn millis(duration: Duration) -> c_int {
    c_int::try_from(duration.as_millis()).unwrap_or(c_int::MAX)
}

/// Sends what is queued, now, and waits for its delivery; `false` if it was not done in time. Another
/// thread must serve the producer's events meanwhile (`ThreadedProducer` has one).
pub(super) fn flush(producer: Client, within: Duration) -> bool {
    // SAFETY: the pointer is a living producer's: the caller holds it over the call.
    let code = unsafe { native::rd_kafka_flush(producer, millis(within)) };
    code == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// What [`serve`] takes from a queue.
pub(super) enum Event {
    Log {
        critical: bool,
        facility: String,
        text: String,
    },
    /// Records were not delivered.
    Undelivered,
    /// A failure, which its transaction tells.
    Other,
}

/// Takes one event of a producer, waiting for it at most so long.
pub(super) fn serve(producer: Client, within: Duration, take: &mut dyn FnMut(Event)) {
    // SAFETY: the pointer is a living producer's: the caller holds it over the call. The queue is a reference
    // of our own, the event ours alone, and both are destroyed after their last use; what a log line points to
    // lives as long as its event.
    unsafe {
        let queue = native::rd_kafka_queue_get_main(producer);
        let event = native::rd_kafka_queue_poll(queue, millis(within));
        if !event.is_null() {
            take(read(event));
            native::rd_kafka_event_destroy(event);
        }
        native::rd_kafka_queue_destroy(queue);
    }
}

/// # Safety
/// `event` is an event that is not destroyed yet.
unsafe fn read(event: *mut native::rd_kafka_event_t) -> Event {
    const CRITICAL: c_int = 2;
    let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
    // SAFETY: as the function's. A call that returns 0 has set all three.
    unsafe {
        let kind = native::rd_kafka_event_type(event);
        if kind == native::RD_KAFKA_EVENT_DR {
            return Event::Undelivered;
        }
        if kind != native::RD_KAFKA_EVENT_LOG
            || native::rd_kafka_event_log(event, &mut facility, &mut text, &mut level) != 0
        {
            return Event::Other;
        }
        let owned = |text| CStr::from_ptr(text).to_string_lossy().trim().to_owned();
        Event::Log { critical: level <= CRITICAL, facility: owned(facility), text: owned(text) }
    }
}

/// Ends a [`serve`] that waits.
pub(super) fn wake(producer: Client) {
    // SAFETY: as in `serve`.
    unsafe {
        let queue = native::rd_kafka_queue_get_main(producer);
        native::rd_kafka_queue_yield(queue);
        native::rd_kafka_queue_destroy(queue);
    }
}

/// A message's headers, names as the bytes that they are.
pub(super) fn headers<'m>(message: &'m BorrowedMessage<'_>, into: &mut Vec<Header<'m>>) {
    let mut list = ptr::null_mut();
    // SAFETY: the message is borrowed for 'm, and librdkafka keeps its headers, names and values for as
    // long as the message; `rd_kafka_header_get_all` ends the walk with an error.
    unsafe {
        if native::rd_kafka_message_headers(message.ptr(), &mut list)
            != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
        {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            let code = native::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut size);
            if code != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
            into.push((CStr::from_ptr(name).to_bytes(), value));
        }
    }
}

/// What the cluster says of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub id: String,
    pub partitions: i32,
    /// The fewest replicas that a partition is assigned to.
    pub replicas: usize,
}

/// Topics, in the order of their names; `None` for one that does not exist. Blocks at most `within`.
pub(super) fn describe(
    client: Client,
    topics: &[&str],
    within: Duration,
) -> Result<Vec<Option<Described>>, StoreError> {
    let names: Vec<CString> = topics.iter().filter_map(|name| CString::new(name.as_bytes()).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the client lives over the call, the names are copied by the collection, every object made
    // is destroyed below, and the descriptions are read before their event is.
    unsafe {
        let queue = native::rd_kafka_queue_new(client);
        let collection =
            native::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let options = native::rd_kafka_AdminOptions_new(
            client,
            native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        );
        let mut text = [0 as c_char; 128];
        let limit = millis(within);
        let _ =
            native::rd_kafka_AdminOptions_set_request_timeout(options, limit, text.as_mut_ptr(), text.len());
        native::rd_kafka_DescribeTopics(client, collection, options, queue);
        let event = native::rd_kafka_queue_poll(queue, limit.saturating_add(1000));
        let found = read_topics(event, topics);
        if !event.is_null() {
            native::rd_kafka_event_destroy(event);
        }
        native::rd_kafka_AdminOptions_destroy(options);
        native::rd_kafka_TopicCollection_destroy(collection);
        native::rd_kafka_queue_destroy(queue);
        found
    }
}

/// # Safety
/// `event` is null or the answer to `rd_kafka_DescribeTopics`, not destroyed yet.
unsafe fn read_topics(
    event: *mut native::rd_kafka_event_t,
    topics: &[&str],
) -> Result<Vec<Option<Described>>, StoreError> {
    use native::rd_kafka_resp_err_t::{
        RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    };
    const WHAT: &str = "topics were looked up";
    let silence = || unreachable_after(WHAT);
    // SAFETY: as the function's.
    unsafe {
        if event.is_null() {
            return Err(silence());
        }
        let code = native::rd_kafka_event_error(event);
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(of_query(&KafkaError::Global(code.into()), WHAT));
        }
        let result = native::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err(silence());
        }
        let mut count = 0;
        let list = native::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        let mut found = vec![None; topics.len()];
        for index in 0..count {
            let topic = *list.add(index);
            let name = CStr::from_ptr(native::rd_kafka_TopicDescription_name(topic)).to_bytes();
            let code = native::rd_kafka_error_code(native::rd_kafka_TopicDescription_error(topic));
            if code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED {
                let name = String::from_utf8_lossy(name);
                return Err(StoreError::Refused(format!(
                    "topic `{name}` may not be described; grant DESCRIBE on it"
                )));
            }
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                continue;
            }
            for (place, known) in topics.iter().enumerate() {
                if known.as_bytes() == name
                    && let Some(slot) = found.get_mut(place)
                {
                    *slot = Some(read_topic(topic));
                }
            }
        }
        Ok(found)
    }
}

/// # Safety
/// `topic` is a description without an error, whose event is not destroyed yet.
unsafe fn read_topic(topic: *const native::rd_kafka_TopicDescription_t) -> Described {
    // SAFETY: as the function's; the list has as many entries as it says.
    unsafe {
        let id = native::rd_kafka_Uuid_base64str(native::rd_kafka_TopicDescription_topic_id(topic));
        let id = CStr::from_ptr(id).to_string_lossy().into_owned();
        let mut count = 0;
        let list = native::rd_kafka_TopicDescription_partitions(topic, &mut count);
        let mut replicas = usize::MAX;
        for index in 0..count {
            let mut assigned = 0;
            native::rd_kafka_TopicPartitionInfo_replicas(*list.add(index), &mut assigned);
            replicas = replicas.min(assigned);
        }
        Described { id, partitions: i32::try_from(count).unwrap_or(i32::MAX), replicas }
    }
}
