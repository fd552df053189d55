//! The canonical request: the one text that client and server both make of a request, and whose hash is signed.

use sha2::digest::Update;

use crate::percent::{self, Malformed};
use crate::presigned::SIGNATURE;
use crate::request::{any, cut, parts, same_name};
use crate::{Form, MOST_HEADERS, Presented, Reason, Request, Style};

/// Something that takes bytes, one piece after the other.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
    fn byte(&mut self, byte: u8);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn byte(&mut self, byte: u8) {
        self.push(byte);
    }
}

/// Gathers small pieces and hashes them together. What is left in the end is hashed by [`Hashing::flush`].
pub(crate) struct Hashing<'h, D: Update, const N: usize> {
    hash: &'h mut D,
    buffer: [u8; N],
    used: usize,
}

impl<'h, D: Update, const N: usize> Hashing<'h, D, N> {
    pub(crate) fn new(hash: &'h mut D) -> Self {
        Hashing { hash, buffer: [0; N], used: 0 }
    }

    pub(crate) fn flush(&mut self) {
        self.hash.update(self.buffer.get(..self.used).unwrap_or_default());
        self.used = 0;
    }

    #[cold]
    fn make_room_for(&mut self, bytes: &[u8]) {
        self.flush();
        if bytes.len() < N { self.put(bytes) } else { self.hash.update(bytes) }
    }
}

impl<D: Update, const N: usize> Sink for Hashing<'_, D, N> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        let Some(room) = self.buffer.get_mut(self.used..end) else { return self.make_room_for(bytes) };
        room.copy_from_slice(bytes);
        self.used = end;
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        let Some(room) = self.buffer.get_mut(self.used) else { return self.make_room_for(&[byte]) };
        *room = byte;
        self.used += 1;
    }
}

/// Which of a request's headers are signed, by their place in it.
#[derive(Default)]
pub(crate) struct Signed([u64; MOST_HEADERS / 64]);

impl Signed {
    fn add(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    pub(crate) fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}

/// What was noticed while writing.
#[derive(Default)]
pub(crate) struct Noticed {
    pub(crate) signed: Signed,
    /// A signed header was not sent.
    pub(crate) absent: bool,
    pub(crate) host: bool,
}

/// Writes the canonical request. `content` is its last line.
pub(crate) fn write(sink: &mut impl Sink, request: &Request<'_>, presented: &Presented<'_>, content: &[u8]) -> Result<Noticed, Reason> {
    let method = request.method;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(Reason::Method);
    }
    sink.put(method.as_bytes());
    sink.byte(b'\n');
    path(sink, request.path(), presented.style).map_err(|Malformed| Reason::Uri)?;
    sink.byte(b'\n');
    let sent = request.query();
    if !sent.is_empty() {
        query(sink, sent, presented.form).map_err(|Malformed| Reason::Uri)?;
    }
    sink.byte(b'\n');
    let noticed = headers(sink, request, &presented.signed_headers)?;
    sink.byte(b'\n');
    sink.put(presented.signed_headers.as_bytes());
    sink.byte(b'\n');
    sink.put(content);
    Ok(noticed)
}

fn path(sink: &mut impl Sink, path: &str, style: Style) -> Result<(), Malformed> {
    if path == "/" {
        sink.byte(b'/');
        return Ok(());
    }
    if !path.starts_with('/') {
        return Err(Malformed);
    }
    match style {
        Style::S3 => percent::write_encoded(sink, path, b'/'),
        Style::Aws => normalized(sink, path),
    }
}

/// Without empty and dot segments, and percent-encoded on top of whatever encoding it has.
fn normalized(sink: &mut impl Sink, path: &str) -> Result<(), Malformed> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    for segment in &segments {
        sink.byte(b'/');
        percent::write_raw(sink, segment)?;
    }
    if segments.is_empty() || path.ends_with('/') {
        sink.byte(b'/');
    }
    Ok(())
}

/// How many parameters are sorted without asking for memory.
const FEW: usize = 24;

