//! Traces as text: written, and read back with every line checked.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Header, Record, VERSION};

/// What a trace's text holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// The lines that are known, in order.
    pub records: Vec<Record>,
}

/// Writes a trace.
///
/// ```
/// use costack_engine::trace::{Header, Record, What, read, write};
///
/// let records = [Record { at_ns: 120, what: What::Resume { task: 1, by: 0 } }];
/// let text = write(&Header::new("native"), &records);
/// assert_eq!(read(&text).unwrap().records, records);
///
/// let mistake = read(&text.replace("120", "121")).unwrap_err();
/// assert_eq!(mistake.line, 2);
/// ```
pub fn write<'r>(header: &Header, records: impl IntoIterator<Item = &'r Record>) -> String {
    let mut lines = Lines::default();
    lines.push(header);
    let mut count = 0;
    for record in records {
        lines.push(record);
        count += 1;
    }
    lines.push(&Close {
        word: CLOSE.to_owned(),
        records: count,
    });
    lines.text
}

/// Puts checksums onto the lines of a trace that have none: the header, records and the closing
/// line, each a JSON object. It is for who edits a trace on purpose, and for tests.
pub fn seal<'l>(lines: impl IntoIterator<Item = &'l str>) -> String {
    let mut sealed = Lines::default();
    for line in lines {
        sealed.push_line(line);
    }
    sealed.text
}

/// Reads a trace. Lines whose `do` is unknown are skipped, as a later version may write some.
///
/// # Errors
/// The first mistake and the line it is on: no trace at all, another version, a line that was
/// altered, left out or put in, or a text that was cut.
pub fn read(text: &str) -> Result<Trace, Mistake> {
    let mut reader = Reader {
        rest: text,
        line: 0,
        sum: Sum::default(),
    };
    let header = reader.header()?;
    let mut records = Vec::new();
    let mut count = 0;
    loop {
        let Some(body) = reader.next()? else {
            return Err(reader.mistake(Kind::Cut));
        };
        match reader.parse::<Record>(&body) {
            Ok(record) => records.push(record),
            Err(mistake) => match reader.parse::<Word>(&body)?.word.as_str() {
                CLOSE => {
                    let close: Close = reader.parse(&body)?;
                    return match (close.records == count, reader.rest.is_empty()) {
                        (false, _) => Err(reader.mistake(Kind::Count {
                            said: close.records,
                            found: count,
                        })),
                        (true, false) => {
                            reader.line += 1;
                            Err(reader.mistake(Kind::GoesOn))
                        }
                        (true, true) => Ok(Trace { header, records }),
                    };
                }
                word if KNOWN.contains(&word) => return Err(mistake),
                _ => {}
            },
        }
        count += 1;
    }
}

/// The `do` of the last line.
const CLOSE: &str = "close";

/// What a [`Record`] may do. A line that names one of these and is no record has a mistake in it.
const KNOWN: &[&str] = &[
    "task", "resume", "yield", "block", "wake", "end", "save", "restore", "owner", "print", "fault",
];

/// The last line. It says how many came between it and the header.
#[derive(serde::Serialize, serde::Deserialize)]
struct Close {
    #[serde(rename = "do")]
    word: String,
    records: u64,
}

/// Any line but the header.
#[derive(serde::Deserialize)]
struct Word {
    #[serde(rename = "do")]
    word: String,
}

/// What every line ends in: `,"sum":"0123abcd"}`.
const SUM_BEGINS: &str = ",\"sum\":\"";
const SUM_DIGITS: usize = 8;
const SUM_ENDS: &str = "\"}";
const SUM_BYTES: usize = SUM_BEGINS.len() + SUM_DIGITS + SUM_ENDS.len();

/// A checksum of all lines up to one (FNV-1a with 64 bits, folded to 32). It finds accidents and
/// edits; it does not keep out a forger, who can compute it as well.
struct Sum(u64);

impl Default for Sum {
    fn default() -> Self {
        Sum(0xcbf2_9ce4_8422_2325)
    }
}

impl Sum {
    fn add(&mut self, line: &str) {
        for byte in line.bytes().chain([b'\n']) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn digits(&self) -> String {
        format!("{:08x}", (self.0 ^ (self.0 >> 32)) as u32)
    }
}

/// Lines being written.
#[derive(Default)]
struct Lines {
    text: String,
    sum: Sum,
}

impl Lines {
    fn push(&mut self, line: &impl serde::Serialize) {
        // Every line is a struct of strings and numbers, which cannot fail to be written.
        if let Ok(body) = serde_json::to_string(line) {
            self.push_line(&body);
        }
    }

