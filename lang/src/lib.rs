//! The scenario language of Costack: text to checked program, with diagnostics.
//!
//! ```
//! let text = r#"
//! scenario "hello"
//! stack S shared 4096
//! task A on S = greet(2)
//! fn greet(n) {
//!     while n > 0 {
//!         print "hello", n
//!         yield
//!         n = n - 1
//!     }
//! }
//! main {
//!     while alive(A) { resume A }
//! }
//! "#;
//! let program = costack_lang::parse("hello.costack", text).unwrap();
//! assert_eq!(program.tasks[0].name.text, "A");
//!
//! let mistakes = costack_lang::parse("typo.costack", &text.replace("greet(2)", "gret(2)")).unwrap_err();
//! let mistake = mistakes.iter().next().unwrap();
//! assert_eq!((mistake.line(), mistake.column()), (4, 15));
//! assert_eq!(mistake.message(), "there is no function `gret`");
//! assert_eq!(mistake.help().as_deref(), Some("did you mean `greet`?"));
//! ```
//!
//! [`parse()`] gives a [`Program`], whose names are indices, or all mistakes at once as
//! [`Diagnostics`], which know their places and [render](Diagnostics::render) themselves.
//! [`format`](format()) writes a program back. [`colour`] tells what each piece of a text is. With the feature `generate`, `generate` writes random
//! programs for comparing backends.
//!
//! There is no I/O here, no clock, no thread and no unsafe code; it runs in WebAssembly as well.
//! No text makes it panic, overflow a stack of 512 KiB or take more than linear time.
//!
//! # The language in full
//!
//! What follows settles what a table of statements leaves open.
//!
//! ## Text
//!
//! - A text is UTF-8, of at most [`MAX_FILE_BYTES`]; a byte order mark at its start is skipped. A
//!   line ends at `\n`. `#` begins a comment.
//! - A statement or declaration ends with its line, at `;`, before `}` or behind its own `}`.
//!   Inside `(` and `[` lines go on. `{` may stand on the next line; `else` may, too.
//! - Names are ASCII letters, digits and `_`. The words of the language are reserved, but for those
//!   that have a meaning in one place only (`shared own on fp us ms nearest up down zero queue group
//!   work`, the names of ISAs).
//! - Integers: `123`, `1_000`, `0xff`, `'a'` (the character's number). A decimal has to fit a
//!   signed word of 64 bits; others are patterns of 64 bits, so `0xffff_ffff_ffff_ffff` is -1. On 32
//!   bits the low half counts; [`Program::check_literals`] refuses what does not fit 32 bits.
//! - Escapes in strings and characters: `\n \t \\ \" \'`, `\u{…}`, and a backslash at the end
//!   of a line, which leaves out the line's end and the blanks the next line begins with.
//! - Blocks and expressions nest at most [`MAX_NESTING`] deep, together: `if` in `if`, parentheses
//!   in parentheses, and operators on operators, so that a sum of 202 terms is too deep. An
//!   `else if` nests like an `if` in an `else`.
//!
//! ## Declarations
//!
//! - Stacks, tasks, globals, mutexes, events, channels, wait queues, groups, work queues and
//!   functions share one set of names, known in the whole file. `scenario` comes first.
//! - A global's value and the arguments of a declared task are constant: literals and operators,
//!   computed at the width of the machine.
//! - Bounds: [`MIN_STACK_BYTES`] to [`MAX_STACK_BYTES`], [`MAX_TASKS`], 1 to
//!   [`MAX_CHANNEL_CAPACITY`], arrays of 1 to [`MAX_ARRAY_WORDS`], [`MAX_PARAMS`], and the locals of
//!   a function have to fit the largest stack at 64 bits.
//! - `switch` text goes to the `}` that balances its `{`. Braces in strings and in comments (`//`,
//!   `/* */`, `#`) do not count. On aarch64, where `#` also begins an immediate, it begins a comment
//!   only as the first sign of a line. One text per ISA.
//!
//! ## Names and places
//!
//! - `let` begins the scope of a word or an array, up to the end of its block; its value cannot use
//!   it. Another `let` of the name hides the first, as in Rust, and is a local of its own. Locals
//!   hide declarations.
//! - A `let` without array is initialised when it runs. An array is uninitialised each time its
//!   `let` runs. Parameters are words like others and can be assigned to.
//! - A bare array is no value: write `a[0]` or `&a[0]`. `a[i]` is not checked by the language: the
//!   simulator accesses what is there, others may report a fault. Elements are a word apart,
//!   ascending; addresses count bytes.
//! - `&` applies to `x`, `a[i]` and `*p` (which gives `p`), `x` being a local, a parameter or a
//!   global. `*` applies to any word.
//!
//! ## Evaluation
//!
//! - Everything is evaluated in the order in which it is written: operands, arguments, the place
//!   before the value in `a[i] = v`, the items of `print`. `and` and `or` leave their right operand
//!   alone when the left decides. All items of a `print` are evaluated before its line is printed.
//! - Words wrap. `/` and `%` round towards zero; the smallest word divided by -1 is itself, with
//!   remainder 0. Shifts take their count modulo the width; `>>` keeps the sign. Comparisons are
//!   signed, give 0 or 1, and do not chain. `not`, `-`, `*` and `&` before an operand bind tightest:
//!   `not a == b` is `(not a) == b`. [`BinaryOp::apply`](syntax::BinaryOp::apply) and its like are this
//!   arithmetic.
//! - A function that ends without `return` gives 0. Recursion is allowed.
//!
//! ## Tasks
//!
//! - `main` is no task: `yield` cannot stand in it, and reached by a function that `main` calls it
//!   is a fault. A statement of `main` that has to wait lets the started tasks run until it need
//!   not; if none of them can, that is a deadlock. `exit` and `return` in `main` end it, and with it
//!   the program. `run` stands only in `main` itself, not in functions.
//! - `self()` is 0 in `main`, 1 for the first declared task, and goes on with the other declared
//!   ones and then with spawned ones in the order in which they are made.
//! - `spawn NAME on STACK [fp] = f(args)` introduces NAME in the whole file. Several `spawn` may
//!   use one name, but no declaration. Each time it runs it makes and starts another task, and the
//!   name refers to that one from then on. Before the first, `alive(NAME)` is 0 and other uses are
//!   faults.
//! - One `task` or `spawn` may stand on an own stack. A `spawn` on an own stack whose task
//!   has not ended is a fault.
//! - `sleep` takes any expression; a negative time counts as 0.
//! - `cancel(A)` ends A in the wait that it is in, or in its next: it gets its turn once more, as
//!   destructors would need it, and the mutexes that it holds are handed over in the order of their
//!   declaration. A task that ends by itself keeps what it has locked.
//!
//! ## Requests
//!
//! Beside statements there are calls that ask the runtime for something; [`Service`] lists them.
//! They are statements and expressions like calls of functions, and a function of the program's own
//! with the same name hides one. `queue NAME`, `group NAME` and `work NAME` declare what some of
//! them are about: a wait queue, a group of tasks, a work queue; `queue`, `group` and `work` remain
//! names elsewhere.
//!
//! - Where a name is taken, it has to be the name itself: `cancel(A)`, never an expression.
//! - Times are in microseconds of the clock of `now()`; a negative one counts as 0. A limit that
//!   is 0 gives others one turn.
//! - `wait_for(e, US)` and its like answer 1 if what was waited for came in time and 0 if not.
//!   `select(x, y, …)` answers the place in its list of what came, from 0; if several are there,
//!   the first. `select_for` answers how many there are in its list when none came in time.
//! - `select` waits for an event as `wait` does, for a word of a channel as `recv`, for a mutex as
//!   `lock`, for a task or a group as `join`, for a wait queue as `park`, for a work queue as `take`.
//! - `received()` is the word that the task received last: by `recv`, `try_recv`, `recv_for`, `take`
//!   or a `select`.
//! - `every(US)` sleeps until the clock shows the next multiple of its argument, so that a poller
//!   keeps its rhythm and leaves out what it has missed. What a library calls a delay that yields is
//!   `sleep` here.
//! - A name that refers to no task yet is a fault, as is what the scheduler refuses: to lock what
//!   one holds, to join oneself.
//!
//! [`Service`]: syntax::Service
//!
//! ## Numbers
//!
//! - `fpmode()` gives 0 for nearest, 1 for down, 2 for up, 3 for zero, on every ISA.
#![forbid(unsafe_code)]

