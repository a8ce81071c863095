//! The kinds of mistakes and their words.

use std::fmt;

use crate::{MAX_FILE_BYTES, MAX_NESTING, MAX_PARAMS, MAX_STACK_BYTES, MAX_TASKS};

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sort {
    /// A stack.
    Stack,
    /// A task.
    Task,
    /// A global word.
    Global,
    /// A mutex.
    Mutex,
    /// An event.
    Event,
    /// A channel.
    Channel,
    /// A wait queue.
    Queue,
    /// A group of tasks.
    Group,
    /// A work queue.
    Work,
    /// A function.
    Function,
    /// A local word or a parameter.
    Word,
    /// A local array.
    Array,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stack => "a stack",
            Self::Task => "a task",
            Self::Global => "a global",
            Self::Mutex => "a mutex",
            Self::Event => "an event",
            Self::Channel => "a channel",
            Self::Queue => "a wait queue",
            Self::Group => "a group",
            Self::Work => "a work queue",
            Self::Function => "a function",
            Self::Word => "a local word",
            Self::Array => "a local array",
        })
    }
}

/// What is wrong. Its [`Display`](fmt::Display) is the message.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// The text is not UTF-8 from here on.
    InvalidUtf8,
    /// The file is longer than [`MAX_FILE_BYTES`].
    FileTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A character that no token begins with.
    UnknownCharacter {
        /// The character.
        character: char,
    },
    /// A string without its closing quote.
    UnterminatedString,
    /// A `/*` without `*/` in a `switch` block.
    UnterminatedComment,
    /// A `switch` block without its closing brace.
    UnterminatedSwitch,
    /// A backslash with something unknown behind it.
    InvalidEscape,
    /// Quotes that do not hold one character.
    InvalidCharacter,
    /// Digits with something else among them.
    InvalidInteger,
    /// A literal that no word holds.
    IntegerTooLarge,
    /// A literal that a 32-bit word does not hold, for an ISA with such words.
    IntegerTooWide,
    /// An operator of another language.
    ForeignOperator {
        /// What to write here.
        help: &'static str,
    },
    /// `//` for a comment.
    ForeignComment,

    /// Something else was expected.
    Unexpected {
        /// What is there.
        found: String,
        /// What could be there.
        expected: Vec<String>,
        /// A word the line may have been meant to begin with.
        suggestion: Option<String>,
    },
    /// A word of the language where a name belongs.
    ReservedWord {
        /// The word.
        word: String,
        /// Whether the name would be declared here.
        declared: bool,
    },
    /// `a < b < c`.
    ChainedComparison,
    /// An opening delimiter whose closing one is missing.
    Unclosed {
        /// The opening one.
        delimiter: char,
    },
    /// A closing brace without an opening one.
    Unmatched,
    /// Nesting deeper than [`MAX_NESTING`].
    TooDeep,
    /// A declaration between statements.
    DeclarationInBlock,
    /// A statement between declarations.
    StatementOutsideFunction,
    /// An `else` that follows no `if`.
    ElseWithoutIf,
    /// A value that nothing is done with.
    UnusedValue {
        /// Whether it is a comparison, and an assignment may have been meant.
        comparison: bool,
        /// A word of the language like it.
        suggestion: Option<String>,
    },
    /// Something that cannot be assigned to.
    NotAPlace,
    /// `&` of something that is in no memory.
    NotAddressable,

    /// No `scenario "title"`.
    MissingScenario,
    /// A declaration before `scenario`.
    ScenarioNotFirst,
    /// No `main`.
    MissingMain,
    /// Something that may be there once.
    Duplicate {
        /// What it is.
        what: String,
    },
    /// A name declared twice.
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A size or capacity out of its bounds.
    OutOfRange {
        /// What it is the size of.
        what: &'static str,
        /// The unit.
        unit: &'static str,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A second task on an own stack.
    SecondTaskOnOwnStack {
        /// The stack.
        stack: String,
    },
    /// More than [`MAX_TASKS`].
    TooManyTasks,
    /// A `switch` for an ISA that there is not.
    UnknownIsa {
        /// The name.
        name: String,
    },
    /// Locals that no stack holds.
    FrameTooLarge {
        /// The function.
        function: String,
        /// Its locals, in bytes on 64 bits.
        bytes: u64,
    },
    /// More than [`MAX_PARAMS`].
    TooManyParams,
    /// A value that is not constant where one has to be.
    NotConstant,
    /// A constant that divides by zero.
    ConstantDividesByZero,

    /// A name that is declared nowhere.
    UnknownName {
        /// The name.
        name: String,
        /// What it would have to be; `None` for a word.
        wanted: Option<Sort>,
        /// A name like it.
        suggestion: Option<String>,
    },
    /// A name of the wrong sort.
    WrongSort {
        /// The name.
        name: String,
        /// What it is.
        actual: Sort,
        /// What it would have to be; `None` for a word.
        wanted: Option<Sort>,
    },
    /// Something a request of the runtime cannot be about.
    WrongThing {
        /// What is asked for.
        service: &'static str,
        /// The name and what it is, if it is a name.
        actual: Option<(String, Sort)>,
        /// What it may be about at this place.
        wanted: &'static [Sort],
    },
    /// A call with too few or too many arguments.
    WrongArgumentCount {
        /// The function.
        function: String,
        /// How many it takes.
        wanted: usize,
        /// How many are given.
        given: usize,
    },
    /// An array without an index.
    ArrayWithoutIndex {
        /// The array.
        name: String,
    },
    /// `break` or `continue` outside a loop.
    OutsideLoop {
        /// Which.
        word: &'static str,
    },
    /// `yield` in `main`.
    YieldInMain,
    /// `run` outside `main`.
    RunOutsideMain,
    /// More mistakes than are shown.
    TooManyMistakes,
}

