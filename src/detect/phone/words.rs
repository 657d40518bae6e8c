//! Words beside a number that say that it is, or is not, a telephone number. Lower case.

use crate::detect::word_list::WordList;

/// What a word in front of digits says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A telephone's own word: `msisdn`, `телефон`.
    Phone,
    /// `number`, `nr`: says something only together with the word before it.
    Number,
    /// `to`, `from`, `für`: a person or a number may follow.
    Preposition,
    /// `is`, `the`: says nothing, the word before it may.
    Filler,
    /// What follows is some other number: an order, an offset, a size.
    Other,
    Unknown,
}

#[rustfmt::skip]
static PHONE: WordList = WordList::new(&[
    "addr_to", "anruf", "anrufer", "answered", "appel", "appelant", "callback", "called", "callee", "caller",
    "callerid", "calling", "celular", "celulares", "cellphone", "cell", "cellulare", "chiamata", "contacto",
    "destinataire", "destinatario", "destination", "destination_addr", "recipient_id", "dial", "dialed", "dialled", "dialing", "dnis", "ani",
    "empfänger", "fax", "fono", "gsm", "handy", "handynummer", "hotline", "llamada", "llamar", "llámame", "mob", "mobil",
    "mobile", "mobiltelefon", "mobilnummer", "movil", "msisdn", "móvil", "originator", "phone", "phones", "phonenumber",
    "ponsel", "portable", "receiver", "recipient", "recipients", "rufnummer", "sender", "source_addr", "subscriber",
    "tel", "telefon", "telefone", "telefono", "telefonnummer", "telefonnr", "telefoon", "telefoonnummer", "telephone",
    "telp", "teléfono", "tlf", "tlp", "téléphone", "viber", "wa", "wa_id", "waid", "whatsapp", "sđt", "điện thoại", "gọi",
    "номер телефона", "тел", "телефон", "телефона", "телефону", "моб", "мобильный", "абонент", "абонента", "абоненту",
    "звонок", "τηλ", "τηλέφωνο", "κινητό", "nomor", "telepon", "telefonu", "numarası", "nummer", "numeri",
    "puhelin", "telefonszám", "telefonszáma", "komórka", "komórkowy", "zadzwoń", "zadzwon", "appelez", "rappelle", "llama",
    "ligue", "ligar", "chiama", "chiamami", "arayın",
]);

#[rustfmt::skip]
static NUMBER: WordList = WordList::new(&[
    "broj", "no", "nombor", "nr", "num", "numara", "number", "numbers", "numer", "numero", "numéro", "número", "nº", "n°", "num.",
    "číslo", "номер", "номера", "номеру", "αριθμός", "szám", "số", "telf", "contact",
]);

#[rustfmt::skip]
static PREPOSITION: WordList = WordList::new(&[
    "a", "al", "an", "at", "aan", "by", "ca", "chez", "con", "da", "dal", "de", "del", "do", "dla", "els", "et", "for", "from",
    "för", "för", "für", "bei", "unter", "kepada", "dari", "ke", "ki", "ku", "na", "naar", "od", "op", "para", "pe", "per",
    "pentru", "por", "pour", "pro", "på", "pod", "sur", "till", "til", "fra", "från", "to", "u", "van", "via", "vers", "voor",
    "von", "with", "za", "à", "au", "cho", "từ", "đến", "tới", "для", "до", "від", "на", "от", "по", "з", "с", "к", "από",
    "προς", "στο", "για", "deliver", "delivered", "sent", "send", "notify", "notified", "verify", "user", "client",
    "customer", "member", "peer", "addr", "destino", "origen", "sms", "смс", "bel", "ara", "kunde", "cliente", "usuario", "utilisateur", "jid", "chat",
]);

#[rustfmt::skip]
static FILLER: WordList = WordList::new(&[
    "is", "was", "are", "the", "der", "die", "das", "el", "la", "le", "il", "o", "os", "es", "ist", "est", "был", "=", "my",
    "your", "our", "invalid", "new", "old", "unknown", "unverified", "valid", "wrong", "bad", "this", "that", "me", "us",
]);

