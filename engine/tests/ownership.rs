//! The ownership rules, over random sequences of operations.
//!
//! The model keeps what a real machine would: what lies on each stack, and what is in each save
//! stack. Every time a coroutine runs, its bytes get a new value; whoever loses or mixes up bytes
//! is found out when the coroutine runs the next time.

use costack_engine::Refusal;
use costack_engine::share::{Coroutine, Plan, Stack, Status};
use proptest::prelude::*;

/// Bytes of one coroutine: whose they are, which version, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bytes {
    of: usize,
    version: u64,
    len: u32,
}

struct Member {
    record: Coroutine,
    stack: usize,
    /// What it left behind when it last gave way; this is what it must find again.
    left: Bytes,
    save_stack: Option<Bytes>,
}

struct Machine {
    stacks: Vec<Stack<usize>>,
    on_stack: Vec<Option<Bytes>>,
    members: Vec<Member>,
    /// Who has resumed whom: the last one runs.
    chain: Vec<usize>,
    versions: u64,
    /// Each stack and its owner's record as they were before the yield that was the last thing done
    /// with the stack: what a backend has that has not told the engine of it yet.
    untold: Vec<Option<(Stack<usize>, Coroutine)>>,
}

#[derive(Clone, Debug)]
enum Op {
    Create { stack: usize },
    Resume { member: usize },
    Yield { len: u32 },
    Finish,
    Free { member: usize },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..4usize).prop_map(|stack| Op::Create { stack }),
        6 => (0..12usize).prop_map(|member| Op::Resume { member }),
        5 => (8..512u32).prop_map(|len| Op::Yield { len }),
        1 => Just(Op::Finish),
        1 => (0..12usize).prop_map(|member| Op::Free { member }),
    ]
}

impl Machine {
    /// Three shared stacks and one own.
    fn new() -> Self {
        Machine {
            stacks: vec![
                Stack::shared(),
                Stack::shared(),
                Stack::shared(),
                Stack::own(),
            ],
            on_stack: vec![None; 4],
            members: Vec::new(),
            chain: Vec::new(),
            versions: 0,
            untold: vec![None; 4],
        }
    }

    fn new_bytes(&mut self, of: usize, len: u32) -> Bytes {
        self.versions += 1;
        Bytes {
            of,
            version: self.versions,
            len,
        }
    }

    fn create(&mut self, stack: usize) {
        let taken = self.stacks[stack].is_own() && self.stacks[stack].live() > 0;
        let of = self.members.len();
        let bound = self.stacks[stack].try_bind(of);
        assert_eq!(bound.is_err(), taken);
        if taken {
            assert_eq!(bound, Err(Refusal::OwnStackTaken));
            return;
        }
        let initial = self.new_bytes(of, 64);
        let (record, save_stack) = if self.stacks[stack].is_own() {
            self.on_stack[stack] = Some(initial);
            (Coroutine::in_place(), None)
        } else {
            (Coroutine::out(initial.len), Some(initial))
        };
        self.untold[stack] = None;
        self.members.push(Member {
            record,
            stack,
            left: initial,
            save_stack,
        });
    }

    /// What must come of a resume, told from the chain of resumers alone.
    fn expected_refusal(&self, member: usize) -> Option<Refusal> {
        let stack = self.members[member].stack;
        if self.members[member].record.status() == Status::Finished {
            Some(Refusal::Finished)
        } else if self.chain.contains(&member) {
            Some(Refusal::Running)
        } else if self.chain.iter().any(|&m| self.members[m].stack == stack) {
            Some(Refusal::StackInUse)
        } else {
            None
        }
    }

    fn resume(&mut self, member: usize) {
        let expected = self.expected_refusal(member);
        let stack = self.members[member].stack;
        let before = self.stacks[stack].clone();
        let planned = self.stacks[stack].plan_resume(member, &self.members[member].record);
        assert_eq!(before, self.stacks[stack], "a plan changes nothing");
        let untold = self.untold[stack].take();
        let plan = match planned {
            Err(refusal) => {
                assert_eq!(Some(refusal), expected);
                if let Some((untold, _)) = untold {
                    let record = &self.members[member].record;
                    assert_eq!(untold.plan_hand_over(record), None);
                }
                return;
            }
            Ok(plan) => {
                assert_eq!(expected, None);
                plan
            }
        };

        let mut evicted = None;
        match plan {
            Plan::Switch => assert_eq!(
                self.on_stack[stack].map(|b| b.of),
                Some(member),
                "nothing is copied only if the bytes are in place"
            ),
            Plan::Exchange { evict, restore } => {
                if let Some((victim, len)) = evict {
                    assert_ne!(victim, member, "an owner is never evicted for itself");
                    assert_eq!(
                        self.on_stack[stack].map(|b| (b.of, b.len)),
                        Some((victim, len))
                    );
                    self.members[victim].save_stack = self.on_stack[stack];
                    evicted = Some(victim);
                }
                let image = self.members[member].save_stack.take().expect("an image");
                assert_eq!(image.len, restore);
                self.on_stack[stack] = Some(image);
            }
        }
        let handed_over = untold.and_then(|(untold, owner)| {
            let target = self.members[member].record.clone();
            hand_over(plan, untold, owner, member, target)
        });
        let mut victim = evicted.map(|m| self.members[m].record.clone());
        self.stacks[stack].resumed(member, &mut self.members[member].record, victim.as_mut());
        if let (Some(index), Some(record)) = (evicted, victim) {
            assert_eq!(record.image(), Some(self.members[index].left.len));
            self.members[index].record = record;
            if let Some((after, owner, target)) = handed_over {
                assert_eq!(after, self.stacks[stack]);
                assert_eq!(owner, self.members[index].record);
                assert_eq!(target, self.members[member].record);
            }
        }
        assert_eq!(self.stacks[stack].owner(), Some(member));
        assert_eq!(
            self.on_stack[stack],
            Some(self.members[member].left),
            "a coroutine finds what it left"
        );
        self.chain.push(member);
        let running = self.new_bytes(member, 0);
        self.on_stack[stack] = Some(running);
    }

