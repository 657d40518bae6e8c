//! The closed lists of words that [`super::safe`] keeps. Lower case, sorted by bytes.

/// What counts, before a number of any size; sorted.
#[rustfmt::skip]
pub(super) const COUNTED: &[&str] = &[
    "ack", "attempt", "attempts", "backlog", "bytes", "capacity", "cmgl", "cmgr", "cmgs", "cmgw",
    "correlation", "count", "cseq", "delay", "delta", "depth", "dropped", "duration", "elapsed", "entries",
    "generation", "goroutines", "heap", "height", "interval", "lag", "latency", "len", "length", "line",
    "lines", "mcc", "mccmnc", "mem", "members", "memory", "mnc", "ms", "netid", "octets", "offset", "page",
    "pages", "parked", "partid", "partition", "parts", "pause", "pending", "pid", "position", "ppid", "pri",
    "prio", "priority", "processed", "progress", "queue", "queued", "rate", "records", "remaining",
    "reqlen", "retries", "retry", "rows", "rss", "rtt", "segment", "segments", "seq", "seqno", "sequence",
    "shard", "simslot", "size", "skipped", "slot", "slots", "ssrc", "step", "tasks", "thread", "threads",
    "throttled", "ticks", "tid", "timeout", "took", "total", "tries", "ttl", "units", "unread", "uptime",
    "usage", "waited", "watermark", "weight", "width", "window", "worker", "workers",
];

/// What counts without bound, before a number that could ring by its length; sorted.
#[rustfmt::skip]
pub(super) const LARGE: &[&str] = &[
    "bytes", "capacity", "correlation", "count", "cseq", "heap", "highwatermark", "length", "mem", "memory",
    "octets", "offset", "position", "rss", "seq", "seqno", "sequence", "size", "ssrc", "ticks", "total",
    "usage", "watermark",
];

/// What a small number may stand behind: a code may stand there too; sorted.
#[rustfmt::skip]
pub(super) const NUMBERED: &[&str] = &[
    "accepted", "code_length", "errno", "error", "errors", "exit", "exited", "failed", "http", "level",
    "max", "min", "rejected", "rt", "sent", "signal", "status",
];