impl Kind {
    /// What was expected, for the place itself.
    pub(crate) fn expected(&self) -> Option<String> {
        Some(match self {
            Self::Unexpected { expected, .. } if !expected.is_empty() => {
                format!("expected {}", alternatives(expected))
            }
            Self::ReservedWord { .. } => "expected a name".into(),
            Self::UnterminatedString => "the closing `\"` is missing".into(),
            Self::UnterminatedSwitch => "the closing `}` is missing".into(),
            Self::UnterminatedComment => "the closing `*/` is missing".into(),
            Self::OutOfRange { min, max, unit, .. } => format!("expected {min} to {max} {unit}"),
            Self::WrongArgumentCount { wanted, .. } => {
                format!("expected {}", counted(*wanted, "argument"))
            }
            Self::UnknownName { wanted: None, .. } => "expected a local or a global".into(),
            Self::UnknownName {
                wanted: Some(wanted),
                ..
            } => format!("expected {wanted}"),
            Self::WrongSort { wanted: None, .. } => "expected a local or a global".into(),
            Self::WrongSort {
                wanted: Some(wanted),
                ..
            } => format!("expected {wanted}"),
            Self::WrongThing { wanted, .. } => {
                let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
                format!("expected {}", alternatives(&wanted))
            }
            Self::NotAPlace => "expected `x`, `a[…]` or `*…`".into(),
            Self::NotAddressable => "expected `x` or `a[…]`".into(),
            Self::NotConstant => "expected a constant".into(),
            Self::UnknownIsa { .. } => "expected `x86_64`, `i386` or `aarch64`".into(),
            Self::UnusedValue { .. } => "expected a statement".into(),
            Self::ScenarioNotFirst => "expected `scenario \"title\"` first".into(),
            _ => return None,
        })
    }

