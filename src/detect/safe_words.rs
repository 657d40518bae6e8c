//! The closed lists of words that [`super::safe`] keeps. Lower case, sorted by bytes.

/// What counts, before a number; sorted.
#[rustfmt::skip]
pub(super) const COUNTED: &[&str] = &[
    "accepted", "ack", "attempt", "attempts", "backlog", "bytes", "count", "cseq", "delay", "depth",
    "dropped", "duration", "elapsed", "error", "errors", "failed", "file", "height", "http", "in",
    "interval", "lag", "latency", "len", "length", "level", "limit", "line", "max", "mcc", "mccmnc",
    "mem", "min", "mnc", "ms", "octets", "of", "offset", "page", "partition", "parts", "pending", "pid",
    "position", "pri", "priority", "progress", "queue", "rate", "remaining", "retries", "retry", "rows",
    "rss", "rt", "segments", "seq", "sequence", "shard", "size", "slot", "status", "step", "thread",
    "throttled", "tid", "time", "timeout", "took", "total", "tries", "ttl", "units", "uptime", "weight",
    "width", "within", "worker",
];

/// What a number is a number of, behind it; sorted.
#[rustfmt::skip]
pub(super) const UNITS: &[&str] = &[
    "%", "attempts", "b", "bps", "byte", "bytes", "characters", "chars", "connections", "cores", "d",
    "day", "days", "entries", "errors", "events", "fps", "gb", "gib", "h", "hour", "hours", "hz", "items",
    "kb", "kbps", "keys", "kib", "kilobytes", "lines", "m", "mb", "mbps", "messages", "mhz", "mib",
    "microseconds", "milliseconds", "min", "mins", "minute", "minutes", "ms", "msec", "msgs",
    "nanoseconds", "ns", "octets", "packets", "pages", "partitions", "parts", "px", "records", "requests",
    "retries", "rows", "rpm", "rps", "s", "sec", "second", "seconds", "secs", "segments", "tb", "threads",
    "times", "tries", "us", "usec", "workers", "µs", "μs",
];

/// What announces a version; sorted.
#[rustfmt::skip]
pub(super) const VERSION_WORDS: &[&str] = &[
    "agent", "app", "build", "driver", "firmware", "kernel", "release", "rev", "sdk", "v", "ver",
    "version",
];

/// Words that logs are made of: methods, levels, states, verbs, prepositions, nouns of systems; sorted.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "a", "abort", "aborted", "accept", "accepted", "account", "ack", "across", "active", "added", "after",
    "alert", "all", "already", "an", "and", "any", "api", "app", "approved", "are", "as", "at", "attempt",
    "attempts", "back", "bad", "batch", "be", "because", "been", "before", "begin", "between", "block",
    "body", "broker", "by", "bytes", "cache", "call", "called", "caller", "can", "cannot", "carrier",
    "caused", "channel", "check", "client", "close", "closed", "code", "commit", "committed", "complete",
    "completed", "config", "connect", "connected", "connecting", "connection", "consumer", "core",
    "could", "count", "crash", "created", "critical", "current", "data", "db", "debug", "delay", "delete",
    "deleted", "delivered", "delivrd", "denied", "device", "did", "disabled", "disconnect",
    "disconnected", "does", "done", "down", "dropped", "due", "duplicate", "during", "elapsed", "empty",
    "enabled", "end", "ended", "enroute", "error", "event", "exception", "exec", "exit", "exited",
    "expired", "fail", "failed", "failing", "failure", "false", "fatal", "fetch", "file", "finished",
    "for", "forbidden", "found", "from", "gateway", "get", "got", "group", "handler", "has", "have",
    "head", "healthy", "heartbeat", "host", "http", "https", "id", "idle", "if", "ignored", "in",
    "inbound", "info", "init", "input", "internal", "into", "invalid", "invite", "is", "it", "job",
    "kafka", "key", "lag", "last", "latency", "left", "level", "limit", "line", "link", "list", "load",
    "local", "lock", "log", "login", "logout", "lost", "main", "match", "max", "memory", "message",
    "messages", "missing", "module", "more", "most", "network", "new", "next", "no", "node", "none",
    "not", "notice", "null", "number", "of", "offline", "offset", "ok", "on", "online", "open", "opened",
    "options", "or", "order", "out", "outbound", "over", "panicked", "partition", "password", "patch",
    "path", "pending", "pid", "port", "post", "process", "processed", "processing", "producer",
    "provider", "purge", "put", "queue", "queued", "rate", "read", "reading", "ready", "receipt",
    "receive", "received", "recent", "reconnect", "refused", "register", "registered", "rejectd",
    "rejected", "release", "remote", "reply", "request", "requests", "reset", "response", "restart",
    "result", "retry", "retrying", "return", "returned", "route", "running", "seen", "segments", "send",
    "sending", "sent", "seq", "server", "service", "session", "severe", "shutdown", "sms", "smsc",
    "start", "started", "starting", "state", "status", "stop", "stopped", "success", "successful",
    "system", "task", "than", "the", "thread", "throttled", "time", "timed", "timeout", "to", "token",
    "too", "total", "trace", "traceback", "true", "try", "type", "undeliv", "unknown", "until", "up",
    "update", "updated", "upstream", "user", "valid", "verbose", "verification", "version", "via",
    "waiting", "was", "webhook", "while", "with", "within", "without", "worker", "write", "yes",
];