mod body;
pub mod colour;
pub mod diagnostic;
mod expected;
mod format;
#[cfg(feature = "generate")]
pub mod generate;
mod kind;
mod names;
mod parse;
mod raw;
mod raw_text;
pub mod request;
mod resolve;
pub mod source;
pub mod syntax;
mod token;
mod value;
mod visit;

pub use diagnostic::Diagnostics;
use diagnostic::{Diagnostic, Kind};
pub use format::format;
pub use names::closest;
use source::{Source, Span};
pub use syntax::Program;
pub use value::DivisionByZero;

/// The longest text, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The deepest nesting of blocks and expressions, together.
pub const MAX_NESTING: u32 = 200;
/// The smallest stack, in bytes.
pub const MIN_STACK_BYTES: u32 = 512;
/// The largest stack, in bytes.
pub const MAX_STACK_BYTES: u32 = 16 << 20;
/// The most tasks a text may name, and the most that should be alive in a run.
pub const MAX_TASKS: usize = 100_000;
/// The most words in an array: 8 MiB of them on 64 bits.
pub const MAX_ARRAY_WORDS: u32 = 1 << 20;
/// The most words that a channel holds.
pub const MAX_CHANNEL_CAPACITY: u32 = 65_536;
/// The most parameters of a function.
pub const MAX_PARAMS: usize = 16;

