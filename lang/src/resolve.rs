//! Declarations: every name gets its meaning, every bound is checked.
//!
//! The bodies of functions are the business of `body.rs`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::body;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Sort};
use crate::names;
use crate::parse::{File, main_name};
use crate::raw::{self, Ident, ItemKind, Number};
use crate::request::Subject;
use crate::source::{Source, Span};
use crate::syntax::{
    Call, Channel, ChannelId, Event, EventId, Expr, ExprKind, FnId, Function, Global, GlobalId,
    GroupId, Isa, Launch, Local, LocalKind, Mutex, MutexId, Name, Program, QueueId, Stack, StackId,
    StackKind, SwitchText, Task, TaskId, Thing, Word, WorkId,
};
use crate::token::Token;
use crate::{MAX_CHANNEL_CAPACITY, MAX_PARAMS, MAX_STACK_BYTES, MAX_TASKS, MIN_STACK_BYTES};

/// What a declared name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    Stack(StackId),
    Task(TaskId),
    Global(GlobalId),
    Mutex(MutexId),
    Event(EventId),
    Channel(ChannelId),
    Queue(QueueId),
    Group(GroupId),
    Work(WorkId),
    Function(FnId),
}

impl Meaning {
    pub(crate) fn sort(self) -> Sort {
        match self {
            Self::Stack(_) => Sort::Stack,
            Self::Task(_) => Sort::Task,
            Self::Global(_) => Sort::Global,
            Self::Mutex(_) => Sort::Mutex,
            Self::Event(_) => Sort::Event,
            Self::Channel(_) => Sort::Channel,
            Self::Queue(_) => Sort::Queue,
            Self::Group(_) => Sort::Group,
            Self::Work(_) => Sort::Work,
            Self::Function(_) => Sort::Function,
        }
    }
}

impl Meaning {
    /// It as what a request is about.
    pub(crate) fn subject(self) -> Option<Subject> {
        Some(match self {
            Self::Task(id) => Subject::Task(id),
            Self::Mutex(id) => Subject::Mutex(id),
            Self::Event(id) => Subject::Event(id),
            Self::Channel(id) => Subject::Channel(id),
            Self::Queue(id) => Subject::Queue(id),
            Self::Group(id) => Subject::Group(id),
            Self::Work(id) => Subject::Work(id),
            Self::Stack(_) | Self::Global(_) | Self::Function(_) => return None,
        })
    }
}

/// Checks a file as written and gives every name its index.
///
/// What it returns is meaningful only if there are no mistakes.
pub(crate) fn resolve<'a>(
    file: &File<'a>,
    source: Source,
    mistakes: &mut Vec<Diagnostic>,
) -> Program {
    let mut resolver = Resolver {
        file,
        mistakes,
        names: BTreeMap::new(),
        stack_uses: Vec::new(),
        program: Program {
            source,
            title: String::new(),
            about: None,
            stacks: Vec::new(),
            tasks: Vec::new(),
            globals: Vec::new(),
            mutexes: Vec::new(),
            events: Vec::new(),
            channels: Vec::new(),
            queues: Vec::new(),
            groups: Vec::new(),
            works: Vec::new(),
            functions: Vec::new(),
            switches: Vec::new(),
            statements: Vec::new(),
        },
    };
    resolver.titles();
    resolver.main();
    resolver.declare_functions();
    resolver.declare_items();
    resolver.declare_spawned();
    resolver.launches();
    resolver.bodies();
    resolver.own_stacks();
    resolver.program
}

pub(crate) struct Resolver<'r, 'a> {
    pub(crate) file: &'r File<'a>,
    pub(crate) mistakes: &'r mut Vec<Diagnostic>,
    pub(crate) names: BTreeMap<&'a str, (Meaning, Span)>,
    /// Tasks by the stack they are to run on.
    pub(crate) stack_uses: Vec<(StackId, Span)>,
    pub(crate) program: Program,
}