    fn give_way(&mut self, len: u32) {
        let Some(member) = self.chain.pop() else {
            return;
        };
        let stack = self.members[member].stack;
        let left = self.new_bytes(member, len);
        self.on_stack[stack] = Some(left);
        self.members[member].left = left;
        let before = (
            self.stacks[stack].clone(),
            self.members[member].record.clone(),
        );
        self.untold[stack] = Some(before);
        self.stacks[stack].yielded(&mut self.members[member].record, len);
    }

    fn finish(&mut self) {
        let Some(member) = self.chain.pop() else {
            return;
        };
        let stack = self.members[member].stack;
        self.stacks[stack].finished(&mut self.members[member].record);
        self.on_stack[stack] = None;
        self.untold[stack] = None;
    }

    fn free(&mut self, member: usize) {
        let stack = self.members[member].stack;
        self.untold[stack] = None;
        let was_owner = self.stacks[stack].owner() == Some(member);
        let freed = self.stacks[stack].free(member, &mut self.members[member].record);
        if self.chain.contains(&member) {
            assert_eq!(freed, Err(Refusal::Running));
            return;
        }
        assert_eq!(freed, Ok(()));
        self.members[member].save_stack = None;
        if was_owner {
            assert_eq!(
                self.stacks[stack].owner(),
                None,
                "the stack is free, unsaved"
            );
            self.on_stack[stack] = None;
        }
    }

    fn check_invariants(&self) {
        for (number, stack) in self.stacks.iter().enumerate() {
            let live = self
                .members
                .iter()
                .filter(|m| m.stack == number && m.record.status() != Status::Finished)
                .count() as u32;
            assert_eq!(stack.live(), live);
            assert_eq!(stack.check_destroy().is_ok(), live == 0);
        }
        for (index, member) in self.members.iter().enumerate() {
            assert_eq!(
                member.record.image(),
                member.save_stack.map(|b| b.len),
                "the engine knows what is in the save stack"
            );
            let is_live = member.record.status() != Status::Finished;
            let on_stack = self.on_stack[member.stack].is_some_and(|b| b.of == index);
            assert_eq!(
                is_live,
                on_stack || member.save_stack.is_some(),
                "the bytes of a live coroutine are in one place"
            );
            assert!(
                !(on_stack && member.save_stack.is_some()),
                "and in one only"
            );
        }
    }
}

/// What a hand-over makes of a stack whose owner has yielded without a word to the engine; `None` when
/// there is none to make.
fn hand_over(
    plan: Plan<usize>,
    mut stack: Stack<usize>,
    mut owner: Coroutine,
    member: usize,
    mut target: Coroutine,
) -> Option<(Stack<usize>, Coroutine, Coroutine)> {
    let planned = stack.plan_hand_over(&target);
    match plan {
        // In place: the owner itself, which the engine takes for a running one.
        Plan::Switch => assert_eq!(stack.plan_hand_over(&owner), None),
        Plan::Exchange { evict, restore } => {
            assert_eq!(planned, Some(restore));
            let (_, len) = evict.expect("the owner has yielded");
            stack.handed_over(&mut owner, len, member, &mut target);
            return Some((stack, owner, target));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_coroutine_finds_what_it_left(ops in prop::collection::vec(op(), 1..120)) {
        let mut machine = Machine::new();
        for op in ops {
            let members = machine.members.len();
            match op {
                Op::Create { stack } => machine.create(stack),
                Op::Resume { member } if member < members => machine.resume(member),
                Op::Yield { len } => machine.give_way(len),
                Op::Finish => machine.finish(),
                Op::Free { member } if member < members => machine.free(member),
                Op::Resume { .. } | Op::Free { .. } => {}
            }
            machine.check_invariants();
        }
    }
}

#[test]
fn an_owner_that_runs_again_copies_nothing() {
    let mut stack = Stack::shared();
    let mut a = Coroutine::out(32);
    stack.bind(0);
    assert!(matches!(
        stack.plan_resume(0, &a),
        Ok(Plan::Exchange { .. })
    ));
    stack.resumed(0, &mut a, None);
    stack.yielded(&mut a, 200);
    assert_eq!(stack.plan_resume(0, &a), Ok(Plan::Switch));
}

#[test]
fn a_coroutine_cannot_resume_another_of_its_own_stack() {
    let mut stack = Stack::shared();
    let mut a = Coroutine::out(32);
    let b = Coroutine::out(32);
    stack.bind(0);
    stack.bind(1);
    stack.resumed(0, &mut a, None);
    assert_eq!(stack.plan_resume(1, &b), Err(Refusal::StackInUse));
}

#[test]
fn freeing_the_occupant_releases_the_stack_without_a_save() {
    let mut stack = Stack::shared();
    let mut a = Coroutine::out(32);
    let b = Coroutine::out(40);
    stack.bind(0);
    stack.bind(1);
    stack.resumed(0, &mut a, None);
    stack.yielded(&mut a, 100);
    stack.free(0, &mut a).unwrap();
    let plan = stack.plan_resume(1, &b).unwrap();
    assert_eq!(
        plan,
        Plan::Exchange {
            evict: None,
            restore: 40
        }
    );
    assert_eq!(
        stack.check_destroy(),
        Err(Refusal::StackHasCoroutines { live: 1 })
    );
}
