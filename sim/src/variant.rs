//! The same scenario on other stacks.

use costack_lang::syntax::{Program, Stack, StackId, StackKind, Stmt, StmtKind, Task};

/// Which stacks the tasks of a scenario are put on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stacks {
    /// Those that the scenario says.
    AsWritten,
    /// So many shared ones, taken in turns; each as large as the largest that the scenario says.
    Shared(u32),
    /// One for each task, as large as the one that the scenario says.
    Own,
}

/// The scenario with its declared tasks on other stacks. `None` if that cannot be: it has no
/// tasks, or makes more while it runs.
pub fn with_stacks(program: &Program, stacks: Stacks) -> Option<Program> {
    if stacks == Stacks::AsWritten {
        return Some(program.clone());
    }
    let spawns = program
        .functions
        .iter()
        .any(|function| function.body.stmts.iter().any(spawns));
    if spawns || program.tasks.is_empty() {
        return None;
    }
    let mut program = program.clone();
    let largest = program
        .stacks
        .iter()
        .max_by_key(|stack| stack.bytes)?
        .clone();
    let written = std::mem::take(&mut program.stacks);
    if let Stacks::Shared(count) = stacks {
        let number = |index: u32| match count {
            1 => "S".to_owned(),
            _ => format!("S{}", index + 1),
        };
        program.stacks = (0..count.max(1))
            .map(|index| stack_like(&largest, number(index), StackKind::Shared))
            .collect();
    }
    for (index, task) in program.tasks.iter_mut().enumerate() {
        let name = task.name.text.clone();
        let launch = launch_of(task)?;
        launch.stack = match stacks {
            Stacks::Own => {
                let like = &written[launch.stack.index()];
                program.stacks.push(stack_like(like, name, StackKind::Own));
                StackId(program.stacks.len() as u32 - 1)
            }
            _ => StackId(index as u32 % program.stacks.len() as u32),
        };
    }
    Some(program)
}

fn launch_of(task: &mut Task) -> Option<&mut costack_lang::syntax::Launch> {
    task.declared.as_mut()
}

fn stack_like(like: &Stack, name: String, kind: StackKind) -> Stack {
    let mut stack = like.clone();
    stack.name.text = name;
    stack.kind = kind;
    stack
}

fn spawns(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Spawn { .. } => true,
        StmtKind::If {
            then, otherwise, ..
        } => {
            let blocks = [Some(then), otherwise.as_ref()];
            let mut stmts = blocks.into_iter().flatten().flat_map(|block| &block.stmts);
            stmts.any(spawns)
        }
        StmtKind::While { body, .. } => body.stmts.iter().any(spawns),
        _ => false,
    }
}