impl<'a> Resolver<'_, 'a> {
    pub(crate) fn mistake(&mut self, kind: Kind, span: Span) {
        self.mistakes.push(Diagnostic::new(kind, span));
    }

    fn once(&mut self, what: &str, first: Span, second: Span) {
        let kind = Kind::Duplicate { what: what.into() };
        self.mistakes
            .push(Diagnostic::new(kind, second).note(first, "the first one"));
    }

    fn titles(&mut self) {
        let (mut title, mut about) = (None, None);
        for item in &self.file.items {
            let (place, text, what) = match &item.kind {
                ItemKind::Scenario(text) => (&mut title, text, "`scenario`"),
                ItemKind::About(text) => (&mut about, text, "`about`"),
                _ => continue,
            };
            match *place {
                None => *place = Some(item.span),
                Some(first) => self.once(what, first, item.span),
            }
            let text = text.clone();
            match &item.kind {
                ItemKind::Scenario(_) => self.program.title = text,
                _ => self.program.about = Some(text),
            }
        }
        let starts = self.file.items.iter().map(|item| item.span);
        let starts = starts.chain(self.file.functions.iter().map(|function| function.span));
        let starts = starts.chain(self.file.mains.iter().map(|(span, _)| *span));
        let first = starts.min_by_key(|span| span.start);
        match (title, first) {
            (None, _) if !self.file.broken.contains(&Token::Scenario) => {
                self.mistake(Kind::MissingScenario, Span::default());
            }
            (Some(title), Some(first)) if first.start < title.start => {
                let word = Span {
                    start: first.start,
                    end: first.start + self.first_word(first),
                };
                let mistake = Diagnostic::new(Kind::ScenarioNotFirst, word);
                self.mistakes.push(mistake.note(title, "the title"));
            }
            _ => {}
        }
    }

    fn first_word(&self, span: Span) -> u32 {
        let text = self.program.source.slice(span);
        let end = text.find(|c: char| !c.is_ascii_alphanumeric());
        end.unwrap_or(text.len()) as u32
    }

    fn main(&mut self) {
        let mains = &self.file.mains;
        match mains.first() {
            None if !self.file.broken.contains(&Token::Main) => {
                let end = self.program.source.text().trim_end().len();
                self.mistake(Kind::MissingMain, Span::new(end, end));
            }
            None => {}
            Some((first, _)) => {
                let word = |span: Span| Span {
                    end: span.start + 4,
                    ..span
                };
                let first = word(*first);
                for (second, _) in &mains[1..] {
                    self.once("`main`", first, word(*second));
                }
            }
        }
    }

    /// Enters a name into the table.
    fn declare(&mut self, name: Ident<'a>, meaning: Meaning) {
        match self.names.entry(name.text) {
            Entry::Vacant(entry) => {
                entry.insert((meaning, name.span));
            }
            Entry::Occupied(mut entry) => {
                let (_, other) = *entry.get();
                let (first, second) = (other.min(name.span), other.max(name.span));
                if first == name.span {
                    entry.insert((meaning, name.span));
                }
                let kind = Kind::DuplicateName {
                    name: names::shown(name.text),
                };
                self.mistakes
                    .push(Diagnostic::new(kind, second).note(first, "declared here first"));
            }
        }
    }

    /// Functions come first, so that calls find their number of parameters.
    fn declare_functions(&mut self) {
        let end = self.program.source.text().len();
        let main = self.file.mains.first();
        let span = main.map_or(Span::new(end, end), |(span, _)| *span);
        let word = Span {
            end: span.start + 4,
            ..span
        };
        self.add_function(main_name(word), &[], span);
        for function in &self.file.functions {
            let id = FnId::new(self.program.functions.len());
            self.declare(function.name, Meaning::Function(id));
            self.add_function(function.name, &function.params, function.span);
        }
    }

    fn add_function(&mut self, name: Ident<'a>, params: &[Ident<'a>], span: Span) {
        if let Some(extra) = params.get(MAX_PARAMS) {
            self.mistake(Kind::TooManyParams, extra.span);
        }
        let mut seen = BTreeMap::new();
        for param in params {
            if let Some(first) = seen.insert(param.text, param.span) {
                let kind = Kind::DuplicateName {
                    name: names::shown(param.text),
                };
                let mistake = Diagnostic::new(kind, param.span);
                self.mistakes
                    .push(mistake.note(first, "declared here first"));
            }
        }
        self.program.functions.push(Function {
            name: owned(name),
            params: params.len() as u32,
            locals: params
                .iter()
                .map(|&param| Local {
                    name: owned(param),
                    kind: LocalKind::Word,
                    address_taken: false,
                })
                .collect(),
            body: Default::default(),
            calls: false,
            uses_runtime: false,
            expr_depth: 0,
            span,
        });
    }

    fn declare_items(&mut self) {
        let file = self.file;
        for item in &file.items {
            let span = item.span;
            match &item.kind {
                ItemKind::Scenario(_) | ItemKind::About(_) => {}
                ItemKind::Stack { name, kind, bytes } => {
                    let bounds = (u64::from(MIN_STACK_BYTES), u64::from(MAX_STACK_BYTES));
                    let bytes = self.bounded(*bytes, "stack size", "bytes", bounds);
                    let id = StackId::new(self.program.stacks.len());
                    self.declare(*name, Meaning::Stack(id));
                    self.program.stacks.push(Stack {
                        name: owned(*name),
                        kind: *kind,
                        bytes,
                        span,
                    });
                }
                ItemKind::Task { name, .. } => self.add_task(*name, span),
                ItemKind::Global { name, init } => {
                    let init = self.constant(init);
                    let id = GlobalId::new(self.program.globals.len());
                    self.declare(*name, Meaning::Global(id));
                    let name = owned(*name);
                    self.program.globals.push(Global { name, init, span });
                }
                ItemKind::Mutex(name) => {
                    let id = MutexId::new(self.program.mutexes.len());
                    self.declare(*name, Meaning::Mutex(id));
                    let name = owned(*name);
                    self.program.mutexes.push(Mutex { name, span });
                }
                ItemKind::Event(name) => {
                    let id = EventId::new(self.program.events.len());
                    self.declare(*name, Meaning::Event(id));
                    let name = owned(*name);
                    self.program.events.push(Event { name, span });
                }
                ItemKind::Channel { name, capacity } => {
                    let bounds = (1, u64::from(MAX_CHANNEL_CAPACITY));
                    let capacity = self.bounded(*capacity, "channel capacity", "words", bounds);
                    let id = ChannelId::new(self.program.channels.len());
                    self.declare(*name, Meaning::Channel(id));
                    self.program.channels.push(Channel {
                        name: owned(*name),
                        capacity,
                        span,
                    });
                }
                ItemKind::Queue(name) => {
                    let id = QueueId::new(self.program.queues.len());
                    self.declare(*name, Meaning::Queue(id));
                    let name = owned(*name);
                    self.program.queues.push(Thing { name, span });
                }
                ItemKind::Group(name) => {
                    let id = GroupId::new(self.program.groups.len());
                    self.declare(*name, Meaning::Group(id));
                    let name = owned(*name);
                    self.program.groups.push(Thing { name, span });
                }
                ItemKind::Work(name) => {
                    let id = WorkId::new(self.program.works.len());
                    self.declare(*name, Meaning::Work(id));
                    let name = owned(*name);
                    self.program.works.push(Thing { name, span });
                }
                ItemKind::Switch { isa, text } => self.add_switch(*isa, *text, span),
            }
        }
    }

    /// A number within bounds; the least of them if it is not.
    pub(crate) fn bounded(
        &mut self,
        number: Number,
        what: &'static str,
        unit: &'static str,
        (min, max): (u64, u64),
    ) -> u32 {
        if (min..=max).contains(&number.value) {
            return u32::try_from(number.value).unwrap_or(u32::MAX);
        }
        let kind = Kind::OutOfRange {
            what,
            unit,
            min,
            max,
        };
        self.mistake(kind, number.span);
        min as u32
    }

    fn add_task(&mut self, name: Ident<'a>, span: Span) {
        // A file of today's longest has no room for as many.
        if self.program.tasks.len() == MAX_TASKS {
            self.mistake(Kind::TooManyTasks, name.span);
        }
        let id = TaskId::new(self.program.tasks.len());
        self.declare(name, Meaning::Task(id));
        self.program.tasks.push(Task {
            name: owned(name),
            declared: None,
            span,
        });
    }

    fn add_switch(&mut self, isa: Ident<'a>, text_span: Span, span: Span) {
        let kind = match isa.text {
            "x86_64" => Isa::X86_64,
            "i386" => Isa::I386,
            "aarch64" => Isa::Aarch64,
            other => {
                let name = names::shown(other);
                self.mistake(Kind::UnknownIsa { name }, isa.span);
                return;
            }
        };
        let first = self.program.switches.iter().find(|text| text.isa == kind);
        if let Some(first) = first.map(|text| text.span) {
            let what = format!("`switch {}`", isa.text);
            self.once(&what, first, span);
            return;
        }
        self.program.switches.push(SwitchText {
            isa: kind,
            text: self.program.source.slice(text_span).into(),
            text_span,
            first_line: self.program.source.line(text_span.start),
            span,
        });
    }

    /// The names that `spawn` statements introduce, known in the whole program.
    fn declare_spawned(&mut self) {
        let file = self.file;
        let declared = self.program.tasks.len();
        for (name, span) in body::spawned_names(file) {
            match self.names.get(name.text) {
                None => self.add_task(name, span),
                // Another `spawn` of the same name.
                Some((Meaning::Task(id), _)) if id.index() >= declared => {}
                Some((_, first)) => {
                    let kind = Kind::DuplicateName {
                        name: names::shown(name.text),
                    };
                    let mistake = Diagnostic::new(kind, name.span);
                    self.mistakes
                        .push(mistake.note(*first, "declared here first"));
                }
            }
        }
    }

    /// What the declared tasks run.
    fn launches(&mut self) {
        let file = self.file;
        let tasks = file.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Task { name, launch } => Some((name, launch)),
            _ => None,
        });
        for (index, (name, raw)) in tasks.enumerate() {
            let args = raw.call.args.iter().map(|arg| self.constant(arg)).collect();
            let launch = self.launch(raw, args, name.span);
            self.program.tasks[index].declared = launch;
        }
    }

    /// A task to be made; `None` after a mistake.
    pub(crate) fn launch(
        &mut self,
        raw: &raw::Launch<'a>,
        args: Vec<Expr>,
        task: Span,
    ) -> Option<Launch> {
        let stack = self.global_name(raw.stack, Sort::Stack);
        let function = self.called(&raw.call);
        let Some(Meaning::Stack(stack)) = stack else {
            return None;
        };
        self.stack_uses.push((stack, task));
        Some(Launch {
            stack,
            fp: raw.fp,
            call: Call {
                function: function?,
                args,
                span: raw.call.span,
            },
        })
    }

    /// The function a call names, its number of arguments checked.
    pub(crate) fn called(&mut self, call: &raw::Call<'a>) -> Option<FnId> {
        let Some(Meaning::Function(id)) = self.global_name(call.function, Sort::Function) else {
            return None;
        };
        let function = &self.program[id];
        let (wanted, given) = (function.params as usize, call.args.len());
        if wanted != given {
            let kind = Kind::WrongArgumentCount {
                function: names::shown(call.function.text),
                wanted,
                given,
            };
            let declared = function.name.span;
            let mistake = Diagnostic::new(kind, call.span);
            self.mistakes.push(mistake.note(declared, "declared here"));
        }
        Some(id)
    }

    /// Looks up a declared name that has to be of one sort; reports it if it is not.
    pub(crate) fn global_name(&mut self, name: Ident<'a>, wanted: Sort) -> Option<Meaning> {
        match self.names.get(name.text) {
            Some((meaning, _)) if meaning.sort() == wanted => Some(*meaning),
            Some((meaning, declared)) => {
                let (actual, declared) = (meaning.sort(), *declared);
                self.wrong_sort(name, actual, Some(wanted), declared);
                None
            }
            None => {
                self.unknown(name, Some(wanted), std::iter::empty());
                None
            }
        }
    }

    pub(crate) fn wrong_sort(
        &mut self,
        name: Ident<'a>,
        actual: Sort,
        wanted: Option<Sort>,
        declared: Span,
    ) {
        let kind = Kind::WrongSort {
            name: names::shown(name.text),
            actual,
            wanted,
        };
        let mistake = Diagnostic::new(kind, name.span);
        self.mistakes.push(mistake.note(declared, "declared here"));
    }

    /// Reports a name that nothing declares, unless the line that may declare it is broken.
    pub(crate) fn unknown<'n>(
        &mut self,
        name: Ident<'a>,
        wanted: Option<Sort>,
        locals: impl Iterator<Item = &'n str>,
    ) where
        'a: 'n,
    {
        if self.file.doubtful.contains(name.text) {
            return;
        }
        let wanted_sort = wanted.unwrap_or(Sort::Global);
        let fitting = self
            .names
            .iter()
            .filter(|(_, (meaning, _))| meaning.sort() == wanted_sort)
            .map(|(name, _)| *name);
        // Comparing names takes time, and not all mistakes are shown.
        let suggestion = if self.mistakes.len() <= Diagnostics::MAX_SHOWN {
            names::closest(name.text, locals.chain(fitting))
        } else {
            None
        };
        let kind = Kind::UnknownName {
            name: names::shown(name.text),
            wanted,
            suggestion,
        };
        self.mistake(kind, name.span);
    }

    /// A constant expression, computable at both widths.
    fn constant(&mut self, raw: &raw::Expr<'a>) -> Expr {
        let before = self.mistakes.len();
        let expr = self.constant_part(raw);
        let computable = [Word::Bits32, Word::Bits64]
            .iter()
            .all(|&word| expr.constant(word).is_some());
        if self.mistakes.len() == before && !computable {
            self.mistake(Kind::ConstantDividesByZero, raw.span);
        }
        expr
    }

    fn constant_part(&mut self, raw: &raw::Expr<'a>) -> Expr {
        let kind = match &raw.kind {
            raw::ExprKind::Int(int) => self.int(*int, raw.span, false),
            raw::ExprKind::Unary(op, operand) => {
                let operand = match operand.kind {
                    raw::ExprKind::Int(int) => Expr {
                        span: operand.span,
                        kind: self.int(int, operand.span, true),
                    },
                    _ => self.constant_part(operand),
                };
                ExprKind::Unary(*op, Box::new(operand))
            }
            raw::ExprKind::Binary(op, left, right) => {
                let left = Box::new(self.constant_part(left));
                ExprKind::Binary(*op, left, Box::new(self.constant_part(right)))
            }
            raw::ExprKind::Logical(op, left, right) => {
                let left = Box::new(self.constant_part(left));
                ExprKind::Logical(*op, left, Box::new(self.constant_part(right)))
            }
            _ => {
                self.mistake(Kind::NotConstant, raw.span);
                ExprKind::Int(0)
            }
        };
        Expr {
            span: raw.span,
            kind,
        }
    }

    /// A literal. Decimals are numbers and have to fit; other literals are patterns of bits.
    pub(crate) fn int(&mut self, int: crate::token::Int, span: Span, negated: bool) -> ExprKind {
        let most = i64::MAX as u64 + u64::from(negated);
        if int.decimal && int.value > most {
            self.mistake(Kind::IntegerTooLarge, span);
        }
        ExprKind::Int(int.value as i64)
    }

    fn own_stacks(&mut self) {
        self.stack_uses.sort_by_key(|&(stack, span)| (stack, span));
        for pair in self.stack_uses.windows(2) {
            let [(stack, first), (other, second)] = pair else {
                continue;
            };
            let declared = &self.program[*stack];
            if stack == other && declared.kind == StackKind::Own {
                let kind = Kind::SecondTaskOnOwnStack {
                    stack: names::shown(&declared.name.text),
                };
                let mistake = Diagnostic::new(kind, *second);
                self.mistakes
                    .push(mistake.note(*first, "another task on it"));
            }
        }
    }
}

pub(crate) fn owned(name: Ident<'_>) -> Name {
    Name {
        text: name.text.into(),
        span: name.span,
    }
}