#[rustfmt::skip]
static OTHER: WordList = WordList::new(&[
    "account_balance", "amount", "asn", "attempt", "balance", "batch", "block", "build", "byte", "bytes", "campaign",
    "card", "checksum", "chunk", "code", "commit", "conn", "connection", "count", "date", "delay", "depth", "device",
    "duration", "elapsed", "epoch", "error", "errno", "exit", "expires", "fid", "frame", "gen", "generation", "hash", "height",
    "id", "ids", "imei", "imsi", "index", "invoice", "iccid", "job", "key", "lag", "latency", "length", "len", "limit", "line",
    "mid", "msgid", "messageid", "message-id", "nonce", "ns", "object", "offset", "offsets", "order", "orders", "pos", "page",
    "parcel", "partition", "pedido", "pid", "ping", "pkt", "port", "position", "price", "process", "queue", "rate", "record",
    "records", "ref", "reference", "release", "request", "requests", "retry", "revision", "rid", "round", "rows", "sample",
    "segment", "seq", "seqno", "sequence", "serial", "session", "size", "slot", "smpp-msgid", "span", "ssrc", "stamp", "step",
    "stream", "submit", "done", "task", "tid", "thread", "ticket", "tick", "time", "timeout", "timestamp", "token", "total",
    "tracking", "trace", "transaction", "ts", "ttl", "tx", "txn", "uid", "unix", "uptime", "value", "ver", "version", "waited",
    "took", "xid", "zip", "postcode", "plz", "bestellung", "rechnung", "commande", "facture", "factura", "заказ",
    "заказа", "счёт", "счет", "offset=", "hwm", "lsn", "scn", "txid", "iteration", "epoch_ms", "node", "inode", "address",
    "sum", "crc", "vin", "iban", "account", "konto", "acct", "waba_id", "phone_number_id", "msg", "event", "shard", "cursor",
]);

/// Words of scripts written without spaces, or with particles glued on: looked for at the end of what
/// stands before the digits.
#[rustfmt::skip]
const PHONE_ENDINGS: &[&str] = &[
    "电话", "電話", "手机", "手機", "手机号", "手機號", "手机号码", "手機號碼", "电话号码", "電話番号", "携帯", "携帯番号", "号码", "號碼",
    "联系方式", "致电", "拨打", "收件人", "发件人", "收信人", "전화", "전화번호", "휴대폰", "휴대전화", "핸드폰", "연락처", "번호", "수신자", "발신자",
    "โทร", "โทรศัพท์", "เบอร์", "เบอร์โทร", "มือถือ", "หมายเลข", "هاتف", "الهاتف", "جوال", "الجوال", "موبايل", "تلفون", "رقم", "الرقم", "اتصل بي",
    "تلفن", "موبایل", "شماره", "טלפון", "נייד", "מספר", "फोन", "फ़ोन", "मोबाइल", "नंबर", "ফোন", "মোবাইল", "নম্বর", "தொலைபேசி",
    "ఫోన్", "ફોન", "ਫ਼ੋਨ", "ტელეფონი", "ნომერი", "հեռախոս", "ስልክ", "ဖုန်း", "ទូរស័ព្ទ", "ໂທລະສັບ", "утас", "နံပါတ်",
];

#[rustfmt::skip]
const PREPOSITION_ENDINGS: &[&str] = &[
    "到", "给", "給", "至", "发送到", "发送至", "從", "从", "由", "向", "用户", "客户", "用戶", "إلى", "الى", "من", "على", "به", "از", "אל",
    "ל", "מ", "ถึง", "จาก", "ไปยัง", "에게", "로", "から", "宛", "へ",
];