    /// What to write instead.
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unexpected {
                suggestion: Some(word),
                ..
            }
            | Self::UnusedValue {
                suggestion: Some(word),
                ..
            }
            | Self::UnknownName {
                suggestion: Some(word),
                ..
            } => format!("did you mean `{word}`?"),
            Self::UnknownName {
                wanted: None, name, ..
            } => format!("declare it with `let {name} = …` before this line, in this block"),
            Self::ForeignOperator { help } => (*help).into(),
            Self::ForeignComment => "a comment begins with `#`".into(),
            Self::ReservedWord {
                word,
                declared: true,
            } => format!("choose another name, such as `{word}_1`"),
            Self::ChainedComparison => "write `a < b and b < c`".into(),
            Self::InvalidEscape => {
                r#"the escapes are `\n`, `\t`, `\\`, `\"`, `\'` and `\u{…}`"#.into()
            }
            Self::InvalidCharacter => "write one character between the quotes: `'a'`".into(),
            Self::InvalidInteger => "write `123`, `1_000` or `0xff`".into(),
            Self::TooDeep => "name a part of it with `let`, or move it to a function".into(),
            Self::DeclarationInBlock => "move it out of the braces".into(),
            Self::StatementOutsideFunction => "move it into `main { … }` or a function".into(),
            Self::UnusedValue {
                comparison: true, ..
            } => "to assign, write `=`".into(),
            Self::UnusedValue { .. } => {
                "only calls and `recv` stand alone; store it: `let x = …`".into()
            }
            Self::MissingScenario => "begin the file with `scenario \"title\"`".into(),
            Self::MissingMain => "add `main { … }`".into(),
            Self::ArrayWithoutIndex { name } => {
                format!("write `{name}[0]` for its first word, `&{name}[0]` for its address")
            }
            Self::SecondTaskOnOwnStack { stack } => {
                format!(
                    "declare another stack, or let several tasks run on it: `stack {stack} shared …`"
                )
            }
            Self::YieldInMain => "only a task has a resumer to go back to".into(),
            Self::RunOutsideMain => {
                "the scheduler is run by `main`; a task can `start` others".into()
            }
            Self::NotConstant => {
                "use integers and operators only; it is evaluated before `main` begins".into()
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUtf8 => write!(f, "the text is not UTF-8 from here on"),
            Self::FileTooLarge { bytes } => write!(
                f,
                "the file has {bytes} bytes; at most {MAX_FILE_BYTES} are read"
            ),
            Self::UnknownCharacter { character } => {
                write!(f, "unknown character `{}`", character.escape_debug())
            }
            Self::UnterminatedString => write!(f, "this string does not end on its line"),
            Self::UnterminatedComment => {
                write!(f, "a comment in this assembly text does not end")
            }
            Self::UnterminatedSwitch => write!(f, "this assembly text does not end"),
            Self::InvalidEscape => write!(f, "unknown escape"),
            Self::InvalidCharacter => write!(f, "not one character"),
            Self::InvalidInteger => write!(f, "not a number"),
            Self::IntegerTooLarge => write!(f, "this number does not fit a word of 64 bits"),
            Self::IntegerTooWide => write!(f, "this number does not fit a word of 32 bits"),
            Self::ForeignOperator { .. } => write!(f, "this operator is not of this language"),
            Self::ForeignComment => write!(f, "`//` begins no comment here"),
            Self::Unexpected { found, .. } => write!(f, "unexpected {found}"),
            Self::ReservedWord { word, .. } => {
                write!(f, "`{word}` is a word of the language and cannot be a name")
            }
            Self::ChainedComparison => write!(f, "comparisons cannot be chained"),
            Self::Unclosed { delimiter } => write!(f, "this `{delimiter}` is never closed"),
            Self::Unmatched => write!(f, "this `}}` closes nothing"),
            Self::TooDeep => write!(f, "nested deeper than {MAX_NESTING}"),
            Self::DeclarationInBlock => write!(f, "a declaration cannot stand in a block"),
            Self::StatementOutsideFunction => {
                write!(f, "a statement cannot stand outside a function")
            }
            Self::ElseWithoutIf => write!(f, "this `else` follows no `if`"),
            Self::UnusedValue { .. } => write!(f, "nothing is done with this value"),
            Self::NotAPlace => write!(f, "this cannot be assigned to"),
            Self::NotAddressable => write!(f, "this has no address"),
            Self::MissingScenario => write!(f, "the scenario has no title"),
            Self::ScenarioNotFirst => write!(f, "a declaration before the title"),
            Self::MissingMain => write!(f, "there is no `main`"),
            Self::Duplicate { what } => write!(f, "a second {what}"),
            Self::DuplicateName { name } => write!(f, "`{name}` is declared twice"),
            Self::OutOfRange { what, .. } => write!(f, "{what} out of bounds"),
            Self::SecondTaskOnOwnStack { stack } => {
                write!(f, "a second task on `{stack}`, a stack of one task only")
            }
            Self::TooManyTasks => write!(f, "more than {MAX_TASKS} tasks"),
            Self::UnknownIsa { name } => write!(f, "unknown ISA `{name}`"),
            Self::FrameTooLarge { function, bytes } => write!(
                f,
                "the locals of `{function}` take {bytes} bytes; the largest stack has {MAX_STACK_BYTES}"
            ),
            Self::TooManyParams => write!(f, "more than {MAX_PARAMS} parameters"),
            Self::NotConstant => write!(f, "this is not constant"),
            Self::ConstantDividesByZero => write!(f, "this divides by zero"),
            Self::UnknownName { name, wanted, .. } => match wanted {
                Some(Sort::Function) => write!(f, "there is no function `{name}`"),
                Some(sort) => {
                    let sort = sort.to_string();
                    let sort = sort.split_once(' ').map_or("", |(_, noun)| noun);
                    write!(f, "there is no {sort} `{name}`")
                }
                None => write!(f, "there is no local or global `{name}`"),
            },
            Self::WrongSort { name, actual, .. }
            | Self::WrongThing {
                actual: Some((name, actual)),
                ..
            } => write!(f, "`{name}` is {actual}"),
            Self::WrongThing { service, .. } => write!(f, "`{service}` takes a name here"),
            Self::WrongArgumentCount {
                function,
                wanted,
                given,
            } => write!(
                f,
                "`{function}` takes {}, not {given}",
                counted(*wanted, "argument")
            ),
            Self::ArrayWithoutIndex { name } => {
                write!(f, "`{name}` is an array, not a word")
            }
            Self::OutsideLoop { word } => write!(f, "`{word}` outside a loop"),
            Self::YieldInMain => write!(f, "`main` cannot yield"),
            Self::RunOutsideMain => write!(f, "`run` stands only in `main`"),
            Self::TooManyMistakes => write!(f, "there are more mistakes from here on"),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// "a, b or c".
fn alternatives(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}