/// What a field's name ends in that holds a number with a unit; sorted.
#[rustfmt::skip]
pub(super) const MEASURES: &[&str] = &[
    "bps", "bytes", "gb", "ghz", "gib", "hours", "hz", "kb", "kbps", "khz", "kib", "mb", "mbps", "mhz",
    "mib", "micros", "microseconds", "millis", "milliseconds", "mins", "minutes", "ms", "msec", "msecs",
    "nanos", "ns", "pct", "percent", "px", "qps", "rpm", "rps", "s", "sec", "seconds", "secs", "tb", "tps",
    "us", "usec",
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
    "a", "abort", "aborted", "aborting", "accept", "accepted", "account", "ack", "acquired", "across",
    "active", "added", "after", "alert", "all", "already", "an", "and", "any", "api", "api-gateway", "app",
    "applied", "approved", "are", "as", "async", "at", "attached", "attempt", "attempts", "back", "backoff",
    "bad", "batch", "be", "because", "been", "before", "begin", "between", "bind", "binding", "block",
    "body", "bound", "breaker", "broadcast", "broker", "buffer", "by", "byte", "bytes", "cache", "call",
    "called", "caller", "can", "cannot", "carrier", "cause", "caused", "certificate", "channel", "chars",
    "charset", "check", "chunk", "circuit", "client", "close", "closed", "cluster", "code", "commit",
    "committed", "complete", "completed", "concat", "config", "conn", "connect", "connected", "connecting",
    "connection", "consumer", "consumers", "container", "content", "controller", "coordinator", "core",
    "correlation", "could", "count", "crash", "created", "crit", "critical", "cron", "current", "daemon",
    "data", "db", "debug", "delay", "delete", "deleted", "deliver", "delivered", "delivery", "delivrd",
    "denied", "detached", "device", "did", "disabled", "disconnect", "disconnected", "dlr", "dns", "does",
    "done", "down", "drain", "drained", "dropped", "due", "duplicate", "during", "edge", "elapsed", "emerg",
    "emergency", "empty", "enabled", "encoding", "end", "ended", "enquire", "enroute", "entries", "error",
    "errors", "event", "evicted", "exceeded", "exception", "exec", "exit", "exited", "exiting", "expired",
    "fail", "failed", "failing", "failure", "false", "fatal", "fetch", "file", "finished", "flush",
    "flushed", "follower", "for", "forbidden", "forked", "found", "frame", "from", "gateway", "gc",
    "generation", "get", "got", "group", "grpc", "gsm", "gw", "half-open", "handle", "handled", "handler",
    "handshake", "haproxy", "has", "have", "head", "header", "headers", "healthy", "heap", "heapdump",
    "heartbeat", "hit", "host", "http", "http2", "https", "id", "idle", "if", "ignored", "ignoring", "imsi",
    "in", "inbound", "index", "info", "init", "input", "instance", "internal", "into", "invalid", "invite",
    "io", "is", "it", "items", "job", "joined", "kafka", "kernel", "key", "killed", "lag", "last",
    "latency", "lb", "leader", "lease", "leased", "left", "length", "level", "limit", "line", "link",
    "list", "listen", "listening", "load", "local", "lock", "locked", "log", "login", "logout", "lost",
    "mail", "main", "main-thread", "match", "max", "members", "memory", "message", "messages", "method",
    "middleware", "migration", "miss", "missing", "mo", "modem", "module", "mongo", "more", "most",
    "mounted", "mt", "multicast", "mysql", "nest", "network", "new", "next", "nginx", "nio", "no", "node",
    "none", "not", "notice", "null", "number", "octet", "octets", "of", "offline", "offset", "offsets",
    "ok", "on", "online", "open", "opened", "operator", "options", "or", "order", "out", "outbound", "over",
    "panic", "panicked", "part", "partition", "partitions", "parts", "password", "patch", "path", "payload",
    "pdu", "pending", "permanent", "pid", "pod", "pool", "port", "post", "postgres", "process", "processed",
    "processing", "producer", "producers", "provider", "proxy", "purge", "put", "query", "queue", "queued",
    "quota", "rabbitmq", "rate", "read", "reading", "ready", "reason", "rebalance", "rebalanced", "receipt",
    "receive", "received", "recent", "reconnect", "records", "redis", "refused", "region", "register",
    "registered", "rejectd", "rejected", "relay", "release", "released", "releasing", "remote", "renewed",
    "replica", "reply", "request", "requests", "reset", "resolve", "resolved", "response", "responses",
    "restart", "result", "retries", "retry", "retryable", "retrying", "return", "returned", "route",
    "router", "row", "rows", "rtp", "running", "rx", "scan", "scheduler", "schema", "seen", "segment",
    "segments", "send", "sending", "sent", "seq", "server", "service", "session", "severe", "shutdown",
    "signal", "signalled", "sim", "sip", "skipped", "skipping", "sleeping", "slept", "slow", "smpp", "sms",
    "smsc", "smsd", "socket", "spawned", "sshd", "ssl", "stabilized", "start", "started", "starting",
    "state", "status", "stderr", "stdin", "stdout", "stop", "stopped", "stream", "string", "submit",
    "success", "successful", "svc", "sync", "synced", "system", "systemd", "table", "task", "tcp",
    "temporary", "terminated", "than", "the", "thread", "thread-pool", "throttle", "throttled", "time",
    "timed", "timeout", "tls", "to", "token", "too", "topics", "total", "trace", "traceback", "transient",
    "true", "try", "tx", "type", "udh", "udp", "unbind", "unbound", "undeliv", "undeliverable",
    "undelivered", "unicast", "unknown", "unlocked", "unreachable", "until", "up", "update", "updated",
    "upstream", "user", "ussd", "valid", "verbose", "verification", "version", "via", "waiting", "wakeup",
    "warn", "warning", "warnings", "was", "webhook", "while", "window", "with", "within", "without", "woke",
    "worker", "worker-thread", "write", "yes", "zone",
];