#[inline(never)]
fn query(sink: &mut impl Sink, query: &str, form: Form) -> Result<(), Malformed> {
    let presigned = matches!(form, Form::Query { .. });
    let pairs = parts(query, b'&').map(|pair| cut(pair, b'=').unwrap_or((pair, ""))).filter(|(name, _)| !presigned || *name != SIGNATURE);
    let mut few = [("", ""); FEW];
    let mut many = Vec::new();
    let sorted = if memchr::memchr_iter(b'&', query.as_bytes()).count() < FEW {
        let mut count = 0;
        for (place, pair) in few.iter_mut().zip(pairs) {
            *place = pair;
            count += 1;
        }
        few.get_mut(..count).unwrap_or_default()
    } else {
        many.extend(pairs);
        many.as_mut_slice()
    };
    // As clients write queries there is nothing to encode and nothing to decode for the order.
    if percent::is_settled(query.as_bytes(), *b"&=") && sorted.iter().all(|(_, value)| memchr::memchr(b'=', value.as_bytes()).is_none()) {
        sorted.sort_unstable();
        for (place, (name, value)) in sorted.iter().enumerate() {
            if place > 0 {
                sink.byte(b'&');
            }
            sink.put(name.as_bytes());
            sink.byte(b'=');
            sink.put(value.as_bytes());
        }
        return Ok(());
    }
    sorted.sort_unstable_by(|left, right| percent::compare(left.0, right.0).then_with(|| percent::compare(left.1, right.1)));
    for (place, (name, value)) in sorted.iter().enumerate() {
        if place > 0 {
            sink.byte(b'&');
        }
        // No byte is kept beyond those that are never encoded.
        percent::write_encoded(sink, name, b'~')?;
        sink.byte(b'=');
        percent::write_encoded(sink, value, b'~')?;
    }
    Ok(())
}

fn headers(sink: &mut impl Sink, request: &Request<'_>, signed_headers: &str) -> Result<Noticed, Reason> {
    let odd = |byte: u8| byte.is_ascii_uppercase() | (byte <= b' ') | (byte >= 0x7f) | (byte == b':') | (byte == b',');
    if any(signed_headers.as_bytes(), odd) {
        return Err(Reason::SignedHeaders);
    }
    let mut noticed = Noticed::default();
    let mut before = "";
    for name in parts(signed_headers, b';') {
        if !before.bytes().lt(name.bytes()) {
            return Err(Reason::SignedHeaders);
        }
        before = name;
        noticed.host |= name == "host";
        sink.put(name.as_bytes());
        sink.byte(b':');
        let mut times = 0;
        for (place, (sent, value)) in request.headers.iter().enumerate() {
            if same_name(sent, name) {
                if times > 0 {
                    if !is_a_list(name) {
                        return Err(Reason::Repeated { name: name.into() });
                    }
                    sink.byte(b',');
                }
                trimmed(sink, value).map_err(|Malformed| Reason::Header { name: name.into() })?;
                noticed.signed.add(place);
                times += 1;
            }
        }
        noticed.absent |= times == 0;
        sink.byte(b'\n');
    }
    Ok(noticed)
}

/// Whether a header may come in several lines, which are then signed as one value with commas. Not where it decides what a request does:
/// two readers could take two of its values.
fn is_a_list(name: &str) -> bool {
    match name {
        "authorization" | "content-encoding" | "content-length" | "content-md5" | "content-type" | "date" | "host" | "range" => false,
        // Lists, which some clients send one element a line.
        "x-amz-object-attributes" | "x-amz-optional-object-attributes" => true,
        _ => !name.starts_with("x-amz-") || name.starts_with("x-amz-meta-"),
    }
}

/// Writes a header's value without blanks at its ends, and one space for each run of blanks inside.
fn trimmed(sink: &mut impl Sink, value: &[u8]) -> Result<(), Malformed> {
    if !any(value, |byte| (byte <= b' ') | (byte == 0x7f)) {
        sink.put(value);
        return Ok(());
    }
    if value.iter().any(|byte| *byte < b' ' && *byte != b'\t' || *byte == 0x7f) {
        return Err(Malformed);
    }
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if place > 0 {
            sink.byte(b' ');
        }
        sink.put(word);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