/// What may follow a number and shows that it is a telephone's.
#[rustfmt::skip]
static AFTER: WordList = WordList::new(&[
    "is not a valid phone", "is not a valid number", "is not a valid mobile", "is not a mobile", "is not a phone",
    "is not on whatsapp", "not on whatsapp", "is not registered on whatsapp", "is unverified", "is not reachable",
    "is unreachable", "is not a valid whatsapp", "has opted out", "opted out", "unsubscribed", "is blacklisted",
    "is invalid", "numarasından", "numarasına", "numaralı telefon", "numarasını", "पर फोन", "पर कॉल", "पर एसएमएस", "に電話", "へ電話",
    "まで電話", "に発信", "로 전화", "번으로", "으로 문자", "로 문자", "に送信", "宛に",
]);

/// Segments of a URL's path that a number follows.
#[rustfmt::skip]
static PATH: WordList = WordList::new(&[
    "call", "calls", "contact", "contacts", "lookup", "lookups", "mobile", "mobiles", "msisdn", "number", "numbers", "otp",
    "phone", "phonenumber", "phonenumbers", "phone_numbers", "phone-numbers", "phones", "recipient", "recipients", "send", "sms", "subscriber",
    "subscribers", "hlr", "mnp", "imsi-lookup", "carrier", "telefon", "telefono", "telefonos", "telefone", "telefones", "telephone",
    "numero", "numeros", "nummer", "nummern", "numer", "nomor", "celular", "movil", "handy", "rufnummer", "destinatario", "destinataire", "destinations",
    "kontakt", "kontakte", "contacto", "contactos", "contato", "abonent", "telefonnummer", "optout", "opt-out", "optouts", "blacklist", "blocklist", "dnc",
    "msisdns", "unsubscribe", "is-registered", "onwhatsapp", "exists", "senders", "tel", "text", "to", "validate", "verifications", "verify", "wa", "wa.me", "whatsapp", "chat", "chats",
]);

/// Words that stand right against the digits: `tel14155550132`, `session_14155550132`.
#[rustfmt::skip]
static GLUED: WordList = WordList::new(&[
    "auth", "baileys", "cell", "client", "creds", "fax", "mob", "mobile", "msisdn", "num", "phone", "session", "sms", "tel", "telefon",
    "to", "wa", "whatsapp",
]);

/// Units behind a number, glued or after a space.
#[rustfmt::skip]
static UNITS: WordList = WordList::new(&[
    "b", "bit", "bits", "bps", "byte", "bytes", "chars", "days", "ep", "errors", "eur", "events", "files", "gb", "gib", "h",
    "hits", "hours", "hz", "items", "kb", "kib", "kbps", "keys", "khz", "lines", "recipients", "subscribers", "contacts", "users", "m", "mb", "mbps", "messages", "mhz", "mib",
    "microseconds", "milliseconds", "millis", "min", "minutes", "ms", "msec", "msecs", "msgs", "nanos", "nanoseconds", "ns", "objects",
    "octets", "ops", "packets", "px", "records", "req", "requests", "rows", "s", "sec", "seconds", "secs", "tb", "times", "tokens",
    "tries", "units", "us", "usd", "usec", "µs", "μs", "мс", "сек", "байт", "秒", "毫秒", "字节", "元", "円", "원", "€", "$", "£", "%", "‰", "°",
]);

/// The meaning of a word, given in lower case.
pub(super) fn meaning(word: &str) -> Word {
    let joint = word.bytes().rposition(|byte| matches!(byte, b'_' | b'-' | b'.'));
    let last = joint.and_then(|at| word.get(at + 1..));
    for candidate in [Some(word), last].into_iter().flatten() {
        for (words, meaning) in [
            (&OTHER, Word::Other),
            (&PHONE, Word::Phone),
            (&NUMBER, Word::Number),
            (&PREPOSITION, Word::Preposition),
            (&FILLER, Word::Filler),
        ] {
            if words.holds(candidate.as_bytes()) {
                return meaning;
            }
        }
    }
    if word.is_ascii() {
        return Word::Unknown;
    }
    // Particles of Japanese and Korean between the word and the digits.
    let word = word.trim_end_matches(['は', 'が', 'を', 'の', '는', '은', '를', '을', '가', '이']);
    if word.is_ascii() {
        Word::Unknown
    } else if PHONE_ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        Word::Phone
    } else if PREPOSITION_ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        Word::Preposition
    } else {
        Word::Unknown
    }
}

