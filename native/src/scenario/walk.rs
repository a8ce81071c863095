//! Walks the syntax tree of one task's code, on that task's own stack.
//!
//! Every call of a scenario function is a call of [`Walker::call`], whose frame holds the
//! function's parameters and locals as plain words, in memory that only the coroutine switch and
//! its copies preserve. Nothing of a task is kept elsewhere, so a byte that a save or a restore
//! gets wrong is a wrong result here.

use std::hint::black_box;
use std::ops::Range;

use costack_lang::syntax::{
    BinaryOp, Block, Call, Expr, ExprKind, FnId, LogicalOp, Place, PrintItem, Program, Request,
    Stmt, StmtKind, Word,
};

use super::fault::{FaultKind, Stop};
use super::run::Context;

/// The host's word.
pub(super) const WORD: Word = match usize::BITS {
    32 => Word::Bits32,
    _ => Word::Bits64,
};

/// What fresh frames are filled with, so that a read of an uninitialised word is not taken for a
/// lucky zero.
const POISON: isize = 0x5a5a_5a5a_u32 as isize;

/// How the statements of a block came to an end.
enum End {
    /// The last one was reached.
    Done,
    Break,
    Continue,
    Return(i64),
}

/// One call of a scenario function: its words, and where each local starts among them.
struct Frame<'a> {
    function: FnId,
    words: &'a mut [isize],
}

/// Walks the code of one task.
pub(super) struct Walker<'a> {
    /// The task's access to the program, the scheduler and its own coroutine.
    pub(super) context: &'a Context<'a>,
}