/// Reads and checks a scenario. `file` is the name that messages show.
///
/// # Errors
///
/// Every mistake found, in the order of the text.
pub fn parse(file: &str, text: &str) -> Result<Program, Diagnostics> {
    check_length(file, text.len())?;
    let mut mistakes = Vec::new();
    let source = Source::new(file, text);
    let tokens = match token::tokenise(text, &mut mistakes) {
        Ok(tokens) => tokens,
        Err(last) => {
            mistakes.push(last);
            return Err(Diagnostics::new(source, mistakes));
        }
    };
    let raw = parse::parse(text, &tokens, &mut mistakes);
    if mistakes.len() > parse::GIVE_UP {
        return Err(Diagnostics::new(source, mistakes));
    }
    let program = resolve::resolve(&raw, source.clone(), &mut mistakes);
    if mistakes.is_empty() {
        Ok(program)
    } else {
        Err(Diagnostics::new(source, mistakes))
    }
}

/// Like [`parse()`], for bytes that may not be UTF-8.
///
/// # Errors
///
/// As [`parse()`]; of bytes that are not UTF-8, the first place that is not.
pub fn parse_bytes(file: &str, bytes: &[u8]) -> Result<Program, Diagnostics> {
    check_length(file, bytes.len())?;
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(file, text),
        Err(error) => {
            let valid = error.valid_up_to();
            let bad = error.error_len().unwrap_or(bytes.len() - valid);
            let window = bytes.len().min(valid + bad);
            // Replacing the bad bytes leaves the place, line and column of the first as they are.
            let text = String::from_utf8_lossy(&bytes[..window]);
            let span = Span::new(valid, text.len());
            let list = vec![Diagnostic::new(Kind::InvalidUtf8, span)];
            Err(Diagnostics::new(Source::new(file, text), list))
        }
    }
}

fn check_length(file: &str, bytes: usize) -> Result<(), Diagnostics> {
    if bytes <= MAX_FILE_BYTES {
        return Ok(());
    }
    let list = vec![Diagnostic::new(
        Kind::FileTooLarge { bytes },
        Span::default(),
    )];
    // The text itself is left out: it would only be carried around.
    Err(Diagnostics::new(Source::new(file, ""), list))
}