/// Prepositions that, as a field's name (`to=…`, `from:…`), say who sends or gets a message.
pub(super) fn is_direction(lower: &str) -> bool {
    matches!(lower, "to" | "from")
}

/// Verbs that, with a preposition behind them, say who gets or sent a message: `Sent to …`.
#[rustfmt::skip]
static SENDING: WordList = WordList::new(&[
    "sent", "send", "sends", "sending", "deliver", "delivered", "delivering", "delivery", "text", "texted", "sms", "message", "messaged",
    "call", "called", "calls", "calling", "dialing", "dialled", "dialed", "forward", "forwarded", "forwarding", "submit", "submitted", "received",
    "receive", "receiving", "reply", "replied", "inbound", "outbound", "incoming", "outgoing", "enviado", "enviada", "enviando", "enviar", "envío",
    "envio", "recibido", "recebido", "mensaje", "mensagem", "llamada", "gesendet", "versendet", "senden", "empfangen", "zugestellt", "nachricht",
    "envoyé", "envoi", "envoye", "reçu", "livré", "inviato", "invio", "ricevuto", "messaggio", "verzonden", "ontvangen", "bericht", "wysłano",
    "wyslano", "wysłany", "odebrano", "wiadomość", "odesláno", "odoslané", "zpráva", "poslano", "poruka", "отправлено", "отправка", "отправлен",
    "доставлено", "получено", "сообщение", "смс", "надіслано", "gönderildi", "gonderildi", "mesaj", "dikirim", "terkirim", "dihantar", "pesan",
    "gửi", "skickat", "skickades", "sendt", "sendte", "mottatt", "mottaget", "lähetetty", "lahetetty", "elküldve", "trimis", "imetumwa", "naipadala",
    "εστάλη",
]);

/// Prepositions that lead to somebody: `al número …`, `на номер …`.
pub(super) fn is_towards(lower: &str) -> bool {
    matches!(
        lower,
        "al" | "a"
            | "to"
            | "an"
            | "au"
            | "ao"
            | "para"
            | "na"
            | "på"
            | "till"
            | "til"
            | "ke"
            | "kepada"
            | "на"
            | "к"
            | "do"
            | "pe"
            | "aan"
            | "naar"
            | "for"
            | "from"
            | "desde"
            | "von"
            | "с"
            | "от"
            | "από"
            | "στο"
    )
}

pub(super) fn is_sending(lower: &str) -> bool {
    SENDING.holds(lower.as_bytes())
}

pub(super) fn is_path(word: &str) -> bool {
    PATH.holds(word.as_bytes())
}

pub(super) fn is_glued(word: &str) -> bool {
    GLUED.holds(word.as_bytes())
}

/// Whether a text may do what [`follows_phone`] asks for; its letters need not be small.
pub(super) fn may_follow_phone(text: &[u8]) -> bool {
    text.first().is_some_and(|first| AFTER.begins_with(*first))
}

/// Whether the text that follows a number begins with words that only follow telephones.
pub(super) fn follows_phone(lower: &str) -> bool {
    AFTER.beginning(lower.as_bytes()).is_some()
}

pub(super) fn is_unit(lower: &str) -> bool {
    UNITS.holds(lower.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_lower_case_and_mean_one_thing() {
        let all = [&OTHER, &PHONE, &NUMBER, &PREPOSITION, &FILLER, &PATH, &GLUED, &UNITS, &AFTER];
        for word in all.into_iter().flat_map(|list| list.words()) {
            assert_eq!(*word, word.to_lowercase());
        }
        assert_eq!(meaning("dst_msisdn"), Word::Phone);
        assert_eq!(meaning("order-number"), Word::Number);
        assert_eq!(meaning("phone_number_id"), Word::Other);
        assert_eq!(meaning("请拨打电话"), Word::Phone);
        assert_eq!(meaning("发送到"), Word::Preposition);
        assert_eq!(meaning("abc"), Word::Unknown);
    }
}