impl Walker<'_> {
    /// Calls a function with its arguments.
    ///
    /// Frames come in sizes of powers of two, because the size of a Rust frame is fixed when it
    /// is compiled.
    pub(super) fn call(&self, function: FnId, args: &[i64]) -> Result<i64, Stop> {
        let words = self.context.program()[function].frame_words().max(1);
        macro_rules! sizes {
            ($($bits:literal)*) => {
                match words.next_power_of_two().trailing_zeros() {
                    $(0..=$bits => self.call_sized::<{ 1 << $bits }>(function, args),)*
                    _ => unreachable!("frames are bounded by the largest array and the largest text"),
                }
            };
        }
        sizes!(2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21)
    }

    #[inline(never)]
    fn call_sized<const WORDS: usize>(&self, function: FnId, args: &[i64]) -> Result<i64, Stop> {
        self.context.check_room(WORDS * size_of::<isize>())?;
        let mut words = [POISON; WORDS];
        for (word, &arg) in words.iter_mut().zip(args) {
            *word = arg as isize;
        }
        // The words must really lie in this frame; their address is a value of the language.
        let mut frame = Frame {
            function,
            words: black_box(&mut words[..]),
        };
        match self.block(&mut frame, &self.context.program()[function].body)? {
            End::Return(value) => Ok(value),
            _ => Ok(0),
        }
    }

    fn block(&self, frame: &mut Frame<'_>, block: &Block) -> Result<End, Stop> {
        for stmt in &block.stmts {
            match self.stmt(frame, stmt)? {
                End::Done => {}
                end => return Ok(end),
            }
        }
        Ok(End::Done)
    }

    fn stmt(&self, frame: &mut Frame<'_>, stmt: &Stmt) -> Result<End, Stop> {
        let cx = self.context;
        cx.at_statement(stmt)?;
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.eval(frame, value)?;
                self.store(frame, &Place::Local(*local), value)?;
            }
            // An array is uninitialised each time its `let` runs.
            StmtKind::LetArray { local } => {
                let range = self.local_range(frame, local.index());
                frame.words[range].fill(POISON);
            }
            StmtKind::Assign { place, value } => {
                let address = self.address(frame, place)?;
                let value = self.eval(frame, value)?;
                store(address, value);
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                if self.eval(frame, condition)? != 0 {
                    return self.block(frame, then);
                } else if let Some(otherwise) = otherwise {
                    return self.block(frame, otherwise);
                }
            }
            StmtKind::While { condition, body } => {
                while self.eval(frame, condition)? != 0 {
                    match self.block(frame, body)? {
                        End::Done | End::Continue => {}
                        End::Break => break,
                        end @ End::Return(_) => return Ok(end),
                    }
                    cx.at_statement(stmt)?;
                }
            }
            StmtKind::Break => return Ok(End::Break),
            StmtKind::Continue => return Ok(End::Continue),
            StmtKind::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(frame, value)?,
                    None => 0,
                };
                return Ok(End::Return(value));
            }
            StmtKind::Call(call) => {
                self.eval_call(frame, call)?;
            }
            StmtKind::Request(request) => {
                self.request(frame, request)?;
            }
            StmtKind::Recv(channel) => {
                cx.receive(*channel)?;
            }
            StmtKind::Print(items) => {
                let mut line = String::new();
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        line.push(' ');
                    }
                    match item {
                        PrintItem::Text(text) => line.push_str(text),
                        PrintItem::Value(value) => {
                            line.push_str(&self.eval(frame, value)?.to_string());
                        }
                    }
                }
                cx.print(line);
            }
            StmtKind::Assert(condition) => self.assert(frame, condition)?,
            StmtKind::Yield => cx.yield_now()?,
            StmtKind::Exit => return Err(Stop::Exit),
            StmtKind::Sleep { amount, unit } => {
                let amount = self.eval(frame, amount)?;
                cx.sleep(amount, *unit)?;
            }
            StmtKind::Lock(mutex) => cx.lock(*mutex)?,
            StmtKind::Unlock(mutex) => cx.unlock(*mutex)?,
            StmtKind::Wait(event) => cx.wait(*event)?,
            StmtKind::Complete(event) => cx.complete(*event)?,
            StmtKind::Send { channel, value } => {
                let value = self.eval(frame, value)?;
                cx.send(*channel, value)?;
            }
            StmtKind::Join(task) => cx.join(*task)?,
            StmtKind::Resume(task) => cx.resume(*task)?,
            StmtKind::Start(task) => cx.start(*task)?,
            StmtKind::Run => cx.run()?,
            StmtKind::Spawn { task, launch } => {
                let args = self.args(frame, &launch.call)?;
                cx.spawn(*task, launch, args)?;
            }
            StmtKind::SetFpMode(mode) => cx.set_rounding(*mode),
        }
        Ok(End::Done)
    }

    /// A failed comparison is reported with the values of both sides.
    fn assert(&self, frame: &mut Frame<'_>, condition: &Expr) -> Result<(), Stop> {
        let cx = self.context;
        let text = || cx.text(condition.span);
        let text = match &condition.kind {
            ExprKind::Binary(op, left, right) if is_comparison(*op) => {
                let left = self.eval(frame, left)?;
                let right = self.eval(frame, right)?;
                if op.apply(WORD, left, right) == Ok(1) {
                    return Ok(());
                }
                format!("{}, that is {left} {} {right}", text(), op.sign())
            }
            _ => {
                let value = self.eval(frame, condition)?;
                if value != 0 {
                    return Ok(());
                }
                format!("{} is {value}", text())
            }
        };
        Err(cx.fault(FaultKind::Assertion { text }))
    }

    fn eval(&self, frame: &mut Frame<'_>, expr: &Expr) -> Result<i64, Stop> {
        let cx = self.context;
        Ok(match &expr.kind {
            ExprKind::Int(value) => WORD.wrap(*value),
            ExprKind::Load(place) => {
                let address = self.address(frame, place)?;
                load(address)
            }
            ExprKind::Address(place) => self.address(frame, place)? as isize as i64,
            ExprKind::Unary(op, operand) => op.apply(WORD, self.eval(frame, operand)?),
            ExprKind::Binary(op, left, right) => {
                let left = self.eval(frame, left)?;
                let right = self.eval(frame, right)?;
                op.apply(WORD, left, right)
                    .map_err(|_| cx.fault(FaultKind::DivisionByZero))?
            }
            ExprKind::Logical(op, left, right) => {
                let left = self.eval(frame, left)? != 0;
                let value = match (op, left) {
                    (LogicalOp::And, false) | (LogicalOp::Or, true) => left,
                    _ => self.eval(frame, right)? != 0,
                };
                i64::from(value)
            }
            ExprKind::Call(call) => self.eval_call(frame, call)?,
            ExprKind::Request(request) => self.request(frame, request)?,
            ExprKind::Recv(channel) => cx.receive(*channel)?,
            ExprKind::Alive(task) => i64::from(cx.is_alive(*task)),
            ExprKind::Now => WORD.wrap(cx.now_us() as i64),
            ExprKind::SelfTask => cx.number(),
            ExprKind::FpMode => cx.rounding(),
        })
    }

    fn eval_call(&self, frame: &mut Frame<'_>, call: &Call) -> Result<i64, Stop> {
        let args = self.args(frame, call)?;
        self.call(call.function, &args)
    }

    fn request(&self, frame: &mut Frame<'_>, request: &Request) -> Result<i64, Stop> {
        let words = request.args.iter().map(|arg| self.eval(frame, arg));
        let words = words.collect::<Result<Vec<_>, _>>()?;
        self.context.request(request, &words)
    }

    fn args(&self, frame: &mut Frame<'_>, call: &Call) -> Result<Vec<i64>, Stop> {
        call.args.iter().map(|arg| self.eval(frame, arg)).collect()
    }

    fn store(&self, frame: &mut Frame<'_>, place: &Place, value: i64) -> Result<(), Stop> {
        let address = self.address(frame, place)?;
        store(address, value);
        Ok(())
    }

    /// The words of a local among those of its frame.
    fn local_range(&self, frame: &Frame<'_>, local: usize) -> Range<usize> {
        self.context.layout(frame.function)[local].clone()
    }

    /// Where a place lies. The address is good for one access: it points into this frame, at a
    /// global, or where a pointer of the program was checked to point.
    fn address(&self, frame: &mut Frame<'_>, place: &Place) -> Result<usize, Stop> {
        let cx = self.context;
        let word = match place {
            Place::Local(local) => {
                let range = self.local_range(frame, local.index());
                &raw mut frame.words[range.start]
            }
            Place::Global(global) => return Ok(cx.global(*global)),
            Place::Element { array, index } => {
                let index = self.eval(frame, index)?;
                let range = self.local_range(frame, array.index());
                match usize::try_from(index) {
                    Ok(i) if i < range.len() => &raw mut frame.words[range.start + i],
                    _ => {
                        return Err(cx.fault(FaultKind::IndexOutside {
                            index,
                            len: range.len(),
                        }));
                    }
                }
            }
            Place::Deref(pointer) => {
                let pointer = self.eval(frame, pointer)?;
                return cx.check_pointer(pointer);
            }
        };
        Ok(word.expose_provenance())
    }
}

