//! The exports: numbers in, numbers out, one simulator behind them.
//!
//! The only unsafe thing here is that a symbol's name is not mangled: the attribute could clash
//! with another symbol of the same name. So only the wasm module has these names; there, nothing
//! else is linked that could.

use std::cell::RefCell;

use crate::simulator::Refusal;
use crate::{MAX_INPUT_BYTES, SOURCES, Simulator, Status, VERSION};

/// What the host has written, what it is answered, and the simulator.
#[derive(Default)]
struct Module {
    input: Vec<u8>,
    answer: String,
    simulator: Simulator,
}

impl Module {
    fn input(&mut self, len: u32) -> *const u8 {
        let len = len as usize;
        if len > MAX_INPUT_BYTES {
            return std::ptr::null();
        }
        self.input.clear();
        self.input.resize(len, 0);
        self.input.as_ptr()
    }

    /// Answers with text.
    fn answer(&mut self, result: Result<String, Refusal>) -> i32 {
        let (status, answer) = match result {
            Ok(answer) => (Status::Done, answer),
            Err(refusal) => (refusal.status, refusal.message),
        };
        self.answer = answer;
        status as i32
    }

    /// Answers with a status.
    fn status(&mut self, result: Result<Status, Refusal>) -> i32 {
        let (status, answer) = match result {
            Ok(status) => (status, String::new()),
            Err(refusal) => (refusal.status, refusal.message),
        };
        self.answer = answer;
        status as i32
    }

    /// The name and the text in the input.
    fn parts(&self, name_len: u32) -> Result<(String, &[u8]), Refusal> {
        let split = self.input.split_at_checked(name_len as usize);
        let (name, text) = split.ok_or_else(|| Refusal {
            status: Status::BadArgument,
            message: "the name is longer than the input".to_owned(),
        })?;
        Ok((String::from_utf8_lossy(name).into_owned(), text))
    }

    fn load(&mut self, name_len: u32, isa: u32, memory_limit: u64) -> i32 {
        let parts = self.parts(name_len);
        let result = parts.map(|(name, text)| (name, text.to_vec()));
        let result = result
            .and_then(|(name, text)| self.simulator.load(&name, &text, isa, memory_limit))
            .map(|()| Status::Done);
        self.status(result)
    }

    fn prove(&mut self, name_len: u32, what: u32, isa: u32, flavour: u32) -> i32 {
        let result = self
            .parts(name_len)
            .and_then(|(name, text)| Simulator::prove(what, &name, text, isa, flavour));
        self.answer(result)
    }
}

thread_local! {
    static MODULE: RefCell<Module> = RefCell::default();
}

fn with<T>(call: impl FnOnce(&mut Module) -> T) -> T {
    MODULE.with_borrow_mut(call)
}

/// Defines the exports of the module. Natively they are plain functions that nobody calls but the
/// tests.
macro_rules! exports {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty = $body:expr;)*) => {$(
        #[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
        #[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
        pub(crate) extern "C" fn $name($($argument: $kind),*) -> $result {
            $body
        }
    )*};
}

exports! {
    fn version() -> u32 = VERSION;
    fn sources() -> u64 = SOURCES;
    fn input(len: u32) -> *const u8 = with(|module| module.input(len));
    fn load(name_len: u32, isa: u32, memory_limit: u64) -> i32 =
        with(|module| module.load(name_len, isa, memory_limit));
    fn step(count: i64) -> i32 = with(|module| {
        let result = module.simulator.step(count);
        module.status(result)
    });
    fn run(limit: u64) -> i32 = with(|module| {
        let result = module.simulator.run(limit);
        module.status(result)
    });
    fn state() -> i32 = with(|module| {
        let result = module.simulator.state_json();
        module.answer(result)
    });
    fn trace() -> i32 = with(|module| {
        let result = module.simulator.trace();
        module.answer(result)
    });
    fn prove(name_len: u32, what: u32, isa: u32, flavour: u32) -> i32 =
        with(|module| module.prove(name_len, what, isa, flavour));
    fn answer() -> *const u8 = with(|module| module.answer.as_ptr());
    fn answer_len() -> u32 = with(|module| module.answer.len() as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, text: &str) -> u32 {
        let _ = input((name.len() + text.len()) as u32);
        with(|module| module.input = format!("{name}{text}").into_bytes());
        name.len() as u32
    }

    fn said() -> String {
        with(|module| module.answer.clone())
    }

    #[test]
    fn calls_with_whatever_numbers_are_refused_in_words() {
        assert_eq!(version(), VERSION);
        for status in [step(1), step(i64::MIN), run(u64::MAX), state(), trace()] {
            assert_eq!(Status::of(status), Some(Status::NotLoaded));
        }
        assert!(said().contains("no scenario"), "{}", said());
        assert!(input(u32::MAX).is_null());
        assert_eq!(load(u32::MAX, 0, 0), Status::BadArgument as i32);
        let name = write("a", "scenario \"a\"\nmain { }");
        assert_eq!(load(name, 3, 0), Status::BadArgument as i32);
        assert_eq!(prove(0, 9, 0, 0), Status::BadArgument as i32);
        assert_eq!(prove(0, 0, 0, 2), Status::BadArgument as i32);
        assert_eq!(prove(u32::MAX, 1, 0, 0), Status::BadArgument as i32);
    }

    #[test]
    fn a_scenario_is_loaded_run_and_told() {
        let name = write("a.costack", "scenario \"a\"\nmain { print 6 * 7 }");
        assert_eq!(load(name, 0, 0), Status::Done as i32, "{}", said());
        assert_eq!(step(2), Status::Done as i32);
        assert_eq!(step(-1), Status::Done as i32);
        assert_eq!(run(1_000_000), Status::Ended as i32);
        assert_eq!(state(), Status::Done as i32);
        assert!(said().contains("\"output\":[\"42\"]"), "{}", said());
        assert_eq!(trace(), Status::Done as i32);
        assert!(costack_engine::trace::read(&said()).is_ok());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let name = write("a.costack", "scenario \"a\"\nmain { print x }");
        assert_eq!(load(name, 0, 0), Status::Mistakes as i32);
        assert!(said().contains("a.costack:2:14"), "{}", said());
        assert_eq!(run(1), Status::NotLoaded as i32);
    }
}