    fn push_line(&mut self, body: &str) {
        self.sum.add(body);
        self.text.push_str(body.strip_suffix('}').unwrap_or(body));
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{SUM_BEGINS}{}{SUM_ENDS}", self.sum.digits());
    }
}

/// Lines being read.
struct Reader<'t> {
    rest: &'t str,
    /// The line read last, from 1.
    line: u32,
    sum: Sum,
}

impl<'t> Reader<'t> {
    fn mistake(&self, kind: Kind) -> Mistake {
        Mistake {
            line: self.line,
            kind,
        }
    }

    /// The next line without its end, and whether it had one; `None` after the last.
    fn line(&mut self) -> Option<(&'t str, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        match self.rest.split_once('\n') {
            Some((line, rest)) => {
                self.rest = rest;
                Some((line, true))
            }
            None => Some((core::mem::take(&mut self.rest), false)),
        }
    }

    /// The header is understood before its sum is looked at, so that a file that is no trace, or
    /// one of another version, is called so.
    fn header(&mut self) -> Result<Header, Mistake> {
        #[derive(serde::Deserialize)]
        struct Version {
            costack_trace: u32,
        }
        let first = self.rest.split('\n').next().unwrap_or_default();
        self.line = 1;
        let Ok(version) = serde_json::from_str::<Version>(first) else {
            return Err(self.mistake(Kind::NoTrace));
        };
        let found = version.costack_trace;
        if found != VERSION {
            return Err(self.mistake(Kind::Version { found }));
        }
        self.line = 0;
        match self.next()? {
            Some(body) => self.parse(&body),
            None => Err(self.mistake(Kind::NoTrace)),
        }
    }

    /// The next line without its sum, which was right; `None` after the last.
    fn next(&mut self) -> Result<Option<String>, Mistake> {
        let Some((line, has_end)) = self.line() else {
            return Ok(None);
        };
        if !has_end {
            return Err(self.mistake(Kind::CutLine));
        }
        let split = line.len().checked_sub(SUM_BYTES);
        let parts = split.and_then(|at| Some((line.get(..at)?, line.get(at..)?)));
        let digits = parts.and_then(|(_, tail)| {
            tail.strip_prefix(SUM_BEGINS)
                .and_then(|tail| tail.strip_suffix(SUM_ENDS))
        });
        let (Some((body, _)), Some(digits)) = (parts, digits) else {
            return Err(self.mistake(Kind::NoSum));
        };
        let body = format!("{body}}}");
        self.sum.add(&body);
        match self.sum.digits() == digits {
            true => Ok(Some(body)),
            false => Err(self.mistake(Kind::Altered)),
        }
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, body: &str) -> Result<T, Mistake> {
        serde_json::from_str(body).map_err(|error| {
            self.mistake(Kind::Syntax {
                column: error.column() as u32,
                reason: reason(&error),
            })
        })
    }
}

/// What the parser says, without its own place: it sees only one line.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

/// Why a text is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub kind: Kind,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// It is not a trace.
    NoTrace,
    /// It is a trace of another version.
    Version {
        /// Which.
        found: u32,
    },
    /// The line has no checksum.
    NoSum,
    /// The line's checksum is not that of the lines up to it.
    Altered,
    /// The text ends in the middle of the line.
    CutLine,
    /// The text ends after this line, and the closing line is not there.
    Cut,
    /// The closing line counts other lines than there are.
    Count {
        /// How many it counts.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// Something follows the closing line.
    GoesOn,
    /// The line is not what such a line must be, though its checksum is right.
    Syntax {
        /// The column, from 1, in bytes.
        column: u32,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::NoTrace => {
                f.write_str("this is no trace: it does not begin with `costack_trace`")
            }
            Kind::Version { found } => write!(
                f,
                "this is a trace of version {found}; this reader knows version {VERSION}"
            ),
            Kind::NoSum => f.write_str("the line was altered: it does not end in a checksum"),
            Kind::Altered => f.write_str(
                "the line was altered, or lines before it were left out, put in or moved: its \
                 checksum is another",
            ),
            Kind::CutLine => f.write_str("the trace was cut in the middle of this line"),
            Kind::Cut => {
                f.write_str("the trace was cut after this line: the closing line is missing")
            }
            Kind::Count { said, found } => write!(
                f,
                "the closing line counts {said} records, and there are {found}"
            ),
            Kind::GoesOn => f.write_str("something follows the closing line"),
            Kind::Syntax { column, reason } => write!(f, "column {column}: {reason}"),
        }
    }
}

impl core::error::Error for Mistake {}
