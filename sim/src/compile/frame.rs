//! Where a function keeps its locals: which in registers, which in the frame.

use costack_lang::syntax::{
    Block, Call, Expr, ExprKind, Function, LocalId, LocalKind, Place as SyntaxPlace, PrintItem,
    Stmt, StmtKind,
};

use super::emit::{Isa, Place};

/// A place for every local, and the size of what they take.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// By [`LocalId`]; of an array, the place of element 0.
    pub places: Vec<Place>,
    /// Callee-saved registers in use.
    pub saved: Vec<&'static str>,
    /// Where they are saved, as offsets from the frame pointer.
    pub saved_slots: Vec<i32>,
    /// Bytes from the frame pointer down to the last local; temporaries come below.
    pub bytes: i32,
    /// Everything is in the red zone, and the stack pointer does not move.
    pub red_zone: bool,
}

/// Chooses places.
///
/// A word whose address nobody takes may live in a callee-saved register, those used most first,
/// and it survives calls and switches there only if everyone keeps to the ABI. A leaf function
/// has its red zone for that and leaves the registers alone.
pub fn layout<I: Isa>(function: &Function) -> Layout {
    let words = function.frame_words().saturating_add(function.expr_depth) as i64;
    let red_zone = function.is_leaf()
        && words * i64::from(I::WORD) <= i64::from(I::RED_ZONE)
        && I::RED_ZONE > 0;

    let in_registers = match red_zone {
        true => Vec::new(),
        false => most_used(function, I::LOCALS.len()),
    };
    // Registers are saved in the ISA's order whatever their locals are.
    let mut saved: Vec<&'static str> = I::LOCALS[..in_registers.len()].to_vec();
    saved.sort_by_key(|register| I::LOCALS.iter().position(|local| local == register));
    let (saved_slots, mut bytes) = I::saved_slots(&saved);

    let mut places = Vec::with_capacity(function.locals.len());
    for (index, local) in function.locals.iter().enumerate() {
        let in_register = in_registers.iter().position(|id| id.index() == index);
        let on_stack = index < function.params as usize && index >= I::REGISTER_ARGUMENTS;
        places.push(match in_register {
            Some(n) => Place::Register(I::LOCALS[n]),
            None if on_stack => Place::Slot(I::stack_argument(index)),
            None => {
                bytes = bytes.saturating_add((local.words() as i32).saturating_mul(I::WORD));
                Place::Slot(-bytes)
            }
        });
    }
    Layout {
        places,
        saved,
        saved_slots,
        bytes,
        red_zone,
    }
}

/// The locals that gain most from a register, best first.
fn most_used(function: &Function, count: usize) -> Vec<LocalId> {
    let mut uses = Uses {
        counts: vec![0; function.locals.len()],
        weight: 1,
    };
    uses.block(&function.body);
    let mut candidates: Vec<usize> = (0..function.locals.len())
        .filter(|&index| {
            let local = &function.locals[index];
            local.kind == LocalKind::Word && !local.address_taken
        })
        .collect();
    // Stable, so that of two equals the first declared wins.
    candidates.sort_by_key(|&index| std::cmp::Reverse(uses.counts[index]));
    candidates.truncate(count);
    candidates
        .into_iter()
        .map(|index| LocalId(index as u32))
        .collect()
}

/// Counts how often each local is used; a use in a loop counts eight times.
struct Uses {
    counts: Vec<u64>,
    weight: u64,
}

impl Uses {
    fn block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
    }

    fn local(&mut self, local: LocalId) {
        let count = &mut self.counts[local.index()];
        *count = count.saturating_add(self.weight);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                self.local(*local);
                self.expr(value);
            }
            StmtKind::Assign { place, value } => {
                self.place(place);
                self.expr(value);
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                self.expr(condition);
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
            }
            StmtKind::While { condition, body } => {
                let outside = self.weight;
                self.weight = outside.saturating_mul(8);
                self.expr(condition);
                self.block(body);
                self.weight = outside;
            }
            StmtKind::Return(Some(value))
            | StmtKind::Assert(value)
            | StmtKind::Sleep { amount: value, .. }
            | StmtKind::Send { value, .. } => self.expr(value),
            StmtKind::Call(call) => self.call(call),
            StmtKind::Spawn { launch, .. } => self.call(&launch.call),
            StmtKind::Print(items) => {
                for item in items {
                    if let PrintItem::Value(value) = item {
                        self.expr(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &Call) {
        for arg in &call.args {
            self.expr(arg);
        }
    }

    fn place(&mut self, place: &SyntaxPlace) {
        match place {
            SyntaxPlace::Local(local) => self.local(*local),
            SyntaxPlace::Global(_) => {}
            SyntaxPlace::Element { index, .. } => self.expr(index),
            SyntaxPlace::Deref(address) => self.expr(address),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Load(place) | ExprKind::Address(place) => self.place(place),
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::Binary(_, left, right) | ExprKind::Logical(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Call(call) => self.call(call),
            _ => {}
        }
    }
}
