//! A child of this process that is run instruction by instruction.

use nix::libc;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::uio::{RemoteIoVec, process_vm_writev};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::IoSlice;

/// The general registers.
pub type Registers = libc::user_regs_struct;

/// A child that stops at every [`breakpoint`]. It is killed when this is dropped.
pub struct Traced {
    pid: Pid,
}

/// Stops the child that runs it. Outside of a child it ends the process.
#[inline(always)]
#[allow(dead_code, reason = "not all that step have it in Rust")]
pub fn breakpoint() {
    // SAFETY: a trap changes nothing; the tracer goes on behind it.
    unsafe { std::arch::asm!("int3", options(nostack)) };
}

impl Traced {
    /// Forks; the child runs `body`.
    pub fn start(body: impl FnOnce()) -> Self {
        // SAFETY: the child is one thread that does not touch what others may have locked: `body`
        // prints nothing, and the allocator's locks are put in order by `fork`.
        match unsafe { fork() }.expect("a process can be made") {
            ForkResult::Child => {
                forget_children();
                ptrace::traceme().expect("a parent may trace its child");
                body();
                std::process::abort()
            }
            ForkResult::Parent { child } => Traced { pid: child },
        }
    }

    /// Waits until it has stopped at a trap.
    #[track_caller]
    fn wait(&self, what: &str) {
        match waitpid(self.pid, None) {
            Ok(WaitStatus::Stopped(_, Signal::SIGTRAP)) => {}
            other => {
                let pc = pc(&self.registers());
                panic!("{what}: the child did not stop at a trap but {other:?}, pc {pc:#x}")
            }
        }
    }

    /// Waits for its first breakpoint.
    #[track_caller]
    pub fn begin(&self) {
        self.wait("at the start");
        let options = Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(self.pid, options).expect("it is stopped");
    }

    #[allow(dead_code, reason = "not all need a copy")]
    /// Makes it fork where it is. The copy is stopped at the same instruction.
    #[track_caller]
    pub fn copy(&self) -> Traced {
        let here = self.registers();
        let mut calling = here;
        prepare_fork(&mut calling, fork_here as *const () as usize);
        ptrace::setregs(self.pid, calling).expect("it is stopped");
        ptrace::cont(self.pid, None).expect("it is stopped");
        match waitpid(self.pid, None) {
            Ok(WaitStatus::PtraceEvent(_, _, event))
                if event == Event::PTRACE_EVENT_FORK as i32 => {}
            other => panic!("the child did not fork: {other:?}"),
        }
        let pid = ptrace::getevent(self.pid).expect("it has forked");
        let copy = Traced {
            pid: Pid::from_raw(pid as i32),
        };
        match waitpid(copy.pid, None) {
            Ok(WaitStatus::Stopped(_, Signal::SIGSTOP)) => {}
            other => panic!("the copy did not stop: {other:?}"),
        }
        self.run(None);
        for process in [self, &copy] {
            ptrace::setregs(process.pid, here).expect("it is stopped");
        }
        copy
    }

    /// Lets it run to its next breakpoint, with a signal if one is given.
    #[track_caller]
    pub fn run(&self, signal: Option<Signal>) {
        ptrace::cont(self.pid, signal).expect("it is stopped");
        self.wait("running");
    }

    /// One instruction.
    #[track_caller]
    pub fn step(&self) {
        ptrace::step(self.pid, None).expect("it is stopped");
        self.wait("stepping");
    }

    /// Spoils what lies below sp, but for the red zone: a signal handler may do so, but leaves gaps.
    #[allow(dead_code, reason = "not all let a signal come")]
    #[track_caller]
    pub fn spoil_below_sp(&self) {
        // System V, x86-64: section 3.2.2. i386 has none.
        const RED_ZONE: usize = if cfg!(target_arch = "x86_64") { 128 } else { 0 };
        let mess = [0xa5; 1024];
        let base = sp(&self.registers()) - RED_ZONE - mess.len();
        let (local, remote) = (
            [IoSlice::new(&mess)],
            [RemoteIoVec {
                base,
                len: mess.len(),
            }],
        );
        let written = process_vm_writev(self.pid, &local, &remote);
        assert_eq!(written, Ok(mess.len()), "below sp, from {base:#x}");
    }

    pub fn registers(&self) -> Registers {
        ptrace::getregs(self.pid).unwrap_or_else(|_| {
            // SAFETY: numbers, all of them.
            unsafe { std::mem::zeroed() }
        })
    }

    /// Whether the next instruction is a breakpoint.
    pub fn at_breakpoint(&self) -> bool {
        let pc = pc(&self.registers());
        let word = ptrace::read(self.pid, pc as *mut _).expect("code can be read");
        word & 0xff == 0xcc
    }

    #[allow(dead_code, reason = "for requests that not all make")]
    pub fn pid(&self) -> Pid {
        self.pid
    }
}

/// A call of the system, and a breakpoint behind it. Nothing is pushed.
#[unsafe(naked)]
unsafe extern "C" fn fork_here() {
    #[cfg(target_arch = "x86_64")]
    std::arch::naked_asm!("syscall", "int3");
    #[cfg(target_arch = "x86")]
    std::arch::naked_asm!("int 0x80", "int3");
}

/// What makes a process that goes on at `gate` call `fork`.
fn prepare_fork(registers: &mut Registers, gate: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        registers.rip = gate as u64;
        registers.rax = libc::SYS_fork as u64;
        registers.orig_rax = u64::MAX;
    }
    #[cfg(target_arch = "x86")]
    {
        registers.eip = gate as _;
        registers.eax = libc::SYS_fork as _;
        registers.orig_eax = -1;
    }
}

/// Has the system clear away children that have ended, without a signal.
fn forget_children() {
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGCHLD);
    blocked.thread_block().expect("a signal can be blocked");
    let action = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is called.
    unsafe { sigaction(Signal::SIGCHLD, &action) }.expect("a signal can be ignored");
}

impl Drop for Traced {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        while let Ok(WaitStatus::Stopped(..)) = waitpid(self.pid, None) {}
    }
}

/// The address of the next instruction.
pub fn pc(registers: &Registers) -> usize {
    #[cfg(target_arch = "x86_64")]
    return registers.rip as usize;
    #[cfg(target_arch = "x86")]
    return registers.eip as usize;
}

/// The stack pointer.
fn sp(registers: &Registers) -> usize {
    #[cfg(target_arch = "x86_64")]
    return registers.rsp as usize;
    #[cfg(target_arch = "x86")]
    return registers.esp as usize;
}

/// Memory that parent and child both see, filled with zeroes and never given back.
pub fn shared<T>() -> &'static T {
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
    let length = std::num::NonZeroUsize::new(size_of::<T>()).expect("something to share");
    let (rights, flags) = (
        ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        MapFlags::MAP_SHARED,
    );
    // SAFETY: a new mapping, at an address that the system chooses, large enough and aligned to
    // a page; callers share numbers, for which zeroes are fine.
    unsafe {
        mmap_anonymous(None, length, rights, flags)
            .expect("memory to share")
            .cast()
            .as_ref()
    }
}