/// Reads a word of the program.
fn load(address: usize) -> i64 {
    let word = std::ptr::with_exposed_provenance::<isize>(address);
    // SAFETY: `Walker::address` gives out aligned addresses of words of this frame, of globals,
    // and those that `Context::check_pointer` found to lie on a stack of this run. Volatile,
    // because pointers of the program reach words that other frames hold.
    unsafe { word.read_volatile() as i64 }
}

/// Writes a word of the program.
fn store(address: usize, value: i64) {
    let word = std::ptr::with_exposed_provenance_mut::<isize>(address);
    // SAFETY: as in `load`. A pointer of the program may hit what is not a word of it; `run`
    // refuses programs with pointers unless its caller vouches that they do not.
    unsafe { word.write_volatile(value as isize) }
}

/// The line of the first use of a pointer.
pub(super) fn first_pointer(program: &Program) -> Option<u32> {
    let mut first: Option<u32> = None;
    let mut found = |start: u32| first = Some(first.map_or(start, |first| first.min(start)));
    program.for_each_expr(|expr| {
        if let ExprKind::Load(Place::Deref(_)) = expr.kind {
            found(expr.span.start);
        }
    });
    program.for_each_stmt(|_, stmt| {
        if let StmtKind::Assign {
            place: Place::Deref(_),
            ..
        } = stmt.kind
        {
            found(stmt.span.start);
        }
    });
    first.map(|start| program.source.line(start))
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge)
}
